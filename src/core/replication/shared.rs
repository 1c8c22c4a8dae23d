//! Defines the shared reply: a ledger's reply that one isolate passes to the other isolates of its
//! data centre.
//!
//! The text is a MAC in base64url, a line feed, and JSON. The MAC is HMAC-SHA-256 under the
//! keyring's `refresh-cache` subkey, over a label and the JSON text. A reader checks it before it
//! parses anything. So an attacker who can write to the cache, but lacks the keyring, can only
//! withhold a reply or replay an old one. `as_of` reveals the replay.
//!
//! The reply carries no answers. It holds as of `as_of`: the local time at which its sender asked,
//! less [`SKEW`]. It names all changes after `base`: an isolate that knows less drops its records
//! first.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};
use subtle::ConstantTimeEq;

use crate::base::id::AccountId;
use crate::base::json::{FromJson, from_json};
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::keyring::MacKey;
use crate::replication::record::{Epoch, Revision};
use crate::replication::refresh::{AccountState, Delta, Refresh, Unsettled};
use crate::replication::superseded::{Superseded, SupersededFilter};

/// Largest assumed difference between two clocks of one data centre.
pub const SKEW: DurationMs = DurationMs::from_s(1);

/// Longest accepted text, in bytes. Two lists of
/// [`MARKS_MAX`](crate::replication::refresh::MARKS_MAX) marks and a state take half of it.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Version of the shape.
const VERSION: u8 = 1;

/// Label that the MAC covers before the JSON.
const LABEL: &[u8] = b"claviger/refresh-cache/1\0";

/// The reply that one isolate shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Version of the shape.
    v: u8,
    /// Account whose ledger answered.
    pub account: AccountId,
    /// Time as of which the reply holds, Unix ms.
    pub as_of: UnixMs,
    /// Revision after which the reply names all changes.
    pub base: Revision,
    /// Reply, always with the account's state and without answers.
    #[serde(serialize_with = "write_reply")]
    pub reply: Refresh,
}

/// Writes a reply without its answers, which are none: so the edge needs no code that writes
/// records.
fn write_reply<S: Serializer>(reply: &Refresh, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct WrittenReply<'a> {
        epoch: &'a Epoch,
        revision: Revision,
        delta: &'a Delta,
        unsettled: &'a Unsettled,
        state: &'a Option<AccountState>,
        document: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        superseded: &'a Option<Superseded>,
    }
    let Refresh { epoch, revision, delta, unsettled, state, answers: _, document, superseded } =
        reply;
    let (revision, document) = (*revision, *document);
    WrittenReply { epoch, revision, delta, unsettled, state, document, superseded }
        .serialize(serializer)
}

from_json!(Shared {
    v: required,
    account: required,
    as_of: required,
    base: required,
    reply: required,
});

impl Shared {
    /// Creates the shared form of a reply. The isolate sent the request at `sent` and knew all
    /// changes up to `known`; `state` is the account's state after the reply. `superseded` contains
    /// all superseded keys as of the reply's revision; `None` if the sender does not know them.
    pub fn new(
        account: AccountId,
        sent: UnixMs,
        known: Revision,
        reply: &Refresh,
        state: &AccountState,
        superseded: Option<SupersededFilter>,
    ) -> Self {
        // A sender without a lease gets a reset instead of changes. Its reply can only serve leases
        // that know everything up to the reply's revision.
        let (base, delta) = match &reply.delta {
            Delta::Changes(changes) => (known, Delta::Changes(changes.clone())),
            Delta::Reset => (reply.revision, Delta::Changes(Vec::new())),
        };
        let reply = Refresh {
            delta,
            state: Some(state.clone()),
            answers: Vec::new(),
            superseded: superseded.map(Superseded::Filter),
            ..Refresh::clone(reply)
        };
        Self { v: VERSION, account, as_of: sent.saturating_sub(SKEW), base, reply }
    }

    /// Returns the text for the cache; `None` if it is too long.
    pub fn text(&self, key: &MacKey) -> Option<String> {
        let json = serde_json::to_string(self).ok().filter(|json| json.len() <= TEXT_BYTES_MAX)?;
        let mac = key.mac(&[LABEL, json.as_bytes()]);
        Some([&Base64UrlUnpadded::encode_string(&mac), "\n", &json].concat())
    }

