//! Leases: what one isolate knows of an account, and for how long it may rely on that.
//!
//! [`lease`] states the rules that keep a revocation within T. Each rule that safety depends on is
//! one function of [`rules`], so that the simulation can break them one by one.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`lease`] | one lease, and how a reply changes it |
//! | [`rules`] | the rules, one function each |
//! | [`entries`] | records, negative answers and unsettled marks of single keys |
//! | [`account`] | what an isolate keeps of each account, in bounded memory |
//! | [`isolate`] | all leases of an isolate, and its counters |
//! | [`call`] | requests to a ledger or KV, and their results, as values |
//! | [`copies`] | the order in which copies and the ledger are used |
//! | [`usage`] | uses that are on their way to the ledger |

pub mod account;
pub mod cached_key;
pub mod call;
pub mod copies;
pub mod entries;
pub mod isolate;
pub mod lease;
pub mod rules;
pub mod usage;
