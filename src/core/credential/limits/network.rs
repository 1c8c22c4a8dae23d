//! Networks that a credential may be used from, and the address of whoever calls.
//!
//! A list holds IPv4 and IPv6 blocks in *stored form*: host bits masked (RFC 4632 §3.1), IPv6 spelt
//! after RFC 5952, an IPv4-mapped block (RFC 4291 §2.5.5.2) turned into the IPv4 block, the prefix
//! length left out where it is the whole address. Exactly one text is the stored form of a block,
//! so stored text reads back to the same text.
//!
//! What people type is read by [`parse_lines`], which reports on every entry. Stored lists, in
//! records and over RPC, are read by serde and refuse any other spelling.

mod client;
mod error;
mod parse;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::client::{ClientAddress, NotCanonical};
pub use self::error::NetworkError;
pub use self::parse::{
    Checked, Entry, NETWORKS_TEXT_BYTES_MAX, Outcome, PROBLEMS_KEPT_MAX, parse_lines,
};

/// Most blocks in one list. The longest in stored form have 43 characters, so that a list is at
/// most some 12 kB of a record; membership is a scan, which wants no index at this length.
pub const NETWORKS_MAX: usize = 256;

/// Longest entry, in characters. The longest block is an IPv6 address with an IPv4 tail and its
/// prefix, 45 + 4; the rest is room for a zone, so that the refusal can name it.
pub const ENTRY_CHARS_MAX: usize = 64;

/// Prefix length at which the IPv4-mapped range begins (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// One block of addresses, masked. Never IPv4-mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// Whether the address lies in the block. An IPv4 address is never in an IPv6 block, nor the
    /// reverse; the callers' addresses that match nothing are [`ClientAddress`]'s business.
    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// The block, for arithmetic.
    pub(crate) fn block(self) -> IpNet {
        self.0
    }

    /// All blocks that contain it, itself first: at most 33 of IPv4, or 129 of IPv6.
    pub fn and_around(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.0), IpNet::supernet).map(Self)
    }

    /// The block of that prefix length around an address; `None` when the length is out of range.
    fn around(address: IpAddr, prefix: u8) -> Option<Self> {
        let net = match address {
            IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new(v4, prefix).ok()?.trunc()),
            IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new(v6, prefix).ok()?.trunc()),
        };
        Some(Self(net))
    }
}

/// The stored form: `10.0.0.0/8`, `203.0.113.7`, `2001:db8::/32`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// Reads one address or block in ASCII, in any spelling of RFC 4632 §3.1 and RFC 4291 §2.2, §2.3.
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

/// Reads an address. The standard parsers hold to the grammars: no octal, no hexadecimal, no
/// missing numbers (the tests keep watch); what they refuse is looked at again to say why.
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

/// Reads a prefix length: decimal digits alone, no sign, no leading zero.
fn read_prefix(text: &str, max: u8) -> Result<u8, NetworkError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) || trim_zeros(text) != text {
        return Err(NetworkError::PrefixNotANumber);
    }
    // Only digits are left, so a failure means that the number is above 255.
    text.parse().ok().filter(|&prefix| prefix <= max).ok_or(NetworkError::PrefixTooLong { max })
}

fn is_dotted(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// The number without leading zeros; a lone zero stays.
fn trim_zeros(number: &str) -> &str {
    match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0",
        trimmed => trimmed,
    }
}

/// The entry with leading zeros taken from IPv4 numbers and from the prefix. IPv6 groups keep
/// theirs, as they may have them.
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

