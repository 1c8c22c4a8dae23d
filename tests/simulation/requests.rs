//! Requests on their way through an isolate, and what is asked of their verdicts.

use claviger_core::base::time::DurationMs;
use claviger_core::credential::limits::Interface;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::credential::limits::permission::Permission;
use claviger_core::gateway::check::{Check, Evidence};
use claviger_core::lease::call::{Basis as Rests, Fetch, LeaseToken, Lookup, Source};
use claviger_core::lease::lease::{GIVEN_UP as GIVEN_UP_FOR, OUTAGE_MEMORY, REFRESH_ATTEMPTS};
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::record::{Record, kv_key};
use claviger_core::verify::verdict::Denial;
use claviger_core::verify::verification::{Demand, Facts};
use rand_chacha::rand_core::Rng;

use crate::bugs::Sabotage;
use crate::copies::Waiter;
use crate::host::at;
use crate::meetings::Mechanism;
use crate::model::{Ask, Basis, Judged};
use crate::world::{ASKS_ADMIN, Checked, Event, Flight, Heard, Isolate, World};

const GIVEN_UP: i64 = GIVEN_UP_FOR.as_ms() as i64;

impl<R: LeaseRules> World<R> {
    pub fn request(&mut self, isolate: usize, key: usize, ask: Ask) {
        // Few ask for some keys here, so that nobody's fresh answer covers up what comes late.
        if self.is_steady
            && !self.is_healed
            && isolate == 0
            && key.is_multiple_of(2)
            && !self.one_in(10)
        {
            return;
        }
        let key_model = &mut self.model.keys[key];
        key_model.is_premature |= !key_model.is_issued();
        let delay = if !self.is_healed && self.one_in(20) { self.random(3_000) } else { 0 };
        let Isolate { life, offset, .. } = self.isolates[isolate];
        let (arrived, arrived_local) = (self.now, self.now + offset);
        let (lookup, failures, turns) = (Lookup::default(), 0, 0);
        let flight =
            Flight { isolate, life, key, ask, arrived, arrived_local, lookup, failures, turns };
        self.later(delay, Event::Go(flight));
    }

    pub fn check(&mut self, flight: &Flight, lookup: &Lookup, arrived_local: i64) -> Check {
        let address = ClientAddress::parse(&format!("10.0.{}.1", flight.ask.network));
        let permission: Permission =
            if flight.ask.write { "demo:write" } else { "demo:read" }.parse().unwrap();
        let facts = Facts {
            address,
            interface: Interface::Http,
            demand: Demand::Permission(&permission),
            may_change: false,
        };
        let local = at(self.local(flight.isolate));
        let text = self.model.keys[flight.key].text.expose();
        self.isolates[flight.isolate].gateway.check(text, &facts, at(arrived_local), local, lookup)
    }

