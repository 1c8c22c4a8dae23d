//! All leases of one isolate: bounded in memory, dropped when the clock steps back, and counted.
//!
//! # Memory
//! An isolate has 128 MB, of which the code takes a few. The worst case of every bound at once is
//! about 90 MB, the usual one 10: [`WORDS_MAX`] records of at most 6 KB (256 networks of some 20
//! bytes) are 48 MB, usually 1 KB each; [`ACCOUNTS_MAX`](super::account::ACCOUNTS_MAX) accounts
//! with [`UNSETTLED_MAX`](super::entries::UNSETTLED_MAX) marks of 80 bytes are 20 MB, and with a
//! full batch of uses beside a full list 23 MB.

mod calls;
mod counters;

use std::sync::Arc;

pub use self::counters::Counters;
pub(super) use self::counters::increment;
use super::account::Accounts;
use super::call::{
    Basis, Finding, Found, KvRead, Lookup, Need, Outcome, Source, Tenure, Told, ToldState,
};
use super::rules::Rules;
use super::usage::USAGE_PAUSE;
use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::config::terms::Terms;
use crate::credential::limits::network::ClientAddress;
use crate::lease::copies::{Lack, Plight, ask_ledger, lack};
use crate::lease::lease::{Lease, Said};
use crate::replication::record::{Record, Revision};

/// Most records and negative answers of all leases together.
pub const WORDS_MAX: usize = 8_192;

/// A generation of use: when this many words were used in it, the next begins, and what was not
/// used in either goes.
const GENERATION_MAX: usize = WORDS_MAX / 2;

/// The leases of an isolate.
#[derive(Debug)]
pub struct Leases<R> {
    pub(super) accounts: Accounts<R>,
    isolate: u64,
    pub(super) terms: Terms,
    /// The latest time seen.
    latest: UnixMs,
    /// Rises when the clock steps back.
    era: u64,
    incarnations: u64,
    sequence: u64,
    pub(super) generation: u32,
    young: usize,
    /// When accounts without requests are next looked at for uses that wait.
    sweep_at: UnixMs,
    pub(super) counters: Counters,
}

