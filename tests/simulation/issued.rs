//! What issuers issue, and what must hold for it: whatever ends an issuer, its password or one
//! sealed key ends what was issued for good, a ceiling binds what was issued under another, and
//! what was just issued works everywhere at once, whichever edge has issued it.
//!
//! The clocks of a run with issuers differ by no more than is reckoned with: what was issued says
//! when.

use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::AnyKeyId;
use claviger_core::base::secret::SecretText;
use claviger_core::credential::grant::{Wanted, grant};
use claviger_core::credential::key::NewKey;
use claviger_core::credential::limits::Interface;
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::credential::limits::permission::{Permission, Permissions};
use claviger_core::gateway::check::Check;
use claviger_core::gateway::issuance::{Authority, Credentials, Refused, seal};
use claviger_core::gateway::issuing::{Authorisation, Authorised, Purpose};
use claviger_core::gateway::oauth::{TOKEN_LIFE, grant_token};
use claviger_core::lease::call::{Fetch, Lookup};
use claviger_core::lease::lease::GIVEN_UP;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::edge_call::{IssueByApi, RefreshReply};
use claviger_core::replication::record::{Standing, kv_key};
use claviger_core::verify::verdict::Denial;
use claviger_core::verify::verification::{Demand, Facts};
use rand_chacha::rand_core::Rng;

use crate::host::{at, heard};
use crate::issuers::IssuerModel;
use crate::model::{Ask, Basis, Judged, Power, State};
use crate::world::{ASKS_ADMIN, Checked, SKEW_MS, World};

/// How long what is issued lives.
pub const LIFE: i64 = 20 * 3_600_000;

/// How long a token lives.
const TOKEN_LIFE_MS: i64 = TOKEN_LIFE.as_ms() as i64;

/// What was issued.
pub struct IssuedKey {
    pub text: String,
    pub id: AnyKeyId,
    pub issuer: usize,
    /// Of when the ledger's word is that it rests on.
    pub born: i64,
    /// When its issue was answered.
    pub answered: i64,
    /// How many of its issuer's ends, ceilings and versions came before it.
    pub after: (usize, usize, usize),
    pub may_write: bool,
    /// It is a token of its issuer, which the issuer's own limits bind.
    pub is_token: bool,
    pub revoked: Option<i64>,
}

impl<R: LeaseRules> World<R> {
    /// An issuer asks an isolate to issue, whose calls take no time.
    pub fn issue_by(&mut self, place: usize, isolate: usize) -> Checked {
        if self.isolates[isolate].frozen_until > self.now || self.late.is_some() {
            return Ok(());
        }
        let issuer = &self.issuers.issuers[place];
        let of_key = issuer.key.map(|key| &self.model.keys[key]);
        let credentials = match of_key {
            None => Credentials::Service { account: self.host.account, digest: issuer.password },
            Some(key) => Credentials::Key(SecretText::new(key.text.expose().to_owned())),
        };
        // From where the issuer may be used.
        let network = of_key.and_then(|key| key.now().power.network).unwrap_or_default();
        let address = format!("10.0.{network}.1");
        let is_key = of_key.is_some();
        // Not drawn: the runs stay those that they were without tokens, as far as they can.
        let is_token = is_key && self.issuers.issued.len() % 3 == 2;
        let (local, mut lookup) = (at(self.local(isolate)), Lookup::default());
        for _ in 0..8 {
            let (gateway, from) =
                (&mut self.isolates[isolate].gateway, ClientAddress::parse(&address));
            let authorised = match &credentials {
                Credentials::Key(text) if is_token => gateway.authorise_client(
                    text.expose(),
                    Purpose::Token,
                    from,
                    local,
                    local,
                    &lookup,
                ),
                _ => gateway.authorise_issue(&credentials, from, local, local, &lookup),
            };
            match authorised {
                Authorisation::Fetch(need) => self.find_out(isolate, need, &mut lookup),
                Authorisation::AskAdmin => return Err(ASKS_ADMIN.into()),
                Authorisation::Decided(Authorised { authority, renew }) => {
                    if let Some(account) = renew {
                        self.renew((isolate, self.isolates[isolate].life), account);
                    }
                    if is_key {
                        self.count_use(authority.is_ok());
                    }
                    return match authority {
                        Ok(authority) => self.issue_with(place, isolate, &authority, &address),
                        Err(refused) => {
                            self.judge_refusal(place, isolate, (network, is_token), &refused)
                        }
                    };
                }
            }
        }
        Err("an issue does not come to an end".into())
    }

