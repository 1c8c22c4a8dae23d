//! Mail about second factors.

use super::*;
use crate::protocol::envelope::FactorChange;

const ALL: [FactorChange; 5] = [
    FactorChange::TurnedOn,
    FactorChange::TurnedOff,
    FactorChange::Reset,
    FactorChange::CodesRenewed,
    FactorChange::CodeUsed,
];

fn changed(change: FactorChange) -> Letter {
    Letter::FactorsChanged {
        change,
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
    ] {
        let english = composed(Language::En, changed(change));
        assert_eq!(english.subject, subject);
        for part in [
            lead,
            "Example KK on 21 Nov 2026, 21:00:00 (Asia/Tokyo), from the address 203.0.113.7",
            "inform an owner of the account: http://localhost:8787",
        ] {
            let text = english.text.replace("Example KK was used on", "Example KK on");
            let text = text.replace("Example KK were replaced on", "Example KK on");
            assert!(text.contains(part), "{}", english.text);
        }
        let japanese = composed(Language::Ja, changed(change));
        assert_ne!(japanese.subject, subject);
        for part in ["Example KK", "2026年11月21日 21:00:00（Asia/Tokyo）", "203.0.113.7"] {
            assert!(japanese.text.contains(part), "{}", japanese.text);
        }
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
