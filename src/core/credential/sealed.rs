//! Defines the sealed key: a short-lived credential that carries its limits under a MAC. Issuing
//! one stores nothing.
//!
//! # Format, version 1
//!
//! ```text
//! sealed key = prefix "s_" payload "." mac crc
//! width:                   any        43  6
//! ```
//!
//! - `payload` is base64url without padding (RFC 4648 §5) of a JSON text without blanks. Its
//!   members are, in this order:
//!
//!   | member | meaning |
//!   | --- | --- |
//!   | `v` | version, `1` |
//!   | `id` | the sealed key's ID, 35 digits of base62: see below |
//!   | `by` | its issuer: `{"key":"<ID>"}`, a key of the same account, or `"service"`, the account's service password |
//!   | `iat` | time of issue, Unix ms |
//!   | `exp` | first instant at which it no longer works, Unix ms; at most 24 hours after `iat` |
//!   | `net` | networks from which it may be used, at most 16, in stored form; `[]` for anywhere |
//!   | `may` | its permissions, in stored form; never a reserved one (`claviger:…`) |
//!   | `tok` | `true` if it is a token: see below; otherwise the member is absent |
//!
//! - A *token* acts for the key that got it ([`crate::gateway::oauth`]): that key's own limits
//!   bound it, instead of the limits for keys that it issues. Its issuer is a key. A release that
//!   knows no tokens refuses it, because it would write the payload without `tok`.
//! - `mac` is base64url without padding of all 32 bytes of HMAC-SHA-256. The MAC is under the
//!   sealing subkey ([`crate::credential::keyring`]) over `"claviger/sealed/1" 00 prefix 00
//!   payload`, with the payload in its encoded form.
//! - `crc` is CRC-32/ISO-HDLC over `payload "." mac` in base62, left-padded with `0` to 6 digits.
//!   It reveals typing errors and adds no security.
//! - `id` = account (8) number (10) generation (6) tag (11). The number is random. The generation
//!   is the issuer's sealing generation at the time of issue, left-padded with `0`. The tag is the
//!   first 8 bytes of HMAC-SHA-256 under the tag subkey, big-endian, left-padded with `0`. It
//!   covers `"claviger/sealed-id/1" 00 prefix 00 account number generation issuer`, where the
//!   issuer is a key's ID or `service`. So an owner who knows an ID and its issuer can revoke that
//!   key. A made-up ID cannot use up the room for revocations.
//! - The whole string has at most 2,048 bytes.
//! - A parser MUST check the length before it decodes anything. It MUST check `crc`, and `mac` in
//!   constant time, before it decodes the payload. It MUST refuse spare bits that are not zero, and
//!   a payload that would not serialise to the same bytes. The MAC covers the ID, so the parser
//!   need not check the ID's tag.
//! - The MACs and ID tags of a master secret's generation do not count if it is compromised, or was
//!   retired at least [`RETIRED_FOR_MAX`] ago.
//!
//! The holder of a sealed key can read its limits. On top of these sealed limits, the issuer's
//! state, sealing generation and ceiling apply at each verification.
//!
//! Worked example (also a test vector, `tests/vectors/sealed-example.txt`), with the master secret
//! `mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE` and the prefix `clv`:
//!
//! ```text
#![doc = include_str!("../../../tests/vectors/sealed-example.txt")]
//! ```

mod id;

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::base::id::{AccountId, Prefix, SealedId};
use crate::base::json::{FromJson, from_json};
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::checksum::{CRC_WIDTH, checksum};
use crate::credential::issuer::Issuer;
use crate::credential::keyring::{Generation, Keyring, MacKey};
use crate::credential::limits::network::Networks;
use crate::credential::limits::permission::Permissions;

/// Longest sealed key, in bytes. A key with 16 IPv6 networks and 16 permissions takes half of it,
/// and the usual header limit of servers is four times as large.
pub const SEALED_BYTES_MAX: usize = 2_048;

/// Longest life. A key that lives longer should be stored, so that members can see and delete it.
pub const LIFE_MAX: DurationMs = DurationMs::from_days(1);

/// Most networks of one sealed key.
pub const SEALED_NETWORKS_MAX: usize = 16;

