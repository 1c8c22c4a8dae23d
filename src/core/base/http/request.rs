//! Defines a request as the core reads it: borrowed text, no JavaScript.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::base::time::UnixMs;

/// The parts of a request that a decision may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Method, as the runtime reports it; its case counts.
    pub method: &'a str,
    /// URL of the request.
    pub url: Url<'a>,
    /// All headers, or those of [`NAMED`].
    pub headers: Headers<'a>,
    /// Time of arrival, Unix ms.
    pub arrived: UnixMs,
}

/// The parts of an absolute URL that the runtime has serialised (WHATWG URL): scheme and host in
/// lower case, dot segments resolved, no fragment, no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// Scheme, host and port, as in `https://host:8443`.
    pub origin: &'a str,
    /// Host without port, and without a dot at its end; IPv6 in brackets.
    pub host: &'a str,
    /// Path, beginning with `/`; `*` for the asterisk form of a request (RFC 9112 §3.2.4).
    pub path: &'a str,
    /// Query without the `?`; `None` if the URL has no `?`.
    pub query: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Splits a serialised URL; `None` if the text is not an absolute URL with a host.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = match rest.strip_suffix('*') {
            // The runtime writes the target `*` right behind the authority.
            Some(authority) if authority_end == rest.len() => (authority, "*"),
            _ => rest.split_at_checked(authority_end)?,
        };
        let origin_end = scheme.len().checked_add(3)?.checked_add(authority.len())?;
        let origin = text.get(..origin_end)?;
        let host = match authority.rfind(':') {
            Some(colon) if !authority.ends_with(']') => authority.get(..colon)?,
            _ => authority,
        };
        // A name with a dot at its end is the same name (RFC 1034 §3.1).
        let host = host.strip_suffix('.').unwrap_or(host);
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        (!host.is_empty() && !authority.contains('@')).then_some(Self { origin, host, path, query })
    }

    /// Returns `true` if host and port have their plain form. Check this for a URL that a person
    /// typed, because no URL parser has serialised it.
    pub fn has_plain_authority(&self) -> bool {
        let port = self.after_host();
        self.path != "*" && self.has_plain_host() && (port.is_empty() || is_port(port))
    }

    /// Returns `true` if a server can have this host and port. Check this for the URL of a request,
    /// because the runtime takes both from the header `Host` unchecked. A dot at the end of the
    /// host and an empty port are possible (RFC 3986 §3.2).
    pub fn has_possible_authority(&self) -> bool {
        let rest = self.after_host();
        let port = rest.strip_prefix('.').unwrap_or(rest);
        self.has_plain_host() && (port.is_empty() || port == ":" || is_port(port))
    }

    /// Returns scheme, host and port, the host without a dot at its end.
    pub fn dotless_origin(&self) -> Cow<'a, str> {
        match (self.after_host().strip_prefix('.'), self.origin.split_once("//")) {
            (Some(port), Some((scheme, _))) => [scheme, "//", self.host, port].concat().into(),
            _ => self.origin.into(),
        }
    }

    /// Returns what follows the host in the authority.
    fn after_host(&self) -> &'a str {
        let authority = self.origin.rsplit('/').next().unwrap_or_default();
        authority.strip_prefix(self.host).unwrap_or_default()
    }

    fn has_plain_host(&self) -> bool {
        let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => self.host.bytes().all(name),
        }
    }

    /// Returns `true` if the host is one of this machine alone (RFC 6761 §6.3).
    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.host == "[::1]"
            || self.host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
    }

    /// Returns `true` if requests to this URL are protected on their way: they use TLS, or do not
    /// leave the machine.
    pub fn is_confidential(&self) -> bool {
        self.origin.starts_with("https://")
            || (self.origin.starts_with("http://") && self.is_loopback())
    }
}

/// Returns `true` for a colon and a port's number.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// Names of the headers that most decisions need. The entry script reads the others only if a
/// decision asks for them.
pub const NAMED: [&str; 5] =
    ["authorization", "x-api-key", "cf-connecting-ip", "cf-connecting-ipv6", "origin"];

/// Headers, flattened by the entry script as `name\nvalue\nname\nvalue…`. The runtime gives names
/// in lower case, joins repeated ones by `, `, and lets no line break into a value (RFC 9110 §5.5).
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    flat: &'a str,
    is_whole: bool,
}

impl<'a> Headers<'a> {
    /// Takes the flattened text of all headers.
    pub fn new(flat: &'a str) -> Self {
        Self { flat, is_whole: true }
    }

    /// Takes the flattened text of those headers of [`NAMED`] that the request has.
    pub fn named(flat: &'a str) -> Self {
        Self { flat, is_whole: false }
    }

    /// Returns `true` if these are all headers of the request.
    pub fn is_whole(self) -> bool {
        self.is_whole
    }

