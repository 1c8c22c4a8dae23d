//! The ring of master secrets and the subkeys that are derived from it.
//!
//! The operator holds one value, a JSON array, newest generation first:
//!
//! ```json
//! [{"id": "2026a", "secret": "<43 or more characters>"},
//!  {"id": "2025a", "secret": "…", "retired_at": "2026-01-01T00:00:00Z", "compromised": true}]
//! ```
//!
//! HKDF-SHA-256 (RFC 5869, empty salt, info `claviger/<use>/1`) derives one subkey per generation and use, so
//! that no two uses share a key. New material is made with the newest generation; all generations are tried in
//! order when something is checked. Dropping a generation ends everything that was tagged with it.

use core::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::secret::SecretText;
use crate::time::UnixMs;

/// Most generations in a ring: each costs one more HMAC on a made-up key.
pub const GENERATIONS_MAX: usize = 8;

/// Shortest master secret, in bytes: 256 bits even if it is written in hex would be 64, in base64 43; 32 is
/// the least that can hold 128 bits in any common spelling.
pub const SECRET_BYTES_MIN: usize = 32;

/// Fewest distinct characters of a master secret. 32 random hex digits have fewer than 8 in one of a billion.
pub const SECRET_DISTINCT_MIN: usize = 8;

/// Longest name of a generation, in bytes.
pub const ID_BYTES_MAX: usize = 16;

/// What a subkey is for. The names are part of the derivation: changing one ends what was made with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Tags of keys.
    Tag,
    /// Pepper of password hashes.
    Pepper,
    /// Tags of session cookies, set-up tokens and other opaque tokens.
    Cookies,
    /// Root of the keys by which an origin recognises Claviger, one per origin.
    OriginProof,
    /// MACs of sealed keys.
    Sealing,
    /// Encryption of what must be shown again.
    Viewing,
    /// MACs of refresh replies that isolates of one data centre share.
    RefreshCache,
}

impl Use {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Tag => b"claviger/tag/1",
            Self::Pepper => b"claviger/pepper/1",
            Self::Cookies => b"claviger/cookies/1",
            Self::OriginProof => b"claviger/origin-proof/1",
            Self::Sealing => b"claviger/sealing/1",
            Self::Viewing => b"claviger/viewing/1",
            Self::RefreshCache => b"claviger/refresh-cache/1",
        }
    }
}

/// Why a ring was refused. The text never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// Not a JSON array of generations.
    #[error("the master secret is not a JSON array of {{id, secret, retired_at?, compromised?}}")]
    Syntax,
    /// No generation, or more than [`GENERATIONS_MAX`].
    #[error("the master secret holds {count} generations; 1 to {GENERATIONS_MAX} are allowed")]
    Count {
        /// How many there are.
        count: usize,
    },
    /// A generation's name is empty, too long, or not of `[0-9A-Za-z-]`.
    #[error("generation {index} has a name that is not 1 to {ID_BYTES_MAX} of [0-9A-Za-z-]")]
    Id {
        /// Its place in the array, from 0.
        index: usize,
    },
    /// Two generations have one name.
    #[error("generation {index} has the name of an earlier one")]
    Duplicate {
        /// The later one's place in the array, from 0.
        index: usize,
    },
    /// A secret is too short, too uniform, or an example out of a document.
    #[error("the secret of generation {index} is too short, too uniform, or an example")]
    Weak {
        /// Its place in the array, from 0.
        index: usize,
    },
    /// The newest generation is retired or compromised, so nothing could be made.
    #[error("the first generation is retired or compromised: put a new one before it")]
    NoneCurrent,
}

/// A key for HMAC-SHA-256 (RFC 2104), its two first blocks already hashed.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// The key of these 32 bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(key) {
            *place = *byte;
        }
        // RFC 2104 pads a short key with zeros to the block, so this is the key itself.
        let mac = Self(Hmac::new(&block.into()));
        block.zeroize();
        mac
    }

    /// The MAC of the parts' concatenation. The caller makes the parts' borders unambiguous.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

