//! `Sql` over rusqlite, in memory, with faults on demand. Shared by the unit tests and those in
//! `tests/`, which both have `claviger_control::objects::sql` as the parent of this module.

use std::cell::{Cell, RefCell};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};

use super::{INTEGER_MAX, Row, Sql, SqlError, Statement, VALUES_MAX, Value};

/// What becomes of an `apply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing was written.
    BeforeItLands,
    /// It is written, but the caller is told that it failed.
    ReplyLost,
}

/// A database in memory.
pub struct Sqlite {
    connection: Connection,
    applies: Cell<u32>,
    faults: RefCell<Vec<(u32, Fault)>>,
    overheard: RefCell<Vec<Statement>>,
    judge: Cell<Option<Judge>>,
}

/// Looks at a statement before it runs.
pub type Judge = fn(&Sqlite, &Statement);

impl Sqlite {
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().expect("SQLite opens");
        // Preparing takes longer than anything else; an object has fewer statements than this.
        connection.set_prepared_statement_cache_capacity(256);
        Self {
            connection,
            applies: Cell::new(0),
            faults: RefCell::default(),
            overheard: RefCell::default(),
            judge: Cell::new(None),
        }
    }

    /// Notes how all stands now.
    #[allow(dead_code, reason = "not every test goes back")]
    pub fn bookmark(&self) {
        self.go("SAVEPOINT bookmark").expect("SQLite notes its state");
    }

    /// Goes back to the last bookmark, which stays.
    #[allow(dead_code, reason = "not every test goes back")]
    pub fn restore(&self) {
        self.go("ROLLBACK TO bookmark").expect("SQLite goes back");
    }

    /// Drops the last bookmark, and keeps what was written since.
    #[allow(dead_code, reason = "not every test goes back")]
    pub fn unmark(&self) {
        self.go("RELEASE bookmark").expect("SQLite lets go of its state");
    }

    fn go(&self, text: &str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(text)?.raw_execute().map(|_| ())
    }

    /// How many times `apply` was called.
    pub fn applies(&self) -> u32 {
        self.applies.get()
    }

    /// How many rows were written so far.
    #[allow(dead_code, reason = "for tests of what a call costs")]
    pub fn written(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Lets the `nth` `apply` from now fail; 1 is the next.
    #[allow(dead_code, reason = "not every test breaks things")]
    pub fn break_apply(&self, nth: u32, fault: Fault) {
        self.faults.borrow_mut().push((self.applies.get() + nth, fault));
    }

    /// Lets no further `apply` fail.
    #[allow(dead_code, reason = "not every test breaks things")]
    pub fn calm(&self) {
        self.faults.borrow_mut().clear();
    }

    /// Forgets what was overheard.
    #[allow(dead_code, reason = "for tests of query plans")]
    pub fn overhear(&self) {
        self.overheard.borrow_mut().clear();
    }

    /// The statements that were read since.
    #[allow(dead_code, reason = "for tests of query plans")]
    pub fn overheard(&self) -> Vec<Statement> {
        self.overheard.borrow().clone()
    }

    /// Does something that counts as nothing: it is neither overheard nor judged.
    #[allow(dead_code, reason = "not every test looks for itself")]
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        let (overheard, judge) = (self.overheard.take(), self.judge.take());
        let done = work();
        self.overheard.replace(overheard);
        self.judge.set(judge);
        done
    }

    /// Shows every statement of `work` to `judge` before it runs.
    #[allow(dead_code, reason = "for tests of query plans")]
    pub fn judged<T>(&self, judge: Judge, work: impl FnOnce() -> T) -> T {
        self.judge.set(Some(judge));
        let done = work();
        self.judge.set(None);
        done
    }

    /// What SQLite does for a statement, step by step.
    #[allow(dead_code, reason = "for tests of query plans")]
    pub fn plan(&self, statement: &Statement) -> Vec<String> {
        let explain = Statement::new(format!("EXPLAIN QUERY PLAN {}", statement.text()));
        let explain = explain.bind_all(statement.values().iter().cloned());
        let steps = self.run(&explain, true).expect("SQLite explains what it can run");
        let detail = |mut row: Row| {
            for _ in 0..3 {
                row.integer().expect("a number");
            }
            row.text().expect("what is done")
        };
        steps.into_iter().map(detail).collect()
    }

    /// Every value of a table as text, for tests of what must not be there.
    #[allow(dead_code, reason = "not every test dumps a table")]
    pub fn dump(&self, table: &str) -> String {
        let rows = self
            .rows(&Statement::new(format!("SELECT * FROM {table}")))
            .expect("the table is there");
        rows.iter().map(|row| format!("{row:?}\n")).collect()
    }

    fn run(&self, statement: &Statement, may_write: bool) -> Result<Vec<Row>, SqlError> {
        assert!(statement.values().len() <= VALUES_MAX, "too many values: {}", statement.text());
        // A judge's own questions are not judged.
        if let Some(judge) = self.judge.take() {
            judge(self, statement);
            self.judge.set(Some(judge));
        }
        let mut prepared = self.connection.prepare_cached(statement.text()).map_err(engine)?;
        if !may_write && !prepared.readonly() {
            return Err(SqlError::Engine {
                message: "attempt to write a readonly database".to_owned(),
            });
        }
        answered(&mut prepared, statement.values()).map_err(engine)
    }
}

impl Sql for Sqlite {
    fn rows(&self, statement: &Statement) -> Result<Vec<Row>, SqlError> {
        self.overheard.borrow_mut().push(statement.clone());
        self.run(statement, false)
    }

    fn apply(&self, writes: &[Statement]) -> Result<(), SqlError> {
        self.applies.set(self.applies.get() + 1);
        let fault = self
            .faults
            .borrow()
            .iter()
            .find(|(nth, _)| *nth == self.applies.get())
            .map(|(_, fault)| *fault);
        let injected = SqlError::Engine { message: "injected fault".to_owned() };
        if fault == Some(Fault::BeforeItLands) {
            return Err(injected);
        }
        self.go("SAVEPOINT apply").map_err(engine)?;
        for write in writes {
            if let Err(error) = self.run(write, true) {
                self.go("ROLLBACK TO apply")
                    .and_then(|()| self.go("RELEASE apply"))
                    .map_err(engine)?;
                return Err(error);
            }
        }
        self.go("RELEASE apply").map_err(engine)?;
        if fault == Some(Fault::ReplyLost) { Err(injected) } else { Ok(()) }
    }
}

fn answered(
    prepared: &mut rusqlite::Statement<'_>,
    values: &[Value],
) -> Result<Vec<Row>, rusqlite::Error> {
    let columns = prepared.column_count();
    let mut found = prepared.query(params_from_iter(values.iter().map(bound)))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..columns).map(|column| row.get_ref(column).map(read));
        rows.push(Row::new(values.collect::<Result<_, _>>()?));
    }
    Ok(rows)
}

fn engine(error: rusqlite::Error) -> SqlError {
    SqlError::Engine { message: error.to_string() }
}

fn bound(value: &Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(integer) => {
            assert!((-INTEGER_MAX..=INTEGER_MAX).contains(integer), "beyond JavaScript's integers");
            rusqlite::types::Value::Integer(*integer)
        }
        Value::Text(text) => rusqlite::types::Value::Text(text.clone()),
        Value::Blob(bytes) => rusqlite::types::Value::Blob(bytes.clone()),
    }
}

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).expect("UTF-8")),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(real) => panic!("a real number in the database: {real}"),
    }
}
