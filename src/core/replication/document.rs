//! Defines the lease document: the content of a refresh, published by a ledger to Workers KV. It
//! serves isolates that do not ask the ledger, or cannot reach it.
//!
//! KV stores it as JSON under [`kv_key`]. It holds the content of one refresh, as of one moment of
//! its ledger:
//!
//! ```json
//! {"v":1,"account":"a1B2c3D4","number":1795262400000,"epoch":"5f2c9a0b7d1e4386","revision":12,"base":4,
//!  "changes":[{"id":"a1B2c3D47Hq0p2Zx9K","revision":12}],"unsettled":{"set":[]},"state":{"revision":3,"freshness_ms":10000,"suspended":false}}
//! ```
//!
//! **A document may be old, but never inconsistent.** Only its age is unknown: KV may serve a value
//! that is a minute old or more. Everything in the document held at `revision`. Changes that were
//! settled then are in KV, at that time and later. So a lease may take a document as a reply at
//! that revision, and take a later reply after it.
//!
//! **No change is missed.** `changes` names every key that changed after `base`. A lease that knows
//! all changes up to `base` or later learns each change that it lacks; one that knows less drops
//! its records. This holds however long the lease read no document, and whichever documents it
//! never saw.
//!
//! **Order.** `number` rises with each document, also from one epoch to the next and across a
//! restored ledger. It is the time of publication in Unix ms, or one more than the last number. An
//! isolate ignores a document with a lower number than one it knows of.
//!
//! A document holds no secret: like a record, it has only IDs, revisions and digests of
//! credentials. Tests pin its shape. A document of another version or of another account counts as
//! absent.

use serde::Serialize;

use crate::base::id::AccountId;
use crate::base::json::{FromJson, from_json};
use crate::replication::record::{Epoch, Revision};
use crate::replication::refresh::{AccountState, Delta, Mark, Refresh, Unsettled};
use crate::replication::superseded::{Superseded, SupersededFilter};

/// Most changes that a document names, 4 KB in all. An isolate that missed more changes between two
/// documents reads its keys again.
pub const CHANGES_MAX: usize = 100;

/// Version of the stored shape.
const VERSION: u8 = 1;

/// The lease document of one account, as KV stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// Version of the shape.
    v: u8,
    /// Account of the document.
    pub account: AccountId,
    /// Number of the document; newer documents have higher numbers.
    pub number: u64,
    /// Epoch of the ledger.
    pub epoch: Epoch,
    /// Revision of the ledger's last change.
    pub revision: Revision,
    /// Revision after which `changes` names all changes.
    pub base: Revision,
    /// Changed keys, each once, with the revision of its last change.
    pub changes: Vec<Mark>,
    /// All keys that KV may have wrong.
    pub unsettled: Unsettled,
    /// State of the account as a whole.
    pub state: AccountState,
    /// All keys of which KV may hold an earlier record. `None` in documents of earlier releases:
    /// any key may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded: Option<SupersededFilter>,
}

from_json!(Document {
    v: required,
    account: required,
    number: required,
    epoch: required,
    revision: required,
    base: required,
    changes: required,
    unsettled: required,
    state: required,
    superseded: optional,
});

impl Document {
    /// Creates a document of the present version. Returns `None` if the refresh carries no list of
    /// changes or no state.
    pub fn new(account: AccountId, number: u64, refresh: Refresh, base: Revision) -> Option<Self> {
        let Refresh { epoch, revision, delta, unsettled, state, superseded, .. } = refresh;
        let Delta::Changes(changes) = delta else { return None };
        let superseded = match superseded {
            Some(Superseded::Filter(filter)) => Some(filter),
            Some(Superseded::Keys(_)) | None => None,
        };
        Some(Self {
            v: VERSION,
            account,
            number,
            epoch,
            revision,
            base,
            changes,
            unsettled,
            state: state?,
            superseded,
        })
    }

    /// Parses the value of `account`'s KV key. Returns `None` if it is malformed, of another
    /// version or account, or contradicts itself; it then counts as absent.
    pub fn from_kv(text: &str, account: AccountId) -> Option<Self> {
        let document = Self::parse_json(text)?;
        let last = document.revision;
        let is_past = |mark: &Mark| mark.revision <= last;
        let is_whole = document.base <= last
            && document.state.revision <= last
            && document.changes.iter().all(is_past)
            && match &document.unsettled {
                Unsettled::Set(set) => set.iter().all(is_past),
                Unsettled::Overflow => true,
            };
        (document.v == VERSION && document.account == account && is_whole).then_some(document)
    }

    /// Returns the JSON text for KV.
    ///
    /// # Errors
    /// None in practice: texts and numbers always serialise.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Converts the document into the reply for a lease that knows all changes of `epoch` up to
    /// `known`.
    pub fn reply_to(self, epoch: Option<&Epoch>, known: Revision) -> Refresh {
        let is_covered = epoch == Some(&self.epoch) && known >= self.base;
        Refresh {
            epoch: self.epoch,
            revision: self.revision,
            delta: if is_covered { Delta::Changes(self.changes) } else { Delta::Reset },
            unsettled: self.unsettled,
            state: Some(self.state),
            answers: Vec::new(),
            document: self.number,
            superseded: self.superseded.map(Superseded::Filter),
        }
    }
}

