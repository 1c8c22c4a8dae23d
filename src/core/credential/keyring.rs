//! Holds the keyring: the derived subkeys with which Claviger makes and checks credentials, one set
//! per generation of the master secret.
//!
//! The admin Worker derives them from the master secret. The edge gets them as a separate secret,
//! `EDGE_KEYS`, and never sees the master secret. So it can check and seal credentials, but it
//! cannot decrypt, hash passwords, make session cookies or set-up links, or derive another subkey.
//! The JSON lists the newest generation first:
//!
//! ```json
//! [{"id": "2026a", "tag": "<64 hex digits>", "sealing": "…", "origin_proof": "…", "refresh_cache": "…",
//!   "replication": "…"},
//!  {"id": "2025a", "tag": "…", "sealing": "…", "origin_proof": "…", "refresh_cache": "…",
//!   "replication": "…", "retired_at_ms": 1767225600000, "compromised": true}]
//! ```
//!
//! The newest generation makes new material. A check tries all generations in order. Dropping a
//! generation ends everything that was tagged with it.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::base::json::{FromJson, Json, Members, from_json};
use crate::base::time::UnixMs;

/// Most generations in a keyring. Each costs one more HMAC per made-up key.
pub const GENERATIONS_MAX: usize = 8;

/// Longest name of a generation, in bytes.
pub const ID_BYTES_MAX: usize = 16;

/// The reason why a keyring was refused. The text never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The text is not a JSON array of generations with their subkeys.
    #[error("not a JSON array of generations with their subkeys")]
    Syntax,
    /// A generation has a member that this release does not know, such as one of another release.
    #[error(
        "generation {index} has a member that this release does not know: derive EDGE_KEYS again"
    )]
    Unknown {
        /// Index in the array, from 0.
        index: usize,
    },
    /// The array has no generation, or more than [`GENERATIONS_MAX`].
    #[error("there are {count} generations; 1 to {GENERATIONS_MAX} are allowed")]
    Count {
        /// Number of generations found.
        count: usize,
    },
    /// The name of a generation is empty, too long, or has a character outside `[0-9A-Za-z-]`.
    #[error("generation {index} has a name that is not 1 to {ID_BYTES_MAX} of [0-9A-Za-z-]")]
    Id {
        /// Index in the array, from 0.
        index: usize,
    },
    /// Two generations have the same name.
    #[error("generation {index} has the name of an earlier one")]
    Duplicate {
        /// Index of the later one in the array, from 0.
        index: usize,
    },
    /// The newest generation is retired or compromised, so it cannot make new material.
    #[error("the first generation is retired or compromised: put a new one before it")]
    NoneCurrent,
}

/// A key for HMAC-SHA-256 (RFC 2104). The first block of the inner and the outer hash is already
/// processed.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Creates the key from 32 bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(key) {
            *place = *byte;
        }
        // RFC 2104 pads a short key with zeros to the block size, so this block is the key itself.
        let mac = Self(Hmac::new(&block.into()));
        block.zeroize();
        mac
    }

    /// Returns the MAC of the concatenated parts. The caller must make the borders between parts
    /// unambiguous.
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

/// The text of a subkey, 64 lower-case hex digits. It exists only while a keyring is written or
/// read.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct SubkeyText(Zeroizing<String>);

impl FromJson for SubkeyText {
    fn from_json(json: Json) -> Option<Self> {
        json.into_text().map(|text| Self(Zeroizing::new(text)))
    }
}

from_json!(SubkeyText);

impl SubkeyText {
    /// Encodes a subkey.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Zeroizing::new(base16ct::lower::encode_string(key)))
    }

    fn read(&self) -> Option<MacKey> {
        let bytes = Zeroizing::new(base16ct::lower::decode_vec(self.0.as_bytes()).ok()?);
        let key: &[u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(MacKey::new(key))
    }
}

