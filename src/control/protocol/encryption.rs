//! Encryption of what must be shown again: viewable keys, service passwords, codes on their way
//! into a mail.
//!
//! AES-256-GCM (NIST SP 800-38D) under the keyring's viewing subkey. What is stored is the
//! generation's name, a dot, and base64url of nonce (12 bytes), ciphertext and tag (16 bytes). The
//! associated data bind it to its place:
//!
//! ```text
//! "claviger/vault/1" 00 purpose 00 account 00 subject 00 generation
//! ```
//!
//! so that a text that was moved to another row, account or purpose does not open. Nonces are
//! random: at 2^32 texts under one generation two of them are equal with a chance of 2^-33 (§8.3
//! there).
//!
//! The ledger keeps such texts and cannot read them: only the edge, and what sends mail, hold the
//! keyring.

use core::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::secret::SecretText;
use claviger_core::credential::key::NewKey;
use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::protocol::master::{MasterGeneration, MasterSecrets};

const LABEL: &str = "claviger/vault/1";
const NONCE_BYTES: usize = 12;

/// What is encrypted. The names are part of the associated data: they must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A viewable key; the subject is its ID.
    Key,
    /// The service password; the subject is the service ID's account once more.
    ServicePassword,
    /// A code that goes into a mail; the subject is the ID of what it confirms.
    MailCode,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::ServicePassword => "service-password",
            Self::MailCode => "mail-code",
        }
    }
}

/// Where an encrypted text belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What it is.
    pub purpose: Purpose,
    /// Whose it is.
    pub account: AccountId,
    /// What of theirs it belongs to. Without NUL.
    pub subject: &'a str,
}

impl Place<'_> {
    fn associated(&self, generation: &str) -> Vec<u8> {
        [LABEL, self.purpose.name(), self.account.as_str(), self.subject, generation]
            .join("\0")
            .into_bytes()
    }
}

/// An encrypted text, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// A text that was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// Encrypts `text` for `place` with the newest generation; `None` only if it has gigabytes.
pub fn seal(
    text: &SecretText,
    place: Place<'_>,
    master: &MasterSecrets,
    rng: &mut impl CryptoRng,
) -> Option<Sealed> {
    let generation = master.newest();
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let aad = place.associated(generation.id());
    let payload = Payload { msg: text.expose().as_bytes(), aad: &aad };
    let ciphertext = cipher(generation).encrypt(&Nonce::from(nonce), payload).ok()?;
    let stored = BASE64URL_NOPAD.encode(&[&nonce, ciphertext.as_slice()].concat());
    Some(Sealed([generation.id(), ".", &stored].concat()))
}

/// Encrypts a whole key for its row in the ledger, so that it can be shown again. `None` only if it
/// had gigabytes.
pub fn seal_key(key: &NewKey, master: &MasterSecrets, rng: &mut impl CryptoRng) -> Option<Sealed> {
    seal(&SecretText::new(key.expose().to_owned()), key_place(&key.id()), master, rng)
}

/// The place of a key's text.
pub fn key_place(id: &KeyId) -> Place<'_> {
    Place { purpose: Purpose::Key, account: id.account(), subject: id.as_str() }
}

/// Decrypts what was encrypted for `place`; `None` when it was not, was changed, or its generation
/// has been dropped.
pub fn open(sealed: &Sealed, place: Place<'_>, master: &MasterSecrets) -> Option<SecretText> {
    let (generation, stored) = sealed.0.split_once('.')?;
    let generation = master.find(generation)?;
    let bytes = BASE64URL_NOPAD.decode(stored.as_bytes()).ok()?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    let aad = place.associated(generation.id());
    let payload = Payload { msg: ciphertext, aad: &aad };
    let text = Zeroizing::new(cipher(generation).decrypt(&Nonce::from(*nonce), payload).ok()?);
    core::str::from_utf8(&text).ok().map(|text| SecretText::new(text.to_owned()))
}

fn cipher(generation: &MasterGeneration) -> Aes256Gcm {
    Aes256Gcm::new((&*generation.viewing_key()).into())
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::protocol::master::tests::master;

    const SUBJECT: &str = "a1B2c3D47Hq0p2Zx9K";

    fn place(purpose: Purpose, account: &str, subject: &'static str) -> Place<'static> {
        Place { purpose, account: AccountId::parse(account).unwrap(), subject }
    }

    fn here() -> Place<'static> {
        place(Purpose::Key, "a1B2c3D4", SUBJECT)
    }

    fn sealed() -> Sealed {
        let secret = SecretText::new("clv_secret".into());
        seal(&secret, here(), &master(), &mut ChaCha20Rng::seed_from_u64(7)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        assert_eq!(open(&sealed(), here(), &master()).unwrap().expose(), "clv_secret");
        for elsewhere in [
            place(Purpose::MailCode, "a1B2c3D4", SUBJECT),
            place(Purpose::Key, "a1B2c3D5", SUBJECT),
            place(Purpose::Key, "a1B2c3D4", "a1B2c3D47Hq0p2Zx9L"),
        ] {
            assert!(open(&sealed(), elsewhere, &master()).is_none(), "{elsewhere:?}");
        }
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let text = sealed().as_str().to_owned();
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = Sealed::from_stored(String::from_utf8(bytes).unwrap());
            assert!(open(&changed, here(), &master()).is_none(), "{index}");
        }
        for cut in ["", ".", "b", "b.", "b.AAAA", &text[..text.len() - 4]] {
            assert!(open(&Sealed::from_stored(cut.into()), here(), &master()).is_none(), "{cut}");
        }
    }

    #[test]
    fn it_opens_under_an_older_generation_until_that_is_dropped() {
        let later = |rest: &str| {
            let text = format!(
                r#"[{{"id":"c","secret":"Xw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyEmKq4Zt0b"}}{rest}]"#
            );
            MasterSecrets::parse(&text).unwrap()
        };
        let old = r#",{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE","retired_at":"2026-01-01T00:00:00Z"}"#;
        assert!(open(&sealed(), here(), &later(old)).is_some());
        assert!(open(&sealed(), here(), &later("")).is_none());
    }

    #[test]
    fn neither_the_text_nor_its_type_shows_anything() {
        assert!(!sealed().as_str().contains("secret"));
        assert_eq!(format!("{:?}", sealed()), "Sealed(…)");
    }
}
