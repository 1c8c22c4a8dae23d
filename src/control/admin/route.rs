//! The console's routes: method and path to [`Route`].

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::id::{AccountId, KeyId, MemberId, TokenId};

use crate::admin::factor_route::FactorRoute;
use crate::admin::problem::AdminProblem;

/// A route that the admin Worker serves on the console's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Serves a static file of the console.
    Asset,
    /// Creates an account from a set-up link.
    SetUp,
    /// Checks a set-up link before its form is filled in.
    CheckSetUp,
    /// Returns the session.
    ShowSession,
    /// Signs a member in.
    SignIn,
    /// Signs a member out.
    SignOut,
    /// Gives a fresh proof of identity.
    StepUp,
    /// Lists the keys of the account.
    ListKeys,
    /// Issues a key.
    IssueKey,
    /// Previews the form of a key.
    CheckKey,
    /// Returns a key.
    ShowKey(KeyId),
    /// Changes a key.
    EditKey(KeyId),
    /// Deletes a key without a mailed code.
    DeleteKey(KeyId),
    /// Returns the key pair of the member.
    ShowPair,
    /// Disables a key.
    DisableKey(KeyId),
    /// Enables a key.
    EnableKey(KeyId),
    /// Lists the activity of the account.
    ListActivity,
    /// Exports activity as a file.
    ExportActivity,
    /// Returns the service credentials.
    ShowService,
    /// Counts the keys that the service password has issued.
    CountIssuedByService,
    /// Counts the keys that a key has issued.
    CountIssuedByKey(KeyId),
    /// Changes the ceiling of the service password.
    EditService,
    /// Shows the service password again.
    RevealService,
    /// Replaces the service password.
    ChangeServicePassword,
    /// Shows a key's secret again.
    RevealKey(KeyId),
    /// Replaces a key by a successor.
    RegenerateKey(KeyId),
    /// Ends a replaced key.
    EndOverlap(KeyId),
    /// Restores a deleted key.
    RestoreKey(KeyId),
    /// Begins a deletion of keys.
    BeginDeletion,
    /// Returns a deletion.
    ShowDeletion(TokenId),
    /// Mails another code for a deletion.
    MailDeletionCode(TokenId),
    /// Confirms a deletion, which deletes its keys.
    ConfirmDeletion(TokenId),
    /// Leads to the operator's page, once Cloudflare Access has signed the operator in.
    SignInByAccess,
    /// Lists accounts, for an operator.
    ListAccounts,
    /// Creates the set-up link of a new account. Only operators may.
    InviteAccount,
    /// Returns an account, for an operator.
    ShowAccount(AccountId),
    /// Suspends or resumes an account, or changes its T, for an operator.
    EditAccount(AccountId),
    /// Returns an account's policy, for an operator.
    ShowPolicy(AccountId),
    /// Changes an account's policy, for an operator.
    SetPolicy(AccountId),
    /// Returns the effects of a change of an account's policy, for an operator.
    PreviewPolicy(AccountId),
    /// Withdraws the invitation of an account, for an operator.
    WithdrawAccount(AccountId),
    /// Puts an account's records into KV again, for an operator.
    RebuildAccount(AccountId),
    /// Begins to restore an account, for an operator.
    BeginRestore(AccountId),
    /// Finishes a restore, for an operator.
    FinishRestore(AccountId),
    /// Returns the counters of the edge isolate that handled the request.
    Counters,
    /// Revokes one sealed key.
    RevokeSealed,
    /// Lists the accounts of the person.
    ListOwnAccounts,
    /// Opens another account of the person.
    SwitchAccount,
    /// Lists the sessions of the member.
    ListSessions,
    /// Ends a session.
    EndSession(TokenId),
    /// Ends the other sessions of the member.
    EndOtherSessions,
    /// Changes the password.
    ChangePassword,
    /// Mails the code of a password reset.
    BeginReset,
    /// Sets a new password by a mailed code.
    ConfirmReset,
    /// Lists the members and invitations of the account.
    ListMembers,
    /// Invites an address.
    InviteMember,
    /// Mails an invitation again.
    RepeatInvitation(TokenId),
    /// Ends an invitation.
    WithdrawInvitation(TokenId),
    /// Changes the role of a member.
    ChangeRole(MemberId),
    /// Removes a member, or oneself.
    RemoveMember(MemberId),
    /// Ends the sessions of a member.
    EndMemberSessions(MemberId),
    /// Returns an invitation to the holder of its token.
    CheckInvitation,
    /// Joins the account of an invitation.
    AcceptInvitation,
    /// Changes one's own name or language.
    EditProfile,
    /// Changes the name or time zone of one's own account.
    EditOwnAccount,
    /// Returns one's own switches of notices.
    ShowNotices,
    /// Changes one's own switches of notices.
    EditNotices,
    /// Reads or changes second factors, or answers a challenge with one.
    Factors(FactorRoute),
}

