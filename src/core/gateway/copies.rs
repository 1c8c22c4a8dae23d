//! Takes values from KV, which must be authentic, and copies of ledger replies. Makes the copies
//! that isolates of one data centre share.

use crate::base::time::UnixMs;
use crate::config::terms::Freshness;
use crate::gateway::gateway::Gateway;
use crate::lease::call::{CopyRead, CopySource, KvRead, Lookup, RefreshCall};
use crate::lease::rules::LeaseRules;
use crate::replication::document::{self, Document};
use crate::replication::edge_call::RefreshReply;
use crate::replication::kv_mac::Authenticity;
use crate::replication::record;
use crate::replication::shared::Shared;

impl<R: LeaseRules> Gateway<R> {
    /// Returns `text`, which KV holds under `key`, if a ledger of this deployment made it.
    fn authentic<'t>(&mut self, key: &str, text: Option<&'t str>, now: UnixMs) -> Option<&'t str> {
        let text = text?;
        match self.kv_mac.check(key, text) {
            Authenticity::Newest | Authenticity::Older => return Some(text),
            Authenticity::Absent => {
                self.leases.note_unsigned();
                self.kv_warnings.note(key, "has no MAC (of an earlier release, or forged)", now);
            }
            Authenticity::Wrong => {
                self.leases.note_forged();
                self.kv_warnings.note(key, "has a wrong MAC (forged, or moved)", now);
            }
        }
        None
    }

    /// Returns a line for the log, if a value in KV was not authentic and no such line was logged
    /// within the last minute.
    pub fn take_kv_warning(&mut self) -> Option<String> {
        self.kv_warnings.take()
    }

    /// Takes the text that KV held; `None` if there was none or KV failed.
    pub fn take_kv(&mut self, read: &KvRead, text: Option<&str>, now: UnixMs, lookup: &mut Lookup) {
        let text = self.authentic(&record::kv_key(read.id()), text, now);
        self.leases.take_kv(read, text, now, lookup);
    }

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
                let text = self.authentic(&document::kv_key(account), text, now);
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
        if self.config.terms.freshness != Freshness::Bounded {
            return None;
        }
        // Without the superseded keys, an isolate that began with the copy would never read KV.
        let superseded = self.leases.covering(call.account(), reply, now)?.superseded().cloned();
        let shared = call.to_share(reply, superseded, now)?;
        let freshness_ms = shared.reply.state.as_ref().map_or(0, |state| state.freshness_ms);
        let text = shared.text(self.cache_keys.first()?)?;
        self.leases.note_shared();
        Some((text, freshness_ms.div_ceil(1_000)))
    }
}
