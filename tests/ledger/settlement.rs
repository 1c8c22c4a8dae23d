//! Settlement: when the ledger stops naming a key, no place serves anything older of it, whatever
//! KV did meanwhile.

use claviger_control::ledger::ledger::Ledger;
use claviger_control::ledger::publication::PUT_LATE_MS;
use claviger_control::objects::object::DurableObject;
use claviger_control::objects::tasks::PAUSE_MAX_MS;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::KeyId;
use claviger_core::replication::record::{Epoch, Record, Revision, kv_key};
use claviger_core::replication::refresh::{RefreshRequest, SETTLE_MS, Unsettled};
use claviger_core::replication::superseded::{Superseded, SupersededFilter};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::crash::{quiet, random_change};
use crate::kv::Kv;
use crate::sql::sqlite::Fault;
use crate::world::{Browser, HOUR, MINUTE, SECOND, World, edit, set_enabled};

const S: i64 = SETTLE_MS as i64;
const LATE: i64 = PUT_LATE_MS as i64;

fn unsettled(world: &World) -> Vec<KeyId> {
    match world.cold().unsettled {
        Unsettled::Set(marks) => marks.iter().map(|mark| mark.id).collect(),
        Unsettled::Overflow => panic!("overflow"),
    }
}

/// Carries everything out that is due, with a KV that works.
fn carry_on(world: &World, kv: &mut Kv) {
    while let Some(effect) = world.next_effect() {
        let outcome = match &effect {
            Effect::PutRecord { key, value, .. } => {
                kv.land(key, value, world.now.get());
                EffectOutcome::Done
            }
            Effect::ReadBack { .. } | Effect::ReadMany { .. } | Effect::ListKv { .. } => {
                kv.read(&effect, world.now.get(), 0, |_| 0)
            }
            _ => EffectOutcome::Done,
        };
        world.settle(&effect, outcome);
    }
}

/// A key that was issued and has settled.
fn settled_key() -> (World, Browser, Kv, claviger_control::protocol::keys::KeyView) {
    let (world, owner) = quiet();
    let mut kv = Kv::default();
    let key = world.issue(owner, "{}");
    carry_on(&world, &mut kv);
    world.wait(S);
    carry_on(&world, &mut kv);
    assert_eq!(world.count("publication WHERE settled = revision"), 1);
    let owner = world.sign_in(owner.member);
    (world, owner, kv, key)
}

#[test]
fn a_change_is_named_until_a_read_back_that_is_late_enough_shows_it() {
    let (world, owner, mut kv, key) = settled_key();
    assert_eq!(unsettled(&world), []);
    world.changed(owner, set_enabled(&key, false));
    assert_eq!(unsettled(&world), [key.id]);
    carry_on(&world, &mut kv);
    world.wait(S - 1);
    carry_on(&world, &mut kv);
    assert_eq!(unsettled(&world), [key.id], "what any place serves may still be the old record");
    world.wait(1);
    let read = world.next_effect().unwrap();
    assert!(matches!(read, Effect::ReadBack { .. }));
    assert_eq!(unsettled(&world), [key.id], "it is not read yet");
    world.settle(&read, kv.read(&read, world.now.get(), 0, |_| 0));
    assert_eq!(unsettled(&world), []);
    assert_eq!(world.next_put(), None);
}

#[test]
fn a_creation_is_not_named_but_its_first_edit_is() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    assert_eq!(unsettled(&world), [], "nobody can have another record of it");
    world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    assert_eq!(unsettled(&world), [key.id], "KV may have the record of the issue");
}

