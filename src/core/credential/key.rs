//! Defines the key: a random credential that Claviger makes, shown as one string.
//!
//! # Format, version 1
//!
//! ```text
//! key   = prefix "_" id secret tag crc        id = account number
//! width:             18 43     11  6               8       10
//! ```
//!
//! - Everything after `_` is base62 in the order `0-9A-Za-z` ([`crate::base::base62`]): ASCII, of
//!   fixed width, case-sensitive.
//! - `account`, `number` and `secret` are random. `id` is public. `secret` has 43 digits, 256 bits.
//!   Storage holds the SHA-256 of its ASCII text ([`Digest`]). For a viewable key, the ledger also
//!   stores the whole key, encrypted.
//! - `tag` is the first 8 bytes of HMAC-SHA-256 under the tag subkey
//!   ([`crate::credential::keyring`]) over `"claviger/tag/1" 00 prefix 00 id secret`. It is written
//!   as a big-endian number in base62, left-padded with `0` to 11 digits. Only Claviger can make
//!   it: a string with a wrong tag was never issued and must cause no lookup.
//! - `crc` is CRC-32/ISO-HDLC over `id secret tag`, in base62 left-padded to 6 digits. It reveals
//!   typing errors and lets secret scanners drop false positives. It adds no security.
//! - A parser MUST recompute `crc` and `tag` and compare them as text, the tag in constant time. It
//!   MUST NOT trim, fold case or accept any other spelling: whatever parses re-serialises to the
//!   same bytes.
//! - As a pair: the access key is `prefix "_" id`, the access secret is the remaining 60 digits.
//!   Joined, they are the key.
//!
//! Worked example (also a test vector, `tests/vectors/key-example.txt`), with the master secret
//! `mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE` and the prefix `clv`:
//!
//! ```text
//! account a1B2c3D4   number 7Hq0p2Zx9K   secret 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg
#![doc = include_str!("../../../tests/vectors/key-example.txt")]
//! ```

use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::base::base62;
use crate::base::id::{AccountId, KeyId, Prefix};
use crate::base::secret::Digest;
use crate::credential::checksum::{CRC_WIDTH, checksum};
use crate::credential::keyring::{Keyring, MacKey};

/// Number of digits of the secret: 62^43 > 2^256.
pub const SECRET_WIDTH: usize = 43;
const TAG_WIDTH: usize = base62::U64_WIDTH;

/// Number of digits of the access secret, the second half of the pair form.
pub const ACCESS_SECRET_WIDTH: usize = SECRET_WIDTH + TAG_WIDTH + CRC_WIDTH;

/// Number of digits after the separator.
pub const BODY_WIDTH: usize = KeyId::WIDTH + ACCESS_SECRET_WIDTH;

const TAG_LABEL: &[u8] = b"claviger/tag/1\0";

/// The reason why a string is not a key. The string alone decides it, so any caller may learn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKey {
    /// The string does not begin with the deployment's prefix and `_`.
    #[error("the key does not begin with this deployment's prefix")]
    Prefix,
    /// The string has too few or too many characters.
    #[error("the key has {found} characters after its prefix instead of {BODY_WIDTH}")]
    Length {
        /// Number of bytes after the separator.
        found: usize,
    },
    /// The string holds a character outside base62.
    #[error("the key holds a character that no key has")]
    Alphabet,
    /// The checksum is wrong: a character is mistyped or missing.
    #[error("the key's checksum is wrong: a character is mistyped or missing")]
    Checksum,
}

/// A string in the form of a key, split into parts. The form does not prove who made it.
pub struct KeyText<'a> {
    id: KeyId,
    secret: &'a [u8],
    tag: &'a [u8],
}

impl<'a> KeyText<'a> {
    /// Parses a key.
    ///
    /// # Errors
    /// The first broken rule, in the order of [`MalformedKey`]'s variants.
    pub fn parse(text: &'a str, prefix: &Prefix) -> Result<Self, MalformedKey> {
        let body = text
            .strip_prefix(prefix.as_str())
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(MalformedKey::Prefix)?
            .as_bytes();
        let length = MalformedKey::Length { found: body.len() };
        if body.len() != BODY_WIDTH {
            return Err(length);
        }
        if !base62::is_base62(body) {
            return Err(MalformedKey::Alphabet);
        }
        let (covered, crc) = body.split_last_chunk::<CRC_WIDTH>().ok_or(length)?;
        if checksum(covered) != *crc {
            return Err(MalformedKey::Checksum);
        }
        let (id, rest) = covered.split_first_chunk::<{ KeyId::WIDTH }>().ok_or(length)?;
        let (secret, tag) = rest.split_first_chunk::<SECRET_WIDTH>().ok_or(length)?;
        let id = KeyId::from_bytes(id).ok_or(MalformedKey::Alphabet)?;
        Ok(Self { id, secret, tag })
    }

