//! Stores what a lease knows about single keys: records, negative answers and unsettled marks. They
//! share one map, in which only a higher revision replaces.

use std::collections::HashMap;

use super::cached_key::CachedKey;
use super::rules::LeaseRules;
use crate::base::id::KeyId;
use crate::replication::record::Revision;
use crate::replication::refresh::{MARKS_MAX, Mark};

/// Most unsettled keys in one lease: as many as a reply can name. With more, the lease is in
/// overflow. At about 80 bytes each, they take 80 KB per lease.
pub const UNSETTLED_MAX: usize = MARKS_MAX;

/// One key. An entry without a cached answer is a mark: the key changed, but this isolate has not
/// seen the new record.
#[derive(Clone, Debug)]
struct KeyEntry {
    /// Revision of the key's last known change. For a negative answer, the ledger's revision when
    /// it answered.
    revision: Revision,
    cached: Option<CachedKey>,
    /// Source of `cached`.
    source: EntrySource,
    /// `true` if KV may be wrong about the key.
    is_unsettled: bool,
    /// Generation of use in which a request last used the key; [`super::isolate`] counts the
    /// generations.
    generation: u32,
}

/// The source of a cached answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntrySource {
    /// A ledger.
    Ledger,
    /// KV. A ledger's answer replaces it, whatever revision it claims.
    Kv,
}

/// The map's answer about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// The map has a cached answer.
    CachedKey {
        /// The cached record or negative answer.
        cached: CachedKey,
        /// `true` if a request has already used it in the present generation of use.
        is_young: bool,
    },
    /// KV may be wrong about the key: ask the ledger.
    Unsettled,
    /// The map has no entry: the isolate may read KV.
    Nothing,
}

/// The entries of one lease.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    map: HashMap<KeyId, KeyEntry>,
    unsettled: usize,
}

impl Entries {
    /// Returns the cached answer about a key, and marks the key as used in `generation`.
    pub fn find(&mut self, id: KeyId, generation: u32) -> Entered {
        let Some(entry) = self.map.get_mut(&id) else { return Entered::Nothing };
        match &entry.cached {
            Some(cached) => {
                let is_young = entry.generation == generation;
                entry.generation = generation;
                Entered::CachedKey { cached: cached.clone(), is_young }
            }
            None if entry.is_unsettled => Entered::Unsettled,
            None => Entered::Nothing,
        }
    }

    /// Caches an answer of the key's revision `revision`, unless the map knows a higher one.
    /// Returns `true` if it was kept.
    pub fn put<R: LeaseRules>(
        &mut self,
        id: KeyId,
        revision: Revision,
        cached: CachedKey,
        source: EntrySource,
        generation: u32,
    ) -> bool {
        let entry = self.map.entry(id).or_insert(KeyEntry {
            revision,
            cached: None,
            source,
            is_unsettled: false,
            generation,
        });
        let is_missing = entry.cached.is_none() && revision == entry.revision;
        let is_confirmation = (source, entry.source) == (EntrySource::Ledger, EntrySource::Kv);
        if !is_missing && !is_confirmation && !R::replaces(revision, entry.revision) {
            return false;
        }
        (entry.revision, entry.cached) = (revision, Some(cached));
        (entry.source, entry.generation) = (source, generation);
        true
    }

    /// Applies a change: drops a cached answer of a lower revision.
    pub fn note_change<R: LeaseRules>(&mut self, mark: Mark) {
        if let Some(entry) = self.map.get_mut(&mark.id)
            && (R::replaces(mark.revision, entry.revision)
                || (entry.source == EntrySource::Kv && mark.revision != entry.revision))
        {
            (entry.revision, entry.cached) = (mark.revision, None);
            entry.source = EntrySource::Ledger;
        }
    }

    /// Marks a key as unsettled. Returns `false` if there is no room; the lease must then be in
    /// overflow.
    pub fn note_unsettled<R: LeaseRules>(&mut self, mark: Mark) -> bool {
        self.note_change::<R>(mark);
        if self.map.get(&mark.id).is_some_and(|entry| entry.is_unsettled) {
            return true;
        }
        if self.unsettled >= UNSETTLED_MAX {
            return false;
        }
        self.unsettled = self.unsettled.saturating_add(1);
        let fresh = KeyEntry {
            revision: mark.revision,
            cached: None,
            source: EntrySource::Ledger,
            is_unsettled: true,
            generation: 0,
        };
        self.map.entry(mark.id).or_insert(fresh).is_unsettled = true;
        true
    }

    /// Takes the whole set of unsettled keys, as the ledger had it at `revision`. If the set is
    /// certainly later than the previous one, keys that it does not name have settled up to that
    /// revision. Returns `true` if the map kept the whole set.
    pub fn take_unsettled<R: LeaseRules>(
        &mut self,
        set: &[Mark],
        revision: Revision,
        is_later: bool,
    ) -> bool {
        if is_later {
            for entry in self.map.values_mut() {
                // A change that was committed through this isolate meanwhile is newer than the set:
                // its mark stays.
                entry.is_unsettled &= !R::is_settled_by(entry.revision, revision);
            }
            self.recount();
        }
        let mut is_all_kept = true;
        for mark in set {
            is_all_kept &= self.note_unsettled::<R>(*mark);
        }
        self.map.retain(|_, entry| entry.cached.is_some() || entry.is_unsettled);
        is_all_kept
    }

