//! Why a ledger refuses.

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::draft::FieldError;
use crate::protocol::keys::{KeyName, KeyView};
use crate::protocol::service_credentials::ServiceView;

/// Why a ledger refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// No such session, or it is over, or its secret is wrong.
    NotSignedIn,
    /// The password that was right is not the member's present one.
    SignInRefused,
    /// The member's role does not reach.
    NotPermitted,
    /// The last proof of identity is too old.
    StepUpRequired,
    /// No such key.
    NotFound,
    /// The key has changed since the member saw it.
    ChangedMeanwhile {
        /// As it is now.
        key: Box<KeyView>,
    },
    /// The key's secret was shown once and is not kept.
    NotViewable,
    /// The service credentials have changed since the member saw them.
    ServiceChangedMeanwhile {
        /// As they are now.
        service: Box<ServiceView>,
    },
    /// This idempotency key has issued before.
    AlreadyIssued {
        /// The key that it issued; `None` when that was deleted.
        key: Option<Box<KeyView>>,
    },
    /// This idempotency key has invited before.
    AlreadyInvited {
        /// The account that it invited.
        account: AccountId,
    },
    /// There are no such keys, or they are deleted.
    KeysNotFound {
        /// Which.
        keys: Vec<KeyId>,
    },
    /// These keys are protected from deletion.
    Protected {
        /// Which.
        keys: Vec<KeyName>,
    },
    /// The key is not deleted, so that there is nothing to restore.
    NotDeleted,
    /// The member has had as many codes mailed, or tried, as one may in a day.
    TooManyCodes {
        /// When the next one is possible.
        until: UnixMs,
    },
    /// The member has taken as many files of activity as one may in a day.
    TooManyExports {
        /// When the next one is possible.
        until: UnixMs,
    },
    /// Not the code that was mailed. The try is counted.
    CodeWrong {
        /// How many are left.
        tries_left: u32,
    },
    /// The code's time is over, its tries are used up, or it was used.
    CodeOver,
    /// The drawn ID exists already: draw another.
    IdTaken,
    /// The account holds as many keys as it may.
    TooManyKeys {
        /// How many it may hold.
        max: u32,
    },
    /// The issuer may not issue, or no such key: deleted, disabled, expired, another secret,
    /// lowered.
    IssuerRefused,
    /// Values were refused.
    Invalid {
        /// Which, and why.
        errors: Vec<FieldError>,
    },
    /// `Open` for an account that another member opened.
    AlreadyOpen,
    /// The request is newer than this object's code.
    NotUnderstood,
}
