//! Schemas: numbered migrations, append-only, recorded in the table `migration`.

use claviger_core::base::time::UnixMs;

use super::{Sql, SqlError, SqlExt, Statement};

/// One step of a schema. A released step is never edited, because databases have already run it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// SQL statements in order, one per text.
    pub statements: &'static [&'static str],
}

/// The table that records which migrations have run.
const RECORD: &str = "CREATE TABLE IF NOT EXISTS migration (
    number        INTEGER PRIMARY KEY,  -- of the migration, from 1; immutable
    applied_at_ms INTEGER NOT NULL      -- when it ran, Unix milliseconds; immutable
) STRICT";

/// Returns `true` if this database was ever written. Only reads, so that an object that was merely
/// asked stays empty.
///
/// # Errors
/// [`SqlError::Engine`] if the database refuses.
pub fn is_initialised(sql: &(impl Sql + ?Sized)) -> Result<bool, SqlError> {
    // This table is created first, so its existence is enough.
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration' LIMIT 1";
    Ok(sql.first(&Statement::new(table))?.is_some())
}

/// Runs the `migrations` that the database lacks; their numbers are their positions, from 1. All
/// run in one transaction. If none is missing, nothing is written.
///
/// # Errors
/// [`SqlError::NewerSchema`] if the database has run a migration of a later release: old code must
/// not write data that it does not understand. [`SqlError::Engine`] if the database refuses.
pub fn migrate(
    sql: &(impl Sql + ?Sized),
    migrations: &[Migration],
    now: UnixMs,
) -> Result<(), SqlError> {
    let applied = match is_initialised(sql)? {
        true => sql.integer(&Statement::new("SELECT max(number) FROM migration"))?,
        false => 0,
    };
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if applied > known {
        return Err(SqlError::NewerSchema { found: applied, known });
    }
    let mut writes = Vec::new();
    for (number, migration) in (1_i64..).zip(migrations).filter(|(number, _)| *number > applied) {
        writes.extend(migration.statements.iter().map(|text| Statement::new(*text)));
        let record = Statement::new("INSERT INTO migration (number, applied_at_ms) VALUES (?, ?)");
        writes.push(record.bind(number).bind(now));
    }
    if writes.is_empty() {
        return Ok(());
    }
    writes.insert(0, Statement::new(RECORD));
    sql.apply(&writes)
}

#[cfg(test)]
mod tests {
    use super::super::sqlite::Sqlite;
    use super::*;

    const TWO: [Migration; 2] = [
        Migration { statements: &["CREATE TABLE a (x INTEGER) STRICT"] },
        Migration {
            statements: &["ALTER TABLE a ADD COLUMN y INTEGER", "CREATE TABLE b (z TEXT) STRICT"],
        },
    ];
    const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);

    #[test]
    fn migrations_run_once_and_in_order_from_wherever_the_database_is() {
        for start in 0..=TWO.len() {
            let sql = Sqlite::new();
            assert!(!is_initialised(&sql).unwrap());
            migrate(&sql, &TWO[..start], NOW).unwrap();
            assert_eq!(is_initialised(&sql).unwrap(), start > 0);
            migrate(&sql, &TWO, NOW).unwrap();
            let applies = sql.applies();
            migrate(&sql, &TWO, NOW).unwrap();
            assert_eq!(sql.applies(), applies, "nothing due, nothing written");
            assert_eq!(sql.integer(&Statement::new("SELECT count(*) FROM migration")), Ok(2));
            assert!(sql.rows(&Statement::new("SELECT x, y, z FROM a, b")).unwrap().is_empty());
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let sql = Sqlite::new();
        migrate(&sql, &TWO, NOW).unwrap();
        assert_eq!(
            migrate(&sql, &TWO[..1], NOW),
            Err(SqlError::NewerSchema { found: 2, known: 1 })
        );
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before_it() {
        let sql = Sqlite::new();
        migrate(&sql, &TWO[..1], NOW).unwrap();
        let broken = [
            TWO[0],
            Migration { statements: &["CREATE TABLE b (z TEXT) STRICT", "CREATE TABLE a (x)"] },
        ];
        assert!(migrate(&sql, &broken, NOW).is_err());
        assert_eq!(sql.integer(&Statement::new("SELECT max(number) FROM migration")), Ok(1));
        assert!(sql.rows(&Statement::new("SELECT * FROM b")).is_err());
    }
}
