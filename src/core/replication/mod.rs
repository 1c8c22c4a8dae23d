//! TODO.

pub mod document;
pub mod edge_call;
pub mod link;
pub mod record;
pub mod refresh;
pub mod shared;
