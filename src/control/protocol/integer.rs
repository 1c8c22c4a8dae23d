//! The range of integers in messages and tables.

/// Largest safe integer of JavaScript (`Number.MAX_SAFE_INTEGER`): 2^53 − 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;
