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
//! For an API user, these follow `Claviger-Permissions`:
//!
//! ```text
//! Claviger-Api-User: app@example.com
//! Claviger-Group: normal
//! Claviger-Own-Data-Only: true
//! Claviger-Time-Zone: Asia/Tokyo
//! ```
//!
//! No header of a client's that begins with `Claviger-` or `Claviger_` in any case travels on.
//! Behind a public rule the first three are absent and empty in the proof; an address that the
//! platform does not tell is, too. The proof is HMAC-SHA-256 under the origin's key over these
//! lines, each ended by a line feed:
//!
//! ```text
//! claviger/origin-proof/2
//! <t, seconds>  <n>  <method>  <path with query, as forwarded>  <account>  <key>  <permissions>  <address>      (one line each)
//! ```
//!
//! For an API user, the second proof has four more lines behind the address: name, group, `true` or
//! `false`, and zone. `n` differs from request to request. `Claviger-Proof` is the proof of earlier
//! releases, under the label `claviger/origin-proof/1` and without `n` and the address, for origins
//! that still check it.
//!
//! `docs/origin-proof.md` shows an origin how to check it.

use crate::base::http::cookie::{BROWSER_COOKIE, COOKIE};
use crate::base::http::request::Headers;
use crate::base::time::UnixMs;
use crate::credential::keyring::MacKey;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::{Grant, Permissions};
use crate::gateway::header_names::is_removed;
use crate::gateway::{key_search, subprotocol};
use crate::verify::verification::Verified;

const LABEL: &str = "claviger/origin-proof/2";

/// Label of the proof without nonce and address.
const LABEL_1: &str = "claviger/origin-proof/1";

/// The changes to a client's headers on their way to an origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screened {
    /// Headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, which keep a part of their value.
    pub set: Vec<(&'static str, String)>,
}

/// Screens a client's headers. It removes [those that a client may not send](is_removed) and the
/// console's cookie, and cuts out the `secret` of the request's key wherever else it stands.
pub fn screen(headers: Headers<'_>, secret: Option<&str>) -> Screened {
    let mut screened = Screened::default();
    let holds = |value: &str| secret.is_some_and(|secret| key_search::holds(value, secret));
    for (name, value) in headers.iter() {
        let cut = |list: &str, separator: char, join: &str| {
            secret.and_then(|secret| key_search::cut_from(list, separator, join, secret))
        };
        // The rest of the value, if it changes.
        let (kept, rest) = match name {
            _ if is_removed(name) => ("", Some(String::new())),
            "cookie" => {
                let others = without_our_cookie(value);
                let without_key = cut(others.as_deref().unwrap_or(value), ';', ";");
                ("cookie", without_key.or(others))
            }
            subprotocol::HEADER => (subprotocol::HEADER, cut(value, ',', ",")),
            _ => ("", holds(value).then(String::new)),
        };
        match rest {
            Some(rest) if rest.is_empty() => screened.remove.push(name.to_owned()),
            Some(rest) => screened.set.push((kept, rest.trim().to_owned())),
            None => {}
        }
    }
    screened
}

