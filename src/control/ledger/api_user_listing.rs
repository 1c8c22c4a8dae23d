//! Pages of API users: search, filter, order and cursor.
//!
//! An account has at most [`API_USERS_MAX`](crate::protocol::api_users::API_USERS_MAX), so that a
//! list may test all of them, and always counts exactly.

use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;

use super::account::Account;
use super::api_user_row::{COLUMNS, MEMBERS, StoredApiUser};
use super::listing::holds_secret;
use crate::objects::search_terms::NameQuery;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement, Value};
use crate::protocol::api_users::{
    ApiUserListing, ApiUserPage, ApiUserSort, ApiUserStatus, PAGE_API_USERS_MAX,
};
use crate::protocol::draft::field::FieldError;
use crate::protocol::integer::INTEGER_MAX;
use crate::protocol::keys::{CURSOR_BYTES_MAX, QUERY_CHARS_MAX};

/// Answers a listing.
///
/// # Errors
/// The outer error is the database's; the inner one is that of the query.
pub fn page(
    sql: &dyn Sql,
    account: &Account,
    listing: &ApiUserListing,
    now: UnixMs,
) -> Result<Result<ApiUserPage, FieldError>, SqlError> {
    let sort = listing.sort;
    let parsed = terms(listing.q.as_deref().unwrap_or_default())
        .and_then(|terms| Ok((terms, cursor(listing.cursor.as_deref(), sort)?)));
    let (terms, after) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    let (condition, values) = condition(&terms, &listing.statuses, now);
    let count =
        format!("SELECT count(*) FROM api_user INDEXED BY api_user_by_name WHERE {condition}");
    let total = sql.integer(&Statement::new(count).bind_all(values.clone()))?;
    let limit = listing.limit.unwrap_or(PAGE_API_USERS_MAX).clamp(1, PAGE_API_USERS_MAX);
    let (by, index, direction) = order(sort);
    let mut text = format!(
        "SELECT {COLUMNS}, {by} FROM api_user INDEXED BY {index} {MEMBERS} WHERE {condition}"
    );
    let mut rows = values;
    if let Some((value, id)) = after {
        // As in the list of keys: the first condition is for the index, the second decides.
        let than = if direction == "DESC" { "<" } else { ">" };
        text.push_str(&format!(" AND {by} {than}= ? AND ({by}, api_user.id) {than} (?, ?)"));
        rows.extend([value.clone(), value, id.as_str().into()]);
    }
    text.push_str(&format!(" ORDER BY {by} {direction}, api_user.id {direction} LIMIT ?"));
    let statement = Statement::new(text).bind_all(rows).bind(limit.saturating_add(1));
    let mut users = sql.read_all(&statement, |mut row| read(&mut row, sort))?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = users.len() > size;
    users.truncate(size);
    let next = users.last().filter(|_| has_more).map(|(user, value)| text_of(sort, value, user.id));
    Ok(Ok(ApiUserPage {
        users: users.iter().map(|(user, _)| user.view(account)).collect(),
        next,
        total: u32::try_from(total).unwrap_or(u32::MAX),
    }))
}

/// Splits a search text into parts of the name.
fn terms(text: &str) -> Result<Vec<String>, FieldError> {
    let text = text.trim();
    if text.len() > QUERY_CHARS_MAX.saturating_mul(4) || text.chars().count() > QUERY_CHARS_MAX {
        return Err(FieldError::new("q", "too_long", "a search has at most 128 characters"));
    }
    if holds_secret(text) {
        return Err(FieldError::new("q", "whole_key", "search by a name, never by an API key"));
    }
    Ok(if text.is_empty() { Vec::new() } else { NameQuery::read(text).into_terms() })
}

/// Returns the condition of a listing with its bound values.
fn condition(terms: &[String], statuses: &[ApiUserStatus], now: UnixMs) -> (String, Vec<Value>) {
    let mut parts: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for term in terms {
        parts.push("instr(api_user.name, ?) > 0".to_owned());
        values.push(term.as_str().into());
    }
    let mut any: Vec<&str> = Vec::new();
    for status in statuses {
        let (text, times) = condition_of(*status);
        any.push(text);
        values.extend((0..times).map(|_| Value::from(now)));
    }
    match any.as_slice() {
        [] => parts.push("api_user.deleted_at_ms IS NULL".to_owned()),
        some => parts.push(format!("({})", some.join(" OR "))),
    }
    (parts.join(" AND "), values)
}

