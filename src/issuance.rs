//! The issuance API: `POST /issue_service_authorization`, with which a customer's own program asks for keys.
//!
//! A form goes in (WHATWG URL §5.1, `application/x-www-form-urlencoded`), the bare key comes out. Success is status 200 and nothing but the
//! key as the body, without a line end: clients do not trim it. Anything else is a failure, whose body is one line of text, without a line
//! end either: `<code>: <sentence>`. Codes are stable.
//!
//! | field | what it is |
//! | --- | --- |
//! | `sid`, `spw` | service ID and service password: both, or neither |
//! | `epi` | how long the key is to live, in a form of [`crate::expiry`]; left out or empty: 30 seconds |
//! | `ipa` | from where it may be used: addresses and CIDR blocks; left out or empty: from wherever the ceiling allows |
//!
//! In place of `sid` and `spw` an issuable key may stand in `Authorization`. A field that is not known, or repeated, is refused: a mistyped
//! `ipa` must not issue a key for anywhere.
//!
//! 1. [`check_head`], [`Gateway::check_issuer`](crate::gateway::Gateway::check_issuer): what the headers alone decide. A made-up key ends here, before the body
//!    is read.
//! 1. [`Form::parse`], [`Form::credentials`]: what the text alone decides. A made-up service ID ends here, without any lookup (P3).
//! 2. [`Gateway::authorise_issue`](crate::gateway::Gateway::authorise_issue): who issues, and how far it may go.
//! 3. [`grant`]: what was asked for, within the ceiling. What lies above it is refused and never cut.
//! 4. [`seal`]: a [sealed key](crate::sealed), which is stored nowhere; what does not fit into one is issued by the ledger, which decides
//!    again with what it knows.

mod refusal;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

pub use self::refusal::{Refused, RetryAfter, text};
use crate::config::Config;
use crate::credential;
use crate::expiry::{Described, Expiry};
use crate::id::{AccountId, SealedId};
use crate::issuer::{Ceiling, Issuer, Issuing};
use crate::network::{self, Networks, parse_lines};
use crate::permission::Permissions;
use crate::power::covers_networks;
use crate::request::Request;
use crate::sealed::{Claims, LIFE_MAX, NewSealed, SEALED_NETWORKS_MAX};
use crate::secret::{Digest, SecretText};
use crate::service::{self, MadeServiceId};
use crate::time::{DurationMs, UnixMs, Zone};

/// Where it is on the console's host, and by default on an API's.
pub const PATH: &str = "/issue_service_authorization";

/// How long a key lives when nothing is said: long enough to open one connection.
pub const LIFE: DurationMs = DurationMs::from_s(30);

/// Largest body, in bytes: 256 networks of the longest writing, each escaped, have 30 KB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// How far the clock of who asks a ledger may be from the ledger's own.
pub const CLOCK_SKEW_MAX: DurationMs = DurationMs::from_s(60);

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
) -> Result<Option<credential::Text<'a>>, Refused> {
    credential::in_authorization(request, &config.prefix).map_err(|_| Refused::Ambiguous)
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
    /// [`Refused::BothWays`], [`Refused::HalfService`], [`Refused::Ambiguous`], [`Refused::Missing`], [`Refused::UnknownService`].
    pub fn credentials(&self, request: &Request<'_>, config: &Config) -> Result<Credentials, Refused> {
        let key = presented(request, config)?;
        match (key, &self.sid, &self.spw) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Err(Refused::BothWays),
            (Some(key), None, None) => Ok(Credentials::Key(SecretText::new(key.expose().to_owned()))),
            (None, None, None) => Err(Refused::Missing),
            (None, Some(_), None) | (None, None, Some(_)) => Err(Refused::HalfService),
            (None, Some(sid), Some(spw)) => {
                let made = MadeServiceId::parse(sid, &config.prefix, &config.ring);
                let password = service::presented(spw.expose());
                let (made, digest) = made.zip(password).ok_or(Refused::UnknownService)?;
                Ok(Credentials::Service { account: made.account(), digest })
            }
        }
    }

    /// What the form asks for, at the time `now`; dates are meant in `zone`.
    ///
    /// # Errors
    /// [`Refused::Epi`], [`Refused::Ipa`].
    pub fn wanted(&self, now: UnixMs, zone: &Zone) -> Result<Wanted, Refused> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let expires = match filled(&self.epi) {
            None => None,
            Some(text) => Some(Described::parse(&text, now, zone).map_err(Refused::Epi)?.expiry()),
        };
        let networks = match filled(&self.ipa) {
            None => Networks::anywhere(),
            Some(text) => read_networks(&text)?,
        };
        Ok(Wanted { expires, networks })
    }
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

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Until when; `None`: nothing was said.
    pub expires: Option<Expiry>,
    /// From where; empty: from wherever the ceiling allows.
    pub networks: Networks,
}

/// An issuer with the proof that it was presented: what the ledger compares again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerProof {
    /// Which.
    pub issuer: Issuer,
    /// Digest of its secret.
    pub digest: Digest,
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
    /// The account's zone.
    pub zone: Zone,
}

/// What is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Until when.
    pub expires: Expiry,
    /// From where; empty: from wherever the ceiling allows.
    pub networks: Networks,
    /// What for: all that the ceiling allows.
    pub permissions: Permissions,
}

/// Grants what is wanted at the time `at` of an issuer that ends at `expires`.
///
/// # Errors
/// [`Refused::TooLong`], [`Refused::Outside`]: it lies above the ceiling.
pub fn grant(wanted: Wanted, ceiling: &Ceiling, expires: Expiry, at: UnixMs) -> Result<Granted, Refused> {
    let longest = ceiling.longest.map_or(Expiry::Never, |longest| Expiry::At(at.saturating_add(longest)));
    let latest = expires.earlier(longest);
    let ends = match wanted.expires {
        // What nobody has asked for is not above anything.
        None => Expiry::At(at.saturating_add(LIFE)).earlier(latest),
        Some(ends) if ends.earlier(latest) == ends => ends,
        Some(_) => return Err(Refused::TooLong),
    };
    if !wanted.networks.is_unrestricted() && !covers_networks(&ceiling.networks, &wanted.networks) {
        return Err(Refused::Outside);
    }
    Ok(Granted { expires: ends, networks: wanted.networks, permissions: ceiling.permissions.clone() })
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
    let Config { prefix, ring, .. } = config;
    let (issuer, generation) = (authority.proof.issuer, authority.issuing.generation);
    let claims = Claims {
        id: SealedId::draw(authority.account, issuer, generation, (prefix, ring), rng)?,
        issuer,
        issued_at: at,
        expires_at,
        networks: granted.networks.clone(),
        permissions: granted.permissions.clone(),
    };
    NewSealed::seal(&claims, prefix, ring)
}

#[cfg(test)]
mod tests;
