//! Problem documents (RFC 9457): one place where every refusal gets its status, its code and its words.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::{Answer, no_sniff, no_store};
use crate::path::PathError;
use crate::permission::Permission;
use crate::verdict::Denial;

/// Media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// How long a client should wait after 503, in seconds: an object that moves between machines is back within one or two.
pub const RETRY_AFTER_S: u32 = 2;

/// What went wrong. Each variant is one stable code; `www/problems.html` explains them to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A verification said no.
    Denied(Denial),
    /// No credential where the rule looks for one.
    MissingCredential {
        /// Where it looks, in the rule's words.
        places: Vec<String>,
        /// Where something that begins like a key stands, in a place that does not count.
        elsewhere: Option<String>,
    },
    /// The body's opening took too long.
    BodyTooSlow,
    /// More than one credential.
    AmbiguousCredential,
    /// A path that servers read in different ways.
    AmbiguousPath(PathError),
    /// No gateway rule for this host and path.
    NoRoute,
    /// No such resource of Claviger's own.
    NotFound,
    /// The resource is there, the method is not.
    MethodNotAllowed {
        /// Methods that are.
        allow: &'static str,
    },
    /// A body above the limit.
    BodyTooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// A body of another media type than JSON.
    UnsupportedMediaType,
    /// A body that is no JSON object of known members.
    MalformedBody {
        /// What the parser says; it quotes no value.
        detail: String,
    },
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
    /// The deployment is not set up: a secret is missing or an example.
    Misconfigured,
    /// Something that should never happen. The log has the rest.
    Internal,
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

impl Problem {
    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Denied(denial) => denial.status(),
            Self::MissingCredential { .. } => Denial::Missing.status(),
            Self::BodyTooSlow => 408,
            Self::AmbiguousCredential
            | Self::AmbiguousPath(_)
            | Self::MalformedBody { .. }
            | Self::BadHeader { .. } => 400,
            Self::NotSignedIn | Self::SignInRefused | Self::StepUpRefused | Self::SetupRefused => 401,
            Self::CrossSite | Self::StepUpRequired | Self::NotPermitted | Self::CodeWrong { .. } => 403,
            Self::NoRoute | Self::NotFound | Self::KeysNotFound { .. } => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::SetupDone
            | Self::AddressTaken
            | Self::AlreadyIssued { .. }
            | Self::AlreadyInvited { .. }
            | Self::NotViewable(_)
            | Self::RestoreNotBegun
            | Self::TooManyKeys { .. } => 409,
            Self::Protected { .. } | Self::NotDeleted | Self::MailOff => 409,
            Self::CodeOver => 410,
            Self::ChangedMeanwhile { .. } | Self::ServiceChangedMeanwhile { .. } => 412,
            Self::BodyTooLarge { .. } => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid { .. } => 422,
            Self::TooManyAttempts { .. } | Self::TooManyCodes { .. } | Self::TooManyExports { .. } => 429,
            Self::Internal => 500,
            Self::Misconfigured => 503,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.code(),
            Self::MissingCredential { .. } => Denial::Missing.code(),
            Self::BodyTooSlow => "body_too_slow",
            Self::AmbiguousCredential => "ambiguous_credential",
            Self::AmbiguousPath(_) => "ambiguous_path",
            Self::NoRoute => "no_route",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::MalformedBody { .. } => "malformed_body",
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
            Self::Misconfigured => "misconfigured",
            Self::Internal => "internal",
        }
    }

    /// One line for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.title(),
            Self::MissingCredential { .. } => Denial::Missing.title(),
            Self::BodyTooSlow => "The body takes too long to arrive",
            Self::AmbiguousCredential => "The request carries more than one credential",
            Self::AmbiguousPath(_) => "The path can be read in two ways",
            Self::NoRoute => "No API is at this address",
            Self::NotFound => "There is nothing at this address",
            Self::MethodNotAllowed { .. } => "This address does not take that method",
            Self::BodyTooLarge { .. } => "The body is too large",
            Self::UnsupportedMediaType => "The body must be application/json",
            Self::MalformedBody { .. } => "The body is not what this address takes",
            Self::CrossSite => "The request does not come from the console's own page",
            Self::NotSignedIn => "Sign in first",
            Self::SignInRefused => "That e-mail and password do not match an account here",
            Self::StepUpRefused => "That password does not match",
            Self::StepUpRequired => "Confirm that it is you",
            Self::SetupRefused => "The set-up link is not valid, or its time is over",
            Self::SetupDone => "This set-up link has been used, or this deployment is set up already",
            Self::AddressTaken => "This e-mail address is in use",
            Self::TooManyAttempts { .. } => "Too many tries",
            Self::NotPermitted => "Your role does not allow this",
            Self::ChangedMeanwhile { .. } => "The key has changed meanwhile",
            Self::ServiceChangedMeanwhile { .. } => "The service credentials have changed meanwhile",
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
            Self::Misconfigured => "This deployment is not set up",
            Self::Internal => "Internal Server Error",
        }
    }

    /// Members beside the standard ones.
    fn extensions(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        match self {
            Self::AmbiguousPath(error) => put("detail", error.to_string().into()),
            Self::MalformedBody { detail } => put("detail", detail.as_str().into()),
            Self::BodyTooLarge { max } => put("max", (*max).into()),
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
            Self::MissingCredential { places, elsewhere } => {
                put("places", places.clone().into());
                if let Some(elsewhere) = elsewhere {
                    put("elsewhere", elsewhere.as_str().into());
                }
            }
            Self::Denied(_)
            | Self::BodyTooSlow
            | Self::AmbiguousCredential
            | Self::NoRoute
            | Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::UnsupportedMediaType
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
            | Self::MailOff
            | Self::Misconfigured
            | Self::Internal => {}
        }
        members
    }

    /// The whole answer. `console_origin` is where `/problems` explains the codes.
    pub fn answer(&self, console_origin: &str) -> Answer {
        #[derive(Serialize)]
        struct Document {
            r#type: String,
            title: &'static str,
            status: u16,
            code: &'static str,
            #[serde(flatten)]
            extensions: Map<String, Value>,
        }
        let document = Document {
            r#type: format!("{console_origin}/problems#{}", self.code()),
            title: self.title(),
            status: self.status(),
            code: self.code(),
            extensions: self.extensions(),
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let answer = Answer {
            status: self.status(),
            headers: vec![("content-type", MEDIA_TYPE.into()), no_store(), no_sniff()],
            body,
            more: None,
        };
        match self {
            Self::MethodNotAllowed { allow } => answer.with("allow", *allow),
            Self::TooManyAttempts { retry_after_s, .. }
            | Self::TooManyCodes { retry_after_s, .. }
            | Self::TooManyExports { retry_after_s, .. } => {
                answer.with("retry-after", retry_after_s.to_string())
            }
            Self::Denied(Denial::Unavailable) | Self::Misconfigured => {
                answer.with("retry-after", RETRY_AFTER_S.to_string())
            }
            _ => answer,
        }
    }
}

