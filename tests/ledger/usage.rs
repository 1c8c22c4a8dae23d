//! Usage: counted once, bounded, and forgotten in time.

mod refusals;

use claviger_control::ledger::usage::pending::{PENDING_ISOLATES_MAX, QUIET};
use claviger_control::ledger::usage::{CALLERS_MAX, DAYS, ISOLATES_MAX};
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::EffectOutcome;
use claviger_control::protocol::keys::{KeyView, Listing};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::refresh::{
    ADDRESSES_MAX, Caller, RefreshRequest, USES_MAX, UsageBatch, Use,
};

use crate::crash::quiet;
use crate::sql::sqlite::Fault;
use crate::world::{Browser, HOUR, MINUTE, SECOND, START, World, set_enabled};

const DAY: i64 = 24 * HOUR;

fn once(id: KeyId, count: u64, denials: u64, last_at: i64) -> Use {
    Use {
        id,
        count,
        denials,
        last_at: UnixMs::from_ms(last_at),
        addresses: vec![address(1)],
        callers: vec![],
        refusals: vec![],
    }
}

fn address(last: usize) -> ClientAddress {
    ClientAddress::parse(&format!("203.0.113.{last}")).unwrap()
}

fn send(world: &World, isolate: u64, sequence: u64, uses: Vec<Use>) {
    let usage = Some(UsageBatch { isolate, sequence, uses, service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
}

fn last_used(world: &World, owner: Browser, key: &KeyView) -> Option<i64> {
    let LedgerReply::Key(view) = world.ask(owner, Command::Get { id: key.id, deleted: true })
    else {
        panic!("no key")
    };
    let listed = world.page(owner, Listing::default());
    assert_eq!(listed.keys.iter().find(|one| one.id == key.id), Some(&view));
    view.last_used_at.map(UnixMs::as_ms)
}

/// Uses and denials of a key, over all days.
fn sums(world: &World, key: &KeyView) -> (i64, i64) {
    world.write_uses().unwrap();
    let text = format!(
        "SELECT ifnull(sum(uses), 0), ifnull(sum(denials), 0) FROM usage WHERE key = '{}'",
        key.id
    );
    let mut row = world.sql.rows(&Statement::new(text)).unwrap().remove(0);
    (row.integer().unwrap(), row.integer().unwrap())
}

#[test]
fn a13_a_key_that_is_only_asked_about_is_not_used() {
    let (world, owner) = quiet();
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    let request =
        RefreshRequest { ask: vec![a.id, b.id], unused: vec![a.id], ..RefreshRequest::default() };
    assert!(world.refresh(request).answers.iter().all(|answer| answer.record.is_some()));
    assert_eq!((sums(&world, &a), sums(&world, &b)), ((0, 0), (1, 0)));
    assert_eq!(last_used(&world, owner, &a), None);
}

#[test]
fn a_batch_counts_once_however_often_it_comes() {
    let (world, owner) = quiet();
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    assert_eq!(last_used(&world, owner, &a), None);
    world.wait(10 * SECOND);
    let batch = || vec![once(a.id, 3, 1, START + SECOND), once(b.id, 0, 2, START + 2 * SECOND)];
    for _ in 0..2 {
        send(&world, u64::MAX, 7, batch());
        assert_eq!((sums(&world, &a), sums(&world, &b)), ((3, 1), (0, 2)));
    }
    send(&world, u64::MAX, 6, batch());
    assert_eq!(sums(&world, &a), (3, 1), "an older one that was overtaken");
    send(&world, u64::MAX, 8, batch());
    send(&world, 1, 7, batch());
    assert_eq!(sums(&world, &a), (9, 3), "another sequence, another isolate");
    assert_eq!(last_used(&world, owner, &a), Some(START + SECOND));
    assert_eq!(last_used(&world, owner, &b), None, "it was never let through");
    assert_eq!(world.count("usage"), 2, "a row per key and day");
}

/// An isolate is forgotten by the age of its last report, not of the write.
#[test]
fn a_report_is_dated_by_its_arrival() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    send(&world, 1, 1, vec![once(key.id, 1, 0, START)]);
    world.wait(QUIET.as_ms() as i64);
    world.write_uses().unwrap();
    assert_eq!(world.sql_time("SELECT at_ms FROM usage_isolate"), START);
}

/// A hundred reports of four isolates and three keys, within a minute.
fn a_minute(world: &World, keys: &[KeyView]) {
    for place in 0..100 {
        world.wait(MINUTE / 101);
        let key = &keys[place % keys.len()];
        let usage = UsageBatch {
            isolate: place as u64 % 4,
            sequence: place as u64 + 1,
            uses: vec![once(key.id, 1, 1, world.now.get())],
            service: None,
        };
        let ask = if place % 10 == 0 { vec![key.id] } else { Vec::new() };
        world.refresh(RefreshRequest { ask, usage: Some(usage), ..RefreshRequest::default() });
    }
}

#[test]
fn a_minute_of_reports_is_one_apply_of_a_row_for_each_key_and_isolate() {
    let (world, owner) = quiet();
    let keys = [(); 3].map(|()| world.issue(owner, "{}"));
    send(&world, 9, 1, vec![once(keys[0].id, 1, 0, START)]);
    world.write_uses().unwrap();
    // What else is owed is done with for now.
    while let Some(effect) = world.next_effect() {
        world.settle(&effect, EffectOutcome::Done);
    }
    let (applies, rows) = (world.sql.applies(), world.sql.written());
    a_minute(&world, &keys);
    assert_eq!((world.sql.applies(), world.sql.written()), (applies, rows));
    assert_eq!(world.next_due(), Some(START + MINUTE / 101 + MINUTE), "a minute after the first");
    world.now.set(START + MINUTE / 101 + MINUTE - 1);
    assert_eq!(world.next_effect(), None);
    assert_eq!(world.sql.applies(), applies);
    world.wait(1);
    assert_eq!(world.next_effect(), None);
    // The keys, those without a use in the last ten minutes also in their own row, and the
    // isolates.
    assert_eq!((world.sql.applies(), world.sql.written()), (applies + 1, rows + 3 + 2 + 4));
    let total: i64 = keys.iter().map(|key| sums(&world, key).0).sum();
    assert_eq!(total, 1 + 100 + 10, "batches, and answers");
    assert_eq!(world.sql.applies(), applies + 1, "nothing is left");
}

#[test]
fn what_is_gathered_is_written_before_the_object_may_be_put_to_sleep() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    while world.next_put().is_some() {}
    for sequence in 1..=3 {
        world.wait(6 * SECOND);
        send(&world, 1, sequence, vec![once(key.id, 1, 0, world.now.get())]);
    }
    assert_eq!(world.count("usage"), 0);
    let last = world.now.get();
    world.now.set(last + QUIET.as_ms() as i64);
    assert!(world.next_due().unwrap() <= world.now.get());
    while world.next_put().is_some() {}
    world.crash();
    assert_eq!(sums(&world, &key).0, 3);
}

