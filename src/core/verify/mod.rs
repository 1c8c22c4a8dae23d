//! The verification of one credential against its record, at one instant: pure, and the only way to
//! a [`Verified`](verification::Verified).
//!
//! [`verdict`] lists the denials in order of precedence, with their codes and statuses.
//! [`challenge`] writes the header that goes with them.
//! [`verification`] starts from a refusal, and reaches `valid` only through every check.

pub mod challenge;
pub mod verdict;
pub mod verification;
