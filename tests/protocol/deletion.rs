//! Deletions that a mailed code confirms.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::{DeletionState, DeletionView, MailState, NewCode};
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::keys::{KeyName, KeyView};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::TokenId;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Revision, Standing};

use crate::{at, digest, email, key_id, pin, record, view, written};

#[test]
fn deletions() {
    let id = TokenId::parse("0123456789").unwrap();
    let code = || NewCode { mac: digest(), sealed: Ciphertext::from_stored("b.AAAA".into()) };
    let text = written(vec![
        Command::BeginDeletion { id, keys: vec![key_id()], code: code() },
        Command::ShowDeletion { id },
        Command::MailDeletionCode { id, code: code() },
        Command::ConfirmDeletion { id, mac: digest() },
        Command::RestoreKey { id: key_id(), expected: Revision(12) },
    ]);
    insta::assert_snapshot!("deletion_requests", text);
    let deleted = KeyView { deleted_at: Some(at(9)), protected: true, ..view() };
    let deletion = |state, mail| {
        LedgerReply::Deletion(DeletionView {
            id,
            keys: vec![deleted.clone()],
            sent_to: email(),
            state,
            expires: at(5),
            tries_left: 4,
            mail,
            bound_within_s: 10,
            restorable_until: at(6),
        })
    };
    let text = written(vec![
        deletion(DeletionState::Open, MailState::Queued),
        deletion(DeletionState::CodeOver, MailState::Failing),
        deletion(DeletionState::Over, MailState::Sent),
        deletion(DeletionState::Open, MailState::Refused),
        deletion(DeletionState::Done, MailState::Sent),
        LedgerReply::Deleted {
            records: vec![record(|_| Standing::Deleted)],
            bound: Bound { at: at(7), within_s: 10, is_eventual: false },
            restorable_until: at(8),
        },
    ]);
    insta::assert_snapshot!("deletion_replies", text);
    let name = KeyName { id: key_id(), name: "Cron".into() };
    pin(vec![
        (
            Refusal::KeysNotFound { keys: vec![key_id()] },
            r#"{"refusal":"keys_not_found","keys":["a1B2c3D47Hq0p2Zx9K"]}"#.into(),
        ),
        (
            Refusal::Protected { keys: vec![name] },
            r#"{"refusal":"protected","keys":[{"id":"a1B2c3D47Hq0p2Zx9K","name":"Cron"}]}"#.into(),
        ),
        (Refusal::NotDeleted, r#"{"refusal":"not_deleted"}"#.into()),
        (
            Refusal::TooManyCodes { until: at(8) },
            r#"{"refusal":"too_many_codes","until":8}"#.into(),
        ),
        (
            Refusal::TooManyExports { until: at(8) },
            r#"{"refusal":"too_many_exports","until":8}"#.into(),
        ),
        (Refusal::CodeWrong { tries_left: 4 }, r#"{"refusal":"code_wrong","tries_left":4}"#.into()),
        (Refusal::CodeOver, r#"{"refusal":"code_over"}"#.into()),
    ]);
}
