//! Refusals of a ledger.

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::time::UnixMs;
use claviger_core::verify::verdict::Denial;
use serde::{Deserialize, Serialize};

use crate::protocol::account_networks::NetworksRefusal;
use crate::protocol::api_users::ApiUsersRefusal;
use crate::protocol::draft::field::FieldError;
use crate::protocol::keys::{KeyName, KeyView};
use crate::protocol::members::MemberEntry;
use crate::protocol::policy::PolicyState;
use crate::protocol::proof::ProofMethod;
use crate::protocol::regeneration::NotRegenerable;
use crate::protocol::service_credentials::ServiceView;

/// The reason for which a ledger refused a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// The session does not exist or is over, or its secret is wrong.
    NotSignedIn,
    /// The verified password is no longer the member's present one.
    SignInRefused,
    /// The member's role, or the rights of the program, do not permit the command.
    NotPermitted,
    /// The last proof of identity is too old.
    StepUpRequired,
    /// The key or other item does not exist.
    NotFound,
    /// The key has changed since the member saw it.
    ChangedMeanwhile {
        /// Present state of the key.
        key: Box<KeyView>,
    },
    /// The key's secret was shown once and is not stored.
    NotViewable,
    /// The service credentials have changed since the member saw them.
    ServiceChangedMeanwhile {
        /// Present state of the credentials.
        service: Box<ServiceView>,
    },
    /// The idempotency key was already used for an issue.
    AlreadyIssued {
        /// Key that it issued; `None` if that key is deleted.
        key: Option<Box<KeyView>>,
    },
    /// The idempotency key was already used for an invitation.
    AlreadyInvited {
        /// Account that it invited.
        account: AccountId,
    },
    /// Some of the keys do not exist or are already deleted.
    KeysNotFound {
        /// IDs of those keys.
        keys: Vec<KeyId>,
    },
    /// Some of the keys are protected from deletion.
    Protected {
        /// The protected keys.
        keys: Vec<KeyName>,
    },
    /// The key is not deleted, so there is nothing to restore.
    NotDeleted,
    /// The member has reached the daily limit of mailed codes or of tries.
    TooManyCodes {
        /// Time at which the next one is allowed, Unix ms.
        until: UnixMs,
    },
    /// The member has reached the daily limit of exports.
    TooManyExports {
        /// Time at which the next one is allowed, Unix ms.
        until: UnixMs,
    },
    /// The code is not the mailed one. The try is counted.
    CodeWrong {
        /// Tries that are left.
        tries_left: u32,
    },
    /// The code has expired, has no tries left, or was already used.
    CodeOver,
    /// The drawn ID already exists; the caller draws another.
    IdTaken,
    /// The account has reached its limit of keys.
    TooManyKeys {
        /// Most keys of an account.
        max: u32,
    },
    /// The issuer does not exist or may not issue: deleted, disabled, expired, wrong secret, or
    /// narrowed.
    IssuerRefused,
    /// Some values are invalid.
    Invalid {
        /// The invalid fields with their errors.
        errors: Vec<FieldError>,
    },
    /// `Open` was sent for an account that another member opened.
    AlreadyOpen,
    /// The request comes from a later release than this object's code.
    NotUnderstood,
    /// The change would leave the account without an owner.
    LastOwner,
    /// The member has changed since the owner saw them.
    MemberChangedMeanwhile {
        /// Present state of the member.
        member: Box<MemberEntry>,
    },
    /// The invitation was used, withdrawn or repeated, or has expired.
    InvitationOver,
    /// The account has reached its limit of open invitations.
    TooManyInvitations {
        /// Most open invitations of an account.
        max: u32,
    },
    /// The account has reached its limit of members.
    TooManyMembers {
        /// Most members of an account.
        max: u32,
    },
    /// The account or the address has reached the daily limit of mailed invitations.
    TooManyInvitationMails {
        /// Time at which the next one is allowed, Unix ms.
        until: UnixMs,
    },
    /// The key cannot be regenerated.
    NotRegenerable {
        /// Reason of the refusal.
        reason: NotRegenerable,
    },
    /// The key was replaced and its overlap has ended, so it cannot be restored.
    Replaced {
        /// ID of its successor.
        by: KeyId,
    },
    /// The key was not replaced, so it has no overlap to end.
    NotReplaced,
    /// The member already has the one key pair that the policy allows.
    KeyPairExists,
    /// The policy demands a second factor, which the member has not set up.
    MfaRequired,
    /// The policy demands a mailed code to delete keys.
    CodeRequired,
    /// The key belongs to another member.
    NotYourKey,
    /// The key belonged to a member who is gone, and ended with the membership.
    KeyMemberGone,
    /// The policy no longer allows that keys are shown again.
    ViewingNotAllowed,
    /// The policy has changed since the operator saw it.
    PolicyChangedMeanwhile {
        /// Present policy with its revision.
        state: Box<PolicyState>,
    },
    /// The clients of the account have revoked as many tokens within an hour as they may.
    TooManyRevocations,
    /// The last proof of identity is too old, or by a method that does not suffice.
    ProofRequired {
        /// Methods that suffice.
        methods: Vec<ProofMethod>,
    },
    /// The code of a second factor is wrong, or was used before. The try is counted.
    FactorRefused {
        /// Tries that are left: of the challenge, or, in a session, of the day.
        tries_left: u32,
    },
    /// The member has reached the daily limit of refused codes of second factors.
    TooManyFactorTries {
        /// Time at which the next one is allowed, Unix ms.
        until: UnixMs,
    },
    /// The challenge has expired, was answered, has no tries left, or was ended.
    ChallengeOver,
    /// The member has a second factor already.
    FactorIsOn,
    /// The member has no second factor, or none that waits for its first code.
    NoFactor,
    /// The member has reached the limit of passkeys.
    TooManyPasskeys {
        /// Most passkeys of a member.
        max: u32,
    },
    /// The account has this passkey already.
    PasskeyIsKnown,
    /// The challenge of a new passkey was answered before.
    PasskeyChallengeOver,
    /// A sign-in by a passkey whose signature is right, but whose counter did not rise. Callers get
    /// the answer of [`Self::SignInRefused`].
    PasskeyCloned,
    /// The refusal of a command about API users.
    ApiUsers(ApiUsersRefusal),
    /// The account's networks exclude the caller, or a change of them is refused.
    Networks(NetworksRefusal),
    /// The key or API user of a program is not valid now, or lacks the right for the command.
    TokenRefused {
        /// First reason that applies.
        denial: Denial,
    },
    /// The program has reached its rate limit.
    TooManyRequests {
        /// Time at which the next request is accepted, Unix ms.
        until: UnixMs,
    },
}
