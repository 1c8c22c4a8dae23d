//! Writes the headers that identify a verified caller to an origin, with a proof that they come
//! from Claviger.
//!
//! A forwarded request carries
//!
//! ```text
//! Claviger-Account: a1B2c3D4
//! Claviger-Key: a1B2c3D47Hq0p2Zx9K
//! Claviger-Permissions: demo:read demo:write
//! Claviger-Proof: t=1800000000,v1=<64 hex digits>
//! ```
//!
//! and no header of a client's that begins with `Claviger-` or `Claviger_` in any case. Behind a
//! public rule the first three are absent and empty in the proof. The proof is HMAC-SHA-256 under
//! the origin's key over these lines, each ended by a line feed:
//!
//! ```text
//! claviger/origin-proof/1
//! <t, seconds>  <method>  <path with query, as forwarded>  <account>  <key>  <permissions>      (one line each)
//! ```
//!
//! `docs/origin-proof.md` shows an origin how to check it.

use crate::base::http::cookie::COOKIE;
use crate::base::http::request::Headers;
use crate::base::http::response::OnlyReads;
use crate::base::time::UnixMs;
use crate::config::rules::overrides_method;
use crate::credential::keyring::MacKey;
use crate::credential::limits::permission::{Grant, Permissions};
use crate::verify::verification::Verified;

const LABEL: &str = "claviger/origin-proof/1";

/// Returns `true` if a client's header of this lower-case name could pass for one of Claviger's.
/// Some servers read `_` as `-`, and some read any unusual character as `-`.
pub fn is_ours(name: &str) -> bool {
    let is_apart = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    name.strip_prefix("claviger").is_some_and(is_apart)
}

/// The changes to a client's headers on their way to an origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screened {
    /// Headers to remove.
    pub remove: Vec<String>,
    /// New value of `Cookie`; `None` if it stays unchanged or is removed.
    pub cookie: Option<String>,
}

/// Screens a client's headers. It removes headers that could pass for one of Claviger's, the
/// console's cookie, and, if the request may only read, headers that override its method.
pub fn screen(headers: Headers<'_>, OnlyReads(only_reads): OnlyReads) -> Screened {
    let mut screened = Screened::default();
    for (name, value) in headers.iter() {
        if is_ours(name) || (only_reads && overrides_method(name)) {
            screened.remove.push(name.to_owned());
        } else if name == "cookie"
            && let Some(rest) = without_our_cookie(value)
        {
            match rest.is_empty() {
                true => screened.remove.push(name.to_owned()),
                false => screened.cookie = Some(rest),
            }
        }
    }
    screened
}

/// Returns `true` if [`screen`] might change a header of this lower-case name. The entry script
/// makes the same test with [`SUSPECT`].
#[cfg(test)]
fn is_suspect(name: &str) -> bool {
    name.starts_with("claviger") || name.contains("method") || name == "cookie"
}

/// JavaScript regular expression for the names of headers that [`screen`] might change. A request
/// without such a header needs no screening.
pub const SUSPECT: &str = "^claviger|method|^cookie$";

/// Returns the headers that identify the caller to an origin; behind a public rule, the proof
/// alone.
pub fn headers(
    verified: Option<&Verified>,
    method: &str,
    target: &str,
    origin_key: &MacKey,
    now: UnixMs,
) -> Vec<(&'static str, String)> {
    let (account, key, permissions) = match verified {
        Some(verified) => (
            verified.account().to_string(),
            verified.key().to_string(),
            space_separated(verified.permissions()),
        ),
        None => Default::default(),
    };
    let at_s = now.as_ms().div_euclid(1000);
    let statement =
        [LABEL, &at_s.to_string(), method, target, &account, &key, &permissions, ""].join("\n");
    let proof = format!(
        "t={at_s},v1={}",
        base16ct::lower::encode_string(&origin_key.mac(&[statement.as_bytes()]))
    );
    let mut headers = Vec::with_capacity(4);
    if verified.is_some() {
        headers.push(("claviger-account", account));
        headers.push(("claviger-key", key));
        headers.push(("claviger-permissions", permissions));
    }
    headers.push(("claviger-proof", proof));
    headers
}

