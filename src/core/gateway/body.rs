//! Scans the beginning of a request's body for credentials, before the gateway decides on the
//! request.
//!
//! A rule may allow a credential in a form field (`form:u`) or in a JSON member (`json:u`), or name
//! and secret of an API user there (`api-user:form`, `api-user:json`). Then
//! the gateway needs the beginning of the body. The scan takes the bytes chunk by chunk, reports
//! when it has seen enough, and returns the byte ranges that the origin must not see. The platform
//! adapter cuts these out and passes all other bytes on, unread.
//!
//! | body | scanned | cut out |
//! | --- | --- | --- |
//! | `application/x-www-form-urlencoded` | the pairs that end within the bound | the pair and one `&` |
//! | `multipart/form-data` (RFC 7578) | the parts before the first file that end within the bound | the part with its delimiter |
//! | `application/json` (RFC 8259) | the members of the outermost object, if the whole body is within the bound | the member and one comma |
//!
//! - Of an API user, the secret is cut out and the name stays.
//! - The bound is [`BODY_SCAN_BYTES_MAX`]. Bytes beyond it, or after the first file, are only for
//!   the origin.
//! - The scan compares names after unescaping, in ASCII; it ignores `charset`. A repeated name is
//!   two credentials, which must be equal.
//! - The scan finds no field in a body with a `Content-Encoding` other than `identity`, because it
//!   does not decompress. The same holds for GET and HEAD, whose bodies have no meaning (RFC 9110
//!   §9.3.1), and for any other `Content-Type`.
//! - The scan stops at the first syntax that it does not understand. Fields found before that point
//!   count; bytes after it are only for the origin. A body that two parsers read differently gains
//!   a caller nothing. The gateway verifies only what the scan found, and reports only verified
//!   credentials to the origin.
//!
//! Each reader visits each byte a fixed number of times, however the body is cut into chunks.

mod fields;
mod json;
mod media_type;
mod multipart;
mod urlencoded;

pub use self::fields::{Fields, Unscanned, UserFields};
use self::json::JsonDocument;
use self::media_type::media_type;
use self::multipart::Multipart;
use self::urlencoded::Urlencoded;
use crate::base::http::request::Request;
use crate::base::time::DurationMs;
use crate::config::rules::{ApiUserPlace, Place};

/// Most bytes of a body that the scan reads. Fields before a file take a few hundred bytes. Each
/// request that waits may hold this much in memory, twice.
pub const BODY_SCAN_BYTES_MAX: usize = 64 * 1024;

/// Longest time for a body to arrive. At 52 kbit/s the whole bound arrives in time; the usual few
/// hundred bytes arrive at any rate.
pub const BODY_SCAN_TIME: DurationMs = DurationMs::from_s(10);

/// Most pieces in which a body that Claviger reads may arrive.
///
/// Each costs a call across the border to JavaScript and a timer, some 20 µs, so a body of 64 KiB
/// in pieces of one byte would cost a second. In pieces of 64 bytes it still passes.
pub const BODY_PIECES_MAX: u32 = 1_024;

/// The scan of one body. `Debug` shows none of its content.
pub struct BodyScan {
    reader: Reader,
    bytes: Vec<u8>,
    fields: Fields,
    is_read: bool,
}

#[derive(Debug)]
enum Reader {
    Urlencoded(Urlencoded),
    Multipart(Multipart),
    Json(JsonDocument),
}

impl core::fmt::Debug for BodyScan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { reader, bytes, fields, is_read } = self;
        let members = (reader, bytes.len(), fields, is_read);
        f.debug_tuple("BodyScan").field(&members).finish()
    }
}

impl BodyScan {
    /// Starts the scan of a request's body. Returns `None` if the rule names no field that such a
    /// body could hold.
    pub fn of(request: &Request<'_>, places: &[Place]) -> Option<Self> {
        Self::start(request, places).ok()
    }

    /// Returns the reason why a body is not scanned, although the rule names a field; `None` if the
    /// request announces no body.
    pub fn obstacle(request: &Request<'_>, places: &[Place]) -> Option<Unscanned> {
        Self::start(request, places).err().flatten()
    }

    fn start(request: &Request<'_>, places: &[Place]) -> Result<Self, Option<Unscanned>> {
        if !places.iter().any(Place::is_in_body) || matches!(request.method, "GET" | "HEAD") {
            return Err(None);
        }
        let content_type = request.headers.find("content-type").ok_or(None)?;
        let encoding = request.headers.find("content-encoding").unwrap_or("identity");
        if !encoding.trim().eq_ignore_ascii_case("identity") {
            return Err(Some(Unscanned::ContentEncoding));
        }
        let (media_type, parameters) =
            media_type(content_type).ok_or(Some(Unscanned::ContentType))?;
        let reader = match media_type.as_str() {
            "application/x-www-form-urlencoded" => Reader::Urlencoded(Urlencoded::default()),
            "multipart/form-data" => {
                Reader::Multipart(Multipart::new(&parameters).ok_or(Some(Unscanned::Malformed))?)
            }
            "application/json" => Reader::Json(JsonDocument),
            _ => return Err(Some(Unscanned::ContentType)),
        };
        let is_json = matches!(reader, Reader::Json(_));
        let names = places.iter().filter_map(|place| match place {
            Place::Form(name) if !is_json => Some(name.clone()),
            Place::Json(name) if is_json => Some(name.clone()),
            Place::Form(_)
            | Place::Json(_)
            | Place::Authorization
            | Place::ApiKey
            | Place::Query(_)
            | Place::Subprotocol
            | Place::ApiUser(_) => None,
        });
        let mut fields = Fields::of(names.collect());
        let of_user = if is_json { ApiUserPlace::Json } else { ApiUserPlace::Form };
        if places.contains(&Place::ApiUser(of_user)) {
            fields = fields.with_user();
        }
        if fields.is_unwanted() {
            return Err(Some(Unscanned::ContentType));
        }
        Ok(Self { reader, bytes: Vec::new(), fields, is_read: false })
    }

    /// Scans the next chunk.
    pub fn take(&mut self, chunk: &[u8]) {
        if self.is_read {
            return;
        }
        let room = BODY_SCAN_BYTES_MAX.saturating_sub(self.bytes.len());
        let is_beyond = chunk.len() > room;
        self.bytes.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
        self.is_read = self.advance(false) || is_beyond;
        if is_beyond && matches!(self.reader, Reader::Json(_)) {
            self.fields.note_too_large();
        } else if is_beyond {
            self.fields.note(Unscanned::BeyondBound);
        }
    }

    /// Ends the scan at the end of the body.
    pub fn end(&mut self) {
        if !self.is_read {
            self.advance(true);
            self.is_read = true;
        }
    }

    /// Returns `true` if the scan needs no more bytes.
    pub fn is_read(&self) -> bool {
        self.is_read
    }

    /// Returns the fields found.
    pub fn into_fields(self) -> Fields {
        self.fields
    }

    fn advance(&mut self, is_end: bool) -> bool {
        match &mut self.reader {
            Reader::Urlencoded(reader) => reader.advance(&self.bytes, is_end, &mut self.fields),
            Reader::Multipart(reader) => reader.advance(&self.bytes, is_end, &mut self.fields),
            Reader::Json(reader) => reader.advance(&self.bytes, is_end, &mut self.fields),
        }
    }
}

#[cfg(test)]
mod tests;
