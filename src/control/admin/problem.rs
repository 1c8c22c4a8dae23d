//! The admin Worker's problem documents: one place for each problem's status, code and title.

use claviger_core::base::http::problem::{ProblemDocument, RequestProblem};
use claviger_core::base::http::response::Response;
use claviger_core::base::json::Json;
use serde_json::Value;

use crate::admin::api_user_problem::ApiUserProblem;
use crate::admin::networks_problem::NetworksProblem;
pub use crate::admin::not_viewable::NotViewable;
use crate::admin::token_problem::TokenProblem;
use crate::protocol::passkey::PasskeyError;
use crate::protocol::regeneration::NotRegenerable;

/// The reason for which the admin Worker refuses a request. Each variant has one stable code;
/// `www/problems.html` explains them to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminProblem {
    /// A problem that requests to any host can have.
    Request(RequestProblem),
    /// A problem of the routes about API users.
    ApiUsers(ApiUserProblem),
    /// A problem of a program that calls by a key.
    Token(TokenProblem),
    /// A request with a session cookie that another site may have caused.
    CrossSite,
    /// The request has no valid session.
    NotSignedIn,
    /// Wrong e-mail address or password; the answer does not distinguish the causes.
    SignInRefused,
    /// Wrong password for a fresh proof of identity.
    StepUpRefused,
    /// The command needs a fresh proof of identity.
    StepUpRequired {
        /// Methods that suffice.
        methods: Vec<String>,
    },
    /// The change needs a token that Cloudflare Access made more recently.
    AccessTooOld,
    /// The code of a second factor is wrong or was used before; the answer does not distinguish the
    /// causes.
    FactorRefused {
        /// Tries that are left.
        tries_left: u32,
    },
    /// The member has reached the daily limit of refused codes of second factors.
    TooManyFactorTries {
        /// Seconds until the next one is allowed.
        retry_after_s: u64,
        /// Time at which the next one is allowed, RFC 3339.
        until: String,
    },
    /// The challenge is forged, malformed, expired, answered or ended; the answer does not
    /// distinguish the causes.
    ChallengeOver,
    /// The member has an authenticator app already.
    FactorIsOn,
    /// The member has no second factor, or none that waits for its first code.
    NoFactor,
    /// The answer of an authenticator breaks a rule, before its signature is compared.
    PasskeyRefused(PasskeyError),
    /// The account has this passkey already.
    PasskeyIsKnown,
    /// The member has reached the limit of passkeys.
    TooManyPasskeys {
        /// Most passkeys of a member.
        max: u32,
    },
    /// The set-up token is forged, expired or malformed.
    SetupRefused,
    /// The set-up link has been used, or the deployment already has its first account.
    SetupDone,
    /// An attempt with another e-mail address is using the set-up link.
    SetupBusy {
        /// Seconds until that attempt has ended.
        retry_after_s: u64,
        /// Latest end of that attempt, RFC 3339.
        until: String,
    },
    /// Another member has this e-mail address.
    AddressTaken,
    /// The rate limit refused the try.
    TooManyAttempts {
        /// Seconds until the next accepted try.
        retry_after_s: u64,
        /// Time of the next accepted try, RFC 3339.
        until: String,
    },
    /// The member's role does not permit the command.
    NotPermitted,
    /// The key changed since the member saw it.
    ChangedMeanwhile {
        /// Present state of the key.
        key: Value,
        /// Name of the member who changed it.
        by: String,
        /// Time of that change, RFC 3339.
        at: String,
    },
    /// The idempotency key was already used for an issue.
    AlreadyIssued {
        /// Key that it issued, without its secret; null if it was deleted.
        key: Value,
    },
    /// The idempotency key was already used for an invitation.
    AlreadyInvited {
        /// ID of the invited account, whose set-up link was shown once.
        account: String,
    },
    /// The service credentials changed since the member saw them.
    ServiceChangedMeanwhile {
        /// Present state of the credentials.
        service: Value,
    },
    /// The secret cannot be shown again.
    NotViewable(NotViewable),
    /// No restore of this account was begun, or it is already finished.
    RestoreNotBegun,
    /// The account has reached its limit of keys.
    TooManyKeys {
        /// Most keys of an account.
        max: u32,
    },
    /// Some of the keys do not exist, or are already deleted.
    KeysNotFound {
        /// IDs of those keys.
        keys: Value,
    },
    /// Some of the keys are protected from deletion.
    Protected {
        /// IDs and names of those keys.
        keys: Value,
    },
    /// The key is not deleted, so it cannot be restored.
    NotDeleted,
    /// The key cannot be regenerated.
    NotRegenerable(NotRegenerable),
    /// The key was replaced and its overlap has ended, so it cannot be restored.
    Replaced {
        /// ID of its successor.
        by: String,
    },
    /// The key was not replaced, so it has no overlap to end.
    NotReplaced,
    /// The member has reached the daily limit of mailed codes or of tries.
    TooManyCodes {
        /// Seconds until the next one is allowed.
        retry_after_s: u64,
        /// Time at which the next one is allowed, RFC 3339.
        until: String,
    },
    /// The member has reached the daily limit of exports.
    TooManyExports {
        /// Seconds until the next one is allowed.
        retry_after_s: u64,
        /// Time at which the next one is allowed, RFC 3339.
        until: String,
    },
    /// The code is not the mailed one.
    CodeWrong {
        /// Tries that are left for this deletion.
        tries_left: u32,
    },
    /// The code has expired, has no tries left, or was already used.
    CodeOver,
    /// The deployment sends no mail, and the action needs a mailed code.
    MailOff,
    /// The code of a password reset is wrong or over, or the address has no member; the answer does
    /// not distinguish the causes.
    ResetRefused,
    /// A required header is missing or malformed.
    BadHeader {
        /// Name of the header.
        name: &'static str,
    },
    /// Some values are invalid.
    Invalid {
        /// The invalid fields with their errors.
        errors: Value,
    },
    /// The invitation's token is forged, expired or malformed.
    InvitationRefused,
    /// The invitation was used, withdrawn or repeated.
    InvitationOver,
    /// The change would leave the account without an owner.
    LastOwner,
    /// The member changed since the owner saw them.
    MemberChangedMeanwhile {
        /// Present state of the member.
        member: Value,
    },
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
    /// The account's networks exclude the caller, or a change of them is refused.
    Networks(NetworksProblem),
    /// The member already has the one key pair that the account's policy allows.
    KeyPairExists,
    /// The account's policy demands a second factor, which the member has not set up.
    MfaRequired,
    /// The account's policy demands a mailed code to delete keys.
    CodeRequired,
    /// The key belongs to another member.
    NotYourKey,
    /// The key ended with the membership of its member.
    KeyMemberGone,
    /// The policy changed since the operator saw it.
    PolicyChangedMeanwhile {
        /// Present policy with its revision.
        state: Value,
    },
    /// The account or the address has reached the daily limit of mailed invitations.
    TooManyInvitationMails {
        /// Seconds until the next one is allowed.
        retry_after_s: u64,
        /// Time at which the next one is allowed, RFC 3339.
        until: String,
    },
}

