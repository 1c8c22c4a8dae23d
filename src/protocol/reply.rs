//! What replies of a ledger have in common.

use serde::{Deserialize, Serialize};

use super::{LedgerReply, Refusal};
use crate::keys::KeyView;
use crate::time::UnixMs;

/// From when a change that takes power away holds everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The instant.
    pub at: UnixMs,
    /// So many seconds after the change: T, and the grace of an outage.
    pub within_s: u32,
    /// Nobody can say: most places have it within a minute.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub is_eventual: bool,
}

impl LedgerReply {
    /// The keys that it shows, also where it refuses.
    pub fn keys_mut(&mut self) -> Vec<&mut KeyView> {
        match self {
            Self::Page(page) => page.keys.iter_mut().collect(),
            Self::Deletion(deletion) => deletion.keys.iter_mut().collect(),
            Self::Key(key) | Self::Changed { key: Some(key), .. } => vec![key],
            Self::Refused(Refusal::ChangedMeanwhile { key } | Refusal::AlreadyIssued { key: Some(key) }) => {
                vec![key]
            }
            _ => Vec::new(),
        }
    }

    /// From when what was taken away is refused everywhere, if the reply says so.
    pub fn bound_mut(&mut self) -> Option<&mut Bound> {
        match self {
            Self::Changed { bound, .. } | Self::State { bound, .. } | Self::ServiceChanged { bound, .. } => {
                bound.as_mut()
            }
            Self::Deleted { bound, .. } => Some(bound),
            _ => None,
        }
    }
}
