//! Pages of keys: what is looked for, in which order, from where.
//!
//! A cursor holds the order, the last key's value in it, and its ID, so that the next page begins
//! after that place whatever was issued or deleted meanwhile.

use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::credential::limits::network::Network;
use data_encoding::BASE64URL_NOPAD;

use super::key::{COLUMNS, Key, MEMBERS, Tally};
use crate::ledger::search_terms::{fold, words};
use crate::objects::sql::{INTEGER_MAX, Sql, SqlError, SqlExt, Statement, Value};
use crate::protocol::draft::FieldError;
use crate::protocol::keys::{
    CURSOR_BYTES_MAX, Deleted, Listing, PAGE_KEYS_MAX, Page, QUERY_CHARS_MAX, Sort, TOTAL_EXACT_MAX,
};

/// Most words of a search that are looked at; more narrow it no further.
const WORDS_MAX: usize = 16;

/// Runs of this many base62 digits are no name and no ID: someone pasted a secret.
const SECRET_RUN: usize = 40;

/// Answers a listing.
///
/// # Errors
/// The database's, or (inside) what is wrong with the question.
pub fn page(
    sql: &dyn Sql,
    account: AccountId,
    listing: &Listing,
) -> Result<Result<Page, FieldError>, SqlError> {
    let asked = Query::read(listing.q.as_deref().unwrap_or_default(), account)
        .and_then(|query| Ok((query, Cursor::read(listing.cursor.as_deref(), listing.sort)?)));
    let (query, cursor) = match asked {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error)),
    };
    let limit = listing.limit.unwrap_or(PAGE_KEYS_MAX).clamp(1, PAGE_KEYS_MAX);
    let mut keys = sql
        .read_all(&select(&query, listing, cursor.as_ref(), limit.saturating_add(1)), Key::read)?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = keys.len() > size;
    keys.truncate(size);
    let next = keys
        .last()
        .filter(|_| has_more)
        .map(|last| Cursor::after(last, listing.sort).text(listing.sort));
    let found = count(sql, &query, listing.deleted)?;
    Ok(Ok(Page {
        keys: keys.iter().map(Key::view).collect(),
        next,
        total: found.min(TOTAL_EXACT_MAX),
        total_is_exact: found <= TOTAL_EXACT_MAX,
    }))
}

/// Whether someone has pasted a secret where a search is typed.
pub fn holds_secret(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= SECRET_RUN)
}

/// What is looked for.
#[derive(Debug, PartialEq, Eq)]
enum Query {
    /// Everything.
    All,
    /// A name with words that begin so, all of them.
    Words(Vec<String>),
    /// An ID that begins so.
    Id(String),
    /// A network that is one of these: the blocks around what was typed.
    Networks(Vec<String>),
}

impl Query {
    fn read(text: &str, account: AccountId) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::All);
        }
        if text.len() > QUERY_CHARS_MAX.saturating_mul(4) || text.chars().count() > QUERY_CHARS_MAX
        {
            return Err(FieldError::new("q", "too_long", "a search has at most 128 characters"));
        }
        if holds_secret(text) {
            return Err(FieldError::new(
                "q",
                "whole_key",
                "search by the key's ID, never by the whole key",
            ));
        }
        if let Some(id) = id_in(text, account) {
            return Ok(Self::Id(id.to_owned()));
        }
        if let Ok(network) = fold(text).parse::<Network>() {
            return Ok(Self::Networks(
                network.and_around().map(|block| block.to_string()).collect(),
            ));
        }
        Ok(Self::Words(words(text).into_iter().take(WORDS_MAX).collect()))
    }

    /// The condition, with what it binds.
    fn condition(&self) -> (String, Vec<Value>) {
        match self {
            Self::All => (String::new(), Vec::new()),
            // Signs alone, which no word holds.
            Self::Words(words) if words.is_empty() => (" AND key.id = ''".to_owned(), Vec::new()),
            Self::Words(words) => {
                let one = " AND key.id IN (SELECT key FROM key_word WHERE word >= ? AND word < ?)";
                (one.repeat(words.len()), words.iter().flat_map(|word| beginning(word)).collect())
            }
            Self::Id(id) => (" AND key.id >= ? AND key.id < ?".to_owned(), beginning(id).into()),
            Self::Networks(blocks) => {
                let text = " AND key.id IN (SELECT key FROM key_network WHERE block IN (SELECT value FROM json_each(?)))";
                (text.to_owned(), vec![serde_json::json!(blocks).to_string().into()])
            }
        }
    }
}

/// The bounds of all texts that begin so. SQLite compares UTF-8 byte by byte, where the last code
/// point is last.
fn beginning(text: &str) -> [Value; 2] {
    [text.into(), format!("{text}\u{10ffff}").into()]
}

/// The ID, or its beginning, that the text is, with or without the deployment's prefix. Every ID
/// begins with its account, which is what tells one from a word.
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

/// A place in an order.
#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    value: Value,
    id: String,
}

impl Cursor {
    fn read(text: Option<&str>, sort: Sort) -> Result<Option<Self>, FieldError> {
        let Some(text) = text else { return Ok(None) };
        let refused = || {
            FieldError::new("cursor", "malformed", "this is not where a page of this list ended")
        };
        Self::parse(text, sort).map(Some).ok_or_else(refused)
    }

