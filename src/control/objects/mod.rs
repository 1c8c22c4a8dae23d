//! Code that all Durable Objects share ([`object`], [`sql`], [`tasks`], [`rate_limit`]), and the
//! three small ones: [`name`], [`directory`] and [`address`].

pub mod address;
pub mod attempts;
pub mod directory;
pub mod name;
pub mod object;
pub mod rate_limit;
pub mod search_terms;
pub mod sql;
pub mod tasks;
