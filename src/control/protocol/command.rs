//! What a member does on the console.

use claviger_core::base::id::{KeyId, SealedId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Issuer;
use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::activity;
use crate::protocol::deletion::NewCode;
use crate::protocol::draft::{Changes, Draft};
use crate::protocol::encryption::Sealed;
use crate::protocol::keys::Listing;
use crate::protocol::ledger::SecretVersion;
use crate::protocol::operator::Operation;
use crate::protocol::service::ServiceCommand;

/// What a member does on the console.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Looks at the session.
    Show,
    /// Ends the session.
    SignOut,
    /// Counts as freshly proven: the name object has found the password right.
    StepUp {
        /// The password that was right.
        secret_version: SecretVersion,
    },
    /// Lists keys.
    List(Listing),
    /// Looks at one key.
    Get {
        /// Which.
        id: KeyId,
        /// Whether also when it is deleted: an edge that does not know of that would show it as
        /// active.
        #[serde(default)]
        deleted: bool,
    },
    /// Checks a draft for its live notes; changes nothing.
    Check {
        /// What was typed.
        draft: Draft,
    },
    /// Issues a key that the edge has drawn.
    Issue {
        /// Its ID.
        id: KeyId,
        /// Digest of its secret.
        digest: Digest,
        /// What was typed.
        draft: Draft,
        /// The same one issues once.
        idempotency_key: String,
        /// The whole key, encrypted, if it may be shown again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<Sealed>,
    },
    /// Has a key's secret shown again.
    Reveal {
        /// Which.
        id: KeyId,
    },
    /// Changes name or limits.
    Edit {
        /// Which.
        id: KeyId,
        /// The revision that the member saw.
        expected: Revision,
        /// What was typed.
        changes: Changes,
    },
    /// Disables or enables.
    SetEnabled {
        /// Which.
        id: KeyId,
        /// The revision that the member saw.
        expected: Revision,
        /// Which way.
        enabled: bool,
    },
    /// Revokes one sealed key.
    RevokeSealed {
        /// Which. That it is a sealed key's, and the issuer's, was seen by its tag.
        id: SealedId,
        /// Its issuer.
        issuer: Issuer,
        /// When it ends in any case.
        until: UnixMs,
    },
    /// Reads what was done in the account.
    Activity {
        /// What of it.
        query: activity::Query,
        /// Whether a file of it begins with this: that is written down.
        #[serde(default)]
        exports: bool,
    },
    /// Does something with the service credentials.
    Service {
        /// What.
        service: ServiceCommand,
    },
    /// Asks for the deletion of keys: mails the code that confirms it.
    BeginDeletion {
        /// Its ID, drawn by the edge.
        id: TokenId,
        /// Which keys.
        keys: Vec<KeyId>,
        /// The code.
        code: NewCode,
    },
    /// Looks at a deletion.
    ShowDeletion {
        /// Which.
        id: TokenId,
    },
    /// Mails another code for a deletion. The one before is over.
    MailDeletionCode {
        /// Which.
        id: TokenId,
        /// The code.
        code: NewCode,
    },
    /// Deletes the keys, if the code is right.
    ConfirmDeletion {
        /// Which.
        id: TokenId,
        /// MAC of the code that was typed.
        mac: Digest,
    },
    /// Restores a deleted key.
    RestoreKey {
        /// Which.
        id: KeyId,
        /// The revision that the member saw.
        expected: Revision,
    },
    /// Does something to accounts, as an operator. It is let be done, and written down; doing it is
    /// the edge's.
    Operate {
        /// What.
        operation: Operation,
    },
}
