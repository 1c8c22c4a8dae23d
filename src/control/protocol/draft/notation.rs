//! Names the notation of a refused network entry, and says what to write instead.
//!
//! People paste lists from firewalls, routers, cloud consoles and access logs. An entry that is
//! neither an address nor a block is refused; this module finds out what it was meant as.

use std::net::{IpAddr, Ipv4Addr};

use claviger_core::credential::limits::network::{
    ENTRY_CHARS_MAX, NetworkEntry, NetworkError, NetworkOutcome, Networks, in_ascii, parse_lines,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::field::code_and_params;

/// Most blocks in a suggestion for a range.
const BLOCKS_MAX: usize = 8;

/// Signs around an address in lists of other tools.
const SIGNS: &[char] =
    &['"', '\'', '`', '(', ')', '[', ']', '{', '}', '<', '>', ';', ',', '.', '|', '&', '='];

/// Words and signs for every address.
const EVERYWHERE: [&str; 13] = [
    "any",
    "any4",
    "any6",
    "all",
    "anyone",
    "anywhere",
    "everyone",
    "everywhere",
    "*",
    "*.*.*.*",
    "0/0",
    "0.0.0.0",
    "::",
];

/// Words before an address that is not allowed.
const EXCEPT: [&str; 8] = ["deny", "not", "except", "exclude", "block", "drop", "reject", "!"];

/// Words and signs between the ends of a range.
const RANGE_WORDS: [&str; 6] = ["-", "~", "..", "to", "through", "thru"];

/// The notation of a refused entry. `Display` is an English sentence; the JSON form is like that of
/// [`NetworkError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum NotationError {
    /// A network mask, or the wildcard mask of a router, after an address.
    #[error("write a network with its mask as {suggestion}")]
    Netmask {
        /// The block in CIDR notation.
        suggestion: String,
    },
    /// An address whose last numbers are `*` or `x`.
    #[error("write a wildcard as {suggestion}")]
    Wildcard {
        /// The block in CIDR notation.
        suggestion: String,
    },
    /// The first and the last address of a range.
    #[error("write a range as CIDR blocks: {suggestion}")]
    Range {
        /// The blocks that cover the range exactly, separated by blanks.
        suggestion: String,
    },
    /// A range whose blocks are not known, or too many.
    #[error("write a range as CIDR blocks, as in 10.0.0.0/24")]
    OpenRange,
    /// An address with a port.
    #[error("leave out the port: write {suggestion}")]
    Port {
        /// The address.
        suggestion: String,
    },
    /// An address or block among other text: a label, quotes, brackets, a URL.
    #[error("leave out everything but the address: write {suggestion}")]
    OnlyAddress {
        /// The address or block.
        suggestion: String,
    },
    /// An address or block in a form that leaves numbers out, or is one number.
    #[error("write all four numbers: {suggestion}")]
    ShortForm {
        /// The address or block with four numbers.
        suggestion: String,
    },
    /// The name of a host.
    #[error("write addresses; the name of a host is none")]
    HostName,
    /// A word of another tool.
    #[error("this word is no address: leave it out")]
    Word,
    /// The beginning of a comment.
    #[error("a list keeps no comments: leave them out")]
    Comment,
    /// A word or sign for every address.
    #[error("to allow every address, leave the list empty")]
    Anywhere,
    /// An address that is to be refused.
    #[error("a list has no exceptions: write only what is allowed")]
    Exception,
}

/// The explanation of a refused entry: code, parameters and English sentence.
pub struct Explanation {
    /// Stable code.
    pub code: String,
    /// Parameters of the sentence.
    pub params: Map<String, Value>,
    /// English sentence.
    pub detail: String,
}

/// Explains why the entry at `index` is refused; `None` if it is not.
pub fn explain(entries: &[NetworkEntry], index: usize) -> Option<Explanation> {
    let entry = entries.get(index)?;
    let NetworkOutcome::Refused { problem } = &entry.outcome else { return None };
    let is_open = matches!(
        problem,
        NetworkError::NotAnAddress
            | NetworkError::NotFourNumbers
            | NetworkError::PrefixNotANumber
            | NetworkError::NoCaller
    );
    let before = index.checked_sub(1).and_then(|before| entries.get(before));
    let before = before.filter(|before| before.line == entry.line);
    let notation = notation(&entry.text, before.map(|before| before.text.as_str()));
    let ((code, params), detail) = match notation.filter(|_| is_open) {
        Some(notation) => (code_and_params(&notation), notation.to_string()),
        None => (code_and_params(problem), problem.to_string()),
    };
    Some(Explanation { code, params, detail })
}

