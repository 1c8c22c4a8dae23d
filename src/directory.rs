//! The directory: the list of all accounts of the deployment. One instance, because objects cannot be enumerated.
//!
//! An account is entered *before* its ledger is written, so that no ledger exists unlisted. States:
//!
//! ```text
//!   (absent) ──EnterFirst──▶ pending ──Confirm, or the ledger says "opened"──▶ open
//!                               └───────the ledger says "never opened"──────▶ (absent)
//! ```
//!
//! A pending account is asked for [`PENDING_MS`] after it was entered, until its ledger answers. A confirmation of an
//! account that is not listed lists it: only ledgers that were opened confirm.
//!
//! Restoring a ledger from a bookmark takes three steps, in this order: a fresh history is noted here; the ledger is
//! restored; the ledger is told that history, again and again until it answers. Whoever restores repeats all three when one
//! fails: a history that was never told belongs to nobody.

use crate::due::{self, Duty, Kind};
use crate::id::AccountId;
use crate::object::{Entropy, Object, ObjectError, Step};
use crate::protocol::{DirectoryReply, DirectoryRequest, Effect};
use crate::record::Epoch;
use crate::sql::{Migration, Sql, SqlError, SqlExt, Statement, is_initialised, migrate};
use crate::time::{DurationMs, UnixMs};

/// How long an entry may wait for its ledger, in milliseconds. A set-up takes a second; ten minutes later nobody waits
/// for its answer any more, and the name object lets go of the claim at the same age.
pub const PENDING_MS: u64 = 10 * 60 * 1_000;

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        statements: &[
            due::TABLE,
            due::INDEX,
            "CREATE TABLE account (
            id            TEXT PRIMARY KEY CHECK (length(id) = 8),          -- of the account; immutable
            state         TEXT NOT NULL CHECK (state IN ('pending', 'open')),  -- pending, then open for good
            entered_at_ms INTEGER NOT NULL                                  -- Unix milliseconds; immutable
        ) STRICT, WITHOUT ROWID",
        ],
    },
    Migration {
        statements: &[
            // A fresh history for a ledger that is being restored, in hex; NULL: none is noted; mutable.
            "ALTER TABLE account ADD COLUMN epoch TEXT",
        ],
    },
];

/// The directory over its database.
pub struct Directory<'a> {
    sql: &'a dyn Sql,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Open,
}

impl<'a> Directory<'a> {
    /// The object that this database is of.
    pub fn new(sql: &'a dyn Sql) -> Self {
        Self { sql }
    }

