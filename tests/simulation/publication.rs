//! The ledger's alarm: puts that are lost, late, landed without word; readings as old as they may
//! be.

use claviger_control::ledger::publication::PUT_LATE_MS;
use claviger_control::objects::object::{DurableObject, EFFECTS_PER_RING_MAX};
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::record::kv_key;
use rand_chacha::rand_core::Rng;

use crate::bugs::Sabotage;
use crate::host::at;
use crate::kv::Mood;
use crate::world::{Event, World};

impl<R: LeaseRules> World<R> {
    /// Sets the alarm to what is due next, and it rings a little late.
    pub fn arm(&mut self) {
        let Some(due) = self.host.next_due() else { return };
        let due = due.max(self.now);
        if self.alarm_at.is_some_and(|at| at <= due) {
            return;
        }
        self.alarm_at = Some(due);
        let late = if self.is_healed { 0 } else { self.random(300) };
        self.later(due - self.now + late, Event::Alarm);
    }

    pub fn alarm(&mut self) {
        self.alarm_at = None;
        for _ in 0..EFFECTS_PER_RING_MAX {
            let Ok(Some(effect)) = self.host.ledger().next_effect(at(self.now)) else { break };
            // A crash: what was taken comes due by itself.
            if !self.is_healed && self.one_in(12) {
                break;
            }
            self.carry_out(effect);
        }
        self.arm();
    }

    pub fn settle(&mut self, effect: &Effect, outcome: &EffectOutcome) {
        let sabotage = self.host.sabotage;
        let now = match effect {
            Effect::PutRecord { sent_at, .. } if sabotage == Sabotage::SettledFromSending => {
                *sent_at
            }
            _ => at(self.now),
        };
        // An error leaves the duty as it was.
        let _ = self.host.ledger().settle(effect, outcome, now);
        self.forget_unsure();
        if let Effect::PutRecord { id, revision, key, .. } = effect
            && (sabotage, outcome) == (Sabotage::ReadBackAtOnce, &EffectOutcome::Done)
        {
            let (id, revision, key) = (*id, *revision, key.clone());
            let effect = Effect::ReadBack { id, revision, key, acknowledged_at: at(self.now) };
            let outcome = self.read(&effect);
            let late = self.random(9_000);
            self.later(late, Event::Told(effect, outcome));
        }
        self.arm();
    }