    /// Parses a text from the cache. Returns `None` if no key of `keys` made its MAC, or if it is
    /// malformed or about another account.
    pub fn parse<'a>(
        text: &str,
        mut keys: impl Iterator<Item = &'a MacKey>,
        account: AccountId,
    ) -> Option<Self> {
        let (mac, json) = text.split_once('\n').filter(|(_, json)| json.len() <= TEXT_BYTES_MAX)?;
        let mac = Base64UrlUnpadded::decode_vec(mac).ok()?;
        let is_made =
            keys.any(|key| key.mac(&[LABEL, json.as_bytes()]).ct_eq(mac.as_slice()).into());
        if !is_made {
            return None;
        }
        let shared = Self::parse_json(json)?;
        let is_whole = shared.reply.state.is_some() && shared.base <= shared.reply.revision;
        (shared.v == VERSION && shared.account == account && is_whole).then_some(shared)
    }
}

/// Returns the cache key for `account`: a URL on the console host that serves nothing.
pub fn url(console_host: &str, account: AccountId) -> String {
    format!("https://{console_host}/.claviger/refresh/{account}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::limits::network::NETWORKS_MAX;
    use crate::replication::refresh::{MARKS_MAX, Mark};
    use crate::replication::superseded::FILTER_BYTES_MAX;
    use crate::testing::{account, key_id};

    fn state() -> AccountState {
        AccountState { revision: Revision(3), freshness_ms: 10_000, ..AccountState::default() }
    }

    fn reply(delta: Delta) -> Refresh {
        Refresh {
            epoch: Epoch::new(1),
            revision: Revision(12),
            delta,
            unsettled: Unsettled::Set(Vec::new()),
            state: None,
            answers: vec![crate::replication::refresh::RefreshAnswer {
                id: key_id(),
                record: None,
            }],
            document: 0,
            superseded: Some(Superseded::Keys(vec![key_id()])),
        }
    }

    fn shared() -> Shared {
        let changes = Delta::Changes(vec![Mark { id: key_id(), revision: Revision(12) }]);
        let none = Some(SupersededFilter::default());
        let sent = UnixMs::from_ms(5_000);
        Shared::new(account(), sent, Revision(11), &reply(changes), &state(), none)
    }

    fn key(byte: u8) -> MacKey {
        MacKey::new(&[byte; 32])
    }

    #[test]
    fn it_is_read_as_it_was_made_without_answers_and_a_second_older() {
        let text = shared().text(&key(1)).unwrap();
        let read = Shared::parse(&text, [key(2), key(1)].iter(), account()).unwrap();
        assert_eq!(read, shared());
        assert_eq!((read.as_of, read.base), (UnixMs::from_ms(4_000), Revision(11)));
        assert_eq!((read.reply.answers.len(), read.reply.state), (0, Some(state())));
        assert_eq!(
            url("keys.example", account()),
            "https://keys.example/.claviger/refresh/a1B2c3D4"
        );
    }

    #[test]
    fn what_a_cold_isolate_was_told_counts_for_nobody_who_knows_less() {
        let (sent, reset) = (UnixMs::from_ms(0), reply(Delta::Reset));
        let cold = Shared::new(account(), sent, Revision(0), &reset, &state(), None);
        assert_eq!((cold.base, cold.reply.delta), (Revision(12), Delta::Changes(Vec::new())));
    }

    #[test]
    fn a_text_may_have_the_longest_length_and_no_byte_more() {
        let of_length = |more: usize| {
            let mut shared = shared();
            shared.reply.epoch = Epoch::from_stored("e".repeat(more));
            shared
        };
        let head = 43 + 1;
        let room = head + TEXT_BYTES_MAX - of_length(0).text(&key(1)).unwrap().len();
        let longest = of_length(room).text(&key(1)).unwrap();
        assert_eq!(longest.len(), head + TEXT_BYTES_MAX);
        assert_eq!(Shared::parse(&longest, [key(1)].iter(), account()), Some(of_length(room)));
        assert_eq!(of_length(room + 1).text(&key(1)), None);
        let long = serde_json::to_string(&of_length(room + 1)).unwrap();
        let mac = Base64UrlUnpadded::encode_string(&key(1).mac(&[LABEL, long.as_bytes()]));
        let long = format!("{mac}\n{long}");
        assert_eq!(Shared::parse(&long, [key(1)].iter(), account()), None);
    }

    /// Returns a state with the longest list of an account's networks, for both interfaces.
    fn longest_state() -> AccountState {
        let longest =
            |n: usize| format!("\"2001:db8:1111:1111:1111:1111:1111:{:04x}\"", 0xa000 + n);
        let list = (0..NETWORKS_MAX).map(longest).collect::<Vec<_>>().join(",");
        let json = format!(r#"{{"protected_api":[{list}],"smtp":[{list}]}}"#);
        AccountState { networks: serde_json::from_str(&json).unwrap(), ..state() }
    }

    /// An isolate with a full lease shares it like any other.
    #[test]
    fn the_fullest_lists_with_the_longest_filter_are_shared() {
        let mark = Mark { id: key_id(), revision: Revision((1 << 53) - 1) };
        let full = reply(Delta::Changes(vec![mark; MARKS_MAX]));
        let full = Refresh { unsettled: Unsettled::Set(vec![mark; MARKS_MAX]), ..full };
        let filter = SupersededFilter::of(&vec![key_id(); 8 * FILTER_BYTES_MAX]);
        let sent = UnixMs::from_ms(5_000);
        let full =
            Shared::new(account(), sent, Revision(11), &full, &longest_state(), Some(filter));
        let text = full.text(&key(1)).unwrap();
        assert_eq!(Shared::parse(&text, [key(1)].iter(), account()), Some(full));
    }

    #[test]
    fn a_reply_that_names_no_changes_is_shared_with_its_revision_as_the_base() {
        let reset = reply(Delta::Reset);
        let cold = Shared::new(account(), UnixMs::from_ms(0), Revision(0), &reset, &state(), None);
        let text = cold.text(&key(1)).unwrap();
        assert_eq!(Shared::parse(&text, [key(1)].iter(), account()), Some(cold.clone()));
        assert_eq!(cold.reply.superseded, None, "the reply's own keys are not all of them");
    }

    #[test]
    fn forged_foreign_and_truncated_texts_are_refused() {
        let text = shared().text(&key(1)).unwrap();
        let read = |text: &str, by: u8, account| Shared::parse(text, [key(by)].iter(), account);
        assert_eq!(read(&text, 2, account()), None, "under another key");
        assert_eq!(
            read(&text, 1, AccountId::parse("a1B2c3D5").unwrap()),
            None,
            "another account's"
        );
        let (mac, json) = text.split_once('\n').unwrap();
        for bad in [
            String::new(),
            json.to_owned(),
            format!("{mac}\n"),
            format!("\n{json}"),
            format!("{}\n{json}", &mac[..42]),
            format!("{mac}\n{}", json.replacen("4000", "5000", 1)),
            format!("{mac}\n{json} "),
            format!("{mac}\n\n{json}"),
            text[..text.len() - 1].to_owned(),
        ] {
            assert_eq!(read(&bad, 1, account()), None, "{bad}");
        }
        for cut in 0..text.len() {
            assert_eq!(read(&text[..cut], 1, account()), None, "{cut}");
        }
        // A holder of the keyring made this text, but another release of the code.
        let other = Shared { v: 2, ..shared() };
        assert_eq!(read(&other.text(&key(1)).unwrap(), 1, account()), None, "another version");
        let above = Shared { base: Revision(13), ..shared() };
        assert_eq!(
            read(&above.text(&key(1)).unwrap(), 1, account()),
            None,
            "a base above the reply"
        );
        let mut stateless = shared();
        stateless.reply.state = None;
        assert_eq!(
            read(&stateless.text(&key(1)).unwrap(), 1, account()),
            None,
            "without the state"
        );
    }
}
