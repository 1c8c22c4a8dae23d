//! One-time codes of authenticator apps: TOTP (RFC 6238) over HOTP (RFC 4226), with HMAC-SHA-1, six
//! digits and steps of 30 seconds, which every app speaks.
//!
//! A seed has 160 bits (RFC 4226 §4 R6). It is stored encrypted, and shown once. A code is accepted
//! in its own step and in the ones before and after, because clocks of phones drift. The ledger
//! stores the step of the last accepted code: a code works once, and no earlier one works after it.

use core::fmt;

use base32ct::{Base32UpperUnpadded, Encoding};
use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand_core::CryptoRng;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::protocol::code::{Code, CodePurpose};
use crate::protocol::encryption::{AssociatedData, SecretKind};

/// Length of a seed, in bytes: as long as the hash (RFC 4226 §4 R6).
const SEED_BYTES: usize = 20;

/// Length of a step, in milliseconds.
const STEP_MS: i64 = 30_000;

/// Number of possible codes.
const CODES: u32 = 1_000_000;

/// The secret that an authenticator app and the ledger share; zeroed when dropped.
pub struct Seed(Zeroizing<[u8; SEED_BYTES]>);

/// The number of a step of 30 seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeStep(pub i64);

impl TimeStep {
    /// Returns the step of a time.
    pub fn at(now: UnixMs) -> Self {
        Self(now.as_ms().div_euclid(STEP_MS))
    }
}

impl Seed {
    /// Draws a seed.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; SEED_BYTES]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// Parses the text of a seed; `None` if it is not one.
    pub fn parse(text: &SecretText) -> Option<Self> {
        let bytes = Zeroizing::new(Base32UpperUnpadded::decode_vec(text.expose()).ok()?);
        bytes.as_slice().try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Returns the text of the seed in base32: for its member, and for encryption.
    pub fn text(&self) -> SecretText {
        SecretText::new(Base32UpperUnpadded::encode_string(self.0.as_slice()))
    }

    /// Returns the step of a typed code: the latest one that is later than `last`, and at most one
    /// step from `now`. `None` if the code is not six digits or belongs to no such step.
    pub fn step_of(&self, typed: &SecretText, last: TimeStep, now: UnixMs) -> Option<TimeStep> {
        let typed = Code::parse(CodePurpose::Totp, typed)?;
        let TimeStep(present) = TimeStep::at(now);
        let mut found = None;
        // All steps are compared, whatever matches.
        for drift in [-1, 0, 1] {
            let step = TimeStep(present.saturating_add(drift));
            let code = self.code(step);
            let is_same: bool = code.as_bytes().ct_eq(typed.expose().as_bytes()).into();
            if is_same && step > last {
                found = Some(step);
            }
        }
        found
    }

    /// Returns the code of a step (RFC 4226 §5.3).
    pub fn code(&self, step: TimeStep) -> Zeroizing<String> {
        // SHA-1 blocks have 64 bytes, and RFC 2104 pads a shorter key with zeros.
        let mut block = Zeroizing::new([0; 64]);
        for (place, byte) in block.iter_mut().zip(self.0.iter()) {
            *place = *byte;
        }
        let mut mac = Hmac::<Sha1>::new(&(*block).into());
        mac.update(&step.0.to_be_bytes());
        let hash: [u8; 20] = mac.finalize().into_bytes().into();
        let offset = usize::from(hash.last().copied().unwrap_or_default() & 0x0f);
        // The offset is at most 15, so four bytes follow it.
        let four = hash.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied();
        let number = u32::from_be_bytes(four.unwrap_or_default()) & 0x7fff_ffff;
        Zeroizing::new(format!("{:06}", number.checked_rem(CODES).unwrap_or_default()))
    }

    /// Returns the URI by which an app takes over the seed. `issuer` names the deployment, `label`
    /// the member in it.
    pub fn uri(&self, issuer: &str, label: &str) -> SecretText {
        // A colon separates the two.
        let written =
            |text: &str| utf8_percent_encode(&text.replace(':', " "), NON_ALPHANUMERIC).to_string();
        let (issuer, label, seed) = (written(issuer), written(label), self.text());
        SecretText::new(format!(
            "otpauth://totp/{issuer}:{label}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            seed.expose()
        ))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// Returns the associated data of a member's seed.
pub fn seed_associated_data(account: AccountId, member: &MemberId) -> AssociatedData<'_> {
    AssociatedData { purpose: SecretKind::TotpSeed, account, subject: member.as_str() }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// The seed of RFC 4226 appendix D and RFC 6238 appendix B: `12345678901234567890`.
    fn seed() -> Seed {
        Seed::parse(&SecretText::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into())).unwrap()
    }

    fn secret(text: &str) -> SecretText {
        SecretText::new(text.into())
    }

    #[test]
    fn the_vectors_of_rfc_4226_and_rfc_6238() {
        for (step, code) in [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(*seed().code(TimeStep(i64::try_from(step).unwrap())), code, "{step}");
        }
        // RFC 6238 lists eight digits; the last six are the code of six digits.
        for (s, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = UnixMs::from_ms(s * 1_000);
            assert_eq!(*seed().code(TimeStep::at(now)), code, "{s}");
            assert_eq!(
                seed().step_of(&secret(code), TimeStep(0), now),
                Some(TimeStep::at(now)),
                "{s}"
            );
        }
    }

    #[test]
    fn a_code_is_accepted_one_step_away_and_only_after_the_last() {
        let now = UnixMs::from_ms(1_111_111_111_000);
        let present = TimeStep::at(now);
        let read = |drift: i64, last: i64| {
            let code = seed().code(TimeStep(present.0 + drift));
            let found = seed().step_of(&secret(&code), TimeStep(present.0 + last), now);
            found.map(|step| step.0 - present.0)
        };
        for drift in -1..=1 {
            assert_eq!(read(drift, -2), Some(drift));
            assert_eq!(read(drift, drift), None, "a code works once");
            assert_eq!(read(drift, 1), None, "no earlier one works after it");
        }
        assert_eq!((read(-2, -9), read(2, -9)), (None, None));
    }

    #[test]
    fn digits_of_either_width_are_read_and_nothing_else() {
        let now = UnixMs::from_ms(59_000);
        let read = |text: &str| seed().step_of(&secret(text), TimeStep(0), now).is_some();
        for good in ["287082", " 287 082 ", "２８７０８２"] {
            assert!(read(good), "{good}");
        }
        for bad in ["", "28708", "2870820", "94287082", "287-082", "28708２\0", "٢٨٧٠٨٢"] {
            assert!(!read(bad), "{bad}");
        }
    }

    #[test]
    fn a_uri_names_issuer_and_member_and_escapes_both() {
        let uri = seed().uri("keys.example.com:8443", "mei@example.jp (例 & co?)");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/keys%2Eexample%2Ecom%208443:mei%40example%2Ejp%20%28%E4%BE%8B%20%26%20co%3F%29?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=keys%2Eexample%2Ecom%208443&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{:?} {uri:?}", seed()), "Seed(…) SecretText(…)");
    }

    #[test]
    fn a_drawn_seed_is_read_back_from_its_text_alone() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let drawn = Seed::draw(&mut rng);
        assert_eq!(drawn.text().expose().len(), 32);
        assert_eq!(Seed::parse(&drawn.text()).unwrap().0, drawn.0);
        assert_ne!(Seed::draw(&mut rng).0, drawn.0);
        for bad in [
            "",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ",
            "GEZDGNBVGY3TQOJQ",
            "1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        ] {
            assert!(Seed::parse(&secret(bad)).is_none(), "{bad}");
        }
    }
}
