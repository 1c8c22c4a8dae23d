//! Defines service credentials, with which a customer's program asks for keys without a key of any
//! member.
//!
//! ```text
//! service ID       = account tag      width: 8 11    both base62
//! service password = secret           width: 43      base62
//! ```
//!
//! `tag` is computed like a key's ([`crate::credential::key`]), under the tag subkey, over
//! `"claviger/service/1" 00 prefix 00 account`. So a made-up service ID costs an HMAC and no
//! lookup. Each account has one ID per generation of the keyring. An account keeps its ID, even
//! when its password changes, as long as the keyring holds the ID's generation.
//!
//! The password is generated, so a comparison of its SHA-256 is enough. The console shows it again
//! to an owner or administrator after a step-up. The ledger stores it encrypted, and cannot decrypt
//! it.

use subtle::ConstantTimeEq;

use crate::base::base62;
use crate::base::id::{AccountId, Prefix, ServiceId};
use crate::base::secret::Digest;
use crate::credential::key::short_tag;
use crate::credential::keyring::{Generation, Keyring};

/// Number of digits of a service password: 62^43 > 2^256.
pub const PASSWORD_WIDTH: usize = 43;

const TAG_WIDTH: usize = base62::U64_WIDTH;
const LABEL: &[u8] = b"claviger/service/1\0";

const _: () = assert!(ServiceId::WIDTH == AccountId::WIDTH + TAG_WIDTH);

/// A service ID that Claviger made: only such an ID may cause a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeServiceId {
    account: AccountId,
    id: ServiceId,
}

impl MadeServiceId {
    /// Parses a service ID and checks its tag against every generation; `None` for anything else,
    /// without a reason.
    pub fn parse(text: &str, prefix: &Prefix, keyring: &Keyring) -> Option<Self> {
        let id = ServiceId::parse(text)?;
        let (account, found) = text.as_bytes().split_first_chunk::<{ AccountId::WIDTH }>()?;
        let account = AccountId::from_bytes(account)?;
        keyring
            .iter()
            .any(|generation| tag(generation, prefix, account).ct_eq(found).into())
            .then_some(Self { account, id })
    }

    /// Returns the account that the ID belongs to.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the ID itself.
    pub fn id(&self) -> ServiceId {
        self.id
    }
}

/// Returns the valid service IDs of an account, that of the newest generation first.
pub fn ids(account: AccountId, prefix: &Prefix, keyring: &Keyring) -> Vec<ServiceId> {
    let made = |generation| {
        ServiceId::from_bytes(
            &[account.as_str().as_bytes(), &tag(generation, prefix, account)].concat(),
        )
    };
    keyring.iter().filter_map(made).collect()
}

fn tag(generation: &Generation, prefix: &Prefix, account: AccountId) -> [u8; TAG_WIDTH] {
    let parts = [LABEL, prefix.as_str().as_bytes(), b"\0", account.as_str().as_bytes()];
    short_tag(&generation.tag_key().mac(&parts))
}

/// Returns the digest of a presented service password; `None` if the text cannot be one.
pub fn presented(password: &str) -> Option<Digest> {
    let bytes = password.as_bytes();
    (bytes.len() == PASSWORD_WIDTH && base62::is_base62(bytes)).then(|| Digest::of(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, clv, edge_keys, keyring};

    #[test]
    fn a_service_id_that_was_made_is_told_from_every_other() {
        let made = ids(account(), &clv(), &keyring());
        let text = made[0].to_string();
        assert_eq!(text.len(), 19);
        let parsed = MadeServiceId::parse(&text, &clv(), &keyring()).unwrap();
        assert_eq!((parsed.account(), parsed.id()), (account(), made[0]));
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'7' { b'8' } else { b'7' };
            let forged = String::from_utf8(bytes).unwrap();
            assert!(MadeServiceId::parse(&forged, &clv(), &keyring()).is_none(), "{forged}");
        }
        for bad in ["", &text[..18], &format!("{text}0"), &format!(" {text}"), &text.to_uppercase()]
        {
            assert!(MadeServiceId::parse(bad, &clv(), &keyring()).is_none(), "{bad}");
        }
        assert!(MadeServiceId::parse(&text, &Prefix::parse("abc").unwrap(), &keyring()).is_none());
    }

    #[test]
    fn a_service_id_lives_as_long_as_its_generation() {
        let read = |generations: &[(&str, &str)]| Keyring::parse(&edge_keys(generations)).unwrap();
        let both = read(&[("c", ""), ("b", r#","retired_at_ms":1767225600000"#)]);
        let dropped = read(&[("c", "")]);
        let before = ids(account(), &clv(), &read(&[("b", "")]))[0];
        let now = ids(account(), &clv(), &both);
        assert!(now.contains(&before) && now[0] != before);
        assert!(MadeServiceId::parse(before.as_str(), &clv(), &both).is_some());
        assert!(MadeServiceId::parse(before.as_str(), &clv(), &dropped).is_none());
    }

    #[test]
    fn a_service_id_s_tag_is_no_key_s_tag_and_its_text_is_pinned() {
        assert_eq!(ids(account(), &clv(), &keyring())[0].as_str(), "a1B2c3D4CV5VrGm8Coo");
    }
}
