//! The edge Worker's adapter: what `entry.js` calls. It decides nothing and does no I/O.
//!
//! A warm request is one call of [`decide`]. Any other is an [`Exchange`]: the entry script carries
//! out the operation that [`begin`] or a `resume` names, and resumes with what came of it.
//! Exchanges are kept here under numbers that the entry script never gives twice, so that after a
//! trap, when a new instance has begun, a number of the old one finds nothing.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::request::{Headers, Request, Url};
use claviger_core::base::http::response::{OnlyReads, Outcome};
use claviger_core::base::id::AccountId;
use claviger_core::base::json::{FromJson, Json};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::settings::{Config, Variables};
use claviger_core::gateway::denied::Denied;
use claviger_core::gateway::exchange::{
    Exchange, ExchangeStep, Got, Operation, OwnedRequest, SharedGateway,
};
use claviger_core::gateway::gateway::{Decision, Gateway};
use claviger_core::gateway::origin_headers::{self, SUSPECT};
use claviger_core::lease::call::Lookup;
use claviger_core::replication::record::Revision;
use claviger_core::verify::verdict::Denial;
use claviger_workers::{rng, time};
use rand_core::Rng;
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

/// Age at which an exchange is forgotten: the platform drops cancelled requests without a word, and
/// none takes so long that lives.
const EXCHANGE_LIFE: DurationMs = DurationMs::from_s(120);

thread_local! {
    /// This isolate's gateway; empty until the first request has brought the settings.
    static GATEWAY: RefCell<Option<SharedGateway>> = const { RefCell::new(None) };
    /// The outcome of the last decision.
    static TOLD: Cell<String> = const { Cell::new(String::new()) };
    /// The numbers of prepared answers, by what they depend on.
    static NUMBERS: RefCell<BTreeMap<(usize, bool, Denial), u32>> =
        const { RefCell::new(BTreeMap::new()) };
    /// The requests that wait for I/O, with the time at which each began.
    static EXCHANGES: RefCell<BTreeMap<u32, (UnixMs, Exchange)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes the settings, a JSON object. Returns why they are refused; an empty text if they are not.
#[wasm_bindgen]
#[must_use]
pub fn configure(bindings: &str) -> String {
    let Some((edge_keys, variables)) = read_bindings(bindings) else {
        return "the settings are no texts".into();
    };
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

/// Reads the Worker's secret and variables, each of which is a text or absent.
fn read_bindings(json: &str) -> Option<(Option<SecretText>, Variables)> {
    let mut bindings = Json::parse(json)?.into_members()?;
    let edge_keys = bindings.optional("EDGE_KEYS")?;
    let variables = Variables {
        prefix: bindings.optional("PREFIX")?,
        console_origin: bindings.optional("CONSOLE_ORIGIN")?,
        rules: bindings.optional("RULES")?,
        freshness: bindings.optional("FRESHNESS")?,
        outage: bindings.optional("OUTAGE")?,
    };
    Some((edge_keys, variables))
}

/// The request needs I/O, or all of its headers: the caller goes on with [`begin`].
const SLOW: u32 = 0;

/// The outcome is a text, for [`take_outcome`].
const TEXT: u32 = 1;

/// The first number of a prepared answer.
const PREPARED: u32 = 2;

/// Most prepared answers, about 1 KB each in the entry script. Others are written out each time.
const PREPARED_MAX: usize = 512;

/// Decides about a request without I/O, and with the headers of
/// [`NAMED`](claviger_core::base::http::request::NAMED) alone.
///
/// `head` holds the method, the URL, and then name and value of each of those headers that the
/// request has, all separated by line feeds. Returns 0 if that does not suffice, 1 if the outcome
/// is a text, else the number of a prepared answer.
#[wasm_bindgen]
#[must_use]
pub fn decide(head: &str, now_ms: f64) -> u32 {
    let Some(gateway) = gateway() else { return SLOW };
    let mut parts = head.splitn(3, '\n');
    let (method, url) = (parts.next().unwrap_or_default(), parts.next().and_then(Url::parse));
    let Some(url) = url else { return SLOW };
    let headers = Headers::named(parts.next().unwrap_or_default());
    let request = Request { method, url, headers, arrived: time(now_ms) };
    let gateway = &mut gateway.borrow_mut();
    match gateway.decide(&request, request.arrived, &Lookup::default()) {
        Decision::Denied { denied, renew: None } => prepared(&denied, gateway),
        Decision::Denied { denied, renew } => {
            tell(Outcome::Answer(gateway.answer_denied(&denied)).to_json(renew))
        }
        Decision::Done { outcome: Outcome::Forward(forward), renew } => {
            tell(forward.to_text(renew))
        }
        Decision::Done { outcome, renew } => tell(outcome.to_json(renew)),
        Decision::Verify
        | Decision::Issue
        | Decision::Fetch(_)
        | Decision::AskAdmin
        | Decision::ReadHeaders
        | Decision::Read(_) => SLOW,
    }
}

/// The number of the answer to a refusal. The first time, the text says what it is.
fn prepared(denied: &Denied, gateway: &Gateway) -> u32 {
    NUMBERS.with_borrow_mut(|numbers| {
        if let Some(number) = numbers.get(&denied.key()) {
            return *number;
        }
        let count = numbers.len();
        let answer = Outcome::Answer(gateway.answer_denied(denied)).to_json(None);
        let number = u32::try_from(count).ok().and_then(|count| count.checked_add(PREPARED));
        match number.filter(|_| count < PREPARED_MAX) {
            Some(number) => {
                numbers.insert(denied.key(), number);
                tell([number.to_string(), answer].join("\n"))
            }
            None => tell(answer),
        }
    })
}

fn tell(text: String) -> u32 {
    TOLD.set(text);
    TEXT
}

/// Returns the outcome of the last [`decide`]: JSON, or a forward as
/// [`Forward::to_text`](claviger_core::base::http::response::Forward::to_text) writes it, or the
/// number of a prepared answer, a line feed and its JSON.
#[wasm_bindgen]
#[must_use]
pub fn take_outcome() -> String {
    TOLD.take()
}

/// Returns the names of headers that make [`screen`] necessary, as a JavaScript regular expression.
#[wasm_bindgen]
#[must_use]
pub fn suspect_names() -> String {
    SUSPECT.to_owned()
}

/// Screens the headers of a request that goes on to an origin: `headers` holds name and value of
/// each, separated by line feeds. Returns JSON: the names to `remove`, and the `cookie` that is
/// left if it is changed.
#[wasm_bindgen]
#[must_use]
pub fn screen(headers: &str, only_reads: bool) -> String {
    let screened = origin_headers::screen(Headers::new(headers), OnlyReads(only_reads));
    // Text keys and plain values: it serialises.
    serde_json::to_string(&screened).unwrap_or_default()
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
    let got = FromJson::parse_json(texts).map_or(Got::Nothing, Got::Texts);
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
        gateway.borrow_mut().leases_mut().end_lease(account, revision, time(now_ms));
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
        ExchangeStep::Done { outcome, renew } => outcome.to_json(renew),
        ExchangeStep::Ask(operation) => {
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