    /// An edge issues by what it knows.
    fn issue_with(
        &mut self,
        place: usize,
        isolate: usize,
        authority: &Authority,
        address: &str,
    ) -> Checked {
        let is_token = authority.is_token;
        let Some(ceiling) = self.bounds(place, is_token) else {
            return Err(format!("P1: it may not issue any more, but {authority:?}"));
        };
        let (born, issued_at) = (self.now, at(self.local(isolate)));
        let granted = if is_token {
            grant_token(authority, None, issued_at)
                .map_err(|refused| format!("P2: no token: {refused:?}"))?
        } else {
            let expires = Some(Expiry::At(at(born + LIFE)));
            let wanted = Wanted { expires, networks: Networks::default() };
            grant(wanted, &authority.issuing.ceiling, authority.expires, issued_at)
                .map_err(|refused| format!("P2: not granted: {refused:?}"))?
        };
        let (id, text) = if self.one_in(2) || is_token {
            let sealed =
                seal(&granted, authority, issued_at, &self.config, &mut self.rng).expect("it fits");
            (AnyKeyId::Sealed(sealed.id()), sealed.expose().to_owned())
        } else {
            let (account, config) = (self.host.account, &self.config);
            let text = NewKey::generate(account, &config.prefix, &config.keyring, &mut self.rng);
            let request = LedgerRequest::IssueByApi(IssueByApi {
                id: text.id(),
                digest: text.digest(),
                proof: authority.proof,
                at: issued_at,
                expires: granted.expires,
                networks: granted.networks,
                address: Some(address.to_owned()),
            });
            let reply = self.host.handle(request, &mut self.rng, born);
            self.arm();
            let Some(LedgerReply::Changed { .. }) = reply else {
                return Err(format!("P2: nothing was issued: {reply:?}"));
            };
            (AnyKeyId::Key(text.id()), text.expose().to_owned())
        };
        let answered = born + if self.one_in(3) { self.random(3_000) } else { 0 };
        let write: Permission = "demo:write".parse().unwrap();
        let may_write = ceiling.grants(&write);
        let IssuerModel { key, ended, ceilings, .. } = &self.issuers.issuers[place];
        let versions = key.map_or(0, |key| self.model.keys[key].versions.len());
        let after = (ended.len(), ceilings.len(), versions);
        let issuer = place;
        self.issuers.issued.push(IssuedKey {
            text,
            id,
            issuer,
            born,
            answered,
            after,
            may_write,
            is_token,
            revoked: None,
        });
        self.tally.issued += 1;
        Ok(())
    }

    /// What an issuer may grant now: to what it issues, or to a token of its own.
    fn bounds(&mut self, place: usize, is_token: bool) -> Option<Permissions> {
        if !is_token {
            return self.issuing(place).map(|issuing| issuing.ceiling.permissions);
        }
        if self.model.is_suspended() {
            return None;
        }
        let id = self.model.keys[self.issuers.issuers[place].key?].text.id();
        match self.host.record(id, &mut self.rng, self.now)?.standing {
            Standing::Active(credential) => Some(credential.limits.permissions),
            Standing::Disabled(_) | Standing::Deleted => None,
        }
    }

