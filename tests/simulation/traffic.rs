//! Requests that come by chance, at isolates that are all well: what they cost.

use std::collections::{BTreeMap, BTreeSet};

use claviger_control::ledger::usage::pending::{QUIET, WRITE_PAUSE};
use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::config::terms::{Freshness, Terms};
use claviger_core::lease::call::{
    CopyRead, CopySource, Fetch, Found, KvRead, Lookup, RefreshCall, RenewalStep,
};
use claviger_core::lease::isolate::Leases;
use claviger_core::lease::rules::ProductionRules;
use claviger_core::lease::usage::FLUSH_DELAY;
use claviger_core::replication::document::Document;
use claviger_core::replication::edge_call::RefreshReply;
use claviger_core::replication::record::{Epoch, Record, Revision, Standing};
use claviger_core::replication::refresh::{AccountState, Delta, Refresh, RefreshAnswer, Unsettled};
use claviger_core::replication::shared::Shared;
use claviger_core::testing::none_superseded;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::host::at;

/// How long the ledger takes to answer, KV, and a data centre's cache, in milliseconds.
const LEDGER_MS: i64 = 50;
const KV_MS: i64 = 10;
const CACHE_MS: i64 = 1;

/// After so long whatever a request has begun is over, in milliseconds.
const TO_END_MS: i64 = 1_000;

/// Where leases come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The ledger.
    Bounded,
    /// The ledger, and what it has told neighbours in the data centre.
    Shared,
    /// A document in KV.
    Eventual,
}

/// Requests for one account.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Requests a second, in all.
    pub rate: f64,
    pub data_centres: usize,
    /// In each data centre. Any of them may get a request, alike.
    pub isolates: usize,
    /// Every request meets a new isolate of its data centre instead.
    pub is_cold: bool,
    /// Any of them may be asked for, alike.
    pub keys: usize,
    /// T, in seconds.
    pub t: f64,
    pub mode: Mode,
    /// `true` if usage is sent once requests stop. That renews leases, which the formulas leave
    /// out.
    pub is_flushing: bool,
    /// So many are not counted.
    pub before: usize,
    /// So many are, after that.
    pub requests: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub requests: u64,
    /// Requests that waited for the ledger.
    pub waits: u64,
    /// Calls to the ledger.
    pub calls: u64,
    /// Of these, those that were made to tell it of uses.
    pub reports: u64,
    /// Rows that the ledger wrote for them, alarms that it set among them.
    pub rows: u64,
    /// Alarms that rang for it to write them.
    pub rings: u64,
    /// Reads of KV: of records, and of lease documents.
    pub kv_reads: u64,
    /// Over how many milliseconds; of a sum that is not done, until when.
    pub ms: i64,
}

impl Count {
    pub fn per_request(&self, what: u64) -> f64 {
        what as f64 / self.requests as f64
    }

    pub fn waiting(&self) -> f64 {
        self.per_request(self.waits)
    }

