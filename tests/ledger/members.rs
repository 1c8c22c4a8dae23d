//! Members: rights, roles, removal, leaving, sessions, profile and account.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::envelope::{Envelope, Letter};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{AddressVersion, Language, Role, SecretVersion};
use claviger_control::protocol::members::{MemberList, MembersCommand, NewInvitation};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;

use crate::invitations::{email, invite, join, letters};
use crate::world::{Browser, HOUR, MINUTE, START, World, member_id};

pub fn ask(world: &World, browser: Browser, members: MembersCommand) -> LedgerReply {
    world.ask(browser, Command::Members { members })
}

pub fn refusal(world: &World, browser: Browser, members: MembersCommand) -> Refusal {
    world.refusal(browser, Command::Members { members })
}

pub fn list(world: &World, browser: Browser) -> MemberList {
    match ask(world, browser, MembersCommand::List) {
        LedgerReply::Members(list) => list,
        other => panic!("no list: {other:?}"),
    }
}

fn change_role(member: MemberId, expected: Role, role: Role) -> MembersCommand {
    MembersCommand::ChangeRole { member, role, expected }
}

/// Every command about members, about `member`.
fn all(member: MemberId) -> Vec<MembersCommand> {
    let id = TokenId::parse("0123456789").unwrap();
    let sealed = Ciphertext::from_stored("b.AAAA".into());
    let token = NewInvitation { token: id, digest: Digest::of(b"x"), sealed };
    vec![
        MembersCommand::List,
        MembersCommand::EditProfile { name: None, language: None },
        MembersCommand::Leave,
        MembersCommand::WithdrawInvitation { id },
        MembersCommand::EndSessions { member },
        MembersCommand::Invite {
            id,
            member: member_id(b'n'),
            email: email("new@example.jp"),
            role: Role::Viewer,
            language: None,
            token: token.clone(),
        },
        MembersCommand::RepeatInvitation { id, token },
        change_role(member, Role::Viewer, Role::Admin),
        MembersCommand::Remove { member },
        MembersCommand::EditAccount { name: None, zone: None },
    ]
}

/// The rights of each command, in the order of [`all`]: those of any member, and the need of a
/// fresh proof of identity.
const RIGHTS: [(bool, bool); 10] = [
    (true, false),
    (true, false),
    (true, true),
    (false, false),
    (false, false),
    (false, true),
    (false, true),
    (false, true),
    (false, true),
    (false, true),
];

#[test]
fn owners_alone_manage_members_and_with_a_fresh_proof_where_rights_are_given_or_taken() {
    for (place, (of_any_member, proven)) in RIGHTS.into_iter().enumerate() {
        for role in ["owner", "admin", "viewer"] {
            let (world, _) = World::open();
            let browser = world.join(role, b'a');
            world.join("viewer", b'v');
            let command = || all(member_id(b'v')).remove(place);
            let is_permitted = of_any_member || role == "owner";
            if !is_permitted {
                assert_eq!(refusal(&world, browser, command()), Refusal::NotPermitted);
                assert_eq!(
                    refusal(&world, browser, all(member_id(b'x')).remove(place)),
                    Refusal::NotPermitted,
                    "{role} must not learn who is a member: {:?}",
                    command()
                );
            }
            world.wait(10 * MINUTE);
            let stale = ask(&world, browser, command());
            let expected = match (is_permitted, proven) {
                (false, _) => Some(Refusal::NotPermitted),
                (true, true) => Some(Refusal::StepUpRequired),
                (true, false) => None,
            };
            match (stale, expected) {
                (LedgerReply::Refused(refusal), Some(expected)) => assert_eq!(refusal, expected),
                (LedgerReply::Refused(Refusal::NotFound), None) => {}
                (reply, expected) => {
                    assert_eq!((expected, matches!(reply, LedgerReply::Refused(_))), (None, false));
                }
            }
        }
    }
}

