//! The admin Worker's refusals: one place where each gets its status, its code and its words.

use claviger_core::base::http::problem::{ProblemDocument, RequestProblem};
use claviger_core::base::http::response::Answer;
use serde_json::{Map, Value};

/// Why the admin Worker refuses a request. Each variant is one stable code; `www/problems.html`
/// explains them to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminProblem {
    /// A problem of requests to any surface.
    Request(RequestProblem),
    /// A request of a signed-in browser that another site may have caused.
    CrossSite,
    /// No session, or none any more.
    NotSignedIn,
    /// Wrong e-mail or password: one answer for every cause.
    SignInRefused,
    /// Wrong password at a step-up.
    StepUpRefused,
    /// A fresh proof of identity is wanted.
    StepUpRequired,
    /// A set-up token that is forged, over, or malformed.
    SetupRefused,
    /// The set-up link has been used, or the deployment has its first account.
    SetupDone,
    /// Somebody has this e-mail address.
    AddressTaken,
    /// Too many tries.
    TooManyAttempts {
        /// Seconds until the next try is looked at.
        retry_after_s: u64,
        /// The same as an instant, RFC 3339.
        until: String,
    },
    /// The member's role does not reach.
    NotPermitted,
    /// The key changed since the member saw it.
    ChangedMeanwhile {
        /// The key as it is now.
        key: Value,
        /// Name of who changed it.
        by: String,
        /// When, RFC 3339.
        at: String,
    },
    /// This idempotency key has issued a key.
    AlreadyIssued {
        /// That key, without its secret; null when it was deleted.
        key: Value,
    },
    /// This idempotency key has invited an account.
    AlreadyInvited {
        /// Its ID; its set-up link was shown once.
        account: String,
    },
    /// The service credentials changed since the member saw them.
    ServiceChangedMeanwhile {
        /// They as they are now.
        service: Value,
    },
    /// The secret cannot be shown.
    NotViewable(NotViewable),
    /// No restore of this account was begun, or it is finished.
    RestoreNotBegun,
    /// The account holds as many keys as it may.
    TooManyKeys {
        /// The limit.
        max: u32,
    },
    /// There are no such keys, or they are deleted already.
    KeysNotFound {
        /// Their IDs.
        keys: Value,
    },
    /// Keys that are protected from deletion.
    Protected {
        /// IDs and names.
        keys: Value,
    },
    /// The key is not deleted.
    NotDeleted,
    /// The member has had as many codes mailed, or tried, as one may in a day.
    TooManyCodes {
        /// Seconds until the next is possible.
        retry_after_s: u64,
        /// The same as an instant, RFC 3339.
        until: String,
    },
    /// The member has taken as many files of activity as one may in a day.
    TooManyExports {
        /// Seconds until the next is possible.
        retry_after_s: u64,
        /// The same as an instant, RFC 3339.
        until: String,
    },
    /// Not the code that was mailed.
    CodeWrong {
        /// How many tries are left.
        tries_left: u32,
    },
    /// The code's time is over, its tries are used up, or it was used.
    CodeOver,
    /// The deployment sends no mail, and this needs a mailed code.
    MailOff,
    /// A header that the route demands is missing or not of its form.
    BadHeader {
        /// Its name.
        name: &'static str,
    },
    /// Values were refused.
    Invalid {
        /// Which, and why.
        errors: Value,
    },
}

/// Why a secret cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotViewable {
    /// It was shown once, and only its digest is kept.
    #[error("the key was issued without being viewable: its secret was shown once")]
    NotStored,
    /// It was encrypted under a generation of the master secret that the operator has dropped.
    #[error("it was encrypted under a master secret that is no longer in use")]
    GenerationDropped,
}

impl NotViewable {
    /// The stable word.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotStored => "not_stored",
            Self::GenerationDropped => "generation_dropped",
        }
    }
}

impl From<RequestProblem> for AdminProblem {
    fn from(problem: RequestProblem) -> Self {
        Self::Request(problem)
    }
}

