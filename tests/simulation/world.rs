//! Isolates in several places, a ledger, KV and members, driven by one seed through virtual time.

use std::collections::BTreeMap;

use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::master::MasterSecrets;
use claviger_core::base::id::AccountId;
use claviger_core::config::settings::{Config, Variables};
use claviger_core::gateway::gateway::Gateway;
use claviger_core::lease::call::{CopyRead, KvRead, LeaseToken, Lookup, RefreshCall};
use claviger_core::lease::lease::REFRESH_ATTEMPTS;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::edge_call::RefreshReply;
use claviger_core::replication::kv_mac::KvMac;
use claviger_core::replication::record::Record;
use claviger_core::replication::refresh::SETTLE_MS;
use claviger_core::replication::shared::SKEW;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::bugs::{self, Sabotage};
use crate::cache::Cache;
use crate::copies::Waiter;
use crate::host::{Host, at, heard};
use crate::issuers::Issuers;
use crate::kv::{Kv, Mood};
use crate::meetings::Met;
use crate::model::{Ask, Model};
use crate::tally::Tally;
use crate::usage::{Counts, Unsent};

/// 2026-11-21T12:00:00Z.
pub const START: i64 = 1_795_262_400_000;
pub const S: i64 = SETTLE_MS as i64;
const RING: &str = r#"[{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"}]"#;
const BOTH: &str = r#"[{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"},{"id":"x","secret":"Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P"}]"#;
const FOREIGN: &str = r#"[{"id":"x","secret":"Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P"}]"#;
/// By how much less two clocks of one data centre differ than is reckoned with.
pub const SKEW_MS: i64 = SKEW.as_ms() as i64;
const TIMEOUT: i64 = 2_000;

/// The settings of an isolate; `is_eventual`: leases come from documents; `grace_s`: how many
/// seconds past T a lease may serve while the ledger is out of reach; 0: none.
pub fn config(master: &str, is_eventual: bool, grace_s: i64) -> Config {
    let rules =
        r#"[{"host":"api.localhost","path":"/*","origin":"DEMO","permission":"demo:read"}]"#;
    let rules = rules.replacen(r#""demo:read""#, r#"{"read":"demo:read","write":"demo:write"}"#, 1);
    let edge_keys = MasterSecrets::parse(master).unwrap().edge_keys();
    let variables = Variables {
        prefix: Some("clv".into()),
        console_origin: Some("http://localhost:8787".into()),
        rules: Some(rules),
        freshness: is_eventual.then(|| "eventual".into()),
        outage: (grace_s > 0).then(|| format!("grace:{grace_s}")),
    };
    Config::parse(Some(&edge_keys), &variables).unwrap()
}

/// A request under way in an isolate.
pub struct Flight {
    pub isolate: usize,
    pub life: u64,
    pub key: usize,
    pub ask: Ask,
    pub arrived: i64,
    pub arrived_local: i64,
    pub lookup: Lookup,
    pub failures: u32,
    pub turns: u32,
}

/// What breaks where an edge that fits its admin Worker asks whether it does.
pub const ASKS_ADMIN: &str = "P3: an edge that fits asks again";

/// Nothing, or the promise that was broken.
pub type Checked = Result<(), String>;

pub enum Event {
    Go(Flight),
    KvBack(Flight, KvRead, Option<String>),
    /// A refresh reaches the ledger; its reply takes `.2`, if it is to come.
    AtLedger((usize, u64), Box<RefreshCall>, Option<i64>, Waiter),
    /// The reply arrives, which the ledger gave at `.3`.
    LedgerBack((usize, u64), Box<RefreshCall>, RefreshReply, i64, Waiter),
    CopyBack((usize, u64), CopyRead, Option<String>, Waiter),
    /// What is shared reaches the cache of a data centre, for so many seconds.
    Shares(u64, String, u64),
    Lands(String, Option<String>),
    Told(Effect, EffectOutcome),
    /// The isolate that had a change committed hears of it, and ends its lease or takes the record.
    Learn((usize, u64), Record, bool),
    /// A timer of an isolate that has counted uses of an account.
    Timer((usize, u64), AccountId),
    Alarm,
}

pub struct Isolate<R> {
    pub gateway: Gateway<R>,
    pub life: u64,
    pub mood: Mood,
    /// The data centre whose cache it looks into; `None`: it has no neighbours.
    pub place: Option<u64>,
    /// Its clock less the true one.
    pub offset: i64,
    pub frozen_until: i64,
    /// When a request, or whoever renewed a lease, last gave up waiting for the ledger.
    pub given_up_at: i64,
    /// The latest local time that its leases saw.
    pub latest: i64,
    /// How far its clock went back without its seeing it.
    pub slack: i64,
    /// When its calls failed, in true time.
    pub failed: Vec<i64>,
    /// The first of them since the last answer, if it knows.
    pub out_since: Option<i64>,
    /// Number of the last document that it took.
    pub document: u64,
    /// The last word on each key that it has had: under which lease, and of which revision. It must
    /// not go back behind that (rule 4).
    pub heard: BTreeMap<usize, Heard>,
    /// The words that it holds in memory: whoever asks next must get them from there (P4).
    pub warm: BTreeMap<usize, Heard>,
    /// The changes of keys that were committed through it: revision, and since when it knows.
    pub own: BTreeMap<usize, (u64, i64)>,
    pub met: Met,
    pub unsent: Unsent,
    /// How many of its calls the ledger has answered.
    pub handled: u64,
    /// Its last call to the ledger.
    pub last_call: Option<Box<RefreshCall>>,
}

/// A word on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub tenure: LeaseToken,
    pub revision: u64,
    pub at: i64,
}

