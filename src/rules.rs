//! Gateway rules: which host and path lead to which origin, and what a request must hold to get there.
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
//! - `path` is a literal path, with or without a slash at its end, or ends in `/*` and then matches the path before it and
//!   everything below. The most specific rule decides, whatever the order: a literal before a pattern, a longer pattern before a
//!   shorter one. No rule: 404. Escapes mean what they stand for; case matters, so that an origin for which it does not wants rules that
//!   do not rest on it.
//! - `origin` is the name of a service binding (`[A-Z][A-Z0-9_]*`) or the base of a URL (`https://host[:port]`; `http` for
//!   loopback only).
//! - `serves = "issuance"` in place of `origin` opens the [issuance API](crate::issuance) there; such a rule says nothing else.
//! - Exactly one of `permission`, `any_key = true`, `public = true` says who gets through: leaving it out lets nobody in.
//! - `effect` (`read` or `write`) says what a request does where its method would mislead; it picks the permission. Without it,
//!   GET, HEAD and OPTIONS read (RFC 9110 §9.2.1), everything else writes.
//! - `credentials` names where a key may stand: `authorization`, `x-api-key`, `query:<name>`, `form:<name>` (a field of an urlencoded or
//!   multipart body, before the first file), `json:<name>` (a member of the outermost object). Default: the first two; none behind a
//!   public rule, where only what begins like a key of ours is held back. Of a body at most the first
//!   [`OPENING_BYTES_MAX`](crate::opening::OPENING_BYTES_MAX) bytes are looked at ([`crate::opening`]), and none where no rule names a place in it.

use core::fmt;
use std::rc::Rc;

use serde::Deserialize;

