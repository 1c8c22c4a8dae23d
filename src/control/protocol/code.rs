//! Codes that are mailed: six digits, typed by the person whose mailbox it is.
//!
//! A code has 20 bits, so that nobody who reads a database may be able to try them all: what is
//! stored is
//!
//! ```text
//! HMAC-SHA-256 under the pepper subkey of the newest generation over "claviger/code/1" 00 purpose 00 account 00 subject 00 digits
//! ```
//!
//! and the pepper is in no database. The MAC binds a code to what it confirms. A master secret that
//! is replaced while a code is on its way ends the code: mail another.

use core::fmt;

use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::credential::keyring::MacKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::protocol::master::MasterSecrets;

/// Digits of a code: what people copy without a slip, and with five tries one in 200,000.
pub const DIGITS: usize = 6;

/// How many codes there are.
const CODES: u32 = 1_000_000;

/// Draws at or above this are thrown away, so that every code is as likely: the largest multiple of
/// [`CODES`] in 32 bits.
const DRAWS_MAX: u32 = u32::MAX - u32::MAX % CODES;

/// Longest typed text that is looked at, in bytes: six full-width digits, each with a wide blank
/// around it.
const TYPED_BYTES_MAX: usize = 64;

const LABEL: &[u8] = b"claviger/code/1\0";

/// What a code confirms. The names are part of the MAC: they must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A deletion of keys.
    Deletion,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Deletion => b"deletion\0",
        }
    }
}

/// A code, as it was drawn or typed.
pub struct Code(Zeroizing<String>);

impl Code {
    /// Draws a code; all are equally likely.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        loop {
            let drawn = rng.next_u32();
            if drawn < DRAWS_MAX {
                let number = drawn.checked_rem(CODES).unwrap_or_default();
                return Self(Zeroizing::new(format!("{number:06}")));
            }
        }
    }

    /// Reads what was typed: six digits, also full-width ones, with blanks anywhere. `None` for
    /// anything else.
    pub fn parse(typed: &SecretText) -> Option<Self> {
        let text = Some(typed.expose()).filter(|text| text.len() <= TYPED_BYTES_MAX)?;
        let digits: Option<String> =
            text.chars().filter(|sign| !sign.is_whitespace()).map(digit).collect();
        digits.filter(|digits| digits.len() == DIGITS).map(|digits| Self(Zeroizing::new(digits)))
    }

    /// A code that was sealed.
    pub fn from_sealed(text: &SecretText) -> Self {
        Self(Zeroizing::new(text.expose().to_owned()))
    }

    /// What is kept of it, for what it confirms.
    pub fn mac(
        &self,
        purpose: Purpose,
        account: AccountId,
        subject: TokenId,
        master: &MasterSecrets,
    ) -> Digest {
        let key = MacKey::new(&master.newest().pepper());
        let (account, subject) = (account.as_str().as_bytes(), subject.as_str().as_bytes());
        Digest::from_bytes(key.mac(&[
            LABEL,
            purpose.name(),
            account,
            b"\0",
            subject,
            b"\0",
            self.0.as_bytes(),
        ]))
    }

    /// The digits, for the mail and for what seals them.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// The ASCII digit that a digit of either width is.
fn digit(sign: char) -> Option<char> {
    let value = match sign {
        '０'..='９' => u32::from(sign).checked_sub(u32::from('０'))?,
        _ => sign.to_digit(10)?,
    };
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::protocol::master::tests::master;

    fn parse(text: &str) -> Option<String> {
        Code::parse(&SecretText::new(text.into())).map(|code| code.expose().to_owned())
    }

    fn mac(code: &str, account: &str, subject: &str) -> [u8; 32] {
        let code = Code::parse(&SecretText::new(code.into())).unwrap();
        let (account, subject) =
            (AccountId::parse(account).unwrap(), TokenId::parse(subject).unwrap());
        *code.mac(Purpose::Deletion, account, subject, &master()).as_bytes()
    }

    #[test]
    fn six_digits_of_either_width_with_blanks_and_near_misses() {
        for good in
            ["012345", " 012 345 ", "０１２３４５", "０12　３45", "0 1 2 3 4 5\n", "\t012345"]
        {
            assert_eq!(parse(good).as_deref(), Some("012345"), "{good:?}");
        }
        for bad in [
            "",
            "01234",
            "0123456",
            "01234a",
            "01-2345",
            "+12345",
            "٠١٢٣٤٥",
            "0x1234",
            "012345\0",
            &" ".repeat(65),
            &format!("012345{}", " ".repeat(59)),
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn draws_have_six_digits_and_every_first_digit() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let codes: Vec<String> =
            (0..2_000).map(|_| Code::draw(&mut rng).expose().to_owned()).collect();
        assert!(codes.iter().all(|code| parse(code).as_ref() == Some(code)));
        let mut firsts: Vec<usize> = vec![0; 10];
        for code in &codes {
            firsts[usize::from(code.as_bytes()[0] - b'0')] += 1;
        }
        assert!(firsts.iter().all(|count| (140..=260).contains(count)), "{firsts:?}");
    }

    #[test]
    fn the_largest_draw_that_counts_is_the_last_of_a_whole_round() {
        assert_eq!(DRAWS_MAX, 4_294_000_000);
    }

    #[test]
    fn a_code_counts_for_one_account_and_one_subject() {
        let macs = [
            mac("012345", "a1B2c3D4", "0123456789"),
            mac("012346", "a1B2c3D4", "0123456789"),
            mac("012345", "a1B2c3D5", "0123456789"),
            mac("012345", "a1B2c3D4", "0123456780"),
        ];
        assert_eq!(macs.iter().collect::<BTreeSet<_>>().len(), macs.len());
        assert_eq!(mac("０１２３４５", "a1B2c3D4", "0123456789"), macs[0]);
    }

    #[test]
    fn nothing_prints_a_code() {
        assert_eq!(
            format!("{:?}", Code::parse(&SecretText::new("012345".into()))),
            "Some(Code(…))"
        );
    }
}
