//! TODO.

pub mod verdict;
pub mod verification;
