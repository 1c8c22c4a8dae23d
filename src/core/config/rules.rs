//! Gateway rules: which host and path lead to which origin, and what a request must hold to get
//! there.
//!
//! Rules are configuration (`RULES`), an array of tables:
//!
//! ```toml
//! RULES = [
//!   { host = "api.example.com", path = "/v1/*", origin = "https://origin.example.com", permission = { read = "jobs:read", write = "jobs:write" } },
//!   { host = "api.example.com", path = "/v1/search", origin = "BACKEND", permission = { read = "jobs:read", write = "jobs:write" }, effect = "read" },
//!   { host = "api.example.com", path = "/status", origin = "BACKEND", public = true },
//! ]
//! ```
//!
//! - `path` is a literal path, with or without a slash at its end, or ends in `/*` and then matches
//!   the path before it and everything below. The most specific rule decides, whatever the order: a
//!   literal before a pattern, a longer pattern before a shorter one. No rule: 404. Escapes mean
//!   what they stand for; case matters, so that an origin for which it does not wants rules that do
//!   not rest on it.
//! - `origin` is the name of a service binding (`[A-Z][A-Z0-9_]*`) or the base of a URL
//!   (`https://host[:port]`; `http` for loopback only).
//! - `serves = "issuance"` in place of `origin` opens the [issuance API](crate::gateway::issuance)
//!   there; such a rule says nothing else.
//! - Exactly one of `permission`, `any_key = true`, `public = true` says who gets through: leaving
//!   it out lets nobody in.
//! - `effect` (`read` or `write`) says what a request does where its method would mislead; it picks
//!   the permission. Without it, GET, HEAD and OPTIONS read (RFC 9110 §9.2.1), everything else
//!   writes. A request that is let through for reading alone loses the headers from which some
//!   origins take another method (`X-HTTP-Method-Override` and its like).
//! - `credentials` names where a key may stand: `authorization`, `x-api-key`, `query:<name>`,
//!   `form:<name>` (a field of an urlencoded or multipart body, before the first file),
//!   `json:<name>` (a member of the outermost object). Default: the first two; none behind a public
//!   rule, where only what begins like a key of ours is held back. Of a body at most the first
//!   [`OPENING_BYTES_MAX`](crate::gateway::body::OPENING_BYTES_MAX) bytes are looked at
//!   ([`crate::gateway::body`]), and none where no rule names a place in it.

mod written;

use core::fmt;
use std::rc::Rc;

use serde::Deserialize;

use self::written::Written;
use crate::credential::limits::permission::Permission;

/// Most rules of a deployment: they are scanned for each request.
pub const RULES_MAX: usize = 200;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// May change something.
    Write,
}

impl Effect {
    /// What a method does unless a rule says otherwise.
    pub fn of_method(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "OPTIONS" => Self::Read,
            _ => Self::Write,
        }
    }
}

/// Whether some origins take a request's method from a header of this lower-case name, also of a
/// GET. No standard has one; servers that read `_` as `-` have as many more.
pub fn overrides_method(name: &str) -> bool {
    let is = |wanted: &&str| {
        name.len() == wanted.len()
            && name
                .bytes()
                .zip(wanted.bytes())
                .all(|(found, byte)| found == byte || (found, byte) == (b'_', b'-'))
    };
    ["x-http-method-override", "x-http-method", "x-method-override"].iter().any(is)
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A service binding of this name.
    Binding(String),
    /// A server with this base: scheme, host and port.
    Base(String),
    /// Claviger itself: the issuance API.
    Issuance,
}

impl Origin {
    /// The name that the origin's proof key is derived from, as the rule writes it; `None`: nothing
    /// is forwarded there.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Binding(name) | Self::Base(name) => Some(name),
            Self::Issuance => None,
        }
    }
}

/// Who gets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a credential.
    Public,
    /// Every valid key.
    AnyKey,
    /// Keys that hold a permission, by what the request does.
    Permission {
        /// For requests that read.
        read: Permission,
        /// For requests that write.
        write: Permission,
    },
}

/// Where a credential may stand in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization`: Bearer, Basic or bare.
    Authorization,
    /// `X-API-Key`.
    ApiKey,
    /// A query parameter.
    Query(String),
    /// A field of a form in the body.
    Form(String),
    /// A member of the JSON object that is the body.
    Json(String),
}

impl fmt::Display for Place {
    /// As a rule names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorization => f.write_str("authorization"),
            Self::ApiKey => f.write_str("x-api-key"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Json(name) => write!(f, "json:{name}"),
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    host: String,
    path: Pattern,
    /// Where it leads.
    pub origin: Origin,
    /// Who gets through.
    pub access: Access,
    /// Where a credential may stand.
    pub places: Vec<Place>,
    effect: Option<Effect>,
}

impl Rule {
    /// What a request of `method` does here.
    pub fn effect(&self, method: &str) -> Effect {
        self.effect.unwrap_or_else(|| Effect::of_method(method))
    }

