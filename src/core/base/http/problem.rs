//! Defines problem documents (RFC 9457), and the problems that a request to any surface can have.

use crate::base::http::response::{Response, no_sniff, no_store};
use crate::base::json::Json;

/// Media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds that a client should wait after a 503. An object that moves between machines is back
/// within one or two.
pub const RETRY_AFTER_S: u32 = 2;

/// One problem, ready to be sent.
#[derive(Clone, Debug)]
pub struct ProblemDocument {
    /// HTTP status of the response.
    pub status: u16,
    /// Stable code, explained by `www/problems.html`.
    pub code: &'static str,
    /// One line for people, the same for every occurrence.
    pub title: &'static str,
    /// Members in addition to `type`, `title`, `status` and `code`.
    pub extensions: Vec<(&'static str, Json)>,
}

impl ProblemDocument {
    /// Builds the whole response. `console_origin` serves `/problems`, which explains the codes.
    pub fn answer(self, console_origin: &str) -> Response {
        let Self { status, code, title, extensions } = self;
        let r#type = [console_origin, "/problems#", code].concat();
        let standard = [
            ("type", Json::Text(r#type)),
            ("title", title.into()),
            ("status", u64::from(status).into()),
            ("code", code.into()),
        ];
        let document = Json::object(standard.into_iter().chain(extensions));
        // This cannot fail: all keys are text, and all values are JSON.
        let body = serde_json::to_string(&document).unwrap_or_default();
        Response {
            status,
            headers: vec![("content-type", MEDIA_TYPE.into()), no_store(), no_sniff()],
            body,
            more: None,
        }
    }
}

/// The problems of requests to any surface. Each variant is one stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestProblem {
    /// Claviger has no such resource.
    NotFound,
    /// The resource exists, but does not support the method.
    MethodNotAllowed {
        /// Methods that the resource supports.
        allow: &'static str,
    },
    /// The body took too long to arrive, or came in too many pieces.
    BodyTooSlow,
    /// The body is above the limit.
    BodyTooLarge {
        /// Limit, in bytes.
        max: usize,
    },
    /// The body has a media type other than JSON.
    UnsupportedMediaType,
    /// The body is not a JSON object of known members.
    MalformedBody {
        /// Message of the parser; it quotes no value.
        detail: String,
    },
    /// The Durable Object that has the authority did not answer.
    Unavailable,
    /// The deployment does not serve: a setting is missing or wrong, or its two Workers do not fit.
    Misconfigured,
    /// An error that should never happen. The log has the details.
    Internal,
}

impl RequestProblem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::MalformedBody { .. } => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::BodyTooSlow => 408,
            Self::BodyTooLarge { .. } => 413,
            Self::UnsupportedMediaType => 415,
            Self::Internal => 500,
            Self::Unavailable | Self::Misconfigured => 503,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::BodyTooSlow => "body_too_slow",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::MalformedBody { .. } => "malformed_body",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
            Self::Internal => "internal",
        }
    }

    /// Returns one line for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "There is nothing at this address",
            Self::MethodNotAllowed { .. } => "This address does not take that method",
            Self::BodyTooSlow => "The body takes too long to arrive, or comes in too many pieces",
            Self::BodyTooLarge { .. } => "The body is too large",
            Self::UnsupportedMediaType => "The body must be application/json",
            Self::MalformedBody { .. } => "The body is not what this address takes",
            Self::Unavailable => UNAVAILABLE_TITLE,
            Self::Misconfigured => "This deployment is not set up",
            Self::Internal => "Internal Server Error",
        }
    }

    /// Returns the document, before the console's origin is known.
    pub fn document(&self) -> ProblemDocument {
        let extension = match self {
            Self::MalformedBody { detail } => Some(("detail", detail.as_str().into())),
            // A limit on bytes in memory, which fits into 64 bits.
            Self::BodyTooLarge { max } => Some(("max", Json::Unsigned(*max as u64))),
            Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::BodyTooSlow
            | Self::UnsupportedMediaType
            | Self::Unavailable
            | Self::Misconfigured
            | Self::Internal => None,
        };
        ProblemDocument {
            status: self.status(),
            code: self.code(),
            title: self.title(),
            extensions: extension.into_iter().collect(),
        }
    }

    /// Returns the header that this problem adds to its response.
    pub fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Self::MethodNotAllowed { allow } => Some(("allow", (*allow).into())),
            Self::Unavailable | Self::Misconfigured => {
                Some(("retry-after", RETRY_AFTER_S.to_string()))
            }
            Self::NotFound
            | Self::BodyTooSlow
            | Self::BodyTooLarge { .. }
            | Self::UnsupportedMediaType
            | Self::MalformedBody { .. }
            | Self::Internal => None,
        }
    }

    /// Builds the whole response. `console_origin` serves `/problems`, which explains the codes.
    pub fn answer(&self, console_origin: &str) -> Response {
        self.document().answer(console_origin).with_header(self.header())
    }
}

/// Title of 503 responses, the same on every surface.
pub const UNAVAILABLE_TITLE: &str = "No answer can be given at the moment";
