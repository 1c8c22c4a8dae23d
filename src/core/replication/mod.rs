//! Data that crosses from the control plane to the data plane: a ledger publishes it, and an edge
//! believes it. Either side may be one release older, so every shape is pinned by a test.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`record`] | what the edge must know of one credential |
//! | [`refresh`] | the request that keeps a lease fresh, its reply, and the account's state |
//! | [`document`] | the lease document, which a ledger publishes to KV |
//! | [`shared`] | a reply that the isolates of a data centre share |
//! | [`kv_mac`] | the proof that a ledger made a value in KV |
//! | [`superseded`] | the keys of which KV may hold an earlier record |
//! | [`edge_call`] | all calls that an edge makes to a ledger |
//! | [`admin_caller`] | the program that calls the admin API |
//! | [`secret_check`] | the question whether a secret of an API user is right |
//! | [`link`] | the release and fingerprint that both Workers compare |

pub mod admin_caller;
pub mod document;
pub mod edge_call;
pub mod kv_mac;
pub mod link;
pub mod record;
pub mod refresh;
pub mod secret_check;
pub mod shared;
pub mod superseded;
