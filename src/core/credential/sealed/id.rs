//! The sealed key's own ID: public, stored nowhere, and yet told from one that somebody made up.
//!
//! Revocations by ID take room in every lease, so that an ID which names no sealed key must not
//! cost any ([`claviger_control::ledger::ledger`]). The generation in it tells which of them name
//! keys that have ended with their issuer's generation, and need no room any more.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::is_believed;
use crate::base::base62;
use crate::base::id::{AccountId, KeyId, Prefix, SealedId};
use crate::base::time::UnixMs;
use crate::credential::issuer::{Issuer, SealingGeneration};
use crate::credential::key::short_tag;
use crate::credential::keyring::{Generation, Keyring};

/// Digits of the account and the random number.
const NUMBER_WIDTH: usize = KeyId::WIDTH;
const GENERATION_WIDTH: usize = base62::U32_WIDTH;
const COVERED_WIDTH: usize = NUMBER_WIDTH + GENERATION_WIDTH;
const TAG_WIDTH: usize = base62::U64_WIDTH;
const LABEL: &[u8] = b"claviger/sealed-id/1\0";

const _: () = assert!(SealedId::WIDTH == COVERED_WIDTH + TAG_WIDTH);

impl SealedId {
    /// Draws one in `account`, of a key that `issuer` issues in its sealing generation
    /// `generation`. `None` is never the case.
    pub fn draw(
        account: AccountId,
        issuer: Issuer,
        generation: SealingGeneration,
        (prefix, keyring): (&Prefix, &Keyring),
        rng: &mut impl CryptoRng,
    ) -> Option<Self> {
        let number = KeyId::random(account, rng);
        let generation = base62::encode::<GENERATION_WIDTH>(generation.0.into());
        let covered = [number.as_str().as_bytes(), &generation].concat();
        let tag = tag(keyring.newest(), prefix, &covered, issuer);
        Self::from_bytes(&[covered.as_slice(), &tag].concat())
    }

    /// The issuer's sealing generation when the key was issued.
    pub fn generation(&self) -> SealingGeneration {
        let digits = self.as_str().as_bytes().get(NUMBER_WIDTH..COVERED_WIDTH).unwrap_or_default();
        let number = base62::decode(digits).and_then(|number| u32::try_from(number).ok());
        // No made ID names one beyond the last.
        SealingGeneration(number.unwrap_or(u32::MAX))
    }

    /// Whether Claviger drew it for a key that `issuer` issued, under a generation of the keyring
    /// that may still be believed at `now`. So of every sealed key that lives.
    pub fn is_made(&self, issuer: Issuer, prefix: &Prefix, keyring: &Keyring, now: UnixMs) -> bool {
        let Some((covered, found)) = self.as_str().as_bytes().split_last_chunk::<TAG_WIDTH>()
        else {
            return false;
        };
        keyring
            .iter()
            .filter(|generation| is_believed(generation, now))
            .any(|generation| tag(generation, prefix, covered, issuer).ct_eq(found).into())
    }
}

fn tag(
    generation: &Generation,
    prefix: &Prefix,
    covered: &[u8],
    issuer: Issuer,
) -> [u8; TAG_WIDTH] {
    let parts = [LABEL, prefix.as_str().as_bytes(), b"\0", covered, issuer.as_str().as_bytes()];
    short_tag(&generation.tag_key().mac(&parts))
}
