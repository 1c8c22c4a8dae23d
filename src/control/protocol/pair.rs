//! The key pair of a member, where the policy of the account allows one for each.

use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::keys::KeyView;

/// The key pair of a member, under a policy of one pair for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairView {
    /// The pair; `None` if the member has none.
    pub key: Option<KeyView>,
    /// First requirement for a pair that the member does not meet; `None` if nothing is missing.
    pub missing: Option<PairRequirement>,
    /// Names of the owners, whom a member without the permission asks.
    pub owners: Vec<String>,
    /// Expiry of a pair that is generated now, Unix ms; `None` if the policy has no default.
    pub expires: Option<UnixMs>,
}

/// A requirement for generating and managing a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairRequirement {
    /// The role of an owner or admin.
    Permission,
    /// A second factor.
    SecondFactor,
}