/// Returns the condition of a status, and how often it binds the time.
fn condition_of(status: ApiUserStatus) -> (&'static str, usize) {
    match status {
        ApiUserStatus::Deleted => ("api_user.deleted_at_ms IS NOT NULL", 0),
        ApiUserStatus::Locked => ("api_user.state = 'disabled'", 0),
        ApiUserStatus::NotYetValid => (
            "api_user.state = 'active' AND ifnull(json_extract(api_user.limits, '$.not_before'), 0) > ?",
            1,
        ),
        ApiUserStatus::Expired => (
            "api_user.state = 'active' AND ifnull(json_extract(api_user.limits, '$.not_before'), 0) <= ?
            AND ifnull(json_extract(api_user.limits, '$.expires'), 9007199254740991) <= ?",
            2,
        ),
        ApiUserStatus::Active => (
            "api_user.state = 'active' AND ifnull(json_extract(api_user.limits, '$.not_before'), 0) <= ?
            AND ifnull(json_extract(api_user.limits, '$.expires'), 9007199254740991) > ?",
            2,
        ),
        // No filter: it concerns all users alike.
        ApiUserStatus::AccountSuspended => ("0", 0),
    }
}

/// Returns the sort expression of an order, its index, and its direction.
fn order(sort: ApiUserSort) -> (&'static str, &'static str, &'static str) {
    let (by, index) = match sort {
        ApiUserSort::Created | ApiUserSort::CreatedDown => {
            ("api_user.created_at_ms", "api_user_by_created")
        }
        ApiUserSort::Name | ApiUserSort::NameDown => ("api_user.name", "api_user_by_name"),
        ApiUserSort::Changed | ApiUserSort::ChangedDown => {
            ("api_user.changed_at_ms", "api_user_by_changed")
        }
        ApiUserSort::Used | ApiUserSort::UsedDown => {
            ("ifnull(api_user.last_used_ms, 0)", "api_user_by_used")
        }
    };
    let direction = match sort {
        ApiUserSort::CreatedDown
        | ApiUserSort::NameDown
        | ApiUserSort::ChangedDown
        | ApiUserSort::UsedDown => "DESC",
        ApiUserSort::Created | ApiUserSort::Name | ApiUserSort::Changed | ApiUserSort::Used => {
            "ASC"
        }
    };
    (by, index, direction)
}

fn is_by_name(sort: ApiUserSort) -> bool {
    matches!(sort, ApiUserSort::Name | ApiUserSort::NameDown)
}

/// Reads a user and the value by which SQLite ordered it.
fn read(row: &mut Row, sort: ApiUserSort) -> Result<(StoredApiUser, Value), SqlError> {
    let user = StoredApiUser::read(row)?;
    let value = if is_by_name(sort) { row.text()?.into() } else { row.integer()?.into() };
    Ok((user, value))
}

fn cursor(text: Option<&str>, sort: ApiUserSort) -> Result<Option<(Value, KeyId)>, FieldError> {
    let Some(text) = text else { return Ok(None) };
    let refused = || FieldError::new("cursor", "malformed", "not a cursor of this list");
    parse(text, sort).map(Some).ok_or_else(refused)
}

fn parse(text: &str, sort: ApiUserSort) -> Option<(Value, KeyId)> {
    let text = Some(text).filter(|text| text.len() <= CURSOR_BYTES_MAX)?;
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    let (of, value, id): (String, serde_json::Value, KeyId) =
        serde_json::from_slice(&bytes).ok()?;
    let value = match (is_by_name(sort), value) {
        (true, serde_json::Value::String(name)) => Value::Text(name),
        (true, _) => return None,
        (false, value) => {
            let fits = |ms: &i64| (-INTEGER_MAX..=INTEGER_MAX).contains(ms);
            Value::Integer(value.as_i64().filter(fits)?)
        }
    };
    (of == sort.as_str()).then_some((value, id))
}

fn text_of(sort: ApiUserSort, value: &Value, id: KeyId) -> String {
    let value = match value {
        Value::Integer(ms) => serde_json::json!(ms),
        Value::Text(text) => serde_json::json!(text),
        Value::Null | Value::Blob(_) => serde_json::Value::Null,
    };
    let json = serde_json::json!([sort.as_str(), value, id]).to_string();
    Base64UrlUnpadded::encode_string(json.as_bytes())
}
