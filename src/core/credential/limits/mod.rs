//! What a credential may do, and when, from where, and by which interface.

use serde::{Deserialize, Serialize};

use self::lifetime::Expiry;
use self::network::Networks;
use self::permission::Permissions;
use crate::base::time::UnixMs;

pub mod lifetime;
pub mod network;
pub mod permission;
pub mod subset;

/// A way to reach the protected API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interface {
    /// HTTP, through the gateway or a proxy that asks.
    Http,
    /// Mail submission.
    Smtp,
}

/// What a credential may do, and when, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Not valid earlier; `None` = from its issue. A member that is missing is refused, not read as
    /// `None`.
    #[serde(deserialize_with = "Option::deserialize")]
    pub not_before: Option<UnixMs>,
    /// Until when it is valid.
    pub expires: Expiry,
    /// Where from. Empty = anywhere, and that is an explicit choice of who issued it.
    pub networks: Networks,
    /// By which interfaces. Empty grants none.
    pub interfaces: Vec<Interface>,
    /// What for. Empty grants nothing.
    pub permissions: Permissions,
}
