//! Passkeys (WebAuthn Level 2): the answers of authenticators, checked without a clock, randomness
//! or storage.
//!
//! The admin Worker checks what needs no stored key: client data, challenge, relying party, and
//! that the authenticator has verified the person (§7.1 steps 7 to 16, §7.2 steps 11 to 17). The
//! ledger compares signature and counter with its row (§7.2 steps 20 and 21). It does so in the run
//! that uses the challenge up, so that parallel requests cannot use one twice.
//!
//! Attestation is neither asked for nor checked: a passkey proves that it is the one that was
//! added, not who built the authenticator.

pub mod authenticator_data;
mod binary;
mod cbor;
pub mod ceremony;
mod client_data;
mod error;
pub mod handle;

use claviger_core::base::id::{AccountId, MemberId, Prefix, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::authenticator_data::AuthenticatorData;
pub use self::binary::{BinaryText, PublicKey};
use self::cbor::CborReader;
use self::ceremony::{AnsweredChallenge, Ceremony};
use self::client_data::{ClientAct, read_client_data};
pub use self::error::PasskeyError;
use self::handle::{named_by_handle, parse_handle};
use crate::protocol::identity::Membership;
use crate::protocol::master::MasterSecrets;

/// Most passkeys of one member: some for each device that a person has, and spare ones.
pub const PASSKEYS_MAX: usize = 10;

/// Longest parts of an answer, in bytes. Client data hold the origin and a challenge; the data of a
/// new passkey an ID of 1,023 bytes. Statements that browsers let through despite `none` hold
/// certificates.
const CLIENT_DATA_BYTES_MAX: usize = 4_096;
const AUTHENTICATOR_DATA_BYTES_MAX: usize = 4_096;
const ATTESTATION_BYTES_MAX: usize = 32_768;
const SIGNATURE_BYTES_MAX: usize = 80;

/// Ways in which browsers reach an authenticator (§5.8.4). They are hints for the next prompt;
/// others are left out.
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

/// The expectations of one answer. None of them comes from the client.
#[derive(Clone, Copy, Debug)]
pub struct CeremonyDesk<'a> {
    /// Purpose of the challenge, with what it is bound to.
    pub ceremony: Ceremony,
    /// Origin of the console.
    pub origin: &'a str,
    /// Host of the console, which is the ID of the relying party.
    pub relying_party: &'a str,
    /// Prefix of the deployment.
    pub prefix: &'a Prefix,
    /// Secrets under which challenges and handles are made.
    pub master: &'a MasterSecrets,
    /// Time of the request, Unix ms.
    pub now: UnixMs,
}

/// The answer of an authenticator that has made a passkey, as the page sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationForm {
    /// Client data, as JSON.
    pub client_data: BinaryText,
    /// Attestation object, as CBOR.
    pub attestation_object: BinaryText,
    /// Ways in which the browser reaches the authenticator.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// The answer of an authenticator that has used a passkey, as the page sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssertionForm {
    /// ID of the credential.
    pub credential_id: BinaryText,
    /// Client data, as JSON.
    pub client_data: BinaryText,
    /// Authenticator data.
    pub authenticator_data: BinaryText,
    /// Signature over both, as DER.
    pub signature: BinaryText,
    /// Handle of the member; authenticators may leave it out where the page has named credentials.
    #[serde(default)]
    pub user_handle: Option<BinaryText>,
}

/// A passkey to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPasskey {
    /// ID of its row.
    pub id: TokenId,
    /// Name that the member gave it, already checked.
    pub name: String,
    /// ID of the credential.
    pub credential: BinaryText,
    /// Its public key.
    pub public_key: PublicKey,
    /// Signature counter.
    pub counter: u32,
    /// Ways in which browsers reach the authenticator.
    pub transports: Vec<String>,
    /// `true` if it may be copied to other devices.
    pub backup_eligible: bool,
    /// `true` if it was.
    pub backed_up: bool,
    /// Challenge that the answer used up.
    pub challenge: AnsweredChallenge,
}

