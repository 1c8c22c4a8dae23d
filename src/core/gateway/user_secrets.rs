//! Remembers the last right secret of each API user, so that one slow hash serves many requests.
//!
//! The isolate keeps a MAC of each secret under a key that no other isolate has, and the version of
//! the secret. The user's record decides if that version still counts, so a changed secret, a lock
//! or a deletion takes effect as for any key.
//!
//! A comparison in memory costs a guesser nothing, so few are made: after [`BLOCK_MISSES_MAX`]
//! wrong secrets from one address block, or [`NAME_MISSES_MAX`] from all blocks that had no right
//! one, the admin Worker checks further ones. It counts them first.

use std::collections::HashMap;

use subtle::ConstantTimeEq;

use crate::base::id::AccountId;
use crate::base::time::{DurationMs, UnixMs};
use crate::credential::api_user::ApiUserName;
use crate::credential::keyring::MacKey;
use crate::credential::limits::network::ClientAddress;
use crate::replication::secret_check::{ProvenSecret, SecretCheck};

/// Most users that are remembered, some 400 bytes each. A data centre's busy isolate serves a few
/// hundred. Only right secrets take a place.
const USERS_MAX: usize = 1_024;

/// Most blocks with a right secret that are remembered for one user, and about as many with a wrong
/// one. Blocks that have both are few.
const BLOCKS_MAX: usize = 32;

/// Wrong secrets of one block after which the memory answers it no more, in one window.
const BLOCK_MISSES_MAX: u32 = 10;

/// Wrong secrets of all blocks after which the memory answers blocks with a right one alone.
const NAME_MISSES_MAX: u32 = 100;

/// Length of the window in which wrong secrets count.
const WINDOW: DurationMs = DurationMs::from_s(10 * 60);

/// Longest secret that can be right, in bytes. The admin Worker accepts no longer one.
const SECRET_BYTES_MAX: usize = 128;

/// Returns `true` if a user can have this secret: printable ASCII (RFC 20 §5.2).
pub(super) fn is_possible(secret: &str) -> bool {
    let is_printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (1..=SECRET_BYTES_MAX).contains(&secret.len()) && secret.bytes().all(is_printable)
}

/// The memory of one isolate.
#[derive(Debug)]
pub(super) struct UserSecrets {
    key: MacKey,
    users: HashMap<ApiUserName, Remembered>,
}

#[derive(Debug)]
struct Remembered {
    proven: ProvenSecret,
    mac: [u8; 32],
    used_at: UnixMs,
    /// Blocks with a right secret, the latest last.
    right: Vec<String>,
    misses: Misses,
}

/// The wrong secrets of one window.
#[derive(Debug, Default)]
struct Misses {
    /// Begin of the window; `None` if there was no wrong secret.
    began: Option<UnixMs>,
    all: u32,
    blocks: Vec<(String, u32)>,
}

impl UserSecrets {
    /// Returns an empty memory. No other isolate has the same `key`.
    pub(super) fn new(key: MacKey) -> Self {
        Self { key, users: HashMap::new() }
    }

    /// Returns what the name object said about this secret; `None` if it must be asked.
    pub(super) fn find(
        &mut self,
        name: &ApiUserName,
        secret: &str,
        (address, within): (Option<ClientAddress>, Option<AccountId>),
        now: UnixMs,
    ) -> Option<ProvenSecret> {
        let mac = mac(&self.key, name, secret);
        let user = self.users.get_mut(name)?;
        // A mail server of another account must not use up the misses of this user.
        if within.is_some_and(|account| account != user.proven.id.account()) {
            return None;
        }
        let block = block_of(address);
        user.misses.begin_window(now);
        if !user.may_compare(&block) {
            return None;
        }
        if !bool::from(user.mac.ct_eq(&mac)) {
            user.misses.note(block);
            return None;
        }
        user.used_at = now;
        user.note_right(block);
        Some(user.proven.clone())
    }

    /// Remembers the secret of a question. The caller has found the version in the user's record: a
    /// version that no record names can be withdrawn, and its number used again for another secret.
    pub(super) fn remember(&mut self, asked: &SecretCheck, proven: &ProvenSecret, now: UnixMs) {
        let mac = mac(&self.key, &asked.name, asked.secret.expose());
        let block = block_of(asked.address);
        if let Some(user) = self.users.get_mut(&asked.name) {
            (user.proven, user.mac, user.used_at) = (proven.clone(), mac, now);
            user.note_right(block);
            return;
        }
        if self.users.len() >= USERS_MAX {
            let oldest = self.users.iter().min_by_key(|(_, user)| user.used_at);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.users.remove(&name);
            }
        }
        let (right, misses) = (vec![block], Misses::default());
        let user = Remembered { proven: proven.clone(), mac, used_at: now, right, misses };
        self.users.insert(asked.name.clone(), user);
    }

    /// Forgets a secret whose version no longer counts.
    pub(super) fn forget(&mut self, name: &ApiUserName) {
        self.users.remove(name);
    }
}

impl Remembered {
    fn may_compare(&self, block: &String) -> bool {
        let misses = &self.misses;
        // Once the list of blocks is full, further ones cannot be counted.
        let is_open = misses.all < NAME_MISSES_MAX && misses.blocks.len() < BLOCKS_MAX;
        misses.of(block) < BLOCK_MISSES_MAX && (is_open || self.right.contains(block))
    }

    fn note_right(&mut self, block: String) {
        if self.right.last() == Some(&block) {
            return;
        }
        self.right.retain(|known| *known != block);
        if self.right.len() >= BLOCKS_MAX {
            self.right.remove(0);
        }
        self.right.push(block);
    }
}

