//! Defines the errors of networks and lists of networks.

use std::net::Ipv4Addr;

use serde::Serialize;

#[cfg(doc)]
use super::{ENTRY_CHARS_MAX, NETWORKS_MAX, NETWORKS_TEXT_BYTES_MAX};

/// The reason why an entry, or a whole list, is refused. `Display` is the console's English
/// sentence. The JSON form is `{"code": …}` with the variant's fields, from which the console makes
/// other languages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum NetworkError {
    /// The prefix length exceeds the address's bits.
    #[error("an {} prefix ends at /{max}", family(*.max))]
    PrefixTooLong {
        /// Longest prefix of that kind of address: 32 or 128 bits.
        max: u8,
    },
    /// The text after `/` is not a plain decimal number.
    #[error("the part after / is a number, as in 10.0.0.0/8")]
    PrefixNotANumber,
    /// An IPv4-mapped block reaches beyond the mapped range.
    #[error("an IPv4-mapped prefix begins at /{min}")]
    MappedPrefixTooShort {
        /// Shortest prefix, in bits.
        min: u8,
    },
    /// The text has digits and dots, but not four numbers.
    #[error("an IPv4 address has four numbers")]
    NotFourNumbers,
    /// One of the four numbers is above 255.
    #[error("a number of an IPv4 address ends at {max}")]
    OctetTooLarge {
        /// Largest octet, 255.
        max: u8,
    },
    /// A number has leading zeros, which some programs read as octal (RFC 6943 §3.1.1).
    #[error("write {suggestion}, without the leading zero")]
    LeadingZero {
        /// Entry without leading zeros; it would be accepted.
        suggestion: String,
    },
    /// The address has a zone (RFC 4007 §11), which is only meaningful on one machine.
    #[error("leave out {zone}")]
    ZoneId {
        /// Zone with its `%`.
        zone: String,
    },
    /// No caller can have an address of the block.
    #[error("no caller has such an address; write a mask as a prefix, as in 10.0.0.0/8")]
    NoCaller,
    /// The text is neither an address nor a block.
    #[error("this is neither an IP address nor a CIDR block, as 203.0.113.7 or 203.0.113.0/24")]
    NotAnAddress,
    /// The text is longer than any address.
    #[error("an entry has at most {max} characters")]
    EntryTooLong {
        /// The bound [`ENTRY_CHARS_MAX`], in characters.
        max: usize,
    },
    /// The list has too many different entries.
    #[error("{count} networks are more than the {max} that a list holds")]
    TooMany {
        /// Number of different entries found, refused ones included.
        count: usize,
        /// The bound [`NETWORKS_MAX`].
        max: usize,
    },
    /// The text is too long, so it was not parsed.
    #[error("a list of networks has at most {max} bytes of text")]
    TextTooLong {
        /// The bound [`NETWORKS_TEXT_BYTES_MAX`].
        max: usize,
    },
    /// A list that must be in stored form has an entry in another spelling.
    #[error("the stored form is {stored}")]
    NotAsStored {
        /// Stored form of that entry.
        stored: String,
    },
    /// A list that must be in stored form repeats an entry.
    #[error("{stored} stands in the list twice")]
    Duplicate {
        /// Stored form of the repeated entry.
        stored: String,
    },
}

impl NetworkError {
    /// Returns the stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PrefixTooLong { .. } => "prefix_too_long",
            Self::PrefixNotANumber => "prefix_not_a_number",
            Self::MappedPrefixTooShort { .. } => "mapped_prefix_too_short",
            Self::NotFourNumbers => "not_four_numbers",
            Self::OctetTooLarge { .. } => "octet_too_large",
            Self::LeadingZero { .. } => "leading_zero",
            Self::ZoneId { .. } => "zone_id",
            Self::NoCaller => "no_caller",
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
