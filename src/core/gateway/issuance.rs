//! Defines the issuance API: `POST /issue_service_authorization`, with which a customer's program
//! asks for keys.
//!
//! The request is a form (WHATWG URL §5.1, `application/x-www-form-urlencoded`); the response is
//! the bare key. Success is status 200 with only the key as the body. It has no line end, because
//! clients do not trim it. Any other status is a failure, whose body is one line of text, also
//! without a line end: `<code>: <sentence>`. Codes are stable.
//!
//! | field | meaning |
//! | --- | --- |
//! | `sid`, `spw` | service ID and service password: both, or neither |
//! | `epi` | lifetime or expiry of the key, in a form of [`crate::credential::limits::lifetime`]; absent or empty: 30 seconds |
//! | `ipa` | networks of the key, as addresses and CIDR blocks; absent or empty: all that the ceiling allows |
//!
//! Instead of `sid` and `spw`, the caller may present an issuable key in `Authorization`. The API
//! refuses an unknown or repeated field: a mistyped `ipa` must not issue a key for any network.
//!
//! 1. [`check_head`] and [`Gateway::check_issuer`](crate::gateway::gateway::Gateway::check_issuer)
//!    decide by the headers alone. They refuse a made-up key before the edge reads the body.
//! 2. [`IssuanceForm::parse`] and [`IssuanceForm::credentials`] decide by the text alone. They
//!    refuse a made-up service ID without any lookup (P3).
//! 3. [`Gateway::authorise_issue`](crate::gateway::gateway::Gateway::authorise_issue) finds the
//!    issuer and its ceiling.
//! 4. [`grant`](crate::credential::grant::grant) compares the request with the ceiling. A request
//!    above the ceiling is refused, never cut.
//! 5. [`seal`] makes a [sealed key](crate::credential::sealed), which is stored nowhere. If the
//!    request does not fit into one, the ledger issues a stored key, and decides again with its own
//!    data.

mod refusal;

use rand_core::CryptoRng;

pub use self::refusal::{BODY_BYTES_MAX, Refused, RetryAfter, text};
use crate::base::http::request::Request;
use crate::base::id::{AccountId, SealedId};
use crate::base::secret::{Digest, SecretText};
use crate::base::time::UnixMs;
use crate::config::settings::Config;
use crate::credential::grant::{Granted, IssuerProof};
use crate::credential::issuer::Issuing;
use crate::credential::limits::lifetime::{Expiry, parse_without_calendar};
use crate::credential::limits::network;
use crate::credential::limits::network::{Networks, parse_lines};
use crate::credential::sealed::{Claims, LIFE_MAX, NewSealed, SEALED_NETWORKS_MAX};
use crate::credential::service_id;
use crate::credential::service_id::MadeServiceId;
use crate::gateway::extract;

/// Path on the console host, and by default on an API host.
pub const PATH: &str = "/issue_service_authorization";

/// Checks the part of a request that precedes its body.
///
/// # Errors
/// [`Refused::Method`] if the method is not POST, [`Refused::Query`] if the URL has query
/// parameters, [`Refused::MediaType`] if the headers announce a body that is not a form.
pub fn check_head(request: &Request<'_>) -> Result<(), Refused> {
    if request.method != "POST" {
        return Err(Refused::Method);
    }
    if request.url.query.is_some_and(|query| !query.is_empty()) {
        return Err(Refused::Query);
    }
    // Without a length, only reading shows that there is no body.
    let is_announced = request.headers.find("content-length").is_some_and(|length| length != "0");
    if is_announced && !is_form(request) { Err(Refused::MediaType) } else { Ok(()) }
}

/// Checks the media type of a body. An empty body is an empty form, whatever its type: a client
/// that sends none often names no type either.
///
/// # Errors
/// [`Refused::MediaType`] if the body is neither empty nor a form.
pub fn check_body(request: &Request<'_>, body: &[u8]) -> Result<(), Refused> {
    if body.is_empty() || is_form(request) { Ok(()) } else { Err(Refused::MediaType) }
}

/// Returns `true` if the media type of a request's body is that of a form.
pub fn is_form(request: &Request<'_>) -> bool {
    let media_type = request.headers.find("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Returns the key in `Authorization`, not yet verified. No other place counts.
///
/// # Errors
/// [`Refused::Ambiguous`] if there are several keys.
pub fn presented<'a>(
    request: &Request<'a>,
    config: &Config,
) -> Result<Option<extract::Text<'a>>, Refused> {
    extract::in_authorization(request, &config.prefix).map_err(|_| Refused::Ambiguous)
}

/// The fields of an issuance request: service ID (`sid`) and password (`spw`), the expiry wanted
/// (`epi`), and the networks wanted (`ipa`).
#[derive(Debug, Default)]
pub struct IssuanceForm {
    sid: Option<String>,
    spw: Option<SecretText>,
    epi: Option<String>,
    ipa: Option<String>,
}