impl<R: Rules> Leases<R> {
    /// None yet. `isolate` is random: it names the isolate to ledgers and spreads its refreshes.
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
            counters: Counters::default(),
        }
    }

    /// What is known of a key that is used, for a request that arrived at `arrival` and has found
    /// out `lookup` so far.
    pub fn find(&mut self, id: KeyId, arrival: UnixMs, now: UnixMs, lookup: &Lookup) -> Found {
        self.find_key(id, Need::Ledger(id), arrival, now, lookup)
    }

    /// What is known of a key that has issued the one that is used.
    pub fn find_issuer(
        &mut self,
        id: KeyId,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found {
        self.find_key(id, Need::Issuer(id), arrival, now, lookup)
    }

    /// What is known of an account.
    pub fn find_state(
        &mut self,
        account: AccountId,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found<()> {
        self.observe(now);
        if let Some(told) = lookup.state.as_ref().filter(|told| told.account == account) {
            return Found::Finding(told.finding(), self.idle_uses(now));
        }
        self.find_in_lease(account, Need::State(account), arrival, now, lookup, |_, _| {
            Saying::Word((), true)
        })
    }

    fn find_key(
        &mut self,
        id: KeyId,
        need: Need,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Found {
        self.observe(now);
        if let Some(told) = lookup.told(id) {
            return Found::Finding(told.finding(), self.idle_uses(now));
        }
        let kv = lookup.kv(id);
        let hear = |lease: &mut Lease<R>, generation| match (lease.say(id, generation), kv) {
            (Said::Word { word, is_young }, _) => Saying::Word(word, is_young),
            (Said::AskKv, Outcome::NotAsked) => Saying::AskKv(id),
            (Said::AskKv | Said::AskLedger, _) => Saying::AskLedger,
        };
        let found = self.find_in_lease(id.account(), need, arrival, now, lookup, hear);
        match found {
            Found::Finding(finding, renew) if kv == Outcome::Taken => {
                Found::Finding(Finding { source: Source::Kv, ..finding }, renew)
            }
            Found::Finding(finding, renew) => {
                self.count_hit(&finding);
                Found::Finding(finding, renew)
            }
            other => other,
        }
    }

    /// What a lease that may be used says; `need` is what to find out where there is none.
    fn find_in_lease<W>(
        &mut self,
        account_id: AccountId,
        need: Need,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
        hear: impl FnOnce(&mut Lease<R>, u32) -> Saying<W>,
    ) -> Found<W> {
        let (generation, terms) = (self.generation, self.terms);
        let Some(account) = self.accounts.find(account_id) else {
            return self.lack(lack(account_id, need, lookup, &Plight::of_unknown(terms, lookup)));
        };
        let plight = Plight::of(account, terms, arrival, now, lookup);
        let Some(lease) = account.lease.as_mut().filter(|lease| !lease.is_over(now)) else {
            return self.lack(lack(account_id, need, lookup, &plight));
        };
        let is_fresh = plight.is_fresh(lease, arrival);
        if !is_fresh && !plight.may_use_stale(lease, arrival) {
            return self.lack(lack(account_id, need, lookup, &plight));
        }
        let (word, is_young) = match hear(lease, generation) {
            Saying::Word(word, is_young) => (word, is_young),
            Saying::AskKv(id) => return Found::Need(Need::Kv(id)),
            Saying::AskLedger => return self.lack(ask_ledger(need, lookup, &plight)),
        };
        let finding = Finding {
            word,
            state: Arc::clone(lease.state()),
            source: Source::Memory,
            as_of: lease.as_of(),
            basis: lease.basis(),
            is_stale: !is_fresh,
            is_counted: false,
        };
        let renew = account.renew(terms.freshness, now).then_some(account_id);
        if !is_young {
            self.grow_older();
        }
        Found::Finding(finding, renew.or_else(|| self.idle_uses(now)))
    }

    pub(super) fn lack<W>(&mut self, lack: Lack) -> Found<W> {
        match lack {
            Lack::Need(need) => Found::Need(need),
            Lack::OutOfReach => Found::OutOfReach,
            Lack::RefusedAtOnce => {
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
        KvRead { id, tenure: self.tenure(id.account(), now), known }
    }

    /// Takes what KV held: `None` = nothing, or KV failed.
    pub fn take_kv(&mut self, read: &KvRead, text: Option<&str>, now: UnixMs, lookup: &mut Lookup) {
        self.observe(now);
        lookup.note_kv(read.id, Outcome::NoHelp);
        let Some(record) = text.and_then(|text| Record::from_kv(text, read.id)).map(Arc::new)
        else {
            return;
        };
        if self.tenure(read.id.account(), now) != read.tenure {
            return;
        }
        let generation = self.generation;
        let Some(account) = self.accounts.find(read.id.account()) else { return };
        let Some(lease) = &mut account.lease else { return };
        if lease.enter_from_kv(&record, read.known, generation) {
            lookup.note_kv(read.id, Outcome::Taken);
            self.grow_older();
        }
    }

    /// Takes the record of a change that was committed through this isolate: it counts here at
    /// once.
    pub fn take_change(&mut self, record: Record, now: UnixMs) {
        self.observe(now);
        let generation = self.generation;
        let (account, evicted) = self.accounts.admit(record.id.account(), now);
        self.counters.count(evicted);
        account.floor = account.floor.max(record.revision);
        let Some(lease) = &mut account.lease else { return };
        if !R::is_of_history(lease.epoch(), &record.epoch) {
            // The ledger has begun another history, which this lease knows nothing of.
            let lease = account.lease.take();
            account.leave(lease.as_ref().and_then(Lease::epoch), &record.epoch);
        } else if lease.enter_change(record, generation) {
            self.grow_older();
        }
    }

    /// Ends the lease on an account of which a change of this number was committed through this
    /// isolate: it holds here at once. What was asked before, and copies of what the ledger said
    /// before, count for nothing any more.
    pub fn end_lease(&mut self, account: AccountId, revision: Revision, now: UnixMs) {
        self.observe(now);
        // Replies that are on their way to no lease at all were asked in the era before.
        self.era = self.era.saturating_add(1);
        let (account, evicted) = self.accounts.admit(account, now);
        account.floor = account.floor.max(revision);
        account.lease = None;
        self.counters.count(evicted);
    }

    /// Ends all leases.
    pub fn end_all(&mut self) {
        self.era = self.era.saturating_add(1);
        self.accounts.iter_mut().for_each(|(_, account)| account.lease = None);
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
        self.counters.count(evicted);
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The lease on an account, if it has not ended.
    pub fn lease(&self, account: AccountId, now: UnixMs) -> Option<&Lease<R>> {
        self.accounts.peek(account)?.lease(now)
    }

    /// Notes the time. If it went back, no lease can tell how old it is.
    pub(super) fn observe(&mut self, now: UnixMs) {
        if now < self.latest {
            self.era = self.era.saturating_add(1);
            self.sweep_at = now;
            self.accounts.iter_mut().for_each(|(_, account)| account.lose_time());
        }
        self.latest = now;
    }

    /// Under what a question is asked now, or a reply would have to have been asked.
    pub(super) fn tenure(&self, account: AccountId, now: UnixMs) -> Tenure {
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

    /// A number that differs between isolates and from refresh to refresh (the finaliser of
    /// `SplitMix64`): so that isolates that started together do not go on refreshing together.
    fn jitter(&self) -> u8 {
        let mut bits =
            self.isolate.wrapping_add(self.counters.refreshes.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [first, ..] = (bits ^ (bits >> 31)).to_be_bytes();
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

    /// An account whose uses have waited for long without a refresh: any request may send them off.
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

impl Told {
    fn finding(&self) -> Finding {
        Finding {
            word: self.word.clone(),
            state: Arc::clone(&self.state),
            source: Source::Ledger,
            as_of: self.sent,
            basis: Basis::Ledger,
            is_stale: false,
            is_counted: self.is_use,
        }
    }
}

impl ToldState {
    fn finding(&self) -> Finding<()> {
        Finding {
            word: (),
            state: Arc::clone(&self.state),
            source: Source::Ledger,
            as_of: self.sent,
            basis: Basis::Ledger,
            is_stale: false,
            is_counted: false,
        }
    }
}

/// What a lease that may be used says.
enum Saying<W> {
    /// This; whether it was used in the present generation before.
    Word(W, bool),
    /// KV can tell of this key.
    AskKv(KeyId),
    /// Only the ledger can tell.
    AskLedger,
}
