//! The recent callers that a list of account-wide networks refuses while it is enforced.
//!
//! The source are the reported uses of the last seven days, in whole days. An edge reports at most
//! eight addresses for each key or API user and report. The ledger keeps sixteen for each of them
//! and day. Uses of sealed keys are not reported.

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

/// Most days of keys and API users whose callers are read: 5 MB of rows that usually have some 200
/// bytes of callers, the latest days first.
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
    let rows = read_days(sql, search.since)?;
    let is_exact = rows.len() <= ROWS_MAX;
    for CredentialDay { used, interfaces, callers } in rows.into_iter().take(ROWS_MAX) {
        search.add(&used, &interfaces, callers);
    }
    let text = "SELECT callers FROM service_usage WHERE day >= ?";
    for mut row in sql.rows(&Statement::new(text).bind(day(search.since)))? {
        let callers = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        search.add(&UsedCredential::Service, &[Interface::Http], callers);
    }
    let (callers, more) = search.latest();
    Ok(RefusedCallers { callers, more, is_exact, members: members(sql, list, now)? })
}

/// A credential that a caller used.
enum UsedCredential {
    Key(KeyName),
    ApiUser(KeyName),
    Service,
}

/// The callers of a key or API user on one day.
struct CredentialDay {
    used: UsedCredential,
    interfaces: Vec<Interface>,
    callers: Vec<Caller>,
}

fn read_days(sql: &dyn Sql, since: UnixMs) -> Result<Vec<CredentialDay>, SqlError> {
    // An ID is of a key or of an API user. One row more shows if there are others.
    let text = "SELECT usage.key, api_user.id IS NOT NULL, ifnull(key.name, api_user.name),
            ifnull(key.limits, api_user.limits), usage.callers
        FROM usage INDEXED BY usage_by_day LEFT JOIN key ON key.id = usage.key
        LEFT JOIN api_user ON api_user.id = usage.key
        WHERE usage.day >= ? AND usage.callers <> '[]' AND ifnull(key.state, api_user.state) <> 'deleted'
        ORDER BY usage.day DESC LIMIT ?";
    let limit = u32::try_from(ROWS_MAX.saturating_add(1)).unwrap_or(u32::MAX);
    sql.read_all(&Statement::new(text).bind(day(since)).bind(limit), |mut row: Row| {
        let id = row.parsed("a key ID", KeyId::parse)?;
        let of = if row.integer()? == 0 { UsedCredential::Key } else { UsedCredential::ApiUser };
        let used = of(KeyName { id, name: row.text()? });
        let limits: Limits = row.parsed("limits", |json| serde_json::from_str(json).ok())?;
        let callers = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        Ok(CredentialDay { used, interfaces: limits.interfaces, callers })
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

    /// Adds the refused ones among the callers of a credential. A report does not say by which
    /// interface a request arrived, so each one of the credential counts.
    fn add(&mut self, used: &UsedCredential, interfaces: &[Interface], callers: Vec<Caller>) {
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
                api_users: Vec::new(),
                more_api_users: 0,
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
            let (names, name) = match used {
                UsedCredential::Key(key) => (&mut caller.keys, key),
                UsedCredential::ApiUser(user) => (&mut caller.api_users, user),
                UsedCredential::Service => {
                    caller.service = true;
                    continue;
                }
            };
            if !names.contains(name) {
                names.push(name.clone());
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
            caller.more_keys = shorten(&mut caller.keys);
            caller.more_api_users = shorten(&mut caller.api_users);
        }
        (callers, u32::try_from(more).unwrap_or(u32::MAX))
    }
}

/// Keeps the first names, and returns the number of the others.
fn shorten(names: &mut Vec<KeyName>) -> u32 {
    let more = names.len().saturating_sub(CALLER_KEYS_MAX);
    names.truncate(CALLER_KEYS_MAX);
    u32::try_from(more).unwrap_or(u32::MAX)
}
