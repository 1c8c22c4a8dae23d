//! Serves `/v1/forward-auth/<dialect>/<access>`, at which proxies ask about their clients.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::config::rules::Place;
use crate::credential::limits::Interface;
use crate::credential::limits::permission::Permission;
use crate::gateway::check::{Attempted, Checked};
use crate::gateway::exchange::lookup;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::verifier;
use crate::gateway::extract::{self, Carried};
use crate::gateway::forward_auth::{ForwardAuth, ProxyFault, cache_s};
use crate::gateway::gateway::client_address;
use crate::gateway::problem::{GatewayProblem, challenge};
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Verified};

/// The headers in which a client's key counts.
const PLACES: [Place; 2] = [Place::Authorization, Place::ApiKey];

/// The state of one proxy's request, with the account whose lease needs a background refresh.
struct ProxyCall<'a> {
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    renew: Option<AccountId>,
}

/// The reason why a client's request is refused.
enum AskRefused<'a> {
    /// The proxy's own key does not verify.
    Verifier(Denial),
    /// The proxy's request cannot be understood.
    Proxy(ProxyFault),
    /// The client presents no credential, or a refused one; the permission is that which the
    /// request demands.
    Denied(Denial, Option<&'a Permission>),
}

/// Answers a proxy. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ProxyCall { request, gateway, platform, renew: None };
        let wanted = ForwardAuth::parse(request.url.path);
        let answered = call.answer(&wanted).await;
        let answer = answered.unwrap_or_else(|refused| call.refuse(refused));
        (answer, call.renew)
    })
}

impl ProxyCall<'_> {
    async fn answer<'f>(
        &mut self,
        wanted: &'f Result<ForwardAuth, ProxyFault>,
    ) -> Result<Response, AskRefused<'f>> {
        // A stranger learns nothing about a proxy's settings.
        let checked = verifier::authenticate(self.request, self.gateway, self.platform).await;
        self.renew = checked.renew;
        let proxy = checked.verdict.map_err(AskRefused::Verifier)?;
        let wanted = wanted.as_ref().map_err(|fault| AskRefused::Proxy(*fault))?;
        let demand = wanted.demand(self.request).map_err(AskRefused::Proxy)?;
        let address = wanted.address(self.request, client_address(self.request));
        let facts = Facts {
            address: Some(address.map_err(AskRefused::Proxy)?),
            interface: Interface::Http,
            demand,
        };
        let carried = extract::find(self.request, &PLACES, &self.gateway.borrow().config().prefix);
        let permission = match demand {
            Demand::AnyKey => None,
            Demand::Permission(permission) => Some(permission),
        };
        let text = text_of(&carried).map_err(|denial| AskRefused::Denied(denial, permission))?;
        let checked = self.check(text, &facts, &proxy).await;
        self.renew = checked.renew.or(self.renew);
        let verified = checked.verdict.map_err(|denial| AskRefused::Denied(denial, permission))?;
        let now = self.platform.now();
        let freshness = self.gateway.borrow().freshness(verified.account(), now);
        let cache = cache_s(checked.evidence, freshness, verified.expires(), now);
        Ok(wanted.allow(&verified, &carried.headers, cache))
    }

    /// Checks the client's credential. A proxy of an account sees the keys of that account alone;
    /// the operator's sees all.
    async fn check(&self, text: &str, facts: &Facts<'_>, proxy: &Verified) -> Checked {
        let arrival = self.request.arrived;
        lookup::decide(self.gateway, self.platform, |gateway, now, lookup| {
            let id = gateway.key_id(text, arrival);
            let is_foreign = id.is_some_and(|id| id.account() != proxy.account());
            if is_foreign && !proxy.is_operator() {
                return Attempted::Decided(Checked::without_evidence(Denial::Unknown));
            }
            gateway.check(text, facts, arrival, now, lookup)
        })
        .await
    }

    fn refuse(&self, refused: AskRefused<'_>) -> Response {
        let gateway = self.gateway.borrow();
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
                let challenge = challenge(denial, &config.console_host, permission);
                (GatewayProblem::Denied(denial), challenge)
            }
        };
        let answer = problem.answer(&config.console_origin);
        answer.with_header(header.map(|challenge| ("www-authenticate", challenge)))
    }
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