/// One generation in the JSON form of the edge's secret.
#[derive(Clone, Serialize)]
pub struct WrittenGeneration {
    /// Name that the operator gave it.
    pub id: String,
    /// Subkey for [`Generation::tag_key`].
    pub tag: SubkeyText,
    /// Subkey for [`Generation::sealing_key`].
    pub sealing: SubkeyText,
    /// Subkey from which [`Generation::origin_key`] derives each origin's key.
    pub origin_proof: SubkeyText,
    /// Subkey for [`Generation::refresh_cache_key`].
    pub refresh_cache: SubkeyText,
    /// Subkey for [`Generation::replication_key`].
    pub replication: SubkeyText,
    /// Time for [`Generation::retired_at`], Unix ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_at_ms: Option<UnixMs>,
    /// Flag for [`Generation::is_compromised`].
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub compromised: bool,
}

impl WrittenGeneration {
    fn take(members: &mut Members) -> Option<Self> {
        Some(Self {
            id: members.required("id")?,
            tag: members.required("tag")?,
            sealing: members.required("sealing")?,
            origin_proof: members.required("origin_proof")?,
            refresh_cache: members.required("refresh_cache")?,
            replication: members.required("replication")?,
            retired_at_ms: members.optional("retired_at_ms")?,
            compromised: members.or_default("compromised")?,
        })
    }

    fn parse(index: usize, json: Json) -> Result<Self, KeyringError> {
        let mut members = json.into_members().ok_or(KeyringError::Syntax)?;
        let generation = Self::take(&mut members).ok_or(KeyringError::Syntax)?;
        // A mistyped `compromised` must not pass for an absent one.
        match members.left_over() {
            None => Ok(generation),
            Some(_) => Err(KeyringError::Unknown { index }),
        }
    }

    fn read(self) -> Option<Generation> {
        Some(Generation {
            id: self.id,
            retired_at: self.retired_at_ms,
            compromised: self.compromised,
            tag: self.tag.read()?,
            sealing: self.sealing.read()?,
            origin_proof: self.origin_proof.read()?,
            refresh_cache: self.refresh_cache.read()?,
            replication: self.replication.read()?,
        })
    }
}

/// The subkeys of one generation of the master secret.
#[derive(Debug)]
pub struct Generation {
    id: String,
    retired_at: Option<UnixMs>,
    compromised: bool,
    tag: MacKey,
    sealing: MacKey,
    origin_proof: MacKey,
    refresh_cache: MacKey,
    replication: MacKey,
}

impl Generation {
    /// Returns the name that the operator gave it. The name is stored with everything that outlives
    /// a request, such as hashes and sealed keys.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the time from which it makes no new material; `None` while it is in use.
    pub fn retired_at(&self) -> Option<UnixMs> {
        self.retired_at
    }

    /// Returns `true` if an attacker may know the secret of this generation.
    pub fn is_compromised(&self) -> bool {
        self.compromised
    }

    /// Returns the key for the tags of keys and service IDs.
    pub fn tag_key(&self) -> &MacKey {
        &self.tag
    }

    /// Returns the key for the MACs of sealed keys.
    pub fn sealing_key(&self) -> &MacKey {
        &self.sealing
    }

    /// Returns the key for the MACs of shared replies.
    pub fn refresh_cache_key(&self) -> &MacKey {
        &self.refresh_cache
    }

    /// Returns the key for the MACs of records and lease documents in KV.
    pub fn replication_key(&self) -> &MacKey {
        &self.replication
    }

    /// Returns the key by which `origin` recognises Claviger's requests; a gateway rule names the
    /// origin.
    pub fn origin_key(&self, origin: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.origin_proof.mac(&[b"claviger/origin/1\0", origin.as_bytes()]))
    }
}

/// The generations, newest first. The keyring is never empty.
#[derive(Debug)]
pub struct Keyring {
    newest: Generation,
    older: Vec<Generation>,
}

