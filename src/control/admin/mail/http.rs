//! A message as the request that HTTP e-mail services take, in the shape that Resend's API has
//! (`POST /emails`): JSON, a bearer token, and an idempotency key, by which the service knows a
//! repeat for 24 hours (<https://resend.com/docs/api-reference/emails/send-email>).

use serde_json::json;

use super::{Message, Taking};
use crate::protocol::account::Email;

/// Name of the header with the message's [`Message::id`]; at most 256 characters.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The body.
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

/// What a status says (RFC 9110 §15). Which of the client's errors will not change is told by what
/// they speak of: those of the message stay, those of the token (401, 402, 403), the address of the
/// API (404, 405), the moment (408, 425, 429) and a repeat that came while the first was under way
/// (409) may not.
pub fn taking(status: u16) -> Taking {
    match status {
        200..=299 => Taking::Taken,
        401..=405 | 408 | 409 | 425 | 429 => Taking::NotNow,
        400..=499 => Taking::Never,
        _ => Taking::NotNow,
    }
}
