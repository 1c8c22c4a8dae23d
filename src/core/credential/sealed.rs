//! The sealed key: a short-lived credential that carries its own limits under a MAC. Nothing is
//! stored to issue it.
//!
//! # Format, version 1
//!
//! ```text
//! sealed key = prefix "s_" payload "." mac crc
//! width:                   any        43  6
//! ```
//!
//! - `payload` is base64url without padding (RFC 4648 §5) of a JSON text without blanks, whose
//!   members are these, in this order:
//!
//!   | member | what it is |
//!   | --- | --- |
//!   | `v` | the version, `1` |
//!   | `id` | the sealed key's own ID, 35 digits of base62: below |
//!   | `by` | its issuer: `{"key":"<ID>"}`, a key of the same account, or `"service"`, the account's service password |
//!   | `iat` | when it was issued, in milliseconds since 1970 |
//!   | `exp` | the first instant at which it no longer works, at most 24 hours after `iat` |
//!   | `net` | the networks that it may be used from, at most 16, in stored form; `[]`: anywhere |
//!   | `may` | its permissions, in stored form; never one of Claviger's own |
//!
//! - `mac` is base64url without padding of HMAC-SHA-256, all 32 bytes, under the sealing subkey
//!   ([`crate::ring`]) over `"claviger/sealed/1" 00 prefix 00 payload`, the payload as it is
//!   encoded.
//! - `crc` is CRC-32/ISO-HDLC over `payload "." mac` in base62, left-padded with `0` to 6 digits.
//!   It tells typing errors. It is no security.
//! - `id` = account (8) number (10) generation (6) tag (11). The number is random. The generation
//!   is the issuer's sealing generation when the key was issued, left-padded with `0`. The tag is
//!   the first 8 bytes, big-endian, left-padded with `0`, of HMAC-SHA-256 under the tag subkey over
//!   `"claviger/sealed-id/1" 00 prefix 00 account number generation issuer`, where the issuer is a
//!   key's ID or `service`. So whoever has an ID and its issuer can have that key revoked, and
//!   nobody can fill the room for revocations with what is no key's ID.
//! - The whole has at most 2,048 bytes.
//! - A parser MUST check the length first; it MUST check `crc`, and `mac` in constant time, before
//!   it decodes the payload; it MUST refuse spare bits that are not zero, and a payload that would
//!   not be written in the same bytes again. The MAC covers the ID, whose tag it need not check.
//! - A MAC or an ID's tag of a master secret's generation that is compromised, or was retired
//!   [`RETIRED_FOR_MAX`] ago, counts for nothing.
//!
//! Who holds a sealed key can read its limits. They are the limits that were sealed: its issuer's
//! state, sealing generation and ceiling apply on top, each time that it is verified.
//!
//! Worked example (also a test vector, `tests/vectors/sealed-example.txt`), with the master secret
//! `mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE` and the prefix `clv`:
//!
//! ```text
#![doc = include_str!("../../../tests/vectors/sealed-example.txt")]
//! ```

mod id;

use core::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::base::base62;
use crate::base::id::{AccountId, Prefix, SealedId};
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::issuer::Issuer;
use crate::credential::keyring::{Generation, Keyring, MacKey};
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;

/// Longest sealed key, in bytes: with 16 IPv6 networks and as many permissions there is half of it
/// left, and four times as much fits into what servers take for one header.
pub const SEALED_BYTES_MAX: usize = 2_048;

/// Longest life. What lives longer is worth a place where it can be seen and deleted.
pub const LIFE_MAX: DurationMs = DurationMs::from_days(1);

/// Most networks of one.
pub const SEALED_NETWORKS_MAX: usize = 16;

/// How long a retired generation's MACs count: as long as what was sealed under it just before may
/// live.
pub const RETIRED_FOR_MAX: DurationMs = LIFE_MAX;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"claviger/sealed/1\0";
/// 32 bytes in base64url.
const MAC_WIDTH: usize = 43;
const CRC_WIDTH: usize = base62::U32_WIDTH;

/// What a sealed key says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Its own ID, which also tells the issuer's sealing generation when it was issued.
    pub id: SealedId,
    /// Its issuer.
    #[serde(rename = "by")]
    pub issuer: Issuer,
    /// When it was issued.
    #[serde(rename = "iat")]
    pub issued_at: UnixMs,
    /// When it ends.
    #[serde(rename = "exp")]
    pub expires_at: UnixMs,
    /// Where it may be used; empty = anywhere.
    #[serde(rename = "net")]
    pub networks: Networks,
    /// What it may do.
    #[serde(rename = "may")]
    pub permissions: Permissions,
}

impl Claims {
    /// Whether a sealed key may say so.
    fn are_within_bounds(&self) -> bool {
        let life = self.expires_at.since(self.issued_at);
        let is_own_issuer = match self.issuer {
            Issuer::Key(issuer) => issuer.account() == self.id.account(),
            Issuer::Service => true,
        };
        is_own_issuer
            && life.is_some_and(|life| life > DurationMs::default() && life <= LIFE_MAX)
            && self.networks.len() <= SEALED_NETWORKS_MAX
            && !self.permissions.holds_reserved()
    }
}

/// The payload's shape.
#[derive(Serialize, Deserialize)]
struct Payload<C> {
    v: u8,
    #[serde(flatten)]
    claims: C,
}

/// Why a string is no sealed key. The string alone decides it, so it is told to anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not begin with the deployment's prefix and `s_`.
    #[error("the key does not begin with this deployment's prefix for sealed keys")]
    Prefix,
    /// It is longer than any sealed key.
    #[error("a sealed key has at most {SEALED_BYTES_MAX} characters")]
    TooLong,
    /// It is not a payload, a dot, a MAC and a checksum.
    #[error("the sealed key is not whole, or holds a character that no key has")]
    Form,
    /// Its checksum is wrong: a typing error, or cut and filled.
    #[error("the sealed key's checksum is wrong: a character is mistyped or missing")]
    Checksum,
}

