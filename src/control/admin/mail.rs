//! Mail: what is to be told to whom ([`Envelope`]), and the message that comes of it ([`Message`]).
//!
//! A ledger writes an envelope down in the same run as the change that causes it, with every fact
//! that the message will name. The message is composed when it is sent, out of those facts alone:
//! sent twice, it is the same to the byte, as services want it that know a repeat by its
//! idempotency key. A code lies in the envelope encrypted ([`crate::protocol::encryption`]); only
//! who sends opens it.
//!
//! What people chose (names of members, accounts, keys) goes into a message as text: it is escaped
//! in HTML, and no line of a header or body can begin with it.

pub mod http;
pub mod mime;
mod templates;

use claviger_core::base::time::UnixMs;

use crate::admin::config::AdminConfig;
use crate::protocol::account::Email;
use crate::protocol::code::Code;
use crate::protocol::encryption;
use crate::protocol::envelope::{Envelope, Letter, code_place};
use crate::protocol::ledger::Language;

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
    /// Not this time. It may be taken later: when a limit is over, a service is up again, or the
    /// operator has mended a setting.
    NotNow,
    /// Never: what is wrong is the message itself, or whom it goes to.
    Never,
}

/// Composes the message of an envelope; `None` when the code that it should hold cannot be read: it
/// is not there, or the generation of the master secret that it was encrypted with has been
/// dropped.
pub fn compose(envelope: &Envelope, config: &AdminConfig) -> Option<Message> {
    let code = match (&envelope.letter, &envelope.sealed) {
        (Letter::DeletionCode { deletion, .. }, Some(sealed)) => {
            let opened =
                encryption::open(sealed, code_place(envelope.account, deletion), &config.master)?;
            Some(Code::from_sealed(&opened))
        }
        (Letter::DeletionCode { .. }, None) => return None,
        (Letter::DeletionNotice { .. }, _) => None,
    };
    let AdminConfig { prefix, console_origin, terms, .. } = config;
    let setting = templates::Setting { prefix, console_origin, terms: *terms };
    let (subject, blocks) =
        templates::say(&envelope.letter, envelope.language, code.as_ref(), setting);
    let subject = one_line(&subject);
    Some(Message {
        id: envelope.id.clone(),
        to: envelope.to.clone(),
        language: envelope.language,
        written_at: envelope.written_at,
        text: templates::text(&blocks),
        html: templates::html(&subject, &blocks, envelope.language),
        subject,
    })
}

/// The text in one line, whatever it holds: control characters and line separators become blanks.
fn one_line(text: &str) -> String {
    text.chars()
        .map(
            |sign| {
                if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') {
                    ' '
                } else {
                    sign
                }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests;
