//! What names, the directory and addresses are asked, and what they answer.

use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Epoch;
use serde::{Deserialize, Serialize};

use crate::protocol::ledger::SecretVersion;
use crate::protocol::operator::{Entry, EntryCursor};

/// What a name object is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum NameRequest {
    /// Claims the name for a member and stages a password. Repeated by the same member: as if once.
    Claim {
        /// The name that this object stands for, which it cannot know by itself.
        name: String,
        /// Whose.
        account: AccountId,
        /// Whose.
        member: MemberId,
        /// The password.
        password: SecretText,
    },
    /// A ledger has committed the member: the claim stands.
    Confirm {
        /// Whose.
        account: AccountId,
        /// Whose.
        member: MemberId,
        /// Which password.
        secret_version: SecretVersion,
    },
    /// Is this the password?
    Verify {
        /// What was typed.
        password: SecretText,
        /// Address block of who typed it.
        block: Option<String>,
    },
}

/// What a name object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum NameReply {
    /// Claimed, with this password.
    Claimed {
        /// Its version.
        secret_version: SecretVersion,
    },
    /// Another member has the name, or a ledger has confirmed it with another password.
    Taken,
    /// Confirmed, now or before.
    Confirmed,
    /// The member does not hold the name with this password: nothing was confirmed.
    NotHeld,
    /// The password is right.
    Matches {
        /// Whose.
        account: AccountId,
        /// Whose.
        member: MemberId,
        /// Which password it was.
        secret_version: SecretVersion,
    },
    /// Wrong password, or nobody has the name: one answer.
    Refused,
    /// Too many tries; this one was not looked at.
    TooMany {
        /// When the next one will be.
        until: UnixMs,
    },
    /// The request is newer than this object's code.
    NotUnderstood,
}

/// What the directory is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum DirectoryRequest {
    /// Enters the account of a set-up token before its ledger is written: the deployment's first,
    /// or one that an operator has invited. Repeated for the same account: as if once.
    EnterFirst {
        /// The account of the set-up token.
        account: AccountId,
    },
    /// Enters an account that an operator invites, until its set-up link is used or over.
    Invite {
        /// The account of the set-up token.
        account: AccountId,
        /// Whether it was invited before, and nobody has heard that it was: then it is entered
        /// anew, unless it was opened.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        again: bool,
    },
    /// The account's ledger was opened.
    Confirm {
        /// Which.
        account: AccountId,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Lists accounts, the latest first.
    List {
        /// Where the page before ended; `None`: the first page.
        #[serde(default)]
        cursor: Option<EntryCursor>,
    },
    /// Finds one account.
    Find {
        /// Which.
        account: AccountId,
    },
    /// Notes a fresh history for an account whose ledger is about to be restored from a bookmark.
    NoteEpoch {
        /// Which.
        account: AccountId,
    },
    /// The ledger was restored: it is to be told the history that was noted, until it has taken it.
    Restored {
        /// Which.
        account: AccountId,
    },
}

/// What the directory answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum DirectoryReply {
    /// Entered, or entered before and not yet opened.
    Entered,
    /// Entered before, by an operator who invited it, and not yet opened.
    Invited,
    /// Another account is there, or this one is open already.
    SetupDone,
    /// Noted.
    Noted,
    /// The fresh history that was noted.
    Epoch {
        /// Which.
        epoch: Epoch,
    },
    /// A page of the list.
    Accounts {
        /// The accounts, at most [`crate::protocol::operator::PAGE_ENTRIES_MAX`].
        accounts: Vec<Entry>,
        /// Where it ends; `None`: there are no more.
        next: Option<EntryCursor>,
    },
    /// One account.
    Account(Entry),
    /// No such account is open (or, to `Find`, listed), or no history was noted for it.
    Unknown,
    /// The request is newer than this object's code.
    NotUnderstood,
}

/// What an address object is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum AddressRequest {
    /// Counts one try from this block before it is looked at.
    Count,
}

/// What an address object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum AddressReply {
    /// Go on.
    Counted,
    /// Too many tries.
    TooMany {
        /// When the next one will be counted.
        until: UnixMs,
    },
    /// The request is newer than this object's code.
    NotUnderstood,
}
