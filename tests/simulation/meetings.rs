//! Mechanisms that meet in one lease: a change of the isolate's own, a copy of the ledger's word,
//! and an overflow. Chance seldom brings them together, so storms do it on purpose; and they keep
//! watch when a change settles.

use claviger_control::objects::sql::{SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_core::lease::call::LeaseToken;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::record::Revision;

use crate::model::{Ask, Power, State, Version};
use crate::world::{Checked, S, World};

/// What a lease met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The record of a change that was committed through the isolate.
    Own,
    /// A document, or a neighbour's reply.
    Copy,
    /// KV does not count for any key.
    Overflow,
}

/// What one lease has met so far.
#[derive(Default)]
pub struct Met {
    tenure: Option<LeaseToken>,
    mechanisms: Vec<Mechanism>,
}

impl<R: LeaseRules> World<R> {
    /// A lease has met something.
    pub fn meet(&mut self, isolate: usize, mechanism: Mechanism) {
        let Some(tenure) = self.tenure(isolate) else { return };
        let met = &mut self.isolates[isolate].met;
        if met.tenure != Some(tenure) {
            *met = Met { tenure: Some(tenure), mechanisms: Vec::new() };
        }
        if met.mechanisms.contains(&mechanism) {
            return;
        }
        met.mechanisms.push(mechanism);
        let has = |mechanism| u64::from(met.mechanisms.contains(&mechanism));
        let (own, copy, overflow) =
            (has(Mechanism::Own), has(Mechanism::Copy), has(Mechanism::Overflow));
        // Each pair is counted when its second half comes.
        let is_new = |one, other| u64::from(mechanism == one || mechanism == other);
        let tally = &mut self.tally;
        tally.own_and_copy += own * copy * is_new(Mechanism::Own, Mechanism::Copy);
        tally.own_and_overflow += own * overflow * is_new(Mechanism::Own, Mechanism::Overflow);
        tally.copy_and_overflow += copy * overflow * is_new(Mechanism::Copy, Mechanism::Overflow);
        tally.all_three += own * copy * overflow;
    }

    /// Notes if a lease is in overflow.
    pub fn meet_overflow(&mut self, isolate: usize) {
        let local = crate::host::at(self.now + self.isolates[isolate].offset);
        let lease = self.isolates[isolate].gateway.leases().lease(self.host.account, local);
        if lease.is_some_and(|lease| lease.is_overflow()) {
            self.meet(isolate, Mechanism::Overflow);
        }
    }

    /// A key is changed through an isolate, copies come, and the ledger cannot name all unsettled
    /// keys: all within one lease, in any order.
    pub fn gather(&mut self) -> Checked {
        let isolate = self.any_isolate();
        let count = self.model.keys.len();
        if count == 0 || self.now < self.ledger_out_until {
            return Ok(());
        }
        let (key, other) = (count - 1, self.random(count as i64) as usize);
        self.ask_for(isolate, other);
        self.pause(200)?;
        let first = self.random(3);
        for act in 0..4 {
            match (first + act) % 3 {
                0 => {
                    self.through = Some(isolate);
                    self.change_key(key);
                    if self.one_in(2) {
                        let neighbour = self.any_isolate();
                        self.ask_for(neighbour, key);
                        self.pause(3_000)?;
                        self.flip(key);
                    }
                    self.through = None;
                }
                1 => {
                    self.host.is_short = self.one_in(2);
                    self.renew((isolate, self.isolates[isolate].life), self.host.account);
                }
                _ => {
                    // What a neighbour hears is found in the cache.
                    let neighbour = self.any_isolate();
                    self.ask_for(neighbour, key);
                    self.pause(500)?;
                    self.renew((isolate, self.isolates[isolate].life), self.host.account);
                }
            }
            self.pause(1_000)?;
            let key = if self.one_in(2) { key } else { other };
            self.ask_for(isolate, key);
            if self.one_in(3) {
                self.pause(3_000)?;
            }
        }
        self.host.is_short = false;
        self.ask_for(isolate, key);
        Ok(())
    }

    /// A key is changed while the answer to a question about it is on its way, or soon after; the
    /// isolate that asked is asked again when T is over since the change, and nobody in between.
    fn stalk(&mut self) -> Checked {
        let count = self.model.keys.len();
        if count == 0 || self.now < self.ledger_out_until {
            return Ok(());
        }
        let (isolate, key, t) = (self.any_isolate(), count - 1, self.model.freshness_ms());
        if self.one_in(2) {
            self.forget(isolate);
        }
        self.ask_for(isolate, key);
        let handled = self.isolates[isolate].handled;
        let until = self.now + 2 * t;
        while self.isolates[isolate].handled == handled && self.now < until {
            self.wait(100)?;
        }
        self.pause(t / 16 + 1)?;
        let changed = self.now;
        // It is not to hear of it.
        self.through = Some((isolate + 1) % self.isolates.len());
        self.flip(key);
        self.through = None;
        self.wait(t + 1)?;
        for _ in 0..2 {
            self.ask_for(isolate, key);
            self.pause(t / 2 + 1)?;
        }
        self.tally.stalks += u64::from(self.now > changed);
        Ok(())
    }

