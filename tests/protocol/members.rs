//! Members and invitations.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::MailState;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::envelope::Letter;
use claviger_control::protocol::ledger::{Joining, LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{Language, Role, SecretVersion};
use claviger_control::protocol::members::{
    InvitationOffer, InvitationView, MemberEntry, MemberList, MembersCommand, NewInvitation,
};
use claviger_control::protocol::notice_list::{ListedNotice, NoticePage};
use claviger_control::protocol::notices::{NoticeChanges, NoticeSettings};
use claviger_control::protocol::objects::{NameReply, NameRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::TokenId;

use crate::{account, at, digest, email, member, pin, session, written};

fn id() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

fn role_changed() -> Letter {
    Letter::RoleChanged {
        account: "Example KK".into(),
        by: "Mei Tanaka".into(),
        from: Role::Viewer,
        to: Role::Admin,
        at: at(1),
        zone: Zone::parse("Asia/Tokyo").unwrap(),
    }
}

fn entry() -> MemberEntry {
    MemberEntry {
        id: member(),
        name: "Ken Sato".into(),
        email: email(),
        role: Role::Admin,
        language: Language::Ja,
        joined_at: at(1),
        seen_at: Some(at(2)),
        sessions: 3,
        keys_ending: None,
        you: true,
        mfa: Some(true),
    }
}

#[test]
fn members_and_invitations() {
    let token = || NewInvitation {
        token: id(),
        digest: digest(),
        sealed: Ciphertext::from_stored("b.AAAA".into()),
    };
    let commands = [
        MembersCommand::List,
        MembersCommand::Invite {
            id: id(),
            member: member(),
            email: email(),
            role: Role::Viewer,
            language: Some(Language::En),
            token: token(),
        },
        MembersCommand::RepeatInvitation { id: id(), token: token() },
        MembersCommand::WithdrawInvitation { id: id() },
        MembersCommand::ChangeRole { member: member(), role: Role::Owner, expected: Role::Admin },
        MembersCommand::Remove { member: member() },
        MembersCommand::Leave,
        MembersCommand::EndSessions { member: member() },
        MembersCommand::EditProfile { name: Some("Ken".into()), language: None },
        MembersCommand::EditAccount { name: None, zone: Zone::parse("Asia/Tokyo").ok() },
        MembersCommand::ShowNotices,
        MembersCommand::EditNotices {
            changes: NoticeChanges { key_end: Some(false), ..NoticeChanges::default() },
        },
        MembersCommand::ListNotices { cursor: None, limit: None },
        MembersCommand::ListNotices { cursor: Some(7), limit: Some(50) },
        MembersCommand::ReadNotices { until: 8 },
    ];
    let commands = commands.map(|members| Command::Members { members }).into();
    insta::assert_snapshot!("member_commands", written(commands));
    let text = written(vec![
        LedgerRequest::ShowInvitation { token: id(), digest: digest() },
        LedgerRequest::Join(Joining {
            token: id(),
            digest: digest(),
            member: member(),
            email: email(),
            name: "Ken Sato".into(),
            language: None,
            secret_version: SecretVersion(1),
            session: session(),
            address: Some("203.0.113.7".into()),
        }),
    ]);
    insta::assert_snapshot!("member_requests", text);
    let view = || InvitationView {
        id: id(),
        email: email(),
        role: Role::Viewer,
        invited_by: "Mei Tanaka".into(),
        created_at: at(1),
        expires: at(2),
        mail: Some(MailState::Sent),
    };
    let offer = InvitationOffer {
        account: "Example KK".into(),
        member: member(),
        email: email(),
        role: Role::Viewer,
        invited_by: "Mei Tanaka".into(),
        expires: at(2),
    };
    let text = written(vec![
        LedgerReply::Members(MemberList { members: vec![entry()], invitations: vec![view()] }),
        LedgerReply::Member(MemberEntry { seen_at: None, you: false, ..entry() }),
        LedgerReply::Invitation(InvitationView { mail: None, ..view() }),
        LedgerReply::Offer(offer),
        LedgerReply::Notices { notices: NoticeSettings::ALL_ON },
        LedgerReply::NoticePage(NoticePage {
            notices: vec![ListedNotice {
                number: 8,
                at: at(1),
                unread: true,
                letter: role_changed(),
            }],
            next: Some(8),
            unread: 3,
        }),
        LedgerReply::NoticePage(NoticePage { notices: vec![], next: None, unread: 0 }),
        LedgerReply::NoticesRead { unread: 1 },
    ]);
    insta::assert_snapshot!("member_replies", text);
    let text = written(vec![
        Refusal::LastOwner,
        Refusal::MemberChangedMeanwhile { member: Box::new(entry()) },
        Refusal::InvitationOver,
        Refusal::TooManyInvitations { max: 100 },
        Refusal::TooManyMembers { max: 1_000 },
        Refusal::TooManyInvitationMails { until: at(8) },
    ]);
    insta::assert_snapshot!("member_refusals", text);
    pin(vec![
        (NameRequest::IsClaimed, r#"{"ask":"is_claimed"}"#.to_owned()),
        (
            NameRequest::Leave { account: account(), member: member() },
            r#"{"ask":"leave","account":"a1B2c3D4","member":"0123456789A"}"#.to_owned(),
        ),
    ]);
    pin(vec![(
        NameReply::IsClaimed { claimed: true },
        r#"{"reply":"is_claimed","claimed":true}"#.to_owned(),
    )]);
}
