//! The routes about API users.

use claviger_core::base::id::KeyId;

/// A route about API users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiUserRoute {
    /// Lists the API users of the account.
    List,
    /// Creates an API user.
    Create,
    /// Returns an API user.
    Show(KeyId),
    /// Changes an API user.
    Edit(KeyId),
    /// Locks an API user.
    Lock(KeyId),
    /// Unlocks an API user.
    Unlock(KeyId),
    /// Deletes an API user, with the member's password.
    Delete(KeyId),
    /// Restores a deleted API user.
    Restore(KeyId),
}

impl ApiUserRoute {
    /// Returns the methods of a path below `/v1/api-users`, each with its route; `None` for an
    /// unknown path.
    pub fn find(path: &[&str]) -> Option<(Vec<(&'static str, Self)>, &'static str)> {
        let id = path.first().and_then(|id| KeyId::parse(id));
        let post = |route| Some((vec![("POST", route)], "POST"));
        match (path, id) {
            ([], _) => Some((vec![("GET", Self::List), ("POST", Self::Create)], "GET, HEAD, POST")),
            ([_], Some(id)) => {
                Some((vec![("GET", Self::Show(id)), ("PATCH", Self::Edit(id))], "GET, HEAD, PATCH"))
            }
            ([_, "lock"], Some(id)) => post(Self::Lock(id)),
            ([_, "unlock"], Some(id)) => post(Self::Unlock(id)),
            ([_, "delete"], Some(id)) => post(Self::Delete(id)),
            ([_, "restore"], Some(id)) => post(Self::Restore(id)),
            _ => None,
        }
    }

    /// Returns `true` if the route changes nothing.
    pub fn only_reads(self) -> bool {
        match self {
            Self::List | Self::Show(_) => true,
            Self::Create
            | Self::Edit(_)
            | Self::Lock(_)
            | Self::Unlock(_)
            | Self::Delete(_)
            | Self::Restore(_) => false,
        }
    }
}
