//! Past notices in the list of each member: what is there, for whom, how long, and what is unread.

use claviger_control::ledger::notice_list::{KEPT, PER_MEMBER_MAX};
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::envelope::{FactorChange, Letter};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::member::Role;
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::notice_list::NoticePage;
use claviger_control::protocol::notices::{NoticeChanges, NoticeKind};

use super::{mails, sign_in_from};
use crate::crash::quiet;
use crate::factors::enrol;
use crate::world::{Browser, HOUR, MINUTE, World, member_id, regenerate};

const DAY: i64 = 24 * HOUR;

fn page(world: &World, browser: Browser, cursor: Option<u32>, limit: u32) -> NoticePage {
    let members = MembersCommand::ListNotices { cursor, limit: Some(limit) };
    match world.ask(browser, Command::Members { members }) {
        LedgerReply::NoticePage(page) => page,
        other => panic!("no page: {other:?}"),
    }
}

fn mark_read(world: &World, browser: Browser, until: u32) -> u32 {
    let members = MembersCommand::ReadNotices { until };
    match world.ask(browser, Command::Members { members }) {
        LedgerReply::NoticesRead { unread } => unread,
        other => panic!("not read: {other:?}"),
    }
}

/// The number of unread notices that the session says.
fn unread(world: &World, browser: Browser) -> u32 {
    match world.ask(browser, Command::Show) {
        LedgerReply::Session(view) => view.unread_notices,
        other => panic!("no session: {other:?}"),
    }
}

/// What a letter is about, with the names of its keys.
fn name(letter: &Letter) -> String {
    let json = serde_json::to_value(letter).unwrap();
    let kind = json["letter"].as_str().unwrap().to_owned();
    let lists = ["acts", "issued", "networks", "ends"].map(|list| &json[list]["items"]);
    let found = lists.into_iter().chain([&json["keys"]]).filter_map(|list| list.as_array());
    let mut names: Vec<String> = found
        .flatten()
        .map(|item| {
            let key = if item["key"].is_object() { &item["key"] } else { item };
            let text = key["name"].as_str().or(item["act"].as_str());
            text.unwrap().to_owned()
        })
        .collect();
    names.insert(0, kind);
    names.join(" ")
}

fn names(page: &NoticePage) -> Vec<String> {
    page.notices.iter().map(|notice| name(&notice.letter)).collect()
}

fn all(world: &World, browser: Browser) -> Vec<String> {
    names(&page(world, browser, None, 50))
}