impl Route {
    /// Finds the route of a request.
    ///
    /// # Errors
    /// [`RequestProblem::NotFound`] for an unknown path; [`RequestProblem::MethodNotAllowed`] for a
    /// known path with another method.
    pub fn find(method: &str, path: &str) -> Result<Self, AdminProblem> {
        let Some(resource) = path.strip_prefix("/v1/") else {
            return match method {
                "GET" | "HEAD" => Ok(Self::Asset),
                _ => Err(AdminProblem::Request(RequestProblem::MethodNotAllowed {
                    allow: "GET, HEAD",
                })),
            };
        };
        // The platform drops the body of the response to a HEAD request.
        let verb = if method == "HEAD" { "GET" } else { method };
        let segments: Vec<&str> = resource.split('/').collect();
        let (found, allow) = match segments.as_slice() {
            ["setup"] => (pick(verb, &[("POST", Self::SetUp)]), "POST"),
            ["setup", "check"] => (pick(verb, &[("POST", Self::CheckSetUp)]), "POST"),
            ["session"] => (
                pick(
                    verb,
                    &[
                        ("GET", Self::ShowSession),
                        ("POST", Self::SignIn),
                        ("DELETE", Self::SignOut),
                    ],
                ),
                "GET, HEAD, POST, DELETE",
            ),
            ["session", "step-up"] => (pick(verb, &[("POST", Self::StepUp)]), "POST"),
            ["session", "factor"] => {
                (pick(verb, &[("POST", Self::Factors(FactorRoute::AnswerChallenge))]), "POST")
            }
            ["session", "switch"] => (pick(verb, &[("POST", Self::SwitchAccount)]), "POST"),
            ["accounts"] => (pick(verb, &[("GET", Self::ListOwnAccounts)]), "GET, HEAD"),
            ["sessions"] => (pick(verb, &[("GET", Self::ListSessions)]), "GET, HEAD"),
            ["sessions", "end-others"] => (pick(verb, &[("POST", Self::EndOtherSessions)]), "POST"),
            ["sessions", id] => {
                let id =
                    TokenId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                (pick(verb, &[("DELETE", Self::EndSession(id))]), "DELETE")
            }
            ["member", "factors", rest @ ..] => {
                let (routes, allow) = FactorRoute::find(rest)
                    .ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let found = routes.iter().find(|(method, _)| *method == verb);
                (found.map(|(_, route)| Self::Factors(*route)), allow)
            }
            ["member", "password"] => (pick(verb, &[("POST", Self::ChangePassword)]), "POST"),
            ["password", "reset"] => (pick(verb, &[("POST", Self::BeginReset)]), "POST"),
            ["password", "reset", "confirm"] => {
                (pick(verb, &[("POST", Self::ConfirmReset)]), "POST")
            }
            ["keys"] => (
                pick(verb, &[("GET", Self::ListKeys), ("POST", Self::IssueKey)]),
                "GET, HEAD, POST",
            ),
            ["keys", "check"] => (pick(verb, &[("POST", Self::CheckKey)]), "POST"),
            ["keys", id] => {
                let id = KeyId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let methods = [
                    ("GET", Self::ShowKey(id)),
                    ("PATCH", Self::EditKey(id)),
                    ("DELETE", Self::DeleteKey(id)),
                ];
                (pick(verb, &methods), "GET, HEAD, PATCH, DELETE")
            }
            ["key-pair"] => (pick(verb, &[("GET", Self::ShowPair)]), "GET, HEAD"),
            [
                "keys",
                id,
                action @ ("disable" | "enable" | "restore" | "regenerate" | "end-overlap"),
            ] => {
                let id = KeyId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let route = match *action {
                    "disable" => Self::DisableKey(id),
                    "enable" => Self::EnableKey(id),
                    "regenerate" => Self::RegenerateKey(id),
                    "end-overlap" => Self::EndOverlap(id),
                    _ => Self::RestoreKey(id),
                };
                (pick(verb, &[("POST", route)]), "POST")
            }
            ["deletions"] => (pick(verb, &[("POST", Self::BeginDeletion)]), "POST"),
            ["deletions", id] => {
                let id =
                    TokenId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                (pick(verb, &[("GET", Self::ShowDeletion(id))]), "GET, HEAD")
            }
            ["deletions", id, action @ ("code" | "confirm")] => {
                let id =
                    TokenId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let route = if *action == "code" {
                    Self::MailDeletionCode(id)
                } else {
                    Self::ConfirmDeletion(id)
                };
                (pick(verb, &[("POST", route)]), "POST")
            }
            ["keys", id, "reveal"] => {
                let id = KeyId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                (pick(verb, &[("POST", Self::RevealKey(id))]), "POST")
            }
            ["keys", id, "issued"] => {
                let id = KeyId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                (pick(verb, &[("GET", Self::CountIssuedByKey(id))]), "GET, HEAD")
            }
            ["account", "service", "issued"] => {
                (pick(verb, &[("GET", Self::CountIssuedByService)]), "GET, HEAD")
            }
            ["activity"] => (pick(verb, &[("GET", Self::ListActivity)]), "GET, HEAD"),
            ["activity", "export"] => (pick(verb, &[("POST", Self::ExportActivity)]), "POST"),
            ["account", "service"] => (
                pick(verb, &[("GET", Self::ShowService), ("PATCH", Self::EditService)]),
                "GET, HEAD, PATCH",
            ),
            ["account", "service", "reveal"] => {
                (pick(verb, &[("POST", Self::RevealService)]), "POST")
            }
            ["account", "service", "password"] => {
                (pick(verb, &[("POST", Self::ChangeServicePassword)]), "POST")
            }
            ["operator", "sign-in"] => (pick(verb, &[("GET", Self::SignInByAccess)]), "GET, HEAD"),
            ["operator", "accounts"] => (
                pick(verb, &[("GET", Self::ListAccounts), ("POST", Self::InviteAccount)]),
                "GET, HEAD, POST",
            ),
            ["operator", "accounts", id, rest @ ..] => {
                let id =
                    AccountId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                match rest {
                    [] => {
                        let methods = [
                            ("GET", Self::ShowAccount(id)),
                            ("PATCH", Self::EditAccount(id)),
                            ("DELETE", Self::WithdrawAccount(id)),
                        ];
                        (pick(verb, &methods), "GET, HEAD, PATCH, DELETE")
                    }
                    ["policy"] => {
                        let methods = [("GET", Self::ShowPolicy(id)), ("PUT", Self::SetPolicy(id))];
                        (pick(verb, &methods), "GET, HEAD, PUT")
                    }
                    ["policy", "preview"] => {
                        (pick(verb, &[("POST", Self::PreviewPolicy(id))]), "POST")
                    }
                    ["rebuild"] => (pick(verb, &[("POST", Self::RebuildAccount(id))]), "POST"),
                    ["restore", "begin"] => {
                        (pick(verb, &[("POST", Self::BeginRestore(id))]), "POST")
                    }
                    ["restore", "finish"] => {
                        (pick(verb, &[("POST", Self::FinishRestore(id))]), "POST")
                    }
                    _ => return Err(AdminProblem::Request(RequestProblem::NotFound)),
                }
            }
            // Before the IDs of members, because the word has the form of one.
            ["members", "invitations", rest @ ..] => {
                let id = rest.first().and_then(|id| TokenId::parse(id));
                match (rest, id) {
                    ([], _) => (pick(verb, &[("POST", Self::InviteMember)]), "POST"),
                    ([_], Some(id)) => {
                        (pick(verb, &[("DELETE", Self::WithdrawInvitation(id))]), "DELETE")
                    }
                    ([_, "repeat"], Some(id)) => {
                        (pick(verb, &[("POST", Self::RepeatInvitation(id))]), "POST")
                    }
                    _ => return Err(AdminProblem::Request(RequestProblem::NotFound)),
                }
            }
            ["members"] => (pick(verb, &[("GET", Self::ListMembers)]), "GET, HEAD"),
            ["members", id, rest @ ..] => {
                let id =
                    MemberId::parse(id).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                match rest {
                    [] => {
                        let methods =
                            [("PATCH", Self::ChangeRole(id)), ("DELETE", Self::RemoveMember(id))];
                        (pick(verb, &methods), "PATCH, DELETE")
                    }
                    ["end-sessions"] => {
                        (pick(verb, &[("POST", Self::EndMemberSessions(id))]), "POST")
                    }
                    ["reset-factors"] => {
                        (pick(verb, &[("POST", Self::Factors(FactorRoute::Reset(id)))]), "POST")
                    }
                    _ => return Err(AdminProblem::Request(RequestProblem::NotFound)),
                }
            }
            ["invitations", "check"] => (pick(verb, &[("POST", Self::CheckInvitation)]), "POST"),
            ["invitations", "accept"] => (pick(verb, &[("POST", Self::AcceptInvitation)]), "POST"),
            ["member"] => (pick(verb, &[("PATCH", Self::EditProfile)]), "PATCH"),
            ["member", "notices"] => {
                let methods = [("GET", Self::ShowNotices), ("PATCH", Self::EditNotices)];
                (pick(verb, &methods), "GET, HEAD, PATCH")
            }
            ["account"] => (pick(verb, &[("PATCH", Self::EditOwnAccount)]), "PATCH"),
            ["sealed-keys", "revoke"] => (pick(verb, &[("POST", Self::RevokeSealed)]), "POST"),
            ["counters"] => (pick(verb, &[("GET", Self::Counters)]), "GET, HEAD"),
            _ => return Err(AdminProblem::Request(RequestProblem::NotFound)),
        };
        found.ok_or(AdminProblem::Request(RequestProblem::MethodNotAllowed { allow }))
    }