/// One master secret with the subkeys that every request may need.
#[derive(Debug)]
pub struct Generation {
    id: String,
    secret: SecretText,
    retired_at: Option<UnixMs>,
    compromised: bool,
    tag: MacKey,
    cookies: MacKey,
    sealing: MacKey,
}

impl Generation {
    /// The operator's name of it; it stands beside whatever outlives a request (hashes, sealed keys).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From when new material is no longer made with it; `None` while it is in use.
    pub fn retired_at(&self) -> Option<UnixMs> {
        self.retired_at
    }

    /// Whether others may know it.
    pub fn is_compromised(&self) -> bool {
        self.compromised
    }

    /// The key of key tags.
    pub fn tag_key(&self) -> &MacKey {
        &self.tag
    }

    /// The key of opaque tokens' tags.
    pub fn cookie_key(&self) -> &MacKey {
        &self.cookies
    }

    /// The key of sealed keys' MACs.
    pub fn sealing_key(&self) -> &MacKey {
        &self.sealing
    }

    /// The subkey of `purpose`, derived anew.
    pub fn subkey(&self, purpose: Use) -> Zeroizing<[u8; 32]> {
        derive(self.secret.expose().as_bytes(), purpose.info())
    }

    /// The key by which `origin` (the name that a gateway rule gives it) recognises Claviger's requests.
    pub fn origin_key(&self, origin: &str) -> Zeroizing<[u8; 32]> {
        let root = MacKey::new(&self.subkey(Use::OriginProof));
        Zeroizing::new(root.mac(&[b"claviger/origin/1\0", origin.as_bytes()]))
    }
}

/// The generations, newest first; never empty.
#[derive(Debug)]
pub struct Ring {
    newest: Generation,
    older: Vec<Generation>,
}

impl Ring {
    /// Parses the operator's JSON.
    ///
    /// # Errors
    /// A [`RingError`] that names the rule and the generation, never the secret.
    pub fn parse(json: &str) -> Result<Self, RingError> {
        let written: Vec<Written> = serde_json::from_str(json).map_err(|_| RingError::Syntax)?;
        let count = written.len();
        if count > GENERATIONS_MAX {
            return Err(RingError::Count { count });
        }
        let mut generations: Vec<Generation> = Vec::with_capacity(count);
        for (index, entry) in written.into_iter().enumerate() {
            let named = (1..=ID_BYTES_MAX).contains(&entry.id.len())
                && entry.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !named {
                return Err(RingError::Id { index });
            }
            if generations.iter().any(|earlier| earlier.id == entry.id) {
                return Err(RingError::Duplicate { index });
            }
            if is_weak(entry.secret.expose()) {
                return Err(RingError::Weak { index });
            }
            generations.push(entry.into_generation()?);
        }
        let mut generations = generations.into_iter();
        let newest = generations.next().ok_or(RingError::Count { count })?;
        if newest.compromised || newest.retired_at.is_some() {
            return Err(RingError::NoneCurrent);
        }
        Ok(Self { newest, older: generations.collect() })
    }

    /// The generation that new material is made with.
    pub fn newest(&self) -> &Generation {
        &self.newest
    }

