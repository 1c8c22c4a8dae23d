//! Service credentials: with which a customer's own program, that is nobody's key, asks for keys.
//!
//! ```text
//! service ID       = account tag      width: 8 11    both base62
//! service password = secret           width: 43      base62
//! ```
//!
//! `tag` is made as a key's is ([`crate::key`]), under the tag subkey, over `"claviger/service/1" 00 prefix 00 account`. So a made-up
//! service ID costs an HMAC and no lookup. There is one for each account and generation of the ring; an account keeps the one that it was
//! given, also when its password changes, for as long as the ring knows its generation.
//!
//! The password is generated, so that what is compared is its SHA-256. It is shown again to an owner or administrator who has proven
//! who they are: the ledger keeps it encrypted ([`crate::vault`]), and cannot read it.

use core::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::base62;
use crate::id::{AccountId, Prefix, ServiceId};
use crate::issuer::Ceiling;
use crate::key::short_tag;
use crate::network::Networks;
use crate::permission::Permissions;
use crate::record::Revision;
use crate::ring::{Generation, Ring};
use crate::secret::{Digest, SecretText};
use crate::time::UnixMs;
use crate::vault::{self, Place, Purpose, Sealed};

/// Digits of a service password: 62^43 > 2^256.
pub const PASSWORD_WIDTH: usize = 43;

const TAG_WIDTH: usize = base62::U64_WIDTH;
const LABEL: &[u8] = b"claviger/service/1\0";

const _: () = assert!(ServiceId::WIDTH == AccountId::WIDTH + TAG_WIDTH);

/// A service ID that Claviger made: the only thing about service credentials that may cause a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeServiceId {
    account: AccountId,
    id: ServiceId,
}

impl MadeServiceId {
    /// Parses a service ID and checks its tag against every generation; `None` for everything else, without a reason.
    pub fn parse(text: &str, prefix: &Prefix, ring: &Ring) -> Option<Self> {
        let id = ServiceId::parse(text)?;
        let (account, found) = text.as_bytes().split_first_chunk::<{ AccountId::WIDTH }>()?;
        let account = AccountId::from_bytes(account)?;
        ring.iter()
            .any(|generation| tag(generation, prefix, account).ct_eq(found).into())
            .then_some(Self { account, id })
    }

    /// Whose it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The ID.
    pub fn id(&self) -> ServiceId {
        self.id
    }
}

/// The service IDs of an account that the ring knows, that of the newest generation first.
pub fn ids(account: AccountId, prefix: &Prefix, ring: &Ring) -> Vec<ServiceId> {
    let made = |generation| {
        ServiceId::from_bytes(&[account.as_str().as_bytes(), &tag(generation, prefix, account)].concat())
    };
    ring.iter().filter_map(made).collect()
}

fn tag(generation: &Generation, prefix: &Prefix, account: AccountId) -> [u8; TAG_WIDTH] {
    let parts = [LABEL, prefix.as_str().as_bytes(), b"\0", account.as_str().as_bytes()];
    short_tag(&generation.tag_key().mac(&parts))
}

/// The digest of a service password that was presented; `None` for a text that cannot be one.
pub fn presented(password: &str) -> Option<Digest> {
    let bytes = password.as_bytes();
    (bytes.len() == PASSWORD_WIDTH && base62::is_base62(bytes)).then(|| Digest::of(bytes))
}

/// Where an account's service password belongs, encrypted.
pub fn place(account: &AccountId) -> Place<'_> {
    Place { purpose: Purpose::ServicePassword, account: *account, subject: account.as_str() }
}

/// A service password that was just drawn.
pub struct NewPassword(SecretText);

impl NewPassword {
    /// Draws one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let digits = Zeroizing::new(base62::random::<PASSWORD_WIDTH>(rng));
        Self(SecretText::new(digits.iter().map(|digit| char::from(*digit)).collect()))
    }

    /// What the ledger of `account` is to keep of it.
    pub fn service(
        &self,
        account: AccountId,
        prefix: &Prefix,
        ring: &Ring,
        rng: &mut impl CryptoRng,
    ) -> Option<NewService> {
        let sealed = vault::seal(&self.0, place(&account), ring, rng)?;
        Some(NewService {
            ids: ids(account, prefix, ring),
            digest: Digest::of(self.0.expose().as_bytes()),
            sealed,
        })
    }

    /// The password itself. It belongs into one answer and nowhere else.
    pub fn text(&self) -> &SecretText {
        &self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// Service credentials that the edge has drawn, as the ledger is told of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewService {
    /// The service IDs that are valid, the newest first: the account keeps the one that it has if it is among them.
    pub ids: Vec<ServiceId>,
    /// Digest of the password.
    pub digest: Digest,
    /// The password, encrypted.
    pub sealed: Sealed,
}

