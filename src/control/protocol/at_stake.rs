//! Counts of the keys that an action would end, for the question before it.
//!
//! Only stored keys can be counted. A sealed key is stored nowhere.

use serde::{Deserialize, Serialize};

/// Most keys that a count covers; it bounds the cost of a question.
pub const COUNTED_MAX: u32 = 10_000;

/// The stored keys that one issuer has issued and that are accepted now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCounts {
    /// Number of keys, at most [`COUNTED_MAX`].
    pub stored: u32,
    /// Part of `stored` without an end.
    pub unlimited: u32,
    /// Part of `stored` that was let through in the last 24 hours.
    pub used_24h: u32,
    /// `true` if there are no more keys than `stored`.
    pub is_exact: bool,
}

/// The stored keys of an account, disabled and expired ones included, deleted ones not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCounts {
    /// Keys that members issued.
    pub members: u32,
    /// Keys that issuers issued.
    pub issuers: u32,
    /// Keys that were let through in the last 24 hours, at most [`COUNTED_MAX`].
    pub used_24h: u32,
    /// People who are members; ledgers of an earlier release send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
}
