//! Refused attempts in the trail, and notices: what is mailed, to whom, how often, and what is not.

mod listed;

use claviger_control::ledger::key_ends::LOOK_PAUSE;
use claviger_control::ledger::networks::{KEY_NETWORKS_MAX, MEMBER_NETWORKS_MAX};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::activity;
use claviger_control::protocol::attempts::{AttemptKind, AttemptsNews, RefusedAttempts};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::envelope::{Envelope, Letter};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::notices::{NoticeChanges, NoticeSettings, UnusualAct};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::refresh::{Caller, RefreshRequest, UsageBatch, Use};

use crate::crash::quiet;
use crate::world::{HOUR, MINUTE, World, member_id, regenerate};
use crate::{factors, policy};

const DAY: i64 = 24 * HOUR;

/// Runs the alarm until nothing is due, and returns the mails that it sent.
fn mails(world: &World) -> Vec<Envelope> {
    let mut mails = Vec::new();
    while let Some(effect) = world.next_effect() {
        if let Effect::SendMail { envelope } = &effect {
            mails.push((**envelope).clone());
        }
        world.settle(&effect, EffectOutcome::Done);
    }
    mails
}

/// The names in each list of a letter with notices: acts, issued keys, networks, ends.
fn lists(envelope: &Envelope) -> [Vec<String>; 4] {
    let Letter::Notices { acts, issued, networks, ends, .. } = &envelope.letter else {
        panic!("{envelope:?}")
    };
    [acts, issued, networks, ends].map(|list| {
        let name = |item: &claviger_control::protocol::notices::NoticeItem| match &item.key {
            Some(key) => key.name.clone(),
            None => format!("{:?}", item.act.unwrap()),
        };
        list.items.iter().map(name).collect()
    })
}

fn report(world: &World, email: &str, count: u64) -> LedgerReply {
    let attempts = vec![RefusedAttempts {
        kind: AttemptKind::SignIn,
        network: Some("198.51.100.0/24".into()),
        count,
        at: world.now(),
    }];
    let (member, email) = (member_id(b'o'), Email::parse(email).unwrap());
    world.handle(LedgerRequest::AttemptsRefused(AttemptsNews { member, email, attempts })).unwrap()
}

