//! Parses and compares one block of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};

use super::error::NetworkError;

/// Longest entry, in characters. The longest block is an IPv6 address with an IPv4 tail and its
/// prefix, 45 + 4. The rest is room for a zone, so that the error can name it.
pub const ENTRY_CHARS_MAX: usize = 64;

/// Prefix length at which the IPv4-mapped range begins (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// One block of addresses, with masked host bits. It is never IPv4-mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// Returns `true` if the address lies in the block. An IPv4 address is never in an IPv6 block,
    /// nor the reverse. [`ClientAddress`](super::ClientAddress) excludes the addresses that no
    /// network may match.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Returns `true` if every address in `narrow` lies in the block.
    pub fn includes(self, narrow: Self) -> bool {
        self.0.prefix_len() <= narrow.0.prefix_len() && self.contains(narrow.0.network())
    }

    /// Returns the two halves of the block; `None` for a single address.
    pub fn halves(self) -> Option<[Self; 2]> {
        let prefix = self.0.prefix_len().checked_add(1)?;
        let first = Self::around(self.0.network(), prefix)?;
        let last = Self::around(self.0.broadcast(), prefix)?;
        Some([first, last])
    }

    /// Iterates over all blocks that contain this one, itself first: at most 33 for IPv4, or 129
    /// for IPv6.
    pub fn and_around(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.0), IpNet::supernet).map(Self)
    }

    /// Returns the block of this prefix length around an address; `None` if the length is out of
    /// range.
    pub fn around(address: IpAddr, prefix: u8) -> Option<Self> {
        let net = match address {
            IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new(v4, prefix).ok()?.trunc()),
            IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new(v6, prefix).ok()?.trunc()),
        };
        Some(Self(net))
    }
}

/// Writes the stored form: `10.0.0.0/8`, `203.0.113.7`, `2001:db8::/32`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// Parses one address or block in ASCII, in any spelling of RFC 4632 §3.1 and RFC 4291 §2.2, §2.3.
///
/// # Errors
/// Every variant of [`NetworkError`] that concerns one entry.
impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        if text.chars().nth(ENTRY_CHARS_MAX).is_some() {
            return Err(NetworkError::EntryTooLong { max: ENTRY_CHARS_MAX });
        }
        let refusal = match read_strict(text) {
            Ok(network) => return Ok(network),
            Err(refusal) => refusal,
        };
        let suggestion = without_leading_zeros(text);
        if suggestion == text {
            return Err(refusal);
        }
        match read_strict(&suggestion) {
            Ok(_) => Err(NetworkError::LeadingZero { suggestion }),
            Err(other_refusal) => Err(other_refusal),
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn read_strict(text: &str) -> Result<Network, NetworkError> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (read_address(address)?, Some(prefix)),
        None => (read_address(text)?, None),
    };
    let bits = match address {
        IpAddr::V4(_) => Ipv4Addr::BITS as u8,
        IpAddr::V6(_) => Ipv6Addr::BITS as u8,
    };
    let prefix = prefix.map_or(Ok(bits), |prefix| read_prefix(prefix, bits))?;
    let (address, prefix) = match (address, address.to_canonical()) {
        (IpAddr::V6(_), mapped @ IpAddr::V4(_)) => {
            let too_short = NetworkError::MappedPrefixTooShort { min: MAPPED_PREFIX };
            (mapped, prefix.checked_sub(MAPPED_PREFIX).ok_or(too_short)?)
        }
        (address, _) => (address, prefix),
    };
    Network::around(address, prefix).ok_or(NetworkError::PrefixTooLong { max: bits })
}

/// Parses an address. The standard library follows the grammars: no octal, no hexadecimal, no
/// missing numbers (tests check this). For a text that it refuses, this function finds the reason.
fn read_address(text: &str) -> Result<IpAddr, NetworkError> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if let Some((address, zone)) = text.split_once('%') {
        let is_address = address.parse::<IpAddr>().is_ok();
        let zone = format!("%{zone}");
        return Err(if is_address {
            NetworkError::ZoneId { zone }
        } else {
            NetworkError::NotAnAddress
        });
    }
    if text.is_empty() || !is_dotted(text) {
        return Err(NetworkError::NotAnAddress);
    }
    if text.split('.').count() != 4 || text.split('.').any(str::is_empty) {
        return Err(NetworkError::NotFourNumbers);
    }
    if text.split('.').any(|octet| trim_zeros(octet).parse::<u8>().is_err()) {
        return Err(NetworkError::OctetTooLarge { max: u8::MAX });
    }
    Err(NetworkError::NotAnAddress)
}

/// Parses a prefix length: only decimal digits, no sign, no leading zero.
fn read_prefix(text: &str, max: u8) -> Result<u8, NetworkError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) || trim_zeros(text) != text {
        return Err(NetworkError::PrefixNotANumber);
    }
    // The text consists of digits only, so a failure means that the number is above 255.
    text.parse().ok().filter(|&prefix| prefix <= max).ok_or(NetworkError::PrefixTooLong { max })
}

fn is_dotted(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Returns the number without leading zeros; a lone zero stays.
fn trim_zeros(number: &str) -> &str {
    match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0",
        trimmed => trimmed,
    }
}

/// Returns the entry without leading zeros in IPv4 numbers and in the prefix. IPv6 groups keep
/// theirs, because the grammar allows them.
fn without_leading_zeros(text: &str) -> String {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let mut out = if is_dotted(address) {
        address.split('.').map(trim_zeros).collect::<Vec<_>>().join(".")
    } else {
        address.to_owned()
    };
    if let Some(prefix) = prefix {
        out.push('/');
        out.push_str(trim_zeros(prefix));
    }
    out
}
