//! Reports why an issue was refused, as one line of text.

use crate::base::http::response::{Response, no_sniff, no_store};
use crate::credential::grant::GrantError;
use crate::credential::limits::lifetime::ExpiryError;
use crate::credential::limits::network::NetworkError;
use crate::verify::verdict::Denial;

/// Largest body, in bytes. 256 networks of the longest spelling, each escaped, take 30 KB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The reason why an issue was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The method is not POST.
    Method,
    /// The URL has query parameters. URLs get logged in many places, and these parameters would be
    /// secrets.
    Query,
    /// The body is not a form.
    MediaType,
    /// The body is larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// The body took longer than [`BODY_SCAN_TIME`](crate::gateway::body::BODY_SCAN_TIME).
    TooSlow,
    /// The body ended early.
    CutOff,
    /// The form has an unknown field.
    UnknownField,
    /// The form repeats a field.
    RepeatedField,
    /// The form has `sid` without `spw`, or `spw` without `sid`.
    HalfService,
    /// The request has a key, and also `sid` or `spw`.
    BothWays,
    /// The request has several keys.
    Ambiguous,
    /// The field `epi` is refused.
    Epi(ExpiryError),
    /// The field `ipa` is refused as a whole.
    Ipa(NetworkError),
    /// An entry of the field `ipa` is refused.
    IpaEntry {
        /// Entry as sent.
        entry: String,
        /// Reason of the refusal.
        problem: NetworkError,
    },
    /// The request has no credentials.
    Missing,
    /// Service ID and service password do not match.
    UnknownService,
    /// The issuer's own verdict is a denial.
    Issuer(Denial),
    /// The issuer is an issued key, which never issues.
    Issued,
    /// The key has no ceiling, so it may not issue.
    NotIssuable,
    /// The key would outlive the longest life of the ceiling, or the issuer.
    TooLong,
    /// The key would be usable outside the ceiling's networks.
    Outside,
    /// The account already holds the most stored issued keys that it may.
    TooMany,
    /// A recent change of the issuer forbids this issue.
    Overtaken,
    /// The ledger is out of reach, so the edge can neither decide nor store.
    Unavailable,
}

impl From<GrantError> for Refused {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::TooLong => Self::TooLong,
            GrantError::Outside => Self::Outside,
        }
    }
}

/// Seconds after which the caller may retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub u32);

impl Refused {
    /// Returns the HTTP status: 400 for a bad form, 401 for bad credentials, 403 for a forbidden
    /// request.
    pub fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::MediaType => 415,
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::Query
            | Self::CutOff
            | Self::UnknownField
            | Self::RepeatedField
            | Self::HalfService
            | Self::BothWays
            | Self::Ambiguous
            | Self::Epi(_)
            | Self::Ipa(_)
            | Self::IpaEntry { .. } => 400,
            Self::Missing | Self::UnknownService | Self::Overtaken => 401,
            Self::Issuer(denial) => denial.status(),
            Self::Issued | Self::NotIssuable | Self::TooLong | Self::Outside | Self::TooMany => 403,
            Self::Unavailable => 503,
        }
    }

    /// Returns the stable code with which the line begins.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Method => "method_not_allowed",
            Self::Query => "query_refused",
            Self::MediaType => "unsupported_media_type",
            Self::TooLarge => "body_too_large",
            Self::TooSlow => "body_too_slow",
            Self::CutOff => "malformed_body",
            Self::UnknownField => "unknown_field",
            Self::RepeatedField => "repeated_field",
            Self::HalfService => "incomplete_service",
            Self::BothWays => "ambiguous_issuer",
            Self::Ambiguous => "ambiguous_credential",
            Self::Epi(_) => "invalid_epi",
            Self::Ipa(_) | Self::IpaEntry { .. } => "invalid_ipa",
            Self::Missing => "missing",
            Self::UnknownService => "unknown",
            Self::Issuer(denial) => denial.code(),
            Self::Issued => "issued_key",
            Self::NotIssuable => "not_issuable",
            Self::TooLong => "above_longest",
            Self::Outside => "outside_networks",
            Self::TooMany => "too_many_keys",
            Self::Overtaken => "issuer_changed",
            Self::Unavailable => "unavailable",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Method => "only POST is taken here".into(),
            Self::Query => "write the fields into the body, never into the URL".into(),
            Self::MediaType => "the body must be application/x-www-form-urlencoded".into(),
            Self::TooLarge => format!("the body has more than {} bytes", BODY_BYTES_MAX),
            Self::TooSlow => {
                "the body takes too long to arrive, or comes in too many pieces".into()
            }
            Self::CutOff => "the body ended early".into(),
            Self::UnknownField => "the form takes sid, spw, epi and ipa, and no other field".into(),
            Self::RepeatedField => "each field may stand there once".into(),
            Self::HalfService => "sid and spw go together".into(),
            Self::BothWays => "send either sid and spw or a key in Authorization, not both".into(),
            Self::Ambiguous => "the request carries more than one key".into(),
            Self::Epi(error) => format!("epi: {error}"),
            Self::Ipa(error) => format!("ipa: {error}"),
            Self::IpaEntry { entry, problem } => format!("ipa: {entry}: {problem}"),
            Self::Missing => "send sid and spw, or an issuable key in Authorization".into(),
            Self::UnknownService => "service ID and service password do not match".into(),
            Self::Issuer(denial) => denial.title().into(),
            Self::Issued => "an issued key cannot issue".into(),
            Self::NotIssuable => "this key may not issue".into(),
            Self::TooLong => {
                "epi: this is longer than the issuer may issue, or lives itself".into()
            }
            Self::Outside => {
                "ipa: these networks are not all within those that the issuer may issue for".into()
            }
            Self::TooMany => "the account holds as many stored keys as it may".into(),
            Self::Overtaken => {
                "the issuer has just been changed and may not issue this any more".into()
            }
            Self::Unavailable => Denial::Unavailable.title().into(),
        }
    }

    /// Returns the whole line.
    pub fn line(&self) -> String {
        // The sentence may quote the caller's input; the line must stay printable ASCII.
        let sentence = self.sentence().replace(|letter| !matches!(letter, ' '..='~'), "?");
        [self.code(), ": ", &sentence].concat()
    }

    /// Builds the response. `realm` is the requested host.
    pub fn answer(&self, realm: &str, retry_after: RetryAfter) -> Response {
        let answer = text(self.status(), self.line());
        match self.status() {
            // RFC 9110 §15.5.2, §15.5.6 and §10.2.3 require these headers.
            401 => answer.with("www-authenticate", format!("Bearer realm=\"{realm}\"")),
            405 => answer.with("allow", "POST"),
            503 => answer.with("retry-after", retry_after.0.to_string()),
            _ => answer,
        }
    }
}

/// Builds a response whose body is a key, or one line about a refusal.
pub fn text(status: u16, body: String) -> Response {
    let headers = vec![("content-type", "text/plain;charset=utf-8".into()), no_store(), no_sniff()];
    Response { status, headers, body, more: None }
}
