//! Finds the credential of a request, and the parts that the origin must not receive.
//!
//! A rule names the places that count ([`Place`]). A string with the deployment's prefix counts in
//! `Authorization` and `X-API-Key` even if the rule does not name them, because only Claviger
//! issues such strings. The gateway refuses two different credentials in one request, and a header
//! that was sent twice (the runtime joins the values by a comma). Two readers might pick different
//! ones.
//!
//! - An **empty place** holds no credential: an empty header, a scheme with nothing behind it, an
//!   empty parameter or field. It is cut out like a credential.
//! - A **foreign text** is one without the prefix in `Authorization` or `X-API-Key`, such as a
//!   token of another system. Beside a credential it is the origin's, and travels on. Alone it is
//!   refused as malformed.
//! - One line end behind the text of a parameter, a field or Basic credentials does not count:
//!   `curl -F 'u=<file'` and `echo user:password | base64` add it.
//!
//! If the rule names a field of the body, the gateway also [scans the body](crate::gateway::body),
//! even if a header holds a credential. Otherwise a second credential could reach the origin. The
//! gateway skips the scan only if it refuses the header's text on its own.

use core::ops::Range;
use std::borrow::Cow;

use base64ct::{Base64, Base64Unpadded, Encoding};

use crate::base::http::request::Request;
use crate::base::id::{KeyId, Prefix};
use crate::base::secret::SecretText;
use crate::config::rules::{ApiUserPlace, Place};
use crate::credential::sealed::SealedText;
use crate::gateway::body::{Fields, UserFields};
use crate::gateway::header_names::fold;
use crate::gateway::key_search;
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
    /// Name and secret of an API user, if there are any; [`Ambiguous`] if there are several, or a
    /// credential beside them.
    pub user: Result<Option<TypedUser>, Ambiguous>,
    /// First foreign text in a header that the rule names. It counts only if there is no
    /// credential.
    pub foreign: Option<Result<Text<'a>, Ambiguous>>,
    /// Names of the headers that held the credential, or nothing, in lower case.
    pub headers: Vec<&'a str>,
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

    fn is_empty(&self) -> bool {
        self.0.trim_ascii().is_empty()
    }
}

impl core::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Text(…)")
    }
}

/// Name and secret of an API user, as a caller presents them. They are not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedUser {
    /// Name of the user.
    pub name: String,
    /// Secret of the user.
    pub secret: SecretText,
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
        user: Ok(None),
        foreign: None,
        headers: Vec::new(),
        query: None,
        cuts: None,
        subprotocols: None,
    };
    for (name, value) in request.headers.iter() {
        // Some servers read `X_API_Key` as `X-API-Key`, so it is that header.
        let folded = match name {
            "authorization" | "x-api-key" => Cow::Borrowed(name),
            _ if request.headers.is_whole() => Cow::Owned(fold(name)),
            _ => continue,
        };
        if folded == "authorization"
            && places.contains(&Place::ApiUser(ApiUserPlace::Basic))
            && let Some(user) = user_in_basic(value, prefix)
        {
            carried.headers.push(name);
            carried.add_user(user);
            continue;
        }
        let (place, found) = match &*folded {
            "authorization" => (Place::Authorization, read_authorization(value, prefix)),
            "x-api-key" => (Place::ApiKey, read_single(value)),
            _ => continue,
        };
        carried.take_from_header((name, value), found, places.contains(&place), prefix);
    }
    let names = places.iter().filter_map(|place| match place {
        Place::Query(name) => Some(name.as_str()),
        Place::Authorization
        | Place::ApiKey
        | Place::Form(_)
        | Place::Json(_)
        | Place::Subprotocol
        | Place::ApiUser(_) => None,
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

/// Returns the text in `Authorization`, for routes that accept a credential nowhere else; `None` if
/// there is nothing.
///
/// # Errors
/// [`Ambiguous`] if the header holds several credentials.
pub fn in_authorization<'a>(
    request: &Request<'a>,
    prefix: &Prefix,
) -> Result<Option<Text<'a>>, Ambiguous> {
    let found =
        request.headers.find("authorization").map(|value| read_authorization(value, prefix));
    Ok(found.transpose()?.filter(|text| !text.is_empty()))
}

impl<'a> Carried<'a> {
    /// Returns the part of the credential to search for elsewhere in the request; `None` if there
    /// is no single credential that looks like a key.
    pub fn secret(&self, prefix: &Prefix) -> Option<&str> {
        let text = self.credential.as_ref().ok()?.as_ref()?;
        key_search::secret_of(text.expose(), prefix)
    }

