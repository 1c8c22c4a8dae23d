//! Every committed change has exactly its rows. Every test of the ledger is a witness: after each
//! call the journal and the audit trail are held against the account's revision.

use claviger_control::objects::sql::{Row, SqlError, SqlExt, Statement};

use crate::sql::sqlite::Sqlite;

/// Actions of the ledger itself: no person did them, so the audit trail has none.
const OF_THE_LEDGER: [&str; 3] = ["renumber", "orphan", "sweep"];

/// How far the account and its trail had come.
#[derive(Clone, Copy)]
pub struct Trail {
    revision: i64,
    audit: i64,
    migrations: i64,
}

/// A row of the journal or the audit trail: revision, action, and key or `account`.
type Entry = (i64, String, String);

impl Trail {
    /// How far they have come; `None` if the ledger has no account, or if a test has written into
    /// the journal itself.
    pub fn of(sql: &Sqlite) -> Option<Self> {
        sql.aside(|| Self::read(sql))
    }

    fn read(sql: &Sqlite) -> Option<Self> {
        let has_account = "SELECT count(*) FROM sqlite_master WHERE name = 'account'";
        if number(sql, has_account) == 0 || number(sql, "SELECT count(*) FROM account") == 0 {
            return None;
        }
        let revision = number(sql, "SELECT revision FROM account");
        let audit = number(sql, "SELECT ifnull(max(number), 0) FROM audit");
        let migrations = number(sql, "SELECT count(*) FROM migration");
        let last = number(sql, "SELECT ifnull(max(revision), 0) FROM journal");
        (last <= revision).then_some(Self { revision, audit, migrations })
    }

    /// Asserts that what was committed since then has exactly its rows.
    pub fn check_since(self, sql: &Sqlite) {
        sql.aside(|| self.check(sql));
    }

    fn check(self, sql: &Sqlite) {
        // A migration may begin a history, which no journal names.
        let Some(now) = Self::read(sql).filter(|now| now.migrations == self.migrations) else {
            return;
        };
        let journal =
            "SELECT revision, what, subject FROM journal WHERE revision > ? ORDER BY revision";
        let journal = entries(sql, Statement::new(journal).bind(self.revision));
        let numbers: Vec<i64> = journal.iter().map(|(revision, ..)| *revision).collect();
        let expected: Vec<i64> = (self.revision + 1..=now.revision).collect();
        assert_eq!(numbers, expected, "each revision is in the journal once: {journal:?}");

        let audit = "SELECT revision, action, ifnull(key, 'account') FROM audit
            WHERE number > ? AND revision IS NOT NULL ORDER BY revision";
        let audit = entries(sql, Statement::new(audit).bind(self.audit));
        let of_people: Vec<Entry> = journal
            .iter()
            .filter(|(_, what, _)| !OF_THE_LEDGER.contains(&what.as_str()))
            .cloned()
            .collect();
        assert_eq!(audit, of_people, "each change that a person made is in the trail once");

        // A key's row and its publication have the revision of the last change of it.
        for (_, what, subject) in &journal {
            let last = journal.iter().rfind(|(.., other)| other == subject).map(|(last, ..)| *last);
            if subject == "account" || what == "sweep" {
                continue;
            }
            for table in ["publication WHERE key", "key WHERE id"] {
                let text = format!("SELECT revision, '', '' FROM {table} = ?");
                let rows = entries(sql, Statement::new(text).bind(subject.as_str()));
                let revision = rows.first().map(|(revision, ..)| *revision);
                let is_orphan = what == "orphan" && table.starts_with("key");
                assert!(
                    is_orphan || revision == last,
                    "{what} of {subject}: {revision:?}, not {last:?}"
                );
            }
        }
    }
}

fn entries(sql: &Sqlite, statement: Statement) -> Vec<Entry> {
    let read = |mut row: Row| -> Result<Entry, SqlError> {
        Ok((row.integer()?, row.text()?, row.text()?))
    };
    sql.read_all(&statement, read).unwrap()
}

fn number(sql: &Sqlite, text: &'static str) -> i64 {
    sql.integer(&Statement::new(text)).unwrap()
}
