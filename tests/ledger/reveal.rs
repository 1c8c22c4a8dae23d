//! Viewable keys (A05): kept by choice, shown to those who may, written down each time.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption;
use claviger_control::protocol::encryption::{Ciphertext, encrypt_key, key_associated_data};
use claviger_control::protocol::keys::{KeyView, Listing};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::credential::key::NewKey;

use crate::world::{Browser, MINUTE, World, draft, edit, master, set_enabled};
use claviger_core::testing::clv;

/// A key with its text, issued as the edge issues one; `seals`: it sends the secret along,
/// encrypted.
fn issue(world: &World, browser: Browser, json: &str, seals: bool) -> (KeyView, String) {
    let (new, sealed) = {
        let rng = &mut *world.rng.borrow_mut();
        let new = NewKey::generate(world.account, &clv(), master().keyring(), rng);
        let sealed = seals.then(|| encrypt_key(&new, &master(), rng).unwrap());
        (new, sealed)
    };
    let (id, digest, draft) = (new.id(), new.digest(), draft(json));
    let command = Command::Issue { id, digest, draft, idempotency_key: format!("i-{id}"), sealed };
    (world.changed(browser, command).0.unwrap(), new.expose().to_owned())
}

fn reveal(world: &World, browser: Browser, key: &KeyView) -> String {
    match world.ask(browser, Command::Reveal { id: key.id }) {
        LedgerReply::Revealed { sealed } => open(&sealed, key),
        other => panic!("{other:?}"),
    }
}

fn open(sealed: &Ciphertext, key: &KeyView) -> String {
    encryption::decrypt(sealed, key_associated_data(&key.id), &master())
        .unwrap()
        .expose()
        .to_owned()
}

fn reveals(world: &World) -> i64 {
    world.count("audit WHERE action = 'reveal'")
}

#[test]
fn a05_a_viewable_key_is_shown_again_and_each_time_is_written_down() {
    let (world, owner) = World::open();
    let (key, text) = issue(&world, owner, r#"{"viewable":true}"#, true);
    assert!(key.viewable);
    for times in 1..=3 {
        assert_eq!(reveal(&world, owner, &key), text);
        assert_eq!(reveals(&world), times);
    }
    let read =
        "SELECT key || ' ' || member || ' ' || address FROM audit WHERE action = 'reveal' LIMIT 1";
    let row = world.sql.read_all(&Statement::new(read), |mut row| row.text()).unwrap().remove(0);
    assert_eq!(row, format!("{} {} 203.0.113.7", key.id, owner.member));

    // An edit keeps it, and so does switching it off.
    let (key, ..) = world.changed(owner, edit(&key, r#"{"name":"Cron"}"#));
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), false));
    let key = key.unwrap();
    assert!(key.viewable && !key.enabled);
    assert_eq!(reveal(&world, owner, &key), text);
    assert!(world.page(owner, Listing::default()).keys[0].viewable);
}

#[test]
fn a05_only_who_chose_it_has_a_key_kept() {
    let (world, owner) = World::open();
    for (json, seals) in [
        ("{}", false),
        ("{}", true),
        (r#"{"viewable":false}"#, true),
        (r#"{"viewable":true}"#, false),
    ] {
        let (key, _) = issue(&world, owner, json, seals);
        assert!(!key.viewable, "{json}");
        assert_eq!(
            world.refusal(owner, Command::Reveal { id: key.id }),
            Refusal::NotViewable,
            "{json}"
        );
    }
    assert_eq!(world.count("key WHERE sealed IS NOT NULL"), 0);
    assert_eq!(reveals(&world), 0);
}

#[test]
fn a_deleted_or_unknown_key_is_not_shown() {
    let (world, owner) = World::open();
    let (key, _) = issue(&world, owner, r#"{"viewable":true}"#, true);
    world.delete(owner, &key);
    for id in [key.id, world.draw_key().0] {
        assert_eq!(world.refusal(owner, Command::Reveal { id }), Refusal::NotFound);
    }
    assert_eq!(reveals(&world), 0);
}

#[test]
fn a_viewer_is_shown_nothing_and_an_old_proof_is_asked_for_again() {
    let (world, owner) = World::open();
    let (key, text) = issue(&world, owner, r#"{"viewable":true}"#, true);
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    assert_eq!(world.refusal(viewer, Command::Reveal { id: key.id }), Refusal::NotPermitted);
    assert_eq!(reveal(&world, admin, &key), text);
    world.wait(10 * MINUTE);
    for browser in [owner, admin] {
        assert_eq!(world.refusal(browser, Command::Reveal { id: key.id }), Refusal::StepUpRequired);
    }
    assert_eq!(reveals(&world), 1);
}

#[test]
fn a_key_with_clavigers_own_permissions_is_shown_to_owners_alone() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let json = r#"{"viewable":true,"permissions":["claviger:verify"]}"#;
    let (key, text) = issue(&world, owner, json, true);
    assert_eq!(world.refusal(admin, Command::Reveal { id: key.id }), Refusal::NotPermitted);
    assert_eq!(reveals(&world), 0);
    assert_eq!(reveal(&world, owner, &key), text);
}

/// What the row holds opens in no other row, and no row but its own holds anything of it.
#[test]
fn a_kept_secret_is_bound_to_its_row_and_stands_nowhere_else() {
    let (world, owner) = World::open();
    let [(one, text), (two, _)] =
        [(); 2].map(|()| issue(&world, owner, r#"{"viewable":true}"#, true));
    let copy = "UPDATE key SET sealed = (SELECT sealed FROM key WHERE id = ?) WHERE id = ?";
    world.sql.apply(&[Statement::new(copy).bind(one.id.as_str()).bind(two.id.as_str())]).unwrap();
    let LedgerReply::Revealed { sealed } = world.ask(owner, Command::Reveal { id: two.id }) else {
        panic!()
    };
    assert!(encryption::decrypt(&sealed, key_associated_data(&two.id), &master()).is_none());
    assert_eq!(open(&sealed, &one), text);

    let secret = &text[22..];
    for table in ["key", "audit", "journal", "idempotency", "publication", "due"] {
        let dump = world.sql.dump(table);
        assert!(!dump.contains(secret), "{table}");
        assert_eq!(dump.contains(sealed.as_str()), table == "key", "{table}");
    }
    let record = serde_json::to_string(&world.record(one.id)).unwrap();
    assert!(!record.contains(secret) && !record.contains(sealed.as_str()));
    let page = serde_json::to_string(&world.page(owner, Listing::default())).unwrap();
    assert!(!page.contains(secret) && !page.contains(sealed.as_str()));
}

#[test]
fn what_is_scrubbed_with_its_row_is_gone() {
    let (world, owner) = World::open();
    let (key, _) = issue(&world, owner, r#"{"viewable":true}"#, true);
    let forget = ["key_network", "idempotency"].map(|table| format!("DELETE FROM {table}"));
    let scrub = forget.into_iter().chain([format!("DELETE FROM key WHERE id = '{}'", key.id)]);
    world.sql.apply(&scrub.map(Statement::new).collect::<Vec<_>>()).unwrap();
    assert_eq!(world.refusal(owner, Command::Reveal { id: key.id }), Refusal::NotFound);
}
