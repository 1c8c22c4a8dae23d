//! Authenticates values in Workers KV, so that write access to the namespace grants nothing.
//!
//! Each record and each lease document is a JSON object whose first member is its MAC:
//!
//! ```json
//! {"mac":"<43 characters of base64url>","v":1,"epoch":"5f2c9a0b7d1e4386", …}
//! ```
//!
//! The MAC is HMAC-SHA-256 under the keyring's `replication` subkey over a label, the deployment's
//! prefix, the KV key, and the JSON object without the member `mac`. The KV key begins with the
//! kind of the value and contains the account. So a value cannot move to another key, account or
//! deployment. A reader checks the MAC before it parses anything.
//!
//! A MAC does not prove that a value is the latest one: an attacker who can write KV can put an
//! earlier value back. [`superseded`](crate::replication::superseded) covers that.
//!
//! The newest generation of the keyring makes the MACs. A reader accepts every generation except
//! compromised ones. A value without a valid MAC counts as absent, so the reader asks the ledger.
//! A release that knows no MACs ignores the member, so it reads the values as before.

use base64ct::{Base64UrlUnpadded, Encoding};
use subtle::ConstantTimeEq;

use crate::base::id::Prefix;
use crate::credential::keyring::{Generation, Keyring, MacKey};

/// Label that each MAC covers first.
const LABEL: &[u8] = b"claviger/replication/1\0";

/// Text before the MAC.
const BEFORE: &str = r#"{"mac":""#;

/// Text between the MAC and the next member.
const BEHIND: &str = r#"","#;

/// Length of a MAC in base64url without padding.
const MAC_CHARS: usize = 43;

/// Length of the text before the members that the MAC covers.
const HEAD_CHARS: usize = BEFORE.len() + MAC_CHARS + BEHIND.len();

/// The keys with which values in KV are authenticated.
#[derive(Clone, Debug)]
pub struct KvMac {
    prefix: Prefix,
    /// Keys of all generations that are not compromised, newest first.
    keys: Vec<MacKey>,
}

/// The origin of a value in KV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// A ledger of this deployment made the value under the newest generation.
    Newest,
    /// A ledger of this deployment made the value under an older generation.
    Older,
    /// The value has no MAC, like values of releases before this one.
    Absent,
    /// The value has a MAC that no ledger of this deployment made for this KV key.
    Wrong,
}

impl Authenticity {
    /// Returns `true` if a ledger of this deployment made the value.
    pub fn is_authentic(self) -> bool {
        matches!(self, Self::Newest | Self::Older)
    }
}

impl KvMac {
    /// Returns the keys of a deployment.
    pub fn new(keyring: &Keyring, prefix: &Prefix) -> Self {
        let is_believed = |generation: &&Generation| !generation.is_compromised();
        let keys = keyring.iter().filter(is_believed);
        Self {
            prefix: prefix.clone(),
            keys: keys.map(|generation| generation.replication_key().clone()).collect(),
        }
    }

    /// Adds a MAC to `object`, the text of a JSON object with at least one member, for storage
    /// under the KV key `key`.
    pub fn sign(&self, key: &str, object: &str) -> String {
        // The keyring's newest generation is never compromised, so there is a key. Without a MAC, a
        // reader would take the value as absent.
        match (self.keys.first(), object.strip_prefix('{')) {
            (Some(newest), Some(members)) => {
                let mac = Base64UrlUnpadded::encode_string(&self.mac(newest, key, members));
                [BEFORE, &mac, BEHIND, members].concat()
            }
            _ => object.to_owned(),
        }
    }

    /// Returns the origin of `text`, which KV holds under `key`.
    pub fn check(&self, key: &str, text: &str) -> Authenticity {
        let Some((mac, members)) =
            text.strip_prefix(BEFORE).and_then(|rest| rest.split_at_checked(MAC_CHARS))
        else {
            return Authenticity::Absent;
        };
        let (Some(members), Ok(mac)) =
            (members.strip_prefix(BEHIND), Base64UrlUnpadded::decode_vec(mac))
        else {
            return Authenticity::Wrong;
        };
        let is_by = |by: &MacKey| self.mac(by, key, members).ct_eq(mac.as_slice()).into();
        match self.keys.iter().position(is_by) {
            Some(0) => Authenticity::Newest,
            Some(_) => Authenticity::Older,
            None => Authenticity::Wrong,
        }
    }

