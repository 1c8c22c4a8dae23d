//! The Durable Objects' side: one adapter for all five kinds, which follows the contract of
//! [`claviger_control::objects::object`].
//!
//! | kind | instance | binding | holds |
//! | --- | --- | --- | --- |
//! | `Ledger` | `ledger/<account>` | `LEDGER` | one account: members, sessions, keys, journal, audit |
//! | `Name` | `member/<e-mail>` | `NAME` | the person with that address: memberships, password hash |
//! | `Directory` | `directory` | `DIRECTORY` | the list of accounts |
//! | `Address` | `tries/address/<n>`, `tries/name/<n>` | `ADDRESS` | tries by address, tries by name |
//! | `Address` | `tries/api-address/<n>`, `tries/api-name/<n>` | `ADDRESS` | the same at API users |
//! | `ApiName` | `api-user/<name>` | `API_NAME` | the API user with that name: hashes of secrets |
//!
//! Each call creates the object's value anew over its database. Data in memory ([`memory`]) may be
//! lost, for example by a trap.

use std::rc::Rc;

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log;
use claviger_control::admin::mail::Taking;
use claviger_control::ledger::ledger::Ledger;
use claviger_control::objects::address::Address;
use claviger_control::objects::api_name::ApiName;
use claviger_control::objects::directory::Directory;
use claviger_control::objects::name::{Argon2id, Name};
use claviger_control::objects::object::{
    DurableObject, EFFECTS_PER_RING_MAX, Entropy, RE_ARM_MS, answer, outcome_of,
    outcome_of_api_name, outcome_of_news,
};
use claviger_control::objects::tasks::EFFECT_TIMEOUT_MS;
use claviger_control::protocol::api_name::{ApiNameReply, ApiNameRequest};
use claviger_control::protocol::caller::{self, CallerRefused, ObjectCaller};
use claviger_control::protocol::effect::{ApiNameConfirmation, Effect, EffectOutcome};
use claviger_control::protocol::envelope::Envelope;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::mailbox::{AddressChange, PersonMove};
use claviger_control::protocol::master::MasterSecrets;
use claviger_control::protocol::objects::{
    AddressRequest, DirectoryReply, DirectoryRequest, NameReply, NameRequest,
};
use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::replication::edge_call::EdgeRequest;
use claviger_core::replication::kv_mac::{Authenticity, KvMac};
use claviger_core::replication::link;
use claviger_core::replication::record::kv_key;
use claviger_workers::rng;
use rand_core::Rng;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use worker::worker_sys::DurableObjectState;
use worker::{Env, ScheduledTime, State, Storage};

use crate::clock::now;
use crate::memory::{self, Memory};
use crate::storage::ObjectSql;
use crate::{calls, mail, settings};

/// Answers a request to the object of class `kind`. `life` is the number of its memory.
///
/// # Errors
/// The reason for which the object could not answer; the caller only learns that it failed.
#[wasm_bindgen]
pub async fn object(
    kind: String,
    life: u32,
    ctx: JsValue,
    env: JsValue,
    request: web_sys::Request,
) -> Result<web_sys::Response, JsValue> {
    let headers = request.headers();
    let (edge, proof) = (headers.get(link::EDGE_HEADER)?, headers.get(caller::PROOF_HEADER)?);
    if edge.is_none() && proof.is_none() {
        // Neither body nor memory is spent on it.
        return Ok(refuse(&kind, &CallerRefused::Unproven)?.into());
    }
    let host = Host::new(life, ctx, env);
    let text = worker::Request::from(request).text().await?;
    let (config, id) = (host.config()?, host.id.as_str());
    let caller = caller::authenticate(
        edge.as_deref(),
        proof.as_deref(),
        (&config.master, &config.digest),
        id,
        &text,
    );
    let reply = match (caller, kind.as_str()) {
        (Err(refused), _) => return Ok(refuse(&kind, &refused)?.into()),
        (Ok(ObjectCaller::Edge), "Ledger") => {
            host.answer::<EdgeRequest, _>(&host.ledger(), &text).await
        }
        (Ok(ObjectCaller::Edge), _) => {
            return Ok(refuse(&kind, &CallerRefused::NotForEdges)?.into());
        }
        (Ok(ObjectCaller::Own), "Ledger") => {
            let ledger = host.ledger().with_master(&config.master);
            host.answer::<LedgerRequest, _>(&ledger, &text).await
        }
        (Ok(ObjectCaller::Own), "Name") => {
            let name = Name::new(&host.sql, &config.master, &Argon2id);
            host.answer::<NameRequest, _>(&name, &text).await
        }
        (Ok(ObjectCaller::Own), "Directory") => {
            host.answer::<DirectoryRequest, _>(&Directory::new(&host.sql), &text).await
        }
        (Ok(ObjectCaller::Own), "Address") => {
            host.answer::<AddressRequest, _>(&Address::new(&host.sql), &text).await
        }
        (Ok(ObjectCaller::Own), "ApiName") => {
            let name = host.api_name(&config.master);
            host.answer::<ApiNameRequest, _>(&name, &text).await
        }
        (Ok(ObjectCaller::Own), _) => Err("no such class".into()),
    }?;
    Ok(worker::Response::ok(reply)?.into())
}

