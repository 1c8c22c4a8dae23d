//! The edge Worker's adapter: the functions that `entry.js` calls. It decides nothing and does no
//! I/O.
//!
//! A warm request is one call of [`decide`]. Any other request is an [`Exchange`]. The entry script
//! carries out the operation that [`begin`] or a `resume` names, and resumes with its result. This
//! module keeps exchanges under numbers that the entry script never uses twice. So a number from
//! before a trap finds nothing in the new instance.

mod step_text;

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::request::{Headers, Request, Url};
use claviger_core::base::http::response::Outcome;
use claviger_core::base::id::AccountId;
use claviger_core::base::json::{FromJson, Json};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::settings::{Config, Variables};
use claviger_core::gateway::denied::Denied;
use claviger_core::gateway::exchange::{Exchange, ExchangeStep, Got, OwnedRequest, SharedGateway};
use claviger_core::gateway::gateway::{Decision, Gateway};
use claviger_core::gateway::key_search::MAYBE_PATTERN;
use claviger_core::gateway::{header_names, japanese, origin_headers};
use claviger_core::lease::call::Lookup;
use claviger_core::lease::usage::FLUSH_DELAY;
use claviger_core::replication::record::Revision;
use claviger_core::verify::verdict::Denial;
use claviger_workers::{rng, time};
use rand_core::Rng;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::step_text::{Background, of_operation, of_outcome, of_screened};

/// Age at which an exchange is dropped. The platform does not report cancelled requests, and no
/// other request takes this long: 10 s for its body, three rounds of the ledger at 2 s with their
/// copies, and 5 s for each of four calls that issue a key.
const EXCHANGE_LIFE: DurationMs = DurationMs::from_s(60);

/// Most exchanges at a time. A body scan holds up to 64 KiB, so a thousand that were cancelled hold
/// half of an isolate's memory. Beyond it the oldest is dropped, and its request fails.
const EXCHANGES_MAX: usize = 1_000;