    fn parse(text: &str, sort: Sort) -> Option<Self> {
        let bytes = BASE64URL_NOPAD
            .decode(Some(text).filter(|t| t.len() <= CURSOR_BYTES_MAX)?.as_bytes())
            .ok()?;
        let (of, value, id): (String, serde_json::Value, KeyId) =
            serde_json::from_slice(&bytes).ok()?;
        let value = match (sort, value) {
            (Sort::Name | Sort::NameDown, serde_json::Value::String(name)) => Value::Text(name),
            (Sort::Name | Sort::NameDown, _) => return None,
            (_, value) => Value::Integer(
                value.as_i64().filter(|ms| (-INTEGER_MAX..=INTEGER_MAX).contains(ms))?,
            ),
        };
        (of == sort.as_str()).then(|| Self { value, id: id.to_string() })
    }

    fn after(key: &Key, sort: Sort) -> Self {
        let value = match sort {
            Sort::Created | Sort::CreatedDown => key.created.at.into(),
            Sort::Changed | Sort::ChangedDown => key.changed.at.into(),
            Sort::Expires | Sort::ExpiresDown => {
                key.limits.expires.at().map_or(Value::Integer(INTEGER_MAX), Into::into)
            }
            Sort::Name | Sort::NameDown => fold(&key.name).into(),
        };
        Self { value, id: key.id.to_string() }
    }

    fn text(&self, sort: Sort) -> String {
        let value = match &self.value {
            Value::Integer(ms) => serde_json::json!(ms),
            Value::Text(text) => serde_json::json!(text),
            Value::Null | Value::Blob(_) => serde_json::Value::Null,
        };
        let json = serde_json::json!([sort.as_str(), value, self.id]).to_string();
        BASE64URL_NOPAD.encode(json.as_bytes())
    }
}

/// How an order is read.
struct Order {
    /// What it compares, exactly as its index has it.
    by: &'static str,
    /// The index.
    index: &'static str,
    /// Whether it goes down.
    goes_down: bool,
}

impl Order {
    fn of(sort: Sort) -> Self {
        let (by, index) = match sort {
            Sort::Created | Sort::CreatedDown => ("key.created_at_ms", "key_by_created"),
            Sort::Name | Sort::NameDown => ("key.name_folded", "key_by_name"),
            Sort::Expires | Sort::ExpiresDown => {
                ("ifnull(key.expires_ms, 9007199254740991)", "key_by_expires")
            }
            Sort::Changed | Sort::ChangedDown => ("key.changed_at_ms", "key_by_changed"),
        };
        let goes_down = match sort {
            Sort::CreatedDown | Sort::NameDown | Sort::ExpiresDown | Sort::ChangedDown => true,
            Sort::Created | Sort::Name | Sort::Expires | Sort::Changed => false,
        };
        Self { by, index, goes_down }
    }
}

/// The condition that picks deleted keys, or others. It comes first.
fn choice(deleted: Deleted) -> &'static str {
    match deleted {
        Deleted::Too => "1",
        Deleted::Only => "key.deleted_at_ms IS NOT NULL",
        Deleted::No => "key.deleted_at_ms IS NULL",
    }
}

fn select(query: &Query, listing: &Listing, cursor: Option<&Cursor>, limit: u32) -> Statement {
    let (condition, mut values) = query.condition();
    let Order { by, index, goes_down } = Order::of(listing.sort);
    let choice = choice(listing.deleted);
    let (after, direction) = if goes_down { ("<", "DESC") } else { (">", "ASC") };
    // Of all keys a page is read off the order's index: the planner, which does not know how few a
    // page holds, may rather sort them all. What is searched for is for the planner to find.
    // Deleted keys alone are few.
    let indexed = match (query, listing.deleted) {
        (Query::All, Deleted::Too | Deleted::No) => format!("INDEXED BY {index}"),
        (Query::All, Deleted::Only) => "INDEXED BY key_deleted".to_owned(),
        (Query::Words(_) | Query::Id(_) | Query::Networks(_), _) => String::new(),
    };
    let from = cursor.map_or(String::new(), |_| {
        // The first condition is implied by the second; it is what SQLite looks up in an index on
        // an expression.
        format!(" AND {by} {after}= ? AND ({by}, key.id) {after} (?, ?)")
    });
    if let Some(Cursor { value, id }) = cursor {
        values.extend([value.clone(), value.clone(), id.as_str().into()]);
    }
    let text = format!(
        "SELECT {COLUMNS} FROM key {indexed} {MEMBERS} WHERE {choice}{condition}{from}
        ORDER BY {by} {direction}, key.id {direction} LIMIT ?"
    );
    Statement::new(text).bind_all(values).bind(limit)
}

/// How many there are: of all keys by their tally, of those that are searched for up to a bound.
fn count(sql: &dyn Sql, query: &Query, deleted: Deleted) -> Result<u32, SqlError> {
    if *query == Query::All {
        let Tally { members, issuers, deleted: gone } = Tally::load(sql)?;
        let living = members.saturating_add(issuers);
        return Ok(match deleted {
            Deleted::Too => living.saturating_add(gone),
            Deleted::Only => gone,
            Deleted::No => living,
        });
    }
    let (condition, values) = query.condition();
    let choice = choice(deleted);
    let text =
        format!("SELECT count(*) FROM (SELECT 1 FROM key WHERE {choice}{condition} LIMIT ?)");
    let found = Statement::new(text).bind_all(values).bind(TOTAL_EXACT_MAX.saturating_add(1));
    Ok(u32::try_from(sql.integer(&found)?).unwrap_or(u32::MAX))
}
