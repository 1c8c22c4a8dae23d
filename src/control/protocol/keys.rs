//! Keys as members see them: the view of one, and pages of many.

use std::collections::BTreeSet;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::Limits;
use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::draft::FieldError;

/// A key, as a message or a refusal names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyName {
    /// ID.
    pub id: KeyId,
    /// Name.
    pub name: String,
}

/// How long a deleted key can be restored; then its row goes, and its tombstone stays.
pub const RESTORABLE: DurationMs = DurationMs::from_days(30);

/// Most keys of one deletion: two pages, and what fits a mail that somebody reads.
pub const DELETION_KEYS_MAX: usize = 100;

/// Checks which keys one deletion is to be about: 1 to [`DELETION_KEYS_MAX`], each once.
///
/// # Errors
/// The rule that is broken, at its place.
pub fn check_deletion(keys: &[KeyId]) -> Result<(), FieldError> {
    if keys.is_empty() {
        return Err(FieldError::new("keys", "required", "name at least one key"));
    }
    if keys.len() > DELETION_KEYS_MAX {
        let refused = FieldError::new("keys", "too_many", "at most 100 keys are deleted at once");
        return Err(refused.with("max", DELETION_KEYS_MAX));
    }
    let mut seen = BTreeSet::new();
    match keys.iter().position(|id| !seen.insert(id)) {
        Some(place) => {
            Err(FieldError::new(&format!("keys/{place}"), "duplicate", "this key is named twice"))
        }
        None => Ok(()),
    }
}

/// A key as members see it. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// ID.
    pub id: KeyId,
    /// Name.
    pub name: String,
    /// Whether it is switched on; of a deleted key, whether it would come back so.
    pub enabled: bool,
    /// Whether it is protected from deletion.
    #[serde(default)]
    pub protected: bool,
    /// When it was deleted; `None`: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<UnixMs>,
    /// What it may do.
    pub limits: Limits,
    /// When it was issued.
    pub created_at: UnixMs,
    /// Name of the member who issued it.
    pub created_by: String,
    /// When it was last changed.
    pub changed_at: UnixMs,
    /// Name of the member who changed it last.
    pub changed_by: String,
    /// Number of its last change.
    pub revision: Revision,
    /// When it was last let through, as far as the edge has reported; `None`: never, or longer ago
    /// than is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixMs>,
    /// How far it may issue keys itself; `None`: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuable: Option<Ceiling>,
    /// Whether its secret may be shown again.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub viewable: bool,
    /// Requests that were let through in the last 24 hours, by the hour, as far as the edge has
    /// reported.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uses_24h: u64,
    /// Who issued it, when that was not a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<IssuedBy>,
    /// Whether it ended for good with what its issuer had issued.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub ended: bool,
}

/// Who issued a key that no member issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IssuedBy {
    /// A key.
    Key {
        /// Its ID.
        id: KeyId,
        /// Its name.
        name: String,
    },
    /// The service password.
    Service,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A key's state in one word, by the order of the verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Deleted, and restorable for a while.
    Deleted,
    /// Its issuer was disabled or deleted, lost its ceiling or got a new secret.
    Ended,
    /// Switched off.
    Disabled,
    /// Its time has not come yet.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// It works.
    Active,
}

impl KeyView {
    /// The key's state at `now`.
    pub fn status(&self, now: UnixMs) -> Status {
        if self.deleted_at.is_some() {
            Status::Deleted
        } else if self.ended {
            Status::Ended
        } else if !self.enabled {
            Status::Disabled
        } else if self.limits.not_before.is_some_and(|start| now < start) {
            Status::NotYetValid
        } else if self.limits.expires.is_past(now) {
            Status::Expired
        } else {
            Status::Active
        }
    }

    /// Until when it can be restored; `None`: it is not deleted.
    pub fn restorable_until(&self) -> Option<UnixMs> {
        self.deleted_at.map(|at| at.saturating_add(RESTORABLE))
    }
}

/// Most keys of a page, and the default: what a table in the page shows quickly.
pub const PAGE_KEYS_MAX: u32 = 50;

/// Up to where keys are counted, so that a count has a bound; beyond it the console says "more than
/// 10,000".
pub const TOTAL_EXACT_MAX: u32 = 10_000;

/// Longest search text, in characters: twice a name.
pub const QUERY_CHARS_MAX: usize = 128;

/// Longest cursor, in bytes: a folded name of 64 characters in JSON and base64, with room.
pub const CURSOR_BYTES_MAX: usize = 2_048;

/// Longest idempotency key, in bytes: a UUID has 36.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 64;

/// Whether a text can name one attempt to issue: 1 to [`IDEMPOTENCY_KEY_BYTES_MAX`] visible ASCII
/// characters.
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A question for a page of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What to look for: beginnings of words of the name, a key ID or access key, an address or
    /// network. `None`, or blank: all keys.
    #[serde(default)]
    pub q: Option<String>,
    /// In which order.
    #[serde(default)]
    pub sort: Sort,
    /// Where the page before this one ended ([`Page::next`]).
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many keys; [`PAGE_KEYS_MAX`] is the most, and the default.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Whether deleted keys are among them. An edge that does not know of them would show them as
    /// active: it says nothing, and gets none.
    #[serde(default)]
    pub deleted: Deleted,
}