/// A presented passkey, whose signature the ledger has yet to compare with its row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentedPasskey {
    /// ID of the credential.
    pub credential: BinaryText,
    /// SHA-256 of what was signed.
    pub signed: Digest,
    /// Signature, as DER.
    pub signature: BinaryText,
    /// Signature counter.
    pub counter: u32,
    /// `true` if the passkey was copied to other devices.
    pub backed_up: bool,
    /// Member whom the user handle names; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Challenge that the answer uses up.
    pub challenge: AnsweredChallenge,
}

/// A passkey, as its member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyView {
    /// ID of its row.
    pub id: TokenId,
    /// Name that the member gave it.
    pub name: String,
    /// ID of the credential, for prompts.
    pub credential: BinaryText,
    /// Ways in which browsers reach the authenticator.
    pub transports: Vec<String>,
    /// `true` if it was copied to other devices.
    pub backed_up: bool,
    /// Time at which it was added, Unix ms.
    pub created_at: UnixMs,
    /// Time of its last use, Unix ms; `None` if it was not used yet.
    pub used_at: Option<UnixMs>,
}

impl CeremonyDesk<'_> {
    /// Checks the answer of an authenticator that has made a passkey (§7.1).
    ///
    /// # Errors
    /// A [`PasskeyError`] that names the first rule that the answer breaks.
    pub fn register(
        &self,
        form: &RegistrationForm,
        id: TokenId,
        name: String,
    ) -> Result<NewPasskey, PasskeyError> {
        let challenge = self.challenge(&form.client_data, ClientAct::Create)?;
        let data = read_attestation(form.attestation_object.as_bytes())?;
        let data = AuthenticatorData::read(data, self.relying_party)?;
        let (credential, public_key) = data.credential.ok_or(PasskeyError::AuthenticatorData)?;
        let known = TRANSPORTS.into_iter();
        let is_given = |known: &&str| form.transports.iter().any(|given| given == known);
        Ok(NewPasskey {
            id,
            name,
            credential: BinaryText::new(credential.to_vec()),
            public_key,
            counter: data.counter,
            transports: known.filter(is_given).map(str::to_owned).collect(),
            backup_eligible: data.backup_eligible,
            backed_up: data.backed_up,
            challenge,
        })
    }

    /// Checks the answer of an authenticator that has used a passkey, but for its signature (§7.2),
    /// where its user handle alone names the member.
    ///
    /// # Errors
    /// A [`PasskeyError`] that names the first rule that the answer breaks.
    pub fn present_alone(
        &self,
        form: &AssertionForm,
    ) -> Result<(PresentedPasskey, Membership), PasskeyError> {
        let presented = self.present(form)?;
        let handle = form.user_handle.as_ref().map(BinaryText::as_bytes);
        let named = handle.and_then(|handle| parse_handle(handle, self.prefix, self.master));
        named.map(|named| (presented, named)).ok_or(PasskeyError::UserHandle)
    }

    /// Checks the answer of an authenticator in the name of a member of `account`, whom the ledger
    /// knows: a handle that names another one is refused.
    ///
    /// # Errors
    /// As [`Self::present_alone`].
    pub fn present_for(
        &self,
        form: &AssertionForm,
        account: AccountId,
    ) -> Result<PresentedPasskey, PasskeyError> {
        let presented = self.present(form)?;
        let Some(handle) = &form.user_handle else { return Ok(presented) };
        match named_by_handle(handle.as_bytes()) {
            Some(named) if named.account == account => Ok(presented),
            _ => Err(PasskeyError::UserHandle),
        }
    }

    fn present(&self, form: &AssertionForm) -> Result<PresentedPasskey, PasskeyError> {
        let AssertionForm { credential_id, client_data, authenticator_data, signature, .. } = form;
        let challenge = self.challenge(client_data, ClientAct::Get)?;
        let length = credential_id.as_bytes().len();
        if !(1..=authenticator_data::CREDENTIAL_ID_BYTES_MAX).contains(&length) {
            return Err(PasskeyError::CredentialId);
        }
        let bytes = authenticator_data.as_bytes();
        if bytes.len() > AUTHENTICATOR_DATA_BYTES_MAX {
            return Err(PasskeyError::AuthenticatorData);
        }
        let data = AuthenticatorData::read(bytes, self.relying_party)?;
        // Only a registration carries a key (§6.1).
        if data.credential.is_some() {
            return Err(PasskeyError::AuthenticatorData);
        }
        if signature.as_bytes().len() > SIGNATURE_BYTES_MAX {
            return Err(PasskeyError::Signature);
        }
        let client_data: [u8; 32] = Sha256::digest(client_data.as_bytes()).into();
        let handle = form.user_handle.as_ref().map(BinaryText::as_bytes);
        Ok(PresentedPasskey {
            credential: credential_id.clone(),
            signed: Digest::of(&[bytes, &client_data].concat()),
            signature: signature.clone(),
            counter: data.counter,
            backed_up: data.backed_up,
            member: handle.and_then(named_by_handle).map(|named| named.member),
            challenge,
        })
    }

    fn challenge(
        &self,
        client_data: &BinaryText,
        act: ClientAct,
    ) -> Result<AnsweredChallenge, PasskeyError> {
        let json = client_data.as_bytes();
        if json.len() > CLIENT_DATA_BYTES_MAX {
            return Err(PasskeyError::ClientData);
        }
        let challenge = read_client_data(json, act, self.origin)?;
        let accepted = self.ceremony.accept(&challenge, self.now, self.prefix, self.master);
        accepted.ok_or(PasskeyError::Challenge)
    }
}

