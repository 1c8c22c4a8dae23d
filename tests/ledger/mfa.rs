//! Keys where the policy demands MFA (row S10), and regenerated keys under a policy.

mod status;

use claviger_control::protocol::command::Command;
use claviger_control::protocol::factors::{FactorsCommand, FactorsView, KeysConcerned};
use claviger_control::protocol::keys::KeyView;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::service::ServiceCommand;
use claviger_core::base::id::MemberId;
use claviger_core::base::time::DurationMs;
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::replication::record::{Credential, Standing};
use claviger_core::replication::refresh::{Refresh, RefreshRequest};

use crate::api_users::create_command;
use crate::factors::enrol;
use crate::issuing::{by_api, issuer};
use crate::policy::set;
use crate::service::change_service;
use crate::world::{Browser, HOUR, START, World, regenerate, restore};

const DEMANDED: &str = r#"{"demands_mfa":true}"#;
const NOT_DEMANDED: &str = r#"{"demands_mfa":false}"#;

fn refresh(world: &World) -> Refresh {
    match world.handle(LedgerRequest::Refresh(RefreshRequest::default())).unwrap() {
        LedgerReply::Refreshed(refresh) => refresh,
        other => panic!("no refresh: {other:?}"),
    }
}

fn members_on(world: &World) -> Vec<MemberId> {
    refresh(world).state.unwrap().mfa_on
}

fn credential(world: &World, key: &KeyView) -> Credential {
    match world.record(key.id).unwrap().standing {
        Standing::Active(credential) | Standing::Disabled(credential) => credential,
        Standing::Deleted => panic!("deleted"),
    }
}

fn turn_off(world: &World, browser: Browser) -> Option<KeysConcerned> {
    let factors = FactorsCommand::TurnOffTotp;
    match world.ask(browser, Command::Factors { factors }) {
        LedgerReply::Factors(FactorsView { keys, .. }) => keys,
        other => panic!("not turned off: {other:?}"),
    }
}

#[test]
fn s10_records_name_their_member_only_while_mfa_is_demanded() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    let before = refresh(&world).epoch;
    assert_eq!(credential(&world, &key).member, None);
    set(&world, DEMANDED);
    // No record from before counts any more.
    let during = refresh(&world).epoch;
    assert_ne!(before, during);
    assert_eq!(credential(&world, &key).member, Some(owner.member));
    set(&world, NOT_DEMANDED);
    assert_ne!(refresh(&world).epoch, during);
    assert_eq!(credential(&world, &key).member, None);
    // The same demand again begins nothing.
    let after = refresh(&world).epoch;
    set(&world, NOT_DEMANDED);
    assert_eq!(refresh(&world).epoch, after);
}

#[test]
fn a_member_without_a_factor_creates_no_api_user_where_mfa_is_demanded() {
    let (world, owner) = World::open();
    set(&world, DEMANDED);
    let command = || create_command(&world, "{}").1;
    let refused = world.refusal(owner, Command::ApiUsers { users: command() });
    assert_eq!(refused, Refusal::MfaRequired);
    set(&world, NOT_DEMANDED);
    world.ask(owner, Command::ApiUsers { users: command() });
}

#[test]
fn s10_a_member_is_listed_while_mfa_is_on_and_the_bound_is_stated() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    enrol(&world, admin);
    assert!(members_on(&world).is_empty(), "nothing is demanded");
    assert_eq!(turn_off(&world, admin), None);
    enrol(&world, admin);
    set(&world, DEMANDED);
    assert_eq!(members_on(&world), [admin.member]);
    enrol(&world, owner);
    assert_eq!(members_on(&world), [admin.member, owner.member], "in the order of their IDs");

    let revision = refresh(&world).revision;
    let keys = turn_off(&world, admin).unwrap();
    assert_eq!(keys.revision, revision.next());
    assert!(keys.bound.unwrap().at.as_ms() > START, "{keys:?}");
    let state = refresh(&world).state.unwrap();
    assert_eq!((state.mfa_on, state.revision), (vec![owner.member], keys.revision));
    // An owner's reset counts alike.
    enrol(&world, admin);
    assert_eq!(members_on(&world), [admin.member, owner.member]);
    let factors = FactorsCommand::Reset { member: admin.member };
    world.ask(owner, Command::Factors { factors });
    assert_eq!(members_on(&world), [owner.member]);
}

