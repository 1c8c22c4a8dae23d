//! Service credentials as the control plane makes, stores and shows them.
//!
//! The password is generated, so that what is compared is its SHA-256. It is shown again to an
//! owner or administrator who has proven who they are: the ledger keeps it encrypted
//! ([`crate::protocol::encryption`]), and cannot read it.

use core::fmt;

use claviger_core::base::base62;
use claviger_core::base::id::{AccountId, Prefix, ServiceId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::network::Networks;
use claviger_core::credential::limits::permission::Permissions;
use claviger_core::credential::service_id::{PASSWORD_WIDTH, ids};
use claviger_core::replication::record::Revision;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::protocol::encryption::{self, Place, Purpose, Sealed};
use crate::protocol::master::MasterSecrets;

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
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Option<NewService> {
        let sealed = encryption::seal(&self.0, place(&account), master, rng)?;
        Some(NewService {
            ids: ids(account, prefix, master.keyring()),
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
    /// The service IDs that are valid, the newest first: the account keeps the one that it has if
    /// it is among them.
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
    /// Name of the member who last changed password or ceiling; `None`: they are as the account
    /// began.
    pub changed_by: Option<String>,
    /// How far the password may go.
    pub ceiling: Ceiling,
    /// Number of the last change; 0: there was none.
    pub revision: Revision,
}

/// How far a fresh service password may go: wherever, for as long, and for whatever keys may be
/// issued. No wildcard covers Claviger's own powers.
pub fn fresh_ceiling() -> Ceiling {
    // This list parses; if it did not, the ceiling would grant nothing.
    let permissions = Permissions::parse(["*:*"]).unwrap_or(Permissions::none());
    Ceiling { permissions, networks: Networks::anywhere(), longest: None }
}

#[cfg(test)]
mod tests {
    use claviger_core::credential::service_id::presented;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::protocol::master::tests::master;

    fn clv() -> Prefix {
        Prefix::parse("clv").unwrap()
    }

    fn account() -> AccountId {
        AccountId::parse("a1B2c3D4").unwrap()
    }

    #[test]
    fn a_password_opens_in_its_own_account_and_shows_itself_nowhere() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let password = NewPassword::generate(&mut rng);
        let text = password.text().expose().to_owned();
        let service = password.service(account(), &clv(), &master(), &mut rng).unwrap();
        assert_eq!(presented(&text), Some(service.digest));
        let opened = encryption::open(&service.sealed, place(&account()), &master()).unwrap();
        assert_eq!(opened.expose(), text);
        let other = AccountId::parse("a1B2c3D5").unwrap();
        assert!(encryption::open(&service.sealed, place(&other), &master()).is_none());
        let shown =
            format!("{password:?} {service:?} {}", serde_json::to_string(&service).unwrap());
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
