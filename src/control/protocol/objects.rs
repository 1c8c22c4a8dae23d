//! Messages between the admin Worker or a ledger and the name, directory and address objects.

use claviger_core::base::id::{AccountId, MemberId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Epoch;
use serde::{Deserialize, Serialize};

use crate::protocol::attempts::AttemptKind;
use crate::protocol::identity::Membership;
use crate::protocol::mailbox::{
    AddressChange, MailboxCodeState, MailboxSubject, MoveState, NewMailboxCode, PersonMove,
};
use crate::protocol::member::{AddressVersion, SecretVersion};
use crate::protocol::operator::{AccountStatus, AccountsByStatus, DirectoryEntry, EntryCursor};
use crate::protocol::tries::TryCounter;

/// A request to a name object: the Durable Object of one e-mail address. It stands for the person
/// at that address, and is the authority on their password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum NameRequest {
    /// Claims the name for a membership. An unclaimed name stages the password. A name with a
    /// confirmed password adds the membership if the password is right. The try was counted. A
    /// repeated request of the same member has the same effect as one.
    Claim {
        /// The name of this object, which it cannot know by itself.
        name: String,
        /// Account of the member.
        account: AccountId,
        /// Member who claims the name.
        member: MemberId,
        /// Password to stage, or the present one.
        password: SecretText,
        /// Network of the client, a /24 or a /64. Absent from an admin Worker of an earlier
        /// release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<String>,
    },
    /// Confirms the claim, after the ledger has committed the member.
    Confirm {
        /// Account of the member.
        account: AccountId,
        /// Member who holds the claim.
        member: MemberId,
        /// Version of the password to confirm.
        secret_version: SecretVersion,
    },
    /// Releases the claim of an attempt that the ledger refused: its staged password or its
    /// unconfirmed membership, and the name itself if that was all. What a ledger has confirmed
    /// stays.
    Release {
        /// Account of the member.
        account: AccountId,
        /// Member who holds the claim.
        member: MemberId,
        /// Version of the staged password.
        secret_version: SecretVersion,
    },
    /// Verifies a password.
    Verify {
        /// Password as typed.
        password: SecretText,
        /// Network of the client, a /24 or a /64. The object reports refused attempts by it; name
        /// objects of releases before 0.2.0 count by it.
        #[serde(default)]
        block: Option<String>,
        /// `true` if the try was counted. Without that, which an admin Worker of an earlier release
        /// leaves to the name object, no password is checked.
        #[serde(default)]
        counted: bool,
        /// Kind of attempt that a wrong password counts as.
        #[serde(default, skip_serializing_if = "AttemptKind::is_sign_in")]
        attempt: AttemptKind,
        /// Version of the password in the browser's mark, if the try counts against the mark. The
        /// object then checks no password unless the mark is of the present version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser: Option<SecretVersion>,
    },
    /// Replaces the password if the present one is right. The try was counted.
    ChangePassword {
        /// Account in which the person is signed in.
        account: AccountId,
        /// ID of the person there.
        member: MemberId,
        /// Present password as typed.
        password: SecretText,
        /// Next password, already checked.
        new_password: SecretText,
        /// IP address of the request.
        address: Option<String>,
    },
    /// Lists the person's memberships.
    Memberships {
        /// Account in which the person is signed in.
        account: AccountId,
        /// ID of the person there.
        member: MemberId,
        /// Version of the password in that ledger's row. An older one lists nothing: its sessions
        /// are about to end.
        secret_version: SecretVersion,
        /// Account that the person opens next, and that signing in opens from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<AccountId>,
    },
    /// Removes a membership that its ledger no longer holds, and the name itself if that was the
    /// last. A repeated request has the same effect as one.
    Leave {
        /// Account of the membership.
        account: AccountId,
        /// ID of the former member.
        member: MemberId,
    },
    /// Begins a reset of the password with a mailed code. The try was counted. A repeated request
    /// has the same effect as one.
    BeginReset {
        /// ID of the reset, drawn by the admin Worker.
        id: TokenId,
        /// The drawn code. The object stores its MAC.
        code: SecretText,
        /// Version of the password in the browser's mark, if the try counts against the mark. With
        /// the present version, the reset has limits apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser: Option<SecretVersion>,
    },
    /// Replaces the password if the mailed code is right. The try was counted.
    ConfirmReset {
        /// Code as typed.
        code: SecretText,
        /// Next password, already checked.
        new_password: SecretText,
        /// IP address of the request.
        address: Option<String>,
        /// Version of the password in the browser's mark, as for `BeginReset`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser: Option<SecretVersion>,
    },
    /// Asks if a person has the name, with a confirmed password. Changes nothing.
    IsClaimed,
    /// Mails a mailbox code to the address, and replaces the one of the same subject. Claims
    /// nothing. The code was counted. A repeated request has the same effect as one.
    MailMailboxCode(NewMailboxCode),
    /// Returns the state of a subject's mailbox code.
    ShowMailboxCode {
        /// Person-to-be.
        subject: MailboxSubject,
    },
    /// Checks a mailbox code. A wrong one counts; a right one can be checked again while it is
    /// valid, so that a later step can be repeated.
    ProveMailbox {
        /// Person-to-be.
        subject: MailboxSubject,
        /// Code as typed.
        code: SecretText,
    },
    /// Begins the move of the person to another address, which a mailbox code has proven. The
    /// person keeps both addresses until the new one has taken over. A repeated request has the
    /// same effect as one.
    BeginMove(AddressChange),
    /// Receives a person from the object of their old address. A repeated request has the same
    /// effect as one.
    ReceivePerson(PersonMove),
    /// Reports that the old address has let the person go.
    SettleMove(AddressChange),
    /// Returns the state of a person's move, at either address.
    ShowMove {
        /// A membership of the person.
        by: Membership,
    },
}

