//! Notices that members get by mail, and their switches.

use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::keys::KeyName;

/// A kind of notice that a member can switch off. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A member issued a key.
    KeyIssued,
    /// A key was used from a network that is new for it.
    KeyNetwork,
    /// A key ends in some days.
    KeyEnd,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::KeyIssued, Self::KeyNetwork, Self::KeyEnd];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyIssued => "key_issued",
            Self::KeyNetwork => "key_network",
            Self::KeyEnd => "key_end",
        }
    }

    /// Parses a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The switches of a member: `true` if the notices of a kind are mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSettings {
    /// Switch of [`NoticeKind::KeyIssued`].
    pub key_issued: bool,
    /// Switch of [`NoticeKind::KeyNetwork`].
    pub key_network: bool,
    /// Switch of [`NoticeKind::KeyEnd`].
    pub key_end: bool,
}

impl NoticeSettings {
    /// Switches of a member who has switched off none.
    pub const ALL_ON: Self = Self { key_issued: true, key_network: true, key_end: true };

    /// Returns the switch of a kind.
    pub fn of(self, kind: NoticeKind) -> bool {
        match kind {
            NoticeKind::KeyIssued => self.key_issued,
            NoticeKind::KeyNetwork => self.key_network,
            NoticeKind::KeyEnd => self.key_end,
        }
    }

    /// Sets the switch of a kind.
    pub fn set(&mut self, kind: NoticeKind, on: bool) {
        match kind {
            NoticeKind::KeyIssued => self.key_issued = on,
            NoticeKind::KeyNetwork => self.key_network = on,
            NoticeKind::KeyEnd => self.key_end = on,
        }
    }
}

/// Changes of the switches of a member. `None` keeps one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeChanges {
    /// Switch of [`NoticeKind::KeyIssued`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_issued: Option<bool>,
    /// Switch of [`NoticeKind::KeyNetwork`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_network: Option<bool>,
    /// Switch of [`NoticeKind::KeyEnd`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_end: Option<bool>,
}

impl NoticeChanges {
    /// Returns the switches after the changes.
    pub fn applied_to(self, before: NoticeSettings) -> NoticeSettings {
        NoticeSettings {
            key_issued: self.key_issued.unwrap_or(before.key_issued),
            key_network: self.key_network.unwrap_or(before.key_network),
            key_end: self.key_end.unwrap_or(before.key_end),
        }
    }
}

/// An act of a member that is rare, and of use to an attacker. Owners always get a notice of it.
/// The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnusualAct {
    /// The service password was changed.
    ServicePasswordChanged,
    /// The service password was shown.
    ServicePasswordRevealed,
    /// The activity was exported.
    ActivityExported,
    /// The account's networks were changed.
    AccountNetworksChanged,
}

/// One line of a letter with notices. It is stored as JSON, so members are only added, with a
/// default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeItem {
    /// Key that the notice is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
    /// Act that the notice is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<UnusualAct>,
    /// Name of the member who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Address of the request, or network of a key's use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Time of the event, or end of the key, Unix ms.
    pub at: UnixMs,
}

/// Notices of one kind in a letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeList {
    /// Notices that the letter shows, the earliest first.
    pub items: Vec<NoticeItem>,
    /// Number of further notices.
    #[serde(default)]
    pub more: u32,
}

impl NoticeList {
    /// Most notices of one kind that a letter shows.
    pub const SHOWN_MAX: usize = 20;

    /// Adds a notice, or counts it beyond [`Self::SHOWN_MAX`].
    pub fn push(&mut self, item: NoticeItem) {
        if self.items.len() < Self::SHOWN_MAX {
            self.items.push(item);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}
