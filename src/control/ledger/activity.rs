//! Pages of activity: the audit trail as members see it.
//!
//! The order is time, then number. Each single filter has an index in that order, so the ledger
//! reads a page directly from it. A search by name matches the names of keys and members, deleted
//! keys included, and then tests row by row.
//!
//! The trail only grows, and the ledger serves no other request while it reads. If rows are tested
//! one by one, a page therefore ends after [`ROWS_LOOKED_AT_MAX`] of them, with the entries found
//! so far. The next page continues from there.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::{Map, Value};

use super::account::Account;
use super::audit::Action;
use super::context::{ActContext, CommandContext};
use super::list_order::holds_secret;
use crate::ledger::plan::Plan;
use crate::objects::search_terms::NameQuery;
use crate::objects::sql;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::activity::{
    ActivityEntry, ActivityPage, Actor, By, Change, EXPORT_PAGE_ENTRIES, Named, PAGE_ENTRIES_MAX,
    Query, begin, end,
};
use crate::protocol::draft::field::FieldError;
use crate::protocol::integer::INTEGER_MAX;
use crate::protocol::keys::{CURSOR_BYTES_MAX, QUERY_CHARS_MAX};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Most rows that are tested for one page: some milliseconds of the ledger's time. Searching a
/// trail of a million takes 500 requests.
pub const ROWS_LOOKED_AT_MAX: u32 = 2_000;

/// Most exports of one member per [`DAY`]. An export has up to 200 pages of 500 entries, which read
/// half a million rows. Twenty equals the daily limit of codes, and suffices for an archive fetched
/// every hour of a working day.
pub const EXPORTS_PER_DAY: u32 = 20;

/// The period over which exports are counted.
const DAY: DurationMs = DurationMs::from_days(1);

/// Returns a page of activity.
pub(super) fn read(
    sql: &dyn Sql,
    context: ActContext<'_>,
    query: &Query,
) -> Result<Plan, SqlError> {
    let page = page(sql, context.account, query)?;
    let refused = |errors| LedgerReply::Refused(Refusal::Invalid { errors });
    Ok(Plan::read(page.map_or_else(refused, LedgerReply::Activity)))
}

/// Returns the first page of an export and records it in the audit trail. The daily limit counts
/// these audit rows.
pub(super) fn export(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    query: &Query,
) -> Result<Plan, SqlError> {
    let member = context.session.member_id();
    let (files, first) = exports_since(sql, member, context.now.saturating_sub(DAY))?;
    if files >= EXPORTS_PER_DAY {
        let until = first.unwrap_or(context.now).saturating_add(DAY);
        return Ok(Plan::refuse(Refusal::TooManyExports { until }));
    }
    let mut plan = read(sql, context.act(), query)?;
    if matches!(plan.reply, LedgerReply::Activity(_)) {
        plan.writes.push(context.author().did(Action::ExportActivity));
    }
    Ok(plan)
}

/// Returns the number of exports of `member` after `since`, and the time of the first.
fn exports_since(
    sql: &dyn Sql,
    member: MemberId,
    since: UnixMs,
) -> Result<(u32, Option<UnixMs>), SqlError> {
    let text = "SELECT count(*), min(at_ms) FROM audit INDEXED BY audit_of_action_in_time
        WHERE action = ? AND at_ms > ? AND member = ?";
    let files = Statement::new(text)
        .bind(Action::ExportActivity.as_str())
        .bind(since)
        .bind(member.as_str());
    let Some(mut row) = sql.first(&files)? else { return Ok((0, None)) };
    Ok((row.count()?, row.optional_time()?))
}