    /// Returns the public part. It proves nothing.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Checks the tag against every generation of the keyring. Returns the key if Claviger made it;
    /// `None` if it was made up.
    pub fn authenticate(&self, prefix: &Prefix, keyring: &Keyring) -> Option<MadeKey> {
        keyring
            .iter()
            .any(|generation| {
                tag(generation.tag_key(), prefix, &self.id, self.secret).ct_eq(self.tag).into()
            })
            .then(|| MadeKey { id: self.id, digest: Digest::of(self.secret) })
    }
}

impl fmt::Debug for KeyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText({}…)", self.id)
    }
}

/// A key that Claviger did make at some time: only such a key may cause a lookup (P3). Its present
/// validity is a matter of [`crate::verify::verification`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeKey {
    id: KeyId,
    digest: Digest,
}

impl MadeKey {
    /// Returns the key's ID.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the digest of the presented secret.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A newly drawn key, with its secret. It exists only until it was shown once.
pub struct NewKey {
    id: KeyId,
    digest: Digest,
    text: Zeroizing<String>,
}

impl NewKey {
    /// Draws a key of `account`.
    pub fn generate(
        account: AccountId,
        prefix: &Prefix,
        keyring: &Keyring,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let id = KeyId::random(account, rng);
        let secret = Zeroizing::new(base62::random::<SECRET_WIDTH>(rng));
        Self::assemble(id, &secret, prefix, keyring.newest().tag_key())
    }

    fn assemble(id: KeyId, secret: &[u8; SECRET_WIDTH], prefix: &Prefix, key: &MacKey) -> Self {
        let tag = tag(key, prefix, &id, secret);
        let covered = Zeroizing::new([id.as_str().as_bytes(), secret, &tag].concat());
        let crc = checksum(&covered);
        let mut text = Zeroizing::new(String::with_capacity(13_usize.saturating_add(BODY_WIDTH)));
        text.push_str(prefix.as_str());
        text.push('_');
        text.extend(covered.iter().chain(&crc).map(|byte| char::from(*byte)));
        Self { id, digest: Digest::of(secret), text }
    }

