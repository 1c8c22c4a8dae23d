//! Serves `POST /v1/verify`, with which a verifier asks about other credentials.

use crate::base::http::json_body::check_media_type;
use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::http::response::{Outcome, Response};
use crate::base::id::AccountId;
use crate::base::json::Json;
use crate::credential::limits::permission::Permission;
use crate::gateway::batch_verify::CheckRequest;
use crate::gateway::check::Checked;
use crate::gateway::exchange::body;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::served::ServedCall;
use crate::gateway::problem::{GatewayProblem, challenge};
use crate::gateway::verify_body::{self, BODY_BYTES_MAX, Verify};
use crate::verify::verdict::Denial;
use crate::verify::verification::Verified;

/// Answers a verification. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Result<Outcome, GatewayProblem>, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ServedCall::new(request, gateway, platform);
        let answered = verify(&mut call).await;
        (answered.map(Outcome::Answer), call.renew)
    })
}

async fn verify(call: &mut ServedCall<'_>) -> Result<Response, GatewayProblem> {
    let verifier = match call.authenticate_by_header().await {
        Ok(verifier) => verifier,
        Err(denial) => return Ok(denied(denial, call.gateway)),
    };
    check_media_type(call.request.headers.find("content-type"))?;
    let bytes = body::read_all(call.request, BODY_BYTES_MAX, call.platform).await?;
    let answer = match Verify::parse(&bytes)? {
        Verify::One(check) => {
            let mut verdicts = verdicts(call, vec![check.into_request()?], &verifier).await;
            // One check has one verdict.
            Response::json(200, &verdicts.pop().unwrap_or(Json::Null))
        }
        Verify::Several(checks) => {
            let requests: Result<Vec<CheckRequest>, RequestProblem> =
                checks.into_iter().map(verify_body::CheckBody::into_request).collect();
            let verdicts = Json::List(verdicts(call, requests?, &verifier).await);
            Response::json(200, &Json::object([("verdicts", verdicts)]))
        }
    };
    Ok(answer)
}

async fn verdicts(
    call: &mut ServedCall<'_>,
    requests: Vec<CheckRequest>,
    verifier: &Verified,
) -> Vec<Json> {
    let verdicts = call.verdicts(requests, verifier).await;
    let written = verdicts.iter().map(|checked| {
        let Checked { verdict, evidence, .. } = checked;
        verify_body::verdict(verdict, *evidence)
    });
    written.collect()
}

fn denied(denial: Denial, gateway: &SharedGateway) -> Response {
    let gateway = gateway.borrow();
    let config = gateway.config();
    let answer = GatewayProblem::Denied(denial).answer(&config.console_origin);
    let challenge = challenge(denial, &config.console_host, Some(&Permission::claviger_verify()));
    answer.with_header(challenge.map(|challenge| ("www-authenticate", challenge)))
}
