//! Renders a message as a request to an HTTP e-mail service.
//!
//! The form is that of Resend's API (`POST /emails`): JSON with a bearer token and an idempotency
//! key. The service recognises a repeat for 24 hours
//! (<https://resend.com/docs/api-reference/emails/send-email>).

use serde_json::json;

use super::{Message, Taking};
use crate::protocol::account::Email;

/// Name of the header with the message's [`Message::id`]; at most 256 characters.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Returns the JSON body.
pub fn body(message: &Message, from: &Email) -> String {
    json!({
        "from": from,
        "to": [message.to],
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
    })
    .to_string()
}

/// Classifies a status code (RFC 9110 §15). A client error is permanent only if it concerns the
/// message itself. Others can change: the token (401, 402, 403), the API's address (404, 405) and
/// timing (408, 425, 429). So can a repeat that arrived while the first request was in progress
/// (409).
pub fn taking(status: u16) -> Taking {
    match status {
        200..=299 => Taking::Taken,
        401..=405 | 408 | 409 | 425 | 429 => Taking::NotNow,
        400..=499 => Taking::Never,
        _ => Taking::NotNow,
    }
}
