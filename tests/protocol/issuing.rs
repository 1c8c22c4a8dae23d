//! What issuers issue, and what of it is revoked.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::{IssuedBy, KeyView};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::SealedId;
use claviger_core::config::terms::Bound;
use claviger_core::credential::grant::IssuerProof;
use claviger_core::credential::issuer::{
    Ceiling, Issued, Issuer, Issuing, RevokedSealed, SealingGeneration,
};
use claviger_core::credential::limits::lifetime::{Expiry, ExpiryError};
use claviger_core::credential::limits::network::Networks;
use claviger_core::replication::edge_call::{IssueByApi, ReadExpiry};
use claviger_core::replication::record::{Revision, Standing};
use claviger_core::replication::refresh::AccountState;

use crate::{at, digest, key_id, pin, record, view, view_json, written};

const CEILING: &str = r#"{"permissions":["demo:read"],"networks":[],"longest":null}"#;

const SEALED: &str = "a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez";

fn sealed_id() -> SealedId {
    SealedId::parse(SEALED).unwrap()
}

fn ceiling() -> Ceiling {
    serde_json::from_str(CEILING).unwrap()
}

#[test]
fn issuing() {
    let proof = IssuerProof { issuer: Issuer::Key(key_id()), digest: digest() };
    let text = written(vec![LedgerRequest::IssueByApi(IssueByApi {
        id: key_id(),
        digest: digest(),
        proof,
        at: at(5),
        expires: Expiry::At(at(6)),
        networks: Networks::anywhere(),
        address: None,
    })]);
    insta::assert_snapshot!("issue_by_api", text);
    pin(vec![(
        LedgerRequest::ReadExpiry(ReadExpiry { text: "2027/06/30".into(), at: at(5) }),
        r#"{"ask":"read_expiry","text":"2027/06/30","at":5}"#.into(),
    )]);
    pin(vec![
        (
            LedgerReply::Expiry { expires: Expiry::At(at(6)) },
            r#"{"reply":"expiry","expires":6}"#.into(),
        ),
        (
            LedgerReply::ExpiryRefused { error: ExpiryError::InThePast { at: at(6) } },
            r#"{"reply":"expiry_refused","error":{"code":"in_the_past","at":6}}"#.into(),
        ),
    ]);
    pin(vec![(
        Command::RevokeSealed { id: sealed_id(), issuer: Issuer::Service, until: at(7) },
        format!(r#"{{"do":"revoke_sealed","id":"{SEALED}","issuer":"service","until":7}}"#),
    )]);
    let bound = Bound { at: at(7), within_s: 10, is_eventual: false };
    let issued_by = IssuedBy::Key { id: key_id(), name: "Cron".into() };
    let key = KeyView { issuable: Some(ceiling()), issued_by: Some(issued_by), ..view() };
    let key_json = serde_json::to_value(&key).unwrap();
    assert_eq!(key_json["issuable"].to_string().len(), CEILING.len());
    assert_eq!(
        key_json["issued_by"].to_string(),
        r#"{"id":"a1B2c3D47Hq0p2Zx9K","kind":"key","name":"Cron"}"#
    );
    let bare: KeyView = serde_json::from_str(&view_json()).unwrap();
    assert_eq!((bare.issuable, bare.issued_by), (None, None), "absence grants nothing");
    let text = written(vec![
        LedgerReply::Revoked { bound, all_of_issuer: true, record: None, revision: None },
        LedgerReply::Revoked {
            bound,
            all_of_issuer: false,
            record: None,
            revision: Some(Revision(13)),
        },
        LedgerReply::Refused(Refusal::IssuerRefused),
    ]);
    insta::assert_snapshot!("revocation_replies", text);
}

#[test]
fn records_and_states() {
    let issuer = record(|credential| {
        let issuing = Some(Issuing { generation: SealingGeneration(3), ceiling: ceiling() });
        Standing::Active(claviger_core::replication::record::Credential { issuing, ..credential })
    });
    let json = serde_json::to_string(&issuer).unwrap();
    assert!(
        json.ends_with(&format!(r#","issuing":{{"generation":3,"ceiling":{CEILING}}}}}"#)),
        "{json}"
    );
    let issued = record(|credential| {
        let issued =
            Some(Issued { by: Issuer::Key(key_id()), generation: SealingGeneration(3), at: at(5) });
        Standing::Active(claviger_core::replication::record::Credential { issued, ..credential })
    });
    let json = serde_json::to_string(&issued).unwrap();
    let end = r#","issued":{"by":{"key":"a1B2c3D47Hq0p2Zx9K"},"generation":3,"at":5}}"#;
    assert!(json.ends_with(end), "{json}");
    let opened = r#"{"protected_api":["192.0.2.0/24"],"smtp":["2001:db8::1"]}"#;
    let text = written(vec![AccountState {
        revision: Revision(3),
        freshness_ms: 10_000,
        revoked_sealed: vec![RevokedSealed { id: sealed_id(), until: at(7) }],
        operator: true,
        networks: serde_json::from_str(opened).unwrap(),
        ..AccountState::default()
    }]);
    insta::assert_snapshot!("account_state", text);
}
