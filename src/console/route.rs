//! The table of routes.

use crate::id::{AccountId, KeyId, TokenId};
use crate::issuance;
use crate::problem::Problem;

/// What a request to the console's host wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A file of the page.
    Asset,
    /// Create the first account.
    SetUp,
    /// Look at the session.
    ShowSession,
    /// Sign in.
    SignIn,
    /// Sign out.
    SignOut,
    /// Prove one's identity again.
    StepUp,
    /// List keys.
    ListKeys,
    /// Issue a key.
    IssueKey,
    /// Check what was typed for a key.
    CheckKey,
    /// Look at a key.
    ShowKey(KeyId),
    /// Change a key.
    EditKey(KeyId),
    /// Disable a key.
    DisableKey(KeyId),
    /// Enable a key.
    EnableKey(KeyId),
    /// Read activity.
    ListActivity,
    /// Take activity away as a file.
    ExportActivity,
    /// Look at the service credentials.
    ShowService,
    /// Change how far the service password may go.
    EditService,
    /// Have the service password shown.
    RevealService,
    /// Change the service password.
    ChangeServicePassword,
    /// Have a key's secret shown again.
    RevealKey(KeyId),
    /// Restore a deleted key.
    RestoreKey(KeyId),
    /// Ask for the deletion of keys.
    BeginDeletion,
    /// Look at a deletion.
    ShowDeletion(TokenId),
    /// Mail another code for a deletion.
    MailDeletionCode(TokenId),
    /// Delete the keys of a deletion.
    ConfirmDeletion(TokenId),
    /// List accounts, as an operator.
    ListAccounts,
    /// Make a set-up link for an account.
    InviteAccount,
    /// Look at an account.
    ShowAccount(AccountId),
    /// Suspend or resume an account, or change its T.
    EditAccount(AccountId),
    /// Have an account's records put into KV again.
    RebuildAccount(AccountId),
    /// Begin to restore an account.
    BeginRestore(AccountId),
    /// Finish that.
    FinishRestore(AccountId),
    /// See what this isolate has done.
    Counters,
    /// Verify credentials.
    Verify,
    /// Issue a key for a program; it says by itself which method it takes.
    IssueByApi,
    /// Revoke one sealed key.
    RevokeSealed,
}