impl AdminProblem {
    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Request(problem) => problem.status(),
            Self::BadHeader { .. } => 400,
            Self::NotSignedIn | Self::SignInRefused | Self::StepUpRefused | Self::SetupRefused => {
                401
            }
            Self::CrossSite
            | Self::StepUpRequired
            | Self::NotPermitted
            | Self::CodeWrong { .. } => 403,
            Self::KeysNotFound { .. } => 404,
            Self::SetupDone
            | Self::AddressTaken
            | Self::AlreadyIssued { .. }
            | Self::AlreadyInvited { .. }
            | Self::NotViewable(_)
            | Self::RestoreNotBegun
            | Self::TooManyKeys { .. }
            | Self::Protected { .. }
            | Self::NotDeleted
            | Self::MailOff => 409,
            Self::CodeOver => 410,
            Self::ChangedMeanwhile { .. } | Self::ServiceChangedMeanwhile { .. } => 412,
            Self::Invalid { .. } => 422,
            Self::TooManyAttempts { .. }
            | Self::TooManyCodes { .. }
            | Self::TooManyExports { .. } => 429,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.code(),
            Self::CrossSite => "cross_site",
            Self::NotSignedIn => "not_signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::StepUpRefused => "step_up_refused",
            Self::StepUpRequired => "step_up_required",
            Self::SetupRefused => "setup_refused",
            Self::SetupDone => "setup_done",
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
            Self::TooManyCodes { .. } => "too_many_codes",
            Self::TooManyExports { .. } => "too_many_exports",
            Self::CodeWrong { .. } => "code_wrong",
            Self::CodeOver => "code_over",
            Self::MailOff => "mail_off",
            Self::BadHeader { .. } => "bad_header",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// One line for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.title(),
            Self::CrossSite => "The request does not come from the console's own page",
            Self::NotSignedIn => "Sign in first",
            Self::SignInRefused => "That e-mail and password do not match an account here",
            Self::StepUpRefused => "That password does not match",
            Self::StepUpRequired => "Confirm that it is you",
            Self::SetupRefused => "The set-up link is not valid, or its time is over",
            Self::SetupDone => {
                "This set-up link has been used, or this deployment is set up already"
            }
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
            Self::TooManyCodes { .. } => "Too many codes in a day",
            Self::TooManyExports { .. } => "Too many files of activity in a day",
            Self::CodeWrong { .. } => "That is not the code that was mailed",
            Self::CodeOver => "The code is over",
            Self::MailOff => "This deployment sends no mail",
            Self::BadHeader { .. } => "A header is missing or not of its form",
            Self::Invalid { .. } => "Some values were refused",
        }
    }

    /// Members beside the standard ones.
    fn extensions(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        match self {
            Self::TooManyKeys { max } => put("max", (*max).into()),
            Self::TooManyAttempts { until, .. }
            | Self::TooManyCodes { until, .. }
            | Self::TooManyExports { until, .. } => {
                put("until", until.as_str().into());
            }
            Self::KeysNotFound { keys } | Self::Protected { keys } => put("keys", keys.clone()),
            Self::CodeWrong { tries_left } => put("tries_left", (*tries_left).into()),
            Self::StepUpRequired => put("methods", vec!["password"].into()),
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
            Self::BadHeader { name } => put("header", (*name).into()),
            Self::Invalid { errors } => put("errors", errors.clone()),
            Self::Request(_)
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
            | Self::CodeOver
            | Self::MailOff => {}
        }
        members
    }

    /// The header that this problem adds to its answer.
    fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Self::TooManyAttempts { retry_after_s, .. }
            | Self::TooManyCodes { retry_after_s, .. }
            | Self::TooManyExports { retry_after_s, .. } => {
                Some(("retry-after", retry_after_s.to_string()))
            }
            Self::Request(_)
            | Self::CrossSite
            | Self::NotSignedIn
            | Self::SignInRefused
            | Self::StepUpRefused
            | Self::StepUpRequired
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
            | Self::CodeWrong { .. }
            | Self::CodeOver
            | Self::MailOff
            | Self::BadHeader { .. }
            | Self::Invalid { .. } => None,
        }
    }

    /// The whole answer. `console_origin` is where `/problems` explains the codes.
    pub fn answer(&self, console_origin: &str) -> Answer {
        if let Self::Request(problem) = self {
            return problem.answer(console_origin);
        }
        let (status, code, title) = (self.status(), self.code(), self.title());
        let document = ProblemDocument { status, code, title, extensions: self.extensions() };
        document.answer(console_origin).with_header(self.header())
    }
}