    fn state(&self, account: AccountId) -> Result<Option<State>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        let row = self
            .sql
            .first(&Statement::new("SELECT state FROM account WHERE id = ?").bind(account.as_str()))?;
        row.map(|mut row| row.parsed("a state", State::parse)).transpose()
    }

    fn has_another_than(&self, account: AccountId) -> Result<bool, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(false);
        }
        let others = Statement::new("SELECT count(*) FROM (SELECT 1 FROM account WHERE id <> ? LIMIT 1)");
        Ok(self.sql.integer(&others.bind(account.as_str()))? > 0)
    }

    fn enter_first(&self, account: AccountId, now: UnixMs) -> Result<DirectoryReply, SqlError> {
        match self.state(account)? {
            Some(State::Open) => return Ok(DirectoryReply::SetupDone),
            Some(State::Pending) => return Ok(DirectoryReply::Entered),
            None if self.has_another_than(account)? => return Ok(DirectoryReply::SetupDone),
            None => {}
        }
        migrate(self.sql, MIGRATIONS, now)?;
        self.sql.apply(&[
            enter(account, State::Pending, now),
            Duty::new(Kind::AskExists, account).owe(now.saturating_add(DurationMs::from_ms(PENDING_MS))),
        ])?;
        Ok(DirectoryReply::Entered)
    }

    /// Notes a fresh history before a ledger is restored: the ledger's own memory of it would go back in time, too.
    fn note_epoch(
        &self,
        account: AccountId,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<DirectoryReply, SqlError> {
        if self.state(account)? != Some(State::Open) {
            return Ok(DirectoryReply::Unknown);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        let epoch = Epoch::new(entropy.number());
        let note = Statement::new("UPDATE account SET epoch = ? WHERE id = ?");
        // Whatever an earlier restore left to be told is over: this history must not be told before the ledger is restored.
        let note = note.bind(epoch.as_str()).bind(account.as_str());
        self.sql.apply(&[note, Duty::new(Kind::TellEpoch, account).done()])?;
        Ok(DirectoryReply::Epoch { epoch })
    }

    /// The ledger was restored: it is told the history that was noted. Not sooner: it would forget it again.
    fn restored(&self, account: AccountId, now: UnixMs) -> Result<DirectoryReply, SqlError> {
        if self.state(account)?.is_none() {
            return Ok(DirectoryReply::Unknown);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        let Some(_) = self.noted_epoch(account)? else { return Ok(DirectoryReply::Unknown) };
        self.sql.apply(&[Duty::new(Kind::TellEpoch, account).owe_at(now)])?;
        Ok(DirectoryReply::Noted)
    }

    fn noted_epoch(&self, account: AccountId) -> Result<Option<Epoch>, SqlError> {
        let text = "SELECT epoch FROM account WHERE id = ? AND epoch IS NOT NULL";
        let row = self.sql.first(&Statement::new(text).bind(account.as_str()))?;
        row.map(|mut row| row.text().map(Epoch::from_stored)).transpose()
    }

    fn confirm(&self, account: AccountId, now: UnixMs) -> Result<DirectoryReply, SqlError> {
        if self.state(account)? != Some(State::Open) {
            migrate(self.sql, MIGRATIONS, now)?;
            self.sql.apply(&open(account, now))?;
        }
        Ok(DirectoryReply::Noted)
    }
}

impl Object for Directory<'_> {
    type Request = DirectoryRequest;
    type Reply = DirectoryReply;

    const NOT_UNDERSTOOD: DirectoryReply = DirectoryReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: DirectoryRequest,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<DirectoryReply, ObjectError> {
        Ok(match request {
            DirectoryRequest::EnterFirst { account } => self.enter_first(account, now)?,
            DirectoryRequest::Confirm { account } => self.confirm(account, now)?,
            DirectoryRequest::NoteEpoch { account } => self.note_epoch(account, now, entropy)?,
            DirectoryRequest::Restored { account } => self.restored(account, now)?,
        })
    }

    fn step(&self, duty: &Duty, _: UnixMs) -> Result<Step, ObjectError> {
        let Some(account) = AccountId::parse(&duty.subject) else { return Ok(Step::moot()) };
        if duty.kind == Kind::TellEpoch {
            let told = |epoch| Step::Effect(Effect::TellEpoch { account, epoch });
            return Ok(self.noted_epoch(account)?.map_or(Step::moot(), told));
        }
        Ok(match self.state(account)? {
            Some(State::Pending) => Step::Effect(Effect::AskExists { account }),
            Some(State::Open) | None => Step::moot(),
        })
    }

    fn settled(
        &self,
        effect: &Effect,
        held: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        if let Effect::TellEpoch { account, epoch } = effect {
            // Another was noted meanwhile: what it owes is not done with this.
            if self.noted_epoch(*account)?.as_ref() != Some(epoch) {
                return Ok(Vec::new());
            }
            let forget = Statement::new("UPDATE account SET epoch = NULL WHERE id = ?");
            return Ok(vec![forget.bind(account.as_str()), Duty::of(effect).done()]);
        }
        let Effect::AskExists { account } = effect else { return Ok(vec![Duty::of(effect).done()]) };
        Ok(match (self.state(*account)?, held) {
            (Some(State::Pending), Some(true)) => open(*account, now).into(),
            (Some(State::Pending), Some(false)) => {
                let remove = Statement::new("DELETE FROM account WHERE id = ?").bind(account.as_str());
                vec![remove, Duty::of(effect).done()]
            }
            // No answer to the question: ask again.
            (Some(State::Pending), None) => vec![Duty::of(effect).failed(self.sql, now)?],
            (Some(State::Open) | None, _) => vec![Duty::of(effect).done()],
        })
    }
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Open].into_iter().find(|state| state.as_str() == text)
    }
}

