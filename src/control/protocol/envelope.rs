//! What a mail tells to whom, before it is a message.
//!
//! A ledger writes an envelope down in the same run as the change that causes it, with every fact
//! that the message will name.

use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::encryption::{Place, Purpose, Sealed};
use crate::protocol::keys::KeyName;
use crate::protocol::ledger::Language;
use crate::protocol::zone::Zone;

/// What is told, with all the facts. Stored: members are only added, with a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// The code that deletes keys.
    DeletionCode {
        /// The deletion that it confirms.
        deletion: TokenId,
        /// Name of the account.
        account: String,
        /// Which keys.
        keys: Vec<KeyName>,
        /// Until when it can be used.
        until: UnixMs,
        /// Zone in which times are told.
        zone: Zone,
    },
    /// Keys were deleted.
    DeletionNotice {
        /// Name of the account.
        account: String,
        /// Which keys.
        keys: Vec<KeyName>,
        /// Name of who did it.
        by: String,
        /// From where; `None`: the platform told none.
        address: Option<String>,
        /// When.
        at: UnixMs,
        /// From when on they are refused everywhere, by T alone.
        bound: UnixMs,
        /// Until when they can be restored.
        restorable_until: UnixMs,
        /// Zone in which times are told.
        zone: Zone,
    },
}

/// A letter on its way to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Name of the message within the deployment: the idempotency key towards services that send.
    /// ASCII, no blanks.
    pub id: String,
    /// The account that it is about.
    pub account: AccountId,
    /// To whom.
    pub to: Email,
    /// In which language.
    pub language: Language,
    /// When its cause happened.
    pub written_at: UnixMs,
    /// What is told.
    pub letter: Letter,
    /// The code, encrypted, of a letter that holds one.
    pub sealed: Option<Sealed>,
}

/// Where the code of a deletion is encrypted for.
pub fn code_place(account: AccountId, deletion: &TokenId) -> Place<'_> {
    Place { purpose: Purpose::MailCode, account, subject: deletion.as_str() }
}

/// An address as it is shown to someone who knows it: `m…@example.jp`.
pub fn masked(email: &Email) -> String {
    let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_by_its_first_letter() {
        assert_eq!(masked(&Email::parse("mei@example.jp").unwrap()), "m…@example.jp");
    }
}
