//! Holds all leases of one isolate, with bounded memory, counters, and the reaction to a clock that
//! steps back.
//!
//! # Memory
//! An isolate has 128 MB, of which the code takes a few. If every bound is reached at once, the
//! leases take about 90 MB; usually they take 10 MB:
//! - [`CACHED_KEYS_MAX`] records of at most 6 KB (256 networks of some 20 bytes) take 48 MB;
//!   usually a record takes 1 KB.
//! - [`ACCOUNTS_MAX`](super::account::ACCOUNTS_MAX) accounts with
//!   [`UNSETTLED_MAX`](super::entries::UNSETTLED_MAX) marks of 80 bytes take 20 MB.
//! - A full usage batch beside a full list in each account takes 29 MB.

mod calls;
mod copies;
mod counters;

use std::sync::Arc;

pub use self::counters::Counters;
pub(super) use self::counters::increment;
use super::account::Accounts;
use super::call::{
    Basis, Fetch, Finding, Found, KeyAnswer, KvRead, LeaseToken, Lookup, ReadOutcome, Source,
    StateAnswer,
};
use super::rules::LeaseRules;
use super::usage::USAGE_PAUSE;
use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::config::terms::Terms;
use crate::credential::limits::network::ClientAddress;
use crate::lease::copies::{LeaseMiss, LedgerAvailability, ask_ledger, missing};
use crate::lease::lease::{KeyLookup, Lease, REFRESH_ATTEMPTS};
use crate::replication::record::{Record, Revision};

/// Most cached records and negative answers of all leases together.
pub const CACHED_KEYS_MAX: usize = 8_192;

/// Number of cached answers used in one generation of use before the next generation begins.
/// Answers that neither of the two last generations used are dropped.
const GENERATION_MAX: usize = CACHED_KEYS_MAX / 2;

/// The leases of an isolate.
#[derive(Debug)]
pub struct Leases<R> {
    pub(super) accounts: Accounts<R>,
    isolate: u64,
    pub(super) terms: Terms,
    /// Latest time seen, Unix ms.
    latest: UnixMs,
    /// Counter that rises when the clock steps back, and when a change committed through this
    /// isolate ends a lease. It invalidates calls that were started without a lease.
    era: u64,
    incarnations: u64,
    sequence: u64,
    pub(super) generation: u32,
    young: usize,
    /// Time of the next search for accounts without requests whose usage waits, Unix ms.
    sweep_at: UnixMs,
    /// Accounts for whose usage a request must still start a timer, newest last. A request may wait
    /// between its use and its outcome, or never end; others count uses meanwhile.
    timers: Vec<AccountId>,
    pub(super) counters: Counters,
}

