//! Claviger issues API keys from a web page and enforces them at the edge.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod expiry;
pub mod network;
pub mod permission;
pub mod time;