    /// The same where leases come from documents: KV may serve the one from before the change for S,
    /// and an isolate that read it last may go by it for T.
    fn stalk_document(&mut self) -> Checked {
        let count = self.model.keys.len();
        if count == 0 || self.now < self.ledger_out_until {
            return Ok(());
        }
        let (key, t, changed) = (count - 1, self.model.freshness_ms(), self.now);
        self.flip(key);
        self.wait(15_000)?;
        let over = self.model.documents.reach(changed, self.now + 10 * S);
        if over > self.now + 2 * S {
            return Ok(());
        }
        let before = self.random(t / 4 + 1);
        self.wait((over - before - self.now).max(0))?;
        for isolate in 0..self.isolates.len() {
            self.forget(isolate);
            self.ask_for(isolate, key);
        }
        self.wait(over + t + 1 - self.now)?;
        for _ in 0..2 {
            for isolate in 0..self.isolates.len() {
                self.ask_for(isolate, key);
            }
            self.pause(t / 3 + 1)?;
        }
        Ok(())
    }

    /// The ledger is out of reach for longer than there is grace, and an isolate that knows nothing
    /// is asked again and again.
    fn black_out(&mut self) -> Checked {
        let Some(key) = self.model.keys.len().checked_sub(1) else { return Ok(()) };
        let isolate = self.any_isolate();
        let span = 1_000 * self.grace_s + 15_000;
        self.ledger_out_until = self.now + span;
        self.forget(isolate);
        while self.now < self.ledger_out_until {
            self.ask_for(isolate, key);
            self.pause(span / 8)?;
        }
        Ok(())
    }

    /// Facts meet their last moment.
    pub fn lurk(&mut self) -> Checked {
        match self.random(3) {
            0 if self.is_eventual => self.stalk_document(),
            0 if (1..=30).contains(&self.grace_s) => self.black_out(),
            0 => self.watch(),
            _ => self.stalk(),
        }
    }

    /// A key is changed, perhaps twice; then, when KV is read back and for some seconds after,
    /// isolates that know nothing of it look.
    fn watch(&mut self) -> Checked {
        let active = |key: &usize| self.model.keys[*key].now().power.state == State::Active;
        let keys: Vec<usize> = (0..self.model.keys.len()).rev().filter(active).take(3).collect();
        let [key, other, ..] = keys[..] else { return Ok(()) };
        if self.now < self.ledger_out_until {
            return Ok(());
        }
        self.change_key(key);
        self.pause(4_000)?;
        self.are_puts_slow = self.one_in(2);
        self.flip(key);
        let id = self.model.keys[key].text.id();
        let text =
            "SELECT coalesce(max(at_ms), 0) FROM due WHERE kind = 'read_back' AND subject = ?";
        let looks_at =
            |world: &Self| world.host.sql.integer(&Statement::new(text).bind(id.as_str())).unwrap();
        self.wait(15_000)?;
        self.are_puts_slow = false;
        let due = looks_at(self);
        if due <= self.now || due > self.now + 3 * S {
            return Ok(());
        }
        self.wait((due - self.now - 2_000).max(0))?;
        let isolates = self.isolates.len();
        for round in 0..2 * isolates {
            let isolate = round % isolates;
            self.forget(isolate);
            self.ask_for(isolate, other);
            self.pause(1_500)?;
            self.ask_for(isolate, key);
            self.pause(2_500)?;
        }
        self.tally.watches += 1;
        Ok(())
    }

    /// A key is switched off or on, or issued.
    fn flip(&mut self, key: usize) {
        let Version { revision, power, .. } = self.model.keys[key].now();
        let state = match power.state {
            State::Active => State::Disabled,
            State::Disabled => State::Active,
            State::Nothing | State::Deleted => return self.change_key(key),
        };
        let id = self.model.keys[key].text.id();
        let (expected, enabled) = (Revision(revision), state == State::Active);
        let command = Command::SetEnabled { id, expected, enabled };
        if self.command(key, command.clone(), Power { state, ..power }).is_none() {
            // The member has had to sign in anew.
            self.command(key, command, Power { state, ..power });
        }
    }

    fn ask_for(&mut self, isolate: usize, key: usize) {
        let ask = Ask { network: self.random(2) as u8, write: self.one_in(4) };
        self.request(isolate, key, ask);
    }

    fn pause(&mut self, most: i64) -> Checked {
        let span = self.random(most);
        self.wait(span)
    }
}
