use claviger_core::base::id::AccountId;
use claviger_core::testing::key_id;

use super::*;
use crate::admin::config::tests::config;
use crate::protocol::envelope::FactorChange;
use crate::protocol::keys::KeyName;
use crate::protocol::member::Role;
use crate::protocol::notices::{NoticeItem, NoticeList, UnusualAct};
use crate::protocol::zone::Zone;

/// 2026-11-21T12:00:00Z.
const START: UnixMs = UnixMs::from_ms(1_795_262_400_000);

const LINK: &str = "https://evil.example/login";

fn zone() -> Zone {
    Zone::parse("Asia/Tokyo").unwrap()
}

fn composed(letter: Letter, language: Language) -> Message {
    let envelope = Envelope {
        id: "notice/1".into(),
        account: AccountId::parse("a1B2c3D4").unwrap(),
        to: Email::parse("mei@example.jp").unwrap(),
        language,
        written_at: START,
        letter,
        sealed: None,
    };
    compose(&envelope, &config()).unwrap()
}

fn key(name: &str) -> Option<KeyName> {
    Some(KeyName { id: key_id(), name: name.into() })
}

fn item(name: &str) -> NoticeItem {
    let network = Some("203.0.113.0/24".to_owned());
    NoticeItem { key: key(name), act: None, by: Some(name.into()), network, at: START }
}

fn list(items: Vec<NoticeItem>) -> NoticeList {
    NoticeList { items, more: 0 }
}

fn notices(name: &str) -> Letter {
    let act = NoticeItem { key: None, act: Some(UnusualAct::ActivityExported), ..item(name) };
    Letter::Notices {
        account: name.to_owned(),
        acts: list(vec![act]),
        issued: list(vec![item(name)]),
        networks: list(vec![item(name)]),
        ends: NoticeList { items: vec![item(name)], more: 7 },
        zone: zone(),
    }
}

fn new_network(name: &str) -> Letter {
    let address = Some("203.0.113.7".to_owned());
    Letter::NewNetwork { account: name.to_owned(), address, at: START, zone: zone() }
}

#[test]
fn notices_name_what_happened_and_leave_out_what_did_not() {
    let Message { subject, text, .. } = composed(notices("Build server"), Language::En);
    assert_eq!(subject, "Security notice for your API keys");
    for part in [
        "- Activity exported, Build server, 203.0.113.0/24, 21 Nov 2026, 21:00 (Asia/Tokyo)",
        "- Build server (clv_",
        "- and 7 more",
        "/#/profile/notices",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let none = NoticeList::default;
    let ends = list(vec![item("Build server")]);
    let letter = Letter::Notices {
        account: "Example KK".into(),
        acts: none(),
        issued: none(),
        networks: none(),
        ends,
        zone: zone(),
    };
    let Message { subject, text, .. } = composed(letter.clone(), Language::En);
    assert_eq!(subject, "Notice about your API keys");
    assert!(
        text.contains("end soon") && !text.contains("issued") && !text.contains("rare"),
        "{text}"
    );
    assert!(composed(letter, Language::Ja).text.contains("まもなく有効期限"));
    for (language, part) in
        [(Language::En, "from the address 203.0.113.7"), (Language::Ja, "203.0.113.7")]
    {
        assert!(composed(new_network("Example KK"), language).text.contains(part));
    }
}

#[test]
fn no_subject_and_no_link_has_a_text_that_a_customer_chose() {
    let link = || LINK.to_owned();
    let letters = [
        notices(LINK),
        new_network(LINK),
        Letter::MemberRemoved {
            account: link(),
            by: link(),
            at: START,
            zone: zone(),
            keys_end: true,
        },
        Letter::FactorsChanged {
            change: FactorChange::Reset,
            passkey: None,
            account: link(),
            by: Some(link()),
            left: 0,
            address: None,
            at: START,
            zone: zone(),
        },
        Letter::KeyGenerated {
            account: link(),
            key: KeyName { id: key_id(), name: link() },
            expires: None,
            address: None,
            at: START,
            zone: zone(),
        },
        Letter::RoleChanged {
            account: link(),
            by: link(),
            from: Role::Admin,
            to: Role::Owner,
            at: START,
            zone: zone(),
        },
        Letter::DeletionNotice {
            account: link(),
            keys: key(LINK).into_iter().collect(),
            by: link(),
            address: None,
            at: START,
            bound: START,
            restorable_until: START,
            zone: zone(),
        },
        Letter::MemberJoined {
            account: link(),
            name: link(),
            email: Email::parse("ken@example.jp").unwrap(),
            role: Role::Admin,
            at: START,
            zone: zone(),
        },
    ];
    for letter in letters {
        for language in [Language::En, Language::Ja] {
            let Message { subject, text, html, .. } = composed(letter.clone(), language);
            assert!(!subject.contains("evil"), "{subject}");
            for body in [text, html] {
                assert!(body.contains("https[:]//evil[.]example/login"), "{body}");
                assert!(!body.contains("evil.example") && !body.contains(LINK), "{body}");
            }
        }
    }
}