/// Returns the KV key of `account`'s lease document.
pub fn kv_key(account: AccountId) -> String {
    format!("lease/{account}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{account, key_id};

    fn document() -> Document {
        let state =
            AccountState { revision: Revision(3), freshness_ms: 10_000, ..AccountState::default() };
        Document {
            v: VERSION,
            account: account(),
            number: 1_795_262_400_000,
            epoch: Epoch::new(0x5f2c_9a0b_7d1e_4386),
            revision: Revision(12),
            base: Revision(4),
            changes: vec![Mark { id: key_id(), revision: Revision(12) }],
            unsettled: Unsettled::Set(Vec::new()),
            state,
            superseded: Some(SupersededFilter::default()),
        }
    }

    /// A change here needs a plan for the documents that KV already holds, and for edges one
    /// release older.
    #[test]
    fn the_stored_shape_is_pinned() {
        let text = document().text().unwrap();
        insta::assert_snapshot!("document", serde_json::to_string_pretty(&document()).unwrap());
        assert_eq!(Document::from_kv(&text, account()), Some(document()));
        assert_eq!(kv_key(account()), "lease/a1B2c3D4");
    }

    #[test]
    fn what_is_no_document_of_this_account_is_no_evidence() {
        let text = document().text().unwrap();
        assert_eq!(Document::from_kv(&text, AccountId::parse("a1B2c3D5").unwrap()), None);
        for bad in [
            String::new(),
            "null".into(),
            text.replacen("\"v\":1", "\"v\":2", 1),
            text.replacen("\"base\":4", "\"base\":13", 1),
            text.replacen("K\",\"revision\":12", "K\",\"revision\":13", 1),
            text.replacen("\"state\":{\"revision\":3", "\"state\":{\"revision\":13", 1),
            text.replacen(
                r#"{"set":[]}"#,
                r#"{"set":[{"id":"a1B2c3D47Hq0p2Zx9K","revision":13}]}"#,
                1,
            ),
            text.replacen(",\"unsettled\":{\"set\":[]}", "", 1),
            text.replacen(",\"suspended\":false", "", 1),
            text.get(..text.len() - 1).unwrap().into(),
        ] {
            assert_eq!(Document::from_kv(&bad, account()), None, "{bad}");
        }
    }

    #[test]
    fn a_document_may_name_changes_up_to_its_revision_itself() {
        let last = Revision(12);
        let mut document = document();
        (document.base, document.state.revision) = (last, last);
        document.unsettled = Unsettled::Set(vec![Mark { id: key_id(), revision: last }]);
        let read = Document::from_kv(&document.text().unwrap(), account());
        assert_eq!(read, Some(document.clone()));
        document.unsettled = Unsettled::Overflow;
        assert!(Document::from_kv(&document.text().unwrap(), account()).is_some());
    }

    #[test]
    fn a_document_is_made_of_a_refresh_and_serves_as_a_reply_with_the_same_content() {
        let (document, epoch) = (document(), document().epoch);
        let reply = document.clone().reply_to(Some(&epoch), Revision(4));
        let expected = Refresh {
            epoch,
            revision: Revision(12),
            delta: Delta::Changes(document.changes.clone()),
            unsettled: document.unsettled.clone(),
            state: Some(document.state.clone()),
            answers: Vec::new(),
            document: 1_795_262_400_000,
            superseded: Some(Superseded::Filter(SupersededFilter::default())),
        };
        assert_eq!(reply, expected);
        let made = |refresh| Document::new(account(), document.number, refresh, Revision(4));
        assert_eq!(made(reply.clone()), Some(document.clone()));
        assert_eq!(made(Refresh { delta: Delta::Reset, ..reply.clone() }), None);
        assert_eq!(made(Refresh { state: None, ..reply.clone() }), None);
        // Keys since some revision are not all superseded keys.
        let some = Some(Superseded::Keys(vec![key_id()]));
        let document = made(Refresh { superseded: some, ..reply }).unwrap();
        assert_eq!(document.superseded, None);
    }

    #[test]
    fn a_lease_below_the_base_or_of_another_history_is_reset() {
        let epoch = document().epoch;
        for (known, is_covered) in [(3, false), (4, true), (12, true), (20, true)] {
            let reply = document().reply_to(Some(&epoch), Revision(known));
            assert_eq!(reply.delta != Delta::Reset, is_covered, "{known}");
        }
        assert_eq!(document().reply_to(Some(&Epoch::new(1)), Revision(12)).delta, Delta::Reset);
        assert_eq!(document().reply_to(None, Revision(12)).delta, Delta::Reset);
    }
}
