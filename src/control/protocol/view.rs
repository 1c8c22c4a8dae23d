//! What a ledger tells of itself, its account and its members.

use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::ledger::{Language, Role};
use crate::protocol::zone::Zone;

/// How far KV has what the ledger has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Whether a rebuild is on its way through the keys.
    pub rebuilding: bool,
    /// Records that KV has acknowledged as they are now, since the rebuild began if there is one.
    pub done: u64,
    /// All records, tombstones included.
    pub total: u64,
    /// Keys whose last change has not settled, so that the edge asks the ledger for them.
    pub unsettled: u64,
    /// Age of the oldest change that KV has not acknowledged, in seconds; `None` when it has all.
    pub lag_s: Option<u64>,
}

/// What the console shows of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Who.
    pub member: MemberView,
    /// Where.
    pub account: AccountView,
    /// Until when the last proof of identity counts as fresh.
    pub step_up_until: UnixMs,
    /// When the session ends by itself.
    pub expires: UnixMs,
    /// Whether the member is an operator.
    #[serde(default)]
    pub operator: bool,
    /// Whether the mail that was tried last was not taken.
    #[serde(default)]
    pub mail_is_failing: bool,
    /// Age of the oldest change that KV has not acknowledged, in seconds, when that is past what is
    /// usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication_lag_s: Option<u64>,
}

/// A member, as members see each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// ID.
    pub id: MemberId,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: Email,
    /// Role.
    pub role: Role,
    /// Language.
    pub language: Language,
}

/// An account, as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// ID.
    pub id: AccountId,
    /// Name.
    pub name: String,
    /// Zone in which dates are meant and shown.
    pub zone: Zone,
    /// T of promise P1, in seconds.
    pub freshness_s: u32,
    /// Whether the operator has suspended it.
    #[serde(default)]
    pub suspended: bool,
}
