//! Validates the form of a key: returns a name and limits, or all errors at once.
//!
//! Absence never grants. An issue without expiry or networks is refused: `never` and the empty list
//! are explicit choices. Only where the account's policy has a default life does an absent expiry
//! mean that life. An edit keeps every field that it leaves out.

pub mod ceiling;
pub mod field;
pub mod notation;
pub mod preview;
pub mod reader;
pub mod special_purpose;

use claviger_core::base::id::KeyId;
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::credential::limits::network::Networks;
use claviger_core::credential::limits::{Interface, Limits};
use serde::{Deserialize, Serialize};

use self::ceiling::TypedCeiling;
use self::field::{FieldError, Setting, TypedNetworks, present};
use self::reader::FieldReader;

/// The fields of a new key, as typed. `None` means not typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Name of the key; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Expiry, in a form of [`crate::protocol::expiry_text`]; required, unless the account's policy
    /// has a default life with an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Begin of validity; absent or null: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Networks; an empty value allows every address; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<TypedNetworks>,
    /// Permissions; an empty list grants none; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// Ceiling for keys that it may issue; absent or null: it may not issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuable: Option<TypedCeiling>,
    /// `true` if its secret can be shown again; absent or null: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewable: Option<bool>,
    /// Networks that are tried on the key, and refuse no caller; absent, null or empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks_observed: Option<TypedNetworks>,
    /// ID of the edited key, for the preview of an edit only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// `true` to protect it from deletion; absent: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// The changed fields of a key, as typed. `None` keeps a field. Null is refused, except for
/// `not_before` and `issuable`, which it removes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// New name of the key.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New expiry, in a form of [`crate::protocol::expiry_text`].
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// New begin of validity; `Some(None)` removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Option<String>>,
    /// New networks; they replace the whole list.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub networks: Option<TypedNetworks>,
    /// New permissions; they replace the whole list.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// New ceiling for keys that it issues; `Some(None)` removes it, which ends all keys that it
    /// issued.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub issuable: Option<Option<TypedCeiling>>,
    /// `true` to protect it from deletion.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// New networks that are tried on the key; they replace the whole list, and an empty value
    /// removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub networks_observed: Option<TypedNetworks>,
}

/// A validated name with limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Name of the key, checked.
    pub name: String,
    /// Limits of the key, checked.
    pub limits: Limits,
    /// Ceiling for keys that it issues; `None`: it may not issue.
    pub ceiling: Option<Ceiling>,
    /// `true` if it is protected from deletion.
    pub protected: bool,
    /// Networks that are tried on it; empty for none.
    pub observed: Networks,
}

/// Validates the fields of a new key.
///
/// # Errors
/// All errors, in the order of the fields.
pub fn decide_issue(draft: &Draft, setting: Setting<'_>) -> Result<Decided, Vec<FieldError>> {
    let mut reader = FieldReader::new(setting);
    if draft.key.is_some() {
        reader.errors.push(FieldError::new(
            "key",
            "not_allowed",
            "a new key is no key that is edited",
        ));
    }
    let name = reader.required("name", draft.name.as_deref(), FieldReader::name);
    // A policy that bounds the life of keys also says how long one lives that states no expiry.
    let default_end = setting.policy.default_end(setting.now, setting.zone);
    let expires = match (draft.expires.as_deref(), default_end) {
        (None, Some(end)) => Some(Expiry::At(end)),
        (typed, _) => reader.required("expires", typed, FieldReader::expires),
    };
    let not_before = draft.not_before.as_deref().map(|text| reader.not_before(text));
    let networks = reader.required("networks", draft.networks.as_ref(), FieldReader::networks);
    let permissions =
        reader.required("permissions", draft.permissions.as_deref(), FieldReader::permissions);
    let ceiling = draft.issuable.as_ref().and_then(|typed| reader.ceiling(typed, None));
    let protected = reader.protected(draft.protected, false);
    reader.check_viewable(draft.viewable);
    let none = Networks::anywhere();
    let observed = draft.networks_observed.as_ref();
    let observed = observed.and_then(|typed| reader.observed(typed, &none)).unwrap_or(none);
    let (Some(name), Some(expires), Some(networks), Some(permissions)) =
        (name, expires, networks, permissions)
    else {
        return Err(reader.errors);
    };
    let not_before = not_before.flatten();
    reader.check_begin(not_before, expires);
    let interfaces = vec![Interface::Http];
    let limits = Limits { not_before, expires, networks, interfaces, permissions };
    reader.check_issuer(&limits, ceiling.as_ref());
    done(reader, Decided { name, limits, ceiling, protected, observed })
}

/// Validates the changed fields of a key whose present values are `before`. A value that repeats
/// the present one is no change, and is not validated again: an expired key can be renamed by a
/// client that sends all fields.
///
/// # Errors
/// All errors, in the order of the fields.
pub fn decide_edit(
    changes: &Changes,
    before: Decided,
    setting: Setting<'_>,
) -> Result<Decided, Vec<FieldError>> {
    let mut reader = FieldReader::new(setting);
    let mut after = before;
    let limits = &mut after.limits;
    // A name that stays is not checked anew: an earlier release may have accepted more.
    let renamed = changes.name.as_deref().filter(|text| **text != after.name);
    if let Some(name) = renamed.and_then(|text| reader.name(text)) {
        after.name = name;
    }
    let before = limits.expires;
    let expires = changes.expires.as_deref();
    if let Some(expires) = expires.and_then(|text| reader.changed_expires(text, before)) {
        limits.expires = expires;
    }
    if let Some(typed) = &changes.not_before {
        limits.not_before = typed.as_deref().and_then(|text| reader.not_before(text));
    }
    let networks = changes.networks.as_ref();
    if let Some(networks) =
        networks.and_then(|typed| reader.changed_networks(typed, Some(&limits.networks)))
    {
        limits.networks = networks;
    }
    let permissions = changes.permissions.as_deref();
    if let Some(permissions) =
        permissions.and_then(|typed| reader.changed_permissions(typed, &limits.permissions))
    {
        limits.permissions = permissions;
    }
    after.protected = reader.protected(changes.protected, after.protected);
    let observed = changes.networks_observed.as_ref();
    if let Some(observed) = observed.and_then(|typed| reader.observed(typed, &after.observed)) {
        after.observed = observed;
    }
    let limits = &after.limits;
    if changes.expires.is_some() || changes.not_before.is_some() {
        reader.check_begin(limits.not_before, limits.expires);
    }
    if let Some(typed) = &changes.issuable {
        after.ceiling =
            typed.as_ref().and_then(|typed| reader.ceiling(typed, after.ceiling.as_ref()));
    }
    if changes.permissions.is_some() || changes.issuable.is_some() {
        reader.check_issuer(&after.limits, after.ceiling.as_ref());
    }
    done(reader, after)
}

fn done(reader: FieldReader<'_>, decided: Decided) -> Result<Decided, Vec<FieldError>> {
    if reader.errors.is_empty() { Ok(decided) } else { Err(reader.errors) }
}

#[cfg(test)]
mod tests;