#[test]
fn notices_are_listed_with_their_mail_newest_first_and_each_member_sees_their_own() {
    let (world, owner) = quiet();
    let [admin, viewer] =
        [("admin", b'a'), ("viewer", b'v')].map(|(role, id)| world.join(role, id));
    let none: [&str; 0] = [];
    assert_eq!(all(&world, admin), none);
    let key = world.issue(admin, r#"{"name":"One"}"#);
    world.issue(admin, r#"{"name":"Two"}"#);
    assert_eq!(all(&world, owner), none, "they are collected first");
    world.wait(2 * MINUTE);
    mails(&world);
    assert_eq!(all(&world, owner), ["notices One Two"], "one entry names both");
    world.delete(owner, &key);
    sign_in_from(&world, admin.member, Some("198.51.100.4"), false);
    enrol(&world, admin);
    let role = MembersCommand::ChangeRole {
        member: viewer.member,
        role: Role::Admin,
        expected: Role::Viewer,
    };
    world.ask(owner, Command::Members { members: role });
    assert_eq!(all(&world, owner), ["deletion_notice One", "notices One Two"]);
    assert_eq!(all(&world, admin), ["factors_changed", "new_network", "notices One Two"]);
    assert_eq!(all(&world, viewer), ["role_changed"]);
    let newest = &page(&world, admin, None, 1).notices[0];
    let Letter::FactorsChanged { change, .. } = &newest.letter else { panic!("{newest:?}") };
    assert_eq!(*change, FactorChange::TurnedOn);
    // Each of them is a mail, but for what waits.
    assert_eq!(mails(&world).len(), 4);
    let again = regenerate(&world, &world.issue(owner, r#"{"name":"Three"}"#), "{}");
    world.ask(owner, again);
    world.wait(2 * HOUR);
    mails(&world);
    assert_eq!(all(&world, world.renewed(owner))[0], "notices Three Three");
}

#[test]
fn kinds_that_are_switched_off_are_listed_though_not_mailed() {
    let (world, owner) = quiet();
    let changes = NoticeChanges { key_issued: Some(false), ..NoticeChanges::default() };
    world.ask(owner, Command::Members { members: MembersCommand::EditNotices { changes } });
    world.issue(owner, r#"{"name":"One"}"#);
    world.wait(2 * MINUTE);
    assert_eq!(mails(&world), []);
    assert_eq!(all(&world, owner), ["notices One"]);
    assert_eq!(NoticeKind::ALL.len(), 3);
    // Acts are an entry of their own.
    world.wait(2 * HOUR);
    let owner = world.renewed(owner);
    let query = claviger_control::protocol::activity::Query::default();
    world.ask(owner, Command::Activity { query, exports: true });
    world.issue(owner, r#"{"name":"Two"}"#);
    world.wait(2 * HOUR);
    assert_eq!(mails(&world).len(), 1);
    let owner = world.renewed(owner);
    let listed = ["notices activity_exported", "notices Two", "notices One"];
    assert_eq!(all(&world, owner), listed);
}

/// Notices of sign-ins, one for each network.
fn many(world: &World, networks: std::ops::Range<u32>) {
    for n in networks {
        let address = format!("198.{}.{}.1", 18 + n / 250, n % 250);
        sign_in_from(world, member_id(b'o'), Some(&address), false);
        world.wait(1);
    }
}

#[test]
fn unread_notices_are_counted_until_the_member_has_looked() {
    let (world, owner) = quiet();
    many(&world, 0..3);
    let shown = page(&world, owner, None, 2);
    let marks: Vec<_> = shown.notices.iter().map(|one| (one.number, one.unread)).collect();
    assert_eq!((marks, shown.unread, shown.next), (vec![(3, true), (2, true)], 3, Some(2)));
    assert_eq!(unread(&world, owner), 3);
    // One comes while the member looks.
    many(&world, 3..4);
    let owner = world.renewed(owner);
    assert_eq!(mark_read(&world, owner, 3), 1);
    assert_eq!(unread(&world, owner), 1);
    let marks: Vec<_> =
        page(&world, owner, None, 50).notices.iter().map(|one| one.unread).collect();
    assert_eq!(marks, [true, false, false, false]);
    // An older look, and one at what is not there yet, change nothing for what comes.
    let applies = world.sql.applies();
    assert_eq!(mark_read(&world, owner, 1), 1);
    assert_eq!(world.sql.applies(), applies, "nothing is written");
    assert_eq!(mark_read(&world, owner, u32::MAX), 0);
    many(&world, 4..5);
    let owner = world.renewed(owner);
    assert_eq!(unread(&world, owner), 1);
}

#[test]
fn pages_go_on_where_the_one_before_ended_whatever_comes_meanwhile() {
    let (world, owner) = quiet();
    many(&world, 0..7);
    let owner = world.renewed(owner);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let shown = page(&world, owner, cursor, 3);
        seen.extend(shown.notices.iter().map(|one| one.number));
        let Some(next) = shown.next else { break };
        cursor = Some(next);
        let text = "INSERT INTO member_notice SELECT member, max(number) + 1, at_ms, letter FROM member_notice";
        world.sql.apply(&[Statement::new(text)]).unwrap();
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn notices_are_kept_for_ninety_days_and_bounded_for_each_member() {
    let (world, owner) = quiet();
    let admin = world.join("admin", b'a');
    enrol(&world, admin);
    let all = PER_MEMBER_MAX + 5;
    many(&world, 0..all);
    let of = |id| world.count(&format!("member_notice WHERE member = '{}'", member_id(id)));
    assert_eq!((of(b'o'), of(b'a')), (i64::from(PER_MEMBER_MAX), 1));
    let owner = world.renewed(owner);
    assert_eq!(page(&world, owner, None, 1).notices[0].number, all);
    mark_read(&world, owner, all);
    // The look of each day removes them.
    let kept = i64::try_from(KEPT.as_ms()).unwrap();
    world.wait(kept - DAY);
    mails(&world);
    assert_eq!((of(b'o'), of(b'a')), (i64::from(PER_MEMBER_MAX), 1));
    for _ in 0..3 {
        world.wait(DAY);
        mails(&world);
    }
    assert_eq!((of(b'o'), of(b'a')), (0, 0));
    // Numbers go on, so that what comes is unread.
    many(&world, 0..1);
    let owner = world.renewed(owner);
    let shown = page(&world, owner, None, 50);
    assert_eq!((shown.notices[0].number, shown.unread), (all + 1, 1));
}

#[test]
fn the_notices_of_a_member_end_with_the_membership() {
    let (world, owner) = quiet();
    let admin = world.join("admin", b'a');
    enrol(&world, admin);
    assert_eq!(world.count("member_notice"), 1);
    let members = MembersCommand::Remove { member: admin.member };
    world.ask(owner, Command::Members { members });
    assert_eq!(world.count("member_notice"), 0, "and the mail of the removal is in no list");
}

#[test]
fn a_notice_of_a_later_release_is_left_out_and_ends_no_page() {
    let (world, owner) = quiet();
    many(&world, 0..3);
    let text = r#"UPDATE member_notice SET letter = '{"letter":"of_a_later_release"}' WHERE member = ? AND number = 2"#;
    let later = Statement::new(text).bind(member_id(b'o').as_str());
    world.sql.apply(&[later]).unwrap();
    let shown = page(&world, owner, None, 2);
    assert_eq!((shown.notices.len(), shown.next), (1, Some(2)));
    assert_eq!(page(&world, owner, shown.next, 2).notices[0].number, 1);
}
