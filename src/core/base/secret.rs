//! Defines types for secrets: text that cannot be printed, and the digest that storage holds
//! instead.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::base::json::{FromJson, Json, from_json};

/// Text that must not be shown: a password, a master secret, the secret part of a credential.
///
/// It has no `Display`, its `Debug` is a fixed text, and dropping it wipes its memory. It is
/// serialised only for a message between two parts of Claviger, such as a password on its way to
/// the name object.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Wraps a secret text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text itself. Each call is a place where the secret may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The comparison takes constant time; only the lengths show.
impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

impl FromJson for SecretText {
    fn from_json(json: Json) -> Option<Self> {
        json.into_text().map(Self::new)
    }
}

from_json!(SecretText);

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// SHA-256 of a generated secret's ASCII text: the only form in storage.
///
/// A slow hash would add nothing to 256 random bits. Comparison takes constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Computes the digest of a generated secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Returns the digest's bytes, for storage.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Restores a digest from its stored bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl FromJson for Digest {
    fn from_json(json: Json) -> Option<Self> {
        let bytes = Base64UrlUnpadded::decode_vec(&json.into_text()?).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

from_json!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_secret() {
        let secret = SecretText::new("hunter2-hunter2".into());
        assert_eq!(format!("{secret:?}"), "SecretText(…)");
        assert_eq!(format!("{:?}", Digest::of(b"hunter2-hunter2")), "Digest(…)");
    }

    #[test]
    fn a_digest_survives_storage_and_nothing_else_parses() {
        let digest = Digest::of(b"abc");
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, r#""ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0""#);
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for bad in [r#""""#, r#""ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa1""#, r#""AAAA""#, "7"] {
            assert!(serde_json::from_str::<Digest>(bad).is_err(), "{bad}");
        }
        assert_ne!(digest, Digest::of(b"abd"));
    }
}
