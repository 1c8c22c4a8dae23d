//! Runs one request that needs I/O, from its arrival to its outcome, without doing any I/O itself.
//!
//! [`Exchange::begin`] takes the request. [`Exchange::resume`] returns the next [`ExchangeStep`]:
//! carry out one [`Operation`] and resume with its result, or finish. The platform adapter has the
//! clock, the network and the random source; this module has none.
//!
//! Inside, an exchange is an `async fn` that `resume` polls by hand: each operation is a future
//! that is ready once its result is set. Nothing here needs a waker, and no exchange waits for
//! another: requests share the gateway's data, never a promise.

mod admin_api;
mod body;
mod forward_auth;
mod introspect;
mod issue;
mod lookup;
mod mail_auth;
mod oauth;
mod platform;
mod served;
mod verify;

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

use rand_core::CryptoRng;

use self::platform::{Finished, Platform};
pub use self::platform::{Got, Operation, SharedGateway};
use crate::base::http::problem::RequestProblem;
use crate::base::http::request::{Headers, Request, Url};
use crate::base::http::response::Outcome;
use crate::base::id::AccountId;
use crate::base::time::UnixMs;
use crate::gateway::gateway::Decision;
use crate::gateway::problem::GatewayProblem;
use crate::lease::call::Lookup;

/// The next step of an exchange.
#[derive(Debug)]
pub enum ExchangeStep {
    /// Carry out this operation, then resume.
    Ask(Operation),
    /// Finish the request.
    Done {
        /// Response to the caller, or target to forward the request to.
        outcome: Outcome,
        /// Account whose lease to refresh in the background.
        renew: Option<AccountId>,
        /// Account for whose usage to start a timer; see
        /// [`Leases::take_timer`](crate::lease::isolate::Leases::take_timer).
        timer: Option<AccountId>,
    },
}

/// A request that owns its parts, as an exchange needs it.
#[derive(Clone)]
pub struct OwnedRequest {
    /// Method of the request.
    pub method: String,
    /// URL in serialised form.
    pub url: String,
    /// Headers, flattened as [`Headers`] reads them.
    pub headers: String,
    /// Time of arrival, Unix ms.
    pub arrived: UnixMs,
    /// `true` if the gateway let the request through by some of its headers, and counted its use.
    pub is_counted: bool,
}

impl OwnedRequest {
    /// Returns the borrowed request; `None` if its URL is malformed.
    pub fn borrow(&self) -> Option<Request<'_>> {
        Some(Request {
            method: &self.method,
            url: Url::parse(&self.url)?,
            headers: Headers::new(&self.headers),
            arrived: self.arrived,
        })
    }
}

/// One request in progress.
pub struct Exchange {
    platform: Platform,
    /// Work that remains; `None` once the outcome is known.
    work: Option<Pin<Box<dyn Future<Output = Finished>>>>,
    /// The gateway, if the exchange serves a request. Only then does background work remain.
    gateway: Option<SharedGateway>,
}

impl Exchange {
    /// Starts the exchange of a request. The edge draws random bits for issued keys from `rng`.
    pub fn begin(
        gateway: SharedGateway,
        request: OwnedRequest,
        rng: impl CryptoRng + 'static,
    ) -> Self {
        let platform = Platform::default();
        let work: Pin<Box<dyn Future<Output = Finished>>> =
            Box::pin(carry_through(Rc::clone(&gateway), platform.clone(), request, rng));
        Self { platform, work: Some(work), gateway: Some(gateway) }
    }

    /// Starts a background refresh of an account's lease, for the request that found it
    /// necessary.
    pub fn renew(gateway: SharedGateway, account: AccountId) -> Self {
        let platform = Platform::default();
        let work: Pin<Box<dyn Future<Output = Finished>>> =
            Box::pin(lookup::renew(gateway, platform.clone(), account));
        Self { platform, work: Some(work), gateway: None }
    }

    /// Starts the call that sends an account's usage, for a timer that fires.
    pub fn flush(gateway: SharedGateway, account: AccountId) -> Self {
        let platform = Platform::default();
        let work: Pin<Box<dyn Future<Output = Finished>>> =
            Box::pin(lookup::flush(gateway, platform.clone(), account));
        Self { platform, work: Some(work), gateway: None }
    }

