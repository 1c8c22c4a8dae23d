//! The Worker: thin adapters between the platform and the core. No decisions are made here.
//!
//! | module | what it adapts |
//! | --- | --- |
//! | this | the calls of `entry.js`; the isolate's one [`Gateway`] |
//! | [`settings`] | variables and secrets |
//! | [`body`] | a body whose opening is read before it is sent on |
//! | [`calls`] | requests to objects, reads of KV |
//! | [`console`], [`activity`], [`operator`], [`service`], [`verification`] | Claviger's own routes: reading bodies, calling objects, in order |
//! | [`mail`] | who delivers mail |
//! | [`objects`], [`storage`] | the Durable Objects' side |
//! | `trap` | what happens after a panic |
//!
//! Isolates share data between requests, never promises or locks: the gateway is borrowed for one synchronous call at a time
//! and never across an await.

mod activity;
mod body;
mod calls;
mod console;
mod deletion;
mod issuance;
mod mail;
mod memory;
mod objects;
mod operator;
mod service;
mod settings;
mod storage;
mod trap;
mod verification;

use core::cell::RefCell;

use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::wasm_bindgen::JsCast;
use worker::{Context, Env};

use self::body::Body;
use crate::answer::{Answer, Outcome};
use crate::config::Config;
use crate::gateway::{Decision, Gateway, client_address};
use crate::id::AccountId;
use crate::lease::call::{Errand, Lookup, Need, RefreshCall, RefreshReply};
use crate::network::ClientAddress;
use crate::problem::Problem;
use crate::request::{Headers, Request, Url};
use crate::time::UnixMs;

pub use objects::{alarm, object};

thread_local! {
    /// This isolate's edge; empty until the first request has brought the settings.
    static GATEWAY: RefCell<Option<Gateway>> = const { RefCell::new(None) };
}

/// Decides about a request without I/O. `headers` is `name\nvalue\nname\nvalue…`. `""`: I/O is needed, call [`handle`].
#[wasm_bindgen]
#[must_use]
pub fn decide(method: &str, url: &str, headers: &str, now_ms: f64) -> String {
    let Some(request) = request(method, url, headers, now_ms) else { return String::new() };
    match with_gateway(|gateway| gateway.decide(&request, request.arrived, &Lookup::default())) {
        Some(Decision::Done { outcome, renew }) => outcome.to_json(renew),
        _ => String::new(),
    }
}

/// Carries a request through that needs I/O. Resolves to text as [`decide`] gives it.
///
/// # Errors
/// None of its own: what the platform throws is logged and becomes an answer.
#[wasm_bindgen]
pub async fn handle(
    incoming: web_sys::Request,
    env: JsValue,
    ctx: JsValue,
    headers: String,
    now_ms: f64,
    body: Body,
) -> Result<String, JsValue> {
    let (env, context): (Env, _) = (env.unchecked_into(), Context::new(ctx.unchecked_into()));
    let (method, url) = (incoming.method(), incoming.url());
    let (outcome, renew) = match request(&method, &url, &headers, now_ms) {
        Some(request) => match configure(&env) {
            Ok(()) => carry_through(&request, incoming, &env, &context, &body).await,
            Err(problem) => (Outcome::Answer(problem.answer("")), None),
        },
        None => (Outcome::Answer(Problem::Internal.answer("")), None),
    };
    Ok(outcome.to_json(renew))
}

/// Goes on with a body that an answer began. Resolves to JSON: `body` is the next piece, `more` goes into the next call unless it is null.
///
/// # Errors
/// The code of the problem that ends the body early.
#[wasm_bindgen]
pub async fn proceed(
    incoming: web_sys::Request,
    env: JsValue,
    headers: String,
    now_ms: f64,
    more: String,
) -> Result<String, JsValue> {
    let env: Env = env.unchecked_into();
    let (method, url) = (incoming.method(), incoming.url());
    let request = request(&method, &url, &headers, now_ms).ok_or_else(|| ended(&Problem::Internal))?;
    console::proceed(&request, incoming, &env, &more).await.map_err(|problem| ended(&problem))
}

fn ended(problem: &Problem) -> JsValue {
    JsValue::from_str(problem.code())
}

/// Renews an account's lease. The entry script lets it run on beside and after the request that noticed that it is due.
///
/// # Errors
/// None: whoever needs the lease next finds out by themselves.
#[wasm_bindgen]
pub async fn renew(env: JsValue, account: String) -> Result<(), JsValue> {
    let env: Env = env.unchecked_into();
    let Some(account) = AccountId::parse(&account) else { return Ok(()) };
    let mut lookup = Lookup::default();
    while let Some(errand) = with_gateway(|gateway| gateway.errand(account, now(), &lookup)).flatten() {
        match errand {
            Errand::Copy(shelf) => {
                let Some(read) = with_gateway(|gateway| gateway.ask_copy_beside(account, shelf, now()))
                else {
                    break;
                };
                let text = calls::read_copy(&env, &read).await;
                with_gateway(|gateway| gateway.take_copy(&read, text.as_deref(), now(), Some(&mut lookup)));
            }
            Errand::Refresh => {
                let Some(call) = with_gateway(|gateway| gateway.renew(account, now())) else { break };
                let reply = calls::refresh(&env, &call, calls::OnFailure::BeSilent).await;
                with_gateway(|gateway| gateway.take_refresh(&call, &reply, now(), Some(&mut lookup)));
                share(&call, &reply).await;
            }
        }
    }
    Ok(())
}

