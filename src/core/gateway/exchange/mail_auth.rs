//! Serves `/v1/mail-auth`, at which mail servers ask about logins.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::credential::limits::Interface;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::served::ServedCall;
use crate::gateway::mail_auth::{MailLogin, allow, misconfigured, refuse, unavailable};
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts};

/// Answers a mail server. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ServedCall::new(request, gateway, platform);
        (check(&mut call).await, call.renew)
    })
}

async fn check(call: &mut ServedCall<'_>) -> Response {
    // A stranger learns nothing about a mail server's settings.
    let server = match call.authenticate_by_header().await {
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
    match call.check_user(&login.user, &facts, within).await {
        Ok(verified) => allow(&login, &verified.into()),
        Err(denial) => refuse(&login, denial),
    }
}