    pub fn per_s(&self, what: u64) -> f64 {
        1_000.0 * what as f64 / self.ms as f64
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

/// A request, by when it comes, where and for which key.
struct Arrival {
    at: i64,
    isolate: usize,
    key: usize,
}

impl Traffic {
    /// One isolate and one key, at the usual T.
    pub fn one() -> Self {
        let (mode, is_cold) = (Mode::Bounded, false);
        let (data_centres, isolates, keys, before, requests) = (1, 1, 1, 1_000, 10_000);
        let (rate, t, is_flushing) = (1.0, 10.0, false);
        Self { rate, data_centres, isolates, is_cold, keys, t, mode, is_flushing, before, requests }
    }

    fn arrivals(self) -> impl Iterator<Item = Arrival> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut ms = 1e9;
        (0..self.before + self.requests).map(move |_| {
            let lot = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            ms -= (1.0 - lot).ln() * 1_000.0 / self.rate;
            let mut one_of = |number: usize| (rng.next_u64() % number as u64) as usize;
            Arrival {
                at: ms as i64,
                isolate: one_of(self.data_centres * self.isolates),
                key: one_of(self.keys),
            }
        })
    }

    /// What the edge does.
    pub fn run(self) -> Count {
        let mut world = World::new(self);
        let mut before = Count::default();
        for (place, Arrival { at: arrived, isolate, key }) in self.arrivals().enumerate() {
            world.pass(arrived);
            if place == self.before {
                before = world.counted();
            }
            world.count.requests += 1;
            let isolate = if self.is_cold { world.join(isolate / self.isolates) } else { isolate };
            let lookup = Lookup::default();
            world.decide(Box::new(Flight { isolate, key, arrived, lookup, is_waiting: false }));
        }
        let ms = world.now;
        world.pass(ms + TO_END_MS);
        Count { ms, ..world.counted() }.since(&before)
    }
}

/// The time of a last use in a key's own row is right to within so many milliseconds.
const STAMP_MS: i64 = 600_000;

/// What a ledger was told of uses and has not written yet.
struct Waiting<K> {
    /// When the first of it came, and when the last.
    span: Option<(i64, i64)>,
    rings_at: i64,
    isolates: BTreeSet<u64>,
    keys: BTreeSet<K>,
    /// When the last use of each key was last written into its own row.
    stamped: BTreeMap<K, i64>,
}

impl<K> Default for Waiting<K> {
    fn default() -> Self {
        Self {
            span: None,
            rings_at: 0,
            isolates: BTreeSet::new(),
            keys: BTreeSet::new(),
            stamped: BTreeMap::new(),
        }
    }
}

impl<K: Ord> Waiting<K> {
    /// A report of an isolate, if it has a batch, and the keys that were used.
    fn add(
        &mut self,
        teller: Option<u64>,
        keys: impl IntoIterator<Item = K>,
        now: i64,
        count: &mut Count,
    ) {
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

    /// The alarm rings until all is written. It is set twice each time: as it begins, in case it
    /// fails, and to what is due then.
    fn pass(&mut self, now: i64, count: &mut Count) {
        while let Some((first, last)) = self.span.filter(|_| self.rings_at <= now) {
            count.rings += 1;
            count.rows += 2;
            let due = (first + WRITE_PAUSE.as_ms() as i64).min(last + QUIET.as_ms() as i64);
            if due <= self.rings_at {
                count.rows += (self.isolates.len() + self.keys.len()) as u64;
                let keys = core::mem::take(&mut self.keys);
                // The key's own row and its place in an index, once in ten minutes.
                for key in keys {
                    let stamped = self.stamped.entry(key).or_insert(i64::MIN / 2);
                    if *stamped <= last - STAMP_MS {
                        (*stamped, count.rows) = (last, count.rows + 2);
                    }
                }
                let stamped = core::mem::take(&mut self.stamped);
                *self = Self { stamped, ..Self::default() };
            }
            self.rings_at = due;
        }
    }
}

struct Flight {
    isolate: usize,
    key: usize,
    arrived: i64,
    lookup: Lookup,
    is_waiting: bool,
}

/// A lease is renewed in the background, or uses are told.
struct Renewal {
    isolate: usize,
    lookup: Lookup,
    /// It has read a copy.
    has_looked: bool,
}

/// Who waits for what comes back.
enum Waiter {
    Request(Box<Flight>),
    Renewal(Box<Renewal>),
    Timer(usize),
}

impl Waiter {
    fn isolate(&self) -> usize {
        match self {
            Self::Request(flight) => flight.isolate,
            Self::Renewal(renewal) => renewal.isolate,
            Self::Timer(isolate) => *isolate,
        }
    }

