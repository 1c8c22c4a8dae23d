//! Members regenerate keys, at once and with an overlap, and end replaced ones early.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::record::{Record, Revision};
use rand_chacha::rand_core::Rng;

use crate::model::{Power, Span, State, Version};
use crate::world::World;

impl<R: LeaseRules> World<R> {
    /// A key gets a successor; one that has it already is ended.
    pub fn rotate(&mut self, key: usize) {
        if self.successors.contains_key(&key) {
            self.end_overlap(key)
        } else {
            self.regenerate(key)
        }
    }

    fn end_overlap(&mut self, key: usize) {
        let Version { revision, power, .. } = self.model.keys[key].now();
        let (id, expected) = (self.model.keys[key].text.id(), Revision(revision));
        let ended = Power { state: State::Deleted, ..power };
        self.command(key, Command::EndOverlap { id, expected }, ended);
    }

    fn regenerate(&mut self, key: usize) {
        let Version { revision, power, .. } = self.model.keys[key].now();
        let former = self.successors.iter().find(|(_, new)| **new == key).map(|(old, _)| *old);
        let seconds = self.one_in(2).then(|| 1 + self.random(120));
        let new = self.draw();
        let text = &self.model.keys[new].text;
        let overlap = seconds.map(|seconds| format!("{seconds}s"));
        let form = serde_json::json!({ "overlap": overlap, "expires": "90d" });
        let command = Command::Regenerate {
            id: self.model.keys[key].text.id(),
            expected: Revision(revision),
            new_id: text.id(),
            new_digest: text.digest(),
            form: serde_json::from_value(form).unwrap(),
            idempotency_key: format!("r-{}", self.rng.next_u64()),
            sealed: None,
        };
        self.fault_by_chance();
        let reply = self.host.command(command, &mut self.rng, self.now);
        self.host.sql.calm();
        self.host.note_lost();
        let is_told = reply.is_some();
        let changed = match reply {
            Some(LedgerReply::Regenerated { records, bound, .. }) => {
                let deadline = self.model.deadline(self.now);
                assert!(deadline <= bound.at.as_ms(), "{bound:?} is promised, it is {deadline}");
                let of = |place: usize| {
                    let id = self.model.keys[place].text.id();
                    records.iter().find(|record| record.id == id).cloned()
                };
                [former, Some(key), Some(new)].map(|place| place.and_then(|at| Some((at, of(at)?))))
            }
            Some(_) => {
                let now = self.now;
                self.host.sign_in(&mut self.rng, now);
                [None, None, None]
            }
            // Nobody knows whether it was committed.
            None => [former, Some(key), Some(new)].map(|place| place.and_then(|at| self.newer(at))),
        };
        self.arm();
        let [ended, replaced, issued] = changed;
        if issued.is_none() {
            assert!(replaced.is_none() && ended.is_none(), "a half of a regeneration");
            return;
        }
        let end = seconds.map(|seconds| self.now + 1_000 * seconds);
        let ends = end.map(|end| power.span.ends.map_or(end, |own| own.min(end)));
        let old = match ends {
            Some(_) => Power { span: Span { ends, ..power.span }, ..power },
            None => Power { state: State::Deleted, ..power },
        };
        let fresh =
            Power { state: State::Active, span: Span { ends: None, ..power.span }, ..power };
        self.successors.insert(key, new);
        self.tally.rotations += 1;
        self.tally.overlaps += u64::from(ends.is_some());
        for (change, power) in [(ended, None), (replaced, Some(old)), (issued, Some(fresh))] {
            let Some((place, record)) = change else { continue };
            let last = self.model.keys[place].now().power;
            let power = power.unwrap_or(Power { state: State::Deleted, ..last });
            self.tally.changes += 1;
            self.model.changed(place, power, &record, self.now).unwrap();
            // The answer names the last revision.
            if is_told && place == new {
                self.spread(&record);
            }
        }
    }

    /// The record of a key, if it is newer than the last version that is known.
    fn newer(&mut self, place: usize) -> Option<(usize, Record)> {
        let id = self.model.keys[place].text.id();
        let record = self.host.record(id, &mut self.rng, self.now)?;
        (record.revision.0 > self.model.keys[place].now().revision).then_some((place, record))
    }
}