impl IssuanceForm {
    /// Parses the body of an issuance request.
    ///
    /// # Errors
    /// [`Refused::UnknownField`] if a field is none of `sid`, `spw`, `epi` and `ipa`,
    /// [`Refused::RepeatedField`] if one occurs twice.
    pub fn parse(body: &[u8]) -> Result<Self, Refused> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = extract::without_line_end(&value).to_owned();
            let is_repeated = match &*name {
                "sid" => form.sid.replace(value).is_some(),
                "spw" => form.spw.replace(SecretText::new(value)).is_some(),
                "epi" => form.epi.replace(value).is_some(),
                "ipa" => form.ipa.replace(value).is_some(),
                _ => return Err(Refused::UnknownField),
            };
            if is_repeated {
                return Err(Refused::RepeatedField);
            }
        }
        Ok(form)
    }

    /// Returns the credentials with which the caller wants to issue.
    ///
    /// # Errors
    /// [`Refused::BothWays`] if there is a key and also `sid` or `spw`, [`Refused::HalfService`] if
    /// only one of `sid` and `spw` is present. [`Refused::Ambiguous`] if there are several keys,
    /// [`Refused::Missing`] if there are no credentials, [`Refused::UnknownService`] if Claviger
    /// did not make the service ID or password.
    pub fn credentials(
        &self,
        request: &Request<'_>,
        config: &Config,
    ) -> Result<Credentials, Refused> {
        let key = presented(request, config)?;
        // An empty field holds nothing.
        let sid = self.sid.as_deref().filter(|sid| !sid.is_empty());
        let spw = self.spw.as_ref().filter(|spw| !spw.expose().is_empty());
        match (key, sid, spw) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(Refused::BothWays),
            (Some(key), None, None) => {
                Ok(Credentials::Key(SecretText::new(key.expose().to_owned())))
            }
            (None, None, None) => Err(Refused::Missing),
            (None, Some(_), None) | (None, None, Some(_)) => Err(Refused::HalfService),
            (None, Some(sid), Some(spw)) => {
                let made = MadeServiceId::parse(sid, &config.prefix, &config.keyring);
                let password = service_id::presented(spw.expose());
                let (made, digest) = made.zip(password).ok_or(Refused::UnknownService)?;
                Ok(Credentials::Service { account: made.account(), digest })
            }
        }
    }

    /// Returns the expiry that the form asks for, as far as it needs no calendar.
    ///
    /// # Errors
    /// [`Refused::Epi`] if the text is malformed or out of range.
    pub fn expiry(&self, now: UnixMs) -> Result<AskedExpiry, Refused> {
        let Some(text) = self.epi.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(AskedExpiry::None);
        };
        match parse_without_calendar(text, now) {
            Some(read) => read.map(AskedExpiry::At).map_err(Refused::Epi),
            None => Ok(AskedExpiry::Calendar(text.to_owned())),
        }
    }

    /// Returns the networks that the form asks for; empty for all that the issuer's limits allow.
    ///
    /// # Errors
    /// [`Refused::IpaEntry`] if an entry is refused, [`Refused::Ipa`] if there are too many.
    pub fn networks(&self) -> Result<Networks, Refused> {
        match self.ipa.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(Networks::anywhere()),
            Some(text) => read_networks(text),
        }
    }
}

/// The expiry that a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedExpiry {
    /// The form names none.
    None,
    /// An expiry that needs no calendar.
    At(Expiry),
    /// A date or time of day, which the ledger reads in the account's time zone.
    Calendar(String),
}

fn read_networks(text: &str) -> Result<Networks, Refused> {
    let read = parse_lines(text);
    if !text.is_empty() && read.entries.is_empty() {
        // Only blanks and commas remain when a script's variables are unset: refuse them, or the
        // key would be valid anywhere.
        return Err(Refused::Ipa(network::NetworkError::NotAnAddress));
    }
    let of_an_entry = read.entries.iter().find_map(|entry| match &entry.outcome {
        network::NetworkOutcome::Refused { problem } => {
            Some(Refused::IpaEntry { entry: entry.text.clone(), problem: problem.clone() })
        }
        network::NetworkOutcome::Stored { .. } => None,
    });
    match of_an_entry.or_else(|| read.problem.clone().map(Refused::Ipa)) {
        Some(refused) => Err(refused),
        None => Networks::try_from(&read).map_err(Refused::Ipa),
    }
}

/// The credentials with which a caller wants to issue.
#[derive(Debug)]
pub enum Credentials {
    /// The text of a key, not yet verified.
    Key(SecretText),
    /// A service ID that Claviger made, with the digest of a password.
    Service {
        /// Account of the service ID.
        account: AccountId,
        /// Digest of the presented password.
        digest: Digest,
    },
}

/// An issuer that may issue now.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Account of the issuer.
    pub account: AccountId,
    /// Identity of the issuer, with the digest of the secret that it presented.
    pub proof: IssuerProof,
    /// Ceiling and sealing generation of the issuer. For a token, the ceiling is what the issuer
    /// itself may do.
    pub issuing: Issuing,
    /// Expiry of the issuer itself.
    pub expires: Expiry,
    /// `true` if the issue is a token of the issuer.
    pub is_token: bool,
}

/// Seals a key with the granted limits; `None` if they do not fit into a sealed key.
pub fn seal(
    granted: &Granted,
    authority: &Authority,
    at: UnixMs,
    config: &Config,
    rng: &mut impl CryptoRng,
) -> Option<NewSealed> {
    let expires_at = granted.expires.at()?;
    let is_short = expires_at.since(at).is_some_and(|life| life <= LIFE_MAX);
    if !is_short || granted.networks.len() > SEALED_NETWORKS_MAX {
        return None;
    }
    let Config { prefix, keyring, .. } = config;
    let (issuer, generation) = (authority.proof.issuer, authority.issuing.generation);
    let claims = Claims {
        id: SealedId::draw(authority.account, issuer, generation, (prefix, keyring), rng)?,
        issuer,
        issued_at: at,
        expires_at,
        networks: granted.networks.clone(),
        permissions: granted.permissions.clone(),
        is_token: authority.is_token,
    };
    NewSealed::seal(&claims, prefix, keyring)
}

#[cfg(test)]
mod tests;
