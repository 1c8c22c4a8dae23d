//! Activity: each action in an account, with actor and address, as members see it. [`export`]
//! writes it to a file.

pub mod export;
mod span;

use std::collections::BTreeMap;

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::account::Email;

pub use self::span::{TimeRangeError, begin, end};

/// Most entries of a page, and the default.
pub const PAGE_ENTRIES_MAX: u32 = 50;

/// Most entries per request for an export. An entry has some 300 bytes, and 20 KB if 256 networks
/// replace others: 10 MB at most.
pub const EXPORT_PAGE_ENTRIES: u32 = 500;

/// A query for a page of activity. Texts are as typed; an absent filter matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Filter by key: its ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Filter by actor: a member's ID, an issuing key's ID, `service`, `operator`, `unproven`, or
    /// the address of an operator whom Cloudflare Access recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Filter by action, by its public name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Earliest time: an instant, or a day in the account's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Latest time: an instant, or the end of a day in the account's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Part of the name of the key or the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Cursor of the page before ([`ActivityPage::next`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most entries; [`PAGE_ENTRIES_MAX`] by default, [`EXPORT_PAGE_ENTRIES`] at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of activity, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// Entries of this page; possibly none, even if `next` is set.
    pub entries: Vec<ActivityEntry>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

/// One recorded action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEntry {
    /// Number of the entry, unique in the account and rising.
    pub id: u64,
    /// Time of the action, Unix ms.
    pub at: UnixMs,
    /// Public name of the action.
    pub action: String,
    /// Actor of the action.
    pub by: By,
    /// IP address of the request; `None` if the platform reported none.
    pub address: Option<String>,
    /// Key that the action concerns, if any.
    pub key: Option<Named>,
    /// Changed values by name, each with old and new value ([`Change`]).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Change>,
}

/// An actor, as members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// `member`, `key`, `service`, `operator` or `unproven`.
    pub kind: String,
    /// ID of a member or key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Present name of a member or key, or address of an operator whom Cloudflare Access
    /// recognised; `None` if the member or key no longer exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A key with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// ID of the key, also if the key's row was removed.
    pub id: KeyId,
    /// Name at the time of the action, otherwise the present name.
    pub name: Option<String>,
}

/// The old and the new value of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Old value; null if there was none.
    pub from: Value,
    /// New value; null if it was removed.
    pub to: Value,
}

/// The author of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// A signed-in member.
    Member(MemberId),
    /// A key that issues keys, or that calls the administration API.
    Key(KeyId),
    /// The service password of the account.
    Service,
    /// The operator of the deployment.
    Operator,
    /// An operator whom Cloudflare Access recognised, by their e-mail address in lower case.
    AccessOperator(&'a str),
    /// A caller who has not proven who they are.
    Unproven,
}

const SERVICE: &str = "service";
const OPERATOR: &str = "operator";
const UNPROVEN: &str = "unproven";

impl<'a> Actor<'a> {
    /// Returns the stored form, which is also the filter's value: an ID, a word whose length
    /// differs from any ID's, or an address, which alone contains an `@`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Member(id) => id.as_str(),
            Self::Key(id) => id.as_str(),
            Self::Service => SERVICE,
            Self::Operator => OPERATOR,
            Self::AccessOperator(address) => address,
            Self::Unproven => UNPROVEN,
        }
    }

    /// Returns the kind of actor, as [`By::kind`] has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Member(_) => "member",
            Self::Key(_) => "key",
            Self::Service => SERVICE,
            Self::Operator | Self::AccessOperator(_) => OPERATOR,
            Self::Unproven => UNPROVEN,
        }
    }

    /// Parses the stored form.
    pub fn parse(text: &'a str) -> Option<Self> {
        match text {
            SERVICE => Some(Self::Service),
            OPERATOR => Some(Self::Operator),
            UNPROVEN => Some(Self::Unproven),
            _ => MemberId::parse(text)
                .map(Self::Member)
                .or_else(|| KeyId::parse(text).map(Self::Key))
                .or_else(|| is_address(text).then_some(Self::AccessOperator(text))),
        }
    }
}

/// Returns `true` for an address in the form of [`Email`].
fn is_address(text: &str) -> bool {
    Email::parse(text).is_ok_and(|email| email.as_str() == text)
}

const _: () = {
    let words = [SERVICE.len(), OPERATOR.len(), UNPROVEN.len()];
    let (member, key) = (MemberId::WIDTH, KeyId::WIDTH);
    assert!(words[0] != member && words[1] != member && words[2] != member);
    assert!(words[0] != key && words[1] != key && words[2] != key && member != key);
};

#[cfg(test)]
mod tests {
    use super::*;
    use claviger_core::testing::key_id;

    #[test]
    fn actors_read_back_and_nothing_else_is_one() {
        for actor in [
            Actor::Member(MemberId::parse("0123456789A").unwrap()),
            Actor::Key(key_id()),
            Actor::Service,
            Actor::Operator,
            Actor::AccessOperator("ann@example.com"),
            Actor::Unproven,
        ] {
            assert_eq!(Actor::parse(actor.as_str()), Some(actor));
        }
        for bad in
            ["", "Service", "root", "0123456789", "a1B2c3D47Hq0p2Zx9_", "Ann@example.com", "@"]
        {
            assert_eq!(Actor::parse(bad), None, "{bad}");
        }
    }
}