use crate::permission::Permission;

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
    /// The name that the origin's proof key is derived from, as the rule writes it; `None`: nothing is forwarded there.
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
            Self::Below(base) => {
                path.strip_prefix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
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
    #[error("rule {0}: host must be a host name in lower case, without port, and not the console's")]
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
        let path = &*crate::path::decoded(path);
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

    /// Host and path of a rule that a key opens, for an example call: the first that is written without `public`.
    pub fn example(&self) -> Option<(&str, &str)> {
        let rule = self.example.as_deref()?;
        let (Pattern::Literal(path) | Pattern::Below(path)) = &rule.path;
        Some((&rule.host, if path.is_empty() { "/" } else { path }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    host: String,
    path: String,
    origin: Option<String>,
    serves: Option<Served>,
    permission: Option<WrittenPermission>,
    #[serde(default)]
    any_key: bool,
    #[serde(default)]
    public: bool,
    effect: Option<Effect>,
    credentials: Option<Vec<String>>,
}

/// What of Claviger's own a rule opens.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Served {
    Issuance,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum WrittenPermission {
    Both(String),
    ByEffect { read: String, write: String },
}

impl Written {
    fn into_rule(self, index: usize, console_host: &str) -> Result<Rule, RulesError> {
        let label =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        if self.host.is_empty() || !self.host.bytes().all(label) || self.host == console_host {
            return Err(RulesError::Host(index));
        }
        let path = parse_pattern(&self.path).ok_or(RulesError::Path(index))?;
        let origin = match (self.origin, self.serves) {
            (Some(origin), None) => parse_origin(origin).ok_or(RulesError::Origin(index))?,
            (None, Some(Served::Issuance)) => {
                // It has credentials of its own, and decides by itself who gets through.
                let says_more = self.permission.is_some() || self.any_key || self.public;
                if says_more || self.effect.is_some() || self.credentials.is_some() {
                    return Err(RulesError::Served(index));
                }
                let (access, places) = (Access::Public, Vec::new());
                let origin = Origin::Issuance;
                return Ok(Rule { host: self.host, path, origin, access, places, effect: None });
            }
            _ => return Err(RulesError::Origin(index)),
        };
        let demanded = |text: &str| {
            text.parse::<Permission>()
                .ok()
                .filter(|permission| !permission.is_reserved())
                .ok_or(RulesError::Permission(index))
        };
        let access = match (self.permission, self.any_key, self.public) {
            (Some(WrittenPermission::Both(both)), false, false) => {
                Access::Permission { read: demanded(&both)?, write: demanded(&both)? }
            }
            (Some(WrittenPermission::ByEffect { read, write }), false, false) => {
                Access::Permission { read: demanded(&read)?, write: demanded(&write)? }
            }
            (None, true, false) => Access::AnyKey,
            (None, false, true) => Access::Public,
            _ => return Err(RulesError::Access(index)),
        };
        let places = match self.credentials {
            // What goes to a public origin is its own affair, unless it is a key of ours.
            None if access == Access::Public => Vec::new(),
            None => vec![Place::Authorization, Place::ApiKey],
            Some(names) => names
                .iter()
                .map(|name| parse_place(name))
                .collect::<Option<Vec<_>>>()
                .filter(|places| !places.is_empty())
                .ok_or(RulesError::Place(index))?,
        };
        Ok(Rule { host: self.host, path, origin, access, places, effect: self.effect })
    }
}

fn parse_pattern(text: &str) -> Option<Pattern> {
    let (base, below) = match text.strip_suffix("/*") {
        Some(base) => (base, true),
        None => (text, false),
    };
    let normal =
        (below && base.is_empty()) || crate::path::normalise(base).is_ok_and(|normal| normal == base);
    // Below `/a/` would be `/a//…`, which no path is.
    if !normal || base.contains(['*', '?', '#']) || (below && base.ends_with('/')) {
        return None;
    }
    let base = crate::path::decoded(base);
    Some(if below {
        Pattern::Below(base.into_owned())
    } else {
        Pattern::Literal(base.strip_suffix('/').unwrap_or(&base).to_owned())
    })
}

fn parse_origin(text: String) -> Option<Origin> {
    let is_binding = text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_binding {
        return Some(Origin::Binding(text));
    }
    let url = crate::request::Url::parse(&text)?;
    let is_base = url.origin == text && text.bytes().all(|byte| byte.is_ascii_graphic());
    let loopback = matches!(url.host, "localhost" | "127.0.0.1" | "[::1]");
    let is_safe = text.starts_with("https://") || (loopback && text.starts_with("http://"));
    (is_base && is_safe).then_some(Origin::Base(text))
}

fn parse_place(text: &str) -> Option<Place> {
    match text {
        "authorization" => Some(Place::Authorization),
        "x-api-key" => Some(Place::ApiKey),
        _ => {
            let (kind, name) = text.split_once(':')?;
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            if name.is_empty() || !name.bytes().all(plain) {
                return None;
            }
            match kind {
                "query" => Some(Place::Query(name.to_owned())),
                "form" => Some(Place::Form(name.to_owned())),
                "json" => Some(Place::Json(name.to_owned())),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(members: &str) -> String {
        format!(r#"[{{"host":"api.localhost","path":"/*","origin":"DEMO",{members}}}]"#)
    }

    #[test]
    fn the_most_specific_rule_decides_whatever_the_order() {
        let rules = Rules::parse(
            r#"[{"host":"a.example","path":"/*","origin":"ALL","any_key":true},
                {"host":"a.example","path":"/admin/*","origin":"ADMIN","permission":"admin:use"},
                {"host":"a.example","path":"/admin/health","origin":"HEALTH","public":true},
                {"host":"b.example","path":"/only","origin":"https://b.internal.example","any_key":true}]"#,
            "localhost",
        )
        .unwrap();
        for (host, path, expected) in [
            ("a.example", "/", Some("ALL")),
            ("a.example", "/x/y", Some("ALL")),
            ("a.example", "/admin", Some("ADMIN")),
            ("a.example", "/admin/", Some("ADMIN")),
            ("a.example", "/admin/x", Some("ADMIN")),
            ("a.example", "/administrator", Some("ALL")),
            ("a.example", "/admin/health", Some("HEALTH")),
            ("a.example", "/admin/health/", Some("HEALTH")),
            ("a.example", "/admin/health/x", Some("ADMIN")),
            ("a.example", "/%61dmin/%24batch", Some("ADMIN")),
            ("a.example", "/Admin", Some("ALL")),
            ("b.example", "/only", Some("https://b.internal.example")),
            ("b.example", "/only/", Some("https://b.internal.example")),
            ("b.example", "/only/x", None),
            ("b.example", "/", None),
            ("c.example", "/", None),
        ] {
            assert_eq!(rules.find(host, path).and_then(|rule| rule.origin.name()), expected, "{host}{path}");
        }
    }

    #[test]
    fn an_escape_is_what_it_stands_for() {
        let strict = |path: &str| {
            let json = serde_json::json!([
                {"host": "a.example", "path": "/*", "origin": "ALL", "any_key": true},
                {"host": "a.example", "path": path, "origin": "STRICT", "permission": "admin:use"},
            ]);
            Rules::parse(&json.to_string(), "localhost").unwrap()
        };
        for (rule, path) in [
            ("/v1/projects:purge", "/v1/projects%3Apurge"),
            ("/$batch", "/%24batch"),
            ("/%24batch", "/$batch"),
            ("/@admin/*", "/%40admin/users"),
            ("/br%7Bx%7D/*", "/br%7Bx%7D/a"),
            ("/a%20b", "/a%20b/"),
        ] {
            let normal = crate::path::normalise(path).unwrap();
            assert_eq!(
                strict(rule).find("a.example", &normal).unwrap().origin.name(),
                Some("STRICT"),
                "{rule} {path}"
            );
        }
    }

    #[test]
    fn methods_read_or_write_unless_the_rule_says_otherwise() {
        let by_method = Rules::parse(&rule(r#""any_key":true"#), "localhost").unwrap();
        let reads = Rules::parse(&rule(r#""any_key":true,"effect":"read""#), "localhost").unwrap();
        for (method, expected) in [
            ("GET", Effect::Read),
            ("HEAD", Effect::Read),
            ("OPTIONS", Effect::Read),
            ("POST", Effect::Write),
            ("DELETE", Effect::Write),
            ("get", Effect::Write),
            ("PROPFIND", Effect::Write),
        ] {
            assert_eq!(by_method.find("api.localhost", "/").unwrap().effect(method), expected, "{method}");
            assert_eq!(reads.find("api.localhost", "/").unwrap().effect(method), Effect::Read);
        }
    }

    #[test]
    fn a_rule_that_says_nothing_or_too_much_is_refused() {
        for (members, expected) in [
            (r#""effect":"read""#, RulesError::Access(0)),
            (r#""public":false"#, RulesError::Access(0)),
            (r#""public":true,"any_key":true"#, RulesError::Access(0)),
            (r#""public":true,"permission":"a:b""#, RulesError::Access(0)),
            (r#""permission":"a:*""#, RulesError::Permission(0)),
            (r#""permission":"claviger:verify""#, RulesError::Permission(0)),
            (r#""permission":"a""#, RulesError::Permission(0)),
            (r#""permission":{"read":"a:b","write":"*:*"}"#, RulesError::Permission(0)),
            (r#""any_key":true,"credentials":[]"#, RulesError::Place(0)),
            (r#""any_key":true,"credentials":["cookie"]"#, RulesError::Place(0)),
            (r#""any_key":true,"credentials":["query:"]"#, RulesError::Place(0)),
            (r#""any_key":true,"credentials":["form"]"#, RulesError::Place(0)),
            (r#""any_key":true,"credentials":["form:"]"#, RulesError::Place(0)),
            (r#""any_key":true,"credentials":["json:a b"]"#, RulesError::Place(0)),
            (r#""any_key":true,"credentials":["body:u"]"#, RulesError::Place(0)),
        ] {
            assert_eq!(Rules::parse(&rule(members), "localhost").unwrap_err(), expected, "{members}");
        }
        for syntax in [
            "",
            "{}",
            &rule(r#""public":true,"efect":"read""#),
            &rule(r#""permission":{"read":"a:b"}"#),
            &rule(r#""permission":{"read":"a:b","write":"a:c","delete":"a:d"}"#),
        ] {
            assert!(matches!(Rules::parse(syntax, "localhost"), Err(RulesError::Syntax(_))), "{syntax}");
        }
    }

    #[test]
    fn places_are_written_as_they_are_read() {
        let written = ["authorization", "x-api-key", "query:u", "form:u", "form:api.key", "json:api_key"];
        let json = rule(&format!(r#""any_key":true,"credentials":{}"#, serde_json::json!(written)));
        let rules = Rules::parse(&json, "localhost").unwrap();
        let places = &rules.find("api.localhost", "/").unwrap().places;
        assert_eq!(places.iter().map(Place::to_string).collect::<Vec<_>>(), written);
    }

    #[test]
    fn a_rule_opens_the_issuance_api_and_says_nothing_else() {
        let parse = |members: &str| {
            let rule =
                format!(r#"[{{"host":"api.localhost","path":"/issue","serves":"issuance"{members}}}]"#);
            Rules::parse(&rule, "localhost")
        };
        let rules = parse("").unwrap();
        assert_eq!(rules.find("api.localhost", "/issue").unwrap().origin, Origin::Issuance);
        assert!(rules.example().is_none() && rules.permissions().is_empty());
        for members in [
            r#","public":true"#,
            r#","any_key":true"#,
            r#","permission":"a:b""#,
            r#","effect":"read""#,
            r#","credentials":["authorization"]"#,
        ] {
            assert_eq!(parse(members).unwrap_err(), RulesError::Served(0), "{members}");
        }
        assert_eq!(parse(r#","origin":"DEMO""#).unwrap_err(), RulesError::Origin(0));
        let neither = r#"[{"host":"api.localhost","path":"/issue","public":true}]"#;
        assert_eq!(Rules::parse(neither, "localhost").unwrap_err(), RulesError::Origin(0));
        let other = r#"[{"host":"api.localhost","path":"/issue","serves":"console"}]"#;
        assert!(matches!(Rules::parse(other, "localhost"), Err(RulesError::Syntax(_))));
    }

    #[test]
    fn hosts_paths_and_origins_with_near_misses() {
        let one = |host: &str, path: &str, origin: &str| {
            let json = serde_json::json!([{"host": host, "path": path, "origin": origin, "any_key": true}]);
            Rules::parse(&json.to_string(), "localhost").map(|_| ())
        };
        for (host, path, origin) in [
            ("api.localhost", "/", "DEMO"),
            ("xn--r8jz45g.example", "/a/*", "https://o.example:8443"),
            ("127.0.0.1", "/a", "http://127.0.0.1:9000"),
            ("api.localhost", "/*", "http://localhost:9000"),
        ] {
            assert_eq!(one(host, path, origin), Ok(()), "{host} {path} {origin}");
        }
        for host in ["", "localhost", "API.localhost", "api.localhost:8787", "*.example", "api localhost"] {
            assert_eq!(one(host, "/", "DEMO"), Err(RulesError::Host(0)), "{host}");
        }
        for path in
            ["", "*", "a", "/a*", "/*/a", "/a/**", "/%61", "//", "/a/../b", "/a?b", "/a%2f", "/a/*/", "/a//*"]
        {
            assert_eq!(one("a.example", path, "DEMO"), Err(RulesError::Path(0)), "{path}");
        }
        for origin in [
            "",
            "demo",
            "https://o.example/",
            "https://o.example/a",
            "http://o.example",
            "ftp://o.example",
            "https://",
            "https://u@o.example",
        ] {
            assert_eq!(one("a.example", "/", origin), Err(RulesError::Origin(0)), "{origin}");
        }
    }

    #[test]
    fn the_same_place_twice_is_refused_however_it_is_written() {
        for (first, second) in [("/", "/"), ("/a", "/a/"), ("/a/", "/a"), ("/$a/*", "/%24a/*")] {
            let json = serde_json::json!([
                {"host": "a.example", "path": first, "origin": "A", "public": true},
                {"host": "a.example", "path": second, "origin": "B", "any_key": true},
            ]);
            let refused = Rules::parse(&json.to_string(), "localhost").map(|_| ());
            assert_eq!(refused, Err(RulesError::Duplicate(1)), "{first} {second}");
        }
    }
}
