//! Pages of keys: search, order and cursor.

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::Network;

use super::account::Account;
use super::key::{COLUMNS, Key, KeyCounts, MEMBERS};
use super::key_filter::{FilterCondition, FilterSetting, GONE, count_ended};
use super::list_order::{ListCursor, ListOrder, check_search};
use crate::objects::search_terms::{NameQuery, fold};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement, Value};
use crate::protocol::draft::field::FieldError;
use crate::protocol::key_filter::KeyFilter;
use crate::protocol::keys::{
    Deleted, KeyPage, Listing, PAGE_KEYS_MAX, Sort, Status, TOTAL_EXACT_MAX,
};

/// Answers a listing.
///
/// # Errors
/// The outer error is the database's; the inner one lists the errors of the query.
pub fn page(
    sql: &dyn Sql,
    account: &Account,
    listing: &Listing,
    now: UnixMs,
) -> Result<Result<KeyPage, FieldError>, SqlError> {
    let order = order(listing.sort);
    let parsed = ListQuery::read(listing.q.as_deref().unwrap_or_default(), account.id)
        .and_then(|query| Ok((query, order.cursor(listing.cursor.as_deref())?)));
    let (query, cursor) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    let limit = listing.limit.unwrap_or(PAGE_KEYS_MAX).clamp(1, PAGE_KEYS_MAX);
    let setting = FilterSetting { now, demands_mfa: account.policy.demands_mfa };
    let filter = FilterCondition::of(&listing.filter, setting);
    let position = (&order, cursor.as_ref());
    let rows = select(&query, listing.deleted, &filter, position, limit.saturating_add(1));
    let mut keys = sql.read_all(&rows, |mut row| {
        let key = Key::read(&mut row)?;
        let position = order.read(&mut row, key.id)?;
        Ok((key, position))
    })?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = keys.len() > size;
    keys.truncate(size);
    let next = keys.last().filter(|_| has_more).map(|(_, last)| order.text(last));
    let found = total(sql, &query, listing, &filter, setting)?;
    let hidden = hidden(sql, &query, listing, setting)?;
    Ok(Ok(KeyPage {
        keys: keys.iter().map(|(key, _)| key.view(account)).collect(),
        next,
        total: found.min(TOTAL_EXACT_MAX),
        total_is_exact: found <= TOTAL_EXACT_MAX,
        hidden: hidden.min(TOTAL_EXACT_MAX),
        hides_more: hidden > TOTAL_EXACT_MAX,
    }))
}

/// A parsed search.
#[derive(Debug, PartialEq, Eq)]
enum ListQuery {
    /// Matches every key.
    All,
    /// Matches names that contain each of its terms.
    Name(NameQuery),
    /// Matches IDs with this beginning.
    Id(String),
    /// Matches keys with one of these networks: the blocks that contain the typed address or
    /// network.
    Networks(Vec<String>),
}

impl ListQuery {
    fn read(text: &str, account: AccountId) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::All);
        }
        check_search(text, "search by the key's ID, never by the whole key")?;
        if let Some(id) = id_in(text, account) {
            return Ok(Self::Id(id.to_owned()));
        }
        if let Ok(network) = fold(text).parse::<Network>() {
            return Ok(Self::Networks(
                network.and_around().map(|block| block.to_string()).collect(),
            ));
        }
        Ok(Self::Name(NameQuery::read(text)))
    }

    /// Returns the SQL condition with its bound values.
    fn condition(&self) -> (String, Vec<Value>) {
        match self {
            Self::All => (String::new(), Vec::new()),
            Self::Name(query) => {
                let (keys, values) = query.keys();
                (format!(" AND key.id IN {keys}"), values)
            }
            Self::Id(id) => (" AND key.id >= ? AND key.id < ?".to_owned(), beginning(id).into()),
            Self::Networks(blocks) => {
                let text = " AND key.id IN (SELECT key FROM key_network WHERE block IN (SELECT value FROM json_each(?)))";
                (text.to_owned(), vec![serde_json::json!(blocks).to_string().into()])
            }
        }
    }
}

/// Returns the bounds of all texts with this beginning. SQLite compares UTF-8 bytewise, and the
/// last code point sorts last.
fn beginning(text: &str) -> [Value; 2] {
    [text.into(), format!("{text}\u{10ffff}").into()]
}

/// Returns the ID, or its beginning, in the text, with or without the deployment's prefix. Every ID
/// begins with its account's ID, which distinguishes it from a word.
fn id_in(text: &str, account: AccountId) -> Option<&str> {
    let bare = match text.split_once('_') {
        Some((prefix, rest))
            if prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) =>
        {
            rest
        }
        _ => text,
    };
    let fits = bare.len() <= KeyId::WIDTH && bare.bytes().all(|b| b.is_ascii_alphanumeric());
    (fits && bare.starts_with(account.as_str())).then_some(bare)
}

/// Returns the SQL of an order.
fn order(sort: Sort) -> ListOrder {
    let (by, index) = match sort {
        Sort::Created | Sort::CreatedDown => ("key.created_at_ms", "key_by_created"),
        Sort::Name | Sort::NameDown => ("key.name_order", "key_by_name"),
        Sort::Expires | Sort::ExpiresDown => {
            ("ifnull(key.expires_ms, 9007199254740991)", "key_by_expires")
        }
        Sort::Changed | Sort::ChangedDown => ("key.changed_at_ms", "key_by_changed"),
        Sort::Used | Sort::UsedDown => ("ifnull(key.last_used_ms, 0)", "key_by_used"),
    };
    let goes_down = match sort {
        Sort::CreatedDown
        | Sort::NameDown
        | Sort::ExpiresDown
        | Sort::ChangedDown
        | Sort::UsedDown => true,
        Sort::Created | Sort::Name | Sort::Expires | Sort::Changed | Sort::Used => false,
    };
    let is_text = matches!(sort, Sort::Name | Sort::NameDown);
    ListOrder { name: sort.as_str(), by, is_text, index, id: "key.id", goes_down }
}

