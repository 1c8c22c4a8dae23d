//! What survives: crashes between any two steps, writes that fail, replies that are lost, a KV that
//! fails both ways.
//!
//! `World` makes a new `Ledger` for every call, so that a crash between two calls is what every
//! test has anyway.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::objects::tasks::{IN_FLIGHT_MS, PAUSE_MAX_MS};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome, NameConfirmation};
use claviger_control::protocol::keys::KeyView;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::member::SecretVersion;
use claviger_core::base::id::KeyId;
use claviger_core::replication::record::Record;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::kv::Kv;
use crate::sql::sqlite::Fault;
use crate::world::{Browser, MINUTE, SECOND, START, World, confirm, edit, set_enabled};

const IN_FLIGHT: i64 = IN_FLIGHT_MS as i64;

#[test]
fn an_opened_account_owes_its_confirmations_until_they_arrive() {
    let (world, owner) = World::open();
    assert_eq!(world.next_due(), Some(START));
    let request = NameConfirmation {
        account: world.account,
        member: owner.member,
        secret_version: SecretVersion(1),
    };
    let email = claviger_control::protocol::account::Email::parse("mei@example.jp").unwrap();
    let expected = [
        Effect::ConfirmAccount {
            account: world.account,
            name: "Example KK".into(),
            suspended: false,
        },
        Effect::ConfirmName { email, request },
    ];
    for effect in &expected {
        assert_eq!(world.next_effect().as_ref(), Some(effect));
    }
    assert_eq!(world.next_effect(), None, "both are under way");
    // Whoever carried them is gone.
    world.wait(IN_FLIGHT);
    for (effect, outcome) in expected.iter().zip([EffectOutcome::Failed, EffectOutcome::Done]) {
        assert_eq!(world.next_effect().as_ref(), Some(effect));
        world.settle(effect, outcome);
    }
    world.wait(PAUSE_MAX_MS as i64);
    assert_eq!(world.next_effect().as_ref(), Some(&expected[0]));
    world.settle(&expected[0], EffectOutcome::Done);
    assert_eq!(world.next_effect(), None);
}

#[test]
fn a_row_that_cannot_be_read_is_looked_at_less_and_less_and_holds_up_nothing() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    world.drop_notices();
    let (_, begin) = world.begin_deletion(&[key.id]);
    world.ask(owner, begin);
    let spoil = Statement::new("UPDATE mail SET letter = '{}'");
    world.sql.apply(&[spoil]).unwrap();
    let (mut errors, mut puts) = (0, 0);
    while world.now.get() < START + 9 * MINUTE {
        match world.try_next_effect() {
            Err(_) => errors += 1,
            Ok(None) => world.now.set(world.next_due().unwrap().max(world.now.get() + 1)),
            Ok(Some(effect)) => {
                puts += 1;
                world.settle(&effect, EffectOutcome::Done);
            }
        }
    }
    assert_eq!(puts, 1);
    assert_eq!(errors, 10, "after 0, 1, 3, 7, … 255 and 511 seconds");
}

#[test]
fn a_key_is_put_one_put_at_a_time_and_always_as_it_is() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let first = world.next_effect().unwrap();
    assert_eq!(revision(&first), key.revision.0);

    let (key, ..) = world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    assert_eq!(world.next_effect(), None, "the first put may still land");
    world.settle(&first, EffectOutcome::Done);
    assert_eq!(world.next_effect(), None, "KV takes one write per second of a key");
    world.wait(SECOND);
    let second = world.next_effect().unwrap();
    assert_eq!(
        revision(&second),
        key.unwrap().revision.0,
        "what was acknowledged is not the newest any more"
    );
    world.settle(&second, EffectOutcome::Done);
    world.wait(MINUTE);
    assert_eq!(world.next_effect(), None);
}

#[test]
fn an_acknowledgement_that_comes_twice_or_late_does_no_harm() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let first = world.next_effect().unwrap();
    world.settle(&first, EffectOutcome::Done);
    world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    world.settle(&first, EffectOutcome::Done);
    world.settle(&first, EffectOutcome::Failed);
    world.wait(MINUTE);
    assert_eq!(revision(&world.next_effect().unwrap()), key.revision.0 + 1);
}