#[test]
fn a_read_back_that_does_not_show_it_puts_it_again_and_waits_again() {
    let wrong: [fn(&str) -> Option<String>; 4] = [
        |_| None,
        |_| Some("{".into()),
        |value| Some(value.replacen("\"revision\":2", "\"revision\":1", 1)),
        |value| Some(value.replacen("\"epoch\":\"", "\"epoch\":\"x", 1)),
    ];
    for wrong in wrong {
        let (world, owner, mut kv, key) = settled_key();
        world.changed(owner, set_enabled(&key, false));
        carry_on(&world, &mut kv);
        world.wait(S);
        let read = world.next_effect().unwrap();
        world.settle(&read, EffectOutcome::Read { value: wrong(kv.get(&kv_key(key.id)).unwrap()) });
        assert_eq!(unsettled(&world), [key.id]);
        let put = world.next_effect().unwrap();
        assert!(matches!(&put, Effect::PutRecord { revision: Revision(2), .. }), "{put:?}");
        world.settle(&put, EffectOutcome::Done);
        world.wait(S - 1);
        assert_eq!(world.next_effect(), None);
        world.wait(1);
        carry_on(&world, &mut kv);
        assert_eq!(unsettled(&world), []);
    }
}

#[test]
fn a_read_back_of_a_key_that_changed_meanwhile_settles_nothing() {
    let (world, owner, mut kv, key) = settled_key();
    let (key, ..) = world.changed(owner, set_enabled(&key, false));
    carry_on(&world, &mut kv);
    world.wait(S);
    let read = world.next_effect().unwrap();
    let shown = kv.read(&read, world.now.get(), 0, |_| 0);
    let owner = world.sign_in(owner.member);
    world.changed(owner, set_enabled(&key.unwrap(), true));
    world.settle(&read, shown.clone());
    assert_eq!(world.count("publication WHERE settled = revision"), 0);
    carry_on(&world, &mut kv);
    world.settle(&read, shown);
    assert_eq!(unsettled(&world).len(), 1, "nor when it is told again, after the put");
    world.wait(S);
    carry_on(&world, &mut kv);
    assert_eq!(unsettled(&world), []);
}

