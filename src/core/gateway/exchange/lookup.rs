//! Fetches what a decision needs from KV, a ledger, or the data centre's cache.

use crate::base::http::response::{Outcome, Response};
use crate::base::id::AccountId;
use crate::base::json::FromJson;
use crate::base::secret::SecretText;
use crate::base::time::{DurationMs, UnixMs};
use crate::gateway::check::Attempted;
use crate::gateway::exchange::platform::{
    Boxed, Finished, Got, Operation, Platform, SharedGateway,
};
use crate::gateway::gateway::Gateway;
use crate::lease::call::{CopyRead, CopySource, Fetch, Lookup, RefreshCall, RenewalStep};
use crate::lease::lease::REFRESH_TIMEOUT;
use crate::replication::edge_call::{EdgeRequest, RefreshReply, Reply, ledger_instance};
use crate::replication::secret_check::{SecretCheck, SecretCheckReply};
use crate::replication::{document, record, shared};

/// Shortest lifetime of KV's own cache, in seconds: the platform accepts nothing shorter. A lease
/// document should be as new as possible, and the platform's default is a minute.
const CACHE_TTL_MIN_S: u32 = 30;

/// Timeout of a check of a secret: some 100 ms for a hash, and those before it in the queue.
const CHECK_SECRET_TIMEOUT: DurationMs = DurationMs::from_s(5);

/// Timeout of a read of the data centre's cache, in ms. Beyond it, the ledger is as near.
const CACHE_WITHIN_MS: u64 = 200;

/// Decides by repeated attempts, and fetches in between what each of them needs.
pub(super) async fn decide<T>(
    gateway: &SharedGateway,
    platform: &Platform,
    mut attempt: impl FnMut(&mut Gateway, UnixMs, &Lookup) -> Attempted<T>,
) -> T {
    decide_user(gateway, platform, |gateway, now, lookup| Ok(attempt(gateway, now, lookup))).await
}

/// Decides like [`decide`]. An attempt may also need an answer about the secret of an API user.
pub(super) async fn decide_user<T>(
    gateway: &SharedGateway,
    platform: &Platform,
    mut attempt: impl FnMut(&mut Gateway, UnixMs, &Lookup) -> Result<Attempted<T>, SecretCheck>,
) -> T {
    let mut lookup = Lookup::default();
    loop {
        let attempted = attempt(&mut gateway.borrow_mut(), platform.now(), &lookup);
        match attempted {
            Ok(Attempted::Decided(decided)) => return decided,
            Ok(Attempted::AskAdmin) => ask_admin(gateway, platform).await,
            Ok(Attempted::Fetch(need)) => fetch(need, gateway, platform, &mut lookup).await,
            Err(check) => check_secret(&check, platform, &mut lookup).await,
        }
    }
}

/// Fetches what a decision needs. Each call adds a result to the lookup, so the loop of deciding
/// and fetching ends. No request waits for another request's call.
pub(super) fn fetch<'a>(
    need: Fetch,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    lookup: &'a mut Lookup,
) -> Boxed<'a, ()> {
    Box::pin(async move {
        let sent = platform.now();
        match need {
            Fetch::Copy(account, source) => {
                let read = gateway.borrow_mut().leases_mut().ask_copy(account, source, sent);
                take_copy(&read, gateway, platform, lookup).await;
            }
            Fetch::Kv(id) => {
                let read = gateway.borrow_mut().leases_mut().ask_kv(id, sent);
                let operation = Operation::ReadKv { key: record::kv_key(id), cache_ttl_s: None };
                let text = platform.ask_text(operation).await;
                let answered = platform.now();
                gateway.borrow_mut().take_kv(&read, text.as_deref(), answered, lookup);
                warn(gateway, platform).await;
            }
            Fetch::Ledger(_) | Fetch::Issuer(_) | Fetch::State(_) => {
                let call = gateway.borrow_mut().leases_mut().ask(need, sent);
                refresh(&call, false, gateway, platform, lookup).await;
            }
        }
    })
}

/// Asks the admin Worker whether both Workers fit.
pub(super) fn ask_admin<'a>(gateway: &'a SharedGateway, platform: &'a Platform) -> Boxed<'a, ()> {
    Box::pin(async move {
        let asked = platform.now();
        gateway.borrow_mut().begin_to_ask(asked);
        let fits =
            match platform.ask(Operation::CallAdmin { within_ms: REFRESH_TIMEOUT.as_ms() }).await {
                Got::Fit(fits) => Some(fits),
                Got::Nothing | Got::Text(_) | Got::Texts(_) | Got::Bytes(_) | Got::TooLate => None,
            };
        // A misfit that another request reported meanwhile is newer than this fit.
        let as_of = if fits == Some(true) { asked } else { platform.now() };
        gateway.borrow_mut().take_fit(fits, as_of);
    })
}