#[test]
fn a_deleted_key_is_put_as_a_tombstone_for_good() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    world.delete(owner, &key);
    let Some(Effect::PutRecord { key: kv_key, value, .. }) = world.next_put() else {
        panic!("no put")
    };
    assert_eq!(kv_key, format!("key/{}", key.id));
    assert!(value.contains(r#""state":"deleted""#) && !value.contains("digest"), "{value}");
}

#[test]
fn a_write_that_fails_leaves_nothing_half_written() {
    let (world, owner) = quiet();
    let key = world.issue(owner, r#"{"networks":"10.0.0.0/8"}"#);
    let (deletion, begin) = world.begin_deletion(&[key.id]);
    world.ask(owner, begin);
    world.wait(6 * MINUTE);
    let before = everything(&world);
    for command in [
        world.issue_command("{}"),
        edit(&key, r#"{"name":"Cron","networks":"::1"}"#),
        set_enabled(&key, false),
        world.begin_deletion(&[key.id]).1,
        confirm(deletion, "right"),
        confirm(deletion, "wrong"),
        Command::Show,
        Command::SignOut,
    ] {
        world.sql.break_apply(1, Fault::BeforeItLands);
        assert!(world.try_ask(owner, command.clone()).is_err(), "{command:?}");
        assert_eq!(everything(&world), before, "{command:?}");
    }
    assert!(matches!(world.ask(owner, Command::SignOut), LedgerReply::Done));
}

#[test]
fn a_statement_that_is_refused_takes_the_others_with_it() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    // The journal already holds the next number: the last statements of the change will be refused.
    let text = "INSERT INTO journal VALUES (2, 'x', 'x', 0)";
    world.sql.apply(&[Statement::new(text)]).unwrap();
    let before = everything(&world);
    assert!(world.try_ask(owner, edit(&key, r#"{"name":"Cron"}"#)).is_err());
    assert_eq!(everything(&world), before);
}

#[test]
fn a_change_whose_answer_was_lost_has_happened_once() {
    let (world, owner) = quiet();
    let issue = world.issue_command("{}");
    world.sql.break_apply(1, Fault::ReplyLost);
    assert!(world.try_ask(owner, issue.clone()).is_err());
    let claviger_control::protocol::refusal::Refusal::AlreadyIssued { key: Some(key) } =
        world.refusal(owner, issue)
    else {
        panic!("not issued");
    };
    world.sql.break_apply(1, Fault::ReplyLost);
    assert!(world.try_ask(owner, set_enabled(&key, false)).is_err());
    let (again, ..) = world.changed(owner, set_enabled(&key, false));
    assert_eq!(again.unwrap().revision.0, 2);
    assert_eq!(world.count("audit"), 4, "open, sign in, issue, disable");
    assert!(world.next_effect().is_some());
}

#[test]
fn opening_that_fails_can_be_repeated() {
    for fault in [Fault::BeforeItLands, Fault::ReplyLost] {
        for nth in [1, 2] {
            let world = World::empty();
            let (request, browser) = world.open_request(b'o', 1);
            world.sql.break_apply(nth, fault);
            assert!(world.handle(request).is_err());
            assert!(matches!(
                world.handle(world.open_request(b'o', 1).0),
                Ok(LedgerReply::Session(_))
            ));
            assert_eq!((world.count("account"), world.count("member")), (1, 1));
            assert_eq!(world.next_due(), Some(START));
            let landed = fault == Fault::ReplyLost && nth == 2;
            assert_eq!(
                matches!(world.ask(browser, Command::Show), LedgerReply::Session(_)),
                landed
            );
        }
    }
}

/// Random edits, random faults of the database and of KV, random order, from a seed: in the end KV
/// holds the ledger's present records, whatever happened on the way.
#[test]
fn kv_ends_with_the_ledger_s_records() {
    for seed in 0..60 {
        simulate(seed);
    }
}

fn simulate(seed: u64) {
    let (world, owner) = quiet();
    *world.rng.borrow_mut() = ChaCha20Rng::seed_from_u64(seed);
    let (mut kv, mut keys, mut under_way): (Kv, Vec<KeyId>, Vec<Effect>) =
        (Kv::default(), Vec::new(), Vec::new());
    for _ in 0..120 {
        if world.random(6) == 0 {
            let fault = if world.random(2) == 0 { Fault::BeforeItLands } else { Fault::ReplyLost };
            world.sql.break_apply(1, fault);
        }
        match world.random(8) {
            0..4 => change(&world, owner, &mut keys),
            4 | 5 => {
                let ledger = claviger_control::ledger::ledger::Ledger::new(&world.sql);
                under_way.extend(
                    claviger_control::objects::object::DurableObject::next_effect(
                        &ledger,
                        world.now(),
                    )
                    .unwrap_or(None),
                );
            }
            6 => finish(&world, &mut kv, &mut under_way),
            _ => world.wait(world.random(3_000) as i64),
        }
    }
    // The storm is over: the adapter keeps its contract, and nothing fails any more.
    world.sql.calm();
    drop(under_way);
    for _ in 0..100 {
        world.wait(PAUSE_MAX_MS as i64);
        while let Some(effect) = world.next_effect() {
            let outcome = carry_out(&world, &mut kv, &effect, seed);
            world.settle(&effect, outcome);
        }
    }
    assert_eq!(world.count("due WHERE kind IN ('put_record', 'read_back')"), 0, "seed {seed}");
    assert_eq!(world.count("publication WHERE settled < revision"), 0, "seed {seed}");
    assert!(!keys.is_empty());
    tallied(&world);
    for id in keys {
        let present = world.record(id);
        let stored = kv.get(&format!("key/{id}")).and_then(|value| Record::from_kv(value, id));
        assert_eq!(stored, present, "seed {seed}");
    }
}

fn change(world: &World, owner: Browser, keys: &mut Vec<KeyId>) {
    let pick = world.random(keys.len() as u64 + 1) as usize;
    let Some(id) = keys.get(pick).copied() else {
        let command = world.issue_command("{}");
        let Command::Issue { id, .. } = command else { return };
        let _ = world.try_ask(owner, command);
        // Issued also where only the reply was lost.
        if world.record(id).is_some() {
            keys.push(id);
        }
        return;
    };
    let Ok(LedgerReply::Key(key)) = world.try_ask(owner, Command::Get { id, deleted: true }) else {
        return;
    };
    let _ = world.try_ask(owner, random_change(world, owner, &key));
}

pub fn random_change(world: &World, owner: Browser, key: &KeyView) -> Command {
    match world.random(10) {
        0..4 => edit(key, &format!(r#"{{"name":"n{}"}}"#, world.random(1_000))),
        4 | 5 => edit(key, &format!(r#"{{"networks":"10.0.{}.0/24"}}"#, world.random(256))),
        6 | 7 => set_enabled(key, true),
        8 => set_enabled(key, false),
        _ => {
            let (id, begin) = world.begin_deletion(&[key.id]);
            let _ = world.try_ask(owner, begin);
            confirm(id, "right")
        }
    }
}

/// What the triggers have counted is what there is.
pub fn tallied(world: &World) {
    for (column, rows) in [
        ("members", "key WHERE state <> 'deleted' AND issued_by IS NULL"),
        ("issuers", "key WHERE state <> 'deleted' AND issued_by IS NOT NULL"),
        ("deleted", "key WHERE state = 'deleted'"),
    ] {
        let text = format!("SELECT {column} FROM key_tally");
        assert_eq!(
            world.sql.integer(&Statement::new(text)).unwrap(),
            world.count(rows),
            "{column}"
        );
    }
}

/// One of the effects under way comes to an end: it lands or not, and its reply arrives or not.
fn finish(world: &World, kv: &mut Kv, under_way: &mut Vec<Effect>) {
    if under_way.is_empty() {
        return;
    }
    let effect = under_way.remove(world.random(under_way.len() as u64) as usize);
    let outcome = match world.random(4) {
        0 => EffectOutcome::Failed,
        1 => {
            carry_out(world, kv, &effect, 0);
            EffectOutcome::Failed
        }
        _ => carry_out(world, kv, &effect, 0),
    };
    let ledger = claviger_control::ledger::ledger::Ledger::new(&world.sql);
    let _ = claviger_control::objects::object::DurableObject::settle(
        &ledger,
        &effect,
        &outcome,
        world.now(),
    );
}

/// KV takes what it is given, and is read. No put may bring an older revision than one that was
/// there.
fn carry_out(world: &World, kv: &mut Kv, effect: &Effect, seed: u64) -> EffectOutcome {
    let Effect::PutRecord { id, revision, key, value, .. } = effect else {
        return kv.read(effect, world.now.get(), 0, |_| 0);
    };
    let record = Record::from_kv(value, *id).unwrap();
    assert_eq!(record.revision, *revision);
    if let Some(older) = kv.get(key).and_then(|value| Record::from_kv(value, *id)) {
        assert!(
            older.revision <= *revision,
            "seed {seed}: an older record landed after a newer one"
        );
    }
    kv.land(key, value, world.now.get());
    EffectOutcome::Done
}

/// An account that owes nothing.
pub fn quiet() -> (World, Browser) {
    let (world, owner) = World::open();
    while let Some(effect) = world.next_effect() {
        world.settle(&effect, EffectOutcome::Done);
    }
    (world, owner)
}

fn revision(effect: &Effect) -> u64 {
    match effect {
        Effect::PutRecord { revision, .. } => revision.0,
        other => panic!("no put: {other:?}"),
    }
}

fn everything(world: &World) -> String {
    let tables = [
        "account",
        "member",
        "session",
        "key",
        "key_network",
        "idempotency",
        "journal",
        "audit",
        "due",
        "publication",
        "deletion",
        "mail",
    ];
    tables.map(|table| world.sql.dump(table)).concat()
}