#[test]
fn members_see_each_other_and_owners_see_invitations_too() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    invite(&world, owner, "ken@example.jp", Role::Admin);
    world.wait(6 * MINUTE);
    let seen = list(&world, viewer);
    assert!(seen.invitations.is_empty());
    let rows: Vec<_> = seen
        .members
        .iter()
        .map(|one| (one.name.as_str(), one.role, one.sessions, one.you))
        .collect();
    let expected = [("Member v", Role::Viewer, 1, true), ("Mei Tanaka", Role::Owner, 1, false)];
    assert_eq!(rows, expected, "in the order in which they joined");
    assert_eq!(seen.members[1].joined_at.as_ms(), START);
    assert_eq!(list(&world, owner).invitations.len(), 1);

    // The last use outlives the session.
    world.wait(MINUTE);
    let before = list(&world, owner).members[0].seen_at.unwrap();
    assert_eq!(before.as_ms(), START + 6 * MINUTE);
    world.ask(viewer, Command::SignOut);
    let after = &list(&world, owner).members[0];
    assert_eq!((after.seen_at, after.sessions), (Some(before), 0));
    // A session that is over counts as none before the sweep, too.
    world.sign_in(viewer.member);
    world.wait(2 * HOUR);
    let owner = world.sign_in(owner.member);
    assert_eq!(list(&world, owner).members[0].sessions, 0);
}

#[test]
fn a_changed_role_holds_for_the_sessions_that_are_open() {
    let (world, owner) = World::open();
    let ken = world.join("admin", b'k');
    let key = world.issue_command("{}");
    letters(&world);
    let demote = || change_role(ken.member, Role::Admin, Role::Viewer);
    let LedgerReply::Member(entry) = ask(&world, owner, demote()) else { panic!() };
    assert_eq!((entry.id, entry.role), (ken.member, Role::Viewer));
    assert_eq!(world.refusal(ken, key), Refusal::NotPermitted);
    let LedgerReply::Member(entry) = ask(&world, owner, demote()) else { panic!("as if once") };
    assert_eq!(entry.role, Role::Viewer);
    let [Envelope { to, letter, .. }] = letters(&world).try_into().unwrap();
    assert_eq!(to, email("k@example.jp"));
    assert!(matches!(letter, Letter::RoleChanged { from: Role::Admin, to: Role::Viewer, .. }));
    // Another owner has changed it meanwhile.
    let late = change_role(ken.member, Role::Admin, Role::Owner);
    let Refusal::MemberChangedMeanwhile { member } = refusal(&world, owner, late) else { panic!() };
    assert_eq!((member.id, member.role), (ken.member, Role::Viewer));
    let nobody = change_role(member_id(b'x'), Role::Admin, Role::Owner);
    assert_eq!(refusal(&world, owner, nobody), Refusal::NotFound);
    assert_eq!(world.count("audit WHERE action = 'change_role'"), 1);
}

#[test]
fn the_last_owner_cannot_be_demoted_removed_or_leave() {
    let (world, owner) = World::open();
    world.join("admin", b'a');
    let me = owner.member;
    for command in [
        change_role(me, Role::Owner, Role::Viewer),
        MembersCommand::Remove { member: me },
        MembersCommand::Leave,
    ] {
        assert_eq!(refusal(&world, owner, command), Refusal::LastOwner);
    }
    assert_eq!(world.count("member WHERE role = 'owner' AND removed_at_ms IS NULL"), 1);
}

/// The ledger runs one request at a time, so the second of two parallel ones finds the first done.
#[test]
fn two_owners_who_remove_each_other_leave_one() {
    for by_role in [false, true] {
        let (world, owner) = World::open();
        let other = world.join("owner", b'p');
        let (first, second) = match by_role {
            true => (
                change_role(other.member, Role::Owner, Role::Viewer),
                change_role(owner.member, Role::Owner, Role::Viewer),
            ),
            false => (
                MembersCommand::Remove { member: other.member },
                MembersCommand::Remove { member: owner.member },
            ),
        };
        assert!(!matches!(ask(&world, owner, first), LedgerReply::Refused(_)));
        let expected = if by_role { Refusal::NotPermitted } else { Refusal::NotSignedIn };
        assert_eq!(refusal(&world, other, second), expected);
        // Both leave at once.
        assert_eq!(refusal(&world, owner, MembersCommand::Leave), Refusal::LastOwner);
    }
}