/// Returns the notation of a refused entry; `before` is the entry before it on the same line.
fn notation(text: &str, before: Option<&str>) -> Option<NotationError> {
    let text = in_ascii(text, ENTRY_CHARS_MAX).to_lowercase();
    let text = text.as_str();
    let before = before.map(|before| in_ascii(before, ENTRY_CHARS_MAX));
    if text.contains('#') || text.starts_with("//") || text.starts_with("--") {
        return Some(NotationError::Comment);
    }
    if EXCEPT.contains(&text)
        || text.strip_prefix(['!', '-']).is_some_and(|rest| network(rest).is_some())
    {
        return Some(NotationError::Exception);
    }
    let mask = before.and_then(|before| masked(before.parse().ok()?, text));
    mask.map(|suggestion| NotationError::Netmask { suggestion })
        .or_else(|| EVERYWHERE.contains(&text).then_some(NotationError::Anywhere))
        .or_else(|| block_with_mask(text))
        .or_else(|| among_signs(text))
        .or_else(|| range(text))
        .or_else(|| wildcard(text))
        .or_else(|| with_port_or_label(text))
        .or_else(|| one_number(text))
        .or_else(|| words(text))
}

/// Returns the stored form of one address or block that a list may hold.
fn network(text: &str) -> Option<String> {
    let networks = Networks::try_from(&parse_lines(text)).ok()?;
    (networks.len() == 1).then(|| networks.to_string())
}

/// Returns the block of an address and a mask: a network mask, or the wildcard mask of a router.
fn masked(address: Ipv4Addr, mask: &str) -> Option<String> {
    let bits = mask.parse::<Ipv4Addr>().ok()?.to_bits();
    let is_run = |bits: u32| bits.leading_ones().checked_add(bits.trailing_zeros()) == Some(32);
    let ones = match bits {
        0 | u32::MAX => return None,
        bits if is_run(bits) => bits.leading_ones(),
        bits if is_run(!bits) => bits.leading_zeros(),
        _ => return None,
    };
    network(&format!("{address}/{ones}"))
}

/// Reads `10.0.0.0/255.0.0.0`, and blocks that leave numbers out: `10/8`, `10.0.0/24`.
fn block_with_mask(text: &str) -> Option<NotationError> {
    let (address, mask) = text.split_once('/')?;
    if let Ok(address) = address.parse() {
        return masked(address, mask).map(|suggestion| NotationError::Netmask { suggestion });
    }
    let missing = 4_usize.checked_sub(address.split('.').count()).filter(|missing| *missing > 0)?;
    let suggestion = network(&format!("{address}{}/{mask}", ".0".repeat(missing)))?;
    Some(NotationError::ShortForm { suggestion })
}

fn among_signs(text: &str) -> Option<NotationError> {
    let suggestion = network(text.trim_matches(SIGNS))?;
    Some(NotationError::OnlyAddress { suggestion })
}

fn range(text: &str) -> Option<NotationError> {
    if RANGE_WORDS.contains(&text) || matches!(text, "–" | "—" | "〜") {
        return Some(NotationError::OpenRange);
    }
    let separators = ["-", "~", "..", "–", "—", "〜"];
    let (first, last) = separators.iter().find_map(|separator| text.split_once(separator))?;
    let first: IpAddr = first.parse().ok()?;
    let last: IpAddr = match (first, last.parse::<u8>()) {
        (IpAddr::V4(v4), Ok(number)) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, number).into()
        }
        _ => last.parse().ok()?,
    };
    let (IpAddr::V4(first), IpAddr::V4(last)) = (first, last) else {
        return Some(NotationError::OpenRange);
    };
    Some(match cover(first.to_bits(), last.to_bits()) {
        Some(suggestion) => NotationError::Range { suggestion },
        None => NotationError::OpenRange,
    })
}

