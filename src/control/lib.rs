//! The control plane: TODO.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod admin;
pub mod ledger;
pub mod objects;
pub mod protocol;