/// Answers a query for activity.
///
/// # Errors
/// The outer error is the database's; the inner one lists all errors of the query.
pub fn page(
    sql: &dyn Sql,
    account: &Account,
    query: &Query,
) -> Result<Result<ActivityPage, Vec<FieldError>>, SqlError> {
    let wanted = match WantedEntries::read(query, account) {
        Ok(wanted) => wanted,
        Err(errors) => return Ok(Err(errors)),
    };
    let limit = query.limit.unwrap_or(PAGE_ENTRIES_MAX).clamp(1, EXPORT_PAGE_ENTRIES);
    let end = wanted.end(sql)?;
    let Condition { text: condition, values } = wanted.condition(sql, end)?;
    let text = format!(
        "SELECT {COLUMNS} FROM audit INDEXED BY {} {NAMES} WHERE 1{condition}
        ORDER BY audit.at_ms DESC, audit.number DESC LIMIT ?",
        wanted.index()
    );
    let statement = Statement::new(text).bind_all(values).bind(limit.saturating_add(1));
    let mut entries = sql.read_all(&statement, entry)?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > size;
    entries.truncate(size);
    let next = match entries.last().filter(|_| has_more) {
        Some(last) => Some(cursor_after(last.at, last.id.try_into().unwrap_or(INTEGER_MAX))),
        // The first untested row must be the first of the next page.
        None => end.map(|(at, number)| cursor_after(at, number.saturating_add(1))),
    };
    Ok(Ok(ActivityPage { entries, next }))
}

const COLUMNS: &str =
    "audit.number, audit.at_ms, audit.action, audit.member, ifnull(member.name, issuer.name),
    audit.address, audit.key, ifnull(key.name, api_user.name), audit.before, audit.after";

/// The joins that supply names. They are `LEFT JOIN`s, so that SQLite reads the trail in its own
/// order.
const NAMES: &str =
    "LEFT JOIN member ON member.id = audit.member LEFT JOIN key AS issuer ON issuer.id = audit.member
    LEFT JOIN key ON key.id = audit.key LEFT JOIN api_user ON api_user.id = audit.key";

/// A parsed query.
#[derive(Debug, Default)]
struct WantedEntries<'q> {
    key: Option<KeyId>,
    actor: Option<Actor<'q>>,
    action: Option<String>,
    from: Option<UnixMs>,
    until: Option<UnixMs>,
    name: Option<NameQuery>,
    after: Option<(UnixMs, i64)>,
}