    fn lookup(&mut self) -> Option<&mut Lookup> {
        match self {
            Self::Request(flight) => Some(&mut flight.lookup),
            Self::Renewal(renewal) => Some(&mut renewal.lookup),
            Self::Timer(_) => None,
        }
    }
}

enum Event {
    Ledger(Box<RefreshCall>, Waiter),
    Kv(KvRead, Box<Flight>),
    Copy(CopyRead, Waiter),
    Timer(usize),
}

/// The leases of the edge, with a ledger and KV that always answer.
struct World {
    now: i64,
    account: AccountId,
    keys: Vec<KeyId>,
    traffic: Traffic,
    /// Each in its data centre.
    isolates: Vec<(Leases<ProductionRules>, usize)>,
    /// What the data centres' caches hold.
    caches: Vec<Option<Shared>>,
    events: BTreeMap<(i64, u64), Event>,
    sequence: u64,
    rng: ChaCha8Rng,
    waiting: Waiting<KeyId>,
    count: Count,
}

impl World {
    fn new(traffic: Traffic) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let account = AccountId::random(&mut rng);
        let Traffic { data_centres, isolates, keys, .. } = traffic;
        let keys = (0..keys).map(|_| KeyId::random(account, &mut rng)).collect();
        let mut world = Self {
            now: 0,
            account,
            keys,
            traffic,
            isolates: Vec::new(),
            caches: vec![None; data_centres],
            events: BTreeMap::new(),
            sequence: 0,
            rng,
            waiting: Waiting::default(),
            count: Count::default(),
        };
        if !traffic.is_cold {
            (0..data_centres * isolates).for_each(|place| _ = world.join(place / isolates));
        }
        world
    }

    /// A new isolate, which knows nothing.
    fn join(&mut self, data_centre: usize) -> usize {
        let is_eventual = self.traffic.mode == Mode::Eventual;
        let freshness = if is_eventual { Freshness::Eventual } else { Freshness::Bounded };
        let terms = Terms { freshness, ..Terms::default() };
        self.isolates.push((Leases::new(self.rng.next_u64() >> 11, terms), data_centre));
        self.isolates.len() - 1
    }

    fn pass(&mut self, until: i64) {
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= until) {
            self.now = entry.key().0;
            match entry.remove() {
                Event::Ledger(call, waiter) => self.answered(&call, waiter),
                Event::Kv(read, mut flight) => {
                    let text = serde_json::to_string(&self.record(read.id())).unwrap();
                    let (leases, _) = &mut self.isolates[flight.isolate];
                    leases.take_kv(&read, Some(&text), at(self.now), &mut flight.lookup);
                    self.decide(flight);
                }
                Event::Timer(isolate) => self.flush(isolate),
                Event::Copy(read, mut waiter) => {
                    let document = self.document();
                    let (leases, data_centre) = &mut self.isolates[waiter.isolate()];
                    let (now, lookup) = (at(self.now), waiter.lookup());
                    match read.source() {
                        CopySource::Kv => leases.take_document(&read, Some(document), now, lookup),
                        CopySource::Cache => {
                            leases.take_shared(
                                &read,
                                self.caches[*data_centre].clone(),
                                now,
                                lookup,
                            );
                        }
                    }
                    self.go_on(waiter);
                }
            }
        }
        self.now = until;
    }

    /// What was done so far.
    fn counted(&mut self) -> Count {
        self.waiting.pass(self.now, &mut self.count);
        Count { ms: self.now, ..self.count }
    }

