//! Recognises operators: by Cloudflare Access where it is configured, otherwise by their session.
//!
//! This module fetches the team's keys and has the platform verify signatures (Web Cryptography
//! API). [`claviger_control::admin::access`] decides everything else.

use core::cell::RefCell;
use core::pin::pin;
use core::time::Duration;

use claviger_control::admin::access::{
    ASSERTION_HEADER, AccessPerson, AccessSettings, Assertion, DOCUMENT_BYTES_MAX, FETCH_TIME,
    TeamKey, TeamKeyLookup, TeamKeys,
};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::objects::{DirectoryReply, DirectoryRequest};
use claviger_control::protocol::operator::{DirectoryEntry, OperatorCommand};
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::id::AccountId;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use js_sys::{JSON, Promise, Uint8Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::{Fetch, Method, Request, RequestInit, RequestRedirect};

use crate::calls;
use crate::clock::now;
use crate::context::RequestContext;

/// Pause of a request that waits for the fetch of another, in milliseconds.
const WAIT_STEP_MS: u64 = 50;

/// The algorithm of the platform's functions.
const RS256: &str = r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#;

thread_local! {
    /// The keys that this isolate knows.
    static KEYS: RefCell<TeamKeys> = const { RefCell::new(TeamKeys::new()) };
}

#[wasm_bindgen]
extern "C" {
    /// Imports a key (Web Cryptography API §14.3.9).
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &JsValue,
    ) -> Result<Promise, JsValue>;

    /// Verifies a signature (Web Cryptography API §14.3.4).
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    fn verify_signature(
        algorithm: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// The operator who makes a request.
pub struct Operator<'a> {
    context: &'a RequestContext<'a>,
    /// The person whom Access recognised, with the first account; `None` if Access is not
    /// configured. The ledger of the session's account then decides.
    access: Option<(AccessPerson, AccountId)>,
}

impl<'a> Operator<'a> {
    /// Recognises the operator. Without Access, this only checks that there is a session.
    ///
    /// # Errors
    /// As [`person`]; [`AdminProblem::NotSignedIn`] without Access and session;
    /// [`RequestProblem::NotFound`] under Access if there is no first account yet.
    pub async fn recognise(context: &'a RequestContext<'a>) -> Result<Self, AdminProblem> {
        let Some(person) = person(context).await? else {
            context.session()?;
            return Ok(Self { context, access: None });
        };
        match calls::directory(context.env, &DirectoryRequest::FindFirst).await? {
            DirectoryReply::Account(DirectoryEntry { id, .. }) => {
                Ok(Self { context, access: Some((person, id)) })
            }
            DirectoryReply::Unknown => Err(RequestProblem::NotFound.into()),
            _ => Err(RequestProblem::Unavailable.into()),
        }
    }

    /// Asks the ledger of the first account to authorise and record an operation.
    ///
    /// # Errors
    /// [`AdminProblem::AccessTooOld`] for a change under a token that is too old for it;
    /// [`RequestProblem::Unavailable`] if the ledger does not answer.
    pub async fn command(&self, operation: OperatorCommand) -> Result<LedgerReply, AdminProblem> {
        let Some((person, account)) = &self.access else {
            return self.context.command(Command::Operate { operation }).await;
        };
        if operation.is_change() && !person.may_change(now()) {
            return Err(AdminProblem::AccessTooOld);
        }
        let (operator, address) = (person.email.clone(), self.context.address());
        let request = LedgerRequest::OperateByAccess { operator, address, operation };
        match self.context.call_ledger(*account, &request).await? {
            LedgerReply::Gone => Err(RequestProblem::NotFound.into()),
            reply => Ok(reply),
        }
    }

    /// Succeeds if that ledger authorises the operation.
    ///
    /// # Errors
    /// As [`Self::command`], and the ledger's refusal.
    pub async fn authorise(&self, operation: OperatorCommand) -> Result<(), AdminProblem> {
        match self.command(operation).await? {
            LedgerReply::Done => Ok(()),
            reply => Err(self.context.refusal(reply)),
        }
    }
}

/// Returns the operator whom Access recognised; `None` if Access is not configured.
///
/// # Errors
/// [`RequestProblem::Misconfigured`] if its settings are wrong. [`RequestProblem::NotFound`]
/// without a token of a listed person: others must not learn that operators exist.
/// [`RequestProblem::Unavailable`] if the team's keys cannot be fetched.
pub async fn person(context: &RequestContext<'_>) -> Result<Option<AccessPerson>, AdminProblem> {
    let access = match &context.config.access {
        Ok(None) => return Ok(None),
        Ok(Some(access)) => access,
        Err(error) => {
            worker::console_error!("the operator's routes do not serve: {error}");
            return Err(RequestProblem::Misconfigured.into());
        }
    };
    let text = context.request.headers.find(ASSERTION_HEADER);
    let assertion =
        text.and_then(Assertion::read).ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
    let key = key(access, assertion.kid()).await?;
    let is_genuine = verify(&key, &assertion).await.unwrap_or(false);
    match assertion.person(is_genuine, access, now()) {
        Ok(person) => Ok(Some(person)),
        Err(refusal) => {
            worker::console_warn!("a token of Cloudflare Access is refused: {refusal}");
            Err(RequestProblem::NotFound.into())
        }
    }
}

/// Returns a key of the team, fetched if this isolate does not know it.
async fn key(access: &AccessSettings, kid: &str) -> Result<TeamKey, AdminProblem> {
    let find = || KEYS.with_borrow_mut(|keys| keys.find(kid, now()));
    // A fetch ends within its time, and this request may then have to fetch by itself.
    let steps = FETCH_TIME.as_ms().div_ceil(WAIT_STEP_MS).saturating_add(2);
    for _ in 0..steps {
        match find() {
            TeamKeyLookup::Found(key) => return Ok(key),
            TeamKeyLookup::Unknown => return Err(RequestProblem::NotFound.into()),
            TeamKeyLookup::Unreachable => return Err(RequestProblem::Unavailable.into()),
            TeamKeyLookup::Wait => worker::Delay::from(Duration::from_millis(WAIT_STEP_MS)).await,
            TeamKeyLookup::Fetch => load(access).await,
        }
    }
    Err(RequestProblem::Unavailable.into())
}

/// Fetches the team's keys and stores them. A failure is logged.
async fn load(access: &AccessSettings) {
    let limit = worker::Delay::from(Duration::from_millis(FETCH_TIME.as_ms()));
    let error = match select(pin!(fetch(access)), limit).await {
        Either::Left((Ok(keys), _)) => {
            KEYS.with_borrow_mut(|known| known.loaded(keys, now()));
            return;
        }
        Either::Left((Err(error), _)) => error,
        Either::Right(_) => "no answer in time".into(),
    };
    KEYS.with_borrow_mut(TeamKeys::failed);
    worker::console_error!("the keys of ACCESS_TEAM could not be fetched: {error}");
}

async fn fetch(access: &AccessSettings) -> Result<Vec<TeamKey>, worker::Error> {
    let mut init = RequestInit::new();
    // No redirects: only the team's own server names its keys.
    init.with_method(Method::Get).with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(&access.keys_url(), &init)?;
    let mut response = Fetch::Request(request).send().await?;
    if response.status_code() != 200 {
        return Err(format!("status {}", response.status_code()).into());
    }
    let (mut stream, mut document) = (response.stream()?, Vec::new());
    while let Some(chunk) = stream.next().await {
        document.extend_from_slice(&chunk?);
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err("a document that is too large".into());
        }
    }
    TeamKey::read_all(&document).ok_or_else(|| "a document without keys".into())
}

/// Returns `true` if the signature is right under the key.
async fn verify(key: &TeamKey, assertion: &Assertion<'_>) -> Result<bool, JsValue> {
    let (algorithm, usages) = (JSON::parse(RS256)?, JSON::parse(r#"["verify"]"#)?);
    let jwk = JSON::parse(&key.to_jwk())?;
    let key = JsFuture::from(import_key("jwk", &jwk, &algorithm, false, &usages)?).await?;
    // Copies, because the platform reads them after this call has returned.
    let (signature, signed) =
        (Uint8Array::from(assertion.signature()), Uint8Array::from(assertion.signed()));
    let is_right = verify_signature(&algorithm, &key, &signature, &signed)?;
    Ok(JsFuture::from(is_right).await?.as_bool() == Some(true))
}
