//! How sessions begin, last and end.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::member::SecretVersion;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::replication::record::Revision;

use crate::world::{Browser, HOUR, MINUTE, START, World};

fn expires(world: &World, browser: Browser) -> i64 {
    match world.ask(browser, Command::Show) {
        LedgerReply::Session(view) => view.expires.as_ms(),
        other => panic!("no session: {other:?}"),
    }
}

#[test]
fn a_session_that_is_used_lasts_twelve_hours() {
    let (world, owner) = World::open();
    assert_eq!(expires(&world, owner), START + 2 * HOUR);
    for _ in 0..11 {
        world.wait(HOUR);
        expires(&world, owner);
    }
    assert_eq!(expires(&world, owner), START + 12 * HOUR);
    world.wait(HOUR - 1);
    assert!(matches!(world.ask(owner, Command::Show), LedgerReply::Session(_)));
    world.wait(1);
    assert_eq!(world.refusal(owner, Command::Show), Refusal::NotSignedIn);
}

#[test]
fn a_proof_is_fresh_for_ten_minutes_and_a_clock_that_steps_back_takes_none_away() {
    let (world, owner) = World::open();
    let prove =
        Command::StepUp { secret_version: SecretVersion(1), confirmed: true, session: None };
    let until = |command: &Command| match world.ask(owner, command.clone()) {
        LedgerReply::Session(view) => view.step_up_until.as_ms(),
        other => panic!("no session: {other:?}"),
    };
    assert_eq!(until(&Command::Show), START + 10 * MINUTE);
    let key = world.issue(owner, "{}");
    let set = |enabled: bool, revision: u64| Command::SetEnabled {
        id: key.id,
        expected: Revision(revision),
        enabled,
    };
    world.changed(owner, set(false, 1));
    world.wait(10 * MINUTE - 1);
    world.changed(owner, set(true, 2));
    world.changed(owner, set(false, 3));
    world.wait(1);
    assert_eq!(world.refusal(owner, set(true, 4)), Refusal::StepUpRequired);
    assert_eq!(until(&prove), START + 20 * MINUTE);
    world.wait(-5 * MINUTE);
    assert_eq!(until(&prove), START + 20 * MINUTE);
}

#[test]
fn use_is_noted_at_most_once_in_five_minutes() {
    let (world, owner) = World::open();
    let applies = world.sql.applies();
    for _ in 0..4 {
        world.wait(MINUTE);
        world.ask(owner, Command::Show);
    }
    assert_eq!(world.sql.applies(), applies);
    world.wait(MINUTE);
    world.ask(owner, Command::Show);
    world.ask(owner, Command::Show);
    assert_eq!(world.sql.applies(), applies + 1);
    assert_eq!(expires(&world, owner), START + 5 * MINUTE + 2 * HOUR);
}

#[test]
fn the_oldest_of_too_many_sessions_ends() {
    let (world, owner) = World::open();
    let other = world.join("admin", b'a');
    let mut browsers = vec![owner];
    for _ in 0..20 {
        world.wait(1);
        browsers.push(world.sign_in(owner.member));
    }
    assert_eq!(world.refusal(browsers[0], Command::Show), Refusal::NotSignedIn);
    for browser in &browsers[1..] {
        world.ask(*browser, Command::SignOut);
    }
    assert!(
        matches!(world.ask(other, Command::Show), LedgerReply::Session(_)),
        "of that member alone"
    );
}

#[test]
fn sessions_that_are_over_are_swept() {
    let (world, owner) = World::open();
    settle_all(&world);
    world.wait(HOUR);
    let second = world.sign_in(owner.member);
    assert_eq!(world.next_due(), Some(START + 2 * HOUR));
    world.wait(HOUR);
    assert_eq!(world.next_effect(), None);
    assert_eq!(world.count("session"), 1);
    assert_eq!(world.next_due(), Some(START + 3 * HOUR), "the second one's end");
    assert!(matches!(world.ask(second, Command::Show), LedgerReply::Session(_)));
    world.wait(12 * HOUR);
    assert_eq!(world.next_effect(), None);
    assert_eq!(
        (world.count("session"), world.next_due()),
        (0, Some(START + 24 * HOUR)),
        "the repair alone"
    );
}

fn settle_all(world: &World) {
    while let Some(effect) = world.next_effect() {
        world.settle(&effect, claviger_control::protocol::effect::EffectOutcome::Done);
    }
}
