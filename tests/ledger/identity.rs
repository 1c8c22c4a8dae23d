//! Sessions and passwords of persons: the list of sessions, a step-up's new secret, passwords that
//! were changed elsewhere.

use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::Effect;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::envelope::{Envelope, Letter};
use claviger_control::protocol::identity::{NewSession, PasswordNews, ResetMail, SessionEntry};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{AddressVersion, Role, SecretVersion};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::view::SessionView;
use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::replication::record::Epoch;

use crate::crash::quiet;
use crate::invitations::invite;
use crate::world::{Browser, HOUR, MINUTE, World, member_id, step_up};

fn mei() -> Email {
    Email::parse("mei@example.jp").unwrap()
}

fn sessions(world: &World, browser: Browser) -> Vec<SessionEntry> {
    match world.ask(browser, Command::ListSessions) {
        LedgerReply::Sessions { sessions } => sessions,
        other => panic!("no sessions: {other:?}"),
    }
}

fn view(reply: LedgerReply) -> SessionView {
    match reply {
        LedgerReply::Session(view) => view,
        other => panic!("no session: {other:?}"),
    }
}

fn is_signed_in(world: &World, browser: Browser) -> bool {
    matches!(world.ask(browser, Command::Show), LedgerReply::Session(_))
}

/// The reply to a sign-in of the owner with a confirmed password.
fn sign_in(world: &World, version: u32, switches: bool) -> (LedgerReply, Browser) {
    let ((session, proof), member) = (world.draw_session(), member_id(b'o'));
    let request = LedgerRequest::SignIn {
        member,
        email: mei(),
        secret_version: SecretVersion(version),
        session,
        address: Some("203.0.113.7".into()),
        confirmed: true,
        switches,
        address_version: AddressVersion::default(),
    };
    (world.handle(request).unwrap(), Browser { member, proof })
}

fn news(version: u32) -> PasswordNews {
    PasswordNews {
        member: member_id(b'o'),
        email: mei(),
        secret_version: SecretVersion(version),
        at: crate::world::START_TIME,
        address: Some("198.51.100.4".into()),
        is_reset: true,
        mails: true,
    }
}

fn tell(world: &World, news: PasswordNews) -> LedgerReply {
    world.handle(LedgerRequest::PasswordChanged(news)).unwrap()
}

fn mails(world: &World) -> Vec<Envelope> {
    let effects = std::iter::from_fn(|| world.next_effect());
    let mail = |effect| match effect {
        Effect::SendMail { envelope } => Some(*envelope),
        _ => None,
    };
    effects.filter_map(mail).collect()
}

fn stepped_up(world: &World, browser: Browser, version: u32) -> (LedgerReply, Browser) {
    let (session, proof) = world.draw_session();
    let command = Command::StepUp {
        secret_version: SecretVersion(version),
        confirmed: true,
        session: Some(session),
    };
    (world.ask(browser, command), Browser { proof, ..browser })
}

#[test]
fn a_member_sees_their_own_sessions_with_the_latest_first() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    world.wait(MINUTE);
    let second = world.sign_in(owner.member);
    let seen = sessions(&world, owner);
    let ids: Vec<TokenId> = seen.iter().map(|session| session.id).collect();
    assert_eq!(ids, [second.proof.id, owner.proof.id]);
    assert_eq!(seen.iter().map(|session| session.current).collect::<Vec<_>>(), [false, true]);
    assert_eq!(seen[1].agent.as_deref(), Some("Mozilla/5.0"));
    assert_eq!(seen[1].address.as_deref(), Some("203.0.113.7"));
    assert_eq!(sessions(&world, admin).len(), 1);
    // What is over is not listed, though the sweep has not come yet.
    world.wait(HOUR);
    world.ask(second, Command::Show);
    world.wait(HOUR);
    assert_eq!(sessions(&world, second).len(), 1);
}

#[test]
fn the_address_of_the_last_use_is_noted_when_it_changes() {
    let (world, owner) = World::open();
    let from = |address: Option<&str>| {
        let address = address.map(str::to_owned);
        let command = Command::ListSessions;
        match world.handle(LedgerRequest::Console { session: owner.proof, address, command }) {
            Ok(LedgerReply::Sessions { sessions }) => sessions[0].clone(),
            other => panic!("no sessions: {other:?}"),
        }
    };
    from(Some("198.51.100.4"));
    let applies = world.sql.applies();
    let entry = from(Some("198.51.100.4"));
    assert_eq!(entry.address.as_deref(), Some("203.0.113.7"));
    assert_eq!(entry.last_address.as_deref(), Some("198.51.100.4"));
    from(None);
    assert_eq!(world.sql.applies(), applies, "no address is no other one");
}

