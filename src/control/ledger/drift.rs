//! Drift: differences between KV and the ledger, and their repair.
//!
//! | KV holds | effect at the edge | repaired by |
//! | --- | --- | --- |
//! | nothing, another history's record, an unreadable value | a miss | a put |
//! | an older change of this history | a valid but outdated record | a put; the key is unsettled until it settles |
//! | another record with the same revision | a record that no mark of that revision drops | a new revision of the key |
//! | a newer change than the key ever had | a record that nothing drops: the ledger has lost changes | a new history |

use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::{Record, Revision};

use super::account::Account;
use super::api_user_row;
use super::audit::Action;
use super::publication;
use super::publication::Publication;
use crate::ledger::audit;
use crate::objects::sql::Statement;

/// The result of comparing KV with the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// KV holds the ledger's record.
    Right,
    /// KV holds nothing valid in this history.
    Absent,
    /// KV holds an older record of this history.
    Behind,
    /// KV holds another record with the same revision.
    Altered,
    /// KV holds a newer change of this history than the ledger.
    Ahead,
}

impl Drift {
    /// Compares the value in KV with the key's present record.
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

/// Returns the writes that repair a finding. `last` is the account's last revision; it rises if the
/// repair uses a new one.
pub fn mend(
    account: &Account,
    row: Publication,
    found: &Drift,
    last: &mut Revision,
    now: UnixMs,
) -> Vec<Statement> {
    let put = publication::schedule(row.id, now);
    match found {
        Drift::Right => Vec::new(),
        Drift::Absent => vec![row.drifted(false, now).store(), put],
        Drift::Behind => vec![row.drifted(true, now).store(), put],
        Drift::Altered => {
            *last = last.next();
            let renumber = Statement::new("UPDATE key SET revision = ? WHERE id = ?");
            vec![
                renumber.bind(*last).bind(row.id.as_str()),
                // The ID is of a key or of an API user.
                api_user_row::renumber(row.id, *last),
                Account::advance(*last),
                audit::journal(Action::Renumber, *last, row.id.as_str(), now),
                row.drifted(true, now).changed(*last, account.generation, now).store(),
                put,
            ]
        }
        Drift::Ahead => vec![Account::end_epoch(), row.drifted(true, now).store(), put],
    }
}
