//! TODO.

pub mod grant;
pub mod issuer;
pub mod key;
pub mod keyring;
pub mod limits;
pub mod sealed;
pub mod service_id;
pub mod token;
