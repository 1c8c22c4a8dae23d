//! Binary values of passkeys, as messages carry them.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that messages carry in base64url without padding (RFC 4648 §5). No other text of the same
/// bytes is read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BinaryText(Vec<u8>);

impl BinaryText {
    /// Wraps bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Parses the text; `None` if it is not the one form of its bytes.
    pub fn parse(text: &str) -> Option<Self> {
        Base64UrlUnpadded::decode_vec(text).ok().map(Self)
    }

    /// Returns the text.
    pub fn to_text(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for BinaryText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BinaryText({} bytes)", self.0.len())
    }
}

impl Serialize for BinaryText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for BinaryText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not base64url without padding"))
    }
}

/// The public key of a passkey: a point on P-256, uncompressed (SEC 1 §2.3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(BinaryText);

impl PublicKey {
    /// Wraps the stored form.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(BinaryText::new(bytes))
    }

    /// Returns the stored form.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
