//! Uses on their way to the ledger: none is counted twice, and none is missing but those that an
//! isolate or the ledger held in memory when it crashed.

use std::collections::{BTreeMap, BTreeSet};

use claviger_control::objects::sql::{Row, SqlExt, Statement};
use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::lease::call::RefreshCall;
use claviger_core::lease::rules::LeaseRules;
use claviger_core::lease::usage::FLUSH_DELAY;
use claviger_core::replication::refresh::UsageBatch;

use crate::copies::{Renewal, Waiter};
use crate::host::{Host, at};
use crate::model::State;
use crate::world::{Checked, Event, World};

/// Accepted and refused requests of each key.
#[derive(Clone, Debug, Default)]
pub struct Counts(BTreeMap<KeyId, [i64; 2]>);

impl Counts {
    pub fn add(&mut self, id: KeyId, more: [i64; 2]) {
        let sum = self.0.entry(id).or_default();
        *sum = [sum[0] + more[0], sum[1] + more[1]];
    }

    pub fn add_all(&mut self, more: &Self) {
        more.0.iter().for_each(|(id, counts)| self.add(*id, *counts));
    }

    pub fn of(&self, id: KeyId) -> [i64; 2] {
        self.0.get(&id).copied().unwrap_or_default()
    }

    fn of_batch(batch: &UsageBatch) -> Self {
        let mut counts = Self::default();
        for used in &batch.uses {
            counts.add(used.id, [used.count as i64, used.denials as i64]);
        }
        counts
    }
}

/// What one isolate has counted and the ledger has not acknowledged.
#[derive(Default)]
pub struct Unsent {
    pub counts: Counts,
    /// Sequence number of the last batch that was acknowledged.
    acknowledged: u64,
}

/// What the ledger was sent.
#[derive(Default)]
pub struct Received {
    batches: BTreeSet<(u64, u64)>,
    counts: Counts,
    /// What was in its memory when that was lost.
    lost: Counts,
}

impl Host {
    /// Notes a batch that the ledger has answered.
    pub fn note_batch(&self, batch: Option<&UsageBatch>) {
        let mut received = self.received.borrow_mut();
        if let Some(batch) = batch
            && received.batches.insert((batch.isolate, batch.sequence))
        {
            received.counts.add_all(&Counts::of_batch(batch));
        }
    }

    /// What the ledger has in memory is lost.
    pub fn lose_memory(&self) {
        let had = self.uses.take().due().is_some();
        if had {
            self.note_lost();
        }
    }

    /// Notes the uses that are neither written nor in memory any more.
    pub fn note_lost(&self) {
        if self.uses.borrow().due().is_some() {
            return;
        }
        let written = self.written();
        let Received { counts, lost, .. } = &mut *self.received.borrow_mut();
        for (id, sent) in &counts.0 {
            let (found, before) = (written.of(*id), lost.of(*id));
            let more = [0, 1].map(|kind| (sent[kind] - found[kind] - before[kind]).max(0));
            lost.add(*id, more);
        }
    }

    /// The uses in the ledger's database.
    pub fn written(&self) -> Counts {
        let text = "SELECT key, sum(uses), sum(denials) FROM usage GROUP BY key";
        let read = |mut row: Row| {
            Ok((row.parsed("a key ID", KeyId::parse)?, [row.integer()?, row.integer()?]))
        };
        Counts(self.sql.read_all(&Statement::new(text), read).unwrap().into_iter().collect())
    }
}

impl<R: LeaseRules> World<R> {
    /// A request with a right secret was accepted, or refused.
    pub fn count_use(&mut self, isolate: usize, id: KeyId, is_accepted: bool) {
        let once = if is_accepted { [1, 0] } else { [0, 1] };
        self.counted.add(id, once);
        self.isolates[isolate].unsent.counts.add(id, once);
        let of = (isolate, self.isolates[isolate].life);
        while let Some(account) = self.isolates[isolate].gateway.leases_mut().take_timer() {
            self.later(FLUSH_DELAY.as_ms() as i64, Event::Timer(of, account));
        }
    }

    /// The ledger has answered a call with a batch, perhaps again.
    pub fn acknowledge(&mut self, isolate: usize, call: &RefreshCall) {
        let unsent = &mut self.isolates[isolate].unsent;
        if let Some(batch) = &call.request().usage
            && batch.sequence > unsent.acknowledged
        {
            unsent.acknowledged = batch.sequence;
            for (id, [uses, refusals]) in Counts::of_batch(batch).0 {
                unsent.counts.add(id, [-uses, -refusals]);
            }
        }
    }

    /// A timer fires, or its call has ended.
    pub fn flush(&mut self, of: (usize, u64), renewal: Box<Renewal>) {
        let local = at(self.local(of.0));
        let leases = self.isolates[of.0].gateway.leases_mut();
        if leases.must_flush(renewal.account, local, &renewal.lookup) {
            let call = leases.renew(renewal.account, local);
            self.send(of, call, Waiter::Flush(renewal));
        }
    }

    pub fn timer(&mut self, of: (usize, u64), account: AccountId) {
        self.flush(of, Box::new(Renewal::of(account)));
    }

    /// Whether each use and refusal was counted once. Every isolate has had time to report.
    pub fn check_usage(&mut self) -> Checked {
        self.host.ledger().write_uses(at(self.now)).map_err(|error| error.to_string())?;
        let (written, lost) = (self.host.written(), self.host.received.borrow().lost.clone());
        for (id, counted) in &written.0 {
            let most = self.counted.of(*id);
            let again = self.repeated.of(*id);
            if counted[0] > most[0] + again[0] || counted[1] > most[1] + again[1] {
                return Err(format!("usage: {counted:?} counted of at most {most:?}"));
            }
        }
        for key in &self.model.keys {
            let is_deleted = |place: usize| key.versions[place].power.state == State::Deleted;
            if !key.is_issued() || (0..key.versions.len()).any(is_deleted) {
                continue;
            }
            let id = key.text.id();
            let (counted, most) = (written.of(id), self.counted.of(id));
            for kind in [0, 1] {
                let missing = most[kind] - counted[kind];
                let may_miss = self.lost.of(id)[kind] + lost.of(id)[kind];
                if missing > may_miss {
                    return Err(format!(
                        "usage: {counted:?} counted of {most:?}, at most {may_miss} lost"
                    ));
                }
                self.tally.exact += u64::from(most[kind] > 0 && may_miss == 0);
            }
        }
        Ok(())
    }
}
