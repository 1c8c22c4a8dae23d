//! Deletions that a mailed code confirms, protection, restoring, and the mail that goes with them.

use claviger_control::ledger::deletion::{CODES_PER_DAY, TRIES_MAX, TRIES_PER_DAY};
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::{DeletionState, DeletionView, MailState};
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::envelope::{Envelope, Letter};
use claviger_control::protocol::keys::{KeyName, KeyView, Status};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{KeyId, TokenId};
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::issuer::SealingGeneration;
use claviger_core::replication::record::{Revision, Standing};

use crate::crash::quiet;
use crate::world::{
    Browser, HOUR, MINUTE, SECOND, START, World, confirm, edit, new_code, restore, set_enabled,
};

const DAY: i64 = 24 * HOUR;

pub fn begin(world: &World, browser: Browser, keys: &[KeyId]) -> DeletionView {
    match world.ask(browser, world.begin_deletion(keys).1) {
        LedgerReply::Deletion(view) => view,
        other => panic!("no deletion: {other:?}"),
    }
}

pub fn look(world: &World, browser: Browser, id: TokenId) -> DeletionView {
    match world.ask(browser, Command::ShowDeletion { id }) {
        LedgerReply::Deletion(view) => view,
        other => panic!("no deletion: {other:?}"),
    }
}

pub fn mail_again(id: TokenId, code: &str) -> Command {
    Command::MailDeletionCode { id, code: new_code(code) }
}

pub fn show(world: &World, browser: Browser, id: KeyId) -> KeyView {
    match world.ask(browser, Command::Get { id, deleted: true }) {
        LedgerReply::Key(key) => key,
        other => panic!("no key: {other:?}"),
    }
}

/// The next message to be sent; whatever else is due is taken, and never reported on.
pub fn next_mail(world: &World) -> Option<(Effect, Envelope)> {
    std::iter::from_fn(|| world.next_effect()).find_map(|effect| match &effect {
        Effect::SendMail { envelope } => Some((effect.clone(), (**envelope).clone())),
        _ => None,
    })
}

/// Sends whatever is to be sent, and gives it back.
pub fn deliver(world: &World) -> Vec<Envelope> {
    std::iter::from_fn(|| next_mail(world))
        .map(|(effect, envelope)| {
            world.settle(&effect, EffectOutcome::Done);
            envelope
        })
        .collect()
}

