//! Challenges: sign-ins that wait for a second factor, what ends them, and that no way in passes by
//! them.

use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::factors::FactorsCommand;
use claviger_control::protocol::identity::{NewSession, PasswordNews};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, SessionProof};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::secret::Digest;

use crate::factors::{
    STEP, answered, challenge, enrol, factors, is_session, over, sign_in_request, totp, wrong,
};
use crate::world::{Browser, HOUR, MINUTE, START, World};

#[test]
fn who_lacks_the_password_cannot_spend_the_budget() {
    let (world, owner) = World::open();
    enrol(&world, owner);
    let open = challenge(&world, owner);
    for _ in 0..40 {
        // An ID without its secret, and one that was never drawn.
        let guessed = SessionProof { digest: Digest::of(b"guess"), ..open };
        assert!(over(&answered(&world, guessed, wrong())));
        assert!(over(&answered(&world, world.draw_session().1, wrong())));
    }
    assert_eq!(world.count("factor_try"), 0);
    assert!(is_session(&answered(&world, open, totp(&world))));
    assert!(over(&answered(&world, open, totp(&world))), "it works once");
}

#[test]
fn a_challenge_ends_with_time_password_removal_and_the_factor() {
    type End = fn(&World, Browser, Browser);
    let ends: [(&str, End); 7] = [
        ("time", |world, _, _| world.wait(5 * MINUTE)),
        ("another password", |world, _, member| {
            let news = PasswordNews {
                member: member.member,
                email: Email::parse("a@example.jp").unwrap(),
                secret_version: SecretVersion(2),
                at: world.now(),
                address: None,
                is_reset: true,
                mails: false,
            };
            world.handle(LedgerRequest::PasswordChanged(news)).unwrap();
        }),
        ("removal", |world, owner, member| {
            let members = MembersCommand::Remove { member: member.member };
            world.ask(owner, Command::Members { members });
        }),
        ("the end of all sessions by an owner", |world, owner, member| {
            let members = MembersCommand::EndSessions { member: member.member };
            world.ask(owner, Command::Members { members });
        }),
        ("the end of other sessions", |world, _, member| {
            world.ask(member, Command::EndOtherSessions);
        }),
        ("turning off", |world, _, member| {
            world.ask(member, factors(FactorsCommand::TurnOffTotp));
        }),
        ("a reset", |world, owner, member| {
            world.ask(owner, factors(FactorsCommand::Reset { member: member.member }));
        }),
    ];
    for (name, end) in ends {
        let (world, owner) = World::open();
        let member = world.join("admin", b'a');
        enrol(&world, member);
        let open = challenge(&world, member);
        end(&world, owner, member);
        assert!(over(&answered(&world, open, totp(&world))), "{name}");
    }
    // A challenge of an earlier version of the password is over, too, if the row stays.
    let (world, owner) = World::open();
    enrol(&world, owner);
    let open = challenge(&world, owner);
    world.sql.apply(&[Statement::new("UPDATE member SET secret_version = 2")]).unwrap();
    assert!(over(&answered(&world, open, totp(&world))));
}

#[test]
fn a_member_has_five_open_challenges_and_the_oldest_ends() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    enrol(&world, owner);
    enrol(&world, admin);
    let of_admin = challenge(&world, admin);
    let all: Vec<SessionProof> = (0..6)
        .map(|_| {
            world.wait(1);
            challenge(&world, owner)
        })
        .collect();
    assert!(over(&answered(&world, all[0], totp(&world))));
    assert!(is_session(&answered(&world, all[1], totp(&world))));
    world.wait(STEP);
    assert!(is_session(&answered(&world, of_admin, totp(&world))));
}

#[test]
fn a_challenge_is_no_session() {
    let (world, owner) = World::open();
    enrol(&world, owner);
    let open = challenge(&world, owner);
    let as_session = Browser { proof: open, ..owner };
    for command in [Command::Show, Command::SignOut, factors(FactorsCommand::Show)] {
        assert_eq!(world.refusal(as_session, command), Refusal::NotSignedIn);
    }
    // Nor is a session a challenge.
    assert!(over(&answered(&world, owner.proof, totp(&world))));
}

#[test]
fn no_way_in_passes_by_the_factor() {
    let (world, owner) = World::open();
    enrol(&world, owner);
    // Another of the person's accounts, whose session has no factor; it keeps its beginning.
    let (request, open) = sign_in_request(&world, owner, 1, true);
    let LedgerRequest::SignIn { member, email, secret_version, session, .. } = request.clone()
    else {
        panic!()
    };
    let began = Some(claviger_core::base::time::UnixMs::from_ms(START - HOUR));
    let switch = LedgerRequest::SignIn {
        member,
        email: email.clone(),
        secret_version,
        session: NewSession { began, ..session.clone() },
        address: None,
        confirmed: true,
        switches: true,
        address_version: AddressVersion::default(),
    };
    assert!(matches!(world.handle(switch), Ok(LedgerReply::Challenged { .. })));
    let LedgerReply::Session(view) = answered(&world, open, totp(&world)) else { panic!() };
    assert_eq!((view.began, view.accounts), (began, 1));
    assert!(view.mfa && view.step_up_until > world.now());

    // An admin Worker of an earlier release sends no challenge.
    for (proven_by, switches) in [(None, false), (None, true), (Some(ProofMethod::Password), false)]
    {
        let old = LedgerRequest::SignIn {
            member,
            email: email.clone(),
            secret_version,
            session: NewSession { challenge: None, proven_by, ..session.clone() },
            address: None,
            confirmed: true,
            switches,
            address_version: AddressVersion::default(),
        };
        assert_eq!(world.handle(old).unwrap(), LedgerReply::Refused(Refusal::SignInRefused));
    }
    // A repeated set-up of the same owner.
    let (LedgerRequest::Open(opening), _) = world.open_request(b'o', 1) else { panic!() };
    let again = LedgerRequest::Open(opening);
    assert_eq!(world.handle(again).unwrap(), LedgerReply::Refused(Refusal::SignInRefused));
    assert_eq!(world.count("session"), 2);
}

#[test]
fn a_factor_that_was_just_proven_opens_the_session_after_a_change_of_the_password() {
    let (world, owner) = World::open();
    enrol(&world, owner);
    let (request, _) = sign_in_request(&world, owner, 2, false);
    let LedgerRequest::SignIn { member, email, secret_version, session, .. } = request else {
        panic!()
    };
    let next = LedgerRequest::SignIn {
        member,
        email,
        secret_version,
        session: NewSession { proven_by: Some(ProofMethod::Totp), ..session },
        address: None,
        confirmed: true,
        switches: false,
        address_version: AddressVersion::default(),
    };
    let LedgerReply::Session(view) = world.handle(next).unwrap() else { panic!() };
    assert!(view.mfa && view.step_up_until > world.now());
    assert_eq!(world.refusal(owner, Command::Show), Refusal::NotSignedIn);
}
