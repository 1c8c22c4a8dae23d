//! Finds the credential of a request, and the parts that the origin must not receive.
//!
//! A rule names the places that count ([`Place`]). A string with the deployment's prefix counts in
//! `Authorization` and `X-API-Key` even if the rule does not name them, because only Claviger
//! issues such strings. The gateway refuses two different credentials in one request, and a header
//! that was sent twice (the runtime joins the values by a comma). Two readers might pick different
//! ones.
//!
//! If the rule names a field of the body, the gateway also [scans the body](crate::gateway::body),
//! even if a header holds a credential. Otherwise a second credential could reach the origin. The
//! gateway skips the scan only if it refuses the header's text on its own.

use core::ops::Range;
use std::borrow::Cow;

use base64ct::{Base64, Base64Unpadded, Encoding};

use crate::base::http::request::Request;
use crate::base::id::Prefix;
use crate::config::rules::Place;
use crate::gateway::body::Fields;
use crate::gateway::subprotocol::{self, Subprotocols};

/// Longest text that may be a credential, in bytes. It is far above any key; longer texts are
/// refused without decoding.
pub const CREDENTIAL_BYTES_MAX: usize = 4096;

/// Most characters of a parameter's name that a response repeats.
const ELSEWHERE_CHARS_MAX: usize = 64;

/// The credential of a request, with the places that held it.
#[derive(Debug, PartialEq, Eq)]
pub struct Carried<'a> {
    /// Text of the credential, if there is one; [`Ambiguous`] if there are several.
    pub credential: Result<Option<Text<'a>>, Ambiguous>,
    /// Names of the headers that held it, in lower case.
    pub headers: Vec<&'static str>,
    /// Query without the credential; `None` if the query held none and stays unchanged.
    pub query: Option<String>,
    /// Byte ranges of the body that the origin must not receive; `None` if the body was not
    /// scanned.
    pub cuts: Option<Vec<Range<usize>>>,
    /// Offered subprotocols without the credential; `None` if they stay unchanged.
    pub subprotocols: Option<Subprotocols>,
}

/// The text of a credential, not yet checked. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    /// Returns the text, which may contain a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Text(…)")
    }
}

/// The error that a request carries several credentials, or one header several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request carries more than one credential")]
pub struct Ambiguous;

/// Finds the credential of a request in its headers and query. The result names every place that
/// held a credential, even if the credential is ambiguous.
pub fn find<'a>(request: &Request<'a>, places: &[Place], prefix: &Prefix) -> Carried<'a> {
    let mut carried = Carried {
        credential: Ok(None),
        headers: Vec::new(),
        query: None,
        cuts: None,
        subprotocols: None,
    };
    if let Some(value) = request.headers.find("authorization") {
        let named = places.contains(&Place::Authorization);
        if named || holds_prefix(value, prefix) {
            carried.headers.push("authorization");
            carried.add(read_authorization(value, prefix));
        }
    }
    if let Some(value) = request.headers.find("x-api-key") {
        let named = places.contains(&Place::ApiKey);
        if named || holds_prefix(value, prefix) {
            carried.headers.push("x-api-key");
            carried.add(read_single(value));
        }
    }
    let names = places.iter().filter_map(|place| match place {
        Place::Query(name) => Some(name.as_str()),
        Place::Authorization
        | Place::ApiKey
        | Place::Form(_)
        | Place::Json(_)
        | Place::Subprotocol => None,
    });
    for name in names {
        carried.take_from_query(request.url.query, name);
    }
    if places.contains(&Place::Subprotocol)
        && request.headers.is_whole()
        && let Some(value) = request.headers.find(subprotocol::HEADER)
    {
        let (keys, rest) = subprotocol::split(value, |name| begins_ours(name, prefix));
        for key in keys {
            carried.add(Ok(Text(Cow::Borrowed(key))));
        }
        carried.subprotocols = Some(rest);
    }
    carried
}