/// A request on its way to an origin: the facts that its headers state.
#[derive(Clone, Copy, Debug)]
pub struct Onward<'a> {
    /// Method of the request.
    pub method: &'a str,
    /// Path with query, as forwarded.
    pub target: &'a str,
    /// Scheme, host and port that the client asked for.
    pub public: &'a str,
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
        let user = self.verified.and_then(Verified::user);
        let own_data_only =
            if user.is_some_and(|user| user.own_data_only) { "true" } else { "false" };
        let mut lines = vec![LABEL, &at_s, &nonce, method, target, &account, &key, &permissions];
        lines.push(&address);
        if let Some(user) = user {
            lines.extend([user.name.as_str(), user.group.as_str(), own_data_only, &user.zone]);
        }
        lines.push("");
        let v2 = prove(&lines);
        let mut headers = Vec::with_capacity(9);
        if self.verified.is_some() {
            headers.push(("claviger-account", account));
            headers.push(("claviger-key", key));
            headers.push(("claviger-permissions", permissions));
        }
        if let Some(user) = user {
            headers.push(("claviger-api-user", user.name.to_string()));
            headers.push(("claviger-group", user.group.as_str().to_owned()));
            headers.push(("claviger-own-data-only", own_data_only.to_owned()));
            headers.push(("claviger-time-zone", user.zone.clone()));
        }
        if !address.is_empty() {
            headers.push(("claviger-address", address.clone()));
            headers.push(("x-forwarded-for", address));
        }
        if let Some((scheme, host)) = self.public.split_once("://") {
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

/// Returns a `Cookie` header (RFC 6265 §4.2.1) without the console's cookies; `None` if it contains
/// none of them. If one stands in a form that no browser writes, the result is empty.
pub fn without_our_cookie(header: &str) -> Option<String> {
    let is_ours = |name: &str| [COOKIE, BROWSER_COOKIE].contains(&name.trim());
    let ours = |pair: &&str| pair.split('=').next().is_some_and(is_ours);
    let pairs = || header.split(';').map(str::trim);
    // The name of one begins with that of the other.
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
    use base64ct::{Base64, Encoding};

    use super::*;
    use crate::credential::api_user::{ApiSecretVersion, ApiUser, ApiUserGroup, ApiUserName};
    use crate::credential::limits::{Interface, Limits};
    use crate::replication::record::{Credential, Standing};
    use crate::replication::refresh::AccountState;
    use crate::replication::secret_check::ProvenSecret;
    use crate::testing::{at, key_id, record};
    use crate::verify::verification::{Demand, Facts, Known, verify_user};

    #[test]
    fn the_key_is_cut_out_of_whatever_holds_it() {
        const SECRET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";
        let in_basic = Base64::encode_string(format!("a:clv_x{SECRET}").as_bytes());
        let in_referer = format!("https://a.example/?u={}", SECRET.replacen('0', "%30", 1));
        for (name, value, rest) in [
            ("x-key", SECRET, None),
            ("x-original-authorization", &*format!("Basic {in_basic}"), None),
            ("referer", &*in_referer, None),
            ("cookie", &*format!("a=b; k={SECRET}; c=d"), Some("a=b; c=d")),
            ("cookie", &*format!("{COOKIE}=x; k={SECRET}; c=d"), Some("c=d")),
            ("cookie", &*format!("{BROWSER_COOKIE}=x; k={SECRET}; c=d"), Some("c=d")),
            ("cookie", &*format!("k={SECRET}"), None),
            ("sec-websocket-protocol", &*format!("chat, key.{SECRET}, v2"), Some("chat, v2")),
            ("sec-websocket-protocol", &*format!("base64url.bearer.{in_basic}"), None),
        ] {
            let flat = format!("{name}\n{value}");
            let screened = screen(Headers::new(&flat), Some(SECRET));
            let expected = match rest {
                Some(rest) => (vec![], vec![(name, rest.to_owned())]),
                None => (vec![name.to_owned()], vec![]),
            };
            assert_eq!((screened.remove, screened.set), expected, "{name}: {value}");
            // Without a key, only the console's cookie is.
            let others = screen(Headers::new(&flat), None);
            assert_eq!(others != Screened::default(), value.contains(COOKIE), "{name}");
        }
    }

    #[test]
    fn names_that_a_client_may_not_send_are_removed_and_others_stay() {
        let flat = "accept\n*/*\nx_forwarded_for\n10.0.0.1\nclaviger-key\nk\ncookie\na=b\nremote-user\nroot";
        let screened = screen(Headers::new(flat), None);
        assert_eq!(screened.remove, ["x_forwarded_for", "claviger-key", "remote-user"]);
        assert_eq!(screened.set, []);
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
            public: "https://api.example:8443",
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

    /// Origins check these four lines by their place.
    #[test]
    fn the_proof_of_an_api_user_is_pinned() {
        let name = ApiUserName::parse("app@example.com").unwrap();
        let secret = ApiSecretVersion(3);
        let proven = ProvenSecret { id: key_id(), name: name.clone(), version: secret };
        let (group, zone) = (ApiUserGroup::Normal, "Asia/Tokyo".to_owned());
        let user = ApiUser { name, secret, group, own_data_only: true, zone };
        let record = record(|credential| {
            let permissions = serde_json::from_str(r#"["personal-data:view"]"#).unwrap();
            let limits = Limits { permissions, ..credential.limits };
            Standing::Active(Credential { limits, user: Some(user), ..credential })
        });
        let known = Known { record: Some(&record), issuer: None, state: &AccountState::default() };
        let address = ClientAddress::parse("10.1.2.3");
        let (interface, demand) = (Interface::Http, Demand::AnyKey);
        let facts = Facts { address, interface, demand, may_change: false };
        let now = at(1_800_000_000_999);
        let verified = verify_user(&proven, known, &facts, now).unwrap();
        let onward = Onward {
            method: "POST",
            target: "/send",
            public: "https://api.example",
            verified: Some(&verified),
            address,
            nonce: 0xc1a,
            now,
        };
        let headers = onward.headers(&MacKey::new(&[7; 32]));
        let v2 =
            mac("claviger/origin-proof/2\n1800000000\n0000000000000c1a\nPOST\n/send\na1B2c3D4\n\
             a1B2c3D47Hq0p2Zx9K\npersonal-data:view\n10.1.2.3\napp@example.com\nnormal\ntrue\n\
             Asia/Tokyo\n");
        for (name, value) in [
            ("claviger-api-user", "app@example.com"),
            ("claviger-group", "normal"),
            ("claviger-own-data-only", "true"),
            ("claviger-time-zone", "Asia/Tokyo"),
            ("claviger-proof-2", &format!("t=1800000000,n=0000000000000c1a,v2={v2}")),
        ] {
            assert!(headers.contains(&(name, value.to_owned())), "{name}: {headers:?}");
        }
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
