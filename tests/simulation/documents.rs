//! The lease documents that KV has held, and what they excuse: where verdicts rest on them, as long
//! as KV may serve one from before a change.

use std::collections::BTreeMap;

use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::id::AccountId;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::document::{Document, kv_key};
use claviger_core::replication::refresh::{Refresh, RefreshRequest};

use crate::world::{Checked, S, World};

/// When each document was made, and when it landed.
#[derive(Default)]
pub struct Documents {
    made: BTreeMap<u64, i64>,
    landed: Vec<Landed>,
}

struct Landed {
    at: i64,
    made: i64,
}

impl Documents {
    pub fn make(&mut self, number: u64, now: i64) {
        self.made.insert(number, now);
    }

    pub fn land(&mut self, account: AccountId, key: &str, value: Option<&str>, now: i64) {
        let document = value.and_then(|text| Document::from_kv(text, account));
        let Some(document) = document.filter(|_| key == kv_key(account)) else { return };
        self.landed.push(Landed { at: now, made: self.made[&document.number] });
    }

    /// Until when, as far as is known at `now`, some place may serve a document from before what
    /// began at `end`.
    pub fn reach(&self, end: i64, now: i64) -> i64 {
        let until = |place: usize| self.landed.get(place + 1).map_or(now, |next| next.at + S);
        let old = self.landed.iter().enumerate().filter(|(_, landed)| landed.made <= end);
        old.map(|(place, _)| until(place)).max().unwrap_or(end).max(end)
    }
}

impl<R: LeaseRules> World<R> {
    /// What an isolate knows of its documents does not go back.
    pub fn check_document(
        &mut self,
        isolate: usize,
        text: Option<&str>,
        was_taken: u64,
    ) -> Checked {
        let isolate = &mut self.isolates[isolate];
        if isolate.gateway.counters().documents_taken == was_taken {
            return Ok(());
        }
        self.tally.documents += 1;
        let document = text.and_then(|text| Document::from_kv(text, self.host.account));
        let number = document.map_or(0, |document| document.number);
        if number < isolate.document {
            return Err(format!("order: document {number} after {}", isolate.document));
        }
        isolate.document = number;
        Ok(())
    }

    /// P5: in the end every place serves what the ledger says, if it ever published anything.
    pub fn check_published(&mut self) -> Checked {
        let now = self.now;
        let key = kv_key(self.host.account);
        let reply =
            self.host.handle(LedgerRequest::Refresh(RefreshRequest::default()), &mut self.rng, now);
        let Some(LedgerReply::Refreshed(Refresh { epoch, revision, unsettled, state, .. })) = reply
        else {
            return Err(format!("P5: no reply: {reply:?}"));
        };
        for text in self.kv.served(&key, now) {
            let document = text.and_then(|text| Document::from_kv(text, self.host.account));
            let is_right = document.as_ref().is_some_and(|document| {
                (&document.epoch, document.revision) == (&epoch, revision)
                    && document.unsettled == unsettled
                    && Some(&document.state) == state.as_ref()
            });
            if !is_right {
                return Err(format!(
                    "P5: the ledger is at {revision:?}, KV's document is {document:?}"
                ));
            }
        }
        Ok(())
    }
}
