//! Claviger issues API keys from a web page and enforces them at the edge.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod base62;
pub mod expiry;
pub mod id;
pub mod key;
pub mod network;
pub mod permission;
pub mod record;
pub mod ring;
pub mod secret;
pub mod time;
pub mod token;
pub mod verdict;
pub mod verify;