impl Keyring {
    /// Parses the edge's secret.
    ///
    /// # Errors
    /// A [`KeyringError`] that names the broken rule and the generation, never a key.
    pub fn parse(json: &str) -> Result<Self, KeyringError> {
        let generations = Json::parse(json).and_then(Json::into_list);
        let written = generations.ok_or(KeyringError::Syntax)?.into_iter().enumerate();
        Self::read(
            written
                .map(|(index, json)| WrittenGeneration::parse(index, json))
                .collect::<Result<_, _>>()?,
        )
    }

    /// Converts the JSON form; the newest generation comes first.
    ///
    /// # Errors
    /// The same errors as [`Keyring::parse`].
    pub fn read(written: Vec<WrittenGeneration>) -> Result<Self, KeyringError> {
        let count = written.len();
        if count > GENERATIONS_MAX {
            return Err(KeyringError::Count { count });
        }
        let mut generations: Vec<Generation> = Vec::with_capacity(count);
        for (index, entry) in written.into_iter().enumerate() {
            let named = (1..=ID_BYTES_MAX).contains(&entry.id.len())
                && entry.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !named {
                return Err(KeyringError::Id { index });
            }
            if generations.iter().any(|earlier| earlier.id == entry.id) {
                return Err(KeyringError::Duplicate { index });
            }
            generations.push(entry.read().ok_or(KeyringError::Syntax)?);
        }
        let mut generations = generations.into_iter();
        let newest = generations.next().ok_or(KeyringError::Count { count })?;
        if newest.compromised || newest.retired_at.is_some() {
            return Err(KeyringError::NoneCurrent);
        }
        Ok(Self { newest, older: generations.collect() })
    }

    /// Returns the generation that makes new material.
    pub fn newest(&self) -> &Generation {
        &self.newest
    }

