//! Mail: turns the facts in an [`Envelope`] into a [`Message`].
//!
//! A ledger stores an envelope in the same transaction as the change that causes it, with every
//! fact that the message names. The message is rendered at delivery from those facts alone. A
//! repeated delivery is therefore identical to the byte, as services with idempotency keys require.
//! A code is encrypted in the envelope ([`crate::protocol::encryption`]) and only decrypted at
//! delivery.
//!
//! Names of members, accounts and keys enter a message as text. They are escaped in HTML, and
//! cannot begin a line of a header or body.

pub mod http;
pub mod mime;
mod templates;

use claviger_core::base::time::UnixMs;

use crate::admin::config::AdminConfig;
use crate::protocol::account::Email;
use crate::protocol::code::Code;
use crate::protocol::encryption;
use crate::protocol::envelope::{Envelope, Letter, code_associated_data};
use crate::protocol::member::Language;

/// A message, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Same as [`Envelope::id`].
    pub id: String,
    /// Address of the recipient.
    pub to: Email,
    /// Language of the text.
    pub language: Language,
    /// Time of the change that caused it, Unix ms.
    pub written_at: UnixMs,
    /// Subject: one line.
    pub subject: String,
    /// Body as plain text.
    pub text: String,
    /// Body as an HTML document.
    pub html: String,
}

impl core::fmt::Debug for Message {
    /// Omits the contents, which may include a code.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A mail service's answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// The service accepted the message, now or before.
    Taken,
    /// The service may accept it later: after a rate limit, an outage, or a change of settings by
    /// the operator.
    NotNow,
    /// The service will never accept it: the message or its recipient is invalid.
    Never,
}

/// Renders the message of an envelope. `None` if it needs a code that is missing, or whose
/// generation of the master secret was removed.
pub fn compose(envelope: &Envelope, config: &AdminConfig) -> Option<Message> {
    let code = match (&envelope.letter, &envelope.sealed) {
        (
            Letter::DeletionCode { deletion: subject, .. }
            | Letter::ResetCode { reset: subject, .. },
            Some(sealed),
        ) => {
            let opened = encryption::decrypt(
                sealed,
                code_associated_data(envelope.account, subject),
                &config.master,
            )?;
            Some(Code::from_sealed(&opened))
        }
        (Letter::DeletionCode { .. } | Letter::ResetCode { .. }, None) => return None,
        (Letter::DeletionNotice { .. } | Letter::PasswordChanged { .. }, _) => None,
    };
    let AdminConfig { prefix, console_origin, terms, .. } = config;
    let setting = templates::LetterSetting { prefix, console_origin, terms: *terms };
    let (subject, blocks) =
        templates::render(&envelope.letter, envelope.language, code.as_ref(), setting);
    let subject = templates::one_line(&subject);
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

#[cfg(test)]
mod tests;
