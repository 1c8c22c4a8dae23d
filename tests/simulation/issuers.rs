//! Issuers and what they issue, with what must hold for it: whatever ends an issuer, its password or one sealed key ends what was issued for good,
//! a ceiling binds what was issued under another, and what was just issued works everywhere at once.
//!
//! The clocks of a run with issuers differ by no more than is reckoned with: what was issued says when.

use claviger::expiry::Expiry;
use claviger::gateway::Check;
use claviger::id::{AccountId, AnyKeyId, SealedId, ServiceId};
use claviger::issuance::IssuerProof;
use claviger::issuer::{Issuer, Issuing};
use claviger::key::NewKey;
use claviger::lease::call::{Lookup, Need, RefreshReply};
use claviger::lease::rules::Rules;
use claviger::network::{ClientAddress, Networks};
use claviger::permission::Permission;
use claviger::protocol::{Command, LedgerReply, LedgerRequest, ServiceCommand};
use claviger::record::{Interface, Revision, Standing, kv_key};
use claviger::refresh::{Refresh, RefreshRequest};
use claviger::sealed::{Claims, NewSealed};
use claviger::secret::Digest;
use claviger::service::NewService;
use claviger::time::DurationMs;
use claviger::vault::Sealed;
use claviger::verdict::Denial;
use claviger::verify::{Demand, Facts};
use rand_chacha::rand_core::Rng;
use serde_json::json;

use crate::host::at;
use crate::model::{Ask, Judged, State};
use crate::world::{Checked, SKEW_MS, World};

/// How long what is issued lives.
const LIFE: i64 = 20 * 3_600_000;

/// A key that is issuable, or the service password.
struct IssuerModel {
    /// `None`: the service password.
    key: Option<usize>,
    /// Digest of the password.
    password: Digest,
    /// Since when issued keys may write, or may not.
    ceilings: Vec<(i64, bool)>,
    /// When all that it had issued was ended, though it was not disabled or deleted.
    ended: Vec<i64>,
}

/// What was issued.
struct IssuedKey {
    text: String,
    id: AnyKeyId,
    issuer: usize,
    born: i64,
    /// How many of its issuer's ends, ceilings and versions came before it.
    after: (usize, usize, usize),
    may_write: bool,
    revoked: Option<i64>,
}

/// All of an account.
#[derive(Default)]
pub struct Issuers {
    issuers: Vec<IssuerModel>,
    issued: Vec<IssuedKey>,
}

/// Of the right shape: nobody here looks at its tag.
fn service_id(account: AccountId) -> ServiceId {
    ServiceId::parse(&format!("{:1<width$}", account.as_str(), width = ServiceId::WIDTH)).unwrap()
}

fn ceiling(may_write: bool) -> serde_json::Value {
    let permissions: &[&str] = if may_write { &["demo:read", "demo:write"] } else { &["demo:read"] };
    json!({ "permissions": permissions, "networks": "", "longest": "24h" })
}

impl<R: Rules> World<R> {
    pub fn step_issuing(&mut self) -> Checked {
        if self.now < self.ledger_out_until {
            return self.present();
        }
        match self.random(10) {
            0 => self.change_password(),
            1 => self.change_ceiling(),
            2 => self.revoke(),
            3..6 => self.issue_by_issuer(),
            _ => return self.present(),
        }
        Ok(())
    }

    fn any_issuer(&mut self) -> Option<usize> {
        let count = self.issuers.issuers.len() as i64;
        (count > 0).then(|| self.random(count) as usize)
    }

    /// The account's state, as the ledger says.
    fn truth(&mut self) -> Refresh {
        let request = LedgerRequest::Refresh(RefreshRequest::default());
        match self.host.handle(request, &mut self.rng, self.now) {
            Some(LedgerReply::Refreshed(refresh)) => refresh,
            other => panic!("no state: {other:?}"),
        }
    }

    /// Does what a member asks, or signs them in anew.
    fn ask_as_member(&mut self, command: Command) -> Option<LedgerReply> {
        let reply = self.host.command(command, &mut self.rng, self.now);
        self.arm();
        if matches!(
            reply,
            Some(LedgerReply::Service(_) | LedgerReply::ServiceChanged { .. } | LedgerReply::Revoked { .. })
        ) {
            return reply;
        }
        let now = self.now;
        self.host.sign_in(&mut self.rng, now);
        None
    }