    pub fn decide(&mut self, mut flight: Flight) -> Checked {
        flight.turns += 1;
        if flight.turns > 8 {
            return Err("a request does not come to an end".into());
        }
        let lookup = core::mem::take(&mut flight.lookup);
        let is_warm = flight.turns == 1 && self.is_warm(&flight);
        let check = self.check(&flight, &lookup, flight.arrived_local);
        flight.lookup = lookup;
        let (isolate, of) = (flight.isolate, (flight.isolate, flight.life));
        if is_warm && matches!(check, Check::Fetch(_)) {
            return Err(format!("P4: key {} is in memory, but {check:?}", flight.key));
        }
        let checked = match check {
            Check::Fetch(Fetch::Kv(id)) => {
                let local = at(self.local(isolate));
                let read = self.isolates[isolate].gateway.leases_mut().ask_kv(id, local);
                let (lot, mood) = (self.rng.next_u64(), self.isolates[isolate].mood);
                let is_out = self.now < self.kv_out_until;
                let text =
                    if is_out { None } else { self.kv.read(&kv_key(id), mood, lot, self.now) };
                let delay = self.delay();
                self.later(delay, Event::KvBack(flight, read, text));
                return Ok(());
            }
            Check::Fetch(Fetch::Copy(account, source)) => {
                let local = at(self.local(isolate));
                let read =
                    self.isolates[isolate].gateway.leases_mut().ask_copy(account, source, local);
                self.look(of, read, Waiter::Request(Box::new(flight)));
                return Ok(());
            }
            Check::Fetch(need @ (Fetch::Ledger(_) | Fetch::Issuer(_) | Fetch::State(_))) => {
                let local = at(self.local(isolate));
                let call = self.isolates[isolate].gateway.leases_mut().ask(need, local);
                self.send(of, call, Waiter::Request(Box::new(flight)));
                return Ok(());
            }
            Check::AskAdmin => return Err(ASKS_ADMIN.into()),
            Check::Decided(checked) => checked,
        };
        if let Some(account) = checked.renew {
            self.renew(of, account);
        }
        let verdict = checked.verdict.as_ref().map(|_| ()).map_err(|denial| *denial);
        let is_stale = checked.evidence.is_some_and(|evidence| evidence.is_stale);
        let basis = self.basis(checked.evidence.as_ref());
        let grace = if is_stale { self.grace(&flight, basis)? } else { 0 };
        let slack = self.isolates[isolate].slack + grace;
        let Flight { key, ask, arrived, arrived_local: clock, mut failures, .. } = flight;
        if verdict == Err(Denial::Unavailable)
            && self.now - self.isolates[isolate].given_up_at < GIVEN_UP + slack
        {
            // Another request has failed in its place.
            failures = REFRESH_ATTEMPTS;
        }
        let judged = Judged { key, ask, arrived, now: self.now, clock, slack, basis, failures };
        let revision = checked.evidence.and_then(|evidence| evidence.revision);
        let source = checked.evidence.map(|evidence| evidence.source);
        let revision = revision.map(|revision| revision.0);
        if arrived < self.judged_from {
            return Ok(());
        }
        if let Err(violation) = self.model.judge(&judged, verdict, revision) {
            let Some(late) = self.late.as_mut() else { return Err(violation) };
            late.push(self.model.lateness(&judged, verdict, revision));
        }
        let id = self.model.keys[key].text.id();
        let is_use = verdict.is_ok() || verdict.is_err_and(Denial::is_of_a_known_key);
        if is_use {
            self.count_use(isolate, id, verdict.is_ok());
        }
        self.note(verdict, source);
        if matches!(source, Some(Source::Memory | Source::Kv)) {
            self.check_order(isolate, &judged, revision.unwrap_or_default())?;
        }
        self.check_own(isolate, &judged, checked.evidence.is_some(), revision)?;
        self.tally.stale += u64::from(is_stale);
        // P4: what has just come out of the lease comes out of memory at once.
        if matches!(source, Some(Source::Memory | Source::Kv))
            && !is_stale
            && !self.is_over(isolate)
        {
            let local = self.local(isolate);
            let Check::Decided(again) =
                self.check(&flight, &Lookup::default(), local.min(flight.arrived_local))
            else {
                return Err(format!("P4: a warm key needs I/O: {judged:?}"));
            };
            if again.evidence.is_none_or(|evidence| evidence.source != Source::Memory) {
                return Err(format!("P4: a warm key's verdict is from {:?}", again.evidence));
            }
            if is_use {
                self.count_use(isolate, id, again.verdict.is_ok());
            }
            self.tally.repeats += 1;
            if let Some(account) = again.renew {
                self.renew(of, account);
            }
        }
        Ok(())
    }

    /// An isolate passes the answer to a change on: it takes the record, or ends its lease.
    pub fn learn(&mut self, isolate: usize, record: Record, ends: bool) {
        let local = at(self.local(isolate));
        let (id, revision) = (record.id, record.revision);
        let leases = self.isolates[isolate].gateway.leases_mut();
        let key = self.model.keys.iter().position(|key| key.text.id() == id).unwrap();
        if ends {
            leases.end_lease(self.host.account, revision, local);
        } else {
            leases.take_change(record, local);
            self.hear(isolate, key, revision.0);
            self.meet(isolate, Mechanism::Own);
        }
        let own = self.isolates[isolate].own.entry(key).or_insert((0, self.now));
        if own.0 < revision.0 {
            *own = (revision.0, self.now);
        }
        // Whoever has changed a key looks at it.
        if !self.is_healed && self.one_in(2) {
            let ask = Ask { network: self.random(2) as u8, write: false };
            self.request(isolate, key, ask);
        }
    }

