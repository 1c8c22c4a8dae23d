//! The recent callers that a list of account-wide networks refuses while it is enforced.
//!
//! The source are the reported uses of the last seven days, in whole days. An edge reports at most
//! eight addresses for each key and report, and the ledger keeps sixteen for each key and day. Uses
//! of sealed keys are not reported.

use std::collections::BTreeMap;

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::credential::limits::{Interface, Limits};
use claviger_core::replication::refresh::Caller;

use super::sessions;
use super::usage::LOCKED_OUT_MAX;
use super::usage::counts::{CALLERS_KEPT, day};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::account_networks::{
    AccountSurface, CALLER_KEYS_MAX, NetworkList, RefusedCaller, RefusedCallers, RefusedMember,
};
use crate::protocol::keys::KeyName;

/// Most days of keys whose callers are read: 5 MB of rows that usually have some 200 bytes of
/// callers, the latest days first.
const ROWS_MAX: usize = 25_000;

/// Most members that are named.
const MEMBERS_MAX: usize = 50;

/// Finds the callers that the list refuses while it is enforced; none of an empty list.
pub(super) fn find(
    sql: &dyn Sql,
    list: &NetworkList,
    now: UnixMs,
) -> Result<RefusedCallers, SqlError> {
    if list.entries.is_empty() {
        return Ok(RefusedCallers { is_exact: true, ..RefusedCallers::default() });
    }
    let mut search = Search::new(list, now);
    let rows = read_keys(sql, search.since)?;
    let is_exact = rows.len() <= ROWS_MAX;
    for KeyDay { key, interfaces, callers } in rows.into_iter().take(ROWS_MAX) {
        search.add(Some(&key), &interfaces, callers);
    }
    let text = "SELECT callers FROM service_usage WHERE day >= ?";
    for mut row in sql.rows(&Statement::new(text).bind(day(search.since)))? {
        let callers = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        search.add(None, &[Interface::Http], callers);
    }
    let (callers, more) = search.latest();
    Ok(RefusedCallers { callers, more, is_exact, members: members(sql, list, now)? })
}

/// The callers of a key on one day.
struct KeyDay {
    key: KeyName,
    interfaces: Vec<Interface>,
    callers: Vec<Caller>,
}

fn read_keys(sql: &dyn Sql, since: UnixMs) -> Result<Vec<KeyDay>, SqlError> {
    // One row more shows if there are others.
    let text = "SELECT key.id, key.name, key.limits, usage.callers
        FROM usage INDEXED BY usage_by_day CROSS JOIN key ON key.id = usage.key
        WHERE usage.day >= ? AND usage.callers <> '[]' AND key.state <> 'deleted'
        ORDER BY usage.day DESC LIMIT ?";
    let limit = u32::try_from(ROWS_MAX.saturating_add(1)).unwrap_or(u32::MAX);
    sql.read_all(&Statement::new(text).bind(day(since)).bind(limit), |mut row: Row| {
        let key = KeyName { id: row.parsed("a key ID", KeyId::parse)?, name: row.text()? };
        let limits: Limits = row.parsed("limits", |json| serde_json::from_str(json).ok())?;
        let callers = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        Ok(KeyDay { key, interfaces: limits.interfaces, callers })
    })
}

/// The members with a session whose last request the console would refuse.
fn members(sql: &dyn Sql, list: &NetworkList, now: UnixMs) -> Result<Vec<RefusedMember>, SqlError> {
    let text = "SELECT member.id, member.name, ifnull(session.last_address, session.address),
            session.seen_at_ms
        FROM session JOIN member ON member.id = session.member
        WHERE member.removed_at_ms IS NULL AND session.created_at_ms > ? AND session.seen_at_ms > ?
        ORDER BY session.seen_at_ms DESC, session.id";
    let living = Statement::new(text)
        .bind(now.saturating_sub(sessions::LIFE))
        .bind(now.saturating_sub(sessions::IDLE));
    let found = sql.read_all(&living, |mut row| {
        Ok(RefusedMember {
            id: row.parsed("a member ID", MemberId::parse)?,
            name: row.text()?,
            address: row.optional_text()?,
            last_at: row.time()?,
        })
    })?;
    let mut refused: Vec<RefusedMember> = Vec::new();
    for one in found {
        let address = one.address.as_deref().and_then(ClientAddress::parse);
        let is_listed =
            |known: &RefusedMember| (known.id, &known.address) == (one.id, &one.address);
        if list.includes(AccountSurface::Console, address) || refused.iter().any(is_listed) {
            continue;
        }
        refused.push(one);
        if refused.len() >= MEMBERS_MAX {
            break;
        }
    }
    Ok(refused)
}

/// A search for callers.
struct Search {
    protected_api: Networks,
    smtp: Networks,
    since: UnixMs,
    found: BTreeMap<ClientAddress, RefusedCaller>,
}

impl Search {
    fn new(list: &NetworkList, now: UnixMs) -> Self {
        Self {
            protected_api: list.opened(AccountSurface::ProtectedApi),
            smtp: list.opened(AccountSurface::Smtp),
            since: now.saturating_sub(CALLERS_KEPT),
            found: BTreeMap::new(),
        }
    }

    /// Adds the refused ones among the callers of a key, or of the service password. A report does
    /// not tell by which interface a request arrived, so each one of the credential counts.
    fn add(&mut self, key: Option<&KeyName>, interfaces: &[Interface], callers: Vec<Caller>) {
        for Caller { address, count, last_at } in callers {
            let refused = interfaces.iter().filter_map(|interface| {
                let (opened, surface) = match interface {
                    Interface::Http => (&self.protected_api, AccountSurface::ProtectedApi),
                    Interface::Smtp => (&self.smtp, AccountSurface::Smtp),
                };
                let is_allowed = !opened.is_empty() && opened.contains(address);
                (!is_allowed).then_some(surface)
            });
            let refused: Vec<AccountSurface> = refused.collect();
            if refused.is_empty() || last_at <= self.since {
                continue;
            }
            let none = || RefusedCaller {
                address,
                count: 0,
                last_at,
                surfaces: Vec::new(),
                keys: Vec::new(),
                more_keys: 0,
                service: false,
            };
            let caller = self.found.entry(address).or_insert_with(none);
            caller.count = caller.count.saturating_add(count);
            caller.last_at = caller.last_at.max(last_at);
            for surface in refused {
                if !caller.surfaces.contains(&surface) {
                    caller.surfaces.push(surface);
                }
            }
            caller.surfaces.sort();
            match key {
                None => caller.service = true,
                Some(key) if caller.keys.contains(key) => {}
                Some(key) => caller.keys.push(key.clone()),
            }
        }
    }

    /// Returns the latest callers, and the number of the others.
    fn latest(self) -> (Vec<RefusedCaller>, u32) {
        let mut callers: Vec<RefusedCaller> = self.found.into_values().collect();
        callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
        let more = callers.len().saturating_sub(LOCKED_OUT_MAX);
        callers.truncate(LOCKED_OUT_MAX);
        for caller in &mut callers {
            let more = caller.keys.len().saturating_sub(CALLER_KEYS_MAX);
            caller.more_keys = u32::try_from(more).unwrap_or(u32::MAX);
            caller.keys.truncate(CALLER_KEYS_MAX);
        }
        (callers, u32::try_from(more).unwrap_or(u32::MAX))
    }
}
