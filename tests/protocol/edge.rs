//! What an edge says to a ledger and reads of its answers, in types of its own: the data plane does
//! not know the rest of the protocol.

use claviger_control::ledger::ledger::Ledger;
use claviger_control::protocol::draft::field::FieldError;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::SealedId;
use claviger_core::config::terms::Bound;
use claviger_core::credential::grant::IssuerProof;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::limits::lifetime::{Expiry, ExpiryError};
use claviger_core::replication::edge_call::{
    EdgeRequest, ExpiryReply, IssueByApi, IssueRefusal, IssueReply, ReadExpiry, RefreshReply,
    Reply, RevokeByClient, RevokeReply,
};
use claviger_core::replication::record::{Epoch, Revision, Standing};
use claviger_core::replication::refresh::{Delta, Refresh, RefreshRequest, Unsettled};
use claviger_core::replication::superseded::Superseded;

use crate::{NoSql, ask_as, at, digest, key_id, limits, record, view};

/// The text of the digest that [`digest`] returns.
const DIGEST: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

#[test]
fn a_ledger_reads_every_request_of_an_edge_as_what_it_is() {
    let refresh = RefreshRequest {
        known_revision: Revision(11),
        ask: vec![key_id()],
        ..RefreshRequest::default()
    };
    let issue = IssueByApi {
        id: key_id(),
        digest: digest(),
        proof: IssuerProof { issuer: Issuer::Service, digest: digest() },
        at: at(5),
        expires: Expiry::At(at(6)),
        networks: limits().networks,
        address: Some("203.0.113.7".into()),
    };
    let expiry = ReadExpiry { text: "2027-06-30".into(), at: at(5) };
    let revoke = RevokeByClient {
        id: SealedId::parse("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez").unwrap(),
        until: at(6),
        proof: IssuerProof { issuer: Issuer::Key(key_id()), digest: digest() },
        address: None,
    };
    for sent in [
        EdgeRequest::Refresh(refresh),
        EdgeRequest::IssueByApi(issue),
        EdgeRequest::ReadExpiry(expiry),
        EdgeRequest::RevokeByClient(revoke),
    ] {
        let json = serde_json::to_string(&sent).unwrap();
        let read: LedgerRequest = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        let (sent, read) = match (sent, read) {
            (EdgeRequest::Refresh(sent), LedgerRequest::Refresh(read)) => {
                (format!("{sent:?}"), format!("{read:?}"))
            }
            (EdgeRequest::IssueByApi(sent), LedgerRequest::IssueByApi(read)) => {
                (format!("{sent:?}"), format!("{read:?}"))
            }
            (EdgeRequest::ReadExpiry(sent), LedgerRequest::ReadExpiry(read)) => {
                (format!("{sent:?}"), format!("{read:?}"))
            }
            (EdgeRequest::RevokeByClient(sent), LedgerRequest::RevokeByClient(read)) => {
                (format!("{sent:?}"), format!("{read:?}"))
            }
            (
                sent @ (EdgeRequest::Refresh(_)
                | EdgeRequest::IssueByApi(_)
                | EdgeRequest::ReadExpiry(_)
                | EdgeRequest::RevokeByClient(_)),
                read,
            ) => {
                panic!("{sent:?} is read as {read:?}")
            }
        };
        assert_eq!(sent, read);
    }
}

#[test]
fn an_edge_s_call_is_read_as_an_edge_s_request_alone() {
    let refused = r#"{"reply":"refused","refusal":"not_understood"}"#;
    let open = format!(
        r#"{{"ask":"open","account":"a1B2c3D4","name":"x","zone":"UTC","owner":{{"id":"0123456789A","name":"x","email":"mei@example.jp","language":"ja","secret_version":1}},"session":{{"id":"0123456789","digest":"{DIGEST}"}}}}"#
    );
    for request in [
        r#"{"ask":"exists"}"#,
        r#"{"ask":"inspect"}"#,
        r#"{"ask":"rebuild"}"#,
        r#"{"ask":"set_state","suspended":true}"#,
        &*open,
    ] {
        assert!(serde_json::from_str::<LedgerRequest>(request).is_ok(), "{request}");
        assert_eq!(ask_as::<EdgeRequest, _>(&Ledger::new(&NoSql), request), refused, "{request}");
    }
}

fn read<T: Reply>(json: &str) -> T {
    T::parse(json).unwrap_or_else(|| panic!("{json}"))
}

/// A ledger's answer as each of an edge's calls reads it.
fn readings(json: &str) -> [String; 3] {
    let refreshed = match read(json) {
        RefreshReply::Refreshed(refresh) => format!("{refresh:?}"),
        RefreshReply::Gone => "gone".into(),
        RefreshReply::Failed => "failed".into(),
    };
    let issued = match read(json) {
        IssueReply::Changed { record } => format!("{record:?}"),
        IssueReply::Refused(refusal) => format!("{refusal:?}"),
        IssueReply::Failed => "failed".into(),
    };
    let expiry = match read(json) {
        ExpiryReply::Expiry { expires } => format!("{expires:?}"),
        ExpiryReply::ExpiryRefused { error } => format!("{error:?}"),
        ExpiryReply::Failed => "failed".into(),
    };
    [refreshed, issued, expiry]
}

