//! What must be true, whatever the edge and the ledger believe: every version that a key, the
//! account's gate and T ever had, and since when.

use claviger_core::credential::key::NewKey;
use claviger_core::replication::record::{Record, Standing};
use claviger_core::verify::verdict::Denial;

use crate::documents::Documents;

/// What a request asks.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// It comes from 10.0.`network`.1.
    pub network: u8,
    /// It needs `demo:write`; else `demo:read`.
    pub write: bool,
}

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not issued yet.
    Nothing,
    Active,
    Disabled,
    Deleted,
}

/// When a key begins and ends, by the clock of whoever looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub begins: Option<i64>,
    pub ends: Option<i64>,
}

impl Span {
    pub fn contains(self, clock: i64) -> bool {
        !self.is_early(clock) && !self.is_late(clock)
    }

    fn is_early(self, clock: i64) -> bool {
        self.begins.is_some_and(|begins| clock < begins)
    }

    fn is_late(self, clock: i64) -> bool {
        self.ends.is_some_and(|ends| clock >= ends)
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    pub state: State,
    /// From 10.0.this.0/24 alone.
    pub network: Option<u8>,
    pub write: bool,
    pub span: Span,
}

impl Power {
    /// A key that may read, from anywhere, at any time.
    pub fn new(state: State) -> Self {
        Self { state, network: None, write: false, span: Span::default() }
    }

    fn verdict(self, gate: Gate, ask: Ask, clock: i64) -> Result<(), Denial> {
        match self.state {
            State::Nothing | State::Deleted => Err(Denial::Unknown),
            State::Disabled => Err(Denial::Disabled),
            State::Active if gate.suspended => Err(Denial::AccountSuspended),
            State::Active if gate.is_mfa_off() => Err(Denial::MfaOff),
            State::Active if self.span.is_early(clock) => Err(Denial::NotYetValid),
            State::Active if self.span.is_late(clock) => Err(Denial::Expired),
            State::Active if self.network.is_some_and(|network| network != ask.network) => {
                Err(Denial::NetworkDenied)
            }
            State::Active if ask.write && !self.write => Err(Denial::PermissionDenied),
            State::Active => Ok(()),
        }
    }
}

/// What can shut a whole account. All its keys are one member's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    pub suspended: bool,
    /// The account demands MFA.
    pub demands_mfa: bool,
    /// The member has MFA.
    pub has_mfa: bool,
}

impl Gate {
    pub fn is_mfa_off(self) -> bool {
        self.demands_mfa && !self.has_mfa
    }

    /// Whether all that `is_members` is refused: a key of the member, or what such a key issued.
    /// What the service password issued is no member's.
    pub fn is_shut(self, is_members: bool) -> bool {
        self.suspended || (is_members && self.is_mfa_off())
    }
}

/// One version of a key; it holds until the next begins.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    pub from: i64,
    pub revision: u64,
    pub power: Power,
}

pub struct Key {
    pub text: NewKey,
    pub versions: Vec<Version>,
    /// Somebody asked for it before it was issued: then that it was not counts as a version.
    pub is_premature: bool,
}

impl Key {
    pub fn now(&self) -> Version {
        *self.versions.last().unwrap()
    }

    /// What it could do before it was deleted.
    pub fn before_deletion(&self) -> Option<Power> {
        let powers = self.versions.iter().map(|version| version.power);
        powers.rev().find(|power| ![State::Nothing, State::Deleted].contains(&power.state))
    }

    pub fn is_issued(&self) -> bool {
        self.versions.len() > 1
    }
}

#[derive(Default)]
pub struct Model {
    pub keys: Vec<Key>,
    gates: Vec<(i64, Gate)>,
    freshness: Vec<(i64, i64)>,
    pub documents: Documents,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The ledger's word.
    Ledger,
    /// Documents that were read within T.
    Documents,
    /// A document that was read while the ledger was out of reach.
    Makeshift,
}

/// A request that has its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    pub key: usize,
    pub ask: Ask,
    /// When it arrived and when the verdict was given, in true time.
    pub arrived: i64,
    pub now: i64,
    /// When it arrived, by the clock of its isolate.
    pub clock: i64,
    /// How much older than T what it rests on may be: what its isolate's clock lost unnoticed.
    pub slack: i64,
    pub basis: Basis,
    /// Calls for it that failed.
    pub failures: u32,
}

impl Model {
    pub fn new(now: i64, freshness_ms: i64) -> Self {
        let (gates, freshness) = (vec![(now, Gate::default())], vec![(now, freshness_ms)]);
        Self { gates, freshness, ..Self::default() }
    }

    /// Forgets what T and the gate were.
    pub fn begin(&mut self, now: i64, freshness_ms: i64, gate: Gate) {
        (self.gates, self.freshness) = (vec![(now, gate)], vec![(now, freshness_ms)]);
    }

    pub fn draw(&mut self, text: NewKey, now: i64) -> usize {
        let power = Power::new(State::Nothing);
        let versions = vec![Version { from: now, revision: 0, power }];
        self.keys.push(Key { text, versions, is_premature: false });
        self.keys.len() - 1
    }

    /// A key was changed, so that it may do `power` now; the ledger answered with `record`.
    pub fn changed(
        &mut self,
        key: usize,
        power: Power,
        record: &Record,
        now: i64,
    ) -> Result<(), String> {
        let state = match record.standing {
            Standing::Active(_) => State::Active,
            Standing::Disabled(_) => State::Disabled,
            Standing::Deleted => State::Deleted,
        };
        if state != power.state {
            return Err(format!("the ledger made {state:?} of a key that is to be {power:?}"));
        }
        let last = self.keys[key].now();
        if record.revision.0 < last.revision
            || (record.revision.0 == last.revision && last.power != power)
        {
            return Err(format!(
                "a change to {power:?} has revision {:?} after {last:?}",
                record.revision
            ));
        }
        if record.revision.0 > last.revision {
            let version = Version { from: now, revision: record.revision.0, power };
            self.keys[key].versions.push(version);
        }
        Ok(())
    }

