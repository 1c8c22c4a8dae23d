//! Code that Durable Objects share ([`object`], [`sql`], [`tasks`], [`rate_limit`], [`mail_row`]),
//! and the four small ones: [`name`], [`api_name`], [`directory`] and [`address`].

pub mod address;
pub mod api_name;
pub mod attempts;
pub mod directory;
pub mod mail_row;
pub mod name;
pub mod object;
pub mod rate_limit;
pub mod search_terms;
pub mod sql;
pub mod tasks;
