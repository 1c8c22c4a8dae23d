//! What an operator does to accounts, and how the directory lists them.
//!
//! An operator is an owner of the deployment's first account. Whatever they do is first asked of
//! that account's ledger, which lets it be done and writes it down; then the edge does it.

use claviger_core::base::id::AccountId;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::objects::sql::INTEGER_MAX;

/// What an operator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Operation {
    /// Looks at accounts.
    Look,
    /// Invites whoever gets the set-up link that the edge has drawn.
    Invite {
        /// The account that the link makes.
        account: AccountId,
        /// The same one invites once.
        idempotency_key: String,
    },
    /// Changes what holds for a whole account. What is `None` stays as it is.
    SetState {
        /// Which.
        account: AccountId,
        /// T of promise P1, in milliseconds.
        freshness_ms: Option<u64>,
        /// Whether it is suspended.
        suspended: Option<bool>,
    },
    /// Has every record of an account put into KV again.
    Rebuild {
        /// Which.
        account: AccountId,
    },
    /// Is about to restore an account's ledger from a bookmark.
    BeginRestore {
        /// Which.
        account: AccountId,
    },
    /// Has restored it.
    FinishRestore {
        /// Which.
        account: AccountId,
    },
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Entered; its ledger was not opened yet.
    Pending,
    /// Its ledger was opened.
    Open,
}

/// An account, as the directory lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    pub id: AccountId,
    /// Where it stands.
    pub state: EntryState,
    /// When it was entered.
    pub entered_at: UnixMs,
    /// Its name; `None` until its ledger has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether a fresh history is noted for a restore that is not finished.
    #[serde(default)]
    pub restoring: bool,
}

/// Most accounts of a page.
pub const PAGE_ENTRIES_MAX: u32 = 50;

/// Where a page of the list ends: the next one goes on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryCursor {
    /// When its last account was entered.
    pub entered_at: UnixMs,
    /// Its last account.
    pub id: AccountId,
}

impl EntryCursor {
    /// Reads what [`Self::to_text`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (ms, id) = text.split_once('-')?;
        let ms: i64 = ms.parse().ok()?;
        // What no database holds is in no list.
        let entered_at = (-INTEGER_MAX..=INTEGER_MAX).contains(&ms).then(|| UnixMs::from_ms(ms))?;
        let cursor = Self { entered_at, id: AccountId::parse(id)? };
        (cursor.to_text() == text).then_some(cursor)
    }

    /// As it stands in a query.
    pub fn to_text(&self) -> String {
        format!("{}-{}", self.entered_at.as_ms(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let cursor = EntryCursor {
            entered_at: UnixMs::from_ms(1_800_000_000_000),
            id: AccountId::parse("a1B2c3D4").unwrap(),
        };
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
