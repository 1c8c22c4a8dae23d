//! What objects want done outside themselves, and how it went. This never crosses the wire.

use claviger_core::base::id::{AccountId, KeyId, MemberId};
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::{Epoch, Revision};

use crate::protocol::envelope::Envelope;
use crate::protocol::ledger::SecretVersion;

/// Something an object wants done outside itself, from a row that was committed with the change. It
/// is carried out at least once; the object forgets it only when it is told of success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Put the present record of a key into KV.
    PutRecord {
        /// The key.
        id: KeyId,
        /// Revision of what is put.
        revision: Revision,
        /// KV key.
        key: String,
        /// KV value.
        value: String,
        /// When it was sent: which of several puts of one key this is.
        sent_at: UnixMs,
    },
    /// Read what KV holds of a key, to see whether the put that was acknowledged at
    /// `acknowledged_at` has settled.
    ReadBack {
        /// The key.
        id: KeyId,
        /// What was put.
        revision: Revision,
        /// KV key.
        key: String,
        /// Which of several puts of the revision this is about.
        acknowledged_at: UnixMs,
    },
    /// Read what KV holds of these keys, to compare it with the ledger.
    ReadMany {
        /// The keys, at most [`READ_MANY_MAX`].
        ids: Vec<KeyId>,
    },
    /// Put an account's lease document into KV.
    PutLease {
        /// KV key.
        key: String,
        /// KV value.
        value: String,
        /// Which document.
        number: u64,
        /// Up to which change it tells.
        version: i64,
    },
    /// Read an account's lease document in KV, to see whether it is the one that was put last.
    ReadLease {
        /// KV key.
        key: String,
        /// The one that was put last.
        number: u64,
    },
    /// List the names in KV that begin so.
    ListKv {
        /// The beginning.
        prefix: String,
        /// Where the last page ended; `None` for the first.
        cursor: Option<String>,
    },
    /// Tell a ledger that was restored from a bookmark its fresh history.
    TellEpoch {
        /// The account.
        account: AccountId,
        /// The history.
        epoch: Epoch,
    },
    /// Tell a name object that its claim stands.
    ConfirmName {
        /// The name.
        email: crate::protocol::account::Email,
        /// The confirmation.
        request: NameConfirmation,
    },
    /// Tell the directory that the account is open.
    ConfirmAccount {
        /// The account.
        account: AccountId,
        /// Its name.
        name: String,
    },
    /// Mail something.
    SendMail {
        /// What, and to whom.
        envelope: Box<Envelope>,
    },
    /// Ask an account's ledger whether a claim is held.
    AskHolds {
        /// The account.
        account: AccountId,
        /// The member.
        member: MemberId,
        /// The name.
        email: String,
    },
    /// Ask an account's ledger whether it was opened.
    AskExists {
        /// The account.
        account: AccountId,
    },
}

/// Most keys of one [`Effect::ReadMany`]: what KV reads at once.
pub const READ_MANY_MAX: u32 = 100;

/// Whose claim a ledger confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameConfirmation {
    /// Account.
    pub account: AccountId,
    /// Member.
    pub member: MemberId,
    /// Password.
    pub secret_version: SecretVersion,
}

/// How an [`Effect`] went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// A question was answered.
    Answered {
        /// The answer.
        held: bool,
    },
    /// KV was read ([`Effect::ReadBack`], [`Effect::ReadLease`]).
    Read {
        /// What it holds; `None`: nothing.
        value: Option<String>,
    },
    /// KV was read ([`Effect::ReadMany`]).
    ReadMany {
        /// What it holds of each key; `None`: nothing.
        values: Vec<(KeyId, Option<String>)>,
    },
    /// KV was listed ([`Effect::ListKv`]).
    Listed {
        /// The names of this page.
        names: Vec<String>,
        /// Where it ended; `None`: there are no more.
        cursor: Option<String>,
    },
    /// It failed, or nobody knows whether it landed.
    Failed,
    /// It was refused, and would be however often it were tried ([`Effect::SendMail`]).
    Refused,
}