impl NewPasskey {
    /// Returns the passkey as its member sees it, added at `now`.
    pub fn view(&self, now: UnixMs) -> PasskeyView {
        PasskeyView {
            id: self.id,
            name: self.name.clone(),
            credential: self.credential.clone(),
            transports: self.transports.clone(),
            backed_up: self.backed_up,
            created_at: now,
            used_at: None,
        }
    }
}

impl PresentedPasskey {
    /// Returns `true` if the key has made the signature.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signature = Signature::from_der(self.signature.as_bytes());
        let key = VerifyingKey::from_sec1_bytes(key.as_bytes());
        let (Ok(signature), Ok(key)) = (signature, key) else { return false };
        key.verify_prehash(self.signed.as_bytes(), &signature).is_ok()
    }

    /// Returns `true` if the counter shows a copy of the passkey: it did not rise, although either
    /// side counts (§7.2 step 21).
    pub fn is_clone_of(&self, stored: u32) -> bool {
        (self.counter != 0 || stored != 0) && self.counter <= stored
    }
}

/// Returns the authenticator data of an attestation object (§6.5.4). The statement is passed over.
fn read_attestation(bytes: &[u8]) -> Result<&[u8], PasskeyError> {
    let broken = PasskeyError::Attestation;
    if bytes.len() > ATTESTATION_BYTES_MAX {
        return Err(broken);
    }
    let mut members = CborReader::new(bytes);
    let (mut data, mut format, mut statement) = (None, None, None);
    for _ in 0..members.map().ok_or(broken)? {
        match members.text().ok_or(broken)? {
            "authData" if data.is_none() => data = Some(members.bytes().ok_or(broken)?),
            "fmt" if format.is_none() => format = Some(members.text().ok_or(broken)?),
            "attStmt" if statement.is_none() => {
                let mut ahead = members;
                ahead.map().and_then(|_| members.skip()).ok_or(broken)?;
                statement = Some(());
            }
            _ => return Err(broken),
        }
    }
    match (data, format, statement) {
        (Some(data), Some(_), Some(())) if members.rest().is_empty() => Ok(data),
        _ => Err(broken),
    }
}

#[cfg(test)]
mod tests;
