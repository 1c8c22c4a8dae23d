//! One request that needs I/O, from its arrival to its outcome, without doing any.
//!
//! [`Exchange::begin`] takes the request. [`Exchange::resume`] says what to do next, in [`Step`]s:
//! carry one [`Operation`] out and resume with what came of it, or finish. Whoever runs it has the
//! clock, the network and a random source; this has none.
//!
//! Inside, an exchange is an `async fn` that is polled by hand: each operation is a future that is
//! ready once its result has been put in. Nothing here wakes anything, and no exchange waits for
//! another: requests share the [`Gateway`]'s data, never a promise.

mod body;
mod issue;
mod lookup;
mod verify;

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

use rand_core::CryptoRng;
use serde::Serialize;

use crate::base::http::problem::RequestProblem;
use crate::base::http::request::{Headers, Request, Url};
use crate::base::http::response::Outcome;
use crate::base::id::AccountId;
use crate::base::time::UnixMs;
use crate::gateway::gateway::{Decision, Gateway, client_address};
use crate::gateway::problem::GatewayProblem;
use crate::lease::call::Lookup;

/// Something to carry out, and to resume with. As JSON `{"operation": …}` and the variant's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// Read a key of KV; [`Got::Text`].
    ReadKv {
        /// The key.
        key: String,
        /// Longest time that a cache may have held what is read, in seconds; `None`: the platform's
        /// default.
        cache_ttl_s: Option<u32>,
    },
    /// Read keys of KV, 100 at most, at once; [`Got::Texts`] in their order.
    ReadKvMany {
        /// The keys.
        keys: Vec<String>,
    },
    /// Send a request to a ledger; [`Got::Text`] with the body of status 200.
    CallLedger {
        /// The object instance.
        instance: String,
        /// JSON.
        body: String,
        /// Milliseconds after which there is no answer.
        within_ms: u64,
        /// No request waits for it: a failure is not logged.
        is_background: bool,
    },
    /// Look into the data centre's cache; [`Got::Text`].
    ReadCache {
        /// Where.
        url: String,
        /// Milliseconds after which there is no answer.
        within_ms: u64,
    },
    /// Put something into the data centre's cache. It may go on after the request; [`Got::Nothing`]
    /// at once.
    WriteCache {
        /// Where.
        url: String,
        /// What.
        text: String,
        /// Seconds for which it counts.
        max_age_s: u64,
    },
    /// Ask the admin Worker whether it and this edge fit; [`Got::Fit`].
    CallAdmin {
        /// Milliseconds after which there is no answer.
        within_ms: u64,
    },
    /// Read the next bytes of the request's body; [`Got::Bytes`].
    ReadBody {
        /// Milliseconds after which they come too late.
        within_ms: u64,
    },
}

/// What came of an [`Operation`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Got {
    /// It was carried out, or failed, without a result.
    #[default]
    Nothing,
    /// A text.
    Text(String),
    /// Texts, or none, in the order of what was asked.
    Texts(Vec<Option<String>>),
    /// Bytes; `None` at the end.
    Bytes(Option<Vec<u8>>),
    /// Both Workers fit, or do not.
    Fit(bool),
    /// Its time was over.
    TooLate,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Carry this out, and resume.
    Ask(Operation),
    /// Finish.
    Done {
        /// The answer, or where the request goes.
        outcome: Outcome,
        /// Whose lease to renew beside.
        renew: Option<AccountId>,
    },
}

/// A request as an exchange keeps it.
#[derive(Clone)]
pub struct OwnedRequest {
    /// Method.
    pub method: String,
    /// URL, serialised.
    pub url: String,
    /// Headers, flattened as [`Headers`] reads them.
    pub headers: String,
    /// Time of arrival.
    pub arrived: UnixMs,
}

impl OwnedRequest {
    /// The request; `None` if its URL is none.
    pub fn borrow(&self) -> Option<Request<'_>> {
        Some(Request {
            method: &self.method,
            url: Url::parse(&self.url)?,
            headers: Headers::new(&self.headers),
            arrived: self.arrived,
        })
    }
}

/// A gateway that exchanges share. It is borrowed for one synchronous call at a time, never across
/// an operation.
pub type SharedGateway = Rc<RefCell<Gateway>>;

/// One request on its way.
pub struct Exchange {
    platform: Platform,
    /// `None` once it has come to its outcome.
    work: Option<Pin<Box<dyn Future<Output = Finished>>>>,
}

/// An outcome, and whose lease to renew beside.
type Finished = (Outcome, Option<AccountId>);