/// Returns the condition that selects or excludes deleted keys. It comes first in the `WHERE`
/// clause.
fn choice(deleted: Deleted) -> &'static str {
    match deleted {
        Deleted::Too => "1",
        Deleted::Only => "key.deleted_at_ms IS NOT NULL",
        Deleted::No => "key.deleted_at_ms IS NULL",
    }
}

/// Returns the query of a page: [`COLUMNS`], then the value of the order.
fn select(
    query: &ListQuery,
    deleted: Deleted,
    filter: &FilterCondition,
    (order, cursor): (&ListOrder, Option<&ListCursor>),
    limit: u32,
) -> Statement {
    let (mut condition, mut values) = query.condition();
    condition.push_str(&filter.text);
    values.extend(filter.values.iter().cloned());
    let ListOrder { by, index, .. } = order;
    let choice = choice(deleted);
    // Without a search, the order's index is forced: the planner does not know how few rows a page
    // needs, and may sort all keys instead. With a search the planner chooses. Deleted keys alone
    // are few.
    let indexed = match (query, deleted) {
        (ListQuery::All, _) if let Some(index) = filter.index => format!("INDEXED BY {index}"),
        (ListQuery::All, Deleted::Too | Deleted::No) => format!("INDEXED BY {index}"),
        (ListQuery::All, Deleted::Only) => "INDEXED BY key_deleted".to_owned(),
        (ListQuery::Name(_) | ListQuery::Id(_) | ListQuery::Networks(_), _) => String::new(),
    };
    let from = cursor.map_or(String::new(), |_| order.after());
    values.extend(cursor.into_iter().flat_map(ListCursor::values));
    let text = format!(
        "SELECT {COLUMNS}, {by} FROM key {indexed} {MEMBERS} WHERE {choice}{condition}{from}
        {} LIMIT ?",
        order.clause()
    );
    Statement::new(text).bind_all(values).bind(limit)
}

/// Returns the number of keys in all pages of a listing, exact up to [`TOTAL_EXACT_MAX`].
///
/// The console's first list leaves out deleted and ended keys alone. If few keys have ended, their
/// number and the maintained counts give its total without a look at every key.
fn total(
    sql: &dyn Sql,
    query: &ListQuery,
    listing: &Listing,
    filter: &FilterCondition,
    setting: FilterSetting,
) -> Result<u32, SqlError> {
    if *query == ListQuery::All
        && listing.deleted != Deleted::Only
        && setting.hides_gone_alone(&listing.filter)
    {
        let ended = count_ended(sql)?;
        if ended <= TOTAL_EXACT_MAX {
            return Ok(count_all(sql, Deleted::No)?.saturating_sub(ended));
        }
    }
    count(sql, query, listing.deleted, filter)
}

/// Returns the number of matching keys: from the maintained counts without a search, otherwise
/// counted up to [`TOTAL_EXACT_MAX`] + 1.
fn count(
    sql: &dyn Sql,
    query: &ListQuery,
    deleted: Deleted,
    filter: &FilterCondition,
) -> Result<u32, SqlError> {
    let is_all = *query == ListQuery::All;
    if is_all && filter.text.is_empty() {
        return count_all(sql, deleted);
    }
    let (condition, values) = query.condition();
    let choice = choice(deleted);
    let index = filter.index.unwrap_or("key_by_created");
    let indexed = if is_all { format!("INDEXED BY {index}") } else { String::new() };
    let text = format!(
        "SELECT count(*) FROM (SELECT 1 FROM key {indexed} WHERE {choice}{condition}{} LIMIT ?)",
        filter.text
    );
    let found = Statement::new(text)
        .bind_all(values)
        .bind_all(filter.values.iter().cloned())
        .bind(TOTAL_EXACT_MAX.saturating_add(1));
    Ok(u32::try_from(sql.integer(&found)?).unwrap_or(u32::MAX))
}

/// Returns the number of keys in the maintained counts.
fn count_all(sql: &dyn Sql, deleted: Deleted) -> Result<u32, SqlError> {
    let KeyCounts { members, issuers, deleted: gone } = KeyCounts::load(sql)?;
    let living = members.saturating_add(issuers);
    Ok(match deleted {
        Deleted::Too => living.saturating_add(gone),
        Deleted::Only => gone,
        Deleted::No => living,
    })
}

/// Returns the number of deleted and ended keys that the statuses of the query leave out.
fn hidden(
    sql: &dyn Sql,
    query: &ListQuery,
    listing: &Listing,
    setting: FilterSetting,
) -> Result<u32, SqlError> {
    let filter = &listing.filter;
    if filter.statuses.is_empty() || listing.deleted != Deleted::Too {
        return Ok(0);
    }
    if *query == ListQuery::All && setting.hides_gone_alone(filter) {
        return Ok(count_all(sql, Deleted::Only)?.saturating_add(count_ended(sql)?));
    }
    let statuses: Vec<Status> =
        GONE.into_iter().filter(|status| !filter.statuses.contains(status)).collect();
    if statuses.is_empty() {
        return Ok(0);
    }
    let gone = FilterCondition::of(&KeyFilter { statuses, ..filter.clone() }, setting);
    count(sql, query, Deleted::Too, &gone)
}