impl<'q> WantedEntries<'q> {
    fn read(query: &'q Query, account: &Account) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, code: &str, detail: &str| {
            errors.push(FieldError::new(field, code, detail))
        };
        let mut wanted = Self::default();
        if let Some(text) = &query.key {
            wanted.key = KeyId::parse(text);
            if wanted.key.is_none() {
                refuse("key", "malformed", "this is no key's ID");
            }
        }
        if let Some(text) = &query.member {
            wanted.actor = Actor::parse(text);
            if wanted.actor.is_none() {
                let detail = "this is no member's ID, nor service, operator or an address";
                refuse("member", "malformed", detail);
            }
        }
        if let Some(text) = &query.action {
            wanted.action = Action::stored(text).map(str::to_owned);
            if wanted.action.is_none() {
                refuse("action", "not_one_of", "must be one of the documented actions");
            }
        }
        if let Some(text) = &query.from {
            match begin(text, &account.zone) {
                Ok(at) => wanted.from = Some(at),
                Err(error) => refuse("from", error.code(), &error.to_string()),
            }
        }
        if let Some(text) = &query.to {
            match end(text, &account.zone) {
                Ok(at) => wanted.until = Some(at),
                Err(error) => refuse("to", error.code(), &error.to_string()),
            }
        }
        if let Some(text) = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            if text.chars().count() > QUERY_CHARS_MAX {
                refuse("q", "too_long", "a search has at most 128 characters");
            } else if holds_secret(text) {
                refuse("q", "whole_key", "search by a name, never by the whole key");
            } else {
                wanted.name = Some(NameQuery::read(text));
            }
        }
        if let Some(text) = &query.cursor {
            wanted.after = cursor(text);
            if wanted.after.is_none() {
                refuse("cursor", "malformed", "not a cursor of this list");
            }
        }
        if errors.is_empty() { Ok(wanted) } else { Err(errors) }
    }

    /// Returns the filters by one column: column, value, and the index in page order for that
    /// column. The first one is the most selective; its index is used.
    fn filters(&self) -> impl Iterator<Item = (&'static str, &str, &'static str)> {
        let key = self.key.as_ref().map(|key| ("key", key.as_str(), "audit_of_key_in_time"));
        let actor =
            self.actor.as_ref().map(|actor| ("member", actor.as_str(), "audit_of_actor_in_time"));
        let action =
            self.action.as_deref().map(|action| ("action", action, "audit_of_action_in_time"));
        [key, actor, action].into_iter().flatten()
    }

    fn index(&self) -> &'static str {
        self.filters().next().map_or("audit_in_time", |(_, _, index)| index)
    }

    /// Returns the first row beyond the bound of [`ROWS_LOOKED_AT_MAX`]. `None` if there are fewer
    /// rows, or if the index applies all filters, so that the query reads only matching rows.
    fn end(&self, sql: &dyn Sql) -> Result<Option<(UnixMs, i64)>, SqlError> {
        if self.name.is_none() && self.filters().count() < 2 {
            return Ok(None);
        }
        let Condition { text, values } = self.looked_up();
        let text = format!(
            "SELECT at_ms, number FROM audit INDEXED BY {} WHERE 1{text} ORDER BY at_ms DESC, number DESC
            LIMIT 1 OFFSET ?",
            self.index()
        );
        let row = sql.first(&Statement::new(text).bind_all(values).bind(ROWS_LOOKED_AT_MAX))?;
        row.map(|mut row| Ok((row.time()?, row.integer()?))).transpose()
    }

    /// Returns the conditions that the index applies.
    fn looked_up(&self) -> Condition {
        let mut condition = Condition::default();
        if let Some((column, value, _)) = self.filters().next() {
            condition.and(&format!("audit.{column} = ?"), [value.into()]);
        }
        if let Some(from) = self.from {
            condition.and("audit.at_ms >= ?", [from.into()]);
        }
        if let Some(until) = self.until {
            condition.and("audit.at_ms < ?", [until.into()]);
        }
        if let Some((at, number)) = self.after {
            // The second condition implies the first, which is the one that SQLite can look up in
            // the index.
            let text = "audit.at_ms <= ? AND (audit.at_ms, audit.number) < (?, ?)";
            condition.and(text, [at.into(), at.into(), number.into()]);
        }
        condition
    }

    /// Returns all conditions, bounded by `end`.
    fn condition(&self, sql: &dyn Sql, end: Option<(UnixMs, i64)>) -> Result<Condition, SqlError> {
        let mut condition = self.looked_up();
        if let Some((at, number)) = end {
            let text = "audit.at_ms >= ? AND (audit.at_ms, audit.number) > (?, ?)";
            condition.and(text, [at.into(), at.into(), number.into()]);
        }
        for (column, value, _) in self.filters().skip(1) {
            condition.and(&format!("audit.{column} = ?"), [value.into()]);
        }
        if let Some(name) = &self.name {
            let members = sql
                .read_all(&Statement::new("SELECT id, name FROM member"), |mut row| {
                    Ok((row.text()?, row.text()?))
                })?;
            let found: Vec<String> = members
                .into_iter()
                .filter(|(_, called)| name.matches(called))
                .map(|(id, _)| id)
                .collect();
            let (keys, terms) = name.keys();
            let (users, _) = name.api_users();
            let text = format!(
                "(audit.key IN {keys} OR audit.key IN {users} OR audit.member IN (SELECT value FROM json_each(?))
                OR audit.member IN {keys})"
            );
            let found = serde_json::json!(found).to_string();
            let values = [terms.clone(), terms.clone(), vec![found.into()], terms].concat();
            condition.and(&text, values);
        }
        Ok(condition)
    }
}

/// An SQL condition with its bound values.
#[derive(Default)]
struct Condition {
    text: String,
    values: Vec<sql::Value>,
}