#[test]
fn whoever_looks_sees_the_uses_of_this_minute() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    send(&world, 1, 1, vec![from(key.id, vec![caller(1, 2, START)])]);
    assert_eq!(locked_out(&world, owner, key.id, "192.0.2.0/24"), out(&[("1", 2)]));
    send(&world, 1, 2, vec![once(key.id, 1, 0, START)]);
    assert_eq!(
        (shown(&world, owner, &key).uses_24h, last_used(&world, owner, &key)),
        (3, Some(START))
    );
    send(&world, 1, 3, vec![once(key.id, 1, 0, START)]);
    assert_eq!(world.page(owner, Listing::default()).keys[0].uses_24h, 4);
    let stranger = Browser { proof: world.draw_session().1, ..owner };
    send(&world, 1, 4, vec![once(key.id, 1, 0, START)]);
    let applies = world.sql.applies();
    world.refusal(stranger, Command::Get { id: key.id, deleted: false });
    assert_eq!(world.sql.applies(), applies, "a stranger does not have it write");
}

#[test]
fn a_crash_loses_what_waits_and_counts_nothing_twice() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let batch = |sequence| send(&world, 1, sequence, vec![once(key.id, 1, 0, START)]);
    batch(1);
    world.write_uses().unwrap();
    batch(2);
    world.crash();
    batch(1);
    assert_eq!(sums(&world, &key).0, 1, "the second is lost, the first is known");
    batch(2);
    batch(2);
    assert_eq!(sums(&world, &key).0, 2, "whoever had no answer repeats it");
    for (fault, expected) in [(Fault::BeforeItLands, 3), (Fault::ReplyLost, 4)] {
        let sequence = expected as u64;
        batch(sequence);
        world.sql.break_apply(1, fault);
        assert!(world.write_uses().is_err());
        batch(sequence);
        assert_eq!(sums(&world, &key).0, expected, "{fault:?}");
    }
}