    /// Continues at the time `now` with the result of the last operation; the first call passes
    /// [`Got::Nothing`].
    pub fn resume(&mut self, got: Got, now: UnixMs) -> ExchangeStep {
        self.platform.answer(got, now);
        let Some(work) = &mut self.work else {
            return internal_step();
        };
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready((outcome, renew)) => {
                self.work = None;
                let take = |gateway: SharedGateway| gateway.borrow_mut().leases_mut().take_timer();
                let timer = self.gateway.take().and_then(take);
                ExchangeStep::Done { outcome, renew, timer }
            }
            Poll::Pending => match self.platform.take_asked() {
                Some(operation) => ExchangeStep::Ask(operation),
                // This cannot happen: pending work has always requested an operation.
                None => internal_step(),
            },
        }
    }
}

fn internal_step() -> ExchangeStep {
    ExchangeStep::Done { outcome: internal(), renew: None, timer: None }
}

fn internal() -> Outcome {
    Outcome::Answer(RequestProblem::Internal.answer(""))
}

async fn carry_through(
    gateway: SharedGateway,
    platform: Platform,
    owned: OwnedRequest,
    rng: impl CryptoRng,
) -> Finished {
    let Some(request) = owned.borrow() else {
        return (refuse(&gateway, &GatewayProblem::MalformedHost), None);
    };
    let mut lookup = Lookup::default();
    lookup.is_counted = owned.is_counted;
    let (outcome, renew) = decide_through(&request, lookup, &gateway, &platform, rng).await;
    let outcome = gateway.borrow().finish(&request, outcome);
    (outcome, renew)
}

async fn decide_through(
    request: &Request<'_>,
    mut lookup: Lookup,
    gateway: &SharedGateway,
    platform: &Platform,
    rng: impl CryptoRng,
) -> Finished {
    let mut fields = None;
    loop {
        let decision =
            gateway.borrow_mut().decide_with(request, platform.now(), &lookup, fields.as_ref());
        match decision {
            Decision::Done { outcome, renew } => return (outcome, renew),
            Decision::Fetch(need) => {
                lookup::fetch(need, gateway, platform, &mut lookup).await;
            }
            Decision::Denied { denied, renew } => {
                return (Outcome::Answer(gateway.borrow().answer_denied(&denied)), renew);
            }
            // This cannot happen: an exchange has all headers from the start.
            Decision::ReadHeaders => return (internal(), None),
            Decision::AskAdmin => lookup::ask_admin(gateway, platform).await,
            Decision::CheckSecret(check) => {
                lookup::check_secret(&check, platform, &mut lookup).await;
            }
            Decision::Read(scan) => match body::scan_body(scan, platform).await {
                Ok(read) => fields = Some(read),
                Err(problem) => return (refuse(gateway, &problem.into()), None),
            },
            Decision::Verify => {
                let (answered, renew) = verify::answer(request, gateway, platform).await;
                return (answered.unwrap_or_else(|problem| refuse(gateway, &problem)), renew);
            }
            Decision::ForwardAuth => {
                let (answer, renew) = forward_auth::answer(request, gateway, platform).await;
                return (Outcome::Answer(answer), renew);
            }
            Decision::MailAuth => {
                let (answer, renew) = mail_auth::answer(request, gateway, platform).await;
                return (Outcome::Answer(answer), renew);
            }
            Decision::AdminApi(program) => {
                return admin_api::answer(request, program, gateway, platform).await;
            }
            Decision::Introspect => {
                let (answer, renew) = introspect::answer(request, gateway, platform).await;
                return (Outcome::Answer(answer), renew);
            }
            Decision::OAuth(route) => {
                let (answer, renew) = oauth::answer(request, route, gateway, platform, rng).await;
                return (Outcome::Answer(answer), renew);
            }
            Decision::Issue => {
                let (answer, renew) = issue::answer(request, gateway, platform, rng).await;
                return (Outcome::Answer(answer), renew);
            }
        }
    }
}

/// Writes a problem document with links to this deployment's console.
fn refuse(gateway: &SharedGateway, problem: &GatewayProblem) -> Outcome {
    Outcome::Answer(problem.answer(&gateway.borrow().config().console_origin))
}

#[cfg(test)]
mod tests;
