//! What an isolate knows of credentials, in bounded memory.
//!
//! This is the seam for leases: today a fact is used for [`FRESH_MS`] after the moment at which it was asked for; what a change
//! on this isolate teaches is used at once. Facts are never taken back by older ones.

use std::collections::HashMap;

use crate::id::KeyId;
use crate::record::{Record, Revision};
use crate::time::UnixMs;

/// How long a fact may be used, in milliseconds: the default T of promise P1.
pub const FRESH_MS: i64 = 10_000;

/// How much later than a request's arrival a fact that it uses may have been asked for, in milliseconds: as long as a request may
/// wait for KV and the ledger.
pub const ASKED_LATER_MS: i64 = 5_000;

/// Facts in one generation of memory. Two generations of 8,192 at about 1 KiB (a record with some networks and permissions)
/// are 16 MiB of the isolate's 128.
pub const GENERATION_MAX: usize = 8_192;

/// Who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Workers KV.
    Kv,
    /// The ledger.
    Ledger,
}

/// What is known of one credential.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The key.
    pub id: KeyId,
    /// Its record; `None`: the ledger has no such key and never had one.
    pub record: Option<Record>,
    /// Who said so.
    pub source: Source,
    /// When the question was sent.
    pub as_of: UnixMs,
}

impl Fact {
    /// Whether this is about the key `id`.
    pub fn is_about(&self, id: KeyId) -> bool {
        self.id == id
    }

    fn is_fresh(&self, now: UnixMs) -> bool {
        // Another request may have asked after this one arrived. A clock that went back further than that makes the fact
        // unusable rather than everlasting.
        now.as_ms()
            .checked_sub(self.as_of.as_ms())
            .is_some_and(|age_ms| (-ASKED_LATER_MS..FRESH_MS).contains(&age_ms))
    }

    fn revision(&self) -> Revision {
        self.record.as_ref().map_or(Revision(0), |record| record.revision)
    }

    /// Whether this fact may stand in the place of `older`: a higher revision may; an equal one if it was asked for later; another
    /// epoch's only on the ledger's word.
    fn replaces(&self, older: &Self) -> bool {
        let same_history = match (&self.record, &older.record) {
            (Some(new), Some(old)) => new.epoch == old.epoch,
            _ => true,
        };
        if same_history {
            (self.revision(), self.as_of) >= (older.revision(), older.as_of)
        } else {
            self.source == Source::Ledger
        }
    }
}

/// The facts, in two generations: when the young one is full, the old one is dropped. What is used is kept.
#[derive(Debug, Default)]
pub struct Knowledge {
    young: HashMap<KeyId, Fact>,
    old: HashMap<KeyId, Fact>,
}

impl Knowledge {
    /// The fact about `id`, if there is one that may be used now.
    pub fn find(&mut self, id: KeyId, now: UnixMs) -> Option<&Fact> {
        if let Some(fact) = self.old.remove(&id) {
            self.insert(fact);
        }
        self.young.get(&id).filter(|fact| fact.is_fresh(now))
    }

    /// Learns a fact, unless a newer one is known. Gives what is known then.
    pub fn learn(&mut self, fact: Fact) -> Fact {
        let known = self.old.remove(&fact.id).or_else(|| self.young.remove(&fact.id));
        let fact = match known {
            Some(known) if !fact.replaces(&known) => known,
            _ => fact,
        };
        self.insert(fact.clone());
        fact
    }

    fn insert(&mut self, fact: Fact) {
        if self.young.len() >= GENERATION_MAX {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(fact.id, fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{key_id, record};
    use crate::record::{Epoch, Standing};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn at(ms: i64) -> UnixMs {
        UnixMs::from_ms(ms)
    }

    fn fact(revision: u64, source: Source, as_of: i64) -> Fact {
        let mut record = record(Standing::Active);
        record.revision = Revision(revision);
        Fact { id: record.id, record: Some(record), source, as_of: at(as_of) }
    }

    fn known(knowledge: &mut Knowledge, now: i64) -> Option<u64> {
        knowledge.find(key_id(), at(now)).map(|fact| fact.revision().0)
    }

    #[test]
    fn a_fact_is_used_for_ten_seconds_from_the_question_and_not_long_before_it() {
        let mut knowledge = Knowledge::default();
        knowledge.learn(fact(1, Source::Kv, 1_000));
        for (now, expected) in [
            (1_000, Some(1)),
            (10_999, Some(1)),
            (11_000, None),
            (-4_000, Some(1)),
            (-4_001, None),
            (i64::MIN, None),
        ] {
            assert_eq!(known(&mut knowledge, now), expected, "{now}");
        }
    }

    #[test]
    fn an_older_revision_never_takes_the_place_of_a_newer_one() {
        let mut knowledge = Knowledge::default();
        knowledge.learn(fact(5, Source::Ledger, 1_000));
        knowledge.learn(fact(4, Source::Kv, 2_000));
        knowledge.learn(Fact { id: key_id(), record: None, source: Source::Kv, as_of: at(3_000) });
        assert_eq!(known(&mut knowledge, 3_000), Some(5));
        knowledge.learn(fact(5, Source::Kv, 4_000));
        assert_eq!(known(&mut knowledge, 12_000), Some(5));
        knowledge.learn(fact(5, Source::Kv, 500));
        assert_eq!(known(&mut knowledge, 12_000), Some(5));
    }

    #[test]
    fn another_epoch_counts_only_on_the_ledger_s_word() {
        let mut knowledge = Knowledge::default();
        let other = |source| {
            let mut other = fact(1, source, 2_000);
            other.record.as_mut().unwrap().epoch = Epoch::new(9);
            other
        };
        knowledge.learn(fact(5, Source::Ledger, 1_000));
        knowledge.learn(other(Source::Kv));
        assert_eq!(known(&mut knowledge, 2_000), Some(5));
        knowledge.learn(other(Source::Ledger));
        assert_eq!(known(&mut knowledge, 2_000), Some(1));
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_used() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut knowledge = Knowledge::default();
        knowledge.learn(fact(7, Source::Kv, 0));
        for _ in 0..GENERATION_MAX * 3 {
            let id = KeyId::random(key_id().account(), &mut rng);
            knowledge.learn(Fact { id, record: None, source: Source::Ledger, as_of: at(0) });
            assert_eq!(known(&mut knowledge, 0), Some(7));
        }
        assert!(knowledge.young.len() + knowledge.old.len() <= GENERATION_MAX * 2);
    }
}
