//! Effects: the work outside an object, and its outcome. These types never cross the wire.

use claviger_core::base::id::{AccountId, KeyId, MemberId};
use claviger_core::base::time::UnixMs;
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserName};
use claviger_core::replication::record::{Epoch, Revision};

use crate::protocol::api_name::HeldApiName;
use crate::protocol::attempts::AttemptsNews;
use crate::protocol::envelope::Envelope;
use crate::protocol::identity::PasswordNews;
use crate::protocol::mailbox::{AddressChange, AddressNews, PersonMove};
use crate::protocol::member::SecretVersion;

/// Work outside an object, derived from a task that was committed with its cause. The adapter
/// executes it at least once; the object keeps the task until it learns of success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Puts the present record of a key into KV.
    PutRecord {
        /// ID of the key.
        id: KeyId,
        /// Revision of the record.
        revision: Revision,
        /// Name of the record in KV.
        key: String,
        /// JSON that KV stores under the name.
        value: String,
        /// Time of sending, Unix ms; identifies this put among several of one key.
        sent_at: UnixMs,
    },
    /// Reads a key's record from KV, to check that the put acknowledged at `acknowledged_at` has
    /// settled.
    ReadBack {
        /// ID of the key.
        id: KeyId,
        /// Revision that was put.
        revision: Revision,
        /// Name of the record in KV.
        key: String,
        /// Time of the acknowledgement, Unix ms; identifies the put among several of the same
        /// revision.
        acknowledged_at: UnixMs,
    },
    /// Reads the records of these keys from KV, to compare them with the ledger.
    ReadMany {
        /// IDs of the keys, at most [`READ_MANY_MAX`].
        ids: Vec<KeyId>,
    },
    /// Puts an account's lease document into KV.
    PutLease {
        /// Name of the record in KV.
        key: String,
        /// JSON that KV stores under the name.
        value: String,
        /// Number of the document.
        number: u64,
        /// Last change that the document contains (`version` in its table).
        version: i64,
    },
    /// Reads an account's lease document from KV, to check that it is the last one put.
    ReadLease {
        /// Name of the record in KV.
        key: String,
        /// Number of the last document put.
        number: u64,
    },
    /// Lists the KV names with a prefix.
    ListKv {
        /// Prefix of the names.
        prefix: String,
        /// Cursor after the page before; `None` for the first page.
        cursor: Option<String>,
    },
    /// Sends a ledger that was restored from a bookmark its new epoch.
    TellEpoch {
        /// Account of the ledger.
        account: AccountId,
        /// Epoch of the history after the restore.
        epoch: Epoch,
    },
    /// Confirms a claim to its name object.
    ConfirmName {
        /// Address that the claim is for.
        email: crate::protocol::account::Email,
        /// Contents of the confirmation.
        request: NameConfirmation,
    },
    /// Reports to the directory that the account is open, with what its list shows.
    ConfirmAccount {
        /// ID of the account.
        account: AccountId,
        /// Name of the account.
        name: String,
        /// `true` if the account is suspended.
        suspended: bool,
    },
    /// Sends a mail.
    SendMail {
        /// Message and recipient.
        envelope: Box<Envelope>,
    },
    /// Asks an account's ledger if it holds a claim.
    AskHolds {
        /// ID of the account.
        account: AccountId,
        /// ID of the member.
        member: MemberId,
        /// Address that the claim is for.
        email: String,
    },
    /// Asks an account's ledger if it was opened.
    AskExists {
        /// ID of the account.
        account: AccountId,
    },
    /// Reports to an account's ledger that a member's password was changed.
    TellPassword {
        /// ID of the account.
        account: AccountId,
        /// Contents of the report.
        news: PasswordNews,
    },
    /// Reports to an account's ledger refused attempts at a member's secrets.
    TellAttempts {
        /// ID of the account.
        account: AccountId,
        /// Contents of the report.
        news: AttemptsNews,
        /// Number of the last report in it.
        last: i64,
    },
    /// Sends a person to the object of their new address.
    MovePerson {
        /// The person, with the new address.
        moved: Box<PersonMove>,
    },
    /// Reports to the object of a new address that the old one has let the person go.
    SettleMove {
        /// The change of address.
        change: Box<AddressChange>,
    },
    /// Reports to an account's ledger that a member has another address.
    TellAddress {
        /// ID of the account.
        account: AccountId,
        /// Contents of the report.
        news: AddressNews,
    },
    /// Releases the membership of a removed member at its name object.
    LeaveName {
        /// Address of the membership.
        email: crate::protocol::account::Email,
        /// Account of the member.
        account: AccountId,
        /// Member who was removed.
        member: MemberId,
    },
    /// Confirms the name and secret of an API user to its name object.
    ConfirmApiName(ApiNameConfirmation),
    /// Releases a former name of an API user at its name object.
    LeaveApiName {
        /// Account of the user.
        account: AccountId,
        /// ID of the user.
        id: KeyId,
        /// Highest version of the secret that ends there.
        through: ApiSecretVersion,
        /// The former name.
        name: ApiUserName,
    },
    /// Asks an account's ledger which API user holds a name.
    AskApiName {
        /// ID of the account.
        account: AccountId,
        /// The name.
        name: ApiUserName,
    },
}

/// Most keys of one [`Effect::ReadMany`]: KV's limit for one bulk read.
pub const READ_MANY_MAX: u32 = 100;

/// A claim that a ledger confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameConfirmation {
    /// Account of the member.
    pub account: AccountId,
    /// Member who holds the claim.
    pub member: MemberId,
    /// Version of the password that the ledger's member row uses.
    pub secret_version: SecretVersion,
}

/// The name and secret of an API user, as its ledger holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiNameConfirmation {
    /// Account of the user.
    pub account: AccountId,
    /// ID of the user.
    pub id: KeyId,
    /// Name of the user.
    pub name: ApiUserName,
    /// Version of the secret that counts.
    pub version: ApiSecretVersion,
}

/// The outcome of an [`Effect`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectOutcome {
    /// The effect succeeded.
    Done,
    /// The question was answered ([`Effect::AskHolds`], [`Effect::AskExists`]), the ledger does not
    /// hold the member of a report ([`Effect::TellPassword`], [`Effect::TellAttempts`],
    /// [`Effect::TellAddress`]), or the new address belongs to another person
    /// ([`Effect::MovePerson`]).
    Answered {
        /// The answer: `true` for yes.
        held: bool,
    },
    /// The ledger named the user that holds a name ([`Effect::AskApiName`]).
    ApiNameHeld {
        /// The user; `None` if none holds the name.
        held: Option<HeldApiName>,
    },
    /// KV was read ([`Effect::ReadBack`], [`Effect::ReadLease`]).
    Read {
        /// Value in KV; `None` if there is none.
        value: Option<String>,
    },
    /// KV was read ([`Effect::ReadMany`]).
    ReadMany {
        /// Value of each key in KV; `None` if there is none.
        values: Vec<(KeyId, Option<String>)>,
    },
    /// KV was listed ([`Effect::ListKv`]).
    Listed {
        /// Names of this page.
        names: Vec<String>,
        /// Cursor of the next page; `None` on the last.
        cursor: Option<String>,
    },
    /// The effect failed, or its outcome is unknown.
    Failed,
    /// The effect was refused permanently; retrying cannot help ([`Effect::SendMail`]).
    Refused,
}
