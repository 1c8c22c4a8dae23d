//! The master secrets, from which the admin Worker derives every subkey.
//!
//! The operator holds one value, a JSON array, newest generation first:
//!
//! ```json
//! [{"id": "2026a", "secret": "<43 or more characters>"},
//!  {"id": "2025a", "secret": "…", "retired_at": "2026-01-01T00:00:00Z", "compromised": true}]
//! ```
//!
//! HKDF-SHA-256 (RFC 5869, empty salt, info `claviger/<use>/1`) derives one subkey per generation
//! and use, so that no two uses share a key. The subkeys that the edge needs form a [`Keyring`].
//! The others stay in the control plane.

use core::fmt;

use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::keyring::{
    Keyring, KeyringError, MacKey, SubkeyText, WrittenGeneration,
};
use hkdf::Hkdf;
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Shortest master secret, in bytes. A 256-bit secret has 64 in hex and 43 in base64; 32 bytes
/// still hold 128 bits in any common encoding.
pub const SECRET_BYTES_MIN: usize = 32;

/// Fewest distinct characters of a master secret. A random string of 32 hex digits has fewer than 8
/// with a chance of one in a billion.
pub const SECRET_DISTINCT_MIN: usize = 8;

/// The reason for which master secrets were refused. The message never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterError {
    /// The value is not a JSON array of generations.
    #[error("not a JSON array of {{id, secret, retired_at?, compromised?}}")]
    Syntax,
    /// A secret is too short, has too few distinct characters, or is an example from documentation.
    #[error("the secret of generation {index} is too short, too uniform, or an example")]
    Weak {
        /// Index of the generation in the array, from 0.
        index: usize,
    },
    /// The generations break a rule of keyrings.
    #[error("{0}")]
    Keyring(#[from] KeyringError),
}

/// The use of a subkey. The names are part of the derivation; changing one invalidates everything
/// made with that subkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SubkeyUse {
    /// Tags of keys.
    Tag,
    /// Pepper of password hashes.
    Pepper,
    /// MACs of mailed codes.
    Codes,
    /// Tags of session cookies, set-up tokens and other opaque tokens.
    Cookies,
    /// Root of the keys by which an origin recognises Claviger, one per origin.
    OriginProof,
    /// MACs of sealed keys.
    Sealing,
    /// Encryption of secrets that must be shown again.
    Viewing,
    /// MACs of refresh replies that isolates of one data centre share.
    RefreshCache,
    /// MACs of records and lease documents in KV.
    Replication,
    /// Proofs of calls between the admin Worker and the objects.
    ObjectCalls,
}

impl SubkeyUse {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Tag => b"claviger/tag/1",
            Self::Pepper => b"claviger/pepper/1",
            Self::Codes => b"claviger/codes/1",
            Self::Cookies => b"claviger/cookies/1",
            Self::OriginProof => b"claviger/origin-proof/1",
            Self::Sealing => b"claviger/sealing/1",
            Self::Viewing => b"claviger/viewing/1",
            Self::RefreshCache => b"claviger/refresh-cache/1",
            Self::Replication => b"claviger/replication/1",
            Self::ObjectCalls => b"claviger/object-calls/1",
        }
    }
}

/// One generation of the master secret.
pub struct MasterGeneration {
    id: String,
    secret: SecretText,
    retired_at: Option<UnixMs>,
    compromised: bool,
    token_key: MacKey,
    object_call_key: MacKey,
}

impl MasterGeneration {
    fn new(written: WrittenSecret, retired_at: Option<UnixMs>) -> Self {
        let WrittenSecret { id, secret, compromised, .. } = written;
        let token_key = MacKey::new(&subkey(&secret, SubkeyUse::Cookies));
        let object_call_key = MacKey::new(&subkey(&secret, SubkeyUse::ObjectCalls));
        Self { id, secret, retired_at, compromised, token_key, object_call_key }
    }

    /// Returns the operator's ID for the generation, which is stored beside everything that depends
    /// on it (hashes, ciphertexts).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns `true` if an attacker may know it.
    pub fn is_compromised(&self) -> bool {
        self.compromised
    }

