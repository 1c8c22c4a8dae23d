//! The policy of an account: what each field demands, whose a key is, and how the policy changes.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::envelope::{Envelope, Letter};
use claviger_control::protocol::keys::KeyView;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::pair::{PairRequirement, PairView};
use claviger_control::protocol::policy::{
    KeyLife, Policy, PolicyChanges, PolicyEffectKind, PolicyPreview, PolicyState, Preset,
};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::{Revision, Standing};

use crate::deletion::deliver;
use crate::invitations::letters;
use crate::issuing::{by_api, issuer};
use crate::members::list;
use crate::world::{
    Browser, HOUR, MINUTE, START, World, confirm, edit, member_id, restore, set_enabled,
};

/// A year, of which no day is a leap day.
const YEAR: i64 = 365 * 24 * HOUR;

/// A change, as the operator's route reads one.
pub fn changes(json: &str) -> PolicyChanges {
    serde_json::from_str(json).unwrap()
}

/// *Registry* without the second factor, which no member can set up yet.
pub const PAIRS: &str = r#"{"preset":"registry","demands_mfa":false}"#;

fn state(world: &World) -> PolicyState {
    match world.handle(LedgerRequest::ShowPolicy) {
        Ok(LedgerReply::Policy(state)) => state,
        other => panic!("no policy: {other:?}"),
    }
}

fn try_set(world: &World, json: &str, expected: Revision) -> LedgerReply {
    world.handle(LedgerRequest::SetPolicy { changes: changes(json), expected }).unwrap()
}

/// Changes the policy, as an operator who has just seen it.
pub fn set(world: &World, json: &str) -> Policy {
    match try_set(world, json, state(world).revision) {
        LedgerReply::Policy(state) => state.policy,
        other => panic!("not set: {other:?}"),
    }
}

fn preview(world: &World, json: &str) -> PolicyPreview {
    match world.handle(LedgerRequest::PreviewPolicy { changes: changes(json) }) {
        Ok(LedgerReply::PolicyPreview(preview)) => preview,
        other => panic!("no preview: {other:?}"),
    }
}

fn pair(world: &World, browser: Browser) -> PairView {
    match world.ask(browser, Command::ShowPair) {
        LedgerReply::Pair(pair) => pair,
        other => panic!("no pair: {other:?}"),
    }
}

