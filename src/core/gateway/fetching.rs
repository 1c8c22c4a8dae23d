//! Begins each read and call that a decision needs, and takes its result. The platform adapter
//! carries it out in between.

use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::config::terms::Freshness;
use crate::gateway::gateway::Gateway;
use crate::lease::call::{CopyRead, CopySource, Fetch, KvRead, Lookup, RefreshCall, RenewalStep};
use crate::lease::rules::LeaseRules;
use crate::replication::document::Document;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::{Record, Revision};
use crate::replication::shared::Shared;

impl<R: LeaseRules> Gateway<R> {
    /// Begins a read of KV; the caller must make it at once.
    pub fn ask_kv(&mut self, id: KeyId, now: UnixMs) -> KvRead {
        self.leases.ask_kv(id, now)
    }

    /// Takes the text that KV held; `None` if there was none or KV failed.
    pub fn take_kv(&mut self, read: &KvRead, text: Option<&str>, now: UnixMs, lookup: &mut Lookup) {
        self.leases.take_kv(read, text, now, lookup);
    }

    /// Begins the refresh that a request needs; the caller must send it at once.
    pub fn ask(&mut self, need: Fetch, now: UnixMs) -> RefreshCall {
        self.leases.ask(need, now)
    }

    /// Begins a refresh about one key that a request waits for; the caller must send it at once.
    pub fn ask_ledger(&mut self, id: KeyId, now: UnixMs) -> RefreshCall {
        self.leases.ask_ledger(id, now)
    }

    /// Begins a refresh about several keys of one account that a request waits for; the caller must
    /// send it at once. For the keys in `unused`, the ledger counts no use.
    pub fn ask_ledger_for(
        &mut self,
        account: AccountId,
        ids: Vec<KeyId>,
        unused: Vec<KeyId>,
        now: UnixMs,
    ) -> RefreshCall {
        self.leases.ask_ledger_for(account, ids, unused, now)
    }

    /// Begins the read of a copy that a request waits for; the caller must make it at once.
    pub fn ask_copy(&mut self, account: AccountId, source: CopySource, now: UnixMs) -> CopyRead {
        self.leases.ask_copy(account, source, now)
    }

    /// Begins the read of a copy that no request waits for; the caller must make it at once.
    pub fn ask_copy_beside(
        &mut self,
        account: AccountId,
        source: CopySource,
        now: UnixMs,
    ) -> CopyRead {
        self.leases.ask_copy_beside(account, source, now)
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

    /// Returns the next step to renew an account's lease in the background, given the results in
    /// `lookup`; `None` if nothing is left to do.
    pub fn renewal_step(
        &mut self,
        account: AccountId,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Option<RenewalStep> {
        self.leases.renewal_step(account, now, lookup)
    }

    /// Begins a background refresh; the caller must send it at once.
    pub fn renew(&mut self, account: AccountId, now: UnixMs) -> RefreshCall {
        self.leases.renew(account, now)
    }

    /// Takes the result of a refresh; `lookup` belongs to the request that waited, if one did.
    /// Returns `true` if the ledger answered. If not, the caller may call again, up to
    /// [`REFRESH_ATTEMPTS`](crate::lease::lease::REFRESH_ATTEMPTS) times in all.
    pub fn take_refresh(
        &mut self,
        call: &RefreshCall,
        reply: &RefreshReply,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) -> bool {
        self.leases.take(call, reply, now, lookup)
    }

    /// Takes the record of a change that was committed through this isolate.
    pub fn learn_from_change(&mut self, record: Record, now: UnixMs) {
        self.leases.take_change(record, now);
    }

    /// Ends the lease of an account, because a change with this revision was committed through this
    /// isolate.
    pub fn end_lease(&mut self, account: AccountId, revision: Revision, now: UnixMs) {
        self.leases.end_lease(account, revision, now);
    }
}
