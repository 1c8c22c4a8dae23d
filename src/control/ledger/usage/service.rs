//! Usage of the service password: accepted requests by day and caller. Requests with a wrong
//! password are attempts ([`crate::ledger::attempts`]).

use std::collections::BTreeMap;

use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::refresh::{ADDRESSES_MAX, Caller, ServiceUses};

use crate::ledger::attempts;
use crate::ledger::usage::counts::{
    CALLERS_KEPT, CALLERS_MAX, add_caller, count_of, day, drawn_in, stored,
};
use crate::objects::attempts as hours;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::attempts::AttemptKind;
use crate::protocol::service_credentials::{ServiceNetwork, ServiceUsage};

/// Returns the uses of a batch with times and lists within their bounds.
pub fn bounded(uses: &ServiceUses, now: UnixMs) -> ServiceUses {
    let callers = |callers: &[Caller]| {
        callers.iter().take(ADDRESSES_MAX).map(|caller| drawn_in(caller, now)).collect()
    };
    ServiceUses {
        count: uses.count,
        last_at: uses.last_at.map(|at| at.min(now)).filter(|_| uses.count > 0),
        callers: callers(&uses.callers),
        refused: uses.refused,
        refused_from: callers(&uses.refused_from),
    }
}

/// Adds the uses of a later report.
pub fn add(sum: &mut ServiceUses, later: ServiceUses) {
    sum.count = sum.count.saturating_add(later.count);
    sum.last_at = sum.last_at.max(later.last_at);
    sum.refused = sum.refused.saturating_add(later.refused);
    let lists = [(&mut sum.callers, later.callers), (&mut sum.refused_from, later.refused_from)];
    for (known, later) in lists {
        later.into_iter().for_each(|caller| add_caller(known, caller));
        latest(known);
    }
}

fn latest(callers: &mut Vec<Caller>) {
    callers.sort_by_key(|caller| core::cmp::Reverse(caller.last_at));
    callers.truncate(CALLERS_MAX);
}

/// Returns the writes of pending uses.
pub fn write(sql: &dyn Sql, uses: ServiceUses, now: UnixMs) -> Result<Vec<Statement>, SqlError> {
    let mut writes = Vec::new();
    if let Some(last_at) = uses.last_at {
        let today = day(last_at);
        let text = "SELECT uses, last_used_at_ms, callers FROM service_usage WHERE day = ?";
        let (mut count, mut last, mut callers) = (0, last_at, Vec::new());
        if let Some(mut row) = sql.first(&Statement::new(text).bind(today))? {
            (count, last) = (count_of(row.integer()?), row.time()?);
            callers = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        }
        uses.callers.into_iter().for_each(|caller| add_caller(&mut callers, caller));
        latest(&mut callers);
        let text = "INSERT OR REPLACE INTO service_usage (day, uses, last_used_at_ms, callers)
            VALUES (?, ?, ?, ?)";
        let row = Statement::new(text)
            .bind(today)
            .bind(stored(count.saturating_add(uses.count)))
            .bind(last.max(last_at))
            .bind(serde_json::json!(callers).to_string());
        // The row of the last use stays, whatever its age.
        let old = "DELETE FROM service_usage
            WHERE day < ? AND day < (SELECT max(day) FROM service_usage)";
        let oldest = day(now.saturating_sub(CALLERS_KEPT));
        writes.extend([row, Statement::new(old).bind(oldest)]);
    }
    if uses.refused > 0 {
        let mut by_network: BTreeMap<Option<String>, u64> = BTreeMap::new();
        let mut rest = uses.refused;
        for caller in &uses.refused_from {
            let count = caller.count.min(rest);
            rest = rest.saturating_sub(count);
            let sum = by_network.entry(Some(caller.address.block())).or_default();
            *sum = sum.saturating_add(count);
        }
        if rest > 0 {
            by_network.insert(None, rest);
        }
        let counts: Vec<(Option<&str>, u64)> = by_network
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(network, count)| (network.as_deref(), *count))
            .collect();
        let (counted, reports) = hours::count(sql, AttemptKind::Service, &counts, now)?;
        writes.extend(counted);
        for report in reports {
            writes.extend(attempts::row(sql, None, &report, now)?);
        }
    }
    Ok(writes)
}

/// Returns the uses within [`CALLERS_KEPT`], in whole days, and the time of the last use.
pub fn view(sql: &dyn Sql, now: UnixMs) -> Result<ServiceUsage, SqlError> {
    let since = day(now.saturating_sub(CALLERS_KEPT));
    let text = "SELECT day, uses, last_used_at_ms, callers FROM service_usage";
    let (mut usage, mut networks) = (ServiceUsage::default(), BTreeMap::new());
    for mut row in sql.rows(&Statement::new(text))? {
        let (day, uses) = (row.integer()?, count_of(row.integer()?));
        usage.last_used_at = usage.last_used_at.max(Some(row.time()?));
        if day < since {
            continue;
        }
        usage.uses_7d = usage.uses_7d.saturating_add(uses);
        let callers: Vec<Caller> = row.parsed("callers", |json| serde_json::from_str(json).ok())?;
        for Caller { address, count, last_at } in callers {
            let network = ClientAddress::block(address);
            let none = ServiceNetwork { network: network.clone(), uses: 0, last_at };
            let known: &mut ServiceNetwork = networks.entry(network).or_insert(none);
            known.uses = known.uses.saturating_add(count);
            known.last_at = known.last_at.max(last_at);
        }
    }
    usage.networks = networks.into_values().collect();
    usage.networks.sort_by_key(|network| core::cmp::Reverse(network.last_at));
    usage.networks.truncate(CALLERS_MAX);
    Ok(usage)
}