    /// All generations, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Generation> {
        core::iter::once(&self.newest).chain(&self.older)
    }

    /// The generation of this name.
    pub fn find(&self, id: &str) -> Option<&Generation> {
        self.iter().find(|generation| generation.id == id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    secret: SecretText,
    retired_at: Option<String>,
    #[serde(default)]
    compromised: bool,
}

impl Written {
    fn into_generation(self) -> Result<Generation, RingError> {
        let retired_at = match self.retired_at {
            None => None,
            Some(text) => Some(UnixMs::parse_rfc3339(&text).map_err(|_| RingError::Syntax)?),
        };
        let master = self.secret.expose().as_bytes();
        let tag = MacKey::new(&derive(master, Use::Tag.info()));
        let cookies = MacKey::new(&derive(master, Use::Cookies.info()));
        let sealing = MacKey::new(&derive(master, Use::Sealing.info()));
        Ok(Generation {
            id: self.id,
            secret: self.secret,
            retired_at,
            compromised: self.compromised,
            tag,
            cookies,
            sealing,
        })
    }
}

fn derive(master: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // RFC 5869 §2.3 refuses only output beyond 255 hashes; 32 bytes are one, so this cannot fail.
    let expanded = Hkdf::<Sha256>::new(None, master).expand(info, key.as_mut());
    debug_assert!(expanded.is_ok());
    key
}

/// Secrets that people leave in place: short ones, `aaaa…`, and what documents show.
fn is_weak(secret: &str) -> bool {
    let mut distinct: Vec<u8> = secret.bytes().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let lower = secret.to_ascii_lowercase();
    let is_example = ["example", "change", "replace", "secret", "password", "0123456789"]
        .iter()
        .any(|word| lower.contains(word));
    secret.len() < SECRET_BYTES_MIN || distinct.len() < SECRET_DISTINCT_MIN || is_example
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A ring for tests, of two generations.
    pub(crate) fn ring() -> Ring {
        Ring::parse(
            r#"[{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"},
                {"id":"a","secret":"Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P","retired_at":"2026-01-01T00:00:00Z"}]"#,
        )
        .unwrap()
    }

    #[test]
    fn every_use_and_generation_has_a_key_of_its_own() {
        let ring = ring();
        let mut keys: Vec<[u8; 32]> = Vec::new();
        for generation in ring.iter() {
            for purpose in [
                Use::Tag,
                Use::Pepper,
                Use::Cookies,
                Use::OriginProof,
                Use::Sealing,
                Use::Viewing,
                Use::RefreshCache,
            ] {
                keys.push(*generation.subkey(purpose));
            }
            keys.push(*generation.origin_key("DEMO"));
            keys.push(*generation.origin_key("DEMO2"));
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
        assert_eq!(
            MacKey::new(&ring.newest().subkey(Use::Tag)).mac(&[b"x"]),
            ring.newest().tag_key().mac(&[b"x"])
        );
    }

    #[test]
    fn hmac_agrees_with_rfc_4231_test_case_2() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = MacKey::new(&key).mac(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_bad_ring_is_refused_by_name() {
        let good = "mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE";
        let one = |id: &str, secret: &str| format!(r#"[{{"id":"{id}","secret":"{secret}"}}]"#);
        let nine =
            (0..9).map(|n| format!(r#"{{"id":"g{n}","secret":"{good}"}}"#)).collect::<Vec<_>>().join(",");
        for (json, expected) in [
            (String::new(), RingError::Syntax),
            ("{}".into(), RingError::Syntax),
            (good.into(), RingError::Syntax),
            ("[]".into(), RingError::Count { count: 0 }),
            (format!("[{nine}]"), RingError::Count { count: 9 }),
            (one("", good), RingError::Id { index: 0 }),
            (one("a b", good), RingError::Id { index: 0 }),
            (one("a", "short"), RingError::Weak { index: 0 }),
            (one("a", &"ab".repeat(32)), RingError::Weak { index: 0 }),
            (one("a", "EXAMPLE-mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8x"), RingError::Weak { index: 0 }),
            (one("a", "change-me-mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3"), RingError::Weak { index: 0 }),
            (
                format!(r#"[{{"id":"a","secret":"{good}"}},{{"id":"a","secret":"{good}"}}]"#),
                RingError::Duplicate { index: 1 },
            ),
            (format!(r#"[{{"id":"a","secret":"{good}","compromised":true}}]"#), RingError::NoneCurrent),
            (
                format!(r#"[{{"id":"a","secret":"{good}","retired_at":"2026-01-01T00:00:00Z"}}]"#),
                RingError::NoneCurrent,
            ),
            (format!(r#"[{{"id":"a","secret":"{good}","retired_at":"soon"}}]"#), RingError::Syntax),
            (format!(r#"[{{"id":"a","secret":"{good}","note":1}}]"#), RingError::Syntax),
        ] {
            assert_eq!(Ring::parse(&json).unwrap_err(), expected, "{json}");
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_a_secret() {
        assert!(!format!("{:?}", ring()).contains("mKq4"));
    }
}
