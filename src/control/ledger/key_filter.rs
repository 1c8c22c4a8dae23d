//! The SQL of a list's filters.
//!
//! A filter is a condition on rows that the list reads in the order of an index. So a page may read
//! every key of the account, at most [`KEYS_MAX`](super::decide::KEYS_MAX) and
//! [`ISSUED_KEYS_MAX`](super::issued::ISSUED_KEYS_MAX), if few of them match. Keys of one issuer
//! have an index, and deleted keys are few.

use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Issuer;

use super::key::IS_WITHOUT_MFA;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement, Value};
use crate::protocol::key_filter::{ExpiryFilter, IssuerFilter, KeyFilter, UseFilter};
use crate::protocol::keys::{Status, TOTAL_EXACT_MAX};

/// Holds for keys that ended with the other keys of their issuer.
const ENDED: &str = "EXISTS (SELECT 1 FROM issuer_end WHERE issuer_end.issuer = key.issued_by AND issuer_end.generation = key.issued_generation)";

/// Statuses that are gone: nothing but time or a restore leads out of them.
pub const GONE: [Status; 2] = [Status::Deleted, Status::Ended];

/// The facts on which the statuses of all keys depend.
#[derive(Clone, Copy, Debug)]
pub struct FilterSetting {
    /// Present time, Unix ms.
    pub now: UnixMs,
    /// `true` if the policy demands MFA.
    pub demands_mfa: bool,
}

impl FilterSetting {
    /// Returns the statuses that living keys can have now.
    fn present(self) -> impl Iterator<Item = Status> + Clone {
        let is_possible = move |status| status != Status::MfaOff || self.demands_mfa;
        Status::ALL.into_iter().filter(move |status| !GONE.contains(status) && is_possible(*status))
    }

    /// Returns `true` if a filter leaves out deleted and ended keys, and no others.
    pub fn hides_gone_alone(self, filter: &KeyFilter) -> bool {
        let KeyFilter { statuses, issuer, expires, used } = filter;
        (issuer, expires, used) == (&None, &None, &None)
            && !GONE.iter().any(|status| statuses.contains(status))
            && self.present().all(|status| statuses.contains(&status))
    }
}

/// A filter at one time, as a condition that follows others.
#[derive(Debug, Default)]
pub struct FilterCondition {
    /// Text of the condition, from ` AND` on; empty for all keys.
    pub text: String,
    /// Bound values in the order of the text.
    pub values: Vec<Value>,
    /// Index that leads to the matching keys; `None`: that of the order does.
    pub index: Option<&'static str>,
}

impl FilterCondition {
    /// Returns the condition of a filter.
    pub fn of(filter: &KeyFilter, setting: FilterSetting) -> Self {
        let now = setting.now;
        let mut condition = Self::default();
        condition.add_statuses(&filter.statuses, setting);
        condition.add_issuer(filter.issuer);
        match filter.expires {
            None => {}
            Some(ExpiryFilter::Never) => condition.add("key.expires_ms IS NULL", []),
            Some(ExpiryFilter::Within(time)) => condition.add(
                "key.expires_ms > ? AND key.expires_ms <= ?",
                [now.into(), now.saturating_add(time).into()],
            ),
        }
        match filter.used {
            None => {}
            Some(UseFilter::Never) => condition.add("key.last_used_ms IS NULL", []),
            Some(UseFilter::Within(time)) => {
                condition.add("key.last_used_ms >= ?", [now.saturating_sub(time).into()]);
            }
            Some(UseFilter::NotWithin(time)) => condition.add(
                "ifnull(key.last_used_ms, key.created_at_ms) < ?",
                [now.saturating_sub(time).into()],
            ),
        }
        condition
    }

    fn add(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(text);
        self.values.extend(values);
    }

