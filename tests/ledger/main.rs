//! The ledger over SQLite, natively: refusals, conflicts, idempotency, sessions, lists, crashes,
//! old schemas.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly, in its helpers too"
)]

mod account_networks;
mod activity;
mod address;
mod api_users;
mod audit;
mod challenges;
mod crash;
mod deletion;
mod deletion_mail;
mod document;
mod expiry;
mod factors;
mod filter;
mod identity;
mod invitations;
mod issuing;
mod keys;
mod kv;
mod list;
mod members;
mod mfa;
mod migration;
mod notices;
mod oauth;
mod operate;
mod passkeys;
mod plans;
mod policy;
mod proofs;
mod refresh;
mod refusals;
mod repair;
mod reveal;
mod rotation;
mod service;
mod sessions;
mod settlement;
mod sql;
mod state;
mod token;
mod trail;
mod usage;
mod world;
