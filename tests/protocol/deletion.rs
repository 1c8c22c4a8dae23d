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

use crate::{DIGEST, at, digest, email, key_id, pin, record, view, view_json};

#[test]
fn deletions() {
    let id = TokenId::parse("0123456789").unwrap();
    let code = || NewCode { mac: digest(), sealed: Ciphertext::from_stored("b.AAAA".into()) };
    let code_json = format!(r#"{{"mac":"{DIGEST}","sealed":"b.AAAA"}}"#);
    pin(vec![
        (
            Command::BeginDeletion { id, keys: vec![key_id()], code: code() },
            format!(
                r#"{{"do":"begin_deletion","id":"0123456789","keys":["a1B2c3D47Hq0p2Zx9K"],"code":{code_json}}}"#
            ),
        ),
        (Command::ShowDeletion { id }, r#"{"do":"show_deletion","id":"0123456789"}"#.into()),
        (
            Command::MailDeletionCode { id, code: code() },
            format!(r#"{{"do":"mail_deletion_code","id":"0123456789","code":{code_json}}}"#),
        ),
        (
            Command::ConfirmDeletion { id, mac: digest() },
            format!(r#"{{"do":"confirm_deletion","id":"0123456789","mac":"{DIGEST}"}}"#),
        ),
        (
            Command::RestoreKey { id: key_id(), expected: Revision(12) },
            r#"{"do":"restore_key","id":"a1B2c3D47Hq0p2Zx9K","expected":12}"#.into(),
        ),
    ]);
    let deleted = KeyView { deleted_at: Some(at(9)), protected: true, ..view() };
    let deleted_json =
        view_json().replacen(r#""protected":false"#, r#""protected":true,"deleted_at":9"#, 1);
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
    let deletion_json = |state: &str, mail: &str| {
        format!(
            r#"{{"reply":"deletion","id":"0123456789","keys":[{deleted_json}],"sent_to":"mei@example.jp","state":"{state}","expires":5,"tries_left":4,"mail":"{mail}","bound_within_s":10,"restorable_until":6}}"#
        )
    };
    pin(vec![
        (deletion(DeletionState::Open, MailState::Queued), deletion_json("open", "queued")),
        (deletion(DeletionState::CodeOver, MailState::Failing), deletion_json("code_over", "failing")),
        (deletion(DeletionState::Over, MailState::Sent), deletion_json("over", "sent")),
        (deletion(DeletionState::Open, MailState::Refused), deletion_json("open", "refused")),
        (deletion(DeletionState::Done, MailState::Sent), deletion_json("done", "sent")),
        (
            LedgerReply::Deleted {
                records: vec![record(|_| Standing::Deleted)],
                bound: Bound { at: at(7), within_s: 10, is_eventual: false },
                restorable_until: at(8),
            },
            r#"{"reply":"deleted","records":[{"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"deleted"}],"bound":{"at":7,"within_s":10},"restorable_until":8}"#.into(),
        ),
    ]);
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