/// Returns the credential in `Authorization`, for routes that accept it nowhere else.
///
/// # Errors
/// [`Ambiguous`] if the header holds several credentials.
pub fn in_authorization<'a>(
    request: &Request<'a>,
    prefix: &Prefix,
) -> Result<Option<Text<'a>>, Ambiguous> {
    request.headers.find("authorization").map(|value| read_authorization(value, prefix)).transpose()
}

impl<'a> Carried<'a> {
    fn add(&mut self, found: Result<Text<'a>, Ambiguous>) {
        self.credential = match (&self.credential, found) {
            (Ok(None), Ok(text)) => Ok(Some(text)),
            (Ok(Some(earlier)), Ok(text)) if *earlier == text => Ok(Some(text)),
            _ => Err(Ambiguous),
        };
    }

    /// Adds the credentials that the scan of the body found.
    pub fn take_from_body(&mut self, fields: &Fields) {
        for value in fields.values() {
            self.add(Ok(Text(Cow::Owned(value.to_owned()))));
        }
        self.cuts = Some(fields.cuts().to_vec());
    }

    /// Takes the parameter `name` out of the query; the comparison ignores how the name is escaped.
    fn take_from_query(&mut self, query: Option<&'a str>, name: &str) {
        let query = match &self.query {
            Some(rest) => Cow::Owned(rest.clone()),
            None => Cow::Borrowed(query.unwrap_or_default()),
        };
        let mut rest: Vec<&str> = Vec::new();
        let mut found = false;
        for pair in query.split('&') {
            match form_urlencoded::parse(pair.as_bytes()).next() {
                Some((found_name, value)) if found_name == name => {
                    found = true;
                    self.add(Ok(Text(Cow::Owned(value.into_owned()))));
                }
                _ => rest.push(pair),
            }
        }
        if found {
            self.query = Some(rest.join("&"));
        }
    }
}

/// Returns the place of a text that begins like a key but does not count there, as a rule names
/// places. It lets a developer see that the key is in the wrong place. The result reveals nothing
/// about the key; it repeats a name from the request.
pub fn misplaced_credential(request: &Request<'_>, prefix: &Prefix) -> Option<String> {
    let mut headers = request.headers.iter();
    if let Some((name, _)) = headers.find(|(_, value)| holds_prefix(value, prefix)) {
        return Some(format!("header:{name}"));
    }
    let query = form_urlencoded::parse(request.url.query?.as_bytes());
    let mut names = query.filter(|(_, value)| holds_prefix(value, prefix)).map(|(name, _)| name);
    names
        .next()
        .map(|name| format!("query:{}", name.chars().take(ELSEWHERE_CHARS_MAX).collect::<String>()))
}

/// Returns `true` if a header's value contains a text that begins like a key, bare or in Basic.
fn holds_prefix(value: &str, prefix: &Prefix) -> bool {
    // The prefix counts only at the beginning of a token, because tokens of other systems may
    // contain these letters anywhere. Characters outside of token68 (RFC 9110 §11.2), and its
    // padding, separate tokens.
    let is_of_token = |sign: char| sign.is_ascii_alphanumeric() || "-._~+/".contains(sign);
    let ours =
        |text: &str| text.split(|sign| !is_of_token(sign)).any(|piece| begins_ours(piece, prefix));
    // Unreadable Basic credentials might hold a key.
    ours(value)
        || scheme(value, "basic")
            .is_some_and(|encoded| read_loosely(encoded).is_none_or(|pair| ours(&pair)))
}

/// Returns `true` if a text begins like a key, stored or sealed.
fn begins_ours(text: &str, prefix: &Prefix) -> bool {
    let rest = text.strip_prefix(prefix.as_str());
    rest.is_some_and(|rest| rest.starts_with('_') || rest.starts_with("s_"))
}

