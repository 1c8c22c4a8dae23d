//! Knows the routes of the console's host that a program may call by its key, and finds the
//! program's credential.
//!
//! The edge verifies such a request like one to a protected API, and hands it to the admin Worker
//! with the verified caller in [`CALLER_HEADER`](crate::replication::admin_caller::CALLER_HEADER).
//! Every other route takes the session cookie alone. A request with both could act for a member by
//! a program's key or the other way round, so it is refused.

use crate::base::http::cookie::COOKIE;
use crate::base::http::request::{Headers, Request};
use crate::base::id::{AnyKeyId, Prefix};
use crate::base::secret::SecretText;
use crate::config::rules::{ApiUserPlace, Place};
use crate::credential::admin_right::AdminRight;

use crate::gateway::extract::{Ambiguous, Carried, Text, TypedUser, find};
use crate::replication::admin_caller::AdminCaller;
use crate::verify::verdict::Denial;
use crate::verify::verification::Verified;

/// The routes, with the right that each one demands. In a path, `{id}` is one segment. Where two
/// paths match, the first counts. `HEAD` is `GET`.
pub const ROUTES: [(&str, &str, AdminRight); 13] = [
    ("GET", "/v1/keys", AdminRight::ReadKeys),
    ("POST", "/v1/keys", AdminRight::WriteKeys),
    ("POST", "/v1/keys/check", AdminRight::ReadKeys),
    ("GET", "/v1/keys/{id}", AdminRight::ReadKeys),
    ("PATCH", "/v1/keys/{id}", AdminRight::WriteKeys),
    ("DELETE", "/v1/keys/{id}", AdminRight::WriteKeys),
    ("GET", "/v1/keys/{id}/issued", AdminRight::ReadKeys),
    ("POST", "/v1/keys/{id}/disable", AdminRight::WriteKeys),
    ("POST", "/v1/keys/{id}/enable", AdminRight::WriteKeys),
    ("POST", "/v1/keys/{id}/restore", AdminRight::WriteKeys),
    ("POST", "/v1/keys/{id}/regenerate", AdminRight::WriteKeys),
    ("POST", "/v1/keys/{id}/end-overlap", AdminRight::WriteKeys),
    ("GET", "/v1/activity", AdminRight::ReadActivity),
];

/// Places of a credential. A key in a URL would stand in logs and histories.
pub(super) const PLACES: [Place; 3] =
    [Place::Authorization, Place::ApiKey, Place::ApiUser(ApiUserPlace::Basic)];

/// Returns the right that a route demands of a program; `None` for a route that takes none.
pub fn right(method: &str, path: &str) -> Option<AdminRight> {
    let method = if method == "HEAD" { "GET" } else { method };
    let route = ROUTES.iter().find(|(verb, pattern, _)| *verb == method && fits(pattern, path));
    route.map(|(_, _, right)| *right)
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("{id}"), Some(segment)) if !segment.is_empty() => {}
            (Some(wanted), Some(segment)) if wanted == segment => {}
            _ => return false,
        }
    }
}

/// A program that calls the admin API.
#[derive(Debug)]
pub struct AdminProgram {
    /// Right that the route demands.
    pub right: AdminRight,
    /// Credential that the program presents.
    pub credential: AdminCredential,
}

/// A credential of a program.
#[derive(Debug, PartialEq, Eq)]
pub enum AdminCredential {
    /// The text of a key, not yet checked.
    Key(SecretText),
    /// Name and secret of an API user, not yet checked.
    User(TypedUser),
}

/// Returns the credential of a request for the admin API; `None` if it has none.
///
/// # Errors
/// [`Ambiguous`] if there are several credentials.
pub fn credential(
    request: &Request<'_>,
    prefix: &Prefix,
) -> Result<Option<AdminCredential>, Ambiguous> {
    let carried = find(request, &PLACES, prefix);
    if let Some(user) = carried.single_user()? {
        return Ok(Some(AdminCredential::User(user.clone())));
    }
    let Carried { credential, foreign, .. } = carried;
    let text = match credential? {
        Some(text) => Some(text),
        // It is none of Claviger's keys, and is refused like a wrong one.
        None => foreign.transpose()?.filter(|text| !text.expose().trim().is_empty()),
    };
    Ok(text.map(|text: Text<'_>| AdminCredential::Key(SecretText::new(text.expose().to_owned()))))
}

/// Returns `true` if a request has the session cookie, once or several times.
pub(super) fn has_session(headers: Headers<'_>) -> bool {
    let cookies = headers.iter().filter(|(name, _)| *name == "cookie");
    let mut pairs = cookies.flat_map(|(_, value)| value.split(';'));
    pairs.any(|pair| pair.split('=').next().is_some_and(|name| name.trim() == COOKIE))
}

/// Returns the caller of a verified credential.
///
/// # Errors
/// [`Denial::PermissionDenied`] for a sealed key, which holds no right over the admin API, and for
/// an API user that does not hold `right`.
pub(super) fn caller(verified: &Verified, right: AdminRight) -> Result<AdminCaller, Denial> {
    match (verified.key(), verified.user()) {
        (AnyKeyId::Key(id), None) => Ok(AdminCaller::Key(id)),
        (AnyKeyId::Key(id), Some(user)) if right.is_held_by(user) => {
            Ok(AdminCaller::User { id, secret: user.secret })
        }
        (AnyKeyId::Key(_), Some(_)) | (AnyKeyId::Sealed(_), _) => Err(Denial::PermissionDenied),
    }
}

#[cfg(test)]
mod tests;
