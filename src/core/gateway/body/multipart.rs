//! Scans `multipart/form-data` (RFC 7578) up to the first file, with the grammar of RFC 2046
//! §5.1.1.
//!
//! ```text
//! --boundary CRLF  headers CRLF CRLF  content CRLF --boundary CRLF  …  CRLF --boundary--
//! ```
//!
//! No library fits: the existing ones return the content of parts but not their positions, and need
//! the whole body.

use super::fields::{Fields, Unscanned, WantedField};
use super::media_type::{BLANKS, is_token, parameters};

/// Longest boundary, in bytes (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

const LINE_END: &[u8] = b"\r\n";

/// The progress of the scan.
#[derive(Debug)]
pub struct Multipart {
    /// The bytes `CRLF --boundary`.
    delimiter: Vec<u8>,
    at: At,
    /// Offset at which the next search starts, in bytes.
    searched: usize,
}

/// The position in the body; offsets count from the body's beginning.
#[derive(Clone, Copy, Debug)]
enum At {
    /// Before the first delimiter.
    Preamble,
    /// After a delimiter: its dashes begin at `part`, and it ends at `line`.
    Line { part: usize, line: usize },
    /// In the headers, which begin with the line end at `head`.
    Head { part: usize, head: usize },
    /// In the content, which begins at `content`.
    Content { part: usize, content: usize, wanted: Option<WantedField> },
    /// At the end of the scanned range.
    Done,
}

/// The kind of a part, by its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Wanted(WantedField),
    Other,
    /// A file, or a part with ambiguous headers: the scan ends here.
    Unread,
}

impl Multipart {
    /// Starts the scan for a `Content-Type` with these parameters. Returns `None` if they name no
    /// boundary, several, or a malformed one.
    pub fn new(parameters: &[(String, String)]) -> Option<Self> {
        let mut named = parameters.iter().filter(|(name, _)| name == "boundary");
        let (Some((_, boundary)), None) = (named.next(), named.next()) else { return None };
        let is_right = (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len())
            && boundary
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte))
            && !boundary.ends_with(' ');
        let delimiter = [LINE_END, b"--", boundary.as_bytes()].concat();
        is_right.then_some(Self { delimiter, at: At::Preamble, searched: 0 })
    }

    /// Continues the scan; `bytes` is the whole body so far. Returns `true` if the scan needs no
    /// more bytes.
    pub fn advance(&mut self, bytes: &[u8], is_end: bool, fields: &mut Fields) -> bool {
        // The loop ends: each step advances, or returns `None` for lack of bytes.
        while let Some(next) = self.step(bytes, fields) {
            self.at = next;
            if matches!(next, At::Done) {
                return true;
            }
        }
        if is_end && !bytes.is_empty() {
            // The last delimiter is missing.
            fields.note(Unscanned::Malformed);
        }
        is_end
    }

    fn step(&mut self, bytes: &[u8], fields: &mut Fields) -> Option<At> {
        match self.at {
            At::Preamble => self.preamble(bytes),
            At::Line { part, line } => self.line(bytes, part, line, fields),
            At::Head { part, head } => self.head(bytes, part, head, fields),
            At::Content { part, content, wanted } => {
                let dashes = self.delimiter.get(LINE_END.len()..)?;
                let begun = bytes.get(content..).unwrap_or_default();
                if begun.starts_with(dashes) {
                    // Parsers disagree here: some read a delimiter, some read content.
                    fields.note(Unscanned::Malformed);
                    return Some(At::Done);
                }
                let end = self.find(bytes)?;
                let next = end.saturating_add(LINE_END.len());
                if let Some(wanted) = wanted {
                    let value = bytes.get(content..end).unwrap_or_default();
                    fields.add(wanted, String::from_utf8_lossy(value).into_owned());
                }
                if wanted.is_some_and(WantedField::is_cut) {
                    fields.cut(part..next);
                }
                Some(self.after(next, end))
            }
            At::Done => Some(At::Done),
        }
    }

    fn preamble(&mut self, bytes: &[u8]) -> Option<At> {
        let dashes = self.delimiter.get(LINE_END.len()..)?;
        if self.searched == 0 && bytes.starts_with(dashes) {
            return Some(At::Line { part: 0, line: dashes.len() });
        }
        let found = self.find(bytes)?;
        Some(self.after(found.saturating_add(LINE_END.len()), found))
    }

    /// Returns the position after the delimiter found at `at`, whose dashes begin at `part`.
    fn after(&mut self, part: usize, at: usize) -> At {
        At::Line { part, line: at.saturating_add(self.delimiter.len()) }
    }

    /// Reads the rest of the delimiter's line: only blanks, or two dashes after the last part.
    fn line(&mut self, bytes: &[u8], part: usize, line: usize, fields: &mut Fields) -> Option<At> {
        let from = self.searched.max(line);
        let rest = bytes.get(from..).unwrap_or_default();
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let head = from.saturating_add(blanks);
        let [first, second, ..] = *bytes.get(head..).unwrap_or_default() else {
            self.searched = head;
            return None;
        };
        self.searched = head;
        if [first, second] == LINE_END {
            return Some(At::Head { part, head });
        }
        if [first, second] != *b"--" {
            fields.note(Unscanned::Malformed);
        }
        Some(At::Done)
    }

    /// Reads the headers, up to the empty line.
    fn head(&mut self, bytes: &[u8], part: usize, head: usize, fields: &mut Fields) -> Option<At> {
        const EMPTY_LINE: &[u8] = b"\r\n\r\n";
        let end = self.find_from(bytes, EMPTY_LINE)?;
        let content = end.saturating_add(EMPTY_LINE.len());
        let lines = bytes.get(head..end).unwrap_or_default();
        self.searched = content;
        let lines = String::from_utf8_lossy(lines);
        Some(match classify(&lines, fields) {
            Part::Wanted(wanted) => At::Content { part, content, wanted: Some(wanted) },
            Part::Other => At::Content { part, content, wanted: None },
            Part::Unread => {
                let is_file = lines.to_ascii_lowercase().contains("filename");
                fields.note(if is_file { Unscanned::AfterFile } else { Unscanned::Malformed });
                At::Done
            }
        })
    }

    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let delimiter = core::mem::take(&mut self.delimiter);
        let found = self.find_from(bytes, &delimiter);
        self.delimiter = delimiter;
        found
    }

    /// Finds `needle`, which begins with a carriage return, at or after `self.searched`. Returns
    /// its offset, or `None` if more bytes are needed. Moves `self.searched` past the bytes it
    /// examined.
    fn find_from(&mut self, bytes: &[u8], needle: &[u8]) -> Option<usize> {
        match find_line_end(bytes.get(self.searched..).unwrap_or_default(), needle) {
            Some(offset) => {
                let at = self.searched.saturating_add(offset);
                self.searched = at.saturating_add(needle.len());
                Some(at)
            }
            None => {
                let overlap = needle.len().saturating_sub(1);
                self.searched = self.searched.max(bytes.len().saturating_sub(overlap));
                None
            }
        }
    }
}