    /// Returns the key's ID.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the digest of the secret, for storage.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the whole key, for the one response that shows it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the pair form: access key and access secret.
    pub fn expose_pair(&self) -> (&str, &str) {
        self.text
            .split_at_checked(self.text.len().saturating_sub(ACCESS_SECRET_WIDTH))
            .unwrap_or_default()
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({}…)", self.id)
    }
}

/// Returns the access key of `id`: the public half of the pair form.
pub fn access_key(prefix: &Prefix, id: KeyId) -> String {
    [prefix.as_str(), "_", id.as_str()].concat()
}

fn tag(key: &MacKey, prefix: &Prefix, id: &KeyId, secret: &[u8]) -> [u8; TAG_WIDTH] {
    let mac =
        key.mac(&[TAG_LABEL, prefix.as_str().as_bytes(), b"\0", id.as_str().as_bytes(), secret]);
    short_tag(&mac)
}

/// Returns the first 8 bytes of a MAC, as a big-endian number in 11 base62 digits: 64 bits. Every
/// tag of Claviger has this form.
pub fn short_tag(mac: &[u8; 32]) -> [u8; TAG_WIDTH] {
    let [a, b, c, d, e, f, g, h, ..] = *mac;
    base62::encode(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{clv, key_id, keyring, newest_generation};
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn drawn(seed: u64) -> NewKey {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        NewKey::generate(AccountId::random(&mut rng), &clv(), &keyring(), &mut rng)
    }

    fn made(text: &str) -> Option<MadeKey> {
        KeyText::parse(text, &clv()).ok()?.authenticate(&clv(), &keyring())
    }

    #[test]
    fn the_worked_example_holds() {
        let id = key_id();
        let secret = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";
        let key = NewKey::assemble(id, secret, &clv(), keyring().newest().tag_key());
        let shown = format!(
            "key     {}\ndigest  {}\n",
            key.expose(),
            serde_json::to_string(&key.digest()).unwrap().trim_matches('"')
        );
        assert_eq!(shown, include_str!("../../../tests/vectors/key-example.txt"));
    }

    #[test]
    fn a_drawn_key_parses_as_made_and_its_pair_joins_to_it() {
        let key = drawn(1);
        let found = made(key.expose()).unwrap();
        assert_eq!((found.id(), *found.digest()), (key.id(), key.digest()));
        let (access_key, access_secret) = key.expose_pair();
        assert_eq!(access_key, super::access_key(&clv(), key.id()));
        assert_eq!(access_secret.len(), ACCESS_SECRET_WIDTH);
        assert_eq!([access_key, access_secret].concat(), key.expose());
    }

    #[test]
    fn debug_shows_the_id_and_no_secret() {
        let key = drawn(1);
        let text = KeyText::parse(key.expose(), &clv()).unwrap();
        assert_eq!(format!("{text:?} {key:?}"), format!("KeyText({0}…) NewKey({0}…)", key.id()));
    }

    #[test]
    fn a_key_of_an_older_generation_is_known_and_of_a_dropped_one_is_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let keyring = keyring();
        let older = keyring.find("a").unwrap().tag_key();
        let id = KeyId::random(AccountId::random(&mut rng), &mut rng);
        let key = NewKey::assemble(id, &base62::random(&mut rng), &clv(), older);
        assert!(made(key.expose()).is_some());
        let dropped = Keyring::parse(&format!("[{}]", newest_generation(""))).unwrap();
        let text = KeyText::parse(key.expose(), &clv()).unwrap();
        assert!(text.authenticate(&clv(), &dropped).is_none());
    }

    #[test]
    fn a_key_of_another_prefix_is_none_of_ours_even_with_a_new_front() {
        let other = Prefix::parse("abc").unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let key = NewKey::generate(AccountId::random(&mut rng), &other, &keyring(), &mut rng);
        assert_eq!(KeyText::parse(key.expose(), &clv()).unwrap_err(), MalformedKey::Prefix);
        let dressed = key.expose().replacen("abc", "clv", 1);
        assert!(KeyText::parse(&dressed, &clv()).is_ok());
        assert!(made(&dressed).is_none());
    }

    #[test]
    fn one_changed_character_anywhere_is_never_a_made_key() {
        let key = drawn(5);
        for (place, _) in key.expose().char_indices() {
            for other in ["0", "A", "z", "_", "-", " ", "é", "\0"] {
                let mut changed = key.expose().to_owned();
                changed.replace_range(place..=place, other);
                if changed != key.expose() {
                    assert!(KeyText::parse(&changed, &clv()).is_err(), "{place} {other:?}");
                }
            }
        }
    }

    #[test]
    fn with_the_checksum_mended_the_tag_still_refuses() {
        let key = drawn(6);
        let body = &key.expose().as_bytes()[4..4 + BODY_WIDTH - CRC_WIDTH];
        for place in 0..body.len() {
            let mut changed = body.to_vec();
            changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
            let crc = checksum(&changed);
            let text = format!(
                "clv_{}{}",
                String::from_utf8(changed).unwrap(),
                String::from_utf8(crc.to_vec()).unwrap()
            );
            assert!(KeyText::parse(&text, &clv()).is_ok());
            assert!(made(&text).is_none(), "{place}");
        }
    }

    #[test]
    fn every_form_of_malformed_is_told_by_name() {
        let key = drawn(7);
        let text = key.expose();
        for (bad, expected) in [
            (String::new(), MalformedKey::Prefix),
            ("clv".into(), MalformedKey::Prefix),
            (text.to_uppercase(), MalformedKey::Prefix),
            (format!(" {text}"), MalformedKey::Prefix),
            (format!("{text} "), MalformedKey::Length { found: 79 }),
            (format!("{text}\n"), MalformedKey::Length { found: 79 }),
            (text[..text.len() - 1].into(), MalformedKey::Length { found: 77 }),
            (format!("clv_{}", "é".repeat(39)), MalformedKey::Alphabet),
            (format!("clv_{}", "0".repeat(78)), MalformedKey::Checksum),
        ] {
            assert_eq!(KeyText::parse(&bad, &clv()).unwrap_err(), expected, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_reads_back_the_same(text in "clv_[0-9A-Za-z]{78}|\\PC{0,100}") {
            if let Ok(parsed) = KeyText::parse(&text, &clv()) {
                let body = [parsed.id.as_str().as_bytes(), parsed.secret, parsed.tag].concat();
                let crc = checksum(&body);
                prop_assert_eq!([b"clv_".as_slice(), &body, &crc].concat(), text.into_bytes());
            }
        }
    }
}
