//! Messages about persons: memberships, changes of passwords, sessions.

use claviger_control::protocol::attempts::{AttemptKind, AttemptsNews, RefusedAttempts};
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::identity::{
    Membership, NewSession, PasswordNews, ResetMail, SessionEntry,
};

use claviger_control::protocol::deletion::MailState;
use claviger_control::protocol::mailbox::{
    AddressChange, AddressNews, MailboxCodeState, MailboxPurpose, MailboxSubject, MoveState,
    MovedHash, MovedMembership, NewMailboxCode, PersonMove,
};

use super::*;

fn reset() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

#[test]
fn requests_and_replies_of_a_name_object_about_its_person() {
    let secret = |text: &str| SecretText::new(text.into());
    let (account, member) = (account(), member());
    let requests = written(vec![
        NameRequest::ChangePassword {
            account,
            member,
            password: secret("old"),
            new_password: secret("new"),
            address: Some("203.0.113.7".into()),
        },
        NameRequest::Memberships {
            account,
            member,
            secret_version: SecretVersion(2),
            opens: Some(account),
        },
        NameRequest::Leave { account, member },
        NameRequest::BeginReset { id: reset(), code: secret("01234567"), browser: None },
        NameRequest::BeginReset {
            id: reset(),
            code: secret("01234567"),
            browser: Some(SecretVersion(2)),
        },
        NameRequest::ConfirmReset {
            code: secret("01234567"),
            new_password: secret("new"),
            address: None,
            browser: Some(SecretVersion(2)),
        },
    ]);
    let replies = written(vec![
        NameReply::NotHeld,
        NameReply::BrowserOver,
        NameReply::PasswordChanged { secret_version: SecretVersion(2), accounts: 1 },
        NameReply::Memberships {
            memberships: vec![Membership { account, member }],
            address_version: AddressVersion::default(),
        },
        NameReply::ResetBegun { account, member, until: at(8) },
    ]);
    pin(vec![(
        NameRequest::Verify {
            password: secret("old"),
            block: None,
            counted: true,
            attempt: AttemptKind::StepUp,
            browser: Some(SecretVersion(2)),
        },
        r#"{"ask":"verify","password":"old","block":null,"counted":true,"attempt":"step_up","browser":2}"#.to_owned(),
    )]);
    insta::assert_snapshot!("person_requests", requests);
    insta::assert_snapshot!("person_replies", replies);
}

#[test]
fn requests_and_replies_of_a_ledger_about_a_person() {
    let console = |command: Command| LedgerRequest::Console {
        session: proof(),
        address: Some("203.0.113.7".into()),
        command,
    };
    let (member, address) = (member(), Some("203.0.113.7".to_owned()));
    let requests = written(vec![
        LedgerRequest::Membership {
            member,
            email: email(),
            address_version: AddressVersion::default(),
        },
        LedgerRequest::PasswordChanged(PasswordNews {
            member,
            email: email(),
            secret_version: SecretVersion(2),
            at: at(8),
            address: address.clone(),
            is_reset: false,
            mails: true,
        }),
        LedgerRequest::MailReset(ResetMail {
            member,
            email: email(),
            reset: reset(),
            until: at(9),
            address: address.clone(),
            sealed: Ciphertext::from_stored("b.AAAA".into()),
        }),
        LedgerRequest::AttemptsRefused(AttemptsNews {
            member,
            email: email(),
            attempts: vec![RefusedAttempts {
                kind: AttemptKind::SignIn,
                network: Some("203.0.113.0/24".into()),
                count: 10,
                at: at(8),
            }],
        }),
        console(Command::ListSessions),
        console(Command::EndSession { id: reset() }),
        console(Command::EndOtherSessions),
    ]);
    let replies = written(vec![
        LedgerReply::Membership { name: "Example KK".into(), role: Role::Admin },
        LedgerReply::Sessions {
            sessions: vec![SessionEntry {
                id: reset(),
                current: true,
                agent: Some("Mozilla/5.0".into()),
                address: address.clone(),
                last_address: address,
                created_at: at(1),
                seen_at: at(2),
            }],
        },
    ]);
    insta::assert_snapshot!("person_requests_to_a_ledger", requests);
    insta::assert_snapshot!("person_replies_of_a_ledger", replies);
}

