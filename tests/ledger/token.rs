//! Programs that call the admin API by a key.

use claviger_control::ledger::token_rates::{READS, WRITES};
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::{KeyView, Listing};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::service::ServiceCommand;
use claviger_core::base::id::{KeyId, SealedId};
use claviger_core::base::time::UnixMs;
use claviger_core::credential::api_user::ApiSecretVersion;
use claviger_core::credential::issuer::Issuer;
use claviger_core::replication::admin_caller::AdminCaller;
use claviger_core::replication::record::Revision;
use claviger_core::verify::verdict::Denial;

use crate::account_networks::{self, draft, entry};
use crate::policy::set;
use crate::world::{
    Browser, HOUR, MINUTE, START, World, edit, new_code, regenerate, restore, set_enabled,
};

const ALL: &str =
    r#"{"permissions":["claviger:keys-read","claviger:keys-write","claviger:activity-read"]}"#;
const READ: &str = r#"{"permissions":["*:*","claviger:keys-read"]}"#;

fn ask_from(world: &World, token: &KeyView, address: &str, command: Command) -> LedgerReply {
    let (caller, address) = (AdminCaller::Key(token.id), Some(address.into()));
    world.handle(LedgerRequest::Token { caller, address, command }).unwrap()
}

fn ask(world: &World, token: &KeyView, command: Command) -> LedgerReply {
    ask_from(world, token, "203.0.113.9", command)
}

#[track_caller]
fn changed(world: &World, token: &KeyView, command: Command) -> KeyView {
    match ask(world, token, command) {
        LedgerReply::Changed { key: Some(key), .. } => key,
        other => panic!("not changed: {other:?}"),
    }
}

