//! Messages about second factors.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::encryption::Ciphertext;
use crate::protocol::passkey::{NewPasskey, PasskeyView, PresentedPasskey};
use crate::protocol::proof::ProofMethod;
use crate::protocol::recovery::NewRecoveryCodes;

/// A command about second factors: of the member who gives it, unless it names another.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum FactorsCommand {
    /// Returns the state of the factors.
    Show,
    /// Stores the seed of an authenticator app, which counts once a code of it confirms it.
    BeginTotp {
        /// The drawn seed, encrypted.
        sealed: Ciphertext,
    },
    /// Turns the authenticator app on, if the code is right.
    ConfirmTotp {
        /// Code as typed.
        code: SecretText,
        /// The drawn recovery codes.
        recovery: NewRecoveryCodes,
    },
    /// Turns the authenticator app off, and ends the recovery codes.
    TurnOffTotp,
    /// Replaces the recovery codes.
    RenewRecoveryCodes {
        /// The drawn recovery codes.
        recovery: NewRecoveryCodes,
    },
    /// Turns off all factors of a member who has lost them.
    Reset {
        /// ID of the member.
        member: MemberId,
    },
}

/// A command about the passkeys of the member who gives it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PasskeyCommand {
    /// Returns the state of the factors, if a further passkey may be added.
    Begin,
    /// Adds a passkey.
    Add {
        /// The passkey, whose registration the admin Worker has checked.
        passkey: NewPasskey,
        /// The drawn recovery codes, which count if it is the first factor.
        recovery: NewRecoveryCodes,
    },
    /// Renames a passkey.
    Rename {
        /// ID of its row.
        id: TokenId,
        /// New name, already checked.
        name: String,
    },
    /// Removes a passkey.
    Remove {
        /// ID of its row.
        id: TokenId,
    },
}

/// A second factor that a person presents: a code as they typed it, or a passkey.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "factor", content = "code", rename_all = "snake_case")]
pub enum TypedFactor {
    /// A code of the authenticator app.
    Totp(SecretText),
    /// A recovery code.
    RecoveryCode(SecretText),
    /// A passkey.
    Passkey(PresentedPasskey),
}

/// The kinds of second factors that a member has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorKinds {
    /// `true` for an authenticator app.
    #[serde(default)]
    pub totp: bool,
    /// `true` for at least one passkey.
    #[serde(default)]
    pub passkey: bool,
}

impl FactorKinds {
    /// Returns `true` if the member has a second factor.
    pub fn any(self) -> bool {
        self.totp || self.passkey
    }

    /// Returns the methods by which the member proves a factor. Recovery codes stand for each.
    pub fn methods(self) -> Vec<ProofMethod> {
        let has = [
            (self.totp, ProofMethod::Totp),
            (self.any(), ProofMethod::RecoveryCode),
            (self.passkey, ProofMethod::Passkey),
        ];
        has.into_iter().filter(|(has, _)| *has).map(|(_, method)| method).collect()
    }
}

/// The state of a member's second factors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorsView {
    /// Time at which the authenticator app was turned on, Unix ms; `None` if it is off.
    pub totp_since: Option<UnixMs>,
    /// End of the time for the first code of a new app, Unix ms; `None` if none waits for one.
    pub pending_until: Option<UnixMs>,
    /// Number of recovery codes that still work.
    pub recovery_codes_left: u32,
    /// Passkeys, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<PasskeyView>,
    /// `true` if the command has stored the recovery codes that it carried.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub draws_codes: bool,
    /// Consequence of the change for the member's keys; `None` if they do not depend on MFA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysConcerned>,
}

/// A change of the account state by which keys are refused or work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysConcerned {
    /// Revision of the change.
    pub revision: Revision,
    /// Time from which the keys are refused everywhere; `None` if they work again.
    pub bound: Option<Bound>,
}
