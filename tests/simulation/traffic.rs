//! Requests that come by chance, at isolates that are all well: what they cost.

use std::collections::{BTreeMap, BTreeSet};

use claviger::config::Terms;
use claviger::id::{AccountId, KeyId};
use claviger::lease::call::{Found, KvRead, Lookup, Need, RefreshCall, RefreshReply, Source};
use claviger::lease::isolate::Leases;
use claviger::lease::rules::ByTheBook;
use claviger::lease::usage::USAGE_PAUSE;
use claviger::ledger::usage::fold::{QUIET, WRITE_PAUSE};
use claviger::record::{Epoch, Record, Revision, Standing};
use claviger::refresh::{AccountState, Answer, Delta, Refresh, Unsettled};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::host::at;

/// How long the ledger takes to answer, and KV, in milliseconds.
const LEDGER_MS: i64 = 50;
const KV_MS: i64 = 10;

/// What a shared reply's time is set back by, for the clocks of two machines.
const SKEW_MS: i64 = 1_000;

/// Where leases come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The ledger.
    Bounded,
    /// The ledger, once for all isolates of a data centre.
    Shared,
    /// A document in KV.
    Eventual,
}

/// Requests for one account.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Requests a second, in all.
    pub rate: f64,
    pub data_centres: u64,
    /// In each data centre. Any of them may get a request, alike.
    pub isolates: u64,
    /// Any of them may be asked for, alike.
    pub keys: u64,
    /// T, in seconds.
    pub t: f64,
    pub mode: Mode,
    /// So many are counted, after a tenth as many that are not.
    pub requests: u64,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub requests: u64,
    /// Requests that waited for the ledger.
    pub waits: u64,
    /// Calls to the ledger.
    pub calls: u64,
    /// Of these, those that only told it of uses; counted by formula alone.
    pub reports: u64,
    /// Rows that the ledger wrote for them, alarms that it set among them.
    pub rows: u64,
    /// Alarms that rang for it to write them.
    pub rings: u64,
    /// Reads of KV: of records, and of lease documents.
    pub kv_reads: u64,
    /// When the last request came, or over how many milliseconds they came.
    pub ms: i64,
}

impl Count {
    pub fn per_request(&self, what: u64) -> f64 {
        what as f64 / self.requests as f64
    }

    pub fn waiting(&self) -> f64 {
        self.per_request(self.waits)
    }

    pub fn calls_per_s(&self) -> f64 {
        1_000.0 * self.calls as f64 / self.ms as f64
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            waits: self.waits - before.waits,
            calls: self.calls - before.calls,
            reports: self.reports - before.reports,
            rows: self.rows - before.rows,
            rings: self.rings - before.rings,
            kv_reads: self.kv_reads - before.kv_reads,
            ms: self.ms - before.ms,
        }
    }
}

/// A request, by when it comes, to which isolate and for which key.
struct Arrival {
    at: i64,
    isolate: u64,
    key: u64,
}

impl Traffic {
    /// One isolate and one key, at the usual T.
    pub fn one() -> Self {
        let mode = Mode::Bounded;
        Self { rate: 1.0, data_centres: 1, isolates: 1, keys: 1, t: 10.0, mode, requests: 10_000 }
    }

