//! Defines the identifiers: deployment prefix, account, key, member, token. All are public and
//! ASCII; all but the prefix have a fixed width.

use core::fmt;

use rand_core::CryptoRng;
use serde::{Serialize, Serializer};

use crate::base::base62;
use crate::base::json::{FromJson, Json, from_json};

/// The deployment's prefix of every credential: 2 to 12 of `[a-z0-9]`. It does not end in `s`,
/// because `<prefix>s_` begins a sealed key.
///
/// It must never change: the tag covers it, so a change would end every key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Parses a prefix; `None` if it breaks the rule above.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (2..=12).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && !text.ends_with('s');
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the prefix without the separator.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Defines an identifier of `$width` base62 digits.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $width:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $width]);

        impl $name {
            /// Number of characters.
            pub const WIDTH: usize = $width;

            /// Parses exactly [`Self::WIDTH`] base62 digits; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                Self::from_bytes(text.as_bytes())
            }

            /// Parses bytes like [`Self::parse`].
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let digits: [u8; $width] = bytes.try_into().ok()?;
                base62::is_base62(&digits).then_some(Self(digits))
            }

            /// Returns the digits as text.
            pub fn as_str(&self) -> &str {
                // Base62 digits are ASCII, so the default is never used.
                core::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl FromJson for $name {
            fn from_json(json: Json) -> Option<Self> {
                Self::parse(&json.into_text()?)
            }
        }

        from_json!($name);
    };
}

identifier!(
    /// The ID of an account, one customer of the operator. It is random, and also names the
    /// account's ledger.
    AccountId, 8
);
identifier!(
    /// The ID of a key: its account's ID and a random number. It is public, and appears in lists,
    /// logs and URLs.
    KeyId, 18
);
identifier!(
    /// The ID of a sealed key: its account's ID, a random number, its issuer's sealing generation
    /// and a tag ([`crate::credential::sealed`]). It is public.
    SealedId, 35
);
identifier!(
    /// The ID of an account's member, unique within the deployment.
    MemberId, 11
);
identifier!(
    /// The ID of an opaque token, such as a session. It is random, unless the token's kind says
    /// otherwise.
    TokenId, 10
);
identifier!(
    /// The ID of an account in its issuance API: the account's ID and a tag
    /// ([`crate::credential::service_id`]). It is public.
    ServiceId, 19
);

impl AccountId {
    /// Draws a new ID.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(base62::random(rng))
    }
}

impl KeyId {
    /// Draws a new ID in `account`.
    pub fn random(account: AccountId, rng: &mut impl CryptoRng) -> Self {
        let number: [u8; 10] = base62::random(rng);
        let mut digits = [b'0'; Self::WIDTH];
        for (place, digit) in digits.iter_mut().zip(account.0.iter().chain(&number)) {
            *place = *digit;
        }
        Self(digits)
    }

    /// Returns the account that the key belongs to.
    pub fn account(&self) -> AccountId {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        AccountId([a, b, c, d, e, f, g, h])
    }
}

impl SealedId {
    /// Returns the account that the key belongs to.
    pub fn account(&self) -> AccountId {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        AccountId([a, b, c, d, e, f, g, h])
    }
}

/// The ID of a stored or sealed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AnyKeyId {
    /// The ID of a stored key.
    Key(KeyId),
    /// The ID of a sealed key.
    Sealed(SealedId),
}

impl AnyKeyId {
    /// Returns the account that the key belongs to.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Key(id) => id.account(),
            Self::Sealed(id) => id.account(),
        }
    }
}

impl fmt::Display for AnyKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Sealed(id) => id.fmt(f),
        }
    }
}

impl MemberId {
    /// Draws a new ID.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(base62::random(rng))
    }

    /// Derives an ID from the first 64 bits of a hash.
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *hash;
        Self(base62::encode(u64::from_be_bytes([a, b, c, d, e, f, g, h])))
    }
}

impl TokenId {
    /// Draws a new ID.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(base62::random(rng))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn prefixes_and_their_near_misses() {
        for good in ["clv", "ab", "a1", "s1", "abcdefghijkl"] {
            assert!(Prefix::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a", "abcdefghijklm", "CLV", "clvs", "cl_v", "cl-v", " clv", "clé"] {
            assert!(Prefix::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_s_id_begins_with_its_account() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let account = AccountId::random(&mut rng);
        let key = KeyId::random(account, &mut rng);
        assert_eq!(key.account(), account);
        assert!(key.as_str().starts_with(account.as_str()));
        assert_ne!(key, KeyId::random(account, &mut rng));
    }

    #[test]
    fn an_id_of_another_width_or_alphabet_is_none() {
        for bad in ["", "a1B2c3D", "a1B2c3D45", "a1B2c3D_", "a1B2c3Dé", "ａ1B2c3D"] {
            assert!(AccountId::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(AccountId::parse("a1B2c3D4").unwrap().to_string(), "a1B2c3D4");
    }
}
