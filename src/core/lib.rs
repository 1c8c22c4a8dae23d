//! The data plane of Claviger: verifies credentials as values, without I/O.
//!
//! # In scope
//! Everything that a protected request needs: formats and tags of credentials, their limits, the
//! gateway's rules, leases, verdicts, issuance of sealed keys, and the shapes in which ledgers
//! publish to the edge.
//!
//! # Out of scope
//! - Clock, network, storage, randomness and JavaScript. The caller passes the time in; a request
//!   that needs I/O says what to fetch ([`gateway::exchange`]).
//! - SQL, password hashing, encryption at rest, time zones and mail: `claviger-control` has them. A
//!   test keeps their crates out of the edge Worker.
//!
//! # Wings
//! Imports go one way: [`gateway`] ▸ [`lease`] ▸ [`verify`] ▸ [`replication`] ▸ [`config`] ▸
//! [`credential`] ▸ [`base`]. `docs/architecture.md` has the exact table.
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