    fn service_revision(&mut self) -> Option<Revision> {
        match self.ask_as_member(Command::Service { service: ServiceCommand::Show })? {
            LedgerReply::Service(view) => Some(view.revision),
            other => panic!("no view: {other:?}"),
        }
    }

    fn change_password(&mut self) {
        let Some(expected) = self.service_revision() else { return };
        let password = Digest::of(&self.rng.next_u64().to_be_bytes());
        let ids = vec![service_id(self.host.account)];
        let new = NewService { ids, digest: password, sealed: Sealed::from_stored(String::new()) };
        let command = Command::Service { service: ServiceCommand::Change { expected, new } };
        if self.ask_as_member(command).is_none() {
            return;
        }
        let now = self.now;
        match self.issuers.issuers.iter_mut().find(|issuer| issuer.key.is_none()) {
            Some(issuer) => {
                issuer.password = password;
                issuer.ended.push(now);
            }
            None => {
                let ceilings = vec![(now, false)];
                let issuer = IssuerModel { key: None, password, ceilings, ended: Vec::new() };
                self.issuers.issuers.push(issuer);
            }
        }
        self.set_ceiling(self.issuers.issuers.iter().position(|issuer| issuer.key.is_none()).unwrap());
    }

    /// Some key becomes issuable, or an issuer's ceiling is set.
    fn change_ceiling(&mut self) {
        let keys = self.model.keys.len() as i64;
        if self.one_in(2) && keys > 0 {
            let key = self.random(keys) as usize;
            if self.issuers.issuers.iter().any(|issuer| issuer.key == Some(key)) {
                return;
            }
            let password = Digest::of(b"none");
            let issuer = IssuerModel {
                key: Some(key),
                password,
                ceilings: vec![(self.now, false)],
                ended: Vec::new(),
            };
            self.issuers.issuers.push(issuer);
            return self.set_ceiling(self.issuers.issuers.len() - 1);
        }
        if let Some(issuer) = self.any_issuer() {
            self.set_ceiling(issuer);
        }
    }

    fn set_ceiling(&mut self, place: usize) {
        let may_write = self.one_in(2);
        let is_done = match self.issuers.issuers[place].key {
            None => {
                let Some(expected) = self.service_revision() else { return };
                let ceiling = serde_json::from_value(ceiling(may_write)).unwrap();
                let service = ServiceCommand::SetCeiling { expected, ceiling };
                self.ask_as_member(Command::Service { service }).is_some()
            }
            Some(key) => {
                let now = self.model.keys[key].now();
                if ![State::Active, State::Disabled].contains(&now.power.state) {
                    return;
                }
                let changes = serde_json::from_value(json!({ "issuable": ceiling(may_write) })).unwrap();
                let id = self.model.keys[key].text.id();
                let command = Command::Edit { id, expected: Revision(now.revision), changes };
                self.command(key, command, now.power).is_some()
            }
        };
        if is_done {
            let now = self.now;
            self.issuers.issuers[place].ceilings.push((now, may_write));
        }
    }

    fn revoke(&mut self) {
        let count = self.issuers.issued.len() as i64;
        if count == 0 {
            return;
        }
        let place = (count - 1 - self.random(count.min(4))) as usize;
        let key = &self.issuers.issued[place];
        let AnyKeyId::Sealed(id) = key.id else { return };
        if key.revoked.is_some() {
            return;
        }
        let until = at(key.born + LIFE);
        let issuer = self.issuer_of(key.issuer);
        if self.ask_as_member(Command::RevokeSealed { id, issuer, until }).is_some() {
            let now = self.now;
            self.issuers.issued[place].revoked = Some(now);
        }
    }

    fn issuer_of(&self, place: usize) -> Issuer {
        let key = self.issuers.issuers[place].key;
        key.map_or(Issuer::Service, |key| Issuer::Key(self.model.keys[key].text.id()))
    }

    /// What an issuer may issue now; `None`: nothing.
    fn issuing(&mut self, place: usize) -> Option<Issuing> {
        if self.model.is_suspended() {
            return None;
        }
        match self.issuers.issuers[place].key {
            None => Some(self.truth().state?.service?.issuing),
            Some(key) => {
                let record = self.host.record(self.model.keys[key].text.id(), &mut self.rng, self.now)?;
                let Standing::Active(credential) = record.standing else { return None };
                credential.issuing
            }
        }
    }

