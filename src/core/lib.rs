//! The data plane: TODO.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod base;
pub mod config;
pub mod credential;
pub mod gateway;
pub mod lease;
pub mod replication;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod verify;
