//! Messages between the admin Worker or a ledger and the name objects of API users.
//!
//! The name of an API user is unique in the deployment. Its object claims it for one account, and
//! has the hashes of the user's secrets, each with its version ([`crate::objects::api_name`]).

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::secret::SecretText;
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserName};
use serde::{Deserialize, Serialize};

/// A secret to stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "secret", rename_all = "snake_case")]
pub enum NewApiSecret {
    /// A secret that a person chose.
    Chosen {
        /// The secret.
        text: SecretText,
    },
    /// A secret with 256 random bits.
    Generated {
        /// The secret.
        text: SecretText,
    },
    /// The secret of the user's former name, in its stored form.
    Moved {
        /// Hash of the secret, as the former name's object stores it.
        stored: SecretText,
    },
}

/// A request to the name object of an API user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum ApiNameRequest {
    /// Claims the name for an API user, and stages a secret. Staged secrets stay until a ledger
    /// confirms one, at most some minutes.
    Claim {
        /// The name of this object, which it cannot know by itself.
        name: ApiUserName,
        /// Account of the user.
        account: AccountId,
        /// ID of the user.
        id: KeyId,
        /// Version that the new one must exceed: the user's present one, or 0.
        above: ApiSecretVersion,
        /// The secret.
        secret: NewApiSecret,
    },
    /// Confirms a version, after the ledger has committed it. Earlier versions, and those of other
    /// IDs, end. A repeated request has the same effect as one.
    Confirm {
        /// Account of the user.
        account: AccountId,
        /// ID of the user.
        id: KeyId,
        /// Version that counts.
        version: ApiSecretVersion,
    },
    /// Removes one staged version that the ledger refused, and the claim with the last one.
    Withdraw {
        /// Account of the user.
        account: AccountId,
        /// ID of the user.
        id: KeyId,
        /// Version that was staged.
        version: ApiSecretVersion,
    },
    /// Removes the versions of a user that no longer has the name, and the claim with the last one.
    /// A repeated request has the same effect as one.
    Leave {
        /// Account of the user.
        account: AccountId,
        /// ID of the user.
        id: KeyId,
        /// Highest version that ends. One that was staged later stays: the user has come back.
        through: ApiSecretVersion,
    },
    /// Returns the stored form of a secret, for the object of the user's next name.
    Export {
        /// Account of the user.
        account: AccountId,
        /// ID of the user.
        id: KeyId,
        /// Version of the secret.
        version: ApiSecretVersion,
    },
    /// Checks a presented secret. The try was counted.
    Check {
        /// The presented secret.
        secret: SecretText,
    },
}

/// A user for whom a ledger has confirmed the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiNameHolder {
    /// Account of the user.
    pub account: AccountId,
    /// ID of the user.
    pub id: KeyId,
    /// Confirmed version.
    pub version: ApiSecretVersion,
}

/// A reply of the name object of an API user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum ApiNameReply {
    /// The secret is staged.
    Claimed {
        /// Version of the secret.
        version: ApiSecretVersion,
    },
    /// Another user holds the name, or another claim waits for its ledger.
    Taken {
        /// User for whom a ledger has confirmed the name; `None` while claims wait. If that ledger
        /// no longer has the user, the caller may end the claim.
        #[serde(default)]
        holder: Option<ApiNameHolder>,
    },
    /// Too many secrets are staged.
    Busy,
    /// The version is confirmed, now or before.
    Confirmed,
    /// The user does not hold the name with this version, or no longer.
    NotHeld,
    /// The stored form of the secret.
    Exported {
        /// Hash of the secret.
        stored: SecretText,
    },
    /// The presented secret is right.
    Matches {
        /// ID of the user.
        id: KeyId,
        /// Version of the secret.
        version: ApiSecretVersion,
    },
    /// The secret is wrong, or the name is unclaimed.
    Refused,
    /// The request comes from a later release than this object's code.
    NotUnderstood,
}

/// The user and version for which a ledger holds a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldApiName {
    /// ID of the user.
    pub id: KeyId,
    /// Version of the secret that counts.
    pub version: ApiSecretVersion,
}
