//! The console's routes: method and path to [`Route`].

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::id::{AccountId, KeyId, MemberId, TokenId};

use crate::admin::api_user_route::ApiUserRoute;
use crate::admin::factor_route::FactorRoute;
use crate::admin::passkey_route::PasskeyRoute;
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
    /// Mails the code that proves the address of a set-up.
    MailSetUpCode,
    /// Returns the session.
    ShowSession,
    /// Signs a member in.
    SignIn,
    /// Signs a member out.
    SignOut,
    /// Gives a fresh proof of identity.
    StepUp,
    /// Mails a code that is a proof of identity.
    MailProofCode,
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
    /// Mails the code that proves a new address of the member.
    BeginAddressChange,
    /// Changes the member's address by a mailed code.
    ConfirmAddressChange,
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
    /// Lists one's own past notices.
    ListNotices,
    /// Marks one's own notices as read.
    ReadNotices,
    /// Reads or changes second factors, or answers a challenge with one.
    Factors(FactorRoute),
    /// Reads or changes passkeys, or signs in by one.
    Passkeys(PasskeyRoute),
    /// Reads or changes API users.
    ApiUsers(ApiUserRoute),
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
            ["setup", "code"] => (pick(verb, &[("POST", Self::MailSetUpCode)]), "POST"),
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
            ["session", "step-up", "code"] => {
                (pick(verb, &[("POST", Self::MailProofCode)]), "POST")
            }
            ["session", "step-up"] => (pick(verb, &[("POST", Self::StepUp)]), "POST"),
            ["session", "step-up", "options"] => {
                (pick(verb, &[("POST", Self::Passkeys(PasskeyRoute::StepUpOptions))]), "POST")
            }
            ["session", "passkey"] => {
                (pick(verb, &[("POST", Self::Passkeys(PasskeyRoute::SignIn))]), "POST")
            }
            ["session", "passkey", "options"] => {
                (pick(verb, &[("POST", Self::Passkeys(PasskeyRoute::SignInOptions))]), "POST")
            }
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
            ["member", "factors", "passkeys", rest @ ..] => {
                let (routes, allow) = PasskeyRoute::find(rest)
                    .ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let found = routes.into_iter().find(|(method, _)| *method == verb);
                (found.map(|(_, route)| Self::Passkeys(route)), allow)
            }
            ["member", "factors", rest @ ..] => {
                let (routes, allow) = FactorRoute::find(rest)
                    .ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let found = routes.iter().find(|(method, _)| *method == verb);
                (found.map(|(_, route)| Self::Factors(*route)), allow)
            }
            ["member", "password"] => (pick(verb, &[("POST", Self::ChangePassword)]), "POST"),
            ["member", "address"] => (pick(verb, &[("POST", Self::BeginAddressChange)]), "POST"),
            ["member", "address", "confirm"] => {
                (pick(verb, &[("POST", Self::ConfirmAddressChange)]), "POST")
            }
            ["password", "reset"] => (pick(verb, &[("POST", Self::BeginReset)]), "POST"),
            ["password", "reset", "confirm"] => {
                (pick(verb, &[("POST", Self::ConfirmReset)]), "POST")
            }
            ["api-users", rest @ ..] => {
                let (routes, allow) = ApiUserRoute::find(rest)
                    .ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let found = routes.into_iter().find(|(method, _)| *method == verb);
                (found.map(|(_, route)| Self::ApiUsers(route)), allow)
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
            ["notices"] => (pick(verb, &[("GET", Self::ListNotices)]), "GET, HEAD"),
            ["notices", "read"] => (pick(verb, &[("POST", Self::ReadNotices)]), "POST"),
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
            | Self::ListNotices
            | Self::ShowAccount(_) => false,
            Self::Factors(route) => route != FactorRoute::Show,
            Self::ApiUsers(route) => !route.only_reads(),
            Self::Passkeys(_)
            | Self::SetUp
            | Self::ExportActivity
            | Self::CheckSetUp
            | Self::MailSetUpCode
            | Self::BeginAddressChange
            | Self::ConfirmAddressChange
            | Self::RevokeSealed
            | Self::SignIn
            | Self::SignOut
            | Self::StepUp
            | Self::MailProofCode
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
            | Self::ReadNotices
            | Self::EditOwnAccount => true,
        }
    }
}

fn pick(method: &str, routes: &[(&str, Route)]) -> Option<Route> {
    routes.iter().find(|(verb, _)| *verb == method).map(|(_, route)| *route)
}

#[cfg(test)]
mod tests;