#[test]
fn a_removed_member_is_signed_out_everywhere_and_signs_in_no_more() {
    let (world, owner) = World::open();
    let ken = world.join("admin", b'k');
    let key = world.issue(ken, "{}");
    let elsewhere = world.sign_in(ken.member);
    letters(&world);
    assert_eq!(
        ask(&world, owner, MembersCommand::Remove { member: ken.member }),
        LedgerReply::Done
    );
    for browser in [ken, elsewhere] {
        assert_eq!(world.refusal(browser, Command::Show), Refusal::NotSignedIn);
        let step_up =
            Command::StepUp { secret_version: SecretVersion(1), confirmed: true, session: None };
        assert_eq!(world.refusal(browser, step_up), Refusal::NotSignedIn);
    }
    let (session, _) = world.draw_session();
    let sign_in = LedgerRequest::SignIn {
        member: ken.member,
        email: email("k@example.jp"),
        secret_version: SecretVersion(1),
        session,
        address: None,
        confirmed: true,
        switches: false,
        address_version: AddressVersion::default(),
    };
    assert_eq!(world.handle(sign_in), Ok(LedgerReply::Refused(Refusal::SignInRefused)));
    let holds = LedgerRequest::Holds { member: ken.member, email: "k@example.jp".into() };
    assert_eq!(world.handle(holds), Ok(LedgerReply::Holds { held: false }));
    assert_eq!(
        refusal(&world, owner, MembersCommand::Remove { member: ken.member }),
        Refusal::NotFound
    );
    assert!(list(&world, owner).members.iter().all(|member| member.id != ken.member));
    // The key and the trail still name the member.
    let LedgerReply::Key(view) = world.ask(owner, Command::Get { id: key.id, deleted: false })
    else {
        panic!()
    };
    assert_eq!(view.created_by, "Member k");
    let [Envelope { to, letter, .. }] = letters(&world).try_into().unwrap();
    assert_eq!(to, email("k@example.jp"));
    assert!(matches!(letter, Letter::MemberRemoved { by, .. } if by == "Mei Tanaka"));
    assert_eq!(world.count("member WHERE email = id AND removed_at_ms IS NOT NULL"), 1);
}

#[test]
fn a_removed_member_s_name_is_released_however_often_that_fails() {
    let (world, owner) = World::open();
    let ken = world.join("admin", b'k');
    letters(&world);
    ask(&world, owner, MembersCommand::Remove { member: ken.member });
    let released = |world: &World| {
        std::iter::from_fn(|| world.next_effect())
            .find(|effect| matches!(effect, Effect::LeaveName { .. }))
    };
    let effect = released(&world).unwrap();
    let expected = Effect::LeaveName {
        email: email("k@example.jp"),
        account: world.account,
        member: ken.member,
    };
    assert_eq!(effect, expected);
    for _ in 0..3 {
        world.settle(&effect, EffectOutcome::Failed);
        world.crash();
        world.wait(6 * MINUTE);
        assert_eq!(released(&world), Some(expected.clone()));
    }
    world.settle(&effect, EffectOutcome::Done);
    world.wait(HOUR);
    assert_eq!((released(&world), world.count("leaving")), (None, 0));
    assert_eq!(world.count("due WHERE kind = 'leave_name'"), 0);
}

#[test]
fn every_member_may_leave_and_the_address_can_be_invited_again() {
    let (world, owner) = World::open();
    for role in ["owner", "admin", "viewer"] {
        let ken = world.join(role, b'k');
        // The address of the own entry, as the console sends it.
        let leave = MembersCommand::Remove { member: ken.member };
        assert_eq!(ask(&world, ken, leave), LedgerReply::Done);
        assert_eq!(world.refusal(ken, Command::Show), Refusal::NotSignedIn);
        let (_, token) = invite(&world, owner, "k@example.jp", Role::Viewer);
        let again = join(&world, token);
        assert_ne!(again.member, ken.member);
        ask(&world, owner, MembersCommand::Remove { member: again.member });
        let forget =
            "UPDATE member SET id = lower(hex(randomblob(5))) || 'x', email = hex(randomblob(5))
            WHERE id = 'kkkkkkkkkkk'";
        letters(&world);
        let unreferenced = ["DELETE FROM mail", "DELETE FROM leaving", forget];
        world.sql.apply(&unreferenced.map(Statement::new)).unwrap();
    }
    assert_eq!(world.count("audit WHERE action = 'leave'"), 3);
    assert_eq!(world.count("audit WHERE action = 'remove_member'"), 3);
}

