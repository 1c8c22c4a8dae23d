//! The opening of a request's body: as much of it as may hold a credential, read before the request
//! goes on.
//!
//! A rule may let a credential stand in a form's field (`form:u`) or a JSON document's member
//! (`json:u`). Then the gateway wants to see the body's opening. The core takes the bytes as they
//! come, says when it has seen enough, and names what must not travel on, as places in the bytes;
//! whoever carries the request cuts these out and lets all else pass as it is, unread.
//!
//! | body | what is looked at | what is cut out |
//! | --- | --- | --- |
//! | `application/x-www-form-urlencoded` | the pairs that end within the bound | the pair and one `&` |
//! | `multipart/form-data` (RFC 7578) | the parts before the first file that end within the bound | the part with its delimiter |
//! | `application/json` (RFC 8259) | the members of the outermost object, if all of the body is within the bound | the member and one comma |
//!
//! - The bound is [`OPENING_BYTES_MAX`]. What lies beyond it, or after the first file, is the
//!   origin's alone and counts for nothing here.
//! - Names are compared as they are after unescaping, in ASCII; a `charset` changes nothing. A name
//!   that stands there twice is two credentials, and they must be equal.
//! - A body with a `Content-Encoding` other than `identity` holds no field: it is not unpacked.
//!   Neither does that of GET and HEAD, which has no meaning (RFC 9110 §9.3.1), nor one whose
//!   `Content-Type` is not exactly one of the three.
//! - What is not understood ends the look: what was found before it counts, what comes after is the
//!   origin's. Nobody gets through by a body that two readers read differently: only what is found
//!   here is verified, and only what is verified is told to the origin.
//!
//! Every reader goes over each byte a fixed number of times, however the bytes are cut into chunks.

mod json;
mod multipart;
mod urlencoded;

use core::ops::Range;

use self::json::Json;
use self::multipart::Multipart;
use self::urlencoded::Urlencoded;
use crate::base::http::request::Request;
use crate::base::secret::SecretText;
use crate::base::time::DurationMs;
use crate::config::rules::Place;

/// Most bytes of a body that are read before its request is decided on. Fields beside a file take
/// some hundred; each request that is waited for may hold as many in memory, twice.
pub const OPENING_BYTES_MAX: usize = 64 * 1024;

/// How long the opening may take to arrive. All of it does at 52 kbit/s, and the some hundred bytes
/// that it usually has at any rate.
pub const OPENING_TIME: DurationMs = DurationMs::from_s(10);

/// The reading of one body's opening. Its `Debug` shows none of it.
pub struct Opening {
    reader: Reader,
    bytes: Vec<u8>,
    fields: Fields,
    is_read: bool,
}

/// What an opening held.
#[derive(Debug, Default)]
pub struct Fields {
    /// Names that are looked for.
    names: Vec<String>,
    values: Vec<SecretText>,
    cuts: Vec<Range<usize>>,
    is_too_large: bool,
}

#[derive(Debug)]
enum Reader {
    Urlencoded(Urlencoded),
    Multipart(Multipart),
    Json(Json),
}

impl core::fmt::Debug for Opening {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { reader, bytes, fields, is_read } = self;
        let members = (reader, bytes.len(), fields, is_read);
        f.debug_tuple("Opening").field(&members).finish()
    }
}

