//! What a credential may do, as `resource:action`.
//!
//! A *permission* is what a request needs: two exact parts. A *grant* is what a credential holds:
//! either part may be `*`, which stands for any. A part is `[a-z0-9][a-z0-9._-]{0,31}` in ASCII;
//! nothing is trimmed or folded, so every permission has one spelling.
//!
//! The resource `claviger` is reserved for Claviger's own powers. No wildcard reaches it: only the
//! grant that is spelt exactly so covers `claviger:verify`, and `claviger:*` is no grant at all.

mod error;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::error::PermissionError;

/// Most grants in one list. At 65 characters each, the longest list is some 4 kB of a record.
pub const PERMISSIONS_MAX: usize = 64;

/// Longest part of a permission, in bytes.
pub const PART_BYTES_MAX: usize = 32;

/// Longest permission, in bytes: two parts and the colon.
const PERMISSION_BYTES_MAX: usize = PART_BYTES_MAX + 1 + PART_BYTES_MAX;

/// The resource that no wildcard reaches.
const RESERVED_RESOURCE: &str = "claviger";

/// What a request needs: two exact parts, no wildcard. As JSON its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(Pair);

impl Permission {
    /// The permission to ask about other credentials, which makes a key a verifier.
    pub fn claviger_verify() -> Self {
        Self(Pair { resource: RESERVED_RESOURCE.to_owned(), action: "verify".to_owned() })
    }

    /// Whether it is one of Claviger's own powers.
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

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What a credential holds: a permission, or a pattern with `*` as a whole part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant(Pair);

impl Grant {
    /// Whether it covers the permission.
    pub fn covers(&self, demanded: &Permission) -> bool {
        self.0.includes(&demanded.0)
    }

    /// Whether it covers all that `narrow` covers.
    pub fn includes(&self, narrow: &Self) -> bool {
        self.0.includes(&narrow.0)
    }

    /// Whether it is one of Claviger's own powers, which only an owner may grant.
    pub fn is_reserved(&self) -> bool {
        self.0.is_reserved()
    }

    /// What both cover; `None`: nothing, or what is reserved.
    fn meet(&self, other: &Self) -> Option<Self> {
        if self.is_reserved() || other.is_reserved() {
            return None;
        }
        let part = |one: &str, other: &str| match (one, other) {
            ("*", part) | (part, "*") => Some(part.to_owned()),
            (one, other) => (one == other).then(|| one.to_owned()),
        };
        let (one, other) = (&self.0, &other.0);
        let (resource, action) =
            (part(&one.resource, &other.resource)?, part(&one.action, &other.action)?);
        let both = Pair { resource, action };
        // `*:verify` and `claviger:*` would meet in a power that neither covers.
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
        // A text in other scripts has more bytes than characters, but none of it is a permission.
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

    /// Part by part, where `*` stands for any, also for `*`. No wildcard reaches what is reserved.
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

/// What a credential may do: at most [`PERMISSIONS_MAX`] grants, each once, sorted by resource and
/// then by action in ASCII order. The empty list grants nothing.
///
/// As JSON an array of strings in that order; any other order, a repetition, or too many are
/// refused on the way in, so that a record reads back to the same bytes. Lists from people, in any
/// order, are read by [`Permissions::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Vec<Grant>);

impl Permissions {
    /// The list that grants nothing.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads grants in any order and sorts them; repetitions are dropped.
    ///
    /// # Errors
    /// Every variant of [`PermissionError`] but [`PermissionError::NotAsStored`]. The first refused
    /// grant ends the reading.
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

    /// Reads a list in stored form.
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

    /// Whether any grant covers the permission.
    pub fn grants(&self, demanded: &Permission) -> bool {
        self.0.iter().any(|grant| grant.covers(demanded))
    }

    /// What both lists cover, without Claviger's own powers: what a key may do within a ceiling. Of
    /// a list that would be too long, the grants beyond [`PERMISSIONS_MAX`] are left out.
    #[must_use]
    pub fn within(&self, ceiling: &Self) -> Self {
        let both = |held: &Grant| {
            ceiling.0.iter().filter_map(|grant| held.meet(grant)).collect::<Vec<_>>()
        };
        let shared: BTreeSet<Grant> = self.0.iter().flat_map(both).collect();
        Self(shared.into_iter().take(PERMISSIONS_MAX).collect())
    }

    /// Whether any grant is one of Claviger's own powers. Only an owner may grant those, and issued
    /// or sealed keys never hold them.
    pub fn holds_reserved(&self) -> bool {
        self.0.iter().any(Grant::is_reserved)
    }

    /// The grants, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Grant> {
        self.0.iter()
    }

    /// How many grants there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let grants = Vec::<String>::deserialize(deserializer)?;
        Self::from_stored(grants.iter().map(String::as_str)).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