    fn issue_by_issuer(&mut self) {
        let Some(place) = self.any_issuer() else { return };
        let Some(issuing) = self.issuing(place) else { return };
        let write: Permission = "demo:write".parse().unwrap();
        let may_write = issuing.ceiling.permissions.grants(&write);
        if issuing.ceiling.permissions == Default::default() {
            return;
        }
        let (born, issuer) = (self.now, self.issuer_of(place));
        // By the clock of the edge that issues it.
        let issued_at = at(born + self.random(SKEW_MS));
        let (id, text) = if self.one_in(2) {
            let (account, place) = (self.host.account, (&self.config.prefix, &self.config.ring));
            let id = SealedId::draw(account, issuer, issuing.generation, place, &mut self.rng).unwrap();
            let claims = Claims {
                id,
                issuer,
                issued_at,
                expires_at: issued_at.saturating_add(DurationMs::from_ms(LIFE as u64)),
                networks: Networks::default(),
                permissions: issuing.ceiling.permissions.clone(),
            };
            let sealed = NewSealed::seal(&claims, &self.config.prefix, &self.config.ring).unwrap();
            (AnyKeyId::Sealed(id), sealed.expose().to_owned())
        } else {
            let (account, config) = (self.host.account, &self.config);
            let text = NewKey::generate(account, &config.prefix, &config.ring, &mut self.rng);
            let issuer_key = self.issuers.issuers[place].key;
            let network =
                issuer_key.and_then(|key| self.model.keys[key].now().power.network).unwrap_or_default();
            let digest = match self.issuers.issuers[place].key {
                Some(key) => self.model.keys[key].text.digest(),
                None => self.issuers.issuers[place].password,
            };
            let request = LedgerRequest::IssueByApi {
                id: text.id(),
                digest: text.digest(),
                proof: IssuerProof { issuer, digest },
                at: issued_at,
                expires: Expiry::At(at(born + LIFE)),
                networks: Networks::default(),
                // From where the issuer may be used.
                address: Some(format!("10.0.{network}.1")),
            };
            let reply = self.host.handle(request, &mut self.rng, born);
            self.arm();
            let Some(LedgerReply::Changed { .. }) = reply else { panic!("nothing was issued: {reply:?}") };
            (AnyKeyId::Key(text.id()), text.expose().to_owned())
        };
        let model = &self.issuers.issuers[place];
        let versions = model.key.map_or(0, |key| self.model.keys[key].versions.len());
        let after = (model.ended.len(), model.ceilings.len(), versions);
        let key = IssuedKey { text, id, issuer: place, born, after, may_write, revoked: None };
        self.issuers.issued.push(key);
        self.tally.issued += 1;
    }

    /// Since when a key has ended for good.
    fn end_of(&self, key: &IssuedKey) -> Option<i64> {
        let issuer = &self.issuers.issuers[key.issuer];
        let versions = issuer.key.map_or(&[][..], |issuer| &self.model.keys[issuer].versions[key.after.2..]);
        let disabled = versions.iter().find(|version| version.power.state != State::Active);
        let disabled = disabled.map(|version| version.from);
        let ended = issuer.ended.get(key.after.0).copied();
        [disabled, ended, key.revoked].into_iter().flatten().min()
    }

