use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::SecretText;
use claviger_core::testing::key_id;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::admin::config::tests::config;
use crate::protocol::keys::KeyName;
use crate::protocol::member::Role;
use crate::protocol::zone::Zone;

/// 2026-11-21T12:00:00Z.
const START: UnixMs = UnixMs::from_ms(1_795_262_400_000);

const TOKEN: &str = "Ia1B2c3D40123456789secret";

const SIGNS: &str = "<b>&\"'\r\nBcc: eve@example.com\r\n\r\n.";

fn account() -> AccountId {
    AccountId::parse("a1B2c3D4").unwrap()
}

fn token() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

fn zone() -> Zone {
    Zone::parse("Asia/Tokyo").unwrap()
}

fn letters(name: &str) -> [Letter; 7] {
    let (account, by, at) = (name.to_owned(), name.to_owned(), START);
    [
        Letter::Invitation {
            token: token(),
            account: account.clone(),
            by: by.clone(),
            role: Role::Viewer,
            until: START,
            zone: zone(),
        },
        Letter::MemberJoined {
            account: account.clone(),
            name: by.clone(),
            email: Email::parse("ken@example.jp").unwrap(),
            role: Role::Admin,
            at,
            zone: zone(),
        },
        Letter::RoleChanged {
            account: account.clone(),
            by: by.clone(),
            from: Role::Admin,
            to: Role::Owner,
            at,
            zone: zone(),
        },
        Letter::MemberRemoved {
            account: account.clone(),
            by: by.clone(),
            at,
            zone: zone(),
            keys_end: false,
        },
        Letter::MemberRemoved { account, by, at, zone: zone(), keys_end: true },
        generated(name, Some(START)),
        generated(name, None),
    ]
}

fn generated(name: &str, expires: Option<UnixMs>) -> Letter {
    Letter::KeyGenerated {
        account: name.to_owned(),
        key: KeyName { id: key_id(), name: name.to_owned() },
        expires,
        address: Some("198.51.100.4".into()),
        at: START,
        zone: zone(),
    }
}

fn composed(language: Language, letter: Letter, subject: &TokenId) -> Option<Message> {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let text = SecretText::new(TOKEN.into());
    let place = invitation_associated_data(account(), subject);
    let sealed = encryption::encrypt(&text, place, &config().master, rng);
    let (id, to) = ("invitation/a1B2c3D4/0/1".to_owned(), Email::parse("ken@example.jp").unwrap());
    let written_at = START;
    let account = account();
    compose(&Envelope { id, account, to, language, written_at, letter, sealed }, &config())
}

#[test]
fn the_texts_name_who_what_and_when() {
    for (letter, english, japanese) in [
        (
            0,
            [
                "Mei invites you to join the account Mei. Your role: viewer.",
                "until 21 Nov 2026, 21:00 (Asia/Tokyo)",
            ],
            [
                "Mei さんが、あなたを Mei に招待しました。役割は「閲覧者」です。",
                "2026年11月21日 21:00（Asia/Tokyo）まで",
            ],
        ),
        (
            1,
            ["Mei (ken@example.jp) accepted an invitation and joined Mei", "Role: admin."],
            ["Mei さん（ken@example.jp）が", "役割は「管理者」です。"],
        ),
        (
            2,
            ["from admin to owner on 21 Nov 2026, 21:00 (Asia/Tokyo).", "ask an owner"],
            ["「管理者」から「オーナー」に変更しました。", "オーナーに確認"],
        ),
        (
            3,
            ["Mei removed you from Mei on 21 Nov 2026", "Keys that you issued stay"],
            [
                "Mei さんが2026年11月21日 21:00（Asia/Tokyo）に、あなたを Mei から削除しました。",
                "アカウントに残ります",
            ],
        ),
        (
            4,
            ["Mei removed you from Mei on 21 Nov 2026", "Your keys ended with your membership."],
            ["あなたを Mei から削除しました。", "あなたのキーも同時に使えなくなりました。"],
        ),
        // Row S05.
        (
            5,
            [
                "This API key of Mei was generated for you on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 198.51.100.4:",
                "Mei (clv_a1B2c3D47Hq0p2Zx9K)\n\nIt works until 21 Nov 2026, 21:00 (Asia/Tokyo). This mail holds no secret.",
            ],
            [
                "アドレス 198.51.100.4 から、あなたの次のAPIキーが生成されました。",
                "有効期限は2026年11月21日 21:00（Asia/Tokyo）です。",
            ],
        ),
        (
            6,
            ["It works until it is disabled or deleted.", "disable it on the console"],
            ["無効化または削除するまで有効です。", "コンソールでこのキーを無効にし"],
        ),
    ] {
        for (language, parts) in [(Language::En, english), (Language::Ja, japanese)] {
            let message = composed(language, letters("Mei")[letter].clone(), &token()).unwrap();
            for part in parts {
                assert!(message.text.contains(part), "{part}\n{}", message.text);
            }
        }
    }
}

#[test]
fn the_invitation_s_link_stands_alone_and_carries_the_token_in_its_fragment() {
    for language in [Language::En, Language::Ja] {
        let [invitation, ..] = letters("Mei");
        let message = composed(language, invitation, &token()).unwrap();
        let link = format!("http://localhost:8787/#/join/{TOKEN}");
        assert!(message.text.lines().any(|line| line == link), "{}", message.text);
        assert!(message.html.contains(&format!("<a href=\"{link}\">{link}</a>")));
        assert!(!format!("{message:?}").contains(TOKEN) && !message.subject.contains(TOKEN));
    }
    // A ciphertext that was moved here from another invitation opens nothing.
    let other = TokenId::parse("0123456780").unwrap();
    assert_eq!(composed(Language::En, letters("Mei")[0].clone(), &other), None);
}

/// A name that a customer chose could otherwise speak in the deployment's voice.
#[test]
fn no_name_stands_in_a_subject_or_breaks_out_of_its_place() {
    for language in [Language::En, Language::Ja] {
        for letter in letters(SIGNS) {
            let message = composed(language, letter, &token()).unwrap();
            assert!(!message.subject.contains("<b>") && !message.subject.contains("Bcc"));
            assert!(message.text.lines().all(|line| !line.starts_with("Bcc")));
            assert!(!message.html.contains("<b>"), "{}", message.html);
        }
    }
}
