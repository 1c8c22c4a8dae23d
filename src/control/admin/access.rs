//! Operators by Cloudflare Access. Where it is configured, it alone decides who is an operator: the
//! request must carry a token that Access has signed for a listed person.
//!
//! Access puts the token, a JWT (RFC 7519), into the header [`ASSERTION_HEADER`]. A client can send
//! that header too, and Access may not be in front of the host at all. So nothing in it counts
//! before the signature is verified with a key of the team ([`keys`]). The adapter fetches those
//! keys and verifies the signature. [`token`] reads the token and decides about its claims.

mod keys;
mod settings;
mod token;

pub use self::keys::{
    DOCUMENT_BYTES_MAX, FETCH_TIME, KEYS_LIFE, REFETCH_PAUSE, RETRY_PAUSE, TeamKey, TeamKeyLookup,
    TeamKeys,
};
pub use self::settings::{AccessConfigError, AccessSettings, AccessVariables, OPERATORS_MAX};
pub use self::token::{AccessPerson, AccessRefusal, Assertion, CHANGE_WITHIN, CLOCK_SKEW};

/// Header in which Access sends its token. The cookie `CF_Authorization` holds the same token, and
/// is not read: browsers may send cookies where Access does not check them.
pub const ASSERTION_HEADER: &str = "cf-access-jwt-assertion";

#[cfg(test)]
mod tests;
