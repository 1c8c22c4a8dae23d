//! The edge Worker's adapter: what `entry.js` calls. It decides nothing and does no I/O.
//!
//! A warm request is one call of [`decide`]. Any other is an [`Exchange`]: the entry script carries
//! out the operation that [`begin`] or a `resume` names, and resumes with what came of it.
//! Exchanges are kept here under numbers that the entry script never gives twice, so that after a
//! trap, when a new instance has begun, a number of the old one finds nothing.

use core::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::request::{Headers, Request, Url};
use claviger_core::base::http::response::Outcome;
use claviger_core::base::id::AccountId;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::settings::{Config, Variables};
use claviger_core::gateway::exchange::{
    Exchange, Got, Operation, OwnedRequest, SharedGateway, Step,
};
use claviger_core::gateway::gateway::{Decision, Gateway};
use claviger_core::lease::call::Lookup;
use claviger_core::replication::record::Revision;
use claviger_workers::{rng, time};
use rand_core::Rng;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;

/// Age at which an exchange is forgotten: the platform drops cancelled requests without a word, and
/// none takes so long that lives.
const EXCHANGE_LIFE: DurationMs = DurationMs::from_s(120);

thread_local! {
    /// This isolate's gateway; empty until the first request has brought the settings.
    static GATEWAY: RefCell<Option<SharedGateway>> = const { RefCell::new(None) };
    /// The requests that wait for I/O, with the time at which each began.
    static EXCHANGES: RefCell<BTreeMap<u32, (UnixMs, Exchange)>> = const { RefCell::new(BTreeMap::new()) };
}

/// The Worker's secret and variables, each as text.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Bindings {
    edge_keys: Option<SecretText>,
    prefix: Option<String>,
    console_origin: Option<String>,
    rules: Option<String>,
    freshness: Option<String>,
    outage: Option<String>,
}

/// Takes the settings, a JSON object. Returns why they are refused; an empty text if they are not.
#[wasm_bindgen]
#[must_use]
pub fn configure(bindings: &str) -> String {
    let Ok(bindings) = serde_json::from_str::<Bindings>(bindings) else {
        return "the settings are no texts".into();
    };
    let Bindings { edge_keys, prefix, console_origin, rules, freshness, outage } = bindings;
    let variables = Variables { prefix, console_origin, rules, freshness, outage };
    match Config::parse(edge_keys.as_ref(), &variables) {
        Ok(config) => {
            // Of as many bits as every JSON reader takes for an integer.
            let isolate = rng().next_u64() >> 11;
            let gateway = Gateway::new(config, isolate).unlinked();
            GATEWAY.with_borrow_mut(|cell| *cell = Some(Rc::new(RefCell::new(gateway))));
            String::new()
        }
        Err(error) => error.to_string(),
    }
}

/// Decides about a request without I/O. `headers` is `name\nvalue\nname\nvalue…`. Returns the
/// outcome as JSON; an empty text if I/O is needed: then call [`begin`].
#[wasm_bindgen]
#[must_use]
pub fn decide(method: &str, url: &str, headers: &str, now_ms: f64) -> String {
    let (Some(gateway), Some(url)) = (gateway(), Url::parse(url)) else { return String::new() };
    let request = Request { method, url, headers: Headers::new(headers), arrived: time(now_ms) };
    match gateway.borrow_mut().decide(&request, request.arrived, &Lookup::default()) {
        Decision::Done { outcome, renew } => outcome.to_json(renew),
        Decision::Verify
        | Decision::Issue
        | Decision::Need(_)
        | Decision::AskAdmin
        | Decision::Read(_) => String::new(),
    }
}

/// Begins to carry a request through that needs I/O. Returns the first step, as JSON.
#[wasm_bindgen]
#[must_use]
pub fn begin(exchange: u32, method: String, url: String, headers: String, now_ms: f64) -> String {
    let Some(gateway) = gateway() else { return failed() };
    let request = OwnedRequest { method, url, headers, arrived: time(now_ms) };
    keep(exchange, Exchange::begin(gateway, request, rng()), now_ms)
}

