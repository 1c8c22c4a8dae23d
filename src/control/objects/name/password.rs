//! Password hashes: Argon2id (RFC 9106) with a pepper.
//!
//! The stored form is a PHC string, with the generation of the pepper as `keyid`:
//!
//! ```text
//! $argon2id$v=19$m=19456,t=2,p=1,keyid=<generation>$<salt>$<hash>      salt and hash in base64url without padding
//! ```

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::secret::SecretText;
use subtle::ConstantTimeEq;

use crate::protocol::master::{MasterGeneration, MasterSecrets};

/// Memory of a hash, in KiB. With [`PASSES`], this is the second choice of the OWASP cheat sheet; a
/// hash takes 80 ms in a Worker.
const MEMORY_KIB: u32 = 19_456;

/// Passes over the memory.
const PASSES: u32 = 2;

const HEAD: &str = "$argon2id$v=19$m=19456,t=2,p=1,keyid=";

/// A slow password hash. It is a trait so that tests of the code around it can be fast.
pub trait PasswordHash {
    /// Hashes a password; `None` if memory runs out.
    fn hash(&self, password: &[u8], salt: &[u8; 16], pepper: &[u8; 32]) -> Option<[u8; 32]>;
}

/// Argon2id version 1.3 with the parameters above and the pepper as secret value (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct Argon2id;

impl PasswordHash for Argon2id {
    fn hash(&self, password: &[u8], salt: &[u8; 16], pepper: &[u8; 32]) -> Option<[u8; 32]> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
        let mut hash = [0; 32];
        Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)
            .ok()?
            .hash_password_into(password, salt, &mut hash)
            .ok()?;
        Some(hash)
    }
}

/// A password in its stored form.
pub struct StoredPassword {
    text: String,
    generation: String,
    salt: [u8; 16],
    hash: [u8; 32],
}

impl StoredPassword {
    /// Hashes a password with the pepper of `generation`; `None` if memory runs out.
    pub fn of(
        password: &SecretText,
        salt: &[u8; 16],
        generation: &MasterGeneration,
        hash: &dyn PasswordHash,
    ) -> Option<Self> {
        let digest = hash.hash(password.expose().as_bytes(), salt, &generation.pepper())?;
        let (salt_text, hash_text) =
            (Base64UrlUnpadded::encode_string(salt), Base64UrlUnpadded::encode_string(&digest));
        let text = format!("{HEAD}{}${salt_text}${hash_text}", generation.id());
        Some(Self { text, generation: generation.id().to_owned(), salt: *salt, hash: digest })
    }

    /// Parses the stored form; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(HEAD)?.split('$');
        let (generation, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).ok();
        Some(Self {
            text: text.to_owned(),
            generation: generation.to_owned(),
            salt: decode(salt)?.try_into().ok()?,
            hash: decode(hash)?.try_into().ok()?,
        })
    }

    /// Returns the stored form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the ID of the generation whose pepper it uses.
    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// Returns `true` if it is the hash of this password; `None` if memory runs out. If the
    /// pepper's generation was removed from the master secret, it matches no password, at the same
    /// cost.
    pub fn is_of(
        &self,
        password: &SecretText,
        master: &MasterSecrets,
        hash: &dyn PasswordHash,
    ) -> Option<bool> {
        let generation = master.find(&self.generation);
        let pepper = generation.unwrap_or(master.newest()).pepper();
        let digest = hash.hash(password.expose().as_bytes(), &self.salt, &pepper)?;
        Some(generation.is_some() && bool::from(digest.ct_eq(&self.hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::master::tests::master;

    #[test]
    fn argon2id_with_the_pepper_tells_passwords_apart() {
        let master = master();
        let secret = SecretText::new("correct horse battery staple".into());
        let stored = StoredPassword::of(&secret, &[7; 16], master.newest(), &Argon2id).unwrap();
        assert!(
            stored
                .as_str()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=b$BwcHBwcHBwcHBwcHBwcHBw$")
        );
        let read = StoredPassword::parse(stored.as_str()).unwrap();
        assert_eq!(read.is_of(&secret, &master, &Argon2id), Some(true));
        let near = SecretText::new("correct horse battery staplf".into());
        assert_eq!(read.is_of(&near, &master, &Argon2id), Some(false));
        let other =
            StoredPassword::of(&secret, &[7; 16], master.find("a").unwrap(), &Argon2id).unwrap();
        assert_ne!(other.hash, stored.hash, "another pepper, another hash");
    }

    #[test]
    fn only_what_was_stored_parses() {
        let good =
            format!("{HEAD}b$BwcHBwcHBwcHBwcHBwcHBw$ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert!(StoredPassword::parse(&good).is_some());
        for bad in [
            String::new(),
            good.replace("19456", "8"),
            good.replace("argon2id", "argon2i"),
            format!("{good}$"),
            good.replace("BwcHBw$", "$"),
            good.trim_end_matches('0').to_owned(),
        ] {
            assert!(StoredPassword::parse(&bad).is_none(), "{bad}");
        }
    }
}
