//! The token of Cloudflare Access: its form, and the decision about its claims.

use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::time::{DurationMs, UnixMs};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::settings::AccessSettings;
use crate::protocol::account::Email;

/// Longest token, in bytes. Tokens with the groups of an identity provider have some 2,000; the
/// platform accepts headers of 16 KB.
const TOKEN_BYTES_MAX: usize = 8_192;

/// Longest header part of a token, in bytes. It names an algorithm and a key.
const HEAD_BYTES_MAX: usize = 512;

/// Longest ID of a key, in bytes. Access uses 64.
const KEY_ID_BYTES_MAX: usize = 128;

/// Most audiences of a token.
const AUDIENCES_MAX: usize = 32;

/// The only accepted algorithm: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
const ALGORITHM: &str = "RS256";

/// Kind of the tokens that Access makes for an application. The team's own session has another.
const APPLICATION: &str = "app";

/// Accepted difference between the clocks of Access and of this Worker.
pub const CLOCK_SKEW: DurationMs = DurationMs::from_s(30);

/// Longest time since Access made the token for which its person may change something: as long as a
/// password proves a member's identity.
pub const CHANGE_WITHIN: DurationMs = DurationMs::from_s(10 * 60);

/// The reason for which a token of the right form is refused. Only the log contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// The signature is not of the key that the token names.
    #[error("the signature is wrong")]
    Forged,
    /// A claim is missing or of another type, or the token is not for an application.
    #[error("the claims are not those of an application's token")]
    Claims,
    /// The token is of another team.
    #[error("the issuer is not ACCESS_TEAM")]
    Issuer,
    /// The token is for another application.
    #[error("the audience is not ACCESS_AUD")]
    Audience,
    /// The token has expired.
    #[error("it has expired")]
    Expired,
    /// The token is not valid yet, or was made later than now.
    #[error("it is not valid yet")]
    NotYetValid,
    /// The token names no e-mail address, as that of a service.
    #[error("it names no e-mail address")]
    NoAddress,
    /// The address is not in the list.
    #[error("its address is not in ACCESS_OPERATORS")]
    NotListed,
}

/// The header part. A member that is not listed here, such as `jwk`, `jku`, `x5u` or `crit`, makes
/// the token unreadable: keys come from the team alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
}

/// The claims that the decision needs.
#[derive(Deserialize)]
struct AccessClaims {
    iss: String,
    aud: Audiences,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

impl Audiences {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => core::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A token of the right form. Nothing in it counts before its signature is verified.
pub struct Assertion<'a> {
    kid: String,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Assertion<'a> {
    /// Reads a token; `None` if it is no JWT in compact form (RFC 7515 §3.1) under the one accepted
    /// algorithm.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, payload) = signed.split_once('.')?;
        if head.len() > HEAD_BYTES_MAX {
            return None;
        }
        let Head { alg, kid, typ } = json(&decode(head)?)?;
        let is_kid = (1..=KEY_ID_BYTES_MAX).contains(&kid.len())
            && kid.bytes().all(|byte| byte.is_ascii_graphic());
        let is_jwt = typ.is_none_or(|typ| typ == "JWT");
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        (alg == ALGORITHM && is_kid && is_jwt && !signature.is_empty()).then_some(Self {
            kid,
            signed,
            payload,
            signature,
        })
    }

    /// Returns the ID of the key that is to verify the signature.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Returns the signed bytes.
    pub fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// Returns the signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Returns the listed person to whom Access gave the token. `is_genuine` states that the
    /// signature is right under the key of [`Self::kid`].
    ///
    /// # Errors
    /// [`AccessRefusal`] for the first check that fails.
    pub fn person(
        &self,
        is_genuine: bool,
        access: &AccessSettings,
        now: UnixMs,
    ) -> Result<AccessPerson, AccessRefusal> {
        if !is_genuine {
            return Err(AccessRefusal::Forged);
        }
        let claims: AccessClaims = json(&self.payload).ok_or(AccessRefusal::Claims)?;
        if claims.kind.is_some_and(|kind| kind != APPLICATION) {
            return Err(AccessRefusal::Claims);
        }
        if claims.iss != access.issuer() {
            return Err(AccessRefusal::Issuer);
        }
        let audiences = claims.aud.as_slice();
        if audiences.len() > AUDIENCES_MAX
            || !audiences.iter().any(|audience| audience == access.audience())
        {
            return Err(AccessRefusal::Audience);
        }
        let instant = |seconds| instant(seconds).ok_or(AccessRefusal::Claims);
        let issued_at = instant(claims.iat)?;
        if now >= instant(claims.exp)?.saturating_add(CLOCK_SKEW) {
            return Err(AccessRefusal::Expired);
        }
        let earliest = now.saturating_add(CLOCK_SKEW);
        if issued_at > earliest
            || claims.nbf.map(instant).transpose()?.is_some_and(|from| from > earliest)
        {
            return Err(AccessRefusal::NotYetValid);
        }
        let email = claims.email.filter(|email| !email.is_empty());
        let email = email.ok_or(AccessRefusal::NoAddress)?;
        let email = Email::parse(&email).map_err(|_| AccessRefusal::NotListed)?;
        if access.lists(&email) {
            Ok(AccessPerson { email, issued_at })
        } else {
            Err(AccessRefusal::NotListed)
        }
    }
}

/// A person whom Access has recognised as an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPerson {
    /// Address of the person, in lower case.
    pub email: Email,
    /// Time at which Access made the token, Unix ms.
    pub issued_at: UnixMs,
}

impl AccessPerson {
    /// Returns `true` if the token is recent enough for a change.
    pub fn may_change(&self, now: UnixMs) -> bool {
        now < self.issued_at.saturating_add(CHANGE_WITHIN)
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(part).ok()
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

fn instant(seconds: i64) -> Option<UnixMs> {
    seconds.checked_mul(1_000).map(UnixMs::from_ms)
}