async fn carry_through(
    request: &Request<'_>,
    incoming: web_sys::Request,
    env: &Env,
    context: &Context,
    body: &Body,
) -> (Outcome, Option<AccountId>) {
    let mut lookup = Lookup::default();
    let mut fields = None;
    loop {
        match with_gateway(|gateway| gateway.decide_with(request, now(), &lookup, fields.as_ref())) {
            Some(Decision::Done { outcome, renew }) => return (outcome, renew),
            Some(Decision::Need(need)) => {
                find_out(need, env, Some(context), client_address(request), &mut lookup).await;
            }
            Some(Decision::Read(opening)) => match body::read(opening, body).await {
                Ok(read) => fields = Some(read),
                Err(problem) => return (Outcome::Answer(refuse(&problem)), None),
            },
            Some(Decision::Console(route)) => {
                let (answer, renew) = console::answer(route, request, incoming, env, context).await;
                return (Outcome::Answer(answer), renew);
            }
            None => return (Outcome::Answer(Problem::Internal.answer("")), None),
        }
    }
}

/// Finds out what a decision needs. Every call makes the lookup know more, so that deciding again comes to an end. Whoever needs
/// something asks for it: nothing here waits for what another request has asked.
async fn find_out(
    need: Need,
    env: &Env,
    context: Option<&Context>,
    from: Option<ClientAddress>,
    lookup: &mut Lookup,
) {
    match need {
        Need::Copy(account, shelf) => {
            let read = with_gateway(|gateway| gateway.ask_copy(account, shelf, now()));
            let Some(read) = read else { return };
            let text = calls::read_copy(env, &read).await;
            with_gateway(|gateway| gateway.take_copy(&read, text.as_deref(), now(), Some(lookup)));
        }
        Need::Kv(id) => {
            let Some(read) = with_gateway(|gateway| gateway.ask_kv(id, now())) else { return };
            let text = calls::read_kv(env, &crate::record::kv_key(id)).await;
            with_gateway(|gateway| gateway.take_kv(&read, text.as_deref(), now(), lookup));
        }
        Need::Ledger(_) | Need::Issuer(_) | Need::State(_) => {
            let Some(call) = with_gateway(|gateway| gateway.ask(need, now()).from(from)) else { return };
            let reply = calls::refresh(env, &call, calls::OnFailure::Log).await;
            with_gateway(|gateway| gateway.take_refresh(&call, &reply, now(), Some(lookup)));
            share_beside(context, &call, &reply);
        }
    }
}

/// Gives a reply to the other isolates of the data centre.
async fn share(call: &RefreshCall, reply: &RefreshReply) {
    if let Some((text, seconds)) = with_gateway(|gateway| gateway.share(call, reply, now())).flatten() {
        calls::put_shared(call.account(), text, seconds).await;
    }
}

/// The same beside a request, which does not wait for it.
fn share_beside(context: Option<&Context>, call: &RefreshCall, reply: &RefreshReply) {
    let (account, Some(context)) = (call.account(), context) else { return };
    if let Some((text, seconds)) = with_gateway(|gateway| gateway.share(call, reply, now())).flatten() {
        context.wait_until(async move { calls::put_shared(account, text, seconds).await });
    }
}

/// Makes the isolate's gateway on its first request. A deployment whose settings are wrong is told so in the log, with every
/// request, and serves none.
fn configure(env: &Env) -> Result<(), Problem> {
    if with_gateway(|_| ()).is_some() {
        return Ok(());
    }
    match Config::parse(settings::read(env)) {
        Ok(config) => {
            GATEWAY.with(|cell| {
                if let Ok(mut gateway) = cell.try_borrow_mut() {
                    *gateway = Some(Gateway::new(config, isolate_number()));
                }
            });
            Ok(())
        }
        Err(error) => {
            worker::console_error!("this deployment does not serve: {error}");
            Err(Problem::Misconfigured)
        }
    }
}

/// A random name for this isolate, of as many bits as every JSON reader takes for an integer.
fn isolate_number() -> u64 {
    // The source does not fail: `crypto.getRandomValues` is always there.
    UnwrapErr(SysRng).next_u64() >> 11
}

/// Borrows the gateway for one synchronous call; `None` before it is made.
fn with_gateway<T>(work: impl FnOnce(&mut Gateway) -> T) -> Option<T> {
    GATEWAY.with(|cell| cell.try_borrow_mut().ok().and_then(|mut gateway| gateway.as_mut().map(work)))
}

/// A problem document with links to this deployment's console.
fn refuse(problem: &Problem) -> Answer {
    problem.answer(&with_gateway(|gateway| gateway.config().console_origin.clone()).unwrap_or_default())
}

fn request<'a>(method: &'a str, url: &'a str, headers: &'a str, now_ms: f64) -> Option<Request<'a>> {
    Some(Request { method, url: Url::parse(url)?, headers: Headers::new(headers), arrived: time(now_ms) })
}

fn now() -> UnixMs {
    time(js_sys::Date::now())
}

/// JavaScript's time is a number with a fraction that we drop; it fits an `i64` for 292 million years.
fn time(ms: f64) -> UnixMs {
    UnixMs::from_ms(ms as i64)
}
