//! Messages between the Workers and the objects: one request and one reply enum per kind of object,
//! in JSON.
//!
//! Tests pin the JSON. Either side may be one release older than the other, so members are only
//! added, with a default. The older side answers an unknown variant with a refusal and never
//! guesses.
//!
//! [`instance`] names the objects; renaming an instance orphans its data.

use claviger_core::base::id::{AccountId, KeyId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::api_user::ApiUserName;
use claviger_core::credential::limits::lifetime::{Expiry, ExpiryError};
use claviger_core::replication::admin_caller::AdminCaller;
use claviger_core::replication::edge_call::{EdgeRequest, IssueByApi, ReadExpiry, RevokeByClient};
use claviger_core::replication::record::{Epoch, Record, Revision};
use claviger_core::replication::refresh::{AccountState, Refresh, RefreshRequest};
use serde::{Deserialize, Serialize};

use crate::protocol::account_networks::{ChangedNetworkList, NetworkListPreview, NetworkListView};
use crate::protocol::activity;
use crate::protocol::api_name::HeldApiName;
use crate::protocol::api_users::ApiUsersReply;
use crate::protocol::at_stake::{AccountCounts, IssuedCounts};
use crate::protocol::attempts::AttemptsNews;
use crate::protocol::command::Command;
use crate::protocol::deletion::DeletionView;
use crate::protocol::draft::preview::DraftPreview;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::factors::{FactorKinds, FactorsView, TypedFactor};
pub use crate::protocol::identity::NewSession;
use crate::protocol::identity::{MailedCode, PasswordNews, ResetMail, SessionEntry};
use crate::protocol::keys::{KeyPage, KeyView};
use crate::protocol::mailbox::AddressNews;
use crate::protocol::member::{AddressVersion, Language, Role, SecretVersion};
use crate::protocol::members::{InvitationOffer, InvitationView, MemberEntry, MemberList};
use crate::protocol::notice_list::NoticePage;
use crate::protocol::notices::NoticeSettings;
use crate::protocol::operator::OperatorCommand;
use crate::protocol::pair::PairView;
use crate::protocol::passkey::{PasskeyView, PresentedPasskey};
use crate::protocol::policy::{PolicyChanges, PolicyPreview, PolicyState};
use crate::protocol::refusal::Refusal;
use crate::protocol::service_credentials::{NewService, ServiceView};
use crate::protocol::view::{AccountView, Progress, SessionView};
use crate::protocol::zone::Zone;

/// Names of object instances.
pub mod instance {
    use claviger_core::base::id::AccountId;

    /// Returns the name of an account's ledger.
    pub fn ledger(account: AccountId) -> String {
        claviger_core::replication::edge_call::ledger_instance(account)
    }

    /// Returns the name of the name object for a member's e-mail address, in the form of
    /// [`crate::protocol::account::Email`].
    pub fn member_name(email: &crate::protocol::account::Email) -> String {
        format!("member/{email}")
    }

    /// Returns the name of the name object for an API user.
    pub fn api_user_name(name: &claviger_core::credential::api_user::ApiUserName) -> String {
        format!("api-user/{name}")
    }

    /// Returns the name of the one directory.
    pub fn directory() -> String {
        "directory".to_owned()
    }
}

/// The session cookie of a request. The admin Worker has checked its tag; the ledger checks its
/// digest.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SessionProof {
    /// ID of the session.
    pub id: TokenId,
    /// Digest of the presented secret.
    pub digest: Digest,
}