/// Asks the admin Worker which version a secret of an API user has.
pub(super) fn check_secret<'a>(
    check: &'a SecretCheck,
    platform: &'a Platform,
    lookup: &'a mut Lookup,
) -> Boxed<'a, ()> {
    Box::pin(async move {
        let within_ms = CHECK_SECRET_TIMEOUT.as_ms();
        // Serialisation cannot fail: every member name is text, and every value has a JSON form.
        let body = SecretText::new(serde_json::to_string(check).unwrap_or_default());
        let text = platform.ask_text(Operation::CheckSecret { body, within_ms }).await;
        let reply = text.and_then(|text| SecretCheckReply::parse_json(&text));
        lookup.take_secret(check, reply);
    })
}

/// Reads a copy, and takes it if there is one.
pub(super) fn take_copy<'a>(
    read: &'a CopyRead,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    lookup: &'a mut Lookup,
) -> Boxed<'a, ()> {
    Box::pin(async move {
        let account = read.account();
        let operation = match read.source() {
            CopySource::Kv => Operation::ReadKv {
                key: document::kv_key(account),
                cache_ttl_s: Some(CACHE_TTL_MIN_S),
            },
            CopySource::Cache => Operation::ReadCache {
                url: shared_url(gateway, account),
                within_ms: CACHE_WITHIN_MS,
            },
        };
        let text = platform.ask_text(operation).await;
        gateway.borrow_mut().take_copy(read, text.as_deref(), platform.now(), Some(lookup));
        warn(gateway, platform).await;
    })
}

/// Logs a warning about KV, if there is one.
pub(super) fn warn<'a>(gateway: &'a SharedGateway, platform: &'a Platform) -> Boxed<'a, ()> {
    Box::pin(async move {
        let warning = gateway.borrow_mut().take_kv_warning();
        if let Some(line) = warning {
            platform.ask(Operation::Warn { line }).await;
        }
    })
}

/// Sends a refresh, takes its result, and shares it with the other isolates of the data centre.
pub(super) fn refresh<'a>(
    call: &'a RefreshCall,
    is_background: bool,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    lookup: &'a mut Lookup,
) -> Boxed<'a, ()> {
    Box::pin(async move {
        let request = EdgeRequest::Refresh(call.request().clone());
        let within_ms = REFRESH_TIMEOUT.as_ms();
        let reply = call_ledger(call.account(), &request, within_ms, is_background, platform).await;
        let reply =
            reply.and_then(|text| RefreshReply::parse(&text)).unwrap_or(RefreshReply::Failed);
        gateway.borrow_mut().leases_mut().take_refresh(call, &reply, platform.now(), Some(lookup));
        let to_share = gateway.borrow_mut().share(call, &reply, platform.now());
        if let Some((text, max_age_s)) = to_share {
            let url = shared_url(gateway, call.account());
            platform.ask(Operation::WriteCache { url, text, max_age_s }).await;
        }
    })
}

/// Sends a request to an account's ledger, and returns the text of its reply, if one arrives.
pub(super) fn call_ledger<'a>(
    account: AccountId,
    request: &'a EdgeRequest,
    within_ms: u64,
    is_background: bool,
    platform: &'a Platform,
) -> Boxed<'a, Option<String>> {
    Box::pin(async move {
        // Serialisation cannot fail: every member name is text, and every value has a JSON form.
        let body = serde_json::to_string(request).ok()?;
        let instance = ledger_instance(account);
        platform.ask_text(Operation::CallLedger { instance, body, within_ms, is_background }).await
    })
}

/// Refreshes an account's lease in the background.
pub(super) async fn renew(
    gateway: SharedGateway,
    platform: Platform,
    account: AccountId,
) -> Finished {
    let mut lookup = Lookup::default();
    loop {
        let now = platform.now();
        let renewal_step = gateway.borrow_mut().leases_mut().renewal_step(account, now, &lookup);
        match renewal_step {
            Some(RenewalStep::Copy(source)) => {
                let read =
                    gateway.borrow_mut().leases_mut().ask_copy_in_background(account, source, now);
                take_copy(&read, &gateway, &platform, &mut lookup).await;
            }
            Some(RenewalStep::Refresh) => {
                let call = gateway.borrow_mut().leases_mut().renew(account, now);
                refresh(&call, true, &gateway, &platform, &mut lookup).await;
            }
            // A background refresh sends no response, so no caller sees this one.
            None => return (Outcome::Answer(Response::empty(204)), None),
        }
    }
}

/// Sends an account's usage once requests have stopped, unless a newer timer will.
pub(super) async fn flush(
    gateway: SharedGateway,
    platform: Platform,
    account: AccountId,
) -> Finished {
    let mut lookup = Lookup::default();
    while gateway.borrow_mut().leases_mut().must_flush(account, platform.now(), &lookup) {
        let call = gateway.borrow_mut().leases_mut().renew(account, platform.now());
        refresh(&call, true, &gateway, &platform, &mut lookup).await;
    }
    (Outcome::Answer(Response::empty(204)), None)
}

fn shared_url(gateway: &SharedGateway, account: AccountId) -> String {
    shared::url(&gateway.borrow().config().console_host, account)
}
