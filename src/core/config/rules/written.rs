//! Parses the JSON form of rules.

use super::error::RulesError;
use super::rule::{Access, ApiUserPlace, OAuthRoute, Origin, Pattern, Place, RequestEffect, Rule};
use super::sites::Sites;
use crate::base::http::request::Url;
use crate::base::json::{FromJson, Json};
use crate::credential::limits::permission::Permission;

/// Paths that a rule may open on the console's host.
const CONSOLE_PATHS: [&str; 3] = ["/oauth/token", "/token", "/oauth/revoke"];

/// One rule in the operator's configuration.
pub(super) struct WrittenRule {
    host: String,
    path: String,
    origin: Option<String>,
    serves: Option<Served>,
    permission: Option<WrittenPermission>,
    any_key: bool,
    public: bool,
    effect: Option<RequestEffect>,
    credentials: Option<Vec<String>>,
    encoded_slashes: bool,
    rewrite_location: Option<bool>,
    cors: Option<Vec<String>>,
}

/// The route of Claviger that a rule opens.
#[derive(Clone, Copy)]
enum Served {
    Issuance,
    OAuth(OAuthRoute),
}

impl FromJson for Served {
    fn from_json(json: Json) -> Option<Self> {
        match json.into_text()?.as_str() {
            "issuance" => Some(Self::Issuance),
            "oauth-token" => Some(Self::OAuth(OAuthRoute::Token)),
            "oauth-revoke" => Some(Self::OAuth(OAuthRoute::Revoke)),
            _ => None,
        }
    }
}

enum WrittenPermission {
    Both(String),
    ByEffect { read: String, write: String },
}

impl FromJson for WrittenPermission {
    fn from_json(json: Json) -> Option<Self> {
        if let Json::Text(both) = json {
            return Some(Self::Both(both));
        }
        let mut members = json.into_members()?;
        let (read, write) = (members.required("read")?, members.required("write")?);
        members.left_over().is_none().then_some(Self::ByEffect { read, write })
    }
}

impl WrittenRule {
    /// Reads the rule at this index of the array.
    ///
    /// # Errors
    /// [`RulesError::NotAnObject`], [`RulesError::Member`] or [`RulesError::UnknownMember`].
    pub(super) fn read(json: Json, index: usize) -> Result<Self, RulesError> {
        let mut members = json.into_members().ok_or(RulesError::NotAnObject(index))?;
        let wrong = |name| RulesError::Member(index, name);
        let rule = Self {
            host: members.required("host").ok_or(wrong("host"))?,
            path: members.required("path").ok_or(wrong("path"))?,
            origin: members.optional("origin").ok_or(wrong("origin"))?,
            serves: members.optional("serves").ok_or(wrong("serves"))?,
            permission: members.optional("permission").ok_or(wrong("permission"))?,
            any_key: members.or_default("any_key").ok_or(wrong("any_key"))?,
            public: members.or_default("public").ok_or(wrong("public"))?,
            effect: members.optional("effect").ok_or(wrong("effect"))?,
            credentials: members.optional("credentials").ok_or(wrong("credentials"))?,
            encoded_slashes: members
                .or_default("encoded_slashes")
                .ok_or(wrong("encoded_slashes"))?,
            rewrite_location: members
                .optional("rewrite_location")
                .ok_or(wrong("rewrite_location"))?,
            cors: members.optional("cors").ok_or(wrong("cors"))?,
        };
        match members.left_over() {
            Some(name) => Err(RulesError::UnknownMember(index, name.to_owned())),
            None => Ok(rule),
        }
    }