impl From<RequestProblem> for AdminProblem {
    fn from(problem: RequestProblem) -> Self {
        Self::Request(problem)
    }
}

impl From<TokenProblem> for AdminProblem {
    fn from(problem: TokenProblem) -> Self {
        Self::Token(problem)
    }
}

impl AdminProblem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Request(problem) => problem.status(),
            Self::ApiUsers(problem) => problem.status(),
            Self::Networks(problem) => problem.status(),
            Self::Token(problem) => problem.status(),
            Self::BadHeader { .. } => 400,
            Self::NotSignedIn
            | Self::SignInRefused
            | Self::StepUpRefused
            | Self::ResetRefused
            | Self::FactorRefused { .. }
            | Self::ChallengeOver
            | Self::PasskeyRefused(_)
            | Self::SetupRefused
            | Self::InvitationRefused => 401,
            Self::CrossSite
            | Self::StepUpRequired { .. }
            | Self::AccessTooOld
            | Self::NotPermitted
            | Self::MfaRequired
            | Self::NotYourKey
            | Self::CodeWrong { .. } => 403,
            Self::KeysNotFound { .. } => 404,
            Self::SetupDone
            | Self::SetupBusy { .. }
            | Self::AddressTaken
            | Self::AlreadyIssued { .. }
            | Self::AlreadyInvited { .. }
            | Self::NotViewable(_)
            | Self::RestoreNotBegun
            | Self::TooManyKeys { .. }
            | Self::Protected { .. }
            | Self::NotDeleted
            | Self::NotRegenerable(_)
            | Self::Replaced { .. }
            | Self::NotReplaced
            | Self::MailOff
            | Self::FactorIsOn
            | Self::NoFactor
            | Self::PasskeyIsKnown
            | Self::TooManyPasskeys { .. }
            | Self::LastOwner
            | Self::KeyPairExists
            | Self::CodeRequired
            | Self::KeyMemberGone
            | Self::TooManyInvitations { .. }
            | Self::TooManyMembers { .. } => 409,
            Self::CodeOver | Self::InvitationOver => 410,
            Self::ChangedMeanwhile { .. }
            | Self::ServiceChangedMeanwhile { .. }
            | Self::PolicyChangedMeanwhile { .. }
            | Self::MemberChangedMeanwhile { .. } => 412,
            Self::Invalid { .. } => 422,
            Self::TooManyAttempts { .. }
            | Self::TooManyCodes { .. }
            | Self::TooManyFactorTries { .. }
            | Self::TooManyExports { .. }
            | Self::TooManyInvitationMails { .. } => 429,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.code(),
            Self::ApiUsers(problem) => problem.code(),
            Self::Networks(problem) => problem.code(),
            Self::Token(problem) => problem.code(),
            Self::CrossSite => "cross_site",
            Self::NotSignedIn => "not_signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::StepUpRefused => "step_up_refused",
            Self::StepUpRequired { .. } | Self::AccessTooOld => "step_up_required",
            Self::FactorRefused { .. } => "factor_refused",
            Self::TooManyFactorTries { .. } => "too_many_codes",
            Self::ChallengeOver => "challenge_over",
            Self::FactorIsOn => "factor_is_on",
            Self::NoFactor => "no_factor",
            Self::PasskeyRefused(_) => "passkey_refused",
            Self::PasskeyIsKnown => "passkey_is_known",
            Self::TooManyPasskeys { .. } => "too_many_passkeys",
            Self::SetupRefused => "setup_refused",
            Self::SetupDone => "setup_done",
            Self::SetupBusy { .. } => "setup_busy",
            Self::AddressTaken => "address_taken",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::NotPermitted => "not_permitted",
            Self::ChangedMeanwhile { .. } => "changed_meanwhile",
            Self::ServiceChangedMeanwhile { .. } => "changed_meanwhile",
            Self::NotViewable(_) => "not_viewable",
            Self::AlreadyIssued { .. } => "already_issued",
            Self::AlreadyInvited { .. } => "already_invited",
            Self::RestoreNotBegun => "restore_not_begun",
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::KeysNotFound { .. } => "not_found",
            Self::Protected { .. } => "protected",
            Self::NotDeleted => "not_deleted",
            Self::NotRegenerable(_) => "not_regenerable",
            Self::Replaced { .. } => "replaced",
            Self::NotReplaced => "not_replaced",
            Self::TooManyCodes { .. } => "too_many_codes",
            Self::TooManyExports { .. } => "too_many_exports",
            Self::CodeWrong { .. } => "code_wrong",
            Self::CodeOver => "code_over",
            Self::MailOff => "mail_off",
            Self::ResetRefused => "reset_refused",
            Self::BadHeader { .. } => "bad_header",
            Self::Invalid { .. } => "invalid",
            Self::InvitationRefused => "invitation_refused",
            Self::InvitationOver => "invitation_over",
            Self::LastOwner => "last_owner",
            Self::MemberChangedMeanwhile { .. } => "changed_meanwhile",
            Self::KeyPairExists => "key_pair_exists",
            Self::MfaRequired => "mfa_required",
            Self::CodeRequired => "code_required",
            Self::NotYourKey => "not_your_key",
            Self::KeyMemberGone => "key_member_gone",
            Self::PolicyChangedMeanwhile { .. } => "changed_meanwhile",
            Self::TooManyInvitations { .. } => "too_many_invitations",
            Self::TooManyMembers { .. } => "too_many_members",
            Self::TooManyInvitationMails { .. } => "too_many_invitation_mails",
        }
    }

    /// Returns the title for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.title(),
            Self::ApiUsers(problem) => problem.title(),
            Self::Networks(problem) => problem.title(),
            Self::Token(problem) => problem.title(),
            Self::CrossSite => "The request does not come from the console's own page",
            Self::NotSignedIn => "Sign in first",
            Self::SignInRefused => "That e-mail and password do not match an account here",
            Self::StepUpRefused => "That password does not match",
            Self::StepUpRequired { .. } | Self::AccessTooOld => "Confirm that it is you",
            Self::FactorRefused { .. } => "That code does not match, or was used before",
            Self::TooManyFactorTries { .. } => "Too many codes in a day",
            Self::ChallengeOver => "This sign-in is over; sign in again",
            Self::FactorIsOn => "An authenticator app is on already",
            Self::NoFactor => "No authenticator app is on, or none waits for its first code",
            Self::SetupRefused => "The set-up link is not valid, or its time is over",
            Self::SetupDone => {
                "This set-up link has been used, or this deployment is set up already"
            }
            Self::SetupBusy { .. } => "Another attempt is using this set-up link",
            Self::PasskeyRefused(_) => "The passkey was refused",
            Self::PasskeyIsKnown => "This passkey was added before",
            Self::TooManyPasskeys { .. } => "You have as many passkeys as you may",
            Self::AddressTaken => "This e-mail address is in use",
            Self::TooManyAttempts { .. } => "Too many tries",
            Self::NotPermitted => "Your role does not allow this",
            Self::ChangedMeanwhile { .. } => "The key has changed meanwhile",
            Self::ServiceChangedMeanwhile { .. } => {
                "The service credentials have changed meanwhile"
            }
            Self::NotViewable(_) => "This secret cannot be shown",
            Self::AlreadyIssued { .. } => "This request has issued a key before",
            Self::AlreadyInvited { .. } => "This request has made a set-up link before",
            Self::RestoreNotBegun => "No restore of this account is on its way",
            Self::TooManyKeys { .. } => "The account holds as many keys as it may",
            Self::KeysNotFound { .. } => "Some of these keys are not there",
            Self::Protected { .. } => "Some of these keys are protected from deletion",
            Self::NotDeleted => "The key is not deleted",
            Self::NotRegenerable(_) => "This key cannot be regenerated",
            Self::Replaced { .. } => "The key was replaced, so it cannot be restored",
            Self::NotReplaced => "The key was not replaced",
            Self::TooManyCodes { .. } => "Too many codes in a day",
            Self::TooManyExports { .. } => "Too many files of activity in a day",
            Self::CodeWrong { .. } => "That is not the code that was mailed",
            Self::CodeOver => "The code is over",
            Self::MailOff => "This deployment sends no mail",
            Self::ResetRefused => "That code does not match, or its time is over",
            Self::BadHeader { .. } => "A header is missing or not of its form",
            Self::Invalid { .. } => "Some values were refused",
            Self::InvitationRefused => "The invitation is not valid, or its time is over",
            Self::InvitationOver => "This invitation was used, withdrawn or replaced",
            Self::LastOwner => "The account needs an owner",
            Self::MemberChangedMeanwhile { .. } => "The member has changed meanwhile",
            Self::KeyPairExists => "You already have a key pair",
            Self::MfaRequired => "Set up a second factor first",
            Self::CodeRequired => "Deleting keys in this account needs a mailed code",
            Self::NotYourKey => "This key belongs to another member",
            Self::KeyMemberGone => "The member of this key has left the account",
            Self::PolicyChangedMeanwhile { .. } => "The policy has changed meanwhile",
            Self::TooManyInvitations { .. } => "The account has as many open invitations as it may",
            Self::TooManyMembers { .. } => "The account has as many members as it may",
            Self::TooManyInvitationMails { .. } => "Too many invitations in a day",
        }
    }

    /// Returns the members that this problem adds to `type`, `title`, `status` and `code`.
    fn extensions(&self) -> Vec<(&'static str, Json)> {
        let mut members = Vec::new();
        let mut put = |name: &'static str, value: Value| members.push((name, value.into()));
        match self {
            Self::TooManyKeys { max }
            | Self::TooManyPasskeys { max }
            | Self::TooManyInvitations { max }
            | Self::TooManyMembers { max } => put("max", (*max).into()),
            Self::MemberChangedMeanwhile { member } => put("member", member.clone()),
            Self::PolicyChangedMeanwhile { state } => put("present", state.clone()),
            Self::Networks(problem) => {
                problem.present().into_iter().for_each(|list| put("present", list));
            }
            Self::TooManyAttempts { until, .. }
            | Self::SetupBusy { until, .. }
            | Self::TooManyCodes { until, .. }
            | Self::TooManyFactorTries { until, .. }
            | Self::TooManyExports { until, .. }
            | Self::TooManyInvitationMails { until, .. } => {
                put("until", until.as_str().into());
            }
            Self::KeysNotFound { keys } | Self::Protected { keys } => put("keys", keys.clone()),
            Self::CodeWrong { tries_left } => put("tries_left", (*tries_left).into()),
            Self::StepUpRequired { methods } => put("methods", methods.clone().into()),
            Self::FactorRefused { tries_left } => put("tries_left", (*tries_left).into()),
            Self::AccessTooOld => {
                put("methods", vec!["access"].into());
                put("detail", "sign in at Cloudflare Access again".into());
            }
            Self::AlreadyIssued { key } => put("key", key.clone()),
            Self::AlreadyInvited { account } => put("account", account.as_str().into()),
            Self::ChangedMeanwhile { key, by, at } => {
                put("key", key.clone());
                put("by", by.as_str().into());
                put("at", at.as_str().into());
            }
            Self::ServiceChangedMeanwhile { service } => put("service", service.clone()),
            Self::NotViewable(why) => {
                put("reason", why.reason().into());
                put("detail", why.to_string().into());
            }
            Self::NotRegenerable(why) => {
                put("reason", why.reason().into());
                put("detail", why.to_string().into());
            }
            Self::PasskeyRefused(why) => {
                put("reason", why.as_str().into());
                put("detail", why.to_string().into());
            }
            Self::Replaced { by } => put("replaced_by", by.as_str().into()),
            Self::BadHeader { name } => put("header", (*name).into()),
            Self::Invalid { errors } => put("errors", errors.clone()),
            Self::ApiUsers(problem) => {
                problem.extensions().into_iter().for_each(|(name, value)| put(name, value));
            }
            Self::Request(_)
            | Self::Token(_)
            | Self::CrossSite
            | Self::NotSignedIn
            | Self::SignInRefused
            | Self::StepUpRefused
            | Self::SetupRefused
            | Self::SetupDone
            | Self::AddressTaken
            | Self::RestoreNotBegun
            | Self::NotPermitted
            | Self::NotDeleted
            | Self::NotReplaced
            | Self::CodeOver
            | Self::ResetRefused
            | Self::MailOff
            | Self::InvitationRefused
            | Self::InvitationOver
            | Self::KeyPairExists
            | Self::MfaRequired
            | Self::CodeRequired
            | Self::NotYourKey
            | Self::KeyMemberGone
            | Self::ChallengeOver
            | Self::FactorIsOn
            | Self::NoFactor
            | Self::PasskeyIsKnown
            | Self::LastOwner => {}
        }
        members
    }

    /// Returns the header that this problem adds to the response.
    fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Self::TooManyAttempts { retry_after_s, .. }
            | Self::SetupBusy { retry_after_s, .. }
            | Self::TooManyCodes { retry_after_s, .. }
            | Self::TooManyFactorTries { retry_after_s, .. }
            | Self::TooManyExports { retry_after_s, .. }
            | Self::TooManyInvitationMails { retry_after_s, .. } => {
                Some(("retry-after", retry_after_s.to_string()))
            }
            Self::Request(_)
            | Self::ApiUsers(_)
            | Self::Networks(_)
            | Self::Token(_)
            | Self::CrossSite
            | Self::NotSignedIn
            | Self::SignInRefused
            | Self::StepUpRefused
            | Self::StepUpRequired { .. }
            | Self::AccessTooOld
            | Self::FactorRefused { .. }
            | Self::ChallengeOver
            | Self::FactorIsOn
            | Self::NoFactor
            | Self::PasskeyRefused(_)
            | Self::PasskeyIsKnown
            | Self::TooManyPasskeys { .. }
            | Self::SetupRefused
            | Self::SetupDone
            | Self::AddressTaken
            | Self::NotPermitted
            | Self::ChangedMeanwhile { .. }
            | Self::ServiceChangedMeanwhile { .. }
            | Self::AlreadyIssued { .. }
            | Self::AlreadyInvited { .. }
            | Self::NotViewable(_)
            | Self::RestoreNotBegun
            | Self::TooManyKeys { .. }
            | Self::KeysNotFound { .. }
            | Self::Protected { .. }
            | Self::NotDeleted
            | Self::NotRegenerable(_)
            | Self::Replaced { .. }
            | Self::NotReplaced
            | Self::CodeWrong { .. }
            | Self::CodeOver
            | Self::MailOff
            | Self::ResetRefused
            | Self::BadHeader { .. }
            | Self::Invalid { .. }
            | Self::InvitationRefused
            | Self::InvitationOver
            | Self::LastOwner
            | Self::KeyPairExists
            | Self::MfaRequired
            | Self::CodeRequired
            | Self::NotYourKey
            | Self::KeyMemberGone
            | Self::PolicyChangedMeanwhile { .. }
            | Self::MemberChangedMeanwhile { .. }
            | Self::TooManyInvitations { .. }
            | Self::TooManyMembers { .. } => None,
        }
    }

    /// Returns the whole response. `console_origin` serves `/problems`, which explains the codes.
    pub fn answer(&self, console_origin: &str) -> Response {
        match self {
            Self::Request(problem) => return problem.answer(console_origin),
            Self::Token(problem) => return problem.answer(console_origin),
            _ => {}
        }
        let (status, code, title) = (self.status(), self.code(), self.title());
        let document = ProblemDocument { status, code, title, extensions: self.extensions() };
        document.answer(console_origin).with_header(self.header())
    }
}