impl Misses {
    fn begin_window(&mut self, now: UnixMs) {
        // A clock that stepped back ends the window, too.
        let is_over = |began: UnixMs| now.since(began).is_none_or(|age| age >= WINDOW);
        if self.began.is_some_and(is_over) {
            *self = Self::default();
        }
        if self.began.is_none() {
            self.began = Some(now);
        }
    }

    fn of(&self, block: &String) -> u32 {
        let known = self.blocks.iter().find(|(known, _)| known == block);
        known.map_or(0, |(_, count)| *count)
    }

    fn note(&mut self, block: String) {
        self.all = self.all.saturating_add(1);
        match self.blocks.iter_mut().find(|(known, _)| *known == block) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.blocks.push((block, 1)),
        }
    }
}

fn mac(key: &MacKey, name: &ApiUserName, secret: &str) -> [u8; 32] {
    // A name holds no NUL, so the border is unambiguous.
    key.mac(&[name.as_str().as_bytes(), b"\0", secret.as_bytes()])
}

fn block_of(address: Option<ClientAddress>) -> String {
    address.map_or_else(|| "none".to_owned(), ClientAddress::block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::SecretText;
    use crate::credential::api_user::ApiSecretVersion;
    use crate::testing::{at, key_id};

    const SECRET: &str = "abcd1234";

    fn name() -> ApiUserName {
        ApiUserName::parse("app@example.com").unwrap()
    }

    fn asked(address: &str) -> SecretCheck {
        let address = ClientAddress::parse(address);
        let secret = SecretText::new(SECRET.into());
        SecretCheck { name: name(), secret, address, within: None }
    }

    fn proven() -> ProvenSecret {
        ProvenSecret { id: key_id(), name: name(), version: ApiSecretVersion(3) }
    }

    fn memory() -> UserSecrets {
        let mut memory = UserSecrets::new(MacKey::new(&[7; 32]));
        memory.remember(&asked("192.0.2.1"), &proven(), at(0));
        memory
    }

    fn find(memory: &mut UserSecrets, secret: &str, address: &str, now: i64) -> bool {
        let found = memory.find(&name(), secret, (ClientAddress::parse(address), None), at(now));
        assert!(found.is_none() || found == Some(proven()));
        found.is_some()
    }

    #[test]
    fn the_last_right_secret_is_found_and_no_other() {
        let mut memory = memory();
        assert!(find(&mut memory, SECRET, "198.51.100.1", 1));
        for wrong in ["abcd1235", "", "abcd123", "abcd12344"] {
            assert!(!find(&mut memory, wrong, "198.51.100.1", 1), "{wrong}");
        }
        let other = ApiUserName::parse("other@example.com").unwrap();
        assert_eq!(memory.find(&other, SECRET, (None, None), at(1)), None);
        let foreign = AccountId::parse("zzzzzzzz");
        assert_eq!(memory.find(&name(), SECRET, (None, foreign), at(1)), None);
        memory.forget(&name());
        assert!(!find(&mut memory, SECRET, "198.51.100.1", 1));
        assert!(!format!("{memory:?}").contains(SECRET));
    }

    #[test]
    fn after_ten_wrong_secrets_a_block_is_compared_no_more_until_the_window_is_over() {
        let mut memory = memory();
        for _ in 0..10 {
            assert!(!find(&mut memory, "wrong123", "198.51.100.1", 5));
        }
        assert!(!find(&mut memory, SECRET, "198.51.100.9", 6), "the same /24");
        assert!(find(&mut memory, SECRET, "203.0.113.1", 6), "another block");
        let window = 10 * 60 * 1_000;
        assert!(!find(&mut memory, SECRET, "198.51.100.1", window + 4));
        assert!(find(&mut memory, SECRET, "198.51.100.1", window + 5));
    }

    #[test]
    fn a_flood_from_many_blocks_leaves_the_memory_to_those_who_had_the_right_secret() {
        let mut memory = memory();
        let mut compared = 0;
        for block in 0..250 {
            for _ in 0..3 {
                let before = memory.users[&name()].misses.all;
                assert!(!find(&mut memory, "wrong123", &format!("198.51.{block}.1"), 5));
                compared += memory.users[&name()].misses.all - before;
            }
        }
        assert!(compared <= NAME_MISSES_MAX, "{compared}");
        assert!(find(&mut memory, SECRET, "192.0.2.99", 6), "had it before");
        assert!(!find(&mut memory, SECRET, "203.0.113.1", 6), "a stranger");
    }

    #[test]
    fn the_user_that_was_not_used_for_longest_makes_room() {
        let mut memory = UserSecrets::new(MacKey::new(&[7; 32]));
        for number in 0..=USERS_MAX {
            let name = ApiUserName::parse(&format!("u{number}@example.com")).unwrap();
            let asked = SecretCheck { name: name.clone(), ..asked("192.0.2.1") };
            let proven = ProvenSecret { name, ..proven() };
            memory.remember(&asked, &proven, at(i64::try_from(number).unwrap()));
        }
        assert_eq!(memory.users.len(), USERS_MAX);
        assert!(!memory.users.contains_key(&ApiUserName::parse("u0@example.com").unwrap()));
    }

    #[test]
    fn secrets_that_no_user_can_have_are_known_by_their_form() {
        assert!(is_possible("a") && is_possible(&"a".repeat(128)));
        let bad = ["", "a\0", "a\n", "漢字1234", "a\u{7f}", &*"a".repeat(129)];
        assert_eq!(bad.map(is_possible), [false; 6]);
    }
}
