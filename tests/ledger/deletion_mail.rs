//! The mail of deletions: retried, refused, superseded.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::MailState;
use claviger_control::protocol::effect::EffectOutcome;
use claviger_control::protocol::keys::Status;
use claviger_control::protocol::ledger::LedgerReply;

use crate::crash::quiet;
use crate::deletion::{begin, deliver, look, mail_again, next_mail, show};
use crate::world::{MINUTE, SECOND, START, World, confirm, set_enabled};

#[test]
fn a09_mail_that_is_not_taken_is_tried_again_while_it_is_of_use_and_undoes_nothing() {
    let (world, owner) = quiet();
    let failing = |world: &World| match world.ask(owner, Command::Show) {
        LedgerReply::Session(view) => view.mail_is_failing,
        other => panic!("no session: {other:?}"),
    };
    let key = world.issue(owner, "{}");
    world.drop_notices();
    let begun = begin(&world, owner, &[key.id]);
    assert!(!failing(&world));
    let mut ids = Vec::new();
    let mut tries = 0;
    while world.now.get() < START + 10 * MINUTE {
        if let Some((effect, envelope)) = next_mail(&world) {
            assert_eq!(envelope.written_at.as_ms(), START, "the same message each time");
            ids.push(envelope.id);
            tries += 1;
            // Every other time nobody hears how it went.
            if tries % 2 == 1 {
                world.settle(&effect, EffectOutcome::Failed);
            }
            assert!(tries < 2 || failing(&world));
            assert!(tries < 2 || look(&world, owner, begun.id).mail == MailState::Failing);
        }
        world.wait(SECOND);
    }
    ids.dedup();
    assert_eq!((ids.len(), (5..20).contains(&tries)), (1, true), "{tries}");
    world.wait(10 * MINUTE);
    assert!(next_mail(&world).is_none(), "a code whose time is over is mailed no more");
    assert!(failing(&world));
    assert_eq!(world.count("mail WHERE sealed IS NOT NULL OR state <> 'over'"), 0);

    // Disabling needs no mail; and a notice that is taken in the end ends the alarm.
    world.changed(owner, set_enabled(&show(&world, owner, key.id), false));
    let again = begin(&world, owner, &[key.id]);
    world.ask(owner, confirm(again.id, "right"));
    assert_eq!(show(&world, owner, key.id).status(world.now()), Status::Deleted);
    let (notice, _) = next_mail(&world).unwrap();
    world.settle(&notice, EffectOutcome::Failed);
    world.wait(MINUTE);
    let (notice, _) = next_mail(&world).unwrap();
    world.settle(&notice, EffectOutcome::Done);
    assert!(!failing(&world));
    assert!(next_mail(&world).is_none());
}

#[test]
fn a09_mail_that_is_refused_for_good_is_given_up_at_once_and_told() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    world.drop_notices();
    let id = begin(&world, owner, &[key.id]).id;
    let (first, _) = next_mail(&world).unwrap();
    world.settle(&first, EffectOutcome::Refused);
    // Told twice, or late, it is the same.
    world.settle(&first, EffectOutcome::Refused);
    world.settle(&first, EffectOutcome::Done);
    assert_eq!(look(&world, owner, id).mail, MailState::Refused);
    assert_eq!(world.count("mail WHERE sealed IS NOT NULL"), 0, "nobody needs the code any more");
    world.wait(9 * MINUTE);
    assert!(next_mail(&world).is_none(), "it is never tried again");
    let LedgerReply::Session(session) = world.ask(owner, Command::Show) else {
        panic!("no session")
    };
    assert!(session.mail_is_failing);

    // Another code is another message.
    world.ask(owner, mail_again(id, "newer"));
    assert_eq!(look(&world, owner, id).mail, MailState::Queued);
    assert_eq!(deliver(&world).len(), 1);
    assert_eq!(look(&world, owner, id).mail, MailState::Sent);
    let LedgerReply::Session(session) = world.ask(owner, Command::Show) else {
        panic!("no session")
    };
    assert!(!session.mail_is_failing);
}

#[test]
fn a09_how_a_superseded_mail_went_changes_nothing() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    world.drop_notices();
    let id = begin(&world, owner, &[key.id]).id;
    let (first, _) = next_mail(&world).unwrap();
    world.ask(owner, mail_again(id, "newer"));
    world.settle(&first, EffectOutcome::Failed);
    world.settle(&first, EffectOutcome::Done);
    assert_eq!(
        world.count("mail WHERE state = 'superseded' AND sealed IS NULL"),
        1,
        "its code is not kept"
    );
    assert_eq!(look(&world, owner, id).mail, MailState::Queued);
    let sent = deliver(&world);
    assert_eq!(sent.len(), 1);
    assert_eq!(world.count("due WHERE kind = 'send_mail'"), 0);
}

#[test]
fn a_code_is_mailed_up_to_its_end_and_not_at_it() {
    for (late, is_mailed) in [(1, true), (0, false)] {
        let (world, owner) = quiet();
        let key = world.issue(owner, "{}");
        world.drop_notices();
        begin(&world, owner, &[key.id]);
        world.wait(10 * MINUTE - late);
        assert_eq!(next_mail(&world).is_some(), is_mailed);
    }
}

/// An older message may be tried after a newer one.
#[test]
fn the_last_attempt_tells_if_mail_fails_and_not_the_last_message() {
    let (world, owner) = quiet();
    let failing = || match world.ask(owner, Command::Show) {
        LedgerReply::Session(view) => view.mail_is_failing,
        other => panic!("no session: {other:?}"),
    };
    let key = world.issue(owner, "{}");
    world.drop_notices();
    begin(&world, owner, &[key.id]);
    let (first, _) = next_mail(&world).unwrap();
    world.settle(&first, EffectOutcome::Failed);
    assert!(failing());
    world.wait(SECOND / 2);
    begin(&world, owner, &[key.id]);
    let (second, _) = next_mail(&world).unwrap();
    world.settle(&second, EffectOutcome::Done);
    assert!(!failing());
    world.wait(SECOND / 2);
    let (again, _) = next_mail(&world).unwrap();
    assert_eq!(again, first);
    world.settle(&again, EffectOutcome::Failed);
    assert!(failing());
}