    /// Iterates over all generations, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Generation> {
        core::iter::once(&self.newest).chain(&self.older)
    }

    /// Returns the generation with this name.
    pub fn find(&self, id: &str) -> Option<&Generation> {
        self.iter().find(|generation| generation.id == id)
    }

    /// Returns a digest of every subkey and of each generation's name and state, in 32 hex digits.
    /// Two Workers with equal fingerprints make and accept the same credentials. It reveals nothing
    /// about a key: it is a hash of MACs under 256-bit keys.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"claviger/fingerprint/1");
        for generation in self.iter() {
            let retired_at_ms = generation.retired_at.map_or(0, UnixMs::as_ms);
            hash.update([0]);
            hash.update(generation.id.as_bytes());
            hash.update([0, generation.compromised.into(), generation.retired_at.is_some().into()]);
            hash.update(retired_at_ms.to_be_bytes());
            let Generation { tag, sealing, origin_proof, refresh_cache, replication, .. } =
                generation;
            for key in [tag, sealing, origin_proof, refresh_cache, replication] {
                hash.update(key.mac(&[b"claviger/fingerprint/1"]));
            }
        }
        let mut text = base16ct::lower::encode_string(&hash.finalize());
        text.truncate(32);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EDGE_KEYS as KEYRING, edge_keys as written, keyring};

    #[test]
    fn every_use_and_generation_has_a_key_of_its_own() {
        let keyring = keyring();
        let mut macs: Vec<[u8; 32]> = Vec::new();
        for generation in keyring.iter() {
            for key in
                [generation.tag_key(), generation.sealing_key(), generation.refresh_cache_key()]
            {
                macs.push(key.mac(&[b"x"]));
            }
            macs.push(*generation.origin_key("DEMO"));
            macs.push(*generation.origin_key("DEMO2"));
        }
        let count = macs.len();
        macs.sort_unstable();
        macs.dedup();
        assert_eq!(macs.len(), count);
    }

    #[test]
    fn generations_are_found_by_the_names_that_the_operator_gave_them() {
        let keyring = keyring();
        let names: Vec<&str> = keyring.iter().map(Generation::id).collect();
        assert_eq!((keyring.newest().id(), names), ("b", vec!["b", "a"]));
        assert_eq!(keyring.find("a").map(Generation::id), Some("a"));
        assert!(keyring.find("c").is_none());
    }

    #[test]
    fn hmac_agrees_with_rfc_4231_test_case_2() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = MacKey::new(&key).mac(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            base16ct::lower::encode_string(&mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_bad_keyring_is_refused_by_name() {
        let good = written(&[("a", "")]);
        let nine: Vec<String> = (0..9).map(|n| format!("g{n}")).collect();
        let nine: Vec<(&str, &str)> = nine.iter().map(|id| (id.as_str(), "")).collect();
        assert!(Keyring::parse(&good).is_ok());
        assert!(Keyring::parse(&written(&nine[1..])).is_ok(), "eight");
        assert!(Keyring::parse(&written(&[("0123456789ABCDEf", "")])).is_ok());
        for (json, expected) in [
            (String::new(), KeyringError::Syntax),
            ("{}".into(), KeyringError::Syntax),
            ("[]".into(), KeyringError::Count { count: 0 }),
            (written(&nine), KeyringError::Count { count: 9 }),
            (written(&[("", "")]), KeyringError::Id { index: 0 }),
            (written(&[("a b", "")]), KeyringError::Id { index: 0 }),
            (written(&[("0123456789ABCDEfg", "")]), KeyringError::Id { index: 0 }),
            (written(&[("a", ""), ("a", "")]), KeyringError::Duplicate { index: 1 }),
            (written(&[("a", r#","compromised":true"#)]), KeyringError::NoneCurrent),
            (written(&[("a", r#","retired_at_ms":1"#)]), KeyringError::NoneCurrent),
            (written(&[("a", r#","retired_at_ms":"soon""#)]), KeyringError::Syntax),
            (written(&[("a", r#","note":1"#)]), KeyringError::Unknown { index: 0 }),
            (
                written(&[("a", ""), ("b", r#","cookies":"00""#)]),
                KeyringError::Unknown { index: 1 },
            ),
            (good.to_uppercase(), KeyringError::Syntax),
            (good.replacen("\"tag\":\"", "\"tag\":\"0\"", 1), KeyringError::Syntax),
            (good.replace("\"sealing\"", "\"seal\""), KeyringError::Syntax),
        ] {
            assert_eq!(Keyring::parse(&json).unwrap_err(), expected, "{json}");
        }
    }

    #[test]
    fn a_fingerprint_tells_whether_two_keyrings_do_the_same() {
        let same =
            |json: &str| Keyring::parse(json).unwrap().fingerprint() == keyring().fingerprint();
        assert!(same(KEYRING));
        assert_eq!(keyring().fingerprint().len(), 32);
        for (from, to) in [
            ("\"id\":\"b\"", "\"id\":\"c\""),
            ("\"retired_at_ms\":1767225600000", "\"retired_at_ms\":1767225600001"),
            ("\"retired_at_ms\":1767225600000", "\"compromised\":true"),
        ] {
            assert!(KEYRING.contains(from) && !same(&KEYRING.replacen(from, to, 1)), "{from}");
        }
        for member in ["tag", "sealing", "origin_proof", "refresh_cache", "replication"] {
            let at = KEYRING.find(&format!("\"{member}\":\"")).unwrap() + member.len() + 4;
            let mut changed = KEYRING.to_owned();
            let digit = if &KEYRING[at..=at] == "0" { "1" } else { "0" };
            changed.replace_range(at..=at, digit);
            assert!(!same(&changed), "{member}");
        }
        let (newest, older) = (KEYRING.find('{').unwrap(), KEYRING.rfind('{').unwrap());
        assert!(!same(&format!("[{}]", KEYRING[newest..older].trim_end().trim_end_matches(','))));
    }

    #[test]
    fn neither_debug_nor_errors_show_a_key() {
        let text = format!("{:?}", keyring());
        assert!(text.contains("MacKey(…)") && !text.contains(&KEYRING[20..40]));
    }
}
