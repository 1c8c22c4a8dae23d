//! What happens in a run, drawn by lot, and what must be so when all is calm again.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::NewCode;
use claviger_control::protocol::draft::Draft;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::{KeyId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::credential::key::NewKey;
use claviger_core::lease::rules::{LeaseRules, ProductionRules};
use claviger_core::replication::edge_call::RefreshReply;
use claviger_core::replication::record::{Epoch, Record, Revision, Standing};
use claviger_core::replication::refresh::{
    AccountState, Delta, Refresh, RefreshRequest, Unsettled,
};
use rand_chacha::rand_core::Rng;

use crate::bugs::Sabotage;
use crate::host::at;
use crate::model::{Ask, Power, Span, State, Version};
use crate::sql::sqlite::Fault;
use crate::tally::Tally;
use crate::world::{Checked, Event, S, SKEW_MS, World};

const DAY: i64 = 24 * 3_600_000;

/// Runs one seed: `steps` things happen, then all heals.
pub fn run<R: LeaseRules>(seed: u64, steps: u32, sabotage: Sabotage) -> Result<Tally, String> {
    let mut world = World::<R>::new(seed, sabotage);
    let mut go = || {
        for _ in 0..steps {
            world.step()?;
        }
        world.heal()
    };
    go().map_err(|violation| format!("seed {seed}: {violation}"))?;
    Ok(world.tally)
}

/// Runs one seed while KV serves what is up to `times` S old: the verdicts that were given, and by
/// how many milliseconds those came too late that broke a promise.
pub fn run_late(seed: u64, steps: u32, times: i64) -> (u64, Vec<i64>) {
    let mut world = World::<ProductionRules>::new(seed, Sabotage::KvBeyondS);
    (world.kv.stale_ms, world.late) = (times * S, Some(Vec::new()));
    let mut go = || {
        for _ in 0..steps {
            world.step()?;
        }
        world.wait(2 * S)
    };
    go().unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    let Tally { let_through, refused, .. } = world.tally;
    (let_through + refused, world.late.unwrap_or_default())
}

impl<R: LeaseRules> World<R> {
    pub fn step(&mut self) -> Checked {
        for _ in 0..if self.is_attacked { self.random(4) } else { 0 } {
            self.attack();
        }
        match self.random(100) {
            _ if self.is_issuing && self.one_in(2) => self.step_issuing()?,
            _ if self.has_mfa && self.one_in(12) => self.change_mfa(),
            0..14 => self.change(),
            14 | 15 | 99 => self.gather()?,
            16..60 => self.ask()?,
            60..81 => self.burst()?,
            84..96 if self.is_steady && !self.one_in(8) => self.change(),
            84..86 => self.operate(),
            86 => self.restart(),
            87..89 => self.step_clock()?,
            81..84 | 97 | 98 => self.lurk()?,
            89..91 => {
                let isolate = self.any_isolate();
                self.isolates[isolate].frozen_until = self.now + self.random(2 * S);
            }
            91 => self.ledger_out_until = self.now + self.random(30_000),
            92 => self.kv_out_until = self.now + self.random(60_000),
            93 => self.host.is_short = self.one_in(2),
            94 => self.garbage()?,
            95 => self.renew_history(),
            96 if self.one_in(6) => self.sleep()?,
            96 if self.host.sabotage == Sabotage::None && self.one_in(30) => self.flood(),
            _ => (),
        }
        let t = self.model.freshness_ms();
        let span = match self.random(100) {
            _ if self.is_steady && !self.one_in(30) => self.random(t + 1),
            0..55 => self.random(300),
            55..80 => self.random(t + 1_000),
            80..86 => t + self.random(20) - 10,
            86..92 => self.random(12 * (t + 1)),
            92..97 => self.random(S / 2),
            _ => S + self.random(S),
        };
        self.wait(span.max(0))
    }

    pub fn any_isolate(&mut self) -> usize {
        let count = self.isolates.len() as i64;
        self.random(count) as usize
    }

    /// One of the latest few keys, so that much happens to each.
    fn any_key(&mut self) -> Option<usize> {
        let count = self.model.keys.len();
        let back = self.random(4) as usize;
        count.checked_sub(1 + back.min(count.saturating_sub(1)))
    }

    fn ask(&mut self) -> Checked {
        let Some(key) = self.any_key() else { return Ok(()) };
        let ask = Ask { network: self.random(2) as u8, write: self.one_in(4) };
        let isolate = self.any_isolate();
        self.request(isolate, key, ask);
        Ok(())
    }

    /// Requests for one key at one isolate, over some T.
    fn burst(&mut self) -> Checked {
        let Some(key) = self.any_key() else { return Ok(()) };
        let isolate = self.any_isolate();
        let t = self.model.freshness_ms();
        for _ in 0..2 + self.random(6) {
            let ask = Ask { network: self.random(2) as u8, write: self.one_in(4) };
            self.request(isolate, key, ask);
            let span = self.random(t * 2 / 3 + 200);
            self.wait(span)?;
        }
        Ok(())
    }

    // --------------------------------------------------------------------------------------------------
    // members

    fn change(&mut self) {
        if self.now < self.ledger_out_until {
            return;
        }
        let may_restore = self.one_in(4);
        let key = self.any_key().filter(|key| {
            let key = &self.model.keys[*key];
            key.now().power.state != State::Deleted
                || (may_restore && key.before_deletion().is_some())
        });
        let is_few = self.model.keys.len() < 2;
        match key {
            Some(key) if !is_few || self.one_in(2) => self.change_key(key),
            _ => {
                let key = self.draw();
                // Now and then somebody is so early as to use it before it is there.
                if !self.one_in(6) {
                    self.issue(key);
                }
            }
        }
    }

    /// A key is issued, or something about it is changed.
    pub fn change_key(&mut self, key: usize) {
        if self.model.keys[key].is_issued() { self.alter(key) } else { self.issue(key) }
    }

    pub fn draw(&mut self) -> usize {
        let account = self.host.account;
        let text =
            NewKey::generate(account, &self.config.prefix, &self.config.keyring, &mut self.rng);
        self.model.draw(text, self.now)
    }

    pub fn issue(&mut self, key: usize) {
        let draft: Draft = serde_json::from_str(
            r#"{"name":"Build server","expires":"90d","networks":"","permissions":["demo:read"]}"#,
        )
        .unwrap();
        let text = &self.model.keys[key].text;
        let (id, digest) = (text.id(), text.digest());
        let command = Command::Issue {
            id,
            digest,
            draft,
            idempotency_key: format!("i-{}", self.rng.next_u64()),
            sealed: None,
        };
        self.command(key, command, Power::new(State::Active));
    }

    fn alter(&mut self, key: usize) {
        let (id, now) = (self.model.keys[key].text.id(), self.model.keys[key].now());
        let (expected, power) = (Revision(now.revision), now.power);
        let edit = |text: &str| Command::Edit {
            id,
            expected,
            changes: serde_json::from_str(text).unwrap(),
        };
        if power.state == State::Deleted {
            let power = self.model.keys[key].before_deletion().unwrap_or(power);
            self.command(key, Command::RestoreKey { id, expected }, power);
            return;
        }
        if self.is_rotating && self.one_in(5) {
            return self.rotate(key);
        }
        if self.one_in(12) || (power.span != Span::default() && self.one_in(3)) {
            return self.change_span(key);
        }
        let (command, power) = match self.random(12) {
            0 => (edit(&format!(r#"{{"name":"n{}"}}"#, self.random(1_000))), power),
            1 | 2 => {
                let network = self.random(2) as u8;
                let text = format!(r#"{{"networks":"10.0.{network}.0/24"}}"#);
                (edit(&text), Power { network: Some(network), ..power })
            }
            3 => (edit(r#"{"networks":""}"#), Power { network: None, ..power }),
            4 => (edit(r#"{"permissions":["demo:read"]}"#), Power { write: false, ..power }),
            5 => (
                edit(r#"{"permissions":["demo:read","demo:write"]}"#),
                Power { write: true, ..power },
            ),
            6..8 => {
                let command = Command::SetEnabled { id, expected, enabled: false };
                (command, Power { state: State::Disabled, ..power })
            }
            8..11 => {
                let command = Command::SetEnabled { id, expected, enabled: true };
                (command, Power { state: State::Active, ..power })
            }
            _ => return self.delete(key),
        };
        self.command(key, command, power);
    }

    /// A key is to begin later, or to end sooner, or neither.
    pub fn change_span(&mut self, key: usize) {
        let Version { revision, power, .. } = self.model.keys[key].now();
        let (id, expected) = (self.model.keys[key].text.id(), Revision(revision));
        let seconds = 5 + self.random(100);
        let at = Some(self.now + 1_000 * seconds);
        let (text, span) = match self.random(2) {
            _ if power.span != Span::default() => {
                (r#"{"expires":"90d","not_before":null}"#.to_owned(), Span::default())
            }
            0 => (format!(r#"{{"expires":"{seconds}s"}}"#), Span { ends: at, ..power.span }),
            _ => (format!(r#"{{"not_before":"{seconds}s"}}"#), Span { begins: at, ..power.span }),
        };
        let changes = serde_json::from_str(&text).unwrap();
        self.command(key, Command::Edit { id, expected, changes }, Power { span, ..power });
    }

    fn delete(&mut self, key: usize) {
        let power = self.model.keys[key].now().power;
        let (id, mac) = (TokenId::random(&mut self.rng), Digest::of(b"a code"));
        let code = NewCode { mac, sealed: Ciphertext::from_stored(String::new()) };
        let keys = vec![self.model.keys[key].text.id()];
        let begun =
            self.host.command(Command::BeginDeletion { id, keys, code }, &mut self.rng, self.now);
        if matches!(begun, Some(LedgerReply::Deletion(_))) {
            let deleted = Power { state: State::Deleted, ..power };
            self.command(key, Command::ConfirmDeletion { id, mac }, deleted);
        } else {
            let now = self.now;
            self.host.sign_in(&mut self.rng, now);
        }
    }

    /// The record of the key after it; `None`: nothing was changed.
    pub fn command(&mut self, key: usize, command: Command, power: Power) -> Option<Record> {
        self.fault_by_chance();
        let id = self.model.keys[key].text.id();
        let reply = self.host.command(command, &mut self.rng, self.now);
        self.host.sql.calm();
        // A write that failed may have held uses.
        self.host.note_lost();
        let is_told = reply.is_some();
        let record = match reply {
            Some(LedgerReply::Changed { record, bound, .. }) => {
                if let Some(bound) = bound {
                    let deadline = self.model.deadline(self.now);
                    assert!(
                        deadline <= bound.at.as_ms(),
                        "the ledger promises {bound:?}, it is {deadline}"
                    );
                }
                Some(record)
            }
            Some(LedgerReply::Deleted { mut records, bound, .. }) => {
                let deadline = self.model.deadline(self.now);
                assert!(
                    deadline <= bound.at.as_ms(),
                    "the ledger promises {bound:?}, it is {deadline}"
                );
                records.pop()
            }
            Some(_) => {
                let now = self.now;
                self.host.sign_in(&mut self.rng, now);
                None
            }
            // Nobody knows whether it was committed.
            None => {
                let record = self.host.record(id, &mut self.rng, self.now);
                record.filter(|record| record.revision.0 > self.model.keys[key].now().revision)
            }
        };
        self.arm();
        let record = record?;
        self.tally.changes += 1;
        self.model.changed(key, power, &record, self.now).unwrap();
        if is_told {
            self.spread(&record);
        }
        Some(record)
    }

    /// The next write may fail, or its outcome stay unknown.
    pub fn fault_by_chance(&mut self) {
        if !self.is_healed && self.one_in(12) {
            let fault = if self.one_in(2) { Fault::BeforeItLands } else { Fault::ReplyLost };
            self.host.sql.break_apply(1, fault);
        }
    }

    /// The isolate through which a change was committed may learn it, soon or late.
    pub fn spread(&mut self, record: &Record) {
        if !self.is_healed && (self.through.is_some() || !self.one_in(4)) {
            let isolate = self.through.unwrap_or_else(|| self.any_isolate());
            let delay = match self.random(8) {
                0..4 if self.is_steady && self.through.is_none() => self.random(3 * S),
                0 | 1 => self.random(20_000),
                2..5 => self.random(3_000),
                _ => self.random(100),
            };
            let of = (isolate, self.isolates[isolate].life);
            // A regeneration is of several keys, so its answer hands no record over: it ends the
            // lease, as every answer of the console does.
            let ends = self.one_in(2) || self.is_rotating;
            self.later(delay, Event::Learn(of, record.clone(), ends));
        }
    }

    fn operate(&mut self) {
        let t = [0, 1_000, 10_000, 10_000, 60_000][self.random(5) as usize];
        let (freshness_ms, suspended) = match self.random(4) {
            0 => (Some(t), None),
            1 => (Some(t), Some(!self.model.gate().suspended)),
            2 if !self.model.gate().suspended => (None, Some(true)),
            _ => (None, Some(false)),
        };
        self.set_state(freshness_ms, suspended);
    }

    pub fn set_state(&mut self, freshness_ms: Option<i64>, suspended: Option<bool>) {
        let request =
            LedgerRequest::SetState { freshness_ms: freshness_ms.map(|t| t as u64), suspended };
        let Some(LedgerReply::State { bound, .. }) =
            self.host.handle(request, &mut self.rng, self.now)
        else {
            panic!("the state was not set");
        };
        if let Some(bound) = bound {
            let deadline = self.model.deadline(self.now);
            assert!(
                deadline <= bound.at.as_ms(),
                "the ledger promises {bound:?}, it is {deadline}"
            );
        }
        self.model.set(freshness_ms, suspended, self.now);
    }

    /// The account begins or ceases to demand MFA, or the member turns it off or on.
    fn change_mfa(&mut self) {
        let mut gate = self.model.gate();
        match self.one_in(3) {
            true => gate.demands_mfa = !gate.demands_mfa,
            false => gate.has_mfa = !gate.has_mfa,
        }
        if self.host.set_mfa(gate, &mut self.rng, self.now) {
            self.model.set_gate(gate, self.now);
            self.tally.mfa_changes += 1;
        }
        self.arm();
    }

    /// The ledger begins another history, or is told to put all again.
    fn renew_history(&mut self) {
        let request = match self.one_in(3) {
            true => LedgerRequest::Rebuild,
            false => LedgerRequest::Restored { epoch: Epoch::new(self.rng.next_u64()) },
        };
        self.host.handle(request, &mut self.rng, self.now);
        self.arm();
    }

    // -------------------------------------------------------------------------------------------------
    // isolates

    fn restart(&mut self) {
        let place = self.any_isolate();
        self.forget(place);
        self.tally.restarts += 1;
    }

    /// Another isolate takes the place of one, which crashed with what it had counted.
    pub fn forget(&mut self, place: usize) {
        let fresh = self.isolate();
        let gone = std::mem::replace(&mut self.isolates[place], fresh);
        self.lost.add_all(&gone.unsent.counts);
    }

    /// An isolate sleeps for a day, while life goes on elsewhere.
    fn sleep(&mut self) -> Checked {
        let place = self.any_isolate();
        self.isolates[place].frozen_until = self.now + DAY;
        // The ledger forgets the number of its last batch meanwhile: if it is sent again, it counts
        // again.
        let unsent = self.isolates[place].unsent.counts.clone();
        self.repeated.add_all(&unsent);
        for _ in 0..4 {
            self.change();
            self.wait(DAY / 4)?;
        }
        self.tally.sleeps += 1;
        self.ask()
    }

    /// A clock steps. Where its isolate cannot see that, it may be wrong by as much.
    fn step_clock(&mut self) -> Checked {
        let place = self.any_isolate();
        let mut back = self.random(40_000) - 5_000;
        let may_stay = self.is_issuing || self.one_in(2);
        let reading = self.random(SKEW_MS);
        let is_right = self.is_issuing;
        let isolate = &mut self.isolates[place];
        // By as much as clocks of a data centre may differ; or it is no longer one of them.
        match isolate.place.filter(|_| may_stay) {
            Some(centre) => back = isolate.offset - self.places[centre as usize] - reading,
            None if is_right => back = isolate.offset - reading,
            None => isolate.place = None,
        }
        isolate.offset -= back;
        let is_frozen = isolate.frozen_until > self.now;
        if back > 0
            && (is_frozen
                || self.now + isolate.offset >= isolate.latest
                || self.model.keys.is_empty())
        {
            isolate.slack += back;
        } else if back > 0 {
            // Something happens there, so that it sees it.
            let local = at(self.now + isolate.offset);
            isolate.latest = local.as_ms();
            isolate.out_since = None;
            let id = self.model.keys[0].text.id();
            let _ = isolate.gateway.leases_mut().ask_kv(id, local);
        }
        self.tally.clock_steps += 1;
        Ok(())
    }

    /// P3: a key that was never made.
    fn garbage(&mut self) -> Checked {
        let account = self.host.account;
        let text =
            NewKey::generate(account, &self.foreign.prefix, &self.foreign.keyring, &mut self.rng);
        let place = self.any_isolate();
        self.check_garbage(place, text.expose())?;
        // The ID of a key that there is, with the rest of another.
        let Some(key) = self.any_key() else { return Ok(()) };
        let id_end = "clv_".len() + KeyId::WIDTH;
        let mixed =
            [&self.model.keys[key].text.expose()[..id_end], &text.expose()[id_end..]].concat();
        self.check_garbage(place, &mixed)
    }

    /// An isolate sees so many keys of another account that it forgets what it has not used lately.
    pub fn flood(&mut self) {
        let place = self.any_isolate();
        let other = claviger_core::base::id::AccountId::random(&mut self.rng);
        let id = claviger_core::base::id::KeyId::random(other, &mut self.rng);
        let epoch = Epoch::new(self.rng.next_u64());
        let isolate = &mut self.isolates[place];
        let local = at(self.now + isolate.offset);
        isolate.latest = local.as_ms();
        isolate.warm.clear();
        let call = isolate.gateway.leases_mut().renew(other, local);
        let refresh = Refresh {
            epoch: epoch.clone(),
            revision: Revision(0),
            delta: Delta::Reset,
            unsettled: Unsettled::Set(Vec::new()),
            state: Some(AccountState {
                revision: Revision(1),
                freshness_ms: 10_000,
                ..AccountState::default()
            }),
            answers: Vec::new(),
            document: 0,
            superseded: None,
        };
        isolate.gateway.leases_mut().take_refresh(
            &call,
            &RefreshReply::Refreshed(refresh),
            local,
            None,
        );
        for revision in 1..=4_096 {
            let record = Record::new(epoch.clone(), Revision(revision), id, Standing::Deleted);
            isolate.gateway.leases_mut().take_change(record, local);
        }
    }

    // -----------------------------------------------------------------------------------------------
    // in the end

    /// Nothing is lost or late any more, and everybody is awake.
    pub fn calm(&mut self) {
        self.is_healed = true;
        self.host.is_short = false;
        (self.ledger_out_until, self.kv_out_until) = (self.now, self.now);
        self.isolates.iter_mut().for_each(|isolate| isolate.frozen_until = 0);
    }

    /// P5: nothing is lost. And everybody knows.
    fn heal(&mut self) -> Checked {
        self.calm();
        if self.is_attacked {
            // The daily round finds what was written by a stranger; an operator need not wait.
            let now = self.now;
            self.host.handle(LedgerRequest::Rebuild, &mut self.rng, now);
            self.arm();
        }
        let owed = "SELECT count(*) FROM due WHERE kind IN ('put_record', 'read_back', 'rebuild', 'put_lease', 'read_lease')";
        let mut rounds = 0;
        while self.host.number(owed) > 0 {
            rounds += 1;
            if rounds > 60 {
                return Err("P5: it does not settle".into());
            }
            self.wait(S / 2)?;
        }
        self.wait(self.kv.stale_ms)?;
        let now = self.now;
        let reply =
            self.host.handle(LedgerRequest::Refresh(RefreshRequest::default()), &mut self.rng, now);
        let Some(LedgerReply::Refreshed(Refresh { unsettled: Unsettled::Set(set), .. })) = reply
        else {
            return Err(format!("P5: no set: {reply:?}"));
        };
        if !set.is_empty() {
            return Err(format!("P5: still unsettled: {set:?}"));
        }
        if self.host.terms.wants_documents() {
            self.check_published()?;
        }
        for key in 0..self.model.keys.len() {
            let id = self.model.keys[key].text.id();
            let record = self.host.record(id, &mut self.rng, now);
            let revision = record.as_ref().map_or(0, |record| record.revision.0);
            if revision != self.model.keys[key].now().revision {
                return Err(format!("P5: the ledger has {record:?}"));
            }
            if !self.kv.is_settled(id, record.as_ref(), now) {
                return Err(format!("P5: KV does not hold {record:?}"));
            }
            for isolate in 0..self.isolates.len() {
                self.request(isolate, key, Ask { network: 1, write: false });
            }
            self.wait(100)?;
        }
        // The last use of each isolate has started a timer.
        self.wait(40_000)?;
        self.check_usage()
    }
}