impl Opening {
    /// The opening of a request's body. `None`: the places name no field that such a body could
    /// hold.
    pub fn of(request: &Request<'_>, places: &[Place]) -> Option<Self> {
        let is_named = places.iter().any(|place| matches!(place, Place::Form(_) | Place::Json(_)));
        if !is_named || matches!(request.method, "GET" | "HEAD") {
            return None;
        }
        let encoding = request.headers.find("content-encoding").unwrap_or("identity");
        if !encoding.trim().eq_ignore_ascii_case("identity") {
            return None;
        }
        let (media_type, parameters) = media_type(request.headers.find("content-type")?)?;
        let reader = match media_type.as_str() {
            "application/x-www-form-urlencoded" => Reader::Urlencoded(Urlencoded::default()),
            "multipart/form-data" => Reader::Multipart(Multipart::new(&parameters)?),
            "application/json" => Reader::Json(Json),
            _ => return None,
        };
        let is_json = matches!(reader, Reader::Json(_));
        let names = places.iter().filter_map(|place| match place {
            Place::Form(name) if !is_json => Some(name.clone()),
            Place::Json(name) if is_json => Some(name.clone()),
            Place::Form(_)
            | Place::Json(_)
            | Place::Authorization
            | Place::ApiKey
            | Place::Query(_) => None,
        });
        let fields = Fields { names: names.collect(), ..Fields::default() };
        let is_wanted = !fields.names.is_empty();
        is_wanted.then(|| Self { reader, bytes: Vec::new(), fields, is_read: false })
    }

    /// Takes the bytes that follow.
    pub fn take(&mut self, chunk: &[u8]) {
        if self.is_read {
            return;
        }
        let room = OPENING_BYTES_MAX.saturating_sub(self.bytes.len());
        let is_beyond = chunk.len() > room;
        self.bytes.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
        self.is_read = self.advance(false) || is_beyond;
        self.fields.is_too_large = is_beyond && matches!(self.reader, Reader::Json(_));
    }

    /// Notes that the body has ended.
    pub fn end(&mut self) {
        if !self.is_read {
            self.advance(true);
            self.is_read = true;
        }
    }

    /// Whether it has seen enough.
    pub fn is_read(&self) -> bool {
        self.is_read
    }

    /// What was found.
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

impl Fields {
    /// The values of all fields that were looked for, in their order.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(SecretText::expose)
    }

    /// Where they stand: what must not travel on, by its places in the body, in order and apart
    /// from each other.
    pub fn cuts(&self) -> &[Range<usize>] {
        &self.cuts
    }

    /// The body goes beyond the bound, and is of a kind that only counts as a whole.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    fn wants(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| wanted == name)
    }

    fn add(&mut self, value: String) {
        self.values.push(SecretText::new(value));
    }

    /// Cuts out a range that begins where or after the last one ends.
    fn cut(&mut self, range: Range<usize>) {
        match self.cuts.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => self.cuts.push(range),
        }
    }

    /// Cuts out the last of a list, with the one character that parts it from what stays before it.
    fn cut_last(&mut self, range: Range<usize>) {
        let before = match self.cuts.pop() {
            Some(cut) if cut.end == range.start => cut.start,
            Some(cut) => {
                self.cuts.push(cut);
                range.start
            }
            None => range.start,
        };
        self.cut(before.saturating_sub(1)..range.end);
    }
}

/// A media type in lower case, and its parameters (RFC 9110 §8.3.1). `None` for what is none, or
/// can be read in two ways.
fn media_type(value: &str) -> Option<(String, Vec<(String, String)>)> {
    let (media_type, rest) = value.split_at(value.find(';').unwrap_or(value.len()));
    Some((media_type.trim_matches(BLANKS).to_ascii_lowercase(), parameters(rest)?))
}

const BLANKS: [char; 2] = [' ', '\t'];

/// `; name=value; name="value"`, names in lower case. `None` for anything else. A backslash is an
/// escape to some readers and a character to others, so that it is neither here.
fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_matches(BLANKS);
    while !rest.is_empty() {
        rest = rest.strip_prefix(';')?.trim_start_matches(BLANKS);
        if rest.is_empty() {
            break;
        }
        let (name, value) = rest.split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find([';', ' ', '\t']).unwrap_or(value.len())),
        };
        if !is_token(name) || value.contains(['\\', '"']) {
            return None;
        }
        found.push((name.to_ascii_lowercase(), value.to_owned()));
        rest = after.trim_start_matches(BLANKS);
    }
    Some(found)
}

/// Whether a text is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

#[cfg(test)]
mod tests;
