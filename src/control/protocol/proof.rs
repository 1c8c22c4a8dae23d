//! Proofs of identity: the methods, and the policy that says which one a class of actions demands.
//!
//! A session remembers the last proof: its method and its time. A command belongs to a class of
//! actions. The policy names the proof that the class demands, and `decide::authorise` in the
//! ledger compares the two.
//!
//! A member with a second factor proves their identity by that factor: a password alone is then no
//! proof, whatever the policy says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

    /// Returns `true` if a stranger may hit upon the right text by many tries. Recovery codes have
    /// 80 random bits, and passkeys sign.
    pub fn is_guessable(self) -> bool {
        match self {
            Self::Password | Self::EmailCode | Self::Totp => true,
            Self::RecoveryCode | Self::Passkey => false,
        }
    }
}

/// A class of actions for which an account may demand a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The proof that a class of actions demands, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// Parses the name in the HTTP API.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "password" => Some(Self::Password),
            "email_code" => Some(Self::EmailCode),
            "totp" => Some(Self::Totp),
            "passkey" => Some(Self::Passkey),
            _ => None,
        }
    }

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

/// The proofs that an account demands, by class of action.
///
/// [`ActionClass::ChangeFactors`] is no member: it demands the password, or the factor of a member
/// who has one. Otherwise a member could never set up the factor that another class demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ProofPolicy {
    /// Demand for issuing, editing, enabling and restoring keys.
    pub change_keys: DemandedProof,
    /// Demand for showing a stored secret again.
    pub show_secrets: DemandedProof,
    /// Demand for changing the service credentials.
    pub change_service: DemandedProof,
    /// Demand for inviting, changing and removing members, and for leaving.
    pub manage_members: DemandedProof,
    /// Demand for changing the account.
    pub change_account: DemandedProof,
    /// Demand for operating other accounts. It matters in the operator's account alone.
    pub operate: DemandedProof,
}

impl ProofPolicy {
    /// The demands of every preset.
    pub const PASSWORD: Self = Self::all(DemandedProof::Password);

    /// The demands that stand in for values that cannot be read.
    pub const STRICTEST: Self = Self::all(DemandedProof::Passkey);

    /// Returns the policy with one demand for all classes.
    const fn all(demand: DemandedProof) -> Self {
        Self {
            change_keys: demand,
            show_secrets: demand,
            change_service: demand,
            manage_members: demand,
            change_account: demand,
            operate: demand,
        }
    }

    /// Returns the demand for a class.
    pub fn demand(&self, class: ActionClass) -> DemandedProof {
        match class {
            ActionClass::ChangeKeys => self.change_keys,
            ActionClass::ShowSecrets => self.show_secrets,
            ActionClass::ChangeService => self.change_service,
            ActionClass::ManageMembers => self.manage_members,
            ActionClass::ChangeAccount => self.change_account,
            ActionClass::ChangeFactors => DemandedProof::Password,
            ActionClass::Operate => self.operate,
        }
    }

    /// Returns the demands of all classes that a policy can set.
    pub fn demands(&self) -> [DemandedProof; 6] {
        let Self {
            change_keys,
            show_secrets,
            change_service,
            manage_members,
            change_account,
            operate,
        } = *self;
        [change_keys, show_secrets, change_service, manage_members, change_account, operate]
    }

    /// Returns `true` if a class demands this here, and demanded something weaker in `before`.
    pub fn demands_more(&self, before: Self, demand: DemandedProof) -> bool {
        let mut pairs = self.demands().into_iter().zip(before.demands());
        pairs.any(|(now, then)| now == demand && then < demand)
    }

    /// Reads the JSON form. A demand that is absent is a password, as before there were others.
    /// One that cannot be read is the strictest.
    pub fn read(json: &Value) -> Self {
        let Some(members) = json.as_object() else { return Self::STRICTEST };
        let demand = |name| match members.get(name) {
            None => DemandedProof::Password,
            Some(value) => DemandedProof::deserialize(value).unwrap_or(DemandedProof::Passkey),
        };
        Self {
            change_keys: demand("change_keys"),
            show_secrets: demand("show_secrets"),
            change_service: demand("change_service"),
            manage_members: demand("manage_members"),
            change_account: demand("change_account"),
            operate: demand("operate"),
        }
    }
}

/// Changes of demanded proofs. `None` keeps a demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofChanges {
    /// New demand for changing keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_keys: Option<DemandedProof>,
    /// New demand for showing secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_secrets: Option<DemandedProof>,
    /// New demand for changing the service credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_service: Option<DemandedProof>,
    /// New demand for managing members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manage_members: Option<DemandedProof>,
    /// New demand for changing the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_account: Option<DemandedProof>,
    /// New demand for operating other accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operate: Option<DemandedProof>,
}