    pub fn set(&mut self, freshness_ms: Option<i64>, is_suspended: Option<bool>, now: i64) {
        self.freshness.extend(freshness_ms.map(|ms| (now, ms)));
        if let Some(suspended) = is_suspended {
            self.set_gate(Gate { suspended, ..self.gate() }, now);
        }
    }

    pub fn set_gate(&mut self, gate: Gate, now: i64) {
        self.gates.push((now, gate));
    }

    pub fn gate(&self) -> Gate {
        self.gates.last().unwrap().1
    }

    pub fn freshness_ms(&self) -> i64 {
        self.freshness.last().unwrap().1
    }

    /// Whether what ended at `end` may still count.
    pub fn may_count(&self, end: i64, judged: &Judged) -> bool {
        judged.arrived <= self.deadline_of(end, judged) + judged.slack
    }

    /// The gates that may count for a request that knows what was at `since`.
    pub fn gates(&self, judged: &Judged, since: i64) -> Vec<Gate> {
        let froms: Vec<i64> = self.gates.iter().map(|(from, _)| *from).collect();
        let is_since = |place: &usize| froms.get(place + 1).is_none_or(|end| *end > since);
        let places = self.candidates(&froms, judged).into_iter().filter(is_since);
        places.map(|place| self.gates[place].1).collect()
    }

    /// The last arrival that may still be judged by what ended at `end`, given what the verdict
    /// rests on.
    fn deadline_of(&self, end: i64, judged: &Judged) -> i64 {
        let reach = |end| self.documents.reach(end, judged.now);
        match judged.basis {
            Basis::Ledger => self.deadline(end),
            Basis::Documents => self.deadline_within(end, reach),
            Basis::Makeshift => reach(end),
        }
    }

    /// The last arrival that may still be judged by what ended at `end`. A lease that missed the
    /// end was asked for before it, at a time at which T was `t`; so it serves arrivals up to that
    /// time + `t`.
    pub fn deadline(&self, end: i64) -> i64 {
        self.deadline_within(end, |end| end)
    }

    /// The same where what ended at a time may be told until `reach` of it.
    fn deadline_within(&self, end: i64, reach: impl Fn(i64) -> i64) -> i64 {
        let last = reach(end);
        let ends = self.freshness.iter().skip(1).map(|(from, _)| reach(*from)).chain([i64::MAX]);
        let segments = self.freshness.iter().zip(ends).filter(|((from, _), _)| *from <= last);
        segments.map(|((_, t), until)| until.min(last) + t).max().unwrap()
    }

    /// Those of `from` (each holding until the next) by which a request may be judged.
    pub fn candidates(&self, from: &[i64], judged: &Judged) -> Vec<usize> {
        let end = |place: usize| from.get(place + 1).copied();
        let may = |place: &usize| {
            from[*place] <= judged.now
                && end(*place).is_none_or(|end| {
                    judged.arrived <= self.deadline_of(end, judged) + judged.slack
                })
        };
        (0..from.len()).filter(may).collect()
    }

    /// By how many milliseconds a verdict comes too late that some version would have been right
    /// for.
    pub fn lateness(
        &self,
        judged: &Judged,
        verdict: Result<(), Denial>,
        revision: Option<u64>,
    ) -> i64 {
        let versions = self.keys[judged.key].versions.windows(2).filter(|pair| {
            let is = pair[0].power;
            pair[0].revision == revision.unwrap_or_default()
                && self
                    .gates
                    .iter()
                    .any(|(_, gate)| is.verdict(*gate, judged.ask, judged.clock) == verdict)
        });
        let late = versions
            .map(|pair| judged.arrived - self.deadline_of(pair[1].from, judged) - judged.slack);
        late.min().unwrap_or(i64::MAX)
    }

    /// Judges a verdict. `revision` is that of the record it rests on, if there is one.
    pub fn judge(
        &self,
        judged: &Judged,
        verdict: Result<(), Denial>,
        revision: Option<u64>,
    ) -> Result<(), String> {
        let key = &self.keys[judged.key];
        if verdict == Err(Denial::Unavailable) {
            let may = judged.failures >= claviger_core::lease::lease::REFRESH_ATTEMPTS;
            return if may {
                Ok(())
            } else {
                Err(format!("P2: unavailable without a failure: {judged:?}"))
            };
        }
        let froms: Vec<i64> = key.versions.iter().map(|version| version.from).collect();
        let versions: Vec<Version> = self
            .candidates(&froms, judged)
            .into_iter()
            .map(|place| key.versions[place])
            .filter(|version| {
                version.power.state != State::Nothing || key.is_premature || !key.is_issued()
            })
            .collect();
        let gates = self.gates(judged, i64::MIN);
        let is_right = versions
            .iter()
            .filter(|version| version.revision == revision.unwrap_or_default())
            .any(|version| {
                gates
                    .iter()
                    .any(|gate| version.power.verdict(*gate, judged.ask, judged.clock) == verdict)
            });
        if is_right {
            return Ok(());
        }
        let promise = if verdict.is_ok() { "P1" } else { "P2" };
        Err(format!(
            "{promise}: {verdict:?} by revision {revision:?} for {judged:?}; right would be one of {versions:?}, gates {gates:?}; all versions {:?}, T {:?}",
            key.versions, self.freshness
        ))
    }
}