    /// Returns the JSON object without its MAC, if the newest generation made `text` for `key`. A
    /// ledger puts every other value again.
    pub fn open(&self, key: &str, text: &str) -> Option<String> {
        let members = text.get(HEAD_CHARS..)?;
        (self.check(key, text) == Authenticity::Newest).then(|| ["{", members].concat())
    }

    /// Returns the MAC of the object with these members, without its opening brace.
    fn mac(&self, by: &MacKey, key: &str, members: &str) -> [u8; 32] {
        // Neither a prefix nor a KV key contains a NUL.
        by.mac(&[
            LABEL,
            self.prefix.as_str().as_bytes(),
            b"\0",
            key.as_bytes(),
            b"\0{",
            members.as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::record::{Record, Standing, kv_key};
    use crate::testing::{clv, edge_keys, key_id, keyring, record};

    fn of(generations: &[(&str, &str)]) -> KvMac {
        KvMac::new(&Keyring::parse(&edge_keys(generations)).unwrap(), &clv())
    }

    fn text() -> String {
        serde_json::to_string(&record(Standing::Active)).unwrap()
    }

    /// A change here makes every value in KV count as absent until ledgers have put it again.
    #[test]
    fn the_format_is_pinned_and_an_earlier_release_reads_it() {
        let key = kv_key(key_id());
        let signed = KvMac::new(&keyring(), &clv()).sign(&key, &text());
        insta::assert_snapshot!("signed_record", signed);
        assert_eq!(Record::from_kv(&signed, key_id()), Some(record(Standing::Active)));
        let mac = KvMac::new(&keyring(), &clv());
        assert_eq!(mac.check(&key, &signed), Authenticity::Newest);
        assert_eq!(mac.open(&key, &signed), Some(text()));
    }

    #[test]
    fn a_value_counts_under_its_own_key_prefix_and_deployment_only() {
        let (key, mac) = (kv_key(key_id()), of(&[("a", "")]));
        let signed = mac.sign(&key, &text());
        assert_eq!(mac.check(&key, &signed), Authenticity::Newest);
        for other in ["key/a1B2c3D47Hq0p2Zx9L", "lease/a1B2c3D4", ""] {
            assert_eq!(mac.check(other, &signed), Authenticity::Wrong, "{other}");
        }
        assert_eq!(of(&[("b", "")]).check(&key, &signed), Authenticity::Wrong);
        let prefix = Prefix::parse("other").unwrap();
        let renamed = KvMac::new(&Keyring::parse(&edge_keys(&[("a", "")])).unwrap(), &prefix);
        assert_eq!(renamed.check(&key, &signed), Authenticity::Wrong);
    }

    #[test]
    fn every_changed_byte_makes_a_value_wrong_or_unsigned() {
        let (key, mac) = (kv_key(key_id()), of(&[("a", "")]));
        let signed = mac.sign(&key, &text());
        for at in 0..signed.len() {
            let mut bytes = signed.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(!mac.check(&key, &changed).is_authentic(), "{changed}");
            assert!(!mac.check(&key, &signed[..at]).is_authentic(), "{at}");
        }
        assert!(!mac.check(&key, &format!("{signed} ")).is_authentic());
        for absent in ["", "{}", "null", &text(), r#"{"mac":""#, r#"{"mac":"short"}"#] {
            assert_eq!(mac.check(&key, absent), Authenticity::Absent, "{absent}");
        }
        let wide = format!("{BEFORE}{}{BEHIND}", "é".repeat(MAC_CHARS));
        assert!(!mac.check(&key, &wide).is_authentic());
    }

    #[test]
    fn an_older_generation_counts_unless_it_is_compromised() {
        let key = kv_key(key_id());
        let signed = of(&[("a", "")]).sign(&key, &text());
        let retired = r#","retired_at_ms":1"#;
        assert_eq!(of(&[("b", ""), ("a", retired)]).check(&key, &signed), Authenticity::Older);
        assert!(Authenticity::Newest.is_authentic() && Authenticity::Older.is_authentic());
        assert_eq!(of(&[("b", ""), ("a", retired)]).open(&key, &signed), None, "it is put again");
        let compromised = r#","retired_at_ms":1,"compromised":true"#;
        assert_eq!(of(&[("b", ""), ("a", compromised)]).check(&key, &signed), Authenticity::Wrong);
    }
}