impl Route {
    /// Finds the route.
    ///
    /// # Errors
    /// [`Problem::NotFound`], [`Problem::MethodNotAllowed`].
    pub fn find(method: &str, path: &str) -> Result<Self, Problem> {
        if path == issuance::PATH {
            return Ok(Self::IssueByApi);
        }
        let Some(resource) = path.strip_prefix("/v1/") else {
            return match method {
                "GET" | "HEAD" => Ok(Self::Asset),
                _ => Err(Problem::MethodNotAllowed { allow: "GET, HEAD" }),
            };
        };
        // A HEAD is a GET whose body the runtime drops.
        let verb = if method == "HEAD" { "GET" } else { method };
        let segments: Vec<&str> = resource.split('/').collect();
        let (found, allow) = match segments.as_slice() {
            ["setup"] => (pick(verb, &[("POST", Self::SetUp)]), "POST"),
            ["session"] => (
                pick(verb, &[("GET", Self::ShowSession), ("POST", Self::SignIn), ("DELETE", Self::SignOut)]),
                "GET, HEAD, POST, DELETE",
            ),
            ["session", "step-up"] => (pick(verb, &[("POST", Self::StepUp)]), "POST"),
            ["keys"] => (pick(verb, &[("GET", Self::ListKeys), ("POST", Self::IssueKey)]), "GET, HEAD, POST"),
            ["keys", "check"] => (pick(verb, &[("POST", Self::CheckKey)]), "POST"),
            ["keys", id] => {
                let id = KeyId::parse(id).ok_or(Problem::NotFound)?;
                (pick(verb, &[("GET", Self::ShowKey(id)), ("PATCH", Self::EditKey(id))]), "GET, HEAD, PATCH")
            }
            ["keys", id, action @ ("disable" | "enable" | "restore")] => {
                let id = KeyId::parse(id).ok_or(Problem::NotFound)?;
                let route = match *action {
                    "disable" => Self::DisableKey(id),
                    "enable" => Self::EnableKey(id),
                    _ => Self::RestoreKey(id),
                };
                (pick(verb, &[("POST", route)]), "POST")
            }
            ["deletions"] => (pick(verb, &[("POST", Self::BeginDeletion)]), "POST"),
            ["deletions", id] => {
                let id = TokenId::parse(id).ok_or(Problem::NotFound)?;
                (pick(verb, &[("GET", Self::ShowDeletion(id))]), "GET, HEAD")
            }
            ["deletions", id, action @ ("code" | "confirm")] => {
                let id = TokenId::parse(id).ok_or(Problem::NotFound)?;
                let route =
                    if *action == "code" { Self::MailDeletionCode(id) } else { Self::ConfirmDeletion(id) };
                (pick(verb, &[("POST", route)]), "POST")
            }
            ["keys", id, "reveal"] => {
                let id = KeyId::parse(id).ok_or(Problem::NotFound)?;
                (pick(verb, &[("POST", Self::RevealKey(id))]), "POST")
            }
            ["activity"] => (pick(verb, &[("GET", Self::ListActivity)]), "GET, HEAD"),
            ["activity", "export"] => (pick(verb, &[("GET", Self::ExportActivity)]), "GET, HEAD"),
            ["account", "service"] => {
                (pick(verb, &[("GET", Self::ShowService), ("PATCH", Self::EditService)]), "GET, HEAD, PATCH")
            }
            ["account", "service", "reveal"] => (pick(verb, &[("POST", Self::RevealService)]), "POST"),
            ["account", "service", "password"] => {
                (pick(verb, &[("POST", Self::ChangeServicePassword)]), "POST")
            }
            ["operator", "accounts"] => {
                (pick(verb, &[("GET", Self::ListAccounts), ("POST", Self::InviteAccount)]), "GET, HEAD, POST")
            }
            ["operator", "accounts", id, rest @ ..] => {
                let id = AccountId::parse(id).ok_or(Problem::NotFound)?;
                match rest {
                    [] => {
                        let methods = [("GET", Self::ShowAccount(id)), ("PATCH", Self::EditAccount(id))];
                        (pick(verb, &methods), "GET, HEAD, PATCH")
                    }
                    ["rebuild"] => (pick(verb, &[("POST", Self::RebuildAccount(id))]), "POST"),
                    ["restore", "begin"] => (pick(verb, &[("POST", Self::BeginRestore(id))]), "POST"),
                    ["restore", "finish"] => (pick(verb, &[("POST", Self::FinishRestore(id))]), "POST"),
                    _ => return Err(Problem::NotFound),
                }
            }
            ["sealed-keys", "revoke"] => (pick(verb, &[("POST", Self::RevokeSealed)]), "POST"),
            ["counters"] => (pick(verb, &[("GET", Self::Counters)]), "GET, HEAD"),
            ["verify"] => (pick(verb, &[("POST", Self::Verify)]), "POST"),
            _ => return Err(Problem::NotFound),
        };
        found.ok_or(Problem::MethodNotAllowed { allow })
    }

    /// Whether a signed-in browser's cookie could be used by another site to reach this route. Verification takes no cookie.
    pub fn wants_own_page(self) -> bool {
        match self {
            Self::Asset
            | Self::Counters
            | Self::ShowSession
            | Self::ListKeys
            | Self::ShowKey(_)
            | Self::ShowService
            | Self::ListActivity
            | Self::ExportActivity
            | Self::ShowDeletion(_)
            | Self::ListAccounts
            | Self::ShowAccount(_)
            | Self::Verify
            | Self::IssueByApi => false,
            Self::SetUp
            | Self::RevokeSealed
            | Self::SignIn
            | Self::SignOut
            | Self::StepUp
            | Self::IssueKey
            | Self::CheckKey
            | Self::EditKey(_)
            | Self::DisableKey(_)
            | Self::EnableKey(_)
            | Self::EditService
            | Self::RevealService
            | Self::RevealKey(_)
            | Self::ChangeServicePassword
            | Self::RestoreKey(_)
            | Self::BeginDeletion
            | Self::MailDeletionCode(_)
            | Self::ConfirmDeletion(_)
            | Self::InviteAccount
            | Self::EditAccount(_)
            | Self::RebuildAccount(_)
            | Self::BeginRestore(_)
            | Self::FinishRestore(_) => true,
        }
    }
}