#[test]
fn a_fold_that_is_full_is_written_before_more_comes() {
    let (world, _) = quiet();
    let applies = world.sql.applies();
    for isolate in 0..PENDING_ISOLATES_MAX as u64 {
        send(&world, isolate, 1, Vec::new());
    }
    assert_eq!(world.sql.applies(), applies);
    send(&world, u64::MAX, 1, Vec::new());
    assert_eq!(world.sql.applies(), applies + 1);
    assert_eq!(world.count("usage_isolate"), PENDING_ISOLATES_MAX as i64);
}

#[test]
fn an_active_answer_is_a_use() {
    let (world, owner) = quiet();
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    world.changed(owner, set_enabled(&b, false));
    let ask = vec![a.id, b.id, world.draw_key().0];
    world.refresh(RefreshRequest { ask, ..RefreshRequest::default() });
    assert_eq!((sums(&world, &a), sums(&world, &b)), ((1, 0), (0, 0)));
    assert_eq!(last_used(&world, owner, &a), Some(START));
    assert_eq!(world.count("usage"), 1);
}

#[test]
fn times_that_cannot_be_are_drawn_in() {
    let (world, owner) = quiet();
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    send(&world, 1, 1, vec![once(a.id, 1, 0, i64::MAX), once(b.id, u64::MAX, u64::MAX, i64::MIN)]);
    send(&world, 1, 2, vec![once(b.id, u64::MAX, 1, 0)]);
    assert_eq!(last_used(&world, owner, &a), Some(START));
    assert_eq!(last_used(&world, owner, &b), Some(START - DAY));
    assert_eq!(sums(&world, &b).0, 9_007_199_254_740_991);
}

#[test]
fn addresses_are_few_and_the_latest_first() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    for (sequence, range) in [(1, 0..20), (2, 4..7), (3, 100..101)] {
        let addresses = range.map(address).collect();
        send(&world, 1, sequence, vec![Use { addresses, ..once(key.id, 1, 0, START) }]);
    }
    world.write_uses().unwrap();
    let mut row = world.sql.rows(&Statement::new("SELECT addresses FROM usage")).unwrap().remove(0);
    let stored: Vec<ClientAddress> = serde_json::from_str(&row.text().unwrap()).unwrap();
    let expected = [100, 4, 5, 6, 0, 1, 2, 3].map(address);
    assert_eq!(stored, expected[..ADDRESSES_MAX]);
}

#[test]
fn what_is_not_there_is_not_counted_and_no_batch_is_too_long() {
    let (world, owner) = quiet();
    let [dead, alive] = [(); 2].map(|()| world.issue(owner, "{}"));
    world.delete(owner, &dead);
    let mut uses = vec![once(dead.id, 1, 0, START), once(world.draw_key().0, 1, 0, START)];
    uses.extend((0..USES_MAX - 2).map(|_| once(world.draw_key().0, 1, 0, START)));
    uses.push(once(alive.id, 1, 0, START));
    send(&world, 1, 1, uses);
    world.write_uses().unwrap();
    assert_eq!(world.count("usage"), 0);
    assert_eq!(world.count("usage_isolate"), 1);
}

#[test]
fn old_days_go_but_the_last_use_stays() {
    let (world, owner) = quiet();
    let [used, idle, dead] = [(); 3].map(|()| world.issue(owner, "{}"));
    for day in 0..4 {
        let now = world.now.get();
        let denied = Use { addresses: vec![], ..once(idle.id, 0, 1, now) };
        send(&world, 1, day + 1, vec![once(used.id, 1, 0, now), denied, once(dead.id, 1, 0, now)]);
        world.wait(DAY);
    }
    let last = world.now.get() - DAY;
    let owner = world.renewed(owner);
    world.delete(owner, &dead);
    assert_eq!(world.count("usage"), 12);
    // What is left of a deleted key's goes after the key itself has.
    for _ in 0..2 {
        world.wait(2 * DAYS * DAY);
        while world.next_effect().is_some() {}
    }
    assert_eq!(world.count("usage"), 1);
    let owner = world.renewed(owner);
    assert_eq!(last_used(&world, owner, &used), Some(last));
    assert_eq!(world.count("usage_isolate"), 0);
    assert_eq!(world.count("due WHERE kind = 'sweep_usage'"), 0, "nothing grows old any more");
    send(&world, 1, 4, vec![once(used.id, 1, 0, world.now.get())]);
    assert_eq!(sums(&world, &used), (2, 0), "an isolate that was forgotten begins anew");
    assert_eq!(world.count("due WHERE kind = 'sweep_usage'"), 1);
}