/// A request to an account's ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum LedgerRequest {
    /// Creates the deployment's first account, whose owners are its operators, and its owner, and
    /// signs the owner in. A repeated request of the same member has the same effect as one.
    Open(Opening),
    /// Creates an account that an operator invited; otherwise like `Open`. It is a separate request
    /// because a ledger of the previous release makes every account the operator's.
    OpenInvited(Opening),
    /// Signs in a member whose password the name object has verified.
    SignIn {
        /// ID of the member.
        member: MemberId,
        /// Address whose password was verified; it must still be the member's.
        email: crate::protocol::account::Email,
        /// Version of the verified password.
        secret_version: SecretVersion,
        /// Session to open.
        session: NewSession,
        /// IP address of the request.
        address: Option<String>,
        /// `true` if the password is the person's confirmed one. The member's row then follows to
        /// a higher version.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        confirmed: bool,
        /// `true` if the person comes from another of their accounts, without typing the password:
        /// the session begins without a fresh proof of identity.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        switches: bool,
        /// Version of the address. The member's row follows to a higher version.
        #[serde(default, skip_serializing_if = "AddressVersion::is_first")]
        address_version: AddressVersion,
    },
    /// Executes a command of a signed-in member.
    Console {
        /// Proof from the session cookie.
        session: SessionProof,
        /// IP address of the request.
        address: Option<String>,
        /// Command to execute.
        command: Command,
    },
    /// Executes a command of a program that calls the admin API. The edge has verified its secret.
    Token {
        /// The program.
        caller: AdminCaller,
        /// IP address of the request.
        address: Option<String>,
        /// Command to execute.
        command: Command,
    },
    /// Stores a key that a program issued through the issuance API.
    IssueByApi(IssueByApi),
    /// Parses an expiry in the account's time zone.
    ReadExpiry(ReadExpiry),
    /// Refreshes the lease of an isolate.
    Refresh(RefreshRequest),
    /// Returns the record of a key. Only edge Workers of releases before leases send it.
    Record {
        /// ID of the key.
        id: KeyId,
    },
    /// Asks, for a name object, if `member` exists and has the address `email`.
    Holds {
        /// ID of the member.
        member: MemberId,
        /// E-mail address, as the name object knows it.
        email: String,
    },
    /// Asks, for the directory, if the account was ever opened.
    Exists,
    /// Changes the account's state at the operator's request.
    SetState {
        /// T of promise P1, in milliseconds; `None` keeps it.
        #[serde(default)]
        freshness_ms: Option<u64>,
        /// `true` to suspend, `false` to resume; `None` keeps it.
        #[serde(default)]
        suspended: Option<bool>,
    },
    /// Returns the account's policy, for an operator.
    ShowPolicy,
    /// Returns the effects of a change of the policy, and changes nothing.
    PreviewPolicy {
        /// Changed fields.
        changes: PolicyChanges,
    },
    /// Changes the policy at the operator's request.
    SetPolicy {
        /// Changed fields.
        changes: PolicyChanges,
        /// Revision of the policy that the operator previewed.
        expected: Revision,
    },
    /// Makes the account's networks refuse no caller, at the operator's request: their mode becomes
    /// *observed*. A repeated request has the same effect as one.
    TurnOffNetworks,
    /// Puts every record into KV again, at the operator's request.
    Rebuild,
    /// Returns the progress of publication to KV.
    Progress,
    /// Returns the operator's view of the account.
    Inspect,
    /// Passes on, after a restore from a bookmark, the epoch that the directory noted before it. A
    /// repeated request has the same effect as one.
    Restored {
        /// Epoch of the history after the restore.
        epoch: Epoch,
    },
    /// Asks, for a person who is signed in elsewhere, for their membership of this account.
    Membership {
        /// ID of the member.
        member: MemberId,
        /// Address of the person; it must be the member's, unless its version is higher.
        email: crate::protocol::account::Email,
        /// Version of the address.
        #[serde(default, skip_serializing_if = "AddressVersion::is_first")]
        address_version: AddressVersion,
    },
    /// Passes on, for a name object, that the password of a member was changed. A repeated request
    /// has the same effect as one.
    PasswordChanged(PasswordNews),
    /// Passes on, for a name object, that a person has another address. A repeated request has the
    /// same effect as one.
    AddressChanged(AddressNews),
    /// Mails the code of a password reset. A repeated request has the same effect as one.
    MailReset(ResetMail),
    /// Returns an invitation to the holder of its token. Changes nothing.
    ShowInvitation {
        /// ID within the token.
        token: TokenId,
        /// Digest of the token's secret.
        digest: Digest,
    },
    /// Makes the recipient of an invitation a member, and signs them in.
    Join(Joining),
    /// Revokes a sealed key for the key that issued it.
    RevokeByClient(RevokeByClient),
    /// Authorises and records an operation of an operator whom Cloudflare Access recognised. The
    /// admin Worker has checked the token and, for a change, its age. Only the ledger of the first
    /// account accepts it.
    OperateByAccess {
        /// Address of the operator.
        operator: crate::protocol::account::Email,
        /// IP address of the request.
        address: Option<String>,
        /// Operation to authorise.
        operation: OperatorCommand,
    },
    /// Answers a challenge with a second factor, which opens the session.
    AnswerChallenge(ChallengeAnswer),
    /// Passes on, for a name object, that attempts at the secrets of a member were refused. A
    /// repeated request has the same effect as one.
    AttemptsRefused(AttemptsNews),
    /// Signs a member in by a passkey alone.
    SignInByPasskey(PasskeySignIn),
    /// Asks, for the name object of an API user, which user of the account holds the name.
    HoldsApiName {
        /// Name of the object.
        name: ApiUserName,
    },
}

