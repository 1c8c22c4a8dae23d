//! What is fetched for decisions: every question begins here, to be carried out by whoever has the
//! means, and its answer is taken here.

use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::config::terms::Freshness;
use crate::gateway::gateway::Gateway;
use crate::lease::call::{CopyRead, Errand, KvRead, Lookup, Need, RefreshCall, Shelf};
use crate::lease::rules::Rules;
use crate::replication::document::Document;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::{Record, Revision};
use crate::replication::shared::Shared;

impl<R: Rules> Gateway<R> {
    /// Begins a read of KV, to be made at once.
    pub fn ask_kv(&mut self, id: KeyId, now: UnixMs) -> KvRead {
        self.leases.ask_kv(id, now)
    }

    /// Takes what KV held; `None`: nothing there, or KV failed.
    pub fn take_kv(&mut self, read: &KvRead, text: Option<&str>, now: UnixMs, lookup: &mut Lookup) {
        self.leases.take_kv(read, text, now, lookup);
    }

    /// Begins the refresh that a request needs, to be sent at once.
    pub fn ask(&mut self, need: Need, now: UnixMs) -> RefreshCall {
        self.leases.ask(need, now)
    }

    /// Begins a refresh that a request waits for, to be sent at once.
    pub fn ask_ledger(&mut self, id: KeyId, now: UnixMs) -> RefreshCall {
        self.leases.ask_ledger(id, now)
    }

    /// Begins a refresh that a request waits for, which is about several keys of one account, to be
    /// sent at once. Those in `unused` it only asks about.
    pub fn ask_ledger_for(
        &mut self,
        account: AccountId,
        ids: Vec<KeyId>,
        unused: Vec<KeyId>,
        now: UnixMs,
    ) -> RefreshCall {
        self.leases.ask_ledger_for(account, ids, unused, now)
    }

    /// Begins a look at a shelf that a request waits for, to be taken at once.
    pub fn ask_copy(&mut self, account: AccountId, shelf: Shelf, now: UnixMs) -> CopyRead {
        self.leases.ask_copy(account, shelf, now)
    }

    /// Begins a look at a shelf that no request waits for, to be taken at once.
    pub fn ask_copy_beside(&mut self, account: AccountId, shelf: Shelf, now: UnixMs) -> CopyRead {
        self.leases.ask_copy_beside(account, shelf, now)
    }

    /// Takes what lay there; `None`: nothing, or the shelf was out of reach. `lookup` is of whoever
    /// looked.
    pub fn take_copy(
        &mut self,
        read: &CopyRead,
        text: Option<&str>,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) {
        let account = read.account();
        match read.shelf() {
            Shelf::Kv => {
                let document = text.and_then(|text| Document::from_kv(text, account));
                self.leases.take_document(read, document, now, lookup);
            }
            Shelf::Cache => {
                let shared =
                    text.and_then(|text| Shared::parse(text, self.cache_keys.iter(), account));
                self.leases.take_shared(read, shared, now, lookup);
            }
        }
    }

    /// What to put into the data centre's cache of a reply that was taken, and for how many
    /// seconds; `None`: nothing.
    pub fn share(
        &mut self,
        call: &RefreshCall,
        reply: &RefreshReply,
        now: UnixMs,
    ) -> Option<(String, u64)> {
        // Where documents count nobody looks there.
        let shared = call
            .to_share(reply, now)
            .filter(|_| self.config.terms.freshness == Freshness::Bounded)?;
        let freshness_ms = shared.reply.state.as_ref().map_or(0, |state| state.freshness_ms);
        let text = shared.text(self.cache_keys.first()?)?;
        self.leases.note_shared();
        Some((text, freshness_ms.div_ceil(1_000)))
    }

    /// What is to be done next to renew an account's lease, in the background, where `lookup` has
    /// brought so much. `None`: nothing more.
    pub fn errand(&mut self, account: AccountId, now: UnixMs, lookup: &Lookup) -> Option<Errand> {
        self.leases.errand(account, now, lookup)
    }

    /// Begins a refresh that no request waits for, to be sent at once.
    pub fn renew(&mut self, account: AccountId, now: UnixMs) -> RefreshCall {
        self.leases.renew(account, now)
    }

    /// Takes what came of a refresh, for the request that waited for it, if one did. Whether it was
    /// an answer: if not, the call may be made again, up to
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

    /// Takes the record of a change that this isolate has just had committed.
    pub fn learn_from_change(&mut self, record: Record, now: UnixMs) {
        self.leases.take_change(record, now);
    }

    /// Ends what the isolate knows of an account, after a change of this number that was committed
    /// through it.
    pub fn end_lease(&mut self, account: AccountId, revision: Revision, now: UnixMs) {
        self.leases.end_lease(account, revision, now);
    }
}
