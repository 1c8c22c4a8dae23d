//! One row per refusal, in order of precedence.

use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::{KeyView, Listing};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, SessionProof};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::secret::Digest;

use crate::world::{
    HOUR, MINUTE, START, World, draft, edit, member_id, restore, set_enabled, stale, step_up,
};

fn mei() -> Email {
    Email::parse("mei@example.jp").unwrap()
}

#[test]
fn an_account_that_was_never_opened_is_gone_and_writes_nothing() {
    let world = World::empty();
    let (session, proof) = world.draw_session();
    let (member, secret_version) = (member_id(b'o'), SecretVersion(1));
    for request in [
        LedgerRequest::SignIn {
            member,
            email: mei(),
            secret_version,
            session,
            address: None,
            confirmed: true,
            switches: false,
            address_version: AddressVersion::default(),
        },
        LedgerRequest::Console { session: proof, address: None, command: Command::Show },
        LedgerRequest::Record { id: world.draw_key().0 },
        LedgerRequest::Holds { member, email: "mei@example.jp".into() },
        LedgerRequest::Exists,
    ] {
        assert_eq!(world.handle(request), Ok(LedgerReply::Gone));
    }
    assert_eq!(world.next_due(), None);
    assert_eq!(world.next_effect(), None);
    assert_eq!(world.sql.applies(), 0);
    assert_eq!(world.count("sqlite_master"), 0);
}

#[test]
fn an_account_is_opened_once() {
    let (world, _) = World::open();
    let opened = world.sql.dump("account");
    assert!(
        matches!(world.handle(world.open_request(b'o', 1).0), Ok(LedgerReply::Session(_))),
        "as if once"
    );
    for (owner, version) in [(b'p', 1), (b'o', 2)] {
        let refused = LedgerReply::Refused(Refusal::AlreadyOpen);
        assert_eq!(world.handle(world.open_request(owner, version).0), Ok(refused));
    }
    let (mut request, _) = world.open_request(b'o', 1);
    if let LedgerRequest::Open(opening) = &mut request {
        opening.owner.email = Email::parse("another@example.jp").unwrap();
    }
    assert_eq!(
        world.handle(request),
        Ok(LedgerReply::Refused(Refusal::AlreadyOpen)),
        "whoever saw the link too"
    );
    assert_eq!(world.sql.dump("account"), opened);
    assert_eq!(world.count("member"), 1);
}

#[test]
fn only_the_present_password_signs_in() {
    let (world, _) = World::open();
    let another = Email::parse("another@example.jp").unwrap();
    for (member, email, version, confirmed) in [
        // A staged password may belong to an attempt to open the account that was refused.
        (b'o', mei(), 2, false),
        (b'o', mei(), 0, false),
        (b'o', mei(), 0, true),
        (b'x', mei(), 1, true),
        (b'o', another, 1, true),
    ] {
        let (session, _) = world.draw_session();
        let (member, secret_version) = (member_id(member), SecretVersion(version));
        let request = LedgerRequest::SignIn {
            member,
            email,
            secret_version,
            session,
            address: None,
            confirmed,
            switches: false,
            address_version: AddressVersion::default(),
        };
        assert_eq!(world.handle(request), Ok(LedgerReply::Refused(Refusal::SignInRefused)));
    }
}

#[test]
fn no_session_is_one_refusal_whatever_the_cause() {
    let (world, owner) = World::open();
    let (_, unknown) = world.draw_session();
    let wrong = SessionProof { id: owner.proof.id, digest: Digest::of(b"wrong") };
    for proof in [unknown, wrong] {
        let request =
            LedgerRequest::Console { session: proof, address: None, command: Command::Show };
        assert_eq!(world.handle(request), Ok(LedgerReply::Refused(Refusal::NotSignedIn)));
    }
    world.wait(2 * HOUR);
    assert_eq!(world.refusal(owner, Command::Show), Refusal::NotSignedIn);
    world.now.set(START);
    assert_eq!(world.ask(owner, Command::SignOut), LedgerReply::Done);
    assert_eq!(world.refusal(owner, Command::Show), Refusal::NotSignedIn);
}

/// Everything that changes keys, on one key.
fn all_changes(world: &World, key: &KeyView) -> [Command; 6] {
    [
        world.issue_command("{}"),
        edit(key, r#"{"name":"Cron"}"#),
        set_enabled(key, false),
        set_enabled(key, true),
        restore(key),
        world.begin_deletion(&[key.id]).1,
    ]
}

#[test]
fn a_viewer_reads_and_changes_nothing() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let viewer = world.join("viewer", b'v');
    for command in all_changes(&world, &key) {
        assert_eq!(world.refusal(viewer, command.clone()), Refusal::NotPermitted, "{command:?}");
        assert_eq!(
            world.refusal(viewer, stale(command)),
            Refusal::NotPermitted,
            "before anything else"
        );
    }
    assert_eq!(world.page(viewer, Listing::default()).total, 1);
    assert!(matches!(
        world.ask(viewer, Command::Get { id: key.id, deleted: true }),
        LedgerReply::Key(_)
    ));
    assert!(matches!(
        world.ask(viewer, Command::Check { draft: draft("{}") }),
        LedgerReply::Checked(_)
    ));
    assert!(matches!(world.ask(viewer, Command::Show), LedgerReply::Session(_)));
}