impl<R: LeaseRules> Leases<R> {
    /// Returns no leases. `isolate` is a random number: it names the isolate to ledgers and spreads
    /// its refreshes over time.
    pub fn new(isolate: u64, terms: Terms) -> Self {
        Self {
            accounts: Accounts::new(),
            isolate,
            terms,
            latest: UnixMs::from_ms(i64::MIN),
            era: 0,
            incarnations: 0,
            sequence: 0,
            generation: 1,
            young: 0,
            sweep_at: UnixMs::from_ms(i64::MIN),
            timers: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Returns the facts about a key that a caller uses. The request arrived at `arrival` and has
    /// found `lookup` so far.
    pub fn find(&mut self, id: KeyId, arrival: UnixMs, now: UnixMs, lookup: &Lookup) -> Found {
        self.find_key(id, Fetch::Ledger(id), arrival, now, lookup)
    }

    /// Returns the facts about a key that issued the one in use.
    pub fn find_issuer(
        &mut self,
        id: KeyId,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found {
        self.find_key(id, Fetch::Issuer(id), arrival, now, lookup)
    }

    /// Returns the facts about an account.
    pub fn find_state(
        &mut self,
        account: AccountId,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found<()> {
        self.observe(now);
        if let Some(answer) = lookup.state.as_ref().filter(|answer| answer.account == account) {
            return Found::Finding(answer.finding(), self.idle_uses(now));
        }
        self.find_in_lease(account, Fetch::State(account), arrival, now, lookup, |_, _| {
            LeaseAnswer::CachedKey((), true)
        })
    }

    fn find_key(
        &mut self,
        id: KeyId,
        need: Fetch,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found {
        self.observe(now);
        if let Some(answer) = lookup.key(id) {
            return Found::Finding(answer.finding(), self.idle_uses(now));
        }
        let kv = lookup.kv(id);
        let look_up = |lease: &mut Lease<R>, generation| match (lease.look_up(id, generation), kv) {
            (KeyLookup::CachedKey { cached, is_young }, _) => {
                LeaseAnswer::CachedKey(cached, is_young)
            }
            (KeyLookup::AskKv, ReadOutcome::NotAsked) => LeaseAnswer::AskKv(id),
            (KeyLookup::AskKv | KeyLookup::AskLedger, _) => LeaseAnswer::AskLedger,
        };
        let found = self.find_in_lease(id.account(), need, arrival, now, lookup, look_up);
        match found {
            Found::Finding(finding, renew) if kv == ReadOutcome::Taken => {
                Found::Finding(Finding { source: Source::Kv, ..finding }, renew)
            }
            Found::Finding(finding, renew) => {
                self.count_hit(&finding);
                Found::Finding(finding, renew)
            }
            other => other,
        }
    }

    /// Asks the account's lease with `look_up`, if the request may use it; `need` is the question
    /// for the ledger otherwise.
    fn find_in_lease<W>(
        &mut self,
        account_id: AccountId,
        need: Fetch,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
        look_up: impl FnOnce(&mut Lease<R>, u32) -> LeaseAnswer<W>,
    ) -> Found<W> {
        let (generation, terms) = (self.generation, self.terms);
        let Some(account) = self.accounts.find(account_id) else {
            return self.missing(missing(
                account_id,
                need,
                lookup,
                &LedgerAvailability::of_unknown(terms),
            ));
        };
        let availability = LedgerAvailability::of(account, terms, arrival, now, lookup);
        let Some(lease) = account.lease.as_mut().filter(|lease| !lease.is_over(now)) else {
            return self.missing(missing(account_id, need, lookup, &availability));
        };
        let is_fresh = availability.is_fresh(lease, arrival);
        if !is_fresh && !availability.may_use_stale(lease, arrival) {
            return self.missing(missing(account_id, need, lookup, &availability));
        }
        let (cached, is_young) = match look_up(lease, generation) {
            LeaseAnswer::CachedKey(cached, is_young) => (cached, is_young),
            LeaseAnswer::AskKv(id) => return Found::Fetch(Fetch::Kv(id)),
            LeaseAnswer::AskLedger => return self.missing(ask_ledger(need, lookup, &availability)),
        };
        let finding = Finding {
            cached,
            state: Arc::clone(lease.state()),
            source: Source::Memory,
            as_of: lease.as_of(),
            basis: lease.basis(),
            is_stale: !is_fresh,
        };
        let renew = account.renew(terms.freshness, now).then_some(account_id);
        if !is_young {
            self.grow_older();
        }
        Found::Finding(finding, renew.or_else(|| self.idle_uses(now)))
    }

    pub(super) fn missing<W>(&mut self, missing: LeaseMiss) -> Found<W> {
        match missing {
            LeaseMiss::Fetch(need) => Found::Fetch(need),
            LeaseMiss::OutOfReach => Found::OutOfReach,
            LeaseMiss::RefusedAtOnce => {
                increment(&mut self.counters.refused_at_once);
                Found::OutOfReach
            }
        }
    }

    /// Begins a read of KV.
    pub fn ask_kv(&mut self, id: KeyId, now: UnixMs) -> KvRead {
        self.observe(now);
        increment(&mut self.counters.kv_reads);
        let lease = self.lease(id.account(), now);
        let known = lease.map(Lease::known).unwrap_or_default();
        KvRead { id, token: self.token(id.account(), now), known }
    }

    /// Takes the text that KV held; `None` if there was none or KV failed.
    pub fn take_kv(&mut self, read: &KvRead, text: Option<&str>, now: UnixMs, lookup: &mut Lookup) {
        self.observe(now);
        lookup.note_kv(read.id, ReadOutcome::NoHelp);
        let Some(record) = text.and_then(|text| Record::from_kv(text, read.id)).map(Arc::new)
        else {
            return;
        };
        if self.token(read.id.account(), now) != read.token {
            return;
        }
        let generation = self.generation;
        let Some(account) = self.accounts.find(read.id.account()) else { return };
        let Some(lease) = &mut account.lease else { return };
        if lease.enter_from_kv(&record, read.known, generation) {
            lookup.note_kv(read.id, ReadOutcome::Taken);
            self.grow_older();
        }
    }

    /// Takes the record of a change that was committed through this isolate, so that it counts here
    /// at once (read-your-writes).
    pub fn take_change(&mut self, record: Record, now: UnixMs) {
        self.observe(now);
        let generation = self.generation;
        let (account, evicted) = self.accounts.admit(record.id.account(), now);
        self.counters.count(evicted);
        account.note_change(record.revision, now);
        let Some(lease) = &mut account.lease else { return };
        if !R::is_of_history(lease.epoch(), &record.epoch) {
            // The ledger has begun another epoch, which this lease knows nothing about.
            let lease = account.lease.take();
            account.leave_epoch(lease.as_ref().and_then(Lease::epoch), &record.epoch);
        } else if lease.enter_change(record, generation) {
            self.grow_older();
        }
    }

    /// Ends the lease of an account, because a change with this revision was committed through this
    /// isolate (read-your-writes). The isolate drops replies that it requested before, and ignores
    /// copies of an earlier revision.
    pub fn end_lease(&mut self, account: AccountId, revision: Revision, now: UnixMs) {
        self.observe(now);
        // Calls that were started without a lease carry the era instead; a new era invalidates
        // them.
        self.era = self.era.saturating_add(1);
        let (account, evicted) = self.accounts.admit(account, now);
        account.note_change(revision, now);
        account.lease = None;
        self.counters.count(evicted);
    }

    /// Ends all leases.
    pub fn end_all(&mut self) {
        self.era = self.era.saturating_add(1);
        self.accounts.iter_mut().for_each(|(_, account)| account.lease = None);
    }

    /// Counts one request whose secret was right; `outcome` is the code of the reason if it was
    /// refused.
    pub fn count_use(
        &mut self,
        id: KeyId,
        outcome: Result<(), &'static str>,
        address: Option<ClientAddress>,
        now: UnixMs,
    ) {
        let (account, evicted) = self.accounts.admit(id.account(), now);
        if !account.usage.count(id, outcome, address, now) {
            increment(&mut self.counters.uses_lost);
        } else if account.usage.start_timer(now) {
            self.timers.retain(|waiting| *waiting != id.account());
            self.timers.push(id.account());
        }
        self.counters.count(evicted);
    }

    /// Counts one request with an account's service ID; `is_right` is `true` if its password was
    /// right.
    pub fn count_service(
        &mut self,
        id: AccountId,
        is_right: bool,
        address: Option<ClientAddress>,
        now: UnixMs,
    ) {
        let (account, evicted) = self.accounts.admit(id, now);
        account.usage.count_service(is_right, address, now);
        if account.usage.start_timer(now) {
            self.timers.retain(|waiting| *waiting != id);
            self.timers.push(id);
        }
        self.counters.count(evicted);
    }

    /// Returns an account for whose usage the caller must start a timer of
    /// [`FLUSH_DELAY`](super::usage::FLUSH_DELAY), once. When it fires, [`Self::must_flush`]
    /// decides. The newest comes first, so a request without I/O gets that of its use.
    pub fn take_timer(&mut self) -> Option<AccountId> {
        self.timers.pop()
    }

    /// Returns `true` if a timer that fires now must [renew](Self::renew) the account's lease to
    /// send its usage. `lookup` has the results of the calls that it has made so far.
    pub fn must_flush(&mut self, account: AccountId, now: UnixMs, lookup: &Lookup) -> bool {
        self.observe(now);
        !lookup.is_renewed
            && lookup.failures < REFRESH_ATTEMPTS
            && self.accounts.peek(account).is_some_and(|slot| slot.usage.must_flush(now))
    }

    /// Returns the counters since the isolate started.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Counts a request that was refused because it came without TLS.
    pub fn count_unencrypted(&mut self) {
        increment(&mut self.counters.unencrypted);
    }

    /// Returns the lease of an account, unless it has ended.
    pub fn lease(&self, account: AccountId, now: UnixMs) -> Option<&Lease<R>> {
        self.accounts.peek(account)?.lease(now)
    }

    /// Records the present time. If it is earlier than before, the age of every lease is unknown,
    /// so all of them end.
    pub(super) fn observe(&mut self, now: UnixMs) {
        if now < self.latest {
            self.era = self.era.saturating_add(1);
            self.sweep_at = now;
            self.accounts.iter_mut().for_each(|(_, account)| account.forget_times());
        }
        self.latest = now;
    }

    /// Returns the token for a call or read that starts now. A result must carry the same token
    /// when it arrives.
    pub(super) fn token(&self, account: AccountId, now: UnixMs) -> LeaseToken {
        self.lease(account, now).map_or(LeaseToken::Vacant(self.era), Lease::token)
    }

    /// Counts an answer that was used for the first time in this generation.
    fn grow_older(&mut self) {
        self.young = self.young.saturating_add(1);
        if self.young < GENERATION_MAX {
            return;
        }
        // Answers used in this generation or the one before stay, so at most twice
        // `GENERATION_MAX`.
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

    /// Returns a number that differs between isolates and from refresh to refresh: the first byte
    /// of the finaliser of `SplitMix64`, whose last step does not reach that byte. It keeps
    /// isolates that started together from refreshing together.
    fn jitter(&self) -> u8 {
        let mut bits =
            self.isolate.wrapping_add(self.counters.refreshes.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [first, ..] = bits.to_be_bytes();
        first
    }

    fn count_hit(&mut self, finding: &Finding) {
        if finding.source == Source::Memory {
            increment(&mut self.counters.hits);
            if finding.is_stale {
                increment(&mut self.counters.stale_hits);
            }
        }
    }

    /// Returns an account whose usage has waited for [`USAGE_PAUSE`], and marks a call to its
    /// ledger as in flight. The present request sends the usage, whichever account it concerns.
    fn idle_uses(&mut self, now: UnixMs) -> Option<AccountId> {
        if now < self.sweep_at {
            return None;
        }
        let due =
            self.accounts.iter_mut().find_map(|(id, account)| account.send_uses(now).then_some(id));
        if due.is_none() {
            self.sweep_at = now.saturating_add(USAGE_PAUSE);
        }
        due
    }
}

impl KeyAnswer {
    fn finding(&self) -> Finding {
        Finding {
            cached: self.cached.clone(),
            state: Arc::clone(&self.state),
            source: Source::Ledger,
            as_of: self.sent,
            basis: Basis::Ledger,
            is_stale: false,
        }
    }
}

impl StateAnswer {
    fn finding(&self) -> Finding<()> {
        Finding {
            cached: (),
            state: Arc::clone(&self.state),
            source: Source::Ledger,
            as_of: self.sent,
            basis: Basis::Ledger,
            is_stale: false,
        }
    }
}

/// The answer of a usable lease.
enum LeaseAnswer<W> {
    /// The cached answer, and `true` if a request has already used it in the present generation.
    CachedKey(W, bool),
    /// KV can answer about this key.
    AskKv(KeyId),
    /// Only the ledger can answer.
    AskLedger,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::terms::{Freshness, Outage};
    use crate::lease::rules::ProductionRules;

    /// The first bytes of the numbers of `SplitMix64` with the seed 0, as its reference
    /// implementation gives them.
    #[test]
    fn refreshes_are_spread_as_splitmix64_spreads_its_numbers() {
        let terms = Terms { freshness: Freshness::Bounded, outage: Outage::Deny };
        let mut leases: Leases<ProductionRules> = Leases::new(0, terms);
        for (refreshes, expected) in (1..).zip([0xe2, 0x6e, 0x06, 0xf8, 0x1b]) {
            leases.counters.refreshes = refreshes;
            assert_eq!(leases.jitter(), expected, "{refreshes}");
        }
    }
}
