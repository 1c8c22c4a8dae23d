//! Verifies the key of a verifier, which asks about the credentials of others.

use crate::base::http::request::Request;
use crate::credential::limits::Interface;
use crate::credential::limits::permission::Permission;
use crate::gateway::check::Checked;
use crate::gateway::exchange::lookup;
use crate::gateway::exchange::platform::{Platform, SharedGateway};
use crate::gateway::gateway::{VERIFIER_HEADER, client_address};
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts};

/// Verifies the caller's own key in `Claviger-Verifier`, which is never the subject.
pub(super) async fn authenticate(
    request: &Request<'_>,
    gateway: &SharedGateway,
    platform: &Platform,
) -> Checked {
    let text = request.headers.find(VERIFIER_HEADER).filter(|text| !text.is_empty());
    let Some(text) = text else { return Checked::without_evidence(Denial::Missing) };
    let demanded = Permission::claviger_verify();
    let facts = Facts {
        address: client_address(request),
        interface: Interface::Http,
        demand: Demand::Permission(&demanded),
    };
    lookup::decide(gateway, platform, |gateway, now, lookup| {
        gateway.check(text, &facts, request.arrived, now, lookup)
    })
    .await
}