#[test]
fn a_member_ends_their_own_sessions_and_an_owner_those_of_all() {
    let (world, owner) = World::open();
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    let end = |browser: Browser| Command::EndSession { id: browser.proof.id };
    for (by, of) in [(admin, owner), (admin, viewer), (viewer, admin)] {
        assert_eq!(world.refusal(by, end(of)), Refusal::NotFound);
    }
    let (_, unknown) = world.draw_session();
    assert_eq!(world.refusal(owner, Command::EndSession { id: unknown.id }), Refusal::NotFound);
    let second = world.sign_in(admin.member);
    assert_eq!(world.ask(admin, end(second)), LedgerReply::Done);
    assert!(!is_signed_in(&world, second) && is_signed_in(&world, admin));
    assert_eq!(world.refusal(admin, end(second)), Refusal::NotFound);
    assert_eq!(world.ask(owner, end(viewer)), LedgerReply::Done);
    assert!(!is_signed_in(&world, viewer));
    assert_eq!(world.ask(owner, end(owner)), LedgerReply::Done);
    assert!(!is_signed_in(&world, owner) && is_signed_in(&world, admin));
    assert_eq!(world.count("audit WHERE action = 'end_session'"), 3);
}

#[test]
fn all_other_sessions_of_a_member_end_together_and_need_no_fresh_proof() {
    let (world, owner) = World::open();
    let (admin, second) = (world.join("admin", b'a'), world.sign_in(owner.member));
    world.wait(11 * MINUTE);
    assert_eq!(world.ask(second, Command::EndOtherSessions), LedgerReply::Done);
    assert!(!is_signed_in(&world, owner));
    assert!(is_signed_in(&world, second) && is_signed_in(&world, admin));
}

/// A stolen cookie would otherwise get the fresh proof together with its owner.
#[test]
fn a_step_up_gives_the_session_a_new_secret_and_the_same_end() {
    let (world, owner) = World::open();
    world.wait(HOUR);
    let end = view(world.ask(owner, Command::Show)).expires;
    let (reply, again) = stepped_up(&world, owner, 1);
    assert!(view(reply).step_up_until > world.now());
    assert!(!is_signed_in(&world, owner));
    let seen = sessions(&world, again);
    assert_eq!((seen.len(), seen[0].id), (1, again.proof.id));
    assert_eq!(seen[0].agent.as_deref(), Some("Mozilla/5.0"));
    let mut now = again;
    for _ in 0..10 {
        world.wait(HOUR);
        now = stepped_up(&world, now, 1).1;
    }
    assert!(view(world.ask(now, Command::Show)).expires > end);
    world.wait(HOUR - 1);
    assert!(is_signed_in(&world, now));
    world.wait(1);
    assert!(!is_signed_in(&world, now), "twelve hours after it began");
}

#[test]
fn a_higher_version_of_a_confirmed_password_raises_the_row_and_ends_all_before_it() {
    let (world, owner) = World::open();
    let (admin, second) = (world.join("admin", b'a'), world.sign_in(owner.member));
    let (reply, third) = sign_in(&world, 3, false);
    assert_eq!(view(reply).secret_version, SecretVersion(3));
    assert!(!is_signed_in(&world, owner) && !is_signed_in(&world, second));
    assert!(is_signed_in(&world, third) && is_signed_in(&world, admin));
    assert_eq!(sign_in(&world, 2, false).0, LedgerReply::Refused(Refusal::SignInRefused));
    // At a step-up the session itself goes on.
    let (reply, fourth) = stepped_up(&world, third, 4);
    assert_eq!(view(reply).secret_version, SecretVersion(4));
    assert!(!is_signed_in(&world, third) && is_signed_in(&world, fourth));
    assert_eq!(world.refusal(fourth, step_up(5)), Refusal::SignInRefused, "a staged one");
    assert_eq!(world.count("audit WHERE action = 'change_password'"), 2);
}

#[test]
fn who_switches_accounts_has_no_fresh_proof_here() {
    let (world, _) = World::open();
    let (reply, switched) = sign_in(&world, 1, true);
    assert!(view(reply).step_up_until <= world.now());
    assert_eq!(world.refusal(switched, world.issue_command("{}")), Refusal::StepUpRequired);
    let (_, proven) = stepped_up(&world, switched, 1);
    world.issue(proven, "{}");
}

#[test]
fn news_of_a_changed_password_ends_sessions_and_is_mailed_once() {
    let (world, owner) = quiet();
    assert_eq!(tell(&world, news(2)), LedgerReply::Done);
    assert!(!is_signed_in(&world, owner));
    let (_, again) = sign_in(&world, 2, false);
    assert_eq!(tell(&world, news(2)), LedgerReply::Done, "repeated as if once");
    assert_eq!(tell(&world, news(1)), LedgerReply::Done, "an earlier one changes nothing");
    assert!(is_signed_in(&world, again));
    let mails = mails(&world);
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(mail.to, mei());
    assert!(matches!(&mail.letter, Letter::PasswordChanged { is_reset: true, .. }));
    assert_eq!(
        world.count("audit WHERE action = 'change_password' AND address = '198.51.100.4'"),
        1
    );
}

