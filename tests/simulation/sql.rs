//! The parent that `tests/support/sqlite.rs` expects.

pub use claviger_control::objects::sql::*;

#[path = "../support/sqlite.rs"]
pub mod sqlite;
