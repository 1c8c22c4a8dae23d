//! Mail about second factors.

use super::*;
use crate::protocol::envelope::FactorChange;

const ALL: [FactorChange; 10] = [
    FactorChange::TurnedOn,
    FactorChange::TurnedOff,
    FactorChange::Reset,
    FactorChange::CodesRenewed,
    FactorChange::CodeUsed,
    FactorChange::AppAdded,
    FactorChange::AppRemoved,
    FactorChange::PasskeyAdded,
    FactorChange::PasskeyRemoved,
    FactorChange::PasskeyCloned,
];

fn changed(change: FactorChange) -> Letter {
    let is_of_passkey = matches!(
        change,
        FactorChange::PasskeyAdded | FactorChange::PasskeyRemoved | FactorChange::PasskeyCloned
    );
    about(change, is_of_passkey.then_some("Work phone"))
}

fn about(change: FactorChange, passkey: Option<&str>) -> Letter {
    Letter::FactorsChanged {
        change,
        passkey: passkey.map(str::to_owned),
        account: "Example KK".into(),
        by: (change == FactorChange::Reset).then(|| "Ken Sato".into()),
        left: 7,
        address: Some("203.0.113.7".into()),
        at: START,
        zone: zone(),
    }
}

#[test]
fn each_mail_says_what_changed_when_and_where_in_either_language() {
    for (change, subject, lead) in [
        (FactorChange::TurnedOn, "Two-step sign-in is on", "An authenticator app was turned on"),
        (
            FactorChange::TurnedOff,
            "Two-step sign-in is off",
            "The authenticator app was turned off",
        ),
        (FactorChange::Reset, "Two-step sign-in was turned off", "Ken Sato turned off"),
        (FactorChange::CodesRenewed, "You have new recovery codes", "no longer work"),
        (FactorChange::CodeUsed, "A recovery code was used", "still work: 7."),
        (FactorChange::AppAdded, "An authenticator app was added", "beside your passkeys"),
        (FactorChange::AppRemoved, "The authenticator app was removed", "stays on"),
        (FactorChange::PasskeyAdded, "A passkey was added", "The passkey \"Work phone\""),
        (FactorChange::PasskeyRemoved, "A passkey was removed", "The passkey \"Work phone\""),
        (
            FactorChange::PasskeyCloned,
            "A passkey may have been copied",
            "\"Work phone\" was refused",
        ),
    ] {
        let english = composed(Language::En, changed(change));
        assert_eq!(english.subject, subject);
        for part in [
            lead,
            "Example KK",
            "on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 203.0.113.7",
            "inform an owner of the account: http://localhost:8787",
        ] {
            assert!(english.text.contains(part), "{}", english.text);
        }
        let japanese = composed(Language::Ja, changed(change));
        assert_ne!(japanese.subject, subject);
        for part in ["Example KK", "2026年11月21日 21:00:00（Asia/Tokyo）", "203.0.113.7"] {
            assert!(japanese.text.contains(part), "{}", japanese.text);
        }
    }
}

#[test]
fn the_first_and_the_last_passkey_are_named() {
    for (change, lead) in [
        (FactorChange::TurnedOn, "The passkey \"Work phone\" was added"),
        (FactorChange::TurnedOff, "\"Work phone\", which was the last one, was removed"),
    ] {
        let english = composed(Language::En, about(change, Some("Work phone")));
        assert!(english.text.contains(lead), "{}", english.text);
        assert_ne!(english.text, composed(Language::En, changed(change)).text);
        let japanese = composed(Language::Ja, about(change, Some("Work phone")));
        assert!(japanese.text.contains("「Work phone」"), "{}", japanese.text);
    }
}

/// Later releases must be able to read every letter that a ledger has stored.
#[test]
fn the_stored_letters_about_factors_are_pinned() {
    let json: Vec<String> =
        ALL.map(|change| serde_json::to_string_pretty(&changed(change)).unwrap()).into();
    insta::assert_snapshot!("factors_changed", json.join("\n"));
    for change in ALL {
        let json = serde_json::to_string(&changed(change)).unwrap();
        assert_eq!(serde_json::from_str::<Letter>(&json).unwrap(), changed(change));
    }
}