#[test]
fn an_owner_ends_the_sessions_of_a_member_and_keeps_the_own_one() {
    let (world, owner) = World::open();
    let ken = world.join("admin", b'k');
    let mine = world.sign_in(owner.member);
    world.wait(11 * MINUTE);
    let end = |member| MembersCommand::EndSessions { member };
    assert_eq!(ask(&world, owner, end(ken.member)), LedgerReply::Done);
    assert_eq!(world.refusal(ken, Command::Show), Refusal::NotSignedIn);
    assert!(matches!(world.ask(mine, Command::Show), LedgerReply::Session(_)));
    assert_eq!(ask(&world, owner, end(owner.member)), LedgerReply::Done);
    assert_eq!(world.refusal(mine, Command::Show), Refusal::NotSignedIn);
    assert!(matches!(world.ask(owner, Command::Show), LedgerReply::Session(_)));
    assert_eq!(refusal(&world, owner, end(member_id(b'x'))), Refusal::NotFound);
    world.sign_in(ken.member);
}

#[test]
fn a_profile_is_one_s_own_and_unchanged_values_leave_no_trail() {
    let (world, _) = World::open();
    let viewer = world.join("viewer", b'v');
    let edit = |name: Option<&str>, language| MembersCommand::EditProfile {
        name: name.map(str::to_owned),
        language,
    };
    let LedgerReply::Session(view) = ask(&world, viewer, edit(Some("Vera"), None)) else {
        panic!()
    };
    assert_eq!((view.member.name.as_str(), view.member.language), ("Vera", Language::En));
    ask(&world, viewer, edit(None, Some(Language::Ja)));
    ask(&world, viewer, edit(Some("Vera"), Some(Language::Ja)));
    let LedgerReply::Session(view) = world.ask(viewer, Command::Show) else { panic!() };
    assert_eq!((view.member.name.as_str(), view.member.language), ("Vera", Language::Ja));
    assert_eq!(world.count("audit WHERE action = 'edit_profile'"), 2);
    assert_eq!(world.count("member WHERE name = 'Mei Tanaka'"), 1);
}

#[test]
fn the_directory_learns_the_account_s_present_name_even_if_it_changes_under_way() {
    let (world, owner) = World::open();
    letters(&world);
    let rename = |name: &str| MembersCommand::EditAccount { name: Some(name.into()), zone: None };
    let LedgerReply::Session(view) = ask(&world, owner, rename("Example GK")) else { panic!() };
    assert_eq!(view.account.name, "Example GK");
    let named = |world: &World| match world.next_effect() {
        Some(Effect::ConfirmAccount { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(named(&world), "Example GK");
    ask(&world, owner, rename("Example Inc."));
    assert_eq!(world.next_effect(), None, "one call at a time");
    let effect = Effect::ConfirmAccount {
        account: world.account,
        name: "Example GK".to_owned(),
        suspended: false,
    };
    world.settle(&effect, EffectOutcome::Done);
    assert_eq!(named(&world), "Example Inc.");
    let effect = Effect::ConfirmAccount {
        account: world.account,
        name: "Example Inc.".to_owned(),
        suspended: false,
    };
    world.settle(&effect, EffectOutcome::Done);
    assert_eq!(world.next_effect(), None);

    let zone = Zone::parse("Europe/Berlin").ok();
    let move_to = MembersCommand::EditAccount { name: None, zone };
    let LedgerReply::Session(view) = ask(&world, owner, move_to.clone()) else { panic!() };
    assert_eq!(view.account.zone.name(), "Europe/Berlin");
    ask(&world, owner, move_to);
    assert_eq!(world.count("audit WHERE action = 'edit_account'"), 3);
    assert_eq!(world.next_effect(), None, "the directory has no time zone");
    let stored = "SELECT zone FROM account";
    let stored = world.sql.first(&Statement::new(stored)).unwrap().unwrap().text().unwrap();
    assert_eq!(stored, "Europe/Berlin");
}
