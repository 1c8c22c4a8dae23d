//! API users: creation, edits, locks, deletion and restore, and what they share with keys.

mod full;
mod shared;

use claviger_control::protocol::api_name::HeldApiName;
use claviger_control::protocol::api_users::{
    ApiUserForm, ApiUserListing, ApiUserPage, ApiUserSort, ApiUserStatus, ApiUserView,
    ApiUsersCommand, ApiUsersRefusal, ApiUsersReply,
};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::keys::Listing;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::SecretVersion;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::KeyId;
use claviger_core::config::terms::Bound;
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserGroup, ApiUserName};
use claviger_core::replication::record::{Record, Standing};

use crate::world::{Browser, HOUR, MINUTE, SECOND, World};

const DAY: i64 = 24 * HOUR;

pub fn form(json: &str) -> Box<ApiUserForm> {
    let mut all = serde_json::json!({
        "name": "App@Example.com", "group": "admin", "interfaces": ["http", "smtp"],
        "own_data_only": false, "expires": "never", "networks": "",
    });
    let changed: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
    all.as_object_mut().unwrap().extend(changed);
    serde_json::from_value(all).unwrap()
}

fn changes(json: &str) -> Box<ApiUserForm> {
    serde_json::from_str(json).unwrap()
}

pub fn create_command(world: &World, json: &str) -> (KeyId, ApiUsersCommand) {
    let (id, _) = world.draw_key();
    let command = ApiUsersCommand::Create {
        id,
        form: form(json),
        secret: ApiSecretVersion(1),
        idempotency_key: format!("i-{id}"),
    };
    (id, command)
}

