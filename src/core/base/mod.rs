//! TODO.

pub mod base62;
pub mod http;
pub mod id;
pub mod secret;
pub mod time;
