//! Databases of earlier releases, which knew one member of a name.

use super::*;

impl World {
    /// A claim of an earlier release, with these staged or confirmed passwords, in order of their
    /// versions.
    fn of_first_release(passwords: &[(&str, bool)]) -> Self {
        let world = Self::new();
        let now = UnixMs::from_ms(START);
        migrate(&world.sql, &MIGRATIONS[..1], now).unwrap();
        let (account, member) = mei();
        let claim = "INSERT INTO claim (one, name, account, member, claimed_at_ms) VALUES (1, 'mei@example.jp', ?, ?, ?)";
        let claim = Statement::new(claim).bind(account.as_str()).bind(member.as_str()).bind(now);
        world.sql.apply(&[claim]).unwrap();
        for (version, (password, confirmed)) in (1_u32..).zip(passwords) {
            let typed = SecretText::new((*password).into());
            let master = world.master.newest();
            let stored = StoredPassword::of(&typed, &[7; 16], master, &world.hash).unwrap();
            let row =
                Statement::new("INSERT INTO password (version, hash, confirmed) VALUES (?, ?, ?)");
            world.sql.apply(&[row.bind(version).bind(stored.as_str()).bind(*confirmed)]).unwrap();
        }
        world
    }
}

#[test]
fn a_confirmed_password_of_an_earlier_release_works_and_can_be_changed() {
    let world = World::of_first_release(&[("first password", true)]);
    assert_eq!(world.verify("wrong password"), NameReply::Refused);
    assert_eq!(world.verify("first password"), matches(mei(), 1));
    assert_eq!(world.claim(mei(), "first password"), claimed(1));
    assert_eq!(world.confirm(mei(), 1), NameReply::Confirmed);
    assert_eq!(world.next(), None, "its ledger has nothing to learn");
    let (account, member) = mei();
    let changed = world.ask(NameRequest::ChangePassword {
        account,
        member,
        password: SecretText::new("first password".into()),
        new_password: SecretText::new("second password".into()),
        address: None,
    });
    assert!(matches!(changed, NameReply::PasswordChanged { accounts: 1, .. }));
    assert!(matches!(world.next(), Some(Effect::TellPassword { .. })));
}

#[test]
fn a_claim_of_an_earlier_release_that_waits_is_asked_for_or_confirmed() {
    for confirms in [false, true] {
        let mut world = World::of_first_release(&[("one", false), ("two", false)]);
        let ask = Task::own(TaskKind::AskHolds).schedule(UnixMs::from_ms(START + 1_000));
        world.sql.apply(&[ask]).unwrap();
        assert!(!world.name().is_spent().unwrap());
        if confirms {
            assert_eq!(world.verify("two"), staged(mei(), 2));
            assert_eq!(world.confirm(mei(), 2), NameReply::Confirmed);
            assert_eq!(world.verify("two"), matches(mei(), 2));
            assert_eq!(world.verify("one"), NameReply::Refused);
        }
        world.now += 1_000;
        let effect = world.next();
        assert_eq!(effect.is_some(), !confirms);
        let Some(effect) = effect else { continue };
        let (account, member) = mei();
        assert_eq!(effect, Effect::AskHolds { account, member, email: "mei@example.jp".into() });
        world.settle(&effect, &EffectOutcome::Answered { held: false });
        assert!(world.name().is_spent().unwrap());
    }
}
