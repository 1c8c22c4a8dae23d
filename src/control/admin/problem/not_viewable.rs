//! The reasons for which a secret cannot be shown again.

/// The reason for which a secret cannot be shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotViewable {
    /// It was shown once, and only its digest is stored.
    #[error("the key was issued without being viewable: its secret was shown once")]
    NotStored,
    /// It was encrypted with a generation of the master secret that the operator has removed.
    #[error("it was encrypted under a master secret that is no longer in use")]
    GenerationDropped,
    /// The account's policy allows no viewable keys.
    #[error("the account's policy does not let a key be shown again")]
    Policy,
}

impl NotViewable {
    /// Returns the stable code of the reason.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotStored => "not_stored",
            Self::GenerationDropped => "generation_dropped",
            Self::Policy => "policy",
        }
    }
}
