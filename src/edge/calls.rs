//! Calls from the edge: requests to objects, reads of KV. What fails is logged once, here, and told as [`Unreachable`].

use core::pin::pin;
use core::time::Duration;
use std::collections::HashMap;

use futures_util::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Cache, Env, Method, Request, RequestInit};

use super::with_gateway;

use crate::account::Email;
use crate::id::{AccountId, KeyId};
use crate::lease::REFRESH_TIMEOUT;
use crate::lease::call::{CopyRead, RefreshCall, RefreshReply, Shelf};
use crate::problem::Problem;
use crate::protocol::{
    AddressReply, AddressRequest, DirectoryReply, DirectoryRequest, LedgerReply, LedgerRequest, NameReply,
    NameRequest, instance,
};
use crate::record::kv_key;
use crate::refresh::{document, shared};
use crate::verdict::Denial;

/// Binding of the KV namespace with the records.
pub const KEYS: &str = "KEYS";

/// Shortest time that KV may serve a reading from a cache, in seconds: the platform takes none shorter. Where the newest is wanted, a
/// read-back or a document, it is what to ask for: the usual is a minute.
pub const CACHE_TTL_MIN_S: u64 = 30;

/// How long an object may take to answer, in milliseconds. A password hash behind others in a name object's queue takes the longest.
const ANSWER_WITHIN_MS: u64 = 5_000;

const LEDGER: &str = "LEDGER";

/// No answer came, or none that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Unreachable;

impl From<Unreachable> for Problem {
    fn from(_: Unreachable) -> Self {
        Self::Denied(Denial::Unavailable)
    }
}

/// Asks an account's ledger.
pub async fn ledger(
    env: &Env,
    account: AccountId,
    request: &LedgerRequest,
) -> Result<LedgerReply, Unreachable> {
    call(env, LEDGER, &instance::ledger(account), request).await
}

/// Asks the name object of a member's address.
pub async fn name(env: &Env, email: &Email, request: &NameRequest) -> Result<NameReply, Unreachable> {
    call(env, "NAME", &instance::member_name(email), request).await
}

/// Asks the directory.
pub async fn directory(env: &Env, request: &DirectoryRequest) -> Result<DirectoryReply, Unreachable> {
    call(env, "DIRECTORY", &instance::directory(), request).await
}

/// Asks the address object of a block.
pub async fn address(
    env: &Env,
    block: Option<&str>,
    request: &AddressRequest,
) -> Result<AddressReply, Unreachable> {
    call(env, "ADDRESS", &instance::address(block), request).await
}

/// What is done about a call that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The log says so: a request waited for it.
    Log,
    /// It is only counted: whoever needs the answer asks again.
    BeSilent,
}

/// Sends a refresh, within its time.
pub async fn refresh(env: &Env, call: &RefreshCall, on_failure: OnFailure) -> RefreshReply {
    let name = instance::ledger(call.account());
    let request = LedgerRequest::Refresh(call.request().clone());
    let limit = worker::Delay::from(Duration::from_millis(REFRESH_TIMEOUT.as_ms()));
    let answer = pin!(exchange::<_, LedgerReply>(env, LEDGER, &name, &request));
    let failure = match select(answer, limit).await {
        Either::Left((Ok(reply), _)) => return reply.into(),
        Either::Left((Err(error), _)) => error,
        Either::Right(_) => worker::Error::from("its time is over"),
    };
    if on_failure == OnFailure::Log {
        worker::console_error!("{LEDGER} did not answer: {failure}");
    }
    RefreshReply::Failed
}

/// What KV holds; `None` also when it cannot be read: then the ledger is asked.
pub async fn read_kv(env: &Env, key: &str) -> Option<String> {
    let read = async { env.kv(KEYS)?.get(key).text().await.map_err(worker::Error::from) };
    read.await.unwrap_or_else(|error| {
        worker::console_error!("KV could not be read: {error}");
        None
    })
}

