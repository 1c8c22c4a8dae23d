//! Invitations: how they are made, mailed, repeated, withdrawn and used.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::MailState;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::envelope::{Envelope, Letter};
use claviger_control::protocol::ledger::{Joining, LedgerReply, LedgerRequest, SessionProof};
use claviger_control::protocol::member::{Language, Role, SecretVersion};
use claviger_control::protocol::members::{
    InvitationOffer, InvitationView, MembersCommand, NewInvitation,
};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;

use crate::crash::quiet;
use crate::members::{ask, list, refusal};
use crate::world::{Browser, HOUR, MINUTE, SECOND, START, World};

const DAY: i64 = 24 * HOUR;

/// A token, as its ledger knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    pub id: TokenId,
    pub digest: Digest,
}

pub fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

/// Draws a token. The ledger sees no token itself: any ciphertext will do.
pub fn draw(world: &World) -> (NewInvitation, Token) {
    let rng = &mut *world.rng.borrow_mut();
    let (id, digest) = (TokenId::random(rng), Digest::of(TokenId::random(rng).as_str().as_bytes()));
    let sealed = Ciphertext::from_stored(format!("b.{id}"));
    (NewInvitation { token: id, digest, sealed }, Token { id, digest })
}

pub fn invite_command(world: &World, address: &str, role: Role) -> (MembersCommand, Token) {
    let (token, drawn) = draw(world);
    let rng = &mut *world.rng.borrow_mut();
    let (id, member) = (TokenId::random(rng), MemberId::random(rng));
    let email = email(address);
    (MembersCommand::Invite { id, member, email, role, language: None, token }, drawn)
}

pub fn invite(world: &World, owner: Browser, address: &str, role: Role) -> (InvitationView, Token) {
    let (command, token) = invite_command(world, address, role);
    (invited(ask(world, owner, command)), token)
}

fn invited(reply: LedgerReply) -> InvitationView {
    match reply {
        LedgerReply::Invitation(view) => view,
        other => panic!("not invited: {other:?}"),
    }
}

fn repeat(world: &World, owner: Browser, id: TokenId) -> (InvitationView, Token) {
    let (token, drawn) = draw(world);
    (invited(ask(world, owner, MembersCommand::RepeatInvitation { id, token })), drawn)
}

fn show(world: &World, Token { id, digest }: Token) -> LedgerReply {
    world.handle(LedgerRequest::ShowInvitation { token: id, digest }).unwrap()
}

fn offer(world: &World, token: Token) -> InvitationOffer {
    match show(world, token) {
        LedgerReply::Offer(offer) => offer,
        other => panic!("no offer: {other:?}"),
    }
}

pub fn joining(
    world: &World,
    token: Token,
    (member, address): (MemberId, &str),
) -> (LedgerRequest, SessionProof) {
    let (session, proof) = world.draw_session();
    let joining = Joining {
        token: token.id,
        digest: token.digest,
        member,
        email: email(address),
        name: "Ken Sato".into(),
        language: Some(Language::Ja),
        secret_version: SecretVersion(1),
        session,
        address: Some("203.0.113.7".into()),
    };
    (LedgerRequest::Join(joining), proof)
}

/// The recipient joins, as the admin Worker asks for it.
pub fn join(world: &World, token: Token) -> Browser {
    let InvitationOffer { member, email, .. } = offer(world, token);
    let (request, proof) = joining(world, token, (member, email.as_str()));
    let reply = world.handle(request).unwrap();
    assert!(matches!(reply, LedgerReply::Session(_)), "{reply:?}");
    Browser { member, proof }
}

const OVER: LedgerReply = LedgerReply::Refused(Refusal::InvitationOver);

/// Takes all mail that waits.
pub fn letters(world: &World) -> Vec<Envelope> {
    let mut letters = Vec::new();
    while let Some(effect) = world.next_effect() {
        if let Effect::SendMail { envelope } = &effect {
            letters.push((**envelope).clone());
        }
        world.settle(&effect, EffectOutcome::Done);
    }
    letters
}

