//! All leases of one isolate: bounded in memory, dropped when the clock steps back, and counted.
//!
//! # Memory
//! An isolate has 128 MB, of which the code takes a few. The worst case of every bound at once is about 90 MB, the usual one 10:
//! [`WORDS_MAX`] records of at most 6 KB (256 networks of some 20 bytes) are 48 MB, usually 1 KB each; [`ACCOUNTS_MAX`](super::account::ACCOUNTS_MAX) accounts with
//! [`UNSETTLED_MAX`](super::entries::UNSETTLED_MAX) marks of 80 bytes are 20 MB, and with a full batch of uses beside a full list 23 MB.

use std::sync::Arc;

use super::account::{Accounts, Evicted};
use super::call::{
    Finding, Found, KvOutcome, KvRead, Lookup, Need, RefreshCall, RefreshReply, Source, Tenure, Told,
};
use super::entries::Word;
use super::rules::Rules;
use super::usage::USAGE_PAUSE;
use super::{Lease, REFRESH_ATTEMPTS, Said, Taken};
use crate::config::Outage;
use crate::id::{AccountId, KeyId};
use crate::network::ClientAddress;
use crate::record::Record;
use crate::refresh::{AccountState, Answer, Refresh, RefreshRequest};
use crate::time::{DurationMs, UnixMs};

/// Most records and negative answers of all leases together.
pub const WORDS_MAX: usize = 8_192;

/// A generation of use: when this many words were used in it, the next begins, and what was not used in either goes.
const GENERATION_MAX: usize = WORDS_MAX / 2;

/// What an isolate has done, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Verdicts from memory: no request was made for them.
    pub hits: u64,
    /// Of these, those that were given although the knowledge was older than T.
    pub stale_hits: u64,
    /// Reads of KV.
    pub kv_reads: u64,
    /// Calls to ledgers.
    pub ledger_calls: u64,
    /// Of these, those that no request waited for.
    pub background_calls: u64,
    /// Of the calls, those that were not answered.
    pub failures: u64,
    /// Answers that renewed a lease or began one.
    pub refreshes: u64,
    /// Answers that came too late for the lease that they were asked under.
    pub discarded: u64,
    /// Accounts that made room for others.
    pub evictions: u64,
    /// Requests whose use was not counted, for lack of room.
    pub uses_lost: u64,
}

/// The leases of an isolate.
#[derive(Debug)]
pub struct Leases<R> {
    accounts: Accounts<R>,
    isolate: u64,
    outage: Outage,
    /// The latest time seen.
    latest: UnixMs,
    /// Rises when the clock steps back.
    era: u64,
    incarnations: u64,
    sequence: u64,
    generation: u32,
    young: usize,
    /// When accounts without requests are next looked at for uses that wait.
    sweep_at: UnixMs,
    counters: Counters,
}

impl<R: Rules> Leases<R> {
    /// None yet. `isolate` is random: it names the isolate to ledgers and spreads its refreshes.
    pub fn new(isolate: u64, outage: Outage) -> Self {
        Self {
            accounts: Accounts::new(),
            isolate,
            outage,
            latest: UnixMs::from_ms(i64::MIN),
            era: 0,
            incarnations: 0,
            sequence: 0,
            generation: 1,
            young: 0,
            sweep_at: UnixMs::from_ms(i64::MIN),
            counters: Counters::default(),
        }
    }

