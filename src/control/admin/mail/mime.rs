//! Renders a message as MIME (RFC 5322, RFC 2045), for the platform's own binding.

use claviger_core::base::secret::Digest;
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

use super::{Message, Taking};
use crate::protocol::account::Email;

/// Returns the message from `from`, as plain text and HTML. The result contains neither time nor
/// randomness, so the same message always yields the same text.
///
/// `None` if the library fails to write into memory, which does not happen.
pub fn write(message: &Message, from: &Email) -> Option<String> {
    let domain = from.as_str().rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    // An encoded body never contains `=_`, so it cannot contain the boundary (RFC 2045 §6.7).
    let boundary = format!("=_{}", hex(&message.id));
    let alternative = ContentType::new("multipart/alternative").attribute("boundary", boundary);
    let parts = vec![
        MimePart::new(utf8("text/plain"), message.text.as_str()),
        MimePart::new(utf8("text/html"), message.html.as_str()),
    ];
    MessageBuilder::new()
        .from(from.as_str())
        .to(message.to.as_str())
        .subject(message.subject.as_str())
        .date(Date::new(message.written_at.as_ms().div_euclid(1_000)))
        .message_id(format!("{}@{domain}", message.id))
        .header("Content-Language", Raw::new(message.language.as_str()))
        // Prevents automatic replies such as vacation notices (RFC 3834 §5).
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .body(MimePart::new(alternative, parts))
        .write_to_string()
        .ok()
}

/// Classifies an error of the platform's binding by its code
/// (<https://developers.cloudflare.com/email-service/api/send-emails/workers-api/#error-codes>).
/// Errors that the operator may fix are retried, such as an unverified sender or a binding
/// restricted to other recipients. So are unknown codes.
pub fn taking(code: &str) -> Taking {
    const OF_THE_MESSAGE: [&str; 5] = [
        "E_VALIDATION_ERROR",
        "E_FIELD_MISSING",
        "E_TOO_MANY_RECIPIENTS",
        "E_RECIPIENT_SUPPRESSED",
        "E_CONTENT_TOO_LARGE",
    ];
    if OF_THE_MESSAGE.contains(&code) || code.starts_with("E_HEADER") {
        Taking::Never
    } else {
        Taking::NotNow
    }
}

fn utf8(media_type: &'static str) -> ContentType<'static> {
    ContentType::new(media_type).attribute("charset", "utf-8")
}

fn hex(id: &str) -> String {
    let digest = Digest::of(id.as_bytes());
    let half = digest.as_bytes().split_at_checked(16).map_or(&[][..], |(half, _)| half);
    base16ct::lower::encode_string(half)
}
