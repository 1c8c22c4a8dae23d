//! Begins calls to ledgers, and takes their results.

use std::sync::Arc;

use super::{Leases, increment};
use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::lease::account::AccountSlot;
use crate::lease::cached_key::CachedKey;
use crate::lease::call::{Fetch, KeyAnswer, Lookup, Provenance, RefreshCall, StateAnswer};
use crate::lease::lease::{Lease, REFRESH_ATTEMPTS, Taken};
use crate::lease::rules::LeaseRules;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::Revision;
use crate::replication::refresh::{AccountState, Refresh, RefreshAnswer, RefreshRequest};

impl<R: LeaseRules> Leases<R> {
    /// Begins a refresh for a request that waits for the ledger's answer about `id`.
    pub fn ask_ledger(&mut self, id: KeyId, now: UnixMs) -> RefreshCall {
        self.call(id.account(), vec![id], now)
    }

    /// Begins the refresh that answers `need`.
    pub fn ask(&mut self, need: Fetch, now: UnixMs) -> RefreshCall {
        match need {
            Fetch::Kv(id) | Fetch::Ledger(id) | Fetch::Issuer(id) => self.ask_ledger(id, now),
            Fetch::State(account) | Fetch::Copy(account, _) => self.call(account, Vec::new(), now),
        }
    }

    /// Begins a refresh for a request that waits for the ledger's answer about several keys of one
    /// account. It allows at most [`ASK_MAX`](crate::replication::refresh::ASK_MAX) different keys.
    pub fn ask_ledger_for(
        &mut self,
        account: AccountId,
        ids: Vec<KeyId>,
        now: UnixMs,
    ) -> RefreshCall {
        self.call(account, ids, now)
    }

    /// Begins a background refresh, which no request waits for.
    pub fn renew(&mut self, account: AccountId, now: UnixMs) -> RefreshCall {
        increment(&mut self.counters.background_calls);
        self.call(account, Vec::new(), now)
    }

