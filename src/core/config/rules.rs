//! Defines gateway rules: they map a host and a path to an origin, and state which credential a
//! request needs.
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
//! - `path` is a literal path, with or without a slash at its end. If it ends in `/*`, it matches
//!   the path before that and everything below. The most specific rule decides, in any order of
//!   writing: a literal before a pattern, a longer pattern before a shorter one. Without a matching
//!   rule, the response is 404. Matching decodes escapes, and is case-sensitive. So an origin that
//!   ignores case needs rules that do not depend on it.
//! - `origin` is the name of a service binding (`[A-Z][A-Z0-9_]*`), or the base of a URL
//!   (`https://host[:port]`; `http` for loopback only).
//! - `serves = "issuance"` instead of `origin` opens the [issuance API](crate::gateway::issuance)
//!   there; such a rule has only a host and a path besides.
//! - `serves = "oauth-token"` and `serves = "oauth-revoke"` open the
//!   [OAuth endpoints](crate::gateway::oauth) in the same way, under a literal path. On a host with
//!   a token endpoint, the edge also serves their metadata at [`METADATA_PATH`], unless a rule
//!   names that path. On the console's host, a rule may open `/oauth/token`, `/token` and
//!   `/oauth/revoke` only.
//! - Exactly one of `permission`, `any_key = true` and `public = true` states which requests are
//!   accepted. A rule without one is an error, so an omission never opens a path.
//! - `effect` (`read` or `write`) classifies a request whose method would mislead, and so selects
//!   the permission. Without it, GET, HEAD and OPTIONS read (RFC 9110 §9.2.1), and every other
//!   method writes.
//! - `credentials` names the places of a key: `authorization`, `x-api-key`, `query:<name>`,
//!   `form:<name>` (a field of an urlencoded or multipart body, before the first file),
//!   `json:<name>` (a member of the outermost object), `subprotocol` (an entry of
//!   `Sec-WebSocket-Protocol`); `api-user:basic`, `api-user:form` and `api-user:json` name the
//!   places of an [API user](crate::credential::api_user)'s name and secret (user and password of
//!   Basic, or the fields `api_user` and `api_key`). The default is the first two. For a public
//!   rule the default is none; the edge then only holds back a header that begins like one of its
//!   keys. It reads at most the first
//!   [`BODY_SCAN_BYTES_MAX`](crate::gateway::body::BODY_SCAN_BYTES_MAX) bytes of a body
//!   ([`crate::gateway::body`]), and none if the rule names no place in it.
//! - `encoded_slashes = true` lets `%2F` through in paths below a `/*`
//!   ([`crate::base::http::encoded_slash`]); without it such a path is refused.
//! - `rewrite_location = false` keeps an origin's own host in `Location` and `Content-Location`.
//!   Otherwise the host of the request takes its place.
//! - `cors = ["https://app.example.com"]` lists the sites whose pages may read responses
//!   ([`crate::gateway::cors`]); `["*"]` means every site.

mod error;
mod rule;
mod sites;
mod written;

use std::rc::Rc;

pub use self::error::{RULES_MAX, RulesError};
use self::rule::Pattern;
pub use self::rule::{
    API_KEY_FIELD, API_USER_FIELD, Access, ApiUserPlace, OAuthRoute, Origin, Place, RequestEffect,
    Rule,
};
pub use self::sites::Sites;
use self::written::WrittenRule;
use crate::base::json::Json;
use crate::credential::limits::permission::Permission;

/// Path of the metadata of OAuth endpoints (RFC 8414 §3).
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// The rules of a deployment, in the order in which they decide.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Rules behind pointers, so that a request can hold its rule while the gateway changes.
    ranked: Vec<Rc<Rule>>,
    /// First rule in the configuration that is not public.
    example: Option<Rc<Rule>>,
}

/// A call that reads from the protected API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExampleCall<'a> {
    /// Host of the call.
    pub host: &'a str,
    /// Path of the call.
    pub path: &'a str,
    /// Permission that it needs; `None` if any key is enough.
    pub permission: Option<&'a Permission>,
}

