//! A member's address follows the name object: by news, and when the person signs in.

use claviger_control::ledger::sessions::STEP_UP;
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::mailbox::AddressNews;
use claviger_control::protocol::member::{AddressVersion, Role, SecretVersion};
use claviger_control::protocol::refusal::Refusal;

use crate::factors;
use crate::invitations::{email, invite};
use crate::world::{Browser, World, member_id};

const OLD: &str = "mei@example.jp";
const NEW: &str = "mei@example.org";

fn news(address: &str, version: u32) -> AddressNews {
    AddressNews {
        member: member_id(b'o'),
        email: email(address),
        address_version: AddressVersion(version),
        secret_version: SecretVersion(version + 1),
        address: Some("203.0.113.7".into()),
    }
}

fn tell(world: &World, news: AddressNews) -> LedgerReply {
    world.handle(LedgerRequest::AddressChanged(news)).unwrap()
}

fn sign_in(world: &World, address: &str, (own, secret): (u32, u32)) -> (LedgerReply, Browser) {
    let ((session, proof), member) = (world.draw_session(), member_id(b'o'));
    let request = LedgerRequest::SignIn {
        member,
        email: email(address),
        secret_version: SecretVersion(secret),
        session,
        address: Some("203.0.113.7".into()),
        confirmed: true,
        switches: false,
        address_version: AddressVersion(own),
    };
    (world.handle(request).unwrap(), Browser { member, proof })
}

fn opens(reply: &LedgerReply) -> bool {
    matches!(reply, LedgerReply::Session(_))
}

fn refused(refusal: Refusal) -> LedgerReply {
    LedgerReply::Refused(refusal)
}

fn is_signed_in(world: &World, browser: Browser) -> bool {
    opens(&world.ask(browser, Command::Show))
}

fn address_of(world: &World, address: &str) -> bool {
    let (member, email) = (member_id(b'o').to_string(), address.to_owned());
    world.count(&format!("member WHERE id = '{member}' AND email = '{email}'")) == 1
}

#[test]
fn news_of_an_address_ends_sessions_and_challenges_and_is_taken_once() {
    let (world, owner) = World::open();
    let other = world.join("admin", b'a');
    assert_eq!(tell(&world, news(NEW, 1)), LedgerReply::Done);
    assert!(address_of(&world, NEW));
    assert!(!is_signed_in(&world, owner) && is_signed_in(&world, other));
    // The address and the password of before open nothing any more.
    assert_eq!(sign_in(&world, OLD, (0, 2)).0, refused(Refusal::SignInRefused));
    assert_eq!(sign_in(&world, NEW, (1, 1)).0, refused(Refusal::SignInRefused));
    let (reply, again) = sign_in(&world, NEW, (1, 2));
    assert!(opens(&reply));
    assert_eq!(tell(&world, news(NEW, 1)), LedgerReply::Done, "repeated as if once");
    assert!(is_signed_in(&world, again));
    assert_eq!(world.count("audit WHERE action = 'change_address'"), 1);
    assert_eq!(world.count("audit WHERE action = 'change_password'"), 0, "it is the same one");
    assert_eq!(
        world.count(&format!(
            "audit WHERE action = 'change_address' AND address = '203.0.113.7'
                AND before LIKE '%{OLD}%' AND after LIKE '%{NEW}%'"
        )),
        1
    );
}

#[test]
fn who_signs_in_with_the_new_address_before_the_news_is_let_in() {
    let (world, owner) = World::open();
    assert_eq!(sign_in(&world, NEW, (0, 2)).0, refused(Refusal::SignInRefused), "no version");
    let (reply, again) = sign_in(&world, NEW, (1, 2));
    assert!(opens(&reply) && address_of(&world, NEW));
    assert!(!is_signed_in(&world, owner));
    assert_eq!(tell(&world, news(NEW, 1)), LedgerReply::Done);
    assert!(is_signed_in(&world, again), "the news ends nothing more");
    assert_eq!(world.count("audit WHERE action = 'change_password'"), 0);
    assert_eq!(world.count("audit WHERE action = 'change_address'"), 1);
}

