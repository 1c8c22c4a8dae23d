mod factors;
mod identity;

use claviger_core::base::id::TokenId;
use claviger_core::base::secret::SecretText;
use claviger_core::testing::key_id;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;

use super::*;
use crate::admin::config::tests::config;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::keys::KeyName;
use crate::protocol::zone::Zone;

const SIGNS: &str = "<b>&\"'\r\nBcc: eve@example.com\r\n\r\n.";

fn deletion() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

fn zone() -> Zone {
    Zone::parse("Asia/Tokyo").unwrap()
}

/// 2026-11-21T12:00:00Z.
const START: UnixMs = UnixMs::from_ms(1_795_262_400_000);

fn at(s: u64) -> UnixMs {
    START.saturating_add(claviger_core::base::time::DurationMs::from_s(s))
}

fn envelope(language: Language, letter: Letter, sealed: Option<Ciphertext>) -> Envelope {
    let (id, to) =
        ("deletion-code/a1B2c3D4/0123456789/1".to_owned(), Email::parse("mei@example.jp").unwrap());
    Envelope { id, account: key_id().account(), to, language, written_at: START, letter, sealed }
}

fn keys(names: &[&str]) -> Vec<KeyName> {
    names.iter().map(|name| KeyName { id: key_id(), name: (*name).to_owned() }).collect()
}

fn code(account: &str, names: &[&str]) -> Letter {
    let (account, keys) = (account.to_owned(), keys(names));
    Letter::DeletionCode { deletion: deletion(), account, keys, until: at(600), zone: zone() }
}

fn notice(by: &str, names: &[&str], address: Option<&str>) -> Letter {
    Letter::DeletionNotice {
        account: "Example KK".into(),
        keys: keys(names),
        by: by.into(),
        address: address.map(str::to_owned),
        at: START,
        bound: at(10),
        restorable_until: at(30 * 24 * 60 * 60),
        zone: zone(),
    }
}

fn sealed() -> Option<Ciphertext> {
    let code = SecretText::new("314159".into());
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    encryption::encrypt(
        &code,
        code_associated_data(key_id().account(), &deletion()),
        &config().master,
        rng,
    )
}

fn composed(language: Language, letter: Letter) -> Message {
    compose(&envelope(language, letter, sealed()), &config()).unwrap()
}

fn raw(message: &Message) -> String {
    mime::write(message, &Email::parse("keys@example.com").unwrap()).unwrap()
}

#[test]
fn a09_the_code_s_mail_names_the_keys_the_code_and_its_end() {
    let english = composed(Language::En, code("Example KK", &["Build server", "Cron"]));
    assert_eq!(english.subject, "Code to delete 2 API keys");
    assert_eq!(
        english.text,
        "Someone who is signed in as you wants to delete these 2 API keys of Example KK:\n\n\
        - Build server (clv_a1B2c3D47Hq0p2Zx9K)\n- Cron (clv_a1B2c3D47Hq0p2Zx9K)\n\n\
        To confirm it, enter this code in the console. It deletes these keys and nothing else, until 21 Nov 2026, 21:10 (Asia/Tokyo):\n\n    \
        314159\n\n\
        If it was not you who asked for this, give the code to nobody, and tell whoever runs this service: someone else is signed in as you.\n"
    );
    let japanese = composed(Language::Ja, code("株式会社例", &["経理サーバー"]));
    assert_eq!(japanese.subject, "APIキーを削除するための認証コード");
    for part in [
        "株式会社例",
        "経理サーバー（clv_a1B2c3D47Hq0p2Zx9K）",
        "2026年11月21日 21:10（Asia/Tokyo）",
        "314159",
    ] {
        assert!(japanese.text.contains(part) && japanese.html.contains(part), "{part}");
    }
    assert!(japanese.html.contains("<html lang=\"ja\">"));
}

#[test]
fn a09_the_notice_names_who_where_when_and_the_way_back() {
    let english =
        composed(Language::En, notice("Mei Tanaka", &["Build server"], Some("203.0.113.7")));
    assert_eq!(english.subject, "An API key was deleted");
    for part in [
        "Mei Tanaka deleted this API key of Example KK on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 203.0.113.7:",
        "- Build server (clv_a1B2c3D47Hq0p2Zx9K)",
        "It is refused everywhere from 21 Nov 2026, 21:00:10 (Asia/Tokyo) on.",
        "Until 21 Dec 2026, 21:00 (Asia/Tokyo), it can be restored on the console: http://localhost:8787",
    ] {
        assert!(english.text.contains(part), "{part}\n{}", english.text);
    }
    let japanese = composed(Language::Ja, notice("田中", &["a", "b"], None));
    assert_eq!(japanese.subject, "APIキー2件が削除されました");
    assert!(japanese.text.contains("田中 さんが2026年11月21日 21:00:00（Asia/Tokyo）に、不明なアドレスから、Example KK の次のAPIキー2件を削除しました。"), "{}", japanese.text);
}

#[test]
fn names_are_text_in_html_and_no_line_of_a_header_or_body_begins_with_them() {
    for language in [Language::En, Language::Ja] {
        for letter in [
            code(SIGNS, &[SIGNS]),
            notice(SIGNS, &[SIGNS], Some(SIGNS)),
            code(SIGNS, &[SIGNS, SIGNS]),
        ] {
            let message = composed(language, letter);
            assert!(
                !message.html.contains("<b>")
                    && !message.html.contains("&\"")
                    && !message.html.contains("'\r")
            );
            assert!(message.html.contains("&lt;b&gt;&amp;&quot;&#39;"), "{}", message.html);
            assert!(!message.subject.contains(['\r', '\n', '<']));
            for text in [&message.text, &message.html] {
                assert!(
                    text.lines().all(|line| !line.starts_with("Bcc:") && line != "."),
                    "{text}"
                );
            }
            let raw = raw(&message);
            let (head, _) = raw.split_once("\r\n\r\n").unwrap();
            assert!(
                head.lines().all(|line| !line.to_ascii_lowercase().starts_with("bcc")),
                "{head}"
            );
        }
    }
}

