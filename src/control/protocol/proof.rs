//! Proofs of identity: the methods, and the policy that says which one a class of actions demands.
//!
//! A session remembers the last proof: its method and its time. A command belongs to a class of
//! actions. The policy names the proof that the class demands, and `decide::authorise` in the
//! ledger compares the two.
//!
//! A member with a second factor proves their identity by that factor: a password alone is then no
//! proof, whatever the policy says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A method by which a member proves their identity. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofMethod {
    /// The password.
    Password,
    /// A mailed code.
    EmailCode,
    /// A code of an authenticator app.
    Totp,
    /// A recovery code, in place of a code of the app.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

impl ProofMethod {
    /// Returns the name of the method.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::EmailCode => "email_code",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
        }
    }

    /// Parses the name of a method. `None` for a method of a later release, which proves nothing
    /// here.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Password, Self::EmailCode, Self::Totp, Self::RecoveryCode, Self::Passkey]
            .into_iter()
            .find(|method| method.as_str() == name)
    }

    /// Returns `true` if the method is a second factor.
    pub fn is_factor(self) -> bool {
        match self {
            Self::Totp | Self::RecoveryCode | Self::Passkey => true,
            Self::Password | Self::EmailCode => false,
        }
    }
}

/// A class of actions for which an account may demand a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionClass {
    /// Issuing, editing, enabling and restoring keys.
    ChangeKeys,
    /// Showing a stored secret again.
    ShowSecrets,
    /// Changing the service credentials.
    ChangeService,
    /// Inviting, changing and removing members, and leaving.
    ManageMembers,
    /// Changing the account.
    ChangeAccount,
    /// Changing one's own password, e-mail address or second factors.
    ChangeFactors,
    /// Operating other accounts.
    Operate,
}

/// The proof that a class of actions demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandedProof {
    /// No proof beyond the session.
    None,
    /// The password, or the second factor of a member who has one.
    Password,
    /// A mailed code, or the second factor of a member who has one.
    EmailCode,
    /// A code of an authenticator app, or a stronger factor.
    Totp,
    /// A passkey.
    Passkey,
}

impl DemandedProof {
    /// Returns the methods that satisfy the demand. A member `with_factor` is one who has a second
    /// factor.
    pub fn methods(self, with_factor: bool) -> &'static [ProofMethod] {
        use ProofMethod::{EmailCode, Passkey, Password, RecoveryCode, Totp};
        match (self, with_factor) {
            (Self::None, _) => &[],
            (Self::Password, false) => &[Password],
            (Self::EmailCode, false) => &[EmailCode],
            (Self::Password | Self::EmailCode, true) | (Self::Totp, _) => {
                &[Totp, RecoveryCode, Passkey]
            }
            (Self::Passkey, _) => &[Passkey],
        }
    }
}

/// The last proof of a session, as it stands at the time of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenProof {
    /// Method of the proof; `None` for one of a later release.
    pub method: Option<ProofMethod>,
    /// `true` if the proof is fresh.
    pub is_fresh: bool,
    /// `true` if the member has a second factor.
    pub with_factor: bool,
}

impl GivenProof {
    /// Returns `true` if the proof satisfies a demand.
    pub fn satisfies(self, demand: DemandedProof) -> bool {
        let accepted = demand.methods(self.with_factor);
        demand == DemandedProof::None
            || (self.is_fresh && self.method.is_some_and(|method| accepts(accepted, method)))
    }
}

/// Returns `true` if a method is among the accepted ones. A factor that was given while the member
/// had one stands for a password after it was turned off.
fn accepts(accepted: &[ProofMethod], method: ProofMethod) -> bool {
    accepted.contains(&method) || (accepted == [ProofMethod::Password] && method.is_factor())
}

/// The proofs that an account demands, by class of action. An absent class demands a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProofPolicy {
    demands: BTreeMap<ActionClass, DemandedProof>,
}

impl ProofPolicy {
    /// Returns the policy with another demand for a class.
    #[must_use]
    pub fn with(mut self, class: ActionClass, demand: DemandedProof) -> Self {
        self.demands.insert(class, demand);
        self
    }

    /// Returns the demand for a class.
    pub fn demand(&self, class: ActionClass) -> DemandedProof {
        self.demands.get(&class).copied().unwrap_or(DemandedProof::Password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ProofMethod; 5] = [
        ProofMethod::Password,
        ProofMethod::EmailCode,
        ProofMethod::Totp,
        ProofMethod::RecoveryCode,
        ProofMethod::Passkey,
    ];

    fn accepted(demand: DemandedProof, with_factor: bool) -> Vec<&'static str> {
        let given = |method| GivenProof { method: Some(method), is_fresh: true, with_factor };
        ALL.into_iter()
            .filter(|method| given(*method).satisfies(demand))
            .map(ProofMethod::as_str)
            .collect()
    }

    #[test]
    fn a_password_proves_nothing_of_a_member_with_a_factor() {
        let factors = ["totp", "recovery_code", "passkey"];
        for demand in [DemandedProof::Password, DemandedProof::EmailCode, DemandedProof::Totp] {
            assert_eq!(accepted(demand, true), factors, "{demand:?}");
        }
        assert_eq!(accepted(DemandedProof::Totp, false), factors);
        assert_eq!(accepted(DemandedProof::EmailCode, false), ["email_code"]);
        let once_had = ["password", "totp", "recovery_code", "passkey"];
        assert_eq!(accepted(DemandedProof::Password, false), once_had);
        for with_factor in [false, true] {
            assert_eq!(accepted(DemandedProof::Passkey, with_factor), ["passkey"]);
            assert_eq!(accepted(DemandedProof::None, with_factor).len(), ALL.len());
        }
    }

    #[test]
    fn a_stale_or_unknown_proof_satisfies_no_demand_but_none() {
        for (method, is_fresh) in [(Some(ProofMethod::Passkey), false), (None, true)] {
            for with_factor in [false, true] {
                let given = GivenProof { method, is_fresh, with_factor };
                assert!(given.satisfies(DemandedProof::None));
                for demand in [
                    DemandedProof::Password,
                    DemandedProof::EmailCode,
                    DemandedProof::Totp,
                    DemandedProof::Passkey,
                ] {
                    assert!(!given.satisfies(demand), "{demand:?} {given:?}");
                }
            }
        }
    }

    #[test]
    fn a_class_that_a_policy_does_not_name_demands_a_password() {
        let policy = ProofPolicy::default().with(ActionClass::ChangeKeys, DemandedProof::Passkey);
        assert_eq!(policy.demand(ActionClass::ChangeKeys), DemandedProof::Passkey);
        assert_eq!(policy.demand(ActionClass::ShowSecrets), DemandedProof::Password);
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(json, r#"{"change_keys":"passkey"}"#);
        assert_eq!(serde_json::from_str::<ProofPolicy>(&json).unwrap(), policy);
        assert_eq!(serde_json::from_str::<ProofPolicy>("{}").unwrap(), ProofPolicy::default());
    }

    #[test]
    fn the_stored_names_are_read_back() {
        for method in ALL {
            assert_eq!(ProofMethod::parse(method.as_str()), Some(method));
            let json = serde_json::to_string(&method).unwrap();
            assert_eq!(json, format!("\"{}\"", method.as_str()));
        }
        assert_eq!(ProofMethod::parse("sms"), None);
    }
}
