//! The ledger over SQLite, natively: refusals, conflicts, idempotency, sessions, lists, crashes, old schemas.

#![allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly")]
#![allow(missing_docs, reason = "tests are named by what they show")]

mod audit;
mod crash;
mod keys;
mod list;
mod migration;
mod refusals;
mod sessions;
mod sql;
mod world;