    pub(super) fn into_rule(self, index: usize, console_host: &str) -> Result<Rule, RulesError> {
        let label = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        };
        let has_gap = self.host.split('.').any(str::is_empty);
        // On the console's host, a rule may open an OAuth endpoint under its usual path, and no
        // other route.
        let is_on_console = self.host == console_host;
        let is_usual = matches!(self.serves, Some(Served::OAuth(_)))
            && CONSOLE_PATHS.contains(&self.path.as_str());
        if has_gap || !self.host.bytes().all(label) || (is_on_console && !is_usual) {
            return Err(RulesError::Host(index));
        }
        let path = parse_pattern(&self.path).ok_or(RulesError::Path(index))?;
        let origin = match (self.origin, self.serves) {
            (Some(origin), None) => parse_origin(origin).ok_or(RulesError::Origin(index))?,
            (None, Some(served)) => {
                // Such a route has separate credentials, and decides by itself about each request.
                let says_more = self.permission.is_some() || self.any_key || self.public;
                let changes_more =
                    self.encoded_slashes || self.rewrite_location.is_some() || self.cors.is_some();
                if says_more || changes_more || self.effect.is_some() || self.credentials.is_some()
                {
                    return Err(RulesError::Served(index));
                }
                let origin = match served {
                    Served::Issuance => Origin::Issuance,
                    // The metadata names the path as part of a URL.
                    Served::OAuth(_) if !is_plain_path(&self.path) => {
                        return Err(RulesError::OAuthPath(index));
                    }
                    Served::OAuth(route) => Origin::OAuth(route),
                };
                return Ok(Rule::served(index, self.host, path, origin));
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
            // A public origin may use these headers as it likes; the edge only holds back
            // Claviger's keys.
            None if access == Access::Public => Vec::new(),
            None => vec![Place::Authorization, Place::ApiKey],
            Some(names) => names
                .iter()
                .map(|name| parse_place(name))
                .collect::<Option<Vec<_>>>()
                .filter(|places| !places.is_empty())
                .ok_or(RulesError::Place(index))?,
        };
        if self.encoded_slashes && matches!(path, Pattern::Literal(_)) {
            return Err(RulesError::EncodedSlashes(index));
        }
        // A bound service gets the public URL, so its own redirects are right.
        let rewrite_location = match (&origin, self.rewrite_location) {
            (Origin::Binding(_), Some(_)) => return Err(RulesError::Location(index)),
            (Origin::Binding(_) | Origin::Issuance | Origin::OAuth(_), _) => false,
            (Origin::Base(_), asked) => asked.unwrap_or(true),
        };
        let sites = self.cors.map(|origins| Sites::parse(origins).ok_or(RulesError::Sites(index)));
        Ok(Rule {
            index,
            host: self.host,
            path,
            origin,
            access,
            places,
            effect: self.effect,
            encoded_slashes: self.encoded_slashes,
            rewrite_location,
            sites: sites.transpose()?,
        })
    }
}

/// Returns `true` if a path has no wildcard, and no character that a URL would escape.
fn is_plain_path(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte))
}

fn parse_pattern(text: &str) -> Option<Pattern> {
    let (base, below) = match text.strip_suffix("/*") {
        Some(base) => (base, true),
        None => (text, false),
    };
    let normal = (below && base.is_empty())
        || crate::base::http::path::normalise(base).is_ok_and(|normal| normal == base);
    // Below `/a/` would be `/a//…`, which is never a normalised path.
    if !normal || base.contains(['*', '?', '#']) || (below && base.ends_with('/')) {
        return None;
    }
    let base = crate::base::http::path::decoded(base);
    Some(if below {
        Pattern::Below(base.into_owned())
    } else {
        Pattern::Literal(base.strip_suffix('/').unwrap_or(&base).to_owned())
    })
}

fn parse_origin(text: String) -> Option<Origin> {
    let is_binding = text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_binding {
        return Some(Origin::Binding(text));
    }
    let url = Url::parse(&text)?;
    let is_base = url.origin == text && url.has_plain_authority();
    (is_base && url.is_confidential()).then_some(Origin::Base(text))
}

fn parse_place(text: &str) -> Option<Place> {
    match text {
        "authorization" => Some(Place::Authorization),
        "x-api-key" => Some(Place::ApiKey),
        "subprotocol" => Some(Place::Subprotocol),
        "api-user:basic" => Some(Place::ApiUser(ApiUserPlace::Basic)),
        "api-user:form" => Some(Place::ApiUser(ApiUserPlace::Form)),
        "api-user:json" => Some(Place::ApiUser(ApiUserPlace::Json)),
        _ => {
            let (kind, name) = text.split_once(':')?;
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
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
