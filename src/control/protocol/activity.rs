//! Activity: what was done in an account, by whom and from where, as members see it. [`export`]
//! writes it down as a file.

pub mod export;
mod span;

use std::collections::BTreeMap;

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::span::{SpanError, begin, end};

/// Most entries of a page, and the default.
pub const PAGE_ENTRIES_MAX: u32 = 50;

/// Most entries that are asked for at once where many are written into a file. An entry has some
/// 300 bytes, and 20 KB where 256 networks give way to others: 10 MB at most.
pub const EXPORT_PAGE_ENTRIES: u32 = 500;

/// A question for a page of activity. Texts are as they were typed; absent ones leave nothing out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Of this key alone: its ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// By this one alone: a member's ID, an issuing key's, `service` or `operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Of this kind alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// From then on: an instant, or a day in the account's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until then: an instant, or the end of a day in the account's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A part of the name of the key, or of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Where the page before this one ended ([`Page::next`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many; [`PAGE_ENTRIES_MAX`] by default, [`EXPORT_PAGE_ENTRIES`] at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of activity, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the account.
    pub id: u64,
    /// When.
    pub at: UnixMs,
    /// What.
    pub action: String,
    /// Who.
    pub by: By,
    /// From where; `None` when the platform told none.
    pub address: Option<String>,
    /// To which key.
    pub key: Option<Named>,
    /// What it changed, by the names of [`Change`]s.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Change>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// `member`, `key`, `service` or `operator`.
    pub kind: String,
    /// The ID of a member or key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is called now; `None` when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A key, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// ID.
    pub id: KeyId,
    /// What it was called then, or else is called now.
    pub name: Option<String>,
}

/// What one value was and is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it was; null when there was none.
    pub from: Value,
    /// What it is.
    pub to: Value,
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member.
    Member(MemberId),
    /// A key that issues, or that administrates through the interface.
    Key(KeyId),
    /// The service password.
    Service,
    /// The operator.
    Operator,
}

const SERVICE: &str = "service";
const OPERATOR: &str = "operator";

impl Actor {
    /// As it is stored, and as a filter names it: an ID, or a word that is none, because it has
    /// another width.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Member(id) => id.as_str(),
            Self::Key(id) => id.as_str(),
            Self::Service => SERVICE,
            Self::Operator => OPERATOR,
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Member(_) => "member",
            Self::Key(_) => "key",
            Self::Service => SERVICE,
            Self::Operator => OPERATOR,
        }
    }

    /// The actor of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            SERVICE => Some(Self::Service),
            OPERATOR => Some(Self::Operator),
            _ => MemberId::parse(text)
                .map(Self::Member)
                .or_else(|| KeyId::parse(text).map(Self::Key)),
        }
    }
}

const _: () = {
    let widths = [SERVICE.len(), OPERATOR.len(), MemberId::WIDTH, KeyId::WIDTH];
    assert!(
        widths[0] != widths[2]
            && widths[0] != widths[3]
            && widths[1] != widths[2]
            && widths[1] != widths[3]
    );
    assert!(widths[2] != widths[3]);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_read_back_and_nothing_else_is_one() {
        for actor in [
            Actor::Member(MemberId::parse("0123456789A").unwrap()),
            Actor::Key(KeyId::parse("a1B2c3D47Hq0p2Zx9K").unwrap()),
            Actor::Service,
            Actor::Operator,
        ] {
            assert_eq!(Actor::parse(actor.as_str()), Some(actor));
        }
        for bad in ["", "Service", "root", "0123456789", "a1B2c3D47Hq0p2Zx9_"] {
            assert_eq!(Actor::parse(bad), None, "{bad}");
        }
    }
}