    fn call(&mut self, account: AccountId, ask: Vec<KeyId>, now: UnixMs) -> RefreshCall {
        self.observe(now);
        increment(&mut self.counters.ledger_calls);
        let token = self.token(account, now);
        let (slot, evicted) = self.accounts.admit(account, now);
        slot.in_flight = Some(now);
        let usage = slot.usage.hand_out(self.isolate, &mut self.sequence, now);
        // The isolate counts each use itself, once it knows the verdict.
        let unused = ask.clone();
        let cold = RefreshRequest { ask, unused, usage, ..RefreshRequest::default() };
        // These are the defaults without a lease, or with one on an account that the ledger does
        // not know.
        let (floor, request) = (slot.floor, cold);
        let mut call =
            RefreshCall { account, request, token, sent: now, taken: 0, floor, state: None };
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

    /// Takes the result of a refresh; `lookup` belongs to the request that waited, if one did.
    /// Returns `true` if the ledger answered. If not, the caller may call again, up to
    /// [`REFRESH_ATTEMPTS`] times in all.
    pub fn take_refresh(
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
                    self.apply_refresh(call, refresh, &state, now);
                    (cached_keys(refresh), state)
                }
                None => return self.failed(call, now, lookup),
            },
            RefreshReply::Gone => {
                self.answered(call);
                self.take_gone(call, now);
                let none = call.request.ask.iter().map(|id| (*id, CachedKey::NoSuchKey));
                (none.collect(), Arc::new(AccountState::default()))
            }
            RefreshReply::Failed => return self.failed(call, now, lookup),
        };
        let Some(lookup) = lookup else { return true };
        lookup.is_renewed = true;
        let sent = call.sent;
        lookup.state = Some(StateAnswer { account: call.account, state: Arc::clone(&state), sent });
        for (id, cached) in answers {
            lookup.note_key(KeyAnswer { id, cached, state: Arc::clone(&state), sent });
        }
        true
    }

    fn apply_refresh(
        &mut self,
        call: &RefreshCall,
        reply: &Refresh,
        state: &Arc<AccountState>,
        now: UnixMs,
    ) {
        if self.token(call.account, now) != call.token || self.is_undoing(call, reply, now) {
            increment(&mut self.counters.discarded);
            return;
        }
        if reply.revision < call.floor
            && let Some(slot) = self.accounts.find(call.account)
        {
            // The account's own ledger is behind a change that it had committed before the call, so
            // it has begun another epoch.
            slot.floor = Revision::default();
        }
        let generation = self.generation;
        let (account, mut lease) =
            self.renewed(call.account, call.provenance::<R>(now), reply, state, now);
        let mut entered = 0_usize;
        for answer in &reply.answers {
            let (cached, revision) = match &answer.record {
                Some(record) => (CachedKey::Record(Arc::new(record.clone())), record.revision),
                None => (CachedKey::NoSuchKey, reply.revision),
            };
            if lease.enter(answer.id, cached, revision, reply.revision, generation) {
                entered = entered.saturating_add(1);
            }
        }
        account.keep(lease, now);
        increment(&mut self.counters.refreshes);
        for _ in 0..entered {
            self.grow_older();
        }
    }

    /// Returns `true` if a reply would undo a change that was committed through this isolate since
    /// the call: the ledger gave the reply before that change, and the lease that the reply leaves
    /// does not hold the change.
    fn is_undoing(&self, call: &RefreshCall, reply: &Refresh, now: UnixMs) -> bool {
        reply.revision >= call.floor
            && self.accounts.peek(call.account).is_some_and(|slot| {
                slot.lease(now).is_none_or(|lease| lease.is_ended_by(reply))
                    && R::is_before_change(reply.revision, slot.floor)
            })
    }

    /// Returns the lease that results from a reply: the present one with the reply applied, or a
    /// new one. The caller must store it.
    pub(in crate::lease) fn renewed(
        &mut self,
        account: AccountId,
        provenance: Provenance,
        reply: &Refresh,
        state: &Arc<AccountState>,
        now: UnixMs,
    ) -> (&mut AccountSlot<R>, Lease<R>) {
        let (incarnation, jitter) = (self.next_incarnation(), self.jitter());
        let (slot, evicted) = self.accounts.admit(account, now);
        self.counters.count(evicted);
        slot.document = slot.document.max(reply.document);
        slot.leave_epoch(
            slot.lease.as_ref().and_then(Lease::epoch).cloned().as_ref(),
            &reply.epoch,
        );
        let begin = |ended| Lease::begin(incarnation, provenance, reply, Arc::clone(state), ended);
        let mut lease = match slot.lease.take() {
            Some(mut lease) if !lease.is_over(now) => match lease.take(provenance, reply, state) {
                Taken::Kept => lease,
                Taken::Ended => begin(Some(lease)),
            },
            ended => begin(ended),
        };
        lease.set_renewal(jitter);
        (slot, lease)
    }

    fn take_gone(&mut self, call: &RefreshCall, now: UnixMs) {
        if self.token(call.account, now) != call.token {
            increment(&mut self.counters.discarded);
            return;
        }
        let (incarnation, jitter) = (self.next_incarnation(), self.jitter());
        let (account, evicted) = self.accounts.admit(call.account, now);
        let mut lease = Lease::gone(incarnation, call.provenance::<R>(now));
        lease.set_renewal(jitter);
        account.keep(lease, now);
        increment(&mut self.counters.refreshes);
        self.counters.count(evicted);
    }

    /// Acknowledges the usage batch of an answered call, even if the answer is too late for the
    /// lease.
    fn answered(&mut self, call: &RefreshCall) {
        let Some(account) = self.accounts.find(call.account) else { return };
        if let Some(batch) = &call.request.usage {
            account.usage.answered(batch.sequence);
        }
        account.answered(call.sent);
    }

    /// Records a failed call, and returns `false`.
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

/// Returns the ledger's answers about keys: the requested ones and the issuers that came with them.
fn cached_keys(reply: &Refresh) -> Vec<(KeyId, CachedKey)> {
    let cached = |answer: &RefreshAnswer| {
        answer
            .record
            .clone()
            .map_or(CachedKey::NoSuchKey, |record| CachedKey::Record(Arc::new(record)))
    };
    reply.answers.iter().map(|answer| (answer.id, cached(answer))).collect()
}
