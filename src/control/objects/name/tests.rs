mod attempts;
mod mailbox;
mod memberships;
mod moving;
mod resets;
mod upgrade;

use std::cell::Cell;

use claviger_core::base::id::{MemberId, TokenId};

use super::*;
use crate::objects::sql::sqlite::Sqlite;
use crate::protocol::effect::EffectOutcome;
use crate::protocol::master::tests::master;
use crate::protocol::member::AddressVersion;

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
        let (name, network) = ("mei@example.jp".into(), Some("203.0.113.0/24".into()));
        self.ask(NameRequest::Claim { name, account, member, password, network })
    }

    fn confirm(&self, (account, member): (AccountId, MemberId), version: u32) -> NameReply {
        self.ask(NameRequest::Confirm { account, member, secret_version: SecretVersion(version) })
    }

    fn verify(&self, password: &str) -> NameReply {
        self.verify_from("203.0.113.0/24", password, None)
    }

    fn verify_from(&self, network: &str, password: &str, browser: Option<u32>) -> NameReply {
        let (password, block) = (SecretText::new(password.into()), Some(network.to_owned()));
        let (attempt, browser) = (AttemptKind::SignIn, browser.map(SecretVersion));
        self.ask(NameRequest::Verify { password, block, counted: true, attempt, browser })
    }

    fn next(&self) -> Option<Effect> {
        self.name().next_effect(UnixMs::from_ms(self.now)).unwrap()
    }

    fn settle(&self, effect: &Effect, outcome: &EffectOutcome) {
        self.name().settle(effect, outcome, UnixMs::from_ms(self.now)).unwrap();
    }
}

fn claimed(version: u32) -> NameReply {
    NameReply::Claimed { secret_version: SecretVersion(version), accounts: 1 }
}

/// The reply to a person's confirmed password; `all` are their memberships in order.
fn matches_all(all: &[(AccountId, MemberId)], version: u32) -> NameReply {
    let memberships: Vec<_> = all
        .iter()
        .map(|(account, member)| Membership { account: *account, member: *member })
        .collect();
    let Membership { account, member } = memberships[0];
    let secret_version = SecretVersion(version);
    let address_version = AddressVersion::default();
    NameReply::Matches {
        account,
        member,
        secret_version,
        confirmed: true,
        memberships,
        address_version,
    }
}

fn matches(one: (AccountId, MemberId), version: u32) -> NameReply {
    matches_all(&[one], version)
}

fn staged((account, member): (AccountId, MemberId), version: u32) -> NameReply {
    let memberships = vec![Membership { account, member }];
    let secret_version = SecretVersion(version);
    let address_version = AddressVersion::default();
    NameReply::Matches {
        account,
        member,
        secret_version,
        confirmed: false,
        memberships,
        address_version,
    }
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
    assert_eq!(world.verify("first password"), matches(mei(), 1));
}