#[test]
fn a_put_of_unknown_fate_may_still_land_and_is_waited_for() {
    let (world, owner, _, key) = settled_key();
    let (key, ..) = world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    let (key, ..) = world.changed(owner, edit(&key.unwrap(), r#"{"name":"Nightly"}"#));
    let lost = world.next_put().unwrap();
    world.settle(&lost, EffectOutcome::Failed);
    let lost_at = world.now.get();
    world.changed(owner, set_enabled(&key.unwrap(), false));
    world.wait(SECOND);
    let put = world.next_put().unwrap();
    world.settle(&put, EffectOutcome::Done);
    let read_at = world.sql_time("SELECT at_ms FROM due WHERE kind = 'read_back'");
    assert_eq!(read_at, lost_at + LATE + S, "S counts from when nothing can land any more");
}

#[test]
fn a_put_that_nobody_told_of_may_still_land_and_is_waited_for() {
    let (world, owner, _, key) = settled_key();
    let (key, ..) = world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    world.next_put().unwrap();
    let crashed_at = world.now.get();
    world.changed(owner, set_enabled(&key.unwrap(), false));
    world.wait(30 * SECOND);
    let put = world.next_put().unwrap();
    world.settle(&put, EffectOutcome::Done);
    let read_at = world.sql_time("SELECT at_ms FROM due WHERE kind = 'read_back'");
    assert_eq!(read_at, crashed_at + LATE + S);
}

#[test]
fn a_repeated_put_of_unknown_fate_is_remembered_though_its_record_settles() {
    let (world, owner, mut kv, key) = settled_key();
    world.handle(LedgerRequest::Rebuild).unwrap();
    carry_on(&world, &mut kv);
    world.wait(S);
    let read = world.next_effect().unwrap();
    // While it is read back, the same record is put again, and nobody knows whether it lands.
    world.handle(LedgerRequest::Rebuild).unwrap();
    let lost = world.next_put().unwrap();
    let lost_at = world.now.get();
    world.settle(&lost, EffectOutcome::Failed);
    world.settle(&read, kv.read(&read, world.now.get(), 0, |_| 0));
    assert_eq!(unsettled(&world), []);

    world.changed(owner, set_enabled(&key, false));
    world.wait(SECOND);
    let put = world.next_put().unwrap();
    world.settle(&put, EffectOutcome::Done);
    let read_at = world.sql_time("SELECT at_ms FROM due WHERE kind = 'read_back'");
    assert_eq!(read_at, lost_at + LATE + S, "the old record may land after the new one");
}

#[test]
fn the_outcome_of_another_put_changes_nothing() {
    let (world, owner, _, key) = settled_key();
    world.changed(owner, set_enabled(&key, false));
    let first = world.next_put().unwrap();
    world.wait(30 * SECOND);
    let second = world.next_put().unwrap();
    assert_ne!(first, second);
    let rows = || world.sql.dump("publication") + &world.sql.dump("due");
    let before = rows();
    for outcome in [EffectOutcome::Done, EffectOutcome::Failed] {
        world.settle(&first, outcome);
        assert_eq!(rows(), before, "the second is under way: nobody may begin a third");
    }
    world.settle(&second, EffectOutcome::Done);
    assert_eq!(world.count("due WHERE kind = 'put_record'"), 0);
}

#[test]
fn a_read_back_of_an_earlier_put_of_the_same_change_decides_nothing() {
    let (world, owner, mut kv, key) = settled_key();
    world.changed(owner, set_enabled(&key, false));
    carry_on(&world, &mut kv);
    world.wait(S);
    let read = world.next_effect().unwrap();
    let shown = kv.read(&read, world.now.get(), 0, |_| 0);
    world.handle(LedgerRequest::Rebuild).unwrap();
    world.wait(SECOND);
    carry_on(&world, &mut kv);
    let rows = || world.sql.dump("publication") + &world.sql.dump("due");
    let before = rows();
    world.settle(&read, shown);
    assert_eq!(rows(), before);
}

/// What was acknowledged at that instant was sent before it.
#[test]
fn a_rebuild_puts_what_was_acknowledged_when_it_began() {
    let (world, owner) = quiet();
    world.issue(owner, "{}");
    carry_on(&world, &mut Kv::default());
    world.handle(LedgerRequest::Rebuild).unwrap();
    assert!(world.next_put().is_some());
}

#[test]
fn the_lag_counts_from_the_oldest_change_that_kv_lacks() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    world.wait(MINUTE);
    let put = world.next_put().unwrap();
    world.settle(&put, EffectOutcome::Failed);
    world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    world.wait(MINUTE);
    world.handle(LedgerRequest::Rebuild).unwrap();
    assert!(world.next_put().is_some());
    let mail = world.next_effect().expect("the notice of the new key");
    assert!(matches!(mail, Effect::SendMail { .. }), "{mail:?}");
    world.settle(&mail, EffectOutcome::Done);
    assert_eq!(world.next_effect(), None, "the rebuild has scheduled its batch");
    world.wait(MINUTE);
    assert_eq!(world.progress().lag_s, Some(180));
}

#[test]
fn a_deleted_key_keeps_its_tombstone_everywhere() {
    let (world, owner, mut kv, key) = settled_key();
    world.delete(owner, &key);
    for _ in 0..3 {
        carry_on(&world, &mut kv);
        world.wait(24 * HOUR);
    }
    let held = Record::from_kv(kv.get(&kv_key(key.id)).unwrap(), key.id);
    assert_eq!(held, world.record(key.id));
    assert!(kv.get(&kv_key(key.id)).unwrap().contains(r#""state":"deleted""#));
    assert_eq!(world.count("key WHERE state = 'deleted'"), 1);
    assert_eq!(unsettled(&world), []);
}

#[test]
fn a_quota_that_is_spent_for_a_day_delays_and_loses_nothing() {
    let (world, owner, mut kv, key) = settled_key();
    world.changed(owner, set_enabled(&key, false));
    let begin = world.now.get();
    let mut tries = 0;
    while world.now.get() < begin + 24 * HOUR {
        while let Some(effect) = world.next_effect() {
            if matches!(effect, Effect::PutRecord { .. }) {
                tries += 1;
            }
            world.settle(&effect, EffectOutcome::Failed);
        }
        assert_eq!(unsettled(&world), [key.id]);
        let due = world.next_due().unwrap();
        world.now.set(due.max(world.now.get() + 1));
    }
    assert!((280..320).contains(&tries), "one every five minutes: {tries}");
    assert!(world.progress().lag_s.unwrap() >= 86_400);
    world.wait(PAUSE_MAX_MS as i64);
    carry_on(&world, &mut kv);
    assert_eq!(world.progress().lag_s, None);
    world.wait(LATE + S);
    carry_on(&world, &mut kv);
    assert_eq!(unsettled(&world), []);
}

#[test]
fn a_lag_is_told_to_the_console_and_the_log() {
    let (world, owner) = quiet();
    world.issue(owner, "{}");
    let lag = |world: &World| {
        let LedgerReply::Session(view) = world.ask(owner, Command::Show) else {
            panic!("no session")
        };
        (view.publication_lag_s, Ledger::new(&world.sql).alert(world.now()).unwrap().is_some())
    };
    assert_eq!(lag(&world), (None, false));
    world.wait(2 * MINUTE - 1);
    assert_eq!(lag(&world), (None, false), "puts take their time");
    world.wait(1);
    assert_eq!(lag(&world), (Some(120), true));
    carry_on(&world, &mut Kv::default());
    assert_eq!(lag(&world), (None, false));
}

/// Random changes, rebuilds and new histories; puts that fail, land late, land unnoticed, are told
/// of twice or never; readings as old as they may be; outages of hours; faults of the database. At
/// every moment: what the ledger does not name, any place serves as it is, or not at all. In the
/// end: all is in KV, and all is settled.
#[test]
fn what_is_not_named_is_nowhere_older_than_the_ledger_says() {
    for seed in 0..25 {
        Storm::new(seed).run();
    }
}

struct Storm {
    seed: u64,
    world: World,
    owner: Browser,
    kv: Kv,
    keys: Vec<KeyId>,
    under_way: Vec<(Effect, Option<EffectOutcome>)>,
    told: Vec<(Effect, EffectOutcome)>,
    /// Puts on their way, with the time at which they will land.
    late: Vec<(i64, String, String)>,
    out_until: i64,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let (world, owner) = quiet();
        *world.rng.borrow_mut() = ChaCha20Rng::seed_from_u64(seed);
        let out_until = world.now.get();
        Self {
            seed,
            world,
            owner,
            kv: Kv::default(),
            keys: Vec::new(),
            under_way: Vec::new(),
            told: Vec::new(),
            late: Vec::new(),
            out_until,
        }
    }

    fn run(mut self) {
        for _ in 0..400 {
            if self.world.random(20) == 0 {
                let fault =
                    if self.world.random(2) == 0 { Fault::BeforeItLands } else { Fault::ReplyLost };
                self.world.sql.break_apply(1, fault);
            }
            match self.world.random(200) {
                0..30 => self.change(),
                30..45 => self.begin(),
                45..60 => self.finish(),
                60..130 => {
                    self.begin();
                    self.finish();
                }
                130..135 => self.tell_again(),
                135 => self.out_until = self.world.now.get() + self.random(2 * HOUR),
                136 => self.operate(),
                137 => self.world.handle(LedgerRequest::Rebuild).map_or((), drop),
                138..160 => self.wait(40 * SECOND),
                160..170 => self.wait(S / 2),
                _ => {
                    // To the moment at which the next duty is due, which is when rules are broken
                    // if ever.
                    let due = self.world.next_due().unwrap_or_default();
                    self.wait_for((due - self.world.now.get()).clamp(0, 2 * S));
                }
            }
            self.world.sql.calm();
            self.check();
        }
        self.calm_down();
    }

    fn random(&self, below: i64) -> i64 {
        self.world.random(below.try_into().unwrap()).try_into().unwrap()
    }

    fn change(&mut self) {
        self.owner = self.world.renewed(self.owner);
        // Few living keys, so that much happens to each.
        let id = self.keys.get(self.keys.len().wrapping_sub(self.random(3) as usize + 1));
        let get =
            id.map(|id| self.world.try_ask(self.owner, Command::Get { id: *id, deleted: true }));
        if let Some(Ok(LedgerReply::Key(key))) = get {
            let _ = self.world.try_ask(self.owner, random_change(&self.world, self.owner, &key));
        } else {
            let command = self.world.issue_command("{}");
            let Command::Issue { id, .. } = command else { return };
            let _ = self.world.try_ask(self.owner, command);
            // Issued also where only the reply was lost.
            self.keys.extend(self.world.record(id).map(|_| id));
        }
    }

    fn begin(&mut self) {
        let now = self.world.now.get();
        let Ok(Some(effect)) = Ledger::new(&self.world.sql).next_effect(self.world.now()) else {
            return;
        };
        // What is read may be read at once, and told late.
        let reads = !matches!(effect, Effect::PutRecord { .. });
        let early = (reads && self.random(2) == 0).then(|| {
            let world = &self.world;
            self.kv.read(&effect, now, S, |count| world.random(count as u64) as usize)
        });
        self.under_way.push((effect, early));
    }

    fn finish(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let place = self.random(self.under_way.len() as i64) as usize;
        let (effect, early) = self.under_way.remove(place);
        let now = self.world.now.get();
        let is_out = now < self.out_until;
        let outcome = match (&effect, early) {
            _ if is_out => EffectOutcome::Failed,
            (Effect::PutRecord { key, value, sent_at, .. }, _) => {
                let last = sent_at.as_ms() + LATE;
                match self.random(5) {
                    0 => EffectOutcome::Failed,
                    1 if now <= last => {
                        self.late.push((
                            now + self.random(last - now + 1),
                            key.clone(),
                            value.clone(),
                        ));
                        // Or nobody ever tells.
                        if self.random(2) == 0 {
                            return;
                        }
                        EffectOutcome::Failed
                    }
                    _ if now > last => EffectOutcome::Failed,
                    2 => {
                        self.kv.land(key, value, now);
                        EffectOutcome::Failed
                    }
                    _ => {
                        self.kv.land(key, value, now);
                        EffectOutcome::Done
                    }
                }
            }
            (_, Some(early)) => early,
            (_, None) => {
                let world = &self.world;
                self.kv.read(&effect, now, S, |count| world.random(count as u64) as usize)
            }
        };
        let _ = Ledger::new(&self.world.sql).settle(&effect, &outcome, self.world.now());
        self.told.push((effect, outcome));
    }

    fn tell_again(&mut self) {
        if self.told.is_empty() {
            return;
        }
        let place = self.random(self.told.len() as i64) as usize;
        let (effect, outcome) = &self.told[place];
        let _ = Ledger::new(&self.world.sql).settle(effect, outcome, self.world.now());
    }

    fn operate(&self) {
        let ahead = RefreshRequest {
            epoch: Some(self.world.cold().epoch),
            known_revision: Revision(1_000_000),
            ..RefreshRequest::default()
        };
        let _ = self.world.handle(LedgerRequest::Refresh(ahead));
    }

    /// Time passes, and what is on its way lands.
    fn wait(&mut self, at_most: i64) {
        let span = 1 + self.random(at_most);
        self.wait_for(span);
    }

    fn wait_for(&mut self, span: i64) {
        let end = self.world.now.get() + span;
        self.late.sort();
        while let Some((at, key, value)) = self.late.first().cloned().filter(|(at, ..)| *at <= end)
        {
            self.late.remove(0);
            self.kv.land(&key, &value, at);
        }
        self.world.now.set(end);
    }

    fn check(&self) {
        let (world, seed) = (&self.world, self.seed);
        let refresh = world.cold();
        let Unsettled::Set(named) = refresh.unsettled else { panic!("overflow") };
        for id in self.keys.iter().filter(|id| !named.iter().any(|mark| mark.id == **id)) {
            let present = world.record(*id).unwrap();
            for served in self.kv.served(&kv_key(*id), world.now.get(), S).into_iter().flatten() {
                let served = Record::from_kv(served, *id).unwrap();
                let counts = served.epoch == refresh.epoch;
                assert!(
                    !counts || served == present,
                    "seed {seed}: {served:?} is served for {present:?}"
                );
            }
        }
    }

    fn calm_down(mut self) {
        self.world.sql.calm();
        self.under_way.clear();
        self.wait(LATE);
        for _ in 0..2_000 {
            // What was on its way has landed; the repair finds what it spoilt.
            carry_on(&self.world, &mut self.kv);
            let due = self.world.next_due().unwrap_or_default();
            self.wait_for((due - self.world.now.get()).max(1));
            let owed = self.world.count("due WHERE kind IN ('put_record', 'read_back', 'rebuild')");
            if owed == 0 && self.late.is_empty() {
                break;
            }
        }
        self.world.wait(25 * HOUR);
        for _ in 0..60 {
            carry_on(&self.world, &mut self.kv);
            self.world.wait(S);
        }
        let seed = self.seed;
        assert_eq!(self.world.count("publication WHERE settled < revision"), 0, "seed {seed}");
        assert!(self.keys.len() > 1);
        for id in &self.keys {
            let held = self.kv.get(&kv_key(*id)).and_then(|value| Record::from_kv(value, *id));
            assert_eq!(held, self.world.record(*id), "seed {seed}");
        }
        assert_eq!(unsettled(&self.world), []);
    }
}

/// A key's earlier record can be put back into KV at any time, by anybody who may write there.
#[test]
fn a_key_that_changed_once_is_superseded_for_the_rest_of_its_history() {
    let (world, owner, mut kv, changed) = settled_key();
    let unchanged = world.issue(owner, "{}");
    let lease = world.cold();
    let is_named = |id| match world.cold().superseded {
        Some(Superseded::Filter(filter)) => filter.contains(id),
        other => panic!("{other:?}"),
    };
    assert_eq!(lease.superseded, Some(Superseded::Filter(SupersededFilter::default())));
    world.changed(owner, set_enabled(&changed, false));
    let known = RefreshRequest {
        epoch: Some(lease.epoch),
        known_revision: lease.revision,
        ..RefreshRequest::default()
    };
    let later = world.issue(owner, "{}");
    let since = world.refresh(known).superseded;
    assert_eq!(since, Some(Superseded::Keys(vec![changed.id])), "a new key has no earlier record");
    carry_on(&world, &mut kv);
    world.wait(S);
    carry_on(&world, &mut kv);
    assert_eq!(unsettled(&world), [], "the change has settled");
    assert!(is_named(changed.id));
    assert!(!is_named(unchanged.id) && !is_named(later.id));
    // A record of an earlier history counts for nothing, so a new history begins with none.
    world.handle(LedgerRequest::Restored { epoch: Epoch::new(5) }).unwrap();
    assert!(!is_named(changed.id));
    carry_on(&world, &mut kv);
    assert!(!is_named(changed.id), "the first record of this history");
}

/// Such an account's every request asks, so that a list of all keys would cost each of them.
#[test]
fn an_account_whose_requests_all_ask_is_not_sent_the_superseded_keys() {
    let (world, ..) = settled_key();
    assert!(world.cold().superseded.is_some());
    world.handle(LedgerRequest::SetState { freshness_ms: Some(0), suspended: None }).unwrap();
    assert_eq!(world.cold().superseded, None);
}
