//! Mail: turns the facts in an [`Envelope`] into a [`Message`].
//!
//! A ledger stores an envelope in the same transaction as the change that causes it, with every
//! fact that the message names. The message is rendered at delivery from those facts alone. A
//! repeated delivery is therefore identical to the byte, as services with idempotency keys require.
//! A code or token is encrypted in the envelope ([`crate::protocol::encryption`]), and decrypted at
//! delivery only.
//!
//! Names of members, accounts and keys enter a message as text. They are escaped in HTML, cannot
//! begin a line of a header or body, and are no links ([`inert`]). No subject contains one.

mod blocks;
pub mod http;
mod inert;
mod key_templates;
mod member_templates;
pub mod mime;
mod notice_templates;
mod templates;

use claviger_core::base::time::UnixMs;

use crate::admin::config::AdminConfig;
use crate::protocol::account::Email;
use crate::protocol::encryption;
use crate::protocol::envelope::{
    Envelope, Letter, code_associated_data, invitation_associated_data,
};
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
    /// Omits the contents, which may include a code or a link.
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

/// Renders the message of an envelope. `None` if it needs a code or token that is missing, or whose
/// generation of the master secret was removed.
pub fn compose(envelope: &Envelope, config: &AdminConfig) -> Option<Message> {
    let account = envelope.account;
    let place = match &envelope.letter {
        Letter::DeletionCode { deletion: subject, .. }
        | Letter::ProofCode { session: subject, .. }
        | Letter::ResetCode { reset: subject, .. }
        | Letter::MailboxCode { code: subject, .. } => Some(code_associated_data(account, subject)),
        Letter::Invitation { token, .. } => Some(invitation_associated_data(account, token)),
        Letter::DeletionNotice { .. }
        | Letter::PasswordChanged { .. }
        | Letter::AddressChanged { .. }
        | Letter::MemberJoined { .. }
        | Letter::RoleChanged { .. }
        | Letter::MemberRemoved { .. }
        | Letter::NewNetwork { .. }
        | Letter::Notices { .. }
        | Letter::FactorsChanged { .. }
        | Letter::KeyGenerated { .. } => None,
    };
    let secret = match place {
        Some(place) => Some(encryption::decrypt(envelope.sealed.as_ref()?, place, &config.master)?),
        None => None,
    };
    let AdminConfig { prefix, console_origin, terms, .. } = config;
    let setting = templates::LetterSetting { prefix, console_origin, terms: *terms };
    let (subject, parts) = templates::render(
        &inert::letter(&envelope.letter),
        envelope.language,
        secret.as_ref(),
        setting,
    );
    let subject = blocks::one_line(&subject);
    Some(Message {
        id: envelope.id.clone(),
        to: envelope.to.clone(),
        language: envelope.language,
        written_at: envelope.written_at,
        text: blocks::text(&parts),
        html: blocks::html(&subject, &parts, envelope.language),
        subject,
    })
}

#[cfg(test)]
mod member_tests;
#[cfg(test)]
mod notice_tests;
#[cfg(test)]
mod tests;
