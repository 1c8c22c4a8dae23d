//! The question by which an edge has the secret of an API user checked.
//!
//! The try is counted before anything is hashed: by address, and at the name. The answer says
//! nothing of the name: an unclaimed one answers like a wrong secret, at the same time.

use claviger_control::admin::body::BODY_BYTES_MAX;
use claviger_control::admin::log::{self, AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::protocol::api_name::{ApiNameReply, ApiNameRequest};
use claviger_control::protocol::objects::{AddressReply, AddressRequest};
use claviger_control::protocol::tries::{Tries, TryCounter};
use claviger_core::base::http::json_body;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::request::Request;
use claviger_core::base::http::response::Response;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::secret_check::{
    ASK, ASK_HEADER, PATH, ProvenSecret, SecretCheck, SecretCheckReply,
};

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{REFUSAL_MS_MIN, delay};
use crate::{calls, refusals};

/// Returns `true` if the request is for the path of the question.
pub fn is_for(request: &Request<'_>) -> bool {
    request.url.path == PATH
}

/// Answers the question of an edge. Any other request for the path gets what an unknown path gets:
/// a client's request passes through the edge, which removes the header from it.
pub async fn answer(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let request = context.request;
    if request.method != "POST" || request.headers.find(ASK_HEADER) != Some(ASK) {
        return Err(RequestProblem::NotFound.into());
    }
    let check: SecretCheck = json_body::parse(&context.bytes(BODY_BYTES_MAX).await?)?;
    let SecretCheck { name, secret, address, within } = check;
    let mut counted = Vec::new();
    let all = match within {
        None => [Tries::api_by_address(address), Tries::api_at_name(&name, address)],
        Some(account) => Tries::api_of_mail_server(account, &name, address),
    };
    for tries in all {
        match count(context, &tries).await {
            Ok(Counting::At(counters)) => counted.push((tries.instance, counters)),
            Err(problem) => {
                give_back(context, counted, false).await;
                return Err(problem);
            }
            Ok(Counting::Refused(until)) => {
                // Nothing is checked, so that the first counters must not count it.
                give_back(context, counted, false).await;
                note(address, AttemptRefused::TooMany);
                return Ok(reply(&SecretCheckReply::TooMany { until }));
            }
        }
    }
    let asked = calls::api_name(context.env, &name, &ApiNameRequest::Check { secret }).await;
    match asked {
        Ok(ApiNameReply::Matches { id, version })
            if within.is_none_or(|account| account == id.account()) =>
        {
            give_back(context, counted, true).await;
            Ok(reply(&SecretCheckReply::Matches(ProvenSecret { id, name, version })))
        }
        // A mail server learns nothing about the users of another account.
        Ok(ApiNameReply::Refused | ApiNameReply::Matches { .. }) => {
            note(address, AttemptRefused::Wrong);
            // A new object takes longer to answer than one with a claim.
            delay(context, REFUSAL_MS_MIN).await;
            Ok(reply(&SecretCheckReply::Refused))
        }
        _ => {
            give_back(context, counted, false).await;
            Err(RequestProblem::Unavailable.into())
        }
    }
}

fn reply(reply: &SecretCheckReply) -> Response {
    Response::json(200, reply)
}

/// The result of counting a try in one object.
enum Counting {
    /// These counters have counted it.
    At(Vec<TryCounter>),
    /// The object accepts no such try before this time, Unix ms.
    Refused(UnixMs),
}

/// Counts a try. While an object refuses, this isolate does not ask it again.
async fn count(context: &RequestContext<'_>, tries: &Tries) -> Result<Counting, AdminProblem> {
    if let Some(until) = refusals::no_try_before(tries, now()) {
        return Ok(Counting::Refused(until));
    }
    let counters = tries.counters.clone();
    let request = AddressRequest::Count { counters: counters.clone() };
    match calls::address(context.env, &tries.instance, &request).await? {
        AddressReply::Counted => Ok(Counting::At(counters)),
        AddressReply::CountedAlone => {
            let counted = counters.into_iter().filter(|counter| !counter.limit.exempts_trusted());
            Ok(Counting::At(counted.collect()))
        }
        AddressReply::TooMany { until } => {
            refusals::note_too_many(tries, now(), until);
            Ok(Counting::Refused(until))
        }
        AddressReply::NotUnderstood => Err(RequestProblem::Unavailable.into()),
    }
}

/// Gives a try back to the counters that have counted it. If that fails, it stays counted, and the
/// log says so.
async fn give_back(
    context: &RequestContext<'_>,
    counted: Vec<(String, Vec<TryCounter>)>,
    succeeded: bool,
) {
    for (instance, counters) in counted {
        let request = AddressRequest::Returned { counters, succeeded };
        let _ = calls::address(context.env, &instance, &request).await;
    }
}

/// Writes the line of the log about a refused check. It names neither the user nor the secret.
fn note(address: Option<ClientAddress>, reason: AttemptRefused) {
    let network = address.map(ClientAddress::block);
    let attempt = LoggedAttempt::ApiUser;
    worker::console_warn!("{}", log::refused(attempt, reason, network.as_deref(), (None, None)));
}
