//! What a decision needs, fetched: from KV, a ledger, or the data centre's cache.

use crate::base::http::response::{Answer, Outcome};
use crate::base::id::AccountId;
use crate::credential::limits::network::ClientAddress;
use crate::gateway::exchange::{Finished, Got, Operation, Platform, SharedGateway};
use crate::lease::call::{CopyRead, Errand, Lookup, Need, RefreshCall, Shelf};
use crate::lease::lease::REFRESH_TIMEOUT;
use crate::replication::edge_call::{EdgeRequest, RefreshReply, ledger_instance};
use crate::replication::{document, record, shared};

/// Shortest time for which KV may serve a read from a cache, in seconds: the platform takes none
/// shorter. A lease document is to be as new as may be; the platform's default is a minute.
const CACHE_TTL_MIN_S: u32 = 30;

/// Milliseconds that the data centre's cache may take: past that the ledger is as near.
const CACHE_WITHIN_MS: u64 = 200;

/// Fetches what a decision needs. Every call makes the lookup know more, so that deciding again
/// comes to an end. Nothing waits for what another request has asked.
pub(super) async fn find_out(
    need: Need,
    gateway: &SharedGateway,
    platform: &Platform,
    from: Option<ClientAddress>,
    lookup: &mut Lookup,
) {
    match need {
        Need::Copy(account, shelf) => {
            let read = gateway.borrow_mut().ask_copy(account, shelf, platform.now());
            take_copy(&read, gateway, platform, lookup).await;
        }
        Need::Kv(id) => {
            let read = gateway.borrow_mut().ask_kv(id, platform.now());
            let operation = Operation::ReadKv { key: record::kv_key(id), cache_ttl_s: None };
            let text = platform.ask_text(operation).await;
            gateway.borrow_mut().take_kv(&read, text.as_deref(), platform.now(), lookup);
        }
        Need::Ledger(_) | Need::Issuer(_) | Need::State(_) => {
            let call = gateway.borrow_mut().ask(need, platform.now()).from(from);
            refresh(&call, false, gateway, platform, lookup).await;
        }
    }
}

/// Asks the admin Worker whether this edge fits it.
pub(super) async fn ask_admin(gateway: &SharedGateway, platform: &Platform) {
    let fits = match platform.ask(Operation::CallAdmin { within_ms: REFRESH_TIMEOUT.as_ms() }).await
    {
        Got::Fit(fits) => Some(fits),
        Got::Nothing | Got::Text(_) | Got::Texts(_) | Got::Bytes(_) | Got::TooLate => None,
    };
    gateway.borrow_mut().take_fit(fits, platform.now());
}

/// Takes what lies on a shelf, if anything does.
pub(super) async fn take_copy(
    read: &CopyRead,
    gateway: &SharedGateway,
    platform: &Platform,
    lookup: &mut Lookup,
) {
    let account = read.account();
    let operation = match read.shelf() {
        Shelf::Kv => {
            Operation::ReadKv { key: document::kv_key(account), cache_ttl_s: Some(CACHE_TTL_MIN_S) }
        }
        Shelf::Cache => {
            Operation::ReadCache { url: shared_url(gateway, account), within_ms: CACHE_WITHIN_MS }
        }
    };
    let text = platform.ask_text(operation).await;
    gateway.borrow_mut().take_copy(read, text.as_deref(), platform.now(), Some(lookup));
}

/// Sends a refresh, takes what came of it, and hands it to the other isolates of the data centre.
pub(super) async fn refresh(
    call: &RefreshCall,
    is_background: bool,
    gateway: &SharedGateway,
    platform: &Platform,
    lookup: &mut Lookup,
) {
    let request = EdgeRequest::Refresh(call.request().clone());
    let within_ms = REFRESH_TIMEOUT.as_ms();
    let reply = call_ledger(call.account(), &request, within_ms, is_background, platform).await;
    let reply =
        reply.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(RefreshReply::Failed);
    gateway.borrow_mut().take_refresh(call, &reply, platform.now(), Some(lookup));
    let to_share = gateway.borrow_mut().share(call, &reply, platform.now());
    if let Some((text, max_age_s)) = to_share {
        let url = shared_url(gateway, call.account());
        platform.ask(Operation::WriteCache { url, text, max_age_s }).await;
    }
}

/// Sends a request to the ledger of an account; the text of its reply, if one came.
pub(super) async fn call_ledger(
    account: AccountId,
    request: &EdgeRequest,
    within_ms: u64,
    is_background: bool,
    platform: &Platform,
) -> Option<String> {
    // Text keys and JSON values: it serialises.
    let body = serde_json::to_string(request).ok()?;
    let instance = ledger_instance(account);
    platform.ask_text(Operation::CallLedger { instance, body, within_ms, is_background }).await
}

/// Renews an account's lease in the background.
pub(super) async fn renew(
    gateway: SharedGateway,
    platform: Platform,
    account: AccountId,
) -> Finished {
    let mut lookup = Lookup::default();
    loop {
        let errand = gateway.borrow_mut().errand(account, platform.now(), &lookup);
        match errand {
            Some(Errand::Copy(shelf)) => {
                let read = gateway.borrow_mut().ask_copy_beside(account, shelf, platform.now());
                take_copy(&read, &gateway, &platform, &mut lookup).await;
            }
            Some(Errand::Refresh) => {
                let call = gateway.borrow_mut().renew(account, platform.now());
                refresh(&call, true, &gateway, &platform, &mut lookup).await;
            }
            // Nobody sees this answer.
            None => return (Outcome::Answer(Answer::empty(204)), None),
        }
    }
}

fn shared_url(gateway: &SharedGateway, account: AccountId) -> String {
    shared::url(&gateway.borrow().config().console_host, account)
}
