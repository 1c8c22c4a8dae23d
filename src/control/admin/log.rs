//! Lines of the log about refused authentications and forbidden requests.
//!
//! A line is one JSON object. It names neither what a caller typed, such as an address, nor a
//! secret. It names account and member only where the caller has shown that they belong to them,
//! or where the name object has reported them.

use claviger_core::base::id::{AccountId, MemberId};
use serde::Serialize;

use crate::admin::problem::AdminProblem;
use crate::protocol::attempts::{AttemptKind, RefusedAttempts};

/// The reason for which an attempt was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptRefused {
    /// The secret is wrong, or there is no such person.
    Wrong,
    /// A rate limit is reached; nothing was checked.
    TooMany,
    /// The passkey seems to exist twice.
    Copied,
}

/// The kind of an attempt in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedAttempt {
    /// A password, to sign in, to join an account or to open one.
    SignIn,
    /// A password, to prove the identity of a signed-in member.
    StepUp,
    /// A mailed code, to reset a password.
    ResetCode,
    /// A mailed code, to delete keys.
    DeletionCode,
    /// A code of a second factor, or a mailed code in its place.
    FactorCode,
    /// A mailed code, to prove an address.
    MailboxCode,
    /// A passkey, to sign in.
    Passkey,
    /// The secret of an API user.
    ApiUser,
    /// Any of them: the rate limit counts them together.
    Any,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    attempt: LoggedAttempt,
    reason: AttemptRefused,
    network: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberId>,
}

/// Account and member of the session that makes an attempt, as far as they are known.
pub type SessionOwner = (Option<AccountId>, Option<MemberId>);

/// Returns the line about one refused attempt.
pub fn refused(
    attempt: LoggedAttempt,
    reason: AttemptRefused,
    network: Option<&str>,
    (account, member): SessionOwner,
) -> String {
    let event = "authentication_refused";
    serde_json::json!(Line { event, attempt, reason, network, account, member }).to_string()
}

/// Returns the line about a request that was refused because the member may not make it, or because
/// another site made it; `None` for any other problem. The account is that of the request's cookie,
/// whose session may have ended.
pub fn forbidden(
    problem: &AdminProblem,
    account: Option<AccountId>,
    network: Option<&str>,
) -> Option<String> {
    let is_one = matches!(
        problem,
        AdminProblem::NotPermitted | AdminProblem::NotYourKey | AdminProblem::CrossSite
    );
    is_one.then(|| {
        serde_json::json!({
            "event": "authorization_refused", "reason": problem.code(), "account": account,
            "network": network,
        })
        .to_string()
    })
}

/// Returns the line about attempts that a name object reports to a ledger.
pub fn reported(account: AccountId, member: MemberId, report: &RefusedAttempts) -> String {
    let RefusedAttempts { kind, network, count, .. } = report;
    let attempt = AttemptKind::as_str(*kind);
    serde_json::json!({
        "event": "attempts_refused", "account": account, "member": member,
        "attempt": attempt, "network": network, "count": count,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use claviger_core::base::time::UnixMs;

    #[test]
    fn what_a_role_or_another_site_forbids_is_a_line_and_nothing_else_is() {
        let account = AccountId::parse("a1B2c3D4");
        for (problem, reason) in [
            (AdminProblem::NotPermitted, "not_permitted"),
            (AdminProblem::NotYourKey, "not_your_key"),
            (AdminProblem::CrossSite, "cross_site"),
        ] {
            let line = forbidden(&problem, account, Some("203.0.113.0/24")).unwrap();
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&line).unwrap(),
                serde_json::json!({
                    "event": "authorization_refused", "reason": reason, "account": "a1B2c3D4",
                    "network": "203.0.113.0/24",
                })
            );
        }
        for other in [AdminProblem::NotSignedIn, AdminProblem::MfaRequired] {
            assert_eq!(forbidden(&other, account, None), None);
        }
    }

    #[test]
    fn a_line_is_one_json_object_with_fixed_names() {
        let (account, member) =
            (AccountId::parse("a1B2c3D4").unwrap(), MemberId::parse("0123456789A").unwrap());
        let network = Some("203.0.113.0/24");
        let read = |line: String| serde_json::from_str::<serde_json::Value>(&line).unwrap();
        assert_eq!(
            read(refused(LoggedAttempt::SignIn, AttemptRefused::Wrong, network, (None, None))),
            serde_json::json!({
                "event": "authentication_refused", "attempt": "sign_in", "reason": "wrong",
                "network": "203.0.113.0/24",
            })
        );
        let known = (Some(account), Some(member));
        assert_eq!(
            read(refused(LoggedAttempt::StepUp, AttemptRefused::TooMany, None, known)),
            serde_json::json!({
                "event": "authentication_refused", "attempt": "step_up", "reason": "too_many",
                "network": null, "account": "a1B2c3D4", "member": "0123456789A",
            })
        );
        let kind = AttemptKind::ResetCode;
        let report = RefusedAttempts { kind, network: None, count: 10, at: UnixMs::from_ms(5) };
        let line = reported(account, member, &report);
        assert!(!line.contains('\n') && read(line)["count"] == 10);
    }
}