    /// Takes what the reader of a header `found` in its value.
    fn take_from_header(
        &mut self,
        (name, value): (&'a str, &str),
        found: Result<Text<'a>, Ambiguous>,
        is_named: bool,
        prefix: &Prefix,
    ) {
        let begins = |found: &Text<'_>| begins_ours(found.expose(), prefix);
        let is_ours = found.as_ref().is_ok_and(begins) || holds_prefix(value, prefix);
        if is_ours || (is_named && found.as_ref().is_ok_and(Text::is_empty)) {
            self.headers.push(name);
            self.add(found);
        } else if is_named {
            self.foreign.get_or_insert(found);
        }
    }

    /// Adds what a place holds; an empty text is no credential.
    fn add(&mut self, found: Result<Text<'a>, Ambiguous>) {
        if found.as_ref().is_ok_and(Text::is_empty) {
            return;
        }
        self.credential = match (&self.credential, found) {
            (Ok(None), Ok(text)) => Ok(Some(text)),
            (Ok(Some(earlier)), Ok(text)) if *earlier == text => Ok(Some(text)),
            _ => Err(Ambiguous),
        };
    }

    /// Adds the credentials that the scan of the body found.
    pub fn take_from_body(&mut self, fields: &Fields) {
        for value in fields.values() {
            self.add(Ok(Text(Cow::Owned(without_line_end(value).to_owned()))));
        }
        if let Some(UserFields { names, secrets }) = fields.user() {
            match (names.as_slice(), secrets.as_slice()) {
                ([], []) => {}
                ([name], [secret]) => self.add_user(TypedUser {
                    name: without_line_end(name).to_owned(),
                    secret: SecretText::new(without_line_end(secret.expose()).to_owned()),
                }),
                // An origin might read the name here, and not the one in the header.
                ([name], []) if self.names_another(name) => self.user = Err(Ambiguous),
                // A name without a secret is no credential, and the other way round.
                ([_], []) | ([], [_]) => {}
                // An origin might read another one of them.
                _ => self.user = Err(Ambiguous),
            }
        }
        self.cuts = Some(fields.cuts().to_vec());
    }

    /// Returns `true` if the request presents an API user of another name.
    fn names_another(&self, name: &str) -> bool {
        let user = self.user.as_ref().ok().and_then(Option::as_ref);
        user.is_some_and(|user| !user.name.eq_ignore_ascii_case(without_line_end(name)))
    }

    /// Adds an API user; empty fields are none.
    fn add_user(&mut self, user: TypedUser) {
        if user.name.is_empty() && user.secret.expose().is_empty() {
            return;
        }
        self.user = match &self.user {
            Ok(None) => Ok(Some(user)),
            Ok(Some(earlier)) if *earlier == user => Ok(Some(user)),
            Ok(Some(_)) | Err(Ambiguous) => Err(Ambiguous),
        };
    }

    /// Returns the API user of the request.
    ///
    /// # Errors
    /// [`Ambiguous`] if there are several, or a credential beside one.
    pub fn single_user(&self) -> Result<Option<&TypedUser>, Ambiguous> {
        let user = self.user.as_ref().map_err(|several| *several)?.as_ref();
        match (user, &self.credential) {
            (Some(_), Ok(Some(_)) | Err(_)) => Err(Ambiguous),
            (user, _) => Ok(user),
        }
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
                    self.add(Ok(Text(Cow::Owned(without_line_end(&value).to_owned()))));
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
pub(super) fn begins_ours(text: &str, prefix: &Prefix) -> bool {
    let rest = text.strip_prefix(prefix.as_str());
    rest.is_some_and(|rest| rest.starts_with('_') || rest.starts_with("s_"))
}

/// Returns a text without one line end behind it: LF or CRLF.
pub fn without_line_end(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}

fn read_authorization<'a>(value: &'a str, prefix: &Prefix) -> Result<Text<'a>, Ambiguous> {
    // The platform trims values, so a scheme with nothing behind it has no blank either.
    if ["bearer", "basic"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme)) {
        return Ok(Text(Cow::Borrowed("")));
    }
    if let Some(token) = scheme(value, "bearer") {
        return read_single(token);
    }
    if let Some(encoded) = scheme(value, "basic") {
        if encoded.contains(',') {
            return Err(Ambiguous);
        }
        return Ok(Text(match decode_basic(encoded) {
            Some(pair) => join_pair(without_line_end(&pair), prefix)?.into(),
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
pub(super) fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (found, rest) = value.split_once([' ', '\t'])?;
    found.eq_ignore_ascii_case(name).then(|| rest.trim_start_matches([' ', '\t']))
}

/// Decodes Basic credentials (RFC 7617 §2).
pub(super) fn decode_basic(encoded: &str) -> Option<String> {
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

/// Returns the API user in Basic credentials; `None` if the user is no name in e-mail form, or if
/// either half begins like a key.
fn user_in_basic(value: &str, prefix: &Prefix) -> Option<TypedUser> {
    let pair = decode_basic(scheme(value, "basic")?)?;
    let (name, secret) = without_line_end(&pair).split_once(':')?;
    let is_user = name.contains('@') && !begins_ours(name, prefix) && !begins_ours(secret, prefix);
    is_user.then(|| TypedUser { name: name.to_owned(), secret: SecretText::new(secret.to_owned()) })
}

/// Returns the key in `user:password`: the whole key if either half is one, else access key and
/// access secret joined. What stands beside a whole key does not matter, unless it is another
/// credential. The access key of the same key is none.
fn join_pair(pair: &str, prefix: &Prefix) -> Result<String, Ambiguous> {
    let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
    match (begins_ours(user, prefix), begins_ours(password, prefix)) {
        (true, true) if is_whole(user, prefix) && user != password => Err(Ambiguous),
        (true, true) if !password.starts_with(user) => Err(Ambiguous),
        (_, true) => Ok(password.to_owned()),
        (true, false) if is_whole(user, prefix) => Ok(user.to_owned()),
        (_, false) => Ok([user, password].concat()),
    }
}

/// Returns `true` if a text that begins like a key is meant as a whole one, and not as an access
/// key alone.
fn is_whole(text: &str, prefix: &Prefix) -> bool {
    let access_key_width = prefix.as_str().len().saturating_add(1).saturating_add(KeyId::WIDTH);
    SealedText::is_meant(text, prefix) || text.len() > access_key_width
}

#[cfg(test)]
mod tests;