#[test]
fn staged_passwords_stand_side_by_side_until_one_is_confirmed() {
    let world = World::new();
    for (version, password) in (1..).zip(["one", "two", "three", "four"]) {
        assert_eq!(world.claim(mei(), password), claimed(version));
    }
    assert_eq!(world.claim(mei(), "five"), NameReply::Taken, "each costs a hash");
    assert_eq!(world.verify("two"), staged(mei(), 2));
    assert_eq!(world.verify("three"), staged(mei(), 3));
    assert_eq!(world.confirm(mei(), 2), NameReply::Confirmed);
    assert_eq!(world.confirm(mei(), 3), NameReply::NotHeld, "it went when the other was confirmed");
    assert_eq!(world.verify("two"), matches(mei(), 2));
    assert_eq!(world.verify("three"), NameReply::Refused);
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
            matches!(world.next(), Some(Effect::AskHolds { .. })),
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
fn a_claim_with_another_password_has_its_full_time_and_a_new_version() {
    let mut world = World::new();
    assert_eq!(world.claim(mei(), "one"), claimed(1));
    world.now += PENDING_MS as i64 - 1;
    assert_eq!(world.claim(mei(), "two"), claimed(2));
    world.now += PENDING_MS as i64 - 1;
    assert_eq!(world.next(), None);
    let (account, member) = mei();
    world.ask(NameRequest::Release { account, member, secret_version: SecretVersion(1) });
    assert_eq!(world.claim(mei(), "three"), claimed(3), "no version names two passwords");
    assert_eq!((world.verify("two"), world.verify("one")), (staged(mei(), 2), NameReply::Refused));
    assert_eq!(world.claim((account, ken().1), "two"), NameReply::Taken, "of another member");
}

/// The ledger may be opened while its answer of before is on the way.
#[test]
fn an_answer_that_comes_after_the_confirmation_releases_nothing() {
    let mut world = World::new();
    world.claim(mei(), "password");
    world.now += PENDING_MS as i64;
    let effect = world.next().unwrap();
    world.confirm(mei(), 1);
    world.settle(&effect, &EffectOutcome::Answered { held: false });
    assert_eq!(world.verify("password"), matches(mei(), 1));
    assert_eq!(world.name().next_due(), Ok(None));
}

#[test]
fn a_name_that_nobody_has_costs_and_answers_the_same_and_stores_nothing() {
    let world = World::new();
    for tries in 1..=50 {
        assert_eq!(world.verify("password"), NameReply::Refused);
        assert_eq!(world.hash.0.get(), tries);
    }
    assert_eq!(world.sql.applies(), 0);
    assert!(world.name().is_spent().unwrap());
    assert_eq!(world.name().next_due(), Ok(None));
    // As much as a wrong password at a name that somebody has.
    world.claim(mei(), "password");
    world.hash.0.set(0);
    let applies = world.sql.applies();
    assert_eq!(world.verify("wrong"), NameReply::Refused);
    assert_eq!((world.hash.0.get(), world.sql.applies()), (1, applies));
}

#[test]
fn a_try_that_was_not_counted_is_not_looked_at() {
    let world = World::new();
    world.claim(mei(), "password");
    world.hash.0.set(0);
    // As an admin Worker of an earlier release asks.
    let request = serde_json::from_str(r#"{"ask":"verify","password":"password","block":"b"}"#);
    assert_eq!(world.ask(request.unwrap()), NameReply::NotUnderstood);
    assert_eq!(world.hash.0.get(), 0);
}

#[test]
fn counters_of_an_earlier_release_go_with_their_hour() {
    let mut world = World::new();
    let now = UnixMs::from_ms(world.now);
    migrate(&world.sql, MIGRATIONS, now).unwrap();
    let row = Statement::new("INSERT INTO tries (block, since_ms, tries) VALUES ('b', ?, 3)");
    let sweep = Task::own(TaskKind::SweepTries).schedule(UnixMs::from_ms(START + 3_600_000));
    world.sql.apply(&[row.bind(now), sweep]).unwrap();
    assert!(!world.name().is_spent().unwrap());
    world.now += 3_600_000;
    assert_eq!(world.next(), None);
    assert_eq!(world.sql.dump("tries"), "");
    assert!(world.name().is_spent().unwrap());
}

#[test]
fn a_hash_of_an_older_pepper_is_renewed_by_a_right_password() {
    let mut world = World::new();
    let old = r#"[{"id":"a","secret":"Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P"}]"#;
    let both = master();
    world.master = MasterSecrets::parse(old).unwrap();
    world.claim(mei(), "password");
    world.master = both;
    assert_eq!(world.verify("wrong"), NameReply::Refused);
    assert!(world.sql.dump("password").contains("keyid=a"));
    assert_eq!(world.verify("password"), staged(mei(), 1));
    assert!(world.sql.dump("password").contains("keyid=b"));
    world.master = MasterSecrets::parse(
        r#"[{"id":"c","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyF"}]"#,
    )
    .unwrap();
    assert_eq!(world.verify("password"), NameReply::Refused, "its pepper is gone");
}

#[test]
fn no_password_is_stored() {
    let world = World::new();
    world.claim(mei(), "a password to look for");
    world.verify("another one to look for");
    for table in ["claim", "membership", "password", "reset", "tries", "due"] {
        assert!(!world.sql.dump(table).contains("to look for"), "{table}");
    }
}

/// é as one character and as two; in both, blanks that look alike.
const COMPOSED: &str = "caf\u{e9} au lait bitte";
const DECOMPOSED: &str = "cafe\u{301}\u{3000}au\u{a0}lait bitte";

#[test]
fn a_password_set_in_one_form_is_accepted_in_every_other() {
    for (set, typed) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (DECOMPOSED, DECOMPOSED)] {
        let world = World::new();
        assert_eq!(world.claim(mei(), set), claimed(1));
        assert_eq!(world.claim(mei(), typed), claimed(1), "the same password");
        world.confirm(mei(), 1);
        assert_eq!(world.verify(typed), matches(mei(), 1));
        for other in ["cafe au lait bitte", "caf\u{e9} au lait Bitte", "ｃaf\u{e9} au lait bitte"]
        {
            assert_eq!(world.verify(other), NameReply::Refused, "{other}");
        }
    }
}

/// Releases before 0.2.0 hashed what was typed.
#[test]
fn a_password_that_was_hashed_as_typed_is_accepted_as_typed_and_then_in_every_form() {
    let world = World::new();
    world.claim(mei(), "another password");
    world.confirm(mei(), 1);
    let old = SecretText::new(DECOMPOSED.into());
    let old = StoredPassword::of(&old, &[5; 16], world.master.newest(), &world.hash).unwrap();
    let write = Statement::new("UPDATE password SET hash = ?").bind(old.as_str());
    world.sql.apply(&[write]).unwrap();
    assert_eq!(world.verify(COMPOSED), NameReply::Refused, "its form is not known yet");
    assert_eq!(world.verify(DECOMPOSED), matches(mei(), 1));
    assert_eq!(world.verify(COMPOSED), matches(mei(), 1), "it was hashed anew");
    assert_eq!(world.verify(DECOMPOSED), matches(mei(), 1));
}

#[test]
fn the_cost_of_a_refusal_depends_on_what_was_typed_alone() {
    let unclaimed = World::new();
    let claimed = World::new();
    claimed.claim(mei(), COMPOSED);
    claimed.confirm(mei(), 1);
    for (typed, hashes) in [("wrong password", 1), ("wrong\u{3000}password", 2)] {
        for world in [&unclaimed, &claimed] {
            let before = world.hash.0.get();
            assert_eq!(world.verify(typed), NameReply::Refused);
            assert_eq!(world.hash.0.get() - before, hashes, "{typed}");
        }
    }
}

#[test]
fn a_name_is_claimed_once_its_password_is_confirmed_and_asking_stores_nothing() {
    let world = World::new();
    let claimed_now = |world: &World| match world.ask(NameRequest::IsClaimed) {
        NameReply::IsClaimed { claimed } => claimed,
        other => panic!("{other:?}"),
    };
    assert!(!claimed_now(&world));
    assert_eq!(world.sql.applies(), 0);
    world.claim(mei(), "first password");
    assert!(!claimed_now(&world), "an attempt is no person");
    world.confirm(mei(), 1);
    assert!(claimed_now(&world));
}

#[test]
fn a_removed_member_s_claim_is_released_and_another_member_s_stays() {
    let world = World::new();
    let leave = |(account, member)| world.ask(NameRequest::Leave { account, member });
    assert_eq!(leave(mei()), NameReply::NotHeld);
    assert_eq!(world.sql.applies(), 0, "a name that nobody has stores nothing");
    world.claim(mei(), "first password");
    world.confirm(mei(), 1);
    assert_eq!(leave(ken()), NameReply::NotHeld);
    assert_eq!(world.verify("first password"), matches(mei(), 1));
    assert_eq!(leave(mei()), NameReply::NotHeld);
    assert_eq!(leave(mei()), NameReply::NotHeld, "repeated as if once");
    assert_eq!(world.verify("first password"), NameReply::Refused);
    assert_eq!(world.claim(ken(), "another password"), claimed(1));
}
