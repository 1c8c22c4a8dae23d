//! The address object: limits tries from one address block, across all names. Sign-in, step-up and
//! set-up links count as tries.
//!
//! There is one instance per block ([`crate::protocol::ledger::instance::address`]). A name object
//! sees only its own name, so it cannot notice a client that tries one password at each of a
//! thousand names. The object counts in one row. Invariant: `tries ≤ TRIES.tries_max`; it does not
//! write a refused try.

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::migrate::{Migration, is_initialised, migrate};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::effect::Effect;
use crate::protocol::objects::{AddressReply, AddressRequest};

/// Rate limit of one block. Fifty people behind one address who each prove their identity six times
/// an hour (a proof is fresh for ten minutes) need 300. An attacker gets 7,200 guesses a day, over
/// all names.
pub const TRIES: FixedWindow = FixedWindow { tries_max: 300, window: DurationMs::from_s(60 * 60) };

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[Migration {
    statements: &[
        tasks::TABLE,
        tasks::INDEX,
        "CREATE TABLE tries (
            one      INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row at most
            since_ms INTEGER NOT NULL,                     -- first try of the window, Unix milliseconds; mutable
            tries    INTEGER NOT NULL CHECK (tries > 0)    -- tries in the window; rises
        ) STRICT",
    ],
}];

/// An address object over its database.
pub struct Address<'a> {
    sql: &'a dyn Sql,
}

impl<'a> Address<'a> {
    /// Returns the object of this database.
    pub fn new(sql: &'a dyn Sql) -> Self {
        Self { sql }
    }

    fn window(&self) -> Result<Option<Window>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        self.sql
            .first(&Statement::new("SELECT since_ms, tries FROM tries"))?
            .map(read_window)
            .transpose()
    }

    fn count(&self, now: UnixMs) -> Result<AddressReply, SqlError> {
        let window = match TRIES.count(self.window()?, now) {
            Ok(window) => window,
            Err(until) => return Ok(AddressReply::TooMany { until }),
        };
        migrate(self.sql, MIGRATIONS, now)?;
        self.sql.apply(&[
            Statement::new("INSERT OR REPLACE INTO tries (one, since_ms, tries) VALUES (1, ?, ?)")
                .bind(window.since)
                .bind(window.tries),
            Task::own(TaskKind::SweepTries).schedule(TRIES.end(&window)),
        ])?;
        Ok(AddressReply::Counted)
    }
}

impl DurableObject for Address<'_> {
    type Request = AddressRequest;
    type Reply = AddressReply;

    const NOT_UNDERSTOOD: AddressReply = AddressReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: AddressRequest,
        now: UnixMs,
        _: &Entropy,
    ) -> Result<AddressReply, ObjectError> {
        match request {
            AddressRequest::Count => Ok(self.count(now)?),
        }
    }

    fn step(&self, _: &Task, now: UnixMs) -> Result<TaskStep, ObjectError> {
        // The only kind of task here: remove a window that has ended.
        Ok(match self.window()? {
            Some(window) if now < TRIES.end(&window) => {
                TaskStep::Chore { writes: Vec::new(), again: Some(TRIES.end(&window)) }
            }
            _ => TaskStep::Chore { writes: vec![Statement::new("DELETE FROM tries")], again: None },
        })
    }

    fn settled(
        &self,
        effect: &Effect,
        _: Option<bool>,
        _: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        Ok(vec![Task::of(effect).done()])
    }

    fn is_spent(&self) -> Result<bool, ObjectError> {
        Ok(self.window()?.is_none())
    }
}

fn read_window(mut row: Row) -> Result<Window, SqlError> {
    Ok(Window { since: row.time()?, tries: row.count()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::sql::sqlite::{Fault, Sqlite};

    const START: i64 = 1_800_000_000_000;

    fn count(sql: &Sqlite, after_s: i64) -> Result<AddressReply, ObjectError> {
        let now = UnixMs::from_ms(START + after_s * 1_000);
        Address::new(sql).handle(AddressRequest::Count, now, &Entropy([0; 32]))
    }

    #[test]
    fn a_thousand_tries_at_once_are_three_hundred() {
        let sql = Sqlite::new();
        let replies: Vec<_> = (0..1_000).map(|_| count(&sql, 0).unwrap()).collect();
        assert_eq!(replies.iter().filter(|reply| **reply == AddressReply::Counted).count(), 300);
        let until = UnixMs::from_ms(START + 3_600_000);
        assert_eq!(count(&sql, 3_599), Ok(AddressReply::TooMany { until }));
        assert_eq!(count(&sql, 3_600), Ok(AddressReply::Counted));
    }

    #[test]
    fn a_refused_try_writes_nothing_and_a_window_that_is_over_goes() {
        let sql = Sqlite::new();
        let address = Address::new(&sql);
        assert!(address.is_spent().unwrap());
        for _ in 0..300 {
            count(&sql, 0).unwrap();
        }
        let applies = sql.applies();
        count(&sql, 1).unwrap();
        assert_eq!(sql.applies(), applies);
        let end = UnixMs::from_ms(START + 3_600_000);
        assert_eq!(address.next_due(), Ok(Some(end)));
        assert!(!address.is_spent().unwrap());
        assert_eq!(address.next_effect(end), Ok(None));
        assert_eq!(address.next_due(), Ok(None));
        assert!(address.is_spent().unwrap());
    }

    #[test]
    fn a_window_that_was_renewed_before_the_sweep_is_kept() {
        let sql = Sqlite::new();
        count(&sql, 0).unwrap();
        count(&sql, 4_000).unwrap();
        let address = Address::new(&sql);
        assert_eq!(address.next_effect(UnixMs::from_ms(START + 4_000_000)), Ok(None));
        assert_eq!(address.next_due(), Ok(Some(UnixMs::from_ms(START + 7_600_000))));
    }

    #[test]
    fn a_try_that_cannot_be_counted_is_not_let_through() {
        let sql = Sqlite::new();
        sql.break_apply(2, Fault::BeforeItLands);
        assert!(count(&sql, 0).is_err());
        assert_eq!(count(&sql, 0), Ok(AddressReply::Counted));
    }
}
