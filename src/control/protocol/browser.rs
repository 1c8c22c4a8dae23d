//! Defines the mark of a browser in which a person has signed in.
//!
//! ```text
//! mark  = kind id version tag
//! width:  1    10 6       22     all base62
//! id    = created salt
//! width:  6       4
//! ```
//!
//! - `created` is the time of the sign-in, in Unix seconds; `version` is that of the password.
//! - `tag` is 128 bits of a MAC under the token subkey, over the label `claviger/browser/1`, `00`,
//!   the prefix, `00`, `kind id version`, and the person's e-mail address. So the mark of one
//!   person is none of another.
//!
//! A mark proves nothing about who types: it opens no session, and replaces no password or code. A
//! try with a mark counts against the mark alone ([`crate::protocol::tries`]). So an attacker
//! without it cannot use up the tries of a person in their own browser.
//!
//! No object stores a mark. The name object refuses it once the password has another version.

use claviger_core::base::base62;
use claviger_core::base::id::{Prefix, TokenId};
use claviger_core::base::time::UnixMs;
use claviger_core::credential::keyring::MacKey;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use crate::protocol::account::Email;
use crate::protocol::master::MasterSecrets;
use crate::protocol::member::SecretVersion;
use crate::protocol::token::{is_within, token_id, wide_tag};

/// Life of a mark, in milliseconds: a year.
pub const BROWSER_LIFE_MS: i64 = 365 * 24 * 60 * 60 * 1000;

const KIND: u8 = b'B';
const VERSION_WIDTH: usize = base62::U32_WIDTH;
const COVERED_WIDTH: usize = 1 + TokenId::WIDTH + VERSION_WIDTH;

/// The mark of a browser, whose tag was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownBrowser {
    /// ID of the mark, which names its counter.
    pub id: TokenId,
    /// Version of the password with which the person signed in.
    pub version: SecretVersion,
}

impl KnownBrowser {
    /// Draws the mark of a browser in which the person at `email` signs in now.
    pub fn draw(
        email: &Email,
        version: SecretVersion,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> String {
        let version: [u8; VERSION_WIDTH] = base62::encode(version.0.into());
        let covered = [&[KIND], token_id(now, rng).as_str().as_bytes(), &version].concat();
        let tag = tag(master.newest().token_key(), prefix, &covered, email);
        covered.into_iter().chain(tag).map(char::from).collect()
    }

    /// Parses a mark of the person at `email`; `None` for anything else, without a reason.
    pub fn parse(
        text: &str,
        email: &Email,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
    ) -> Option<Self> {
        let (covered, given) = text.as_bytes().split_at_checked(COVERED_WIDTH)?;
        master
            .iter()
            .filter(|generation| !generation.is_compromised())
            .any(|made| tag(made.token_key(), prefix, covered, email).ct_eq(given).into())
            .then_some(())?;
        let rest = covered.strip_prefix(&[KIND])?;
        let (id, version) = rest.split_first_chunk::<{ TokenId::WIDTH }>()?;
        let id = TokenId::from_bytes(id)?;
        let version = SecretVersion(base62::decode(version)?.try_into().ok()?);
        is_within(&id, BROWSER_LIFE_MS, now).then_some(Self { id, version })
    }
}

fn tag(key: &MacKey, prefix: &Prefix, covered: &[u8], email: &Email) -> Vec<u8> {
    let label = b"claviger/browser/1\0".as_slice();
    // The covered part has a fixed width, so the address begins at a fixed place.
    wide_tag(&key.mac(&[
        label,
        prefix.as_str().as_bytes(),
        b"\0",
        covered,
        email.as_str().as_bytes(),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::master::tests::{MASTER, master};
    use claviger_core::testing::clv;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);

    fn mei() -> Email {
        Email::parse("mei@example.jp").unwrap()
    }

    fn drawn(seed: u64) -> String {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        KnownBrowser::draw(&mei(), SecretVersion(3), NOW, &clv(), &master(), &mut rng)
    }

    fn read(text: &str, email: &Email, now: UnixMs) -> Option<KnownBrowser> {
        KnownBrowser::parse(text, email, now, &clv(), &master())
    }

    #[test]
    fn a_mark_is_one_of_its_person_and_a_changed_character_makes_it_none() {
        let text = drawn(1);
        assert_eq!(read(&text, &mei(), NOW).map(|known| known.version), Some(SecretVersion(3)));
        assert_ne!(read(&drawn(2), &mei(), NOW).unwrap().id, read(&text, &mei(), NOW).unwrap().id);
        for email in ["ken@example.jp", "mei@example.jpp", "xmei@example.jp"] {
            assert_eq!(read(&text, &Email::parse(email).unwrap(), NOW), None, "{email}");
        }
        for (place, _) in text.char_indices() {
            let mut changed = text.clone();
            let other = if changed[place..].starts_with('7') { "8" } else { "7" };
            changed.replace_range(place..=place, other);
            assert_eq!(read(&changed, &mei(), NOW), None, "{place}");
        }
        for bad in ["", "B", &format!("{text}0"), &text[1..], &text[..text.len() - 1]] {
            assert_eq!(read(bad, &mei(), NOW), None, "{bad}");
        }
    }

    #[test]
    fn a_mark_ends_after_a_year_and_with_its_master_secret() {
        let text = drawn(1);
        let later = |ms| UnixMs::from_ms(NOW.as_ms() + ms);
        assert!(read(&text, &mei(), later(BROWSER_LIFE_MS - 1)).is_some());
        assert_eq!(read(&text, &mei(), later(BROWSER_LIFE_MS)), None);
        assert_eq!(read(&text, &mei(), later(-120_000)), None, "it comes from the future");
        let (newer, older) = MASTER.split_once(",\n").unwrap();
        let alone = older.trim_start().replace(r#","retired_at":"2026-01-01T00:00:00Z""#, "");
        let before = MasterSecrets::parse(&format!("[{alone}")).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let text = KnownBrowser::draw(&mei(), SecretVersion(1), NOW, &clv(), &before, &mut rng);
        for (mark, known) in [("", true), (r#","compromised":true"#, false)] {
            let older = older.trim_start().replace("}]", &format!("{mark}}}]"));
            let master = MasterSecrets::parse(&format!("{newer},{older}")).unwrap();
            let read = KnownBrowser::parse(&text, &mei(), NOW, &clv(), &master);
            assert_eq!(read.is_some(), known, "{mark}");
        }
    }
}
