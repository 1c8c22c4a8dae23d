//! Defines permissions, written as `resource:action`.
//!
//! A *permission* is what a request needs: two exact parts. A *grant* is what a credential holds:
//! either part may be `*`, which stands for any. A part is `[a-z0-9][a-z0-9._-]{0,31}` in ASCII.
//! The parser neither trims nor folds case, so every permission has one spelling.
//!
//! The resource `claviger` is reserved for access to Claviger itself. No wildcard reaches it: only
//! the exact grant `claviger:verify` covers `claviger:verify`, and `claviger:*` is not a valid
//! grant.

mod error;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::base::json::{FromJson, Json, from_json};

pub use self::error::PermissionError;

/// Most grants in one list. At 65 characters each, the longest list takes about 4 kB of a record.
pub const PERMISSIONS_MAX: usize = 64;

/// Longest part of a permission, in bytes.
pub const PART_BYTES_MAX: usize = 32;

/// Longest permission, in bytes: two parts and the colon.
const PERMISSION_BYTES_MAX: usize = PART_BYTES_MAX + 1 + PART_BYTES_MAX;

/// Resource that no wildcard reaches.
const RESERVED_RESOURCE: &str = "claviger";

/// A permission that a request needs: two exact parts, no wildcard. Its JSON form is its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(Pair);

impl Permission {
    /// Returns the permission to ask about other credentials, which makes a key a verifier.
    pub fn claviger_verify() -> Self {
        Self::of_claviger("verify")
    }

    /// Returns a reserved permission. `action` is a name of the code, so that it has the right
    /// form.
    pub(crate) fn of_claviger(action: &'static str) -> Self {
        Self(Pair { resource: RESERVED_RESOURCE.to_owned(), action: action.to_owned() })
    }

    /// Returns the part before the colon.
    pub fn resource(&self) -> &str {
        &self.0.resource
    }

    /// Returns `true` if the permission concerns Claviger itself.
    pub fn is_reserved(&self) -> bool {
        self.0.is_reserved()
    }
}

/// # Errors
/// The variants of [`PermissionError`] that concern one permission.
impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        let pair = Pair::read(text)?;
        if pair.resource == "*" || pair.action == "*" {
            return Err(PermissionError::MisplacedWildcard);
        }
        Ok(Self(pair))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromJson for Permission {
    fn from_json(json: Json) -> Option<Self> {
        json.into_text()?.parse().ok()
    }
}

from_json!(Permission);

/// A grant that a credential holds: a permission, or a pattern with `*` as a whole part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant(Pair);

impl Grant {
    /// Returns `true` if the grant covers the permission.
    pub fn covers(&self, demanded: &Permission) -> bool {
        self.0.includes(&demanded.0)
    }

    /// Returns `true` if the grant covers everything that `narrow` covers.
    pub fn includes(&self, narrow: &Self) -> bool {
        self.0.includes(&narrow.0)
    }

    /// Returns `true` if the grant concerns Claviger itself; only an owner may give such a grant.
    pub fn is_reserved(&self) -> bool {
        self.0.is_reserved()
    }

    /// Returns the grant for everything that both cover; `None` if that is nothing, or reserved.
    fn meet(&self, other: &Self) -> Option<Self> {
        let part = |one: &str, other: &str| match (one, other) {
            ("*", part) | (part, "*") => Some(part.to_owned()),
            (one, other) => (one == other).then(|| one.to_owned()),
        };
        let (one, other) = (&self.0, &other.0);
        let (resource, action) =
            (part(&one.resource, &other.resource)?, part(&one.action, &other.action)?);
        let both = Pair { resource, action };
        // Without this test, `*:verify` and `claviger:verify` would meet in the second, which the
        // first does not cover. Issued keys hold none, even if both cover it.
        (!both.is_reserved()).then_some(Self(both))
    }
}