/// The challenge of a denial (RFC 6750 §3): no error attribute without a credential (§3.1); `scope` names the permission that is
/// missing, which only a caller with the right secret gets to see.
pub fn challenge(denial: Denial, realm: &str, demanded: Option<&Permission>) -> Option<String> {
    let attributes = match denial {
        Denial::Missing => String::new(),
        Denial::Malformed
        | Denial::Unknown
        | Denial::Disabled
        | Denial::AccountSuspended
        | Denial::NotYetValid
        | Denial::Expired => ", error=\"invalid_token\"".into(),
        Denial::PermissionDenied => match demanded {
            Some(permission) => format!(", error=\"insufficient_scope\", scope=\"{permission}\""),
            None => ", error=\"insufficient_scope\"".into(),
        },
        Denial::NetworkDenied | Denial::InterfaceDenied => ", error=\"insufficient_scope\"".into(),
        Denial::Unavailable => return None,
    };
    Some(format!("Bearer realm=\"{realm}\"{attributes}"))
}

/// The challenge to a request with several credentials (RFC 6750 §3.1).
pub fn challenge_of_several(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\", error=\"invalid_request\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_a_problem_document_that_nobody_stores() {
        let answer = Problem::Denied(Denial::Expired).answer("https://console.example");
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.body,
            r#"{"type":"https://console.example/problems#expired","title":"The key has expired","status":401,"code":"expired"}"#
        );
        assert!(answer.headers.contains(&("cache-control", "no-store".into())));
        assert!(answer.headers.contains(&("content-type", MEDIA_TYPE.into())));
    }

    #[test]
    fn an_outage_says_when_to_come_back() {
        let answer = Problem::Denied(Denial::Unavailable).answer("");
        assert_eq!(answer.status, 503);
        assert!(answer.headers.contains(&("retry-after", "2".into())));
    }

    #[test]
    fn challenges_follow_rfc_6750() {
        let permission: Permission = "demo:read".parse().unwrap();
        for (denial, expected) in [
            (Denial::Missing, Some("Bearer realm=\"a\"")),
            (Denial::Unknown, Some("Bearer realm=\"a\", error=\"invalid_token\"")),
            (Denial::AccountSuspended, Some("Bearer realm=\"a\", error=\"invalid_token\"")),
            (Denial::Expired, Some("Bearer realm=\"a\", error=\"invalid_token\"")),
            (Denial::NetworkDenied, Some("Bearer realm=\"a\", error=\"insufficient_scope\"")),
            (
                Denial::PermissionDenied,
                Some("Bearer realm=\"a\", error=\"insufficient_scope\", scope=\"demo:read\""),
            ),
            (Denial::Unavailable, None),
        ] {
            assert_eq!(challenge(denial, "a", Some(&permission)).as_deref(), expected, "{denial:?}");
        }
    }
}