fn space_separated(permissions: &Permissions) -> String {
    permissions.iter().map(Grant::to_string).collect::<Vec<_>>().join(" ")
}

/// Returns a `Cookie` header (RFC 6265 §4.2.1) without the console's cookie; `None` if it does not
/// contain that cookie. If the cookie stands in a form that no browser writes, the result is empty.
pub fn without_our_cookie(header: &str) -> Option<String> {
    let ours = |pair: &&str| pair.split('=').next().is_some_and(|name| name.trim() == COOKIE);
    let pairs = || header.split(';').map(str::trim);
    let names_it = |text: &str| {
        let mut windows = text.as_bytes().windows(COOKIE.len());
        windows.any(|window| window.eq_ignore_ascii_case(COOKIE.as_bytes()))
    };
    if !names_it(header) {
        return None;
    }
    let rest = pairs().filter(|pair| !ours(pair)).collect::<Vec<_>>().join("; ");
    Some(if names_it(&rest) { String::new() } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_our_headers_is_ours() {
        for name in ["claviger-account", "claviger_account", "claviger-x", "claviger_", "claviger"]
        {
            assert!(is_ours(name), "{name}");
        }
        for name in ["claviger.account", "claviger~account", "claviger*"] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["clavigerx", "x-claviger-account", "claviger2", ""] {
            assert!(!is_ours(name), "{name}");
        }
    }

    /// The entry script screens nothing else: a header that is missing here would reach an origin.
    #[test]
    fn whatever_is_screened_is_suspect() {
        let own = ["claviger", "claviger-edge", "claviger_key", "claviger.x", "cookie"];
        let overriding = ["x-http-method-override", "x_http_method", "x-method-override"];
        for name in own.into_iter().chain(overriding) {
            let flat = format!("{name}\n{COOKIE}=x");
            let screened = screen(Headers::new(&flat), OnlyReads(true));
            assert_ne!(screened, Screened::default(), "{name}");
            assert!(is_suspect(name), "{name}");
        }
        for name in ["accept", "x-clavigera", "authorization"] {
            let flat = format!("{name}\nx");
            assert_eq!(screen(Headers::new(&flat), OnlyReads(true)), Screened::default(), "{name}");
        }
        assert_eq!(SUSPECT, "^claviger|method|^cookie$", "`is_suspect` says the same");
    }

    #[test]
    fn our_cookie_is_cut_out_and_others_stay() {
        for (header, expected) in [
            ("a=b", None),
            ("", None),
            ("a=b, __Host-claviger=x", Some("")),
            ("\"__Host-claviger\"=x; a=b", Some("")),
            ("__host-claviger=x", Some("")),
            ("a=__Host-claviger", Some("")),
            ("__Host-claviger=x", Some("")),
            ("a=b; __Host-claviger=x; c=d", Some("a=b; c=d")),
            ("a=b;__Host-claviger=x;c=d", Some("a=b; c=d")),
            ("__Host-claviger=x; __Host-claviger=y", Some("")),
            ("__Host-claviger", Some("")),
        ] {
            assert_eq!(without_our_cookie(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn an_anonymous_proof_is_pinned() {
        let key = MacKey::new(&[7; 32]);
        let written = headers(None, "GET", "/a?b=c", &key, UnixMs::from_ms(1_800_000_000_999));
        let expected = base16ct::lower::encode_string(
            &key.mac(&[b"claviger/origin-proof/1\n1800000000\nGET\n/a?b=c\n\n\n\n"]),
        );
        assert_eq!(written, [("claviger-proof", format!("t=1800000000,v1={expected}"))]);
    }
}