    /// Whether a request of `method` is let through for reading alone, where writing would ask for
    /// another permission.
    pub fn only_reads(&self, method: &str) -> bool {
        let tells_apart =
            matches!(&self.access, Access::Permission { read, write } if read != write);
        tells_apart && self.effect(method) == Effect::Read
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// A path without a slash at its end: of `/` nothing.
    Literal(String),
    /// The part before `/*`.
    Below(String),
}

impl Pattern {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Literal(literal) => path.strip_suffix('/').unwrap_or(path) == literal,
            Self::Below(base) => path
                .strip_prefix(base.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }

    /// Order of decision: literals, then patterns from the longest base to the shortest.
    fn rank(&self) -> (bool, core::cmp::Reverse<usize>) {
        match self {
            Self::Literal(literal) => (false, core::cmp::Reverse(literal.len())),
            Self::Below(base) => (true, core::cmp::Reverse(base.len())),
        }
    }
}

/// Why the rules were refused: the rule's place in the array, from 0, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Not an array of tables with the known members.
    #[error("RULES is not an array of rules: {0}")]
    Syntax(String),
    /// More than [`RULES_MAX`].
    #[error("RULES holds {0} rules; at most {RULES_MAX} are allowed")]
    TooMany(usize),
    /// Not a host name in lower case, or the console's own.
    #[error(
        "rule {0}: host must be a host name in lower case, without port, and not the console's"
    )]
    Host(usize),
    /// Not a normalised path, or a `*` elsewhere than in a final `/*`.
    #[error("rule {0}: path must be a normalised path, with * only as a final /*")]
    Path(usize),
    /// Neither binding name nor base URL.
    #[error("rule {0}: origin must be a binding's name or https://host[:port]")]
    Origin(usize),
    /// A rule that opens a route of Claviger's own says who gets through.
    #[error("rule {0}: a rule with serves has host and path and nothing else")]
    Served(usize),
    /// None or several of `permission`, `any_key`, `public`.
    #[error("rule {0}: say exactly one of permission, any_key = true, public = true")]
    Access(usize),
    /// A permission that no request can need.
    #[error("rule {0}: permission must be resource:action without wildcards, and not claviger:…")]
    Permission(usize),
    /// An unknown place.
    #[error(
        "rule {0}: credentials may name authorization, x-api-key, query:<name>, form:<name> and json:<name>"
    )]
    Place(usize),
    /// Host and path of an earlier rule; a slash at the end makes no other path.
    #[error("rule {0}: another rule has this host and path, apart from a slash at its end")]
    Duplicate(usize),
}

/// All rules of a deployment, in the order in which they decide.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Behind a pointer, so that a request can hold its rule while the gateway learns.
    ranked: Vec<Rc<Rule>>,
    /// The first that is written without `public`.
    example: Option<Rc<Rule>>,
}

impl Rules {
    /// Parses the rules, of a deployment whose console is on `console_host`.
    ///
    /// # Errors
    /// A [`RulesError`] that names the first broken rule.
    pub fn parse(json: &str, console_host: &str) -> Result<Self, RulesError> {
        let written: Vec<Written> =
            serde_json::from_str(json).map_err(|error| RulesError::Syntax(error.to_string()))?;
        if written.len() > RULES_MAX {
            return Err(RulesError::TooMany(written.len()));
        }
        let mut rules: Vec<Rc<Rule>> = Vec::with_capacity(written.len());
        for (index, entry) in written.into_iter().enumerate() {
            let rule = entry.into_rule(index, console_host)?;
            if rules.iter().any(|earlier| earlier.host == rule.host && earlier.path == rule.path) {
                return Err(RulesError::Duplicate(index));
            }
            rules.push(Rc::new(rule));
        }
        let example = rules.iter().find(|rule| rule.access != Access::Public).cloned();
        rules.sort_by_key(|rule| rule.path.rank());
        Ok(Self { ranked: rules, example })
    }

    /// The rule that decides about a normalised path on a host.
    pub fn find(&self, host: &str, path: &str) -> Option<&Rc<Rule>> {
        let path = &*crate::base::http::path::decoded(path);
        self.ranked.iter().find(|rule| rule.host == host && rule.path.matches(path))
    }

    /// All rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.ranked.iter().map(Rc::as_ref)
    }

    /// Every permission that some rule asks for, sorted: what a member may want to give a key.
    pub fn permissions(&self) -> Vec<Permission> {
        let mut all: Vec<Permission> = self
            .iter()
            .flat_map(|rule| match &rule.access {
                Access::Permission { read, write } => vec![read.clone(), write.clone()],
                Access::Public | Access::AnyKey => Vec::new(),
            })
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// Host and path of a rule that a key opens, for an example call: the first that is written
    /// without `public`.
    pub fn example(&self) -> Option<(&str, &str)> {
        let rule = self.example.as_deref()?;
        let (Pattern::Literal(path) | Pattern::Below(path)) = &rule.path;
        Some((&rule.host, if path.is_empty() { "/" } else { path }))
    }
}

#[cfg(test)]
mod tests;
