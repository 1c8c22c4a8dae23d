//! Commands of members on the console.

use claviger_core::base::id::{KeyId, SealedId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Issuer;
use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::activity;
use crate::protocol::api_users::ApiUsersCommand;
use crate::protocol::deletion::NewCode;
use crate::protocol::draft::{Changes, Draft};
use crate::protocol::encryption::Ciphertext;
use crate::protocol::factors::{FactorsCommand, PasskeyCommand, TypedFactor};
use crate::protocol::identity::NewSession;
use crate::protocol::keys::Listing;
use crate::protocol::member::SecretVersion;
use crate::protocol::members::MembersCommand;
use crate::protocol::operator::OperatorCommand;
use crate::protocol::regeneration::RegenerationForm;
use crate::protocol::service::ServiceCommand;

/// A command of a signed-in member.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Returns the session.
    Show,
    /// Ends the session.
    SignOut,
    /// Marks the session as freshly proven; the name object has already verified the password.
    StepUp {
        /// Version of the password that was verified.
        secret_version: SecretVersion,
        /// `true` if the password is the person's confirmed one. The member's row then follows to
        /// a higher version.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        confirmed: bool,
        /// Session that replaces the present one, with the same end. An admin Worker of an earlier
        /// release sends none: the session then stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<NewSession>,
    },
    /// Returns a page of keys.
    List(Listing),
    /// Returns one key.
    Get {
        /// ID of the key.
        id: KeyId,
        /// `true` to include a deleted key. An admin Worker of an earlier release sends nothing,
        /// because it would show such a key as active.
        #[serde(default)]
        deleted: bool,
    },
    /// Counts the stored keys that an issuer has issued.
    CountIssued {
        /// Issuer of the keys.
        issuer: Issuer,
    },
    /// Checks a draft for the live preview; changes nothing.
    Check {
        /// The form's fields as typed.
        draft: Draft,
    },
    /// Issues a key that the admin Worker has drawn.
    Issue {
        /// ID of the new key.
        id: KeyId,
        /// Digest of its secret.
        digest: Digest,
        /// The form's fields as typed.
        draft: Draft,
        /// Idempotency key: the ledger issues at most one key for it per member.
        idempotency_key: String,
        /// The whole key, encrypted, if it can be shown again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<Ciphertext>,
    },
    /// Replaces a key by a successor that the admin Worker has drawn, with the same name and
    /// limits. The old key ends at once, or after an overlap.
    Regenerate {
        /// ID of the old key.
        id: KeyId,
        /// Revision of the old key that the member saw.
        expected: Revision,
        /// ID of the successor.
        new_id: KeyId,
        /// Digest of the successor's secret.
        new_digest: Digest,
        /// The form's fields as typed.
        form: RegenerationForm,
        /// Idempotency key, as for an issue: together they make at most one key for it.
        idempotency_key: String,
        /// The whole successor, encrypted. The ledger stores it only if the old key is viewable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<Ciphertext>,
    },
    /// Ends a key that was replaced before its overlap is over.
    EndOverlap {
        /// ID of the replaced key.
        id: KeyId,
        /// Revision of the key that the member saw.
        expected: Revision,
    },
    /// Returns a viewable key's encrypted secret.
    Reveal {
        /// ID of the key.
        id: KeyId,
    },
    /// Changes a key's name or limits.
    Edit {
        /// ID of the key.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
        /// The changed fields as typed.
        changes: Changes,
    },
    /// Enables or disables a key.
    SetEnabled {
        /// ID of the key.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
        /// `true` to enable, `false` to disable.
        enabled: bool,
    },
    /// Revokes one sealed key.
    RevokeSealed {
        /// ID of the sealed key. The admin Worker has verified ID and issuer by the ID's tag.
        id: SealedId,
        /// Issuer of the sealed key.
        issuer: Issuer,
        /// Latest time at which the sealed key expires, Unix ms.
        until: UnixMs,
    },
    /// Returns a page of activity.
    Activity {
        /// Filters of the page.
        query: activity::Query,
        /// `true` if this page begins an export, which the audit trail records.
        #[serde(default)]
        exports: bool,
    },
    /// Shows or changes the service credentials.
    Service {
        /// Command for the service credentials.
        service: ServiceCommand,
    },
    /// Begins a deletion of keys, and mails the code that confirms it.
    BeginDeletion {
        /// ID of the deletion, drawn by the admin Worker.
        id: TokenId,
        /// IDs of the keys to delete.
        keys: Vec<KeyId>,
        /// The drawn code.
        code: NewCode,
    },
    /// Returns a deletion.
    ShowDeletion {
        /// ID of the deletion.
        id: TokenId,
    },
    /// Mails another code for a deletion and invalidates the one before.
    MailDeletionCode {
        /// ID of the deletion.
        id: TokenId,
        /// The drawn code.
        code: NewCode,
    },
    /// Deletes the keys if the code is right.
    ConfirmDeletion {
        /// ID of the deletion.
        id: TokenId,
        /// MAC of the typed code.
        mac: Digest,
    },
    /// Deletes one key without a mailed code, where the policy demands none.
    DeleteKey {
        /// ID of the key.
        id: KeyId,
        /// Revision of the key that the member saw.
        expected: Revision,
    },
    /// Returns the member's key pair, or what is missing for one.
    ShowPair,
    /// Restores a deleted key.
    RestoreKey {
        /// ID of the key.
        id: KeyId,
        /// Revision of the key that the member saw.
        expected: Revision,
    },
    /// Authorises and records an operation of an operator. The admin Worker then performs it.
    Operate {
        /// Operation to authorise.
        operation: OperatorCommand,
    },
    /// Lists the member's sessions.
    ListSessions,
    /// Ends a session of the member, or, for an owner, of any member.
    EndSession {
        /// ID of the session.
        id: TokenId,
    },
    /// Ends all sessions of the member but this one.
    EndOtherSessions,
    /// Reads or changes members, invitations, the own profile or the account.
    Members {
        /// Command about members.
        members: MembersCommand,
    },
    /// Marks the session as freshly proven if a code of a second factor is right.
    ProveFactor {
        /// Code as typed.
        typed: TypedFactor,
        /// Session that replaces the present one, with the same end.
        session: NewSession,
    },
    /// Mails a code that proves the member's identity, and invalidates the one before.
    MailProofCode {
        /// The drawn code, of this session.
        code: NewCode,
    },
    /// Marks the session as freshly proven if the mailed code is right.
    ProveCode {
        /// MAC of the typed code.
        mac: Digest,
        /// Session that replaces the present one, with the same end.
        session: NewSession,
    },
    /// Authorises a change of the member's own address, and returns the session. The admin Worker
    /// then begins or confirms the change at the name objects.
    ChangeAddress,
    /// Stores the number of the person's memberships in a session that a passkey has opened.
    NoteAccounts {
        /// Number of memberships.
        accounts: u32,
    },
    /// Reads or changes second factors.
    Factors {
        /// Command about second factors.
        factors: FactorsCommand,
    },
    /// Reads or changes passkeys.
    Passkeys {
        /// Command about passkeys.
        passkeys: PasskeyCommand,
    },
    /// Reads or changes API users.
    ApiUsers {
        /// Command about API users.
        users: ApiUsersCommand,
    },
}