#[test]
fn an_invited_person_joins_once_and_the_owners_learn_of_it() {
    let (world, owner) = World::open();
    let second = world.join("owner", b'p');
    letters(&world);
    let (view, token) = invite(&world, owner, "ken@example.jp", Role::Admin);
    assert_eq!(
        (view.role, view.invited_by.as_str(), view.mail),
        (Role::Admin, "Mei Tanaka", Some(MailState::Queued))
    );
    assert_eq!(view.expires.as_ms(), START + 7 * DAY);
    assert_eq!(list(&world, owner).invitations, std::slice::from_ref(&view));
    let [Envelope { to, language, letter, sealed, .. }] = letters(&world).try_into().unwrap();
    assert_eq!((to, language), (email("ken@example.jp"), Language::Ja), "the inviter's language");
    assert_eq!(sealed, Some(Ciphertext::from_stored(format!("b.{}", token.id))));
    assert_eq!(
        letter,
        Letter::Invitation {
            token: token.id,
            account: "Example KK".into(),
            by: "Mei Tanaka".into(),
            role: Role::Admin,
            until: view.expires,
            zone: claviger_control::protocol::zone::Zone::parse("Asia/Tokyo").unwrap(),
        }
    );
    assert_eq!(list(&world, owner).invitations[0].mail, Some(MailState::Sent));
    assert_eq!(world.count("mail WHERE sealed IS NOT NULL"), 0, "a sent token is stored nowhere");

    let offered = offer(&world, token);
    assert_eq!(
        (offered.account.as_str(), offered.email.as_str(), offered.invited_by.as_str()),
        ("Example KK", "ken@example.jp", "Mei Tanaka")
    );
    world.wait(MINUTE);
    let ken = join(&world, token);
    let LedgerReply::Session(session) = world.ask(ken, Command::Show) else { panic!() };
    assert_eq!(
        (session.member.role, session.member.name.as_str(), session.member.language),
        (Role::Admin, "Ken Sato", Language::Ja)
    );
    assert!(list(&world, owner).invitations.is_empty());
    assert_eq!(world.count("due WHERE kind = 'confirm_name' AND attempts = 0"), 1);
    let told = letters(&world);
    let to: Vec<&str> = told.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(to, ["mei@example.jp", "p@example.jp"], "the owners, and not the new member");
    assert!(told.iter().all(|letter| matches!(&letter.letter,
        Letter::MemberJoined { name, email, role: Role::Admin, .. }
            if name == "Ken Sato" && email.as_str() == "ken@example.jp")));
    assert_eq!(show(&world, token), OVER);
    let actions = "SELECT group_concat(action, ' ') FROM
        (SELECT action FROM audit WHERE action IN ('invite_member', 'join') ORDER BY number)";
    let actions = world.sql.first(&Statement::new(actions)).unwrap().unwrap().text().unwrap();
    assert_eq!(actions, "invite_member join");
    assert!(matches!(world.ask(second, Command::Show), LedgerReply::Session(_)));
}

/// The name object gives the same version to both, since both have one password.
#[test]
fn two_parallel_uses_of_one_invitation_make_one_member() {
    let (world, owner) = World::open();
    let (_, token) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    let ken = (offer(&world, token).member, "ken@example.jp");
    let (first, _) = joining(&world, token, ken);
    let (second, _) = joining(&world, token, ken);
    let LedgerRequest::Join(another) = joining(&world, token, ken).0 else { panic!() };
    assert!(matches!(world.handle(first), Ok(LedgerReply::Session(_))));
    assert!(matches!(world.handle(second), Ok(LedgerReply::Session(_))), "another session");
    // Another password was staged beside the first: it is not the member's.
    let another = Joining { secret_version: SecretVersion(2), ..another };
    assert_eq!(world.handle(LedgerRequest::Join(another)), Ok(OVER));
    assert_eq!(world.count("member"), 2);
    assert_eq!(world.count("audit WHERE action = 'join'"), 1);
}

