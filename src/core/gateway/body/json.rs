//! `application/json` (RFC 8259): the members of the outermost object, once all of it is there.

use core::ops::Range;

use serde::de::IgnoredAny;

use super::Fields;

/// A body that counts as a whole.
#[derive(Debug)]
pub struct Json;

/// A member of the outermost object, by its places in the text.
#[derive(Debug)]
struct Member {
    name: Range<usize>,
    value: Range<usize>,
}

impl Json {
    /// Looks at all of it, once it is there. Whether no more is of interest.
    pub fn advance(&mut self, bytes: &[u8], is_end: bool, fields: &mut Fields) -> bool {
        if is_end {
            let text = core::str::from_utf8(bytes).ok();
            look(text.filter(|text| is_json(text)).unwrap_or_default(), fields);
        }
        is_end
    }
}

/// The whole grammar is checked first, without recursion, so that what walks over it may rely on
/// it.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn look(text: &str, fields: &mut Fields) {
    let slice = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
    let is_wanted = |member: &Member, fields: &Fields| {
        serde_json::from_str::<String>(slice(&member.name)).is_ok_and(|name| fields.wants(&name))
    };
    let members: Vec<Member> = Members::of(text).collect();
    let mut earlier: Vec<&Member> = Vec::new();
    let mut kept_end = None;
    for member in &members {
        if !is_wanted(member, fields) {
            // Each goes with what comes before the next that stays, the comma after it included.
            if let Some(first) = earlier.first() {
                fields.cut(first.name.start..member.name.start);
            }
            earlier.clear();
            kept_end = Some(member.value.end);
            continue;
        }
        let value = slice(&member.value);
        // What is no text is no key either, and is refused as what it is.
        fields.add(serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()));
        earlier.push(member);
    }
    // The last go with what comes after the last that stays, the comma before them included.
    if let (Some(first), Some(last)) = (earlier.first(), earlier.last()) {
        fields.cut(kept_end.unwrap_or(first.name.start)..last.value.end);
    }
}

/// The members of the outermost object of a text that is known to be JSON; none if that is no
/// object.
struct Members<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Self {
        let mut members = Self { bytes: text.as_bytes(), at: 0 };
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

    /// Over a string, from its first quote.
    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.step();
        while let Some(byte) = self.byte() {
            self.step();
            match byte {
                b'"' => break,
                // Whatever is escaped, it is no end.
                b'\\' => self.step(),
                _ => {}
            }
        }
        start..self.at
    }

    /// Over a value, up to the blank, comma or bracket after it.
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

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
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
        // The colon.
        self.step();
        self.skip_blanks();
        Some(Member { name, value: self.value() })
    }
}
