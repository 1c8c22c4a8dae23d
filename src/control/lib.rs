//! The control plane of Claviger: issues, changes and publishes credentials, as decisions over SQL.
//!
//! # In scope
//! The console's HTTP API, the protocol between the admin Worker and its Durable Objects, and the
//! objects themselves: the ledger of an account, and the objects for names, addresses and the
//! directory. Also what only they need: password hashing, encryption at rest, time zones, mail.
//!
//! # Out of scope
//! - Clock, I/O and randomness. Decisions are pure functions over the trait [`objects::sql::Sql`],
//!   which is SQLite in tests and a Durable Object's storage in production. `workers/admin`
//!   connects them to the platform.
//! - The verification of requests: `claviger-core` does that at the edge. Both planes share its
//!   formats and limits.
//!
//! # Wings
//! Imports go one way: [`admin`] ▸ [`ledger`] ▸ [`objects`] ▸ [`protocol`]. `docs/architecture.md`
//! has the exact table.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod admin;
pub mod ledger;
pub mod objects;
pub mod protocol;