pub struct World<R: LeaseRules> {
    pub rng: ChaCha8Rng,
    pub now: i64,
    pub host: Host,
    pub kv: Kv,
    pub cache: Cache,
    /// The clocks of the data centres whose isolates share; none: nobody shares.
    pub places: Vec<i64>,
    pub model: Model,
    pub isolates: Vec<Isolate<R>>,
    pub events: BTreeMap<(i64, u64), Event>,
    pub sequence: u64,
    pub alarm_at: Option<i64>,
    pub ledger_out_until: i64,
    pub kv_out_until: i64,
    pub is_healed: bool,
    /// Leases live long, and words come very late: half of the dangers are there, and half
    /// elsewhere.
    pub is_steady: bool,
    /// Messages take about as long as a lease lives: sent, received, applied, answered and read are
    /// far apart.
    pub is_slow: bool,
    /// The account demands MFA at times, and its member turns it off and on.
    pub has_mfa: bool,
    /// The isolate through which the next change is committed; `None`: any.
    pub through: Option<usize>,
    /// Puts take long to land.
    pub are_puts_slow: bool,
    /// Members have issuers, and all clocks are right but for what is reckoned with.
    pub is_issuing: bool,
    pub issuers: Issuers,
    /// Members regenerate keys.
    pub is_rotating: bool,
    /// The successor of each key that was regenerated.
    pub successors: BTreeMap<usize, usize>,
    /// An adversary writes KV, against whom edges heed which keys are superseded. Elsewhere the
    /// ledger names none, so that what settles a change has to hold alone.
    pub is_attacked: bool,
    /// Proves what is the ledger's in KV.
    pub mac: KvMac,
    /// Leases come from documents in KV.
    pub is_eventual: bool,
    /// The last document that was sent.
    pub last_document: Option<String>,
    /// How many seconds past T a lease may serve while the ledger is out of reach.
    pub grace_s: i64,
    pub config: Config,
    pub foreign: Config,
    /// Requests with a right secret.
    pub counted: Counts,
    /// Those of them that isolates took along when they crashed.
    pub lost: Counts,
    /// Those that may count twice.
    pub repeated: Counts,
    /// Where verdicts that come too late are gathered instead of ending the run: by how many
    /// milliseconds each.
    pub late: Option<Vec<i64>>,
    /// Requests that arrived before this are not judged.
    pub judged_from: i64,
    pub tally: Tally,
}

