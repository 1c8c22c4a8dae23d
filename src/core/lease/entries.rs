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
            is_kept || (entry.is_unsettled && !R::may_forget(entry.is_unsettled))
        });
        self.recount();
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