#[test]
fn a09_the_code_deletes_these_keys_with_one_bound_and_one_audit_row_each() {
    let (world, owner) = quiet();
    let [a, b, other] =
        ["A", "B", "C"].map(|name| world.issue(owner, &format!(r#"{{"name":"{name}"}}"#)));
    let begun = begin(&world, owner, &[b.id, a.id]);
    assert_eq!(
        begun.keys.iter().map(|key| key.id).collect::<Vec<_>>(),
        [b.id, a.id],
        "as they were asked for"
    );
    assert_eq!(
        (begun.state, begun.tries_left, begun.mail),
        (DeletionState::Open, 5, MailState::Queued)
    );
    assert_eq!((begun.expires.as_ms(), begun.bound_within_s), (START + 10 * MINUTE, 10));
    assert_eq!(begun.restorable_until.as_ms(), START + 30 * DAY);
    let [Envelope { letter: Letter::DeletionCode { deletion, keys, until, .. }, sealed, to, .. }] =
        &deliver(&world)[..]
    else {
        panic!("not one code")
    };
    assert_eq!((*deletion, *until, to.as_str()), (begun.id, begun.expires, "mei@example.jp"));
    assert_eq!(keys.iter().map(|key| key.id).collect::<Vec<_>>(), [b.id, a.id]);
    assert_eq!(sealed, &Some(new_code("right").sealed));
    assert_eq!(look(&world, owner, begun.id).mail, MailState::Sent);
    assert_eq!(world.count("mail WHERE sealed IS NOT NULL"), 0, "what was sent is not kept");

    world.wait(SECOND);
    let (audit, journal) = (world.count("audit"), world.count("journal"));
    let LedgerReply::Deleted { records, bound, restorable_until } =
        world.ask(owner, confirm(begun.id, "right"))
    else {
        panic!("not deleted")
    };
    let numbers: Vec<_> = records.iter().map(|record| (record.id, record.revision)).collect();
    assert_eq!(numbers, [(b.id, Revision(4)), (a.id, Revision(5))]);
    assert!(records.iter().all(|record| record.standing == Standing::Deleted));
    assert!(records.iter().all(|record| world.record(record.id).as_ref() == Some(record)));
    assert_eq!(
        bound,
        Bound { at: UnixMs::from_ms(START + 11 * SECOND), within_s: 10, is_eventual: false }
    );
    assert_eq!(restorable_until.as_ms(), START + SECOND + 30 * DAY);
    assert_eq!((world.count("audit"), world.count("journal")), (audit + 2, journal + 2));
    assert_eq!(world.count("audit WHERE action = 'delete' AND address = '203.0.113.7'"), 2);
    assert_eq!(show(&world, owner, other.id).status(world.now()), Status::Active);
    world.wait(MINUTE);
    let done = look(&world, owner, begun.id);
    assert_eq!((done.state, done.restorable_until), (DeletionState::Done, restorable_until));
}

#[test]
fn a09_the_notice_goes_to_who_did_it_and_to_the_owners() {
    let (world, _) = quiet();
    let admin = world.join("admin", b'a');
    world.join("viewer", b'v');
    let key = world.issue(admin, "{}");
    let begun = begin(&world, admin, &[key.id]);
    world.ask(admin, confirm(begun.id, "right"));
    let mails = deliver(&world);
    let to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(
        to,
        ["a@example.jp", "mei@example.jp"],
        "and no code any more: it was used before it was sent"
    );
    for mail in mails {
        let Letter::DeletionNotice {
            keys, by, address, at, bound, restorable_until, account, ..
        } = mail.letter
        else {
            panic!("no notice")
        };
        assert_eq!(keys, [KeyName { id: key.id, name: key.name.clone() }]);
        assert_eq!(
            (by.as_str(), address.as_deref(), account.as_str()),
            ("Member a", Some("203.0.113.7"), "Example KK")
        );
        assert_eq!((at.as_ms(), bound.as_ms()), (START, START + 10 * SECOND));
        assert_eq!(restorable_until.as_ms(), START + 30 * DAY);
    }
}

#[test]
fn a09_five_wrong_tries_end_it_and_a_new_code_gives_none_back() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let id = begin(&world, owner, &[key.id]).id;
    for left in (2..TRIES_MAX).rev() {
        assert_eq!(
            world.refusal(owner, confirm(id, "wrong")),
            Refusal::CodeWrong { tries_left: left }
        );
    }
    let LedgerReply::Deletion(again) = world.ask(owner, mail_again(id, "newer")) else {
        panic!("no code")
    };
    assert_eq!(again.tries_left, 2);
    assert_eq!(
        world.refusal(owner, confirm(id, "right")),
        Refusal::CodeWrong { tries_left: 1 },
        "the one before"
    );
    assert_eq!(world.refusal(owner, confirm(id, "wrong")), Refusal::CodeWrong { tries_left: 0 });
    for command in [confirm(id, "newer"), confirm(id, "wrong"), mail_again(id, "third")] {
        assert_eq!(world.refusal(owner, command), Refusal::CodeOver);
    }
    assert_eq!(look(&world, owner, id).state, DeletionState::Over);
    assert_eq!(show(&world, owner, key.id).status(world.now()), Status::Active);
    let mails = deliver(&world);
    assert_eq!(mails.len(), 1, "the code before was superseded before it was sent");
    assert!(mails[0].id.ends_with("/2") && mails[0].sealed == Some(new_code("newer").sealed));
}

#[test]
fn a09_the_fifth_try_may_be_the_right_one_and_a_used_code_is_over() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let id = begin(&world, owner, &[key.id]).id;
    for _ in 1..TRIES_MAX {
        world.refusal(owner, confirm(id, "wrong"));
    }
    assert!(matches!(world.ask(owner, confirm(id, "right")), LedgerReply::Deleted { .. }));
    for command in [confirm(id, "right"), mail_again(id, "newer")] {
        assert_eq!(world.refusal(owner, command), Refusal::CodeOver);
    }
}

#[test]
fn a09_a_code_ends_after_ten_minutes_and_a_deletion_after_an_hour() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let id = begin(&world, owner, &[key.id]).id;
    world.wait(10 * MINUTE - 1);
    assert_eq!(world.refusal(owner, confirm(id, "wrong")), Refusal::CodeWrong { tries_left: 4 });
    world.wait(1);
    assert_eq!(world.refusal(owner, confirm(id, "right")), Refusal::CodeOver);
    assert_eq!(look(&world, owner, id).state, DeletionState::CodeOver);
    let LedgerReply::Deletion(again) = world.ask(owner, mail_again(id, "newer")) else {
        panic!("no code")
    };
    assert_eq!((again.state, again.expires.as_ms()), (DeletionState::Open, START + 20 * MINUTE));
    world.wait(50 * MINUTE);
    for command in [mail_again(id, "third"), confirm(id, "newer")] {
        assert_eq!(world.refusal(owner, command), Refusal::CodeOver);
    }
}

