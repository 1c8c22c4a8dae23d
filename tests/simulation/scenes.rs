//! Dangers that chance seldom meets, each staged: by the book all goes well, and with the bug that
//! it is about it does not.

use claviger_control::ledger::repair::ROUND;
use claviger_control::protocol::command::Command;
use claviger_core::base::id::KeyId;
use claviger_core::lease::call::{KvRead, Lookup, RefreshCall};
use claviger_core::lease::rules::{LeaseRules, ProductionRules};
use claviger_core::replication::edge_call::RefreshReply;
use claviger_core::replication::record::{Record, Revision, kv_key};
use claviger_core::replication::refresh::{MARKS_MAX, Refresh, Unsettled};

use crate::bugs::{
    AnySetSettles, LastSetCounts, LastWordCounts, LateWordEnters, MarkEvicted, OverflowCleared,
    OverflowForgotten, Sabotage,
};
use crate::host::{at, heard};
use crate::kv::Mood;
use crate::model::{Ask, Power, State, Version};
use crate::world::{Checked, S, START, World};

/// A lease's T: long, so that what goes wrong shows before the next refresh mends it.
const T: i64 = 60_000;

const UNSETTLED: &str =
    "SELECT count(*) FROM publication WHERE base < revision AND settled < revision";

impl<R: LeaseRules> World<R> {
    /// One isolate, and a network on which nothing is lost or late by itself.
    pub fn stage() -> Self {
        let is_plain = |world: &Self| !world.is_eventual && !world.is_issuing && world.grace_s == 0;
        let mut world = (0..).map(|seed| Self::new(seed, Sabotage::None)).find(is_plain).unwrap();
        world.is_healed = true;
        world.isolates.truncate(1);
        world.isolates[0].place = None;
        world.isolates[0].mood = Mood::Oldest;
        world.set_state(Some(T), Some(false));
        world
    }

    /// A new key, which KV has taken.
    pub fn new_key(&mut self) -> Result<usize, String> {
        let key = self.draw();
        self.issue(key);
        self.wait(1_000)?;
        Ok(key)
    }

    /// One request, until it has its verdict.
    fn use_key(&mut self, key: usize) -> Checked {
        self.request(0, key, Ask { network: 0, write: false });
        self.wait(1)
    }

    /// The lease is kept alive by requests for a key.
    fn live(&mut self, key: usize, span: i64) -> Checked {
        for _ in 0..=span / (T / 2) {
            self.use_key(key)?;
            self.wait(T / 2)?;
        }
        self.use_key(key)
    }

    /// A question to the ledger, and the answer on its way.
    fn ask_ledger(&mut self, key: Option<usize>) -> (RefreshCall, RefreshReply) {
        let local = at(self.local(0));
        let gateway = &mut self.isolates[0].gateway;
        let call = match key {
            Some(key) => gateway.leases_mut().ask_ledger(self.model.keys[key].text.id(), local),
            None => gateway.leases_mut().renew(self.host.account, local),
        };
        let reply = self.host.refresh(call.request(), &mut self.rng, self.now);
        (call, heard(reply))
    }

    /// The answer arrives.
    fn answer(&mut self, (call, reply): &(RefreshCall, RefreshReply)) {
        let local = at(self.local(0));
        assert!(
            self.isolates[0].gateway.leases_mut().take_refresh(call, reply, local, None),
            "no answer: {reply:?}"
        );
    }

    /// A key is disabled, by a member who has just signed in; its record.
    fn disable(&mut self, key: usize) -> Record {
        self.host.sign_in(&mut self.rng, self.now);
        let Version { revision, power, .. } = self.model.keys[key].now();
        let id = self.model.keys[key].text.id();
        let command = Command::SetEnabled { id, expected: Revision(revision), enabled: false };
        self.command(key, command, Power { state: State::Disabled, ..power }).unwrap()
    }

    /// What KV holds of a key.
    fn held(&self, key: usize) -> String {
        let name = kv_key(self.model.keys[key].text.id());
        self.kv.read(&name, Mood::Newest, 0, self.now).unwrap()
    }

    /// A reading of KV arrives.
    fn take_kv(&mut self, read: &KvRead, text: &str) {
        let local = at(self.local(0));
        self.isolates[0].gateway.take_kv(read, Some(text), local, &mut Lookup::default());
    }

    fn unsettled(&self) -> i64 {
        self.host.number(UNSETTLED)
    }
}

/// Both are of the same account; the one keeps the lease alive, on the other something happens.
fn two_keys<R: LeaseRules>() -> Result<(World<R>, usize, usize), String> {
    let mut world = World::stage();
    let (often, seldom) = (world.new_key()?, world.new_key()?);
    world.use_key(often)?;
    Ok((world, often, seldom))
}

