//! A ring of master secrets, of one generation.

use anyhow::Result;
use serde_json::json;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value of `MASTER_SECRET`: JSON, one generation, 43 characters of base62 (256 bits).
pub fn fresh() -> Result<String> {
    Ok(json!([{ "id": base62(8)?, "secret": base62(43)? }]).to_string())
}

/// `length` characters, each equally likely: bytes that would favour some are drawn again.
fn base62(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut byte = [0];
        getrandom::fill(&mut byte)?;
        // 248 is the largest multiple of 62 that a byte reaches.
        if byte[0] < 248 {
            text.push(char::from(BASE62[usize::from(byte[0] % 62)]));
        }
    }
    Ok(text)
}