impl Exchange {
    /// Takes a request. `rng` is drawn from for what the edge issues.
    pub fn begin(
        gateway: SharedGateway,
        request: OwnedRequest,
        rng: impl CryptoRng + 'static,
    ) -> Self {
        let platform = Platform::default();
        let work: Pin<Box<dyn Future<Output = Finished>>> =
            Box::pin(carry_through(gateway, platform.clone(), request, rng));
        Self { platform, work: Some(work) }
    }

    /// Renews the lease of an account, beside the request that noticed that it is due.
    pub fn renew(gateway: SharedGateway, account: AccountId) -> Self {
        let platform = Platform::default();
        let work: Pin<Box<dyn Future<Output = Finished>>> =
            Box::pin(lookup::renew(gateway, platform.clone(), account));
        Self { platform, work: Some(work) }
    }

    /// Goes on at the time `now` with what came of the last operation; at first with
    /// [`Got::Nothing`].
    pub fn resume(&mut self, got: Got, now: UnixMs) -> Step {
        {
            let mut slot = self.platform.0.borrow_mut();
            (slot.got, slot.now) = (Some(got), now);
        }
        let Some(work) = &mut self.work else {
            return Step::Done { outcome: internal(), renew: None };
        };
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready((outcome, renew)) => {
                self.work = None;
                Step::Done { outcome, renew }
            }
            Poll::Pending => match self.platform.0.borrow_mut().asked.take() {
                Some(operation) => Step::Ask(operation),
                // Whatever waits has asked for something.
                None => Step::Done { outcome: internal(), renew: None },
            },
        }
    }
}

fn internal() -> Outcome {
    Outcome::Answer(RequestProblem::Internal.answer(""))
}

/// The exchange's side of whoever runs it.
#[derive(Clone, Default)]
struct Platform(Rc<RefCell<Slot>>);

struct Slot {
    asked: Option<Operation>,
    got: Option<Got>,
    now: UnixMs,
}

impl Default for Slot {
    fn default() -> Self {
        Self { asked: None, got: None, now: UnixMs::from_ms(0) }
    }
}

impl Platform {
    fn now(&self) -> UnixMs {
        self.0.borrow().now
    }

    /// Has an operation carried out.
    async fn ask(&self, operation: Operation) -> Got {
        {
            let mut slot = self.0.borrow_mut();
            (slot.asked, slot.got) = (Some(operation), None);
        }
        poll_fn(|_| match self.0.borrow_mut().got.take() {
            Some(got) => Poll::Ready(got),
            None => Poll::Pending,
        })
        .await
    }

    /// The text that came of an operation, if one did.
    async fn ask_text(&self, operation: Operation) -> Option<String> {
        match self.ask(operation).await {
            Got::Text(text) => Some(text),
            Got::Nothing | Got::Texts(_) | Got::Bytes(_) | Got::Fit(_) | Got::TooLate => None,
        }
    }
}

async fn carry_through(
    gateway: SharedGateway,
    platform: Platform,
    owned: OwnedRequest,
    rng: impl CryptoRng,
) -> Finished {
    let Some(request) = owned.borrow() else { return (internal(), None) };
    let (mut lookup, mut fields) = (Lookup::default(), None);
    loop {
        let decision =
            gateway.borrow_mut().decide_with(&request, platform.now(), &lookup, fields.as_ref());
        match decision {
            Decision::Done { outcome, renew } => return (outcome, renew),
            Decision::Need(need) => {
                lookup::find_out(need, &gateway, &platform, client_address(&request), &mut lookup)
                    .await;
            }
            Decision::AskAdmin => lookup::ask_admin(&gateway, &platform).await,
            Decision::Read(opening) => match body::read_opening(opening, &platform).await {
                Ok(read) => fields = Some(read),
                Err(problem) => return (refuse(&gateway, &problem.into()), None),
            },
            Decision::Verify => {
                let (answered, renew) = verify::answer(&request, &gateway, &platform).await;
                return (answered.unwrap_or_else(|problem| refuse(&gateway, &problem)), renew);
            }
            Decision::Issue => {
                let (answer, renew) = issue::answer(&request, &gateway, &platform, rng).await;
                return (Outcome::Answer(answer), renew);
            }
        }
    }
}

/// A problem document with links to this deployment's console.
fn refuse(gateway: &SharedGateway, problem: &GatewayProblem) -> Outcome {
    Outcome::Answer(problem.answer(&gateway.borrow().config().console_origin))
}

#[cfg(test)]
mod tests;
