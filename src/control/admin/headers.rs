//! Headers that the console's routes require.

use claviger_core::base::http::request::Headers;
use claviger_core::replication::record::Revision;

use crate::admin::problem::AdminProblem;
use crate::protocol::keys::is_idempotency_key;

/// Reads the revision that a member saw: `If-Match: "12"` (RFC 9110 §13.1.1). One strong tag; no
/// list, no `*`.
///
/// # Errors
/// [`AdminProblem::BadHeader`] if the header is missing or has another form.
pub fn if_match(headers: Headers<'_>) -> Result<Revision, AdminProblem> {
    headers
        .find("if-match")
        .and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'))
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .map(Revision)
        .ok_or(AdminProblem::BadHeader { name: "If-Match" })
}

/// Reads the idempotency key, in the form of [`is_idempotency_key`].
///
/// # Errors
/// [`AdminProblem::BadHeader`] if the header is missing or has another form.
pub fn idempotency_key(headers: Headers<'_>) -> Result<String, AdminProblem> {
    headers
        .find("idempotency-key")
        .filter(|key| is_idempotency_key(key))
        .map(str::to_owned)
        .ok_or(AdminProblem::BadHeader { name: "Idempotency-Key" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_strong_tag_and_nothing_like_it() {
        assert_eq!(if_match(Headers::new("if-match\n\"12\"")), Ok(Revision(12)));
        for bad in [
            "12",
            "\"\"",
            "\"-1\"",
            "\"+1\"",
            "W/\"12\"",
            "*",
            "\"1\", \"2\"",
            "\"99999999999999999999\"",
        ] {
            assert!(if_match(Headers::new(&format!("if-match\n{bad}"))).is_err(), "{bad}");
        }
        assert!(if_match(Headers::new("")).is_err());
    }

    #[test]
    fn an_idempotency_key_is_short_and_visible() {
        let of = |key: &str| idempotency_key(Headers::new(&format!("idempotency-key\n{key}")));
        assert_eq!(of("a-1"), Ok("a-1".into()));
        assert!(of(&"a".repeat(64)).is_ok());
        for bad in ["", " ", "a b", "é", "a\tb", &"a".repeat(65)] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
