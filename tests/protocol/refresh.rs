//! What an isolate is told of an account, and what is told of the account's state.

use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::view::Progress;
use claviger_core::config::terms::Bound;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::{Epoch, Revision};
use claviger_core::replication::refresh::{
    AccountState, Delta, Mark, Refresh, RefreshAnswer, RefreshRequest, Unsettled, UsageBatch, Use,
};

use crate::{at, key_id, pin};

#[test]
fn refreshes_and_what_holds_for_the_account() {
    let mark = Mark { id: key_id(), revision: Revision(12) };
    let epoch = || Epoch::new(0x5f2c_9a0b_7d1e_4386);
    let state =
        || AccountState { revision: Revision(3), freshness_ms: 10_000, ..AccountState::default() };
    let usage = UsageBatch {
        isolate: u64::MAX,
        sequence: 7,
        uses: vec![Use {
            id: key_id(),
            count: 2,
            denials: 1,
            last_at: at(5),
            addresses: vec![ClientAddress::parse("203.0.113.7").unwrap()],
            callers: vec![],
        }],
    };
    pin(vec![
    (
        LedgerRequest::Refresh(RefreshRequest {
            epoch: Some(epoch()),
            known_revision: Revision(11),
            state_revision: Revision(3),
            ask: vec![key_id()],
            unused: Vec::new(),
            asked_from: None,
            usage: Some(usage),
        }),
        r#"{"ask":"refresh","epoch":"5f2c9a0b7d1e4386","known_revision":11,"state_revision":3,"wanted":["a1B2c3D47Hq0p2Zx9K"],"usage":{"isolate":18446744073709551615,"sequence":7,"uses":[{"id":"a1B2c3D47Hq0p2Zx9K","count":2,"denials":1,"last_at":5,"addresses":["203.0.113.7"]}]}}"#.into(),
    ),
    (
        LedgerRequest::SetState { freshness_ms: Some(0), suspended: None },
        r#"{"ask":"set_state","freshness_ms":0,"suspended":null}"#.into(),
    ),
    (
        LedgerRequest::Refresh(RefreshRequest {
            ask: vec![key_id()],
            unused: vec![key_id()],
            ..RefreshRequest::default()
        }),
        r#"{"ask":"refresh","epoch":null,"known_revision":0,"state_revision":0,"wanted":["a1B2c3D47Hq0p2Zx9K"],"unused":["a1B2c3D47Hq0p2Zx9K"],"usage":null}"#.into(),
    ),
    (LedgerRequest::Rebuild, r#"{"ask":"rebuild"}"#.into()),
    (LedgerRequest::Progress, r#"{"ask":"progress"}"#.into()),
    (
        LedgerRequest::Restored { epoch: epoch() },
        r#"{"ask":"restored","epoch":"5f2c9a0b7d1e4386"}"#.into(),
    ),
]);
    let bare: LedgerRequest = serde_json::from_str(r#"{"ask":"refresh"}"#).unwrap();
    assert!(
        matches!(bare, LedgerRequest::Refresh(request) if request == RefreshRequest::default())
    );
    pin(vec![
    (
        LedgerReply::Refreshed(Refresh {
            epoch: epoch(),
            revision: Revision(12),
            delta: Delta::Changes(vec![mark]),
            unsettled: Unsettled::Set(vec![mark]),
            state: Some(state()),
            answers: vec![RefreshAnswer { id: key_id(), record: None }],
            document: 1_795_262_400_000,
        }),
        r#"{"reply":"refreshed","epoch":"5f2c9a0b7d1e4386","revision":12,"delta":{"changes":[{"id":"a1B2c3D47Hq0p2Zx9K","revision":12}]},"unsettled":{"set":[{"id":"a1B2c3D47Hq0p2Zx9K","revision":12}]},"state":{"revision":3,"freshness_ms":10000,"suspended":false},"answers":[{"id":"a1B2c3D47Hq0p2Zx9K","record":null}],"document":1795262400000}"#.into(),
    ),
    (
        LedgerReply::Refreshed(Refresh {
            epoch: epoch(),
            revision: Revision(12),
            delta: Delta::Reset,
            unsettled: Unsettled::Overflow,
            state: None,
            answers: vec![],
            document: 0,
        }),
        r#"{"reply":"refreshed","epoch":"5f2c9a0b7d1e4386","revision":12,"delta":"reset","unsettled":"overflow","state":null,"answers":[]}"#.into(),
    ),
    (
        LedgerReply::State { state: state(), bound: Some(Bound { at: at(7), within_s: 10, is_eventual: false }) },
        r#"{"reply":"state","state":{"revision":3,"freshness_ms":10000,"suspended":false},"bound":{"at":7,"within_s":10}}"#.into(),
    ),
    (
        LedgerReply::Progress(Progress { rebuilding: true, done: 1, total: 2, unsettled: 3, lag_s: Some(4) }),
        r#"{"reply":"progress","rebuilding":true,"done":1,"total":2,"unsettled":3,"lag_s":4}"#.into(),
    ),
]);
}