/// A reply of a name object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum NameReply {
    /// The name is claimed for the membership.
    Claimed {
        /// Version of the password: staged, or the person's present one.
        secret_version: SecretVersion,
        /// Number of the person's memberships with this one; 0 from an object of an earlier
        /// release.
        #[serde(default)]
        accounts: u32,
    },
    /// Another claim waits for its ledger, the person's password is another one, or they have as
    /// many memberships as they may.
    Taken,
    /// The claim is confirmed, now or before.
    Confirmed,
    /// The member does not hold the name with this password: nothing was confirmed, or it was
    /// released.
    NotHeld,
    /// The password is right.
    Matches {
        /// Account of the membership that was used last.
        account: AccountId,
        /// Member ID of that membership.
        member: MemberId,
        /// Version of the matching password.
        secret_version: SecretVersion,
        /// `true` if the password is the person's confirmed one, whose version a ledger may raise
        /// its row to. `false` for a staged one.
        #[serde(default)]
        confirmed: bool,
        /// All memberships, the one used last first. Empty from an object of an earlier release,
        /// which has one.
        #[serde(default)]
        memberships: Vec<Membership>,
        /// Version of the address, which a ledger's row follows.
        #[serde(default, skip_serializing_if = "AddressVersion::is_first")]
        address_version: AddressVersion,
    },
    /// The password or code is wrong, or no member has the name; the reply does not distinguish
    /// the causes.
    Refused,
    /// The browser's mark is not of the present password. The object checked no password: the try
    /// must be counted as one without a mark.
    BrowserOver,
    /// The rate limit of a name object of an earlier release refused this try.
    TooMany {
        /// Time of the next accepted try, Unix ms.
        until: UnixMs,
    },
    /// The request comes from a later release than this object's code.
    NotUnderstood,
    /// The password was replaced. The object tells every ledger of the person.
    PasswordChanged {
        /// Version of the new password.
        secret_version: SecretVersion,
        /// Number of the person's memberships.
        accounts: u32,
    },
    /// The person's memberships.
    Memberships {
        /// All memberships, the one used last first.
        memberships: Vec<Membership>,
        /// Version of the address, which a ledger's row follows.
        #[serde(default, skip_serializing_if = "AddressVersion::is_first")]
        address_version: AddressVersion,
    },
    /// A reset began: the ledger of this membership must mail the code.
    ResetBegun {
        /// Account whose ledger mails the code.
        account: AccountId,
        /// ID of the person there.
        member: MemberId,
        /// Expiry of the code, Unix ms.
        until: UnixMs,
    },
    /// The state of a mailbox code.
    MailboxCode(MailboxCodeState),
    /// The subject or the address has reached its limit of mailbox codes.
    TooManyCodes {
        /// Time at which the next one is allowed, Unix ms.
        until: UnixMs,
    },
    /// The mailbox code is right.
    MailboxProven {
        /// `true` if the address belongs to a person, or another claim of it waits for its ledger.
        claimed: bool,
    },
    /// The mailbox code is wrong. The try is counted.
    CodeWrong {
        /// Tries that are left.
        tries_left: u32,
    },
    /// The mailbox code has expired or has no tries left, or there is none.
    CodeOver,
    /// The state of a move.
    Move(MoveState),
    /// The person is moving to another address, or from one; the caller may repeat the request.
    Moving,
    /// The person has arrived, now or before.
    Received,
    /// The answer to `IsClaimed`.
    IsClaimed {
        /// `true` if the name has a confirmed password.
        claimed: bool,
    },
}

