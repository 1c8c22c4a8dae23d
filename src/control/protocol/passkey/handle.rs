//! User handles: the bytes by which a passkey names its account and member.
//!
//! ```text
//! handle = account member tag
//! width:   8       11     22      all base62
//! ```
//!
//! `tag` is 128 bits of a MAC under the token subkey over the label `claviger/passkey/1`, `00`, the
//! prefix, `00`, and `account member`. So a handle that Claviger never made costs no call of a
//! ledger. It proves nothing else: the ledger compares the signature with a stored public key.
//! Passkeys outlive generations of the master secret, so the tags of all generations count, also of
//! a compromised one.

use claviger_core::base::id::{AccountId, MemberId, Prefix};
use claviger_core::credential::keyring::MacKey;
use subtle::ConstantTimeEq;

use crate::protocol::identity::Membership;
use crate::protocol::master::MasterSecrets;
use crate::protocol::token::wide_tag;

const COVERED_WIDTH: usize = AccountId::WIDTH + MemberId::WIDTH;
const TAG_WIDTH: usize = 22;

// WebAuthn Level 2 §5.4.3: a user handle has at most 64 bytes.
const _: () = assert!(COVERED_WIDTH + TAG_WIDTH <= 64);

/// Returns the handle of a member.
pub fn draw_handle(of: Membership, prefix: &Prefix, master: &MasterSecrets) -> Vec<u8> {
    let covered = [of.account.as_str().as_bytes(), of.member.as_str().as_bytes()].concat();
    let tag = tag(master.newest().token_key(), prefix, &covered);
    [covered, tag].concat()
}

/// Returns the member of a handle that Claviger made; `None` for anything else.
pub fn parse_handle(bytes: &[u8], prefix: &Prefix, master: &MasterSecrets) -> Option<Membership> {
    let (covered, given) = bytes.split_at_checked(COVERED_WIDTH)?;
    let is_made = |key: &MacKey| -> bool { tag(key, prefix, covered).ct_eq(given).into() };
    master.iter().any(|generation| is_made(generation.token_key())).then_some(())?;
    named_by_handle(bytes)
}

/// Returns the member whom a handle names. The tag is not checked.
pub fn named_by_handle(bytes: &[u8]) -> Option<Membership> {
    let (account, rest) = bytes.split_first_chunk::<{ AccountId::WIDTH }>()?;
    let (member, tag) = rest.split_first_chunk::<{ MemberId::WIDTH }>()?;
    let (account, member) = (AccountId::from_bytes(account)?, MemberId::from_bytes(member)?);
    (tag.len() == TAG_WIDTH).then_some(Membership { account, member })
}

fn tag(key: &MacKey, prefix: &Prefix, covered: &[u8]) -> Vec<u8> {
    wide_tag(&key.mac(&[b"claviger/passkey/1\0", prefix.as_str().as_bytes(), b"\0", covered]))
}

#[cfg(test)]
mod tests {
    use claviger_core::testing::clv;

    use super::*;
    use crate::protocol::master::tests::{MASTER, master};

    fn mei() -> Membership {
        Membership {
            account: AccountId::parse("a1B2c3D4").unwrap(),
            member: MemberId::parse("0123456789A").unwrap(),
        }
    }

    #[test]
    fn a_handle_names_its_member_and_a_changed_one_is_none() {
        let handle = draw_handle(mei(), &clv(), &master());
        assert_eq!(handle.len(), 41);
        assert!(handle.starts_with(b"a1B2c3D40123456789A"));
        assert_eq!(parse_handle(&handle, &clv(), &master()), Some(mei()));
        for place in 0..handle.len() {
            let mut changed = handle.clone();
            changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
            assert_eq!(parse_handle(&changed, &clv(), &master()), None, "{place}");
            assert_eq!(parse_handle(&handle[..place], &clv(), &master()), None, "{place}");
        }
        assert_eq!(parse_handle(&[handle, b"0".into()].concat(), &clv(), &master()), None);
        assert_eq!(parse_handle(&[0xff; 41], &clv(), &master()), None);
    }

    #[test]
    fn a_handle_outlives_the_generation_that_made_it() {
        let (newer, older) = MASTER.split_once(",\n").unwrap();
        let alone = older.trim_start().replace(r#","retired_at":"2026-01-01T00:00:00Z""#, "");
        let before = MasterSecrets::parse(&format!("[{alone}")).unwrap();
        let handle = draw_handle(mei(), &clv(), &before);
        let compromised = older.trim_start().replace("}]", r#","compromised":true}]"#);
        let master = MasterSecrets::parse(&format!("{newer},{compromised}")).unwrap();
        assert_eq!(parse_handle(&handle, &clv(), &master), Some(mei()));
        let dropped = MasterSecrets::parse(&format!("{newer}]")).unwrap();
        assert_eq!(parse_handle(&handle, &clv(), &dropped), None);
        assert_eq!(named_by_handle(&handle), Some(mei()));
    }
}
