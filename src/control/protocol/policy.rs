//! The policy of an account: who holds keys, for how long, and what a key needs.
//!
//! A policy begins as a preset, and the operator may set each field alone. Under *portal*, the
//! default, an account holds many keys, which outlive their members. Under *registry*, each member
//! has one key pair of their own for a year, and it ends with the membership.

use core::fmt;

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Revision;
use jiff::civil::DateTime;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::protocol::factors::KeysConcerned;
use crate::protocol::proof::{ProofChanges, ProofPolicy};
use crate::protocol::zone::Zone;

/// Longest life in days that a policy may state: ten years. The shortest is one day, so that the
/// policy never concerns sealed keys.
pub const LIFE_DAYS_MAX: u16 = 3_650;

/// Longest life in years that a policy may state.
pub const LIFE_YEARS_MAX: u16 = 10;

/// Most keys of one member where keys end with the membership. It bounds the one transaction that
/// removes a member with their keys.
pub const FOLLOWING_KEYS_MAX: u32 = 1_000;

/// A named set of values for all fields of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Many keys, no end by default; keys belong to the account.
    Portal,
    /// One key pair for each member, for a year; it belongs to the member.
    Registry,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 2] = [Self::Portal, Self::Registry];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Registry => "registry",
        }
    }

    /// Parses the stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// Returns the policy in which every field has the preset's value.
    pub fn policy(self) -> Policy {
        match self {
            Self::Portal => Policy::PORTAL,
            Self::Registry => Policy::REGISTRY,
        }
    }
}

/// Number of keys that a member may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysPerMember {
    /// As many as the account may hold.
    Many,
    /// One key pair.
    One,
}

impl KeysPerMember {
    /// Parses the name in the HTTP API.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "many" => Some(Self::Many),
            "one" => Some(Self::One),
            _ => None,
        }
    }
}

/// The life of a key, counted from its creation. Its text is `never`, or as in `90d` or `1y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLife {
    /// There is no end.
    Never,
    /// A number of days of 24 hours.
    Days(u16),
    /// A number of calendar years.
    Years(u16),
}

impl KeyLife {
    /// Parses a life of at least one day; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "never" {
            return Some(Self::Never);
        }
        let number = |digits: &str, max| {
            let is_plain =
                digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
            digits.parse::<u16>().ok().filter(|number| is_plain && (1..=max).contains(number))
        };
        match (text.strip_suffix('d'), text.strip_suffix('y')) {
            (Some(digits), _) => number(digits, LIFE_DAYS_MAX).map(Self::Days),
            (None, Some(digits)) => number(digits, LIFE_YEARS_MAX).map(Self::Years),
            (None, None) => None,
        }
    }

    /// Returns the end of a life that begins at `from`; `None` if there is none.
    ///
    /// A year ends at the same local date and time in `zone`. A life that begins on 29 February
    /// ends on 28 February of a year without that day. A local time that a clock change skips moves
    /// forward by the length of the gap.
    pub fn end(self, from: UnixMs, zone: &Zone) -> Option<UnixMs> {
        let span = match self {
            Self::Never => return None,
            Self::Days(days) => return Some(days_after(from, days.into())),
            Self::Years(years) => i32::from(years).years(),
        };
        let end = zone.civil(from).and_then(|begin| same_local_time(begin, span, zone));
        // Only beyond the calendar, where no key begins; the shorter life then counts.
        end.or(Some(from))
    }

    /// Returns the length in days, by which two lives are compared; `None` is the longest.
    fn days(self) -> Option<u32> {
        match self {
            Self::Never => None,
            Self::Days(days) => Some(days.into()),
            Self::Years(years) => Some(u32::from(years).saturating_mul(365)),
        }
    }

    /// Returns `true` if this life is longer than `other`.
    pub fn is_longer_than(self, other: Self) -> bool {
        match (self.days(), other.days()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(days), Some(most)) => days > most,
        }
    }
}

fn days_after(from: UnixMs, days: u64) -> UnixMs {
    from.saturating_add(DurationMs::from_days(days))
}

fn same_local_time(begin: DateTime, span: Span, zone: &Zone) -> Option<UnixMs> {
    let end = begin.checked_add(span).ok()?;
    zone.rules().to_timestamp(end).ok().map(UnixMs::from)
}