/// Returns the blocks that cover a range exactly; `None` if it is empty, or needs too many.
fn cover(first: u32, last: u32) -> Option<String> {
    let mut blocks = Vec::new();
    let mut next = Some(first).filter(|first| *first <= last);
    while let Some(at) = next {
        // The largest block that begins here and ends within the range.
        let is_within = |bits: &u32| {
            let rest = u32::MAX.checked_shr(32_u32.saturating_sub(*bits)).unwrap_or(0);
            at & rest == 0 && at | rest <= last
        };
        let bits = (0..=32).rev().find(is_within)?;
        let rest = u32::MAX.checked_shr(32_u32.saturating_sub(bits)).unwrap_or(0);
        blocks.push(network(&format!(
            "{}/{}",
            Ipv4Addr::from_bits(at),
            32_u32.saturating_sub(bits)
        ))?);
        if blocks.len() > BLOCKS_MAX {
            return None;
        }
        next = (at | rest).checked_add(1).filter(|next| *next <= last);
    }
    (!blocks.is_empty()).then(|| blocks.join(" "))
}

/// Reads `10.0.*.*`, `10.0.*`, `10.0.0.x`.
fn wildcard(text: &str) -> Option<NotationError> {
    let numbers: Vec<&str> =
        text.split('.').take_while(|part| part.parse::<u8>().is_ok()).collect();
    let mut rest = text.split('.').skip(numbers.len()).peekable();
    rest.peek()?;
    let missing = 4_usize.checked_sub(numbers.len())?;
    if numbers.is_empty()
        || text.split('.').count() > 4
        || !rest.all(|part| matches!(part, "*" | "x"))
    {
        return None;
    }
    let bits = numbers.len().checked_mul(8)?;
    let suggestion = network(&format!("{}{}/{bits}", numbers.join("."), ".0".repeat(missing)))?;
    Some(NotationError::Wildcard { suggestion })
}

/// Reads URLs, `1.2.3.4:80`, `[::1]:443`, and labels such as `ip:1.2.3.4` and `src=1.2.3.4`.
fn with_port_or_label(text: &str) -> Option<NotationError> {
    let (is_url, place) = match text.split_once("://") {
        Some((_, place)) => (true, place),
        None => (false, text),
    };
    if is_url {
        let host = place.split(['/', '?']).next()?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = without_port(host).unwrap_or(host).trim_matches(['[', ']']);
        return Some(match network(host) {
            Some(suggestion) => NotationError::OnlyAddress { suggestion },
            None => NotationError::HostName,
        });
    }
    if let Some(suggestion) = without_port(place).and_then(network) {
        return Some(NotationError::Port { suggestion });
    }
    let (label, rest) = place.split_once([':', '='])?;
    // What consists of hexadecimal digits alone is a group of an IPv6 address.
    let is_label = label.chars().any(|letter| !letter.is_ascii_hexdigit());
    let suggestion = network(rest.trim_matches(SIGNS)).filter(|_| is_label)?;
    Some(NotationError::OnlyAddress { suggestion })
}

/// Returns the address before a port.
fn without_port(text: &str) -> Option<&str> {
    let (address, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    match address.strip_prefix('[') {
        Some(bracketed) => bracketed.strip_suffix(']'),
        None => Some(address).filter(|address| !address.contains(':')),
    }
}

/// Reads addresses as C programs do: `2130706433`, `0x7f000001`, `0x7f.0.0.1`.
fn one_number(text: &str) -> Option<NotationError> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse::<u32>().ok(),
    };
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let address = match *parts.as_slice() {
        // A smaller number is rather a number than an address.
        [whole] if whole > 0x00ff_ffff => Ipv4Addr::from_bits(whole),
        [a, b, c, d] => {
            let octet = |part: u32| u8::try_from(part).ok();
            Ipv4Addr::new(octet(a)?, octet(b)?, octet(c)?, octet(d)?)
        }
        _ => return None,
    };
    network(&address.to_string()).map(|suggestion| NotationError::ShortForm { suggestion })
}

fn words(text: &str) -> Option<NotationError> {
    let has_letter = text.chars().any(char::is_alphabetic);
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._*".contains(letter);
    let host = text.split('/').next().unwrap_or_default();
    let names_host = host.chars().any(|letter| letter.is_ascii_alphabetic());
    if names_host && host.trim_end_matches('.').contains('.') && host.chars().all(is_name) {
        return Some(NotationError::HostName);
    }
    let is_word = !text.is_empty() && !text.chars().any(|sign| sign.is_ascii_digit());
    (is_word && has_letter && !text.contains(':') || text.trim_matches(SIGNS).is_empty())
        .then_some(NotationError::Word)
}

#[cfg(test)]
mod tests;