/// The networks that a credential may be used from: at most [`NETWORKS_MAX`] blocks, each once, in
/// the order in which they were given. The empty list is no restriction.
///
/// As JSON an array of strings in stored form; any other spelling, a repetition, or too many are
/// refused on the way in, so that a record reads back to the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// No restriction: the empty list.
    pub const fn anywhere() -> Self {
        Self(Vec::new())
    }

    /// Reads a list in stored form.
    ///
    /// # Errors
    /// [`NetworkError::NotAsStored`], [`NetworkError::Duplicate`], [`NetworkError::TooMany`], or
    /// why an entry is no network at all.
    pub fn from_stored<'a>(
        entries: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, NetworkError> {
        let mut blocks = Vec::new();
        for entry in entries {
            if blocks.len() == NETWORKS_MAX {
                return Err(too_many(NETWORKS_MAX.saturating_add(1)));
            }
            let stored: Network = entry.parse()?;
            if stored.to_string() != entry {
                return Err(NetworkError::NotAsStored { stored });
            }
            if blocks.contains(&stored) {
                return Err(NetworkError::Duplicate { stored });
            }
            blocks.push(stored);
        }
        Ok(Self(blocks))
    }

    /// Whether any caller is allowed, even one without an address.
    pub fn is_unrestricted(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a caller at that address is allowed. Addresses of the platform's own ranges are in
    /// no network, not in `0.0.0.0/0` or `::/0` either: only an unrestricted list allows them.
    pub fn contains(&self, address: ClientAddress) -> bool {
        self.is_unrestricted()
            || address.matchable().is_some_and(|ip| self.0.iter().any(|block| block.contains(ip)))
    }

    /// [`contains`](Self::contains) for a caller whose address may be unknown. Such a caller is
    /// allowed only where there is no restriction.
    pub fn allows(&self, address: Option<ClientAddress>) -> bool {
        address.map_or(self.is_unrestricted(), |address| self.contains(address))
    }

    /// The blocks, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Network> + '_ {
        self.0.iter().copied()
    }

    /// How many blocks there are; 0 means anywhere.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The same as [`is_unrestricted`](Self::is_unrestricted), for those who count.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn too_many(count: usize) -> NetworkError {
    NetworkError::TooMany { count, max: NETWORKS_MAX }
}

