//! Calls to ledgers: begun, and taken with what came of them.

use std::sync::Arc;

use super::{Leases, increment};
use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::lease::account::Account;
use crate::lease::call::{Heard, Lookup, Need, RefreshCall, Told, ToldState};
use crate::lease::entries::Word;
use crate::lease::lease::{Lease, REFRESH_ATTEMPTS, Taken};
use crate::lease::rules::Rules;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::Revision;
use crate::replication::refresh::{AccountState, Answer, Refresh, RefreshRequest};

impl<R: Rules> Leases<R> {
    /// Begins a refresh for a request that waits for the ledger's word on `id`.
    pub fn ask_ledger(&mut self, id: KeyId, now: UnixMs) -> RefreshCall {
        self.call(id.account(), vec![id], now)
    }

    /// Begins the refresh that a request needs.
    pub fn ask(&mut self, need: Need, now: UnixMs) -> RefreshCall {
        match need {
            Need::Kv(id) | Need::Ledger(id) => self.ask_ledger(id, now),
            Need::Issuer(id) => self.ask_ledger_for(id.account(), vec![id], vec![id], now),
            Need::State(account) | Need::Copy(account, _) => self.call(account, Vec::new(), now),
        }
    }

    /// Begins a refresh for a request that waits for the ledger's word on several keys of one
    /// account: [`ASK_MAX`](crate::replication::refresh::ASK_MAX) different ones at most. Those in
    /// `unused` it only asks about.
    pub fn ask_ledger_for(
        &mut self,
        account: AccountId,
        ids: Vec<KeyId>,
        unused: Vec<KeyId>,
        now: UnixMs,
    ) -> RefreshCall {
        let mut call = self.call(account, ids, now);
        call.request.unused = unused;
        call
    }

    /// Begins a refresh that no request waits for.
    pub fn renew(&mut self, account: AccountId, now: UnixMs) -> RefreshCall {
        increment(&mut self.counters.background_calls);
        self.call(account, Vec::new(), now)
    }

    fn call(&mut self, account: AccountId, ask: Vec<KeyId>, now: UnixMs) -> RefreshCall {
        self.observe(now);
        increment(&mut self.counters.ledger_calls);
        let tenure = self.tenure(account, now);
        let (slot, evicted) = self.accounts.admit(account, now);
        slot.in_flight = Some(now);
        let usage = slot.usage.hand_out(self.isolate, &mut self.sequence, now);
        let cold = RefreshRequest { ask, usage, ..RefreshRequest::default() };
        // Nothing is known, or the ledger knew nothing.
        let mut call =
            RefreshCall { account, request: cold, tenure, sent: now, taken: 0, state: None };
        if let Some(lease) = slot.lease(now).filter(|lease| lease.epoch().is_some()) {
            call.request.epoch = lease.epoch().cloned();
            call.request.known_revision = lease.known();
            call.request.state_revision = lease.state().revision;
            call.taken = lease.taken();
            call.state = Some(Arc::clone(lease.state()));
        }
        self.counters.count(evicted);
        call
    }

    /// Takes what came of a refresh, for the request that waited for it, if one did. Whether there
    /// was an answer.
    pub fn take(
        &mut self,
        call: &RefreshCall,
        reply: &RefreshReply,
        now: UnixMs,
        lookup: Option<&mut Lookup>,
    ) -> bool {
        self.observe(now);
        let (answers, state) = match reply {
            RefreshReply::Refreshed(refresh) => match call.state_after(refresh) {
                Some(state) => {
                    self.answered(call);
                    self.take_refresh(call, refresh, &state, now);
                    (words(refresh), state)
                }
                None => return self.failed(call, now, lookup),
            },
            RefreshReply::Gone => {
                self.answered(call);
                self.take_gone(call, now);
                let none = call.request.ask.iter().map(|id| (*id, Word::NoSuchKey));
                (none.collect(), Arc::new(AccountState::default()))
            }
            RefreshReply::Failed => return self.failed(call, now, lookup),
        };
        let Some(lookup) = lookup else { return true };
        lookup.is_renewed = true;
        let sent = call.sent;
        lookup.state = Some(ToldState { account: call.account, state: Arc::clone(&state), sent });
        for (id, word) in answers {
            let is_use = call.request.ask.contains(&id) && !call.request.unused.contains(&id);
            lookup.tell(Told { id, word, state: Arc::clone(&state), sent, is_use });
        }
        true
    }

