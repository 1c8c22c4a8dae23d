//! Calls from this Worker to Durable Objects. Each failure is logged here, once, and returned as
//! [`Unreachable`].

use core::pin::pin;
use core::time::Duration;

use claviger_control::admin::problem::AdminProblem;
use claviger_control::protocol::account::Email;
use claviger_control::protocol::api_name::{ApiNameReply, ApiNameRequest};
use claviger_control::protocol::caller;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, instance};
use claviger_control::protocol::objects::{
    AddressReply, AddressRequest, DirectoryReply, DirectoryRequest, NameReply, NameRequest,
};
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::id::AccountId;
use claviger_core::credential::api_user::ApiUserName;
use futures_util::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Env, Headers, Method, Request, RequestInit};

use crate::settings;

/// Binding of the KV namespace with the records.
pub const KEYS: &str = "KEYS";

/// Shortest KV cache time, in seconds, that the platform accepts; its default is a minute. Reads
/// that need the newest value use it: read-backs and lease documents.
pub const CACHE_TTL_MIN_S: u64 = 30;

/// Longest time for an object to answer, in milliseconds. The slowest is a password hash behind
/// others in a name object's queue.
const ANSWER_WITHIN_MS: u64 = 5_000;

const LEDGER: &str = "LEDGER";

/// The object did not answer, or its answer was unreadable.
#[derive(Clone, Copy, Debug)]
pub struct Unreachable;

impl From<Unreachable> for AdminProblem {
    fn from(_: Unreachable) -> Self {
        RequestProblem::Unavailable.into()
    }
}

/// Calls an account's ledger.
pub async fn ledger(
    env: &Env,
    account: AccountId,
    request: &LedgerRequest,
) -> Result<LedgerReply, Unreachable> {
    call(env, LEDGER, &instance::ledger(account), request).await
}

/// Calls the name object of a member's address.
pub async fn name(
    env: &Env,
    email: &Email,
    request: &NameRequest,
) -> Result<NameReply, Unreachable> {
    call(env, "NAME", &instance::member_name(email), request).await
}

/// Calls the name object of an API user.
pub async fn api_name(
    env: &Env,
    name: &ApiUserName,
    request: &ApiNameRequest,
) -> Result<ApiNameReply, Unreachable> {
    call(env, "API_NAME", &instance::api_user_name(name), request).await
}

/// Calls the directory.
pub async fn directory(
    env: &Env,
    request: &DirectoryRequest,
) -> Result<DirectoryReply, Unreachable> {
    call(env, "DIRECTORY", &instance::directory(), request).await
}

/// Calls an address object.
pub async fn address(
    env: &Env,
    instance: &str,
    request: &AddressRequest,
) -> Result<AddressReply, Unreachable> {
    call(env, "ADDRESS", instance, request).await
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
    let namespace = env.durable_object(binding)?;
    let body = serde_json::to_string(request)?;
    let config = settings::config(env).map_err(|problem| problem.title())?;
    let proof =
        caller::proof(&config.master, &namespace.id_from_name(instance)?.to_string(), &body);
    let headers = Headers::new();
    headers.set(caller::PROOF_HEADER, &proof)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers).with_body(Some(body.into()));
    let stub = namespace.get_by_name(instance)?;
    let mut response =
        stub.fetch_with_request(Request::new_with_init("https://object/", &init)?).await?;
    if response.status_code() != 200 {
        return Err(worker::Error::from(format!("status {}", response.status_code())));
    }
    // The error's own text would quote the reply.
    Ok(serde_json::from_str(&response.text().await?)
        .map_err(|_| "a reply that is not understood")?)
}
