//! A person with several accounts, and changes of their password.

use super::*;

fn of((account, member): (AccountId, MemberId)) -> Membership {
    Membership { account, member }
}

/// Ken's membership, as a second one of Mei's.
fn second() -> (AccountId, MemberId) {
    ken()
}

impl World {
    /// Mei, with a confirmed password.
    fn of_mei() -> Self {
        let world = Self::new();
        world.claim(mei(), "first password");
        world.confirm(mei(), 1);
        world
    }

    /// Mei, with two confirmed memberships.
    fn of_two() -> Self {
        let world = Self::of_mei();
        world.claim(second(), "first password");
        world.confirm(second(), 1);
        world
    }

    fn change(&self, (account, member): (AccountId, MemberId), old: &str, new: &str) -> NameReply {
        self.ask(NameRequest::ChangePassword {
            account,
            member,
            password: SecretText::new(old.into()),
            new_password: SecretText::new(new.into()),
            address: Some("203.0.113.7".into()),
        })
    }

    fn list(
        &self,
        one: (AccountId, MemberId),
        version: u32,
        opens: Option<AccountId>,
    ) -> NameReply {
        let ((account, member), secret_version) = (one, SecretVersion(version));
        self.ask(NameRequest::Memberships { account, member, secret_version, opens })
    }

    fn leave(&self, (account, member): (AccountId, MemberId)) {
        assert_eq!(self.ask(NameRequest::Leave { account, member }), NameReply::NotHeld);
    }

    /// Takes all effects that are due, and reports each as done.
    fn told(&self) -> Vec<(AccountId, PasswordNews)> {
        let mut told = Vec::new();
        while let Some(effect) = self.next() {
            self.settle(&effect, &EffectOutcome::Done);
            let Effect::TellPassword { account, news } = effect else { panic!("{effect:?}") };
            told.push((account, news));
        }
        told
    }
}

fn changed(version: u32, accounts: u32) -> NameReply {
    NameReply::PasswordChanged { secret_version: SecretVersion(version), accounts }
}

#[test]
fn the_right_password_adds_a_membership_and_no_other_does() {
    let world = World::of_mei();
    assert_eq!(world.claim(second(), "another password"), NameReply::Taken);
    let joined = NameReply::Claimed { secret_version: SecretVersion(1), accounts: 2 };
    assert_eq!(world.claim(second(), "first password"), joined);
    assert_eq!(world.claim(second(), "first password"), joined, "repeated as if once");
    assert_eq!(world.claim(second(), "another password"), NameReply::Taken, "nothing is staged");
    assert_eq!(world.confirm(second(), 2), NameReply::NotHeld);
    assert_eq!(world.confirm(second(), 1), NameReply::Confirmed);
    assert_eq!(world.verify("first password"), matches_all(&[mei(), second()], 1));
    assert_eq!(world.next(), None, "no ledger has anything to learn");
}

#[test]
fn a_claim_of_a_second_account_costs_what_a_sign_in_does() {
    let world = World::of_mei();
    world.hash.0.set(0);
    world.claim(second(), "another password");
    assert_eq!(world.hash.0.replace(0), 1);
    world.verify("another password");
    assert_eq!(world.hash.0.get(), 1);
}

#[test]
fn a_second_claim_is_released_alone_whatever_its_ledger_says() {
    for outcome in [EffectOutcome::Answered { held: false }, EffectOutcome::Answered { held: true }]
    {
        let mut world = World::of_mei();
        world.claim(second(), "first password");
        world.now += PENDING_MS as i64;
        let effect = world.next().unwrap();
        let (account, member) = second();
        assert_eq!(effect, Effect::AskHolds { account, member, email: "mei@example.jp".into() });
        world.settle(&effect, &outcome);
        let all = [mei(), second()];
        let left = if outcome == (EffectOutcome::Answered { held: true }) { 2 } else { 1 };
        assert_eq!(world.verify("first password"), matches_all(&all[..left], 1), "{outcome:?}");
        assert_eq!(world.next(), None);
    }
    let world = World::of_mei();
    let release = |(account, member): (AccountId, MemberId), version| {
        let secret_version = SecretVersion(version);
        world.ask(NameRequest::Release { account, member, secret_version })
    };
    world.claim(second(), "first password");
    release(second(), 2);
    assert_eq!(world.verify("first password"), matches_all(&[mei(), second()], 1));
    release(second(), 1);
    assert_eq!(world.verify("first password"), matches(mei(), 1));
    release(mei(), 1);
    assert_eq!(world.verify("first password"), matches(mei(), 1), "a confirmed one stays");
}

#[test]
fn the_account_that_was_chosen_last_comes_first() {
    let mut world = World::of_two();
    let listed = |all: &[(AccountId, MemberId)]| NameReply::Memberships {
        memberships: all.iter().copied().map(of).collect(),
        address_version: AddressVersion::default(),
    };
    assert_eq!(world.list(mei(), 1, None), listed(&[mei(), second()]));
    world.now += 1;
    assert_eq!(world.list(mei(), 1, Some(second().0)), listed(&[mei(), second()]));
    assert_eq!(world.verify("first password"), matches_all(&[second(), mei()], 1));
    assert_eq!(world.list(second(), 1, Some(mei().0)), listed(&[second(), mei()]), "at once");
    assert_eq!(world.verify("first password"), matches_all(&[mei(), second()], 1));
}

