use std::cell::Cell;

use super::*;
use crate::objects::sql::sqlite::{Fault, Sqlite};
use crate::protocol::effect::EffectOutcome;
use crate::protocol::master::tests::master;

const START: i64 = 1_800_000_000_000;

/// A fast hash for tests that counts its calls.
#[derive(Default)]
struct Quick(Cell<u32>);

impl PasswordHash for Quick {
    fn hash(&self, password: &[u8], salt: &[u8; 16], pepper: &[u8; 32]) -> Option<[u8; 32]> {
        self.0.set(self.0.get() + 1);
        Some(claviger_core::credential::keyring::MacKey::new(pepper).mac(&[salt, password]))
    }
}

struct World {
    sql: Sqlite,
    master: MasterSecrets,
    hash: Quick,
    now: i64,
}

fn mei() -> (AccountId, MemberId) {
    (AccountId::parse("aaaaaaaa").unwrap(), MemberId::parse("mmmmmmmmmmm").unwrap())
}

fn ken() -> (AccountId, MemberId) {
    (AccountId::parse("bbbbbbbb").unwrap(), MemberId::parse("kkkkkkkkkkk").unwrap())
}

impl World {
    fn new() -> Self {
        Self { sql: Sqlite::new(), master: master(), hash: Quick::default(), now: START }
    }

    fn name(&self) -> Name<'_> {
        Name::new(&self.sql, &self.master, &self.hash)
    }

    fn ask(&self, request: NameRequest) -> NameReply {
        self.name().handle(request, UnixMs::from_ms(self.now), &Entropy([9; 32])).unwrap()
    }

    fn claim(&self, (account, member): (AccountId, MemberId), password: &str) -> NameReply {
        let password = SecretText::new(password.into());
        self.ask(NameRequest::Claim { name: "mei@example.jp".into(), account, member, password })
    }

    fn confirm(&self, (account, member): (AccountId, MemberId), version: u32) -> NameReply {
        self.ask(NameRequest::Confirm { account, member, secret_version: SecretVersion(version) })
    }

    fn verify(&self, password: &str, block: &str) -> NameReply {
        let password = SecretText::new(password.into());
        self.ask(NameRequest::Verify { password, block: Some(block.into()) })
    }

    fn next(&self) -> Option<Effect> {
        self.name().next_effect(UnixMs::from_ms(self.now)).unwrap()
    }

    fn settle(&self, effect: &Effect, outcome: &EffectOutcome) {
        self.name().settle(effect, outcome, UnixMs::from_ms(self.now)).unwrap();
    }
}

fn claimed(version: u32) -> NameReply {
    NameReply::Claimed { secret_version: SecretVersion(version) }
}

fn matches((account, member): (AccountId, MemberId), version: u32) -> NameReply {
    NameReply::Matches { account, member, secret_version: SecretVersion(version) }
}

#[test]
fn a_name_belongs_to_whom_claimed_it_first() {
    let world = World::new();
    assert_eq!(world.claim(mei(), "first password"), claimed(1));
    assert_eq!(world.claim(mei(), "first password"), claimed(1), "repeated as if once");
    assert_eq!(world.claim(ken(), "first password"), NameReply::Taken);
    assert_eq!(world.confirm(ken(), 1), NameReply::NotHeld);
    assert_eq!(world.confirm(mei(), 2), NameReply::NotHeld);
    assert_eq!(world.confirm(mei(), 1), NameReply::Confirmed);
    assert_eq!(world.confirm(mei(), 1), NameReply::Confirmed, "repeated as if once");
    assert_eq!(world.claim(mei(), "first password"), claimed(1));
    assert_eq!(
        world.claim(mei(), "second password"),
        NameReply::Taken,
        "a claim changes no confirmed password"
    );
    assert_eq!(world.verify("first password", "b"), matches(mei(), 1));
}

#[test]
fn staged_passwords_stand_side_by_side_until_one_is_confirmed() {
    let world = World::new();
    for (version, password) in (1..).zip(["one", "two", "three", "four"]) {
        assert_eq!(world.claim(mei(), password), claimed(version));
    }
    assert_eq!(world.claim(mei(), "five"), NameReply::Taken, "each costs a hash");
    assert_eq!(world.verify("two", "b"), matches(mei(), 2));
    assert_eq!(world.verify("three", "b"), matches(mei(), 3));
    assert_eq!(world.confirm(mei(), 2), NameReply::Confirmed);
    assert_eq!(world.confirm(mei(), 3), NameReply::NotHeld, "it went when the other was confirmed");
    assert_eq!(world.verify("two", "b"), matches(mei(), 2));
    assert_eq!(world.verify("three", "b"), NameReply::Refused);
}