fn ask(world: &World, browser: Browser, users: ApiUsersCommand) -> ApiUsersReply {
    match world.ask(browser, Command::ApiUsers { users }) {
        LedgerReply::ApiUsers(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn refusal(world: &World, browser: Browser, users: ApiUsersCommand) -> Refusal {
    world.refusal(browser, Command::ApiUsers { users })
}

fn changed(
    world: &World,
    browser: Browser,
    users: ApiUsersCommand,
) -> (ApiUserView, Record, Option<Bound>) {
    match ask(world, browser, users) {
        ApiUsersReply::Changed { user, record, bound } => (user, record, bound),
        other => panic!("{other:?}"),
    }
}

fn create(world: &World, browser: Browser, json: &str) -> ApiUserView {
    let (_, command) = create_command(world, json);
    changed(world, browser, command).0
}

fn edit(user: &ApiUserView, json: &str, secret: Option<u64>) -> ApiUsersCommand {
    ApiUsersCommand::Edit {
        id: user.id,
        expected: user.revision,
        form: changes(json),
        secret: secret.map(ApiSecretVersion),
        is_new_secret: secret.is_some() && !json.contains("\"name\""),
    }
}

fn lock(user: &ApiUserView, locked: bool) -> ApiUsersCommand {
    ApiUsersCommand::SetLocked { id: user.id, expected: user.revision, locked }
}

fn delete(user: &ApiUserView) -> ApiUsersCommand {
    let (secret_version, confirmed) = (SecretVersion(1), true);
    ApiUsersCommand::Delete { id: user.id, expected: user.revision, secret_version, confirmed }
}

fn page(world: &World, browser: Browser, listing: ApiUserListing) -> ApiUserPage {
    match ask(world, browser, ApiUsersCommand::List(listing)) {
        ApiUsersReply::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

fn names(page: &ApiUserPage) -> Vec<&str> {
    page.users.iter().map(|user| user.name.as_str()).collect()
}

fn held(world: &World, name: &str) -> Option<HeldApiName> {
    let name = ApiUserName::parse(name).unwrap();
    match world.handle(LedgerRequest::HoldsApiName { name }).unwrap() {
        LedgerReply::ApiNameHeld { held } => held,
        other => panic!("{other:?}"),
    }
}

/// Takes the effects that are due and concern name objects; the others stay taken.
fn name_effects(world: &World) -> Vec<Effect> {
    core::iter::from_fn(|| world.next_effect())
        .filter(|effect| matches!(effect, Effect::ConfirmApiName(_) | Effect::LeaveApiName { .. }))
        .collect()
}

/// C02, C05, C07, C08, C09, C10: the record carries all that the edge needs, and no secret.
#[test]
fn a_created_user_is_a_record_of_version_4() {
    let (world, owner) = World::open();
    let (id, command) = create_command(
        &world,
        r#"{"view_personal_data":true,"interfaces":["smtp","http","http"],"own_data_only":true,"zone":"asia/tokyo"}"#,
    );
    let (user, record, bound) = changed(&world, owner, command);
    assert_eq!((user.id, user.name.as_str(), bound), (id, "app@example.com", None));
    assert_eq!(user.status(world.now()), ApiUserStatus::Active);
    assert_eq!(user.zone.name(), "Asia/Tokyo");
    assert_eq!(world.record(id), Some(record.clone()));
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!(json["v"], 4);
    assert_eq!(json["limits"]["permissions"], serde_json::json!(["personal-data:view"]));
    assert_eq!(json["limits"]["interfaces"], serde_json::json!(["http", "smtp"]));
    let expected = serde_json::json!({
        "name": "app@example.com", "secret": 1, "group": "admin", "own_data_only": true, "zone": "Asia/Tokyo",
    });
    assert_eq!(json["user"], expected);
    // The list of keys knows nothing of it, and neither does a look by its ID.
    assert_eq!(world.page(owner, Listing::default()).total, 0);
    assert_eq!(world.refusal(owner, Command::Get { id, deleted: true }), Refusal::NotFound);
}

#[test]
fn absent_fields_grant_nothing_and_bad_ones_are_named() {
    let (world, owner) = World::open();
    let check = |json: &str| {
        let form = changes(json);
        let check = ApiUsersCommand::CheckCreation { form, idempotency_key: "i".into() };
        match refusal(&world, owner, check) {
            Refusal::Invalid { errors } => errors
                .into_iter()
                .map(|error| format!("{} {}", error.pointer, error.code))
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let required = ["name", "group", "interfaces", "own_data_only", "expires", "networks"];
    assert_eq!(check("{}"), required.map(|field| format!("#/{field} required")));
    let bad = r#"{"name":"app","group":"root","interfaces":["ftp"],"own_data_only":true,"zone":"Asia/Edo",
        "expires":"soon","networks":"x"}"#;
    assert_eq!(
        check(bad),
        [
            "#/name not_an_address",
            "#/group not_one_of",
            "#/interfaces not_one_of",
            "#/zone unknown_zone",
            "#/expires not_a_time",
            "#/networks word",
        ]
    );
    // C02: other spellings in Unicode are no name.
    for name in ["\u{ff41}pp@example.com", "app@example.com\u{0}", "app\u{200b}@example.com"] {
        let form = serde_json::json!({ "name": name }).to_string();
        assert_eq!(check(&form)[0], "#/name not_an_address", "{name:?}");
    }
    let (_, least) = create_command(&world, r#"{"interfaces":[]}"#);
    let (user, ..) = changed(&world, owner, least);
    assert!(user.limits.permissions.is_empty() && user.limits.interfaces.is_empty());
    assert_eq!(user.zone.name(), "Asia/Tokyo", "that of the account");
}

/// C02, and the same request twice.
#[test]
fn a_name_and_an_idempotency_key_make_one_user() {
    let (world, owner) = World::open();
    let (_, command) = create_command(&world, "{}");
    let user = changed(&world, owner, command.clone()).0;
    match refusal(&world, owner, command) {
        Refusal::ApiUsers(ApiUsersRefusal::AlreadyCreated { user: Some(found) }) => {
            assert_eq!(found.id, user.id);
        }
        other => panic!("{other:?}"),
    }
    let taken = |refusal| match refusal {
        Refusal::Invalid { errors } => errors[0].code == "taken" && errors[0].pointer == "#/name",
        other => panic!("{other:?}"),
    };
    let (_, same) = create_command(&world, r#"{"name":"APP@example.com"}"#);
    assert!(taken(refusal(&world, owner, same.clone())));
    let other = create(&world, owner, r#"{"name":"other@example.com"}"#);
    assert!(taken(refusal(&world, owner, edit(&other, r#"{"name":"app@EXAMPLE.com"}"#, Some(2)))));
    // A deleted user keeps the name.
    changed(&world, owner, delete(&user));
    assert!(taken(refusal(&world, owner, same)));
    assert!(held(&world, "app@example.com").is_some());
    // A key and a user may have the same idempotency key, and an ID is of one of them.
    let (id, third) = create_command(&world, r#"{"name":"third@example.com"}"#);
    let mut issue = world.issue_command("{}");
    let Command::Issue { idempotency_key, .. } = &mut issue else { panic!("{issue:?}") };
    *idempotency_key = format!("i-{id}");
    let key = world.changed(owner, issue.clone()).0.unwrap();
    let mut with_id_of_key = third.clone();
    let ApiUsersCommand::Create { id: taken, .. } = &mut with_id_of_key else { panic!() };
    *taken = key.id;
    assert_eq!(refusal(&world, owner, with_id_of_key), Refusal::IdTaken);
    assert_eq!(changed(&world, owner, third).0.id, id);
    // Each repetition finds its own.
    match world.refusal(owner, issue) {
        Refusal::AlreadyIssued { key: Some(found) } => assert_eq!(found.id, key.id),
        other => panic!("{other:?}"),
    }
}

/// C12 to C15: each change that takes power away states its bound.
#[test]
fn what_narrows_has_a_bound_and_what_widens_has_none() {
    let (world, owner) = World::open();
    let mut user = create(&world, owner, r#"{"view_personal_data":true}"#);
    for (json, secret, narrows) in [
        (r#"{"download_personal_data":true}"#, None, false),
        (r#"{"view_personal_data":false}"#, None, true),
        (r#"{"interfaces":["http"]}"#, None, true),
        (r#"{"interfaces":["http","smtp"]}"#, None, false),
        (r#"{"group":"normal"}"#, None, true),
        (r#"{"group":"admin"}"#, None, false),
        (r#"{"own_data_only":true}"#, None, true),
        (r#"{"own_data_only":false}"#, None, false),
        (r#"{"zone":"UTC"}"#, None, false),
        (r#"{"networks":"203.0.113.0/24"}"#, None, true),
        (r#"{"networks":""}"#, None, false),
        (r#"{"expires":"90d"}"#, None, true),
        (r#"{"expires":"never"}"#, None, false),
        ("{}", Some(2), true),
        (r#"{"name":"next@example.com"}"#, Some(3), true),
    ] {
        world.wait(SECOND);
        let (after, record, bound) = changed(&world, owner, edit(&user, json, secret));
        assert_eq!(bound.is_some(), narrows, "{json}");
        assert!(after.revision > user.revision && record.revision == after.revision, "{json}");
        assert_eq!(world.record(user.id), Some(record));
        user = after;
    }
    assert_eq!((user.name.as_str(), user.secret), ("next@example.com", ApiSecretVersion(3)));
    assert_eq!(held(&world, "app@example.com"), None);
    let (same, _, bound) = changed(&world, owner, edit(&user, r#"{"group":"admin"}"#, None));
    assert_eq!((same.revision, bound), (user.revision, None));
    // A version that does not rise is none, and a name cannot change without one.
    for (json, secret) in [("{}", 3), ("{}", 0), (r#"{"name":"a@example.com"}"#, 3)] {
        let refused = refusal(&world, owner, edit(&user, json, Some(secret)));
        assert_eq!(refused, Refusal::NotUnderstood, "{json}");
    }
    let nameless = edit(&user, r#"{"name":"a@example.com"}"#, None);
    assert_eq!(refusal(&world, owner, nameless), Refusal::NotUnderstood);
}

/// C15.
#[test]
fn a_locked_user_is_a_disabled_record_until_it_is_unlocked() {
    let (world, owner) = World::open();
    let user = create(&world, owner, "{}");
    let (locked, record, bound) = changed(&world, owner, lock(&user, true));
    assert!(bound.is_some() && matches!(record.standing, Standing::Disabled(_)));
    assert_eq!(locked.status(world.now()), ApiUserStatus::Locked);
    // Again, with the revision of before: a lost answer is no conflict.
    let (again, _, bound) = changed(&world, owner, lock(&user, true));
    assert_eq!((again.revision, bound), (locked.revision, None));
    match refusal(&world, owner, lock(&user, false)) {
        Refusal::ApiUsers(ApiUsersRefusal::ChangedMeanwhile { user }) => assert_eq!(*user, locked),
        other => panic!("{other:?}"),
    }
    let (open, record, bound) = changed(&world, owner, lock(&locked, false));
    assert!(bound.is_none() && matches!(record.standing, Standing::Active(_)));
    // A restored user is as locked as it was.
    let (locked, ..) = changed(&world, owner, lock(&open, true));
    let (gone, record, bound) = changed(&world, owner, delete(&locked));
    assert!(bound.is_some() && record.standing == Standing::Deleted);
    let restore = ApiUsersCommand::Restore { id: gone.id, expected: gone.revision };
    let (back, record, bound) = changed(&world, owner, restore.clone());
    assert!(back.locked && bound.is_none() && matches!(record.standing, Standing::Disabled(_)));
    let not_deleted = Refusal::ApiUsers(ApiUsersRefusal::NotDeleted);
    assert_eq!(refusal(&world, owner, restore), not_deleted);
}

/// C16.
#[test]
fn a_deletion_takes_the_password_and_ends_for_good_after_30_days() {
    let (world, owner) = World::open();
    let user = create(&world, owner, r#"{"name":"a/b@example.com"}"#);
    name_effects(&world);
    let wrong = |version, confirmed| ApiUsersCommand::Delete {
        id: user.id,
        expected: user.revision,
        secret_version: SecretVersion(version),
        confirmed,
    };
    for (version, confirmed) in [(0, true), (2, false)] {
        assert_eq!(refusal(&world, owner, wrong(version, confirmed)), Refusal::SignInRefused);
    }
    let (gone, ..) = changed(&world, owner, delete(&user));
    assert_eq!(gone.status(world.now()), ApiUserStatus::Deleted);
    assert_eq!(refusal(&world, owner, delete(&gone)), Refusal::NotFound);
    assert_eq!(refusal(&world, owner, edit(&gone, "{}", None)), Refusal::NotFound);
    world.wait(30 * DAY - 1);
    name_effects(&world);
    assert!(held(&world, "a/b@example.com").is_some());
    world.wait(1);
    let owner = world.sign_in(owner.member);
    let restore = ApiUsersCommand::Restore { id: gone.id, expected: gone.revision };
    assert_eq!(refusal(&world, owner, restore), Refusal::NotFound);
    let left = name_effects(&world);
    assert_eq!((world.count("api_user"), held(&world, "a/b@example.com")), (0, None));
    let [Effect::LeaveApiName { account, id, through, name }] = left.as_slice() else {
        panic!("{left:?}")
    };
    assert_eq!((*account, *id, through.0), (world.account, user.id, 1));
    assert_eq!(name.as_str(), "a/b@example.com");
    // The effect names its task, which so ends.
    assert_eq!(world.count("due WHERE kind = 'leave_api_name'"), 1);
    left.iter().for_each(|effect| world.settle(effect, EffectOutcome::Done));
    assert_eq!(world.count("due WHERE kind = 'leave_api_name'"), 0);
    // The tombstone stays, and the name may be used again.
    assert_eq!(world.record(user.id).map(|record| record.standing), Some(Standing::Deleted));
    assert_eq!(create(&world, owner, r#"{"name":"a/b@example.com"}"#).name, user.name);
}

/// What was committed is confirmed at the name object, however often it changes meanwhile.
#[test]
fn name_objects_learn_the_present_name_and_secret() {
    let (world, owner) = World::open();
    let user = create(&world, owner, "{}");
    let effects = name_effects(&world);
    let [confirm @ Effect::ConfirmApiName(first)] = effects.as_slice() else { panic!() };
    assert_eq!((first.id, first.version.0, first.name.as_str()), (user.id, 1, "app@example.com"));
    // Renamed before the first confirmation is known to have landed.
    let (user, ..) = changed(&world, owner, edit(&user, r#"{"name":"b@example.com"}"#, Some(2)));
    world.settle(confirm, EffectOutcome::Done);
    world.wait(MINUTE);
    let effects = name_effects(&world);
    let confirmed: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ConfirmApiName(one) => Some((one.name.as_str(), one.version.0)),
            _ => None,
        })
        .collect();
    let left: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::LeaveApiName { name, through, .. } => Some((name.as_str(), through.0)),
            _ => None,
        })
        .collect();
    assert_eq!((confirmed, left), (vec![("b@example.com", 2)], vec![("app@example.com", 1)]));
    effects.iter().for_each(|effect| world.settle(effect, EffectOutcome::Done));
    let name_tasks = "due WHERE kind IN ('confirm_api_name', 'leave_api_name')";
    assert_eq!(world.count(name_tasks), 0);
    assert_eq!(
        held(&world, "b@example.com"),
        Some(HeldApiName { id: user.id, version: ApiSecretVersion(2) })
    );
    assert_eq!(held(&world, "nobody@example.com"), None);
}

#[test]
fn rights_by_role_and_proof() {
    let (world, owner) = World::open();
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    let user = create(&world, admin, "{}");
    let restore = ApiUsersCommand::Restore { id: user.id, expected: user.revision };
    let check = ApiUsersCommand::CheckCreation { form: form("{}"), idempotency_key: "i".into() };
    let (id, expected) = (user.id, user.revision);
    let check_edit = ApiUsersCommand::CheckEdit { id, expected, form: changes("{}") };
    let check_deletion = ApiUsersCommand::CheckDeletion { id, expected };
    let proven = [
        create_command(&world, r#"{"name":"b@example.com"}"#).1,
        check,
        check_edit,
        edit(&user, r#"{"group":"normal"}"#, None),
        lock(&user, false),
        restore,
    ];
    let others = [lock(&user, true), delete(&user), check_deletion];
    for command in proven.iter().chain(&others) {
        assert_eq!(refusal(&world, viewer, command.clone()), Refusal::NotPermitted, "{command:?}");
    }
    assert_eq!(names(&page(&world, viewer, ApiUserListing::default())), ["app@example.com"]);
    assert!(matches!(ask(&world, viewer, ApiUsersCommand::Get { id }), ApiUsersReply::User(_)));
    world.wait(11 * MINUTE);
    for command in proven {
        let refused = refusal(&world, admin, command.clone());
        assert_eq!(refused, Refusal::StepUpRequired, "{command:?}");
    }
    // A leak is stopped at once, and a deletion takes the password itself.
    let (locked, ..) = changed(&world, admin, lock(&user, true));
    changed(&world, owner, delete(&locked));
}

#[test]
fn a_list_is_searched_filtered_and_ordered() {
    let (world, owner) = World::open();
    let mut users = Vec::new();
    for (name, more) in [
        ("b@example.com", "{}"),
        ("a.mailer@example.com", r#"{"expires":"1h"}"#),
        ("c@mailer.example.org", r#"{"not_before":"2h"}"#),
        ("d@example.com", "{}"),
        ("e@example.com", "{}"),
    ] {
        world.wait(MINUTE);
        let user = create(&world, owner, more);
        let renamed = edit(&user, &serde_json::json!({ "name": name }).to_string(), Some(2));
        users.push(changed(&world, owner, renamed).0);
    }
    let locked = changed(&world, owner, lock(&users[3], true)).0;
    changed(&world, owner, delete(&users[4]));
    world.wait(HOUR);
    let list = |json: &str| {
        let page = page(&world, owner, serde_json::from_str(json).unwrap());
        let total = page.total;
        (
            page.users.iter().map(|user| user.name.as_str()[..1].to_owned()).collect::<String>(),
            total,
        )
    };
    for (listing, expected) in [
        ("{}", "dcab"),
        (r#"{"sort":"name"}"#, "abcd"),
        (r#"{"sort":"-name"}"#, "dcba"),
        (r#"{"sort":"created"}"#, "bacd"),
        (r#"{"sort":"changed"}"#, "bacd"),
        (r#"{"sort":"-changed"}"#, "dcab"),
        (r#"{"q":"MAILER"}"#, "ca"),
        (r#"{"q":"mailer .com"}"#, "a"),
        (r#"{"q":"%"}"#, ""),
        (r#"{"statuses":["locked"]}"#, "d"),
        (r#"{"statuses":["deleted"]}"#, "e"),
        (r#"{"statuses":["expired"]}"#, "a"),
        (r#"{"statuses":["not_yet_valid"]}"#, "c"),
        (r#"{"statuses":["active"]}"#, "b"),
        (r#"{"statuses":["active","deleted"],"sort":"name"}"#, "be"),
        (r#"{"statuses":["active"],"q":"mailer"}"#, ""),
    ] {
        assert_eq!(list(listing), (expected.to_owned(), expected.len() as u32), "{listing}");
    }
    for sort in ApiUserSort::ALL {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let listing =
                ApiUserListing { sort, cursor, limit: Some(1), ..ApiUserListing::default() };
            let page = page(&world, owner, listing);
            assert_eq!(page.total, 4);
            seen.extend(page.users.into_iter().map(|user| user.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4, "{sort:?}");
    }
    for bad in [r#"{"cursor":"x"}"#, r#"{"q":"0123456789012345678901234567890123456789"}"#] {
        let listing = ApiUsersCommand::List(serde_json::from_str(bad).unwrap());
        assert!(matches!(refusal(&world, owner, listing), Refusal::Invalid { .. }), "{bad}");
    }
    assert_eq!(locked.status(world.now()), ApiUserStatus::Locked);
}

/// C05, C06: the group, as the edge gets it.
#[test]
fn the_group_is_in_the_record() {
    let (world, owner) = World::open();
    let user = create(&world, owner, r#"{"group":"normal"}"#);
    let Some(Record { standing: Standing::Active(credential), .. }) = world.record(user.id) else {
        panic!()
    };
    let in_record = credential.user.unwrap();
    assert_eq!((in_record.group, user.group), (ApiUserGroup::Normal, ApiUserGroup::Normal));
    assert_eq!((credential.member, credential.issued, credential.issuing), (None, None, None));
}

/// What others share with keys: activity has names and changes, and nothing of a secret.
#[test]
fn activity_names_the_user_and_what_changed() {
    let (world, owner) = World::open();
    let user = create(&world, owner, "{}");
    let (user, ..) = changed(&world, owner, edit(&user, r#"{"group":"normal"}"#, Some(2)));
    let (user, ..) = changed(&world, owner, lock(&user, true));
    let activity = |query: serde_json::Value| {
        let query = serde_json::from_value(query).unwrap();
        match world.ask(owner, Command::Activity { query, exports: false }) {
            LedgerReply::Activity(page) => page.entries,
            other => panic!("{other:?}"),
        }
    };
    for query in [serde_json::json!({ "key": user.id }), serde_json::json!({ "q": "app@example" })]
    {
        let entries = activity(query);
        let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["api_user_locked", "api_user_edited", "api_user_created"]);
        assert!(entries.iter().all(|entry| {
            entry.key.as_ref().is_some_and(|key| key.name.as_deref() == Some("app@example.com"))
        }));
        let changed: Vec<_> = entries[1].changes.keys().map(String::as_str).collect();
        assert_eq!(changed, ["api_key_version", "group"]);
    }
    assert_eq!(activity(serde_json::json!({ "action": "api_user_locked" })).len(), 1);
}