#[test]
fn a_message_is_the_same_to_the_byte_each_time() {
    let message = composed(Language::Ja, code("株式会社例", &["経理サーバー"]));
    let again = composed(Language::Ja, code("株式会社例", &["経理サーバー"]));
    assert_eq!(
        (raw(&message), http::body(&message, &message.to)),
        (raw(&again), http::body(&again, &again.to))
    );
}

#[test]
fn mime_is_ascii_with_encoded_words_and_short_lines() {
    let raw =
        raw(&composed(Language::Ja, code("株式会社例", &["経理サーバー".repeat(8).as_str()])));
    assert!(raw.is_ascii());
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    for header in [
        "From: <keys@example.com>",
        "To: <mei@example.jp>",
        "Date: Sat, 21 Nov 2026 12:00:00 +0000",
        "Message-ID: <deletion-code/a1B2c3D4/0123456789/1@example.com>",
        "Content-Language: ja",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(head.lines().any(|line| line == header), "{header}\n{head}");
    }
    assert!(head.contains("Subject: =?utf-8?"), "{head}");
    assert!(raw.lines().all(|line| line.len() <= 78), "{raw}");
    let boundary = head.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(body.matches(&format!("--{boundary}")).count(), 3);
}

#[test]
fn the_body_for_an_http_service_has_the_documented_members() {
    let message = composed(Language::En, code("Example KK", &["Build server"]));
    let body: Value =
        serde_json::from_str(&http::body(&message, &Email::parse("keys@example.com").unwrap()))
            .unwrap();
    assert_eq!(body["from"], "keys@example.com");
    assert_eq!(body["to"], serde_json::json!(["mei@example.jp"]));
    assert_eq!(
        (&body["subject"], &body["text"]),
        (&Value::from(message.subject), &Value::from(message.text))
    );
    assert_eq!(body.as_object().unwrap().len(), 5);
}

#[test]
fn what_will_not_change_is_told_from_what_may() {
    for (taking, statuses) in [
        (Taking::Taken, &[200, 202, 299][..]),
        (Taking::NotNow, &[199, 301, 401, 402, 403, 404, 405, 408, 409, 425, 429, 500, 503, 599]),
        (Taking::Never, &[400, 406, 410, 413, 415, 422, 451, 499]),
    ] {
        for status in statuses {
            assert_eq!(http::taking(*status), taking, "{status}");
        }
    }
    for (taking, codes) in [
        (
            Taking::NotNow,
            &[
                "E_SENDER_NOT_VERIFIED",
                "E_RECIPIENT_NOT_ALLOWED",
                "E_RATE_LIMIT_EXCEEDED",
                "E_DELIVERY_FAILED",
                "E_",
                "",
            ][..],
        ),
        (
            Taking::Never,
            &[
                "E_RECIPIENT_SUPPRESSED",
                "E_CONTENT_TOO_LARGE",
                "E_HEADER_NOT_ALLOWED",
                "E_HEADERS_TOO_MANY",
            ],
        ),
    ] {
        for code in codes {
            assert_eq!(mime::taking(code), taking, "{code}");
        }
    }
}

#[test]
fn without_its_code_a_letter_is_no_message() {
    let letter = || code("Example KK", &["Build server"]);
    assert!(compose(&envelope(Language::En, letter(), None), &config()).is_none());
    let other = Letter::DeletionCode {
        deletion: TokenId::parse("0123456780").unwrap(),
        account: "Example KK".into(),
        keys: keys(&["Build server"]),
        until: START,
        zone: zone(),
    };
    let other = envelope(Language::En, other, sealed());
    assert!(compose(&other, &config()).is_none(), "another deletion's code");
}

#[test]
fn neither_a_message_nor_an_envelope_prints_its_code() {
    let message = composed(Language::En, code("Example KK", &["Build server"]));
    assert!(message.text.contains("314159") && !format!("{message:?}").contains("314159"));
    assert!(!message.subject.contains("314159"));
}

/// Later releases must be able to read every letter that a ledger has stored.
#[test]
fn the_stored_letters_are_pinned() {
    for (name, letter) in [
        ("deletion_code", code("Example KK", &["Cron"])),
        ("deletion_notice", notice("Mei", &["Cron"], None)),
    ] {
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&letter).unwrap());
        let json = serde_json::to_string(&letter).unwrap();
        assert_eq!(serde_json::from_str::<Letter>(&json).unwrap(), letter);
    }
}

#[test]
fn the_notice_promises_no_more_than_the_deployment_does() {
    let letter = || notice("Mei Tanaka", &["Build server"], None);
    for (freshness, outage, told) in [
        ("bounded", "grace:60", "from 21 Nov 2026, 21:01:10 (Asia/Tokyo) on."),
        ("eventual", "deny", "Most places refuse it within a minute, some later."),
    ] {
        let terms =
            claviger_core::config::terms::Terms::parse(Some(freshness), Some(outage)).unwrap();
        let config = AdminConfig { terms, ..config() };
        let message = compose(&envelope(Language::En, letter(), None), &config).unwrap();
        assert!(message.text.contains(told), "{}", message.text);
        assert_eq!(message.text.contains("refused everywhere"), freshness == "bounded");
    }
}
