//! Messages about second factors.

use claviger_core::base::id::MemberId;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::encryption::Ciphertext;
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

/// A code of a second factor, as a person typed it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "factor", content = "code", rename_all = "snake_case")]
pub enum TypedFactor {
    /// A code of the authenticator app.
    Totp(SecretText),
    /// A recovery code.
    RecoveryCode(SecretText),
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
