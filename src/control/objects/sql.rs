//! SQLite as the objects see it: statements with bound values, rows with typed readers, migrations.
//!
//! Every operation of an object reads, decides, and then hands all its writes to one
//! [`Sql::apply`], which lands whole or not at all. So an error leaves nothing half-written, and
//! since an object runs one request at a time between awaits, nothing can change between the
//! reading and the writing.
//!
//! Bound by the platform: at most 100 values per statement, no `BEGIN`, no `PRAGMA user_version`
//! (the schema's number lives in a table), `LIKE` patterns of at most 50 bytes (none is used),
//! integers within ±2^53.

mod migrate;

use std::borrow::Cow;

use claviger_core::base::time::UnixMs;

pub use self::migrate::{Migration, is_initialised, migrate};

#[cfg(test)]
#[path = "../../../tests/support/sqlite.rs"]
pub(crate) mod sqlite;

/// Most values that one statement may bind: the platform's bound.
pub const VALUES_MAX: usize = 100;

/// Largest integer that survives the way through JavaScript's numbers: 2^53 − 1.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// A database, as much of it as the objects need.
pub trait Sql {
    /// The rows that a statement answers. Writes nothing.
    ///
    /// # Errors
    /// [`SqlError::Engine`].
    fn rows(&self, statement: &Statement) -> Result<Vec<Row>, SqlError>;

    /// Runs all statements, or none of them.
    ///
    /// # Errors
    /// [`SqlError::Engine`]; then nothing was written.
    fn apply(&self, writes: &[Statement]) -> Result<(), SqlError>;
}

/// Reading that every implementation gets.
pub trait SqlExt: Sql {
    /// The first row that a statement answers.
    ///
    /// # Errors
    /// [`SqlError::Engine`].
    fn first(&self, statement: &Statement) -> Result<Option<Row>, SqlError> {
        Ok(self.rows(statement)?.into_iter().next())
    }

    /// All rows, read by `read`.
    ///
    /// # Errors
    /// [`SqlError::Engine`], and those of `read`.
    fn read_all<T>(
        &self,
        statement: &Statement,
        read: impl Fn(Row) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        self.rows(statement)?.into_iter().map(read).collect()
    }

    /// The one integer that a statement answers, such as a count; 0 when it answers no row.
    ///
    /// # Errors
    /// [`SqlError::Engine`], [`SqlError::Column`].
    fn integer(&self, statement: &Statement) -> Result<i64, SqlError> {
        self.first(statement)?.map_or(Ok(0), |mut row| row.integer())
    }
}

impl<S: Sql + ?Sized> SqlExt for S {}

/// What went wrong with the database. Holds the engine's words and names of ours, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The engine refused: a broken constraint, a full disk, a storage that is out of reach.
    #[error("the database refused: {message}")]
    Engine {
        /// The engine's own words. They name tables and columns; values are always bound, so that
        /// they are not in it.
        message: String,
    },
    /// A column does not hold what the code reads from it.
    #[error("column {column} does not hold {expected}")]
    Column {
        /// Place in the row, from 0.
        column: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// The database was written by newer code.
    #[error("the database has schema {found}; this code knows up to {known}")]
    NewerSchema {
        /// The database's.
        found: i64,
        /// The code's.
        known: i64,
    },
}

/// A value, as SQLite stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// An integer within ±[`INTEGER_MAX`].
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<UnixMs> for Value {
    fn from(value: UnixMs) -> Self {
        Self::Integer(value.as_ms())
    }
}

impl From<claviger_core::replication::record::Revision> for Value {
    fn from(value: claviger_core::replication::record::Revision) -> Self {
        // Revisions count changes by hand: 2^53 of them are out of reach.
        Self::Integer(i64::try_from(value.0).unwrap_or(INTEGER_MAX))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// SQL text with the values that its `?` stand for, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

impl Statement {
    /// A statement without values.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Binds the next `?`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds the next `?`s.
    #[must_use]
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// The SQL text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bound values.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// A row, read from left to right: one call per column, in the order of the `SELECT`.
#[derive(Clone, Debug)]
pub struct Row {
    values: std::vec::IntoIter<Value>,
    next: usize,
}

impl Row {
    /// A row of these columns.
    pub fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter(), next: 0 }
    }

    /// The next column as an integer.
    ///
    /// # Errors
    /// [`SqlError::Column`], as have all readers.
    pub fn integer(&mut self) -> Result<i64, SqlError> {
        self.optional_integer()?.ok_or_else(|| self.not("an integer"))
    }

    /// The next column as an integer or nothing.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn optional_integer(&mut self) -> Result<Option<i64>, SqlError> {
        match self.take() {
            Some(Value::Integer(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.not("an integer")),
        }
    }

    /// The next column as a number that is not negative.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn count(&mut self) -> Result<u32, SqlError> {
        u32::try_from(self.integer()?).map_err(|_| self.not("a count"))
    }

    /// The next column as an instant.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn time(&mut self) -> Result<UnixMs, SqlError> {
        self.integer().map(UnixMs::from_ms)
    }

    /// The next column as an instant or nothing.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn optional_time(&mut self) -> Result<Option<UnixMs>, SqlError> {
        Ok(self.optional_integer()?.map(UnixMs::from_ms))
    }

    /// The next column as text.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn text(&mut self) -> Result<String, SqlError> {
        match self.take() {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(self.not("text")),
        }
    }

    /// The next column as text; `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn optional_text(&mut self) -> Result<Option<String>, SqlError> {
        match self.take() {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.not("text")),
        }
    }

    /// The next column as exactly `N` bytes.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], SqlError> {
        match self.take() {
            Some(Value::Blob(value)) => {
                value.try_into().map_err(|_| self.not("bytes of that number"))
            }
            _ => Err(self.not("bytes")),
        }
    }

    /// The next column as text of a form that `parse` knows.
    ///
    /// # Errors
    /// [`SqlError::Column`] with `expected`.
    pub fn parsed<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, SqlError> {
        parse(&self.text()?).ok_or_else(|| self.not(expected))
    }

    fn take(&mut self) -> Option<Value> {
        self.next = self.next.saturating_add(1);
        self.values.next()
    }

    fn not(&self, expected: &'static str) -> SqlError {
        SqlError::Column { column: self.next.saturating_sub(1), expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_from_left_to_right_and_says_where_it_does_not_fit() {
        let mut row = Row::new(vec![
            Value::Integer(7),
            Value::Null,
            Value::from("a"),
            Value::from(&b"ab"[..]),
        ]);
        assert_eq!(row.integer(), Ok(7));
        assert_eq!(row.optional_time(), Ok(None));
        assert_eq!(row.parsed("b", |text| (text == "b").then_some(())), Err(row.not("b")));
        assert_eq!(row.bytes::<2>(), Ok(*b"ab"));
        assert_eq!(row.text(), Err(SqlError::Column { column: 4, expected: "text" }));
        assert_eq!(
            Row::new(vec![Value::Null]).integer(),
            Err(SqlError::Column { column: 0, expected: "an integer" })
        );
        assert_eq!(
            Row::new(vec![Value::Integer(-1)]).count(),
            Err(SqlError::Column { column: 0, expected: "a count" })
        );
    }
}