/// Refuses a caller, and logs why. An edge that does not fit learns the reason.
fn refuse(kind: &str, refused: &CallerRefused) -> Result<worker::Response, worker::Error> {
    worker::console_error!("a call to {kind} is refused: {refused}");
    let CallerRefused::Misfit(misfit) = refused else {
        return Ok(worker::Response::empty()?.with_status(403));
    };
    let answer = worker::Response::empty()?.with_status(503);
    answer.headers().set(link::ADMIN_HEADER, &["misfit ", &misfit.to_string()].concat())?;
    Ok(answer)
}

/// Handles an alarm of the object of class `kind`.
///
/// # Errors
/// As [`object`]; the platform then rings again.
#[wasm_bindgen]
pub async fn alarm(kind: String, life: u32, ctx: JsValue, env: JsValue) -> Result<(), JsValue> {
    let host = Host::new(life, ctx, env);
    // First of all, because the platform gives up an alarm whose handler fails repeatedly.
    host.ring_at(UnixMs::from_ms(now().as_ms().saturating_add_unsigned(RE_ARM_MS))).await?;
    if let Err(error) = host.work_as(&kind).await {
        worker::console_error!("an alarm of {kind} failed and rings again: {error}");
    }
    Ok(())
}

/// One object instance, as the platform runs it.
struct Host {
    /// The object's ID, 64 hex digits, which names its class and instance.
    id: String,
    storage: Storage,
    sql: ObjectSql,
    env: Env,
    memory: Rc<Memory>,
}

impl Host {
    fn new(life: u32, ctx: JsValue, env: JsValue) -> Self {
        use wasm_bindgen::JsCast;
        let state = State::from(ctx.unchecked_into::<DurableObjectState>());
        let (sql, memory) = (ObjectSql::new(state.storage()), memory::of(life, now()));
        Self {
            id: state.id().to_string(),
            storage: state.storage(),
            sql,
            env: env.unchecked_into(),
            memory,
        }
    }

    /// Returns the settings, for proofs, pepper and mail. This Worker serves no request with wrong
    /// settings, so they are valid here.
    fn config(&self) -> Result<Rc<AdminConfig>, worker::Error> {
        settings::config(&self.env).map_err(|problem| problem.title().into())
    }

