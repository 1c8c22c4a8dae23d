//! What the edge and the objects say to each other: one request and one reply enum per kind of
//! object, in JSON.
//!
//! Shapes are pinned by tests. Either side may be one release older than the other, so members are
//! only added, with a default; an unknown variant is answered with a refusal by the older side and
//! never guessed at.
//!
//! Objects are named by [`instance`]: renaming one orphans its data.

use claviger_core::base::id::{AccountId, KeyId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::limits::lifetime::{Expiry, ExpiryError};
use claviger_core::replication::edge_call::{IssueByApi, ReadExpiry};
use claviger_core::replication::record::{Epoch, Record, Revision};
use claviger_core::replication::refresh::{AccountState, Refresh, RefreshRequest};
use serde::{Deserialize, Serialize};

use crate::protocol::activity;
use crate::protocol::command::Command;
use crate::protocol::deletion::DeletionView;
use crate::protocol::draft::Checked;
use crate::protocol::encryption::Sealed;
use crate::protocol::keys::{KeyView, Page};
use crate::protocol::refusal::Refusal;
use crate::protocol::service_credentials::{NewService, ServiceView};
use crate::protocol::view::{AccountView, Progress, SessionView};
use crate::protocol::zone::Zone;

/// Names of object instances.
pub mod instance {
    use claviger_core::base::id::AccountId;

    /// The ledger of an account.
    pub fn ledger(account: AccountId) -> String {
        claviger_core::replication::edge_call::ledger_instance(account)
    }

    /// The name object of a member's e-mail address, in the form of
    /// [`crate::protocol::account::Email`].
    pub fn member_name(email: &crate::protocol::account::Email) -> String {
        format!("member/{email}")
    }

    /// The one directory.
    pub fn directory() -> String {
        "directory".to_owned()
    }

    /// The address object of a block (`203.0.113.0/24`, `2001:db8::/64`), or of callers without an
    /// address.
    pub fn address(block: Option<&str>) -> String {
        format!("address/{}", block.unwrap_or("none"))
    }
}

/// A secret version: which of a name's passwords a member's row goes with. Rises with each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretVersion(pub u32);

/// Who may do what in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, also granting `claviger:*`.
    Owner,
    /// Changes keys.
    Admin,
    /// Reads.
    Viewer,
}

/// A language of the console and of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// Its tag (BCP 47).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The language of this tag.
    pub fn parse(tag: &str) -> Option<Self> {
        [Self::En, Self::Ja].into_iter().find(|language| language.as_str() == tag)
    }
}

/// A session that the edge has just drawn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct NewSession {
    /// Its name.
    pub id: TokenId,
    /// Digest of its secret.
    pub digest: Digest,
}

/// The session cookie of a request; its tag has been checked by the edge, its digest is checked by
/// the ledger.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SessionProof {
    /// The session's name.
    pub id: TokenId,
    /// Digest of the secret that was presented.
    pub digest: Digest,
}

/// What an account's ledger is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum LedgerRequest {
    /// Creates the deployment's first account, whose owners are its operators, and its owner, and
    /// signs the owner in. Repeated with the same member: as if once.
    Open(Opening),
    /// Creates an account that an operator invited, and does the rest as `Open` does. A request of
    /// its own, because ledgers of the release before take every account for the first.
    OpenInvited(Opening),
    /// Signs a member in whose password the name object has found right.
    SignIn {
        /// The member.
        member: MemberId,
        /// The address whose password it was; it must still be the member's.
        email: crate::protocol::account::Email,
        /// The password that was right.
        secret_version: SecretVersion,
        /// The session to open.
        session: NewSession,
        /// Where from.
        address: Option<String>,
    },
    /// Something a signed-in member does.
    Console {
        /// The cookie.
        session: SessionProof,
        /// Where from.
        address: Option<String>,
        /// What.
        command: Command,
    },
    /// An edge has a key stored that a program issued.
    IssueByApi(IssueByApi),
    /// An edge has a date or time of day read, in the account's zone.
    ReadExpiry(ReadExpiry),
    /// An isolate refreshes its lease.
    Refresh(RefreshRequest),
    /// The edge asks for the record of a key: what edges of the release before leases send.
    Record {
        /// The key.
        id: KeyId,
    },
    /// A name object asks whether a claim is held: does `member` exist with `email`?
    Holds {
        /// The member.
        member: MemberId,
        /// The name, as the name object knows it.
        email: String,
    },
    /// The directory asks whether the account was ever opened.
    Exists,
    /// The operator changes what holds for the whole account.
    SetState {
        /// T of promise P1, in milliseconds; `None`: as it is.
        #[serde(default)]
        freshness_ms: Option<u64>,
        /// Whether the account is suspended; `None`: as it is.
        #[serde(default)]
        suspended: Option<bool>,
    },
    /// The operator wants every record put into KV again.
    Rebuild,
    /// How far KV has what the ledger has.
    Progress,
    /// What an operator sees of the account.
    Inspect,
    /// The ledger was restored from a bookmark: this is the history that the directory noted
    /// before. Repeated: as if once.
    Restored {
        /// The fresh history.
        epoch: Epoch,
    },
}