/// One block a line in stored form, as the console's field shows it. Reads back to the same list.
impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, block) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            block.fmt(f)?;
        }
        Ok(())
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<String>::deserialize(deserializer)?;
        Self::from_stored(entries.iter().map(String::as_str)).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(entries: &[&str]) -> Networks {
        Networks::from_stored(entries.iter().copied()).unwrap()
    }

    fn address(text: &str) -> ClientAddress {
        ClientAddress::parse(text).unwrap()
    }

    #[test]
    fn sentences_are_the_consoles() {
        for (entry, sentence) in [
            ("10.0.0.0/33", "an IPv4 prefix ends at /32"),
            ("2001:db8::/129", "an IPv6 prefix ends at /128"),
            ("1.2.3", "an IPv4 address has four numbers"),
            ("01.2.3.4", "write 1.2.3.4, without the leading zero"),
            ("fe80::1%eth0", "leave out %eth0"),
            ("::ffff:10.0.0.1/64", "an IPv4-mapped prefix begins at /96"),
        ] {
            assert_eq!(entry.parse::<Network>().unwrap_err().to_string(), sentence, "{entry}");
        }
    }

    #[test]
    fn json_code_is_the_code() {
        let stored: Network = "10.0.0.0/8".parse().unwrap();
        for error in [
            NetworkError::PrefixTooLong { max: 32 },
            NetworkError::PrefixNotANumber,
            NetworkError::MappedPrefixTooShort { min: 96 },
            NetworkError::NotFourNumbers,
            NetworkError::OctetTooLarge { max: 255 },
            NetworkError::LeadingZero { suggestion: "1.2.3.4".into() },
            NetworkError::ZoneId { zone: "%eth0".into() },
            NetworkError::NotAnAddress,
            NetworkError::EntryTooLong { max: 64 },
            NetworkError::TooMany { count: 257, max: 256 },
            NetworkError::TextTooLong { max: 1 },
            NetworkError::NotAsStored { stored },
            NetworkError::Duplicate { stored },
        ] {
            assert_eq!(serde_json::to_value(&error).unwrap()["code"], error.code());
        }
        let json = serde_json::to_string(&NetworkError::PrefixTooLong { max: 32 }).unwrap();
        assert_eq!(json, r#"{"code":"prefix_too_long","max":32}"#);
    }

    #[test]
    fn containment() {
        for (block, caller, inside) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "8.8.8.8", false),
            ("::/0", "::ffff:8.8.8.8", false),
            ("0.0.0.0/0", "240.0.0.1", false),
            ("0.0.0.0/0", "239.255.255.255", true),
            ("240.0.0.0/4", "255.255.255.255", false),
            ("::/0", "2a06:98c0:3600::103", false),
            ("::/0", "2a06:98c0:3601::103", true),
            ("2a06:98c0:3600::103", "2a06:98c0:3600::103", false),
        ] {
            assert_eq!(list(&[block]).contains(address(caller)), inside, "{caller} in {block}");
            assert!(Networks::anywhere().contains(address(caller)));
        }
        assert!(Networks::anywhere().allows(None));
        assert!(!list(&["0.0.0.0/0", "::/0"]).allows(None));
    }

    #[test]
    fn stored_lists_are_read_strictly() {
        for (json, refusal) in [
            (r#"["10.0.0.0/8","2001:db8::1"]"#, None),
            (r#"[]"#, None),
            (r#"["10.0.0.1/8"]"#, Some("the stored form is 10.0.0.0/8")),
            (r#"["10.0.0.1/32"]"#, Some("the stored form is 10.0.0.1")),
            (r#"["2001:DB8::1"]"#, Some("the stored form is 2001:db8::1")),
            (r#"["1.2.3.4","1.2.3.4"]"#, Some("1.2.3.4 stands in the list twice")),
            (r#"[" 1.2.3.4"]"#, Some("this is neither an IP address nor a CIDR block")),
        ] {
            match (serde_json::from_str::<Networks>(json), refusal) {
                (Ok(networks), None) => assert_eq!(serde_json::to_string(&networks).unwrap(), json),
                (Err(error), Some(refusal)) => assert_eq!(error.to_string(), refusal),
                (outcome, _) => panic!("{json}: {outcome:?}"),
            }
        }
        let full: Vec<String> =
            (0..=NETWORKS_MAX).map(|n| Ipv4Addr::from_bits(n as u32).to_string()).collect();
        let read = |n| Networks::from_stored(full.iter().take(n).map(String::as_str));
        assert_eq!(read(NETWORKS_MAX).unwrap().len(), NETWORKS_MAX);
        assert_eq!(read(NETWORKS_MAX + 1), Err(too_many(NETWORKS_MAX + 1)));
    }

    proptest! {
        #[test]
        fn what_is_stored_reads_back_to_itself(bits: u128, shift in 0u8..=128, prefix in 0u8..=128, v4: bool) {
            // Shifting makes short, mapped and all-zero addresses likely.
            let bits = bits.checked_shr(shift.into()).unwrap_or(0);
            let text = if v4 {
                format!("{}/{}", Ipv4Addr::from_bits(bits as u32), prefix.min(32))
            } else {
                format!("{}/{prefix}", Ipv6Addr::from_bits(bits))
            };
            if let Ok(network) = text.parse::<Network>() {
                let stored = network.to_string();
                prop_assert_eq!(stored.parse::<Network>().unwrap(), network);
                prop_assert_eq!(list(&[&stored]).to_string(), stored);
            }
        }

        #[test]
        fn mapped_text_is_the_ipv4_block(bits: u32, prefix in 0u8..=32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let mapped = format!("{}/{}", v4.to_ipv6_mapped(), prefix + 96);
            prop_assert_eq!(mapped.parse::<Network>(), format!("{v4}/{prefix}").parse::<Network>());
        }

        #[test]
        fn any_text_is_answered(text in "[0-9a-fx:./%+ -]{0,70}") {
            if let Ok(network) = text.parse::<Network>() {
                let stored = network.to_string();
                prop_assert_eq!(stored.parse::<Network>().unwrap().to_string(), stored);
            }
        }
    }
}
