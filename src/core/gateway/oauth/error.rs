//! Reports why an OAuth request was refused (RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 7662 §2.3).

use crate::base::http::problem::RETRY_AFTER_S;
use crate::base::http::response::Response;
use crate::base::json::Json;
use crate::credential::limits::permission::Permission;
use crate::gateway::issuance::Refused;
use crate::gateway::problem::challenge;
use crate::verify::verdict::Denial;

/// The reason why an OAuth request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// The method is not POST.
    Method,
    /// The URL has query parameters. URLs get logged in many places, and these parameters would be
    /// secrets.
    Query,
    /// The body is not a form.
    MediaType,
    /// The body is too large.
    TooLarge,
    /// The body took too long to arrive.
    TooSlow,
    /// The body ended early.
    CutOff,
    /// A parameter occurs twice.
    Repeated,
    /// The client authenticates in several ways.
    SeveralWays,
    /// The parameter `grant_type` is absent.
    NoGrantType,
    /// The parameter `token` is absent.
    NoToken,
    /// The grant is not `client_credentials`.
    GrantType,
    /// A parameter is malformed. The text names it, for developers.
    Parameter(&'static str),
    /// The token to introspect is the caller's own key.
    OwnKey,
    /// The client does not authenticate, or Claviger knows no such pair. One answer for all cases.
    Client,
    /// The caller of an introspection does not authenticate, or Claviger knows no such key. One
    /// answer for all cases.
    Verifier,
    /// The key of the caller of an introspection is right, but its own verdict is a denial.
    VerifierDenied(Denial),
    /// The pair is right, but its own verdict is a denial.
    Denied(Denial),
    /// The pair is that of an issued key, which never issues.
    Issued,
    /// The scope is malformed, or more than the pair may do.
    Scope,
    /// The permissions do not fit into a token.
    TooManyPermissions,
    /// The ledger is out of reach, so the edge cannot decide.
    Unavailable,
}

impl From<Denial> for OAuthError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Missing | Denial::Malformed | Denial::Unknown => Self::Client,
            // No key is ever refused for too many tries.
            Denial::Unavailable | Denial::RateLimited => Self::Unavailable,
            // Only a client with the right secret gets these.
            Denial::Disabled
            | Denial::Locked
            | Denial::AccountSuspended
            | Denial::MfaOff
            | Denial::NotYetValid
            | Denial::Expired
            | Denial::NetworkDenied
            | Denial::InterfaceDenied
            | Denial::PermissionDenied => Self::Denied(denial),
        }
    }
}

/// The refusals of a check of a key pair.
impl From<Refused> for OAuthError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Issuer(denial) => denial.into(),
            Refused::Issued => Self::Issued,
            Refused::Unavailable => Self::Unavailable,
            // No check of a pair ends like this.
            Refused::Method
            | Refused::Query
            | Refused::MediaType
            | Refused::TooLarge
            | Refused::TooSlow
            | Refused::CutOff
            | Refused::UnknownField
            | Refused::RepeatedField
            | Refused::HalfService
            | Refused::BothWays
            | Refused::Ambiguous
            | Refused::Epi(_)
            | Refused::Ipa(_)
            | Refused::IpaEntry { .. }
            | Refused::Missing
            | Refused::UnknownService
            | Refused::NotIssuable
            | Refused::TooLong
            | Refused::Outside
            | Refused::TooMany
            | Refused::Overtaken => Self::Client,
        }
    }
}

impl OAuthError {
    /// Returns the error of a check of an introspection's caller.
    pub fn of_verifier(error: Self) -> Self {
        match error {
            Self::Client => Self::Verifier,
            Self::Denied(denial) => Self::VerifierDenied(denial),
            error => error,
        }
    }

