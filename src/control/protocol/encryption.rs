//! Encryption at rest for secrets that must be read again: viewable keys, service passwords, codes
//! in queued mail, and seeds of authenticator apps.
//!
//! The cipher is AES-256-GCM (NIST SP 800-38D) under the keyring's viewing subkey. The stored text
//! is the generation's ID, a dot, and base64url of nonce (12 bytes), ciphertext and tag (16 bytes).
//! The associated data bind it to its row:
//!
//! ```text
//! "claviger/vault/1" 00 purpose 00 account 00 subject 00 generation
//! ```
//!
//! A ciphertext that was moved to another row, account or purpose therefore fails to decrypt.
//! Nonces are random. After 2^32 encryptions under one generation, two nonces are equal with a
//! chance of 2^-33 (§8.3 there).
//!
//! The admin Worker holds the viewing key, for its console routes and for mail. The edge has none.
//! A ledger stores ciphertexts, and decrypts seeds alone: it must compare a code and store its step
//! in one run, so that parallel requests cannot use a code twice.

use core::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::secret::SecretText;
use claviger_core::credential::key::NewKey;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::protocol::master::{MasterGeneration, MasterSecrets};

const LABEL: &str = "claviger/vault/1";
const NONCE_BYTES: usize = 12;

/// The kind of an encrypted secret. The names are part of the associated data and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// A viewable key; the subject is its ID.
    Key,
    /// The service password; the subject repeats the account's ID.
    ServicePassword,
    /// A code in a mail; the subject is the ID of the action that it confirms.
    MailCode,
    /// The token of an invitation in a mail; the subject is the ID within the token.
    Invitation,
    /// The seed of an authenticator app; the subject is the ID of its member.
    TotpSeed,
}

impl SecretKind {
    fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::ServicePassword => "service-password",
            Self::MailCode => "mail-code",
            Self::Invitation => "invitation",
            Self::TotpSeed => "totp-seed",
        }
    }
}

/// The associated data that bind a ciphertext to its row.
#[derive(Clone, Copy, Debug)]
pub struct AssociatedData<'a> {
    /// Kind of the secret.
    pub purpose: SecretKind,
    /// Account that owns the secret.
    pub account: AccountId,
    /// ID that binds the ciphertext to its place: of the key, the account (service password), the
    /// deletion (mailed code), the token (mailed invitation) or the member (seed). It contains no
    /// NUL, which separates the fields.
    pub subject: &'a str,
}

impl AssociatedData<'_> {
    fn to_bytes(self, generation: &str) -> Vec<u8> {
        [LABEL, self.purpose.name(), self.account.as_str(), self.subject, generation]
            .join("\0")
            .into_bytes()
    }
}

/// A ciphertext in its stored form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ciphertext(String);

impl Ciphertext {
    /// Wraps a stored ciphertext without checking it.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ciphertext(…)")
    }
}

/// Encrypts `text` for `associated_data` with the newest generation; `None` only if the text has
/// gigabytes.
pub fn encrypt(
    text: &SecretText,
    associated_data: AssociatedData<'_>,
    master: &MasterSecrets,
    rng: &mut impl CryptoRng,
) -> Option<Ciphertext> {
    let generation = master.newest();
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let aad = associated_data.to_bytes(generation.id());
    let payload = Payload { msg: text.expose().as_bytes(), aad: &aad };
    let ciphertext = cipher(generation).encrypt(&Nonce::from(nonce), payload).ok()?;
    let stored = Base64UrlUnpadded::encode_string(&[&nonce, ciphertext.as_slice()].concat());
    Some(Ciphertext([generation.id(), ".", &stored].concat()))
}

/// Encrypts a whole key for its row in the ledger, so that it can be shown again. `None` only if it
/// had gigabytes.
pub fn encrypt_key(
    key: &NewKey,
    master: &MasterSecrets,
    rng: &mut impl CryptoRng,
) -> Option<Ciphertext> {
    encrypt(&SecretText::new(key.expose().to_owned()), key_associated_data(&key.id()), master, rng)
}

/// Returns the associated data of a viewable key.
pub fn key_associated_data(id: &KeyId) -> AssociatedData<'_> {
    AssociatedData { purpose: SecretKind::Key, account: id.account(), subject: id.as_str() }
}

/// Decrypts a text for `associated_data`. `None` if it was encrypted for another place, was
/// altered, or its generation was removed from the master secret.
pub fn decrypt(
    sealed: &Ciphertext,
    associated_data: AssociatedData<'_>,
    master: &MasterSecrets,
) -> Option<SecretText> {
    let (generation, stored) = sealed.0.split_once('.')?;
    let generation = master.find(generation)?;
    let bytes = Base64UrlUnpadded::decode_vec(stored).ok()?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>()?;
    let aad = associated_data.to_bytes(generation.id());
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

    fn at(purpose: SecretKind, account: &str, subject: &'static str) -> AssociatedData<'static> {
        AssociatedData { purpose, account: AccountId::parse(account).unwrap(), subject }
    }

    fn here() -> AssociatedData<'static> {
        at(SecretKind::Key, "a1B2c3D4", SUBJECT)
    }

    fn sealed() -> Ciphertext {
        let secret = SecretText::new("clv_secret".into());
        encrypt(&secret, here(), &master(), &mut ChaCha20Rng::seed_from_u64(7)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        assert_eq!(decrypt(&sealed(), here(), &master()).unwrap().expose(), "clv_secret");
        for elsewhere in [
            at(SecretKind::MailCode, "a1B2c3D4", SUBJECT),
            at(SecretKind::Key, "a1B2c3D5", SUBJECT),
            at(SecretKind::Key, "a1B2c3D4", "a1B2c3D47Hq0p2Zx9L"),
        ] {
            assert!(decrypt(&sealed(), elsewhere, &master()).is_none(), "{elsewhere:?}");
        }
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let text = sealed().as_str().to_owned();
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = Ciphertext::from_stored(String::from_utf8(bytes).unwrap());
            assert!(decrypt(&changed, here(), &master()).is_none(), "{index}");
        }
        for cut in ["", ".", "b", "b.", "b.AAAA", &text[..text.len() - 4]] {
            assert!(
                decrypt(&Ciphertext::from_stored(cut.into()), here(), &master()).is_none(),
                "{cut}"
            );
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
        assert!(decrypt(&sealed(), here(), &later(old)).is_some());
        assert!(decrypt(&sealed(), here(), &later("")).is_none());
    }

    #[test]
    fn neither_the_text_nor_its_type_shows_anything() {
        assert!(!sealed().as_str().contains("secret"));
        assert_eq!(format!("{:?}", sealed()), "Ciphertext(…)");
    }
}
