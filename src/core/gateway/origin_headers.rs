//! Writes the headers that identify a verified caller to an origin, with a proof that they come
//! from Claviger.
//!
//! A forwarded request carries
//!
//! ```text
//! Claviger-Account: a1B2c3D4
//! Claviger-Key: a1B2c3D47Hq0p2Zx9K
//! Claviger-Permissions: demo:read demo:write
//! Claviger-Address: 203.0.113.7
//! Claviger-Proof-2: t=1800000000,n=<16 hex digits>,v2=<64 hex digits>
//! Claviger-Proof: t=1800000000,v1=<64 hex digits>
//! X-Forwarded-For: 203.0.113.7
//! X-Forwarded-Host: api.example.com
//! X-Forwarded-Proto: https
//! ```
//!
//! and no header of a client's that begins with `Claviger-` or `Claviger_` in any case. Behind a
//! public rule the first three are absent and empty in the proof; an address that the platform does
//! not tell is, too. The proof is HMAC-SHA-256 under the origin's key over these lines, each ended
//! by a line feed:
//!
//! ```text
//! claviger/origin-proof/2
//! <t, seconds>  <n>  <method>  <path with query, as forwarded>  <account>  <key>  <permissions>  <address>      (one line each)
//! ```
//!
//! `n` differs from request to request. `Claviger-Proof` is the proof of earlier releases, under
//! the label `claviger/origin-proof/1` and without `n` and the address, for origins that still
//! check it.
//!
//! `docs/origin-proof.md` shows an origin how to check it.

use crate::base::http::cookie::COOKIE;
use crate::base::http::request::{Headers, Url};
use crate::base::http::response::OnlyReads;
use crate::base::time::UnixMs;
use crate::config::rules::overrides_method;
use crate::credential::keyring::MacKey;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::{Grant, Permissions};
use crate::verify::verification::Verified;

const LABEL: &str = "claviger/origin-proof/2";

/// Label of the proof without nonce and address.
const LABEL_1: &str = "claviger/origin-proof/1";

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

/// A request on its way to an origin: the facts that its headers state.
#[derive(Clone, Copy, Debug)]
pub struct Onward<'a> {
    /// Method of the request.
    pub method: &'a str,
    /// Path with query, as forwarded.
    pub target: &'a str,
    /// URL that the client asked for.
    pub public: Url<'a>,
    /// The caller; `None` behind a public rule.
    pub verified: Option<&'a Verified>,
    /// Address of the client, if the platform tells it.
    pub address: Option<ClientAddress>,
    /// Number that no other request has.
    pub nonce: u64,
    /// Time of the proof, Unix ms.
    pub now: UnixMs,
}

impl Onward<'_> {
    /// Returns the headers that identify the caller to an origin, with their proofs, and those by
    /// which servers behind a proxy know what a client asked for.
    pub fn headers(&self, origin_key: &MacKey) -> Vec<(&'static str, String)> {
        let (account, key, permissions) = match self.verified {
            Some(verified) => (
                verified.account().to_string(),
                verified.key().to_string(),
                space_separated(verified.permissions()),
            ),
            None => Default::default(),
        };
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        let at_s = self.now.as_ms().div_euclid(1000).to_string();
        let nonce = format!("{:016x}", self.nonce);
        let Self { method, target, .. } = *self;
        let prove = |lines: &[&str]| {
            let statement = lines.join("\n");
            base16ct::lower::encode_string(&origin_key.mac(&[statement.as_bytes()]))
        };
        let v1 = prove(&[LABEL_1, &at_s, method, target, &account, &key, &permissions, ""]);
        let v2 = prove(&[
            LABEL,
            &at_s,
            &nonce,
            method,
            target,
            &account,
            &key,
            &permissions,
            &address,
            "",
        ]);
        let mut headers = Vec::with_capacity(9);
        if self.verified.is_some() {
            headers.push(("claviger-account", account));
            headers.push(("claviger-key", key));
            headers.push(("claviger-permissions", permissions));
        }
        if !address.is_empty() {
            headers.push(("claviger-address", address.clone()));
            headers.push(("x-forwarded-for", address));
        }
        if let Some((scheme, host)) = self.public.origin.split_once("://") {
            headers.push(("x-forwarded-proto", scheme.to_owned()));
            headers.push(("x-forwarded-host", host.to_owned()));
        }
        headers.push(("claviger-proof", format!("t={at_s},v1={v1}")));
        headers.push(("claviger-proof-2", format!("t={at_s},n={nonce},v2={v2}")));
        headers
    }
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

    fn onward(address: Option<&str>) -> Vec<(&'static str, String)> {
        let onward = Onward {
            method: "GET",
            target: "/a?b=c",
            public: Url::parse("https://api.example:8443/a?b=c").unwrap(),
            verified: None,
            address: address.and_then(ClientAddress::parse),
            nonce: 0xc1a,
            now: UnixMs::from_ms(1_800_000_000_999),
        };
        onward.headers(&MacKey::new(&[7; 32]))
    }

    fn mac(statement: &str) -> String {
        base16ct::lower::encode_string(&MacKey::new(&[7; 32]).mac(&[statement.as_bytes()]))
    }

    #[test]
    fn an_anonymous_proof_is_pinned() {
        let v1 = mac("claviger/origin-proof/1\n1800000000\nGET\n/a?b=c\n\n\n\n");
        let v2 = mac(
            "claviger/origin-proof/2\n1800000000\n0000000000000c1a\nGET\n/a?b=c\n\n\n\n2001:db8::7\n",
        );
        assert_eq!(
            onward(Some("2001:DB8::7")),
            [
                ("claviger-address", "2001:db8::7".to_owned()),
                ("x-forwarded-for", "2001:db8::7".to_owned()),
                ("x-forwarded-proto", "https".to_owned()),
                ("x-forwarded-host", "api.example:8443".to_owned()),
                ("claviger-proof", format!("t=1800000000,v1={v1}")),
                ("claviger-proof-2", format!("t=1800000000,n=0000000000000c1a,v2={v2}")),
            ]
        );
    }

    #[test]
    fn without_an_address_none_is_named_and_the_proof_covers_an_empty_one() {
        let names: Vec<_> = onward(None).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["x-forwarded-proto", "x-forwarded-host", "claviger-proof", "claviger-proof-2"]
        );
        let v2 =
            mac("claviger/origin-proof/2\n1800000000\n0000000000000c1a\nGET\n/a?b=c\n\n\n\n\n");
        assert!(onward(None).iter().any(|(_, value)| value.ends_with(&format!("v2={v2}"))));
    }
}