impl ProofChanges {
    /// Returns `true` if the changes keep every demand.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the changed demands.
    pub fn apply(&self, before: ProofPolicy) -> ProofPolicy {
        ProofPolicy {
            change_keys: self.change_keys.unwrap_or(before.change_keys),
            show_secrets: self.show_secrets.unwrap_or(before.show_secrets),
            change_service: self.change_service.unwrap_or(before.change_service),
            manage_members: self.manage_members.unwrap_or(before.manage_members),
            change_account: self.change_account.unwrap_or(before.change_account),
            operate: self.operate.unwrap_or(before.operate),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn each_class_has_its_demand_and_changing_factors_keeps_its_own() {
        let policy = ProofPolicy {
            change_keys: DemandedProof::Passkey,
            show_secrets: DemandedProof::EmailCode,
            change_service: DemandedProof::Totp,
            manage_members: DemandedProof::Password,
            change_account: DemandedProof::None,
            operate: DemandedProof::Totp,
        };
        for (class, demand) in [
            (ActionClass::ChangeKeys, DemandedProof::Passkey),
            (ActionClass::ShowSecrets, DemandedProof::EmailCode),
            (ActionClass::ChangeService, DemandedProof::Totp),
            (ActionClass::ManageMembers, DemandedProof::Password),
            (ActionClass::ChangeAccount, DemandedProof::None),
            (ActionClass::ChangeFactors, DemandedProof::Password),
            (ActionClass::Operate, DemandedProof::Totp),
        ] {
            assert_eq!(policy.demand(class), demand, "{class:?}");
        }
        let json = json!(policy);
        assert_eq!(
            json,
            json!({
                "change_keys": "passkey", "show_secrets": "email_code", "change_service": "totp",
                "manage_members": "password", "change_account": "none", "operate": "totp",
            })
        );
        assert_eq!(ProofPolicy::read(&json), policy);
        let all: Vec<Value> = policy.demands().iter().map(|demand| json!(demand)).collect();
        assert_eq!(
            json!(all),
            json!(["passkey", "email_code", "totp", "password", "none", "totp"])
        );
    }

    #[test]
    fn an_absent_demand_is_a_password_and_an_unreadable_one_the_strictest() {
        assert_eq!(ProofPolicy::read(&json!({})), ProofPolicy::PASSWORD);
        let strictest = ProofPolicy::STRICTEST;
        for unreadable in [json!(null), json!("none"), json!(["none"]), json!(7)] {
            assert_eq!(ProofPolicy::read(&unreadable), strictest, "{unreadable}");
        }
        let odd = json!({ "change_keys": "sms", "show_secrets": null, "operate": "totp" });
        let expected = ProofPolicy {
            change_keys: DemandedProof::Passkey,
            show_secrets: DemandedProof::Passkey,
            operate: DemandedProof::Totp,
            ..ProofPolicy::PASSWORD
        };
        assert_eq!(ProofPolicy::read(&odd), expected);
    }

    #[test]
    fn a_change_sets_the_demands_that_it_names() {
        for name in ["none", "password", "email_code", "totp", "passkey"] {
            let demand = DemandedProof::parse(name).unwrap();
            assert_eq!(json!(demand), json!(name));
            for class in [
                "change_keys",
                "show_secrets",
                "change_service",
                "manage_members",
                "change_account",
                "operate",
            ] {
                let changes: ProofChanges = serde_json::from_value(json!({ class: name })).unwrap();
                let mut expected = json!(ProofPolicy::PASSWORD);
                expected[class] = json!(name);
                assert_eq!(json!(changes.apply(ProofPolicy::PASSWORD)), expected);
            }
        }
        assert_eq!(DemandedProof::parse("sms"), None);
        assert!(
            serde_json::from_value::<ProofChanges>(json!({ "change_factors": "none" })).is_err()
        );
    }

    #[test]
    fn a_class_demands_more_if_its_demand_is_stronger_than_before() {
        let [password, totp, passkey] =
            [DemandedProof::Password, DemandedProof::Totp, DemandedProof::Passkey];
        let before = ProofPolicy { operate: totp, ..ProofPolicy::PASSWORD };
        for (operate, demand, more) in [
            (passkey, passkey, true),
            (passkey, totp, false),
            (totp, totp, false),
            (password, password, false),
        ] {
            let after = ProofPolicy { operate, ..before };
            assert_eq!(after.demands_more(before, demand), more, "{operate:?} {demand:?}");
        }
        let after = ProofPolicy { change_keys: totp, ..before };
        assert!(after.demands_more(before, totp), "another class");
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