thread_local! {
    /// The gateway of this isolate; `None` until the first request has configured it.
    static GATEWAY: RefCell<Option<SharedGateway>> = const { RefCell::new(None) };
    /// The text of the last decision's outcome, until the entry script takes it.
    static OUTCOME: Cell<String> = const { Cell::new(String::new()) };
    /// The numbers of prepared responses, by [`Denied::key`].
    static NUMBERS: RefCell<BTreeMap<(usize, bool, Denial), u32>> =
        const { RefCell::new(BTreeMap::new()) };
    /// The exchanges in progress, with the time at which each began.
    static EXCHANGES: RefCell<BTreeMap<u32, (UnixMs, Exchange)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes the settings, a JSON object. Returns the reason for which they are refused; an empty text
/// if they are valid.
#[wasm_bindgen]
#[must_use]
pub fn configure(bindings: &str) -> String {
    let Some((edge_keys, variables)) = read_bindings(bindings) else {
        return "the settings are no texts".into();
    };
    match Config::parse(edge_keys.as_ref(), &variables) {
        Ok(config) => {
            // 53 bits, because every JSON parser reads integers of that size exactly.
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

/// The request needs I/O, or all of its headers: the caller continues with [`begin`].
const SLOW: u32 = 0;

/// The outcome is a text, which [`take_outcome`] returns.
const TEXT: u32 = 1;

/// The first number of a prepared response.
const PREPARED: u32 = 2;

/// Most prepared responses, about 1 KB each in the entry script. Further ones are written anew for
/// each request.
const PREPARED_MAX: usize = 512;

/// Decides about a request without I/O, by its headers of
/// [`NAMED`](claviger_core::base::http::request::NAMED) only.
///
/// `head` contains the method, the URL, and then name and value of each of those headers that the
/// request has, separated by line feeds. Returns [`SLOW`], [`TEXT`], or the number of a prepared
/// response.
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
    let decision = gateway.decide(&request, request.arrived, &Lookup::default());
    match decision {
        Decision::Denied { denied, renew } => {
            let background = background(renew, gateway);
            if background == Background::default() && denied.is_alike_for_all() {
                return prepared(&denied, gateway);
            }
            let outcome = Outcome::Answer(gateway.answer_denied(&denied));
            put_outcome(of_outcome(&gateway.finish(&request, outcome), background))
        }
        Decision::Done { outcome, renew } => {
            let outcome = gateway.finish(&request, outcome);
            put_outcome(of_outcome(&outcome, background(renew, gateway)))
        }
        Decision::Verify
        | Decision::ForwardAuth
        | Decision::Introspect
        | Decision::AdminApi(_)
        | Decision::MailAuth
        | Decision::Issue
        | Decision::OAuth(_)
        | Decision::Fetch(_)
        | Decision::AskAdmin
        | Decision::CheckSecret(_)
        | Decision::ReadHeaders
        | Decision::Read(_) => SLOW,
    }
}

/// Returns the work that continues after a response.
fn background(renew: Option<AccountId>, gateway: &mut Gateway) -> Background {
    Background { renew, timer: gateway.leases_mut().take_timer() }
}

/// Returns the number of the prepared response to a refusal, or [`TEXT`] if the entry script does
/// not have it yet. The text then contains number and response.
fn prepared(denied: &Denied, gateway: &Gateway) -> u32 {
    NUMBERS.with_borrow_mut(|numbers| {
        if let Some(number) = numbers.get(&denied.key()) {
            return *number;
        }
        let count = numbers.len();
        let answer =
            of_outcome(&Outcome::Answer(gateway.answer_denied(denied)), Background::default());
        let number = u32::try_from(count).ok().and_then(|count| count.checked_add(PREPARED));
        match number.filter(|_| count < PREPARED_MAX) {
            Some(number) => {
                numbers.insert(denied.key(), number);
                put_outcome(["prepared", &number.to_string(), &answer].join("\n"))
            }
            None => put_outcome(answer),
        }
    })
}

fn put_outcome(text: String) -> u32 {
    OUTCOME.set(text);
    TEXT
}

/// Returns the outcome of the last [`decide`], as [`step_text`] writes it. The fields `prepared`
/// and a number precede a response that is prepared from now on.
#[wasm_bindgen]
#[must_use]
pub fn take_outcome() -> String {
    OUTCOME.take()
}

/// Returns three JavaScript regular expressions, separated by line feeds: for the names of headers
/// to remove, for other spellings of the headers that may hold a credential, and for values that
/// make [`screen`] necessary.
#[wasm_bindgen]
#[must_use]
pub fn suspect_patterns() -> String {
    [header_names::removed_pattern(), header_names::twin_pattern(), MAYBE_PATTERN.to_owned()]
        .join("\n")
}

/// Returns the body of a problem document in the language that a client prefers, by its
/// `Accept-Language`; `undefined` if that is English.
#[wasm_bindgen]
#[must_use]
pub fn in_japanese(accept_language: &str, body: &str) -> Option<String> {
    japanese::translated(accept_language, body)
}

/// Screens the headers of a request to an origin. `headers` contains name and value of each,
/// separated by line feeds; `secret` is what to search for, or empty. Returns the result as
/// [`of_screened`] writes it.
#[wasm_bindgen]
#[must_use]
pub fn screen(headers: &str, secret: &str) -> String {
    let secret = Some(secret).filter(|secret| !secret.is_empty());
    of_screened(&origin_headers::screen(Headers::new(headers), secret))
}

/// Begins the exchange of a request that needs I/O. `is_counted` is `true` if [`decide`] has let it
/// through. Returns the first step.
#[wasm_bindgen]
#[must_use]
pub fn begin(
    exchange: u32,
    method: String,
    url: String,
    headers: String,
    is_counted: bool,
    now_ms: f64,
) -> String {
    let Some(gateway) = gateway() else { return failed() };
    let request = OwnedRequest { method, url, headers, arrived: time(now_ms), is_counted };
    keep(exchange, Exchange::begin(gateway, request, rng()), now_ms)
}

/// Begins a background refresh of an account's lease. Returns the first step.
#[wasm_bindgen]
#[must_use]
pub fn renew(exchange: u32, account: &str, now_ms: f64) -> String {
    let (Some(gateway), Some(account)) = (gateway(), AccountId::parse(account)) else {
        return failed();
    };
    keep(exchange, Exchange::renew(gateway, account), now_ms)
}

/// Begins the call that sends an account's usage, for a timer that fires. Returns the first step.
#[wasm_bindgen]
#[must_use]
pub fn flush(exchange: u32, account: &str, now_ms: f64) -> String {
    let (Some(gateway), Some(account)) = (gateway(), AccountId::parse(account)) else {
        return failed();
    };
    keep(exchange, Exchange::flush(gateway, account), now_ms)
}

/// Returns the delay of a timer that sends usage, in milliseconds.
#[wasm_bindgen]
#[must_use]
pub fn flush_delay_ms() -> u32 {
    u32::try_from(FLUSH_DELAY.as_ms()).unwrap_or_default()
}

/// Resumes with the text that an operation returned, if any. Returns the next step.
#[wasm_bindgen]
#[must_use]
pub fn resume(exchange: u32, text: Option<String>, now_ms: f64) -> String {
    continue_exchange(exchange, text.map_or(Got::Nothing, Got::Text), now_ms)
}

/// Resumes with a JSON array of texts and nulls. Returns the next step.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_texts(exchange: u32, texts: &str, now_ms: f64) -> String {
    let got = FromJson::parse_json(texts).map_or(Got::Nothing, Got::Texts);
    continue_exchange(exchange, got, now_ms)
}

/// Resumes with bytes of the body; `undefined` at its end. Returns the next step.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_bytes(exchange: u32, bytes: Option<Vec<u8>>, now_ms: f64) -> String {
    continue_exchange(exchange, Got::Bytes(bytes), now_ms)
}

/// Resumes with the admin Worker's answer: `true` if both Workers fit. Returns the next step.
#[wasm_bindgen]
#[must_use]
pub fn resume_with_fit(exchange: u32, fits: bool, now_ms: f64) -> String {
    continue_exchange(exchange, Got::Fit(fits), now_ms)
}

/// Resumes after an operation timed out. Returns the next step.
#[wasm_bindgen]
#[must_use]
pub fn resume_too_late(exchange: u32, now_ms: f64) -> String {
    continue_exchange(exchange, Got::TooLate, now_ms)
}

/// Returns the value of the header that authenticates this edge to the admin Worker and to ledgers.
#[wasm_bindgen]
#[must_use]
pub fn link() -> String {
    gateway().map(|gateway| gateway.borrow().link().to_owned()).unwrap_or_default()
}

/// Takes the answer of the admin Worker or of a ledger: `true` if both Workers fit. The time is the
/// present one, and for `true` that at which the edge asked.
#[wasm_bindgen]
pub fn take_fit(fits: bool, now_ms: f64) {
    if let Some(gateway) = gateway() {
        gateway.borrow_mut().take_fit(Some(fits), time(now_ms));
    }
}

/// Ends the lease of an account after a change that was committed through this isolate. `change` is
/// `<account> <revision>`.
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
        if exchanges.len() > EXCHANGES_MAX {
            // Numbers rise, so the first is the oldest.
            exchanges.pop_first();
        }
    });
    continue_exchange(number, Got::Nothing, now_ms)
}

fn continue_exchange(number: u32, got: Got, now_ms: f64) -> String {
    // The exchange leaves the map while it runs, so that no borrow of the map lasts across its
    // calls.
    let Some((begun, mut exchange)) =
        EXCHANGES.with_borrow_mut(|exchanges| exchanges.remove(&number))
    else {
        return failed();
    };
    match exchange.resume(got, time(now_ms)) {
        ExchangeStep::Done { outcome, renew, timer } => {
            of_outcome(&outcome, Background { renew, timer })
        }
        ExchangeStep::Ask(operation) => {
            EXCHANGES.with_borrow_mut(|exchanges| exchanges.insert(number, (begun, exchange)));
            of_operation(&operation)
        }
    }
}

fn failed() -> String {
    of_outcome(&Outcome::Answer(RequestProblem::Internal.answer("")), Background::default())
}