/// Begins to renew an account's lease, beside the request that noticed that it is due. Returns the
/// first step, as JSON.
#[wasm_bindgen]
#[must_use]
pub fn renew(exchange: u32, account: &str, now_ms: f64) -> String {
    let (Some(gateway), Some(account)) = (gateway(), AccountId::parse(account)) else {
        return failed();
    };
    keep(exchange, Exchange::renew(gateway, account), now_ms)
}

/// Goes on without a result. Returns the next step, as JSON.
#[wasm_bindgen]
#[must_use]
pub fn resume(exchange: u32, now_ms: f64) -> String {
    go_on(exchange, Got::Nothing, now_ms)
}

/// Goes on with a text.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_text(exchange: u32, text: String, now_ms: f64) -> String {
    go_on(exchange, Got::Text(text), now_ms)
}

/// Goes on with a JSON array of texts and nulls.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_texts(exchange: u32, texts: &str, now_ms: f64) -> String {
    let got = serde_json::from_str(texts).map_or(Got::Nothing, Got::Texts);
    go_on(exchange, got, now_ms)
}

/// Goes on with bytes of the body; `undefined` at its end.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_bytes(exchange: u32, bytes: Option<Vec<u8>>, now_ms: f64) -> String {
    go_on(exchange, Got::Bytes(bytes), now_ms)
}

/// Goes on with the admin Worker's word on whether both fit.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_fit(exchange: u32, fits: bool, now_ms: f64) -> String {
    go_on(exchange, Got::Fit(fits), now_ms)
}

/// Goes on after the time of an operation was over.
#[wasm_bindgen]
#[must_use]
pub fn resume_too_late(exchange: u32, now_ms: f64) -> String {
    go_on(exchange, Got::TooLate, now_ms)
}

/// The header with which this edge calls the admin Worker's side.
#[wasm_bindgen]
#[must_use]
pub fn link() -> String {
    gateway().map(|gateway| gateway.borrow().link().to_owned()).unwrap_or_default()
}

/// Takes the word of the admin Worker's side on whether both fit.
#[wasm_bindgen]
pub fn take_fit(fits: bool, now_ms: f64) {
    if let Some(gateway) = gateway() {
        gateway.borrow_mut().take_fit(Some(fits), time(now_ms));
    }
}

/// Takes note of a change that was committed through this isolate: `<account> <revision>`.
#[wasm_bindgen]
pub fn take_change(change: &str, now_ms: f64) {
    let parsed = change.split_once(' ').and_then(|(account, revision)| {
        Some((AccountId::parse(account)?, Revision(revision.parse().ok()?)))
    });
    if let (Some(gateway), Some((account, revision))) = (gateway(), parsed) {
        gateway.borrow_mut().end_lease(account, revision, time(now_ms));
    }
}

fn gateway() -> Option<SharedGateway> {
    GATEWAY.with_borrow(Clone::clone)
}

fn keep(number: u32, exchange: Exchange, now_ms: f64) -> String {
    let now = time(now_ms);
    EXCHANGES.with_borrow_mut(|exchanges| {
        exchanges.retain(|_, (begun, _)| now.since(*begun).is_none_or(|age| age < EXCHANGE_LIFE));
        exchanges.insert(number, (now, exchange));
    });
    go_on(number, Got::Nothing, now_ms)
}

fn go_on(number: u32, got: Got, now_ms: f64) -> String {
    // Taken out while it runs: nothing is borrowed across its own calls.
    let Some((begun, mut exchange)) =
        EXCHANGES.with_borrow_mut(|exchanges| exchanges.remove(&number))
    else {
        return failed();
    };
    match exchange.resume(got, time(now_ms)) {
        Step::Done { outcome, renew } => outcome.to_json(renew),
        Step::Ask(operation) => {
            EXCHANGES.with_borrow_mut(|exchanges| exchanges.insert(number, (begun, exchange)));
            ask(&operation)
        }
    }
}

/// An operation as the entry script reads it.
fn ask(operation: &Operation) -> String {
    #[derive(Serialize)]
    struct Ask<'a> {
        ask: &'a Operation,
    }
    // Text keys and plain values: it serialises.
    serde_json::to_string(&Ask { ask: operation }).unwrap_or_default()
}

fn failed() -> String {
    Outcome::Answer(RequestProblem::Internal.answer("")).to_json(None)
}
