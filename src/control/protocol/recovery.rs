//! Recovery codes: ten texts that a member stores, each of which works once in place of a code of
//! their authenticator app.
//!
//! A code has 80 random bits, as 16 digits of base32 in groups of four. The stored form is
//!
//! ```text
//! HMAC-SHA-256 under the code subkey of a generation over "claviger/recovery/1" 00 account 00 member 00 digits
//! ```
//!
//! with the generation's ID beside it: a code outlives the rotation of the master secret, and ends
//! when its generation is removed.

use core::fmt;

use base32ct::{Base32Unpadded, Encoding};
use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::secret::{Digest, SecretText};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::protocol::master::{MasterGeneration, MasterSecrets};

/// Number of codes that a member has at first.
pub const CODES: usize = 10;

/// Random bytes of a code.
const CODE_BYTES: usize = 10;

/// Digits of a code, in base32.
const DIGITS: usize = 16;

/// Digits of a group.
const GROUP: usize = 4;

/// Longest typed text that is parsed, in bytes: full-width digits with blanks and dashes.
const TYPED_BYTES_MAX: usize = 128;

const LABEL: &[u8] = b"claviger/recovery/1\0";

/// A recovery code, drawn or typed: 16 digits in lower case, zeroed when dropped.
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// Draws a code.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        rng.fill_bytes(bytes.as_mut());
        Self(Zeroizing::new(Base32Unpadded::encode_string(bytes.as_slice())))
    }

    /// Parses a typed code: 16 digits of base32 in either case and width, with blanks and dashes
    /// anywhere. `None` for anything else.
    pub fn parse(typed: &SecretText) -> Option<Self> {
        let text = Some(typed.expose()).filter(|text| text.len() <= TYPED_BYTES_MAX)?;
        let digits = text.chars().filter(|sign| !is_separator(*sign)).map(digit);
        let digits = Zeroizing::new(digits.collect::<Option<String>>()?);
        Some(digits).filter(|digits| digits.len() == DIGITS).map(Self)
    }

    /// Returns the code as people read it: groups of four, separated by dashes.
    pub fn text(&self) -> SecretText {
        let groups: Vec<&str> = (0..DIGITS)
            .step_by(GROUP)
            .filter_map(|from| self.0.get(from..from.saturating_add(GROUP)))
            .collect();
        SecretText::new(groups.join("-"))
    }

    /// Returns the MAC to store under a generation.
    pub fn mac(&self, account: AccountId, member: MemberId, under: &MasterGeneration) -> Digest {
        let (account, member) = (account.as_str().as_bytes(), member.as_str().as_bytes());
        let parts = [LABEL, account, b"\0", member, b"\0", self.0.as_bytes()];
        Digest::from_bytes(under.code_key().mac(&parts))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// The stored forms of a member's codes, as the admin Worker has just drawn them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRecoveryCodes {
    /// ID of the generation whose subkey made the MACs.
    pub generation: String,
    /// MACs of the codes.
    pub macs: Vec<Digest>,
}

impl NewRecoveryCodes {
    /// Draws the codes of a member: their texts, and what the ledger stores.
    pub fn draw(
        account: AccountId,
        member: MemberId,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> (Vec<RecoveryCode>, Self) {
        let under = master.newest();
        let codes: Vec<RecoveryCode> = (0..CODES).map(|_| RecoveryCode::draw(rng)).collect();
        let macs = codes.iter().map(|code| code.mac(account, member, under)).collect();
        (codes, Self { generation: under.id().to_owned(), macs })
    }
}

/// Returns `true` for signs that people put between groups.
fn is_separator(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '-' | '‐' | '‑' | '–' | '－' | 'ー')
}

/// Converts a digit of base32 in either case and width to its lower case in ASCII.
fn digit(sign: char) -> Option<char> {
    let ascii = match sign {
        '！'..='～' => char::from_u32(u32::from(sign).checked_sub(0xfee0)?)?,
        _ => sign,
    };
    match ascii.to_ascii_lowercase() {
        digit @ ('a'..='z' | '2'..='7') => Some(digit),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::protocol::master::tests::master;

    fn parse(text: &str) -> Option<String> {
        RecoveryCode::parse(&SecretText::new(text.into())).map(|code| code.text().expose().into())
    }

    #[test]
    fn a_code_is_read_in_either_case_and_width_with_dashes_and_blanks() {
        for good in [
            "abcd-efgh-2345-67mn",
            "ABCDEFGH234567MN",
            " abcd efgh\t2345 67mn\n",
            "ａｂｃｄ－ｅｆｇｈ－２３４５－６７ＭＮ",
        ] {
            assert_eq!(parse(good).as_deref(), Some("abcd-efgh-2345-67mn"), "{good}");
        }
        for bad in [
            "",
            "abcd-efgh-2345-67m",
            "abcd-efgh-2345-67mnq",
            "abcd-efgh-2345-61mn",
            "abcd_efgh_2345_67mn",
            "abcd-efgh-2345-67m\0",
            "ábcd-efgh-2345-67mn",
            &"a ".repeat(100),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn drawn_codes_differ_and_are_read_back() {
        let (account, member) =
            (AccountId::parse("a1B2c3D4").unwrap(), MemberId::parse("ooooooooooo").unwrap());
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let (codes, stored) = NewRecoveryCodes::draw(account, member, &master(), &mut rng);
        let texts: BTreeSet<String> =
            codes.iter().map(|code| code.text().expose().to_owned()).collect();
        assert_eq!((texts.len(), stored.macs.len()), (CODES, CODES));
        for (code, mac) in codes.iter().zip(&stored.macs) {
            assert_eq!(parse(code.text().expose()).as_deref(), Some(code.text().expose()));
            assert!(code.mac(account, member, master().newest()) == *mac);
        }
        assert_eq!(format!("{:?}", codes.first().unwrap()), "RecoveryCode(…)");
    }

    #[test]
    fn a_mac_belongs_to_one_account_and_one_member() {
        let code = RecoveryCode::parse(&SecretText::new("a".repeat(16))).unwrap();
        let mac = |account: &str, member: &str| {
            let (account, member) =
                (AccountId::parse(account).unwrap(), MemberId::parse(member).unwrap());
            *code.mac(account, member, master().newest()).as_bytes()
        };
        let all = BTreeSet::from([
            mac("a1B2c3D4", "ooooooooooo"),
            mac("a1B2c3D5", "ooooooooooo"),
            mac("a1B2c3D4", "ooooooooooa"),
        ]);
        assert_eq!(all.len(), 3);
    }
}
