//! What a lease knows of single keys: records, negative answers and marks, in one map in which only
//! a higher revision replaces.

use std::collections::HashMap;
use std::sync::Arc;

use super::rules::Rules;
use crate::base::id::KeyId;
use crate::replication::record::{Record, Revision};
use crate::replication::refresh::{MARKS_MAX, Mark};

/// Most entries of one lease that KV may have wrong: as many as a reply can name. Beyond, the lease
/// is in overflow. About 80 bytes each, so 80 KB a lease.
pub const UNSETTLED_MAX: usize = MARKS_MAX;

/// What is known of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Its record.
    Record(Arc<Record>),
    /// There is no such key and never was.
    NoSuchKey,
}

/// One key. Without a word it is a mark: there is a change that nobody here has seen the record of.
#[derive(Clone, Debug)]
struct Entry {
    /// Of the key's last change that is known of; of a negative answer, that of the ledger when it
    /// gave it.
    revision: Revision,
    word: Option<Word>,
    /// KV may be wrong about the key.
    is_unsettled: bool,
    /// The generation of use in which it was last used: [`super::isolate`] counts them.
    generation: u32,
}

/// What the map says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// This. `is_young` is whether it was used in the present generation before.
    Word {
        /// What is known.
        word: Word,
        /// Whether it was used in the present generation before.
        is_young: bool,
    },
    /// KV may be wrong about it: ask the ledger.
    Unsettled,
    /// Nothing: KV may be asked.
    Nothing,
}

/// A lease's entries.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    map: HashMap<KeyId, Entry>,
    unsettled: usize,
}

impl Entries {
    /// What is known of a key, which is noted as used in `generation`.
    pub fn find(&mut self, id: KeyId, generation: u32) -> Entered {
        let Some(entry) = self.map.get_mut(&id) else { return Entered::Nothing };
        match &entry.word {
            Some(word) => {
                let is_young = entry.generation == generation;
                entry.generation = generation;
                Entered::Word { word: word.clone(), is_young }
            }
            None if entry.is_unsettled => Entered::Unsettled,
            None => Entered::Nothing,
        }
    }

    /// Takes a word that holds as of the key's revision `revision`, unless a higher one is known.
    /// Whether it was taken.
    pub fn put<R: Rules>(
        &mut self,
        id: KeyId,
        revision: Revision,
        word: Word,
        generation: u32,
    ) -> bool {
        let entry = self.map.entry(id).or_insert(Entry {
            revision,
            word: None,
            is_unsettled: false,
            generation,
        });
        let is_missing = entry.word.is_none() && revision == entry.revision;
        if !is_missing && !R::replaces(revision, entry.revision) {
            return false;
        }
        (entry.revision, entry.word, entry.generation) = (revision, Some(word), generation);
        true
    }

    /// Notes a change: a word of a lower revision is dropped.
    pub fn note_change<R: Rules>(&mut self, mark: Mark) {
        if let Some(entry) = self.map.get_mut(&mark.id)
            && R::replaces(mark.revision, entry.revision)
        {
            (entry.revision, entry.word) = (mark.revision, None);
        }
    }

    /// Notes that KV may be wrong about a key. `false`: there is no room, and the lease must be in
    /// overflow.
    pub fn note_unsettled<R: Rules>(&mut self, mark: Mark) -> bool {
        self.note_change::<R>(mark);
        if self.map.get(&mark.id).is_some_and(|entry| entry.is_unsettled) {
            return true;
        }
        if self.unsettled >= UNSETTLED_MAX {
            return false;
        }
        self.unsettled = self.unsettled.saturating_add(1);
        let fresh =
            Entry { revision: mark.revision, word: None, is_unsettled: true, generation: 0 };
        self.map.entry(mark.id).or_insert(fresh).is_unsettled = true;
        true
    }

    /// Takes a whole set of what KV may have wrong, made by the ledger at `revision`. If it is
    /// certainly later than the set before, what it does not name has settled, up to that revision.
    /// Whether all of it could be kept.
    pub fn take_unsettled<R: Rules>(
        &mut self,
        set: &[Mark],
        revision: Revision,
        is_later: bool,
    ) -> bool {
        if is_later {
            for entry in self.map.values_mut() {
                // A change made here meanwhile is newer than the set.
                entry.is_unsettled &= entry.revision > revision;
            }
            self.recount();
        }
        let mut is_all_kept = true;
        for mark in set {
            is_all_kept &= self.note_unsettled::<R>(*mark);
        }
        self.map.retain(|_, entry| entry.word.is_some() || entry.is_unsettled);
        is_all_kept
    }

    /// Drops the words that were last used before `generation`, and what is then left empty.
    pub fn forget_before<R: Rules>(&mut self, generation: u32) {
        self.map.retain(|_, entry| {
            let is_kept = entry.word.is_some() && entry.generation >= generation;
            if !is_kept {
                entry.word = None;
            }
            is_kept || (entry.is_unsettled && !R::may_forget(entry.is_unsettled))
        });
        self.recount();
    }

    /// Entries, marks among them.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Entries with a word.
    pub fn words(&self) -> usize {
        self.map.values().filter(|entry| entry.word.is_some()).count()
    }

    /// Keeps only what `keep` says yes to: for the test doubles of [`Rules::inherited`].
    pub fn retain_words(&mut self, keep: impl Fn(&Word) -> bool) {
        self.map.retain(|_, entry| entry.word.as_ref().is_some_and(&keep));
        self.recount();
    }

    fn recount(&mut self) {
        self.unsettled = self.map.values().filter(|entry| entry.is_unsettled).count();
    }
}