#[track_caller]
fn refusal(world: &World, token: &KeyView, command: Command) -> Refusal {
    match ask(world, token, command) {
        LedgerReply::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn list() -> Command {
    Command::List(Listing::default())
}

fn key_of(world: &World, browser: Browser, id: KeyId) -> KeyView {
    match world.ask(browser, Command::Get { id, deleted: true }) {
        LedgerReply::Key(key) => key,
        other => panic!("{other:?}"),
    }
}

fn trail(world: &World) -> Vec<String> {
    let text =
        "SELECT member || ' ' || action || ' ' || ifnull(key, '-') FROM audit ORDER BY number";
    world.sql.read_all(&Statement::new(text), |mut row| row.text()).unwrap()
}

#[test]
fn a_program_manages_keys_and_each_act_stands_in_its_name() {
    let (world, owner) = World::open();
    set(&world, r#"{"deletion_by_code":false}"#);
    let token = world.issue(owner, ALL);
    world.wait(24 * HOUR);
    let before = trail(&world).len();

    let key = changed(&world, &token, world.issue_command(r#"{"name":"Worker"}"#));
    assert_eq!(key.member, Some(owner.member));
    let key = changed(&world, &token, edit(&key, r#"{"networks":"192.0.2.0/24"}"#));
    let key = changed(&world, &token, set_enabled(&key, false));
    let key = changed(&world, &token, set_enabled(&key, true));
    let successor = match ask(&world, &token, regenerate(&world, &key, r#"{"overlap":"1h"}"#)) {
        LedgerReply::Regenerated { key, replaced, .. } => {
            let (id, expected) = (replaced.id, replaced.revision);
            changed(&world, &token, Command::EndOverlap { id, expected });
            key
        }
        other => panic!("{other:?}"),
    };
    let delete = Command::DeleteKey { id: successor.id, expected: successor.revision };
    assert!(matches!(ask(&world, &token, delete), LedgerReply::Deleted { .. }));
    changed(&world, &token, restore(&key_of(&world, world.renewed(owner), successor.id)));

    let acts: Vec<String> = trail(&world).split_off(before);
    let of_token = acts.iter().filter_map(|line| line.strip_prefix(token.id.as_str()));
    let of_token: Vec<&str> = of_token.map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        of_token,
        [
            "issue",
            "edit",
            "disable",
            "enable",
            "replace",
            "regenerate",
            "end_overlap",
            "delete",
            "restore_key"
        ]
    );
    assert!(matches!(ask(&world, &token, list()), LedgerReply::Page(page) if page.keys.len() == 2));
    let activity = Command::Activity { query: serde_json::from_str("{}").unwrap(), exports: false };
    assert!(matches!(ask(&world, &token, activity), LedgerReply::Activity(_)));
}

#[test]
fn a_program_gives_only_the_commands_of_its_rights() {
    let (world, owner) = World::open();
    let token = world.issue(owner, READ);
    let key = world.issue(owner, "{}");
    for command in [list(), Command::Get { id: key.id, deleted: false }] {
        assert!(!matches!(ask(&world, &token, command), LedgerReply::Refused(_)));
    }
    let lacks = Refusal::TokenRefused { denial: Denial::PermissionDenied };
    let activity = Command::Activity { query: serde_json::from_str("{}").unwrap(), exports: false };
    for command in [
        world.issue_command("{}"),
        edit(&key, r#"{"name":"x"}"#),
        set_enabled(&key, false),
        regenerate(&world, &key, "{}"),
        restore(&key),
        Command::DeleteKey { id: key.id, expected: key.revision },
        Command::EndOverlap { id: key.id, expected: key.revision },
        activity,
    ] {
        assert_eq!(refusal(&world, &token, command), lacks);
    }
    let ordinary = world.issue(owner, r#"{"permissions":["*:*"]}"#);
    assert_eq!(refusal(&world, &ordinary, list()), lacks);
}

#[test]
fn no_right_covers_secrets_members_sessions_or_service_credentials() {
    let (world, owner) = World::open();
    let token = world.issue(owner, ALL);
    let key = world.issue(owner, "{}");
    let exports = Command::Activity { query: serde_json::from_str("{}").unwrap(), exports: true };
    let sealed = SealedId::parse("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez").unwrap();
    let (deletion, begin) = world.begin_deletion(&[key.id]);
    for command in [
        Command::Show,
        Command::ShowPair,
        Command::SignOut,
        Command::Reveal { id: key.id },
        Command::CountIssued { issuer: Issuer::Service },
        Command::Service { service: ServiceCommand::Show },
        Command::Service { service: ServiceCommand::Reveal },
        Command::RevokeSealed {
            id: sealed,
            issuer: Issuer::Key(key.id),
            until: UnixMs::from_ms(START),
        },
        begin,
        Command::ShowDeletion { id: deletion },
        Command::MailDeletionCode { id: deletion, code: new_code("right") },
        Command::ListSessions,
        Command::EndOtherSessions,
        Command::ChangeAddress,
        Command::Members { members: MembersCommand::List },
        Command::Members { members: MembersCommand::ShowNotices },
        exports,
    ] {
        let line = format!("{command:?}");
        assert_eq!(refusal(&world, &token, command), Refusal::NotPermitted, "{line}");
    }
}

#[test]
fn a_program_makes_and_touches_no_program() {
    let (world, owner) = World::open();
    set(&world, r#"{"deletion_by_code":false}"#);
    let token = world.issue(owner, ALL);
    let other = world.issue(owner, r#"{"permissions":["claviger:verify"]}"#);
    let plain = world.issue(owner, "{}");
    for permission in ["claviger:keys-read", "claviger:keys-write", "claviger:verify", "claviger:x"]
    {
        let json = format!(r#"{{"permissions":["demo:read","{permission}"]}}"#);
        for command in [world.issue_command(&json), edit(&plain, &json)] {
            let Refusal::Invalid { errors } = refusal(&world, &token, command) else { panic!() };
            assert_eq!((&*errors[0].pointer, &*errors[0].code), ("#/permissions", "owner_only"));
        }
    }
    let ceiling =
        r#"{"issuable":{"permissions":["claviger:verify"],"networks":"","longest":"1h"}}"#;
    let refused = refusal(&world, &token, world.issue_command(ceiling));
    assert!(matches!(refused, Refusal::Invalid { .. }), "{refused:?}");
    // Not even to take power away: a program must not stop the one that watches it.
    for key in [&other, &token] {
        for command in [
            edit(key, r#"{"permissions":["demo:read"]}"#),
            edit(key, r#"{"name":"x"}"#),
            set_enabled(key, true),
            regenerate(&world, key, "{}"),
            Command::DeleteKey { id: key.id, expected: key.revision },
        ] {
            assert_eq!(refusal(&world, &token, command), Refusal::NotPermitted);
        }
    }
    assert_eq!(refusal(&world, &token, set_enabled(&other, false)), Refusal::NotPermitted);
    let disabled = changed(&world, &token, set_enabled(&token, false));
    assert!(!disabled.enabled, "it may stop itself");
    let over = Refusal::TokenRefused { denial: Denial::Disabled };
    assert_eq!(refusal(&world, &token, list()), over);
}

#[test]
fn a_regeneration_ends_no_predecessor_that_is_a_program() {
    let (world, owner) = World::open();
    let token = world.issue(owner, ALL);
    let verifier = world.issue(owner, r#"{"permissions":["claviger:verify"]}"#);
    let successor = match world.ask(owner, regenerate(&world, &verifier, r#"{"overlap":"1h"}"#)) {
        LedgerReply::Regenerated { key, .. } => key,
        other => panic!("{other:?}"),
    };
    let plain = world.changed(owner, edit(&successor, r#"{"permissions":["demo:read"]}"#));
    let regenerated = regenerate(&world, &plain.0.unwrap(), "{}");
    assert_eq!(refusal(&world, &token, regenerated), Refusal::NotPermitted);
}

#[test]
fn a_key_that_is_over_does_nothing_more() {
    let (world, owner) = World::open();
    let denied = |token: &KeyView, address: &str| match ask_from(&world, token, address, list()) {
        LedgerReply::Refused(Refusal::TokenRefused { denial }) => Some(denial),
        LedgerReply::Page(_) => None,
        other => panic!("{other:?}"),
    };
    let json = r#"{"permissions":["claviger:keys-read"],"networks":"192.0.2.0/24","expires":"1h"}"#;
    let token = world.issue(owner, json);
    assert_eq!(denied(&token, "192.0.2.1"), None);
    assert_eq!(denied(&token, "203.0.113.9"), Some(Denial::NetworkDenied));
    assert_eq!(denied(&token, "no address"), Some(Denial::NetworkDenied));
    world.changed(owner, set_enabled(&token, false));
    assert_eq!(denied(&token, "192.0.2.1"), Some(Denial::Disabled));
    world.changed(owner, set_enabled(&key_of(&world, owner, token.id), true));
    world.handle(LedgerRequest::SetState { freshness_ms: None, suspended: Some(true) }).unwrap();
    assert_eq!(denied(&token, "192.0.2.1"), Some(Denial::AccountSuspended));
    world.handle(LedgerRequest::SetState { freshness_ms: None, suspended: Some(false) }).unwrap();
    set(&world, r#"{"demands_mfa":true}"#);
    assert_eq!(denied(&token, "192.0.2.1"), Some(Denial::MfaOff));
    set(&world, r#"{"demands_mfa":false}"#);
    assert_eq!(denied(&token, "192.0.2.1"), None);
    world.wait(60 * MINUTE);
    assert_eq!(denied(&token, "192.0.2.1"), Some(Denial::Expired));

    let deleted = world.issue(world.renewed(owner), READ);
    world.delete(world.renewed(owner), &deleted);
    assert_eq!(denied(&deleted, "192.0.2.1"), Some(Denial::Unknown));
    let (strange, _) = world.draw_key();
    for caller in
        [AdminCaller::Key(strange), AdminCaller::User { id: token.id, secret: ApiSecretVersion(1) }]
    {
        let request = LedgerRequest::Token { caller, address: None, command: list() };
        let unknown = Refusal::TokenRefused { denial: Denial::Unknown };
        assert_eq!(world.handle(request).unwrap(), LedgerReply::Refused(unknown));
    }
}

/// C19: the edge has checked the surface of the protected API; this one is the ledger's.
#[test]
fn c19_a_program_calls_from_where_the_account_opens_the_admin_api() {
    let (world, owner) = World::open();
    let token = world.issue(owner, READ);
    let opened = |mode, surfaces: &[&str]| {
        let entries = [entry("203.0.113.0/24", &["console"]), entry("192.0.2.0/24", surfaces)];
        account_networks::set(&world, owner, draft(mode, &entries));
    };
    let refused = |address: &str| match ask_from(&world, &token, address, list()) {
        LedgerReply::Page(_) => None,
        LedgerReply::Refused(refusal) => Some(refusal),
        other => panic!("{other:?}"),
    };
    let denied = Some(Refusal::TokenRefused { denial: Denial::NetworkDenied });
    assert_eq!(refused("198.51.100.7"), None, "no list");
    opened("enforced", &["protected_api", "admin_api"]);
    assert_eq!(refused("192.0.2.7"), None);
    assert_eq!(refused("203.0.113.9"), denied, "the console's network is another");
    opened("enforced", &["protected_api"]);
    assert_eq!(refused("192.0.2.7"), denied);
    opened("observed", &["protected_api"]);
    assert_eq!(refused("198.51.100.7"), None);
}

#[test]
fn a_program_has_no_more_rights_than_its_member() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    // An owner gives the right to a key that an admin has issued.
    let key = world.issue(admin, "{}");
    let token = world.changed(owner, edit(&key, ALL)).0.unwrap();
    assert_eq!(token.member, Some(admin.member));
    changed(&world, &token, world.issue_command("{}"));
    let change = |text: &'static str| {
        let row = Statement::new(text).bind(admin.member.as_str());
        world.sql.apply(&[row]).unwrap();
    };
    change("UPDATE member SET role = 'viewer' WHERE id = ?");
    assert_eq!(refusal(&world, &token, world.issue_command("{}")), Refusal::NotPermitted);
    assert!(matches!(ask(&world, &token, list()), LedgerReply::Page(_)));
    change("UPDATE member SET removed_at_ms = 1 WHERE id = ?");
    assert_eq!(refusal(&world, &token, list()), Refusal::NotPermitted);
}

#[test]
fn under_a_policy_of_members_keys_no_program_manages_any() {
    let (world, owner) = World::open();
    let token = world.issue(owner, ALL);
    for json in [
        r#"{"keys_follow_member":true}"#,
        r#"{"keys_follow_member":false,"keys_per_member":"one"}"#,
    ] {
        set(&world, json);
        for command in [list(), world.issue_command("{}")] {
            assert_eq!(refusal(&world, &token, command), Refusal::NotPermitted, "{json}");
        }
    }
}

#[test]
fn idempotency_keys_are_those_of_each_author() {
    let (world, owner) = World::open();
    let (one, other) = (world.issue(owner, ALL), world.issue(owner, ALL));
    let issue = || {
        let Command::Issue { id, digest, draft, sealed, .. } = world.issue_command("{}") else {
            panic!()
        };
        Command::Issue { id, digest, draft, idempotency_key: "same".into(), sealed }
    };
    let first = changed(&world, &one, issue());
    let second = changed(&world, &other, issue());
    let third = world.changed(owner, issue()).0.unwrap();
    for (refused, key) in [
        (refusal(&world, &one, issue()), first),
        (refusal(&world, &other, issue()), second),
        (world.refusal(owner, issue()), third),
    ] {
        let Refusal::AlreadyIssued { key: Some(found) } = refused else { panic!("{refused:?}") };
        assert_eq!(found.id, key.id);
    }
    let Command::Issue { id, digest, draft, sealed, .. } = world.issue_command("{}") else {
        panic!()
    };
    let forged = format!("{} same", one.id);
    let forged = Command::Issue { id, digest, draft, idempotency_key: forged, sealed };
    let refused = world.refusal(owner, forged);
    assert!(matches!(refused, Refusal::Invalid { .. }), "{refused:?}");
}

#[test]
fn each_program_has_its_own_rate_limit() {
    let (world, owner) = World::open();
    let (token, other) = (world.issue(owner, ALL), world.issue(owner, ALL));
    let key = world.issue(owner, "{}");
    for _ in 0..READS.tries_max {
        assert!(matches!(ask(&world, &token, list()), LedgerReply::Page(_)));
    }
    let until = UnixMs::from_ms(world.now().as_ms() + MINUTE);
    let over = Refusal::TooManyRequests { until };
    assert_eq!(refusal(&world, &token, list()), over);
    // A refused write counts, too.
    let stale = || Command::SetEnabled { id: key.id, expected: Revision(0), enabled: false };
    for _ in 0..WRITES.tries_max {
        assert!(matches!(refusal(&world, &token, stale()), Refusal::ChangedMeanwhile { .. }));
    }
    assert_eq!(refusal(&world, &token, stale()), over);
    assert!(matches!(ask(&world, &other, list()), LedgerReply::Page(_)));
    world.page(owner, Listing::default());
    world.wait(MINUTE);
    assert!(matches!(ask(&world, &token, list()), LedgerReply::Page(_)));
}