    fn ledger(&self) -> Ledger<'_> {
        // This Worker serves no request with wrong settings, so the default is never visible.
        let ledger = Ledger::new(&self.sql)
            .with_uses(Rc::clone(&self.memory.uses))
            .with_rates(Rc::clone(&self.memory.rates));
        ledger.on_terms(settings::terms(&self.env).unwrap_or_default())
    }

    fn api_name<'a>(&'a self, master: &'a MasterSecrets) -> ApiName<'a> {
        let name = ApiName::new(&self.sql, master, &Argon2id);
        name.with_remembered(Rc::clone(&self.memory.remembered))
    }

    async fn answer<Q: DeserializeOwned + Into<O::Request>, O: DurableObject>(
        &self,
        object: &O,
        request: &str,
    ) -> Result<String, worker::Error> {
        let mut bytes = [0; 32];
        rng().fill_bytes(&mut bytes);
        let reply = answer::<Q, O>(object, request, now(), &Entropy(bytes)).map_err(failed)?;
        // In the same turn as the writes, so that the platform commits both or neither.
        self.ring_in_time(object).await?;
        Ok(reply)
    }

    async fn work_as(&self, kind: &str) -> Result<(), worker::Error> {
        match kind {
            "Ledger" => self.work(&self.ledger()).await,
            "Name" => self.work(&Name::new(&self.sql, &self.config()?.master, &Argon2id)).await,
            "Directory" => self.work(&Directory::new(&self.sql)).await,
            "Address" => self.work(&Address::new(&self.sql)).await,
            "ApiName" => self.work(&self.api_name(&self.config()?.master)).await,
            _ => Err("no such class".into()),
        }
    }

    async fn work<O: DurableObject>(&self, object: &O) -> Result<(), worker::Error> {
        for _ in 0..EFFECTS_PER_RING_MAX {
            let Some(effect) = object.next_effect(now()).map_err(failed)? else { break };
            // Requests may run during this await: the input gate does not cover calls to KV or
            // other objects. After a timeout the effect may still be in flight. Its task stays
            // taken, so that no second effect starts beside it.
            if let Some(outcome) = self.execute(&effect).await {
                object.settle(&effect, &outcome, now()).map_err(failed)?;
            }
        }
        if let Some(alert) = object.alert(now()).map_err(failed)? {
            worker::console_error!("{alert}");
        }
        // While storage is awaited, the input gate holds back other requests. So no request can
        // write between this check and the deletion.
        if object.is_spent().map_err(failed)? {
            self.memory.rings_at.set(None);
            self.storage.delete_alarm().await?;
            return self.storage.delete_all().await;
        }
        self.ring_when(object.next_due().map_err(failed)?).await
    }

    /// Sets the alarm for the next due task, unless it already rings earlier. Setting it writes a
    /// row, and an alarm that rings early only checks again.
    async fn ring_in_time<O: DurableObject>(&self, object: &O) -> Result<(), worker::Error> {
        let due = object.next_due().map_err(failed)?;
        let is_set =
            |due: UnixMs| self.memory.rings_at.get().is_some_and(|at| now() < at && at <= due);
        if due.is_some_and(is_set) { Ok(()) } else { self.ring_when(due).await }
    }

    async fn ring_when(&self, due: Option<UnixMs>) -> Result<(), worker::Error> {
        match due {
            Some(due) => self.ring_at(due).await,
            None => {
                self.memory.rings_at.set(None);
                self.storage.delete_alarm().await
            }
        }
    }

    async fn ring_at(&self, due: UnixMs) -> Result<(), worker::Error> {
        let date = js_sys::Date::new(&JsValue::from_f64(due.as_ms() as f64));
        self.memory.rings_at.set(Some(due));
        let set = self.storage.set_alarm(ScheduledTime::new(date)).await;
        set.inspect_err(|_| self.memory.rings_at.set(None))
    }

    /// Executes an effect; `None` after a timeout, when its outcome is unknown.
    async fn execute(&self, effect: &Effect) -> Option<EffectOutcome> {
        let limit = worker::Delay::from(core::time::Duration::from_millis(EFFECT_TIMEOUT_MS));
        let work = core::pin::pin!(self.perform(effect));
        match futures_util::future::select(work, limit).await {
            futures_util::future::Either::Left((outcome, _)) => Some(outcome),
            futures_util::future::Either::Right(_) => None,
        }
    }

    async fn perform(&self, effect: &Effect) -> EffectOutcome {
        let done = match effect {
            Effect::PutRecord { key, value, .. } => self.put(key, value).await.is_ok(),
            Effect::ConfirmName { email, request } => {
                let confirm = NameRequest::Confirm {
                    account: request.account,
                    member: request.member,
                    secret_version: request.secret_version,
                };
                matches!(calls::name(&self.env, email, &confirm).await, Ok(NameReply::Confirmed))
            }
            Effect::ConfirmAccount { account, name, suspended } => {
                let confirm = DirectoryRequest::Confirm {
                    account: *account,
                    name: Some(name.clone()),
                    suspended: Some(*suspended),
                };
                matches!(calls::directory(&self.env, &confirm).await, Ok(DirectoryReply::Noted))
            }
            Effect::LeaveName { email, account, member } => {
                let leave = NameRequest::Leave { account: *account, member: *member };
                matches!(calls::name(&self.env, email, &leave).await, Ok(NameReply::NotHeld))
            }
            Effect::SendMail { envelope } => return self.mail(envelope).await,
            Effect::AskHolds { account, member, email } => {
                let ask = LedgerRequest::Holds { member: *member, email: email.clone() };
                return self.ask(*account, &ask).await;
            }
            Effect::ConfirmApiName(ApiNameConfirmation { account, id, name, version }) => {
                let (account, id, version) = (*account, *id, *version);
                let confirm = ApiNameRequest::Confirm { account, id, version };
                // A user without the name has no later confirmation either.
                matches!(
                    calls::api_name(&self.env, name, &confirm).await,
                    Ok(ApiNameReply::Confirmed | ApiNameReply::NotHeld)
                )
            }
            Effect::LeaveApiName { account, id, through, name } => {
                let (account, id, through) = (*account, *id, *through);
                let leave = ApiNameRequest::Leave { account, id, through };
                matches!(calls::api_name(&self.env, name, &leave).await, Ok(ApiNameReply::NotHeld))
            }
            Effect::AskApiName { account, name } => {
                let ask = LedgerRequest::HoldsApiName { name: name.clone() };
                return match calls::ledger(&self.env, *account, &ask).await {
                    Ok(reply) => outcome_of_api_name(&reply),
                    Err(_) => EffectOutcome::Failed,
                };
            }
            Effect::AskExists { account } => {
                return self.ask(*account, &LedgerRequest::Exists).await;
            }
            Effect::TellPassword { account, news } => {
                let news = LedgerRequest::PasswordChanged(news.clone());
                return match calls::ledger(&self.env, *account, &news).await {
                    Ok(reply) => outcome_of_news(&reply),
                    Err(_) => EffectOutcome::Failed,
                };
            }
            Effect::MovePerson { moved } => {
                let request = NameRequest::ReceivePerson(PersonMove::clone(moved));
                return match calls::name(&self.env, &moved.change.to, &request).await {
                    Ok(NameReply::Received) => EffectOutcome::Done,
                    Ok(NameReply::Taken) => EffectOutcome::Answered { held: false },
                    _ => EffectOutcome::Failed,
                };
            }
            Effect::SettleMove { change } => {
                let request = NameRequest::SettleMove(AddressChange::clone(change));
                matches!(
                    calls::name(&self.env, &change.to, &request).await,
                    Ok(NameReply::Received)
                )
            }
            Effect::TellAddress { account, news } => {
                let news = LedgerRequest::AddressChanged(news.clone());
                return match calls::ledger(&self.env, *account, &news).await {
                    Ok(reply) => outcome_of_news(&reply),
                    Err(_) => EffectOutcome::Failed,
                };
            }
            Effect::TellAttempts { account, news, .. } => {
                for report in &news.attempts {
                    worker::console_warn!("{}", log::reported(*account, news.member, report));
                }
                let news = LedgerRequest::AttemptsRefused(news.clone());
                return match calls::ledger(&self.env, *account, &news).await {
                    Ok(reply) => outcome_of_news(&reply),
                    Err(_) => EffectOutcome::Failed,
                };
            }
            Effect::TellEpoch { account, epoch } => {
                let notice = LedgerRequest::Restored { epoch: epoch.clone() };
                matches!(calls::ledger(&self.env, *account, &notice).await, Ok(LedgerReply::Done))
            }
            Effect::PutLease { key, value, .. } => self.put(key, value).await.is_ok(),
            Effect::ReadBack { key, .. } | Effect::ReadLease { key, .. } => {
                return read(self.read_back(key).await);
            }
            Effect::ReadMany { ids } => return read(self.read_many(ids).await),
            Effect::ListKv { prefix, cursor } => {
                return read(self.list(prefix, cursor.as_deref()).await);
            }
        };
        if done { EffectOutcome::Done } else { EffectOutcome::Failed }
    }

    async fn ask(
        &self,
        account: claviger_core::base::id::AccountId,
        request: &LedgerRequest,
    ) -> EffectOutcome {
        match calls::ledger(&self.env, account, request).await {
            Ok(reply) => outcome_of(&reply),
            Err(_) => EffectOutcome::Failed,
        }
    }

    async fn mail(&self, envelope: &Envelope) -> EffectOutcome {
        let config = match self.config() {
            Ok(config) => config,
            Err(error) => {
                worker::console_error!("mail {} stays: {error}", envelope.id);
                return EffectOutcome::Failed;
            }
        };
        match mail::send(&self.env, &config, envelope).await {
            Taking::Taken => EffectOutcome::Done,
            Taking::NotNow => EffectOutcome::Failed,
            Taking::Never => EffectOutcome::Refused,
        }
    }

    fn kv_mac(&self) -> Result<KvMac, worker::Error> {
        let config = self.config()?;
        Ok(KvMac::new(config.keyring(), &config.prefix))
    }

    async fn read_back(&self, key: &str) -> Result<EffectOutcome, worker::Error> {
        let mac = self.kv_mac()?;
        let value =
            self.env.kv(calls::KEYS)?.get(key).cache_ttl(calls::CACHE_TTL_MIN_S).text().await?;
        Ok(EffectOutcome::Read { value: opened(&mac, key, value) })
    }

    async fn read_many(&self, ids: &[KeyId]) -> Result<EffectOutcome, worker::Error> {
        let mac = self.kv_mac()?;
        let keys: Vec<String> = ids.iter().map(|id| kv_key(*id)).collect();
        let mut held = self
            .env
            .kv(calls::KEYS)?
            .get_bulk(&keys)
            .cache_ttl(calls::CACHE_TTL_MIN_S)
            .text()
            .await?;
        let values = ids
            .iter()
            .zip(&keys)
            .map(|(id, key)| (*id, opened(&mac, key, held.remove(key).flatten())));
        Ok(EffectOutcome::ReadMany { values: values.collect() })
    }

    async fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
    ) -> Result<EffectOutcome, worker::Error> {
        let mut list = self.env.kv(calls::KEYS)?.list().prefix(prefix.to_owned());
        if let Some(cursor) = cursor {
            list = list.cursor(cursor.to_owned());
        }
        let page = list.execute().await?;
        let names = page.keys.into_iter().map(|key| key.name).collect();
        Ok(EffectOutcome::Listed { names, cursor: page.cursor.filter(|_| !page.list_complete) })
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), worker::Error> {
        let put = async {
            let signed = self.kv_mac()?.sign(key, value);
            self.env.kv(calls::KEYS)?.put(key, signed)?.execute().await.map_err(worker::Error::from)
        };
        put.await.inspect_err(|error| worker::console_error!("KV did not take a record: {error}"))
    }
}

/// Returns the JSON of a value that KV holds under `key`; `None` if it is not this deployment's, or
/// not under the newest generation of the keyring. The ledger then puts its own value again.
fn opened(mac: &KvMac, key: &str, value: Option<String>) -> Option<String> {
    let value = value?;
    if mac.check(key, &value) == Authenticity::Wrong {
        worker::console_warn!("KV: the value of {key} has a wrong MAC (forged, or moved)");
    }
    mac.open(key, &value)
}

/// Logs a failed read of KV, which counts as [`EffectOutcome::Failed`].
fn read(outcome: Result<EffectOutcome, worker::Error>) -> EffectOutcome {
    outcome.unwrap_or_else(|error| {
        worker::console_error!("KV could not be read for the ledger: {error}");
        EffectOutcome::Failed
    })
}

/// Converts an error for the caller's log; it contains no values.
fn failed(error: claviger_control::objects::object::ObjectError) -> worker::Error {
    format!("an object failed: {error}").into()
}