impl Rules {
    /// Parses the rules of a deployment whose console is on `console_host`.
    ///
    /// # Errors
    /// A [`RulesError`] that names the first broken rule.
    pub fn parse(json: &str, console_host: &str) -> Result<Self, RulesError> {
        let json: Json = serde_json::from_str(json)
            .map_err(|error| RulesError::Syntax(crate::base::json::describe(&error)))?;
        let written =
            json.into_list().ok_or_else(|| RulesError::Syntax("another JSON value".into()))?;
        if written.len() > RULES_MAX {
            return Err(RulesError::TooMany(written.len()));
        }
        let mut rules: Vec<Rc<Rule>> = Vec::with_capacity(written.len());
        for (index, entry) in written.into_iter().enumerate() {
            let rule = WrittenRule::read(entry, index)?.into_rule(index, console_host)?;
            if rules.iter().any(|earlier| earlier.host == rule.host && earlier.path == rule.path) {
                return Err(RulesError::Duplicate(index));
            }
            rules.push(Rc::new(rule));
        }
        for host in metadata_hosts(&rules) {
            let path = Pattern::Literal(METADATA_PATH.to_owned());
            let origin = Origin::OAuth(OAuthRoute::Metadata);
            rules.push(Rc::new(Rule::served(rules.len(), host, path, origin)));
        }
        let example = rules.iter().find(|rule| rule.access != Access::Public).cloned();
        let mut ranked: Vec<Rc<Rule>> = Vec::with_capacity(rules.len());
        for rule in rules {
            // After its equals: rules of one rank decide in the order in which they are written.
            let place = ranked.partition_point(|earlier| earlier.path.rank() <= rule.path.rank());
            ranked.insert(place, rule);
        }
        let number =
            |(index, rule): (usize, Rc<Rule>)| Rc::new(Rule { index, ..Rule::clone(&rule) });
        Ok(Self { ranked: ranked.into_iter().enumerate().map(number).collect(), example })
    }

    /// Returns the rule that decides about a normalised path on a host.
    pub fn find(&self, host: &str, path: &str) -> Option<&Rc<Rule>> {
        let path = &*crate::base::http::path::decoded(path);
        self.ranked.iter().find(|rule| rule.host == host && rule.path.matches(path))
    }

    /// Returns the path of an OAuth endpoint on a host, the longest if there are several; `None` if
    /// there is none.
    pub fn oauth_path(&self, host: &str, route: OAuthRoute) -> Option<&str> {
        let is_it = |rule: &&Rule| rule.host == host && rule.origin == Origin::OAuth(route);
        let (Pattern::Literal(path) | Pattern::Below(path)) = &self.iter().find(is_it)?.path;
        Some(path)
    }

    /// Iterates over all rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.ranked.iter().map(Rc::as_ref)
    }

    /// Returns each permission that some rule demands, sorted. The console offers them for new
    /// keys.
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

    /// Returns a rule that a key opens, for an example call: the first rule in the configuration
    /// that is not public.
    pub fn example(&self) -> Option<ExampleCall<'_>> {
        let rule = self.example.as_deref()?;
        let (Pattern::Literal(path) | Pattern::Below(path)) = &rule.path;
        let permission = match &rule.access {
            Access::Permission { read, .. } => Some(read),
            Access::AnyKey | Access::Public => None,
        };
        let path = if path.is_empty() { "/" } else { path };
        Some(ExampleCall { host: &rule.host, path, permission })
    }
}

/// Returns each host with a token endpoint and without a rule for [`METADATA_PATH`].
fn metadata_hosts(rules: &[Rc<Rule>]) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for rule in rules {
        let is_named = |other: &Rc<Rule>| {
            other.host == rule.host && other.path == Pattern::Literal(METADATA_PATH.to_owned())
        };
        let serves = rule.origin == Origin::OAuth(OAuthRoute::Token);
        if serves && !hosts.contains(&rule.host) && !rules.iter().any(is_named) {
            hosts.push(rule.host.clone());
        }
    }
    hosts
}

#[cfg(test)]
mod tests;