    /// With this bug the ledger knows no put whose outcome it does not know.
    fn forget_unsure(&self) {
        if self.host.sabotage == Sabotage::UnsureForgotten {
            let forget = Statement::new("UPDATE publication SET unsure_at_ms = NULL");
            self.host.sql.apply(&[forget]).unwrap();
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        self.forget_unsure();
        // From sending to landing, and from landing to word of it, a put may take seconds each.
        let (delay, word) = match self.random(8) {
            _ if self.is_healed => (0, 0),
            _ if self.are_puts_slow => (4_000 + self.random(5_000), 0),
            0..5 => (self.random(400), 0),
            5 => (self.random(400), self.random(9_000)),
            6 => (self.random(9_000), self.random(500)),
            _ => (self.random(5_000), self.random(4_500)),
        };
        if let Effect::PutRecord { key, value, .. } = &effect {
            let (key, value) = (key.clone(), Some(value.clone()));
            return self.put(effect, key, value, (delay, word));
        }
        if let Effect::PutLease { key, value, number, .. } = &effect {
            self.model.documents.make(*number, self.now);
            let (key, value) = (key.clone(), Some(value.clone()));
            return self.put(effect, key, value, (delay, word));
        }
        let outcome = match &effect {
            Effect::ReadBack { .. }
            | Effect::ReadLease { .. }
            | Effect::ReadMany { .. }
            | Effect::ListKv { .. } => self.read(&effect),
            _ => EffectOutcome::Done,
        };
        let most = if self.one_in(2) { 300 } else { 9_000 };
        let late = if self.is_healed { 0 } else { self.random(most) };
        self.later(late, Event::Told(effect, outcome));
    }

    fn read(&mut self, effect: &Effect) -> EffectOutcome {
        let mood = [Mood::Oldest, Mood::Newest, Mood::Any][self.random(3) as usize];
        let lot = self.rng.next_u64();
        let now = self.now;
        match effect {
            _ if now < self.kv_out_until => EffectOutcome::Failed,
            Effect::ReadBack { id, .. } if self.host.sabotage == Sabotage::BlindReadBack => {
                let record = self.host.record(*id, &mut self.rng, now);
                EffectOutcome::Read {
                    value: record.map(|record| serde_json::to_string(&record).unwrap()),
                }
            }
            // Nobody looks: the duty is done.
            Effect::ReadLease { .. } if self.host.sabotage == Sabotage::DocumentsLost => {
                EffectOutcome::Read { value: self.last_document.clone() }
            }
            Effect::ReadBack { key, .. } | Effect::ReadLease { key, .. } => {
                let value = self.kv.read(key, mood, lot, now);
                EffectOutcome::Read { value: value.and_then(|text| self.mac.open(key, &text)) }
            }
            Effect::ReadMany { ids } => {
                let read = |id| {
                    let (key, value) = (kv_key(id), self.kv.read(&kv_key(id), mood, lot, now));
                    (id, value.and_then(|text| self.mac.open(&key, &text)))
                };
                EffectOutcome::ReadMany { values: ids.iter().copied().map(read).collect() }
            }
            Effect::ListKv { prefix, cursor } => {
                let names = self.kv.names(prefix, cursor.as_deref().unwrap_or_default());
                EffectOutcome::Listed { names, cursor: None }
            }
            Effect::SendMail { .. } => EffectOutcome::Done,
            other => panic!("nothing to read: {other:?}"),
        }
    }

    /// A put that lands after the first of two times, of which the ledger hears after the second.
    fn put(
        &mut self,
        effect: Effect,
        key: String,
        object: Option<String>,
        (delay, word): (i64, i64),
    ) {
        let mut value = object.as_ref().map(|object| self.mac.sign(&key, object));
        let late_ms = PUT_LATE_MS as i64 - 1_000;
        let is_lost = self.one_in(3);
        match self.host.sabotage {
            Sabotage::DeletedRemoved
                if value.as_ref().is_some_and(|text| text.contains("deleted")) =>
            {
                value = None;
            }
            Sabotage::PutsTwice => {
                let again = 60_000 + self.random(4 * late_ms);
                self.later(again, Event::Lands(key.clone(), value.clone()));
            }
            Sabotage::DocumentsLost if matches!(effect, Effect::PutLease { .. }) => {
                self.last_document = object.clone();
                if is_lost {
                    self.later(delay, Event::Told(effect, EffectOutcome::Done));
                    return;
                }
            }
            Sabotage::BlindReadBack if is_lost => {
                self.later(delay, Event::Told(effect, EffectOutcome::Done));
                return;
            }
            _ => (),
        }
        let lot = if self.is_healed { 9 } else { self.random(16) };
        let is_out = self.now < self.kv_out_until;
        match lot {
            _ if is_out => self.later(delay, Event::Told(effect, EffectOutcome::Failed)),
            0 => self.later(delay, Event::Told(effect, EffectOutcome::Failed)),
            1 => {
                let landing = self.random(late_ms);
                self.later(landing, Event::Lands(key, value));
                // Or nobody ever tells.
                if self.one_in(2) {
                    self.later(delay, Event::Told(effect, EffectOutcome::Failed));
                }
            }
            2 => self.later(delay, Event::Lands(key, value)),
            3 => {
                self.later(delay, Event::Lands(key, value));
                self.later(delay + word, Event::Told(effect, EffectOutcome::Failed));
            }
            4 => {
                let landing = self.random(9_000);
                self.later(landing, Event::Lands(key, value));
                self.later(landing + delay, Event::Told(effect, EffectOutcome::Done));
            }
            _ => {
                self.later(delay, Event::Lands(key, value));
                self.later(delay + word, Event::Told(effect, EffectOutcome::Done));
            }
        }
    }
}
