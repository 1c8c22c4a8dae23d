//! Pages of API users: search, filter, order and cursor.
//!
//! An account has at most [`API_USERS_MAX`](crate::protocol::api_users::API_USERS_MAX), so that a
//! list may test all of them, and always counts exactly.

use claviger_core::base::time::UnixMs;

use super::account::Account;
use super::api_user_row::{COLUMNS, MEMBERS, StoredApiUser};
use super::list_order::{ListCursor, ListOrder, check_search};
use crate::objects::search_terms::NameQuery;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement, Value};
use crate::protocol::api_users::{
    ApiUserListing, ApiUserPage, ApiUserSort, ApiUserStatus, PAGE_API_USERS_MAX,
};
use crate::protocol::draft::field::FieldError;

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
    let order = order(listing.sort);
    let parsed = search(listing.q.as_deref().unwrap_or_default())
        .and_then(|query| Ok((query, order.cursor(listing.cursor.as_deref())?)));
    let (query, cursor) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    let (condition, mut values) = condition(query.as_ref(), &listing.statuses, now);
    // Without an index: one pass over the table is faster than a look-up of each row.
    let count = format!("SELECT count(*) FROM api_user WHERE {condition}");
    let total = sql.integer(&Statement::new(count).bind_all(values.clone()))?;
    let limit = listing.limit.unwrap_or(PAGE_API_USERS_MAX).clamp(1, PAGE_API_USERS_MAX);
    // As in the list of keys: with a search the planner chooses.
    let indexed = match query {
        None => format!("INDEXED BY {}", order.index),
        Some(_) => String::new(),
    };
    let from = cursor.as_ref().map_or(String::new(), |_| order.after());
    values.extend(cursor.iter().flat_map(ListCursor::values));
    let text = format!(
        "SELECT {COLUMNS}, {} FROM api_user {indexed} {MEMBERS} WHERE {condition}{from} {} LIMIT ?",
        order.by,
        order.clause()
    );
    let statement = Statement::new(text).bind_all(values).bind(limit.saturating_add(1));
    let mut users = sql.read_all(&statement, |mut row| {
        let user = StoredApiUser::read(&mut row)?;
        let position = order.read(&mut row, user.id)?;
        Ok((user, position))
    })?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = users.len() > size;
    users.truncate(size);
    Ok(Ok(ApiUserPage {
        users: users.iter().map(|(user, _)| user.view(account)).collect(),
        next: users.last().filter(|_| has_more).map(|(_, last)| order.text(last)),
        total: u32::try_from(total).unwrap_or(u32::MAX),
    }))
}

/// Reads a search by name; `None` for a blank one.
fn search(text: &str) -> Result<Option<NameQuery>, FieldError> {
    let text = text.trim();
    check_search(text, "search by a name, never by an API key")?;
    Ok((!text.is_empty()).then(|| NameQuery::read(text)))
}

/// Returns the condition of a listing with its bound values.
fn condition(
    query: Option<&NameQuery>,
    statuses: &[ApiUserStatus],
    now: UnixMs,
) -> (String, Vec<Value>) {
    let mut parts: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    if let Some((users, terms)) = query.map(NameQuery::api_users) {
        parts.push(format!("api_user.id IN {users}"));
        values.extend(terms);
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

/// Returns the SQL of an order.
fn order(sort: ApiUserSort) -> ListOrder {
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
    let goes_down = match sort {
        ApiUserSort::CreatedDown
        | ApiUserSort::NameDown
        | ApiUserSort::ChangedDown
        | ApiUserSort::UsedDown => true,
        ApiUserSort::Created | ApiUserSort::Name | ApiUserSort::Changed | ApiUserSort::Used => {
            false
        }
    };
    let is_text = matches!(sort, ApiUserSort::Name | ApiUserSort::NameDown);
    ListOrder { name: sort.as_str(), by, is_text, index, id: "api_user.id", goes_down }
}
