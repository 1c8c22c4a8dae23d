//! Serves `/v1/mail-auth`, at which mail servers ask about logins.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::credential::limits::Interface;
use crate::gateway::check::{Attempted, Checked};
use crate::gateway::exchange::lookup;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::verifier::VerifierCall;
use crate::gateway::extract::TypedUser;
use crate::gateway::gateway::VERIFIER_HEADER;
use crate::gateway::mail_auth::{MailLogin, allow, misconfigured, refuse, unavailable};
use crate::lease::call::Lookup;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Verified};

/// Answers a mail server. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = VerifierCall { request, gateway, platform, renew: None };
        (check(&mut call).await, call.renew)
    })
}

async fn check(call: &mut VerifierCall<'_>) -> Response {
    // A stranger learns nothing about a mail server's settings.
    let server = match call.request.headers.find(VERIFIER_HEADER).unwrap_or_default() {
        "" => Err(Denial::Missing),
        text => call.authenticate(text).await,
    };
    let server = match server {
        Ok(server) => server,
        Err(Denial::Unavailable) => return unavailable(),
        Err(_) => return misconfigured(None),
    };
    let login = match MailLogin::parse(call.request) {
        Ok(login) => login,
        Err(fault) => return misconfigured(Some(fault)),
    };
    // A mail server of one account learns nothing about the users of another.
    let within = (!server.is_operator()).then(|| server.account());
    let facts = Facts {
        address: Some(login.address),
        interface: Interface::Smtp,
        demand: Demand::AnyKey,
        // To send mail changes nothing that the account has.
        may_change: false,
    };
    let checked = check_user(call, &login.user, &facts, within).await;
    call.renew = checked.renew.or(call.renew);
    match checked.verdict {
        Ok(verified) => allow(&login, &verified.into()),
        Err(denial) => refuse(&login, denial),
    }
}

/// Checks an API user of one account, or of any.
pub(super) async fn check_user(
    call: &VerifierCall<'_>,
    user: &TypedUser,
    facts: &Facts<'_>,
    within: Option<AccountId>,
) -> Checked<Verified> {
    let VerifierCall { request, gateway, platform, .. } = *call;
    let mut lookup = Lookup::default();
    loop {
        let (arrival, now) = (request.arrived, platform.now());
        let attempted =
            gateway.borrow_mut().check_user(user, (facts, within), arrival, now, &lookup);
        match attempted {
            Err(check) => lookup::check_secret(&check, platform, &mut lookup).await,
            Ok(Attempted::Decided(checked)) => return checked,
            Ok(Attempted::AskAdmin) => lookup::ask_admin(gateway, platform).await,
            Ok(Attempted::Fetch(need)) => {
                lookup::fetch(need, gateway, platform, &mut lookup).await;
            }
        }
    }
}