impl From<EdgeRequest> for LedgerRequest {
    fn from(request: EdgeRequest) -> Self {
        match request {
            EdgeRequest::Refresh(request) => Self::Refresh(request),
            EdgeRequest::IssueByApi(request) => Self::IssueByApi(request),
            EdgeRequest::ReadExpiry(request) => Self::ReadExpiry(request),
            EdgeRequest::RevokeByClient(request) => Self::RevokeByClient(request),
        }
    }
}

/// An account to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opening {
    /// ID of the account, which the object cannot derive from its own name.
    pub account: AccountId,
    /// Name of the account, already checked.
    pub name: String,
    /// Time zone of the account.
    pub zone: Zone,
    /// First member, an owner.
    pub owner: NewMember,
    /// First session of the owner.
    pub session: NewSession,
    /// IP address of the request.
    pub address: Option<String>,
    /// First service credentials; absent from an admin Worker of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<NewService>,
}

/// A member to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewMember {
    /// ID that the admin Worker drew.
    pub id: MemberId,
    /// Name of the member, already checked.
    pub name: String,
    /// Address that the name object has claimed for the member.
    pub email: crate::protocol::account::Email,
    /// Language of the console and mails.
    pub language: Language,
    /// Version of the password that was staged with the claim.
    pub secret_version: SecretVersion,
}

/// A person who joins an account. The name object has claimed the address and verified or staged
/// the password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joining {
    /// ID within the invitation's token.
    pub token: TokenId,
    /// Digest of the token's secret.
    pub digest: Digest,
    /// ID of the new member, as the invitation has it.
    pub member: MemberId,
    /// Address that the name object has claimed for the member, as the invitation has it.
    pub email: crate::protocol::account::Email,
    /// Name of the new member, already checked.
    pub name: String,
    /// Language of the new member; `None` for the invitation's.
    pub language: Option<Language>,
    /// Version of the claimed password.
    pub secret_version: SecretVersion,
    /// First session of the new member.
    pub session: NewSession,
    /// IP address of the request.
    pub address: Option<String>,
}

/// The answer to a challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChallengeAnswer {
    /// ID within the challenge's token.
    pub challenge: TokenId,
    /// Digest of the token's secret.
    pub digest: Digest,
    /// Code of the second factor.
    pub typed: TypedFactor,
    /// Session to open.
    pub session: NewSession,
    /// IP address of the request.
    pub address: Option<String>,
}

/// A sign-in by a passkey alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PasskeySignIn {
    /// ID of the member, from a user handle that Claviger made.
    pub member: MemberId,
    /// The passkey.
    pub passkey: PresentedPasskey,
    /// Session to open.
    pub session: NewSession,
    /// IP address of the request.
    pub address: Option<String>,
}

