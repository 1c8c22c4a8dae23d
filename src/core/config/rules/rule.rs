//! Defines one gateway rule.

use core::fmt;

use super::sites::Sites;
use crate::base::json::{FromJson, Json};
use crate::credential::limits::permission::Permission;

/// The effect of a request on its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEffect {
    /// The request changes nothing.
    Read,
    /// The request may change something.
    Write,
}

impl FromJson for RequestEffect {
    fn from_json(json: Json) -> Option<Self> {
        match json.into_text()?.as_str() {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            _ => None,
        }
    }
}

impl RequestEffect {
    /// Returns the effect of a method, unless a rule overrides it.
    pub fn of_method(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "OPTIONS" => Self::Read,
            _ => Self::Write,
        }
    }
}

/// The target of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A service binding, by its name.
    Binding(String),
    /// A server, by its base: scheme, host and port.
    Base(String),
    /// Claviger's issuance API.
    Issuance,
    /// An OAuth endpoint of Claviger.
    OAuth(OAuthRoute),
}

/// An OAuth endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthRoute {
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// The revocation endpoint (RFC 7009).
    Revoke,
    /// The metadata of the endpoints on the same host (RFC 8414).
    Metadata,
}

impl Origin {
    /// Returns the name from which the origin's proof key is derived, as the rule writes it.
    /// Returns `None` if the edge forwards nothing there.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Binding(name) | Self::Base(name) => Some(name),
            Self::Issuance | Self::OAuth(_) => None,
        }
    }
}

/// The requests that a rule accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every request, without a credential.
    Public,
    /// Every request with a valid key.
    AnyKey,
    /// Requests with a key that holds a permission, selected by the request's effect.
    Permission {
        /// Permission for requests that read.
        read: Permission,
        /// Permission for requests that write.
        write: Permission,
    },
}

/// A place of a request that may hold a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The header `Authorization`: Bearer, Basic or bare.
    Authorization,
    /// The header `X-API-Key`.
    ApiKey,
    /// A query parameter, by its name.
    Query(String),
    /// A field of a form in the body, by its name.
    Form(String),
    /// A member of the JSON object in the body, by its name.
    Json(String),
    /// An entry of `Sec-WebSocket-Protocol`.
    Subprotocol,
    /// Name and secret of an API user.
    ApiUser(ApiUserPlace),
}

/// A place of a request that may hold name and secret of an API user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiUserPlace {
    /// User and password of Basic credentials in `Authorization` (RFC 7617).
    Basic,
    /// The fields [`API_USER_FIELD`] and [`API_KEY_FIELD`] of a form in the body.
    Form,
    /// The members of these names of the JSON object in the body.
    Json,
}

/// Name of the field with an API user's name.
pub const API_USER_FIELD: &str = "api_user";

/// Name of the field with an API user's secret.
pub const API_KEY_FIELD: &str = "api_key";

impl Place {
    /// Returns `true` if the place is in a request's body.
    pub fn is_in_body(&self) -> bool {
        match self {
            Self::Form(_) | Self::Json(_) => true,
            Self::ApiUser(place) => match place {
                ApiUserPlace::Form | ApiUserPlace::Json => true,
                ApiUserPlace::Basic => false,
            },
            Self::Authorization | Self::ApiKey | Self::Query(_) | Self::Subprotocol => false,
        }
    }
}

impl fmt::Display for Place {
    /// Writes the place as a rule names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorization => f.write_str("authorization"),
            Self::ApiKey => f.write_str("x-api-key"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Json(name) => write!(f, "json:{name}"),
            Self::Subprotocol => f.write_str("subprotocol"),
            Self::ApiUser(ApiUserPlace::Basic) => f.write_str("api-user:basic"),
            Self::ApiUser(ApiUserPlace::Form) => f.write_str("api-user:form"),
            Self::ApiUser(ApiUserPlace::Json) => f.write_str("api-user:json"),
        }
    }
}

/// A rule of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Index of the rule in the order of decision, from 0.
    pub index: usize,
    pub(super) host: String,
    pub(super) path: Pattern,
    /// Target of accepted requests.
    pub origin: Origin,
    /// Requests that the rule accepts.
    pub access: Access,
    /// Places of a request that may hold a credential.
    pub places: Vec<Place>,
    pub(super) effect: Option<RequestEffect>,
    /// `true` if a path may hold encoded slashes.
    pub encoded_slashes: bool,
    /// `true` if the public host replaces the origin's own in `Location`.
    pub rewrite_location: bool,
    /// Sites whose pages may read responses; `None` if the origin decides.
    pub sites: Option<Sites>,
}

impl Rule {
    /// Returns a rule that opens a route of Claviger. The route decides by itself about each
    /// request.
    pub(super) fn served(index: usize, host: String, path: Pattern, origin: Origin) -> Self {
        Self {
            index,
            host,
            path,
            origin,
            access: Access::Public,
            places: Vec::new(),
            effect: None,
            encoded_slashes: false,
            rewrite_location: false,
            sites: None,
        }
    }

    /// Returns the host that the rule is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the effect of a request of `method` under this rule.
    pub fn effect(&self, method: &str) -> RequestEffect {
        self.effect.unwrap_or_else(|| RequestEffect::of_method(method))
    }
}

/// The paths that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A path without the slash at its end; it is empty for `/`.
    Literal(String),
    /// The part before `/*`.
    Below(String),
}

impl Pattern {
    /// Returns `true` if the rule matches this path.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Literal(literal) => path.strip_suffix('/').unwrap_or(path) == literal,
            Self::Below(base) => path
                .strip_prefix(base.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }

    /// Returns the rank in the order of decision: literals, then patterns from the longest base to
    /// the shortest.
    pub fn rank(&self) -> (bool, core::cmp::Reverse<usize>) {
        match self {
            Self::Literal(literal) => (false, core::cmp::Reverse(literal.len())),
            Self::Below(base) => (true, core::cmp::Reverse(base.len())),
        }
    }
}
