//! The status of a key, as members see it.

use serde::{Deserialize, Serialize};

/// The state of a key, tested in the order of the edge's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Deleted, and restorable within the restore period.
    Deleted,
    /// Its issuer's sealing generation has risen. The issuer was disabled or deleted, or lost its
    /// issuance limits. Or the service password changed, or all issued keys were ended at once.
    Ended,
    /// Disabled by a member.
    Disabled,
    /// The policy demands MFA, and the member who answers for the key has none.
    MfaOff,
    /// Its validity has not begun.
    NotYetValid,
    /// Its validity has ended.
    Expired,
    /// None of the above: requests within its limits are accepted.
    Active,
}

impl Status {
    /// All statuses, for parsing and tests.
    pub const ALL: [Self; 7] = [
        Self::Deleted,
        Self::Ended,
        Self::Disabled,
        Self::MfaOff,
        Self::NotYetValid,
        Self::Expired,
        Self::Active,
    ];

    /// Returns the status's name in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Ended => "ended",
            Self::Disabled => "disabled",
            Self::MfaOff => "mfa_off",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Active => "active",
        }
    }
}