    /// A change that was committed through an isolate holds there at once, and from then on.
    fn check_own(
        &self,
        isolate: usize,
        judged: &Judged,
        is_of_lease: bool,
        revision: Option<u64>,
    ) -> Checked {
        let own = self.isolates[isolate].own.get(&judged.key);
        let own = own.filter(|(_, since)| is_of_lease && judged.arrived >= *since);
        match own {
            Some(own) if revision.unwrap_or_default() < own.0 && self.late.is_none() => {
                Err(format!("own: {revision:?} after the change {own:?} for {judged:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Notes a word on a key, if there is a lease to hold it.
    pub fn hear(&mut self, isolate: usize, key: usize, revision: u64) -> Option<Heard> {
        let tenure = self.tenure(isolate)?;
        let heard = Heard { tenure, revision, at: self.now };
        let known = self.isolates[isolate].heard.entry(key).or_insert(heard);
        if known.tenure != tenure || known.revision < revision {
            *known = heard;
        }
        Some(heard)
    }

    pub fn tenure(&self, isolate: usize) -> Option<LeaseToken> {
        let isolate = &self.isolates[isolate];
        let lease =
            isolate.gateway.leases().lease(self.host.account, at(self.now + isolate.offset))?;
        Some(lease.token())
    }

    /// Rule 4: under one lease, an isolate's word on a key is never followed by an older one.
    pub fn check_order(&mut self, isolate: usize, judged: &Judged, revision: u64) -> Checked {
        let known = self.isolates[isolate].heard.get(&judged.key).copied();
        let tenure = self.tenure(isolate);
        if let Some(known) =
            known.filter(|known| Some(known.tenure) == tenure && judged.arrived >= known.at)
            && revision < known.revision
        {
            return Err(format!("order: revision {revision} after {known:?} for {judged:?}"));
        }
        if let Some(heard) = self.hear(isolate, judged.key, revision) {
            self.isolates[isolate].warm.insert(judged.key, heard);
        }
        Ok(())
    }

    /// Whether a request's answer lies in memory: its lease has had a word on the key since it
    /// began, and nobody has changed the key.
    pub fn is_warm(&self, flight: &Flight) -> bool {
        let isolate = &self.isolates[flight.isolate];
        let local = at(self.now + isolate.offset);
        let Some(lease) = isolate.gateway.leases().lease(self.host.account, local) else {
            return false;
        };
        let (arrival, no_more) = (at(flight.arrived_local), DurationMs::default());
        let is_usable = match self.is_eventual {
            true => lease.is_usable_by_document(arrival, no_more),
            false => lease.is_usable(arrival, no_more),
        };
        let revision = self.model.keys[flight.key].now().revision;
        let warm = isolate.warm.get(&flight.key);
        is_usable
            && local.as_ms() >= isolate.latest
            && warm.is_some_and(|warm| warm.tenure == lease.token() && warm.revision == revision)
    }

    /// P3: what was never made is refused without needing anything.
    pub fn check_garbage(&mut self, isolate: usize, text: &str) -> Checked {
        let facts = Facts {
            address: None,
            interface: Interface::Http,
            demand: Demand::AnyKey,
            may_change: false,
        };
        let isolate = &mut self.isolates[isolate];
        let local = at(self.now + isolate.offset);
        let before = isolate.gateway.counters();
        match isolate.gateway.check(text, &facts, local, local, &Lookup::default()) {
            Check::Decided(checked)
                if checked.renew.is_none()
                    && checked.verdict.is_err()
                    && isolate.gateway.counters() == before =>
            {
                Ok(())
            }
            other => Err(format!("P3: a key that was never made leads to {other:?}")),
        }
    }

    /// By how much a lease may be older than T here and now: only where calls to the ledger have
    /// just failed.
    pub fn grace(&self, flight: &Flight, basis: Basis) -> Result<i64, String> {
        let Isolate { failed, slack, out_since, .. } = &self.isolates[flight.isolate];
        let lately = |memory: i64| {
            failed.iter().filter(|at| self.now - **at < memory + slack).count() as u32
        };
        let memory = OUTAGE_MEMORY.as_ms() as i64;
        let is_away =
            lately(memory) > 0 && lately(memory * i64::from(REFRESH_ATTEMPTS)) >= REFRESH_ATTEMPTS;
        if !is_away && flight.failures < REFRESH_ATTEMPTS {
            return Err(format!("P1: grace without an outage: {failed:?} at {}", self.now));
        }
        let since = out_since.or(failed.last().copied()).unwrap_or(i64::MIN);
        if basis == Basis::Makeshift && flight.arrived > since + 1_000 * self.grace_s + slack {
            return Err(format!(
                "P1: a document serves {} ms after {since}",
                flight.arrived - since
            ));
        }
        let is_announced = self.host.sabotage != Sabotage::GraceUnannounced;
        Ok(if is_announced { 1_000 * self.grace_s } else { 0 })
    }

    pub fn basis(&self, evidence: Option<&Evidence>) -> Basis {
        match evidence {
            Some(evidence) if evidence.source == Source::Ledger => Basis::Ledger,
            _ if self.is_eventual => Basis::Documents,
            Some(evidence) if evidence.basis == Rests::Document => Basis::Makeshift,
            _ => Basis::Ledger,
        }
    }

    pub fn is_over(&self, isolate: usize) -> bool {
        let isolate = &self.isolates[isolate];
        isolate.gateway.leases().lease(self.host.account, at(self.now + isolate.offset)).is_none()
    }

    pub fn note(&mut self, verdict: Result<(), Denial>, source: Option<Source>) {
        match verdict {
            Ok(()) => self.tally.let_through += 1,
            Err(Denial::Unavailable) => self.tally.unavailable += 1,
            Err(_) => self.tally.refused += 1,
        }
        match source {
            Some(Source::Memory) => self.tally.from_memory += 1,
            Some(Source::Kv) => self.tally.from_kv += 1,
            _ => (),
        }
    }
}
