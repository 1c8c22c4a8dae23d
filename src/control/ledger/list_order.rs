//! Orders of lists, and cursors: positions in an order.
//!
//! A cursor holds the order, the value of the last row in that order, and its ID. So the next page
//! starts after that position, whatever was added or deleted meanwhile.

use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::id::KeyId;

use crate::objects::sql::{Row, SqlError, Value};
use crate::protocol::draft::field::FieldError;
use crate::protocol::integer::INTEGER_MAX;
use crate::protocol::keys::{CURSOR_BYTES_MAX, QUERY_CHARS_MAX};

/// Least length of a run of base62 digits that counts as a pasted secret: no name or ID has one.
const SECRET_RUN: usize = 40;

/// Returns `true` if a search text contains a pasted secret.
pub fn holds_secret(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= SECRET_RUN)
}

/// Checks a search text of a list. `instead` says what to search by, if it contains a secret.
///
/// # Errors
/// The error of the field `q` for a text that is too long or contains a secret.
pub fn check_search(text: &str, instead: &str) -> Result<(), FieldError> {
    if text.len() > QUERY_CHARS_MAX.saturating_mul(4) || text.chars().count() > QUERY_CHARS_MAX {
        return Err(FieldError::new("q", "too_long", "a search has at most 128 characters"));
    }
    if holds_secret(text) {
        return Err(FieldError::new("q", "whole_key", instead));
    }
    Ok(())
}

/// The SQL of an order. Rows with the same value are in the order of their IDs.
pub struct ListOrder {
    /// Name of the order in cursors.
    pub name: &'static str,
    /// Sort expression, exactly as in its index.
    pub by: &'static str,
    /// `true` if the expression is a text; `false` for an integer.
    pub is_text: bool,
    /// Name of the index.
    pub index: &'static str,
    /// Column of the IDs.
    pub id: &'static str,
    /// `true` for a descending order.
    pub goes_down: bool,
}

/// A position in an order.
#[derive(Debug, PartialEq, Eq)]
pub struct ListCursor {
    value: Value,
    id: KeyId,
}

impl ListOrder {
    /// Returns the condition of the page after a cursor, which binds [`ListCursor::values`].
    pub fn after(&self) -> String {
        let Self { by, id, .. } = self;
        let after = if self.goes_down { "<" } else { ">" };
        // SQLite uses the first condition for the lookup in the index on an expression. The second
        // one implies it, and excludes rows up to the cursor that have the same value.
        format!(" AND {by} {after}= ? AND ({by}, {id}) {after} (?, ?)")
    }

    /// Returns the clause that puts rows in this order.
    pub fn clause(&self) -> String {
        let Self { by, id, .. } = self;
        let direction = if self.goes_down { "DESC" } else { "ASC" };
        format!("ORDER BY {by} {direction}, {id} {direction}")
    }

    /// Reads the position of a row from the column of the sort expression. It is the stored value
    /// that SQLite ordered by; other columns of the row may be newer or finer.
    pub fn read(&self, row: &mut Row, id: KeyId) -> Result<ListCursor, SqlError> {
        let value = if self.is_text { row.text()?.into() } else { row.integer()?.into() };
        Ok(ListCursor { value, id })
    }

    /// Reads the cursor of a query.
    ///
    /// # Errors
    /// The error of the field `cursor`, if no reply to a query in this order contained it.
    pub fn cursor(&self, text: Option<&str>) -> Result<Option<ListCursor>, FieldError> {
        let Some(text) = text else { return Ok(None) };
        let refused = || FieldError::new("cursor", "malformed", "not a cursor of this list");
        self.parse(text).map(Some).ok_or_else(refused)
    }

    fn parse(&self, text: &str) -> Option<ListCursor> {
        let text = Some(text).filter(|text| text.len() <= CURSOR_BYTES_MAX)?;
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let (name, value, id): (String, serde_json::Value, KeyId) =
            serde_json::from_slice(&bytes).ok()?;
        let value = match value {
            serde_json::Value::String(text) if self.is_text => Value::Text(text),
            _ if self.is_text => return None,
            value => Value::Integer(
                value.as_i64().filter(|ms| (-INTEGER_MAX..=INTEGER_MAX).contains(ms))?,
            ),
        };
        (name == self.name).then_some(ListCursor { value, id })
    }

    /// Returns the text of a cursor.
    pub fn text(&self, cursor: &ListCursor) -> String {
        let value = match &cursor.value {
            Value::Integer(ms) => serde_json::json!(ms),
            Value::Text(text) => serde_json::json!(text),
            Value::Null | Value::Blob(_) => serde_json::Value::Null,
        };
        let json = serde_json::json!([self.name, value, cursor.id]).to_string();
        Base64UrlUnpadded::encode_string(json.as_bytes())
    }
}

impl ListCursor {
    /// Returns the values of [`ListOrder::after`].
    pub fn values(&self) -> [Value; 3] {
        [self.value.clone(), self.value.clone(), self.id.as_str().into()]
    }
}
