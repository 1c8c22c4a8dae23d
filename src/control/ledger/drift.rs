//! Drift: what KV holds when it is not what the ledger says, and how that is put right.
//!
//! | KV holds | what the edge may have made of it | mended by |
//! | --- | --- | --- |
//! | nothing, another history's record, something unreadable | a miss | a put |
//! | an older change of this history | a fact, though it is over | a put, and the key is unsettled until it settles |
//! | another record with the same number | a fact that no mark of that number drops | a new number for the key |
//! | a newer change than the key ever had | a fact that nothing drops: the ledger has lost changes | a new history |

use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::{Record, Revision};

use super::account::Account;
use super::audit::Action;
use super::outbox;
use super::publication::Publication;
use crate::ledger::audit;
use crate::objects::sql::Statement;

/// What KV holds, compared with what the ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// That.
    Right,
    /// Nothing that counts in this history.
    Absent,
    /// An older change of this history.
    Behind,
    /// Another record with the same number.
    Altered,
    /// A newer change of this history than the ledger knows.
    Ahead,
}

impl Finding {
    /// Compares what KV holds with the key's present record.
    pub fn of(value: Option<&str>, record: &Record) -> Self {
        let held = value.and_then(|text| Record::from_kv(text, record.id));
        let Some(held) = held.filter(|held| held.epoch == record.epoch) else {
            return Self::Absent;
        };
        match held.revision.cmp(&record.revision) {
            core::cmp::Ordering::Less => Self::Behind,
            core::cmp::Ordering::Equal if held == *record => Self::Right,
            core::cmp::Ordering::Equal => Self::Altered,
            core::cmp::Ordering::Greater => Self::Ahead,
        }
    }
}

/// What puts a finding right. `last` is the account's last change, and rises when a number is
/// taken.
pub fn mend(
    account: &Account,
    row: Publication,
    found: &Finding,
    last: &mut Revision,
    now: UnixMs,
) -> Vec<Statement> {
    let put = outbox::owe(row.id, now);
    match found {
        Finding::Right => Vec::new(),
        Finding::Absent => vec![row.drifted(false, now).store(), put],
        Finding::Behind => vec![row.drifted(true, now).store(), put],
        Finding::Altered => {
            *last = last.next();
            let renumber = Statement::new("UPDATE key SET revision = ? WHERE id = ?");
            vec![
                renumber.bind(*last).bind(row.id.as_str()),
                Account::advance(*last),
                audit::journal(Action::Renumber, *last, row.id.as_str(), now),
                row.drifted(true, now).changed(*last, account.generation, now).store(),
                put,
            ]
        }
        Finding::Ahead => vec![Account::end_epoch(), row.drifted(true, now).store(), put],
    }
}
