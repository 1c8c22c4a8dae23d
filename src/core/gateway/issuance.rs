//! The issuance API: `POST /issue_service_authorization`, with which a customer's own program asks
//! for keys.
//!
//! A form goes in (WHATWG URL §5.1, `application/x-www-form-urlencoded`), the bare key comes out.
//! Success is status 200 and nothing but the key as the body, without a line end: clients do not
//! trim it. Anything else is a failure, whose body is one line of text, without a line end either:
//! `<code>: <sentence>`. Codes are stable.
//!
//! | field | what it is |
//! | --- | --- |
//! | `sid`, `spw` | service ID and service password: both, or neither |
//! | `epi` | how long the key is to live, in a form of [`crate::credential::limits::lifetime`]; left out or empty: 30 seconds |
//! | `ipa` | from where it may be used: addresses and CIDR blocks; left out or empty: from wherever the ceiling allows |
//!
//! In place of `sid` and `spw` an issuable key may stand in `Authorization`. A field that is not
//! known, or repeated, is refused: a mistyped `ipa` must not issue a key for anywhere.
//!
//! 1. [`check_head`], [`Gateway::check_issuer`](crate::gateway::gateway::Gateway::check_issuer):
//!    what the headers alone decide. A made-up key ends here, before the body is read.
//! 1. [`Form::parse`], [`Form::credentials`]: what the text alone decides. A made-up service ID
//!    ends here, without any lookup (P3).
//! 2. [`Gateway::authorise_issue`](crate::gateway::gateway::Gateway::authorise_issue): who issues,
//!    and how far it may go.
//! 3. [`grant`]: what was asked for, within the ceiling. What lies above it is refused and never
//!    cut.
//! 4. [`seal`]: a [sealed key](crate::credential::sealed), which is stored nowhere; what does not
//!    fit into one is issued by the ledger, which decides again with what it knows.

mod refusal;

use rand_core::CryptoRng;

pub use self::refusal::{Refused, RetryAfter, text};
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

/// Where it is on the console's host, and by default on an API's.
pub const PATH: &str = "/issue_service_authorization";

/// Largest body, in bytes: 256 networks of the longest writing, each escaped, have 30 KB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What a request says before its body is read.
///
/// # Errors
/// [`Refused::Method`], [`Refused::Query`], [`Refused::MediaType`].
pub fn check_head(request: &Request<'_>) -> Result<(), Refused> {
    if request.method != "POST" {
        return Err(Refused::Method);
    }
    if request.url.query.is_some_and(|query| !query.is_empty()) {
        return Err(Refused::Query);
    }
    let media_type = request.headers.find("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    if is_form { Ok(()) } else { Err(Refused::MediaType) }
}

/// The key in `Authorization`, not yet looked at. No other place counts.
///
/// # Errors
/// [`Refused::Ambiguous`].
pub fn presented<'a>(
    request: &Request<'a>,
    config: &Config,
) -> Result<Option<extract::Text<'a>>, Refused> {
    extract::in_authorization(request, &config.prefix).map_err(|_| Refused::Ambiguous)
}

/// The fields of a form.
#[derive(Debug, Default)]
pub struct Form {
    sid: Option<String>,
    spw: Option<SecretText>,
    epi: Option<String>,
    ipa: Option<String>,
}

impl Form {
    /// Reads the fields of a body.
    ///
    /// # Errors
    /// [`Refused::UnknownField`], [`Refused::RepeatedField`].
    pub fn parse(body: &[u8]) -> Result<Self, Refused> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
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

    /// With what the request wants to issue.
    ///
    /// # Errors
    /// [`Refused::BothWays`], [`Refused::HalfService`], [`Refused::Ambiguous`],
    /// [`Refused::Missing`], [`Refused::UnknownService`].
    pub fn credentials(
        &self,
        request: &Request<'_>,
        config: &Config,
    ) -> Result<Credentials, Refused> {
        let key = presented(request, config)?;
        match (key, &self.sid, &self.spw) {
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

    /// The end that the form asks for, as far as it can be told without a calendar.
    ///
    /// # Errors
    /// [`Refused::Epi`].
    pub fn expiry(&self, now: UnixMs) -> Result<AskedExpiry, Refused> {
        let Some(text) = self.epi.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(AskedExpiry::None);
        };
        match parse_without_calendar(text, now) {
            Some(read) => read.map(AskedExpiry::At).map_err(Refused::Epi),
            None => Ok(AskedExpiry::Calendar(text.to_owned())),
        }
    }

    /// The networks that the form asks for; empty: from wherever the issuer's limits allow.
    ///
    /// # Errors
    /// [`Refused::Ipa`].
    pub fn networks(&self) -> Result<Networks, Refused> {
        match self.ipa.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(Networks::anywhere()),
            Some(text) => read_networks(text),
        }
    }
}

/// The end that a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedExpiry {
    /// The form names none.
    None,
    /// This end.
    At(Expiry),
    /// A date or time of day, which the ledger reads in the account's zone.
    Calendar(String),
}

fn read_networks(text: &str) -> Result<Networks, Refused> {
    let read = parse_lines(text);
    if !text.is_empty() && read.entries.is_empty() {
        // Blanks and commas are what is left when a script's variables were not set.
        return Err(Refused::Ipa(network::NetworkError::NotAnAddress));
    }
    let of_an_entry = read.entries.iter().find_map(|entry| match &entry.outcome {
        network::Outcome::Refused { problem } => Some(problem.clone()),
        network::Outcome::Stored { .. } => None,
    });
    match of_an_entry.or_else(|| read.problem.clone()) {
        Some(problem) => Err(Refused::Ipa(problem)),
        None => Networks::try_from(&read).map_err(Refused::Ipa),
    }
}

/// With what a request wants to issue.
#[derive(Debug)]
pub enum Credentials {
    /// A key's text, not yet looked at.
    Key(SecretText),
    /// A service ID that Claviger made, and the digest of a password.
    Service {
        /// Whose.
        account: AccountId,
        /// The password's.
        digest: Digest,
    },
}

/// An issuer that may issue now.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Whose.
    pub account: AccountId,
    /// Which, and that it was presented.
    pub proof: IssuerProof,
    /// How far it may go.
    pub issuing: Issuing,
    /// When it ends itself.
    pub expires: Expiry,
}

/// Seals what is granted; `None`: it does not fit into a sealed key.
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
    };
    NewSealed::seal(&claims, prefix, keyring)
}

#[cfg(test)]
mod tests;
