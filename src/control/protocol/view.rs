//! Views that a ledger returns of itself, its account and its members.

use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::factors::FactorKinds;
use crate::protocol::member::{Language, Role, SecretVersion};
use crate::protocol::policy::Policy;
use crate::protocol::proof::ProofMethod;
use crate::protocol::zone::Zone;

/// The progress of publication to KV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// `true` while a rebuild is in progress.
    pub rebuilding: bool,
    /// Records that KV has acknowledged in their present state; during a rebuild, since its start.
    pub done: u64,
    /// All records, tombstones included.
    pub total: u64,
    /// Keys whose last change has not settled, for which the edge asks the ledger.
    pub unsettled: u64,
    /// Age of the oldest change that KV has not acknowledged, in seconds; `None` if there is none.
    pub lag_s: Option<u64>,
}

/// A session as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Member who is signed in.
    pub member: MemberView,
    /// Account of the member.
    pub account: AccountView,
    /// End of the fresh proof of identity, Unix ms. It lies in the past if the proof does not
    /// suffice: a password, for a member with a second factor.
    pub step_up_until: UnixMs,
    /// End of the session if it is not used again, Unix ms.
    pub expires: UnixMs,
    /// Begin of the session, Unix ms; `None` from a ledger of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<UnixMs>,
    /// `true` if the member is an operator.
    #[serde(default)]
    pub operator: bool,
    /// `true` if the last delivery of mail failed.
    #[serde(default)]
    pub mail_is_failing: bool,
    /// Age of the oldest change that KV has not acknowledged, in seconds, if it is unusually high;
    /// otherwise `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication_lag_s: Option<u64>,
    /// Number of the person's memberships when the session began; 1 from a ledger of an earlier
    /// release.
    #[serde(default = "one")]
    pub accounts: u32,
    /// `true` if the member has a second factor.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub mfa: bool,
    /// Kinds of second factors that the member has; a ledger of an earlier release sends none.
    #[serde(default)]
    pub factors: FactorKinds,
    /// Method of the last proof of identity. Not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_by: Option<ProofMethod>,
    /// Version of the password in the member's row; 0 from a ledger of an earlier release. Not
    /// shown.
    #[serde(default)]
    pub secret_version: SecretVersion,
    /// Number of notices that the member has not looked at.
    #[serde(default, skip_serializing_if = "is_none_unread")]
    pub unread_notices: u32,
}

fn is_none_unread(count: &u32) -> bool {
    *count == 0
}

fn one() -> u32 {
    1
}

/// A member, as members see each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// ID of the member.
    pub id: MemberId,
    /// Name of the member.
    pub name: String,
    /// Address by which the member signs in.
    pub email: Email,
    /// Role in the account.
    pub role: Role,
    /// Language of the console and mails.
    pub language: Language,
}

/// An account, as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// ID of the account.
    pub id: AccountId,
    /// Name of the account.
    pub name: String,
    /// Zone in which dates are interpreted and shown.
    pub zone: Zone,
    /// T of promise P1, in seconds.
    pub freshness_s: u32,
    /// `true` if the operator has suspended it.
    #[serde(default)]
    pub suspended: bool,
    /// Policy of the account; a ledger of an earlier release has the default.
    #[serde(default)]
    pub policy: Policy,
}
