//! Defines opaque tokens: session cookies, the set-up links of accounts, invitations, and
//! challenges.
//!
//! ```text
//! token = kind account id secret tag
//! width:  1    8       10 43     11 or 22      all base62
//! id    = created salt
//! width:  6       4
//! ```
//!
//! - `created` is the time of creation, in Unix seconds. The tag covers it. So a token that is too
//!   old is refused by its text alone, and a link left in a terminal's scrollback expires by
//!   itself.
//! - `tag` is computed like a key's ([`claviger_core::credential::key`]), under the token subkey,
//!   over a label, `00`, the prefix, `00`, and `kind account id secret`. A token with a wrong tag
//!   was never made, and costs one HMAC per generation of the master secret.
//!
//! | kind | label | tag | what else proves it |
//! | --- | --- | --- | --- |
//! | session | `claviger/token/1` | 64 bits in 11 digits | a ledger's digest of the secret |
//! | set-up link | `claviger/setup/1` | 128 bits in 22 digits | nothing: it is not stored |
//! | invitation | `claviger/invite/1` | 128 bits in 22 digits | a ledger's digest of the secret |
//! | challenge | `claviger/challenge/1` | 128 bits in 22 digits | a ledger's digest of the secret |
//!
//! A forged session would have to match a stored digest as well. A forged set-up link would open an
//! account, so that its tag must be beyond guessing.
//!
//! Releases before 0.2.0 drew the IDs of sessions at random, and gave set-up links 11 digits of
//! tag. Read as a time, such an ID is too old or lies in the future, so these cookies are over.
//! Their links are no tokens.

use core::fmt;

use claviger_core::base::base62;
use claviger_core::base::id::{AccountId, MemberId, Prefix, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::key::short_tag;
use claviger_core::credential::keyring::MacKey;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::protocol::master::MasterSecrets;

const SECRET_WIDTH: usize = 43;
const SALT_WIDTH: usize = TokenId::WIDTH - base62::U32_WIDTH;
const COVERED_WIDTH: usize = 1 + AccountId::WIDTH + TokenId::WIDTH + SECRET_WIDTH;
const OWNER_LABEL: &[u8] = b"claviger/owner/1\0";

/// Life of a set-up link, in milliseconds: a day, so that an operator can create it in the evening
/// and use it in the morning.
pub const SETUP_LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// Life of an invitation, in milliseconds: a week, so that it outlasts a short absence.
pub const INVITATION_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Life of a challenge, in milliseconds: time to find the phone, and to wait for the next code.
pub const CHALLENGE_LIFE_MS: i64 = 5 * 60 * 1000;

/// Longest life of a session, in milliseconds: a working day with overtime.
pub const SESSION_LIFE_MS: i64 = 12 * 60 * 60 * 1000;

/// Time by which a token may seem to come from the future, in milliseconds. Clocks differ by a
/// second within the platform, and the clock of an operator's own machine by more.
pub(super) const AHEAD_MS_MAX: i64 = 60 * 1000;

/// The purpose of a token. Its letter is part of the token's text and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A signed-in browser.
    Session,
    /// The right to create an account: the deployment's first one, or one that an operator invited.
    Setup,
    /// The right to join an account.
    Invitation,
    /// A sign-in that waits for a second factor.
    Challenge,
}

impl Kind {
    fn letter(self) -> u8 {
        match self {
            Self::Session => b'S',
            Self::Setup => b'U',
            Self::Invitation => b'I',
            Self::Challenge => b'C',
        }
    }

    fn life_ms(self) -> i64 {
        match self {
            Self::Session => SESSION_LIFE_MS,
            Self::Setup => SETUP_LIFE_MS,
            Self::Invitation => INVITATION_LIFE_MS,
            Self::Challenge => CHALLENGE_LIFE_MS,
        }
    }

    /// Returns the tag of a token of this kind, in base62.
    fn tag(self, key: &MacKey, prefix: &Prefix, covered: &[u8]) -> Vec<u8> {
        let mac = |label| key.mac(&[label, prefix.as_str().as_bytes(), b"\0", covered]);
        match self {
            Self::Session => short_tag(&mac(b"claviger/token/1\0")).into(),
            Self::Setup => wide_tag(&mac(b"claviger/setup/1\0")),
            Self::Invitation => wide_tag(&mac(b"claviger/invite/1\0")),
            Self::Challenge => wide_tag(&mac(b"claviger/challenge/1\0")),
        }
    }
}

