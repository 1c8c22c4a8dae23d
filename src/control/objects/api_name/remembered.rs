//! Secrets that an object has found right, in memory: a MAC of each, so that one slow hash serves
//! many checks.

use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::credential::api_user::ApiSecretVersion;
use claviger_core::credential::keyring::MacKey;
use subtle::ConstantTimeEq;

use crate::objects::object::Entropy;

const LABEL: &[u8] = b"claviger/remembered-secret/1\0";

/// The last right secret of each version, as MACs under a random key that never leaves the memory.
#[derive(Default)]
pub struct RememberedSecrets {
    key: Option<MacKey>,
    found: Vec<(ApiSecretVersion, [u8; 32])>,
}

impl RememberedSecrets {
    /// Returns the version that this secret was found to have.
    pub fn version_of(&self, secret: &SecretText) -> Option<ApiSecretVersion> {
        let mac = mac(self.key.as_ref()?, secret);
        let same = |(_, known): &&(ApiSecretVersion, [u8; 32])| bool::from(known.ct_eq(&mac));
        self.found.iter().find(same).map(|(version, _)| *version)
    }

    /// Remembers a right secret. The first one draws the key.
    pub fn remember(&mut self, secret: &SecretText, version: ApiSecretVersion, entropy: &Entropy) {
        let key = self.key.get_or_insert_with(|| {
            // The first half: the second is the salt of a hash.
            let (half, _) = entropy.0.split_at(16);
            MacKey::new(Digest::of(&[LABEL, half].concat()).as_bytes())
        });
        let mac = mac(key, secret);
        self.found.retain(|(known, _)| *known != version);
        self.found.push((version, mac));
    }

    /// Forgets all of it, because the versions have changed.
    pub fn forget(&mut self) {
        self.found.clear();
    }
}

fn mac(key: &MacKey, secret: &SecretText) -> [u8; 32] {
    key.mac(&[LABEL, secret.expose().as_bytes()])
}
