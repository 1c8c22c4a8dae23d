//! Stored forms of API users' secrets.
//!
//! A chosen secret has the slow hash of passwords. A generated one has 256 random bits, so that a
//! MAC under the pepper suffices:
//!
//! ```text
//! $mac$keyid=<generation>$<MAC>      in base64url without padding
//! ```

use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::secret::SecretText;
use claviger_core::credential::keyring::MacKey;
use subtle::ConstantTimeEq;

use crate::objects::name::{PasswordHash, StoredPassword};
use crate::protocol::master::{MasterGeneration, MasterSecrets};

const HEAD: &str = "$mac$keyid=";

const LABEL: &[u8] = b"claviger/api-secret/1\0";

/// A secret in its stored form.
pub enum StoredApiSecret {
    /// Slow hash of a secret that a person chose.
    Chosen(StoredPassword),
    /// MAC of a generated secret.
    Generated(GeneratedApiSecret),
}

/// The MAC of a generated secret.
pub struct GeneratedApiSecret {
    text: String,
    generation: String,
    mac: [u8; 32],
}

impl StoredApiSecret {
    /// Computes the stored form of a generated secret.
    pub fn generated(secret: &SecretText, generation: &MasterGeneration) -> Self {
        let mac = mac(secret, generation);
        let text = format!("{HEAD}{}${}", generation.id(), Base64UrlUnpadded::encode_string(&mac));
        Self::Generated(GeneratedApiSecret { text, generation: generation.id().to_owned(), mac })
    }

    /// Parses the stored form; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix(HEAD) else {
            return StoredPassword::parse(text).map(Self::Chosen);
        };
        let (generation, mac) = rest.split_once('$')?;
        let mac = Base64UrlUnpadded::decode_vec(mac).ok()?.try_into().ok()?;
        let (text, generation) = (text.to_owned(), generation.to_owned());
        Some(Self::Generated(GeneratedApiSecret { text, generation, mac }))
    }

    /// Returns the stored form.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Chosen(stored) => stored.as_str(),
            Self::Generated(stored) => &stored.text,
        }
    }

    /// Returns the ID of the generation whose pepper it uses.
    pub fn generation(&self) -> &str {
        match self {
            Self::Chosen(stored) => stored.generation(),
            Self::Generated(stored) => &stored.generation,
        }
    }

    /// Returns `true` if a check of it costs a slow hash.
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::Chosen(_))
    }

    /// Returns `true` if it is the stored form of this secret; `None` if memory runs out. If the
    /// pepper's generation was removed from the master secret, it matches no secret.
    pub fn is_of(
        &self,
        secret: &SecretText,
        master: &MasterSecrets,
        hash: &dyn PasswordHash,
    ) -> Option<bool> {
        match self {
            Self::Chosen(stored) => stored.is_of(secret, master, hash),
            Self::Generated(stored) => {
                let generation = master.find(&stored.generation);
                let computed = mac(secret, generation.unwrap_or(master.newest()));
                Some(generation.is_some() && bool::from(computed.ct_eq(&stored.mac)))
            }
        }
    }
}

fn mac(secret: &SecretText, generation: &MasterGeneration) -> [u8; 32] {
    MacKey::new(&generation.pepper()).mac(&[LABEL, secret.expose().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::name::Argon2id;
    use crate::protocol::master::tests::master;

    #[test]
    fn a_generated_secret_matches_itself_alone_and_reads_back() {
        let (master, secret) = (master(), SecretText::new("a1".repeat(20)));
        let stored = StoredApiSecret::generated(&secret, master.newest());
        let read = StoredApiSecret::parse(stored.as_str()).unwrap();
        assert!(!read.is_slow() && read.generation() == master.newest().id());
        assert_eq!(read.is_of(&secret, &master, &Argon2id), Some(true));
        let other = SecretText::new("a1".repeat(21));
        assert_eq!(read.is_of(&other, &master, &Argon2id), Some(false));
        let gone = stored.as_str().replacen("keyid=b", "keyid=z", 1);
        let gone = StoredApiSecret::parse(&gone).unwrap();
        assert_eq!(gone.is_of(&secret, &master, &Argon2id), Some(false));
        for bad in ["", "$mac$keyid=b", "$mac$keyid=b$AAAA", "$argon2id$"] {
            assert!(StoredApiSecret::parse(bad).is_none(), "{bad}");
        }
    }
}
