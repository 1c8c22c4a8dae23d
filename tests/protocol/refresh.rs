//! What an isolate is told of an account, and what is told of the account's state.

use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::view::Progress;
use claviger_core::config::terms::Bound;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::{Epoch, Revision};
use claviger_core::replication::refresh::{
    AccountState, Caller, Delta, Mark, Refresh, RefreshAnswer, RefreshRequest, RefusedUses,
    ServiceUses, Unsettled, UsageBatch, Use,
};
use claviger_core::replication::superseded::{Superseded, SupersededFilter};

use crate::{at, key_id, written};

#[test]
fn refreshes_and_what_holds_for_the_account() {
    let mark = Mark { id: key_id(), revision: Revision(12) };
    let epoch = || Epoch::new(0x5f2c_9a0b_7d1e_4386);
    let state =
        || AccountState { revision: Revision(3), freshness_ms: 10_000, ..AccountState::default() };
    let address = ClientAddress::parse("203.0.113.7").unwrap();
    let caller = || Caller { address, count: 2, last_at: at(5) };
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
            refusals: vec![RefusedUses { reason: "expired".into(), count: 1, last_at: at(4) }],
        }],
        service: Some(ServiceUses {
            count: 2,
            last_at: Some(at(5)),
            callers: vec![caller()],
            refused: 1,
            refused_from: vec![],
        }),
    };
    let text = written(vec![
        LedgerRequest::Refresh(RefreshRequest {
            epoch: Some(epoch()),
            known_revision: Revision(11),
            state_revision: Revision(3),
            ask: vec![key_id()],
            unused: Vec::new(),
            asked_from: None,
            usage: Some(usage),
        }),
        LedgerRequest::SetState { freshness_ms: Some(0), suspended: None },
        LedgerRequest::Refresh(RefreshRequest {
            ask: vec![key_id()],
            unused: vec![key_id()],
            ..RefreshRequest::default()
        }),
        LedgerRequest::Rebuild,
        LedgerRequest::Progress,
        LedgerRequest::Restored { epoch: epoch() },
    ]);
    insta::assert_snapshot!("refresh_requests", text);
    let bare: LedgerRequest = serde_json::from_str(r#"{"ask":"refresh"}"#).unwrap();
    assert!(
        matches!(bare, LedgerRequest::Refresh(request) if request == RefreshRequest::default())
    );
    let text = written(vec![
        LedgerReply::Refreshed(Refresh {
            epoch: epoch(),
            revision: Revision(12),
            delta: Delta::Changes(vec![mark]),
            unsettled: Unsettled::Set(vec![mark]),
            state: Some(state()),
            answers: vec![RefreshAnswer { id: key_id(), record: None }],
            document: 1_795_262_400_000,
            superseded: Some(Superseded::Keys(vec![key_id()])),
        }),
        LedgerReply::Refreshed(Refresh {
            epoch: epoch(),
            revision: Revision(12),
            delta: Delta::Reset,
            unsettled: Unsettled::Overflow,
            state: None,
            answers: vec![],
            document: 0,
            superseded: Some(Superseded::Filter(SupersededFilter::of(&[key_id()]))),
        }),
        LedgerReply::State {
            state: state(),
            bound: Some(Bound { at: at(7), within_s: 10, is_eventual: false }),
        },
        LedgerReply::Progress(Progress {
            rebuilding: true,
            done: 1,
            total: 2,
            unsettled: 3,
            lag_s: Some(4),
        }),
    ]);
    insta::assert_snapshot!("refresh_replies", text);
}
