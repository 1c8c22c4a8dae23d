//! Defines token introspection (RFC 7662): `POST /v1/introspect`, with which a verifier asks about
//! a credential as OAuth clients and mail servers do. The check is that of
//! [`POST /v1/verify`](crate::gateway::verify_body).
//!
//! The caller is a [verifier](crate::gateway::gateway::VERIFY_PATH). It presents its key in one
//! way: as a pair by HTTP Basic or by `client_id` and `client_secret` in the body, or whole as a
//! bearer token or in `Claviger-Verifier`. The token that it asks about is never its own key.
//! Otherwise a caller could prove a right to ask with the very text that it wants to learn about.
//!
//! The answer about anything but a valid credential is `{"active":false}`, whatever the reason
//! (§2.2). Every member of an answer is a scalar, because some readers drop arrays and objects.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AnyKeyId;
use crate::base::json::Json;
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::config::settings::Config;
use crate::credential::issuer::Issuer;
use crate::credential::key::access_key;
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::gateway::batch_verify::{CheckRequest, Subject};
use crate::gateway::extract;
use crate::gateway::gateway::{Gateway, VERIFIER_HEADER};
use crate::gateway::oauth::{OAuthError, OAuthForm, read_basic, scope, single};
use crate::lease::rules::LeaseRules;
use crate::verify::verification::Valid;

/// Names of the parameters that the endpoint reads. `token_type_hint` is not among them: the text
/// of a token says what it is.
pub const PARAMETERS: [&str; 6] =
    ["token", "client_id", "client_secret", "address", "interface", "permission"];

/// Returns the text of the key that the caller presents, not yet verified.
///
/// # Errors
/// [`OAuthError::SeveralWays`] if the caller authenticates in several ways, or names another key in
/// `client_id`. [`OAuthError::Verifier`] if it does not authenticate.
pub fn caller(
    form: &OAuthForm,
    request: &Request<'_>,
    config: &Config,
) -> Result<SecretText, OAuthError> {
    form.client_or(in_headers(request, config)?, config).map_err(OAuthError::of_verifier)
}

/// Returns the text of the key that the caller presents in its headers; `None` if there is none.
fn in_headers(request: &Request<'_>, config: &Config) -> Result<Option<SecretText>, OAuthError> {
    let whole = |text: &str| Ok(Some(SecretText::new(text.to_owned())));
    match (single(request, VERIFIER_HEADER)?, single(request, "authorization")?) {
        (Some(_), Some(_)) => Err(OAuthError::SeveralWays),
        (Some(text), None) => whole(text),
        (None, Some(value)) => match extract::scheme(value, "bearer") {
            Some(text) => whole(text),
            None => read_basic(value, config).map(Some).map_err(OAuthError::of_verifier),
        },
        (None, None) => Ok(None),
    }
}

/// Returns the check that a form asks for, with the token and the conditions of its use.
///
/// # Errors
/// [`OAuthError::NoToken`] if there is no token, [`OAuthError::Parameter`] if a condition is
/// malformed. An empty one is malformed, too: a script whose variable is unset must not ask about
/// any permission instead of one.
pub fn check_request(form: &OAuthForm) -> Result<CheckRequest, OAuthError> {
    let subject = Subject::Credential(SecretText::new(form.token()?.to_owned()));
    let address = form.find("address").map(|text| {
        ClientAddress::parse(text).ok_or(OAuthError::Parameter("address must be an IP address"))
    });
    let interface = form.find("interface").map(|text| {
        Interface::parse(text).ok_or(OAuthError::Parameter("interface must be http or smtp"))
    });
    let permission = form.find("permission").map(|text| {
        text.parse().map_err(|_| OAuthError::Parameter("permission must be resource:action"))
    });
    Ok(CheckRequest {
        subject,
        address: address.transpose()?,
        interface: interface.transpose()?.unwrap_or(Interface::Http),
        permission: permission.transpose()?,
    })
}

impl<R: LeaseRules> Gateway<R> {
    /// Checks the caller's headers alone, so that the edge does not wait for a body if Claviger
    /// never made the key.
    ///
    /// # Errors
    /// Those of [`caller`], as far as the headers decide.
    pub fn check_verifier(&self, request: &Request<'_>) -> Result<(), OAuthError> {
        match in_headers(request, self.config())? {
            Some(text) => self
                .check_text(text.expose(), request.arrived)
                .map_err(|denial| OAuthError::of_verifier(denial.into())),
            None => Ok(()),
        }
    }
}

/// Checks that the token is not the caller's own key. A text that only names that key, which a
/// client of the caller can write, is a token like any other.
///
/// # Errors
/// [`OAuthError::OwnKey`] if both texts are one.
pub fn check_other(token: &str, caller: &str) -> Result<(), OAuthError> {
    if token == caller { Err(OAuthError::OwnKey) } else { Ok(()) }
}

/// Builds the response about a credential that is not valid, or that the caller may not see.
pub fn inactive() -> Response {
    answer(vec![("active", Json::Bool(false))])
}

/// Builds the response about a valid credential.
pub fn active(valid: &Valid, config: &Config) -> Response {
    let client = match (valid.key, valid.issuer) {
        (AnyKeyId::Key(id), _) | (AnyKeyId::Sealed(_), Some(Issuer::Key(id))) => Some(id),
        // The service password issued it, which is no key.
        (AnyKeyId::Sealed(_), Some(Issuer::Service) | None) => None,
    };
    let client = client.map(|id| ("client_id", Json::Text(access_key(&config.prefix, id))));
    let time = |name, at: Option<UnixMs>| at.map(|at| (name, seconds(at)));
    let sealed = match valid.key {
        AnyKeyId::Sealed(id) => Some(("jti", Json::Text(id.to_string()))),
        AnyKeyId::Key(_) => None,
    };
    let members = [
        Some(("active", Json::Bool(true))),
        scope(&valid.permissions),
        client,
        Some(("token_type", "Bearer".into())),
        time("exp", valid.expires.at()),
        time("nbf", valid.not_before),
        time("iat", valid.issued_at),
        Some(("sub", valid.key.account().as_str().into())),
        Some(("iss", config.console_origin.as_str().into())),
        sealed,
    ];
    answer(members.into_iter().flatten().collect())
}

fn answer(members: Vec<(&str, Json)>) -> Response {
    Response::json(200, &Json::object(members)).with("pragma", "no-cache")
}

/// Writes a time in whole seconds. It rounds down: a reader that compares `exp` itself may refuse a
/// credential up to a second early, never accept it late.
fn seconds(at: UnixMs) -> Json {
    let seconds = at.as_ms().div_euclid(1_000);
    u64::try_from(seconds).map_or(Json::Negative(seconds), Json::Unsigned)
}

#[cfg(test)]
mod tests;
