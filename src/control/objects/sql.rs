//! SQLite for the objects: statements with bound values, rows with typed readers, migrations.
//!
//! Every operation of an object reads, decides, and then passes all its writes to one
//! [`Sql::apply`], which commits all or nothing. So an error leaves no partial write. An object
//! runs one request at a time between awaits, so no data can change between the reads and the
//! writes.
//!
//! The platform's limits: at most 100 values per statement, no `BEGIN`, no `PRAGMA user_version` (a
//! table holds the schema's number). `LIKE` patterns have at most 50 bytes (none is used); integers
//! lie within ±2^53.

pub mod migrate;

use std::borrow::Cow;

use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Revision;

use crate::protocol::integer::INTEGER_MAX;

#[cfg(test)]
#[path = "../../../tests/support/sqlite.rs"]
pub(crate) mod sqlite;

/// Most values that one statement may bind: the platform's limit.
pub const VALUES_MAX: usize = 100;

/// The database interface that objects need.
pub trait Sql {
    /// Returns the rows of a query. Writes nothing.
    ///
    /// # Errors
    /// [`SqlError::Engine`] if the database refuses.
    fn rows(&self, statement: &Statement) -> Result<Vec<Row>, SqlError>;

    /// Runs all statements in one transaction.
    ///
    /// # Errors
    /// [`SqlError::Engine`]; then nothing was written.
    fn apply(&self, writes: &[Statement]) -> Result<(), SqlError>;
}

/// Read helpers for every implementation of [`Sql`].
pub trait SqlExt: Sql {
    /// Returns the first row of a query.
    ///
    /// # Errors
    /// [`SqlError::Engine`] if the database refuses.
    fn first(&self, statement: &Statement) -> Result<Option<Row>, SqlError> {
        Ok(self.rows(statement)?.into_iter().next())
    }

    /// Returns all rows, each parsed by `read`.
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

    /// Returns the one integer of a query, such as a count; 0 if there is no row.
    ///
    /// # Errors
    /// [`SqlError::Engine`] if the database refuses; [`SqlError::Column`] if the value is no
    /// integer.
    fn integer(&self, statement: &Statement) -> Result<i64, SqlError> {
        self.first(statement)?.map_or(Ok(0), |mut row| row.integer())
    }
}

impl<S: Sql + ?Sized> SqlExt for S {}

/// An error of the database. Contains the engine's message and our own names, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The engine refused: a broken constraint, a full disk, or unreachable storage.
    #[error("the database refused: {message}")]
    Engine {
        /// Message of the engine. It names tables and columns but no values, because values are
        /// always bound.
        message: String,
    },
    /// A column does not hold the type or form that the code expects.
    #[error("column {column} does not hold {expected}")]
    Column {
        /// Index of the column, from 0.
        column: usize,
        /// Expected type or form.
        expected: &'static str,
    },
    /// A later release has written the database.
    #[error("the database has schema {found}; this code knows up to {known}")]
    NewerSchema {
        /// Schema number of the database.
        found: i64,
        /// Newest schema number that this release knows.
        known: i64,
    },
}

/// A value as SQLite stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The SQL value `NULL`.
    Null,
    /// An integer within ±[`INTEGER_MAX`].
    Integer(i64),
    /// Text, encoded in UTF-8.
    Text(String),
    /// A blob of bytes.
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

impl From<Revision> for Value {
    fn from(value: Revision) -> Self {
        // A revision counts changes by people and programs, and cannot reach 2^53.
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

/// SQL text with the values of its `?`, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

impl Statement {
    /// Returns a statement without values.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Binds the next `?`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds the next `?`s, in order.
    #[must_use]
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Returns the SQL text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the bound values.
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
    /// Returns a row of these columns.
    pub fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter(), next: 0 }
    }

    /// Reads the next column as an integer.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type, as for all readers.
    pub fn integer(&mut self) -> Result<i64, SqlError> {
        self.optional_integer()?.ok_or_else(|| self.not("an integer"))
    }

    /// Reads the next column as an integer; `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type.
    pub fn optional_integer(&mut self) -> Result<Option<i64>, SqlError> {
        match self.take() {
            Some(Value::Integer(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.not("an integer")),
        }
    }

    /// Reads the next column as a non-negative 32-bit number.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type or range.
    pub fn count(&mut self) -> Result<u32, SqlError> {
        u32::try_from(self.integer()?).map_err(|_| self.not("a count"))
    }

    /// Returns the next column as a revision; a negative number counts as 0.
    ///
    /// # Errors
    /// [`SqlError::Column`].
    pub fn revision(&mut self) -> Result<Revision, SqlError> {
        Ok(Revision(u64::try_from(self.integer()?).unwrap_or_default()))
    }

    /// Reads the next column as an instant, Unix ms.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type.
    pub fn time(&mut self) -> Result<UnixMs, SqlError> {
        self.integer().map(UnixMs::from_ms)
    }

    /// Reads the next column as an instant; `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type.
    pub fn optional_time(&mut self) -> Result<Option<UnixMs>, SqlError> {
        Ok(self.optional_integer()?.map(UnixMs::from_ms))
    }

    /// Reads the next column as text.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type.
    pub fn text(&mut self) -> Result<String, SqlError> {
        match self.take() {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(self.not("text")),
        }
    }

    /// Reads the next column as text; `None` for NULL.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type.
    pub fn optional_text(&mut self) -> Result<Option<String>, SqlError> {
        match self.take() {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.not("text")),
        }
    }

    /// Reads the next column as exactly `N` bytes.
    ///
    /// # Errors
    /// [`SqlError::Column`] if the column has another type or length.
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], SqlError> {
        match self.take() {
            Some(Value::Blob(value)) => {
                value.try_into().map_err(|_| self.not("bytes of that number"))
            }
            _ => Err(self.not("bytes")),
        }
    }

    /// Reads the next column as text and parses it.
    ///
    /// # Errors
    /// [`SqlError::Column`] with `expected` if `parse` returns `None`.
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