    /// One of the latest few that were issued is presented, to an isolate whose calls take no time.
    fn present(&mut self) -> Checked {
        let (count, isolates) = (self.issuers.issued.len() as i64, self.isolates.len() as i64);
        if count == 0 || self.late.is_some() {
            return Ok(());
        }
        let place = (count - 1 - self.random(count.min(6))) as usize;
        let isolate = self.random(isolates) as usize;
        if self.isolates[isolate].frozen_until > self.now {
            return Ok(());
        }
        let ask = Ask { network: 0, write: self.one_in(3) };
        let permission: Permission = if ask.write { "demo:write" } else { "demo:read" }.parse().unwrap();
        let (address, demand) = (ClientAddress::parse("10.0.0.1"), Demand::Permission(&permission));
        let facts = Facts { address, interface: Interface::Http, demand };
        let local = at(self.local(isolate));
        let (text, mut lookup) = (self.issuers.issued[place].text.clone(), Lookup::default());
        for _ in 0..8 {
            let check = self.isolates[isolate].gateway.check(&text, &facts, local, local, &lookup);
            match check {
                Check::Need(need) => self.find_out(isolate, need, &mut lookup),
                Check::Verdict(checked) => {
                    if let Some(account) = checked.renew {
                        self.renew((isolate, self.isolates[isolate].life), account);
                    }
                    let verdict = checked.verdict.as_ref().map(|_| ()).map_err(|denial| *denial);
                    if matches!(self.issuers.issued[place].id, AnyKeyId::Key(_))
                        && verdict != Err(Denial::Unavailable)
                    {
                        self.count_use();
                    }
                    let (slack, basis) =
                        (self.isolates[isolate].slack, self.basis(checked.evidence.as_ref()));
                    let (arrived, now) = (self.now, self.now);
                    let judged = Judged { key: 0, ask, arrived, now, slack, basis, failures: 0 };
                    return self.judge_issued(&self.issuers.issued[place], &judged, verdict);
                }
            }
        }
        Err("a request for an issued key does not come to an end".into())
    }

    fn find_out(&mut self, isolate: usize, need: Need, lookup: &mut Lookup) {
        let (local, lot) = (at(self.local(isolate)), self.rng.next_u64());
        match need {
            Need::Kv(id) => {
                let is_out = self.now < self.kv_out_until;
                let text = self.kv.read(&kv_key(id), self.isolates[isolate].mood, lot, self.now);
                let gateway = &mut self.isolates[isolate].gateway;
                let read = gateway.ask_kv(id, local);
                gateway.take_kv(&read, text.as_deref().filter(|_| !is_out), local, lookup);
            }
            Need::Copy(account, shelf) => {
                let read = self.isolates[isolate].gateway.ask_copy(account, shelf, local);
                let text = self.on_shelf(isolate, &read);
                self.isolates[isolate].gateway.take_copy(&read, text.as_deref(), local, Some(lookup));
            }
            Need::Ledger(_) | Need::Issuer(_) | Need::State(_) => {
                let call = self.isolates[isolate].gateway.ask(need, local);
                let is_out = self.now < self.ledger_out_until;
                let reply =
                    if is_out { None } else { self.host.refresh(call.request(), &mut self.rng, self.now) };
                self.arm();
                let reply = reply.map_or(RefreshReply::Failed, RefreshReply::from);
                self.isolates[isolate].gateway.take_refresh(&call, &reply, local, Some(lookup));
                if matches!(reply, RefreshReply::Failed) {
                    self.isolates[isolate].given_up_at = self.now;
                }
            }
        }
    }

    fn judge_issued(&self, key: &IssuedKey, judged: &Judged, verdict: Result<(), Denial>) -> Checked {
        let end = self.end_of(key);
        let ceilings = &self.issuers.issuers[key.issuer].ceilings[key.after.1 - 1..];
        let froms: Vec<i64> = ceilings.iter().map(|(from, _)| *from).collect();
        let ceilings = self.model.candidates(&froms, judged).into_iter().map(|place| ceilings[place].1);
        let ceilings: Vec<bool> = ceilings.collect();
        let suspended = self.model.suspensions(judged, key.born);
        let broken = match verdict {
            Ok(()) if end.is_some_and(|end| !self.model.may_count(end, judged)) => "P1: it has ended",
            Ok(()) if judged.ask.write && !(key.may_write && ceilings.contains(&true)) => {
                "P1: it may not write"
            }
            Ok(()) if !suspended.contains(&false) => "P1: the account is suspended",
            Ok(()) | Err(Denial::Unavailable) => return Ok(()),
            Err(_) if end.is_some() || suspended.contains(&true) => return Ok(()),
            Err(_) if judged.ask.write && (!key.may_write || ceilings.contains(&false)) => return Ok(()),
            Err(_) if judged.now >= key.born + LIFE - SKEW_MS => return Ok(()),
            Err(_) => "P2: it is valid",
        };
        Err(format!(
            "{broken}, but {verdict:?} for {judged:?}: {:?}, born {}, ended {end:?}, ceilings {ceilings:?}",
            key.id, key.born
        ))
    }
}