/// The person has signed in with the new password before the news arrived.
#[test]
fn news_that_comes_after_the_new_password_ends_nothing_and_is_mailed() {
    let (world, _) = quiet();
    let (_, again) = sign_in(&world, 2, false);
    assert_eq!(tell(&world, news(2)), LedgerReply::Done);
    assert!(is_signed_in(&world, again));
    assert_eq!(mails(&world).len(), 1);
    assert_eq!(tell(&world, PasswordNews { mails: false, ..news(3) }), LedgerReply::Done);
    assert_eq!((is_signed_in(&world, again), mails(&world).len()), (false, 0));
}

#[test]
fn a_membership_is_named_to_the_person_who_has_it() {
    let (world, owner) = World::open();
    let ask = |member: MemberId, email: &str| {
        let email = Email::parse(email).unwrap();
        world
            .handle(LedgerRequest::Membership {
                member,
                email,
                address_version: AddressVersion::default(),
            })
            .unwrap()
    };
    let named = LedgerReply::Membership { name: "Example KK".into(), role: Role::Owner };
    assert_eq!(ask(owner.member, "mei@example.jp"), named);
    let not_found = LedgerReply::Refused(Refusal::NotFound);
    assert_eq!(ask(owner.member, "another@example.jp"), not_found);
    assert_eq!(ask(member_id(b'x'), "mei@example.jp"), not_found);
    let stranger = PasswordNews { member: member_id(b'x'), ..news(2) };
    assert_eq!(tell(&world, stranger), not_found);
}

#[test]
fn a_reset_s_code_is_mailed_once_and_while_it_is_of_use() {
    let (world, owner) = quiet();
    let reset = TokenId::parse("0123456789").unwrap();
    let mail = |email| ResetMail {
        member: owner.member,
        email,
        reset,
        until: world.now().saturating_add(claviger_core::base::time::DurationMs::from_s(600)),
        address: None,
        sealed: Ciphertext::from_stored("sealed".into()),
    };
    let ask = |mail| world.handle(LedgerRequest::MailReset(mail)).unwrap();
    let another = Email::parse("another@example.jp").unwrap();
    assert_eq!(ask(mail(another)), LedgerReply::Refused(Refusal::NotFound));
    assert_eq!(ask(mail(mei())), LedgerReply::Done);
    assert_eq!(ask(mail(mei())), LedgerReply::Done, "repeated as if once");
    let mailed = mails(&world);
    assert_eq!(mailed.len(), 1);
    assert!(mailed[0].sealed.is_some() && is_signed_in(&world, owner));
    world.wait(11 * MINUTE);
    assert!(mails(&world).is_empty(), "a code whose time is over is mailed no more");
}

/// A cookie without the password must not live on by switches.
#[test]
fn a_switch_prolongs_no_session() {
    let (world, owner) = World::open();
    world.wait(HOUR);
    let began = view(world.ask(owner, Command::Show)).began;
    let ((session, proof), member) = (world.draw_session(), member_id(b'o'));
    let request = LedgerRequest::SignIn {
        member,
        email: mei(),
        secret_version: SecretVersion(1),
        session: NewSession { began, ..session },
        address: None,
        confirmed: true,
        switches: true,
        address_version: AddressVersion::default(),
    };
    let switched = Browser { member, proof };
    assert_eq!(view(world.handle(request).unwrap()).began, began);
    for _ in 0..10 {
        world.wait(HOUR);
        assert!(is_signed_in(&world, switched));
    }
    world.wait(HOUR);
    assert!(!is_signed_in(&world, switched), "twelve hours after the first one began");
}

/// A bookmark may be from before a member was removed, or a password was changed.
#[test]
fn after_a_restore_everybody_signs_in_again_and_is_invited_again() {
    let (world, owner) = World::open();
    let (_, token) = invite(&world, owner, "ken@example.jp", Role::Admin);
    let restored = LedgerRequest::Restored { epoch: Epoch::new(5) };
    assert_eq!(world.handle(restored.clone()), Ok(LedgerReply::Done));
    assert!(!is_signed_in(&world, owner));
    let again = world.sign_in(owner.member);
    assert_eq!(world.count("member_invitation"), 0, "{token:?}");
    // The directory says it once more if it has no answer.
    assert_eq!(world.handle(restored), Ok(LedgerReply::Done));
    assert!(is_signed_in(&world, again));
}