/// # Errors
/// The variants of [`PermissionError`] that concern one permission.
impl FromStr for Grant {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        let pair = Pair::read(text)?;
        if pair.is_reserved() && pair.action == "*" {
            return Err(PermissionError::ReservedWildcard);
        }
        Ok(Self(pair))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Grant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Two parts, each a name or `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pair {
    resource: String,
    action: String,
}

impl Pair {
    fn read(text: &str) -> Result<Self, PermissionError> {
        // A text in a non-Latin script has more bytes than characters, but it is not a permission
        // anyway.
        if text.len() > PERMISSION_BYTES_MAX {
            return Err(PermissionError::TooLong { max: PERMISSION_BYTES_MAX });
        }
        let (resource, action) = text.split_once(':').ok_or(PermissionError::NotTwoParts)?;
        if action.contains(':') {
            return Err(PermissionError::NotTwoParts);
        }
        check_part(resource)?;
        check_part(action)?;
        Ok(Self { resource: resource.to_owned(), action: action.to_owned() })
    }

    fn is_reserved(&self) -> bool {
        self.resource == RESERVED_RESOURCE
    }

    /// Compares part by part; `*` covers any part, including `*`. No wildcard covers a reserved
    /// permission.
    fn includes(&self, narrow: &Self) -> bool {
        if narrow.is_reserved() {
            return self == narrow;
        }
        let part = |wide: &str, narrow: &str| wide == "*" || wide == narrow;
        part(&self.resource, &narrow.resource) && part(&self.action, &narrow.action)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

fn check_part(part: &str) -> Result<(), PermissionError> {
    if part == "*" {
        return Ok(());
    }
    let first = part.chars().next().ok_or(PermissionError::EmptyPart)?;
    if part.contains('*') {
        return Err(PermissionError::MisplacedWildcard);
    }
    if let Some(found) = part.chars().find(|&c| !is_name(c) && !is_joint(c)) {
        return Err(PermissionError::BadCharacter { found });
    }
    if is_joint(first) {
        return Err(PermissionError::BadStart { found: first });
    }
    if part.len() > PART_BYTES_MAX {
        return Err(PermissionError::PartTooLong { max: PART_BYTES_MAX });
    }
    Ok(())
}

fn is_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_joint(c: char) -> bool {
    matches!(c, '.' | '_' | '-')
}

/// A list of at most [`PERMISSIONS_MAX`] grants, each once, sorted by resource and then by action
/// in ASCII order. The empty list grants nothing.
///
/// The JSON form is an array of strings in that order. Parsing refuses any other order, a
/// repetition, or too many grants, so that a record re-serialises to the same bytes.
/// [`Permissions::parse`] reads lists from people, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Vec<Grant>);

impl Permissions {
    /// Returns the list that grants nothing.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Parses grants in any order, sorts them, and drops repetitions.
    ///
    /// # Errors
    /// Every variant of [`PermissionError`] except [`PermissionError::NotAsStored`]. Parsing stops
    /// at the first refused grant.
    pub fn parse<'a>(grants: impl IntoIterator<Item = &'a str>) -> Result<Self, PermissionError> {
        let mut sorted = BTreeSet::new();
        for grant in grants {
            sorted.insert(grant.parse::<Grant>()?);
        }
        if sorted.len() > PERMISSIONS_MAX {
            return Err(PermissionError::TooMany { count: sorted.len(), max: PERMISSIONS_MAX });
        }
        Ok(Self(sorted.into_iter().collect()))
    }

    /// Parses a list in stored form.
    ///
    /// # Errors
    /// Every variant of [`PermissionError`].
    pub fn from_stored<'a>(
        grants: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PermissionError> {
        let mut stored: Vec<Grant> = Vec::new();
        for grant in grants {
            let grant = grant.parse()?;
            if stored.last().is_some_and(|last| *last >= grant) {
                return Err(PermissionError::NotAsStored);
            }
            if stored.len() == PERMISSIONS_MAX {
                let count = PERMISSIONS_MAX.saturating_add(1);
                return Err(PermissionError::TooMany { count, max: PERMISSIONS_MAX });
            }
            stored.push(grant);
        }
        Ok(Self(stored))
    }

    /// Returns `true` if any grant covers the permission.
    pub fn grants(&self, demanded: &Permission) -> bool {
        self.0.iter().any(|grant| grant.covers(demanded))
    }

    /// Returns what both lists cover, without reserved permissions: the permissions of an issued
    /// key under its issuer's ceiling. It drops grants beyond [`PERMISSIONS_MAX`].
    #[must_use]
    pub fn within(&self, ceiling: &Self) -> Self {
        let both = |held: &Grant| {
            ceiling.0.iter().filter_map(|grant| held.meet(grant)).collect::<Vec<_>>()
        };
        let mut shared = BTreeSet::new();
        self.0.iter().flat_map(both).for_each(|grant| {
            shared.insert(grant);
        });
        Self(shared.into_iter().take(PERMISSIONS_MAX).collect())
    }

    /// Returns `true` if any grant concerns Claviger itself. Only an owner may give such a grant,
    /// and issued or sealed keys never hold one.
    pub fn holds_reserved(&self) -> bool {
        self.0.iter().any(Grant::is_reserved)
    }

    /// Returns the grants that an issued or sealed key may hold: all but reserved ones.
    #[must_use]
    pub fn unreserved(&self) -> Self {
        Self(self.0.iter().filter(|grant| !grant.is_reserved()).cloned().collect())
    }

    /// Iterates over the grants, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Grant> {
        self.0.iter()
    }

    /// Returns the number of grants.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if the list grants nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl FromJson for Permissions {
    fn from_json(json: Json) -> Option<Self> {
        let grants = Vec::<String>::from_json(json)?;
        Self::from_stored(grants.iter().map(String::as_str)).ok()
    }
}

from_json!(Permissions);

#[cfg(test)]
mod tests;