    /// Returns `true` if other sites may lead a browser to the route. Its answer is the same for
    /// everyone.
    pub fn is_linked_to(self) -> bool {
        self == Self::SignInByAccess
    }

    /// Returns `true` if the route needs CSRF protection: the request must come from the console's
    /// own page.
    pub fn wants_own_page(self) -> bool {
        match self {
            Self::Asset
            | Self::Counters
            | Self::ShowSession
            | Self::ListKeys
            | Self::ShowKey(_)
            | Self::ShowPair
            | Self::ShowPolicy(_)
            | Self::ShowService
            | Self::CountIssuedByService
            | Self::CountIssuedByKey(_)
            | Self::ListActivity
            | Self::ShowDeletion(_)
            | Self::SignInByAccess
            | Self::ListAccounts
            | Self::ListOwnAccounts
            | Self::ListSessions
            | Self::ListMembers
            | Self::ShowNotices
            | Self::ShowAccount(_) => false,
            Self::Factors(route) => route != FactorRoute::Show,
            Self::SetUp
            | Self::ExportActivity
            | Self::CheckSetUp
            | Self::RevokeSealed
            | Self::SignIn
            | Self::SignOut
            | Self::StepUp
            | Self::IssueKey
            | Self::CheckKey
            | Self::EditKey(_)
            | Self::DeleteKey(_)
            | Self::SetPolicy(_)
            | Self::PreviewPolicy(_)
            | Self::DisableKey(_)
            | Self::EnableKey(_)
            | Self::EditService
            | Self::RevealService
            | Self::RevealKey(_)
            | Self::ChangeServicePassword
            | Self::RestoreKey(_)
            | Self::RegenerateKey(_)
            | Self::EndOverlap(_)
            | Self::BeginDeletion
            | Self::MailDeletionCode(_)
            | Self::ConfirmDeletion(_)
            | Self::InviteAccount
            | Self::EditAccount(_)
            | Self::WithdrawAccount(_)
            | Self::RebuildAccount(_)
            | Self::BeginRestore(_)
            | Self::FinishRestore(_)
            | Self::SwitchAccount
            | Self::EndSession(_)
            | Self::EndOtherSessions
            | Self::ChangePassword
            | Self::BeginReset
            | Self::ConfirmReset
            | Self::InviteMember
            | Self::RepeatInvitation(_)
            | Self::WithdrawInvitation(_)
            | Self::ChangeRole(_)
            | Self::RemoveMember(_)
            | Self::EndMemberSessions(_)
            | Self::CheckInvitation
            | Self::AcceptInvitation
            | Self::EditProfile
            | Self::EditNotices
            | Self::EditOwnAccount => true,
        }
    }
}

