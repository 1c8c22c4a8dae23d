//! Serves `POST /v1/verify`, with which a verifier asks about other credentials.

use crate::base::http::json_body::check_media_type;
use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::http::response::{Outcome, Response};
use crate::base::id::AccountId;
use crate::base::json::Json;
use crate::credential::limits::permission::Permission;
use crate::gateway::batch_verify::{BatchFetch, BatchVerification, CheckRequest, by_account};
use crate::gateway::exchange::platform::{Boxed, Got, Operation, Platform, SharedGateway};
use crate::gateway::exchange::{body, lookup, verifier};
use crate::gateway::problem::{GatewayProblem, challenge};
use crate::gateway::verify_body::{self, BODY_BYTES_MAX, Verify};
use crate::replication::record::kv_key;
use crate::verify::verdict::Denial;
use crate::verify::verification::Verified;

/// The state of one verification request, with the account whose lease needs a background refresh.
struct Verification<'a> {
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    renew: Option<AccountId>,
}

/// Answers a verification. It also returns the account whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
) -> Boxed<'a, (Result<Outcome, GatewayProblem>, Option<AccountId>)> {
    Box::pin(async move {
        let mut verification = Verification { request, gateway, platform, renew: None };
        let answered = verification.answer().await;
        (answered.map(Outcome::Answer), verification.renew)
    })
}

impl Verification<'_> {
    async fn answer(&mut self) -> Result<Response, GatewayProblem> {
        let checked = verifier::authenticate(self.request, self.gateway, self.platform).await;
        self.renew = checked.renew;
        let verifier = match checked.verdict {
            Ok(verifier) => verifier,
            Err(denial) => return Ok(self.denied(denial)),
        };
        check_media_type(self.request.headers.find("content-type"))?;
        let bytes = body::read_all(self.request, BODY_BYTES_MAX, self.platform).await?;
        let answer = match Verify::parse(&bytes)? {
            Verify::One(check) => {
                let mut verdicts = self.verdicts(vec![check.into_request()?], &verifier).await;
                // One check has one verdict.
                Response::json(200, &verdicts.pop().unwrap_or(Json::Null))
            }
            Verify::Several(checks) => {
                let requests: Result<Vec<CheckRequest>, RequestProblem> =
                    checks.into_iter().map(verify_body::CheckBody::into_request).collect();
                let verdicts = Json::List(self.verdicts(requests?, &verifier).await);
                Response::json(200, &Json::object([("verdicts", verdicts)]))
            }
        };
        Ok(answer)
    }

    /// Returns the verdicts, in the order of the checks. The operator's verifier sees every
    /// account, one after the other; any other sees its own.
    async fn verdicts(&mut self, requests: Vec<CheckRequest>, verifier: &Verified) -> Vec<Json> {
        let own = verifier.account();
        if !verifier.is_operator() {
            return self.verdicts_of(own, requests).await;
        }
        let mut verdicts: Vec<Json> = requests.iter().map(|_| Json::Null).collect();
        let groups = by_account(&self.gateway.borrow(), own, self.request.arrived, requests);
        for (account, checks) in groups {
            let (places, requests): (Vec<usize>, Vec<CheckRequest>) = checks.into_iter().unzip();
            let found = self.verdicts_of(account, requests).await;
            for (place, verdict) in places.into_iter().zip(found) {
                if let Some(slot) = verdicts.get_mut(place) {
                    *slot = verdict;
                }
            }
        }
        verdicts
    }

    /// Runs checks of keys of one account to their verdicts; each fetch serves all of them
    /// together.
    async fn verdicts_of(&mut self, account: AccountId, requests: Vec<CheckRequest>) -> Vec<Json> {
        let Self { gateway, platform, .. } = *self;
        let mut checks = BatchVerification::new(account, self.request.arrived, requests);
        loop {
            let missing = checks.decide(&mut gateway.borrow_mut(), platform.now());
            match missing {
                None => break,
                Some(BatchFetch::Admin) => lookup::ask_admin(gateway, platform).await,
                Some(BatchFetch::Copy(source)) => {
                    let read =
                        checks.ask_copy(gateway.borrow_mut().leases_mut(), source, platform.now());
                    lookup::take_copy(&read, gateway, platform, checks.lookup()).await;
                }
                Some(BatchFetch::Kv(ids)) => {
                    let reads =
                        checks.ask_kv(gateway.borrow_mut().leases_mut(), &ids, platform.now());
                    let keys = ids.iter().map(|id| kv_key(*id)).collect();
                    let held = match platform.ask(Operation::ReadKvMany { keys }).await {
                        Got::Texts(texts) => texts,
                        // KV failed: the checks ask the ledger instead.
                        Got::Nothing
                        | Got::Text(_)
                        | Got::Bytes(_)
                        | Got::Fit(_)
                        | Got::TooLate => Vec::new(),
                    };
                    let held = held.into_iter().chain(core::iter::repeat(None));
                    for (read, text) in reads.iter().zip(held) {
                        let gateway = &mut gateway.borrow_mut();
                        checks.take_kv(gateway, read, text.as_deref(), platform.now());
                    }
                    lookup::warn(gateway, platform).await;
                }
                Some(BatchFetch::Ledger(ids)) => {
                    let call =
                        checks.ask_ledger(gateway.borrow_mut().leases_mut(), ids, platform.now());
                    lookup::refresh(&call, false, gateway, platform, checks.lookup()).await;
                }
            }
        }
        let checked = checks.verdicts().into_iter().map(|checked| {
            self.renew = checked.renew.or(self.renew);
            verify_body::verdict(&checked.verdict, checked.evidence)
        });
        checked.collect()
    }

    fn denied(&self, denial: Denial) -> Response {
        let gateway = self.gateway.borrow();
        let config = gateway.config();
        let answer = GatewayProblem::Denied(denial).answer(&config.console_origin);
        let challenge =
            challenge(denial, &config.console_host, Some(&Permission::claviger_verify()));
        answer.with_header(challenge.map(|challenge| ("www-authenticate", challenge)))
    }
}
