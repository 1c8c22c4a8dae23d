//! Defines the OAuth 2.0 endpoints: a key pair gets access tokens by the client credentials grant
//! (RFC 6749 §4.4), and ends them (RFC 7009).
//!
//! The client is a key pair: its client ID is the access key, its client secret the access secret.
//! It authenticates by HTTP Basic or by `client_id` and `client_secret` in the body, never by both
//! and never in the URL. An **access token** is a [sealed key](crate::credential::sealed) that acts
//! for the pair itself ([`Claims::is_token`](crate::credential::sealed::Claims::is_token)):
//! - It may do what the pair may do at the time of the request, less what `scope` leaves out. The
//!   permissions, networks, interfaces, begin and end of the pair bound it at each use.
//! - It carries the pair's sealing generation, which rises when the pair is disabled or deleted. So
//!   it ends then for good, within T.
//! - It is not a pair, so it gets no further token. A key that a program issued gets none either.
//!
//! Two decisions need no I/O: [`check_head`] and
//! [`Gateway::check_client`](crate::gateway::gateway::Gateway::check_client) refuse a request by
//! its headers before the edge reads the body; [`OAuthForm`] reads the body. The ledger confirms
//! the pair for each token, as for each issue ([`crate::gateway::issuing`]).

mod error;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

pub use self::error::OAuthError;
use crate::base::http::request::{Request, Url};
use crate::base::http::response::{Response, no_store};
use crate::base::id::KeyId;
use crate::base::json::Json;
use crate::base::secret::SecretText;
use crate::base::time::{DurationMs, UnixMs};
use crate::config::rules::OAuthRoute;
use crate::config::settings::Config;
use crate::credential::grant::Granted;
use crate::credential::key::ACCESS_SECRET_WIDTH;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;
use crate::credential::limits::subset::covers_permissions;
use crate::gateway::extract;
use crate::gateway::issuance::{Authority, is_form};
use crate::verify::verdict::Denial;

/// Life of a token. It ends earlier if the pair does.
pub const TOKEN_LIFE: DurationMs = DurationMs::from_s(3_600);

/// Path of the token [introspection](crate::gateway::introspection), on the console host.
pub const INTROSPECTION_PATH: &str = "/v1/introspect";

/// The only grant that the token endpoint serves.
const GRANT_TYPE: &str = "client_credentials";

/// Checks the part of a request that precedes its body.
///
/// # Errors
/// [`OAuthError::Method`] if the method is not POST, [`OAuthError::Query`] if the URL has query
/// parameters, [`OAuthError::MediaType`] if the body is not a form.
pub fn check_head(request: &Request<'_>) -> Result<(), OAuthError> {
    if request.method != "POST" {
        return Err(OAuthError::Method);
    }
    if request.url.query.is_some_and(|query| !query.is_empty()) {
        return Err(OAuthError::Query);
    }
    if is_form(request) { Ok(()) } else { Err(OAuthError::MediaType) }
}

/// Names of the parameters that the endpoints read.
pub const PARAMETERS: [&str; 5] = ["grant_type", "scope", "client_id", "client_secret", "token"];