fn pick(method: &str, routes: &[(&str, Route)]) -> Option<Route> {
    routes.iter().find(|(verb, _)| *verb == method).map(|(_, route)| *route)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_answers_its_methods_and_names_them_to_others() {
        let id = "a1B2c3D47Hq0p2Zx9K";
        for (path, allow) in [
            ("/v1/setup", "POST"),
            ("/v1/session", "GET, HEAD, POST, DELETE"),
            ("/v1/session/step-up", "POST"),
            ("/v1/keys", "GET, HEAD, POST"),
            ("/v1/keys/check", "POST"),
            (&*format!("/v1/keys/{id}"), "GET, HEAD, PATCH"),
            (&*format!("/v1/keys/{id}/disable"), "POST"),
            (&*format!("/v1/keys/{id}/enable"), "POST"),
            (&*format!("/v1/keys/{id}/reveal"), "POST"),
            ("/v1/activity", "GET, HEAD"),
            ("/v1/activity/export", "GET, HEAD"),
            ("/v1/account/service", "GET, HEAD, PATCH"),
            ("/v1/account/service/reveal", "POST"),
            ("/v1/account/service/password", "POST"),
            (&*format!("/v1/keys/{id}/restore"), "POST"),
            ("/v1/deletions", "POST"),
            ("/v1/deletions/0123456789", "GET, HEAD"),
            ("/v1/deletions/0123456789/code", "POST"),
            ("/v1/deletions/0123456789/confirm", "POST"),
            ("/v1/operator/accounts", "GET, HEAD, POST"),
            ("/v1/operator/accounts/a1B2c3D4", "GET, HEAD, PATCH"),
            ("/v1/operator/accounts/a1B2c3D4/rebuild", "POST"),
            ("/v1/operator/accounts/a1B2c3D4/restore/begin", "POST"),
            ("/v1/operator/accounts/a1B2c3D4/restore/finish", "POST"),
            ("/v1/counters", "GET, HEAD"),
            ("/v1/verify", "POST"),
            ("/", "GET, HEAD"),
            ("/app.js", "GET, HEAD"),
        ] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"] {
                let found = Route::find(method, path);
                if allow.split(", ").any(|allowed| allowed == method) {
                    assert!(found.is_ok(), "{method} {path}");
                } else {
                    assert_eq!(found, Err(Problem::MethodNotAllowed { allow }), "{method} {path}");
                }
            }
        }
    }

    #[test]
    fn near_misses_of_paths_are_not_found() {
        for path in [
            "/v1/",
            "/v1/keys/",
            "/v1/key",
            "/v1/keys/short",
            "/v1/keys/a1B2c3D47Hq0p2Zx9K/",
            "/v1/keys/a1B2c3D47Hq0p2Zx9K/destroy",
            "/v1/keys/a1B2c3D47Hq0p2Zx9%4B",
            "/v1/deletions/",
            "/v1/deletions/012345678",
            "/v1/deletions/0123456789/",
            "/v1/deletions/0123456789/codes",
            "/v1/session/stepup",
            "/v1/operator",
            "/v1/operator/accounts/",
            "/v1/operator/accounts/short",
            "/v1/operator/accounts/a1B2c3D4/restore",
            "/v1/operator/accounts/a1B2c3D4/rebuild/now",
            "/v1//keys",
        ] {
            assert_eq!(Route::find("GET", path), Err(Problem::NotFound), "{path}");
        }
    }
}