#[test]
fn a09_a_deletion_is_its_member_s_alone() {
    let (world, owner) = quiet();
    let admin = world.join("admin", b'a');
    let [a, b] = [(); 2].map(|()| world.issue(owner, "{}"));
    let mine = begin(&world, owner, &[a.id]).id;
    let theirs = begin(&world, admin, &[b.id]).id;
    for (browser, id) in
        [(admin, mine), (owner, theirs), (owner, TokenId::parse("0123456789").unwrap())]
    {
        for command in [Command::ShowDeletion { id }, mail_again(id, "x"), confirm(id, "right")] {
            assert_eq!(world.refusal(browser, command), Refusal::NotFound);
        }
    }
    world
        .sql
        .apply(&[Statement::new("UPDATE member SET role = 'viewer' WHERE role = 'admin'")])
        .unwrap();
    for command in
        [Command::ShowDeletion { id: theirs }, mail_again(theirs, "x"), confirm(theirs, "right")]
    {
        assert_eq!(world.refusal(admin, command), Refusal::NotPermitted, "who was an admin before");
    }
    assert_eq!(look(&world, owner, mine).tries_left, 5);
}

#[test]
fn a09_codes_and_tries_have_a_budget_a_day_across_deletions() {
    let (world, owner) = quiet();
    let admin = world.join("admin", b'a');
    let key = world.issue(owner, "{}");
    let id = begin(&world, owner, &[key.id]).id;
    world.wait(MINUTE);
    for _ in 1..CODES_PER_DAY {
        world.ask(owner, mail_again(id, "right"));
    }
    let refused = Refusal::TooManyCodes { until: UnixMs::from_ms(START + DAY) };
    assert_eq!(world.refusal(owner, mail_again(id, "right")), refused);
    assert_eq!(world.refusal(owner, world.begin_deletion(&[key.id]).1), refused);
    assert!(matches!(
        world.ask(owner, confirm(id, "wrong")),
        LedgerReply::Refused(Refusal::CodeWrong { .. })
    ));
    begin(&world, admin, &[key.id]);
    world.wait(DAY - MINUTE);
    let owner = world.renewed(owner);
    begin(&world, owner, &[key.id]);

    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let refused = Refusal::TooManyCodes { until: UnixMs::from_ms(START + DAY + HOUR) };
    for _ in 0..TRIES_PER_DAY / TRIES_MAX {
        let id = begin(&world, owner, &[key.id]).id;
        for _ in 0..TRIES_MAX {
            world.refusal(owner, confirm(id, "wrong"));
        }
        world.wait(SECOND);
    }
    assert_eq!(world.refusal(owner, world.begin_deletion(&[key.id]).1), refused);
    world.wait(DAY + HOUR);
    let owner = world.renewed(owner);
    begin(&world, owner, &[key.id]);
}

#[test]
fn a09_notices_are_no_codes() {
    let (world, owner) = quiet();
    for _ in 0..CODES_PER_DAY {
        let key = world.issue(owner, "{}");
        world.delete(owner, &key);
    }
    let key = world.issue(owner, "{}");
    let refused = Refusal::TooManyCodes { until: UnixMs::from_ms(START + DAY) };
    assert_eq!(world.refusal(owner, world.begin_deletion(&[key.id]).1), refused);
}

