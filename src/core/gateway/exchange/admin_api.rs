//! Serves requests of programs to the admin API: verifies the credential, and hands the request to
//! the admin Worker.

use crate::base::http::request::Request;
use crate::base::http::response::Outcome;
use crate::base::id::AccountId;
use crate::credential::limits::Interface;
use crate::gateway::admin_api::{AdminCredential, AdminProgram, caller};
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::served::ServedCall;
use crate::gateway::gateway::client_address;
use crate::replication::admin_caller::AdminCaller;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts};

/// Answers a program, or forwards its request. It also returns the account whose lease to refresh
/// in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    program: AdminProgram,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Outcome, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ServedCall::new(request, gateway, platform);
        let verified = verify(&mut call, &program).await;
        let gateway = gateway.borrow();
        let outcome = match verified {
            Ok(caller) => gateway.forward_admin_api(request, caller),
            Err(denial) => gateway.deny_admin_api(denial, program.right),
        };
        (outcome, call.renew)
    })
}

async fn verify(call: &mut ServedCall<'_>, program: &AdminProgram) -> Result<AdminCaller, Denial> {
    let right = program.right;
    let demanded = right.permission();
    let facts = Facts {
        address: client_address(call.request),
        interface: Interface::Http,
        demand: Demand::Permission(&demanded),
        may_change: right.is_write(),
    };
    let verified = match &program.credential {
        AdminCredential::Key(text) => call.check_key(text.expose(), &facts).await?,
        AdminCredential::User(user) => {
            // Its group decides, below.
            let facts = Facts { demand: Demand::AnyKey, ..facts };
            call.check_user(user, &facts, None).await?
        }
    };
    caller(&verified, right)
}
