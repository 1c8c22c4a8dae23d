//! The status "MFA off" of keys: in lists, on their pages, in filters and totals.

use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::factors::FactorsCommand;
use claviger_control::protocol::key_filter::{KeyFilter, parse_statuses};
use claviger_control::protocol::keys::{
    Deleted, IssuedBy, KeyPage, KeyView, Listing, Sort, Status,
};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::credential::limits::Interface;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::verify::verification::{Demand, Facts, Known, examine};

use super::{DEMANDED, NOT_DEMANDED, refresh, turn_off};
use crate::factors::enrol;
use crate::issuing::{by_api, issuer};
use crate::policy::set;
use crate::world::{Browser, HOUR, World, edit, set_enabled};

const DAY: i64 = 24 * HOUR;
const PRESENT: &str = "active,disabled,mfa_off,not_yet_valid,expired";

fn page(world: &World, browser: Browser, statuses: &str) -> KeyPage {
    let filter = KeyFilter { statuses: parse_statuses(statuses).unwrap(), ..KeyFilter::default() };
    let (sort, deleted) = (Sort::Name, Deleted::Too);
    world.page(browser, Listing { sort, deleted, filter, ..Listing::default() })
}

/// The status of each key by its name, in the order of names: the list, the page of each key, and
/// the filter by each status agree.
fn statuses(world: &World, browser: Browser) -> Vec<(String, Status)> {
    let all = world
        .page(browser, Listing { sort: Sort::Name, deleted: Deleted::Too, ..Listing::default() });
    let now = world.now();
    let shown: Vec<_> = all.keys.iter().map(|key| (key.name.clone(), key.status(now))).collect();
    for key in &all.keys {
        assert_eq!(get(world, browser, key.id), *key);
    }
    for status in Status::ALL {
        let of_status = page(world, browser, status.as_str());
        let names: Vec<_> = of_status.keys.iter().map(|key| key.name.as_str()).collect();
        let expected: Vec<_> =
            shown.iter().filter(|(_, one)| *one == status).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{status:?}");
        let total = u32::try_from(names.len()).unwrap();
        assert_eq!((of_status.total, of_status.total_is_exact), (total, true), "{status:?}");
    }
    shown
}

fn get(world: &World, browser: Browser, id: KeyId) -> KeyView {
    match world.ask(browser, Command::Get { id, deleted: true }) {
        LedgerReply::Key(key) => key,
        other => panic!("no key: {other:?}"),
    }
}

fn of<'a>(found: &'a [(String, Status)], name: &str) -> &'a Status {
    &found.iter().find(|(one, _)| one == name).unwrap().1
}

/// Who stands in the way of a key: name and whether removed.
fn waits_for(key: &KeyView) -> Option<(&str, bool)> {
    key.mfa_off.as_ref().map(|member| (member.name.as_str(), member.removed))
}

/// The status that the verdict of the edge stands for. One of a deleted or ended key tells nothing.
fn verdict(world: &World, key: &KeyView) -> &'static str {
    let state = refresh(world).state.unwrap();
    let record = world.record(key.id);
    let issuer = match &key.issued_by {
        Some(IssuedBy::Key { id, .. }) => world.record(*id),
        Some(IssuedBy::Service) | None => None,
    };
    let known = Known { record: record.as_ref(), issuer: issuer.as_ref(), state: &state };
    let address = ClientAddress::parse("10.0.0.1");
    let facts =
        Facts { address, interface: Interface::Http, demand: Demand::AnyKey, may_change: false };
    examine(key.id, known, &facts, world.now()).map_or_else(|denial| denial.code(), |_| "active")
}