#[test]
fn s10_keys_of_a_removed_member_stay_as_they_were() {
    let (world, owner) = World::open();
    let [with, without] = [b'a', b'b'].map(|id| world.join("admin", id));
    enrol(&world, with);
    set(&world, DEMANDED);
    for member in [with, without] {
        let members = MembersCommand::Remove { member: member.member };
        world.ask(owner, Command::Members { members });
    }
    assert_eq!(members_on(&world), [with.member]);
}

#[test]
fn s10_an_issuer_issues_only_while_its_member_has_mfa() {
    let (world, owner) = World::open();
    let issuing = issuer(&world, owner, "").1;
    enrol(&world, owner);
    set(&world, DEMANDED);
    let issue = || world.handle(by_api(&world, issuing, HOUR, "[]")).unwrap();
    assert!(!matches!(issue(), LedgerReply::Refused(_)));
    turn_off(&world, owner);
    assert!(matches!(issue(), LedgerReply::Refused(_)));
    enrol(&world, owner);
    assert!(!matches!(issue(), LedgerReply::Refused(_)));
}

#[test]
fn s11_a_pair_is_regenerated_as_the_policy_allows_and_is_one_key() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let old = world.issue(admin, r#"{"expires":"never","viewable":true}"#);
    set(&world, r#"{"preset":"registry","default_life":"30d","longest_life":"30d"}"#);
    let again = |key: &KeyView| regenerate(&world, key, r#"{"overlap":"1d"}"#);
    assert_eq!(world.refusal(admin, again(&old)), Refusal::MfaRequired);
    assert_eq!(world.refusal(owner, again(&old)), Refusal::NotYourKey);
    enrol(&world, admin);
    let LedgerReply::Regenerated { key, replaced, .. } = world.ask(admin, again(&old)) else {
        panic!("not regenerated")
    };
    let longest = Expiry::At(key.created_at.saturating_add(DurationMs::from_days(30)));
    assert_eq!(key.limits.expires, longest, "the old key had no end");
    assert!(!key.viewable);
    // Both live, and count as the one pair that a member may have.
    assert_eq!(
        world.refusal(admin, world.issue_command(r#"{"expires":null}"#)),
        Refusal::KeyPairExists
    );
    let delete = Command::DeleteKey { id: replaced.id, expected: replaced.revision };
    let LedgerReply::Deleted { records, .. } = world.ask(admin, delete) else { panic!() };
    assert_eq!(records.len(), 1);
    let gone = Command::Get { id: replaced.id, deleted: true };
    let LedgerReply::Key(gone) = world.ask(admin, gone) else { panic!("no key") };
    assert!(matches!(world.ask(admin, restore(&gone)), LedgerReply::Changed { .. }));
    // Without its successor, the old key is the pair, and leaves no room for another.
    let delete = Command::DeleteKey { id: key.id, expected: key.revision };
    assert!(matches!(world.ask(admin, delete), LedgerReply::Deleted { .. }));
    assert_eq!(
        world.refusal(admin, world.issue_command(r#"{"expires":null}"#)),
        Refusal::KeyPairExists
    );
    let LedgerReply::Pair(pair) = world.ask(admin, Command::ShowPair) else { panic!("no pair") };
    assert_eq!(pair.key.map(|key| key.id), Some(old.id));
}

/// The service password issues keys that are no member's, and a viewable key may be another's.
#[test]
fn s10_a_member_without_mfa_gets_no_secret_that_gets_round_the_demand() {
    let (world, owner) = World::open();
    let key = world.issue(owner, "{}");
    set(&world, DEMANDED);
    let service = |service| Command::Service { service };
    for command in [
        service(ServiceCommand::Reveal),
        service(change_service(&world, owner)),
        Command::Reveal { id: key.id },
    ] {
        assert_eq!(world.refusal(owner, command), Refusal::MfaRequired);
    }
    world.ask(owner, service(ServiceCommand::Show));
    enrol(&world, owner);
    assert_ne!(world.refusal(owner, Command::Reveal { id: key.id }), Refusal::MfaRequired);
}