/// An account to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opening {
    /// The account's ID, which the object cannot know by itself.
    pub account: AccountId,
    /// Its name, already checked.
    pub name: String,
    /// Its time zone.
    pub zone: Zone,
    /// The owner.
    pub owner: NewMember,
    /// The owner's first session.
    pub session: NewSession,
    /// Where from.
    pub address: Option<String>,
    /// Its first service credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<NewService>,
}

/// A member to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewMember {
    /// ID, drawn by the edge.
    pub id: MemberId,
    /// Name, already checked.
    pub name: String,
    /// Address that the name object holds for the member.
    pub email: crate::protocol::account::Email,
    /// Language.
    pub language: Language,
    /// The password that was staged with the claim.
    pub secret_version: SecretVersion,
}

/// What a ledger answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per request, written as JSON at once; how large it is depends on the target"
)]
pub enum LedgerReply {
    /// This account was never opened here. Nothing was written.
    Gone,
    /// Refused; nothing was written.
    Refused(Refusal),
    /// The session, after `Open`, `SignIn`, `Show`, `StepUp`.
    Session(SessionView),
    /// Done, nothing to say.
    Done,
    /// A page of keys.
    Page(Page),
    /// One key.
    Key(KeyView),
    /// Notes on a draft.
    Checked(Checked),
    /// A change of a key was committed.
    Changed {
        /// The key as it is now; `None` once it is deleted.
        key: Option<KeyView>,
        /// Its record, for the edge's own memory.
        record: Record,
        /// From when whatever was taken away is refused everywhere; `None` when nothing was.
        bound: Option<Bound>,
    },
    /// A deletion.
    Deletion(DeletionView),
    /// Keys were deleted.
    Deleted {
        /// Their records, for the edge's own memory.
        records: Vec<Record>,
        /// From when they are refused everywhere.
        bound: Bound,
        /// Until when they can be restored.
        restorable_until: UnixMs,
    },
    /// A sealed key was revoked.
    Revoked {
        /// From when it is refused everywhere.
        bound: Bound,
        /// Whether all that its issuer had issued was ended with it.
        all_of_issuer: bool,
        /// The issuer's record, if it has changed, for the edge's own memory.
        record: Option<Record>,
        /// Number of the change; `None`: the key had ended before, and nothing changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Revision>,
    },
    /// A refreshed lease.
    Refreshed(Refresh),
    /// The record that was asked for; `None`: there is no such key and never was.
    Record {
        /// The record.
        record: Option<Record>,
    },
    /// Yes or no, to `Holds` and `Exists`.
    Holds {
        /// The answer.
        held: bool,
    },
    /// What holds for the whole account, after `SetState`.
    State {
        /// The state.
        state: AccountState,
        /// From when a suspension, or a lower T, holds everywhere; `None` when nothing was taken
        /// away.
        bound: Option<Bound>,
    },
    /// To `Progress` and `Rebuild`.
    Progress(Progress),
    /// A page of activity.
    Activity(activity::Page),
    /// A key's secret, encrypted: only the edge can read it.
    Revealed {
        /// The whole key.
        sealed: Sealed,
    },
    /// The service credentials.
    Service(ServiceView),
    /// The service password, encrypted: only the edge can read it.
    ServiceRevealed {
        /// The credentials.
        service: ServiceView,
        /// The password.
        sealed: Sealed,
    },
    /// A change of the service credentials was committed.
    ServiceChanged {
        /// As they are now.
        service: ServiceView,
        /// From when whatever was taken away is refused everywhere; `None` when nothing was.
        bound: Option<Bound>,
    },
    /// To `ReadExpiry`: the end that the text means.
    Expiry {
        /// The end.
        expires: Expiry,
    },
    /// To `ReadExpiry`: the text means none.
    ExpiryRefused {
        /// Why.
        error: ExpiryError,
    },
    /// To `Inspect`.
    Inspected {
        /// The account.
        account: AccountView,
        /// How far KV has what the ledger has.
        progress: Progress,
    },
}