#[test]
fn a_token_is_over_once_used_withdrawn_repeated_or_a_week_old_and_with_a_wrong_secret() {
    let (world, owner) = World::open();
    let (used, token) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    let first = (offer(&world, token).member, "ken@example.jp");
    let wrong = Token { digest: Digest::of(b"wrong"), ..token };
    assert_eq!(show(&world, wrong), OVER);
    assert_eq!(world.handle(joining(&world, wrong, first).0), Ok(OVER));
    let another = MemberId::random(&mut *world.rng.borrow_mut());
    for other in [(another, "ken@example.jp"), (first.0, "noor@example.jp")] {
        assert_eq!(world.handle(joining(&world, token, other).0), Ok(OVER), "of another");
    }
    let ken = join(&world, token);
    assert_eq!(world.ask(ken, Command::SignOut), LedgerReply::Done);
    assert_eq!(show(&world, token), OVER);
    let gone = MembersCommand::WithdrawInvitation { id: used.id };
    assert_eq!(refusal(&world, owner, gone), Refusal::NotFound);

    let (view, token) = invite(&world, owner, "noor@example.jp", Role::Viewer);
    let withdraw = MembersCommand::WithdrawInvitation { id: view.id };
    assert_eq!(ask(&world, owner, withdraw), LedgerReply::Done);
    assert_eq!(show(&world, token), OVER);
    // The member who joined before is no way in for another's token.
    for member in [first.0, another] {
        let request = joining(&world, token, (member, "noor@example.jp")).0;
        assert_eq!(world.handle(request), Ok(OVER));
    }
    assert_eq!(
        world.count("mail WHERE state = 'superseded' AND recipient = 'noor@example.jp'"),
        1,
        "its mail is not sent any more"
    );

    let (view, token) = invite(&world, owner, "noor@example.jp", Role::Viewer);
    let member = offer(&world, token).member;
    world.wait(MINUTE);
    let (again, newer) = repeat(&world, owner, view.id);
    assert_eq!((again.id, again.created_at), (view.id, view.created_at));
    assert_eq!(again.expires.as_ms(), view.expires.as_ms() + MINUTE);
    assert_eq!(show(&world, token), OVER);
    assert_eq!(offer(&world, newer).member, member, "an interrupted joining can be repeated");
    world.wait(7 * DAY - 1);
    offer(&world, newer);
    world.wait(1);
    assert_eq!(show(&world, newer), OVER);
    assert_eq!(world.handle(joining(&world, newer, (member, "noor@example.jp")).0), Ok(OVER));
    assert_eq!(world.count("member WHERE email = 'noor@example.jp'"), 0);
}

#[test]
fn an_expired_invitation_is_listed_for_thirty_days_and_can_be_repeated_or_made_anew() {
    let (world, owner) = World::open();
    let (view, _) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    let (other, _) = invite(&world, owner, "noor@example.jp", Role::Viewer);
    letters(&world);
    world.wait(7 * DAY);
    letters(&world);
    let owner = world.sign_in(owner.member);
    assert_eq!(list(&world, owner).invitations.len(), 2);
    assert_eq!(list(&world, owner).invitations[0].mail, None, "mail is kept for two days");
    let (_, token) = repeat(&world, owner, view.id);
    offer(&world, token);
    let (anew, _) = invite(&world, owner, "noor@example.jp", Role::Admin);
    assert_ne!(anew.id, other.id);
    world.wait(37 * DAY - 1);
    letters(&world);
    assert_eq!(world.count("member_invitation"), 2);
    world.wait(SECOND);
    letters(&world);
    assert_eq!(world.count("member_invitation"), 0);
}

