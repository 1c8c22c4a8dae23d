//! Challenges of passkeys: what an authenticator signs so that an answer is fresh.
//!
//! ```text
//! challenge = id secret tag
//! width:      10 22     22      all base62
//! id        = created salt
//! width:      6       4
//! ```
//!
//! No object stores a challenge that waits. `tag` is 128 bits of a MAC under the token subkey over
//! the label `claviger/ceremony/1`, `00`, the prefix, `00`, a letter for the purpose, what the
//! challenge is bound to, `00`, and `id secret`. So a challenge for one purpose answers no other,
//! and one of another session or sign-in is none. `created` ends it after five minutes. The ledger
//! that accepts an answer remembers its challenge for longer, so that it is accepted once.

use claviger_core::base::base62;
use claviger_core::base::id::{Prefix, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::keyring::MacKey;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::protocol::master::MasterSecrets;
use crate::protocol::token::{AHEAD_MS_MAX, CHALLENGE_LIFE_MS, is_within, token_id, wide_tag};

/// Life of a challenge, in milliseconds: that of a sign-in that waits for its second factor.
pub const CEREMONY_LIFE_MS: i64 = CHALLENGE_LIFE_MS;

/// Time for which a ledger remembers an answered challenge: longer than any clock accepts it.
const REMEMBERED: DurationMs =
    DurationMs::from_ms((CEREMONY_LIFE_MS + 2 * AHEAD_MS_MAX).unsigned_abs());

const SECRET_WIDTH: usize = 22;
const COVERED_WIDTH: usize = TokenId::WIDTH + SECRET_WIDTH;

/// The purpose of a challenge, with what it is bound to. The letters are part of the MAC and must
/// not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// Signing in by a passkey alone. No member is known yet, so it is bound to nothing.
    SignIn,
    /// Adding a passkey, in the session with this ID.
    Register(TokenId),
    /// Answering the challenge of a sign-in that waits for a second factor, with this ID.
    SecondFactor(TokenId),
    /// Proving one's identity once more, in the session with this ID.
    StepUp(TokenId),
}

/// The challenge of an answer: genuine, and fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredChallenge {
    /// Digest of the challenge.
    pub digest: Digest,
    /// Time from which its age alone refuses it, Unix ms.
    pub until: UnixMs,
}

impl Ceremony {
    fn letter(self) -> u8 {
        match self {
            Self::SignIn => b'I',
            Self::Register(_) => b'R',
            Self::SecondFactor(_) => b'F',
            Self::StepUp(_) => b'U',
        }
    }

    fn bound_to(&self) -> &str {
        match self {
            Self::SignIn => "",
            Self::Register(id) | Self::SecondFactor(id) | Self::StepUp(id) => id.as_str(),
        }
    }

    /// Draws a challenge, created at `now`.
    pub fn draw(
        self,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> String {
        let secret: [u8; SECRET_WIDTH] = base62::random(rng);
        let covered = [token_id(now, rng).as_str().as_bytes(), secret.as_slice()].concat();
        let tag = self.tag(master.newest().token_key(), prefix, &covered);
        covered.into_iter().chain(tag).map(char::from).collect()
    }

    /// Checks the challenge of an answer; `None` if it is of another purpose, too old or made up.
    pub fn accept(
        self,
        challenge: &[u8],
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
    ) -> Option<AnsweredChallenge> {
        let (covered, given) = challenge.split_at_checked(COVERED_WIDTH)?;
        master
            .iter()
            .filter(|generation| !generation.is_compromised())
            .any(|made| self.tag(made.token_key(), prefix, covered).ct_eq(given).into())
            .then_some(())?;
        let id = TokenId::from_bytes(covered.get(..TokenId::WIDTH)?)?;
        is_within(&id, CEREMONY_LIFE_MS, now).then(|| AnsweredChallenge {
            digest: Digest::of(challenge),
            until: now.saturating_add(REMEMBERED),
        })
    }

    fn tag(self, key: &MacKey, prefix: &Prefix, covered: &[u8]) -> Vec<u8> {
        wide_tag(&key.mac(&[
            b"claviger/ceremony/1\0",
            prefix.as_str().as_bytes(),
            b"\0",
            &[self.letter()],
            self.bound_to().as_bytes(),
            b"\0",
            covered,
        ]))
    }
}

#[cfg(test)]
mod tests {
    use claviger_core::testing::clv;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;
    use crate::protocol::master::tests::{MASTER, master};

    const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);

    fn id(text: &str) -> TokenId {
        TokenId::parse(text).unwrap()
    }

    fn drawn(ceremony: Ceremony) -> String {
        ceremony.draw(NOW, &clv(), &master(), &mut ChaCha20Rng::seed_from_u64(7))
    }

    fn accepted(ceremony: Ceremony, challenge: &str, now: UnixMs) -> bool {
        ceremony.accept(challenge.as_bytes(), now, &clv(), &master()).is_some()
    }

    #[test]
    fn a_challenge_answers_its_purpose_in_its_session_alone() {
        let all = [
            Ceremony::SignIn,
            Ceremony::Register(id("0123456789")),
            Ceremony::SecondFactor(id("0123456789")),
            Ceremony::StepUp(id("0123456789")),
            Ceremony::StepUp(id("012345678A")),
        ];
        for (made, drawn_for) in all.into_iter().enumerate() {
            let challenge = drawn(drawn_for);
            assert_eq!(challenge.len(), 54);
            for (asked, ceremony) in all.into_iter().enumerate() {
                assert_eq!(accepted(ceremony, &challenge, NOW), made == asked, "{ceremony:?}");
            }
        }
    }

    #[test]
    fn a_challenge_ends_after_five_minutes_and_a_changed_one_is_none() {
        let challenge = drawn(Ceremony::SignIn);
        let later = |ms| UnixMs::from_ms(NOW.as_ms() + ms);
        assert!(accepted(Ceremony::SignIn, &challenge, later(299_999)));
        assert!(!accepted(Ceremony::SignIn, &challenge, later(300_000)));
        assert!(!accepted(Ceremony::SignIn, &challenge, later(-60_001)));
        for place in 0..challenge.len() {
            let mut changed = challenge.clone();
            let other = if changed[place..].starts_with('7') { "8" } else { "7" };
            changed.replace_range(place..=place, other);
            assert!(!accepted(Ceremony::SignIn, &changed, NOW), "{place}");
            assert!(!accepted(Ceremony::SignIn, &challenge[..place], NOW), "{place}");
        }
        assert!(!accepted(Ceremony::SignIn, &format!("{challenge}0"), NOW));
    }

    #[test]
    fn a_challenge_under_a_compromised_secret_is_none() {
        let (newer, older) = MASTER.split_once(",\n").unwrap();
        let alone = older.trim_start().replace(r#","retired_at":"2026-01-01T00:00:00Z""#, "");
        let before = MasterSecrets::parse(&format!("[{alone}")).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let challenge = Ceremony::SignIn.draw(NOW, &clv(), &before, &mut rng);
        for (mark, known) in [("", true), (r#","compromised":true"#, false)] {
            let older = older.trim_start().replace("}]", &format!("{mark}}}]"));
            let master = MasterSecrets::parse(&format!("{newer},{older}")).unwrap();
            let accepted = Ceremony::SignIn.accept(challenge.as_bytes(), NOW, &clv(), &master);
            assert_eq!(accepted.is_some(), known, "{mark}");
        }
    }
}
