//! Networks from which members sign in and keys are used, so that a new one is noticed.
//!
//! A network is a /24, or a /48 for IPv6: what a home or an office keeps while addresses within it
//! change.

use std::collections::{BTreeMap, BTreeSet};

use claviger_core::base::id::{KeyId, MemberId, TokenId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::limits::network::ClientAddress;
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::member::Member;
use super::usage::counts::CountsByDay;
use super::{mailbox, notices};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::activity::Actor;
use crate::protocol::envelope::Letter;
use crate::protocol::keys::KeyName;
use crate::protocol::notices::{NoticeItem, NoticeKind};

/// Time after which a network counts as new again.
pub const KNOWN_FOR: DurationMs = DurationMs::from_days(90);

/// Most networks that are stored for a member; those of the earliest sign-ins are removed first.
pub const MEMBER_NETWORKS_MAX: u32 = 50;

/// Most networks that are stored for a key. Beyond this number a key has no notices: it is used
/// from everywhere.
pub const KEY_NETWORKS_MAX: usize = 16;

/// Resolution of the last use of a key from a network, so that few uses write.
const SEEN_COARSE: DurationMs = DurationMs::from_days(1);

fn network_of(address: ClientAddress) -> Option<String> {
    // The widest block is the last one.
    address.blocks().pop()
}

/// Returns the writes of a sign-in: they record its network, and mail the member if it is new. The
/// first network of all causes no mail. A switch from another account renews a known network alone.
pub(super) fn signed_in(
    sql: &dyn Sql,
    account: &Account,
    member: &Member,
    (session, switches): (TokenId, bool),
    address: Option<&str>,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let id = member.view.id;
    let client = address.and_then(ClientAddress::parse);
    let Some(network) = client.and_then(network_of) else { return Ok(Vec::new()) };
    let text = "SELECT count(*), ifnull(sum(network = ? AND seen_at_ms > ?), 0)
        FROM member_sign_in WHERE member = ?";
    let since = now.saturating_sub(KNOWN_FOR);
    let known = Statement::new(text).bind(network.as_str()).bind(since).bind(id.as_str());
    let is_new = match sql.first(&known)? {
        Some(mut row) => row.integer()? > 0 && row.integer()? == 0,
        None => false,
    };
    if switches {
        // A switch proves no password, so it makes no network a known one.
        let text = "UPDATE member_sign_in SET seen_at_ms = max(seen_at_ms, ?) WHERE member = ? AND network = ?";
        let seen = Statement::new(text).bind(now).bind(id.as_str()).bind(network.as_str());
        return Ok(vec![seen]);
    }
    let mut writes = Vec::from(remember(id, &network, now));
    if is_new {
        let letter = Letter::NewNetwork {
            account: account.name.clone(),
            address: address.map(str::to_owned),
            at: now,
            zone: account.zone.clone(),
        };
        let mail = format!("new-network/{}/{id}/{session}", account.id);
        writes.extend(mailbox::notice(account, &member.view, mail, letter, now)?);
    }
    Ok(writes)
}

/// Returns the writes that record the network of a new member's first session.
pub(super) fn first(member: MemberId, address: Option<&str>, now: UnixMs) -> Vec<Statement> {
    let network = address.and_then(ClientAddress::parse).and_then(network_of);
    network.map_or_else(Vec::new, |network| Vec::from(remember(member, &network, now)))
}

fn remember(member: MemberId, network: &str, now: UnixMs) -> [Statement; 2] {
    let text = "INSERT INTO member_sign_in (member, network, seen_at_ms) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET seen_at_ms = max(seen_at_ms, excluded.seen_at_ms)";
    let make_room = "DELETE FROM member_sign_in WHERE member = ? AND network IN (
        SELECT network FROM member_sign_in WHERE member = ?
        ORDER BY seen_at_ms DESC, network LIMIT -1 OFFSET ?)";
    [
        Statement::new(text).bind(member.as_str()).bind(network).bind(now),
        Statement::new(make_room)
            .bind(member.as_str())
            .bind(member.as_str())
            .bind(MEMBER_NETWORKS_MAX),
    ]
}

/// Returns the writes of reported uses: they record the networks of keys that members issued, and
/// note those that are new for a key. The first networks of a key are not noted.
pub(super) fn used(
    sql: &dyn Sql,
    counts: &CountsByDay,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let mut seen: BTreeMap<KeyId, BTreeMap<String, ClientAddress>> = BTreeMap::new();
    for ((key, _), day) in counts {
        for caller in &day.callers {
            if let Some(network) = network_of(caller.address) {
                seen.entry(*key).or_default().insert(network, caller.address);
            }
        }
    }
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    let ids = json!(seen.keys().collect::<Vec<_>>()).to_string();
    let text = "SELECT key, network, seen_at_ms FROM key_caller
        WHERE key IN (SELECT value FROM json_each(?))";
    let since = now.saturating_sub(KNOWN_FOR);
    let mut known: BTreeMap<KeyId, BTreeMap<String, UnixMs>> = BTreeMap::new();
    for mut row in sql.rows(&Statement::new(text).bind(ids.as_str()))? {
        let (key, network) = (row.parsed("a key ID", KeyId::parse)?, row.text()?);
        known.entry(key).or_default().insert(network, row.time()?);
    }
    let text = "SELECT id, name, created_by FROM key
        WHERE id IN (SELECT value FROM json_each(?)) AND issued_by IS NULL AND state <> 'deleted'";
    let keys = sql.read_all(&Statement::new(text).bind(ids), |mut row| {
        Ok((
            row.parsed("a key ID", KeyId::parse)?,
            row.text()?,
            row.parsed("a member ID", MemberId::parse)?,
        ))
    })?;
    let mut writes = Vec::new();
    for (id, name, member) in keys {
        let Some(networks) = seen.remove(&id) else { continue };
        let mut stored = known.remove(&id).unwrap_or_default();
        // A key that was silent for long has been used before, so no network is its first.
        let is_first = stored.is_empty();
        stored.retain(|_, seen_at| *seen_at > since);
        let mut names: BTreeSet<String> = stored.keys().cloned().collect();
        for (network, address) in networks {
            let seen_at = stored.get(&network);
            if seen_at.is_some_and(|at| now < at.saturating_add(SEEN_COARSE)) {
                continue;
            }
            if seen_at.is_none() && names.len() >= KEY_NETWORKS_MAX {
                continue;
            }
            names.insert(network.clone());
            let row =
                "INSERT OR REPLACE INTO key_caller (key, network, seen_at_ms) VALUES (?, ?, ?)";
            writes.push(Statement::new(row).bind(id.as_str()).bind(network.as_str()).bind(now));
            if seen_at.is_none() && !is_first {
                let address = address.ip().to_string();
                let author = Author { actor: Actor::Key(id), address: Some(&address), now };
                let details = json!({ "network": network }).to_string();
                writes.push(author.about_key(Action::KeyNetwork, id, details));
                let item = NoticeItem {
                    key: Some(KeyName { id, name: name.clone() }),
                    act: None,
                    by: None,
                    network: Some(network),
                    at: now,
                };
                writes.extend(notices::of_key(NoticeKind::KeyNetwork, member, &item, now));
            }
        }
        // Networks that the key has not used for long make room.
        if !is_first {
            let old = "DELETE FROM key_caller WHERE key = ? AND seen_at_ms <= ?";
            writes.push(Statement::new(old).bind(id.as_str()).bind(since));
        }
    }
    Ok(writes)
}