    fn later(&mut self, delay: i64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), event);
    }

    fn go_on(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Request(flight) => self.decide(flight),
            Waiter::Renewal(renewal) => self.run_errand(renewal),
            Waiter::Timer(_) => (),
        }
    }

    fn decide(&mut self, mut flight: Box<Flight>) {
        let (id, now) = (self.keys[flight.key], at(self.now));
        let (leases, _) = &mut self.isolates[flight.isolate];
        match leases.find(id, at(flight.arrived), now, &flight.lookup) {
            Found::Finding(_, renew) => {
                leases.count_use(id, Ok(()), None, now);
                let timer = leases.take_timer();
                if timer.is_some() && self.traffic.is_flushing {
                    self.later(FLUSH_DELAY.as_ms() as i64, Event::Timer(flight.isolate));
                }
                if renew.is_some() {
                    let (isolate, lookup) = (flight.isolate, Lookup::default());
                    self.run_errand(Box::new(Renewal { isolate, lookup, has_looked: false }));
                }
            }
            Found::Fetch(Fetch::Kv(id)) => {
                let read = leases.ask_kv(id, now);
                self.count.kv_reads += 1;
                self.later(KV_MS, Event::Kv(read, flight));
            }
            Found::Fetch(Fetch::Copy(account, source)) => {
                let read = leases.ask_copy(account, source, now);
                self.look(read, Waiter::Request(flight));
            }
            Found::Fetch(need) => {
                let call = leases.ask(need, now);
                self.count.waits += u64::from(!flight.is_waiting);
                flight.is_waiting = true;
                self.call(call, Waiter::Request(flight));
            }
            Found::OutOfReach => panic!("nothing is out of reach"),
        }
    }

    fn run_errand(&mut self, mut renewal: Box<Renewal>) {
        let (account, now) = (self.account, at(self.now));
        let (leases, _) = &mut self.isolates[renewal.isolate];
        match leases.renewal_step(account, now, &renewal.lookup) {
            None => (),
            Some(RenewalStep::Copy(source)) => {
                renewal.has_looked = true;
                let read = leases.ask_copy_in_background(account, source, now);
                self.look(read, Waiter::Renewal(renewal));
            }
            Some(RenewalStep::Refresh) => {
                // Where copies count, only uses that are due lead there at once.
                let call = leases.renew(account, now);
                self.count.reports += u64::from(!renewal.has_looked);
                self.call(call, Waiter::Renewal(renewal));
            }
        }
    }

    /// The timer of an isolate fires.
    fn flush(&mut self, isolate: usize) {
        let (account, now, lookup) = (self.account, at(self.now), Lookup::default());
        let (leases, _) = &mut self.isolates[isolate];
        if leases.must_flush(account, now, &lookup) {
            let call = leases.renew(account, now);
            self.count.reports += 1;
            self.call(call, Waiter::Timer(isolate));
        }
    }

    fn look(&mut self, read: CopyRead, waiter: Waiter) {
        let delay = match read.source() {
            CopySource::Kv => {
                self.count.kv_reads += 1;
                KV_MS
            }
            CopySource::Cache => CACHE_MS,
        };
        self.later(delay, Event::Copy(read, waiter));
    }

    fn call(&mut self, call: RefreshCall, waiter: Waiter) {
        self.count.calls += 1;
        let batch = call.request().usage.as_ref();
        let used = batch.into_iter().flat_map(|batch| &batch.uses).map(|used| used.id);
        let teller = batch.map(|batch| batch.isolate);
        self.waiting.add(teller, used, self.now, &mut self.count);
        self.later(LEDGER_MS, Event::Ledger(Box::new(call), waiter));
    }

    fn answered(&mut self, call: &RefreshCall, mut waiter: Waiter) {
        let request = call.request();
        let answers =
            request.ask.iter().map(|id| RefreshAnswer { id: *id, record: Some(self.record(*id)) });
        let (answers, told) = (answers.collect(), self.told());
        let refresh = Refresh {
            delta: if request.epoch.is_some() { told.delta } else { Delta::Reset },
            state: told.state.filter(|state| state.revision > request.state_revision),
            answers,
            ..told
        };
        let (reply, now) = (RefreshReply::Refreshed(refresh), at(self.now));
        let (leases, data_centre) = &mut self.isolates[waiter.isolate()];
        leases.take_refresh(call, &reply, now, waiter.lookup());
        if self.traffic.mode == Mode::Shared {
            let covering = leases.covering(call.account(), &reply, now);
            self.caches[*data_centre] =
                covering.and_then(|lease| call.to_share(&reply, lease.superseded().cloned(), now));
        }
        self.go_on(waiter);
    }

    fn document(&self) -> Document {
        Document::new(self.account, 1, self.told(), Revision(1)).unwrap()
    }

    /// What the ledger says: nothing has changed.
    fn told(&self) -> Refresh {
        let freshness_ms = (1_000.0 * self.traffic.t) as u64;
        Refresh {
            epoch: Epoch::new(1),
            revision: Revision(1),
            delta: Delta::Changes(Vec::new()),
            unsettled: Unsettled::Set(Vec::new()),
            state: Some(AccountState {
                revision: Revision(1),
                freshness_ms,
                ..AccountState::default()
            }),
            answers: Vec::new(),
            document: u64::from(self.traffic.mode == Mode::Eventual),
            superseded: none_superseded(),
        }
    }

    fn record(&self, id: KeyId) -> Record {
        // What it says is nothing to the lease.
        debug_assert_eq!(id.account(), self.account);
        Record::new(Epoch::new(1), Revision(1), id, Standing::Deleted)
    }
}