    /// Returns the key for the tags of session cookies and set-up links.
    pub fn token_key(&self) -> &MacKey {
        &self.token_key
    }

    /// Returns the key for the proofs of calls to Durable Objects.
    pub fn object_call_key(&self) -> &MacKey {
        &self.object_call_key
    }

    /// Returns the pepper of password hashes.
    pub fn pepper(&self) -> Zeroizing<[u8; 32]> {
        subkey(&self.secret, SubkeyUse::Pepper)
    }

    /// Returns the key for the MACs of mailed codes.
    pub fn code_key(&self) -> MacKey {
        MacKey::new(&subkey(&self.secret, SubkeyUse::Codes))
    }

    /// Returns the key that encrypts secrets that must be shown again.
    pub fn viewing_key(&self) -> Zeroizing<[u8; 32]> {
        subkey(&self.secret, SubkeyUse::Viewing)
    }

    fn derive(&self) -> WrittenGeneration {
        let written = |purpose| SubkeyText::new(&subkey(&self.secret, purpose));
        WrittenGeneration {
            id: self.id.clone(),
            tag: written(SubkeyUse::Tag),
            sealing: written(SubkeyUse::Sealing),
            origin_proof: written(SubkeyUse::OriginProof),
            refresh_cache: written(SubkeyUse::RefreshCache),
            replication: written(SubkeyUse::Replication),
            retired_at_ms: self.retired_at,
            compromised: self.compromised,
        }
    }
}

fn subkey(secret: &SecretText, purpose: SubkeyUse) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // RFC 5869 §2.3 refuses only output beyond 255 hashes; 32 bytes are one, so this cannot fail.
    let expanded =
        Hkdf::<Sha256>::new(None, secret.expose().as_bytes()).expand(purpose.info(), key.as_mut());
    debug_assert!(expanded.is_ok());
    key
}

/// The master secrets, newest first, with the keyring derived from them.
pub struct MasterSecrets {
    newest: MasterGeneration,
    older: Vec<MasterGeneration>,
    keyring: Keyring,
}

impl MasterSecrets {
    /// Parses the operator's JSON.
    ///
    /// # Errors
    /// A [`MasterError`] that names the rule and the generation, never the secret.
    pub fn parse(json: &str) -> Result<Self, MasterError> {
        let written: Vec<WrittenSecret> =
            serde_json::from_str(json).map_err(|_| MasterError::Syntax)?;
        let count = written.len();
        let generations: Vec<MasterGeneration> =
            written.into_iter().map(WrittenSecret::into_generation).collect::<Result<_, _>>()?;
        let keyring = Keyring::read(generations.iter().map(MasterGeneration::derive).collect())?;
        if let Some(index) =
            generations.iter().position(|generation| is_weak(generation.secret.expose()))
        {
            return Err(MasterError::Weak { index });
        }
        let mut generations = generations.into_iter();
        let newest = generations.next().ok_or(KeyringError::Count { count })?;
        Ok(Self { newest, older: generations.collect(), keyring })
    }

    /// Returns the generation for new material.
    pub fn newest(&self) -> &MasterGeneration {
        &self.newest
    }

    /// Returns the generation with this ID.
    pub fn find(&self, id: &str) -> Option<&MasterGeneration> {
        self.iter().find(|generation| generation.id == id)
    }

    /// Returns the subkeys that make and check credentials.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Returns the same subkeys as the value of the edge's secret `EDGE_KEYS`.
    pub fn edge_keys(&self) -> SecretText {
        let written: Vec<WrittenGeneration> = self.iter().map(MasterGeneration::derive).collect();
        // Keys and values are text, so serialising cannot fail.
        SecretText::new(serde_json::to_string(&written).unwrap_or_default())
    }

    /// Iterates over all generations, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &MasterGeneration> {
        core::iter::once(&self.newest).chain(&self.older)
    }
}

impl fmt::Debug for MasterSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecrets(…)")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSecret {
    id: String,
    secret: SecretText,
    retired_at: Option<String>,
    #[serde(default)]
    compromised: bool,
}

