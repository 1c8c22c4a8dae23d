//! The console's cookies, and the check that a request comes from the console's own page.

use claviger_core::base::http::cookie::{BROWSER_COOKIE, COOKIE};
use claviger_core::base::http::request::{Headers, Url};

use crate::protocol::browser::BROWSER_LIFE_MS;
use crate::protocol::token::SESSION_LIFE_MS;

/// Longest lifetime of the session cookie, in seconds. The ledger ends the session by its own
/// clock.
pub const COOKIE_AGE_S: i64 = SESSION_LIFE_MS / 1000;

/// Returns the session token of a request; `None` if it has none or several.
pub fn token(headers: Headers<'_>) -> Option<&str> {
    value_of(COOKIE, headers)
}

/// Returns the mark of the browser that makes a request; `None` if it has none or several.
pub fn browser_mark(headers: Headers<'_>) -> Option<&str> {
    value_of(BROWSER_COOKIE, headers)
}

fn value_of<'a>(wanted: &str, headers: Headers<'a>) -> Option<&'a str> {
    let mut tokens = headers
        .find("cookie")?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value);
    let token = tokens.next()?;
    tokens.next().is_none().then_some(token)
}

/// Returns the `Set-Cookie` header of a session (RFC 6265bis). The prefix `__Host-` binds the
/// cookie to this host (§4.1.3.2), and `Strict` prevents other sites from sending it (§4.1.2.7).
pub fn set_cookie(token: &str) -> String {
    format!("{COOKIE}={token}; Path=/; Max-Age={COOKIE_AGE_S}; Secure; HttpOnly; SameSite=Strict")
}

/// Returns the `Set-Cookie` header that removes the cookie.
pub fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict")
}

/// Returns the `Set-Cookie` header of a browser's mark. It stays when the session ends.
pub fn set_browser_cookie(mark: &str) -> String {
    let age_s = BROWSER_LIFE_MS / 1000;
    format!("{BROWSER_COOKIE}={mark}; Path=/; Max-Age={age_s}; Secure; HttpOnly; SameSite=Strict")
}

/// Returns `true` if a request may have an answer, by the page that made it. A route that has an
/// effect `wants_own_page`. Any other route has an answer unless the browser says that another site
/// asks. SameSite cookies travel with requests of sibling hosts, and even reading costs a ledger
/// call.
pub fn may_ask(headers: Headers<'_>, console_origin: &str, wants_own_page: bool) -> bool {
    if wants_own_page {
        return is_own_page(headers, console_origin);
    }
    match headers.find("origin") {
        Some(_) => is_own_page(headers, console_origin),
        // `none` is a person who typed the address. Programs send no such header.
        None => matches!(headers.find("sec-fetch-site"), None | Some("same-origin" | "none")),
    }
}

/// Returns `true` if the console's own page made the request. `Origin` decides if it is present.
/// Without it, only `Sec-Fetch-Site: same-origin` is accepted (Fetch Metadata §2.3). A request with
/// neither is refused.
fn is_own_page(headers: Headers<'_>, console_origin: &str) -> bool {
    match headers.find("origin") {
        Some(origin) => Url::parse(origin)
            .is_some_and(|url| url.origin == origin && url.dotless_origin() == console_origin),
        None => headers.find("sec-fetch-site") == Some("same-origin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_never_guessed_among_twins() {
        for (flat, expected) in [
            ("cookie\n__Host-claviger=abc", Some("abc")),
            ("cookie\na=b; __Host-claviger=abc; c=d", Some("abc")),
            ("cookie\na=b;__Host-claviger=abc", Some("abc")),
            ("cookie\n__Host-claviger=abc; __Host-claviger=def", None),
            ("cookie\n__Host-claviger2=abc", None),
            ("cookie\n__host-claviger=abc", None),
            ("cookie\n", None),
            ("x\n__Host-claviger=abc", None),
        ] {
            assert_eq!(token(Headers::new(flat)), expected, "{flat}");
        }
    }

    #[test]
    fn another_site_is_not_the_own_page() {
        let own = "https://keys.example.com";
        for (flat, expected) in [
            ("origin\nhttps://keys.example.com", true),
            ("origin\nhttps://keys.example.com.", true),
            ("origin\nhttps://keys.example.com..", false),
            ("origin\nhttps://keys.example.com/", false),
            ("origin\nhttps://keys.example.com:8443", false),
            ("origin\nhttps://keys.example.com\nsec-fetch-site\ncross-site", true),
            ("sec-fetch-site\nsame-origin", true),
            ("origin\nhttps://evil.example\nsec-fetch-site\nsame-origin", false),
            ("origin\nnull", false),
            ("origin\nhttps://keys.example.com.evil.example", false),
            ("origin\nhttp://keys.example.com", false),
            ("sec-fetch-site\nsame-site", false),
            ("sec-fetch-site\nnone", false),
            ("", false),
        ] {
            assert_eq!(is_own_page(Headers::new(flat), own), expected, "{flat}");
        }
    }

    #[test]
    fn another_site_may_not_even_read() {
        let own = "https://keys.example.com";
        for (flat, reads, changes) in [
            ("", true, false),
            ("sec-fetch-site\nnone", true, false),
            ("sec-fetch-site\nsame-origin", true, true),
            ("sec-fetch-site\nsame-site", false, false),
            ("sec-fetch-site\ncross-site", false, false),
            ("sec-fetch-site\nsomething-new", false, false),
            ("origin\nhttps://keys.example.com", true, true),
            ("origin\nhttps://keys.example.com.", true, true),
            ("origin\nhttps://api.example.com", false, false),
            ("origin\nnull", false, false),
            ("origin\nhttps://api.example.com\nsec-fetch-site\nsame-origin", false, false),
        ] {
            let may = |wants_own_page| may_ask(Headers::new(flat), own, wants_own_page);
            assert_eq!((may(false), may(true)), (reads, changes), "{flat}");
        }
    }

    #[test]
    fn the_cookie_s_attributes_are_pinned() {
        assert_eq!(
            set_cookie("abc"),
            "__Host-claviger=abc; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict"
        );
        assert!(clear_cookie().contains("Max-Age=0"));
        assert_eq!(
            set_browser_cookie("abc"),
            "__Host-claviger-browser=abc; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn the_two_cookies_are_told_apart() {
        let both = Headers::new("cookie\n__Host-claviger-browser=b; __Host-claviger=s");
        assert_eq!((token(both), browser_mark(both)), (Some("s"), Some("b")));
        let twins = "cookie\n__Host-claviger-browser=b; __Host-claviger-browser=c";
        assert_eq!(browser_mark(Headers::new(twins)), None);
    }
}
