//! The caches of data centres: they forget at will, and may hand out the text before the last until
//! it ends.

use std::collections::BTreeMap;

struct Held {
    text: String,
    until: i64,
}

/// What each data centre holds.
#[derive(Default)]
pub struct Cache(BTreeMap<u64, Vec<Held>>);

impl Cache {
    pub fn put(&mut self, place: u64, text: String, seconds: u64, now: i64) {
        let held = self.0.entry(place).or_default();
        held.retain(|held| held.until > now);
        held.push(Held { text, until: now + 1_000 * seconds as i64 });
    }

    /// What a place hands out; `lot` decides what, and whether there is anything.
    pub fn read(&self, place: u64, lot: u64, now: i64) -> Option<String> {
        let held: Vec<&Held> = self.0.get(&place)?.iter().filter(|held| held.until > now).collect();
        let text = match lot % 8 {
            0 => return None,
            1..4 => &held.first()?.text,
            _ => &held.last()?.text,
        };
        let is_cut = (lot / 8).is_multiple_of(20);
        Some(if is_cut { text[..text.len() / 2].to_owned() } else { text.clone() })
    }
}
