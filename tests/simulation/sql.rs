//! The parent that `tests/support/sqlite.rs` expects.

pub use claviger_control::objects::sql::*;
pub use claviger_control::protocol::integer::INTEGER_MAX;

#[path = "../support/sqlite.rs"]
pub mod sqlite;