#[test]
fn a_challenge_ends_with_the_address() {
    let (world, owner) = World::open();
    factors::enrol(&world, owner);
    let (request, challenge) = factors::sign_in_request(&world, owner, 1, false);
    assert!(matches!(world.handle(request), Ok(LedgerReply::Challenged { .. })));
    tell(&world, news(NEW, 1));
    world.wait(30_000);
    let (answer, _) = factors::answer(&world, challenge, factors::totp(&world));
    assert_eq!(world.handle(answer), Ok(refused(Refusal::ChallengeOver)));
}

#[test]
fn late_news_of_an_earlier_address_changes_nothing() {
    let (world, _) = World::open();
    tell(&world, news(NEW, 1));
    assert_eq!(tell(&world, news(OLD, 2)), LedgerReply::Done, "back again");
    assert_eq!(tell(&world, news(NEW, 1)), LedgerReply::Done);
    assert!(address_of(&world, OLD));
    assert_eq!(sign_in(&world, NEW, (1, 3)).0, refused(Refusal::SignInRefused));
    assert!(opens(&sign_in(&world, OLD, (2, 3)).0));
}

#[test]
fn a_member_who_is_gone_has_no_address_to_follow() {
    let (world, _) = World::open();
    let stranger = AddressNews { member: member_id(b'x'), ..news(NEW, 1) };
    assert_eq!(tell(&world, stranger), refused(Refusal::NotFound));
    let removed = world.join("viewer", b'v');
    let remove = Statement::new("UPDATE member SET removed_at_ms = 1, email = id WHERE id = ?");
    world.sql.apply(&[remove.bind(removed.member.as_str())]).unwrap();
    let gone = AddressNews { member: removed.member, ..news(NEW, 1) };
    assert_eq!(tell(&world, gone), refused(Refusal::NotFound));
}

/// A bookmark may hold a member who had the address before. The name object goes on trying.
#[test]
fn an_address_of_another_row_is_not_taken() {
    let (world, owner) = World::open();
    world.join("viewer", b'v');
    assert_eq!(tell(&world, news("v@example.jp", 1)), refused(Refusal::IdTaken));
    assert_eq!(sign_in(&world, "v@example.jp", (1, 2)).0, refused(Refusal::SignInRefused));
    assert!(address_of(&world, OLD) && is_signed_in(&world, owner));
}

#[test]
fn an_open_invitation_of_the_new_address_ends() {
    let (world, owner) = World::open();
    let (_, token) = invite(&world, owner, NEW, Role::Viewer);
    tell(&world, news(NEW, 1));
    assert_eq!(world.count("member_invitation"), 0);
    let show = LedgerRequest::ShowInvitation { token: token.id, digest: token.digest };
    assert_eq!(world.handle(show), Ok(refused(Refusal::InvitationOver)));
}

#[test]
fn a_membership_is_named_by_the_new_address_before_the_news() {
    let (world, owner) = World::open();
    let ask = |address: &str, version| {
        let (member, address_version) = (owner.member, AddressVersion(version));
        let email = Email::parse(address).unwrap();
        world.handle(LedgerRequest::Membership { member, email, address_version }).unwrap()
    };
    let named = LedgerReply::Membership { name: "Example KK".into(), role: Role::Owner };
    assert_eq!(ask(NEW, 0), refused(Refusal::NotFound));
    assert_eq!(ask(NEW, 1), named);
    tell(&world, news(NEW, 1));
    assert_eq!(ask(OLD, 0), refused(Refusal::NotFound));
    assert_eq!(ask(NEW, 1), named);
}

#[test]
fn a_change_of_address_needs_a_fresh_proof_and_every_member_may() {
    let (world, _) = World::open();
    let viewer = world.join("viewer", b'v');
    assert!(opens(&world.ask(viewer, Command::ChangeAddress)));
    world.wait(i64::try_from(STEP_UP.as_ms()).unwrap());
    assert_eq!(world.refusal(viewer, Command::ChangeAddress), Refusal::StepUpRequired);
}
