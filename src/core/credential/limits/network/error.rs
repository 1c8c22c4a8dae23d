//! Why networks are refused.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::Network;

#[cfg(doc)]
use super::{ENTRY_CHARS_MAX, NETWORKS_MAX, NETWORKS_TEXT_BYTES_MAX};

/// Why an entry, or a whole list, is refused. Display is the English sentence of the console; as
/// JSON it is `{"code": …}` and the variant's fields, from which other languages are made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum NetworkError {
    /// The prefix length is beyond the address's bits.
    #[error("an {} prefix ends at /{max}", family(*.max))]
    PrefixTooLong {
        /// Longest prefix of that kind of address: 32 or 128 bits.
        max: u8,
    },
    /// What follows `/` is not a plain decimal number.
    #[error("the part after / is a number, as in 10.0.0.0/8")]
    PrefixNotANumber,
    /// An IPv4-mapped block that reaches beyond the mapped range.
    #[error("an IPv4-mapped prefix begins at /{min}")]
    MappedPrefixTooShort {
        /// Shortest prefix, in bits.
        min: u8,
    },
    /// Digits and dots, but not four numbers.
    #[error("an IPv4 address has four numbers")]
    NotFourNumbers,
    /// One of the four numbers is above 255.
    #[error("a number of an IPv4 address ends at {max}")]
    OctetTooLarge {
        /// Largest octet.
        max: u8,
    },
    /// A number with leading zeros, which some programs read as octal (RFC 6943 §3.1.1).
    #[error("write {suggestion}, without the leading zero")]
    LeadingZero {
        /// The entry without leading zeros; it would be accepted.
        suggestion: String,
    },
    /// A zone (RFC 4007 §11), which means something on one machine only.
    #[error("leave out {zone}")]
    ZoneId {
        /// The zone with its `%`.
        zone: String,
    },
    /// Neither an address nor a block.
    #[error("this is neither an IP address nor a CIDR block")]
    NotAnAddress,
    /// Longer than any address can be.
    #[error("an entry has at most {max} characters")]
    EntryTooLong {
        /// [`ENTRY_CHARS_MAX`].
        max: usize,
    },
    /// More different entries than a list holds.
    #[error("{count} networks are more than the {max} that a list holds")]
    TooMany {
        /// Different entries found, refused ones included.
        count: usize,
        /// [`NETWORKS_MAX`].
        max: usize,
    },
    /// The text was not read, because it is too long.
    #[error("a list of networks has at most {max} bytes of text")]
    TextTooLong {
        /// [`NETWORKS_TEXT_BYTES_MAX`].
        max: usize,
    },
    /// A list that should be in stored form holds an entry that is not.
    #[error("the stored form is {stored}")]
    NotAsStored {
        /// The stored form of that entry.
        stored: Network,
    },
    /// A list that should be in stored form holds an entry twice.
    #[error("{stored} stands in the list twice")]
    Duplicate {
        /// The entry.
        stored: Network,
    },
}

impl NetworkError {
    /// The stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PrefixTooLong { .. } => "prefix_too_long",
            Self::PrefixNotANumber => "prefix_not_a_number",
            Self::MappedPrefixTooShort { .. } => "mapped_prefix_too_short",
            Self::NotFourNumbers => "not_four_numbers",
            Self::OctetTooLarge { .. } => "octet_too_large",
            Self::LeadingZero { .. } => "leading_zero",
            Self::ZoneId { .. } => "zone_id",
            Self::NotAnAddress => "not_an_address",
            Self::EntryTooLong { .. } => "entry_too_long",
            Self::TooMany { .. } => "too_many",
            Self::TextTooLong { .. } => "text_too_long",
            Self::NotAsStored { .. } => "not_as_stored",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

fn family(bits: u8) -> &'static str {
    if bits == Ipv4Addr::BITS as u8 { "IPv4" } else { "IPv6" }
}