/// A reply of an account's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per request, written as JSON at once; how large it is depends on the target"
)]
pub enum LedgerReply {
    /// The account was never opened here. The ledger wrote nothing.
    Gone,
    /// The ledger refused; it wrote nothing of the request.
    Refused(Refusal),
    /// The session, after `Open`, `SignIn`, `Join`, `Show` and `StepUp`, and after changes of
    /// profile or account.
    Session(SessionView),
    /// The request was executed and has no result.
    Done,
    /// A page of keys.
    Page(KeyPage),
    /// The key that was asked for.
    Key(KeyView),
    /// The preview of a draft.
    Checked(DraftPreview),
    /// A change of a key was committed.
    Changed {
        /// The key after the change; `None` if it is deleted.
        key: Option<KeyView>,
        /// The key's new record, for the edge's cache.
        record: Record,
        /// Time from which the narrowed rights hold everywhere; `None` if the change narrows
        /// nothing.
        bound: Option<Bound>,
    },
    /// A key was regenerated.
    Regenerated {
        /// The successor.
        key: KeyView,
        /// The old key after the change.
        replaced: KeyView,
        /// Records of the changed keys, for the edge's cache.
        records: Vec<Record>,
        /// Time from which the end of the old key, or its overlap, is in force everywhere.
        bound: Bound,
    },
    /// A code was mailed that proves the member's identity.
    CodeMailed(MailedCode),
    /// The state of a deletion.
    Deletion(DeletionView),
    /// Keys were deleted.
    Deleted {
        /// Records of the deleted keys, for the edge's cache.
        records: Vec<Record>,
        /// Time from which they are refused everywhere.
        bound: Bound,
        /// End of the restore period, Unix ms.
        restorable_until: UnixMs,
    },
    /// A sealed key was revoked.
    Revoked {
        /// Time from which it is refused everywhere.
        bound: Bound,
        /// `true` if the revocation ended all keys of its issuer, for lack of space.
        all_of_issuer: bool,
        /// The issuer's new record if it changed, for the edge's cache.
        record: Option<Record>,
        /// Revision of the change; `None` if the key had already ended and nothing changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Revision>,
    },
    /// A refreshed lease.
    Refreshed(Refresh),
    /// The record of a key; `None` if no such key ever existed.
    Record {
        /// Record in the form that KV holds.
        record: Option<Record>,
    },
    /// The answer to `Holds` and `Exists`.
    Holds {
        /// `true` for yes.
        held: bool,
    },
    /// The account's state after `SetState`.
    State {
        /// New state of the account.
        state: AccountState,
        /// Time from which a suspension or a lower T holds everywhere; `None` if nothing was
        /// narrowed.
        bound: Option<Bound>,
    },
    /// The reply to `Progress` and `Rebuild`.
    Progress(Progress),
    /// A page of activity.
    Activity(activity::ActivityPage),
    /// A key's secret, encrypted; only the admin Worker can decrypt it.
    Revealed {
        /// The whole key, encrypted.
        sealed: Ciphertext,
    },
    /// The service credentials.
    Service(ServiceView),
    /// The service password, encrypted; only the admin Worker can decrypt it.
    ServiceRevealed {
        /// Credentials without the secret.
        service: ServiceView,
        /// Encrypted service password.
        sealed: Ciphertext,
    },
    /// A change of the service credentials was committed.
    ServiceChanged {
        /// Credentials after the change.
        service: ServiceView,
        /// Time from which the narrowed rights hold everywhere; `None` if the change narrows
        /// nothing.
        bound: Option<Bound>,
    },
    /// The reply to `ReadExpiry`: the parsed expiry.
    Expiry {
        /// The expiry, in the form of records.
        expires: Expiry,
    },
    /// The reply to `ReadExpiry` for a text that is no expiry.
    ExpiryRefused {
        /// Reason of the refusal.
        error: ExpiryError,
    },
    /// The reply to `Inspect`.
    Inspected {
        /// View of the account.
        account: AccountView,
        /// Progress of publication to KV.
        progress: Progress,
        /// Counts of its keys; ledgers of an earlier release send none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counts: Option<AccountCounts>,
    },
    /// The reply to `CountIssued`.
    IssuedCounted(IssuedCounts),
    /// The reply to `Membership`.
    Membership {
        /// Name of the account.
        name: String,
        /// Role of the member.
        role: Role,
    },
    /// The sessions of the member, the latest first.
    Sessions {
        /// Sessions that have not ended.
        sessions: Vec<SessionEntry>,
    },
    /// The members of the account.
    Members(MemberList),
    /// A changed member.
    Member(MemberEntry),
    /// An invitation that was made or repeated.
    Invitation(InvitationView),
    /// A member was removed, or has left, and their keys ended with the membership.
    MemberRemoved {
        /// Number of keys that ended.
        keys: u32,
        /// Revision of the last change.
        revision: Revision,
        /// Time from which the keys are refused everywhere.
        bound: Bound,
    },
    /// The reply to `ShowPair`.
    Pair(PairView),
    /// The present policy, also after `SetPolicy`.
    Policy(PolicyState),
    /// The reply to `PreviewPolicy`.
    PolicyPreview(PolicyPreview),
    /// The reply to `ShowInvitation`.
    Offer(InvitationOffer),
    /// The password was right, and the member has a second factor: the challenge is open.
    Challenged {
        /// End of the challenge, Unix ms.
        until: UnixMs,
        /// Kinds of second factors that answer it; a ledger of an earlier release sends none, and
        /// knows codes alone.
        #[serde(default)]
        factors: FactorKinds,
        /// Passkeys of the member, for the prompt.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passkeys: Vec<PasskeyView>,
    },
    /// The state of the member's second factors.
    Factors(FactorsView),
    /// The switches of notices, of the member who asks.
    Notices {
        /// Switches after the command.
        notices: NoticeSettings,
    },
    /// The account's networks.
    Networks(NetworkListView),
    /// The preview of a list of networks.
    NetworksChecked(NetworkListPreview),
    /// A change of the account's networks was committed, or repeats the present list.
    NetworksChanged(ChangedNetworkList),
    /// A page of notices of the member who asks.
    NoticePage(NoticePage),
    /// Notices of the member who asks are marked as read.
    NoticesRead {
        /// Number of those that stay unread.
        unread: u32,
    },
    /// The reply to a command about API users.
    ApiUsers(ApiUsersReply),
    /// The reply to `HoldsApiName`.
    ApiNameHeld {
        /// The user that holds the name, deleted ones included; `None` if none does.
        held: Option<HeldApiName>,
    },
}
