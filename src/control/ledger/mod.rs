//! The ledger: the authority over one account. Start with [`ledger`] (requests), [`decide`] (rules)
//! and [`schema`] (tables).

pub mod account;
pub mod activity;
pub mod audit;
pub mod commands;
pub mod context;
pub mod decide;
pub mod deletion;
pub mod document;
pub mod drift;
pub mod freshness;
pub mod idempotency;
pub mod issued;
pub mod issuing;
pub mod key;
mod key_filter;
pub mod ledger;
pub mod listing;
pub mod mailbox;
pub mod member;
pub mod operator;
pub mod outbox;
pub mod plan;
pub mod publication;
pub mod rebuild;
pub mod refresh;
pub mod repair;
pub mod reveal;
pub mod revoking;
pub mod schema;
pub mod search_terms;
pub mod service;
pub mod sessions;
pub mod sign_in;
pub mod state;
pub mod usage;
