//! Reasons for which an answer of an authenticator is refused.

/// The reason for which an answer of an authenticator was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The client data are not of their form.
    #[error("the client data are not of their form")]
    ClientData,
    /// The client data are about another act.
    #[error("the client data are about another act")]
    WrongAct,
    /// The challenge is made up, too old, or of another purpose or session.
    #[error("the challenge is over, or is not the one of this request")]
    Challenge,
    /// The answer was made on another page.
    #[error("the answer was made on another page")]
    Origin,
    /// The authenticator data are not of their form.
    #[error("the authenticator data are not of their form")]
    AuthenticatorData,
    /// The passkey belongs to another host.
    #[error("the passkey belongs to another host")]
    RelyingParty,
    /// The authenticator has not verified the person.
    #[error("the authenticator has not verified the person")]
    NotVerified,
    /// The attestation object is not of its form.
    #[error("the attestation object is not of its form")]
    Attestation,
    /// The key is of an algorithm that is not accepted.
    #[error("the key is not one for ECDSA on P-256 with SHA-256")]
    Algorithm,
    /// The credential's ID is missing or not of its form, or the answer names another one.
    #[error("the ID of the credential is not of its form")]
    CredentialId,
    /// The user handle is made up, or names another member.
    #[error("the user handle does not name this member")]
    UserHandle,
    /// The signature is not of its form.
    #[error("the signature is not of its form")]
    Signature,
}

impl PasskeyError {
    /// Returns the name of the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientData => "client_data",
            Self::WrongAct => "wrong_act",
            Self::Challenge => "challenge",
            Self::Origin => "origin",
            Self::AuthenticatorData => "authenticator_data",
            Self::RelyingParty => "relying_party",
            Self::NotVerified => "not_verified",
            Self::Attestation => "attestation",
            Self::Algorithm => "algorithm",
            Self::CredentialId => "credential_id",
            Self::UserHandle => "user_handle",
            Self::Signature => "signature",
        }
    }
}
