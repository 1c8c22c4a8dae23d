//! Finds a request's key where it does not count, so that it does not travel on.
//!
//! Under every rule the gateway looks for the secret half of the key in the path, in the query and
//! in the values of headers. Each occurrence is cut out: a parameter of the query, a cookie, an
//! element of `Sec-WebSocket-Protocol`, or else the whole header. Nothing can be cut out of a path;
//! the gateway refuses such a request. Bodies are the origin's own data and are not searched.

use std::borrow::Cow;

use base64ct::{Base64Unpadded, Encoding};
use percent_encoding::percent_decode_str;

use crate::base::id::Prefix;
use crate::credential::key::ACCESS_SECRET_WIDTH;

/// Number of characters that the search looks for: the secret of a key, or the MAC of a sealed key.
/// Both are 256 bits.
const SECRET_WIDTH: usize = 43;

/// Number of characters from a sealed key's MAC to its end.
const SEALED_END_WIDTH: usize = SECRET_WIDTH + 6;

/// Most times that a text is decoded: a URL in a parameter of a URL in a header is encoded twice.
const DECODINGS_MAX: usize = 3;

/// JavaScript regular expression for a value of a header in which [`holds`] may find a secret.
pub const MAYBE_PATTERN: &str = "%|[\\w-]{43}";

/// Returns the part of a credential that is secret and can be searched for; `None` if the text does
/// not look like a key of the deployment.
pub fn secret_of<'a>(text: &'a str, prefix: &Prefix) -> Option<&'a str> {
    let rest = text.strip_prefix(prefix.as_str())?;
    let end = if rest.starts_with('_') { ACCESS_SECRET_WIDTH } else { SEALED_END_WIDTH };
    let start = rest.len().checked_sub(end)?;
    let secret = rest.get(start..start.checked_add(SECRET_WIDTH)?)?;
    let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // An unverified text from a query could hold anything, a line feed included.
    secret.bytes().all(is_of_key).then_some(secret)
}

/// Returns `true` if a text contains a secret: plain, percent-encoded, in base64 of either
/// alphabet, or in a mixture of these.
pub fn holds(text: &str, secret: &str) -> bool {
    let mut text = Cow::Borrowed(text);
    for _ in 0..DECODINGS_MAX {
        if text.len() < secret.len() {
            return false;
        }
        let is_in = |form: &str| !form.is_empty() && text.contains(form);
        if has_run(&text) && (is_in(secret) || (0..3).any(|shift| is_in(&in_base64(secret, shift))))
        {
            return true;
        }
        if !text.contains('%') {
            return false;
        }
        text = Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned());
    }
    false
}

/// Returns `true` if a text has enough letters, digits, `-` and `_` in a row to contain a secret.
/// Most paths and queries do not.
fn has_run(text: &str) -> bool {
    let mut length = 0_usize;
    text.bytes().any(|byte| {
        let is_of_key = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        length = if is_of_key { length.saturating_add(1) } else { 0 };
        length >= SECRET_WIDTH
    })
}

/// Returns the characters that stand for the secret alone in base64 of a longer text, in which
/// `shift` (0 to 2) bytes precede it in its first group of three. Letters, digits, `-` and `_` are
/// written without `+` and `/`, so both alphabets agree.
fn in_base64(secret: &str, shift: usize) -> String {
    let text = ["\0\0".get(..shift).unwrap_or_default(), secret].concat();
    let encoded = Base64Unpadded::encode_string(text.as_bytes());
    // The characters at either end depend on the neighbours of the secret, too.
    let start = [0, 2, 3].get(shift).copied().unwrap_or_default();
    let end = text.len().saturating_mul(8) / 6;
    encoded.get(start..end).unwrap_or_default().to_owned()
}

