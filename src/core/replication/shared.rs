//! A shared reply: what one isolate was told of an account, for the others of its data centre.
//!
//! The text is a MAC in base64url, a line feed, and JSON. The MAC (HMAC-SHA-256 under the keyring's
//! `refresh-cache` subkey, over a label and the JSON as it stands) is checked before anything is
//! read. So whoever writes to the cache without the keyring can withhold a reply, or hand out an
//! old one again, which its `as_of` shows.
//!
//! The reply is without answers, and holds as of `as_of`: the local time at which its sender asked,
//! less [`SKEW`]. It names all changes after `base`: an isolate that knows less drops its records
//! first.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::base::id::AccountId;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::keyring::MacKey;
use crate::replication::record::Revision;
use crate::replication::refresh::{AccountState, Delta, Refresh};

/// By how much two clocks of one data centre may differ.
pub const SKEW: DurationMs = DurationMs::from_s(1);

/// Longest text that is read, in bytes: two lists of
/// [`MARKS_MAX`](crate::replication::refresh::MARKS_MAX) marks and a state are a third of it.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Version of the shape.
const VERSION: u8 = 1;

/// What the MAC covers before the JSON.
const LABEL: &[u8] = b"claviger/refresh-cache/1\0";

/// What one isolate hands to the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// Version of the shape.
    v: u8,
    /// Whose ledger answered.
    pub account: AccountId,
    /// As of when it holds.
    pub as_of: UnixMs,
    /// The reply names all changes after this.
    pub base: Revision,
    /// The reply; always with the account's state.
    pub reply: Refresh,
}

impl Shared {
    /// What to share of a reply to a request that was sent at `sent` by an isolate that knew all
    /// changes up to `known`, and for which `state` holds since.
    pub fn new(
        account: AccountId,
        sent: UnixMs,
        known: Revision,
        reply: &Refresh,
        state: &AccountState,
    ) -> Self {
        // To an isolate that knew nothing all is told but the changes: it knows none but those to
        // come.
        let (base, delta) = match &reply.delta {
            Delta::Changes(changes) => (known, Delta::Changes(changes.clone())),
            Delta::Reset => (reply.revision, Delta::Changes(Vec::new())),
        };
        let reply = Refresh {
            delta,
            state: Some(state.clone()),
            answers: Vec::new(),
            ..Refresh::clone(reply)
        };
        Self { v: VERSION, account, as_of: sent.saturating_sub(SKEW), base, reply }
    }

    /// As the cache keeps it.
    pub fn text(&self, key: &MacKey) -> Option<String> {
        let json = serde_json::to_string(self).ok().filter(|json| json.len() <= TEXT_BYTES_MAX)?;
        let mac = key.mac(&[LABEL, json.as_bytes()]);
        Some([&BASE64URL_NOPAD.encode(&mac), "\n", &json].concat())
    }

    /// Reads what the cache kept, if one of the keys made it and it is about this account.
    pub fn parse<'a>(
        text: &str,
        mut keys: impl Iterator<Item = &'a MacKey>,
        account: AccountId,
    ) -> Option<Self> {
        let (mac, json) = text.split_once('\n').filter(|(_, json)| json.len() <= TEXT_BYTES_MAX)?;
        let mac = BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?;
        let is_made =
            keys.any(|key| key.mac(&[LABEL, json.as_bytes()]).ct_eq(mac.as_slice()).into());
        if !is_made {
            return None;
        }
        let shared: Self = serde_json::from_str(json).ok()?;
        let is_whole = shared.reply.state.is_some() && shared.base <= shared.reply.revision;
        (shared.v == VERSION && shared.account == account && is_whole).then_some(shared)
    }
}

/// Where a data centre's cache keeps what is shared of `account`: a URL that leads nowhere, on the
/// console's host.
pub fn url(console_host: &str, account: AccountId) -> String {
    format!("https://{console_host}/.claviger/refresh/{account}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::record::Epoch;
    use crate::replication::refresh::{Mark, Unsettled};
    use crate::testing::key_id;

    fn account() -> AccountId {
        AccountId::parse("a1B2c3D4").unwrap()
    }

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
            answers: vec![crate::replication::refresh::Answer { id: key_id(), record: None }],
            document: 0,
        }
    }

    fn shared() -> Shared {
        let changes = Delta::Changes(vec![Mark { id: key_id(), revision: Revision(12) }]);
        Shared::new(account(), UnixMs::from_ms(5_000), Revision(11), &reply(changes), &state())
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
        let cold =
            Shared::new(account(), UnixMs::from_ms(0), Revision(0), &reply(Delta::Reset), &state());
        assert_eq!((cold.base, cold.reply.delta), (Revision(12), Delta::Changes(Vec::new())));
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
        // Made by whoever has the keyring, but not by this code.
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