/// A session that began before a change must open no other account.
#[test]
fn memberships_are_listed_to_the_present_version_of_a_member_alone() {
    let world = World::of_two();
    let (account, _) = mei();
    let (_, stranger) = second();
    assert_eq!(world.list((account, stranger), 1, None), NameReply::NotHeld);
    assert_eq!(world.list(mei(), 0, None), NameReply::NotHeld);
    world.change(mei(), "first password", "second password");
    assert_eq!(world.list(mei(), 1, Some(second().0)), NameReply::NotHeld);
    assert!(matches!(world.list(mei(), 2, None), NameReply::Memberships { .. }));
}

#[test]
fn a_change_takes_the_present_password_and_tells_every_ledger_once() {
    let mut world = World::of_two();
    assert_eq!(world.change(mei(), "wrong password", "second password"), NameReply::Refused);
    let (account, _) = mei();
    let (_, stranger) = second();
    let foreign = world.change((account, stranger), "first password", "second password");
    assert_eq!(foreign, NameReply::NotHeld);
    assert_eq!(world.change(mei(), "first password", "second password"), changed(2, 2));
    assert_eq!(world.verify("first password"), NameReply::Refused);
    assert_eq!(world.verify("second password"), matches_all(&[mei(), second()], 2));
    let at = UnixMs::from_ms(world.now);
    let news = |(account, member), mails| {
        let email = Email::parse("mei@example.jp").unwrap();
        let address = Some("203.0.113.7".to_owned());
        let secret_version = SecretVersion(2);
        let news =
            PasswordNews { member, email, secret_version, at, address, is_reset: false, mails };
        (account, news)
    };
    world.now += 5;
    assert_eq!(world.told(), [news(mei(), true), news(second(), false)]);
    world.now += 3_600_000;
    assert!(!matches!(world.next(), Some(Effect::TellPassword { .. })), "each was told");
}

#[test]
fn a_ledger_out_of_reach_is_told_until_it_acknowledges_the_newest_version() {
    let mut world = World::of_mei();
    world.change(mei(), "first password", "second password");
    let first = world.next().unwrap();
    world.settle(&first, &EffectOutcome::Failed);
    world.now += 1_000;
    let again = world.next().unwrap();
    assert_eq!(again, first);
    // Changed once more while the news is on its way.
    world.change(mei(), "second password", "third password");
    world.settle(&again, &EffectOutcome::Done);
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1.secret_version, SecretVersion(3));
    world.now += 3_600_000;
    assert_eq!(world.next(), None);
    // A ledger that does not hold the member any more has nothing to learn.
    world.change(mei(), "third password", "fourth password");
    let effect = world.next().unwrap();
    world.settle(&effect, &EffectOutcome::Answered { held: false });
    world.now += 3_600_000;
    assert_eq!(world.next(), None);
}

/// The ledger opens the account with the version that the claim gave. If the password is changed
/// meanwhile, it learns so after it has confirmed the claim.
#[test]
fn a_ledger_that_confirms_an_earlier_version_is_told_of_the_present_one() {
    let mut world = World::of_mei();
    world.claim(second(), "first password");
    world.change(mei(), "first password", "second password");
    assert_eq!(world.told().len(), 1, "an unconfirmed membership is not told");
    let (account, member) = second();
    let secret_version = SecretVersion(2);
    world.ask(NameRequest::Release { account, member, secret_version });
    assert_eq!(
        world.confirm(second(), 1),
        NameReply::Confirmed,
        "a later attempt released nothing"
    );
    let told = world.told();
    assert_eq!((told[0].0, told[0].1.secret_version), (second().0, SecretVersion(2)));
    world.now += 3_600_000;
    assert_eq!(world.next(), None);
}

#[test]
fn a_password_that_waits_for_its_ledger_is_not_changed() {
    let world = World::new();
    world.claim(mei(), "first password");
    assert_eq!(world.change(mei(), "wrong password", "next"), NameReply::Refused);
    assert_eq!(world.change(mei(), "first password", "next"), NameReply::NotHeld);
    assert_eq!(world.verify("first password"), staged(mei(), 1));
    let unclaimed = World::new();
    assert_eq!(unclaimed.change(mei(), "first password", "next"), NameReply::Refused);
    assert_eq!((unclaimed.hash.0.get(), unclaimed.sql.applies()), (1, 0));
}

#[test]
fn a_membership_ends_alone_and_the_last_one_with_the_name() {
    let world = World::of_two();
    world.change(mei(), "first password", "second password");
    world.leave(mei());
    world.leave(mei());
    assert_eq!(world.verify("second password"), matches(second(), 2));
    assert_eq!(world.told().len(), 1, "the other ledger alone");
    world.leave(second());
    assert_eq!(world.verify("second password"), NameReply::Refused);
    assert!(world.name().is_spent().unwrap());
    for table in ["claim", "membership", "password", "reset", "due"] {
        assert_eq!(world.sql.dump(table), "", "{table}");
    }
    assert_eq!(world.claim(ken(), "other"), claimed(1), "the name is free");
}

#[test]
fn a_person_has_a_bounded_number_of_memberships() {
    let world = World::of_mei();
    let member = |n: usize| {
        let account = AccountId::parse(&format!("{n:08}")).unwrap();
        (account, MemberId::parse(&format!("{n:011}")).unwrap())
    };
    for n in 1..MEMBERSHIPS_MAX {
        assert!(matches!(world.claim(member(n), "first password"), NameReply::Claimed { .. }));
    }
    assert_eq!(world.claim(member(MEMBERSHIPS_MAX), "first password"), NameReply::Taken);
}