#[test]
fn a_member_and_an_invited_person_are_not_invited_again() {
    let (world, owner) = World::open();
    invite(&world, owner, "ken@example.jp", Role::Viewer);
    for (address, code) in
        [("mei@example.jp", "already_member"), ("KEN@example.jp", "already_invited")]
    {
        let (command, _) = invite_command(&world, address, Role::Viewer);
        let Refusal::Invalid { errors } = refusal(&world, owner, command) else { panic!() };
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!((error.pointer.as_str(), error.code.as_str()), ("#/email", code));
    }
}

#[test]
fn an_address_gets_five_mails_a_day() {
    let (world, owner) = World::open();
    let (view, _) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    // Neither a withdrawal nor time below a day gives one back.
    let withdraw = MembersCommand::WithdrawInvitation { id: view.id };
    ask(&world, owner, withdraw);
    let (view, _) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    for _ in 0..3 {
        repeat(&world, owner, view.id);
    }
    let until = UnixMs::from_ms(START + DAY);
    let again = || MembersCommand::RepeatInvitation { id: view.id, token: draw(&world).0 };
    assert_eq!(refusal(&world, owner, again()), Refusal::TooManyInvitationMails { until });
    invite(&world, owner, "noor@example.jp", Role::Viewer);
    world.wait(DAY);
    let owner = world.sign_in(owner.member);
    invited(ask(&world, owner, again()));
}

#[test]
fn an_account_mails_two_hundred_invitations_a_day_and_has_a_hundred_open_ones() {
    let (world, owner) = World::open();
    let mut views = Vec::new();
    for number in 0..100 {
        let address = format!("m{number}@example.jp");
        views.push(invite(&world, owner, &address, Role::Viewer).0);
    }
    let (one_more, _) = invite_command(&world, "n@example.jp", Role::Viewer);
    assert_eq!(refusal(&world, owner, one_more.clone()), Refusal::TooManyInvitations { max: 100 });
    for view in &views {
        repeat(&world, owner, view.id);
    }
    ask(&world, owner, MembersCommand::WithdrawInvitation { id: views[0].id });
    let until = UnixMs::from_ms(START + DAY);
    assert_eq!(refusal(&world, owner, one_more.clone()), Refusal::TooManyInvitationMails { until });
    // Expired rows make room: the table never has more than a hundred.
    world.wait(8 * DAY);
    let owner = world.sign_in(owner.member);
    assert_eq!(world.count("member_invitation"), 99);
    invited(ask(&world, owner, one_more));
    invite(&world, owner, "o@example.jp", Role::Viewer);
    assert_eq!(world.count("member_invitation"), 2);
}

#[test]
fn an_account_has_a_thousand_members() {
    let (world, owner) = World::open();
    let many = "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO member (id, name, email, role, language, secret_version, created_at_ms)
        SELECT printf('%011d', i), 'M', i || '@example.jp', 'viewer', 'en', 1, 0 FROM n";
    world.sql.apply(&[Statement::new(many)]).unwrap();
    let (one_more, _) = invite_command(&world, "ken@example.jp", Role::Viewer);
    assert_eq!(refusal(&world, owner, one_more.clone()), Refusal::TooManyMembers { max: 1_000 });
    let member = MemberId::parse("00000000002").unwrap();
    ask(&world, owner, MembersCommand::Remove { member });
    invited(ask(&world, owner, one_more));
    let (beyond, _) = invite_command(&world, "noor@example.jp", Role::Viewer);
    assert_eq!(refusal(&world, owner, beyond), Refusal::TooManyMembers { max: 1_000 });
}

/// A ledger of another account answers nothing about a token, whoever has it.
#[test]
fn a_token_of_an_account_that_was_never_opened_is_gone() {
    let (world, owner) = World::open();
    let (_, token) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    let other = World::empty();
    assert_eq!(show(&other, token), LedgerReply::Gone);
    let ken = (offer(&world, token).member, "ken@example.jp");
    assert_eq!(other.handle(joining(&world, token, ken).0), Ok(LedgerReply::Gone));
    let (elsewhere, _) = World::open();
    assert_eq!(show(&elsewhere, token), OVER);
}

