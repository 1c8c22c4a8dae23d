//! A ledger is restored from a bookmark: what was changed since is lost, though leases and KV know
//! it. The directory notes a fresh history before, and tells it after. From T later on all must
//! again be as the ledger says; where documents count, once KV holds none from before.

use claviger_control::objects::directory::Directory;
use claviger_control::objects::object::{DurableObject, Entropy};
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::objects::{DirectoryReply, DirectoryRequest};
use claviger_core::lease::rules::{LeaseRules, ProductionRules};
use claviger_core::replication::record::{Epoch, Standing};
use claviger_core::replication::refresh::RefreshRequest;

use crate::bugs::Sabotage;
use crate::host::at;
use crate::model::{Ask, Gate, Power, State, Version};
use crate::sql::sqlite::Sqlite;
use crate::world::{Checked, Event, S, World};

/// Longest T that [`World`] sets, and then some.
const T_MAX: i64 = 62_000;

/// The directory, on a database of its own.
struct Register {
    sql: Sqlite,
}

impl Register {
    fn ask(&self, request: DirectoryRequest, lot: u8, now: i64) -> DirectoryReply {
        Directory::new(&self.sql).handle(request, at(now), &Entropy([lot; 32])).unwrap()
    }

    /// What the directory owes: to tell the ledger its new history.
    fn owed(&self, now: i64) -> Option<(Effect, Epoch)> {
        let effect = Directory::new(&self.sql).next_effect(at(now)).unwrap()?;
        let Effect::TellEpoch { epoch, .. } = &effect else {
            panic!("nothing to tell: {effect:?}")
        };
        let epoch = epoch.clone();
        Some((effect, epoch))
    }
}

/// One seed.
fn run(seed: u64, sabotage: Sabotage) -> Checked {
    let mut world = World::<ProductionRules>::new(seed, sabotage);
    world.play().map_err(|violation| format!("seed {seed}: {violation}"))
}

impl<R: LeaseRules> World<R> {
    fn play(&mut self) -> Checked {
        let (account, register) = (self.host.account, Register { sql: Sqlite::new() });
        register.ask(DirectoryRequest::EnterFirst { account, claimant: None }, 1, self.now);
        register.ask(
            DirectoryRequest::Confirm { account, name: None, suspended: None },
            1,
            self.now,
        );
        self.storm(30)?;

        self.host.bookmark();
        let then: Vec<Power> = self.model.keys.iter().map(|key| key.now().power).collect();
        self.storm(15)?;

        // Whatever is said from here on until all have heard is nobody's promise.
        self.late = Some(Vec::new());
        let lot = self.random(256) as u8;
        let noted = register.ask(DirectoryRequest::NoteEpoch { account }, lot, self.now);
        assert!(matches!(noted, DirectoryReply::Epoch { .. }), "{noted:?}");
        self.host.restore();
        register.ask(DirectoryRequest::Restored { account }, 1, self.now);
        self.arm();
        // Later changes take the numbers of those that were lost.
        for place in 0..self.random(40) {
            let freshness_ms = Some([1_000, 10_000][place as usize % 2]);
            let request = LedgerRequest::SetState { freshness_ms, suspended: None };
            self.host.handle(request, &mut self.rng, self.now);
        }
        let until_told = self.random(20_000);
        self.wait(until_told)?;
        if self.host.sabotage != Sabotage::HistoryUntold {
            let (effect, epoch) = register.owed(self.now).expect("the history is told");
            let reply =
                self.host.handle(LedgerRequest::Restored { epoch }, &mut self.rng, self.now);
            assert!(reply.is_some(), "the ledger hears of it");
            Directory::new(&register.sql)
                .settle(&effect, &EffectOutcome::Done, at(self.now))
                .unwrap();
            assert!(register.owed(self.now).is_none(), "it is told once");
        }
        self.arm();
        self.calm();
        let owed = "SELECT count(*) FROM due WHERE kind IN ('put_lease', 'read_lease')";
        while self.is_eventual && self.host.number(owed) > 0 {
            self.wait(S)?;
        }
        self.wait(T_MAX)?;

        self.late = None;
        self.believe_the_ledger(&then);
        for _ in 0..2 {
            for isolate in 0..self.isolates.len() {
                for key in 0..self.model.keys.len() {
                    self.request(isolate, key, Ask { network: 1, write: false });
                }
            }
            self.wait(5_000)?;
        }
        Ok(())
    }

    fn storm(&mut self, steps: u32) -> Checked {
        (0..steps).try_for_each(|_| self.step())
    }

    /// What counts from now on, for requests that arrive from now on: what the ledger says, and of
    /// keys that were there `then`, what they could do.
    fn believe_the_ledger(&mut self, then: &[Power]) {
        let now = self.now;
        self.judged_from = now;
        for place in 0..self.model.keys.len() {
            let id = self.model.keys[place].text.id();
            let record = self.host.record(id, &mut self.rng, now);
            let nothing = Power::new(State::Nothing);
            let power = then.get(place).copied().unwrap_or(nothing);
            let revision = record.as_ref().map_or(0, |record| record.revision.0);
            // What was lost and found in KV again has a tombstone.
            let is_gone =
                record.as_ref().is_none_or(|record| matches!(record.standing, Standing::Deleted));
            let ought_to_be = [State::Nothing, State::Deleted].contains(&power.state);
            assert_eq!(is_gone, ought_to_be, "{record:?}, {power:?}");
            let key = &mut self.model.keys[place];
            key.versions = vec![Version { from: now, revision, power }];
            key.is_premature = true;
        }
        // What was changed before is nobody's own any more.
        self.isolates.iter_mut().for_each(|isolate| isolate.own.clear());
        self.events.retain(|_, event| !matches!(event, Event::Learn(..)));
        let reply =
            self.host.handle(LedgerRequest::Refresh(RefreshRequest::default()), &mut self.rng, now);
        let Some(LedgerReply::Refreshed(refresh)) = reply else { panic!("no state: {reply:?}") };
        let state = refresh.state.unwrap();
        let gate = Gate { suspended: state.suspended, ..self.host.gate() };
        self.model.begin(now, state.freshness_ms as i64, gate);
    }
}

/// So many restored ledgers.
const SEEDS: u64 = 60;

#[test]
fn a_restored_ledger_is_believed_by_all() {
    (0..SEEDS)
        .try_for_each(|seed| run(seed, Sabotage::None))
        .unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn a_restored_ledger_that_is_told_nothing_is_noticed() {
    let mut violations = (0..4 * SEEDS).filter_map(|seed| run(seed, Sabotage::HistoryUntold).err());
    let is_wanted =
        |violation: &String| ["P1", "P2"].iter().any(|promise| violation.contains(promise));
    println!("{}", violations.find(is_wanted).expect("nobody noticed"));
}
