//! Defines the list of networks of a credential.

use std::fmt;

use serde::{Serialize, Serializer};

use super::block::Network;
use super::client::ClientAddress;
use super::error::NetworkError;
use crate::base::json::{FromJson, Json, from_json};

/// Most blocks in one list. A block has at most 43 characters in stored form, so a list takes at
/// most about 12 kB of a record. Membership is a linear scan, which needs no index at this length.
pub const NETWORKS_MAX: usize = 256;

/// The networks from which a credential may be used: at most [`NETWORKS_MAX`] blocks, each once, in
/// the given order. The empty list is no restriction.
///
/// The JSON form is an array of strings in stored form. Parsing refuses any other spelling, a
/// repetition, or too many blocks, so that a record re-serialises to the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Returns the empty list, which is no restriction.
    pub const fn anywhere() -> Self {
        Self(Vec::new())
    }

    /// Parses a list in stored form.
    ///
    /// # Errors
    /// [`NetworkError::NotAsStored`] for another spelling, [`NetworkError::Duplicate`] for a
    /// repetition, [`NetworkError::TooMany`] for too many entries. Otherwise the error of an entry
    /// that is not a network.
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
                return Err(NetworkError::NotAsStored { stored: stored.to_string() });
            }
            if blocks.contains(&stored) {
                return Err(NetworkError::Duplicate { stored: stored.to_string() });
            }
            blocks.push(stored);
        }
        Ok(Self(blocks))
    }

    /// Returns `true` if the list allows every caller, even one without an address.
    pub fn is_unrestricted(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `true` if the list allows a caller at that address. No network contains the
    /// platform's own ranges, not even `0.0.0.0/0` or `::/0`: only an unrestricted list allows
    /// them.
    pub fn contains(&self, address: ClientAddress) -> bool {
        self.is_unrestricted()
            || address.matchable().is_some_and(|ip| self.0.iter().any(|block| block.contains(ip)))
    }

    /// Returns `true` like [`contains`](Self::contains), for a caller whose address may be unknown.
    /// Only an unrestricted list allows a caller without an address.
    pub fn allows(&self, address: Option<ClientAddress>) -> bool {
        address.map_or(self.is_unrestricted(), |address| self.contains(address))
    }

    /// Iterates over the blocks, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Network> + '_ {
        self.0.iter().copied()
    }

    /// Returns the number of blocks; 0 means anywhere.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if the list has no blocks, which is the same as
    /// [`is_unrestricted`](Self::is_unrestricted).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns the error for a list with `count` different entries.
pub fn too_many(count: usize) -> NetworkError {
    NetworkError::TooMany { count, max: NETWORKS_MAX }
}

/// Writes one block per line in stored form, as the console's field shows it. Parsing the text
/// returns the same list.
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

impl FromJson for Networks {
    fn from_json(json: Json) -> Option<Self> {
        let entries = Vec::<String>::from_json(json)?;
        Self::from_stored(entries.iter().map(String::as_str)).ok()
    }
}

from_json!(Networks);
