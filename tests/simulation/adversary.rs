//! An adversary who reads and writes all of KV, and lacks the keyring.

use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::kv_mac::KvMac;
use claviger_core::replication::record::kv_key;

use crate::world::World;

/// A revision that no ledger reaches.
const HIGH: u64 = 9_000_000_000_000_000;

impl<R: LeaseRules> World<R> {
    /// The adversary writes under the name of one key: a value that KV held before, the value of
    /// another key, one of its own making, or nothing.
    pub fn attack(&mut self) {
        let count = self.model.keys.len();
        let Some(key) = count.checked_sub(1 + self.random(4) as usize) else { return };
        let other = self.random(count as i64) as usize;
        let [name, other] = [key, other].map(|key| kv_key(self.model.keys[key].text.id()));
        let lot = self.random(1_000) as usize;
        let Some(own) = self.kv.ever(&name, lot).map(str::to_owned) else { return };
        let revision = self.one_in(2).then_some(HIGH);
        let forged = mighty(&own, revision);
        let value = match self.random(8) {
            0 => None,
            1 => self.kv.ever(&other, lot).map(str::to_owned),
            2 => Some(forged),
            3 => Some(with_mac_of(&own, &forged)),
            4 => Some(KvMac::new(&self.foreign.keyring, &self.foreign.prefix).sign(&name, &forged)),
            _ => Some(own),
        };
        self.kv.land(&name, value.as_deref(), self.now);
        self.tally.attacks += 1;
    }
}

/// Returns a record without a MAC that grants more than `own`, of its revision or of this one.
fn mighty(own: &str, revision: Option<u64>) -> String {
    let mut record: serde_json::Value = serde_json::from_str(own).unwrap();
    let members = record.as_object_mut().unwrap();
    members.remove("mac");
    if let Some(revision) = revision {
        members.insert("revision".into(), revision.into());
    }
    if let Some(limits) = members.get_mut("limits") {
        limits["permissions"] = serde_json::json!(["demo:read", "demo:write"]);
        limits["networks"] = serde_json::json!([]);
        members.insert("state".into(), "active".into());
    }
    record.to_string()
}

/// Returns `forged` with the MAC of `own`, if that has one.
fn with_mac_of(own: &str, forged: &str) -> String {
    let mac = own.strip_prefix(r#"{"mac":""#).map(|rest| &rest[..43]);
    mac.map_or_else(|| forged.to_owned(), |mac| format!(r#"{{"mac":"{mac}",{}"#, &forged[1..]))
}
