//! One normalised path: what a rule is matched against is what the origin gets, byte for byte.
//!
//! An origin that decodes `/%61dmin` to `/admin` must not be reached past the rule for `/admin`. So escapes of unreserved
//! characters are decoded (RFC 3986 §6.2.2.2), other escapes get upper-case digits (§6.2.2.1), and whatever servers are known
//! to read in two ways is refused: encoded slashes and backslashes, backslashes, `;` (path parameters), `//`, dot segments, NUL.

use std::borrow::Cow;

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// `%` without two hex digits.
    #[error("the path has a % that is not followed by two hex digits")]
    BadEscape,
    /// `%2f`, `%5c`, `%00`.
    #[error("the path has an encoded slash, backslash or NUL")]
    EncodedSeparator,
    /// `\`, `;`, a blank, a control character or a byte beyond ASCII.
    #[error("the path has a character that servers read in different ways")]
    Ambiguous,
    /// `//`.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `.` or `..`.
    #[error("the path has a dot segment")]
    DotSegment,
}

/// Normalises a path.
///
/// # Errors
/// A [`PathError`] for the first thing that is read in two ways. What is returned normalises to itself.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let ambiguous = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b';');
    if path.bytes().any(ambiguous) {
        return Err(PathError::Ambiguous);
    }
    let normal = if path.contains('%') { Cow::Owned(decode(path)?) } else { Cow::Borrowed(path) };
    if normal.contains("//") {
        return Err(PathError::EmptySegment);
    }
    if normal.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(PathError::DotSegment);
    }
    Ok(normal)
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
            b'/' | b'\\' | 0 => return Err(PathError::EncodedSeparator),
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => normal.push(char::from(byte)),
            _ => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
            }
        }
        normal.push_str(rest);
    }
    Ok(normal)
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
            ("/a%2fb".replace("2f", "25").as_str(), "/a%25b"),
            ("/%2561", "/%2561"),
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
            ("/a/%2e%2e/b", PathError::DotSegment),
            ("/a/.%2e", PathError::DotSegment),
            ("/a/../b", PathError::DotSegment),
            ("/./a", PathError::DotSegment),
            ("/a/.", PathError::DotSegment),
            ("/%", PathError::BadEscape),
            ("/%4", PathError::BadEscape),
            ("/%zz", PathError::BadEscape),
            ("/%+1", PathError::BadEscape),
            ("/%é", PathError::Ambiguous),
        ] {
            assert_eq!(normalise(path), Err(expected), "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normal_stays(path in "/([a-z.%/;\\\\~]|%[0-9a-fA-F]{2}|\\PC){0,20}") {
            if let Ok(normal) = normalise(&path) {
                let again = normalise(&normal);
                prop_assert_eq!(again.as_deref(), Ok(&*normal));
            }
        }
    }
}