#[test]
fn a_proof_older_than_ten_minutes_is_asked_for_except_to_disable_and_where_a_code_is_mailed() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    world.wait(10 * MINUTE);
    for command in all_changes(&world, &key) {
        if matches!(
            command,
            Command::SetEnabled { enabled: false, .. } | Command::BeginDeletion { .. }
        ) {
            continue;
        }
        assert_eq!(world.refusal(owner, command.clone()), Refusal::StepUpRequired, "{command:?}");
        assert_eq!(
            world.refusal(owner, stale(command)),
            Refusal::StepUpRequired,
            "before conflicts"
        );
    }
    let (key, ..) = world.changed(owner, set_enabled(&key, false));
    let key = key.unwrap();

    assert_eq!(world.refusal(owner, step_up(2)), Refusal::SignInRefused);
    assert_eq!(world.refusal(owner, set_enabled(&key, true)), Refusal::StepUpRequired);
    let LedgerReply::Session(view) = world.ask(owner, step_up(1)) else {
        panic!("no session");
    };
    assert_eq!(view.step_up_until.as_ms(), START + 20 * MINUTE);
    world.changed(owner, set_enabled(&key, true));
}

#[test]
fn what_is_not_there_is_not_found() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    world.delete(owner, &key);
    let mut unknown = key.clone();
    unknown.id = world.draw_key().0;
    for key in [&key, &unknown] {
        for command in [edit(key, "{}"), set_enabled(key, false), set_enabled(key, true)] {
            assert_eq!(world.refusal(owner, command.clone()), Refusal::NotFound, "{command:?}");
        }
        let refused = Refusal::KeysNotFound { keys: vec![key.id] };
        assert_eq!(world.refusal(owner, world.begin_deletion(&[key.id]).1), refused);
    }
    for command in [Command::Get { id: unknown.id, deleted: true }, restore(&unknown)] {
        assert_eq!(world.refusal(owner, command.clone()), Refusal::NotFound, "{command:?}");
    }
}