    /// Drops the cached answers that were last used before `generation`, then the entries that are
    /// empty.
    pub fn forget_before<R: LeaseRules>(&mut self, generation: u32) {
        self.map.retain(|_, entry| {
            let is_kept = entry.cached.is_some() && entry.generation >= generation;
            if !is_kept {
                entry.cached = None;
            }
            is_kept || !R::may_forget(entry.is_unsettled)
        });
    }

    /// Returns the number of entries, marks included.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Returns `true` if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Returns the number of cached answers.
    pub fn cached_keys(&self) -> usize {
        self.map.values().filter(|entry| entry.cached.is_some()).count()
    }

    /// Returns the entries that the next lease begins with.
    #[must_use]
    pub fn inherited<R: LeaseRules>(mut self) -> Self {
        self.map.retain(|_, entry| entry.cached.as_ref().is_some_and(R::is_inherited));
        self.recount();
        self
    }

    fn recount(&mut self) {
        self.unsettled = self.map.values().filter(|entry| entry.is_unsettled).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::rules::ProductionRules as Rules;
    use crate::testing::key_id;

    const NONE: CachedKey = CachedKey::NoSuchKey;

    fn mark(revision: u64) -> Mark {
        Mark { id: key_id(), revision: Revision(revision) }
    }

    fn put(entries: &mut Entries, revision: u64, source: EntrySource) -> bool {
        entries.put::<Rules>(key_id(), Revision(revision), NONE, source, 1)
    }

    /// Returns as many marks as a lease can keep, of other keys.
    fn full() -> Vec<Mark> {
        let id = |number| KeyId::parse(&format!("a1B2c3D4{number:0>10}")).unwrap();
        (0..UNSETTLED_MAX).map(|number| Mark { id: id(number), revision: Revision(1) }).collect()
    }

    #[test]
    fn a_mark_goes_with_the_first_later_set_of_its_revision_or_a_higher_one() {
        for (revision, is_later, settles) in
            [(5, true, false), (6, true, true), (7, true, true), (7, false, false)]
        {
            let mut entries = Entries::default();
            assert!(entries.note_unsettled::<Rules>(mark(6)));
            assert!(entries.take_unsettled::<Rules>(&[], Revision(revision), is_later));
            let expected = if settles { Entered::Nothing } else { Entered::Unsettled };
            assert_eq!(entries.find(key_id(), 1), expected, "{revision} {is_later}");
            assert_eq!(entries.is_empty(), settles, "an empty entry goes, too");
        }
    }

    #[test]
    fn a_ledger_s_answer_replaces_kv_once_and_then_only_a_higher_revision_does() {
        let mut entries = Entries::default();
        assert!(put(&mut entries, 5, EntrySource::Kv));
        assert!(!put(&mut entries, 5, EntrySource::Kv));
        assert!(put(&mut entries, 3, EntrySource::Ledger));
        for source in [EntrySource::Ledger, EntrySource::Kv] {
            assert!(!put(&mut entries, 2, source) && !put(&mut entries, 3, source));
        }
        assert!(put(&mut entries, 4, EntrySource::Kv));
    }

    #[test]
    fn a_change_that_drops_what_came_from_kv_counts_as_the_ledger_s() {
        let mut entries = Entries::default();
        assert!(put(&mut entries, 5, EntrySource::Kv));
        entries.note_change::<Rules>(mark(4));
        assert_eq!(entries.find(key_id(), 1), Entered::Nothing);
        // An earlier change, reported late, does not lower what is known of the key.
        entries.note_change::<Rules>(mark(3));
        for (revision, source, is_kept) in [
            (3, EntrySource::Kv, false),
            (3, EntrySource::Ledger, false),
            (4, EntrySource::Kv, true),
        ] {
            assert_eq!(put(&mut entries, revision, source), is_kept, "{revision} {source:?}");
        }
    }

    #[test]
    fn room_for_marks_is_free_again_when_keys_settle_or_the_lease_ends() {
        let mut entries = Entries::default();
        assert!(entries.take_unsettled::<Rules>(&full(), Revision(1), true));
        assert!(!entries.note_unsettled::<Rules>(mark(2)), "there is no room");
        assert!(entries.note_unsettled::<Rules>(full()[0]), "it has its room already");
        let mut settled = entries.clone();
        assert!(settled.take_unsettled::<Rules>(&full()[1..], Revision(2), true));
        assert!(settled.note_unsettled::<Rules>(mark(2)));
        let mut next = entries.inherited::<Rules>();
        assert!(next.is_empty() && next.note_unsettled::<Rules>(mark(2)));
    }

    #[test]
    fn an_answer_that_was_used_in_the_generation_stays_and_its_mark_outlives_it() {
        let mut entries = Entries::default();
        assert!(entries.note_unsettled::<Rules>(mark(2)));
        assert!(put(&mut entries, 2, EntrySource::Ledger));
        let is_young = |entered| matches!(entered, Entered::CachedKey { is_young: true, .. });
        assert!(is_young(entries.find(key_id(), 1)));
        assert!(!is_young(entries.find(key_id(), 2)) && is_young(entries.find(key_id(), 2)));
        entries.forget_before::<Rules>(2);
        assert!(is_young(entries.find(key_id(), 2)));
        assert_eq!((entries.cached_keys(), entries.len()), (1, 1));
        entries.forget_before::<Rules>(3);
        assert_eq!(entries.find(key_id(), 3), Entered::Unsettled);
        assert_eq!((entries.cached_keys(), entries.len()), (0, 1));
    }
}
