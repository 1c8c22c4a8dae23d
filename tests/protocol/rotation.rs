//! Regenerations of keys.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::keys::KeyView;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::regeneration::{NotRegenerable, RegenerationForm};
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Revision, Standing};

use crate::{at, digest, key_id, record, view, written};

#[test]
fn regenerations() {
    let regenerate = |form, sealed| Command::Regenerate {
        id: key_id(),
        expected: Revision(12),
        new_id: key_id(),
        new_digest: digest(),
        form,
        idempotency_key: "r-1".into(),
        sealed,
    };
    let form = RegenerationForm { overlap: Some("1d".into()), expires: Some("never".into()) };
    let text = written(vec![
        regenerate(RegenerationForm::default(), None),
        regenerate(form, Some(Ciphertext::from_stored("b.AAAA".into()))),
        Command::EndOverlap { id: key_id(), expected: Revision(12) },
    ]);
    insta::assert_snapshot!("regeneration_requests", text);
    let key = KeyView { replaces: Some(key_id()), overlap_until: Some(at(9)), ..view() };
    let text = written(vec![LedgerReply::Regenerated {
        key,
        replaced: KeyView { replaced_by: Some(key_id()), ..view() },
        records: vec![record(|_| Standing::Deleted), record(Standing::Active)],
        bound: Bound { at: at(7), within_s: 10, is_eventual: false },
    }]);
    insta::assert_snapshot!("regeneration_replies", text);
    let not = |reason| Refusal::NotRegenerable { reason };
    let text = written(vec![
        not(NotRegenerable::Disabled),
        not(NotRegenerable::Issued),
        not(NotRegenerable::Replaced),
        Refusal::Replaced { by: key_id() },
        Refusal::NotReplaced,
    ]);
    insta::assert_snapshot!("regeneration_refusals", text);
}
