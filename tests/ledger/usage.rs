//! Usage: counted once, bounded, and forgotten in time.

use claviger::id::KeyId;
use claviger::keys::{KeyView, Listing};
use claviger::ledger::usage::{DAYS, ISOLATES_MAX};
use claviger::network::ClientAddress;
use claviger::protocol::{Command, LedgerReply};
use claviger::refresh::{ADDRESSES_MAX, RefreshRequest, USES_MAX, UsageBatch, Use};
use claviger::sql::{Sql, Statement};
use claviger::time::UnixMs;

use crate::crash::quiet;
use crate::world::{Browser, HOUR, SECOND, START, World, set_enabled};

const DAY: i64 = 24 * HOUR;

fn once(id: KeyId, count: u64, denials: u64, last_at: i64) -> Use {
    Use { id, count, denials, last_at: UnixMs::from_ms(last_at), addresses: vec![address(1)] }
}

fn address(last: usize) -> ClientAddress {
    ClientAddress::parse(&format!("203.0.113.{last}")).unwrap()
}

fn send(world: &World, isolate: u64, sequence: u64, uses: Vec<Use>) {
    let usage = Some(UsageBatch { isolate, sequence, uses });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
}

fn last_used(world: &World, owner: Browser, key: &KeyView) -> Option<i64> {
    let LedgerReply::Key(view) = world.ask(owner, Command::Get { id: key.id }) else { panic!("no key") };
    let listed = world.page(owner, Listing::default());
    assert_eq!(listed.keys.iter().find(|one| one.id == key.id), Some(&view));
    view.last_used_at.map(UnixMs::as_ms)
}

/// Uses and denials of a key, over all days.
fn sums(world: &World, key: &KeyView) -> (i64, i64) {
    let text =
        format!("SELECT ifnull(sum(uses), 0), ifnull(sum(denials), 0) FROM usage WHERE key = '{}'", key.id);
    let mut row = world.sql.rows(&Statement::new(text)).unwrap().remove(0);
    (row.integer().unwrap(), row.integer().unwrap())
}

#[test]
fn a13_a_key_that_is_only_asked_about_is_not_used() {
    let (world, owner) = quiet();
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    let request = RefreshRequest { ask: vec![a.id, b.id], unused: vec![a.id], ..RefreshRequest::default() };
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

#[test]
fn a_batch_is_one_apply_and_a_repeat_none() {
    let (world, owner) = quiet();
    let uses: Vec<Use> = (0..20).map(|_| once(world.issue(owner, "{}").id, 1, 0, START)).collect();
    let applies = world.sql.applies();
    send(&world, 1, 1, uses.clone());
    assert_eq!(world.sql.applies(), applies + 1);
    send(&world, 1, 1, uses);
    assert_eq!(world.sql.applies(), applies + 1);
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
    send(&world, 1, 4, vec![once(used.id, 1, 0, world.now.get())]);
    assert_eq!(sums(&world, &used), (2, 0), "an isolate that was forgotten begins anew");
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
    assert_eq!(world.count("usage_isolate"), i64::from(ISOLATES_MAX));
    assert_eq!(world.count("usage_isolate WHERE at_ms = 1"), 0, "the one that was silent longest gave way");
}
