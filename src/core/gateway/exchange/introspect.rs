//! Serves `POST /v1/introspect`, with which a verifier asks about one credential by RFC 7662.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::gateway::exchange::oauth::read_form;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::served::ServedCall;
use crate::gateway::introspection::{
    PARAMETERS, active, caller, check_other, check_request, inactive,
};
use crate::gateway::oauth::{OAuthError, check_head};
use crate::verify::verdict::Denial;

/// Answers an introspection. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ServedCall::new(request, gateway, platform);
        let answered = introspect(&mut call).await;
        (answered.unwrap_or_else(|error| error.answer(request.url.host)), call.renew)
    })
}

async fn introspect(call: &mut ServedCall<'_>) -> Result<Response, OAuthError> {
    let (request, gateway) = (call.request, call.gateway);
    check_head(request)?;
    gateway.borrow().check_verifier(request)?;
    let form = read_form(request, &PARAMETERS, call.platform).await?;
    let check = check_request(&form)?;
    let text = caller(&form, request, gateway.borrow().config())?;
    check_other(form.token()?, text.expose())?;
    let verifier = call.authenticate(text.expose()).await;
    let verifier = verifier.map_err(|denial| OAuthError::of_verifier(denial.into()))?;
    // One check has one verdict.
    let checked = call.verdicts(vec![check], &verifier).await.pop();
    match checked.map_or(Err(Denial::Unavailable), |checked| checked.verdict) {
        Ok(valid) => Ok(active(&valid, gateway.borrow().config())),
        Err(Denial::Unavailable) => Err(OAuthError::Unavailable),
        Err(_) => Ok(inactive()),
    }
}
