//! Defines the answer about one key that a lease caches.

use std::sync::Arc;

use crate::replication::record::Record;

/// A cached answer about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CachedKey {
    /// The key's record.
    Record(Arc<Record>),
    /// A negative answer: the ledger never had such a key.
    NoSuchKey,
}
