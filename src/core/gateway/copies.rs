//! Takes copies of ledger replies, and makes those that isolates of one data centre share.

use crate::base::time::UnixMs;
use crate::config::terms::Freshness;
use crate::gateway::gateway::Gateway;
use crate::lease::call::{CopyRead, CopySource, Lookup, RefreshCall};
use crate::lease::rules::LeaseRules;
use crate::replication::document::Document;
use crate::replication::edge_call::RefreshReply;
use crate::replication::shared::Shared;

impl<R: LeaseRules> Gateway<R> {
    /// Takes the text of a copy; `None` if there was none or the source was out of reach. `lookup`
    /// belongs to the request that read it.
    pub fn take_copy(
        &mut self,
        read: &CopyRead,
        text: Option<&str>,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) {
        let account = read.account();
        match read.source() {
            CopySource::Kv => {
                let document = text.and_then(|text| Document::from_kv(text, account));
                self.leases.take_document(read, document, now, lookup);
            }
            CopySource::Cache => {
                let shared =
                    text.and_then(|text| Shared::parse(text, self.cache_keys.iter(), account));
                self.leases.take_shared(read, shared, now, lookup);
            }
        }
    }

    /// Returns the text to put into the data centre's cache after a refresh, and its lifetime in
    /// seconds; `None` if there is nothing to share.
    pub fn share(
        &mut self,
        call: &RefreshCall,
        reply: &RefreshReply,
        now: UnixMs,
    ) -> Option<(String, u64)> {
        // With `eventual` freshness, no isolate reads shared replies.
        let shared = call
            .to_share(reply, now)
            .filter(|_| self.config.terms.freshness == Freshness::Bounded)?;
        let freshness_ms = shared.reply.state.as_ref().map_or(0, |state| state.freshness_ms);
        let text = shared.text(self.cache_keys.first()?)?;
        self.leases.note_shared();
        Some((text, freshness_ms.div_ceil(1_000)))
    }
}