    fn take_refresh(
        &mut self,
        call: &RefreshCall,
        reply: &Refresh,
        state: &Arc<AccountState>,
        now: UnixMs,
    ) {
        if self.tenure(call.account, now) != call.tenure {
            increment(&mut self.counters.discarded);
            return;
        }
        let generation = self.generation;
        let (account, mut lease) =
            self.renewed(call.account, call.heard::<R>(now), reply, state, now);
        let mut entered = 0_usize;
        for answer in &reply.answers {
            let (word, revision) = match &answer.record {
                Some(record) => (Word::Record(Arc::new(record.clone())), record.revision),
                None => (Word::NoSuchKey, reply.revision),
            };
            if lease.enter(answer.id, word, revision, reply.revision, generation) {
                entered = entered.saturating_add(1);
            }
        }
        account.keep(lease, now);
        increment(&mut self.counters.refreshes);
        for _ in 0..entered {
            self.grow_older();
        }
    }

    /// The lease that follows from a reply: the present one with what it says, or the next one. It
    /// is the caller's to keep.
    pub(in crate::lease) fn renewed(
        &mut self,
        account: AccountId,
        heard: Heard,
        reply: &Refresh,
        state: &Arc<AccountState>,
        now: UnixMs,
    ) -> (&mut Account<R>, Lease<R>) {
        let (incarnation, jitter) = (self.next_incarnation(), self.jitter());
        let (slot, evicted) = self.accounts.admit(account, now);
        self.counters.count(evicted);
        if heard.is_own() && reply.revision < slot.floor {
            // Its own ledger is further back than a change that it had committed: this is another
            // history.
            slot.floor = Revision::default();
        }
        slot.is_strict = state.freshness_ms == 0;
        slot.document = slot.document.max(reply.document);
        slot.leave(slot.lease.as_ref().and_then(Lease::epoch).cloned().as_ref(), &reply.epoch);
        let begin = |ended| Lease::begin(incarnation, heard, reply, Arc::clone(state), ended);
        let mut lease = match slot.lease.take() {
            Some(mut lease) if !lease.is_over(now) => match lease.take(heard, reply, state) {
                Taken::Kept => lease,
                Taken::Ended => begin(Some(lease)),
            },
            ended => begin(ended),
        };
        lease.set_renewal(jitter);
        (slot, lease)
    }

    fn take_gone(&mut self, call: &RefreshCall, now: UnixMs) {
        if self.tenure(call.account, now) != call.tenure {
            increment(&mut self.counters.discarded);
            return;
        }
        let (incarnation, jitter) = (self.next_incarnation(), self.jitter());
        let (account, evicted) = self.accounts.admit(call.account, now);
        let mut lease = Lease::gone(incarnation, call.heard::<R>(now));
        lease.set_renewal(jitter);
        account.keep(lease, now);
        increment(&mut self.counters.refreshes);
        self.counters.count(evicted);
    }

    /// Every answer, even one that comes too late for the lease, acknowledges the uses that its
    /// call carried.
    fn answered(&mut self, call: &RefreshCall) {
        let Some(account) = self.accounts.find(call.account) else { return };
        if let Some(batch) = &call.request.usage {
            account.usage.answered(batch.sequence);
        }
        account.answered(call.sent);
    }

    /// Notes that there was no answer, and says so.
    fn failed(&mut self, call: &RefreshCall, now: UnixMs, lookup: Option<&mut Lookup>) -> bool {
        increment(&mut self.counters.failures);
        let mut is_last = false;
        if let Some(lookup) = lookup {
            lookup.failures = lookup.failures.saturating_add(1);
            is_last |= lookup.failures >= REFRESH_ATTEMPTS;
        }
        if let Some(account) = self.accounts.find(call.account) {
            account.failed(is_last, now);
        }
        false
    }
}

/// The ledger's words on keys, those that were asked for and those that came with them.
fn words(reply: &Refresh) -> Vec<(KeyId, Word)> {
    let word = |answer: &Answer| {
        answer.record.clone().map_or(Word::NoSuchKey, |record| Word::Record(Arc::new(record)))
    };
    reply.answers.iter().map(|answer| (answer.id, word(answer))).collect()
}