/// A token that Claviger made: only such a token may cause a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeToken {
    kind: Kind,
    account: AccountId,
    id: TokenId,
    digest: Digest,
}

impl MadeToken {
    /// Parses a token of `kind` and checks its tag; `None` for anything else, without a reason.
    pub fn parse(text: &str, kind: Kind, prefix: &Prefix, master: &MasterSecrets) -> Option<Self> {
        let (covered, tag) = text.as_bytes().split_at_checked(COVERED_WIDTH)?;
        if covered.first() != Some(&kind.letter()) {
            return None;
        }
        // An attacker with a compromised secret could forge any of them.
        master
            .iter()
            .filter(|generation| !generation.is_compromised())
            .any(|generation| kind.tag(generation.token_key(), prefix, covered).ct_eq(tag).into())
            .then_some(())?;
        let (_, rest) = covered.split_first_chunk::<1>()?;
        let (account, rest) = rest.split_first_chunk::<{ AccountId::WIDTH }>()?;
        let (id, secret) = rest.split_first_chunk::<{ TokenId::WIDTH }>()?;
        Some(Self {
            kind,
            account: AccountId::from_bytes(account)?,
            id: TokenId::from_bytes(id)?,
            digest: Digest::of(secret),
        })
    }

    /// Returns the account whose ledger knows the token.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the ID under which that ledger stores the token.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// Returns the digest of the presented secret.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the ID of the owner that a set-up token creates. It depends only on the token, so an
    /// interrupted set-up can be repeated. It is 64 bits of a hash over the secret's digest.
    pub fn owner(&self) -> MemberId {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(OWNER_LABEL)
            .chain_update(self.digest.as_bytes())
            .finalize()
            .into();
        MemberId::from_hash(&hash)
    }

    /// Returns `true` if the token is too old for its kind, or its time of creation lies in the
    /// future. A session may end earlier: its ledger knows.
    pub fn is_over(&self, now: UnixMs) -> bool {
        !is_within(&self.id, self.kind.life_ms(), now)
    }
}

/// A newly drawn token, with its secret.
pub struct NewToken {
    made: MadeToken,
    text: Zeroizing<String>,
}

