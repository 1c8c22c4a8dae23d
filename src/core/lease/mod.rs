//! TODO.

pub mod account;
pub mod call;
pub mod copies;
pub mod entries;
pub mod isolate;
pub mod lease;
pub mod rules;
pub mod usage;