#[test]
fn a_claim_that_its_ledger_does_not_hold_is_released() {
    for (outcome, released) in [
        (EffectOutcome::Answered { held: false }, true),
        (EffectOutcome::Answered { held: true }, false),
        (EffectOutcome::Failed, false),
    ] {
        let mut world = World::new();
        world.claim(mei(), "password");
        assert_eq!(world.next(), None);
        world.now += PENDING_MS as i64;
        let effect = world.next().unwrap();
        let (account, member) = mei();
        assert_eq!(effect, Effect::AskHolds { account, member, email: "mei@example.jp".into() });
        assert_eq!(world.next(), None, "asked once at a time");
        world.settle(&effect, &outcome);
        assert_eq!(world.claim(ken(), "other") == claimed(1), released, "{outcome:?}");
        world.now += PENDING_MS as i64;
        assert_eq!(
            world.next().is_some(),
            outcome == EffectOutcome::Failed || released,
            "no answer: asked again"
        );
    }
}

#[test]
fn a_claim_is_released_by_its_member_alone_and_only_while_it_is_staged() {
    let world = World::new();
    let release = |(account, member): (AccountId, MemberId), version| {
        let secret_version = SecretVersion(version);
        world.ask(NameRequest::Release { account, member, secret_version })
    };
    assert_eq!(release(mei(), 1), NameReply::NotHeld, "there is nothing to release");
    assert!(world.name().is_spent().unwrap());
    assert_eq!(world.claim(mei(), "one"), claimed(1));
    assert_eq!(world.claim(mei(), "two"), claimed(2));
    release(ken(), 1);
    release(mei(), 1);
    assert_eq!(world.claim(ken(), "other"), NameReply::Taken, "another attempt holds it");
    release(mei(), 2);
    assert!(world.name().is_spent().unwrap(), "neither claim nor task is left");
    assert_eq!(world.claim(ken(), "other"), claimed(1));
    world.confirm(ken(), 1);
    release(ken(), 1);
    assert_eq!(world.claim(mei(), "one"), NameReply::Taken, "a confirmed one stays");
}

#[test]
fn a_claim_that_is_repeated_has_its_full_time_again() {
    let mut world = World::new();
    world.claim(mei(), "password");
    for _ in 0..3 {
        world.now += PENDING_MS as i64 - 1;
        assert_eq!(world.next(), None);
        assert_eq!(world.claim(mei(), "password"), claimed(1));
    }
    world.now += PENDING_MS as i64;
    assert!(world.next().is_some());
}

#[test]
fn tries_of_one_block_are_counted_before_they_are_hashed() {
    let mut world = World::new();
    world.claim(mei(), "password");
    world.hash.0.set(0);
    let end = UnixMs::from_ms(START).saturating_add(BLOCK_TRIES.window);
    for index in 0..1_000 {
        let reply = world.verify("wrong", "203.0.113.0/24");
        let within = index < BLOCK_TRIES.tries_max;
        assert_eq!(
            reply,
            if within { NameReply::Refused } else { NameReply::TooMany { until: end } }
        );
    }
    assert_eq!(world.hash.0.get(), BLOCK_TRIES.tries_max, "a refused try is not hashed");
    assert_eq!(
        world.verify("password", "203.0.113.0/24"),
        NameReply::TooMany { until: end },
        "not even the right one"
    );
    assert_eq!(world.verify("password", "198.51.100.0/24"), matches(mei(), 1));
    world.now = end.as_ms();
    assert_eq!(world.verify("password", "203.0.113.0/24"), matches(mei(), 1));
}

#[test]
fn many_blocks_share_a_budget_that_does_not_shut_the_member_out() {
    let world = World::new();
    world.claim(mei(), "password");
    assert_eq!(world.verify("password", "home"), matches(mei(), 1));
    world.hash.0.set(0);
    for index in 0..1_000 {
        world.verify("wrong", &format!("block {index}"));
    }
    assert_eq!(world.hash.0.get(), NAME_TRIES.tries_max - 1, "the first try at home counted too");
    assert!(matches!(world.verify("password", "elsewhere"), NameReply::TooMany { .. }));
    assert_eq!(world.verify("password", "home"), matches(mei(), 1));
}

