//! Authenticator data (WebAuthn Level 2 §6.1), and the public key of a new passkey in it.

use p256::ecdsa::VerifyingKey;
use sha2::{Digest as _, Sha256};

use super::binary::PublicKey;
use super::cbor::CborReader;
use super::error::PasskeyError;

/// Longest ID of a credential, in bytes (§7.1 step 26 of Level 3; CTAP2 has the same bound).
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;

const HASH_BYTES: usize = 32;
const AAGUID_BYTES: usize = 16;

/// Bits of the flags.
const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const WITH_CREDENTIAL: u8 = 1 << 6;
const WITH_EXTENSIONS: u8 = 1 << 7;

/// COSE labels and values of a key on P-256 (RFC 9053 §7.1.1).
const COSE_TYPE: i64 = 1;
const COSE_ALGORITHM: i64 = 3;
const COSE_CURVE: i64 = -1;
const COSE_X: i64 = -2;
const COSE_Y: i64 = -3;
const TYPE_EC2: i64 = 2;
const CURVE_P256: i64 = 1;

/// Number of ECDSA on P-256 with SHA-256 among COSE algorithms (RFC 9053 §2.1): the one that is
/// accepted. All platforms offer it.
pub const ES256: i64 = -7;

/// Authenticator data of which every byte was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorData<'a> {
    /// Signature counter; 0 from authenticators without one.
    pub counter: u32,
    /// `true` if the passkey may be copied to other devices of the person.
    pub backup_eligible: bool,
    /// `true` if it was.
    pub backed_up: bool,
    /// ID and public key of the new credential; only registrations have one.
    pub credential: Option<(&'a [u8], PublicKey)>,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads the data, and checks that they are of this relying party, and that the authenticator
    /// has verified the person.
    ///
    /// # Errors
    /// [`PasskeyError::AuthenticatorData`] for other bytes; [`PasskeyError::RelyingParty`] or
    /// [`PasskeyError::NotVerified`] if they are not; [`PasskeyError::Algorithm`] if the public key
    /// is of another kind.
    pub fn read(bytes: &'a [u8], relying_party: &str) -> Result<Self, PasskeyError> {
        let broken = PasskeyError::AuthenticatorData;
        let (hash, rest) = bytes.split_first_chunk::<HASH_BYTES>().ok_or(broken)?;
        let (flags, rest) = rest.split_first().ok_or(broken)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(broken)?;
        let is = |bit: u8| flags & bit != 0;
        if hash.as_slice() != Sha256::digest(relying_party.as_bytes()).as_slice() {
            return Err(PasskeyError::RelyingParty);
        }
        if !is(USER_PRESENT) || !is(USER_VERIFIED) {
            return Err(PasskeyError::NotVerified);
        }
        // What cannot be copied was not (Level 3 §7.2 step 18).
        if is(BACKED_UP) && !is(BACKUP_ELIGIBLE) {
            return Err(broken);
        }
        let mut credential = None;
        if is(WITH_CREDENTIAL) {
            let (id, key, after) = read_credential(rest)?;
            (credential, rest) = (Some((id, key)), after);
        }
        if is(WITH_EXTENSIONS) {
            let mut extensions = CborReader::new(rest);
            let mut ahead = extensions;
            ahead.map().and_then(|_| extensions.skip()).ok_or(broken)?;
            rest = extensions.rest();
        }
        if !rest.is_empty() {
            return Err(broken);
        }
        Ok(Self {
            counter: u32::from_be_bytes(*counter),
            backup_eligible: is(BACKUP_ELIGIBLE),
            backed_up: is(BACKED_UP),
            credential,
        })
    }
}

fn read_credential(bytes: &[u8]) -> Result<(&[u8], PublicKey, &[u8]), PasskeyError> {
    let broken = PasskeyError::AuthenticatorData;
    let (_, rest) = bytes.split_first_chunk::<AAGUID_BYTES>().ok_or(broken)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(broken)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > CREDENTIAL_ID_BYTES_MAX {
        return Err(broken);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(broken)?;
    let mut key = CborReader::new(rest);
    let read = read_key(&mut key)?;
    Ok((id, read, key.rest()))
}

/// Reads a COSE key: the five members of a key on P-256, each once, and no others (§6.5.1.1).
fn read_key(reader: &mut CborReader<'_>) -> Result<PublicKey, PasskeyError> {
    let broken = PasskeyError::AuthenticatorData;
    let mut members = *reader;
    let count = members.map().ok_or(broken)?;
    let (mut kind, mut algorithm, mut curve, mut x, mut y) = (None, None, None, None, None);
    for _ in 0..count {
        let label = members.integer().ok_or(broken)?;
        let number = |place: &mut Option<i64>, members: &mut CborReader<'_>| {
            let value = members.integer().filter(|_| place.is_none());
            *place = Some(value.ok_or(broken)?);
            Ok(())
        };
        match label {
            COSE_TYPE => number(&mut kind, &mut members)?,
            COSE_ALGORITHM => number(&mut algorithm, &mut members)?,
            // Keys of other kinds have other members behind these two.
            _ if algorithm.is_some_and(|algorithm| algorithm != ES256) => {
                return Err(PasskeyError::Algorithm);
            }
            COSE_CURVE => number(&mut curve, &mut members)?,
            COSE_X | COSE_Y => {
                let place = if label == COSE_X { &mut x } else { &mut y };
                let value = members.bytes().filter(|_| place.is_none());
                *place = Some(value.ok_or(broken)?);
            }
            _ => return Err(broken),
        }
    }
    if (kind, algorithm, curve) != (Some(TYPE_EC2), Some(ES256), Some(CURVE_P256)) {
        return Err(PasskeyError::Algorithm);
    }
    let (Some(x), Some(y)) = (x, y) else { return Err(broken) };
    if x.len() != HASH_BYTES || y.len() != HASH_BYTES {
        return Err(broken);
    }
    // SEC 1 §2.3.3: an uncompressed point begins with 04.
    let point = [[4].as_slice(), x, y].concat();
    VerifyingKey::from_sec1_bytes(&point).map_err(|_| broken)?;
    *reader = members;
    Ok(PublicKey::from_stored(point))
}
