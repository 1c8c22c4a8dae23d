//! TODO.

pub mod batch_verify;
pub mod body;
pub mod exchange;
pub mod extract;
pub mod fetching;
mod fit;
pub mod gateway;
pub mod issuance;
pub mod issuing;
pub mod origin_headers;
pub mod problem;
pub mod recheck;
pub mod resolve;
pub mod verify_body;