#[test]
fn who_saw_an_older_revision_is_shown_the_present_one() {
    let (world, owner) = World::open();
    let seen = world.issue(owner, "{}");
    let (present, ..) = world.changed(owner, edit(&seen, r#"{"name":"Cron"}"#));
    let present = present.unwrap();
    let conflict = Refusal::ChangedMeanwhile { key: Box::new(present.clone()) };
    for command in [edit(&seen, r#"{"name":""}"#), set_enabled(&seen, false)] {
        assert_eq!(world.refusal(owner, command), conflict);
    }
    assert_eq!(world.record(seen.id).unwrap().revision, present.revision);
}

#[test]
fn what_an_owner_granted_only_an_owner_keeps_granted() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let reserved = r#"{"permissions":["claviger:verify","demo:read"]}"#;
    let owner_only = |refusal: Refusal| match refusal {
        Refusal::Invalid { errors } => {
            errors.iter().all(|e| e.code == "owner_only" && e.pointer == "#/permissions")
        }
        _ => false,
    };
    assert!(owner_only(world.refusal(admin, world.issue_command(reserved))));

    let verifier = world.issue(owner, reserved);
    for json in [r#"{"name":"Mine"}"#, r#"{"networks":""}"#, r#"{"expires":"1h"}"#, "{}"] {
        assert_eq!(world.refusal(admin, edit(&verifier, json)), Refusal::NotPermitted, "{json}");
    }
    assert!(owner_only(
        world.refusal(admin, edit(&verifier, r#"{"permissions":["claviger:verify"]}"#))
    ));
    let plain = world.issue(owner, "{}");
    assert!(owner_only(world.refusal(admin, edit(&plain, reserved))));

    // Taking away is anyone's, who changes keys at all.
    let (verifier, _, bound) = world.changed(admin, set_enabled(&verifier, false));
    let verifier = verifier.unwrap();
    assert!(bound.is_some());
    assert_eq!(world.refusal(admin, set_enabled(&verifier, true)), Refusal::NotPermitted);
    let (lesser, ..) =
        world.changed(admin, edit(&verifier, r#"{"permissions":["demo:read"],"expires":"never"}"#));
    let lesser = lesser.unwrap();
    world.changed(admin, set_enabled(&lesser, true));
    let other = world.issue(owner, reserved);
    world.delete(admin, &other);
}

#[test]
fn values_are_refused_all_at_once() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let bad = r#"{"name":"","expires":"soon","networks":"x","permissions":["y"]}"#;
    for command in [world.issue_command(bad), edit(&key, bad)] {
        let Refusal::Invalid { errors } = world.refusal(owner, command) else {
            panic!("not invalid")
        };
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/name", "#/expires", "#/networks", "#/permissions"]);
    }
    for idempotency_key in ["", "with blank", "é", &"x".repeat(65)] {
        let (id, digest) = world.draw_key();
        let idempotency_key = idempotency_key.to_owned();
        let command =
            Command::Issue { id, digest, draft: draft("{}"), idempotency_key, sealed: None };
        assert!(matches!(world.refusal(owner, command), Refusal::Invalid { .. }));
    }
}

#[test]
fn a_drawn_id_is_used_once_even_after_deletion_and_only_in_its_account() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    world.delete(owner, &key);
    let foreign = claviger_core::base::id::KeyId::parse("zzzzzzzz0000000000").unwrap();
    for id in [key.id, foreign] {
        let (_, digest) = world.draw_key();
        let command = Command::Issue {
            id,
            digest,
            draft: draft("{}"),
            idempotency_key: format!("again-{id}"),
            sealed: None,
        };
        assert_eq!(world.refusal(owner, command), Refusal::IdTaken);
    }
    assert!(world.record(foreign).is_none());
}

#[test]
fn an_account_has_a_largest_number_of_keys() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let max = claviger_control::ledger::decide::KEYS_MAX;
    // The rest by hand: 19,999 copies of the first.
    let copies = "INSERT INTO key (id, digest, name, name_folded, state, limits, expires_ms,
        created_at_ms, created_by, changed_at_ms, changed_by, revision)
        SELECT id, digest, name, name_folded, state, limits, expires_ms, created_at_ms,
            created_by, changed_at_ms, changed_by, revision FROM (
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
        SELECT 'a1B2c3D4' || printf('%010d', i) AS id, digest, name, name_folded, state, limits, expires_ms,
            created_at_ms, created_by, changed_at_ms, changed_by, i + 1 AS revision FROM key, n WHERE revision = 1)";
    world.sql.apply(&[Statement::new(copies).bind(max)]).unwrap();
    assert_eq!(world.count("key"), i64::from(max));
    assert_eq!(world.refusal(owner, world.issue_command("{}")), Refusal::TooManyKeys { max });
    world.sql.apply(&[Statement::new("UPDATE account SET revision = ?").bind(max)]).unwrap();
    let (deleted, _) = world.delete(owner, &key);
    let another = world.issue(owner, "{}");
    let restore = Command::RestoreKey { id: key.id, expected: deleted.revision };
    assert_eq!(world.refusal(owner, restore.clone()), Refusal::TooManyKeys { max });
    world.delete(owner, &another);
    world.changed(owner, restore);
}

#[test]
fn a_refusal_writes_nothing() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    world.wait(6 * MINUTE);
    let applies = world.sql.applies();
    world.refusal(owner, world.issue_command(r#"{"name":""}"#));
    world.refusal(owner, stale(edit(&key, "{}")));
    world.refusal(owner, world.begin_deletion(&[]).1);
    world.refusal(owner, step_up(9));
    assert_eq!(world.sql.applies(), applies);
}

#[test]
fn a_search_or_cursor_that_cannot_be_is_refused() {
    let (world, owner) = World::open();
    let listing = |q: Option<&str>, cursor: Option<&str>| {
        Command::List(Listing {
            q: q.map(str::to_owned),
            cursor: cursor.map(str::to_owned),
            ..Listing::default()
        })
    };
    let secret = format!("clv_a1B2c3D47Hq0p2Zx9K{}", "x".repeat(59));
    for (command, expected) in [
        (listing(Some(&secret), None), "#/q whole_key"),
        (listing(Some(&"x".repeat(60)), None), "#/q whole_key"),
        (listing(Some(&"x ".repeat(70)), None), "#/q too_long"),
        (listing(None, Some("x")), "#/cursor malformed"),
        (listing(None, Some("")), "#/cursor malformed"),
        (listing(None, Some(&"A".repeat(4_000))), "#/cursor malformed"),
    ] {
        let Refusal::Invalid { errors } = world.refusal(owner, command) else {
            panic!("not invalid")
        };
        assert_eq!(format!("{} {}", errors[0].pointer, errors[0].code), expected);
        assert!(!errors[0].detail.contains("xxx"), "what was pasted is not repeated");
    }
}
