//! Provides sample values for the tests of this crate and of the crates that use it.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a sample that is wrong must stop the test loudly"
)]

use sha2::{Digest as _, Sha256};

use crate::base::id::{AccountId, KeyId, Prefix};
use crate::base::secret::{Digest, SecretText};
use crate::base::time::UnixMs;
use crate::config::settings::{Config, Variables};
use crate::credential::issuer::SealingGeneration;
use crate::credential::keyring::Keyring;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::{Interface, Limits};
use crate::replication::kv_mac::KvMac;
use crate::replication::record::{Credential, Epoch, Record, Revision, Standing, kv_key};
use crate::replication::superseded::{Superseded, SupersededFilter};

/// The subkeys of two generations, `b` and the retired `a`. The control plane derives the same ones
/// from its test master secrets.
pub const EDGE_KEYS: &str = include_str!("../../tests/vectors/keyring.json");

/// Returns the keyring of [`EDGE_KEYS`].
pub fn keyring() -> Keyring {
    Keyring::parse(EDGE_KEYS).unwrap()
}

/// Returns the JSON of a keyring whose generations have these names and additional members, such as
/// `,"compromised":true`. A name always has the same subkeys.
pub fn edge_keys(generations: &[(&str, &str)]) -> String {
    let one = |(id, more): &(&str, &str)| {
        let key = |member: &str| {
            base16ct::lower::encode_string(&Sha256::digest(format!("{id} {member}")))
        };
        let members = ["tag", "sealing", "origin_proof", "refresh_cache", "replication"];
        let subkeys = members.map(|member| format!(r#""{member}":"{}""#, key(member))).join(",");
        format!(r#"{{"id":"{id}",{subkeys}{more}}}"#)
    };
    format!("[{}]", generations.iter().map(one).collect::<Vec<_>>().join(","))
}

/// Returns the newest generation of [`EDGE_KEYS`] as a JSON object with additional members, such as
/// `,"compromised":true`.
pub fn newest_generation(more: &str) -> String {
    let (members, _) = EDGE_KEYS.split_once('}').unwrap();
    format!("{}{more}}}", members.trim_start_matches('['))
}

/// Returns the prefix of the sample deployment's credentials.
pub fn clv() -> Prefix {
    Prefix::parse("clv").unwrap()
}

/// Returns the instant at this Unix time in milliseconds.
pub fn at(ms: i64) -> UnixMs {
    UnixMs::from_ms(ms)
}

/// Returns the ID of a sample account.
pub fn account() -> AccountId {
    AccountId::parse("a1B2c3D4").unwrap()
}

/// Returns the ID of a sample key of [`account`].
pub fn key_id() -> KeyId {
    KeyId::parse("a1B2c3D47Hq0p2Zx9K").unwrap()
}

/// Returns limits with a value in each member except `not_before`.
pub fn limits() -> Limits {
    Limits {
        not_before: None,
        expires: Expiry::At(at(1_803_186_000_000)),
        networks: serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap(),
        interfaces: vec![Interface::Http],
        permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
    }
}

/// Returns the record of [`key_id`] with [`limits`].
pub fn record(standing: impl FnOnce(Credential) -> Standing) -> Record {
    let credential = Credential {
        digest: Digest::of(b"abc"),
        limits: limits(),
        issuing: None,
        issued: None,
        sealing: SealingGeneration::default(),
        member: None,
        user: None,
    };
    Record::new(Epoch::new(0x5f2c_9a0b_7d1e_4386), Revision(12), key_id(), standing(credential))
}

/// Returns the statement that no key is superseded.
pub fn none_superseded() -> Option<Superseded> {
    Some(Superseded::Filter(SupersededFilter::default()))
}

/// Returns the value with which a ledger of the sample deployment stores a JSON object under a KV
/// key.
pub fn signed(key: &str, object: &str) -> String {
    KvMac::new(&keyring(), &clv()).sign(key, object)
}

/// Returns the value with which a ledger of the sample deployment stores a record.
pub fn stored(record: &Record) -> String {
    signed(&kv_key(record.id), &serde_json::to_string(record).unwrap())
}

/// Returns the variables of a small deployment.
pub fn variables() -> Variables {
    Variables {
        prefix: Some("clv".into()),
        console_origin: Some("http://localhost:8787".into()),
        rules: Some(
            r#"[{"host":"api.localhost","path":"/*","origin":"DEMO","permission":{"read":"demo:read","write":"demo:write"}},
                {"host":"api.localhost","path":"/any","origin":"DEMO","any_key":true,"credentials":["authorization","query:u"]},
                {"host":"api.localhost","path":"/form","origin":"DEMO","any_key":true,"credentials":["authorization","form:u","json:u"]},
                {"host":"api.localhost","path":"/public/form","origin":"DEMO","public":true,"credentials":["form:u"]},
                {"host":"api.localhost","path":"/public/*","origin":"https://origin.example","public":true}]"#
                .into(),
        ),
        freshness: None,
        outage: None,
    }
}

/// Returns the edge's settings in that deployment.
pub fn config() -> Config {
    Config::parse(Some(&SecretText::new(EDGE_KEYS.to_owned())), &variables()).unwrap()
}
