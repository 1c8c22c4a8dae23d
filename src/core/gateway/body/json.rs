//! Scans `application/json` (RFC 8259): the members of the outermost object, once the whole body
//! has arrived.

use core::ops::Range;

use serde::de::IgnoredAny;

use super::fields::{Fields, Unscanned, WantedField};
use crate::base::json::{Json, unmarked};

/// The scan of a body that is only valid as a whole.
#[derive(Debug)]
pub struct JsonDocument;

/// The byte ranges of one member of the outermost object.
#[derive(Debug)]
struct JsonMember {
    name: Range<usize>,
    value: Range<usize>,
}

impl JsonDocument {
    /// Scans the body once it is complete. Returns `true` if the scan needs no more bytes.
    pub fn advance(&mut self, bytes: &[u8], is_end: bool, fields: &mut Fields) -> bool {
        if is_end {
            let text = core::str::from_utf8(bytes).ok().filter(|text| is_json(unmarked(text)));
            if text.is_none() && !bytes.is_empty() {
                fields.note(Unscanned::Malformed);
            }
            look(text.unwrap_or_default(), fields);
        }
        is_end
    }
}

/// Checks the whole grammar first, without recursion, so that the walk over the members may rely on
/// it.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Returns the string that a JSON text is; `None` for any other value, which is not parsed.
fn string(json: &str) -> Option<String> {
    json.starts_with('"').then(|| Json::parse(json))??.into_text()
}

fn look(text: &str, fields: &mut Fields) {
    let slice = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    let wanted = |member: &JsonMember, fields: &Fields| {
        string(slice(&member.name)).and_then(|name| fields.wants(&name))
    };
    let text_of = |member: &JsonMember| {
        let value = slice(&member.value);
        // A value that is not a string cannot be a key; the gateway refuses its JSON text as
        // malformed. `null` is an empty place.
        let text = string(value).unwrap_or_else(|| value.to_owned());
        if value == "null" { String::new() } else { text }
    };
    let members: Vec<JsonMember> = MemberReader::of(text).collect();
    let mut earlier: Vec<&JsonMember> = Vec::new();
    let mut kept_end = None;
    for member in &members {
        let wanted = wanted(member, fields);
        if let Some(wanted) = wanted {
            fields.add(wanted, text_of(member));
        }
        if !wanted.is_some_and(WantedField::is_cut) {
            // The cut reaches to the next member that stays, so it includes the comma after the
            // removed ones.
            if let Some(first) = earlier.first() {
                fields.cut(first.name.start..member.name.start);
            }
            earlier.clear();
            kept_end = Some(member.value.end);
            continue;
        }
        earlier.push(member);
    }
    // These are the last members: the cut begins after the last one that stays, so it includes the
    // comma before them.
    if let (Some(first), Some(last)) = (earlier.first(), earlier.last()) {
        fields.cut(kept_end.unwrap_or(first.name.start)..last.value.end);
    }
}

/// Iterates over the members of the outermost object of valid JSON text; empty if the text is not
/// an object.
struct MemberReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> MemberReader<'a> {
    fn of(text: &'a str) -> Self {
        let at = text.len().saturating_sub(unmarked(text).len());
        let mut members = Self { bytes: text.as_bytes(), at };
        members.skip_blanks();
        if members.byte() == Some(b'{') {
            members.step();
        } else {
            members.at = members.bytes.len();
        }
        members
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_blanks(&mut self) {
        while self.byte().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    /// Skips a string, starting at its opening quote, and returns its range.
    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.step();
        while let Some(byte) = self.byte() {
            self.step();
            match byte {
                b'"' => break,
                // An escaped byte never ends the string.
                b'\\' => self.step(),
                _ => {}
            }
        }
        start..self.at
    }

    /// Skips a value, up to the blank, comma or bracket after it, and returns its range.
    fn value(&mut self) -> Range<usize> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    self.string();
                    if depth == 0 {
                        break;
                    }
                    continue;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' if depth == 0 => break,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        self.step();
                        break;
                    }
                }
                b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => break,
                _ => {}
            }
            self.step();
        }
        start..self.at
    }
}

impl Iterator for MemberReader<'_> {
    type Item = JsonMember;

    fn next(&mut self) -> Option<JsonMember> {
        self.skip_blanks();
        if self.byte() == Some(b',') {
            self.step();
            self.skip_blanks();
        }
        if self.byte() != Some(b'"') {
            return None;
        }
        let name = self.string();
        self.skip_blanks();
        // Skips the colon.
        self.step();
        self.skip_blanks();
        Some(JsonMember { name, value: self.value() })
    }
}