    /// Returns the HTTP status: 401 if the client is not authenticated, 503 if no answer is
    /// possible, and 400 for most others.
    ///
    /// A verifier that may not ask is 403, as at every other surface that demands a permission
    /// (RFC 6750 §3.1). RFC 7662 §2.3 speaks of 401 there, but the credentials are right.
    pub fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::Client | Self::Verifier => 401,
            Self::VerifierDenied(denial) => denial.status(),
            Self::Denied(denial) if denial.status() == 401 => 401,
            Self::Unavailable => 503,
            Self::Query
            | Self::MediaType
            | Self::CutOff
            | Self::Repeated
            | Self::SeveralWays
            | Self::NoGrantType
            | Self::NoToken
            | Self::GrantType
            | Self::Parameter(_)
            | Self::OwnKey
            | Self::Denied(_)
            | Self::Issued
            | Self::Scope
            | Self::TooManyPermissions => 400,
        }
    }

    /// Returns the stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Method
            | Self::Query
            | Self::MediaType
            | Self::TooLarge
            | Self::TooSlow
            | Self::CutOff
            | Self::Repeated
            | Self::SeveralWays
            | Self::NoGrantType
            | Self::NoToken
            | Self::Parameter(_)
            | Self::OwnKey => "invalid_request",
            Self::GrantType => "unsupported_grant_type",
            Self::Client | Self::Verifier => "invalid_client",
            Self::Denied(denial) | Self::VerifierDenied(denial) if denial.status() == 401 => {
                "invalid_client"
            }
            Self::VerifierDenied(_) => "insufficient_scope",
            // The client is known and authenticated, but may not do this.
            Self::Denied(_) | Self::Issued => "unauthorized_client",
            Self::Scope | Self::TooManyPermissions => "invalid_scope",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    /// Returns a sentence for developers. It has only the characters that RFC 6749 §5.2 allows: no
    /// quote and no backslash.
    pub fn description(self) -> &'static str {
        match self {
            Self::Method => "only POST is accepted here",
            Self::Query => "send the parameters in the body, never in the URL",
            Self::MediaType => "the body must be application/x-www-form-urlencoded",
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body takes too long to arrive, or comes in too many pieces",
            Self::CutOff => "the body ended early",
            Self::Repeated => "each parameter may occur once",
            Self::SeveralWays => "authenticate once, in one way",
            Self::NoGrantType => "grant_type is missing",
            Self::NoToken => "token is missing",
            Self::GrantType => "grant_type must be client_credentials",
            Self::Parameter(description) => description,
            Self::OwnKey => "token must not be the key with which the request authenticates",
            Self::Client => {
                "access key and access secret are not known: send them by HTTP Basic, or as client_id and client_secret"
            }
            Self::Verifier => {
                "no verifier is known by this: send a key that holds claviger:verify, as a pair by HTTP Basic or in the body, or whole as a bearer token"
            }
            Self::Denied(denial) | Self::VerifierDenied(denial) => denial.title(),
            Self::Issued => "a key that a program issued gets no tokens",
            Self::Scope => {
                "scope must list permissions that the key has, separated by single spaces"
            }
            Self::TooManyPermissions => {
                "the permissions of the key do not fit into a token: name those that are needed in scope"
            }
            Self::Unavailable => Denial::Unavailable.title(),
        }
    }

    /// Builds the response. `realm` is the requested host.
    pub fn answer(self, realm: &str) -> Response {
        let members =
            [("error", Json::from(self.code())), ("error_description", self.description().into())];
        let answer = Response::json(self.status(), &Json::object(members));
        let answer = answer.with("pragma", "no-cache").with_header(self.challenge(realm));
        match self.status() {
            // RFC 9110 §15.5.6 and §10.2.3 require these headers.
            405 => answer.with("allow", "POST"),
            503 => answer.with("retry-after", RETRY_AFTER_S.to_string()),
            _ => answer,
        }
    }

    /// Returns the header with the ways to authenticate, which RFC 9110 §15.5.2 requires of a 401.
    fn challenge(self, realm: &str) -> Option<(&'static str, String)> {
        let basic = || format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
        let value = match self {
            // One answer for all ways to authenticate, so it names them all.
            Self::Verifier | Self::VerifierDenied(_) if self.status() == 401 => {
                [&basic(), ", ", &format!("Bearer realm=\"{realm}\"")].concat()
            }
            Self::VerifierDenied(denial) => {
                challenge(denial, realm, Some(&Permission::claviger_verify()))?
            }
            _ if self.status() == 401 => basic(),
            _ => return None,
        };
        Some(("www-authenticate", value))
    }
}
