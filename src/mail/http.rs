//! A message as the request that HTTP e-mail services take, in the shape that Resend's API has (`POST /emails`): JSON, a bearer token, and an
//! idempotency key, by which the service knows a repeat for 24 hours (<https://resend.com/docs/api-reference/emails/send-email>).

use serde_json::json;

use super::Message;
use crate::account::Email;

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

/// Whether a status says that the message was taken, now or before.
pub fn was_taken(status: u16) -> bool {
    (200..300).contains(&status)
}