impl fmt::Display for KeyLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::Years(years) => write!(f, "{years}y"),
        }
    }
}

impl Serialize for KeyLife {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyLife {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a life as in never, 90d or 1y"))
    }
}

/// The policy of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Preset from which the policy was made. Fields may differ from it.
    pub preset: Preset,
    /// Number of keys that a member may hold.
    pub keys_per_member: KeysPerMember,
    /// Life of a key that is issued without an expiry. [`KeyLife::Never`] demands an expiry.
    pub default_life: KeyLife,
    /// Longest life of a key.
    pub longest_life: KeyLife,
    /// `true` if keys belong to their members: they end with the membership, and only their member
    /// manages them. Owners may still disable and delete them.
    pub keys_follow_member: bool,
    /// `true` if members may choose that a key can be shown again.
    pub viewable_allowed: bool,
    /// `true` if issuing a key needs a second factor, and the keys of a member without one are
    /// refused.
    pub demands_mfa: bool,
    /// `true` if deleting keys needs a mailed code.
    pub deletion_by_code: bool,
    /// `true` if a mail to the member confirms each key that they issue.
    pub mail_on_generation: bool,
    /// Fresh proofs of identity that classes of actions demand.
    pub proofs: ProofPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self::PORTAL
    }
}

impl Policy {
    /// The preset *portal*.
    pub const PORTAL: Self = Self {
        preset: Preset::Portal,
        keys_per_member: KeysPerMember::Many,
        default_life: KeyLife::Never,
        longest_life: KeyLife::Never,
        keys_follow_member: false,
        viewable_allowed: true,
        demands_mfa: false,
        deletion_by_code: true,
        mail_on_generation: false,
        proofs: ProofPolicy::PASSWORD,
    };

    /// The preset *registry*.
    pub const REGISTRY: Self = Self {
        preset: Preset::Registry,
        keys_per_member: KeysPerMember::One,
        default_life: KeyLife::Years(1),
        longest_life: KeyLife::Years(1),
        keys_follow_member: true,
        viewable_allowed: false,
        demands_mfa: true,
        deletion_by_code: false,
        mail_on_generation: true,
        proofs: ProofPolicy::PASSWORD,
    };

    /// The policy that allows least. It stands in for values that cannot be read.
    pub const STRICTEST: Self = Self {
        preset: Preset::Registry,
        keys_per_member: KeysPerMember::One,
        default_life: KeyLife::Days(1),
        longest_life: KeyLife::Days(1),
        keys_follow_member: true,
        viewable_allowed: false,
        demands_mfa: true,
        deletion_by_code: true,
        mail_on_generation: true,
        proofs: ProofPolicy::STRICTEST,
    };

    /// Reads the JSON form. A field that is absent or unreadable has its strictest value. Only
    /// `proofs` may be absent: earlier releases had none.
    pub fn read(json: &Value) -> Self {
        let strict = Self::STRICTEST;
        let Some(members) = json.as_object() else { return strict };
        Self {
            preset: member(members, "preset", strict.preset),
            keys_per_member: member(members, "keys_per_member", strict.keys_per_member),
            default_life: member(members, "default_life", strict.default_life),
            longest_life: member(members, "longest_life", strict.longest_life),
            keys_follow_member: member(members, "keys_follow_member", strict.keys_follow_member),
            viewable_allowed: member(members, "viewable_allowed", strict.viewable_allowed),
            demands_mfa: member(members, "demands_mfa", strict.demands_mfa),
            deletion_by_code: member(members, "deletion_by_code", strict.deletion_by_code),
            mail_on_generation: member(members, "mail_on_generation", strict.mail_on_generation),
            proofs: members.get("proofs").map_or(ProofPolicy::PASSWORD, ProofPolicy::read),
        }
    }

    /// Returns the end of a key that is issued now without an expiry; `None` if the policy has no
    /// default.
    pub fn default_end(&self, now: UnixMs, zone: &Zone) -> Option<UnixMs> {
        let end = self.default_life.end(now, zone)?;
        Some(self.longest_life.end(now, zone).map_or(end, |longest| end.min(longest)))
    }
}

