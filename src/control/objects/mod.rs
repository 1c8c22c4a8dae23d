//! TODO.

pub mod address;
pub mod directory;
pub mod name;
pub mod object;
pub mod rate_limit;
pub mod sql;
pub mod tasks;
