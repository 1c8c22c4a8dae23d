//! Normalises paths, so that the path a rule is matched against is byte for byte the path that the
//! origin gets.
//!
//! An origin that decodes `/%61dmin` to `/admin` must not be reachable past the rule for `/admin`.
//! So normalisation decodes escapes of unreserved characters (RFC 3986 §6.2.2.2), and gives other
//! escapes upper-case digits (§6.2.2.1). It refuses everything that servers are known to read in
//! two ways:
//! - slashes, backslashes and `;` (path parameters) in encoded form, and backslashes and `;` in
//!   plain form;
//! - `//`, dot segments and control characters;
//! - escapes of escapes, and escapes that are not UTF-8.
//!
//! Rules are matched against the fully [`decoded`] path, so that a rule reads `/%24batch` as
//! `/$batch`, as an origin does.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The reason why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path does not begin with `/`.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// A `%` is not followed by two hex digits.
    #[error("the path has a % that is not followed by two hex digits")]
    BadEscape,
    /// The path contains `%2f`, `%5c`, `%3b`, `%7f`, or one of `%00` to `%1f`.
    #[error("the path has an encoded slash, backslash, semicolon or control character")]
    EncodedSeparator,
    /// A `%25` precedes two hex digits: the meaning depends on how often a server decodes.
    #[error("the path has an escape of an escape")]
    EscapedTwice,
    /// The path contains `\`, `;`, a blank, a control character or a byte beyond ASCII.
    #[error("the path has a character that servers read in different ways")]
    Ambiguous,
    /// The path contains `//`.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// The path contains a segment of dots, such as `.` or `..`, with or without blanks.
    #[error("the path has a dot segment")]
    DotSegment,
    /// The escapes of the path are not UTF-8.
    #[error("the path has escapes that are not UTF-8")]
    NotUtf8,
}

/// Normalises a path. The result normalises to itself.
///
/// # Errors
/// A [`PathError`] for the first ambiguity found.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let ambiguous = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';');
    if path.bytes().any(ambiguous) {
        return Err(PathError::Ambiguous);
    }
    let normal = if path.contains('%') { Cow::Owned(decode(path)?) } else { Cow::Borrowed(path) };
    let mut escapes = normal.split('%').skip(1);
    if escapes.any(|escape| escape.strip_prefix("25").is_some_and(begins_with_hex)) {
        return Err(PathError::EscapedTwice);
    }
    if normal.as_bytes().windows(2).any(|pair| pair == b"//") {
        return Err(PathError::EmptySegment);
    }
    if normal.split('/').any(is_of_dots) {
        return Err(PathError::DotSegment);
    }
    Ok(normal)
}

/// Returns `true` for the segments `.` and `..`, and for a segment that mixes dots with escaped
/// blanks (`%20`). Some file systems drop blanks at the end of a name, so `..%20` is `..` there.
fn is_of_dots(segment: &str) -> bool {
    match segment {
        "." | ".." => true,
        // Most segments begin with neither `.` nor `%`, so this arm ends the check at once.
        _ if !segment.starts_with(['.', '%']) || !segment.contains('.') => false,
        _ => {
            let mut pieces = segment.split('%');
            let is_of_dots = |piece: &str| piece.bytes().all(|byte| byte == b'.');
            pieces.next().is_some_and(is_of_dots)
                && pieces.next().is_some()
                && segment
                    .split('%')
                    .skip(1)
                    .all(|piece| piece.strip_prefix("20").is_some_and(is_of_dots))
        }
    }
}

fn decode(path: &str) -> Result<String, PathError> {
    let mut normal = String::with_capacity(path.len());
    let mut pieces = path.split('%');
    normal.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(PathError::BadEscape)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(PathError::BadEscape);
        }
        let byte = u8::from_str_radix(digits, 16).map_err(|_| PathError::BadEscape)?;
        match byte {
            b'/' | b'\\' | b';' | 0..=0x1f | 0x7f => return Err(PathError::EncodedSeparator),
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                normal.push(char::from(byte))
            }
            _ => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
            }
        }
        normal.push_str(rest);
    }
    // An overlong escape such as %C0%AE is a dot to some servers.
    if percent_decode_str(&normal).decode_utf8().is_err() {
        return Err(PathError::NotUtf8);
    }
    Ok(normal)
}

fn begins_with_hex(text: &str) -> bool {
    text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2
}

/// Decodes a normalised path as a server does, for comparison with rules. All bytes that are not
/// UTF-8 decode to the same replacement character.
pub fn decoded(normal: &str) -> Cow<'_, str> {
    percent_decode_str(normal).decode_utf8_lossy()
}

/// The characters of a path that a URL has in escaped form only: the path percent-encode set
/// (WHATWG URL §1.3), apart from those that [`normalise`] refuses.
const PATH_ESCAPES: &AsciiSet =
    &QUERY_ESCAPES.remove(b'\'').add(b'^').add(b'`').add(b'{').add(b'}');

/// The characters of a query that an `https` URL has in escaped form only: the special-query
/// percent-encode set (WHATWG URL §1.3).
const QUERY_ESCAPES: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');