/// Returns a list without the elements that hold a secret; `None` if none does. `separator` stands
/// between elements, and `join` is written between those that are left.
pub fn cut_from(list: &str, separator: char, join: &str, secret: &str) -> Option<String> {
    if !holds(list, secret) {
        return None;
    }
    let kept: Vec<&str> = list.split(separator).filter(|element| !holds(element, secret)).collect();
    let rest = kept.join(join);
    // An encoded separator may have hidden the secret from the split.
    Some(if holds(&rest, secret) { String::new() } else { rest })
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64Url};

    use super::*;
    use crate::testing::clv;

    const SECRET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";

    #[test]
    fn the_secret_is_the_same_part_of_each_kind_of_key() {
        let key = format!("clv_a1B2c3D47Hq0p2Zx9K{SECRET}01234567890abcdef");
        assert_eq!(secret_of(&key, &clv()), Some(SECRET));
        let sealed = format!("clvs_eyJ2IjoxfQ.{SECRET}abcdef");
        assert_eq!(secret_of(&sealed, &clv()), Some(SECRET));
        for text in ["", "clv_", "clv_short", "clvs_x.y", "eyJhbGciOiJIUzI1NiJ9.e30.x", &key[4..]] {
            assert_eq!(secret_of(text, &clv()), None, "{text}");
        }
        // A line feed would end a field of the step's text.
        assert_eq!(secret_of(&key.replace("789A", "78\nA"), &clv()), None);
        assert_eq!(secret_of(&key.replace("789A", "78é"), &clv()), None);
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let every_letter: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let twice = every_letter.replace('%', "%25");
        for text in [
            SECRET.to_owned(),
            format!("https://a.example/?u=clv_a1B2c3D47Hq0p2Zx9K{SECRET}tail&b=1"),
            every_letter.clone(),
            twice,
            format!("a={every_letter}"),
            Base64::encode_string(SECRET.as_bytes()),
            Base64::encode_string(format!("a{SECRET}").as_bytes()),
            Base64::encode_string(format!("ab{SECRET}z").as_bytes()),
            format!("Basic {}", Base64::encode_string(format!("user:{SECRET}:x").as_bytes())),
            Base64Url::encode_string(format!("\u{3ff}\u{3ff}~{SECRET}\u{3ff}").as_bytes()),
            Base64::encode_string(format!("ab{SECRET}").as_bytes()).replace('M', "%4D"),
        ] {
            assert!(holds(&text, SECRET), "{text}");
        }
        let mac = "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-";
        for before in ["", "a", "ab"] {
            let text = format!("{before}{mac}é");
            assert!(holds(&Base64::encode_string(text.as_bytes()), mac), "{before}");
            assert!(holds(&Base64Url::encode_string(text.as_bytes()), mac), "{before}");
        }
        for text in ["", "%", &SECRET[1..], &SECRET.to_lowercase(), "clv_a1B2c3D47Hq0p2Zx9K"] {
            assert!(!holds(text, SECRET), "{text}");
        }
    }

    /// The entry script asks this module about a value only if the pattern matches.
    #[test]
    fn an_occurrence_is_43_word_characters_in_a_row_or_has_an_escape() {
        assert_eq!(MAYBE_PATTERN, r"%|[\w-]{43}");
        for shift in 0..3 {
            let form = in_base64(SECRET, shift);
            assert!(form.len() >= SECRET_WIDTH && form.bytes().all(|b| b.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn a_text_without_43_such_characters_in_a_row_is_not_searched() {
        let short = &SECRET[1..];
        for text in ["", short, &format!("{short}.{SECRET:.1}"), &format!("{short}é{short}")] {
            assert!(!has_run(text), "{text}");
        }
        for text in [SECRET, &format!("?a={SECRET}&b"), &format!("{short}-"), &"_".repeat(43)] {
            assert!(has_run(text), "{text}");
        }
    }

    #[test]
    fn what_holds_the_secret_is_cut_out_of_a_list() {
        let pairs = |list: &str| cut_from(list, '&', "&", SECRET);
        assert_eq!(pairs("a=1&b=2"), None);
        assert_eq!(pairs(&format!("a=1&u={SECRET}&b=%20")).as_deref(), Some("a=1&b=%20"));
        assert_eq!(pairs(SECRET).as_deref(), Some(""));
        let hidden = format!("a={}%26x&b=1", SECRET.replacen('0', "%30", 1));
        assert_eq!(pairs(&hidden).as_deref(), Some("b=1"));
        assert_eq!(cut_from(&format!("chat, {SECRET}"), ',', ",", SECRET).as_deref(), Some("chat"));
    }
}