/// Whether deleted keys are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// With the others, so that there is an answer to what became of a key.
    Too,
    /// They alone.
    Only,
    /// None of them.
    #[default]
    No,
}

impl Deleted {
    /// The choice of this name in URLs.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "too" => Some(Self::Too),
            "only" => Some(Self::Only),
            "no" => Some(Self::No),
            _ => None,
        }
    }
}

/// An order of keys. Ties are ordered by ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created")]
    CreatedDown,
    /// Oldest first.
    #[serde(rename = "created")]
    Created,
    /// By name, ignoring case.
    #[serde(rename = "name")]
    Name,
    /// By name, last first.
    #[serde(rename = "-name")]
    NameDown,
    /// Soonest end first, unlimited ones last.
    #[serde(rename = "expires")]
    Expires,
    /// Unlimited ones first, then the latest end.
    #[serde(rename = "-expires")]
    ExpiresDown,
    /// Least recently changed first.
    #[serde(rename = "changed")]
    Changed,
    /// Last changed first.
    #[serde(rename = "-changed")]
    ChangedDown,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 8] = [
        Self::CreatedDown,
        Self::Created,
        Self::Name,
        Self::NameDown,
        Self::Expires,
        Self::ExpiresDown,
        Self::Changed,
        Self::ChangedDown,
    ];

    /// The order's name in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedDown => "-created",
            Self::Created => "created",
            Self::Name => "name",
            Self::NameDown => "-name",
            Self::Expires => "expires",
            Self::ExpiresDown => "-expires",
            Self::Changed => "changed",
            Self::ChangedDown => "-changed",
        }
    }

    /// The order of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// A page of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The keys, in order.
    pub keys: Vec<KeyView>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// How many keys there are in all pages.
    pub total: u32,
    /// Whether that is all of them, or only as far as was counted.
    pub total_is_exact: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use claviger_core::credential::limits::lifetime::Expiry;
    use claviger_core::testing::{key_id, limits};

    pub(crate) fn view() -> KeyView {
        KeyView {
            id: key_id(),
            name: "Build server".into(),
            enabled: true,
            protected: false,
            deleted_at: None,
            limits: limits(),
            created_at: UnixMs::from_ms(1_800_000_000_000),
            created_by: "Mei Tanaka".into(),
            changed_at: UnixMs::from_ms(1_800_000_000_001),
            changed_by: "Ken Sato".into(),
            revision: Revision(12),
            last_used_at: None,
            issuable: None,
            viewable: false,
            uses_24h: 0,
            issued_by: None,
            ended: false,
        }
    }

    #[test]
    fn status_is_the_first_reason_by_the_order_of_the_verdicts() {
        let at = UnixMs::from_ms;
        for (enabled, not_before, expires, expected) in [
            (false, Some(20), Some(5), Status::Disabled),
            (true, Some(11), Some(10), Status::NotYetValid),
            (true, Some(10), Some(10), Status::Expired),
            (true, Some(10), Some(11), Status::Active),
            (true, None, None, Status::Active),
        ] {
            let mut key = view();
            key.enabled = enabled;
            key.limits.not_before = not_before.map(at);
            key.limits.expires = expires.map_or(Expiry::Never, |ms| Expiry::At(at(ms)));
            assert_eq!(key.status(at(10)), expected);
        }
        let deleted = KeyView { deleted_at: Some(at(5)), enabled: false, ..view() };
        assert_eq!(deleted.status(at(10)), Status::Deleted);
        let ended = KeyView { ended: true, enabled: false, ..view() };
        assert_eq!(ended.status(at(10)), Status::Ended);
        assert_eq!(KeyView { ended: true, ..deleted.clone() }.status(at(10)), Status::Deleted);
        assert_eq!(deleted.restorable_until(), Some(at(5 + 30 * 24 * 60 * 60 * 1_000)));
    }

    #[test]
    fn a_deletion_names_one_to_a_hundred_keys_each_once() {
        let ids: Vec<KeyId> =
            (10..=110).map(|n| KeyId::parse(&format!("a1B2c3D4{n:0>10}")).unwrap()).collect();
        let refused =
            |keys: &[KeyId]| check_deletion(keys).map_err(|error| (error.pointer, error.code));
        assert_eq!(refused(&ids[..1]), Ok(()));
        assert_eq!(refused(&ids[..100]), Ok(()));
        assert_eq!(refused(&ids), Err(("#/keys".into(), "too_many".into())));
        assert_eq!(refused(&[]), Err(("#/keys".into(), "required".into())));
        assert_eq!(
            refused(&[ids[0], ids[1], ids[0]]),
            Err(("#/keys/2".into(), "duplicate".into()))
        );
    }

    #[test]
    fn orders_read_back_and_agree_with_their_json() {
        for sort in Sort::ALL {
            assert_eq!(Sort::parse(sort.as_str()), Some(sort));
            assert_eq!(serde_json::to_value(sort).unwrap(), sort.as_str());
        }
        assert_eq!(Sort::parse("created "), None);
    }
}