#[test]
fn refused_attempts_are_in_the_activity_once_each() {
    let (world, owner) = quiet();
    for count in [1, 1, 10] {
        assert_eq!(report(&world, "mei@example.jp", count), LedgerReply::Done);
    }
    let refused = LedgerReply::Refused(Refusal::NotFound);
    assert_eq!(report(&world, "ken@example.jp", 1), refused, "another address");
    let query = activity::Query {
        action: Some("sign_in_refused".into()),
        member: Some("unproven".into()),
        ..activity::Query::default()
    };
    let LedgerReply::Activity(page) = world.ask(owner, Command::Activity { query, exports: false })
    else {
        panic!()
    };
    let of = |name: &str| -> Vec<String> {
        page.entries.iter().map(|entry| entry.changes[name].to.to_string()).collect()
    };
    assert_eq!(of("attempts"), ["10", "1"]);
    assert_eq!(of("network"), [r#""198.51.100.0/24""#; 2]);
    assert_eq!(of("member_name"), [r#""Mei Tanaka""#; 2]);
    assert_eq!(page.entries[0].by.kind, "unproven");
}

fn sign_in_from(world: &World, member: MemberId, address: Option<&str>, switches: bool) {
    let (session, _) = world.draw_session();
    let email = if member == member_id(b'o') { "mei@example.jp" } else { "a@example.jp" };
    let request = LedgerRequest::SignIn {
        member,
        email: Email::parse(email).unwrap(),
        secret_version: SecretVersion(1),
        session,
        address: address.map(str::to_owned),
        confirmed: true,
        switches,
        address_version: AddressVersion::default(),
    };
    assert!(matches!(world.handle(request), Ok(LedgerReply::Session(_))));
}

fn network_mails(world: &World, address: Option<&str>) -> usize {
    sign_in_from(world, member_id(b'o'), address, false);
    let mails = mails(world);
    let is_it = |mail: &&Envelope| matches!(mail.letter, Letter::NewNetwork { .. });
    mails.iter().filter(is_it).count()
}

#[test]
fn a_sign_in_from_a_new_network_is_mailed_once_in_ninety_days() {
    let (world, _) = quiet();
    for (address, mailed) in [
        (Some("203.0.113.200"), 0),
        (Some("198.51.100.4"), 1),
        (Some("198.51.100.5"), 0),
        (Some("2001:db8:1:2::3"), 1),
        (Some("2001:db8:1:ffff::9"), 0),
        (Some("2001:db8:2::1"), 1),
        (None, 0),
        (Some("no address"), 0),
    ] {
        assert_eq!(network_mails(&world, address), mailed, "{address:?}");
    }
    world.wait(90 * DAY - 1);
    assert_eq!(network_mails(&world, Some("203.0.113.7")), 0);
    world.wait(1);
    assert_eq!(network_mails(&world, Some("198.51.100.4")), 1, "it is forgotten");
}

#[test]
fn a_switch_makes_no_network_known_and_rows_are_bounded() {
    let (world, _) = quiet();
    world.join("admin", b'a');
    assert_eq!(mails(&world), [], "the first network of a member is none");
    let networks = format!("member_sign_in WHERE member = '{}'", member_id(b'a'));
    let first = world.count(&networks);
    for switches in [true, false] {
        for n in 0..80 {
            let address = format!("198.51.{n}.1");
            sign_in_from(&world, member_id(b'a'), Some(&address), switches);
            world.wait(1);
        }
        if switches {
            assert_eq!((mails(&world), world.count(&networks)), (Vec::new(), first));
        }
    }
    assert_eq!(world.count(&networks), i64::from(MEMBER_NETWORKS_MAX));
    assert_eq!(world.count("member_sign_in WHERE network = '198.51.79.0/24'"), 1);
}

/// A person who knows the password alone leaves no trace that would make their network a known one.
#[test]
fn a_challenge_records_no_network_and_its_answer_does() {
    let (world, owner) = quiet();
    factors::enrol(&world, owner);
    mails(&world);
    let elsewhere = || Some("198.51.100.4".to_owned());
    let seen = || world.count("member_sign_in WHERE network = '198.51.100.0/24'");
    let reports = || {
        let is_it = |mail: &&Envelope| matches!(mail.letter, Letter::NewNetwork { .. });
        mails(&world).iter().filter(is_it).count()
    };
    let (mut request, challenge) = factors::sign_in_request(&world, owner, 1, false);
    let LedgerRequest::SignIn { address, .. } = &mut request else { panic!() };
    *address = elsewhere();
    assert!(matches!(world.handle(request), Ok(LedgerReply::Challenged { .. })));
    let answer = |typed| {
        let (mut request, _) = factors::answer(&world, challenge, typed);
        let LedgerRequest::AnswerChallenge(answer) = &mut request else { panic!() };
        answer.address = elsewhere();
        world.handle(request).unwrap()
    };
    assert_eq!(factors::tries_left(answer(factors::wrong())), 4);
    assert_eq!((seen(), reports()), (0, 0));
    assert!(factors::is_session(&answer(factors::totp(&world))));
    assert_eq!((seen(), reports()), (1, 1));
}

#[test]
fn a_regenerated_key_is_mailed_as_a_new_one_unless_the_policy_confirms_it() {
    let (world, owner) = quiet();
    let key = world.issue(owner, r#"{"name": "One"}"#);
    world.wait(2 * HOUR);
    mails(&world);
    let owner = world.sign_in(owner.member);
    let reply = world.ask(owner, regenerate(&world, &key, "{}"));
    let LedgerReply::Regenerated { key, .. } = reply else { panic!("{reply:?}") };
    world.wait(2 * HOUR);
    let sent = mails(&world);
    assert_eq!(sent.len(), 1);
    assert_eq!(lists(&sent[0])[1], ["One"]);

    policy::set(&world, r#"{"mail_on_generation":true}"#);
    let owner = world.sign_in(owner.member);
    world.ask(owner, regenerate(&world, &key, "{}"));
    world.wait(2 * HOUR);
    let sent = mails(&world);
    assert_eq!(sent.len(), 1, "one mail for one act");
    assert!(matches!(sent[0].letter, Letter::KeyGenerated { .. }));
}

#[test]
fn keys_that_members_issue_are_mailed_together_to_owners_and_the_issuer() {
    let (world, owner) = quiet();
    let (admin, _) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    mails(&world);
    for n in 0..30 {
        world.issue(admin, &format!(r#"{{"name": "Key {n}"}}"#));
    }
    let two = |world: &World| -> Vec<String> {
        mails(world)
            .iter()
            .filter(|mail| matches!(mail.letter, Letter::Notices { .. }))
            .map(|mail| mail.to.to_string())
            .collect()
    };
    assert_eq!(two(&world), [""; 0], "they are collected first");
    world.wait(2 * MINUTE);
    let sent = mails(&world);
    let notices: Vec<_> =
        sent.iter().filter(|mail| matches!(mail.letter, Letter::Notices { .. })).collect();
    let mut to: Vec<String> = notices.iter().map(|mail| mail.to.to_string()).collect();
    to.sort();
    assert_eq!(to, ["a@example.jp", "mei@example.jp"]);
    let Letter::Notices { issued, .. } = &notices[0].letter else { panic!() };
    assert_eq!((issued.items.len(), issued.more), (20, 10));
    assert_eq!(lists(notices[0])[1][0], "Key 0");
    assert_eq!(world.count("notice"), 0);

    world.issue(owner, r#"{"name": "Late"}"#);
    world.wait(59 * MINUTE);
    assert_eq!(two(&world), [""; 0], "at most one letter an hour");
    world.wait(MINUTE);
    assert_eq!(two(&world), ["mei@example.jp"]);
}

#[test]
fn a_member_switches_notices_off_and_never_those_of_unusual_acts() {
    let (world, owner) = quiet();
    let members = |members| world.ask(owner, Command::Members { members });
    let all_on = NoticeSettings::ALL_ON;
    assert_eq!(members(MembersCommand::ShowNotices), LedgerReply::Notices { notices: all_on });
    let changes = NoticeChanges { key_issued: Some(false), ..NoticeChanges::default() };
    let off = NoticeSettings { key_issued: false, ..all_on };
    for _ in 0..2 {
        let reply = members(MembersCommand::EditNotices { changes });
        assert_eq!(reply, LedgerReply::Notices { notices: off });
    }
    assert_eq!(world.count("audit WHERE action = 'edit_notices'"), 1);
    world.issue(owner, "{}");
    let query = activity::Query::default();
    world.ask(owner, Command::Activity { query, exports: true });
    world.wait(2 * MINUTE);
    let sent = mails(&world);
    let notices: Vec<_> =
        sent.iter().filter(|mail| matches!(mail.letter, Letter::Notices { .. })).collect();
    assert_eq!(notices.len(), 1);
    let none = Vec::new();
    let acts = vec![format!("{:?}", UnusualAct::ActivityExported)];
    assert_eq!(lists(notices[0]), [acts, none.clone(), none.clone(), none]);
    let changes = NoticeChanges { key_issued: Some(true), ..NoticeChanges::default() };
    members(MembersCommand::EditNotices { changes });
    assert_eq!(world.count("notice_off"), 0);
}

fn use_from(world: &World, key: KeyId, sequence: u64, addresses: &[&str]) {
    let address = |text: &&str| ClientAddress::parse(text).unwrap();
    let caller = |text| Caller { address: address(text), count: 1, last_at: world.now() };
    let one = Use {
        id: key,
        count: addresses.len() as u64,
        denials: 0,
        last_at: world.now(),
        addresses: addresses.iter().map(address).collect(),
        callers: addresses.iter().map(caller).collect(),
        refusals: vec![],
    };
    let usage = Some(UsageBatch { isolate: 1, sequence, uses: vec![one], service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
    world.write_uses().unwrap();
}

fn noted(world: &World) -> i64 {
    world.count("audit WHERE action = 'key_network'")
}

#[test]
fn the_first_use_of_a_key_from_a_new_network_is_noted_once() {
    let (world, owner) = quiet();
    let key = world.issue(owner, r#"{"name": "Build server"}"#).id;
    world.wait(HOUR);
    mails(&world);
    use_from(&world, key, 1, &["203.0.113.7", "192.0.2.1"]);
    assert_eq!(noted(&world), 0, "its first networks are where it belongs");
    use_from(&world, key, 2, &["203.0.113.9", "198.51.100.4"]);
    use_from(&world, key, 3, &["198.51.100.77"]);
    assert_eq!(noted(&world), 1);
    world.wait(2 * HOUR);
    let sent = mails(&world);
    let [mail] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(lists(mail)[2], ["Build server"]);
    let applies = world.sql.applies();
    use_from(&world, key, 4, &["198.51.100.4"]);
    assert_eq!(world.sql.applies(), applies + 1, "with its counts");
    assert_eq!(noted(&world), 1);
}

#[test]
fn a_key_that_is_used_from_everywhere_has_bounded_rows_and_notices() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}").id;
    for n in 0..100 {
        use_from(&world, key, n + 1, &[&format!("198.51.{n}.1")]);
    }
    assert_eq!(world.count("key_caller"), KEY_NETWORKS_MAX as i64);
    assert_eq!(noted(&world), KEY_NETWORKS_MAX as i64 - 1);
    world.wait(3 * HOUR);
    let letters = mails(&world);
    let letters = letters.iter().filter(|mail| matches!(mail.letter, Letter::Notices { .. }));
    assert_eq!(letters.count(), 1);
    // Networks that are silent for long make room.
    world.wait(91 * DAY);
    use_from(&world, key, 200, &["192.0.2.1"]);
    use_from(&world, key, 201, &["192.0.2.1", "203.0.113.7"]);
    assert_eq!(noted(&world), KEY_NETWORKS_MAX as i64 + 1);
    assert_eq!(world.count("key_caller"), 2);
}

#[test]
fn the_first_use_of_a_key_that_was_silent_for_long_is_noted() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}").id;
    use_from(&world, key, 1, &["203.0.113.7"]);
    world.wait(91 * DAY);
    // Otherwise a thief of a key that rests would be its first caller.
    use_from(&world, key, 2, &["198.51.100.4"]);
    assert_eq!(noted(&world), 1);
    // The earlier network counts as new again, once.
    for n in 3..5 {
        use_from(&world, key, n, &["203.0.113.7"]);
        assert_eq!(noted(&world), 2);
    }
}

/// Waits a day at a time, losing the memory each night, and returns on which days the owner had
/// a letter with which ends.
fn ends_by_day(world: &World, days: i64) -> Vec<(i64, Vec<String>)> {
    let mut seen = Vec::new();
    for day in 1..=days {
        for _ in 0..24 {
            world.wait(HOUR);
            for mail in mails(world) {
                if matches!(mail.letter, Letter::Notices { .. })
                    && mail.to.as_str() == "mei@example.jp"
                {
                    let [.., mut ends] = lists(&mail);
                    ends.sort();
                    seen.push((day, ends));
                }
            }
        }
        world.crash();
    }
    seen
}

#[test]
fn each_end_of_a_key_is_noted_three_times_in_one_letter_a_day() {
    let (world, owner) = quiet();
    let off = NoticeChanges { key_issued: Some(false), ..NoticeChanges::default() };
    let command = Command::Members { members: MembersCommand::EditNotices { changes: off } };
    world.ask(owner, command);
    for (name, expires) in [("A", "40d"), ("B", "40d"), ("C", "5d"), ("D", "1h"), ("E", "never")] {
        world.issue(owner, &format!(r#"{{"name": "{name}", "expires": "{expires}"}}"#));
    }
    let both = || vec!["A".to_owned(), "B".to_owned()];
    let seen = ends_by_day(&world, 45);
    let days: Vec<i64> = seen.iter().map(|(day, _)| *day).collect();
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(seen.contains(&(days[0], vec!["C".to_owned()])), "{seen:?}");
    assert_eq!(seen.iter().filter(|(_, names)| *names == both()).count(), 3, "{seen:?}");
    for (day, before_end) in days.iter().skip(1).zip([30, 10, 1]) {
        let left = 40 - day;
        assert!((before_end..=before_end + 1).contains(&left), "{day}: {seen:?}");
    }
}

#[test]
fn a_new_end_is_noted_anew_and_a_disabled_key_is_not() {
    let (world, owner) = quiet();
    let key = world.issue(owner, r#"{"expires": "12d"}"#);
    let other = world.issue(owner, r#"{"expires": "12d"}"#);
    world.ask(owner, crate::world::set_enabled(&other, false));
    let first: Vec<usize> = ends_by_day(&world, 4).into_iter().map(|(_, one)| one.len()).collect();
    assert_eq!(first.iter().sum::<usize>(), 1, "{first:?}");
    let owner = world.sign_in(member_id(b'o'));
    let later = crate::world::edit(&key, r#"{"expires": "20d"}"#);
    world.changed(owner, later);
    let again: usize = ends_by_day(&world, 11).iter().map(|(_, names)| names.len()).sum();
    assert_eq!(again, 1, "its tenth day before the new end");
    assert!(LOOK_PAUSE.as_ms() == DAY.unsigned_abs());
}

#[test]
fn notices_wait_while_mail_is_down_and_are_sent_once() {
    let (world, owner) = quiet();
    world.issue(owner, "{}");
    world.wait(2 * MINUTE);
    let mut tries = 0;
    for _ in 0..5 {
        while let Some(effect) = world.next_effect() {
            let is_mail = matches!(effect, Effect::SendMail { .. });
            tries += usize::from(is_mail);
            world
                .settle(&effect, if is_mail { EffectOutcome::Failed } else { EffectOutcome::Done });
        }
        world.wait(10 * MINUTE);
    }
    assert!(tries >= 5);
    let sent = mails(&world);
    assert_eq!(sent.len(), 1, "{sent:?}");
    world.wait(3 * HOUR);
    assert_eq!(mails(&world), []);
}
