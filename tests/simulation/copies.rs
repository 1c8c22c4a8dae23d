//! Copies of what the ledger has said, as isolates look for them, and what an isolate does in the
//! background.

use claviger_core::base::id::AccountId;
use claviger_core::lease::call::{CopyRead, CopySource, Lookup, RefreshCall, RenewalStep};
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::document::{self, Document};
use claviger_core::replication::edge_call::RefreshReply;
use claviger_core::replication::superseded::SupersededFilter;
use rand_chacha::rand_core::Rng;

use crate::bugs::Sabotage;
use crate::host::at;
use crate::meetings::Mechanism;
use crate::world::{Checked, Event, Flight, World};

/// Who waits for what comes back.
pub enum Waiter {
    Nobody,
    Request(Box<Flight>),
    /// The lease of an account is renewed in the background, which has found out so much.
    Renewal(Box<Renewal>),
    /// Uses are sent by a timer.
    Flush(Box<Renewal>),
}

pub struct Renewal {
    pub account: AccountId,
    pub lookup: Lookup,
    /// Calls for it that failed.
    failures: u32,
}

impl Renewal {
    pub fn of(account: AccountId) -> Self {
        Self { account, lookup: Lookup::default(), failures: 0 }
    }
}

impl Waiter {
    pub fn lookup(&mut self) -> Option<&mut Lookup> {
        match self {
            Self::Nobody => None,
            Self::Request(flight) => Some(&mut flight.lookup),
            Self::Renewal(renewal) | Self::Flush(renewal) => Some(&mut renewal.lookup),
        }
    }

    /// How many calls failed for this waiter.
    pub fn failures(&self) -> u32 {
        match self {
            Self::Nobody => 0,
            Self::Request(flight) => flight.failures,
            Self::Renewal(renewal) | Self::Flush(renewal) => renewal.failures,
        }
    }

    /// Notes that a call failed. How many have for this waiter.
    pub fn failed(&mut self) -> u32 {
        let failures = match self {
            Self::Nobody => return 0,
            Self::Request(flight) => &mut flight.failures,
            Self::Renewal(renewal) | Self::Flush(renewal) => &mut renewal.failures,
        };
        *failures += 1;
        *failures
    }
}

impl<R: LeaseRules> World<R> {
    /// Renews the lease of an account, while no request waits.
    pub fn renew(&mut self, of: (usize, u64), account: AccountId) {
        self.run_errand(of, Box::new(Renewal::of(account)));
    }

    fn run_errand(&mut self, of: (usize, u64), renewal: Box<Renewal>) {
        let account = renewal.account;
        let local = at(self.local(of.0));
        let gateway = &mut self.isolates[of.0].gateway;
        match gateway.leases_mut().renewal_step(account, local, &renewal.lookup) {
            None => (),
            Some(RenewalStep::Copy(source)) => {
                let read = gateway.leases_mut().ask_copy_in_background(account, source, local);
                self.look(of, read, Waiter::Renewal(renewal));
            }
            Some(RenewalStep::Refresh) => {
                let call = gateway.leases_mut().renew(account, local);
                self.send(of, call, Waiter::Renewal(renewal));
            }
        }
    }

    /// Whoever waited goes on.
    pub fn go_on(&mut self, of: (usize, u64), waiter: Waiter) -> Checked {
        match waiter {
            Waiter::Nobody => (),
            Waiter::Request(flight) => return self.decide(*flight),
            Waiter::Renewal(renewal) => self.run_errand(of, renewal),
            Waiter::Flush(renewal) => self.flush(of, renewal),
        }
        Ok(())
    }

    /// A copy from a source is on its way.
    pub fn look(&mut self, of: (usize, u64), read: CopyRead, waiter: Waiter) {
        let text = self.read_copy(of.0, &read);
        let delay = self.delay();
        self.later(delay, Event::CopyBack(of, read, text, waiter));
    }

    /// Returns a document that names no superseded keys, as refreshes name none where there is no
    /// adversary.
    fn without_superseded(&self, key: &str, text: &str, account: AccountId) -> String {
        let mut document = Document::from_kv(text, account).unwrap();
        document.superseded = Some(SupersededFilter::default());
        self.mac.sign(key, &document.text().unwrap())
    }

    /// Returns the copy that a source holds now.
    pub fn read_copy(&mut self, isolate: usize, read: &CopyRead) -> Option<String> {
        let lot = self.rng.next_u64();
        let text = match read.source() {
            CopySource::Cache => {
                self.isolates[isolate].place.and_then(|place| self.cache.read(place, lot, self.now))
            }
            CopySource::Kv
                if self.now < self.kv_out_until || self.host.sabotage == Sabotage::KvBeyondS =>
            {
                None
            }
            CopySource::Kv => {
                let key = document::kv_key(read.account());
                let text = self.kv.read(&key, self.isolates[isolate].mood, lot, self.now);
                text.map(|text| self.without_superseded(&key, &text, read.account()))
            }
        };
        self.tally.shared += u64::from(text.is_some() && read.source() == CopySource::Cache);
        text
    }

    pub fn copy_back(
        &mut self,
        of: (usize, u64),
        read: &CopyRead,
        text: Option<&str>,
        mut waiter: Waiter,
    ) -> Checked {
        let local = at(self.local(of.0));
        let isolate = &mut self.isolates[of.0];
        let before = isolate.gateway.counters();
        isolate.gateway.take_copy(read, text, local, waiter.lookup());
        let after = isolate.gateway.counters();
        if after.shared_taken > before.shared_taken {
            isolate.out_since = None;
        }
        if (after.shared_taken, after.documents_taken)
            > (before.shared_taken, before.documents_taken)
        {
            self.meet(of.0, Mechanism::Copy);
        }
        self.meet_overflow(of.0);
        self.check_document(of.0, text, before.documents_taken)?;
        self.go_on(of, waiter)
    }

    /// An answered call is shared with the neighbours.
    pub fn share(&mut self, of: (usize, u64), call: &RefreshCall, reply: &RefreshReply) {
        let local = at(self.local(of.0));
        let isolate = &mut self.isolates[of.0];
        let (Some(place), Some((text, seconds))) =
            (isolate.place, isolate.gateway.share(call, reply, local))
        else {
            return;
        };
        let delay = self.delay();
        self.later(delay, Event::Shares(place, text, seconds));
    }
}
