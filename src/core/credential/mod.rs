//! Credentials: their formats, the subkeys that make and check them, and the limits that they
//! carry.
//!
//! Parsing a credential needs no lookup: the tag, or a sealed key's MAC, proves that this
//! deployment made it. Whether the credential is valid now is decided in [`crate::verify`].
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`admin_right`] | the rights over the admin API that a program can hold |
//! | [`key`] | the stored key, digit by digit |
//! | [`sealed`] | the sealed key, which carries its limits under a MAC |
//! | [`checksum`] | the checksum at the end of both |
//! | [`api_user`] | the API user: a name, and a secret that a person chose |
//! | [`account_networks`] | the networks that an account opens to all its credentials |
//! | [`service_id`] | the service ID of an account's service credentials |
//! | [`keyring`] | the derived subkeys, one set per generation of the master secret |
//! | [`issuer`] | keys and service passwords that may issue, and how far |
//! | [`grant`] | what an issuer may grant of what a program asks for |
//! | [`limits`] | expiry, networks, permissions, and their comparison |

pub mod account_networks;
pub mod admin_right;
pub mod api_user;
pub mod checksum;
pub mod grant;
pub mod issuer;
pub mod key;
pub mod keyring;
pub mod limits;
pub mod sealed;
pub mod service_id;