    /// What is known of a key, for a request that arrived at `arrival` and has found out `lookup` so far.
    pub fn find(&mut self, id: KeyId, arrival: UnixMs, now: UnixMs, lookup: &Lookup) -> Found {
        self.observe(now);
        if let Some(told) = lookup.told.as_ref().filter(|told| told.id == id) {
            return Found::Finding(told.finding(), self.idle_uses(now));
        }
        let ask = match lookup.failures {
            0..REFRESH_ATTEMPTS => Found::Need(Need::Ledger(id)),
            _ => Found::OutOfReach,
        };
        let (generation, outage) = (self.generation, self.outage);
        let Some(account) = self.accounts.find(id.account()) else { return ask };
        let is_ledger_away = lookup.failures >= REFRESH_ATTEMPTS || account.is_ledger_away(now);
        let Some(lease) = account.lease.as_mut().filter(|lease| !lease.is_over(now)) else { return ask };
        let is_fresh = lease.is_usable(arrival, DurationMs::default());
        let may_be_stale =
            is_ledger_away && outage.grace().is_some_and(|more| lease.is_usable(arrival, more));
        if !is_fresh && !may_be_stale {
            return ask;
        }
        let (word, is_young) = match (lease.say(id, generation), lookup.kv) {
            (Said::Word { word, is_young }, _) => (word, is_young),
            (Said::AskKv, KvOutcome::NotAsked) => return Found::Need(Need::Kv(id)),
            (Said::AskKv | Said::AskLedger, _) => return ask,
        };
        let source = if lookup.kv == KvOutcome::Taken { Source::Kv } else { Source::Memory };
        let finding = Finding {
            word,
            is_suspended: lease.state().suspended,
            source,
            as_of: lease.as_of(),
            is_stale: !is_fresh,
            is_counted: false,
        };
        let renew = account.renew(now).then_some(id.account());
        if !is_young {
            self.grow_older();
        }
        self.count_hit(&finding);
        Found::Finding(finding, renew.or_else(|| self.idle_uses(now)))
    }

    /// Begins a read of KV.
    pub fn ask_kv(&mut self, id: KeyId, now: UnixMs) -> KvRead {
        self.observe(now);
        increment(&mut self.counters.kv_reads);
        let lease = self.lease(id.account(), now);
        let known = lease.map(Lease::known).unwrap_or_default();
        KvRead { id, tenure: self.tenure(id.account(), now), known }
    }

    /// Takes what KV held: `None` = nothing, or KV failed.
    pub fn take_kv(&mut self, read: &KvRead, text: Option<&str>, now: UnixMs, lookup: &mut Lookup) {
        self.observe(now);
        lookup.kv = KvOutcome::NoHelp;
        let Some(record) = text.and_then(|text| Record::from_kv(text, read.id)).map(Arc::new) else { return };
        if self.tenure(read.id.account(), now) != read.tenure {
            return;
        }
        let generation = self.generation;
        let Some(account) = self.accounts.find(read.id.account()) else { return };
        let Some(lease) = &mut account.lease else { return };
        if lease.enter_from_kv(&record, read.known, generation) {
            lookup.kv = KvOutcome::Taken;
            self.grow_older();
        }
    }

    /// Begins a refresh for a request that waits for the ledger's word on `id`.
    pub fn ask_ledger(&mut self, id: KeyId, now: UnixMs) -> RefreshCall {
        self.call(id.account(), vec![id], now)
    }

