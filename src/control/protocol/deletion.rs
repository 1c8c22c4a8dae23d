//! Messages between the admin Worker and a ledger about deletions that a mailed code confirms.

use claviger_core::base::id::TokenId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::keys::KeyView;

/// A code that the admin Worker has just drawn. The ledger never sees its digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCode {
    /// MAC that the ledger stores ([`crate::protocol::code::Code::mac`]).
    pub mac: Digest,
    /// The code, encrypted, for the code that sends the mail.
    pub sealed: Ciphertext,
}

/// Delivery state of the mail with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// No delivery was tried yet.
    Queued,
    /// The last try failed. The ledger retries while the code is valid.
    Failing,
    /// The mail service has accepted the mail.
    Sent,
    /// The mail service refused the mail permanently; the ledger does not retry.
    Refused,
    /// No try succeeded while the mail was of use; the ledger does not retry. Of invitations alone.
    GivenUp,
}

/// State of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionState {
    /// The present code can be tried.
    Open,
    /// The code has expired. The member may request another while tries are left.
    CodeOver,
    /// All tries are used, or the deletion itself has expired.
    Over,
    /// The keys are deleted.
    Done,
}

/// A deletion, as its member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionView {
    /// ID of the deletion.
    pub id: TokenId,
    /// Keys in their present state, in the order of the request.
    pub keys: Vec<KeyView>,
    /// Address to which the code was mailed.
    pub sent_to: Email,
    /// State of the deletion.
    pub state: DeletionState,
    /// Expiry of the present code, Unix ms.
    pub expires: UnixMs,
    /// Tries left for this deletion, across all its codes.
    pub tries_left: u32,
    /// Delivery state of the mail with the present code.
    pub mail: MailState,
    /// Time until a confirmed deletion holds everywhere, in seconds.
    pub bound_within_s: u32,
    /// End of the restore period, Unix ms: of keys that are deleted, or that would be deleted now.
    pub restorable_until: UnixMs,
}