fn member<T: for<'a> Deserialize<'a>>(members: &Map<String, Value>, name: &str, strict: T) -> T {
    members.get(name).and_then(|value| T::deserialize(value).ok()).unwrap_or(strict)
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|json| Self::read(&json))
    }
}

/// A change of a policy. A preset sets every field; the fields that follow it apply on top. `None`
/// keeps a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChanges {
    /// Preset to begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// New number of keys that a member may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_per_member: Option<KeysPerMember>,
    /// New default life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_life: Option<KeyLife>,
    /// New longest life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_life: Option<KeyLife>,
    /// New ownership of keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_follow_member: Option<bool>,
    /// New permission for viewable keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewable_allowed: Option<bool>,
    /// New need of a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demands_mfa: Option<bool>,
    /// New need of a mailed code to delete keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_by_code: Option<bool>,
    /// New need of a mail after a key was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_on_generation: Option<bool>,
    /// New demands of proofs.
    #[serde(default, skip_serializing_if = "ProofChanges::is_empty")]
    pub proofs: ProofChanges,
}

impl PolicyChanges {
    /// Returns the changed policy.
    pub fn apply(&self, before: Policy) -> Policy {
        let base = self.preset.map_or(before, Preset::policy);
        Policy {
            preset: base.preset,
            keys_per_member: self.keys_per_member.unwrap_or(base.keys_per_member),
            default_life: self.default_life.unwrap_or(base.default_life),
            longest_life: self.longest_life.unwrap_or(base.longest_life),
            keys_follow_member: self.keys_follow_member.unwrap_or(base.keys_follow_member),
            viewable_allowed: self.viewable_allowed.unwrap_or(base.viewable_allowed),
            demands_mfa: self.demands_mfa.unwrap_or(base.demands_mfa),
            deletion_by_code: self.deletion_by_code.unwrap_or(base.deletion_by_code),
            mail_on_generation: self.mail_on_generation.unwrap_or(base.mail_on_generation),
            proofs: self.proofs.apply(base.proofs),
        }
    }
}

/// Most names that an effect of a change lists.
pub const EFFECT_NAMES_MAX: usize = 10;

/// The effects of a change of a policy, before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPreview {
    /// Present policy.
    pub before: Policy,
    /// Policy after the change.
    pub after: Policy,
    /// Revision of the present policy, which the change must name.
    pub revision: Revision,
    /// Keys and members that the change concerns, in no case more than one entry of a kind.
    pub effects: Vec<PolicyEffect>,
}

/// Keys or members that a change of a policy concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyEffect {
    /// Kind of the effect.
    pub kind: PolicyEffectKind,
    /// Number of keys or members.
    pub count: u32,
    /// Names of the first ones, at most [`EFFECT_NAMES_MAX`].
    pub names: Vec<String>,
}

/// A kind of effect. A change ends no key: it applies to what is done from then on. Only the demand
/// of MFA applies to keys that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyEffectKind {
    /// Members who hold more than one key. They keep them, and can issue none until they have none.
    MembersWithMoreKeys,
    /// Keys that live longer than the new longest life. They keep their end.
    KeysThatLiveLonger,
    /// Viewable keys that can no longer be shown again.
    KeysNoLongerShown,
    /// Keys that end with their membership from now on.
    KeysThatFollow,
    /// Keys that no longer end with their membership.
    KeysThatStay,
    /// Keys whose member is gone. They stay; owners may disable and delete them.
    KeysWithoutMember,
    /// Owners and admins who must set up a second factor before they issue a key.
    MembersWithoutFactor,
    /// Members who must set up what a demanded proof needs before they act.
    MembersWithoutProof,
    /// Keys that are refused until their members set up a second factor.
    KeysWithoutFactor,
    /// Keys that were refused without a second factor, and work again.
    KeysBackWithoutFactor,
}

/// The policy of an account, for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyState {
    /// Present policy.
    pub policy: Policy,
    /// Revision of the policy: the number of its changes.
    pub revision: Revision,
    /// Consequence of the change for keys that depend on MFA; `None` if it changed no demand of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysConcerned>,
}

#[cfg(test)]
mod tests;
