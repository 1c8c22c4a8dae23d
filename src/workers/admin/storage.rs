//! Implements the control plane's [`Sql`] over a Durable Object's SQLite.

use claviger_control::objects::sql::{Row, Sql, SqlError, Statement, Value};
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use worker::{SqlStorage, SqlStorageValue, Storage};

#[wasm_bindgen]
extern "C" {
    /// The part of `DurableObjectStorage` that the `worker` crate does not bind.
    type SyncStorage;

    /// Runs `work` in a transaction that is rolled back if it throws.
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &SyncStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// The database of one object.
pub struct ObjectSql {
    sql: SqlStorage,
    storage: Storage,
}

impl ObjectSql {
    /// Returns the database behind `storage`.
    pub fn new(storage: Storage) -> Self {
        Self { sql: storage.sql(), storage }
    }

    fn run(&self, statement: &Statement) -> Result<Vec<Row>, worker::Error> {
        let values = statement.values().iter().map(to_platform).collect::<Result<Vec<_>, _>>()?;
        let cursor = self.sql.exec(statement.text(), values)?;
        cursor
            .raw()
            .map(|row| Ok(Row::new(row?.into_iter().map(from_platform).collect())))
            .collect()
    }
}

impl Sql for ObjectSql {
    fn rows(&self, statement: &Statement) -> Result<Vec<Row>, SqlError> {
        self.run(statement).map_err(refused)
    }

    fn apply(&self, writes: &[Statement]) -> Result<(), SqlError> {
        let mut work = || {
            for statement in writes {
                self.run(statement).map_err(JsValue::from)?;
            }
            Ok(JsValue::UNDEFINED)
        };
        let storage: &SyncStorage = self.storage.as_raw().unchecked_ref();
        storage.transaction_sync(&mut work).map(|_| ()).map_err(|error| refused(error.into()))
    }
}

fn refused(error: worker::Error) -> SqlError {
    SqlError::Engine { message: error.to_string() }
}

fn to_platform(value: &Value) -> Result<SqlStorageValue, worker::Error> {
    Ok(match value {
        Value::Null => SqlStorageValue::Null,
        Value::Integer(integer) => SqlStorageValue::try_from_i64(*integer)?,
        Value::Text(text) => SqlStorageValue::String(text.clone()),
        Value::Blob(bytes) => SqlStorageValue::Blob(bytes.clone()),
    })
}

fn from_platform(value: SqlStorageValue) -> Value {
    match value {
        SqlStorageValue::Null => Value::Null,
        SqlStorageValue::Boolean(value) => Value::Integer(value.into()),
        SqlStorageValue::Integer(integer) => Value::Integer(integer),
        // No column holds fractions; the row reader refuses the text where it expects an integer.
        SqlStorageValue::Float(number) => Value::Text(number.to_string()),
        SqlStorageValue::String(text) => Value::Text(text),
        SqlStorageValue::Blob(bytes) => Value::Blob(bytes),
    }
}