#[test]
fn isolates_are_bounded() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ISOLATES_MAX})
        INSERT INTO usage_isolate SELECT printf('%016d', i), 1, i FROM n"
    );
    world.sql.apply(&[Statement::new(fill)]).unwrap();
    send(&world, u64::MAX, 1, vec![once(key.id, 1, 0, START)]);
    world.write_uses().unwrap();
    assert_eq!(
        world.count("usage_isolate"),
        i64::from(ISOLATES_MAX) + 1,
        "writing looks through none of them"
    );
    world
        .sql
        .apply(&[Statement::new("UPDATE due SET at_ms = 0 WHERE kind = 'sweep_usage'")])
        .unwrap();
    world
        .sql
        .apply(&[Statement::new(format!(
            "UPDATE usage_isolate SET at_ms = at_ms + {START} - 20000"
        ))])
        .unwrap();
    world.next_put();
    assert_eq!(world.count("usage_isolate"), i64::from(ISOLATES_MAX));
    assert_eq!(
        world.count(format!("usage_isolate WHERE at_ms = {START} - 19999").as_str()),
        0,
        "the one that was silent longest gave way"
    );
}

// --------------------------------------------------------------------------------- from where, and
// in the last day

fn caller(last: usize, count: u64, last_at: i64) -> Caller {
    Caller { address: address(last), count, last_at: UnixMs::from_ms(last_at) }
}

fn from(id: KeyId, callers: Vec<Caller>) -> Use {
    let count = callers.iter().map(|caller| caller.count).sum();
    let last_at = callers.iter().map(|caller| caller.last_at).max().unwrap().as_ms();
    Use { callers, ..once(id, count, 0, last_at) }
}

fn shown(world: &World, browser: Browser, key: &KeyView) -> KeyView {
    let LedgerReply::Key(view) = world.ask(browser, Command::Get { id: key.id, deleted: true })
    else {
        panic!("no key")
    };
    view
}

/// Who would be locked out by these networks, as last part of the address and count.
fn locked_out(world: &World, browser: Browser, key: KeyId, networks: &str) -> Vec<(String, u64)> {
    let draft =
        serde_json::from_value(serde_json::json!({ "key": key, "networks": networks })).unwrap();
    let LedgerReply::Checked(checked) = world.ask(browser, Command::Check { draft }) else {
        panic!()
    };
    let told = |caller: Caller| {
        (caller.address.ip().to_string().rsplit('.').next().unwrap().to_owned(), caller.count)
    };
    checked.locked_out.unwrap().into_iter().map(told).collect()
}

fn out(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|(last, count)| ((*last).to_owned(), *count)).collect()
}

#[test]
fn a06_uses_of_the_last_day_are_told_hour_by_hour() {
    let (world, owner) = quiet();
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    for hour in 0..30 {
        send(
            &world,
            1,
            hour + 1,
            vec![once(a.id, 10, 5, world.now.get()), once(b.id, 0, 1, world.now.get())],
        );
        world.wait(HOUR);
    }
    let owner = world.renewed(owner);
    let listed = world.page(owner, Listing::default()).keys;
    for (key, expected) in [(&a, 230), (&b, 0)] {
        assert_eq!(
            shown(&world, owner, key).uses_24h,
            expected,
            "the present hour and the 23 before it"
        );
        assert_eq!(listed.iter().find(|one| one.id == key.id).unwrap().uses_24h, expected);
    }
    let (changed, ..) = world.changed(owner, set_enabled(&a, false));
    assert_eq!(changed.unwrap().uses_24h, 230);
    world.wait(23 * HOUR);
    let owner = world.renewed(owner);
    assert_eq!(shown(&world, owner, &a).uses_24h, 0);
}

#[test]
fn a_page_is_told_its_uses_in_one_statement() {
    let (world, owner) = quiet();
    world.issue(owner, "{}");
    let reads = |listing: Listing| {
        world.sql.overhear();
        world.page(owner, listing);
        world.sql.overheard().len()
    };
    let one = reads(Listing::default());
    for _ in 0..30 {
        world.issue(owner, "{}");
    }
    assert_eq!(reads(Listing::default()), one);
}