/// A request to the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum DirectoryRequest {
    /// Enters the account of a set-up token before its ledger is written: the deployment's first,
    /// or an invited one. A repeated request for the same account has the same effect as one.
    EnterFirst {
        /// Account in the set-up token.
        account: AccountId,
        /// Digest of the e-mail address of this attempt: only one address at a time may use the
        /// link. Absent from an admin Worker of an earlier release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claimant: Option<Digest>,
    },
    /// Ends an attempt that claimed no name, so that the link can be used with another address.
    LeaveSetup {
        /// Account in the set-up token.
        account: AccountId,
        /// Digest of the e-mail address of the attempt.
        claimant: Digest,
    },
    /// Asks if the account of a set-up token is still to be opened. Changes nothing.
    CheckFirst {
        /// Account in the set-up token.
        account: AccountId,
    },
    /// Enters an account that an operator invites, until its set-up link is used or expires.
    Invite {
        /// Account in the set-up token.
        account: AccountId,
        /// `true` if an earlier invitation with an unknown outcome is repeated. The account is then
        /// entered anew, unless it was opened.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        again: bool,
    },
    /// Reports that the account's ledger was opened.
    Confirm {
        /// ID of the account.
        account: AccountId,
        /// Name of the account; `None` keeps the one on record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// `true` if the account is suspended; `None` keeps the state on record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suspended: Option<bool>,
    },
    /// Removes an invited account whose set-up link has not been used. The link is refused from
    /// then on.
    Withdraw {
        /// ID of the account.
        account: AccountId,
    },
    /// Reports that an operator suspended or resumed the account.
    NoteSuspended {
        /// ID of the account.
        account: AccountId,
        /// `true` if all its keys are refused.
        suspended: bool,
    },
    /// Lists accounts, latest first.
    List {
        /// Cursor of the page before; `None` for the first page.
        #[serde(default)]
        cursor: Option<EntryCursor>,
        /// Parts of the name, or the beginning of the ID; `None` matches every account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        q: Option<String>,
        /// Status that the accounts have; `None` matches every account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<AccountStatus>,
    },
    /// Returns one account.
    Find {
        /// ID of the account.
        account: AccountId,
    },
    /// Returns the deployment's first account, if it is open.
    FindFirst,
    /// Notes a new epoch for an account whose ledger is about to be restored from a bookmark.
    NoteEpoch {
        /// ID of the account.
        account: AccountId,
    },
    /// Reports that the ledger was restored. The directory then sends it the noted epoch until it
    /// answers.
    Restored {
        /// ID of the account.
        account: AccountId,
    },
}

/// A reply of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum DirectoryReply {
    /// The account is entered, now or before, and not yet opened.
    Entered,
    /// The account was entered by an operator's invitation, and is not yet opened.
    Invited,
    /// Another account exists, or this one is already open.
    SetupDone,
    /// An attempt with another e-mail address is using the link.
    SetupBusy {
        /// Latest end of that attempt, Unix ms.
        until: UnixMs,
    },
    /// The report was stored.
    Noted,
    /// The new epoch was noted.
    Epoch {
        /// Epoch of the history after the restore.
        epoch: Epoch,
    },
    /// A page of the list.
    Accounts {
        /// Accounts of this page, at most [`crate::protocol::operator::PAGE_ENTRIES_MAX`].
        accounts: Vec<DirectoryEntry>,
        /// Cursor of the next page; `None` on the last.
        next: Option<EntryCursor>,
        /// Numbers of all accounts; a directory of an earlier release sends none, and filters
        /// nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counts: Option<AccountsByStatus>,
    },
    /// The account that was asked for.
    Account(DirectoryEntry),
    /// No such account is open (or, for `Find`, listed), or no epoch was noted for it.
    Unknown,
    /// The request comes from a later release than this object's code.
    NotUnderstood,
}

/// A request to an address object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum AddressRequest {
    /// Counts one try, before the try is checked.
    Count {
        /// Counters, the narrowest first. Empty from an admin Worker of an earlier release.
        #[serde(default)]
        counters: Vec<TryCounter>,
    },
    /// Records that a counted try succeeded.
    Succeeded {
        /// The narrowest counter of the try.
        counter: TryCounter,
    },
    /// Gives a counted try at the secret of an API user back to its counters: it succeeded, or no
    /// secret was checked.
    Returned {
        /// Counters that counted it, the narrowest first.
        counters: Vec<TryCounter>,
        /// `true` if it succeeded. The narrowest counter is then exempt from the others for a time.
        succeeded: bool,
    },
}

/// A reply of an address object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum AddressReply {
    /// The try was counted and may proceed, or its success was recorded.
    Counted,
    /// A try at the secret of an API user was counted, but not at those limits from which a recent
    /// success exempts it
    /// ([`TryLimit::exempts_trusted`](crate::protocol::tries::TryLimit::exempts_trusted)).
    CountedAlone,
    /// The rate limit refused the try.
    TooMany {
        /// Time of the next accepted try, Unix ms.
        until: UnixMs,
    },
    /// The request comes from a later release than this object's code.
    NotUnderstood,
}
