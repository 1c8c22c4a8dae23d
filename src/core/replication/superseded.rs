//! Names the keys of which KV may hold an earlier record: *superseded* keys.
//!
//! A record in KV proves that a ledger made it ([`kv_mac`](crate::replication::kv_mac)), but not
//! that it is the latest. An attacker who can write KV can put an earlier record back, at any
//! time. Only a key that has changed since its first record of the present epoch has an earlier
//! record. So an isolate reads KV for keys that never changed, and asks the ledger about the
//! others.
//!
//! The ledger names the superseded keys by a Bloom filter, a bit array without false negatives. A
//! false positive costs a call to the ledger, and nothing else:
//! - a reply to an isolate without a lease, and every copy, contains the whole filter;
//! - a reply to a lease names the keys that became superseded since then, and the lease adds them.
//!
//! A filter has 16 bits for each key, rounded up to a power of two, within [`FILTER_BYTES_MIN`] and
//! [`FILTER_BYTES_MAX`]. A key sets 4 bits. At 16 bits for each key, one other key in 400 asks the
//! ledger needlessly; in a full filter of the largest size with 10,000 keys, one in 200. An account
//! with more keys asks more often, and is as safe.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};

use crate::base::id::KeyId;
use crate::base::json::{FromJson, Json, from_json};

/// Shortest filter that is not empty, in bytes.
pub const FILTER_BYTES_MIN: usize = 512;

/// Longest filter, in bytes. 256 accounts with such filters take 4 MB of an isolate.
pub const FILTER_BYTES_MAX: usize = 16 * 1024;

/// Bits for each key when a filter is made.
const BITS_PER_KEY: usize = 16;

/// Bits that each key sets.
const PROBES: u64 = 4;

/// A Bloom filter of key IDs. An empty filter contains no key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupersededFilter(Vec<u8>);

impl SupersededFilter {
    /// Returns the filter of these keys.
    pub fn of(ids: &[KeyId]) -> Self {
        if ids.is_empty() {
            return Self::default();
        }
        let bytes = ids.len().saturating_mul(BITS_PER_KEY).div_ceil(8).checked_next_power_of_two();
        let bytes = bytes.unwrap_or(FILTER_BYTES_MAX).clamp(FILTER_BYTES_MIN, FILTER_BYTES_MAX);
        let mut filter = Self(vec![0; bytes]);
        ids.iter().for_each(|id| filter.insert(*id));
        filter
    }

    /// Adds a key.
    pub fn insert(&mut self, id: KeyId) {
        if self.0.is_empty() {
            self.0 = vec![0; FILTER_BYTES_MIN];
        }
        for (byte, bit) in probes(id, self.0.len()) {
            if let Some(byte) = self.0.get_mut(byte) {
                *byte |= bit;
            }
        }
    }

    /// Returns `true` if the key may be superseded.
    pub fn contains(&self, id: KeyId) -> bool {
        let is_set = |(byte, bit)| self.0.get(byte).is_some_and(|byte| byte & bit != 0);
        !self.0.is_empty() && probes(id, self.0.len()).all(is_set)
    }
}

/// Returns the bits of a key in a filter of `len` bytes: the index of a byte, and a mask.
///
/// IDs are random, and a caller cannot choose one, so the hash need not resist an attacker. It is
/// FNV-1a with the finaliser of `SplitMix64`; the halves of the hash give the bits (Kirsch and
/// Mitzenmacher, 2006).
fn probes(id: KeyId, len: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id.as_str().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    let (first, step) = (hash & 0xffff_ffff, (hash >> 32) | 1);
    (0..PROBES).map(move |probe| {
        let bit = first.wrapping_add(probe.wrapping_mul(step));
        // A filter has at most 2¹⁷ bits, and its length is a power of two.
        let byte = usize::try_from(bit >> 3 & 0xffff).unwrap_or_default();
        (byte & len.saturating_sub(1), 1 << (bit & 7))
    })
}

impl Serialize for SupersededFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl FromJson for SupersededFilter {
    fn from_json(json: Json) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(&json.into_text()?).ok()?;
        let is_sized = bytes.len().is_power_of_two()
            && (FILTER_BYTES_MIN..=FILTER_BYTES_MAX).contains(&bytes.len());
        (bytes.is_empty() || is_sized).then_some(Self(bytes))
    }
}

from_json!(SupersededFilter);