/// Returns the offset of a needle that begins with a carriage return.
///
/// The time is linear whatever the bytes: a boundary has no other carriage return (RFC 2046
/// §5.1.1), so no two comparisons read the same byte for long.
fn find_line_end(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let mut returns = memchr::memchr_iter(b'\r', bytes);
    returns.find(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(needle)))
}

/// Classifies a part. `lines` begins with the end of the delimiter's line.
fn classify(lines: &str, fields: &Fields) -> Part {
    let mut disposition = None;
    let mut lines = lines.split('\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        // Each line but the last still has its carriage return.
        let line = if lines.peek().is_some() { line.strip_suffix('\r') } else { Some(line) };
        let Some((name, value)) = line.and_then(|line| line.split_once(':')) else {
            return Part::Unread;
        };
        // This also refuses a folded line, which begins with a blank and so has no token as its
        // name.
        if !is_token(name) || value.contains(['\r', '\n', '\0']) {
            return Part::Unread;
        }
        let value = value.trim_matches(BLANKS);
        if name.eq_ignore_ascii_case("content-disposition") && disposition.replace(value).is_some()
        {
            return Part::Unread;
        }
        // RFC 7578 §4.3 forbids files nested in a part; older clients send them.
        let is_nested =
            value.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
        if name.eq_ignore_ascii_case("content-type") && is_nested {
            return Part::Unread;
        }
    }
    name_of(disposition.unwrap_or_default())
        .map_or(Part::Unread, |name| fields.wants(&name).map_or(Part::Other, Part::Wanted))
}

/// Returns the name of a field; `None` for a file, or if the name is missing, repeated or extended
/// (`name*`).
fn name_of(disposition: &str) -> Option<String> {
    let (kind, rest) = disposition.split_at(disposition.find(';')?);
    if !kind.trim_matches(BLANKS).eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut name = None;
    for (parameter, value) in parameters(rest)? {
        match parameter.as_str() {
            "name" if name.is_none() => name = Some(value),
            "name" | "name*" | "filename" | "filename*" => return None,
            _ => {}
        }
    }
    name
}
