//! Creation, storage and display of service credentials.
//!
//! The password is generated at random, so its SHA-256 suffices for comparison. Owners and
//! administrators can see it again after a fresh proof of identity. For that, the ledger stores it
//! encrypted ([`crate::protocol::encryption`]) and cannot read it.

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

use crate::protocol::encryption::{self, AssociatedData, Ciphertext, SecretKind};
use crate::protocol::master::MasterSecrets;

/// Returns the associated data of an account's encrypted service password.
pub fn associated_data(account: &AccountId) -> AssociatedData<'_> {
    AssociatedData {
        purpose: SecretKind::ServicePassword,
        account: *account,
        subject: account.as_str(),
    }
}

/// A service password that was just drawn.
pub struct NewPassword(SecretText);

impl NewPassword {
    /// Draws a random password.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let digits = Zeroizing::new(base62::random::<PASSWORD_WIDTH>(rng));
        Self(SecretText::new(digits.iter().map(|digit| char::from(*digit)).collect()))
    }

    /// Returns the digest and the ciphertext for the ledger of `account`.
    pub fn service(
        &self,
        account: AccountId,
        prefix: &Prefix,
        master: &MasterSecrets,
        rng: &mut impl CryptoRng,
    ) -> Option<NewService> {
        let sealed = encryption::encrypt(&self.0, associated_data(&account), master, rng)?;
        Some(NewService {
            ids: ids(account, prefix, master.keyring()),
            digest: Digest::of(self.0.expose().as_bytes()),
            sealed,
        })
    }

    /// Returns the password itself. It may appear in one HTTP response only.
    pub fn text(&self) -> &SecretText {
        &self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// Service credentials that the admin Worker has generated, in the form in which it sends them to
/// the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewService {
    /// Valid service IDs, newest first. The account keeps its present ID if it is among them.
    pub ids: Vec<ServiceId>,
    /// Digest of the password.
    pub digest: Digest,
    /// Encrypted password, bound to the account.
    pub sealed: Ciphertext,
}

/// Service credentials as members see them. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Service ID; `None` while there is no password.
    pub id: Option<ServiceId>,
    /// Time of the password's last change, Unix ms.
    pub changed_at: Option<UnixMs>,
    /// Name of the member who last changed password or ceiling; `None` if they are unchanged since
    /// the account was opened.
    pub changed_by: Option<String>,
    /// Ceiling of keys issued with the password.
    pub ceiling: Ceiling,
    /// Revision of the last change; 0: there was none.
    pub revision: Revision,
    /// Uses of the password; `None` in replies that do not show them, and from a ledger of an
    /// earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ServiceUsage>,
}

/// Uses of the service password that were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceUsage {
    /// Time of the last use, Unix ms; `None` if there was none.
    pub last_used_at: Option<UnixMs>,
    /// Number of uses on the present day in UTC and the seven days before it.
    pub uses_7d: u64,
    /// Networks of these uses, the latest first; at most 16.
    pub networks: Vec<ServiceNetwork>,
}

/// A network from which the service password was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNetwork {
    /// The network: a /24, or a /64 for IPv6.
    pub network: String,
    /// Number of uses.
    pub uses: u64,
    /// Time of the last use, Unix ms.
    pub last_at: UnixMs,
}

/// Returns the ceiling of a new service password: any network, any lifetime, and every permission
/// that keys may be issued with. No wildcard covers Claviger's reserved permissions.
pub fn fresh_ceiling() -> Ceiling {
    // This constant list parses; if it did not, the ceiling would grant nothing.
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
    use claviger_core::testing::{account, clv};

    #[test]
    fn a_password_opens_in_its_own_account_and_shows_itself_nowhere() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let password = NewPassword::generate(&mut rng);
        let text = password.text().expose().to_owned();
        let service = password.service(account(), &clv(), &master(), &mut rng).unwrap();
        assert_eq!(presented(&text), Some(service.digest));
        let opened =
            encryption::decrypt(&service.sealed, associated_data(&account()), &master()).unwrap();
        assert_eq!(opened.expose(), text);
        let other = AccountId::parse("a1B2c3D5").unwrap();
        assert!(encryption::decrypt(&service.sealed, associated_data(&other), &master()).is_none());
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