impl WrittenSecret {
    fn into_generation(self) -> Result<MasterGeneration, MasterError> {
        let retired_at = match &self.retired_at {
            None => None,
            Some(text) => Some(UnixMs::parse_rfc3339(text).map_err(|_| MasterError::Syntax)?),
        };
        Ok(MasterGeneration::new(self, retired_at))
    }
}

/// Returns `true` for secrets that operators leave in place by mistake: short ones, `aaaa…`, and
/// examples from documentation.
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

    pub(crate) const MASTER: &str = r#"[{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"},
        {"id":"a","secret":"Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P","retired_at":"2026-01-01T00:00:00Z"}]"#;

    /// Master secrets for tests, of two generations.
    pub(crate) fn master() -> MasterSecrets {
        MasterSecrets::parse(MASTER).unwrap()
    }

    #[test]
    fn the_edge_s_keys_are_pinned_and_derive_the_same_keyring() {
        let keys = master().edge_keys();
        assert_eq!(keys.expose(), include_str!("../../../tests/vectors/keyring.json").trim());
        assert_eq!(
            Keyring::parse(keys.expose()).unwrap().fingerprint(),
            master().keyring().fingerprint()
        );
    }

    #[test]
    fn nothing_but_its_own_subkeys_is_among_the_edge_s_keys() {
        let (master, hex) = (master(), |key: &[u8; 32]| base16ct::lower::encode_string(key));
        let keys = master.edge_keys();
        for generation in master.iter() {
            let uses = [
                SubkeyUse::Pepper,
                SubkeyUse::Codes,
                SubkeyUse::Viewing,
                SubkeyUse::Cookies,
                SubkeyUse::ObjectCalls,
            ];
            let withheld = uses.map(|purpose| hex(&subkey(&generation.secret, purpose)));
            for (place, key) in withheld.iter().enumerate() {
                assert!(!keys.expose().contains(key) && !withheld[..place].contains(key));
            }
            assert!(!keys.expose().contains(generation.secret.expose()));
        }
    }

    #[test]
    fn bad_master_secrets_are_refused_by_name() {
        let good = "mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE";
        let one = |id: &str, secret: &str| format!(r#"[{{"id":"{id}","secret":"{secret}"}}]"#);
        let nine = (0..9)
            .map(|n| format!(r#"{{"id":"g{n}","secret":"{good}"}}"#))
            .collect::<Vec<_>>()
            .join(",");
        for (json, expected) in [
            (String::new(), MasterError::Syntax),
            ("{}".into(), MasterError::Syntax),
            (good.into(), MasterError::Syntax),
            ("[]".into(), KeyringError::Count { count: 0 }.into()),
            (format!("[{nine}]"), KeyringError::Count { count: 9 }.into()),
            (one("", good), KeyringError::Id { index: 0 }.into()),
            (one("a b", good), KeyringError::Id { index: 0 }.into()),
            (one("a", "short"), MasterError::Weak { index: 0 }),
            (one("a", &"ab".repeat(32)), MasterError::Weak { index: 0 }),
            (
                one("a", "EXAMPLE-mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8x"),
                MasterError::Weak { index: 0 },
            ),
            (one("a", "change-me-mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3"), MasterError::Weak { index: 0 }),
            (
                format!(r#"[{{"id":"a","secret":"{good}"}},{{"id":"a","secret":"{good}"}}]"#),
                KeyringError::Duplicate { index: 1 }.into(),
            ),
            (
                format!(r#"[{{"id":"a","secret":"{good}","compromised":true}}]"#),
                KeyringError::NoneCurrent.into(),
            ),
            (
                format!(r#"[{{"id":"a","secret":"{good}","retired_at":"2026-01-01T00:00:00Z"}}]"#),
                KeyringError::NoneCurrent.into(),
            ),
            (
                format!(r#"[{{"id":"a","secret":"{good}","retired_at":"soon"}}]"#),
                MasterError::Syntax,
            ),
            (format!(r#"[{{"id":"a","secret":"{good}","note":1}}]"#), MasterError::Syntax),
        ] {
            assert_eq!(MasterSecrets::parse(&json).unwrap_err(), expected, "{json}");
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_a_secret() {
        assert!(!format!("{:?}", master()).contains("mKq4"));
    }
}
