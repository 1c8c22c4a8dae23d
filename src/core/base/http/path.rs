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
//! - escapes of escapes, and escapes that are not UTF-8;
//! - characters that some servers [read as one of these](crate::base::http::lookalike), such as a
//!   full-width slash;
//! - `:$`, which names another stream of the same file on Windows (`/a::$DATA`).
//!
//! A server may also drop dots and blanks at the end of a segment, as Windows does, or read `ａ` as
//! `a`. Honest paths contain both. So the gateway refuses such a path only if another rule holds
//! for that [`lenient`] reading.
//!
//! Rules are matched against the fully [`decoded`] path, so that a rule reads `/%24batch` as
//! `/$batch`, as an origin does.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::base::http::lookalike;

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
    /// A `%25`, or its look-alike, precedes two hex digits: the meaning depends on how often a
    /// server decodes.
    #[error("the path has an escape of an escape")]
    EscapedTwice,
    /// The path contains `\`, `;`, a blank, a control character or a byte beyond ASCII.
    #[error("the path has a character that servers read in different ways")]
    Ambiguous,
    /// The path contains `//`.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// The path contains a segment of dots, such as `.` or `..`, with or without blanks, also in
    /// look-alikes.
    #[error("the path has a dot segment")]
    DotSegment,
    /// The escapes of the path are not UTF-8.
    #[error("the path has escapes that are not UTF-8")]
    NotUtf8,
    /// The path contains a character that some servers read as a slash, backslash or semicolon.
    #[error("the path has a character that some servers read as a slash, backslash or semicolon")]
    Lookalike,
    /// The path contains `:$`, which names another stream of the same file on Windows.
    #[error("the path has :$, which names another stream of the same file on some servers")]
    Stream,
    /// Another rule holds for the [`lenient`] reading of the path. The gateway finds this, not
    /// [`normalise`].
    #[error("some servers read the path as one that another rule decides about")]
    OtherRule,
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
    if normal.as_bytes().windows(2).any(|pair| pair == b"//") {
        return Err(PathError::EmptySegment);
    }
    refuse_lookalikes(&decoded(&normal))?;
    Ok(normal)
}

/// Refuses a decoded path that a server with a wider notion of slashes, dots or escapes reads as
/// another one.
fn refuse_lookalikes(text: &str) -> Result<(), PathError> {
    if text.contains(lookalike::is_separator) {
        return Err(PathError::Lookalike);
    }
    let text = lookalike::fold(text);
    if text.split('%').skip(1).any(begins_with_hex) {
        return Err(PathError::EscapedTwice);
    }
    if text.split('/').any(is_of_dots) {
        return Err(PathError::DotSegment);
    }
    if text.contains(":$") {
        return Err(PathError::Stream);
    }
    Ok(())
}

/// Returns `true` for the segments `.` and `..`, and for a segment that mixes dots with blanks.
/// Some file systems drop blanks at the end of a name, so `..%20` is `..` there.
fn is_of_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
        || (segment.contains('.')
            && segment.contains(' ')
            && segment.bytes().all(|byte| matches!(byte, b'.' | b' ')))
}

/// Returns the path that a lenient server reads in place of a normalised one, decoded: without dots
/// and blanks at the end of its segments, with full-width characters in ASCII, and up to an escaped
/// `?` or `#`. Returns `None` if it reads the same path.
pub fn lenient(normal: &str) -> Option<String> {
    let text = decoded(normal);
    let folded = lookalike::fold(&text);
    // Servers that decode a path before they split off the query cut it here.
    let folded = folded.split(['?', '#']).next().unwrap_or_default();
    let is_cut = |segment: &str| segment.ends_with(ENDS_CUT);
    if folded == text && !folded.split('/').any(is_cut) {
        return None;
    }
    let segments = folded.split('/').map(|segment| segment.trim_end_matches(ENDS_CUT));
    let path = segments
        .filter(|segment| !segment.is_empty())
        .fold(String::new(), |path, segment| path + "/" + segment);
    Some(if path.is_empty() { "/".to_owned() } else { path })
}

/// Characters that Windows drops at the end of a name.
const ENDS_CUT: [char; 2] = ['.', ' '];

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
            ("/v1/items:batchGet", "/v1/items:batchGet"),
            ("/v1/root:/a/b:/children", "/v1/root:/a/b:/children"),
            ("/Products(1)/$value", "/Products(1)/$value"),
            ("/Acme%20Inc.", "/Acme%20Inc."),
            ("/%E6%9D%B1%E4%BA%AC%E3%80%82%EF%BC%9A", "/%E6%9D%B1%E4%BA%AC%E3%80%82%EF%BC%9A"),
            ("/%EF%BC%A1%EF%BC%8E", "/%EF%BC%A1%EF%BC%8E"),
            ("/50%EF%BC%85", "/50%EF%BC%85"),
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
            ("/a%EF%BC%8Fb", PathError::Lookalike),
            ("/a%e2%81%84b", PathError::Lookalike),
            ("/a%E2%88%95b", PathError::Lookalike),
            ("/a%E2%A7%B8b", PathError::Lookalike),
            ("/a%EF%BC%BCb", PathError::Lookalike),
            ("/a%C2%A5b", PathError::Lookalike),
            ("/a%EF%BC%9Bb", PathError::Lookalike),
            ("/public/%EF%BC%8E%EF%BC%8E/admin", PathError::DotSegment),
            ("/public/%E2%80%A5/admin", PathError::DotSegment),
            ("/public/.%E2%80%A4/admin", PathError::DotSegment),
            ("/public/..%C2%A0/admin", PathError::DotSegment),
            ("/public/..%E3%80%80/admin", PathError::DotSegment),
            ("/public/.%E2%80%8D./admin", PathError::DotSegment),
            ("/%EF%BC%8561dmin", PathError::EscapedTwice),
            ("/%EF%BC%85%EF%BC%96%EF%BC%91dmin", PathError::EscapedTwice),
            ("/a.txt::$DATA", PathError::Stream),
            ("/a.txt::%24data", PathError::Stream),
            ("/admin:$i30:$INDEX_ALLOCATION/a", PathError::Stream),
            ("/a%EF%BC%9A%EF%BC%84DATA", PathError::Stream),
        ] {
            assert_eq!(normalise(path), Err(expected), "{path}");
        }
    }

    #[test]
    fn a_lenient_server_reads_another_path() {
        for (path, read) in [
            ("/", None),
            ("/a/b.c/", None),
            ("/%E6%9D%B1%E4%BA%AC/a%20b", None),
            ("/admin.", Some("/admin")),
            ("/admin...", Some("/admin")),
            ("/admin%20", Some("/admin")),
            ("/admin%20.%20/a.", Some("/admin/a")),
            ("/admin%E3%80%80/a", Some("/admin/a")),
            ("/public/.../admin", Some("/public/admin")),
            ("/...", Some("/")),
            ("/%EF%BD%81dmin", Some("/admin")),
            ("/adm%E2%80%8Cin", Some("/admin")),
            ("/adm%E2%80%AAin", Some("/admin")),
            ("/admin.php%3Fx.css", Some("/admin.php")),
            ("/admin%23/x", Some("/admin")),
            ("/admin%EF%BC%9Fx", Some("/admin")),
            ("/%3Fx", Some("/")),
        ] {
            let normal = normalise(path).unwrap();
            assert_eq!(lenient(&normal).as_deref(), read, "{path}");
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
