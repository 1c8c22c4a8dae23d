//! The range of integers in messages and tables.

/// Largest integer that JavaScript's numbers represent exactly: 2^53 − 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;
