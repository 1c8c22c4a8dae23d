//! The console's routes under `/v1/account/networks`.

/// A route about the account's networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworksRoute {
    /// Returns the list, and whom it would refuse.
    Show,
    /// Returns what a list would do.
    Preview,
    /// Replaces the list.
    Set,
    /// Deletes the entry with this number.
    Delete(u32),
}

impl NetworksRoute {
    /// Finds the routes of a path behind `/v1/account/networks`, with their methods, and the value
    /// of `Allow`. Returns `None` for an unknown path.
    pub fn find(rest: &[&str]) -> Option<(Vec<(&'static str, Self)>, &'static str)> {
        match rest {
            [] => Some((vec![("GET", Self::Show), ("PUT", Self::Set)], "GET, HEAD, PUT")),
            ["preview"] => Some((vec![("POST", Self::Preview)], "POST")),
            [id, "delete"] => {
                let number: u32 = id.parse().ok()?;
                let is_canonical = number.to_string() == *id;
                is_canonical.then(|| (vec![("POST", Self::Delete(number))], "POST"))
            }
            _ => None,
        }
    }
}