#[test]
fn a09_tries_of_deletions_that_were_begun_before_count_too() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let ids: Vec<_> =
        (0..=TRIES_PER_DAY / TRIES_MAX).map(|_| begin(&world, owner, &[key.id]).id).collect();
    let (last, others) = ids.split_last().unwrap();
    for id in others {
        for _ in 0..TRIES_MAX {
            world.refusal(owner, confirm(*id, "wrong"));
        }
    }
    let refused = Refusal::TooManyCodes { until: UnixMs::from_ms(START + DAY + HOUR) };
    assert_eq!(world.refusal(owner, confirm(*last, "right")), refused);
    assert_eq!(look(&world, owner, *last).tries_left, 5, "what is not compared is not counted");
}

/// What is tried at the end of a deletion's hour counts a whole day from then, too.
#[test]
fn a09_no_day_has_more_tries_than_the_budget() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let ids: Vec<_> =
        (0..TRIES_PER_DAY / TRIES_MAX).map(|_| begin(&world, owner, &[key.id]).id).collect();
    world.wait(59 * MINUTE);
    for id in ids {
        world.ask(owner, mail_again(id, "right"));
        for _ in 0..TRIES_MAX {
            world.refusal(owner, confirm(id, "wrong"));
        }
    }
    world.wait(DAY - MINUTE);
    let owner = world.renewed(owner);
    let refused = Refusal::TooManyCodes { until: UnixMs::from_ms(START + DAY + HOUR) };
    assert_eq!(world.refusal(owner, world.begin_deletion(&[key.id]).1), refused);
    world.wait(2 * MINUTE);
    begin(&world, owner, &[key.id]);
}