fn pick(method: &str, routes: &[(&str, Route)]) -> Option<Route> {
    routes.iter().find(|(verb, _)| *verb == method).map(|(_, route)| *route)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};
    use std::mem::discriminant;

    use claviger_core::base::http::request::Headers;
    use claviger_core::gateway::gateway::VERIFY_PATH;

    use super::*;
    use crate::admin::session;

    /// Every path with its methods.
    const ROUTES: &[(&str, &str)] = &[
        ("/v1/setup", "POST"),
        ("/v1/setup/check", "POST"),
        ("/v1/session", "GET, HEAD, POST, DELETE"),
        ("/v1/session/step-up", "POST"),
        ("/v1/session/switch", "POST"),
        ("/v1/accounts", "GET, HEAD"),
        ("/v1/sessions", "GET, HEAD"),
        ("/v1/sessions/{id}", "DELETE"),
        ("/v1/sessions/end-others", "POST"),
        ("/v1/member/password", "POST"),
        ("/v1/password/reset", "POST"),
        ("/v1/password/reset/confirm", "POST"),
        ("/v1/keys", "GET, HEAD, POST"),
        ("/v1/keys/check", "POST"),
        ("/v1/keys/{id}", "GET, HEAD, PATCH, DELETE"),
        ("/v1/key-pair", "GET, HEAD"),
        ("/v1/keys/{id}/disable", "POST"),
        ("/v1/keys/{id}/enable", "POST"),
        ("/v1/keys/{id}/reveal", "POST"),
        ("/v1/keys/{id}/issued", "GET, HEAD"),
        ("/v1/account/service/issued", "GET, HEAD"),
        ("/v1/activity", "GET, HEAD"),
        ("/v1/activity/export", "POST"),
        ("/v1/account/service", "GET, HEAD, PATCH"),
        ("/v1/account/service/reveal", "POST"),
        ("/v1/account/service/password", "POST"),
        ("/v1/keys/{id}/restore", "POST"),
        ("/v1/keys/{id}/regenerate", "POST"),
        ("/v1/keys/{id}/end-overlap", "POST"),
        ("/v1/deletions", "POST"),
        ("/v1/deletions/{id}", "GET, HEAD"),
        ("/v1/deletions/{id}/code", "POST"),
        ("/v1/deletions/{id}/confirm", "POST"),
        ("/v1/operator/sign-in", "GET, HEAD"),
        ("/v1/operator/accounts", "GET, HEAD, POST"),
        ("/v1/operator/accounts/{id}", "GET, HEAD, PATCH, DELETE"),
        ("/v1/operator/accounts/{id}/policy", "GET, HEAD, PUT"),
        ("/v1/operator/accounts/{id}/policy/preview", "POST"),
        ("/v1/operator/accounts/{id}/rebuild", "POST"),
        ("/v1/operator/accounts/{id}/restore/begin", "POST"),
        ("/v1/operator/accounts/{id}/restore/finish", "POST"),
        ("/v1/sealed-keys/revoke", "POST"),
        ("/v1/counters", "GET, HEAD"),
        ("/v1/members", "GET, HEAD"),
        ("/v1/members/invitations", "POST"),
        ("/v1/members/invitations/{id}", "DELETE"),
        ("/v1/members/invitations/{id}/repeat", "POST"),
        ("/v1/members/{id}", "PATCH, DELETE"),
        ("/v1/members/{id}/end-sessions", "POST"),
        ("/v1/invitations/check", "POST"),
        ("/v1/invitations/accept", "POST"),
        ("/v1/member", "PATCH"),
        ("/v1/member/notices", "GET, HEAD, PATCH"),
        ("/v1/member/factors", "GET, HEAD"),
        ("/v1/member/factors/totp", "POST, DELETE"),
        ("/v1/member/factors/totp/confirm", "POST"),
        ("/v1/member/factors/recovery-codes", "POST"),
        ("/v1/members/{id}/reset-factors", "POST"),
        ("/v1/session/factor", "POST"),
        ("/v1/account", "PATCH"),
        ("/", "GET, HEAD"),
        ("/app.js", "GET, HEAD"),
    ];

    /// Returns the path with valid example IDs.
    fn example(path: &str) -> String {
        let id = match path {
            _ if path.starts_with("/v1/deletions/") => "0123456789",
            _ if path.starts_with("/v1/sessions/") => "0123456789",
            _ if path.starts_with("/v1/members/invitations/") => "0123456789",
            _ if path.starts_with("/v1/members/") => "0123456789A",
            _ if path.starts_with("/v1/operator/") => "a1B2c3D4",
            _ => "a1B2c3D47Hq0p2Zx9K",
        };
        path.replace("{id}", id)
    }

    #[test]
    fn every_path_answers_its_methods_and_names_them_to_others() {
        let mut found_at_all = HashSet::new();
        for (path, allow) in ROUTES {
            for method in
                ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"]
            {
                let found = Route::find(method, &example(path));
                if allow.split(", ").any(|allowed| allowed == method) {
                    found_at_all.insert(discriminant(&found.expect(path)));
                } else {
                    assert_eq!(
                        found,
                        Err(AdminProblem::Request(RequestProblem::MethodNotAllowed { allow })),
                        "{method} {path}"
                    );
                }
            }
        }
        let (_, listed) = include_str!("route.rs").split_once("pub enum Route {").unwrap();
        let listed = listed.split_once("\n}").unwrap().0.lines().filter(|line| line.ends_with(','));
        assert_eq!(found_at_all.len(), listed.count(), "a route that no path here leads to");
    }

    #[test]
    fn every_route_is_documented_and_what_is_documented_is_there() {
        let methods = |(path, allow): &(&'static str, &'static str)| {
            let path = *path;
            allow
                .split(", ")
                .filter(|method| *method != "HEAD")
                .map(move |method| (method, path))
                .collect::<Vec<_>>()
        };
        let there = ROUTES.iter().flat_map(methods).filter(|(_, path)| path.starts_with("/v1/"));
        let code = include_str!("../../../docs/http-api.md").split('`').skip(1).step_by(2);
        let documented = code.filter_map(|text| {
            let (method, address) = text.split_once(' ')?;
            let path = address.split('?').next()?;
            (path.starts_with("/v1/") && method.bytes().all(|b| b.is_ascii_uppercase()))
                .then_some((method, path))
        });
        let of_the_edge = [("POST", VERIFY_PATH)];
        let there = there.chain(of_the_edge);
        assert_eq!(documented.collect::<BTreeSet<_>>(), there.collect::<BTreeSet<_>>());
    }

    /// Every route except reads needs CSRF protection: another site could otherwise call it with a
    /// member's cookie.
    #[test]
    fn every_route_that_does_something_wants_the_console_s_own_page() {
        for (path, allow) in ROUTES {
            for method in allow.split(", ") {
                let route = Route::find(method, &example(path)).expect(path);
                let is_look = method == "GET" || method == "HEAD";
                assert_eq!(route.wants_own_page(), !is_look, "{method} {path}");
            }
        }
    }

    #[test]
    fn another_site_may_neither_look_nor_do_anything() {
        for (method, path, headers, is_let_through) in [
            ("GET", "/v1/keys", "", true),
            ("GET", "/v1/keys", "origin\nhttp://localhost:8787", true),
            ("GET", "/v1/keys", "origin\nhttp://api.localhost:8787", false),
            ("GET", "/v1/keys", "sec-fetch-site\nsame-site", false),
            ("POST", "/v1/keys", "", false),
            ("POST", "/v1/keys", "origin\nhttp://api.localhost:8787", false),
            ("POST", "/v1/keys", "origin\nhttp://localhost:8787", true),
            ("POST", "/v1/keys", "sec-fetch-site\nsame-origin", true),
            ("POST", "/v1/keys", "sec-fetch-site\nsame-site", false),
            ("POST", "/v1/activity/export", "", false),
            ("DELETE", "/v1/session", "origin\nnull", false),
        ] {
            let route = Route::find(method, path).expect(path);
            let origin = "http://localhost:8787";
            let may = session::may_ask(Headers::new(headers), origin, route.wants_own_page());
            assert_eq!(may, is_let_through, "{method} {path} {headers}");
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
            "/v1/operator/accounts/a1B2c3D4/policy/",
            "/v1/operator/accounts/a1B2c3D4/policy/previews",
            "/v1/key-pair/",
            "/v1//keys",
            "/v1/members/",
            "/v1/members/0123456789",
            "/v1/members/0123456789A/",
            "/v1/members/0123456789A/sessions",
            "/v1/members/invitations/",
            "/v1/members/invitations/0123456789A",
            "/v1/members/invitations/0123456789/repeat/now",
            "/v1/invitations",
            "/v1/invitations/0123456789",
            "/v1/member/",
            "/v1/member/factors/",
            "/v1/member/factors/totp/code",
        ] {
            assert_eq!(
                Route::find("GET", path),
                Err(AdminProblem::Request(RequestProblem::NotFound)),
                "{path}"
            );
        }
    }
}