/// The parameters that an endpoint reads, by name. It ignores others (RFC 6749 §3.2).
#[derive(Debug)]
pub struct OAuthForm(Vec<(&'static str, SecretText)>);

impl OAuthForm {
    /// Parses the body of a request to an endpoint that reads parameters of these names.
    ///
    /// # Errors
    /// [`OAuthError::Repeated`] if one of them occurs twice.
    pub fn parse(body: &[u8], names: &[&'static str]) -> Result<Self, OAuthError> {
        let mut form = Self(Vec::new());
        for (name, value) in form_urlencoded::parse(body) {
            let Some(name) = names.iter().find(|known| **known == name) else { continue };
            if form.find(name).is_some() {
                return Err(OAuthError::Repeated);
            }
            form.0.push((name, SecretText::new(value.into_owned())));
        }
        Ok(form)
    }

    /// Returns the value of a parameter, which may be empty; `None` if it is absent.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| value.expose())
    }

    /// Returns the value of a parameter. An empty one counts as absent (RFC 6749 §3.2).
    fn given(&self, name: &str) -> Option<&str> {
        self.find(name).filter(|value| !value.is_empty())
    }

    /// Checks that the client asks for the grant that is served.
    ///
    /// # Errors
    /// [`OAuthError::NoGrantType`] if there is none, [`OAuthError::GrantType`] if it is another.
    pub fn check_grant_type(&self) -> Result<(), OAuthError> {
        match self.given("grant_type") {
            Some(GRANT_TYPE) => Ok(()),
            Some(_) => Err(OAuthError::GrantType),
            None => Err(OAuthError::NoGrantType),
        }
    }

    /// Returns the scope that the client asks for; `None` for all that the pair may do.
    pub fn scope(&self) -> Option<&str> {
        self.given("scope")
    }

    /// Returns the token that the request is about.
    ///
    /// # Errors
    /// [`OAuthError::NoToken`] if there is none.
    pub fn token(&self) -> Result<&str, OAuthError> {
        self.given("token").ok_or(OAuthError::NoToken)
    }

    /// Returns the text of the key whose pair the client presents, not yet verified.
    ///
    /// # Errors
    /// [`OAuthError::SeveralWays`] if the client authenticates in several ways, or names two
    /// clients. [`OAuthError::Client`] if it does not authenticate.
    pub fn client(&self, request: &Request<'_>, config: &Config) -> Result<SecretText, OAuthError> {
        self.client_or(client_in_header(request, config)?, config)
    }

    /// Returns the text of the key that the client presents, not yet verified, if its headers hold
    /// the text `in_headers`.
    ///
    /// # Errors
    /// Those of [`OAuthForm::client`].
    pub fn client_or(
        &self,
        in_headers: Option<SecretText>,
        config: &Config,
    ) -> Result<SecretText, OAuthError> {
        match (in_headers, self.given("client_id"), self.given("client_secret")) {
            // RFC 6749 §2.3: one way in each request. Some clients repeat their ID beside Basic.
            (Some(_), _, Some(_)) => Err(OAuthError::SeveralWays),
            (Some(text), Some(id), None) if !may_be_named(text.expose(), id) => {
                Err(OAuthError::SeveralWays)
            }
            (Some(text), _, None) => Ok(text),
            (None, Some(id), Some(secret)) => Ok(join(id, secret, config)),
            (None, None, _) | (None, _, None) => Err(OAuthError::Client),
        }
    }
}

/// Returns `true` if `id` is the access key of the key with this text, or if the text is empty,
/// which is no key.
fn may_be_named(text: &str, id: &str) -> bool {
    let secret = text.strip_prefix(id);
    text.is_empty() || secret.is_some_and(|secret| secret.len() == ACCESS_SECRET_WIDTH)
}

/// Returns the text of the key whose pair a request presents by HTTP Basic; `None` if it has no
/// `Authorization`.
///
/// # Errors
/// [`OAuthError::SeveralWays`] if the header was sent twice, [`OAuthError::Client`] if it is not
/// Basic.
pub fn client_in_header(
    request: &Request<'_>,
    config: &Config,
) -> Result<Option<SecretText>, OAuthError> {
    single(request, "authorization")?.map(|value| read_basic(value, config)).transpose()
}

/// Returns the value of a header that holds one credential; `None` if it is absent or empty.
///
/// # Errors
/// [`OAuthError::SeveralWays`] if the header was sent twice.
pub(super) fn single<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a str>, OAuthError> {
    let value = request.headers.find(name).map(str::trim).filter(|value| !value.is_empty());
    // The runtime joins repeated headers by a comma, which no key and no Basic credentials contain.
    match value {
        Some(value) if value.contains(',') => Err(OAuthError::SeveralWays),
        value => Ok(value),
    }
}

/// Returns the text of the key whose pair this value of `Authorization` presents.
///
/// # Errors
/// [`OAuthError::Client`] if it is not HTTP Basic.
pub(super) fn read_basic(value: &str, config: &Config) -> Result<SecretText, OAuthError> {
    let pair = extract::scheme(value, "basic").and_then(extract::decode_basic);
    let pair = pair.ok_or(OAuthError::Client)?;
    let (id, secret) =
        extract::without_line_end(&pair).split_once(':').ok_or(OAuthError::Client)?;
    Ok(join(&form_decoded(id), &form_decoded(secret), config))
}

/// Decodes one half of Basic credentials: a client encodes it like a form first (RFC 6749 §2.3.1).
/// Clients that skip this step mean the same, because no key contains a `%` or a `+`.
fn form_decoded(half: &str) -> String {
    let spaced = match half.contains('+') {
        true => Cow::Owned(half.replace('+', " ")),
        false => Cow::Borrowed(half),
    };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Returns the text of the key with this pair. It is empty, which is no key, if the halves do not
/// have the form of a pair: a whole key or a sealed key is no client.
fn join(id: &str, secret: &str, config: &Config) -> SecretText {
    let number = id.strip_prefix(config.prefix.as_str()).and_then(|rest| rest.strip_prefix('_'));
    let is_access_key = number.is_some_and(|number| KeyId::parse(number).is_some());
    let is_pair = is_access_key && secret.len() == ACCESS_SECRET_WIDTH;
    SecretText::new(if is_pair { [id, secret].concat() } else { String::new() })
}

/// Grants a token with this scope at the time `at`.
///
/// # Errors
/// [`OAuthError::Scope`] if the scope is no list of permissions, or names one that the pair does
/// not have. [`OAuthError::Denied`] if the pair has ended meanwhile.
pub fn grant_token(
    authority: &Authority,
    scope: Option<&str>,
    at: UnixMs,
) -> Result<Granted, OAuthError> {
    let own = &authority.issuing.ceiling.permissions;
    let permissions = match scope {
        None => own.clone(),
        Some(scope) => {
            let wanted = Permissions::parse(scope.split(' ')).map_err(|_| OAuthError::Scope)?;
            if !covers_permissions(own, &wanted) {
                return Err(OAuthError::Scope);
            }
            wanted
        }
    };
    let expires = Expiry::At(at.saturating_add(TOKEN_LIFE)).earlier(authority.expires);
    if expires.is_past(at) {
        return Err(OAuthError::Denied(Denial::Expired));
    }
    Ok(Granted { expires, networks: Networks::anywhere(), permissions })
}

/// Builds the response with a token (RFC 6749 §5.1). `scope` is left out if the token has no
/// permission, because the list may not be empty (§3.3).
pub fn token_answer(token: &str, granted: &Granted, at: UnixMs) -> Response {
    let life = granted.expires.at().and_then(|end| end.since(at)).unwrap_or_default();
    let mut members = vec![
        ("access_token", Json::from(token)),
        ("token_type", Json::from("Bearer")),
        ("expires_in", Json::Unsigned(life.as_ms().div_euclid(1_000))),
    ];
    members.extend(scope(&granted.permissions));
    Response::json(200, &Json::object(members)).with("pragma", "no-cache")
}

/// Returns the member `scope` with these permissions; `None` if there are none.
pub(super) fn scope(permissions: &Permissions) -> Option<(&'static str, Json)> {
    let scope: Vec<String> = permissions.iter().map(ToString::to_string).collect();
    (!scope.is_empty()).then(|| ("scope", Json::Text(scope.join(" "))))
}

/// Builds the response to a revocation (RFC 7009 §2.2).
pub fn revoked_answer() -> Response {
    let headers = vec![no_store(), ("pragma", "no-cache".into())];
    Response { status: 200, headers, body: String::new(), more: None }
}

/// Answers a request for the metadata of a host's token endpoint (RFC 8414 §3.2).
pub fn metadata(request: &Request<'_>, config: &Config) -> Response {
    if !matches!(request.method, "GET" | "HEAD") {
        return Response::empty(405).with("allow", "GET, HEAD");
    }
    let Url { host, .. } = request.url;
    let issuer = request.url.dotless_origin();
    let endpoint = |route| {
        let path = config.rules.oauth_path(host, route)?;
        Some(Json::Text([&*issuer, path].concat()))
    };
    let list = |items: &[&str]| Json::List(items.iter().map(|item| Json::from(*item)).collect());
    let ways = || list(&["client_secret_basic", "client_secret_post"]);
    let mut members = vec![("issuer", Json::from(&*issuer))];
    if let Some(endpoint) = endpoint(OAuthRoute::Token) {
        members.push(("token_endpoint", endpoint));
        members.push(("token_endpoint_auth_methods_supported", ways()));
    }
    if let Some(endpoint) = endpoint(OAuthRoute::Revoke) {
        members.push(("revocation_endpoint", endpoint));
        members.push(("revocation_endpoint_auth_methods_supported", ways()));
    }
    // The console's host serves it, and its callers are verifiers. A bearer token is a way to
    // authenticate, too (RFC 8414 §2).
    let endpoint = [&*config.console_origin, INTROSPECTION_PATH].concat();
    members.push(("introspection_endpoint", Json::Text(endpoint)));
    let ways = list(&["client_secret_basic", "client_secret_post", "Bearer"]);
    members.push(("introspection_endpoint_auth_methods_supported", ways));
    members.push(("grant_types_supported", list(&[GRANT_TYPE])));
    // There is no authorization endpoint, but the member is required.
    members.push(("response_types_supported", list(&[])));
    Response::json(200, &Json::object(members))
}

#[cfg(test)]
mod tests;