#[test]
fn a_deletion_that_is_begun_and_a_wrong_code_are_written_down_with_the_keys() {
    let (world, owner) = quiet();
    let [a, b] =
        ["Cron", "Build"].map(|name| world.issue(owner, &format!(r#"{{"name":"{name}"}}"#)));
    let id = begin(&world, owner, &[a.id, b.id]).id;
    world.refusal(owner, confirm(id, "wrong"));
    let query = serde_json::from_value(serde_json::json!({"limit": 2})).unwrap();
    let LedgerReply::Activity(page) = world.ask(owner, Command::Activity { query, exports: false })
    else {
        panic!("no activity")
    };
    let told: Vec<_> = page.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(told, ["deletion_code_wrong", "deletion_begun"]);
    for entry in page.entries {
        assert_eq!(entry.by.id.as_deref(), Some(owner.member.as_str()));
        let changes = serde_json::to_value(entry.changes).unwrap();
        let expected = serde_json::json!({
            "keys": {"from": null, "to": [a.id, b.id]},
            "names": {"from": null, "to": ["Cron", "Build"]},
        });
        assert_eq!(changes, expected);
    }
}

/// An edge of the release before does not know of deleted keys, and would show them as active.
#[test]
fn an_older_edge_gets_no_deleted_key() {
    let (world, owner) = quiet();
    let [gone, kept] = [(); 2].map(|()| world.issue(owner, "{}"));
    world.delete(owner, &gone);
    let older = |json: serde_json::Value| world.ask(owner, serde_json::from_value(json).unwrap());
    let LedgerReply::Page(page) = older(serde_json::json!({"do": "list"})) else {
        panic!("no page")
    };
    assert_eq!(
        (page.total, page.keys.iter().map(|key| key.id).collect::<Vec<_>>()),
        (1, vec![kept.id])
    );
    let get = |id: KeyId| older(serde_json::json!({"do": "get", "id": id}));
    assert_eq!(get(gone.id), LedgerReply::Refused(Refusal::NotFound));
    assert!(matches!(get(kept.id), LedgerReply::Key(_)));
}

#[test]
fn a10_a_protected_key_is_refused_by_name_until_an_owner_lifts_it() {
    let (world, owner) = quiet();
    let admin = world.join("admin", b'a');
    let [plain, other] =
        ["Plain", "Other"].map(|name| world.issue(owner, &format!(r#"{{"name":"{name}"}}"#)));
    let kept = world.issue(owner, r#"{"name":"Kept","protected":true}"#);
    assert!(kept.protected && !plain.protected);
    let owner_only = |refusal| match refusal {
        Refusal::Invalid { errors } => {
            errors[0].pointer == "#/protected" && errors[0].code == "owner_only"
        }
        _ => false,
    };
    assert!(owner_only(world.refusal(admin, world.issue_command(r#"{"protected":true}"#))));
    assert!(owner_only(world.refusal(admin, edit(&kept, r#"{"protected":false}"#))));
    assert!(owner_only(world.refusal(admin, edit(&plain, r#"{"protected":true}"#))));
    let (kept, ..) = world.changed(admin, edit(&kept, r#"{"name":"Keeper","protected":true}"#));
    let kept = kept.unwrap();

    let named = Refusal::Protected { keys: vec![KeyName { id: kept.id, name: "Keeper".into() }] };
    assert_eq!(world.refusal(owner, world.begin_deletion(&[plain.id, kept.id]).1), named);
    assert_eq!(world.count("mail"), 0, "nothing is mailed for what cannot be");
    world.changed(admin, set_enabled(&kept, false));

    // Protected, or gone, after the code went out: the whole is stopped, and the code stays good.
    let id = begin(&world, owner, &[plain.id, other.id]).id;
    let (other, ..) = world.changed(owner, edit(&other, r#"{"protected":true}"#));
    let other = other.unwrap();
    let named = Refusal::Protected { keys: vec![KeyName { id: other.id, name: "Other".into() }] };
    assert_eq!(world.refusal(owner, confirm(id, "right")), named);
    assert_eq!(look(&world, owner, id).tries_left, 4, "a try it was all the same");
    assert_eq!(show(&world, owner, plain.id).status(world.now()), Status::Active);
    world.changed(owner, edit(&other, r#"{"protected":false}"#));
    world.delete(admin, &plain);
    assert_eq!(
        world.refusal(owner, confirm(id, "right")),
        Refusal::KeysNotFound { keys: vec![plain.id] }
    );
    world.changed(owner, restore(&show(&world, owner, plain.id)));
    assert!(
        matches!(world.ask(owner, confirm(id, "right")), LedgerReply::Deleted { records, .. } if records.len() == 2)
    );
}

#[test]
fn a09_a_restored_key_is_what_it_was_with_a_new_number() {
    let (world, owner) = quiet();
    for enabled in [true, false] {
        let owner = world.renewed(owner);
        let mut key = world.issue(owner, r#"{"networks":"10.0.0.0/8"}"#);
        if !enabled {
            key = world.changed(owner, set_enabled(&key, false)).0.unwrap();
        }
        let mut before = world.record(key.id).unwrap();
        let (deleted, _) = world.delete(owner, &key);
        world.wait(30 * DAY - 1);
        let owner = world.renewed(owner);
        let seen = show(&world, owner, key.id);
        assert_eq!((seen.status(world.now()), seen.enabled), (Status::Deleted, enabled));
        let stale = Command::RestoreKey { id: key.id, expected: key.revision };
        assert_eq!(
            world.refusal(owner, stale),
            Refusal::ChangedMeanwhile { key: Box::new(seen.clone()) }
        );
        let (restored, record, bound) = world.changed(owner, restore(&seen));
        // All but its sealing generation: its tokens stay ended.
        if let Standing::Active(credential) | Standing::Disabled(credential) = &mut before.standing
        {
            credential.sealing = SealingGeneration(1);
        }
        assert_eq!((record.standing.clone(), bound), (before.standing, None));
        assert!(record.revision > deleted.revision);
        let restored = restored.unwrap();
        assert_eq!(
            (restored.deleted_at, restored.enabled, &restored.limits),
            (None, enabled, &key.limits)
        );
        assert_eq!(world.refusal(owner, restore(&restored)), Refusal::NotDeleted);
        world.wait(DAY);
        while world.next_effect().is_some() {}
        assert_eq!(world.record(key.id), Some(record), "its time is not counted on");
    }
}

#[test]
fn a09_after_thirty_days_the_row_goes_and_the_tombstone_stays() {
    let (world, owner) = quiet();
    let key = world.issue(owner, r#"{"networks":"10.0.0.0/8"}"#);
    world.drop_notices();
    let (record, _) = world.delete(owner, &key);
    let seen = show(&world, owner, key.id);
    world.wait(30 * DAY);
    let owner = world.renewed(owner);
    assert_eq!(
        world.refusal(owner, restore(&seen)),
        Refusal::NotFound,
        "also while the row is still there"
    );
    while world.next_effect().is_some() {}
    for table in ["key", "key_network", "mail", "deletion"] {
        assert_eq!(world.count(table), 0, "{table}");
    }
    assert_eq!(world.record(key.id), Some(record), "what the edge is told does not change");
    assert_eq!(world.refusal(owner, Command::Get { id: key.id, deleted: true }), Refusal::NotFound);
    let (_, digest) = world.draw_key();
    let draft = crate::world::draft("{}");
    let again =
        Command::Issue { id: key.id, digest, draft, idempotency_key: "again".into(), sealed: None };
    assert_eq!(world.refusal(owner, again), Refusal::IdTaken);
    crate::crash::tallied(&world);
}

#[test]
fn a09_each_key_has_its_own_thirty_days() {
    let (world, owner) = quiet();
    let [first, second] = [(); 2].map(|()| world.issue(owner, "{}"));
    world.delete(owner, &first);
    world.wait(10 * DAY);
    let owner = world.renewed(owner);
    world.delete(owner, &second);
    world.wait(20 * DAY);
    while world.next_effect().is_some() {}
    let owner = world.renewed(owner);
    assert_eq!(
        world.refusal(owner, Command::Get { id: first.id, deleted: true }),
        Refusal::NotFound
    );
    world.changed(owner, restore(&show(&world, owner, second.id)));
}

#[test]
fn a09_what_only_an_owner_grants_only_an_owner_restores() {
    let (world, owner) = quiet();
    let admin = world.join("admin", b'a');
    let key = world.issue(owner, r#"{"permissions":["claviger:verify"]}"#);
    world.delete(admin, &key);
    let seen = show(&world, owner, key.id);
    assert_eq!(world.refusal(admin, restore(&seen)), Refusal::NotPermitted);
    world.changed(owner, restore(&seen));
}

#[test]
fn a09_what_a_deleted_issuer_had_sealed_stays_ended_when_it_comes_back() {
    let (world, owner) = quiet();
    let key = world.issue(
        owner,
        r#"{"issuable":{"permissions":["demo:read"],"networks":"","longest":"24h"}}"#,
    );
    let generation = |world: &World| match world.record(key.id).unwrap().standing {
        Standing::Active(credential) => credential.issuing.unwrap().generation,
        other => panic!("not active: {other:?}"),
    };
    let before = generation(&world);
    world.delete(owner, &key);
    world.changed(owner, restore(&show(&world, owner, key.id)));
    assert!(generation(&world) > before);
}

#[test]
fn a09_the_ledger_holds_no_code_in_clear() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    begin(&world, owner, &[key.id]);
    let columns = "SELECT group_concat(name, ' ') FROM pragma_table_info('deletion')";
    let names = world.sql.first(&Statement::new(columns)).unwrap().unwrap().text().unwrap();
    assert_eq!(names, "id member keys begun_at_ms mac codes expires_ms tries done_at_ms");
    assert_eq!(world.sql_time("SELECT length(mac) FROM deletion"), 32);
    assert_eq!(world.count("mail WHERE letter LIKE '%sealed%' OR letter LIKE '%code\":%'"), 0);
}

#[test]
fn a_member_who_gives_a_wrong_command_is_refused_before_anything_is_mailed() {
    let (world, owner) = quiet();
    let keys: Vec<KeyId> = (0..101).map(|_| world.draw_key().0).collect();
    let key = world.issue(owner, "{}");
    for (asked, code) in
        [(vec![], "required"), (keys.clone(), "too_many"), (vec![key.id, key.id], "duplicate")]
    {
        let Refusal::Invalid { errors } = world.refusal(owner, world.begin_deletion(&asked).1)
        else {
            panic!("not invalid")
        };
        assert_eq!(errors[0].code, code);
    }
    let unknown = Refusal::KeysNotFound { keys: keys[..2].to_vec() };
    assert_eq!(world.refusal(owner, world.begin_deletion(&[keys[0], key.id, keys[1]]).1), unknown);
    assert_eq!((world.count("mail"), world.count("deletion")), (0, 0));
    world.ask(owner, world.begin_deletion(&[key.id]).1);
    assert_eq!(
        world.refusal(owner, {
            let LedgerReply::Deletion(view) = world.ask(owner, world.begin_deletion(&[key.id]).1)
            else {
                panic!()
            };
            Command::BeginDeletion { id: view.id, keys: vec![key.id], code: new_code("x") }
        }),
        Refusal::IdTaken
    );
}
