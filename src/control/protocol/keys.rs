//! Keys as members see them: the view of one key, and pages of many.

use std::collections::{BTreeMap, BTreeSet};

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::Limits;
use claviger_core::credential::limits::network::Networks;
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::Caller;
use serde::{Deserialize, Serialize};

use crate::protocol::draft::field::FieldError;
use crate::protocol::key_filter::KeyFilter;
pub use crate::protocol::key_status::Status;

/// A key as a message or a refusal names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyName {
    /// ID of the key.
    pub id: KeyId,
    /// Name of the key at that time.
    pub name: String,
}

/// Restore period of a deleted key. After it the row is removed and the tombstone stays.
pub const RESTORABLE: DurationMs = DurationMs::from_days(30);

/// Most keys of one deletion: two pages, and as many as a readable mail can list.
pub const DELETION_KEYS_MAX: usize = 100;

/// Checks the keys of one deletion: 1 to [`DELETION_KEYS_MAX`], without duplicates.
///
/// # Errors
/// [`FieldError`] with the pointer of the broken rule.
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
            Err(FieldError::new(&format!("keys/{place}"), "duplicate", "this key is listed twice"))
        }
        None => Ok(()),
    }
}

/// A key as members see it. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// ID of the key.
    pub id: KeyId,
    /// Name of the key.
    pub name: String,
    /// `true` if it is enabled; for a deleted key, if a restore would enable it.
    pub enabled: bool,
    /// `true` if it is protected from deletion.
    #[serde(default)]
    pub protected: bool,
    /// Time of its deletion, Unix ms; `None` if it is not deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<UnixMs>,
    /// Limits on its use.
    pub limits: Limits,
    /// Time of its issue, Unix ms.
    pub created_at: UnixMs,
    /// Name of the member who issued it.
    pub created_by: String,
    /// Time of its last change, Unix ms.
    pub changed_at: UnixMs,
    /// Name of the member who changed it last.
    pub changed_by: String,
    /// Revision of its last change.
    pub revision: Revision,
    /// Time of the last accepted request, Unix ms, as the edge has reported. `None` if there was
    /// none within the retention of usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixMs>,
    /// Ceiling for keys that it issues; `None`: it may not issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuable: Option<Ceiling>,
    /// `true` if its secret can be shown again.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub viewable: bool,
    /// Accepted requests in the last 24 hours, in whole hours, as the edge has reported.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uses_24h: u64,
    /// Refused requests in the last 24 hours by reason, in whole hours, as the edge has reported. A
    /// reason is the code of a verdict or of a refused issue, or `other`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused_24h: BTreeMap<String, u64>,
    /// Time of the last refused request, Unix ms, as the edge has reported. `None` if there was
    /// none within the retention of usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_refused_at: Option<UnixMs>,
    /// Member who issued it, or who is responsible for its issuer. A ledger of an earlier release
    /// sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Issuer, if it is not a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<IssuedBy>,
    /// `true` if it ended permanently together with the other keys of its issuer.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub ended: bool,
    /// Predecessor that it replaced; `None` if there is none, or its row was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<KeyId>,
    /// Successor that replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<KeyId>,
    /// End of the predecessor's overlap, Unix ms, if the predecessor is enabled. It may have
    /// passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_until: Option<UnixMs>,
    /// Member who answers for the key, while the policy demands MFA and that member has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_off: Option<MemberWithoutMfa>,
    /// Networks that are tried on the key, and refuse no caller; empty for none.
    #[serde(default, skip_serializing_if = "Networks::is_empty")]
    pub observed: Networks,
    /// Recent callers whom [`Self::observed`] would refuse, the latest first. `None` without such
    /// networks, and in every reply but that about one key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_refuse: Option<Vec<Caller>>,
}

/// A member who answers for a key, and has no MFA: the member who issued the key or its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberWithoutMfa {
    /// ID of the member.
    pub id: MemberId,
    /// Present name of the member.
    pub name: String,
    /// `true` if the member was removed, and so never turns MFA on.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub removed: bool,
}

/// An issuer that is not a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IssuedBy {
    /// A key with a ceiling.
    Key {
        /// ID of the issuing key.
        id: KeyId,
        /// Name of the issuing key.
        name: String,
    },
    /// The service password of the account.
    Service,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_none_hidden(count: &u32) -> bool {
    *count == 0
}

impl KeyView {
    /// Returns the key's state at `now`.
    pub fn status(&self, now: UnixMs) -> Status {
        if self.deleted_at.is_some() {
            Status::Deleted
        } else if self.ended {
            Status::Ended
        } else if !self.enabled {
            Status::Disabled
        } else if self.mfa_off.is_some() {
            Status::MfaOff
        } else if self.limits.not_before.is_some_and(|start| now < start) {
            Status::NotYetValid
        } else if self.limits.expires.is_past(now) {
            Status::Expired
        } else {
            Status::Active
        }
    }

    /// Returns the end of the restore period, Unix ms; `None` if the key is not deleted, or its
    /// overlap had ended by then.
    pub fn restorable_until(&self) -> Option<UnixMs> {
        let at = self.deleted_at?;
        let until = at.saturating_add(RESTORABLE);
        match self.limits.expires.at().filter(|_| self.replaced_by.is_some()) {
            Some(end) => Some(end.min(until)).filter(|until| at < *until),
            None => Some(until),
        }
    }

    /// Returns the end of the overlap with the other key of its pair, Unix ms: with the predecessor
    /// or the successor. `None` if there is no overlap at `now`.
    pub fn overlap(&self, now: UnixMs) -> Option<UnixMs> {
        let own = self.limits.expires.at().filter(|_| self.replaced_by.is_some());
        let own = own.filter(|_| self.enabled && self.deleted_at.is_none());
        own.or(self.overlap_until).filter(|end| now < *end)
    }
}

