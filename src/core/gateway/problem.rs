//! Defines the gateway's refusals, each with its status, code and title.

use crate::base::http::path::PathError;
use crate::base::http::problem::{ProblemDocument, RETRY_AFTER_S, RequestProblem};
use crate::base::http::response::Response;
use crate::base::json::Json;
use crate::gateway::body::Unscanned;
use crate::gateway::forward_auth::ProxyFault;
pub use crate::verify::challenge::challenge;
use crate::verify::verdict::Denial;

/// Time after which a caller who tried too many secrets may try again, in seconds. The windows of
/// the limits are longer; a caller who waits this long does not use them up.
const RATE_LIMITED_S: u32 = 60;

/// The reasons for which the gateway refuses a request. Each variant has one stable code, which
/// `www/problems.html` explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayProblem {
    /// A problem of requests to any surface.
    Request(RequestProblem),
    /// The verification of the credential failed.
    Denied(Denial),
    /// The request has no credential in the places that the rule names.
    MissingCredential {
        /// Places where the rule accepts a credential.
        places: Vec<String>,
        /// Another place of the request that holds a text that begins like a key.
        elsewhere: Option<String>,
        /// Reason why the scan may have missed a field of the body.
        unscanned: Option<Unscanned>,
    },
    /// The request carries several credentials.
    AmbiguousCredential,
    /// The path contains the request's key.
    CredentialInPath,
    /// Servers may read the path in different ways.
    AmbiguousPath(PathError),
    /// No rule matches host and path.
    NoRoute,
    /// No server can have the host or port that the request names.
    MalformedHost,
    /// The request came without TLS.
    HttpsRequired,
    /// The key of the proxy that asks does not verify, for whatever reason.
    VerifierRefused,
    /// The request of a proxy cannot be understood.
    ProxyMisconfigured(ProxyFault),
    /// A verifier's request is for a route that takes none.
    NotForVerifiers,
}

impl From<RequestProblem> for GatewayProblem {
    fn from(problem: RequestProblem) -> Self {
        Self::Request(problem)
    }
}

impl GatewayProblem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Request(problem) => problem.status(),
            Self::Denied(denial) => denial.status(),
            Self::MissingCredential { .. } => Denial::Missing.status(),
            Self::AmbiguousCredential
            | Self::CredentialInPath
            | Self::AmbiguousPath(_)
            | Self::MalformedHost => 400,
            Self::HttpsRequired
            | Self::VerifierRefused
            | Self::ProxyMisconfigured(_)
            | Self::NotForVerifiers => 403,
            Self::NoRoute => 404,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.code(),
            Self::Denied(denial) => denial.code(),
            Self::MissingCredential { .. } => Denial::Missing.code(),
            Self::AmbiguousCredential => "ambiguous_credential",
            Self::CredentialInPath => "credential_in_path",
            Self::AmbiguousPath(_) => "ambiguous_path",
            Self::NoRoute => "no_route",
            Self::MalformedHost => "malformed_host",
            Self::HttpsRequired => "https_required",
            Self::VerifierRefused => "verifier_refused",
            Self::ProxyMisconfigured(_) => "proxy_misconfigured",
            Self::NotForVerifiers => "not_for_verifiers",
        }
    }

    /// Returns one line for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.title(),
            Self::Denied(denial) => denial.title(),
            Self::MissingCredential { .. } => Denial::Missing.title(),
            Self::AmbiguousCredential => "The request carries more than one credential",
            Self::CredentialInPath => "The path contains the key",
            Self::AmbiguousPath(_) => "The path can be read in two ways",
            Self::NoRoute => "No API is at this address",
            Self::MalformedHost => "No server can have this host or port",
            Self::HttpsRequired => {
                "Use https. A key or password that was sent without it is exposed: replace it"
            }
            Self::VerifierRefused => "The proxy's own key is refused",
            Self::ProxyMisconfigured(_) => "The proxy's request cannot be understood",
            Self::NotForVerifiers => "This route takes no Claviger-Verifier",
        }
    }

    /// Builds the whole response. `console_origin` serves `/problems`, which explains the codes.
    pub fn answer(&self, console_origin: &str) -> Response {
        let mut extensions = Vec::new();
        match self {
            Self::Request(problem) => return problem.answer(console_origin),
            Self::AmbiguousPath(error) => {
                extensions.push(("detail", Json::Text(error.to_string())));
            }
            Self::ProxyMisconfigured(fault) => {
                extensions.push(("detail", Json::Text(fault.to_string())));
            }
            Self::MissingCredential { places, elsewhere, unscanned } => {
                let places = places.iter().map(|place| Json::Text(place.clone()));
                extensions.push(("places", Json::List(places.collect())));
                if let Some(elsewhere) = elsewhere {
                    extensions.push(("elsewhere", elsewhere.as_str().into()));
                }
                if let Some(unscanned) = unscanned {
                    extensions.push(("unscanned", unscanned.code().into()));
                    extensions.push(("detail", unscanned.detail().into()));
                }
            }
            Self::Denied(_)
            | Self::AmbiguousCredential
            | Self::CredentialInPath
            | Self::NoRoute
            | Self::MalformedHost
            | Self::HttpsRequired
            | Self::VerifierRefused
            | Self::NotForVerifiers => {}
        }
        let (status, code, title) = (self.status(), self.code(), self.title());
        let answer = ProblemDocument { status, code, title, extensions }.answer(console_origin);
        match self {
            Self::Denied(Denial::Unavailable) => {
                answer.with("retry-after", RETRY_AFTER_S.to_string())
            }
            Self::Denied(Denial::RateLimited) => {
                answer.with("retry-after", RATE_LIMITED_S.to_string())
            }
            Self::Request(_)
            | Self::Denied(_)
            | Self::MissingCredential { .. }
            | Self::AmbiguousCredential
            | Self::CredentialInPath
            | Self::AmbiguousPath(_)
            | Self::NoRoute
            | Self::MalformedHost
            | Self::HttpsRequired
            | Self::VerifierRefused
            | Self::ProxyMisconfigured(_)
            | Self::NotForVerifiers => answer,
        }
    }
}