/// The ledger says of a key that it is active; meanwhile it is disabled, KV has long taken that,
/// nobody names it any more as unsettled; then the answer arrives.
fn an_answer_outlasts_a_settlement<R: LeaseRules>() -> Checked {
    let (mut world, often, seldom) = two_keys::<R>()?;
    let late = world.ask_ledger(Some(seldom));
    world.disable(seldom);
    world.live(often, 3 * S)?;
    assert_eq!(world.unsettled(), 0, "it has settled");
    world.answer(&late);
    world.use_key(seldom)
}

/// The same of what KV says.
fn a_reading_outlasts_a_settlement<R: LeaseRules>() -> Checked {
    let (mut world, often, seldom) = two_keys::<R>()?;
    let (id, local) = (world.model.keys[seldom].text.id(), at(world.local(0)));
    let read = world.isolates[0].gateway.leases_mut().ask_kv(id, local);
    let active = world.held(seldom);
    world.disable(seldom);
    world.live(often, 3 * S)?;
    assert_eq!(world.unsettled(), 0, "it has settled");
    world.take_kv(&read, &active);
    world.use_key(seldom)
}

/// While KV is read, the key is disabled through the same isolate, whose lease then knows what KV
/// does not.
fn a_reading_meets_a_newer_word<R: LeaseRules>() -> Checked {
    let (mut world, _, seldom) = two_keys::<R>()?;
    let (id, local) = (world.model.keys[seldom].text.id(), at(world.local(0)));
    let read = world.isolates[0].gateway.leases_mut().ask_kv(id, local);
    let active = world.held(seldom);
    let disabled = world.disable(seldom);
    world.learn(0, disabled, false);
    world.take_kv(&read, &active);
    world.use_key(seldom)
}

/// A call of an isolate, and the ledger's answer.
type Exchanged = (RefreshCall, RefreshReply);

/// A hand writes an old record of a disabled key into KV, and the ledger's round finds it: the key
/// is unsettled again, without a new number. Returns that key, and the last answer from before.
fn unsettled_again<R: LeaseRules>() -> Result<(World<R>, usize, Exchanged), String> {
    let (mut world, often, seldom) = two_keys::<R>()?;
    let active = world.held(seldom);
    world.disable(seldom);
    world.live(often, 3 * S)?;
    assert_eq!(world.unsettled(), 0, "it has settled");
    world.kv.land(&kv_key(world.model.keys[seldom].text.id()), Some(&active), world.now);
    // Until then nobody promises what is made of it.
    world.wait(START + ROUND.as_ms() as i64 - world.now)?;
    world.use_key(often)?;
    let mut before = world.ask_ledger(None);
    while world.unsettled() == 0 {
        world.use_key(often)?;
        before = world.ask_ledger(None);
        world.wait(1_000)?;
    }
    Ok((world, seldom, before))
}

/// Of two answers of the same number, the one from before a key was unsettled arrives last.
fn an_older_set_arrives_last<R: LeaseRules>() -> Checked {
    let (mut world, seldom, before) = unsettled_again::<R>()?;
    let after = world.ask_ledger(None);
    world.answer(&after);
    world.answer(&before);
    world.use_key(seldom)
}

/// KV holds more names of the account than a reply can list, none of which the ledger knows: its
/// round takes them in, all unsettled. Meanwhile a key is disabled that KV still says is active.
fn more_is_unsettled_than_can_be_named<R: LeaseRules>() -> Checked {
    let (mut world, often, seldom) = two_keys::<R>()?;
    for _ in 0..=MARKS_MAX {
        let id = KeyId::random(world.host.account, &mut world.rng);
        world.kv.land(&kv_key(id), Some("{}"), world.now);
    }
    world.wait(START + ROUND.as_ms() as i64 - world.now)?;
    while world.unsettled() <= MARKS_MAX as i64 {
        world.wait(100)?;
    }
    world.disable(seldom);
    world.use_key(often)?;
    world.wait(T + 1)?;
    world.use_key(often)?;
    let (_, reply) = world.ask_ledger(None);
    assert!(matches!(
        reply,
        RefreshReply::Refreshed(Refresh { unsettled: Unsettled::Overflow, .. })
    ));
    world.use_key(seldom)
}

/// An isolate is short of memory while KV still says of a key what it was.
fn memory_is_short<R: LeaseRules>() -> Checked {
    let (mut world, often, seldom) = two_keys::<R>()?;
    world.live(often, S)?;
    world.disable(seldom);
    world.wait(T + 1)?;
    world.use_key(often)?;
    // Each is half of what an isolate remembers.
    for _ in 0..3 {
        world.flood();
    }
    world.use_key(seldom)
}