/// Most keys of a page, and the default: a table of this size renders quickly.
pub const PAGE_KEYS_MAX: u32 = 50;

/// Largest exact total, which bounds the cost of counting. Beyond it the console says "more than
/// 10,000".
pub const TOTAL_EXACT_MAX: u32 = 10_000;

/// Longest search text, in characters: twice a name.
pub const QUERY_CHARS_MAX: usize = 128;

/// Longest cursor, in bytes: a folded name of 64 characters in JSON and base64, with room.
pub const CURSOR_BYTES_MAX: usize = 2_048;

/// Longest idempotency key, in bytes: a UUID has 36.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 64;

/// Returns `true` if a text is a valid idempotency key: 1 to [`IDEMPOTENCY_KEY_BYTES_MAX`] visible
/// ASCII characters.
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A query for a page of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Search text: beginnings of words of the name, a key ID or access key, an address or network.
    /// `None` or blank matches all keys.
    #[serde(default)]
    pub q: Option<String>,
    /// Order of the keys.
    #[serde(default)]
    pub sort: Sort,
    /// Cursor of the page before ([`KeyPage::next`]).
    #[serde(default)]
    pub cursor: Option<String>,
    /// Most keys; [`PAGE_KEYS_MAX`] is the maximum and the default.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Selects deleted keys. An admin Worker of an earlier release sends nothing and gets none,
    /// because it would show them as active.
    #[serde(default)]
    pub deleted: Deleted,
    /// Further selection of keys.
    #[serde(default, skip_serializing_if = "KeyFilter::is_all")]
    pub filter: KeyFilter,
}

/// Selection of deleted keys in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// Includes them, so that a member can find out that a key was deleted.
    Too,
    /// Lists only deleted keys.
    Only,
    /// Excludes deleted keys; the default.
    #[default]
    No,
}

impl Deleted {
    /// Parses the selection's name in URLs.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "too" => Some(Self::Too),
            "only" => Some(Self::Only),
            "no" => Some(Self::No),
            _ => None,
        }
    }
}

/// A sort order of keys. Ties are ordered by ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    /// By time of issue, newest first; the default.
    #[default]
    #[serde(rename = "-created")]
    CreatedDown,
    /// By time of issue, oldest first.
    #[serde(rename = "created")]
    Created,
    /// By name, ignoring case.
    #[serde(rename = "name")]
    Name,
    /// By name, ignoring case, in reverse.
    #[serde(rename = "-name")]
    NameDown,
    /// Earliest expiry first, unlimited keys last.
    #[serde(rename = "expires")]
    Expires,
    /// Unlimited keys first, then the latest expiry.
    #[serde(rename = "-expires")]
    ExpiresDown,
    /// Least recently changed first.
    #[serde(rename = "changed")]
    Changed,
    /// Most recently changed first.
    #[serde(rename = "-changed")]
    ChangedDown,
    /// Keys that were never used first, then the least recently used.
    #[serde(rename = "used")]
    Used,
    /// Most recently used first, keys that were never used last.
    #[serde(rename = "-used")]
    UsedDown,
}

impl Sort {
    /// All orders, for parsing and tests.
    pub const ALL: [Self; 10] = [
        Self::CreatedDown,
        Self::Created,
        Self::Name,
        Self::NameDown,
        Self::Expires,
        Self::ExpiresDown,
        Self::Changed,
        Self::ChangedDown,
        Self::Used,
        Self::UsedDown,
    ];

    /// Returns the order's name in URLs.
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
            Self::Used => "used",
            Self::UsedDown => "-used",
        }
    }

    /// Parses the order's name in URLs.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// A page of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    /// Keys of this page, in the requested order.
    pub keys: Vec<KeyView>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// Number of keys in all pages; see `total_is_exact`.
    pub total: u32,
    /// `true` if `total` is exact; `false` if counting stopped at [`TOTAL_EXACT_MAX`].
    pub total_is_exact: bool,
    /// Number of deleted and ended keys that match the rest of the query but not its statuses, at
    /// most [`TOTAL_EXACT_MAX`].
    #[serde(default, skip_serializing_if = "is_none_hidden")]
    pub hidden: u32,
    /// `true` if more keys than `hidden` are left out.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub hides_more: bool,
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
            refused_24h: BTreeMap::new(),
            last_refused_at: None,
            member: None,
            issued_by: None,
            ended: false,
            replaces: None,
            replaced_by: None,
            overlap_until: None,
            mfa_off: None,
            observed: Networks::anywhere(),
            would_refuse: None,
        }
    }

    #[test]
    fn status_is_the_first_reason_by_the_order_of_the_verdicts() {
        let at = UnixMs::from_ms;
        for (enabled, has_mfa, not_before, expires, expected) in [
            (false, false, Some(20), Some(5), Status::Disabled),
            (true, false, Some(20), Some(5), Status::MfaOff),
            (true, false, None, None, Status::MfaOff),
            (true, true, Some(11), Some(10), Status::NotYetValid),
            (true, true, Some(10), Some(10), Status::Expired),
            (true, true, Some(10), Some(11), Status::Active),
            (true, true, None, None, Status::Active),
        ] {
            let mut key = view();
            key.enabled = enabled;
            let id = MemberId::parse("0123456789a").unwrap();
            let without = MemberWithoutMfa { id, name: "Mei Tanaka".into(), removed: false };
            key.mfa_off = Some(without).filter(|_| !has_mfa);
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