#[test]
fn a11_who_would_be_locked_out_is_told_by_address_over_the_last_week() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let older = world.now.get();
    send(&world, 1, 1, vec![from(key.id, vec![caller(9, 7, older), caller(1, 1, older)])]);
    world.wait(6 * DAY);
    let now = world.now.get();
    send(&world, 1, 2, vec![from(key.id, vec![caller(1, 2, now), caller(2, 3, now - SECOND)])]);
    send(
        &world,
        2,
        1,
        vec![from(key.id, vec![caller(2, 4, now - 2 * SECOND), caller(3, 1, now - HOUR)])],
    );
    let owner = world.renewed(owner);
    let all = out(&[("1", 3), ("2", 7), ("3", 1), ("9", 7)]);
    assert_eq!(locked_out(&world, owner, key.id, "192.0.2.0/24"), all);
    assert_eq!(
        locked_out(&world, owner, key.id, "203.0.113.1 203.0.113.9"),
        out(&[("2", 7), ("3", 1)])
    );
    assert_eq!(locked_out(&world, owner, key.id, "203.0.113.0/24"), []);
    assert_eq!(locked_out(&world, owner, key.id, ""), [], "from anywhere locks nobody out");
    let stranger = KeyId::random(
        claviger_core::base::id::AccountId::parse("zzzzzzzz").unwrap(),
        &mut *world.rng.borrow_mut(),
    );
    assert_eq!(
        locked_out(&world, owner, stranger, "192.0.2.0/24"),
        [],
        "another account's key tells nothing"
    );

    // Of the day on which the week begins, what was before its hour counts no more.
    world.wait(DAY - 1);
    let owner = world.renewed(owner);
    assert_eq!(locked_out(&world, owner, key.id, "192.0.2.0/24"), all);
    world.wait(1);
    let owner = world.renewed(owner);
    assert_eq!(
        locked_out(&world, owner, key.id, "192.0.2.0/24"),
        out(&[("1", 2), ("2", 7), ("3", 1)])
    );
    world.wait(HOUR);
    let owner = world.renewed(owner);
    assert_eq!(
        locked_out(&world, owner, key.id, "192.0.2.0/24"),
        out(&[("1", 2), ("2", 7), ("3", 1)])
    );
}

#[test]
fn an_answer_s_use_is_from_where_it_was_asked_if_that_is_let_through() {
    let (world, owner) = quiet();
    let key = world.issue(owner, r#"{"networks":"203.0.113.0/30"}"#);
    for last in [1, 2, 2, 77] {
        let request = RefreshRequest {
            ask: vec![key.id],
            asked_from: Some(address(last)),
            ..RefreshRequest::default()
        };
        world.refresh(request);
    }
    assert_eq!(sums(&world, &key).0, 4);
    assert_eq!(shown(&world, owner, &key).uses_24h, 4);
    let mut told = locked_out(&world, owner, key.id, "192.0.2.0/24");
    told.sort();
    assert_eq!(told, out(&[("1", 1), ("2", 2)]), "77 was refused by the edge");
}

#[test]
fn an_edge_that_tells_no_callers_is_read_and_counts() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let old = format!(
        r#"{{"id":"{}","count":3,"denials":0,"last_at":{START},"addresses":["203.0.113.1"]}}"#,
        key.id
    );
    send(&world, 1, 1, vec![serde_json::from_str(&old).unwrap()]);
    assert_eq!(shown(&world, owner, &key).uses_24h, 3);
    assert_eq!(locked_out(&world, owner, key.id, "192.0.2.0/24"), []);
}

#[test]
fn callers_are_bounded_drawn_in_and_forgotten() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    for batch in 0..10 {
        let callers = (0..20).map(|n| caller((batch * 20 + n) % 200, 1, START)).collect();
        send(&world, 1, batch as u64 + 1, vec![from(key.id, callers)]);
    }
    let stored = |world: &World| {
        world.write_uses().unwrap();
        let mut row = world
            .sql
            .rows(&Statement::new("SELECT callers FROM usage ORDER BY day DESC"))
            .unwrap()
            .remove(0);
        serde_json::from_str::<Vec<Caller>>(&row.text().unwrap()).unwrap()
    };
    assert_eq!(stored(&world).len(), CALLERS_MAX);
    send(&world, 2, 1, vec![from(key.id, vec![caller(250, u64::MAX, i64::MAX)])]);
    send(&world, 2, 2, vec![from(key.id, vec![caller(250, 1, i64::MIN)])]);
    let known = stored(&world).into_iter().find(|one| one.address == address(250)).unwrap();
    assert_eq!(known.last_at, UnixMs::from_ms(START), "nothing is later than now");
    assert!(known.count >= 9_007_199_254_740_991);

    send(&world, 2, 3, vec![once(key.id, 1, 0, START)]);
    world.wait(9 * DAY);
    while world.next_effect().is_some() {}
    assert_eq!(stored(&world), []);
    assert_eq!(world.count("usage WHERE hours <> '[]'"), 0);
    assert!(sums(&world, &key).0 > 0, "the days' counts stay");
}