fn enter(account: AccountId, state: State, now: UnixMs) -> Statement {
    let text = "INSERT INTO account (id, state, entered_at_ms) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state";
    Statement::new(text).bind(account.as_str()).bind(state.as_str()).bind(now)
}

fn open(account: AccountId, now: UnixMs) -> [Statement; 2] {
    [enter(account, State::Open, now), Duty::new(Kind::AskExists, account).done()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Outcome;
    use crate::sql::sqlite::{Fault, Sqlite};

    const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);
    const LATER: UnixMs = UnixMs::from_ms(1_800_000_600_000);

    fn account(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    fn ask(sql: &Sqlite, request: DirectoryRequest) -> DirectoryReply {
        Directory::new(sql).handle(request, NOW, &Entropy([0; 32])).unwrap()
    }

    fn enter_first(sql: &Sqlite, id: &str) -> DirectoryReply {
        ask(sql, DirectoryRequest::EnterFirst { account: account(id) })
    }

    fn confirm(sql: &Sqlite, id: &str) -> DirectoryReply {
        ask(sql, DirectoryRequest::Confirm { account: account(id) })
    }

    #[test]
    fn only_one_account_is_the_first() {
        let sql = Sqlite::new();
        assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::Entered);
        assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::Entered, "repeated as if once");
        assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
        assert_eq!(confirm(&sql, "aaaaaaaa"), DirectoryReply::Noted);
        assert_eq!(confirm(&sql, "aaaaaaaa"), DirectoryReply::Noted);
        assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::SetupDone);
        assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
        assert_eq!(Directory::new(&sql).next_due(), Ok(None), "what is confirmed is not asked for");
    }

    #[test]
    fn a_pending_account_is_asked_for_until_there_is_an_answer() {
        for (held, freed) in [(true, false), (false, true)] {
            let sql = Sqlite::new();
            enter_first(&sql, "aaaaaaaa");
            let directory = Directory::new(&sql);
            assert_eq!(directory.next_due(), Ok(Some(LATER)));
            assert_eq!(directory.next_effect(NOW), Ok(None));

            let effect = directory.next_effect(LATER).unwrap().unwrap();
            assert_eq!(effect, Effect::AskExists { account: account("aaaaaaaa") });
            assert_eq!(directory.next_effect(LATER), Ok(None), "it is under way");
            directory.settle(&effect, &Outcome::Failed, LATER).unwrap();
            let again = LATER.saturating_add(DurationMs::from_s(1));
            assert_eq!(directory.next_effect(again), Ok(Some(effect.clone())));
            directory.settle(&effect, &Outcome::Answered { held }, again).unwrap();

            assert_eq!(directory.next_due(), Ok(None));
            let expected = if freed { DirectoryReply::Entered } else { DirectoryReply::SetupDone };
            assert_eq!(enter_first(&sql, "bbbbbbbb"), expected);
        }
    }

    #[test]
    fn a_crash_while_asking_asks_again() {
        let sql = Sqlite::new();
        enter_first(&sql, "aaaaaaaa");
        let effect = Directory::new(&sql).next_effect(LATER).unwrap();
        let after = LATER.saturating_add(DurationMs::from_ms(due::IN_FLIGHT_MS));
        assert_eq!(Directory::new(&sql).next_due(), Ok(Some(after)));
        assert_eq!(Directory::new(&sql).next_effect(after), Ok(effect));
    }

    #[test]
    fn a_ledger_that_was_opened_late_is_listed_all_the_same() {
        let sql = Sqlite::new();
        assert_eq!(confirm(&sql, "aaaaaaaa"), DirectoryReply::Noted);
        assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
    }

    #[test]
    fn an_answer_that_comes_after_the_confirmation_changes_nothing() {
        let sql = Sqlite::new();
        enter_first(&sql, "aaaaaaaa");
        let directory = Directory::new(&sql);
        let effect = directory.next_effect(LATER).unwrap().unwrap();
        confirm(&sql, "aaaaaaaa");
        directory.settle(&effect, &Outcome::Answered { held: false }, LATER).unwrap();
        assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::SetupDone);
    }

    fn note(sql: &Sqlite, seed: u8) -> DirectoryReply {
        let request = DirectoryRequest::NoteEpoch { account: account("aaaaaaaa") };
        Directory::new(sql).handle(request, NOW, &Entropy([seed; 32])).unwrap()
    }

    fn restored(sql: &Sqlite) -> DirectoryReply {
        ask(sql, DirectoryRequest::Restored { account: account("aaaaaaaa") })
    }

    #[test]
    fn a_noted_history_is_told_after_the_restore_until_it_is_taken() {
        let sql = Sqlite::new();
        assert_eq!((note(&sql, 1), restored(&sql)), (DirectoryReply::Unknown, DirectoryReply::Unknown));
        confirm(&sql, "aaaaaaaa");
        assert_eq!(restored(&sql), DirectoryReply::Unknown, "nothing was noted");
        let DirectoryReply::Epoch { epoch } = note(&sql, 1) else { panic!("not noted") };
        let directory = Directory::new(&sql);
        assert_eq!(directory.next_due(), Ok(None), "the ledger would forget it");
        assert_eq!(restored(&sql), DirectoryReply::Noted);

        let effect = directory.next_effect(NOW).unwrap().unwrap();
        assert_eq!(effect, Effect::TellEpoch { account: account("aaaaaaaa"), epoch });
        directory.settle(&effect, &Outcome::Failed, NOW).unwrap();
        assert_eq!(directory.next_effect(LATER), Ok(Some(effect.clone())));
        directory.settle(&effect, &Outcome::Done, LATER).unwrap();
        assert_eq!((directory.next_due(), restored(&sql)), (Ok(None), DirectoryReply::Unknown));
    }

    #[test]
    fn a_second_restore_is_told_its_own_history_alone() {
        let sql = Sqlite::new();
        confirm(&sql, "aaaaaaaa");
        note(&sql, 1);
        restored(&sql);
        let directory = Directory::new(&sql);
        let first = directory.next_effect(NOW).unwrap().unwrap();
        let DirectoryReply::Epoch { epoch } = note(&sql, 2) else { panic!("not noted") };
        assert_eq!(directory.next_due(), Ok(None), "that ledger is not restored yet");
        restored(&sql);
        directory.settle(&first, &Outcome::Done, NOW).unwrap();
        let second = directory.next_effect(NOW).unwrap();
        assert_eq!(second, Some(Effect::TellEpoch { account: account("aaaaaaaa"), epoch }));
    }

    #[test]
    fn a_directory_of_the_first_version_is_migrated_with_its_rows() {
        let sql = Sqlite::new();
        migrate(&sql, &MIGRATIONS[..1], NOW).unwrap();
        sql.apply(&[Statement::new("INSERT INTO account VALUES ('aaaaaaaa', 'open', 0)")]).unwrap();
        assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
        assert!(matches!(note(&sql, 1), DirectoryReply::Epoch { .. }));
    }

    #[test]
    fn an_entry_that_fails_leaves_nothing() {
        let sql = Sqlite::new();
        sql.break_apply(2, Fault::BeforeItLands);
        let request = DirectoryRequest::EnterFirst { account: account("aaaaaaaa") };
        assert!(Directory::new(&sql).handle(request, NOW, &Entropy([0; 32])).is_err());
        assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::Entered);
    }
}