/// The superseded keys that a reply names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Superseded {
    /// All of them, as of the reply's revision.
    Filter(SupersededFilter),
    /// Those that became superseded after the revision that the request knew.
    Keys(Vec<KeyId>),
}

impl FromJson for Superseded {
    fn from_json(json: Json) -> Option<Self> {
        let mut members = json.into_members()?;
        match members.optional("filter")? {
            Some(filter) => Some(Self::Filter(filter)),
            None => members.required("keys").map(Self::Keys),
        }
    }
}

from_json!(Superseded);

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the ID of sample key `number`.
    fn id(number: usize) -> KeyId {
        // A multiple of an odd number spreads the digits as random IDs are.
        let digits = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        KeyId::parse(&format!("a1B2c3D4{:0>10}", &format!("{digits:016x}")[..10])).unwrap()
    }

    fn ids(range: core::ops::Range<usize>) -> Vec<KeyId> {
        range.map(id).collect()
    }

    #[test]
    fn no_key_that_was_added_is_ever_missing() {
        for count in [0, 1, 2, 31, 257, 1_000, 10_000, 40_000] {
            let (keys, mut grown) = (ids(0..count), SupersededFilter::default());
            let made = SupersededFilter::of(&keys);
            keys.iter().for_each(|id| grown.insert(*id));
            assert!(keys.iter().all(|id| made.contains(*id) && grown.contains(*id)), "{count}");
        }
    }

    /// An odd step meets no bit twice in a filter whose length is a power of two.
    #[test]
    fn each_key_sets_as_many_bits_as_stated() {
        for id in ids(0..20_000) {
            let bits: std::collections::BTreeSet<_> = probes(id, FILTER_BYTES_MIN).collect();
            assert_eq!(bits.len() as u64, PROBES, "{id}");
        }
    }

    #[test]
    fn few_other_keys_are_mistaken_for_superseded_ones() {
        let others = ids(100_000..110_000);
        for (count, most) in [(0, 0), (1, 0), (256, 60), (10_000, 100), (40_000, 3_000)] {
            let filter = SupersededFilter::of(&ids(0..count));
            let mistaken = others.iter().filter(|id| filter.contains(**id)).count();
            assert!(mistaken <= most, "{mistaken} of 10,000 beside {count} keys");
        }
    }

    #[test]
    fn a_filter_has_the_stated_sizes_and_is_read_as_written() {
        let sizes = [(0, 0), (1, 512), (256, 512), (257, 1_024), (8_192, 16_384), (90_000, 16_384)];
        for (count, bytes) in sizes {
            let filter = SupersededFilter::of(&ids(0..count));
            assert_eq!(filter.0.len(), bytes, "{count}");
            let update = Superseded::Filter(filter);
            let json = serde_json::to_string(&update).unwrap();
            assert_eq!(Superseded::parse_json(&json), Some(update));
        }
        let keys = Superseded::Keys(vec![crate::testing::key_id()]);
        let json = r#"{"keys":["a1B2c3D47Hq0p2Zx9K"]}"#;
        assert_eq!(serde_json::to_string(&keys).unwrap(), json);
        assert_eq!(Superseded::parse_json(json), Some(keys));
        for bad in [r#"{"filter":"AA"}"#, r#"{"filter":"*"}"#, "{}", r#""filter""#, "null"] {
            assert_eq!(Superseded::parse_json(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_a_filter_of_a_size_that_a_ledger_makes_is_read() {
        for (bytes, is_read) in [
            (0, true),
            (1, false),
            (256, false),
            (511, false),
            (FILTER_BYTES_MIN, true),
            (513, false),
            (768, false),
            (FILTER_BYTES_MAX, true),
            (FILTER_BYTES_MAX + 1, false),
            (2 * FILTER_BYTES_MAX, false),
        ] {
            let text = Base64UrlUnpadded::encode_string(&vec![0; bytes]);
            let read = SupersededFilter::parse_json(&format!("\"{text}\""));
            assert_eq!(read.is_some(), is_read, "{bytes}");
        }
    }

    /// Both Workers compute the bits, so a change here needs a new member name.
    #[test]
    fn the_bits_of_a_key_are_pinned() {
        let bits: Vec<(usize, u8)> = probes(crate::testing::key_id(), FILTER_BYTES_MAX).collect();
        insta::assert_snapshot!("probes", format!("{bits:?}"));
    }
}