    /// P2: who may issue is refused only where it is not known yet.
    fn judge_refusal(
        &self,
        place: usize,
        isolate: usize,
        (network, is_token): (u8, bool),
        refused: &Refused,
    ) -> Checked {
        let (now, slack) = (self.now, self.isolates[isolate].slack);
        if *refused == Refused::Unavailable
            && now - self.isolates[isolate].given_up_at < GIVEN_UP.as_ms() as i64 + slack
        {
            return Ok(());
        }
        let basis = if self.is_eventual { Basis::Documents } else { Basis::Ledger };
        let ask = Ask { network, write: false };
        let judged = Judged { key: 0, ask, arrived: now, now, slack, basis, failures: 0 };
        let IssuerModel { key, ceilings, .. } = &self.issuers.issuers[place];
        let froms: Vec<i64> = ceilings.iter().map(|(from, _)| *from).collect();
        let candidates = self.model.candidates(&froms, &judged);
        let is_unbound =
            !is_token && candidates.into_iter().any(|place| ceilings[place].1.is_none());
        let is_unfit = key.is_some_and(|key| {
            let versions = &self.model.keys[key].versions;
            let froms: Vec<i64> = versions.iter().map(|version| version.from).collect();
            let mut powers = self
                .model
                .candidates(&froms, &judged)
                .into_iter()
                .map(|place| versions[place].power);
            powers.any(|power| {
                power.state != State::Active
                    || power.network.is_some_and(|allowed| allowed != network)
            })
        });
        if is_unbound || is_unfit || self.model.suspensions(&judged, i64::MIN).contains(&true) {
            return Ok(());
        }
        Err(format!("P2: it may issue, but {refused:?} for {judged:?}"))
    }

    /// Since when a key has ended for good.
    fn end_of(&self, key: &IssuedKey) -> Option<i64> {
        let issuer = &self.issuers.issuers[key.issuer];
        let versions =
            issuer.key.map_or(&[][..], |issuer| &self.model.keys[issuer].versions[key.after.2..]);
        let disabled = versions.iter().find(|version| version.power.state != State::Active);
        let disabled = disabled.map(|version| version.from);
        let ended = issuer.ended.get(key.after.0).copied();
        [disabled, ended, key.revoked].into_iter().flatten().min()
    }