#[test]
fn an_edge_reads_the_answers_to_its_calls_and_takes_every_other_for_a_failure() {
    let failed = || "failed".to_owned();
    let refresh = Refresh {
        epoch: Epoch::new(1),
        revision: Revision(12),
        delta: Delta::Reset,
        unsettled: Unsettled::Overflow,
        state: None,
        answers: vec![],
        document: 0,
        superseded: Some(Superseded::Keys(Vec::new())),
    };
    let stored = record(Standing::Active);
    let changed = |key| LedgerReply::Changed { key, record: stored.clone(), bound: None };
    let refused = |refusal: Refusal, read: IssueRefusal| {
        (LedgerReply::Refused(refusal), [failed(), format!("{read:?}"), failed()])
    };
    let mut rows = vec![
        (LedgerReply::Refreshed(refresh.clone()), [format!("{refresh:?}"), failed(), failed()]),
        (LedgerReply::Gone, ["gone".into(), failed(), failed()]),
        (changed(None), [failed(), format!("{stored:?}"), failed()]),
        (changed(Some(view())), [failed(), format!("{stored:?}"), failed()]),
        refused(Refusal::IdTaken, IssueRefusal::IdTaken),
        refused(Refusal::TooManyKeys { max: 20_000 }, IssueRefusal::TooManyKeys),
        refused(Refusal::IssuerRefused, IssueRefusal::IssuerRefused),
        refused(Refusal::NotUnderstood, IssueRefusal::Other),
        refused(Refusal::NotFound, IssueRefusal::Other),
        refused(Refusal::AlreadyIssued { key: Some(Box::new(view())) }, IssueRefusal::Other),
        refused(
            Refusal::Invalid { errors: vec![FieldError::new("q", "too_long", "")] },
            IssueRefusal::Other,
        ),
        (LedgerReply::Done, [failed(), failed(), failed()]),
        (LedgerReply::Key(view()), [failed(), failed(), failed()]),
    ];
    for expires in [Expiry::Never, Expiry::At(at(6))] {
        rows.push((LedgerReply::Expiry { expires }, [failed(), failed(), format!("{expires:?}")]));
    }
    for error in [
        ExpiryError::Empty,
        ExpiryError::TooLong { max: 40 },
        ExpiryError::NotATime,
        ExpiryError::LooksLikeUnixTime { at: at(4) },
        ExpiryError::LooksLikeDate,
        ExpiryError::BlankForPlus,
        ExpiryError::NoSuchDay,
        ExpiryError::NoSuchTime,
        ExpiryError::NoSuchOffset,
        ExpiryError::ZeroDuration,
        ExpiryError::InThePast { at: at(5) },
        ExpiryError::TooFar { max: at(6) },
        ExpiryError::BeginsAfterEnd { at: at(7) },
    ] {
        rows.push((
            LedgerReply::ExpiryRefused { error },
            [failed(), failed(), format!("{error:?}")],
        ));
    }
    for (reply, expected) in rows {
        let json = serde_json::to_string(&reply).unwrap();
        assert_eq!(readings(&json), expected, "{json}");
    }
    let other = format!("{:?}", IssueRefusal::Other);
    for (newer, expected) in [
        (r#"{"reply":"forecast"}"#, [failed(), failed(), failed()]),
        (
            r#"{"reply":"forecast","epoch":1,"record":[],"expires":"soon"}"#,
            [failed(), failed(), failed()],
        ),
        (r#"{"reply":"refused","refusal":"forecast","key":{"id":1}}"#, [failed(), other, failed()]),
    ] {
        assert_eq!(readings(newer), expected, "{newer}");
    }
}

/// A whole answer that is no answer at all: the caller counts it as a failure, too.
#[test]
fn what_is_no_answer_is_none_and_absence_grants_nothing() {
    for bad in ["", "null", "{}", "[]", r#"{"reply":7}"#] {
        assert!(RefreshReply::parse(bad).is_none(), "{bad}");
        assert!(IssueReply::parse(bad).is_none(), "{bad}");
        assert!(ExpiryReply::parse(bad).is_none(), "{bad}");
    }
    assert!(ExpiryReply::parse(r#"{"reply":"expiry"}"#).is_none());
    assert!(IssueReply::parse(r#"{"reply":"changed"}"#).is_none());
    assert!(IssueReply::parse(r#"{"reply":"refused"}"#).is_none());
}

#[test]
fn s16_an_edge_reads_what_a_ledger_says_of_a_revocation() {
    let bound = Bound { at: at(7), within_s: 10, is_eventual: false };
    for (reply, expected) in [
        (
            LedgerReply::Revoked {
                bound,
                all_of_issuer: true,
                record: Some(record(Standing::Active)),
                revision: Some(Revision(12)),
            },
            RevokeReply::Revoked { revision: Some(Revision(12)) },
        ),
        (
            LedgerReply::Revoked { bound, all_of_issuer: false, record: None, revision: None },
            RevokeReply::Revoked { revision: None },
        ),
        (LedgerReply::Refused(Refusal::IssuerRefused), RevokeReply::ClientRefused),
        (LedgerReply::Refused(Refusal::TooManyRevocations), RevokeReply::Failed),
        (LedgerReply::Refused(Refusal::NotUnderstood), RevokeReply::Failed),
        (LedgerReply::Gone, RevokeReply::Failed),
        (LedgerReply::Done, RevokeReply::Failed),
    ] {
        let json = serde_json::to_string(&reply).unwrap();
        assert_eq!(read::<RevokeReply>(&json), expected, "{json}");
    }
    for bad in ["", "null", "{}", r#"{"reply":"revoked","revision":"7"}"#, r#"{"reply":"refused"}"#]
    {
        assert!(RevokeReply::parse(bad).is_none(), "{bad}");
    }
}
