//! Mailed codes: digits that the owner of a mailbox types. Deletions and proofs of identity have
//! six. Password resets, which anyone can begin, and proofs of an address have eight.
//!
//! A code has only 20 or 27 bits, so a reader of the database could try all of them. The stored
//! form is therefore
//!
//! ```text
//! HMAC-SHA-256 under the code subkey of the newest generation over "claviger/code/1" 00 purpose 00 account 00 subject 00 digits
//! ```
//!
//! and no database contains the subkey. The MAC binds a code to the action that it confirms.
//! Replacing the master secret invalidates codes in transit; the member must request another.

use core::fmt;

use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::protocol::master::MasterSecrets;

/// Number of possible codes of the longest form. It is a multiple of the others.
const CODES: u32 = 100_000_000;

/// Bound of usable draws: the largest multiple of [`CODES`] in 32 bits. Draws at or above it are
/// discarded, so that all codes are equally likely.
const DRAWS_MAX: u32 = u32::MAX - u32::MAX % CODES;

/// Longest typed text that is parsed, in bytes: eight full-width digits with a wide blank after
/// most of them.
const TYPED_BYTES_MAX: usize = 64;

const LABEL: &[u8] = b"claviger/code/1\0";

/// The action that a code confirms. The names are part of the MAC and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    /// Deletion of keys.
    Deletion,
    /// Reset of a password. Its account is the one whose ledger mails the code.
    Reset,
    /// Proof of identity. Its subject is the session.
    Proof,
    /// Proof of an address at set-up. Its account is the one that the link opens.
    SetUp,
    /// Proof of the new address of a person. Its account is the one in which they are signed in.
    NewAddress,
    /// A code of an authenticator app ([`crate::protocol::totp`]), which has no MAC.
    Totp,
}

impl CodePurpose {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Deletion => b"deletion\0",
            Self::Reset => b"reset\0",
            Self::Proof => b"proof\0",
            Self::SetUp => b"set-up\0",
            Self::NewAddress => b"new-address\0",
            Self::Totp => b"totp\0",
        }
    }

    /// Returns the digits of a code. People copy six without errors, and five tries guess right
    /// with a chance of one in 200,000. A deletion needs a session besides. A reset needs nothing
    /// else: with eight, the fifty tries of a day guess right with a chance of one in 2,000,000.
    pub fn digits(self) -> usize {
        match self {
            Self::Deletion | Self::Proof | Self::Totp => 6,
            Self::Reset | Self::SetUp | Self::NewAddress => 8,
        }
    }
}

/// A code, drawn or typed; zeroed when dropped.
pub struct Code(Zeroizing<String>);

impl Code {
    /// Draws a code; all are equally likely.
    pub fn draw(purpose: CodePurpose, rng: &mut impl CryptoRng) -> Self {
        loop {
            let drawn = rng.next_u32();
            if drawn < DRAWS_MAX {
                let number =
                    Zeroizing::new(format!("{:08}", drawn.checked_rem(CODES).unwrap_or(0)));
                // The last digits of a number below a power of ten are as likely as all of it.
                let from = number.len().saturating_sub(purpose.digits());
                return Self(Zeroizing::new(number.get(from..).unwrap_or_default().to_owned()));
            }
        }
    }

    /// Parses a typed code: its digits, full-width ones allowed, with blanks anywhere. `None` for
    /// anything else.
    pub fn parse(purpose: CodePurpose, typed: &SecretText) -> Option<Self> {
        let text = Some(typed.expose()).filter(|text| text.len() <= TYPED_BYTES_MAX)?;
        let digits: Option<String> =
            text.chars().filter(|sign| !sign.is_whitespace()).map(digit).collect();
        let wanted = purpose.digits();
        digits.filter(|digits| digits.len() == wanted).map(|digits| Self(Zeroizing::new(digits)))
    }

    /// Returns the code from its decrypted text.
    pub fn from_sealed(text: &SecretText) -> Self {
        Self(Zeroizing::new(text.expose().to_owned()))
    }

    /// Returns the MAC to store, bound to purpose, account and subject.
    pub fn mac(
        &self,
        purpose: CodePurpose,
        account: AccountId,
        subject: TokenId,
        master: &MasterSecrets,
    ) -> Digest {
        let key = master.newest().code_key();
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

    /// Returns the digits, for the mail and for encryption.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// Converts an ASCII or full-width digit to ASCII.
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
        Code::parse(CodePurpose::Deletion, &SecretText::new(text.into()))
            .map(|code| code.expose().to_owned())
    }

    fn mac(code: &str, account: &str, subject: &str) -> [u8; 32] {
        let code = Code::parse(CodePurpose::Deletion, &SecretText::new(code.into())).unwrap();
        let (account, subject) =
            (AccountId::parse(account).unwrap(), TokenId::parse(subject).unwrap());
        *code.mac(CodePurpose::Deletion, account, subject, &master()).as_bytes()
    }

    #[test]
    fn six_digits_of_either_width_with_blanks_and_near_misses() {
        for good in
            ["012345", " 012 345 ", "０１２３４５", "０12　３45", "0 1 2 3 4 5\n", "\t012345"]
                .into_iter()
                .chain([format!("012345{}", " ".repeat(58)).as_str()])
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
        let codes: Vec<String> = (0..2_000)
            .map(|_| Code::draw(CodePurpose::Deletion, &mut rng).expose().to_owned())
            .collect();
        assert!(codes.iter().all(|code| parse(code).as_ref() == Some(code)));
        let mut firsts: Vec<usize> = vec![0; 10];
        for code in &codes {
            firsts[usize::from(code.as_bytes()[0] - b'0')] += 1;
        }
        assert!(firsts.iter().all(|count| (140..=260).contains(count)), "{firsts:?}");
    }

    #[test]
    fn the_largest_draw_that_counts_is_the_last_of_a_whole_round() {
        assert_eq!(DRAWS_MAX, 4_200_000_000);
    }

    #[test]
    fn a_reset_s_code_has_eight_digits_and_is_no_deletion_s() {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        for _ in 0..200 {
            let code = Code::draw(CodePurpose::Reset, &mut rng);
            let text = SecretText::new(code.expose().to_owned());
            assert_eq!(code.expose().len(), 8);
            assert!(Code::parse(CodePurpose::Reset, &text).is_some());
            assert!(Code::parse(CodePurpose::Deletion, &text).is_none());
        }
        let typed = SecretText::new("０1２3４5６7".into());
        let code = Code::parse(CodePurpose::Reset, &typed).unwrap();
        let (account, subject) =
            (AccountId::parse("a1B2c3D4").unwrap(), TokenId::parse("0123456789").unwrap());
        assert_ne!(
            code.mac(CodePurpose::Reset, account, subject, &master()),
            code.mac(CodePurpose::Deletion, account, subject, &master())
        );
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

    /// The value comes from an implementation apart from this one. Codes shared the pepper before.
    #[test]
    fn a_code_has_a_subkey_that_no_other_use_has() {
        let hex = base16ct::lower::encode_string(&mac("012345", "a1B2c3D4", "0123456789"));
        assert_eq!(hex, "961b83ab654b3ad9ed0ff69be9e4528390775e861732bcf37e9e669e42192475");
    }

    #[test]
    fn nothing_prints_a_code() {
        assert_eq!(
            format!("{:?}", Code::parse(CodePurpose::Deletion, &SecretText::new("012345".into()))),
            "Some(Code(…))"
        );
    }
}
