//! Claviger issues API keys from a web page and enforces them at the edge.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod account;
pub mod answer;
pub mod base62;
pub mod config;
pub mod console;
pub mod credential;
pub mod expiry;
pub mod gateway;
pub mod id;
pub mod identity;
pub mod key;
pub mod knowledge;
pub mod network;
pub mod path;
pub mod permission;
pub mod problem;
pub mod record;
pub mod request;
pub mod ring;
pub mod rules;
pub mod secret;
pub mod time;
pub mod token;
pub mod verdict;
pub mod verify;
