//! Serves `/v1/forward-auth/<dialect>/<access>`, at which proxies ask about their clients.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::base::secret::SecretText;
use crate::config::rules::Place;
use crate::credential::limits::Interface;
use crate::credential::limits::permission::Permission;
use crate::gateway::batch_verify::{CheckRequest, Subject};
use crate::gateway::check::Checked;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::served::ServedCall;
use crate::gateway::extract::{self, Carried};
use crate::gateway::forward_auth::{ForwardAuth, ProxyFault, cache_s};
use crate::gateway::gateway::client_address;
use crate::gateway::header_names::OF_CREDENTIALS;
use crate::gateway::problem::{GatewayProblem, challenge};
use crate::verify::verdict::Denial;

/// The headers in which a client's key counts.
const PLACES: [Place; 2] = [Place::Authorization, Place::ApiKey];

/// The reason why a client's request is refused.
enum AskRefused {
    /// The proxy's own key does not verify.
    Verifier(Denial),
    /// The proxy's request cannot be understood.
    Proxy(ProxyFault),
    /// The client presents no credential, or a refused one; the permission is that which the
    /// request demands.
    Denied(Denial, Option<Permission>),
}

/// Answers a proxy. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ServedCall::new(request, gateway, platform);
        let answered = allow(&mut call).await;
        (answered.unwrap_or_else(|refused| refuse(refused, gateway)), call.renew)
    })
}

async fn allow(call: &mut ServedCall<'_>) -> Result<Response, AskRefused> {
    let request = call.request;
    // A stranger learns nothing about a proxy's settings.
    let proxy = call.authenticate_by_header().await.map_err(AskRefused::Verifier)?;
    let wanted = ForwardAuth::parse(request.url.path).map_err(AskRefused::Proxy)?;
    let permission = wanted.permission(request).map_err(AskRefused::Proxy)?;
    let address = wanted.address(request, client_address(request)).map_err(AskRefused::Proxy)?;
    let carried = extract::find(request, &PLACES, &call.gateway.borrow().config().prefix);
    // The proxy removes the two headers, and would pass another spelling of them on with the key.
    if !carried.headers.iter().all(|name| OF_CREDENTIALS.contains(name)) {
        return Err(AskRefused::Denied(Denial::Malformed, None));
    }
    let denied = |denial| AskRefused::Denied(denial, permission.cloned());
    let check = CheckRequest {
        subject: Subject::Credential(SecretText::new(text_of(&carried).map_err(denied)?.into())),
        address: Some(address),
        interface: Interface::Http,
        permission: permission.cloned(),
    };
    // One check has one verdict.
    let checked = call.verdicts(vec![check], &proxy).await.pop();
    let checked = checked.unwrap_or_else(|| Checked::without_evidence(Denial::Unavailable));
    let valid = checked.verdict.map_err(denied)?;
    let now = call.platform.now();
    let freshness = call.gateway.borrow().freshness(valid.key.account(), now);
    let cache = cache_s(checked.evidence, freshness, valid.expires, now);
    Ok(wanted.allow(&valid, &carried.headers, cache))
}

fn refuse(refused: AskRefused, gateway: &SharedGateway) -> Response {
    let gateway = gateway.borrow();
    let config = gateway.config();
    let (problem, header) = match refused {
        AskRefused::Verifier(Denial::Unavailable) => {
            (GatewayProblem::Denied(Denial::Unavailable), None)
        }
        // One answer for all reasons. It is for the proxy's client, who knows nothing of its
        // key.
        AskRefused::Verifier(_) => (GatewayProblem::VerifierRefused, None),
        AskRefused::Proxy(fault) => (GatewayProblem::ProxyMisconfigured(fault), None),
        AskRefused::Denied(denial, permission) => {
            let challenge = challenge(denial, &config.console_host, permission.as_ref());
            (GatewayProblem::Denied(denial), challenge)
        }
    };
    let answer = problem.answer(&config.console_origin);
    answer.with_header(header.map(|challenge| ("www-authenticate", challenge)))
}

/// Returns the text of the client's credential.
///
/// # Errors
/// [`Denial::Missing`] without one; [`Denial::Malformed`] if there are several, because proxies
/// pass a 401 on and nginx turns a 400 into 500.
fn text_of<'a>(carried: &'a Carried<'_>) -> Result<&'a str, Denial> {
    match (&carried.credential, &carried.foreign) {
        (Ok(Some(text)), _) => Ok(text.expose()),
        (Ok(None), Some(Ok(foreign))) => Ok(foreign.expose()),
        (Ok(None), None) => Err(Denial::Missing),
        (Err(_), _) | (Ok(None), Some(Err(_))) => Err(Denial::Malformed),
    }
}