    /// One of the latest few that were issued is presented, to an isolate whose calls take no time.
    pub fn present(&mut self) -> Checked {
        let (count, isolates) = (self.issuers.issued.len() as i64, self.isolates.len() as i64);
        if count == 0 || self.late.is_some() {
            return Ok(());
        }
        let place = (count - 1 - self.random(count.min(6))) as usize;
        let isolate = self.random(isolates) as usize;
        if self.isolates[isolate].frozen_until > self.now
            || self.issuers.issued[place].answered > self.now
        {
            return Ok(());
        }
        let ask = Ask { network: 0, write: self.one_in(3) };
        let permission: Permission =
            if ask.write { "demo:write" } else { "demo:read" }.parse().unwrap();
        let (address, demand) = (ClientAddress::parse("10.0.0.1"), Demand::Permission(&permission));
        let facts = Facts { address, interface: Interface::Http, demand };
        let local = at(self.local(isolate));
        let (text, mut lookup) = (self.issuers.issued[place].text.clone(), Lookup::default());
        for _ in 0..8 {
            let check = self.isolates[isolate].gateway.check(&text, &facts, local, local, &lookup);
            match check {
                Check::Fetch(need) => self.find_out(isolate, need, &mut lookup),
                Check::AskAdmin => return Err(ASKS_ADMIN.into()),
                Check::Decided(checked) => {
                    if let Some(account) = checked.renew {
                        self.renew((isolate, self.isolates[isolate].life), account);
                    }
                    let verdict = checked.verdict.as_ref().map(|_| ()).map_err(|denial| *denial);
                    if matches!(self.issuers.issued[place].id, AnyKeyId::Key(_))
                        && verdict != Err(Denial::Unavailable)
                    {
                        self.count_use(verdict.is_ok());
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

    fn find_out(&mut self, isolate: usize, need: Fetch, lookup: &mut Lookup) {
        let (local, lot) = (at(self.local(isolate)), self.rng.next_u64());
        match need {
            Fetch::Kv(id) => {
                let is_out = self.now < self.kv_out_until;
                let text = self.kv.read(&kv_key(id), self.isolates[isolate].mood, lot, self.now);
                let gateway = &mut self.isolates[isolate].gateway;
                let read = gateway.leases_mut().ask_kv(id, local);
                gateway.take_kv(&read, text.as_deref().filter(|_| !is_out), local, lookup);
            }
            Fetch::Copy(account, source) => {
                let read =
                    self.isolates[isolate].gateway.leases_mut().ask_copy(account, source, local);
                let text = self.read_copy(isolate, &read);
                self.isolates[isolate].gateway.take_copy(
                    &read,
                    text.as_deref(),
                    local,
                    Some(lookup),
                );
            }
            Fetch::Ledger(_) | Fetch::Issuer(_) | Fetch::State(_) => {
                let call = self.isolates[isolate].gateway.leases_mut().ask(need, local);
                let is_out = self.now < self.ledger_out_until;
                let reply = if is_out {
                    None
                } else {
                    self.host.refresh(call.request(), &mut self.rng, self.now)
                };
                self.arm();
                let reply = heard(reply);
                self.isolates[isolate].gateway.leases_mut().take_refresh(
                    &call,
                    &reply,
                    local,
                    Some(lookup),
                );
                if matches!(reply, RefreshReply::Failed) {
                    self.isolates[isolate].given_up_at = self.now;
                }
            }
        }
    }

    fn judge_issued(
        &self,
        key: &IssuedKey,
        judged: &Judged,
        verdict: Result<(), Denial>,
    ) -> Checked {
        let end = self.end_of(key);
        let ceilings = &self.issuers.issuers[key.issuer].ceilings[key.after.1 - 1..];
        let froms: Vec<i64> = ceilings.iter().map(|(from, _)| *from).collect();
        let ceilings =
            self.model.candidates(&froms, judged).into_iter().map(|place| ceilings[place].1);
        let mut ceilings: Vec<Option<bool>> = ceilings.collect();
        // A token is bound by what its issuer itself may do; `None`: nothing, from this network.
        if let (true, Some(issuer)) = (key.is_token, self.issuers.issuers[key.issuer].key) {
            let versions = &self.model.keys[issuer].versions[key.after.2 - 1..];
            let froms: Vec<i64> = versions.iter().map(|version| version.from).collect();
            let powers = self.model.candidates(&froms, judged).into_iter();
            let powers = powers.map(|place| versions[place].power);
            let allows = |power: Power| {
                let is_inside = power.network.is_none_or(|network| network == judged.ask.network);
                is_inside.then_some(power.write)
            };
            ceilings = powers.map(allows).collect();
        }
        let life = if key.is_token { TOKEN_LIFE_MS } else { LIFE };
        let is_outside = |ceiling: &Option<bool>| key.is_token && ceiling.is_none();
        let suspended = self.model.suspensions(judged, key.born);
        let broken = match verdict {
            Ok(()) if end.is_some_and(|end| !self.model.may_count(end, judged)) => {
                "P1: it has ended"
            }
            Ok(()) if judged.ask.write && !(key.may_write && ceilings.contains(&Some(true))) => {
                "P1: it may not write"
            }
            Ok(()) if ceilings.iter().all(is_outside) && key.is_token => "P1: from elsewhere",
            Ok(()) if !suspended.contains(&false) => "P1: the account is suspended",
            Ok(()) | Err(Denial::Unavailable) => return Ok(()),
            Err(_) if end.is_some() || suspended.contains(&true) => return Ok(()),
            Err(_) if judged.ask.write && (!key.may_write || ceilings.contains(&Some(false))) => {
                return Ok(());
            }
            Err(_) if ceilings.iter().any(is_outside) => return Ok(()),
            Err(_) if judged.now >= key.born + life - SKEW_MS => return Ok(()),
            Err(_) => "P2: it is valid",
        };
        Err(format!(
            "{broken}, but {verdict:?} for {judged:?}: {:?}, born {}, ended {end:?}, ceilings {ceilings:?}",
            key.id, key.born
        ))
    }
}
