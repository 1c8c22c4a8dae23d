//! What operators do, as far as their own ledger has to do with it; and what the others write down.

use claviger_control::objects::sql::{SqlExt, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::activity::Query;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::operator::OperatorCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::view::{AccountView, Progress, SessionView};
use claviger_core::base::id::AccountId;
use claviger_core::replication::record::Epoch;

use crate::policy::changes as policy;
use crate::world::{Browser, HOUR, MINUTE, World};

fn other() -> AccountId {
    AccountId::parse("zzzzzzzz").unwrap()
}

fn invite(idempotency_key: &str, account: &str) -> Command {
    let account = AccountId::parse(account).unwrap();
    Command::Operate {
        operation: OperatorCommand::Invite { account, idempotency_key: idempotency_key.into() },
    }
}

/// Everything that an operator changes.
fn changes() -> Vec<Command> {
    let account = other();
    let operations = [
        OperatorCommand::Invite { account, idempotency_key: "i-1".into() },
        OperatorCommand::SetState { account, freshness_ms: Some(0), suspended: Some(true) },
        OperatorCommand::SetPolicy { account, changes: policy(r#"{"preset":"registry"}"#) },
        OperatorCommand::Rebuild { account },
        OperatorCommand::BeginRestore { account },
        OperatorCommand::FinishRestore { account },
        OperatorCommand::Withdraw { account: AccountId::parse("yyyyyyyy").unwrap() },
    ];
    operations.map(|operation| Command::Operate { operation }).into()
}

fn look() -> Command {
    Command::Operate { operation: OperatorCommand::Look }
}

fn session(world: &World, browser: Browser) -> SessionView {
    match world.ask(browser, Command::Show) {
        LedgerReply::Session(view) => view,
        other => panic!("no session: {other:?}"),
    }
}

/// An account that an operator invited, and its owner.
fn invited() -> (World, Browser) {
    let world = World::empty();
    let (LedgerRequest::Open(opening), browser) = world.open_request(b'o', 1) else {
        panic!("no opening")
    };
    assert!(matches!(
        world.handle(LedgerRequest::OpenInvited(opening)),
        Ok(LedgerReply::Session(_))
    ));
    (world, browser)
}

#[test]
fn to_members_of_other_accounts_there_are_no_operators_commands() {
    let (world, owner) = invited();
    world.wait(10 * MINUTE);
    for command in changes().into_iter().chain([look()]) {
        assert_eq!(
            world.refusal(owner, command.clone()),
            Refusal::NotFound,
            "before the proof: {command:?}"
        );
    }
    assert!(!session(&world, owner).operator);
    let (first, _) = world.open_request(b'o', 1);
    world.handle(first).unwrap();
    assert!(!session(&world, owner).operator, "nor is it made the first afterwards");
    assert_eq!(world.count("audit WHERE action NOT IN ('open', 'sign_in')"), 0);
}

#[test]
fn only_owners_of_the_first_account_are_operators() {
    let (world, owner) = World::open();
    assert!(session(&world, owner).operator);
    for (role, seed) in [("admin", b'a'), ("viewer", b'v')] {
        let member = world.join(role, seed);
        assert!(!session(&world, member).operator, "{role}");
        for command in changes().into_iter().chain([look()]) {
            assert_eq!(
                world.refusal(member, command.clone()),
                Refusal::NotPermitted,
                "{role}: {command:?}"
            );
        }
    }
}

#[test]
fn a_change_wants_a_fresh_proof_and_a_look_none() {
    let (world, owner) = World::open();
    world.wait(10 * MINUTE);
    for command in changes() {
        assert_eq!(world.refusal(owner, command.clone()), Refusal::StepUpRequired, "{command:?}");
    }
    assert_eq!(world.ask(owner, look()), LedgerReply::Done);
    assert_eq!(world.count("invitation"), 0);
    assert_eq!(world.count("audit WHERE action NOT IN ('open', 'sign_in')"), 0);
}

#[test]
fn what_an_operator_does_is_written_down_with_who_and_to_whom() {
    let (world, owner) = World::open();
    for command in changes() {
        assert_eq!(world.ask(owner, command), LedgerReply::Done);
    }
    let text = "SELECT action || ' ' || member || ' ' || address || ' ' || after FROM audit
        WHERE action NOT IN ('open', 'sign_in') ORDER BY number";
    let written = world.sql.read_all(&Statement::new(text), |mut row| row.text()).unwrap();
    let by = |action: &str, told: &str| format!("{action} ooooooooooo 203.0.113.7 {told}");
    assert_eq!(
        written,
        [
            by("invite_account", r#"{"account":"zzzzzzzz"}"#),
            by("set_account_state", r#"{"account":"zzzzzzzz","freshness_ms":0,"suspended":true}"#),
            by("set_account_policy", r#"{"account":"zzzzzzzz","policy":{"preset":"registry"}}"#),
            by("rebuild_account", r#"{"account":"zzzzzzzz"}"#),
            by("begin_restore", r#"{"account":"zzzzzzzz"}"#),
            by("finish_restore", r#"{"account":"zzzzzzzz"}"#),
            by("withdraw_account", r#"{"account":"yyyyyyyy"}"#),
        ]
    );
    assert_eq!(
        world.count("account WHERE suspended = 0 AND freshness_ms = 10000"),
        1,
        "not its own account"
    );
}

#[test]
fn one_idempotency_key_invites_once_a_day() {
    let (world, owner) = World::open();
    assert_eq!(world.ask(owner, invite("i-1", "zzzzzzzz")), LedgerReply::Done);
    let again = Refusal::AlreadyInvited { account: other() };
    assert_eq!(world.refusal(owner, invite("i-1", "yyyyyyyy")), again);
    assert_eq!(world.ask(owner, invite("i-2", "yyyyyyyy")), LedgerReply::Done);
    assert!(matches!(world.refusal(owner, invite("", "xxxxxxxx")), Refusal::Invalid { .. }));
    world.wait(24 * HOUR);
    let owner = world.renewed(owner);
    assert_eq!(world.ask(owner, invite("i-1", "xxxxxxxx")), LedgerReply::Done);
    assert_eq!(world.count("invitation"), 1, "the others are over");
}

#[test]
fn an_account_writes_down_what_was_done_to_it() {
    let (world, owner) = invited();
    let set = LedgerRequest::SetState { freshness_ms: Some(0), suspended: Some(true) };
    for request in [set, LedgerRequest::Rebuild, LedgerRequest::Restored { epoch: Epoch::new(9) }] {
        for _ in 0..2 {
            world.handle(request.clone()).unwrap();
        }
    }
    for (action, rows) in [("set_state", 1), ("rebuild", 2), ("restore", 1)] {
        let table = format!("audit WHERE member = 'operator' AND action = '{action}'");
        assert_eq!(world.count(&table), rows, "{action}");
    }
    // A restore ends all sessions.
    let view = session(&world, world.sign_in(owner.member)).account;
    assert!(view.suspended);
    let Ok(LedgerReply::Inspected { account, progress, .. }) = world.handle(LedgerRequest::Inspect)
    else {
        panic!("not inspected")
    };
    let AccountView { name, freshness_s, suspended, .. } = account;
    assert_eq!((name.as_str(), freshness_s, suspended), ("Example KK", 0, true));
    let Progress { rebuilding, total, .. } = progress;
    assert_eq!((rebuilding, total), (true, 0));
}

fn by_access(operator: &str, command: Command) -> LedgerRequest {
    let Command::Operate { operation } = command else { panic!("no operation") };
    let operator = Email::parse(operator).unwrap();
    LedgerRequest::OperateByAccess { operator, address: Some("203.0.113.7".into()), operation }
}

#[test]
fn a_person_whom_access_recognised_operates_under_their_address() {
    let (world, owner) = World::open();
    world.wait(HOUR);
    for command in changes().into_iter().chain([look()]) {
        assert_eq!(
            world.handle(by_access("Ann@Example.com", command)).unwrap(),
            LedgerReply::Done,
            "without a session, and without a member's proof"
        );
    }
    let text =
        "SELECT count(*) FROM audit WHERE member = 'ann@example.com' AND address = '203.0.113.7'";
    assert_eq!(world.sql.integer(&Statement::new(text)).unwrap(), 7);
    // The activity shows the address, and finds entries by it.
    let find = |member: &str| {
        let query = Query { member: Some(member.into()), ..Query::default() };
        match world.ask(owner, Command::Activity { query, exports: false }) {
            LedgerReply::Activity(page) => page.entries,
            other => panic!("{other:?}"),
        }
    };
    let found = find("ann@example.com");
    assert_eq!(found.len(), 7);
    let by = &found[0].by;
    assert_eq!(
        (by.kind.as_str(), by.id.as_deref(), by.name.as_deref()),
        ("operator", None, Some("ann@example.com"))
    );
    assert!(find("ben@example.com").is_empty());
    assert!(find("operator").is_empty(), "the account's own operator did nothing here");
}

#[test]
fn access_makes_nobody_an_operator_of_a_customer_s_account() {
    let (world, _) = invited();
    for command in changes().into_iter().chain([look()]) {
        assert_eq!(
            world.handle(by_access("ann@example.com", command)).unwrap(),
            LedgerReply::Refused(Refusal::NotFound)
        );
    }
    assert_eq!(world.count("audit WHERE action NOT IN ('open', 'sign_in')"), 0);
    let empty = World::empty();
    assert_eq!(empty.handle(by_access("ann@example.com", look())).unwrap(), LedgerReply::Gone);
}

#[test]
fn an_idempotency_key_belongs_to_the_person_who_invites() {
    let (world, owner) = World::open();
    let first = by_access("ann@example.com", invite("i-1", "aaaaaaaa"));
    assert_eq!(world.handle(first).unwrap(), LedgerReply::Done);
    let again = by_access("ann@example.com", invite("i-1", "bbbbbbbb"));
    let account = AccountId::parse("aaaaaaaa").unwrap();
    let refused = LedgerReply::Refused(Refusal::AlreadyInvited { account });
    assert_eq!(world.handle(again).unwrap(), refused);
    let another = by_access("ben@example.com", invite("i-1", "cccccccc"));
    assert_eq!(world.handle(another).unwrap(), LedgerReply::Done);
    assert_eq!(world.ask(owner, invite("i-1", "dddddddd")), LedgerReply::Done);
}

#[test]
fn a_withdrawn_account_is_never_invited_again() {
    let (world, owner) = World::open();
    assert_eq!(world.ask(owner, invite("i-1", "aaaaaaaa")), LedgerReply::Done);
    assert_eq!(world.ask(owner, invite("i-2", "bbbbbbbb")), LedgerReply::Done);
    let account = AccountId::parse("aaaaaaaa").unwrap();
    let withdraw = Command::Operate { operation: OperatorCommand::Withdraw { account } };
    assert_eq!(world.ask(owner, withdraw), LedgerReply::Done);
    // A link of the withdrawn account would work again if the same key still led to it.
    assert_eq!(world.ask(owner, invite("i-1", "cccccccc")), LedgerReply::Done);
    let account = AccountId::parse("bbbbbbbb").unwrap();
    assert_eq!(
        world.refusal(owner, invite("i-2", "dddddddd")),
        Refusal::AlreadyInvited { account }
    );
}

#[test]
fn the_directory_learns_the_state_of_an_account_from_its_ledger() {
    let (world, _) = World::open();
    while let Some(effect) = world.next_effect() {
        world.settle(&effect, EffectOutcome::Done);
    }
    let set = |freshness_ms, suspended| {
        let request = LedgerRequest::SetState { freshness_ms, suspended };
        assert!(matches!(world.handle(request), Ok(LedgerReply::State { .. })));
    };
    let told = || {
        world.wait(5_000);
        world.next_effect()
    };
    let told = || match told() {
        Some(Effect::ConfirmAccount { suspended, .. }) => Some(suspended),
        None => None,
        other => panic!("{other:?}"),
    };
    let settle = |suspended| {
        let (account, name) = (world.account, "Example KK".to_owned());
        let effect = Effect::ConfirmAccount { account, name, suspended };
        world.settle(&effect, EffectOutcome::Done);
    };
    set(Some(0), None);
    assert_eq!(told(), None, "the list does not show T");
    set(None, Some(true));
    assert_eq!(told(), Some(true));
    // Resumed while the directory was being told.
    set(None, Some(false));
    assert_eq!(told(), None, "one call at a time");
    settle(true);
    assert_eq!(told(), Some(false));
    settle(false);
    assert_eq!(told(), None);
    // A bookmark may hold another state.
    let restored = LedgerRequest::Restored { epoch: Epoch::new(7) };
    assert_eq!(world.handle(restored).unwrap(), LedgerReply::Done);
    while let Some(effect) = world.next_effect() {
        if matches!(effect, Effect::ConfirmAccount { suspended: false, .. }) {
            return;
        }
        world.settle(&effect, EffectOutcome::Done);
    }
    panic!("the directory is not told");
}
