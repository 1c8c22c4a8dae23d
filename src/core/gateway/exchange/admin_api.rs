//! Serves requests of programs to the admin API: verifies the credential, and hands the request to
//! the admin Worker.

use crate::base::http::request::Request;
use crate::base::http::response::Outcome;
use crate::base::id::AccountId;
use crate::credential::admin_right::AdminRight;
use crate::credential::limits::Interface;
use crate::gateway::admin_api::{AdminCredential, caller, credential};
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::verifier::VerifierCall;
use crate::gateway::exchange::{lookup, mail_auth};
use crate::gateway::gateway::client_address;
use crate::replication::admin_caller::AdminCaller;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts};

/// Answers a program, or forwards its request. The route demands `right`. It also returns the
/// account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    right: AdminRight,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Outcome, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = VerifierCall { request, gateway, platform, renew: None };
        let verified = verify(&mut call, right).await;
        let gateway = gateway.borrow();
        let outcome = match verified {
            Ok(caller) => gateway.forward_admin_api(request, caller),
            Err(denial) => gateway.deny_admin_api(denial, right),
        };
        (outcome, call.renew)
    })
}

async fn verify(call: &mut VerifierCall<'_>, right: AdminRight) -> Result<AdminCaller, Denial> {
    let VerifierCall { request, gateway, platform, .. } = *call;
    let found = credential(request, &gateway.borrow().config().prefix);
    let demanded = right.permission();
    let mut facts = Facts {
        address: client_address(request),
        interface: Interface::Http,
        demand: Demand::Permission(&demanded),
        may_change: right.is_write(),
    };
    let checked = match found {
        Ok(Some(AdminCredential::Key(text))) => {
            lookup::decide(gateway, platform, |gateway, now, lookup| {
                gateway.check(&text, &facts, request.arrived, now, lookup)
            })
            .await
        }
        Ok(Some(AdminCredential::User(user))) => {
            // Its group decides, below.
            facts.demand = Demand::AnyKey;
            mail_auth::check_user(call, &user, &facts, None).await
        }
        // This cannot happen: the decision has found one.
        Ok(None) | Err(_) => return Err(Denial::Missing),
    };
    call.renew = checked.renew.or(call.renew);
    caller(&checked.verdict?, right)
}