/// A string of the right form. It says nothing about who made it, and nothing in it has been
/// decoded but the MAC.
pub struct SealedText<'a> {
    payload: &'a str,
    mac: [u8; 32],
}

impl<'a> SealedText<'a> {
    /// Whether a text means to be a sealed key of this deployment.
    pub fn is_meant(text: &str, prefix: &Prefix) -> bool {
        strip(text, prefix).is_some()
    }

    /// Parses a sealed key.
    ///
    /// # Errors
    /// The first broken rule, in the order of [`Malformed`]'s variants.
    pub fn parse(text: &'a str, prefix: &Prefix) -> Result<Self, Malformed> {
        let body = strip(text, prefix).ok_or(Malformed::Prefix)?;
        if text.len() > SEALED_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let (payload, rest) = body.split_once('.').ok_or(Malformed::Form)?;
        let (mac, crc) = rest.split_at_checked(MAC_WIDTH).ok_or(Malformed::Form)?;
        let is_of_base64url =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_whole =
            !payload.is_empty() && payload.bytes().all(is_of_base64url) && crc.len() == CRC_WIDTH;
        // Strict: spare bits must be zero.
        let decoded = BASE64URL_NOPAD.decode(mac.as_bytes()).ok();
        let mac = decoded.and_then(|bytes| bytes.try_into().ok()).filter(|_| is_whole);
        let mac = mac.ok_or(Malformed::Form)?;
        let covered = body
            .as_bytes()
            .split_last_chunk::<CRC_WIDTH>()
            .map_or(body.as_bytes(), |(head, _)| head);
        if checksum(covered) != *crc.as_bytes() {
            return Err(Malformed::Checksum);
        }
        Ok(Self { payload, mac })
    }

    /// Checks the MAC against every generation that may still be believed at `now`: `Some` if
    /// Claviger sealed this key, `None` if it was made up, or changed, or sealed long ago.
    pub fn authenticate(
        &self,
        prefix: &Prefix,
        keyring: &Keyring,
        now: UnixMs,
    ) -> Option<MadeSealed> {
        let is_sealed =
            keyring.iter().filter(|generation| is_believed(generation, now)).any(|generation| {
                mac(generation.sealing_key(), prefix, self.payload).ct_eq(&self.mac).into()
            });
        if !is_sealed {
            return None;
        }
        let json = BASE64URL_NOPAD.decode(self.payload.as_bytes()).ok()?;
        let payload: Payload<Claims> = serde_json::from_slice(&json).ok()?;
        // What another release has sealed in another shape is not half understood.
        let is_same = serde_json::to_vec(&payload).is_ok_and(|written| written == json);
        let is_ours = payload.v == VERSION && is_same && payload.claims.are_within_bounds();
        is_ours.then_some(MadeSealed(payload.claims))
    }
}

impl fmt::Debug for SealedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedText(…)")
    }
}

/// A sealed key that Claviger did seal: the only thing of its kind that may cause a lookup (P3).
/// Whether it is valid now is for [`crate::verify::verification`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSealed(Claims);

impl MadeSealed {
    /// What it says of itself.
    pub fn claims(&self) -> &Claims {
        &self.0
    }

    /// Whose it is.
    pub fn account(&self) -> AccountId {
        self.0.id.account()
    }
}

/// A sealed key that was just made. It belongs into one answer and nowhere else.
pub struct NewSealed {
    id: SealedId,
    text: Zeroizing<String>,
}

impl NewSealed {
    /// Seals with the newest generation; `None`: the claims do not fit, and want a stored key.
    pub fn seal(claims: &Claims, prefix: &Prefix, keyring: &Keyring) -> Option<Self> {
        if !claims.are_within_bounds() {
            return None;
        }
        let json = serde_json::to_vec(&Payload { v: VERSION, claims }).ok()?;
        let payload = BASE64URL_NOPAD.encode(&json);
        let mac = BASE64URL_NOPAD.encode(&mac(keyring.newest().sealing_key(), prefix, &payload));
        let covered = Zeroizing::new([&payload, ".", &mac].concat());
        let mut text = Zeroizing::new([prefix.as_str(), "s_", &covered].concat());
        text.extend(checksum(covered.as_bytes()).map(char::from));
        (text.len() <= SEALED_BYTES_MAX).then_some(Self { id: claims.id, text })
    }

    /// The sealed key's ID.
    pub fn id(&self) -> SealedId {
        self.id
    }

    /// The whole key.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for NewSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSealed({}…)", self.id)
    }
}

/// What follows the prefix of sealed keys.
fn strip<'a>(text: &'a str, prefix: &Prefix) -> Option<&'a str> {
    text.strip_prefix(prefix.as_str())?.strip_prefix("s_")
}

fn is_believed(generation: &Generation, now: UnixMs) -> bool {
    let is_long_retired =
        |at: UnixMs| now.since(at).is_some_and(|retired_for| retired_for >= RETIRED_FOR_MAX);
    !generation.is_compromised() && !generation.retired_at().is_some_and(is_long_retired)
}

fn mac(key: &MacKey, prefix: &Prefix, payload: &str) -> [u8; 32] {
    key.mac(&[LABEL, prefix.as_str().as_bytes(), b"\0", payload.as_bytes()])
}

fn checksum(covered: &[u8]) -> [u8; CRC_WIDTH] {
    base62::encode(u64::from(crc32fast::hash(covered)))
}

#[cfg(test)]
pub(crate) mod tests;