    fn add_statuses(&mut self, statuses: &[Status], setting: FilterSetting) {
        let has = |status| statuses.contains(&status);
        let present = setting.present();
        if statuses.is_empty() || GONE.into_iter().chain(present.clone()).all(has) {
            return;
        }
        if statuses == [Status::Deleted] {
            self.index = Some("key_deleted");
        }
        let mut parts: Vec<String> = Vec::new();
        let mut values = Vec::new();
        if has(Status::Deleted) {
            parts.push("key.deleted_at_ms IS NOT NULL".to_owned());
        }
        if has(Status::Ended) {
            parts.push(format!("key.deleted_at_ms IS NULL AND {ENDED}"));
        }
        let living = format!("key.deleted_at_ms IS NULL AND NOT {ENDED}");
        if present.clone().all(has) {
            parts.push(living);
        } else {
            let (own, bound) =
                own_condition(&present.filter(|status| has(*status)).collect::<Vec<_>>(), setting);
            if !own.is_empty() {
                parts.push(format!("{living} AND ({own})"));
                values = vec![setting.now.into(); bound];
            }
        }
        if parts.is_empty() {
            // No key can have such a status now: one look in an index finds none.
            parts.push("key.issued_by = ''".to_owned());
            self.index = Some("key_of_issuer");
        }
        self.add(&format!("({})", parts.join(" OR ")), values);
    }

    fn add_issuer(&mut self, issuer: Option<IssuerFilter>) {
        let one = |issuer: Issuer| [issuer.as_str().into()];
        match issuer {
            None => {}
            Some(IssuerFilter::Members) => self.add("key.issued_by IS NULL", []),
            Some(IssuerFilter::Member(member)) => {
                self.add("key.issued_by IS NULL AND key.created_by = ?", [member.as_str().into()]);
            }
            Some(IssuerFilter::Keys) => {
                self.add("key.issued_by <> ?", one(Issuer::Service));
            }
            Some(IssuerFilter::Service) => self.add_one_issuer(one(Issuer::Service)),
            Some(IssuerFilter::Key(id)) => self.add_one_issuer(one(Issuer::Key(id))),
        }
    }

    fn add_one_issuer(&mut self, issuer: [Value; 1]) {
        self.add("key.issued_by = ?", issuer);
        self.index = Some("key_of_issuer");
    }
}

/// Returns what tells living keys of these statuses from the others, and how often it binds the
/// time; empty without statuses.
fn own_condition(statuses: &[Status], setting: FilterSetting) -> (String, usize) {
    const BEGINS: &str = "ifnull(json_extract(key.limits, '$.not_before'), 0)";
    const ENDS: &str = "ifnull(key.expires_ms, 9007199254740991)";
    let (mut times, mut bound) = (Vec::new(), 0_usize);
    for status in statuses {
        let (time, binds) = match status {
            Status::NotYetValid => (format!("{BEGINS} > ?"), 1),
            Status::Expired => (format!("{BEGINS} <= ? AND {ENDS} <= ?"), 2),
            Status::Active => (format!("{BEGINS} <= ? AND {ENDS} > ?"), 2),
            Status::Disabled | Status::MfaOff | Status::Deleted | Status::Ended => continue,
        };
        times.push(time);
        bound = bound.saturating_add(binds);
    }
    let mut enabled = if times.is_empty() { "0".to_owned() } else { times.join(" OR ") };
    let is_mfa_off = statuses.contains(&Status::MfaOff);
    if setting.demands_mfa {
        let off = u8::from(is_mfa_off);
        enabled = format!("CASE WHEN {IS_WITHOUT_MFA} THEN {off} ELSE {enabled} END");
    }
    let mut parts = Vec::new();
    if statuses.contains(&Status::Disabled) {
        parts.push("key.state = 'disabled'".to_owned());
    }
    if is_mfa_off || !times.is_empty() {
        parts.push(format!("key.state = 'active' AND ({enabled})"));
    }
    (parts.join(" OR "), bound)
}

/// Returns the number of ended keys that are not deleted, counted up to [`TOTAL_EXACT_MAX`] + 1.
pub fn count_ended(sql: &dyn Sql) -> Result<u32, SqlError> {
    let text = "SELECT count(*) FROM (SELECT 1 FROM issuer_end CROSS JOIN key
        ON key.issued_by = issuer_end.issuer AND key.issued_generation = issuer_end.generation
        WHERE key.deleted_at_ms IS NULL LIMIT ?)";
    let found = Statement::new(text).bind(TOTAL_EXACT_MAX.saturating_add(1));
    Ok(u32::try_from(sql.integer(&found)?).unwrap_or(u32::MAX))
}
