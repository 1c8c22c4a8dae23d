//! The lease document: what a refresh would tell, as a ledger publishes it to Workers KV for
//! isolates that do not ask, or cannot.
//!
//! It stands as JSON under [`kv_key`] and holds what one refresh holds, as of one moment of its
//! ledger:
//!
//! ```json
//! {"v":1,"account":"a1B2c3D4","number":1795262400000,"epoch":"5f2c9a0b7d1e4386","revision":12,"base":4,
//!  "changes":[{"id":"a1B2c3D47Hq0p2Zx9K","revision":12}],"unsettled":{"set":[]},"state":{"revision":3,"freshness_ms":10000,"suspended":false}}
//! ```
//!
//! **It may be old, never inconsistent.** Only its age is unknown: KV may serve what it held a
//! minute and more ago. Whatever it says held at `revision`, and what was settled then KV serves,
//! also later. So a lease may take it as a reply at that revision, and a reply as one after it.
//!
//! **No change is missed.** `changes` names every key that has changed after `base`. A lease that
//! knows of all changes up to `base` or later learns of each that it lacks; one that knows less
//! drops its records. That holds however long the lease did not look, and whatever documents it
//! never saw.
//!
//! **Which is newer.** `number` rises with every document, also from one history to the next and
//! across a restored ledger: it is the time of publication, or one more than the last. No document
//! of a lower number is taken than any that was known of.
//!
//! It holds no secret: of credentials it has IDs, revisions and digests, as records have. The shape
//! is pinned by tests; a document of another version, or of another account, is none.

use serde::{Deserialize, Serialize};

use crate::base::id::AccountId;
use crate::replication::record::{Epoch, Revision};
use crate::replication::refresh::{AccountState, Delta, Mark, Refresh, Unsettled};

/// Most changes that a document names: 4 KB. An isolate that has missed more of them between two
/// documents reads its keys anew.
pub const CHANGES_MAX: usize = 100;

/// Version of the stored shape.
const VERSION: u8 = 1;

/// What KV holds of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Version of the shape.
    v: u8,
    /// Whose.
    pub account: AccountId,
    /// Which document; later ones have higher numbers.
    pub number: u64,
    /// The ledger's history.
    pub epoch: Epoch,
    /// The ledger's last change.
    pub revision: Revision,
    /// `changes` names all that changed after this.
    pub base: Revision,
    /// Each key once, with its last change.
    pub changes: Vec<Mark>,
    /// What KV may have wrong: all of it.
    pub unsettled: Unsettled,
    /// What holds for the whole account.
    pub state: AccountState,
}

impl Document {
    /// A document of the present version about an account.
    pub fn new(account: AccountId, number: u64, refresh: Refresh, base: Revision) -> Option<Self> {
        let Refresh { epoch, revision, delta, unsettled, state, .. } = refresh;
        let Delta::Changes(changes) = delta else { return None };
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
        })
    }

    /// Reads what KV holds under the key of `account`. `None` when it is no document of this
    /// version, of another account, or contradicts itself: then it is no evidence at all.
    pub fn from_kv(text: &str, account: AccountId) -> Option<Self> {
        let document: Self = serde_json::from_str(text).ok()?;
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

    /// As KV holds it.
    ///
    /// # Errors
    /// None in practice: text and numbers can always be written.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The reply that it stands for, to a lease that knows all changes of `epoch` up to `known`.
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
        }
    }
}

/// Where KV keeps the lease document of `account`.
pub fn kv_key(account: AccountId) -> String {
    format!("lease/{account}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key_id;

    fn account() -> AccountId {
        AccountId::parse("a1B2c3D4").unwrap()
    }

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
        }
    }

    /// A change here needs a plan for the documents that KV already holds, and for edges one
    /// release older.
    #[test]
    fn the_stored_shape_is_pinned() {
        let text = r#"{"v":1,"account":"a1B2c3D4","number":1795262400000,"epoch":"5f2c9a0b7d1e4386","revision":12,"base":4,"changes":[{"id":"a1B2c3D47Hq0p2Zx9K","revision":12}],"unsettled":{"set":[]},"state":{"revision":3,"freshness_ms":10000,"suspended":false}}"#;
        assert_eq!(document().text().unwrap(), text);
        assert_eq!(Document::from_kv(text, account()), Some(document()));
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