/// Time for which a retired generation's MACs still count: the longest life of a key sealed just
/// before.
pub const RETIRED_FOR_MAX: DurationMs = LIFE_MAX;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"claviger/sealed/1\0";
/// Number of base64url digits of the 32-byte MAC.
const MAC_WIDTH: usize = 43;

/// The claims of a sealed key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// ID of the key, which also contains the issuer's sealing generation at the time of issue.
    pub id: SealedId,
    /// Issuer of the key.
    #[serde(rename = "by")]
    pub issuer: Issuer,
    /// Time of issue, Unix ms.
    #[serde(rename = "iat")]
    pub issued_at: UnixMs,
    /// First instant at which the key no longer works, Unix ms.
    #[serde(rename = "exp")]
    pub expires_at: UnixMs,
    /// Networks from which the key may be used; empty for anywhere.
    #[serde(rename = "net")]
    pub networks: Networks,
    /// Permissions of the key.
    #[serde(rename = "may")]
    pub permissions: Permissions,
    /// `true` if the key is a token of its issuer: the issuer's own limits bound it, not the limits
    /// for keys that it issues.
    #[serde(rename = "tok", skip_serializing_if = "core::ops::Not::not")]
    pub is_token: bool,
}

from_json!(Claims {
    id: required,
    issuer as "by": required,
    issued_at as "iat": required,
    expires_at as "exp": required,
    networks as "net": required,
    permissions as "may": required,
    is_token as "tok": or_default,
});

impl Claims {
    /// Returns `true` if a sealed key may carry these claims.
    fn are_within_bounds(&self) -> bool {
        let life = self.expires_at.since(self.issued_at);
        let is_own_issuer = match self.issuer {
            Issuer::Key(issuer) => issuer.account() == self.id.account(),
            // The service password is no key, so it gets no token.
            Issuer::Service => !self.is_token,
        };
        is_own_issuer
            && life.is_some_and(|life| life > DurationMs::default() && life <= LIFE_MAX)
            && self.networks.len() <= SEALED_NETWORKS_MAX
            && !self.permissions.holds_reserved()
    }
}

/// The JSON shape of the payload.
#[derive(Serialize)]
struct Payload<'a> {
    v: u8,
    #[serde(flatten)]
    claims: &'a Claims,
}

/// The reason why a string is not a sealed key. The string alone decides it, so any caller may
/// learn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedSealedKey {
    /// The string does not begin with the deployment's prefix and `s_`.
    #[error("the key does not begin with this deployment's prefix for sealed keys")]
    Prefix,
    /// The string is longer than any sealed key.
    #[error("a sealed key has at most {SEALED_BYTES_MAX} characters")]
    TooLong,
    /// The string does not consist of a payload, a dot, a MAC and a checksum.
    #[error("the sealed key is not whole, or holds a character that no key has")]
    Form,
    /// The checksum is wrong: a character is mistyped or missing.
    #[error("the sealed key's checksum is wrong: a character is mistyped or missing")]
    Checksum,
}

/// A string that has the form of a sealed key and a correct checksum. Its MAC is decoded but not
/// yet checked, so anyone may have made it. The payload is not decoded yet.
pub struct SealedText<'a> {
    payload: &'a str,
    mac: [u8; 32],
}

impl<'a> SealedText<'a> {
    /// Returns `true` if the text begins like a sealed key of this deployment.
    pub fn is_meant(text: &str, prefix: &Prefix) -> bool {
        strip(text, prefix).is_some()
    }

    /// Parses a sealed key.
    ///
    /// # Errors
    /// The first broken rule, in the order of [`MalformedSealedKey`]'s variants.
    pub fn parse(text: &'a str, prefix: &Prefix) -> Result<Self, MalformedSealedKey> {
        let body = strip(text, prefix).ok_or(MalformedSealedKey::Prefix)?;
        if text.len() > SEALED_BYTES_MAX {
            return Err(MalformedSealedKey::TooLong);
        }
        let (payload, rest) = body.split_once('.').ok_or(MalformedSealedKey::Form)?;
        let (mac, crc) = rest.split_at_checked(MAC_WIDTH).ok_or(MalformedSealedKey::Form)?;
        let is_of_base64url =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_whole =
            !payload.is_empty() && payload.bytes().all(is_of_base64url) && crc.len() == CRC_WIDTH;
        // The decoder is strict: spare bits must be zero.
        let decoded = Base64UrlUnpadded::decode_vec(mac).ok();
        let mac = decoded.and_then(|bytes| bytes.try_into().ok()).filter(|_| is_whole);
        let mac = mac.ok_or(MalformedSealedKey::Form)?;
        let covered = body
            .as_bytes()
            .split_last_chunk::<CRC_WIDTH>()
            .map_or(body.as_bytes(), |(head, _)| head);
        if checksum(covered) != *crc.as_bytes() {
            return Err(MalformedSealedKey::Checksum);
        }
        Ok(Self { payload, mac })
    }

