//! The parent that `tests/support/sqlite.rs` expects.

pub use claviger::sql::*;

#[path = "../support/sqlite.rs"]
pub mod sqlite;