/// A hand writes an old record into KV, and the ledger finds it, but cannot name all unsettled keys
/// any more. The answer from before, of the same number, names none and arrives last.
fn an_older_set_meets_an_overflow<R: LeaseRules>() -> Checked {
    let (mut world, seldom, before) = unsettled_again::<R>()?;
    let (call, mut after) = world.ask_ledger(None);
    let RefreshReply::Refreshed(refresh) = &mut after else { panic!("no answer: {after:?}") };
    refresh.unsettled = Unsettled::Overflow;
    world.answer(&(call, after));
    world.answer(&before);
    world.use_key(seldom)
}

/// A key is disabled through this isolate, while an answer is on its way that was given before: it
/// names no unsettled key. Then the isolate is short of memory, and KV still says that it is active.
fn an_older_set_meets_an_own_change<R: LeaseRules>() -> Checked {
    let (mut world, often, seldom) = two_keys::<R>()?;
    world.live(often, S)?;
    let before = world.ask_ledger(None);
    let disabled = world.disable(seldom);
    world.learn(0, disabled, false);
    world.answer(&before);
    // Each is half of what an isolate remembers.
    for _ in 0..3 {
        world.flood();
    }
    world.use_key(seldom)
}

/// A key is disabled through an isolate that has no lease yet, while an answer is on its way to it
/// that the ledger gave before.
fn a_first_answer_meets_an_own_change() -> Checked {
    let mut world = World::<ProductionRules>::stage();
    let (often, seldom) = (world.new_key()?, world.new_key()?);
    let before = world.ask_ledger(Some(often));
    let disabled = world.disable(seldom);
    world.learn(0, disabled, false);
    world.answer(&before);
    world.use_key(seldom)
}

/// By the book a scene is played without a word, with a bug not.
fn shows(by_the_book: fn() -> Checked, with_bug: fn() -> Checked, promise: &str) {
    by_the_book().unwrap_or_else(|violation| panic!("by the book: {violation}"));
    let violation = with_bug().expect_err("nobody noticed");
    println!("{violation}");
    assert!(violation.starts_with(promise), "{violation}");
}

#[test]
fn a_mark_that_is_forgotten_is_noticed() {
    shows(memory_is_short::<ProductionRules>, memory_is_short::<MarkEvicted>, "P1");
}

#[test]
fn an_overflow_that_an_older_set_ends_is_noticed() {
    let (by_the_book, with_bug) = (
        an_older_set_meets_an_overflow::<ProductionRules>,
        an_older_set_meets_an_overflow::<OverflowCleared>,
    );
    shows(by_the_book, with_bug, "P1");
}

#[test]
fn an_own_change_that_an_older_set_settles_is_noticed() {
    let (by_the_book, with_bug) = (
        an_older_set_meets_an_own_change::<ProductionRules>,
        an_older_set_meets_an_own_change::<AnySetSettles>,
    );
    shows(by_the_book, with_bug, "order");
}

#[test]
fn a_first_answer_from_before_an_own_change_does_not_undo_it() {
    a_first_answer_meets_an_own_change().unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn an_answer_that_enters_late_is_noticed() {
    let (by_the_book, with_bug) = (
        an_answer_outlasts_a_settlement::<ProductionRules>,
        an_answer_outlasts_a_settlement::<LateWordEnters>,
    );
    shows(by_the_book, with_bug, "P1");
}

#[test]
fn an_overflow_of_the_ledger_that_counts_for_nothing_is_noticed() {
    let (by_the_book, with_bug) = (
        more_is_unsettled_than_can_be_named::<ProductionRules>,
        more_is_unsettled_than_can_be_named::<OverflowForgotten>,
    );
    shows(by_the_book, with_bug, "P1");
}

#[test]
fn a_reading_that_enters_late_is_noticed() {
    let (by_the_book, with_bug) = (
        a_reading_outlasts_a_settlement::<ProductionRules>,
        a_reading_outlasts_a_settlement::<LateWordEnters>,
    );
    shows(by_the_book, with_bug, "P1");
}

#[test]
fn an_older_word_over_a_newer_is_noticed() {
    let (by_the_book, with_bug) = (
        a_reading_meets_a_newer_word::<ProductionRules>,
        a_reading_meets_a_newer_word::<LastWordCounts>,
    );
    shows(by_the_book, with_bug, "order");
}

#[test]
fn an_older_set_over_a_newer_is_noticed() {
    let (by_the_book, with_bug) =
        (an_older_set_arrives_last::<ProductionRules>, an_older_set_arrives_last::<LastSetCounts>);
    shows(by_the_book, with_bug, "P1");
}
