//! A reply with the writes that make it true.

use claviger_core::credential::issuer::Issuer;

use crate::ledger::account::Account;
use crate::ledger::audit::Author;
use crate::ledger::decide::Change;
use crate::ledger::{issuing, outbox};
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// A reply with the writes that make it true.
pub(super) struct Plan {
    pub writes: Vec<Statement>,
    pub reply: LedgerReply,
}

impl Plan {
    pub fn read(reply: LedgerReply) -> Self {
        Self { writes: Vec::new(), reply }
    }

    pub fn refuse(refusal: Refusal) -> Self {
        Self::read(LedgerReply::Refused(refusal))
    }
}

/// The writes that make a change of a key true: its row, its numbers, journal, audit, and what KV
/// is owed.
pub(super) fn commit_writes(
    sql: &dyn Sql,
    account: &Account,
    author: Author<'_>,
    change: &Change,
) -> Result<Vec<Statement>, SqlError> {
    let Change { action, before, after, .. } = change;
    let mut writes = before.as_ref().map_or_else(|| after.insert(), |before| after.update(before));
    writes.push(Account::advance(after.revision));
    writes.extend(author.journal(*action, after));
    writes.push(author.changed(*action, before.as_ref(), after));
    writes.extend(outbox::changed(sql, after.id, after.revision, account.generation, author.now)?);
    writes.extend(issuing::owe_sweep(after));
    if let Some(before) = before.as_ref().filter(|before| before.sealing != after.sealing) {
        writes.extend(issuing::note_end(Issuer::Key(after.id), before.sealing, author.now));
    }
    Ok(writes)
}