/// Writes a path and a query as every URL parser serialises them. The origin's proof covers this
/// text, and the platform sends it: left as they came, `'` or `^` would be escaped only when the
/// request goes on.
pub fn serialise(path: &str, query: Option<&str>) -> String {
    let mut target = utf8_percent_encode(path, PATH_ESCAPES).to_string();
    if let Some(query) = query {
        target.push('?');
        target.extend(utf8_percent_encode(query, QUERY_ESCAPES));
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_spelling_for_each_path() {
        for (path, normal) in [
            ("/", "/"),
            ("/a/b.c~d-e_f", "/a/b.c~d-e_f"),
            ("/%61dmin", "/admin"),
            ("/%7euser/%2Dx", "/~user/-x"),
            ("/a%20b", "/a%20b"),
            ("/%e3%81%82", "/%E3%81%82"),
            ("/a%25", "/a%25"),
            ("/100%25", "/100%25"),
            ("/%25zz", "/%25zz"),
            ("/%24batch", "/%24batch"),
            ("/a/", "/a/"),
            ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="),
            ("/...", "/..."),
            ("/a..b", "/a..b"),
        ] {
            assert_eq!(normalise(path).as_deref(), Ok(normal), "{path}");
        }
    }

    #[test]
    fn what_is_read_in_two_ways_is_refused() {
        for (path, expected) in [
            ("", PathError::NotAbsolute),
            ("a", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("//", PathError::EmptySegment),
            ("/a//b", PathError::EmptySegment),
            ("/a\\b", PathError::Ambiguous),
            ("/a;b", PathError::Ambiguous),
            ("/a b", PathError::Ambiguous),
            ("/a\tb", PathError::Ambiguous),
            ("/é", PathError::Ambiguous),
            ("/a%2fb", PathError::EncodedSeparator),
            ("/a%2Fb", PathError::EncodedSeparator),
            ("/a%5cb", PathError::EncodedSeparator),
            ("/a%5Cb", PathError::EncodedSeparator),
            ("/a%00", PathError::EncodedSeparator),
            ("/public/..%3B/admin", PathError::EncodedSeparator),
            ("/public/..%3bx=1/admin", PathError::EncodedSeparator),
            ("/public/..%09/admin", PathError::EncodedSeparator),
            ("/public/.%0d./admin", PathError::EncodedSeparator),
            ("/a%7F", PathError::EncodedSeparator),
            ("/%2561", PathError::EscapedTwice),
            ("/public/%252e%252e/admin", PathError::EscapedTwice),
            ("/%25%32%65", PathError::EscapedTwice),
            ("/a/%2e%2e/b", PathError::DotSegment),
            ("/a/.%2e", PathError::DotSegment),
            ("/a/../b", PathError::DotSegment),
            ("/./a", PathError::DotSegment),
            ("/a/.", PathError::DotSegment),
            ("/public/..%20/admin", PathError::DotSegment),
            ("/public/%20..%20/admin", PathError::DotSegment),
            ("/public/.%20./admin", PathError::DotSegment),
            ("/public/%c0%ae%c0%ae/admin", PathError::NotUtf8),
            ("/public/%c0%af..%c0%afadmin", PathError::NotUtf8),
            ("/%e0%80%af", PathError::NotUtf8),
            ("/%ff", PathError::NotUtf8),
            ("/caf%e9", PathError::NotUtf8),
            ("/%", PathError::BadEscape),
            ("/%4", PathError::BadEscape),
            ("/%zz", PathError::BadEscape),
            ("/%+1", PathError::BadEscape),
            ("/%é", PathError::Ambiguous),
        ] {
            assert_eq!(normalise(path), Err(expected), "{path}");
        }
    }

    /// The right-hand sides are what Chromium and Node.js print for `new URL`.
    #[test]
    fn a_target_is_written_as_url_parsers_serialise_it() {
        for (path, query, expected) in [
            ("/a", None, "/a"),
            ("/a", Some("b=c&d=%27"), "/a?b=c&d=%27"),
            ("/a", Some("$filter=name%20eq%20'x'"), "/a?$filter=name%20eq%20%27x%27"),
            ("/a^b", Some("a^b"), "/a%5Eb?a^b"),
            ("/a{b}`", Some("a{b}`"), "/a%7Bb%7D%60?a{b}`"),
            ("/a\"<>'", Some("\"<>'"), "/a%22%3C%3E'?%22%3C%3E%27"),
            (
                "/!$&()*+,:=@|[]~",
                Some("!$&()*+,:=@|[]~?/\\"),
                "/!$&()*+,:=@|[]~?!$&()*+,:=@|[]~?/\\",
            ),
        ] {
            assert_eq!(serialise(path, query), expected);
        }
    }

    proptest! {
        #[test]
        fn however_a_character_is_escaped_the_path_means_the_same(path in "/[!-~]{0,12}", which in 0_usize..12) {
            let escaped: String = path
                .char_indices()
                .map(|(place, letter)| {
                    let is_it = place == which + 1 && letter != '/';
                    if is_it { format!("%{:02x}", u32::from(letter)) } else { letter.to_string() }
                })
                .collect();
            if let (Ok(plain), Ok(other)) = (normalise(&path), normalise(&escaped)) {
                prop_assert_eq!(decoded(&plain), decoded(&other));
            }
        }

        #[test]
        fn what_is_normal_stays(path in "/([a-z.%/;\\\\~]|%[0-9a-fA-F]{2}|\\PC){0,20}") {
            if let Ok(normal) = normalise(&path) {
                let again = normalise(&normal);
                prop_assert_eq!(again.as_deref(), Ok(&*normal));
            }
        }
    }
}
