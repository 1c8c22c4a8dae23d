//! Mail about a person's password and address.

use super::*;
use crate::protocol::mailbox::MailboxPurpose;

fn reset_code(address: Option<&str>) -> Letter {
    let address = address.map(str::to_owned);
    Letter::ResetCode { reset: deletion(), until: at(600), address, zone: zone() }
}

fn password_changed(is_reset: bool) -> Letter {
    let address = Some("203.0.113.7".to_owned());
    Letter::PasswordChanged { is_reset, address, at: START, zone: zone() }
}

#[test]
fn the_mail_of_a_reset_has_the_code_its_end_and_where_it_was_asked_for() {
    let english = composed(Language::En, reset_code(Some("203.0.113.7")));
    assert_eq!(english.subject, "Code to reset your password");
    for part in [
        "from the address 203.0.113.7.",
        "once, until 21 Nov 2026, 21:10 (Asia/Tokyo):\n\n    314159\n",
    ] {
        assert!(english.text.contains(part), "{}", english.text);
    }
    assert!(!english.subject.contains("314159"));
    let japanese = composed(Language::Ja, reset_code(None));
    assert_eq!(japanese.subject, "パスワードを再設定するための認証コード");
    for part in
        ["不明なアドレスから求められました。", "2026年11月21日 21:10（Asia/Tokyo）", "314159"]
    {
        assert!(japanese.text.contains(part), "{}", japanese.text);
    }
    assert!(compose(&envelope(Language::En, reset_code(None), None), &config()).is_none());
}

fn proof_code() -> Letter {
    Letter::ProofCode {
        session: deletion(),
        account: "Example KK".into(),
        until: at(600),
        address: Some("203.0.113.7".into()),
        zone: zone(),
    }
}

#[test]
fn the_mail_of_a_proof_has_the_code_and_names_the_account_in_its_body_alone() {
    let english = composed(Language::En, proof_code());
    assert_eq!(english.subject, "Code to confirm that it is you");
    for part in [
        "in Example KK on the API key console, from the address 203.0.113.7.",
        "once, until 21 Nov 2026, 21:10 (Asia/Tokyo):\n\n    314159\n",
    ] {
        assert!(english.text.contains(part), "{}", english.text);
    }
    let japanese = composed(Language::Ja, proof_code());
    assert_eq!(japanese.subject, "本人確認のための認証コード");
    for part in ["Example KK の操作がアドレス 203.0.113.7 から行われようとしています。", "314159"]
    {
        assert!(japanese.text.contains(part), "{}", japanese.text);
    }
    assert!(compose(&envelope(Language::En, proof_code(), None), &config()).is_none());
}

#[test]
fn the_mail_of_a_change_says_when_where_and_how() {
    for (is_reset, how) in [
        (false, "was changed on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 203.0.113.7."),
        (
            true,
            "was reset with a mailed code on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 203.0.113.7.",
        ),
    ] {
        let mail = composed(Language::En, password_changed(is_reset));
        assert_eq!(mail.subject, "Your password was changed");
        assert!(mail.text.contains(how), "{}", mail.text);
        assert!(mail.text.contains("http://localhost:8787"), "{}", mail.text);
    }
    let japanese = composed(Language::Ja, password_changed(true));
    assert_eq!(japanese.subject, "パスワードが変更されました");
    let how = "2026年11月21日 21:00:00（Asia/Tokyo）に、アドレス 203.0.113.7 から、メールの認証コードで再設定されました。";
    assert!(japanese.text.contains(how), "{}", japanese.text);
}

fn mailbox_code(purpose: MailboxPurpose) -> Letter {
    let address = Some("203.0.113.7".to_owned());
    Letter::MailboxCode { code: deletion(), purpose, until: at(600), address, zone: zone() }
}

fn address_changed(is_old: bool) -> Letter {
    let address = Some("203.0.113.7".to_owned());
    Letter::AddressChanged { is_old, address, at: START, zone: zone() }
}

#[test]
fn the_mail_that_proves_an_address_has_the_code_its_end_and_its_cause() {
    for (purpose, cause, ja) in [
        (MailboxPurpose::SetUp, "is setting up an account", "アカウントの作成が"),
        (
            MailboxPurpose::Change,
            "wants to sign in to the API key console with this address",
            "変更することが",
        ),
    ] {
        let english = composed(Language::En, mailbox_code(purpose));
        assert_eq!(english.subject, "Code to confirm your e-mail address");
        for part in [
            cause,
            "from the address 203.0.113.7.",
            "until 21 Nov 2026, 21:10 (Asia/Tokyo):\n\n    314159\n",
        ] {
            assert!(english.text.contains(part), "{}", english.text);
        }
        let japanese = composed(Language::Ja, mailbox_code(purpose));
        assert_eq!(japanese.subject, "メールアドレスを確認するための認証コード");
        for part in
            [ja, "アドレス 203.0.113.7 から求められました。", "2026年11月21日 21:10", "314159"]
        {
            assert!(japanese.text.contains(part), "{}", japanese.text);
        }
    }
}

#[test]
fn both_addresses_learn_of_a_change_when_and_where_and_what_to_do() {
    for (is_old, subject, part) in [
        (
            true,
            "Your e-mail address was changed",
            "inform an owner of your account and the operator",
        ),
        (false, "Your new e-mail address is in use", "From now on you sign in with this one."),
    ] {
        let mail = composed(Language::En, address_changed(is_old));
        assert_eq!(mail.subject, subject);
        let at = "was changed on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 203.0.113.7.";
        assert!(mail.text.contains(at) && mail.text.contains(part), "{}", mail.text);
        assert!(!mail.text.contains("http"), "{}", mail.text);
        let japanese = composed(Language::Ja, address_changed(is_old));
        assert!(
            japanese
                .text
                .contains("2026年11月21日 21:00:00（Asia/Tokyo）に、アドレス 203.0.113.7 から")
        );
    }
}

/// Later releases must be able to read every letter that a ledger has stored.
#[test]
fn the_stored_letters_about_a_password_or_an_address_are_pinned() {
    for (name, letter) in [
        ("reset_code", reset_code(Some("203.0.113.7"))),
        ("proof_code", proof_code()),
        ("password_changed", password_changed(true)),
        ("mailbox_code", mailbox_code(MailboxPurpose::SetUp)),
        ("address_changed", address_changed(true)),
    ] {
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&letter).unwrap());
        let json = serde_json::to_string(&letter).unwrap();
        assert_eq!(serde_json::from_str::<Letter>(&json).unwrap(), letter);
    }
}