impl<R: LeaseRules> World<R> {
    pub fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let host = Host::open(&mut rng, START, sabotage);
        let stale_ms = if sabotage == Sabotage::KvBeyondS { 3 * S } else { S };
        let mut world = Self {
            rng,
            now: START,
            host,
            kv: Kv::new(stale_ms),
            cache: Cache::default(),
            places: Vec::new(),
            model: Model::new(START, 10_000),
            isolates: Vec::new(),
            events: BTreeMap::new(),
            sequence: 0,
            alarm_at: None,
            ledger_out_until: START,
            kv_out_until: START,
            is_healed: false,
            is_steady: false,
            is_slow: false,
            has_mfa: sabotage.is_about_mfa() || (sabotage == Sabotage::None && seed % 4 == 1),
            through: None,
            are_puts_slow: false,
            is_issuing: false,
            issuers: Issuers::default(),
            is_rotating: sabotage == Sabotage::NoneInRotation,
            successors: BTreeMap::new(),
            is_attacked: false,
            mac: KvMac::new(&config(RING, false, 0).keyring, &config(RING, false, 0).prefix),
            is_eventual: false,
            last_document: None,
            grace_s: 0,
            config: config(RING, false, 0),
            foreign: config(FOREIGN, false, 0),
            counted: Counts::default(),
            lost: Counts::default(),
            repeated: Counts::default(),
            late: None,
            judged_from: START,
            tally: Tally::default(),
        };
        if world.one_in(4) || sabotage == Sabotage::GraceUnannounced {
            world.grace_s = [5, 30, 600][world.random(3) as usize];
        }
        world.is_issuing = match sabotage {
            about if about.is_about_issuers() => true,
            Sabotage::KvBeyondS
            | Sabotage::GraceUnannounced
            | Sabotage::NoneInSlowness
            | Sabotage::NoneInDocuments => false,
            _ => world.one_in(6),
        };
        if world.is_issuing {
            world.grace_s = 0;
        }
        world.is_eventual = match sabotage {
            Sabotage::KvBeyondS | Sabotage::NoneInSlowness => false,
            Sabotage::NoneInDocuments => true,
            _ => world.one_in(6),
        };
        world.is_attacked = match sabotage {
            Sabotage::None => world.one_in(5) && !world.is_eventual && world.grace_s == 0,
            about => about.is_about_attacks(),
        };
        if world.is_attacked {
            (world.is_eventual, world.grace_s) = (false, 0);
        }
        world.host.names_superseded = world.is_attacked;
        world.config = config(RING, world.is_eventual, world.grace_s);
        world.host.terms = world.config.terms;
        if world.one_in(2) {
            world.places = (0..1 + world.random(2)).map(|_| world.clock()).collect();
        }
        for _ in 0..2 + world.random(3) {
            let isolate = world.isolate();
            world.isolates.push(isolate);
        }
        if world.one_in(3) {
            world.is_steady = true;
            world.set_state(Some(60_000), None);
        }
        world.is_slow = world.one_in(2) || sabotage.is_about_time();
        if world.one_in(2) {
            world.host.crashes = 0;
        }
        world.arm();
        world
    }

    pub fn isolate(&mut self) -> Isolate<R> {
        let mood = [Mood::Oldest, Mood::Newest, Mood::Any][self.random(3) as usize];
        let place = match self.places.len() as i64 {
            0 => None,
            places => Some(self.random(places) as u64),
        };
        let offset = match place {
            Some(place) => self.places[place as usize] + self.random(SKEW_MS),
            None if self.is_issuing => self.random(SKEW_MS),
            None => self.clock(),
        };
        let keyring = if self.host.sabotage == Sabotage::TagsUnchecked { BOTH } else { RING };
        let mut name = self.rng.next_u64() >> 11;
        if self.host.sabotage == Sabotage::IsolatesAlike {
            name = 1;
        }
        Isolate {
            gateway: Gateway::with_rules(config(keyring, self.is_eventual, self.grace_s), name),
            life: self.rng.next_u64(),
            mood,
            place,
            offset,
            frozen_until: 0,
            given_up_at: i64::MIN / 2,
            latest: i64::MIN,
            slack: 0,
            failed: Vec::new(),
            out_since: None,
            document: 0,
            heard: BTreeMap::new(),
            warm: BTreeMap::new(),
            own: BTreeMap::new(),
            met: Met::default(),
            unsent: Unsent::default(),
            handled: 0,
            last_call: None,
        }
    }

    /// By how much a clock is wrong.
    fn clock(&mut self) -> i64 {
        match self.random(2) {
            _ if self.is_issuing => 0,
            0 => self.random(16_000) - 8_000,
            _ => self.random(7_200_000) - 3_600_000,
        }
    }

    pub fn random(&mut self, below: i64) -> i64 {
        (self.rng.next_u64() % below as u64) as i64
    }

    pub fn one_in(&mut self, of: i64) -> bool {
        self.random(of) == 0
    }

    pub fn later(&mut self, delay: i64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), event);
    }

    /// Time passes, and what is under way happens.
    pub fn wait(&mut self, span: i64) -> Checked {
        // Whatever the ledger was asked, its alarm is set: any question may owe a document.
        if self.host.terms.wants_documents() {
            self.arm();
        }
        let end = self.now + span;
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= end) {
            self.now = entry.key().0;
            let event = entry.remove();
            self.happen(event)?;
        }
        self.now = end;
        Ok(())
    }

    /// The local time of an isolate whose leases are about to see it.
    pub fn local(&mut self, isolate: usize) -> i64 {
        let isolate = &mut self.isolates[isolate];
        let local = self.now + isolate.offset;
        if local < isolate.latest {
            isolate.out_since = None;
        }
        isolate.latest = local;
        local
    }

    fn happen(&mut self, event: Event) -> Checked {
        let of = match &event {
            Event::Go(flight) | Event::KvBack(flight, ..) => Some((flight.isolate, flight.life)),
            Event::LedgerBack(of, ..)
            | Event::CopyBack(of, ..)
            | Event::Learn(of, ..)
            | Event::Timer(of, ..) => Some(*of),
            _ => None,
        };
        if let Some((isolate, life)) = of {
            let isolate = &self.isolates[isolate];
            if isolate.life != life {
                return Ok(());
            }
            if isolate.frozen_until > self.now {
                let delay = isolate.frozen_until - self.now;
                self.later(delay, event);
                return Ok(());
            }
        }
        match event {
            Event::Go(flight) => return self.decide(flight),
            Event::KvBack(mut flight, read, text) => {
                let local = at(self.local(flight.isolate));
                let gateway = &mut self.isolates[flight.isolate].gateway;
                if self.host.sabotage == Sabotage::MacsUnchecked {
                    let leases = gateway.leases_mut();
                    leases.take_kv(&read, text.as_deref(), local, &mut flight.lookup);
                } else {
                    gateway.take_kv(&read, text.as_deref(), local, &mut flight.lookup);
                }
                return self.decide(flight);
            }
            Event::AtLedger(of, call, reply_in, waiter) => {
                let reply = if self.now < self.ledger_out_until {
                    RefreshReply::Failed
                } else {
                    let mut request = call.request().clone();
                    if self.host.sabotage == Sabotage::BatchesDropped && waiter.failures() > 0 {
                        request.usage = None;
                    }
                    let reply = self.host.refresh(&request, &mut self.rng, self.now);
                    self.isolates[of.0].handled += 1;
                    self.arm();
                    heard(reply)
                };
                if let Some(delay) = reply_in {
                    let answered = self.now;
                    self.later(delay, Event::LedgerBack(of, call, reply, answered, waiter));
                }
            }
            Event::LedgerBack(of, mut call, reply, answered, mut waiter) => {
                let local = at(self.local(of.0));
                let isolate = &mut self.isolates[of.0];
                bugs::ANSWERED.set(answered);
                if self.host.sabotage == Sabotage::LastCallAnswered
                    && let Some(last) = isolate.last_call.clone()
                {
                    call = last;
                }
                if isolate.gateway.leases_mut().take_refresh(&call, &reply, local, waiter.lookup())
                {
                    isolate.out_since = None;
                    self.acknowledge(of.0, &call);
                    self.meet_overflow(of.0);
                    self.share(of, &call, &reply);
                    return self.go_on(of, waiter);
                }
                let isolate = &mut self.isolates[of.0];
                isolate.failed.push(self.now);
                isolate.out_since = isolate.out_since.or(Some(self.now));
                if waiter.failed() >= REFRESH_ATTEMPTS {
                    isolate.given_up_at = self.now;
                }
                return self.go_on(of, waiter);
            }
            Event::CopyBack(of, read, text, waiter) => {
                return self.copy_back(of, &read, text.as_deref(), waiter);
            }
            Event::Timer(of, account) => self.timer(of, account),
            Event::Shares(place, text, seconds) => self.cache.put(place, text, seconds, self.now),
            Event::Lands(key, value) => {
                self.kv.land(&key, value.as_deref(), self.now);
                self.model.documents.land(self.host.account, &key, value.as_deref(), self.now);
            }
            Event::Told(effect, outcome) => self.settle(&effect, &outcome),
            Event::Learn((isolate, _), record, ends) => self.learn(isolate, record, ends),
            Event::Alarm => self.alarm(),
        }
        Ok(())
    }

    /// How long a message takes.
    pub fn delay(&mut self) -> i64 {
        match self.random(10) {
            _ if self.is_healed => 0,
            _ if self.is_steady && self.one_in(12) => self.random(2 * S),
            0..6 if self.is_slow => self.random(self.model.freshness_ms() * 2 / 3 + 500),
            0..2 => 0,
            2..9 => self.random(80),
            _ => self.random(1_500),
        }
    }

    /// A refresh goes off: it may be lost either way, be late, or arrive twice, and whoever waits
    /// for it may be cancelled.
    pub fn send(&mut self, of: (usize, u64), call: RefreshCall, waiter: Waiter) {
        let (there, back, call) = (self.delay(), self.delay(), Box::new(call));
        if self.host.sabotage == Sabotage::LastCallAnswered {
            self.isolates[of.0].last_call = Some(call.clone());
        }
        let lot = if self.is_healed { 9 } else { self.random(24) };
        if lot < 3 {
            let failed =
                Event::LedgerBack(of, call.clone(), RefreshReply::Failed, self.now, waiter);
            self.later(TIMEOUT, failed);
            let reply_in = (lot == 2).then(|| TIMEOUT + self.random(20_000));
            if lot > 0 {
                self.later(there, Event::AtLedger(of, call, reply_in, Waiter::Nobody));
            }
            return;
        }
        if lot == 4 {
            // The platform cancels whoever asked: nobody hears the answer, and no request that it
            // served is judged.
            self.later(there, Event::AtLedger(of, call, None, Waiter::Nobody));
            self.tally.cancelled += 1;
            return;
        }
        if lot == 3 {
            let again = there + self.random(8_000);
            let copy = call.clone();
            self.later(again, Event::AtLedger(of, copy, Some(back), Waiter::Nobody));
        }
        self.later(there, Event::AtLedger(of, call, Some(back), waiter));
    }
}