fn read_authorization<'a>(value: &'a str, prefix: &Prefix) -> Result<Text<'a>, Ambiguous> {
    if let Some(token) = scheme(value, "bearer") {
        return read_single(token);
    }
    if let Some(encoded) = scheme(value, "basic") {
        if encoded.contains(',') {
            return Err(Ambiguous);
        }
        return Ok(Text(match decode_basic(encoded) {
            Some(pair) => join_pair(&pair, prefix)?.into(),
            None => Cow::Borrowed(encoded),
        }));
    }
    // A value of another scheme (Digest, Negotiate, …) is no key and may contain commas, unless a
    // key stands among them.
    let has_scheme = value.split_once(' ').is_some_and(|(scheme, _)| !scheme.contains(','));
    if has_scheme && !holds_prefix(value, prefix) {
        return Ok(Text(Cow::Borrowed(value)));
    }
    read_single(value)
}

/// Reads a value that must hold exactly one credential.
fn read_single(value: &str) -> Result<Text<'_>, Ambiguous> {
    if value.contains(',') { Err(Ambiguous) } else { Ok(Text(Cow::Borrowed(value))) }
}

/// Returns the text after the scheme `name` and its blanks (RFC 9110 §11.4); `None` for any other
/// scheme. Case does not matter (§11.1).
fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (found, rest) = value.split_once([' ', '\t'])?;
    found.eq_ignore_ascii_case(name).then(|| rest.trim_start_matches([' ', '\t']))
}

/// Decodes Basic credentials (RFC 7617 §2).
fn decode_basic(encoded: &str) -> Option<String> {
    if encoded.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    String::from_utf8(Base64::decode_vec(encoded).ok()?).ok()
}