/// Returns the challenge to a request with several credentials (RFC 6750 §3.1).
pub fn challenge_of_several(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\", error=\"invalid_request\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_a_problem_document_that_nobody_stores() {
        let answer = GatewayProblem::Denied(Denial::Expired).answer("https://console.example");
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.body,
            r#"{"type":"https://console.example/problems#expired","title":"The key has expired","status":401,"code":"expired"}"#
        );
        assert!(answer.headers.contains(&("cache-control", "no-store".into())));
        assert!(
            answer
                .headers
                .contains(&("content-type", crate::base::http::problem::MEDIA_TYPE.into()))
        );
    }

    /// Programs branch on the code, and people read the detail.
    #[test]
    fn a_missing_credential_comes_with_the_reason_why_a_body_was_not_read() {
        for (unscanned, code, detail) in [
            (
                Unscanned::AfterFile,
                "after_file",
                "No field behind the first file is read: send the key before the file",
            ),
            (
                Unscanned::BeyondBound,
                "beyond_64_kib",
                "Only the first 64 KiB of the form are read: send the key earlier",
            ),
            (Unscanned::Malformed, "malformed", "The body cannot be read as its Content-Type says"),
            (
                Unscanned::ContentEncoding,
                "content_encoding",
                "No field of a body with a Content-Encoding is read",
            ),
            (
                Unscanned::ContentType,
                "content_type",
                "No field of a body with this Content-Type is read",
            ),
        ] {
            let places = vec!["form:u".to_owned()];
            let (elsewhere, unscanned) = (None, Some(unscanned));
            let problem = GatewayProblem::MissingCredential { places, elsewhere, unscanned };
            let body = problem.answer("").body;
            let end = format!(r#""places":["form:u"],"unscanned":"{code}","detail":"{detail}"}}"#);
            assert!(body.ends_with(&end), "{body}");
        }
    }

    #[test]
    fn an_outage_says_when_to_come_back() {
        let answer = GatewayProblem::Denied(Denial::Unavailable).answer("");
        assert_eq!(answer.status, 503);
        assert!(answer.headers.contains(&("retry-after", "2".into())));
    }
}