    fn arrivals(self) -> impl Iterator<Item = Arrival> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut ms = 1e9;
        (0..self.requests + self.requests / 10).map(move |_| {
            let lot = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            ms -= (1.0 - lot).ln() * 1_000.0 / self.rate;
            let isolate = rng.next_u64() % (self.data_centres * self.isolates);
            Arrival { at: ms as i64, isolate, key: rng.next_u64() % self.keys }
        })
    }

    /// Every request finds an isolate that knows nothing, and soon ends.
    pub fn run_cold(self) -> Count {
        let (calls, kv_reads) = match self.mode {
            // A data centre's first request pays for all: the others find the reply, and read the record.
            Mode::Shared => (0, 1),
            Mode::Bounded => (1, 0),
            Mode::Eventual => (0, 2),
        };
        let (mut count, mut waiting) = (Count::default(), Waiting::default());
        for Arrival { at: now, key, .. } in self.arrivals() {
            count.requests += 1;
            count.waits += calls;
            count.calls += calls;
            count.kv_reads += kv_reads;
            // A call is a use.
            waiting.add(None, (calls > 0).then_some(key), now, &mut count);
        }
        count
    }

    /// The leases of the edge, each isolate for itself.
    pub fn run(self) -> Count {
        assert_eq!(self.mode, Mode::Bounded);
        let mut world = World::new(self);
        let mut before = Count::default();
        for (place, arrival) in self.arrivals().enumerate() {
            world.pass(arrival.at);
            if place as u64 == self.requests / 10 {
                before = Count { ms: arrival.at, ..world.count };
            }
            world.count.ms = arrival.at;
            world.count.requests += 1;
            let (arrived, lookup) = (arrival.at, Lookup::default());
            let Arrival { isolate, key, .. } = arrival;
            world.decide(Flight { isolate, key, arrived, lookup, is_waiting: false });
        }
        world.count.since(&before)
    }

    /// What the leases come to, in a few lines and for every mode: T, the time of renewal and that a record lives as long as its lease.
    pub fn run_by_formula(self) -> Count {
        let t = (1_000.0 * self.t) as i64;
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let mut isolates: Vec<Brief> = (0..self.data_centres * self.isolates).map(|_| Brief::new()).collect();
        let mut caches = vec![i64::MIN / 2; self.data_centres as usize];
        let (mut count, mut before) = (Count::default(), Count::default());
        let mut waiting = Waiting::default();
        for (place, Arrival { at: now, isolate, key }) in self.arrivals().enumerate() {
            count.ms = now;
            if place as u64 == self.requests / 10 {
                before = count;
            }
            count.requests += 1;
            let cache = &mut caches[(isolate / self.isolates) as usize];
            let place_of = isolate;
            let isolate = &mut isolates[isolate as usize];
            let age = now - isolate.as_of;
            let is_usable = age <= t;
            if age >= 10 * t {
                isolate.known.clear();
            }
            let mut is_told = false;
            let is_due = age >= isolate.renewal;
            let has_uses = !isolate.uses.is_empty() && now - isolate.handed_out >= USAGE_PAUSE.as_ms() as i64;
            let is_shared = self.mode == Mode::Shared && now - *cache <= t / 2 && *cache > isolate.as_of;
            if is_due && self.mode == Mode::Eventual {
                count.kv_reads += 1;
                isolate.as_of = now;
            } else if is_due && is_shared {
                isolate.as_of = *cache;
            }
            let is_asked = is_due && self.mode != Mode::Eventual && !is_shared;
            if is_asked || has_uses {
                count.calls += 1;
                count.reports += u64::from(!is_asked);
                is_told = is_asked && !is_usable;
                count.waits += u64::from(is_told);
                let teller = (!isolate.uses.is_empty()).then_some(place_of);
                let asked = is_told.then_some(key);
                let uses = core::mem::take(&mut isolate.uses).into_iter().chain(asked);
                waiting.add(teller, uses, now, &mut count);
                (isolate.as_of, isolate.handed_out) = (now, now);
                *cache = now - SKEW_MS;
            }
            if is_due || isolate.as_of == now {
                isolate.renewal = t / 2 + (rng.next_u64() % 256) as i64 * t / 1_024;
            }
            count.kv_reads += u64::from(isolate.known.insert(key) && !is_told);
            if !is_told {
                if isolate.uses.is_empty() && isolate.handed_out < 0 {
                    isolate.handed_out = now;
                }
                isolate.uses.insert(key);
            }
        }
        count.since(&before)
    }
}

/// What a ledger was told of uses and has not written yet.
struct Waiting<K> {
    /// When the first of it came, and when the last.
    span: Option<(i64, i64)>,
    rings_at: i64,
    isolates: BTreeSet<u64>,
    keys: BTreeSet<K>,
}

impl<K> Default for Waiting<K> {
    fn default() -> Self {
        Self { span: None, rings_at: 0, isolates: BTreeSet::new(), keys: BTreeSet::new() }
    }
}

impl<K: Ord> Waiting<K> {
    /// A report of an isolate, if it has a batch, and the keys that were used.
    fn add(&mut self, teller: Option<u64>, keys: impl IntoIterator<Item = K>, now: i64, count: &mut Count) {
        self.pass(now, count);
        let mut keys = keys.into_iter().peekable();
        if teller.is_none() && keys.peek().is_none() {
            return;
        }
        if self.span.is_none() {
            self.rings_at = now + QUIET.as_ms() as i64;
            count.rows += 1;
        }
        self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        self.isolates.extend(teller);
        self.keys.extend(keys);
    }

    /// The alarm rings until all is written. It is set twice each time: as it begins, in case it fails, and to what is due then.
    fn pass(&mut self, now: i64, count: &mut Count) {
        while let Some((first, last)) = self.span.filter(|_| self.rings_at <= now) {
            count.rings += 1;
            count.rows += 2;
            let due = (first + WRITE_PAUSE.as_ms() as i64).min(last + QUIET.as_ms() as i64);
            if due <= self.rings_at {
                count.rows += (self.isolates.len() + self.keys.len()) as u64;
                *self = Self::default();
            }
            self.rings_at = due;
        }
    }
}

/// An isolate by formula.
struct Brief {
    as_of: i64,
    renewal: i64,
    known: BTreeSet<u64>,
    /// Keys whose use nobody was told of.
    uses: BTreeSet<u64>,
    handed_out: i64,
}

impl Brief {
    fn new() -> Self {
        Self {
            as_of: i64::MIN / 2,
            renewal: 0,
            known: BTreeSet::new(),
            uses: BTreeSet::new(),
            handed_out: -1,
        }
    }
}

