//! Makes and checks a sealed key's ID: it is public and stored nowhere, yet a made-up ID is
//! recognisable.
//!
//! Each revocation by ID takes room in every lease, so an ID of no real sealed key must not take
//! any. The generation in the ID shows which revoked keys have ended with their issuer's
//! generation; these need no room any more.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::is_believed;
use crate::base::base62;
use crate::base::id::{AccountId, KeyId, Prefix, SealedId};
use crate::base::time::UnixMs;
use crate::credential::issuer::{Issuer, SealingGeneration};
use crate::credential::key::short_tag;
use crate::credential::keyring::{Generation, Keyring};

/// Number of digits of the account and the random number.
const NUMBER_WIDTH: usize = KeyId::WIDTH;
const GENERATION_WIDTH: usize = base62::U32_WIDTH;
const COVERED_WIDTH: usize = NUMBER_WIDTH + GENERATION_WIDTH;
const TAG_WIDTH: usize = base62::U64_WIDTH;
const LABEL: &[u8] = b"claviger/sealed-id/1\0";

const _: () = assert!(SealedId::WIDTH == COVERED_WIDTH + TAG_WIDTH);

impl SealedId {
    /// Draws an ID in `account` for a key that `issuer` issues in its sealing generation
    /// `generation`. It never returns `None`, because the digits are always base62.
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

    /// Returns the issuer's sealing generation at the time of issue.
    pub fn generation(&self) -> SealingGeneration {
        let digits = self.as_str().as_bytes().get(NUMBER_WIDTH..COVERED_WIDTH).unwrap_or_default();
        let number = base62::decode(digits).and_then(|number| u32::try_from(number).ok());
        // No ID that Claviger made has a generation above `u32::MAX`.
        SealingGeneration(number.unwrap_or(u32::MAX))
    }

    /// Returns `true` if Claviger drew the ID for a key of `issuer`, under a generation of the
    /// keyring that still counts at `now`. This holds for the ID of every sealed key that is still
    /// alive.
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