/// Generates a key pair: a draft without an expiry.
pub fn generate(world: &World, browser: Browser) -> KeyView {
    world.issue(browser, r#"{"expires":null}"#)
}

fn delete(key: &KeyView) -> Command {
    Command::DeleteKey { id: key.id, expected: key.revision }
}

fn remove(world: &World, owner: Browser, member: Browser) -> LedgerReply {
    let members = MembersCommand::Remove { member: member.member };
    world.ask(owner, Command::Members { members })
}

#[test]
fn an_account_without_a_policy_is_portal() {
    let (world, owner) = World::open();
    assert_eq!((world.count("policy"), state(&world).policy), (0, Policy::PORTAL));
    assert_eq!(state(&world).revision, Revision(0));
    for _ in 0..3 {
        world.issue(owner, r#"{"expires":"never","viewable":true}"#);
    }
    assert_eq!(world.refusal(owner, Command::ShowPair), Refusal::NotFound, "there are no pairs");
    let key = world.issue(owner, "{}");
    assert_eq!(world.refusal(owner, delete(&key)), Refusal::CodeRequired);
    assert!(matches!(
        world.refusal(owner, world.issue_command(r#"{"expires":null}"#)),
        Refusal::Invalid { .. }
    ));
    assert!(letters(&world).is_empty(), "no key was confirmed");
    let LedgerReply::Session(view) = world.ask(owner, Command::Show) else { panic!() };
    assert_eq!(view.account.policy, Policy::PORTAL, "members see the policy");
}

/// Rows S01 and S02.
#[test]
fn s01_the_pair_names_what_is_missing_and_whom_to_ask() {
    let (world, owner) = World::open();
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    world.join("owner", b'p');
    set(&world, r#"{"preset":"registry"}"#);
    let owners = vec!["Member p".to_owned(), "Mei Tanaka".to_owned()];
    let of = |browser| {
        let PairView { key, missing, owners, .. } = pair(&world, browser);
        (key, missing, owners)
    };
    assert_eq!(of(viewer), (None, Some(PairRequirement::Permission), owners.clone()));
    assert_eq!(of(admin), (None, Some(PairRequirement::SecondFactor), owners.clone()));
    assert_eq!(world.refusal(owner, world.issue_command("{}")), Refusal::MfaRequired);
    assert_eq!(world.refusal(viewer, world.issue_command("{}")), Refusal::NotPermitted);
    set(&world, r#"{"demands_mfa":false}"#);
    assert_eq!(of(admin), (None, None, owners));
    generate(&world, admin);
    assert_eq!(of(viewer).1, Some(PairRequirement::Permission), "a viewer never has one");
}

/// Rows S03, S06 and S14.
#[test]
fn s06_a_member_has_one_key_pair_for_a_year() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    set(&world, PAIRS);
    let expected = pair(&world, owner).expires.unwrap();
    let key = generate(&world, owner);
    assert_eq!(key.limits.expires.at(), Some(expected));
    assert_eq!(expected.as_ms(), START + YEAR, "no leap day lies between");
    assert_eq!(pair(&world, owner).key.unwrap().id, key.id);
    // Parallel requests reach the ledger one after the other.
    for _ in 0..2 {
        assert_eq!(world.refusal(owner, world.issue_command("{}")), Refusal::KeyPairExists);
    }
    // A disabled or expired pair is one, too.
    let key = world.changed(owner, set_enabled(&key, false)).0.unwrap();
    assert_eq!(world.refusal(owner, world.issue_command("{}")), Refusal::KeyPairExists);
    generate(&world, admin);
    assert_eq!(world.count("key"), 2, "each member has one");

    let LedgerReply::Deleted { records, .. } = world.ask(owner, delete(&key)) else { panic!() };
    assert_eq!(records.len(), 1);
    assert_eq!(pair(&world, owner).key, None);
    let next = generate(&world, owner);
    // The deleted pair cannot come back beside its successor.
    let LedgerReply::Key(gone) = world.ask(owner, Command::Get { id: key.id, deleted: true })
    else {
        panic!()
    };
    assert_eq!(world.refusal(owner, restore(&gone)), Refusal::KeyPairExists);
    world.ask(owner, delete(&next));
    let back = world.changed(owner, restore(&gone)).0.unwrap();
    assert_eq!((back.id, back.enabled), (key.id, false));
}

#[test]
fn two_generations_with_one_idempotency_key_make_one_pair_and_say_so() {
    let (world, owner) = World::open();
    set(&world, PAIRS);
    let key = generate(&world, owner);
    let Command::Issue { id, digest, draft, sealed, .. } = world.issue_command("{}") else {
        panic!()
    };
    let idempotency_key = format!("i-{}", key.id);
    let again = Command::Issue { id, digest, draft, idempotency_key, sealed };
    let Refusal::AlreadyIssued { key: Some(found) } = world.refusal(owner, again) else { panic!() };
    assert_eq!((found.id, world.count("key")), (key.id, 1));
}

/// A generation that is under way when the policy changes is decided by the policy that it meets.
#[test]
fn a_policy_that_changes_meanwhile_decides_the_next_generation() {
    let (world, owner) = World::open();
    let first = world.issue_command(r#"{"expires":"never"}"#);
    set(&world, PAIRS);
    assert!(matches!(world.refusal(owner, first.clone()), Refusal::Invalid { .. }));
    set(&world, r#"{"preset":"portal"}"#);
    world.changed(owner, first);
    let second = world.issue_command("{}");
    set(&world, PAIRS);
    assert_eq!(world.refusal(owner, second), Refusal::KeyPairExists);
    // A deletion that a code confirms goes on under a policy that demands none.
    let (key, _) = (state(&world), world.count("key"));
    assert_eq!(key.revision, Revision(3));
}

#[test]
fn a_life_beyond_the_policy_is_refused_at_issue_at_edit_and_from_a_program() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    set(&world, r#"{"longest_life":"30d"}"#);
    let refused = |command| match world.refusal(owner, command) {
        Refusal::Invalid { errors } => errors[0].code.clone(),
        other => panic!("{other:?}"),
    };
    for json in [r#"{"expires":"never"}"#, r#"{"expires":"31d"}"#] {
        assert_eq!(refused(world.issue_command(json)), "too_long_for_policy", "{json}");
    }
    let key = world.issue(owner, r#"{"expires":"30d"}"#);
    world.wait(MINUTE);
    assert_eq!(refused(edit(&key, r#"{"expires":"30d"}"#)), "too_long_for_policy");
    assert_eq!(refused(edit(&key, r#"{"expires":"never"}"#)), "too_long_for_policy");
    world.changed(owner, edit(&key, r#"{"expires":"29d"}"#));
    let check = Command::Check { draft: crate::world::draft(r#"{"expires":"31d"}"#) };
    let LedgerReply::Checked(preview) = world.ask(owner, check) else { panic!() };
    assert_eq!(preview.errors[0].code, "too_long_for_policy");

    let day = 24 * HOUR;
    assert_eq!(
        world.handle(by_api(&world, proof, 31 * day, "[]")),
        Ok(LedgerReply::Refused(Refusal::IssuerRefused))
    );
    let issued = world.handle(by_api(&world, proof, 29 * day, "[]"));
    assert!(matches!(issued, Ok(LedgerReply::Changed { .. })), "{issued:?}");
}

#[test]
fn a_policy_without_viewable_keys_refuses_new_ones_and_shows_no_old_one() {
    let (world, owner) = World::open();
    let mut issue = world.issue_command(r#"{"viewable":true}"#);
    let Command::Issue { sealed, .. } = &mut issue else { panic!() };
    *sealed = Some(crate::world::new_code("x").sealed);
    let key = world.changed(owner, issue).0.unwrap();
    set(&world, r#"{"viewable_allowed":false}"#);
    let refusal = world.refusal(owner, Command::Reveal { id: key.id });
    assert_eq!(refusal, Refusal::ViewingNotAllowed);
    let refusal = world.refusal(owner, world.issue_command(r#"{"viewable":true}"#));
    let Refusal::Invalid { errors } = refusal else { panic!("{refusal:?}") };
    assert_eq!(
        (errors[0].pointer.as_str(), errors[0].code.as_str()),
        ("#/viewable", "not_allowed")
    );
    set(&world, r#"{"viewable_allowed":true}"#);
    assert!(matches!(
        world.ask(owner, Command::Reveal { id: key.id }),
        LedgerReply::Revealed { .. }
    ));
    assert_eq!(world.count("audit WHERE action = 'reveal'"), 1);
}

/// Row S05.
#[test]
fn s05_a_mail_confirms_a_generation_to_the_member_alone() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    set(&world, PAIRS);
    deliver(&world);
    let key = generate(&world, admin);
    let [Envelope { to, letter, sealed, .. }] = deliver(&world).try_into().unwrap();
    assert_eq!((to.as_str(), sealed), ("a@example.jp", None));
    let Letter::KeyGenerated { key: named, expires, address, .. } = letter else { panic!() };
    assert_eq!((named.id, expires), (key.id, key.limits.expires.at()));
    assert_eq!(address.as_deref(), Some("203.0.113.7"));
    // A refused generation mails nothing.
    world.refusal(admin, world.issue_command("{}"));
    set(&world, r#"{"mail_on_generation":false}"#);
    generate(&world, owner);
    assert!(deliver(&world).is_empty());
}

/// Row S12.
#[test]
fn s12_a_key_is_deleted_by_a_dialog_alone_and_told_to_its_member() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    set(&world, PAIRS);
    let key = generate(&world, admin);
    deliver(&world);
    let stale = Command::DeleteKey { id: key.id, expected: Revision(0) };
    assert!(matches!(world.refusal(admin, stale), Refusal::ChangedMeanwhile { .. }));
    // No fresh proof is demanded.
    world.wait(11 * MINUTE);
    let LedgerReply::Deleted { records, bound, .. } = world.ask(owner, delete(&key)) else {
        panic!()
    };
    assert_eq!(records[0].standing, Standing::Deleted);
    assert_eq!(bound.at.as_ms(), world.now.get() + 10_000, "within T");
    let mut told: Vec<String> =
        deliver(&world).into_iter().map(|mail| mail.to.as_str().to_owned()).collect();
    told.sort();
    assert_eq!(told, ["a@example.jp", "mei@example.jp"]);
    assert_eq!(world.refusal(admin, delete(&key)), Refusal::NotFound, "once");
    // Protection holds here, too.
    let own = world.renewed(owner);
    let key = world.issue(own, r#"{"protected":true}"#);
    assert!(matches!(world.refusal(own, delete(&key)), Refusal::Protected { .. }));
}

#[test]
fn a_member_manages_their_own_key_and_an_owner_may_disable_and_delete_it() {
    let (world, owner) = World::open();
    let [admin, other] = [b'a', b'b'].map(|seed| world.join("admin", seed));
    let viewer = world.join("viewer", b'v');
    set(&world, PAIRS);
    let key = generate(&world, admin);
    let everything = |key: &KeyView| {
        [
            edit(key, r#"{"name":"Cron"}"#),
            set_enabled(key, true),
            Command::Reveal { id: key.id },
            set_enabled(key, false),
            delete(key),
            world.begin_deletion(&[key.id]).1,
        ]
    };
    for command in everything(&key) {
        assert_eq!(world.refusal(other, command.clone()), Refusal::NotYourKey, "{command:?}");
        assert_eq!(world.refusal(viewer, command), Refusal::NotPermitted);
    }
    for command in everything(&key).into_iter().take(3) {
        assert_eq!(world.refusal(owner, command.clone()), Refusal::NotYourKey, "{command:?}");
    }
    let key = world.changed(owner, set_enabled(&key, false)).0.unwrap();
    assert_eq!(world.refusal(owner, set_enabled(&key, true)), Refusal::NotYourKey);
    let key = world.changed(admin, edit(&key, r#"{"name":"Cron"}"#)).0.unwrap();
    world.ask(owner, delete(&key));
    let LedgerReply::Key(gone) = world.ask(owner, Command::Get { id: key.id, deleted: true })
    else {
        panic!()
    };
    for browser in [owner, other] {
        assert_eq!(world.refusal(browser, restore(&gone)), Refusal::NotYourKey);
    }
    world.changed(admin, restore(&gone));
}

/// A code that was mailed before the keys became their members' deletes none of another member.
#[test]
fn a_deletion_that_is_under_way_when_the_policy_changes_is_decided_by_the_new_one() {
    let (world, owner) = World::open();
    let [admin, other] = [b'a', b'b'].map(|seed| world.join("admin", seed));
    let key = world.issue(admin, "{}");
    let (id, begin) = world.begin_deletion(&[key.id]);
    world.ask(other, begin);
    set(&world, PAIRS);
    assert_eq!(world.refusal(other, confirm(id, "right")), Refusal::NotYourKey);
    let (id, begin) = world.begin_deletion(&[key.id]);
    world.ask(owner, begin);
    assert!(matches!(world.ask(owner, confirm(id, "right")), LedgerReply::Deleted { .. }));
}

#[test]
fn keys_end_with_the_membership_in_the_same_transaction() {
    let (world, owner) = World::open();
    let [admin, other] = [b'a', b'b'].map(|seed| world.join("admin", seed));
    let (first, second) = (world.issue(admin, "{}"), world.issue(admin, r#"{"protected":null}"#));
    let kept = world.issue(other, "{}");
    let by_program = issuer(&world, owner, "").0;
    let ending = |world: &World| {
        let entries = list(world, owner).members;
        entries.iter().map(|one| one.keys_ending).collect::<Vec<_>>()
    };
    assert_eq!(ending(&world), [None, None, None], "keys outlive their members");
    set(&world, PAIRS);
    assert_eq!(ending(&world), [Some(2), Some(1), Some(1)]);
    let before = world.sql_time("SELECT revision FROM account");
    let reply = remove(&world, owner, admin);
    let LedgerReply::MemberRemoved { keys, revision, bound } = reply else { panic!("{reply:?}") };
    assert_eq!((keys, bound.at.as_ms()), (2, world.now.get() + 10_000));
    assert_eq!(revision.0, u64::try_from(before).unwrap() + 2);
    for key in [&first, &second] {
        assert_eq!(world.record(key.id).unwrap().standing, Standing::Deleted);
        let row = format!(
            "audit WHERE action = 'delete' AND key = '{}' AND member = 'ooooooooooo'",
            key.id
        );
        assert_eq!(world.count(&row), 1);
        let due = format!("due WHERE kind = 'put_record' AND subject = '{}'", key.id);
        assert_eq!(world.count(&due), 1, "it is on its way to KV");
    }
    for key in [&kept, &by_program] {
        assert!(matches!(world.record(key.id).unwrap().standing, Standing::Active(_)));
    }
    let LedgerReply::Key(gone) = world.ask(owner, Command::Get { id: first.id, deleted: true })
    else {
        panic!()
    };
    assert_eq!(world.refusal(owner, restore(&gone)), Refusal::KeyMemberGone);
    let told = letters(&world);
    let is_told =
        |mail: &Envelope| matches!(mail.letter, Letter::MemberRemoved { keys_end: true, .. });
    assert!(told.iter().any(is_told));
    // Leaving ends them alike; without keys the answer is the usual one.
    let leave = Command::Members { members: MembersCommand::Leave };
    let LedgerReply::MemberRemoved { keys: 1, .. } = world.ask(other, leave) else { panic!() };
    assert_eq!(world.record(kept.id).unwrap().standing, Standing::Deleted);
    let viewer = world.join("viewer", b'v');
    assert_eq!(remove(&world, owner, viewer), LedgerReply::Done);
}

#[test]
fn a_key_that_the_member_left_behind_is_disabled_and_deleted_by_owners_alone() {
    let (world, owner) = World::open();
    let [admin, other] = [b'a', b'b'].map(|seed| world.join("admin", seed));
    let key = world.issue(admin, "{}");
    assert_eq!(remove(&world, owner, admin), LedgerReply::Done, "portal");
    set(&world, PAIRS);
    assert!(matches!(world.record(key.id).unwrap().standing, Standing::Active(_)));
    assert_eq!(world.refusal(other, set_enabled(&key, false)), Refusal::NotYourKey);
    let key = world.changed(owner, set_enabled(&key, false)).0.unwrap();
    world.ask(owner, delete(&key));
    // Under portal again, owners and admins restore it.
    let LedgerReply::Key(gone) = world.ask(owner, Command::Get { id: key.id, deleted: true })
    else {
        panic!()
    };
    assert_eq!(world.refusal(owner, restore(&gone)), Refusal::KeyMemberGone);
    set(&world, r#"{"preset":"portal"}"#);
    world.changed(other, restore(&gone));
}

#[test]
fn a_preview_names_what_a_change_concerns_and_changes_nothing() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    world.join("viewer", b'v');
    let gone = world.join("admin", b'g');
    for name in ["One", "Two"] {
        world.issue(admin, &format!(r#"{{"name":"{name}","expires":"never"}}"#));
    }
    world.issue(gone, r#"{"name":"Left"}"#);
    let issued = issuer(&world, owner, "").1;
    world.handle(by_api(&world, issued, HOUR, "[]")).unwrap();
    remove(&world, owner, gone);
    let before = world.count("audit");
    let found = preview(&world, r#"{"preset":"registry"}"#);
    assert_eq!((found.before, found.after), (Policy::PORTAL, Policy::REGISTRY));
    let rows: Vec<_> = found
        .effects
        .iter()
        .map(|effect| (effect.kind, effect.count, effect.names.join(", ")))
        .collect();
    use PolicyEffectKind as Kind;
    assert_eq!(
        rows,
        [
            (Kind::MembersWithMoreKeys, 1, "Member a".to_owned()),
            (Kind::KeysThatLiveLonger, 2, "One, Two".to_owned()),
            (Kind::KeysThatFollow, 3, "Build server, One, Two".to_owned()),
            (Kind::KeysWithoutMember, 1, "Left".to_owned()),
            (Kind::MembersWithoutFactor, 2, "Mei Tanaka, Member a".to_owned()),
            (Kind::KeysWithoutFactor, 4, "Build server, One, Two, Left".to_owned()),
        ]
    );
    assert_eq!((world.count("policy"), world.count("audit")), (0, before));
    set(&world, PAIRS);
    let back = preview(&world, r#"{"preset":"portal"}"#);
    assert_eq!(back.revision, Revision(1));
    let kinds: Vec<_> = back.effects.iter().map(|effect| (effect.kind, effect.count)).collect();
    assert_eq!(kinds, [(Kind::KeysThatStay, 3)]);

    // The list of names has a bound, the count has none.
    for at in 0..12 {
        world
            .sql
            .apply(&[Statement::new(format!(
            "INSERT INTO member (id, name, email, role, language, secret_version, created_at_ms)
            VALUES (printf('m%010d', {at}), 'Many', 'm{at}@example.jp', 'admin', 'en', 1, 0)"
        ))])
            .unwrap();
    }
    let many = preview(&world, r#"{"demands_mfa":true}"#).effects.remove(0);
    assert_eq!((many.count, many.names.len()), (14, 10));
}

#[test]
fn a_change_names_the_policy_that_it_previewed_and_is_written_down() {
    let (world, owner) = World::open();
    assert_eq!(set(&world, PAIRS), Policy { demands_mfa: false, ..Policy::REGISTRY });
    let stale = try_set(&world, r#"{"preset":"portal"}"#, Revision(0));
    let LedgerReply::Refused(Refusal::PolicyChangedMeanwhile { state: present }) = stale else {
        panic!("{stale:?}")
    };
    assert_eq!(*present, state(&world));
    // A repeated request finds its own change.
    assert_eq!(try_set(&world, PAIRS, Revision(0)), LedgerReply::Policy(state(&world)));
    let text =
        "SELECT member || ' ' || before || ' ' || after FROM audit WHERE action = 'set_policy'";
    let rows = world.sql.read_all(&Statement::new(text), |mut row| row.text()).unwrap();
    let [row] = rows.try_into().unwrap();
    let (was, is) = row.strip_prefix("operator ").unwrap().split_once("} ").unwrap();
    let was: Policy = serde_json::from_str(&format!("{was}}}")).unwrap();
    let is: Policy = serde_json::from_str(is).unwrap();
    assert_eq!((was, is), (Policy::PORTAL, state(&world).policy));
    // Fields change alone, too, and only they.
    let one = set(&world, r#"{"default_life":"90d"}"#);
    let life = KeyLife::Days(90);
    assert_eq!(one, Policy { default_life: life, demands_mfa: false, ..Preset::Registry.policy() });
    let end = generate(&world, owner).limits.expires.at();
    assert_eq!(end, life.end(world.now(), &claviger_control::protocol::zone::Zone::utc()));
}

#[test]
fn a_policy_that_contradicts_itself_or_what_is_there_is_refused() {
    let (world, _) = World::open();
    let admin = world.join("admin", b'a');
    let code = |json: &str| {
        let refused = [
            world.handle(LedgerRequest::PreviewPolicy { changes: changes(json) }).unwrap(),
            try_set(&world, json, state(&world).revision),
        ];
        let codes = refused.map(|reply| match reply {
            LedgerReply::Refused(Refusal::Invalid { errors }) => {
                format!("{} {}", errors[0].pointer, errors[0].code)
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(codes[0], codes[1]);
        codes[0].clone()
    };
    for json in [
        r#"{"default_life":"2y","longest_life":"1y"}"#,
        r#"{"preset":"registry","longest_life":"90d"}"#,
    ] {
        assert_eq!(code(json), "#/default_life longer_than_longest", "{json}");
    }
    // No removal of a member is larger than one transaction can be.
    let first = world.issue(admin, "{}");
    let copies = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO key (id, digest, name, name_folded, name_order, state, limits, created_at_ms,
            created_by, changed_at_ms, changed_by, revision, protected, sealing_generation)
        SELECT printf('a1B2c3D4%010d', i), digest, name, name_folded, name_order, state, limits,
            created_at_ms, created_by, changed_at_ms, changed_by, 100 + i, 0, 0
        FROM key JOIN n WHERE id = '{}'",
        first.id
    );
    world.sql.apply(&[Statement::new(copies)]).unwrap();
    assert_eq!(code(r#"{"keys_follow_member":true}"#), "#/keys_follow_member too_many_keys");
    let one_less = format!("DELETE FROM key WHERE id = '{}'", first.id);
    world
        .sql
        .apply(&[
            Statement::new(format!("DELETE FROM key_network WHERE key = '{}'", first.id)),
            Statement::new(one_less),
        ])
        .unwrap();
    set(&world, r#"{"keys_follow_member":true}"#);
    let full = world.refusal(admin, world.issue_command("{}"));
    assert_eq!(full, Refusal::TooManyKeys { max: 1_000 });
}

#[test]
fn a_stored_policy_that_cannot_be_read_allows_least() {
    for (stored, expected) in [
        ("[]".to_owned(), Policy::STRICTEST),
        (
            serde_json::to_string(&Policy::PORTAL).unwrap().replace("\"many\"", "\"some\""),
            Policy { keys_per_member: Policy::STRICTEST.keys_per_member, ..Policy::PORTAL },
        ),
    ] {
        let (world, owner) = World::open();
        world.issue(owner, "{}");
        let row = Statement::new("INSERT INTO policy VALUES (1, ?, 4)").bind(stored);
        world.sql.apply(&[row]).unwrap();
        assert_eq!(
            state(&world),
            PolicyState { policy: expected, revision: Revision(4), keys: None }
        );
        let refusal = world.refusal(owner, world.issue_command(r#"{"expires":"1h"}"#));
        let is_strict = matches!(refusal, Refusal::ProofRequired { .. } | Refusal::KeyPairExists);
        assert!(is_strict, "{refusal:?}");
    }
}

/// Row S15: a key spares its member the change of passwords.
#[test]
fn s15_a_key_outlives_a_change_of_its_member_s_password() {
    let (world, owner) = World::open();
    set(&world, PAIRS);
    let key = generate(&world, owner);
    let record = world.record(key.id).unwrap();
    let news = claviger_control::protocol::identity::PasswordNews {
        member: owner.member,
        email: crate::invitations::email("mei@example.jp"),
        secret_version: claviger_control::protocol::member::SecretVersion(2),
        at: world.now(),
        address: None,
        is_reset: false,
        mails: true,
    };
    world.handle(LedgerRequest::PasswordChanged(news)).unwrap();
    assert_eq!(world.record(key.id), Some(record));
    assert_eq!(member_id(b'o'), owner.member);
    assert!(key.limits.expires.at() > Some(UnixMs::from_ms(START)));
}