    /// Checks the MAC against every generation that still counts at `now`. Returns the key if
    /// Claviger sealed it; `None` if it was forged, changed, or sealed too long ago.
    pub fn authenticate(
        &self,
        prefix: &Prefix,
        keyring: &Keyring,
        now: UnixMs,
    ) -> Option<MadeSealed> {
        let is_sealed =
            keyring.iter().filter(|generation| is_believed(generation, now)).any(|generation| {
                mac(generation.sealing_key(), prefix, self.payload).ct_eq(&self.mac).into()
            });
        if !is_sealed {
            return None;
        }
        let json = Base64UrlUnpadded::decode_vec(self.payload).ok()?;
        let claims = Claims::parse_json(core::str::from_utf8(&json).ok()?)?;
        // A payload that another release sealed in another shape must not be half understood.
        let is_same = serde_json::to_vec(&Payload { v: VERSION, claims: &claims })
            .is_ok_and(|written| written == json);
        (is_same && claims.are_within_bounds()).then_some(MadeSealed(claims))
    }
}

impl fmt::Debug for SealedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedText(…)")
    }
}

/// A sealed key that Claviger did seal: only such a key may cause a lookup (P3). Its present
/// validity is a matter of [`crate::verify::verification`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSealed(Claims);

impl MadeSealed {
    /// Returns the key's claims.
    pub fn claims(&self) -> &Claims {
        &self.0
    }

    /// Returns the account that the key belongs to.
    pub fn account(&self) -> AccountId {
        self.0.id.account()
    }
}

/// A newly made sealed key. It may appear in one response and nowhere else.
pub struct NewSealed {
    id: SealedId,
    text: Zeroizing<String>,
}

impl NewSealed {
    /// Seals the claims with the newest generation. Returns `None` if they do not fit and need a
    /// stored key.
    pub fn seal(claims: &Claims, prefix: &Prefix, keyring: &Keyring) -> Option<Self> {
        if !claims.are_within_bounds() {
            return None;
        }
        let json = serde_json::to_vec(&Payload { v: VERSION, claims }).ok()?;
        let payload = Base64UrlUnpadded::encode_string(&json);
        let mac = Base64UrlUnpadded::encode_string(&mac(
            keyring.newest().sealing_key(),
            prefix,
            &payload,
        ));
        let covered = Zeroizing::new([&payload, ".", &mac].concat());
        let mut text = Zeroizing::new([prefix.as_str(), "s_", &covered].concat());
        text.extend(checksum(covered.as_bytes()).map(char::from));
        (text.len() <= SEALED_BYTES_MAX).then_some(Self { id: claims.id, text })
    }

    /// Returns the sealed key's ID.
    pub fn id(&self) -> SealedId {
        self.id
    }

    /// Returns the whole key.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for NewSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSealed({}…)", self.id)
    }
}

/// Returns the text after the prefix of sealed keys.
fn strip<'a>(text: &'a str, prefix: &Prefix) -> Option<&'a str> {
    text.strip_prefix(prefix.as_str())?.strip_prefix("s_")
}

fn is_believed(generation: &Generation, now: UnixMs) -> bool {
    let is_long_retired =
        |at: UnixMs| now.since(at).is_some_and(|retired_for| retired_for >= RETIRED_FOR_MAX);
    !generation.is_compromised() && !generation.retired_at().is_some_and(is_long_retired)
}

fn mac(key: &MacKey, prefix: &Prefix, payload: &str) -> [u8; 32] {
    key.mac(&[LABEL, prefix.as_str().as_bytes(), b"\0", payload.as_bytes()])
}

#[cfg(test)]
pub(crate) mod tests;