/// Service credentials as members see them. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// The service ID; `None` while there is no password.
    pub id: Option<ServiceId>,
    /// When the password was last changed.
    pub changed_at: Option<UnixMs>,
    /// Name of the member who last changed password or ceiling; `None`: they are as the account began.
    pub changed_by: Option<String>,
    /// How far the password may go.
    pub ceiling: Ceiling,
    /// Number of the last change; 0: there was none.
    pub revision: Revision,
}

/// How far a fresh service password may go: wherever, for as long, and for whatever keys may be issued. No wildcard covers Claviger's own
/// powers.
pub fn fresh_ceiling() -> Ceiling {
    // This list parses; if it did not, the ceiling would grant nothing.
    let permissions = Permissions::parse(["*:*"]).unwrap_or(Permissions::none());
    Ceiling { permissions, networks: Networks::anywhere(), longest: None }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::ring::tests::ring;

    const NEWER: &str = r#"{"id":"c","secret":"Xw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyEmKq4Zt0b"}"#;

    fn clv() -> Prefix {
        Prefix::parse("clv").unwrap()
    }

    fn account() -> AccountId {
        AccountId::parse("a1B2c3D4").unwrap()
    }

    #[test]
    fn a_service_id_that_was_made_is_told_from_every_other() {
        let made = ids(account(), &clv(), &ring());
        let text = made[0].to_string();
        assert_eq!(text.len(), 19);
        let parsed = MadeServiceId::parse(&text, &clv(), &ring()).unwrap();
        assert_eq!((parsed.account(), parsed.id()), (account(), made[0]));
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'7' { b'8' } else { b'7' };
            let forged = String::from_utf8(bytes).unwrap();
            assert!(MadeServiceId::parse(&forged, &clv(), &ring()).is_none(), "{forged}");
        }
        for bad in ["", &text[..18], &format!("{text}0"), &format!(" {text}"), &text.to_uppercase()] {
            assert!(MadeServiceId::parse(bad, &clv(), &ring()).is_none(), "{bad}");
        }
        assert!(MadeServiceId::parse(&text, &Prefix::parse("abc").unwrap(), &ring()).is_none());
    }

    #[test]
    fn a_service_id_lives_as_long_as_its_generation() {
        let old = r#"{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE","retired_at":"2026-01-01T00:00:00Z"}"#;
        let both = Ring::parse(&format!("[{NEWER},{old}]")).unwrap();
        let dropped = Ring::parse(&format!("[{NEWER}]")).unwrap();
        let before = ids(account(), &clv(), &ring())[0];
        let now = ids(account(), &clv(), &both);
        assert!(now.contains(&before) && now[0] != before);
        assert!(MadeServiceId::parse(before.as_str(), &clv(), &both).is_some());
        assert!(MadeServiceId::parse(before.as_str(), &clv(), &dropped).is_none());
    }

    #[test]
    fn a_service_id_s_tag_is_no_key_s_tag_and_its_text_is_pinned() {
        assert_eq!(ids(account(), &clv(), &ring())[0].as_str(), "a1B2c3D4CV5VrGm8Coo");
    }

    #[test]
    fn a_password_opens_in_its_own_account_and_shows_itself_nowhere() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let password = NewPassword::generate(&mut rng);
        let text = password.text().expose().to_owned();
        let service = password.service(account(), &clv(), &ring(), &mut rng).unwrap();
        assert_eq!(presented(&text), Some(service.digest));
        let opened = vault::open(&service.sealed, place(&account()), &ring()).unwrap();
        assert_eq!(opened.expose(), text);
        let other = AccountId::parse("a1B2c3D5").unwrap();
        assert!(vault::open(&service.sealed, place(&other), &ring()).is_none());
        let shown = format!("{password:?} {service:?} {}", serde_json::to_string(&service).unwrap());
        assert!(!shown.contains(&text));
        assert_ne!(NewPassword::generate(&mut rng).text().expose(), text);
        for bad in ["", &text[..42], &format!("{text}0"), &format!("{}_", &text[..42])] {
            assert_eq!(presented(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_fresh_ceiling_grants_everything_but_claviger_s_own_powers() {
        let Ceiling { permissions, networks, longest } = fresh_ceiling();
        assert!(permissions.grants(&"demo:read".parse().unwrap()));
        assert!(!permissions.grants(&"claviger:verify".parse().unwrap()));
        assert!(networks.is_unrestricted() && longest.is_none());
    }
}