impl NewToken {
    /// Draws a session token of `account`, created at `now`.
    pub fn session(
        account: AccountId,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Self {
        Self::draw(Kind::Session, account, now, prefix, master, rng)
    }

    /// Draws a set-up token, created at `now`, for an account with a newly drawn ID.
    pub fn setup(
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Self {
        Self::setup_of(AccountId::random(rng), now, prefix, master, rng)
    }

    /// Draws another set-up token of an account.
    pub fn setup_of(
        account: AccountId,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Self {
        Self::draw(Kind::Setup, account, now, prefix, master, rng)
    }

    /// Draws the token of an invitation to `account`, created at `now`.
    pub fn invitation(
        account: AccountId,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Self {
        Self::draw(Kind::Invitation, account, now, prefix, master, rng)
    }

    /// Draws the token of a challenge at an account, created at `now`.
    pub fn challenge(
        account: AccountId,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Self {
        Self::draw(Kind::Challenge, account, now, prefix, master, rng)
    }

    fn draw(
        kind: Kind,
        account: AccountId,
        now: UnixMs,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let id = token_id(now, rng);
        let secret = Zeroizing::new(base62::random::<SECRET_WIDTH>(rng));
        let parts: [&[u8]; 4] = [
            &[kind.letter()],
            account.as_str().as_bytes(),
            id.as_str().as_bytes(),
            secret.as_slice(),
        ];
        let covered = Zeroizing::new(parts.concat());
        let tag = kind.tag(master.newest().token_key(), prefix, &covered);
        let text = covered.iter().chain(&tag).map(|byte| char::from(*byte)).collect();
        let made = MadeToken { kind, account, id, digest: Digest::of(secret.as_slice()) };
        Self { made, text: Zeroizing::new(text) }
    }

    /// Returns the parts that storage needs.
    pub fn made(&self) -> &MadeToken {
        &self.made
    }

    /// Returns the token itself, for one cookie or one link.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewToken({}…)", self.made.id)
    }
}

/// Draws an ID that holds the time of its creation.
pub(super) fn token_id(now: UnixMs, rng: &mut impl CryptoRng) -> TokenId {
    let made_s = u64::try_from(now.as_ms() / 1000).unwrap_or_default();
    let time: [u8; base62::U32_WIDTH] = base62::encode(made_s);
    let salt: [u8; SALT_WIDTH] = base62::random(rng);
    // The digits are base62 and of the right number, so the default is never used.
    TokenId::from_bytes(&[time.as_slice(), &salt].concat()).unwrap_or_else(|| TokenId::random(rng))
}

/// Returns `true` if the time in an ID is less than `life_ms` ago, and not in the future.
pub(super) fn is_within(id: &TokenId, life_ms: i64, now: UnixMs) -> bool {
    let made_s = id.as_str().as_bytes().get(..base62::U32_WIDTH).and_then(base62::decode);
    let made_ms = made_s.and_then(|s| i64::try_from(s).ok()?.checked_mul(1000));
    let age_ms = made_ms.and_then(|made| now.as_ms().checked_sub(made));
    age_ms.is_some_and(|age| (-AHEAD_MS_MAX..life_ms).contains(&age))
}

/// Returns the first 16 bytes of a MAC: each half in the form of [`short_tag`].
pub(super) fn wide_tag(mac: &[u8; 32]) -> Vec<u8> {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *mac;
    let half = |bytes| base62::encode::<{ base62::U64_WIDTH }>(u64::from_be_bytes(bytes));
    [half([a, b, c, d, e, f, g, h]), half([i, j, k, l, m, n, o, p])].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::master::tests::{MASTER, master};
    use claviger_core::testing::clv;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_session_is_known_and_one_changed_character_anywhere_is_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let account = AccountId::random(&mut rng);
        let token = NewToken::session(account, UnixMs::from_ms(0), &clv(), &master(), &mut rng);
        let parse = |text: &str| MadeToken::parse(text, Kind::Session, &clv(), &master());
        assert_eq!(parse(token.expose()).as_ref(), Some(token.made()));
        for (place, _) in token.expose().char_indices() {
            let mut changed = token.expose().to_owned();
            let other = if changed[place..].starts_with('7') { "8" } else { "7" };
            changed.replace_range(place..=place, other);
            assert_eq!(parse(&changed), None, "{place}");
        }
        for bad in ["", "S", &format!("{} ", token.expose()), &token.expose()[1..]] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_of_one_kind_or_deployment_is_none_of_another() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let setup =
            NewToken::setup(UnixMs::from_ms(1_800_000_000_000), &clv(), &master(), &mut rng);
        assert!(MadeToken::parse(setup.expose(), Kind::Setup, &clv(), &master()).is_some());
        assert!(MadeToken::parse(setup.expose(), Kind::Session, &clv(), &master()).is_none());
        let again = MadeToken::parse(setup.expose(), Kind::Setup, &clv(), &master()).unwrap();
        assert_eq!(again.owner(), setup.made().owner());
        assert_ne!(
            again.owner(),
            NewToken::setup(UnixMs::from_ms(0), &clv(), &master(), &mut rng).made().owner()
        );
        let other = Prefix::parse("abc").unwrap();
        assert!(MadeToken::parse(setup.expose(), Kind::Setup, &other, &master()).is_none());
    }

    /// The kinds have one length in part and one subkey. Letter and label must keep them apart.
    #[test]
    fn an_invitation_is_no_token_of_another_kind_by_its_letter_or_by_its_label() {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let (account, now) = (AccountId::random(&mut rng), UnixMs::from_ms(0));
        let tokens = [
            NewToken::invitation(account, now, &clv(), &master(), &mut rng),
            NewToken::setup_of(account, now, &clv(), &master(), &mut rng),
            NewToken::session(account, now, &clv(), &master(), &mut rng),
        ];
        for (place, token) in tokens.iter().enumerate() {
            for (wanted, kind) in [Kind::Invitation, Kind::Setup, Kind::Session].iter().enumerate()
            {
                let parse = |text: &str| MadeToken::parse(text, *kind, &clv(), &master());
                assert_eq!(parse(token.expose()).is_some(), wanted == place, "{kind:?}");
                let mut relabelled = token.expose().to_owned();
                relabelled.replace_range(..1, &char::from(kind.letter()).to_string());
                assert_eq!(parse(&relabelled).is_some(), wanted == place, "{kind:?}");
            }
        }
    }

    #[test]
    fn a_token_of_a_compromised_generation_is_none() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let (newer, older) = MASTER.split_once(",\n").unwrap();
        let (older, retired) = older.trim_start().split_once(",\"retired_at\"").unwrap();
        let made_with = MasterSecrets::parse(&format!("[{older}}}]")).unwrap();
        let token = NewToken::setup(UnixMs::from_ms(0), &clv(), &made_with, &mut rng);
        let retired = retired.trim_end_matches("}]");
        for (mark, known) in [("", true), (r#","compromised":true"#, false)] {
            let master = format!("{newer},{older},\"retired_at\"{retired}{mark}}}]");
            let master = MasterSecrets::parse(&master).unwrap();
            assert_eq!(
                MadeToken::parse(token.expose(), Kind::Setup, &clv(), &master).is_some(),
                known,
                "{mark}"
            );
        }
    }

    #[test]
    fn a_set_up_link_is_as_wide_as_its_format_says_and_half_of_its_tag_is_none() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let setup = NewToken::setup(UnixMs::from_ms(0), &clv(), &master(), &mut rng);
        let text = setup.expose();
        assert_eq!(text.len(), 84);
        let parse = |text: &str| MadeToken::parse(text, Kind::Setup, &clv(), &master());
        assert_eq!(parse(text).as_ref(), Some(setup.made()));
        // The form of earlier releases, and every other cut.
        for end in 0..text.len() {
            assert_eq!(parse(&text[..end]), None, "{end}");
        }
        for place in 62..text.len() {
            let mut changed = text.to_owned();
            let other = if changed[place..].starts_with('7') { "8" } else { "7" };
            changed.replace_range(place..=place, other);
            assert_eq!(parse(&changed), None, "{place}");
        }
        let session = NewToken::session(
            setup.made().account(),
            UnixMs::from_ms(0),
            &clv(),
            &master(),
            &mut rng,
        );
        assert_eq!(session.expose().len(), 73);
        let account = setup.made().account();
        let now = UnixMs::from_ms(0);
        let invitation = NewToken::invitation(account, now, &clv(), &master(), &mut rng);
        assert_eq!(invitation.expose().len(), 84);
    }

    #[test]
    fn a_token_lives_as_long_as_its_kind_and_not_a_millisecond_longer() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let start = UnixMs::from_ms(1_800_000_000_000);
        let account = AccountId::random(&mut rng);
        let setup = NewToken::setup(start, &clv(), &master(), &mut rng);
        let session = NewToken::session(account, start, &clv(), &master(), &mut rng);
        let invitation = NewToken::invitation(account, start, &clv(), &master(), &mut rng);
        for (token, life_ms) in
            [(setup, 86_400_000), (session, 43_200_000), (invitation, 604_800_000)]
        {
            for (after, over) in [
                (-60_001, true),
                (-60_000, false),
                (0, false),
                (life_ms - 1, false),
                (life_ms, true),
                (i64::MAX - start.as_ms(), true),
            ] {
                let now = UnixMs::from_ms(start.as_ms() + after);
                assert_eq!(token.made().is_over(now), over, "{life_ms} {after}");
            }
        }
    }

    /// A cookie of an earlier release has a random ID.
    #[test]
    fn an_id_that_is_no_time_is_over() {
        let made = |id: &str| MadeToken {
            kind: Kind::Session,
            account: AccountId::parse("a1B2c3D4").unwrap(),
            id: TokenId::parse(id).unwrap(),
            digest: Digest::of(b""),
        };
        let now = UnixMs::from_ms(1_800_000_000_000);
        for id in ["zzzzzz0000", "0000000000", "7Hq0p2Zx9K", "1zzzzz0000"] {
            assert!(made(id).is_over(now), "{id}");
        }
    }
}
