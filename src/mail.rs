//! Mail: what is to be told to whom ([`Envelope`]), and the message that comes of it ([`Message`]).
//!
//! A ledger writes an envelope down in the same run as the change that causes it, with every fact that the message will name. The message
//! is composed when it is sent, out of those facts alone: sent twice, it is the same to the byte, as services want it that know a repeat by
//! its idempotency key. A code lies in the envelope encrypted ([`crate::vault`]); only who sends opens it.
//!
//! What people chose (names of members, accounts, keys) goes into a message as text: it is escaped in HTML, and no line of a header or body
//! can begin with it.

pub mod http;
pub mod mime;
mod words;

use serde::{Deserialize, Serialize};

use crate::account::Email;
use crate::code::Code;
use crate::config::Config;
use crate::id::{AccountId, TokenId};
use crate::keys::KeyName;
use crate::protocol::Language;
use crate::time::{UnixMs, Zone};
use crate::vault::{self, Place, Purpose, Sealed};

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
    /// Name of the message within the deployment: the idempotency key towards services that send. ASCII, no blanks.
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

/// A message, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// As [`Envelope::id`].
    pub id: String,
    /// To whom.
    pub to: Email,
    /// Its language.
    pub language: Language,
    /// When its cause happened.
    pub written_at: UnixMs,
    /// Subject: one line.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As an HTML document.
    pub html: String,
}

impl core::fmt::Debug for Message {
    /// Without what it says: that may hold a code.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What whoever delivers says to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It was taken, now or before.
    Taken,
    /// Not this time. It may be taken later: when a limit is over, a service is up again, or the operator has mended a setting.
    NotNow,
    /// Never: what is wrong is the message itself, or whom it goes to.
    Never,
}

/// Where the code of a deletion is encrypted for.
pub fn code_place(account: AccountId, deletion: &TokenId) -> Place<'_> {
    Place { purpose: Purpose::MailCode, account, subject: deletion.as_str() }
}

impl Envelope {
    /// The message; `None` when the code that it should hold cannot be read: it is not there, or the generation of the master secret that
    /// it was encrypted with has been dropped.
    pub fn compose(&self, config: &Config) -> Option<Message> {
        let code = match (&self.letter, &self.sealed) {
            (Letter::DeletionCode { deletion, .. }, Some(sealed)) => {
                let opened = vault::open(sealed, code_place(self.account, deletion), &config.ring)?;
                Some(Code::from_sealed(&opened))
            }
            (Letter::DeletionCode { .. }, None) => return None,
            (Letter::DeletionNotice { .. }, _) => None,
        };
        let Config { prefix, console_origin, terms, .. } = config;
        let setting = words::Setting { prefix, console_origin, terms: *terms };
        let (subject, blocks) = words::say(&self.letter, self.language, code.as_ref(), setting);
        let subject = one_line(&subject);
        Some(Message {
            id: self.id.clone(),
            to: self.to.clone(),
            language: self.language,
            written_at: self.written_at,
            text: words::text(&blocks),
            html: words::html(&subject, &blocks, self.language),
            subject,
        })
    }
}

/// The text in one line, whatever it holds: control characters and line separators become blanks.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|sign| if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') { ' ' } else { sign })
        .collect()
}

/// An address as it is shown to someone who knows it: `m…@example.jp`.
pub fn masked(email: &Email) -> String {
    let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

#[cfg(test)]
mod tests;
