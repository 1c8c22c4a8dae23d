//! The keys by which a team signs, as one isolate knows them, and when it fetches them.
//!
//! Anyone can send tokens with made-up key IDs. So an unknown ID makes an isolate fetch the keys at
//! most once per [`REFETCH_PAUSE`]. One fetch runs at a time; other requests wait for it.

use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::time::{DurationMs, UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};

/// Largest document of keys, in bytes. A document with two keys and their certificates has 6,000.
pub const DOCUMENT_BYTES_MAX: usize = 65_536;

/// Most keys that are kept. A team has two: the present one, and the one before.
const KEYS_MAX: usize = 16;

/// Time for which fetched keys count. A key that the team has withdrawn is refused after this time.
pub const KEYS_LIFE: DurationMs = DurationMs::from_s(60 * 60);

/// Shortest time between two fetches while keys are known. Access announces a key long before this
/// matters: it keeps the former one for seven days.
pub const REFETCH_PAUSE: DurationMs = DurationMs::from_s(60);

/// Shortest time between two fetches while no keys are known.
pub const RETRY_PAUSE: DurationMs = DurationMs::from_s(5);

/// Longest time of a fetch. After it, an unfinished one counts as failed.
pub const FETCH_TIME: DurationMs = DurationMs::from_s(3);

/// Fewest and most bytes of a modulus: 2048 to 4096 bits. RFC 7518 §3.3 demands 2048.
const MODULUS_BYTES: core::ops::RangeInclusive<usize> = 256..=512;

/// The one public exponent, 65537, in base64url.
const EXPONENT: &str = "AQAB";

/// A public RSA key of the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamKey {
    kid: String,
    modulus: String,
}

/// A key as the document has it (RFC 7517).
#[derive(Deserialize)]
struct WrittenKey {
    kid: String,
    kty: String,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    n: String,
    e: String,
}

#[derive(Deserialize)]
struct TeamKeyDocument {
    keys: Vec<Value>,
}

impl TeamKey {
    /// Reads the keys of a document. Keys of another kind are left out; `None` if no key is left.
    pub fn read_all(document: &[u8]) -> Option<Vec<Self>> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return None;
        }
        let TeamKeyDocument { keys } = serde_json::from_slice(document).ok()?;
        let keys: Vec<Self> = keys.into_iter().filter_map(Self::read).take(KEYS_MAX).collect();
        (!keys.is_empty()).then_some(keys)
    }

    fn read(written: Value) -> Option<Self> {
        let WrittenKey { kid, kty, alg, purpose, n, e } = serde_json::from_value(written).ok()?;
        let modulus = Base64UrlUnpadded::decode_vec(&n).ok()?;
        let fits = kty == "RSA"
            && alg.is_none_or(|alg| alg == "RS256")
            && purpose.is_none_or(|purpose| purpose == "sig")
            && e == EXPONENT
            && MODULUS_BYTES.contains(&modulus.len())
            && modulus.first().is_some_and(|byte| *byte != 0);
        fits.then_some(Self { kid, modulus: n })
    }

    /// Returns the key as a JWK that names its one algorithm.
    pub fn to_jwk(&self) -> String {
        json!({ "kty": "RSA", "alg": "RS256", "n": self.modulus, "e": EXPONENT }).to_string()
    }
}

/// The answer to a search for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeamKeyLookup {
    /// The key.
    Found(TeamKey),
    /// The team has no such key.
    Unknown,
    /// The caller must fetch the keys now, then report to [`TeamKeys::loaded`] or
    /// [`TeamKeys::failed`], and ask again.
    Fetch,
    /// Another request is fetching the keys: ask again soon.
    Wait,
    /// The last fetch failed, and it is too early for another.
    Unreachable,
}

/// State of the last fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TeamKeyFetch {
    Running,
    Failed,
    Done,
}

/// The keys that one isolate knows.
#[derive(Debug, Default)]
pub struct TeamKeys {
    keys: Vec<TeamKey>,
    loaded_at: Option<UnixMs>,
    last: Option<(UnixMs, TeamKeyFetch)>,
}

impl TeamKeys {
    /// Returns an empty set.
    pub const fn new() -> Self {
        Self { keys: Vec::new(), loaded_at: None, last: None }
    }

    /// Searches for a key. [`TeamKeyLookup::Fetch`] marks a fetch as running.
    pub fn find(&mut self, kid: &str, now: UnixMs) -> TeamKeyLookup {
        // `None` also if the clock is behind: keys and pauses of a future time do not count.
        let age = |at: UnixMs| now.since(at);
        let is_fresh = self.loaded_at.and_then(age).is_some_and(|age| age < KEYS_LIFE);
        if is_fresh && let Some(key) = self.keys.iter().find(|key| key.kid == kid) {
            return TeamKeyLookup::Found(key.clone());
        }
        if let Some((at, fetch)) = self.last
            && let Some(age) = age(at)
        {
            if fetch == TeamKeyFetch::Running && age < FETCH_TIME {
                return TeamKeyLookup::Wait;
            }
            if age < if is_fresh { REFETCH_PAUSE } else { RETRY_PAUSE } {
                return match fetch {
                    TeamKeyFetch::Done => TeamKeyLookup::Unknown,
                    TeamKeyFetch::Running | TeamKeyFetch::Failed => TeamKeyLookup::Unreachable,
                };
            }
        }
        self.last = Some((now, TeamKeyFetch::Running));
        TeamKeyLookup::Fetch
    }

    /// Stores the keys that a fetch has returned.
    pub fn loaded(&mut self, keys: Vec<TeamKey>, now: UnixMs) {
        self.keys = keys;
        self.loaded_at = Some(now);
        self.end(TeamKeyFetch::Done);
    }

    /// Records that a fetch has failed. Known keys stay.
    pub fn failed(&mut self) {
        self.end(TeamKeyFetch::Failed);
    }

    fn end(&mut self, fetch: TeamKeyFetch) {
        if let Some((_, last)) = &mut self.last {
            *last = fetch;
        }
    }
}
