//! Refused attempts, as ledgers learn of them, and the marks of browsers.

use super::*;
use crate::protocol::attempts::RefusedAttempts;

const MINUTE: i64 = 60_000;

fn of_mei_and_ken() -> World {
    let world = World::new();
    world.claim(mei(), "password");
    world.confirm(mei(), 1);
    world.claim(ken(), "password");
    world.confirm(ken(), 1);
    world
}

impl World {
    /// Settles every effect that is due, and returns the reports by account.
    fn reports(&mut self) -> Vec<(AccountId, Vec<RefusedAttempts>)> {
        self.now += MINUTE;
        let mut reports = Vec::new();
        while let Some(effect) = self.next() {
            if let Effect::TellAttempts { account, news, .. } = &effect {
                reports.push((*account, news.attempts.clone()));
            }
            self.settle(&effect, &EffectOutcome::Done);
        }
        reports
    }

    fn rows(&self) -> i64 {
        let text = "SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM attempt_report)";
        self.sql.integer(&Statement::new(text)).unwrap()
    }
}

fn counts(reports: &[RefusedAttempts]) -> Vec<(AttemptKind, Option<&str>, u64)> {
    reports.iter().map(|one| (one.kind, one.network.as_deref(), one.count)).collect()
}

#[test]
fn a_flood_is_reported_to_each_ledger_in_few_calls_and_rows() {
    let mut world = of_mei_and_ken();
    world.reports();
    for n in 0..2_000 {
        let network = format!("198.51.{}.0/24", n % 200);
        assert_eq!(world.verify_from(&network, "wrong", None), NameReply::Refused);
    }
    assert!(world.rows() < 20, "{}", world.rows());
    let reports = world.reports();
    assert_eq!(reports.iter().map(|(account, _)| *account).collect::<Vec<_>>(), [mei().0, ken().0]);
    let first = (AttemptKind::SignIn, Some("198.51.0.0/24"), 1);
    assert!(reports.iter().all(|(_, one)| counts(one)[0] == first && one.len() < 16));
    let last = (AttemptKind::SignIn, None, 1_000);
    assert!(reports.iter().all(|(_, one)| counts(one).contains(&last)));
    assert_eq!(world.reports(), [], "each report is sent once");
    assert_eq!(world.verify("password"), matches_all(&[mei(), ken()], 1));
}

#[test]
fn a_report_waits_for_its_ledger_and_not_for_others() {
    let mut world = of_mei_and_ken();
    world.reports();
    world.verify("wrong");
    world.now += MINUTE;
    for _ in 0..2 {
        let effect = world.next().unwrap();
        let Effect::TellAttempts { account, .. } = &effect else { panic!("{effect:?}") };
        let is_mei = *account == mei().0;
        world.settle(&effect, if is_mei { &EffectOutcome::Failed } else { &EffectOutcome::Done });
    }
    world.reset_code();
    let reports = world.reports();
    assert_eq!(reports.len(), 2);
    for (account, one) in &reports {
        let own = (AttemptKind::ResetCode, Some("203.0.113.0/24"), 1);
        let earlier = (AttemptKind::SignIn, Some("203.0.113.0/24"), 1);
        let expected = if *account == mei().0 { vec![earlier, own] } else { vec![own] };
        assert_eq!(counts(one), expected);
    }
    world.verify("wrong");
    world.now += 2 * 24 * 60 * MINUTE;
    assert_eq!(world.reports(), [], "after a day it is dropped");
}

impl World {
    fn reset_code(&self) {
        let reply = self.ask(NameRequest::ConfirmReset {
            code: SecretText::new("01234567".into()),
            new_password: SecretText::new("another password".into()),
            address: Some("203.0.113.9".into()),
            browser: None,
        });
        assert_eq!(reply, NameReply::Refused);
    }
}

#[test]
fn each_refusal_has_its_kind() {
    let mut world = of_mei_and_ken();
    world.reports();
    let (account, member) = mei();
    world.claim(mei(), "wrong");
    world.reset_code();
    let change = NameRequest::ChangePassword {
        account,
        member,
        password: SecretText::new("wrong".into()),
        new_password: SecretText::new("another password".into()),
        address: Some("2001:db8::1".into()),
    };
    assert_eq!(world.ask(change), NameReply::Refused);
    let reports = world.reports();
    let expected = [
        (AttemptKind::SignIn, Some("203.0.113.0/24"), 1),
        (AttemptKind::ResetCode, Some("203.0.113.0/24"), 1),
        (AttemptKind::StepUp, Some("2001:db8::/64"), 1),
    ];
    assert!(reports.iter().all(|(_, one)| counts(one) == expected), "{reports:?}");
}

#[test]
fn an_unclaimed_name_and_a_person_without_a_ledger_write_nothing() {
    let world = World::new();
    assert_eq!(world.verify("wrong"), NameReply::Refused);
    assert_eq!(world.sql.applies(), 0);
    world.claim(mei(), "password");
    let applies = world.sql.applies();
    assert_eq!(world.verify("wrong"), NameReply::Refused);
    assert_eq!(world.sql.applies(), applies);
}

#[test]
fn attempts_go_with_the_person() {
    let mut world = World::new();
    world.claim(mei(), "password");
    world.confirm(mei(), 1);
    world.verify("wrong");
    let (account, member) = mei();
    world.ask(NameRequest::Leave { account, member });
    assert_eq!(world.rows(), 0);
    assert_eq!(world.reports(), []);
    assert!(world.name().is_spent().unwrap());
}

#[test]
fn a_mark_counts_for_the_present_password_alone_and_otherwise_costs_no_hash() {
    let world = of_mei_and_ken();
    let network = "203.0.113.0/24";
    let right = matches_all(&[ken(), mei()], 1);
    assert_eq!(world.verify_from(network, "wrong", Some(1)), NameReply::Refused);
    let known = world.verify_from(network, "password", Some(1));
    assert!(matches!(known, NameReply::Matches { .. }), "{known:?} {right:?}");
    world.hash.0.set(0);
    for version in [0, 2] {
        let reply = world.verify_from(network, "password", Some(version));
        assert_eq!(reply, NameReply::BrowserOver, "{version}");
    }
    assert_eq!(world.hash.0.get(), 0);
    let nobody = World::new();
    assert_eq!(nobody.verify_from(network, "password", Some(1)), NameReply::BrowserOver);
    assert_eq!(nobody.sql.applies(), 0);
}
