//! Workers KV as the platform promises it: what is served anywhere is something that it held within
//! the last while.

use std::collections::BTreeMap;

use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_core::replication::record::kv_key;

/// Every value that a name ever had, with the time at which it landed.
#[derive(Default)]
pub struct Kv {
    history: BTreeMap<String, Vec<(i64, String)>>,
}

impl Kv {
    /// A put lands.
    pub fn land(&mut self, key: &str, value: &str, now: i64) {
        self.history.entry(key.to_owned()).or_default().push((now, value.to_owned()));
    }

    /// What it holds.
    pub fn get(&self, key: &str) -> Option<&str> {
        Some(self.history.get(key)?.last()?.1.as_str())
    }

    /// Everything that any place may serve at `now`, when none is more than `stale_ms` behind.
    pub fn served(&self, key: &str, now: i64, stale_ms: i64) -> Vec<Option<&str>> {
        let versions = self.history.get(key).map(Vec::as_slice).unwrap_or_default();
        let held = |at: i64| versions.iter().rposition(|(landed, _)| *landed <= at);
        // The one that was held when the window began, and all that landed since.
        let first = held(now - stale_ms);
        let mut served = vec![first.map(|place| versions[place].1.as_str())];
        served.extend(
            versions[first.map_or(0, |place| place + 1)..].iter().map(|(_, v)| Some(v.as_str())),
        );
        served
    }

    /// Carries out what reads, seen from a place that picks of what may be served by `pick`.
    pub fn read(
        &self,
        effect: &Effect,
        now: i64,
        stale_ms: i64,
        mut pick: impl FnMut(usize) -> usize,
    ) -> EffectOutcome {
        let mut one = |key: &str| {
            let served = self.served(key, now, stale_ms);
            served[pick(served.len())].map(str::to_owned)
        };
        match effect {
            Effect::ReadBack { key, .. } | Effect::ReadLease { key, .. } => {
                EffectOutcome::Read { value: one(key) }
            }
            Effect::ReadMany { ids } => EffectOutcome::ReadMany {
                values: ids.iter().map(|id| (*id, one(&kv_key(*id)))).collect(),
            },
            Effect::ListKv { prefix, cursor } => {
                let after = cursor.clone().unwrap_or_default();
                let all =
                    self.history.keys().filter(|name| name.starts_with(prefix) && **name > after);
                // Small pages, so that there are several.
                let names: Vec<String> = all.take(3).cloned().collect();
                let cursor = names.last().filter(|_| names.len() == 3).cloned();
                EffectOutcome::Listed { names, cursor }
            }
            Effect::SendMail { .. } | Effect::ConfirmAccount { .. } => EffectOutcome::Done,
            other => panic!("nothing to read: {other:?}"),
        }
    }
}