    /// Begins a refresh for a request that waits for the ledger's word on several keys of one account: [`ASK_MAX`](crate::refresh::ASK_MAX) different
    /// ones at most. Those in `unused` it only asks about.
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
        let mut call = RefreshCall { account, request: cold, tenure, sent: now, taken: 0, state: None };
        if let Some(lease) = slot.lease(now).filter(|lease| lease.epoch().is_some()) {
            call.request.epoch = lease.epoch().cloned();
            call.request.known_revision = lease.known();
            call.request.state_revision = lease.state().revision;
            call.taken = lease.taken();
            call.state = Some(Arc::clone(lease.state()));
        }
        self.count_evicted(evicted);
        call
    }

    /// Takes what came of a refresh. Whether there was an answer. `lookups` are of the keys that it asked for, in that order.
    pub fn take<'a>(
        &mut self,
        call: &RefreshCall,
        reply: &RefreshReply,
        now: UnixMs,
        lookups: impl IntoIterator<Item = &'a mut Lookup>,
    ) -> bool {
        self.observe(now);
        let (answers, is_suspended) = match reply {
            RefreshReply::Refreshed(refresh) => match call.state_after(refresh) {
                Some(state) => {
                    self.answered(call);
                    self.take_refresh(call, refresh, &state, now);
                    (Some(&refresh.answers), state.suspended)
                }
                None => return self.failed(call, now, lookups),
            },
            RefreshReply::Gone => {
                self.answered(call);
                self.take_gone(call, now);
                (None, false)
            }
            RefreshReply::Failed => return self.failed(call, now, lookups),
        };
        for (id, lookup) in call.request.ask.iter().zip(lookups) {
            let word = answers.map_or(Some(Word::NoSuchKey), |answers| word_on(*id, answers));
            let is_use = !call.request.unused.contains(id);
            lookup.told = word.map(|word| Told { id: *id, word, is_suspended, sent: call.sent, is_use });
        }
        true
    }

    fn take_refresh(&mut self, call: &RefreshCall, reply: &Refresh, state: &Arc<AccountState>, now: UnixMs) {
        if self.tenure(call.account, now) != call.tenure {
            increment(&mut self.counters.discarded);
            return;
        }
        let (incarnation, jitter, generation) = (self.next_incarnation(), self.jitter(), self.generation);
        let (account, evicted) = self.accounts.admit(call.account, now);
        let mut lease = match account.lease.take() {
            Some(mut lease) if call.tenure == lease.tenure() => match lease.take(call, reply, state, now) {
                Taken::Kept => lease,
                Taken::Ended => Lease::begin(incarnation, call, reply, Arc::clone(state), Some(lease), now),
            },
            ended => Lease::begin(incarnation, call, reply, Arc::clone(state), ended, now),
        };
        lease.set_renewal(jitter);
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
        // With T = 0 it is over by now, and nobody else may use it.
        account.lease = Some(lease).filter(|lease| !lease.is_over(now));
        increment(&mut self.counters.refreshes);
        self.count_evicted(evicted);
        for _ in 0..entered {
            self.grow_older();
        }
    }

    fn take_gone(&mut self, call: &RefreshCall, now: UnixMs) {
        if self.tenure(call.account, now) != call.tenure {
            increment(&mut self.counters.discarded);
            return;
        }
        let (incarnation, jitter) = (self.next_incarnation(), self.jitter());
        let (account, evicted) = self.accounts.admit(call.account, now);
        let mut lease = Lease::gone(incarnation, call, now);
        lease.set_renewal(jitter);
        account.lease = Some(lease).filter(|lease| !lease.is_over(now));
        increment(&mut self.counters.refreshes);
        self.count_evicted(evicted);
    }

    /// Every answer, even one that comes too late for the lease, acknowledges the uses that its call carried.
    fn answered(&mut self, call: &RefreshCall) {
        let Some(account) = self.accounts.find(call.account) else { return };
        if let Some(batch) = &call.request.usage {
            account.usage.answered(batch.sequence);
        }
        account.answered(call.sent);
    }

    /// Notes that there was no answer, and says so.
    fn failed<'a>(
        &mut self,
        call: &RefreshCall,
        now: UnixMs,
        lookups: impl IntoIterator<Item = &'a mut Lookup>,
    ) -> bool {
        increment(&mut self.counters.failures);
        if let Some(account) = self.accounts.find(call.account) {
            account.failed(now);
        }
        for lookup in lookups {
            lookup.failures = lookup.failures.saturating_add(1);
        }
        false
    }

    /// Takes the record of a change that was committed through this isolate: it counts here at once.
    pub fn take_change(&mut self, record: Record, now: UnixMs) {
        self.observe(now);
        let generation = self.generation;
        let Some(account) = self.accounts.find(record.id.account()) else { return };
        let Some(lease) = &mut account.lease else { return };
        if !R::is_of_history(lease.epoch(), &record.epoch) {
            // The ledger has begun another history, which this lease knows nothing of.
            account.lease = None;
        } else if lease.enter_change(record, generation) {
            self.grow_older();
        }
    }

    /// Ends the lease on an account: what holds for all of it was changed through this isolate, and counts here at once.
    pub fn end_lease(&mut self, account: AccountId) {
        if let Some(account) = self.accounts.find(account) {
            account.lease = None;
        }
    }

    /// Counts one verified request: one whose secret was right.
    pub fn count_use(
        &mut self,
        id: KeyId,
        is_let_through: bool,
        address: Option<ClientAddress>,
        now: UnixMs,
    ) {
        let (account, evicted) = self.accounts.admit(id.account(), now);
        if !account.usage.count(id, is_let_through, address, now) {
            increment(&mut self.counters.uses_lost);
        }
        self.count_evicted(evicted);
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The lease on an account, if it has not ended.
    pub fn lease(&self, account: AccountId, now: UnixMs) -> Option<&Lease<R>> {
        self.accounts.peek(account)?.lease(now)
    }

    // ------------------------------------------------------------------------------------------ clock and bounds

    /// Notes the time. If it went back, no lease can tell how old it is.
    fn observe(&mut self, now: UnixMs) {
        if now < self.latest {
            self.era = self.era.saturating_add(1);
            self.sweep_at = now;
            self.accounts.iter_mut().for_each(|(_, account)| account.lose_time());
        }
        self.latest = now;
    }

    /// Under what a question is asked now, or a reply would have to have been asked.
    fn tenure(&self, account: AccountId, now: UnixMs) -> Tenure {
        self.lease(account, now).map_or(Tenure::Vacant(self.era), Lease::tenure)
    }

    /// Notes that a word was used for the first time in this generation.
    fn grow_older(&mut self) {
        self.young = self.young.saturating_add(1);
        if self.young < GENERATION_MAX {
            return;
        }
        // What was used in this generation or the one before stays: at most twice the half.
        let oldest_kept = self.generation;
        (self.generation, self.young) = (self.generation.saturating_add(1), 0);
        for (_, account) in self.accounts.iter_mut() {
            if let Some(lease) = &mut account.lease {
                lease.forget_before(oldest_kept);
            }
        }
    }

    fn next_incarnation(&mut self) -> u64 {
        self.incarnations = self.incarnations.saturating_add(1);
        self.incarnations
    }

    /// A number that differs between isolates and from refresh to refresh (the finaliser of `SplitMix64`): so that isolates that
    /// started together do not go on refreshing together.
    fn jitter(&self) -> u8 {
        let mut bits = self.isolate.wrapping_add(self.counters.refreshes.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [first, ..] = (bits ^ (bits >> 31)).to_be_bytes();
        first
    }

    fn count_evicted(&mut self, evicted: Evicted) {
        self.counters.evictions = self.counters.evictions.saturating_add(evicted.accounts);
        self.counters.uses_lost = self.counters.uses_lost.saturating_add(evicted.uses);
    }

    fn count_hit(&mut self, finding: &Finding) {
        if finding.source == Source::Memory {
            increment(&mut self.counters.hits);
            if finding.is_stale {
                increment(&mut self.counters.stale_hits);
            }
        }
    }

    /// An account whose uses have waited for long without a refresh: any request may send them off.
    fn idle_uses(&mut self, now: UnixMs) -> Option<AccountId> {
        if now < self.sweep_at {
            return None;
        }
        let due = self.accounts.iter_mut().find_map(|(id, account)| account.send_uses(now).then_some(id));
        if due.is_none() {
            self.sweep_at = now.saturating_add(USAGE_PAUSE);
        }
        due
    }
}

impl Told {
    fn finding(&self) -> Finding {
        Finding {
            word: self.word.clone(),
            is_suspended: self.is_suspended,
            source: Source::Ledger,
            as_of: self.sent,
            is_stale: false,
            is_counted: self.is_use,
        }
    }
}

/// The ledger's word on a key that was asked for.
fn word_on(id: KeyId, answers: &[Answer]) -> Option<Word> {
    let answer = answers.iter().find(|answer| answer.id == id)?;
    Some(answer.record.clone().map_or(Word::NoSuchKey, |record| Word::Record(Arc::new(record))))
}

fn increment(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
