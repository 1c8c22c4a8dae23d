//! Operations of operators on accounts, and the directory's entries.
//!
//! An operator is an owner of the deployment's first account or, where Cloudflare Access is
//! configured, a listed person whom Access recognised. The admin Worker first asks the ledger of
//! the first account, which authorises and records the operation. Then the admin Worker performs
//! it.

use claviger_core::base::id::AccountId;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::integer::INTEGER_MAX;
use crate::protocol::policy::PolicyChanges;

/// An operation of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum OperatorCommand {
    /// Reads one account or the list.
    Look,
    /// Invites the recipient of a set-up link, which the admin Worker has drawn.
    Invite {
        /// Account that the link creates.
        account: AccountId,
        /// Idempotency key: at most one invitation per key and member.
        idempotency_key: String,
    },
    /// Changes an account's state. `None` keeps a value.
    SetState {
        /// ID of the account.
        account: AccountId,
        /// T of promise P1, in milliseconds.
        freshness_ms: Option<u64>,
        /// `true` to suspend, `false` to resume.
        suspended: Option<bool>,
    },
    /// Changes an account's policy.
    SetPolicy {
        /// ID of the account.
        account: AccountId,
        /// Changed fields.
        changes: PolicyChanges,
    },
    /// Makes the networks of an account refuse no caller.
    TurnOffNetworks {
        /// ID of the account.
        account: AccountId,
    },
    /// Puts every record of an account into KV again.
    Rebuild {
        /// ID of the account.
        account: AccountId,
    },
    /// Prepares the restore of an account's ledger from a bookmark.
    BeginRestore {
        /// ID of the account.
        account: AccountId,
    },
    /// Completes the restore.
    FinishRestore {
        /// ID of the account.
        account: AccountId,
    },
    /// Withdraws the invitation of an account that is not set up.
    Withdraw {
        /// ID of the account.
        account: AccountId,
    },
}

impl OperatorCommand {
    /// Returns `true` if the operation changes something. It then needs a fresh proof of identity.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Look => false,
            Self::Invite { .. }
            | Self::SetState { .. }
            | Self::SetPolicy { .. }
            | Self::TurnOffNetworks { .. }
            | Self::Rebuild { .. }
            | Self::BeginRestore { .. }
            | Self::FinishRestore { .. }
            | Self::Withdraw { .. } => true,
        }
    }
}

/// State of an account in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Entered; its ledger was not opened yet.
    Pending,
    /// Its ledger was opened; this state is final.
    Open,
}

/// Status of an account, as operators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Its set-up link has not been used yet.
    Pending,
    /// It is set up and not suspended.
    Open,
    /// An operator has suspended it.
    Suspended,
}

impl AccountStatus {
    /// Every status, in the order of the console.
    pub const ALL: [Self; 3] = [Self::Open, Self::Suspended, Self::Pending];

    /// Returns the name, as the HTTP API has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Suspended => "suspended",
        }
    }

    /// Parses a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Numbers of the deployment's accounts by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsByStatus {
    /// Accounts whose set-up link has not been used yet.
    pub pending: u32,
    /// Accounts that are set up and not suspended.
    pub open: u32,
    /// Suspended accounts.
    pub suspended: u32,
}

/// An account in the directory's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// ID of the account.
    pub id: AccountId,
    /// State of the account.
    pub state: EntryState,
    /// Time of the entry, Unix ms.
    pub entered_at: UnixMs,
    /// Name of the account; `None` until its ledger has reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `true` if an epoch is noted for an unfinished restore.
    #[serde(default)]
    pub restoring: bool,
    /// `true` if an operator has suspended it.
    #[serde(default)]
    pub suspended: bool,
}

/// Most accounts of a page.
pub const PAGE_ENTRIES_MAX: u32 = 50;

/// The last entry of a page; the next page starts after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryCursor {
    /// Time at which that account was entered, Unix ms.
    pub entered_at: UnixMs,
    /// ID of that account.
    pub id: AccountId,
}

impl EntryCursor {
    /// Parses the output of [`Self::to_text`]; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (ms, id) = text.split_once('-')?;
        let ms: i64 = ms.parse().ok()?;
        // SQLite would not hold a larger integer exactly, so no entry can have it.
        let entered_at = (-INTEGER_MAX..=INTEGER_MAX).contains(&ms).then(|| UnixMs::from_ms(ms))?;
        let cursor = Self { entered_at, id: AccountId::parse(id)? };
        (cursor.to_text() == text).then_some(cursor)
    }

    /// Returns the form for a URL's query.
    pub fn to_text(&self) -> String {
        format!("{}-{}", self.entered_at.as_ms(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use claviger_core::testing::account;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let cursor = EntryCursor { entered_at: UnixMs::from_ms(1_800_000_000_000), id: account() };
        assert_eq!(cursor.to_text(), "1800000000000-a1B2c3D4");
        assert_eq!(EntryCursor::parse("1800000000000-a1B2c3D4"), Some(cursor));
        for bad in [
            "",
            "-",
            "a1B2c3D4",
            "1-a1B2c3D",
            "+1-a1B2c3D4",
            "01-a1B2c3D4",
            "1-a1B2c3D4-",
            "1.5-a1B2c3D4",
            "9007199254740992-a1B2c3D4",
            "9223372036854775807-a1B2c3D4",
        ] {
            assert_eq!(EntryCursor::parse(bad), None, "{bad}");
        }
    }
}