/// A key in each status of the owner, and one of another member who has MFA.
fn one_of_each() -> (World, Browser, MemberId) {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    enrol(&world, admin);
    let issue = |json: &str| world.issue(owner, json);
    issue(r#"{"name":"plain"}"#);
    let off = issue(r#"{"name":"disabled"}"#);
    world.changed(owner, set_enabled(&off, false));
    issue(r#"{"name":"expired","expires":"1d"}"#);
    issue(r#"{"name":"future","not_before":"2090-01-01","expires":"never"}"#);
    let gone = issue(r#"{"name":"gone"}"#);
    world.delete(owner, &gone);
    world.issue(admin, r#"{"name":"theirs"}"#);
    world.issue(admin, r#"{"name":"theirs, expired","expires":"1d"}"#);
    world.issue(admin, r#"{"name":"theirs, later","not_before":"2090-01-01","expires":"never"}"#);
    world.wait(2 * DAY);
    let owner = world.renewed(owner);
    (world, owner, admin.member)
}

#[test]
fn s10_keys_show_mfa_off_by_the_order_of_the_verdicts_while_it_is_demanded() {
    let (world, owner, _) = one_of_each();
    let own = [Status::Active, Status::Disabled, Status::Expired, Status::NotYetValid];
    let names = ["plain", "disabled", "expired", "future"];
    let check = |expected: [Status; 4], when: &str| {
        let found = statuses(&world, owner);
        assert_eq!(names.map(|name| *of(&found, name)), expected, "{when}");
        assert_eq!(*of(&found, "gone"), Status::Deleted, "{when}");
        let others = ["theirs", "theirs, expired", "theirs, later"].map(|name| *of(&found, name));
        assert_eq!(others, [Status::Active, Status::Expired, Status::NotYetValid], "{when}");
        // The first list holds all of them, and its total comes from the counts.
        let first = page(&world, owner, PRESENT);
        assert_eq!((first.keys.len(), first.total, first.hidden), (7, 7, 1), "{when}");
    };
    check(own, "nothing is demanded");
    set(&world, DEMANDED);
    let refused = [Status::MfaOff, Status::Disabled, Status::MfaOff, Status::MfaOff];
    check(refused, "it is demanded");
    // Without the status, those keys are left out, and are not counted as gone.
    let older = page(&world, owner, "active,disabled,not_yet_valid,expired");
    assert_eq!((older.keys.len(), older.total, older.hidden), (4, 4, 1));
    enrol(&world, owner);
    check(own, "it is set up");
    turn_off(&world, owner);
    check(refused, "it is removed");
    set(&world, NOT_DEMANDED);
    check(own, "it is demanded no more");
    let older = page(&world, owner, "active,disabled,not_yet_valid,expired");
    assert_eq!((older.keys.len(), older.total, older.hidden), (7, 7, 1), "no key can have it");
    assert_eq!(page(&world, owner, "mfa_off").total, 0);
}

#[test]
fn s10_a_key_names_the_member_it_waits_for_in_every_answer() {
    let (world, owner, admin) = one_of_each();
    set(&world, DEMANDED);
    let all = page(&world, owner, PRESENT).keys;
    let by_name = |name: &str| all.iter().find(|key| key.name == name).unwrap();
    for name in ["plain", "disabled", "expired", "future"] {
        assert_eq!(waits_for(by_name(name)), Some(("Mei Tanaka", false)), "{name}");
    }
    assert_eq!(waits_for(by_name("theirs")), None);
    // Also the answer to a change of the key, and to one of an older version.
    let key = by_name("plain");
    let (off, ..) = world.changed(owner, set_enabled(key, false));
    let off = off.unwrap();
    assert_eq!((off.status(world.now()), waits_for(&off)), (Status::Disabled, waits_for(key)));
    let stale = world.refusal(owner, edit(key, r#"{"name":"other"}"#));
    let Refusal::ChangedMeanwhile { key } = stale else { panic!("{stale:?}") };
    assert_eq!(waits_for(&key), waits_for(&off));
    let (on, ..) = world.changed(owner, set_enabled(&off, true));
    assert_eq!(on.unwrap().status(world.now()), Status::MfaOff);
    // A removed member turns nothing on again.
    let factors = FactorsCommand::Reset { member: admin };
    world.ask(owner, Command::Factors { factors });
    let theirs = || page(&world, owner, "mfa_off").keys;
    let name = |removed| Some(("Member a", removed));
    assert!(theirs().iter().any(|key| key.name == "theirs" && waits_for(key) == name(false)));
    let members = MembersCommand::Remove { member: admin };
    world.ask(owner, Command::Members { members });
    assert!(theirs().iter().any(|key| key.name == "theirs" && waits_for(key) == name(true)));
}

#[test]
fn s10_keys_that_an_issuer_issued_show_what_it_shows_and_those_of_the_password_are_no_members() {
    let (world, owner) = World::open();
    let (issuing, proof) = issuer(&world, owner, "");
    enrol(&world, owner);
    set(&world, DEMANDED);
    let long = || by_api(&world, proof, 30 * DAY, "[]");
    let LedgerReply::Changed { key: Some(issued), .. } = world.handle(long()).unwrap() else {
        panic!("not issued")
    };
    assert_eq!(issued.status(world.now()), Status::Active);
    turn_off(&world, owner);
    let found = statuses(&world, owner);
    assert_eq!(*of(&found, &issuing.name), Status::MfaOff);
    assert_eq!(*of(&found, &issued.name), Status::MfaOff);
    let shown = get(&world, owner, issued.id);
    assert_eq!(waits_for(&shown), Some(("Mei Tanaka", false)), "the member of its issuer");
    // A key of the service password, written by hand.
    let text = "UPDATE key SET issued_by = 'service', issued_generation = 1 WHERE id = ?";
    world.sql.apply(&[Statement::new(text).bind(issued.id.as_str())]).unwrap();
    assert_eq!(waits_for(&get(&world, owner, issued.id)), None);
    assert_ne!(*of(&statuses(&world, owner), &issued.name), Status::MfaOff);
}

#[test]
fn s10_the_status_of_each_key_is_the_verdict_of_the_edge() {
    let (world, owner, _) = one_of_each();
    let proof = issuer(&world, owner, "").1;
    world.handle(by_api(&world, proof, 30 * DAY, "[]")).unwrap();
    for (policy, has_mfa) in [(NOT_DEMANDED, false), (DEMANDED, false), (DEMANDED, true)] {
        set(&world, policy);
        if has_mfa {
            enrol(&world, owner);
        }
        let keys = page(&world, owner, PRESENT).keys;
        assert_eq!(keys.len(), 9);
        for key in keys {
            let status = key.status(world.now()).as_str();
            assert_eq!(status, verdict(&world, &key), "{} {policy} {has_mfa}", key.name);
        }
    }
}