    /// Returns the headers at hand, in the runtime's order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut parts = self.flat.split('\n');
        core::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// Returns the value of the header of this lower-case name.
    pub fn find(self, name: &str) -> Option<&'a str> {
        debug_assert!(self.is_whole || NAMED.contains(&name), "{name} was not read");
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

impl core::fmt::Debug for Headers<'_> {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_where_the_runtime_serialised_them() {
        for (text, origin, host, path, query) in [
            (
                "http://api.localhost:8787/a/b?c=d?e",
                "http://api.localhost:8787",
                "api.localhost",
                "/a/b",
                Some("c=d?e"),
            ),
            ("https://x.example/", "https://x.example", "x.example", "/", None),
            ("https://x.example?q", "https://x.example", "x.example", "/", Some("q")),
            (
                "https://[2001:db8::1]:8443/a:b",
                "https://[2001:db8::1]:8443",
                "[2001:db8::1]",
                "/a:b",
                None,
            ),
            ("https://[2001:db8::1]/", "https://[2001:db8::1]", "[2001:db8::1]", "/", None),
            ("https://x.example/a?", "https://x.example", "x.example", "/a", Some("")),
            ("https://x.example./a", "https://x.example.", "x.example", "/a", None),
            ("https://x.example.:8443/", "https://x.example.:8443", "x.example", "/", None),
            ("https://x.example*", "https://x.example", "x.example", "*", None),
            ("https://x.example:8443*", "https://x.example:8443", "x.example", "*", None),
            ("https://x.example/*", "https://x.example", "x.example", "/*", None),
            ("https://x.example?a*", "https://x.example", "x.example", "/", Some("a*")),
        ] {
            assert_eq!(Url::parse(text), Some(Url { origin, host, path, query }), "{text}");
        }
        for bad in [
            "",
            "/a",
            "x.example/a",
            "https://",
            "https:///a",
            "https://./a",
            "https://*",
            "https://user@x.example/",
            "https://x.example:password@y.example/",
        ] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    /// Each row: plain, as a person may type it; possible, as a client may send it; confidential.
    #[test]
    fn authorities_with_near_misses() {
        for (text, expected) in [
            ("https://x.example/", [true, true, true]),
            ("https://x.example:65535/", [true, true, true]),
            ("https://x.example./", [false, true, true]),
            ("https://x.example.:8443/", [false, true, true]),
            ("https://x.example:/", [false, true, true]),
            ("https://x.example:0/", [false, false, true]),
            ("https://x.example:65536/", [false, false, true]),
            ("https://x.example:99999/", [false, false, true]),
            ("https://x.example:http/", [false, false, true]),
            ("https://x.example:+1/", [false, false, true]),
            ("https://x.example*", [false, true, true]),
            ("https://x*y.example/", [false, false, true]),
            ("https://a b/", [false, false, true]),
            ("https://[::1]:8443/", [true, true, true]),
            ("https://[x]/", [false, false, true]),
            ("http://x.example/", [true, true, false]),
            ("http://localhost:8787/", [true, true, true]),
            ("http://localhost.:8787/", [false, true, true]),
            ("http://api.localhost/", [true, true, true]),
            ("http://apilocalhost/", [true, true, false]),
            ("http://localhost.example/", [true, true, false]),
            ("http://127.0.0.1/", [true, true, true]),
            ("http://127.8.8.8/", [true, true, true]),
            ("http://127.0.0.1.example/", [true, true, false]),
            ("http://128.0.0.1/", [true, true, false]),
            ("http://[::1]/", [true, true, true]),
            ("http://[::2]/", [true, true, false]),
            ("ftp://localhost/", [true, true, false]),
        ] {
            let url = Url::parse(text).unwrap();
            let found =
                [url.has_plain_authority(), url.has_possible_authority(), url.is_confidential()];
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn an_origin_is_written_without_the_dot_of_its_host() {
        for (text, expected) in [
            ("https://x.example./a.", "https://x.example"),
            ("https://x.example.:8443/", "https://x.example:8443"),
            ("https://x.example..", "https://x.example."),
            ("https://x.example:8443/", "https://x.example:8443"),
        ] {
            assert_eq!(Url::parse(text).unwrap().dotless_origin(), expected, "{text}");
        }
    }

    #[test]
    fn headers_are_read_from_the_flat_text_and_debug_shows_no_value() {
        let headers = Headers::new("authorization\nBearer x\nempty\n\ncookie\na=b");
        assert_eq!(headers.find("authorization"), Some("Bearer x"));
        assert_eq!(headers.find("empty"), Some(""));
        assert_eq!(headers.find("cookie"), Some("a=b"));
        assert_eq!(headers.find("Bearer x"), None);
        assert_eq!(Headers::new("").find(""), None);
        assert_eq!(format!("{headers:?}"), r#"["authorization", "empty", "cookie"]"#);
    }
}