/// Otherwise a person who is removed comes back as an owner by an invitation of their own.
#[test]
fn the_invitations_of_an_owner_end_with_the_role() {
    type End = fn(&World, Browser, Browser);
    let ends: [End; 3] = [
        |world, owner, eve| {
            ask(world, owner, MembersCommand::Remove { member: eve.member });
        },
        |world, owner, eve| {
            let (role, expected) = (Role::Viewer, Role::Owner);
            ask(world, owner, MembersCommand::ChangeRole { member: eve.member, role, expected });
        },
        |world, _, eve| {
            ask(world, eve, MembersCommand::Leave);
        },
    ];
    for end in ends {
        let (world, owner) = World::open();
        let eve = world.join("owner", b'e');
        let (_, kept) = invite(&world, owner, "ken@example.jp", Role::Viewer);
        let (_, token) = invite(&world, eve, "eve@private.example", Role::Owner);
        end(&world, owner, eve);
        assert_eq!(show(&world, token), OVER);
        assert!(matches!(show(&world, kept), LedgerReply::Offer(_)));
        assert_eq!(world.count("audit WHERE action = 'withdraw_invitation'"), 1);
        assert!(letters(&world).iter().all(|letter| letter.to.as_str() != "eve@private.example"));
    }
    // Whatever came about: an inviter without the role gives none.
    let (world, owner) = World::open();
    let eve = world.join("owner", b'e');
    let (_, token) = invite(&world, eve, "eve@private.example", Role::Owner);
    let demoted = "UPDATE member SET role = 'admin' WHERE id = ?";
    world.sql.apply(&[Statement::new(demoted).bind(eve.member.as_str())]).unwrap();
    assert_eq!(show(&world, token), OVER);
    world.join("viewer", b'v');
    assert!(matches!(world.ask(owner, Command::Show), LedgerReply::Session(_)));
}

#[test]
fn a_mail_that_was_given_up_is_shown_as_long_as_its_invitation_is_listed() {
    let (world, owner) = quiet();
    let (first, _) = invite(&world, owner, "ken@example.jp", Role::Viewer);
    let (second, _) = invite(&world, owner, "noor@example.jp", Role::Viewer);
    let fail_for = |ms: i64| {
        for _ in 0..ms / HOUR {
            world.wait(HOUR);
            while let Some(effect) = world.next_effect() {
                let is_first = matches!(&effect, Effect::SendMail { envelope }
                    if envelope.to.as_str() == "ken@example.jp");
                let outcome = if is_first { EffectOutcome::Failed } else { EffectOutcome::Done };
                world.settle(&effect, outcome);
            }
        }
    };
    let states = |world: &World| -> Vec<Option<MailState>> {
        let owner = world.renewed(owner);
        let listed = list(world, owner).invitations;
        [&first, &second]
            .map(|one| listed.iter().find(|view| view.id == one.id).unwrap().mail)
            .into()
    };
    fail_for(2 * HOUR);
    assert_eq!(states(&world), [Some(MailState::Failing), Some(MailState::Sent)]);
    fail_for(24 * HOUR);
    assert_eq!(states(&world), [Some(MailState::GivenUp), Some(MailState::Sent)]);
    fail_for(100 * HOUR);
    assert_eq!(states(&world), [Some(MailState::GivenUp), None]);
    let (token, _) = draw(&world);
    let owner = world.renewed(owner);
    let repeat = MembersCommand::RepeatInvitation { id: first.id, token };
    world.ask(owner, Command::Members { members: repeat });
    assert_eq!(states(&world)[0], Some(MailState::Queued));
    fail_for(100 * HOUR);
    assert_eq!(world.count("mail WHERE recipient = 'ken@example.jp'"), 1, "the last one alone");
}
