//! Problem documents (RFC 9457), and the problems that a request to any surface can have.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::base::http::response::{Answer, no_sniff, no_store};

/// Media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds that a client should wait after 503: an object that moves between machines is back
/// within one or two.
pub const RETRY_AFTER_S: u32 = 2;

/// One refusal, as it goes out.
#[derive(Clone, Debug)]
pub struct ProblemDocument {
    /// HTTP status.
    pub status: u16,
    /// The stable code, which `www/problems.html` explains.
    pub code: &'static str,
    /// One line for people, the same for every occurrence.
    pub title: &'static str,
    /// Members beside the standard ones.
    pub extensions: Map<String, Value>,
}

impl ProblemDocument {
    /// The whole answer. `console_origin` is where `/problems` explains the codes.
    pub fn answer(self, console_origin: &str) -> Answer {
        #[derive(Serialize)]
        struct Document {
            r#type: String,
            title: &'static str,
            status: u16,
            code: &'static str,
            #[serde(flatten)]
            extensions: Map<String, Value>,
        }
        let Self { status, code, title, extensions } = self;
        let document = Document {
            r#type: [console_origin, "/problems#", code].concat(),
            title,
            status,
            code,
            extensions,
        };
        // Text keys and JSON values: it serialises.
        let body = serde_json::to_string(&document).unwrap_or_default();
        Answer {
            status,
            headers: vec![("content-type", MEDIA_TYPE.into()), no_store(), no_sniff()],
            body,
            more: None,
        }
    }
}

/// Problems of requests to any surface. Each variant is one stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestProblem {
    /// No such resource of Claviger's own.
    NotFound,
    /// The resource exists, the method does not.
    MethodNotAllowed {
        /// Methods that do.
        allow: &'static str,
    },
    /// The body took too long to arrive.
    BodyTooSlow,
    /// A body above the limit.
    BodyTooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// A body of another media type than JSON.
    UnsupportedMediaType,
    /// A body that is no JSON object of known members.
    MalformedBody {
        /// The parser's words; they quote no value.
        detail: String,
    },
    /// The object that is the authority did not answer.
    Unavailable,
    /// The deployment does not serve: a setting is missing or wrong, or its two Workers do not fit.
    Misconfigured,
    /// Something that should never happen. The log has the rest.
    Internal,
}

impl RequestProblem {
    /// HTTP status.
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

    /// The stable code.
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

    /// One line for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "There is nothing at this address",
            Self::MethodNotAllowed { .. } => "This address does not take that method",
            Self::BodyTooSlow => "The body takes too long to arrive",
            Self::BodyTooLarge { .. } => "The body is too large",
            Self::UnsupportedMediaType => "The body must be application/json",
            Self::MalformedBody { .. } => "The body is not what this address takes",
            Self::Unavailable => UNAVAILABLE_TITLE,
            Self::Misconfigured => "This deployment is not set up",
            Self::Internal => "Internal Server Error",
        }
    }

    /// The document, without its place.
    pub fn document(&self) -> ProblemDocument {
        let mut extensions = Map::new();
        match self {
            Self::MalformedBody { detail } => {
                extensions.insert("detail".into(), detail.as_str().into())
            }
            Self::BodyTooLarge { max } => extensions.insert("max".into(), (*max).into()),
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
            extensions,
        }
    }

    /// The header that this problem adds to its answer.
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

    /// The whole answer. `console_origin` is where `/problems` explains the codes.
    pub fn answer(&self, console_origin: &str) -> Answer {
        self.document().answer(console_origin).with_header(self.header())
    }
}

/// The words of a verdict that is not possible: the same from a verification as from any other
/// surface.
pub const UNAVAILABLE_TITLE: &str = "No answer can be given at the moment";