/// What KV holds of several keys, a hundred at most, in one read; nothing also where it cannot be read: then the ledger is asked.
pub async fn read_kv_bulk(env: &Env, ids: &[KeyId]) -> HashMap<KeyId, String> {
    let keys: Vec<String> = ids.iter().map(|id| kv_key(*id)).collect();
    let read = async { env.kv(KEYS)?.get_bulk(&keys).text().await.map_err(worker::Error::from) };
    let mut held = read.await.unwrap_or_else(|error| {
        worker::console_error!("KV could not be read: {error}");
        HashMap::new()
    });
    ids.iter().zip(&keys).filter_map(|(id, key)| Some((*id, held.remove(key)??))).collect()
}

/// Name of the data centre's cache in which replies are shared.
const CACHE: &str = "claviger";

/// How long the data centre's cache may take, in milliseconds: past that the ledger is as near.
const CACHE_WITHIN_MS: u64 = 200;

/// What lies on a shelf; `None` also when it cannot be read: then the next one is turned to.
pub async fn read_copy(env: &Env, read: &CopyRead) -> Option<String> {
    let account = read.account();
    match read.shelf() {
        Shelf::Kv => {
            // The least that there is: what is read here is to be as new as may be.
            let read = async {
                let get = env.kv(KEYS)?.get(&document::kv_key(account));
                get.cache_ttl(CACHE_TTL_MIN_S).text().await.map_err(worker::Error::from)
            };
            read.await.unwrap_or_else(|error| {
                worker::console_error!("KV could not be read: {error}");
                None
            })
        }
        Shelf::Cache => {
            let limit = worker::Delay::from(Duration::from_millis(CACHE_WITHIN_MS));
            match select(pin!(read_shared(account)), limit).await {
                Either::Left((text, _)) => text.ok().flatten(),
                Either::Right(_) => None,
            }
        }
    }
}

async fn read_shared(account: AccountId) -> Result<Option<String>, worker::Error> {
    let Some(url) = shared_url(account) else { return Ok(None) };
    let held = Cache::open(CACHE.into()).await.get(url, false).await?;
    match held {
        Some(mut response) => Ok(Some(response.text().await?)),
        None => Ok(None),
    }
}

/// Puts a reply into the data centre's cache. Where there is none, nobody misses it.
pub async fn put_shared(account: AccountId, text: String, seconds: u64) {
    let Some(url) = shared_url(account) else { return };
    let put = async {
        let mut response = worker::Response::ok(text)?;
        response.headers_mut().set("cache-control", &format!("max-age={seconds}"))?;
        Cache::open(CACHE.into()).await.put(url, response).await
    };
    // It is only a help.
    let _: Result<(), worker::Error> = put.await;
}

fn shared_url(account: AccountId) -> Option<String> {
    with_gateway(|gateway| shared::url(&gateway.config().console_host, account))
}

async fn call<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    binding: &str,
    instance: &str,
    request: &Q,
) -> Result<A, Unreachable> {
    let limit = worker::Delay::from(Duration::from_millis(ANSWER_WITHIN_MS));
    let error = match select(pin!(exchange(env, binding, instance, request)), limit).await {
        Either::Left((Ok(answer), _)) => return Ok(answer),
        Either::Left((Err(error), _)) => error,
        Either::Right(_) => "no answer in time".into(),
    };
    worker::console_error!("{binding} did not answer: {error}");
    Err(Unreachable)
}

async fn exchange<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    binding: &str,
    instance: &str,
    request: &Q,
) -> Result<A, worker::Error> {
    let stub = env.durable_object(binding)?.get_by_name(instance)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(serde_json::to_string(request)?.into()));
    let mut response = stub.fetch_with_request(Request::new_with_init("https://object/", &init)?).await?;
    if response.status_code() != 200 {
        return Err(worker::Error::from(format!("status {}", response.status_code())));
    }
    Ok(serde_json::from_str(&response.text().await?)?)
}