#[test]
fn requests_and_replies_about_mailbox_codes_and_moves() {
    let by = Membership { account: account(), member: member() };
    let subject = |purpose| MailboxSubject { purpose, account: account(), member: member() };
    let change = AddressChange {
        id: reset(),
        to: email(),
        by,
        language: Language::Ja,
        zone: Zone::parse("Asia/Tokyo").unwrap(),
        address: Some("203.0.113.7".into()),
        at: at(8),
    };
    let requests = written(vec![
        NameRequest::MailMailboxCode(NewMailboxCode {
            email: email(),
            subject: subject(MailboxPurpose::SetUp),
            id: reset(),
            mac: digest(),
            sealed: Ciphertext::from_stored("b.AAAA".into()),
            language: Language::En,
            zone: Zone::parse("UTC").unwrap(),
            address: None,
        }),
        NameRequest::ShowMailboxCode { subject: subject(MailboxPurpose::SetUp) },
        NameRequest::ProveMailbox {
            subject: subject(MailboxPurpose::Change),
            code: SecretText::new("01234567".into()),
        },
        NameRequest::BeginMove(change.clone()),
        NameRequest::ReceivePerson(PersonMove {
            change: change.clone(),
            address_version: AddressVersion(1),
            secret_version: SecretVersion(2),
            hash: MovedHash::new("$argon2id$…".into()),
            memberships: vec![MovedMembership { membership: by, used_at: at(7) }],
        }),
        NameRequest::SettleMove(change),
        NameRequest::ShowMove { by },
    ]);
    let arrived = MoveState::Arrived {
        secret_version: SecretVersion(2),
        address_version: AddressVersion(1),
        accounts: 1,
    };
    let replies = written(vec![
        NameReply::MailboxCode(MailboxCodeState { until: at(9), mail: MailState::Queued }),
        NameReply::TooManyCodes { until: at(9) },
        NameReply::MailboxProven { claimed: true },
        NameReply::CodeWrong { tries_left: 4 },
        NameReply::CodeOver,
        NameReply::Move(MoveState::UnderWay),
        NameReply::Move(arrived),
        NameReply::Move(MoveState::Nothing),
        NameReply::Moving,
        NameReply::Received,
    ]);
    let news = LedgerRequest::AddressChanged(AddressNews {
        member: member(),
        email: email(),
        address_version: AddressVersion(1),
        secret_version: SecretVersion(2),
        address: None,
    });
    let command =
        LedgerRequest::Console { session: proof(), address: None, command: Command::ChangeAddress };
    insta::assert_snapshot!("mailbox_requests", requests);
    insta::assert_snapshot!("mailbox_replies", replies);
    insta::assert_snapshot!("address_requests_to_a_ledger", written(vec![news, command]));
}

/// An admin Worker of the release before sends and reads these.
#[test]
fn messages_of_the_release_before_are_understood() {
    let session: NewSession = serde_json::from_str(&format!(
        r#"{{"id":"0123456789","digest":{}}}"#,
        serde_json::json!(digest())
    ))
    .unwrap();
    assert_eq!((session.agent, session.accounts), (None, 1));
    let command: Command = serde_json::from_str(r#"{"do":"step_up","secret_version":1}"#).unwrap();
    assert!(matches!(command, Command::StepUp { confirmed: false, session: None, .. }));
    let matches =
        r#"{"reply":"matches","account":"a1B2c3D4","member":"0123456789A","secret_version":1}"#;
    let reply: NameReply = serde_json::from_str(matches).unwrap();
    let NameReply::Matches { confirmed, memberships, .. } = reply else { panic!("{reply:?}") };
    assert!(!confirmed && memberships.is_empty());
    let claimed = r#"{"reply":"claimed","secret_version":1}"#;
    let reply: NameReply = serde_json::from_str(claimed).unwrap();
    assert_eq!(reply, NameReply::Claimed { secret_version: SecretVersion(1), accounts: 0 });
}
