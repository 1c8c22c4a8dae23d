//! What the edge and a ledger say to each other of deletions that a mailed code confirms.

use claviger_core::base::id::TokenId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::encryption::Sealed;
use crate::protocol::keys::KeyView;

/// A code that the edge has just drawn. The ledger never sees its digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCode {
    /// What is kept of it ([`crate::protocol::code::Code::mac`]).
    pub mac: Digest,
    /// The code for who mails it, encrypted.
    pub sealed: Sealed,
}

/// How the mail with a code fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It has not been tried yet.
    Queued,
    /// It was tried, and not taken. It is tried again while it is of use.
    Failing,
    /// Whoever delivers mail has taken it.
    Sent,
    /// It was refused for good, and is given up.
    Refused,
}

/// Where a deletion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionState {
    /// Its code may be tried.
    Open,
    /// The code's time is over. Another may be mailed while tries are left.
    CodeOver,
    /// Its tries are used up, or its own time is over.
    Over,
    /// The keys are deleted.
    Done,
}

/// A deletion, as who asked for it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionView {
    /// ID.
    pub id: TokenId,
    /// The keys, as they are now, in the order in which they were asked for.
    pub keys: Vec<KeyView>,
    /// Where the code went.
    pub sent_to: Email,
    /// Where it stands.
    pub state: DeletionState,
    /// Until when the present code can be used.
    pub expires: UnixMs,
    /// How many codes may still be tried.
    pub tries_left: u32,
    /// How the mail with the present code fares.
    pub mail: MailState,
    /// In how many seconds the deletion would hold everywhere.
    pub bound_within_s: u32,
    /// Until when the keys could be restored, if they were deleted now.
    pub restorable_until: UnixMs,
}
