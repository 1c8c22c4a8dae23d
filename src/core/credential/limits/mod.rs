//! Defines the limits of a credential: its permissions, validity period, networks and interfaces.

use serde::Serialize;

use self::lifetime::Expiry;
use self::network::Networks;
use self::permission::Permissions;
use crate::base::json::{FromJson, Json, from_json};
use crate::base::time::UnixMs;

pub mod lifetime;
pub mod network;
pub mod permission;
pub mod subset;

/// A way to reach the protected API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interface {
    /// HTTP, through the gateway or through a proxy that asks Claviger.
    Http,
    /// Mail submission over SMTP.
    Smtp,
}

impl Interface {
    /// Parses the name of an interface; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "smtp" => Some(Self::Smtp),
            _ => None,
        }
    }
}

impl FromJson for Interface {
    fn from_json(json: Json) -> Option<Self> {
        Self::parse(&json.into_text()?)
    }
}

from_json!(Interface);

/// The limits of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// First instant at which it is valid, Unix ms; `None` for the time of issue. A missing member
    /// is an error and does not mean `None`.
    pub not_before: Option<UnixMs>,
    /// End of its validity.
    pub expires: Expiry,
    /// Networks from which it may be used. An empty list means anywhere, as an explicit choice of
    /// the issuing member or program.
    pub networks: Networks,
    /// Interfaces by which it may be used. An empty list grants none.
    pub interfaces: Vec<Interface>,
    /// Permissions of the credential. An empty list grants nothing.
    pub permissions: Permissions,
}

from_json!(Limits {
    not_before: required,
    expires: required,
    networks: required,
    interfaces: required,
    permissions: required,
});
