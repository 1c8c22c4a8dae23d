//! Access to the parts that several replies of a ledger share.

use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;

use crate::protocol::api_users::ApiUsersReply;
use crate::protocol::keys::KeyView;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

impl LedgerReply {
    /// Returns the keys in the reply, also those in a refusal.
    pub fn keys_mut(&mut self) -> Vec<&mut KeyView> {
        match self {
            Self::Page(page) => page.keys.iter_mut().collect(),
            Self::Deletion(deletion) => deletion.keys.iter_mut().collect(),
            Self::Key(key) | Self::Changed { key: Some(key), .. } => vec![key],
            Self::Regenerated { key, replaced, .. } => vec![key, replaced],
            Self::Pair(pair) => pair.key.iter_mut().collect(),
            Self::Refused(
                Refusal::ChangedMeanwhile { key } | Refusal::AlreadyIssued { key: Some(key) },
            ) => {
                vec![key]
            }
            _ => Vec::new(),
        }
    }

    /// Returns the revision of the change that the reply reports, if any.
    pub fn change(&self) -> Option<Revision> {
        match self {
            Self::Changed { record, .. }
            | Self::ApiUsers(ApiUsersReply::Changed { record, .. }) => Some(record.revision),
            Self::Deleted { records, .. } | Self::Regenerated { records, .. } => {
                records.iter().map(|record| record.revision).max()
            }
            Self::Revoked { revision, .. } => *revision,
            Self::ServiceChanged { service, .. } => Some(service.revision),
            Self::State { state, .. } => Some(state.revision),
            Self::MemberRemoved { revision, .. } => Some(*revision),
            Self::Factors(factors) => factors.keys.as_ref().map(|keys| keys.revision),
            Self::Policy(state) => state.keys.as_ref().map(|keys| keys.revision),
            _ => None,
        }
    }

    /// Returns the revocation bound in the reply, if any.
    pub fn bound_mut(&mut self) -> Option<&mut Bound> {
        match self {
            Self::Changed { bound, .. }
            | Self::ApiUsers(ApiUsersReply::Changed { bound, .. })
            | Self::State { bound, .. }
            | Self::ServiceChanged { bound, .. } => bound.as_mut(),
            Self::Factors(factors) => factors.keys.as_mut().and_then(|keys| keys.bound.as_mut()),
            Self::Policy(state) => state.keys.as_mut().and_then(|keys| keys.bound.as_mut()),
            Self::Deleted { bound, .. }
            | Self::Regenerated { bound, .. }
            | Self::MemberRemoved { bound, .. } => Some(bound),
            _ => None,
        }
    }
}
