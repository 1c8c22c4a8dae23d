//! Parses media types and their parameters (RFC 9110 §8.3.1).

/// Parses a media type, in lower case, and its parameters (RFC 9110 §8.3.1). Returns `None` if it
/// is malformed or ambiguous.
pub fn media_type(value: &str) -> Option<(String, Vec<(String, String)>)> {
    let (media_type, rest) = value.split_at(value.find(';').unwrap_or(value.len()));
    Some((media_type.trim_matches(BLANKS).to_ascii_lowercase(), parameters(rest)?))
}

/// Optional whitespace (RFC 9110 §5.6.3).
pub const BLANKS: [char; 2] = [' ', '\t'];

/// Parses `; name=value; name="value"`, with names in lower case; `None` for anything else. It also
/// refuses a backslash, which some parsers read as an escape and others as a character.
pub fn parameters(text: &str) -> Option<Vec<(String, String)>> {
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

/// Returns `true` if the text is a token (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}
