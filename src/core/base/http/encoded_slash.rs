//! Reads paths with encoded slashes (`%2F`), which only some rules let through.
//!
//! Servers disagree on such a path. To one, `%2F` is a character of its segment; to another, which
//! decodes early or twice, it separates segments. So a path has two readings, and a rule decides
//! about it only if it matches both.

use crate::base::http::path::{PathError, normalise};

/// Both readings of a path, normalised.
#[derive(Debug, PartialEq, Eq)]
pub struct EncodedSlashes {
    /// The path with its encoded slashes, as the origin gets it.
    pub encoded: String,
    /// The path in which each encoded slash is a slash.
    pub separated: String,
}

impl EncodedSlashes {
    /// Reads a path.
    ///
    /// # Errors
    /// A [`PathError`] if either reading is ambiguous for another reason. An empty segment and a
    /// segment of dots are refused between slashes of both kinds.
    pub fn read(path: &str) -> Result<Self, PathError> {
        if !path.starts_with('/') {
            return Err(PathError::NotAbsolute);
        }
        let path = path.replace("%2f", "%2F");
        let separated = normalise(&path.replace("%2F", "/"))?.into_owned();
        // Normalising neither adds nor removes a slash, so both readings have the same pieces.
        let mut pieces = separated.split('/');
        let segment = |segment: &str| {
            let count = segment.matches("%2F").count().saturating_add(1);
            pieces.by_ref().take(count).collect::<Vec<_>>().join("%2F")
        };
        let encoded = path.split('/').map(segment).collect::<Vec<_>>().join("/");
        Ok(Self { encoded, separated })
    }

    /// Returns the path by which rules match the first reading: once decoded, `%2F` stands in it as
    /// three characters.
    pub fn opaque(&self) -> String {
        self.encoded.replace("%2F", "%252F")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readings_are_normalised() {
        for (path, encoded, separated) in [
            ("/a%2Fb", "/a%2Fb", "/a/b"),
            ("/a%2fb/c", "/a%2Fb/c", "/a/b/c"),
            ("/x/%61%2F%7eb%2fc/%e3%81%82", "/x/a%2F~b%2Fc/%E3%81%82", "/x/a/~b/c/%E3%81%82"),
            ("/a%2F", "/a%2F", "/a/"),
            ("/a%2Fb/", "/a%2Fb/", "/a/b/"),
            ("/a", "/a", "/a"),
        ] {
            let read = EncodedSlashes::read(path).unwrap();
            assert_eq!((&*read.encoded, &*read.separated), (encoded, separated), "{path}");
        }
    }

    #[test]
    fn what_hides_behind_an_encoded_slash_is_refused() {
        for (path, expected) in [
            ("/a/..%2Fb", PathError::DotSegment),
            ("/a%2F../b", PathError::DotSegment),
            ("/a%2f%2e%2e%2fb", PathError::DotSegment),
            ("/a%2F.%2Fb", PathError::DotSegment),
            ("/a%2F..%20/b", PathError::DotSegment),
            ("/%2Fadmin", PathError::EmptySegment),
            ("/a%2F%2Fb", PathError::EmptySegment),
            ("/a%2F/b", PathError::EmptySegment),
            ("/a%252Fb", PathError::EscapedTwice),
            ("/a%2Fb%255C", PathError::EscapedTwice),
            ("/a%2Fb%5Cc", PathError::EncodedSeparator),
            ("/a%2Fb%3Bc", PathError::EncodedSeparator),
            ("/a%2Fb;c", PathError::Ambiguous),
            ("/a%2Fb%00", PathError::EncodedSeparator),
            ("/a%2Fb%ff", PathError::NotUtf8),
            ("/a%2", PathError::BadEscape),
            ("%2Fa", PathError::NotAbsolute),
        ] {
            assert_eq!(EncodedSlashes::read(path), Err(expected), "{path}");
        }
    }
}