#[test]
fn a_block_is_trusted_for_thirty_days_after_its_last_right_password() {
    for (later_ms, is_trusted) in [(TRUST_MS - 1, true), (TRUST_MS, false)] {
        let mut world = World::new();
        world.claim(mei(), "password");
        assert_eq!(world.verify("password", "home"), matches(mei(), 1));
        world.now = START + i64::try_from(later_ms).unwrap();
        for index in 0..NAME_TRIES.tries_max {
            world.verify("wrong", &format!("block {index}"));
        }
        assert_eq!(world.verify("password", "home") == matches(mei(), 1), is_trusted);
    }
}

#[test]
fn a_right_password_starts_its_block_anew() {
    let world = World::new();
    world.claim(mei(), "password");
    for _ in 0..5 {
        for _ in 1..BLOCK_TRIES.tries_max {
            assert_eq!(world.verify("wrong", "b"), NameReply::Refused);
        }
        assert_eq!(world.verify("password", "b"), matches(mei(), 1));
    }
}

#[test]
fn a_name_that_nobody_has_costs_and_answers_the_same_and_leaves_nothing() {
    let mut world = World::new();
    for index in 0..50 {
        let reply = world.verify("password", "b");
        let within = index < BLOCK_TRIES.tries_max;
        assert_eq!(reply == NameReply::Refused, within);
    }
    assert_eq!(world.hash.0.get(), BLOCK_TRIES.tries_max);
    assert!(!world.name().is_spent().unwrap());
    world.now += NAME_TRIES.window.as_ms() as i64;
    assert_eq!(world.next(), None);
    assert!(world.name().is_spent().unwrap());
}

#[test]
fn the_alarm_rings_when_something_is_over_and_not_each_hour_of_a_month() {
    let mut world = World::new();
    world.claim(mei(), "password");
    world.confirm(mei(), 1);
    assert_eq!(world.verify("password", "b"), matches(mei(), 1));
    let (mut rings, begin) = (0, world.now);
    while let Some(due) = world.name().next_due().unwrap() {
        world.now = due.as_ms();
        rings += 1;
        assert_eq!(world.next(), None);
    }
    assert_eq!(
        (rings, world.now - begin),
        (2, TRUST_MS as i64),
        "when the hour is over, and when the trust is"
    );
    assert_eq!(world.sql.dump("tries"), "");
    assert!(!world.name().is_spent().unwrap(), "the name is still had");

    // What is over sooner does not wait for what is over later.
    assert_eq!(world.verify("password", "b"), matches(mei(), 1));
    world.now += NAME_TRIES.window.as_ms() as i64;
    assert_eq!(world.next(), None);
    assert_eq!(world.verify("wrong", "c"), NameReply::Refused);
    world.now = world.name().next_due().unwrap().unwrap().as_ms();
    assert_eq!(world.next(), None);
    assert_eq!(world.sql.dump("tries").lines().count(), 1, "the block with the right password");
}

#[test]
fn a_hash_of_an_older_pepper_is_renewed_by_a_right_password() {
    let mut world = World::new();
    let old = r#"[{"id":"a","secret":"Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P"}]"#;
    let both = master();
    world.master = MasterSecrets::parse(old).unwrap();
    world.claim(mei(), "password");
    world.master = both;
    assert_eq!(world.verify("wrong", "b"), NameReply::Refused);
    assert!(world.sql.dump("password").contains("keyid=a"));
    assert_eq!(world.verify("password", "b"), matches(mei(), 1));
    assert!(world.sql.dump("password").contains("keyid=b"));
    world.master = MasterSecrets::parse(
        r#"[{"id":"c","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyF"}]"#,
    )
    .unwrap();
    assert_eq!(world.verify("password", "b"), NameReply::Refused, "its pepper is gone");
}

#[test]
fn a_write_that_fails_lets_nobody_try_for_free() {
    let world = World::new();
    world.claim(mei(), "password");
    for fault in [Fault::BeforeItLands, Fault::ReplyLost] {
        world.hash.0.set(0);
        world.sql.break_apply(1, fault);
        let password = SecretText::new("password".into());
        let request = NameRequest::Verify { password, block: None };
        assert!(world.name().handle(request, UnixMs::from_ms(START), &Entropy([0; 32])).is_err());
        assert_eq!(world.hash.0.get(), 0);
    }
}

#[test]
fn no_password_is_stored() {
    let world = World::new();
    world.claim(mei(), "a password to look for");
    world.verify("another one to look for", "b");
    for table in ["claim", "password", "tries", "due"] {
        assert!(!world.sql.dump(table).contains("to look for"), "{table}");
    }
}