struct Flight {
    isolate: u64,
    key: u64,
    arrived: i64,
    lookup: Lookup,
    is_waiting: bool,
}

enum Event {
    Ledger(u64, Box<RefreshCall>, Option<Flight>),
    Kv(Flight, KvRead),
}

/// The leases of the edge, with a ledger and KV that always answer.
struct World {
    now: i64,
    account: AccountId,
    keys: Vec<KeyId>,
    isolates: Vec<Leases<ByTheBook>>,
    events: BTreeMap<(i64, u64), Event>,
    sequence: u64,
    freshness_ms: u64,
    waiting: Waiting<KeyId>,
    count: Count,
}

impl World {
    fn new(traffic: Traffic) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let account = AccountId::random(&mut rng);
        let isolates = traffic.data_centres * traffic.isolates;
        Self {
            now: 0,
            account,
            keys: (0..traffic.keys).map(|_| KeyId::random(account, &mut rng)).collect(),
            isolates: (0..isolates).map(|_| Leases::new(rng.next_u64() >> 11, Terms::default())).collect(),
            events: BTreeMap::new(),
            sequence: 0,
            freshness_ms: (1_000.0 * traffic.t) as u64,
            waiting: Waiting::default(),
            count: Count::default(),
        }
    }

    fn pass(&mut self, until: i64) {
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= until) {
            self.now = entry.key().0;
            match entry.remove() {
                Event::Ledger(isolate, call, flight) => self.answered(isolate, &call, flight),
                Event::Kv(mut flight, read) => {
                    let text = serde_json::to_string(&self.record(read.id())).unwrap();
                    let leases = &mut self.isolates[flight.isolate as usize];
                    leases.take_kv(&read, Some(&text), at(self.now), &mut flight.lookup);
                    self.decide(flight);
                }
            }
        }
        self.now = until;
    }

    fn later(&mut self, delay: i64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), event);
    }

    fn decide(&mut self, mut flight: Flight) {
        let (id, now) = (self.keys[flight.key as usize], at(self.now));
        let leases = &mut self.isolates[flight.isolate as usize];
        match leases.find(id, at(flight.arrived), now, &flight.lookup) {
            Found::Finding(finding, renew) => {
                if finding.source != Source::Ledger {
                    leases.count_use(id, true, None, now);
                }
                if let Some(account) = renew {
                    let call = leases.renew(account, now);
                    self.call(flight.isolate, call, None);
                }
            }
            Found::Need(Need::Kv(id)) => {
                let read = leases.ask_kv(id, now);
                self.count.kv_reads += 1;
                self.later(KV_MS, Event::Kv(flight, read));
            }
            // No neighbour has anything: what sharing saves is counted elsewhere.
            Found::Need(Need::Copy(account, shelf)) => {
                let read = leases.ask_copy(account, shelf, now);
                leases.take_shared(&read, None, now, Some(&mut flight.lookup));
                self.decide(flight);
            }
            Found::Need(need) => {
                let call = leases.ask(need, now);
                self.count.waits += u64::from(!flight.is_waiting);
                flight.is_waiting = true;
                self.call(flight.isolate, call, Some(flight));
            }
            Found::OutOfReach => panic!("nothing is out of reach"),
        }
    }

    fn call(&mut self, isolate: u64, call: RefreshCall, flight: Option<Flight>) {
        self.count.calls += 1;
        let batch = call.request().usage.as_ref();
        let used = batch.into_iter().flat_map(|batch| &batch.uses).map(|used| used.id);
        let keys = call.request().ask.iter().copied().chain(used);
        self.waiting.add(batch.map(|_| isolate), keys, self.now, &mut self.count);
        self.later(LEDGER_MS, Event::Ledger(isolate, Box::new(call), flight));
    }

    fn answered(&mut self, isolate: u64, call: &RefreshCall, mut flight: Option<Flight>) {
        let request = call.request();
        let freshness_ms = self.freshness_ms;
        let state = AccountState { revision: Revision(1), freshness_ms, ..AccountState::default() };
        let answers = request.ask.iter().map(|id| Answer { id: *id, record: Some(self.record(*id)) });
        let refresh = Refresh {
            epoch: Epoch::new(1),
            revision: Revision(1),
            delta: if request.epoch.is_some() { Delta::Changes(Vec::new()) } else { Delta::Reset },
            unsettled: Unsettled::Set(Vec::new()),
            state: (request.state_revision.0 == 0).then_some(state),
            answers: answers.collect(),
            document: 0,
        };
        let lookup = flight.as_mut().map(|flight| &mut flight.lookup);
        let leases = &mut self.isolates[isolate as usize];
        leases.take(call, &RefreshReply::Refreshed(refresh), at(self.now), lookup);
        if let Some(flight) = flight {
            self.decide(flight);
        }
    }

    fn record(&self, id: KeyId) -> Record {
        // What it says is nothing to the lease.
        debug_assert_eq!(id.account(), self.account);
        Record::new(Epoch::new(1), Revision(1), id, Standing::Deleted)
    }
}