impl Condition {
    fn and(&mut self, text: &str, values: impl IntoIterator<Item = sql::Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(text);
        self.values.extend(values);
    }
}

fn cursor_after(at: UnixMs, number: i64) -> String {
    Base64UrlUnpadded::encode_string(serde_json::json!([at, number]).to_string().as_bytes())
}

fn cursor(text: &str) -> Option<(UnixMs, i64)> {
    let text = Some(text).filter(|text| text.len() <= CURSOR_BYTES_MAX)?;
    let (at, number): (i64, i64) =
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(text).ok()?).ok()?;
    let fits = |value: i64| (-INTEGER_MAX..=INTEGER_MAX).contains(&value);
    (fits(at) && fits(number)).then_some((UnixMs::from_ms(at), number))
}

fn entry(mut row: Row) -> Result<ActivityEntry, SqlError> {
    let (number, at) = (row.integer()?, row.time()?);
    let (action, actor, actor_name) = (row.text()?, row.text()?, row.optional_text()?);
    let (address, key, key_name) =
        (row.optional_text()?, row.optional_text()?, row.optional_text()?);
    let (before, after) = (object(row.optional_text()?), object(row.optional_text()?));
    let name_in =
        |state: &Map<String, Value>| state.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = after.as_ref().and_then(name_in).or(key_name);
    let by = match Actor::parse(&actor) {
        Some(known) => {
            let kind = known.kind().to_owned();
            match known {
                Actor::Member(_) | Actor::Key(_) => {
                    By { kind, id: Some(actor.clone()), name: actor_name }
                }
                Actor::AccessOperator(address) => {
                    By { kind, id: None, name: Some(address.to_owned()) }
                }
                Actor::Service | Actor::Operator | Actor::Unproven => {
                    By { kind, id: None, name: None }
                }
            }
        }
        None => By { kind: actor.clone(), id: None, name: None },
    };
    Ok(ActivityEntry {
        id: number.try_into().unwrap_or_default(),
        at,
        action: Action::public_name(&action).to_owned(),
        by,
        address,
        key: key.as_deref().and_then(KeyId::parse).map(|id| Named { id, name }),
        changes: changes(before.unwrap_or_default(), after.unwrap_or_default()),
    })
}

fn object(json: Option<String>) -> Option<Map<String, Value>> {
    serde_json::from_str(&json?).ok()
}

/// Returns the differences between two states in an audit row, one per limit. An absent value is
/// null; a flag that is `false` may be absent.
fn changes(before: Map<String, Value>, after: Map<String, Value>) -> BTreeMap<String, Change> {
    let (mut before, after) = (lifted(before), lifted(after));
    let mut changes = BTreeMap::new();
    for (name, to) in after {
        let from = before.remove(&name).unwrap_or(Value::Null);
        let is_off = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
        if from != to && !(is_off(&from) && is_off(&to)) {
            changes.insert(name, Change { from, to });
        }
    }
    // A key whose row has none of them any more.
    if let Some(from) = before.remove("networks_observed") {
        changes.insert("networks_observed".to_owned(), Change { from, to: Value::Null });
    }
    changes
}

/// Returns the members, with those of `limits` moved up among them, under the names of the HTTP
/// API.
fn lifted(mut members: Map<String, Value>) -> BTreeMap<String, Value> {
    let limits = members.remove("limits").and_then(|limits| match limits {
        Value::Object(limits) => Some(limits),
        _ => None,
    });
    let renamed = |(name, value): (String, Value)| match (name.as_str(), value) {
        ("expires", value) => ("expires_at".to_owned(), value),
        ("issuable" | "ceiling", Value::Object(mut ceiling)) => {
            let longest = ceiling.remove("longest").unwrap_or(Value::Null);
            ceiling.insert("longest_ms".to_owned(), longest);
            (name, Value::Object(ceiling))
        }
        (_, value) => (name, value),
    };
    members.into_iter().chain(limits.unwrap_or_default()).map(renamed).collect()
}
