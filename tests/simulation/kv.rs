//! Workers KV, read from several places: each may serve anything that was held within the last
//! while.

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::replication::record::{Record, kv_key};

/// How old what a place serves is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As old as may be.
    Oldest,
    /// What is held.
    Newest,
    /// Now this, now that.
    Any,
}

/// Every value that a name ever had, with the time at which it landed.
pub struct Kv {
    history: BTreeMap<String, Vec<(i64, Option<String>)>>,
    pub stale_ms: i64,
}

impl Kv {
    pub fn new(stale_ms: i64) -> Self {
        Self { history: BTreeMap::new(), stale_ms }
    }

    /// A put lands; `None`: a removal.
    pub fn land(&mut self, key: &str, value: Option<&str>, now: i64) {
        self.history.entry(key.to_owned()).or_default().push((now, value.map(str::to_owned)));
    }

    /// All that any place may serve, the oldest first.
    pub fn served(&self, key: &str, now: i64) -> Vec<Option<&str>> {
        let versions = self.history.get(key).map(Vec::as_slice).unwrap_or_default();
        let first = versions.iter().rposition(|(landed, _)| *landed <= now - self.stale_ms);
        let mut served = vec![first.and_then(|place| versions[place].1.as_deref())];
        let rest = &versions[first.map_or(0, |place| place + 1)..];
        served.extend(rest.iter().map(|(_, value)| value.as_deref()));
        served
    }

    /// What a place serves; `lot` decides where its mood does not.
    pub fn read(&self, key: &str, mood: Mood, lot: u64, now: i64) -> Option<String> {
        let served = self.served(key, now);
        let place = match mood {
            Mood::Oldest => 0,
            Mood::Newest => served.len() - 1,
            Mood::Any => lot as usize % served.len(),
        };
        served[place].map(str::to_owned)
    }

    /// A value that a name had at any time.
    pub fn ever(&self, key: &str, lot: usize) -> Option<&str> {
        let versions = self.history.get(key)?;
        let held: Vec<&str> = versions.iter().filter_map(|(_, value)| value.as_deref()).collect();
        held.get(lot % held.len().max(1)).copied()
    }

    pub fn names(&self, prefix: &str, after: &str) -> Vec<String> {
        self.history
            .keys()
            .filter(|name| name.starts_with(prefix) && name.as_str() > after)
            .cloned()
            .collect()
    }

    /// Whether every place serves this record and nothing else.
    pub fn is_settled(&self, id: KeyId, record: Option<&Record>, now: i64) -> bool {
        let read = |text: &str| Record::from_kv(text, id);
        self.served(&kv_key(id), now)
            .into_iter()
            .all(|value| value.and_then(read).as_ref() == record)
    }
}
