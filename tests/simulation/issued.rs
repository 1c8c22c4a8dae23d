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
use claviger_core::gateway::oauth::grant_token;
use claviger_core::lease::call::{Fetch, Lookup};
use claviger_core::lease::lease::GIVEN_UP;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::edge_call::{IssueByApi, RefreshReply};
use claviger_core::replication::record::{Standing, kv_key};
use claviger_core::verify::verdict::Denial;
use claviger_core::verify::verification::{Demand, Facts};
use rand_chacha::rand_core::Rng;

use crate::bugs::{self, Sabotage};
use crate::host::{at, heard};
use crate::issuers::{IssuerModel, Scope, block};
use crate::model::{Ask, Basis, Judged, Power, Span, State};
use crate::world::{ASKS_ADMIN, Checked, World};

/// How long what is issued lives.
pub const LIFE: i64 = 20 * 3_600_000;

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
    /// The network of its own: that it was issued for, or, if it is stored, its ceiling's.
    pub network: Option<u8>,
    /// When it ends by itself.
    pub until: i64,
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
        let id = of_key.map(|key| key.text.id());
        let is_key = id.is_some();
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
                Authorisation::Fetch(need) => self.find_out(isolate, need, &mut lookup, false)?,
                Authorisation::AskAdmin => return Err(ASKS_ADMIN.into()),
                Authorisation::Decided(Authorised { authority, renew }) => {
                    if let Some(account) = renew {
                        self.renew((isolate, self.isolates[isolate].life), account);
                    }
                    let is_use = match &authority {
                        Err(Refused::Issuer(denial)) => denial.is_of_a_known_key(),
                        Err(Refused::Unavailable) => false,
                        _ => true,
                    };
                    if let Some(id) = id.filter(|_| is_use) {
                        self.count_use(isolate, id, authority.is_ok());
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
        let until = match authority.expires {
            Expiry::At(end) => end.as_ms().min(born + LIFE),
            Expiry::Never => born + LIFE,
        };
        if until < born + 5_000 {
            return Ok(());
        }
        let scope = self.issuers.issuers[place].ceilings.last().and_then(|(_, scope)| *scope);
        let within = scope.and_then(|scope| scope.network).filter(|_| !is_token);
        let any = self.random(2) as u8;
        let network = self.one_in(3).then(|| within.unwrap_or(any)).filter(|_| !is_token);
        let granted = if is_token {
            grant_token(authority, None, issued_at)
                .map_err(|refused| format!("P2: no token: {refused:?}"))?
        } else {
            let networks =
                network.map(|network| Networks::from_stored([block(network).as_str()]).unwrap());
            let expires = Some(Expiry::At(at(until)));
            let wanted = Wanted { expires, networks: networks.unwrap_or_default() };
            grant(wanted, &authority.issuing.ceiling, authority.expires, issued_at)
                .map_err(|refused| format!("P2: not granted: {refused:?}"))?
        };
        let until = match granted.expires {
            Expiry::At(end) => end.as_ms(),
            Expiry::Never => until,
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
        let revoked = None;
        let network = network.or(within.filter(|_| matches!(id, AnyKeyId::Key(_))));
        let key = IssuedKey {
            text,
            id,
            issuer,
            born,
            answered,
            after,
            may_write,
            is_token,
            network,
            until,
            revoked,
        };
        self.issuers.issued.push(key);
        self.tally.issued += 1;
        Ok(())
    }

    /// What an issuer may grant now: to what it issues, or to a token of its own.
    fn bounds(&mut self, place: usize, is_token: bool) -> Option<Permissions> {
        if !is_token {
            return self.issuing(place).map(|issuing| issuing.ceiling.permissions);
        }
        if self.model.gate().is_shut(true) {
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
        let clock = now + self.isolates[isolate].offset;
        if *refused == Refused::Unavailable
            && now - self.isolates[isolate].given_up_at < GIVEN_UP.as_ms() as i64 + slack
        {
            return Ok(());
        }
        let basis = if self.is_eventual { Basis::Documents } else { Basis::Ledger };
        let ask = Ask { network, write: false };
        let judged = Judged { key: 0, ask, arrived: now, now, clock, slack, basis, failures: 0 };
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
                    || !power.span.contains(clock)
                    || power.network.is_some_and(|allowed| allowed != network)
            })
        });
        let is_members = self.issuers.issuers[place].key.is_some();
        let gates = self.model.gates(&judged, i64::MIN);
        let may_be_shut = gates.iter().any(|gate| gate.is_shut(is_members));
        if is_unbound || is_unfit || may_be_shut {
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

    /// One of the latest few that were issued is presented to an isolate. Its calls take time, in
    /// which members may do something to issuers.
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
        let ask = Ask { network: self.random(2) as u8, write: self.one_in(3) };
        let permission: Permission =
            if ask.write { "demo:write" } else { "demo:read" }.parse().unwrap();
        let address = ClientAddress::parse(&format!("10.0.{}.1", ask.network));
        let demand = Demand::Permission(&permission);
        let facts = Facts { address, interface: Interface::Http, demand, may_change: false };
        let (arrived, clock) = (self.now, self.local(isolate));
        let (text, mut lookup) = (self.issuers.issued[place].text.clone(), Lookup::default());
        for _ in 0..8 {
            let local = at(self.local(isolate));
            let gateway = &mut self.isolates[isolate].gateway;
            let check = gateway.check(&text, &facts, at(clock), local, &lookup);
            match check {
                Check::Fetch(need) => self.find_out(isolate, need, &mut lookup, true)?,
                Check::AskAdmin => return Err(ASKS_ADMIN.into()),
                Check::Decided(checked) => {
                    if let Some(account) = checked.renew {
                        self.renew((isolate, self.isolates[isolate].life), account);
                    }
                    let verdict = checked.verdict.as_ref().map(|_| ()).map_err(|denial| *denial);
                    if let AnyKeyId::Key(id) = self.issuers.issued[place].id
                        && verdict.err().is_none_or(Denial::is_of_a_known_key)
                    {
                        self.count_use(isolate, id, verdict.is_ok());
                    }
                    let verdict = self.ignorant(place, ask, clock, verdict);
                    let (slack, basis) =
                        (self.isolates[isolate].slack, self.basis(checked.evidence.as_ref()));
                    let now = self.now;
                    let judged =
                        Judged { key: 0, ask, arrived, now, clock, slack, basis, failures: 0 };
                    return self.judge_issued(&self.issuers.issued[place], &judged, verdict);
                }
            }
        }
        Err("a request for an issued key does not come to an end".into())
    }

    /// What an edge would say that ignores a limit of the issuer, if this one does.
    fn ignorant(
        &self,
        place: usize,
        ask: Ask,
        clock: i64,
        verdict: Result<(), Denial>,
    ) -> Result<(), Denial> {
        let key = &self.issuers.issued[place];
        let is_own = key.network.is_some_and(|network| network != ask.network);
        match (self.host.sabotage, verdict) {
            (Sabotage::IssuersNetworksIgnored, Err(Denial::NetworkDenied))
                if !is_own && !ask.write =>
            {
                Ok(())
            }
            (Sabotage::IssuersSpanIgnored, Err(Denial::NotYetValid | Denial::Expired))
                if clock < key.until && !ask.write =>
            {
                Ok(())
            }
            _ => verdict,
        }
    }

    /// Time passes while a call is on its way, if it is to take time.
    fn travel(&mut self, takes_time: bool) -> Checked {
        if !takes_time || !self.is_slow {
            return Ok(());
        }
        if self.one_in(4) {
            self.meddle();
        }
        let span = self.delay().min(20_000);
        self.wait(span)
    }

    fn find_out(
        &mut self,
        isolate: usize,
        need: Fetch,
        lookup: &mut Lookup,
        takes_time: bool,
    ) -> Checked {
        let (local, lot) = (at(self.local(isolate)), self.rng.next_u64());
        match need {
            Fetch::Kv(id) => {
                let is_out = self.now < self.kv_out_until;
                let text = self.kv.read(&kv_key(id), self.isolates[isolate].mood, lot, self.now);
                let gateway = &mut self.isolates[isolate].gateway;
                let read = gateway.leases_mut().ask_kv(id, local);
                self.travel(takes_time)?;
                let local = at(self.local(isolate));
                let gateway = &mut self.isolates[isolate].gateway;
                gateway.take_kv(&read, text.as_deref().filter(|_| !is_out), local, lookup);
            }
            Fetch::Copy(account, source) => {
                let read =
                    self.isolates[isolate].gateway.leases_mut().ask_copy(account, source, local);
                let text = self.read_copy(isolate, &read);
                self.travel(takes_time)?;
                let local = at(self.local(isolate));
                self.isolates[isolate].gateway.take_copy(
                    &read,
                    text.as_deref(),
                    local,
                    Some(lookup),
                );
            }
            Fetch::Ledger(_) | Fetch::Issuer(_) | Fetch::State(_) => {
                let call = self.isolates[isolate].gateway.leases_mut().ask(need, local);
                self.travel(takes_time)?;
                bugs::ANSWERED.set(self.now);
                let is_out = self.now < self.ledger_out_until;
                let reply = if is_out {
                    None
                } else {
                    self.host.refresh(call.request(), &mut self.rng, self.now)
                };
                self.arm();
                let (reply, answered) = (heard(reply), self.now);
                self.travel(takes_time)?;
                bugs::ANSWERED.set(answered);
                let local = at(self.local(isolate));
                let leases = self.isolates[isolate].gateway.leases_mut();
                if leases.take_refresh(&call, &reply, local, Some(lookup)) {
                    self.acknowledge(isolate, &call);
                }
                if matches!(reply, RefreshReply::Failed) {
                    self.isolates[isolate].given_up_at = self.now;
                }
            }
        }
        Ok(())
    }

    /// When the issuer of a key may begin and end, as far as a request may know.
    fn spans(&self, key: &IssuedKey, judged: &Judged) -> Vec<Span> {
        let Some(issuer) = self.issuers.issuers[key.issuer].key else {
            return vec![Span::default()];
        };
        let versions = &self.model.keys[issuer].versions[key.after.2 - 1..];
        let froms: Vec<i64> = versions.iter().map(|version| version.from).collect();
        let places = self.model.candidates(&froms, judged).into_iter();
        places.map(|place| versions[place].power.span).collect()
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
        let mut ceilings: Vec<Scope> = ceilings.flatten().collect();
        // A token is bound by what its issuer itself may do.
        if let (true, Some(issuer)) = (key.is_token, self.issuers.issuers[key.issuer].key) {
            let versions = &self.model.keys[issuer].versions[key.after.2 - 1..];
            let froms: Vec<i64> = versions.iter().map(|version| version.from).collect();
            let places = self.model.candidates(&froms, judged).into_iter();
            let scope = |Power { write, network, .. }| Scope { write, network };
            ceilings = places.map(|place| scope(versions[place].power)).collect();
        }
        let is_inside = |network: Option<u8>| network.is_none_or(|of| of == judged.ask.network);
        let may_come = |scope: &Scope| is_inside(key.network) && is_inside(scope.network);
        let may_write = |scope: &Scope| !judged.ask.write || (key.may_write && scope.write);
        let may = |scope: &Scope| may_come(scope) && may_write(scope);
        let spans = self.spans(key, judged);
        let is_valid = |span: &Span| span.contains(judged.clock);
        let is_members = self.issuers.issuers[key.issuer].key.is_some();
        let gates = self.model.gates(judged, key.born);
        let mut shut = gates.iter().map(|gate| gate.is_shut(is_members));
        let broken = match verdict {
            Ok(()) if end.is_some_and(|end| !self.model.may_count(end, judged)) => {
                "P1: it has ended"
            }
            Ok(()) if judged.clock >= key.until => "P1: it has expired",
            Ok(()) if !spans.iter().any(is_valid) => "P1: its issuer is not valid now",
            Ok(()) if !ceilings.iter().any(may_come) => "P1: it may not be used from there",
            Ok(()) if !ceilings.iter().any(may) => "P1: it may not write",
            Ok(()) if shut.all(|is_shut| is_shut) => "P1: the account is shut",
            Ok(()) | Err(Denial::Unavailable) => return Ok(()),
            Err(_) if end.is_some() || shut.any(|is_shut| is_shut) => return Ok(()),
            Err(_) if judged.clock >= key.until => return Ok(()),
            Err(_) if !spans.iter().all(is_valid) || !ceilings.iter().all(may) => return Ok(()),
            Err(_) => "P2: it is valid",
        };
        Err(format!(
            "{broken}, but {verdict:?} for {judged:?}: {:?}, born {}, ended {end:?}, ceilings {ceilings:?}",
            key.id, key.born
        ))
    }
}