/// Decodes Basic credentials as leniently as any server might: either alphabet, with or without
/// padding, any bytes.
fn read_loosely(encoded: &str) -> Option<String> {
    if encoded.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    let standard = encoded.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let bytes = Base64Unpadded::decode_vec(&standard).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the key in `user:password`: access key and access secret joined, or the whole key if
/// either half is one.
fn join_pair(pair: &str, prefix: &Prefix) -> Result<String, Ambiguous> {
    let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
    match (begins_ours(user, prefix), begins_ours(password, prefix)) {
        (true, true) if user != password => Err(Ambiguous),
        (_, true) => Ok(password.to_owned()),
        (_, false) => Ok([user, password].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::http::request::{Headers, Url};
    use crate::base::time::UnixMs;
    use crate::testing::clv;

    const KEY: &str = "clv_a1B2c3D47Hq0p2Zx9K0123";

    /// Credential, headers, query.
    type Seen = (Option<String>, Vec<&'static str>, Option<String>);

    fn look(headers: &str, query: Option<&str>, places: &[Place]) -> Result<Seen, Ambiguous> {
        let url = Url { origin: "https://a.example", host: "a.example", path: "/", query };
        let request = Request {
            method: "GET",
            url,
            headers: Headers::new(headers),
            arrived: UnixMs::from_ms(0),
        };
        let carried = find(&request, places, &clv());
        let credential = carried.credential?;
        Ok((credential.map(|text| text.expose().to_owned()), carried.headers, carried.query))
    }

    fn default() -> Vec<Place> {
        vec![Place::Authorization, Place::ApiKey]
    }

    fn basic(pair: &str) -> String {
        format!("authorization\nBasic {}", Base64::encode_string(pair.as_bytes()))
    }

    #[test]
    fn every_way_to_carry_one_key() {
        let (access, secret) = KEY.split_at(22);
        for headers in [
            format!("authorization\nBearer {KEY}"),
            format!("authorization\nbearer   {KEY}"),
            format!("authorization\n{KEY}"),
            basic(&format!("{access}:{secret}")),
            basic(&format!("{KEY}:")),
            basic(&format!(":{KEY}")),
            basic(&format!("key:{KEY}")),
            basic(&format!("{KEY}:{KEY}")),
            format!("x-api-key\n{KEY}"),
            format!("authorization\nBearer {KEY}\nx-api-key\n{KEY}"),
        ] {
            assert_eq!(
                look(&headers, None, &default()).unwrap().0.as_deref(),
                Some(KEY),
                "{headers}"
            );
        }
    }

    #[test]
    fn a_sealed_key_may_be_either_half_of_basic() {
        let sealed = "clvs_cGF5bG9hZA.bWFj123456";
        for pair in [
            format!("{sealed}:"),
            format!(":{sealed}"),
            format!("key:{sealed}"),
            format!("{sealed}:{sealed}"),
        ] {
            assert_eq!(
                look(&basic(&pair), None, &default()).unwrap().0.as_deref(),
                Some(sealed),
                "{pair}"
            );
        }
        assert_eq!(look(&basic(&format!("{KEY}:{sealed}")), None, &default()), Err(Ambiguous));
    }

    #[test]
    fn two_credentials_are_refused_whichever_places_they_stand_in() {
        let query = [Place::Query("u".into()), Place::Query("k".into())];
        for (headers, in_query, places) in [
            (format!("authorization\nBearer {KEY}\nx-api-key\n{KEY}x"), None, default()),
            (format!("authorization\nBearer {KEY}, Bearer {KEY}"), None, default()),
            (format!("authorization\n{KEY}, {KEY}"), None, default()),
            (format!("authorization\nDigest a=\"b\", Bearer {KEY}"), None, default()),
            (
                format!(
                    "authorization\nBasic {0}, Basic {0}",
                    Base64::encode_string(KEY.as_bytes())
                ),
                None,
                default(),
            ),
            (format!("x-api-key\n{KEY}, {KEY}"), None, default()),
            (format!("authorization\nBearer eyJ\nx-api-key\n{KEY}"), None, default()),
            (String::new(), Some(format!("u={KEY}&u={KEY}x")), query.to_vec()),
            (String::new(), Some(format!("u={KEY}&k={KEY}x")), query.to_vec()),
            (format!("authorization\n{KEY}x"), Some(format!("u={KEY}")), query.to_vec()),
        ] {
            assert_eq!(
                look(&headers, in_query.as_deref(), &places),
                Err(Ambiguous),
                "{headers} {in_query:?}"
            );
        }
        assert_eq!(look(&basic(&format!("{KEY}:{KEY}x")), None, &default()), Err(Ambiguous));
    }

    #[test]
    fn another_system_s_token_that_holds_our_letters_is_not_ours() {
        let only_header = [Place::ApiKey];
        for token in [
            format!("Bearer eyJ{KEY}"),
            format!("Digest nonce-{KEY}"),
            format!("xclv_{KEY}"),
            "clvx".into(),
            format!("Bearer a.{KEY}"),
            format!("a/{KEY}"),
        ] {
            let (credential, headers, _) =
                look(&format!("authorization\n{token}"), None, &only_header).unwrap();
            assert_eq!((credential, headers.len()), (None, 0), "{token}");
        }
        for loose in [
            format!(
                "Basic {}",
                base64ct::Base64Url::encode_string(format!("\u{3ff}:{KEY}").as_bytes())
            ),
            format!("Basic {}", Base64Unpadded::encode_string(format!("a:{KEY}").as_bytes())),
            format!("basic\t{}", Base64::encode_string(&[b"\xff:", KEY.as_bytes()].concat())),
            format!("Basic {}", "A".repeat(CREDENTIAL_BYTES_MAX + 1)),
            "Basic !".into(),
        ] {
            let (_, headers, _) =
                look(&format!("authorization\n{loose}"), None, &only_header).unwrap();
            assert_eq!(headers, ["authorization"], "{loose}");
        }
        for ours in [
            format!("Digest username=\"{KEY}\""),
            format!("Bearer\t{KEY}"),
            format!("{KEY};q=1"),
            format!("Token '{KEY}'"),
            format!("Bearer <{KEY}>"),
        ] {
            let headers =
                look(&format!("authorization\n{ours}"), None, &only_header).map(|seen| seen.1);
            assert_eq!(headers.unwrap(), ["authorization"], "{ours}");
        }
    }

    #[test]
    fn a_place_that_the_rule_does_not_name_is_the_origin_s_own_unless_it_holds_our_prefix() {
        let only_header = [Place::ApiKey];
        let (credential, headers, _) =
            look("authorization\nBearer eyJ\nx-api-key\nabc", None, &only_header).unwrap();
        assert_eq!((credential.as_deref(), headers), (Some("abc"), vec!["x-api-key"]));
        let (credential, headers, _) =
            look(&format!("authorization\nBearer {KEY}"), None, &only_header).unwrap();
        assert_eq!((credential.as_deref(), headers), (Some(KEY), vec!["authorization"]));
        let hidden = basic(&format!("me:{KEY}"));
        assert_eq!(look(&hidden, None, &only_header).unwrap().1, vec!["authorization"]);
        let digest = "Digest a=\"b\", c=\"d\"";
        let seen =
            |places: &[Place]| look(&format!("authorization\n{digest}"), None, places).unwrap().0;
        assert_eq!(seen(&only_header), None);
        assert_eq!(seen(&default()).as_deref(), Some(digest), "no key, and not several");
        assert_eq!(look("", Some(&format!("u={KEY}")), &default()).unwrap(), (None, vec![], None));
    }

    #[test]
    fn a_named_parameter_is_taken_out_of_the_query_in_every_spelling() {
        let places = [Place::Query("u".into())];
        for (query, rest) in [
            (format!("u={KEY}"), ""),
            (format!("a=1&u={KEY}&b=2"), "a=1&b=2"),
            (format!("%75={KEY}&a=%20"), "a=%20"),
            (format!("u={}", KEY.replace('_', "%5f")), ""),
            (format!("u={KEY}&u={KEY}&uu=1"), "uu=1"),
        ] {
            let (credential, headers, query_after) = look("", Some(&query), &places).unwrap();
            assert_eq!(
                (credential.as_deref(), headers.len(), query_after.as_deref()),
                (Some(KEY), 0, Some(rest)),
                "{query}"
            );
        }
        assert_eq!(look("", Some("a=u&U=x"), &places).unwrap(), (None, vec![], None));
    }

    #[test]
    fn an_empty_credential_is_one_and_debug_shows_none() {
        assert_eq!(
            look("authorization\nBearer ", None, &default()).unwrap().0.as_deref(),
            Some("")
        );
        assert_eq!(look("x-api-key\n", None, &default()).unwrap().0.as_deref(), Some(""));
        assert_eq!(format!("{:?}", Text(Cow::Borrowed(KEY))), "Text(…)");
    }

    #[test]
    fn a26_what_stands_in_the_wrong_place_is_told_by_the_place() {
        let place_of = |headers: &str, query: Option<&str>| {
            let url = Url { origin: "https://a.example", host: "a.example", path: "/", query };
            let (method, arrived) = ("GET", UnixMs::from_ms(0));
            let request = Request { method, url, headers: Headers::new(headers), arrived };
            misplaced_credential(&request, &clv())
        };
        let long = "n".repeat(1000);
        for (headers, query, place) in [
            ("", None, None),
            ("api-key\nabc\nx\nxclv_1", Some("u=abc&clv_=x"), None),
            ("api-key\nclv_", None, Some("header:api-key")),
            ("x\ny\ncookie\na=b; c=clv_1", Some("u=clv_1"), Some("header:cookie")),
            ("", Some("a=1&k%65y=%63lv_1&u=clv_2"), Some("query:key")),
            ("", Some("=clv_1"), Some("query:")),
            ("", Some(&format!("{long}=clv_1")), Some(&format!("query:{}", "n".repeat(64)))),
        ] {
            assert_eq!(place_of(headers, query).as_deref(), place, "{headers} {query:?}");
        }
    }

    #[test]
    fn odd_texts_do_no_harm() {
        let long = "A".repeat(100_000);
        for headers in [
            "authorization\nBasic !!!".to_owned(),
            "authorization\nBasic //79".to_owned(),
            format!("authorization\nBasic {long}"),
            "authorization\nclé".to_owned(),
            format!("x-api-key\n{long}"),
        ] {
            assert!(look(&headers, None, &default()).unwrap().0.is_some());
        }
        let places = [Place::Query("u".into())];
        for query in ["u=%", "u=%f", "u=%zz", "u=%ff", "u=%+1", "%ff=1&u=x", "&&u=x&"] {
            assert!(look("", Some(query), &places).unwrap().0.is_some(), "{query}");
        }
    }
}
