//! A reply together with its writes.

use claviger_core::credential::issuer::Issuer;

use crate::ledger::account::Account;
use crate::ledger::audit::Author;
use crate::ledger::decide::KeyChange;
use crate::ledger::key::Key;
use crate::ledger::{issued, outbox};
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// A reply together with the writes that must be committed before it is sent.
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

/// Returns the writes of a change of a key: its row, the account's revision, journal, audit, and
/// the put to KV.
pub(super) fn commit_writes(
    sql: &dyn Sql,
    account: &Account,
    author: Author<'_>,
    change: &KeyChange,
) -> Result<Vec<Statement>, SqlError> {
    let KeyChange { action, before, after, .. } = change;
    let mut writes = before.as_ref().map_or_else(|| after.insert(), |before| after.update(before));
    writes.push(Account::advance(after.revision));
    writes.extend(author.journal(*action, after.id, after.revision));
    writes.push(author.changed(*action, before.as_ref(), after));
    writes.extend(outbox::changed(sql, after.id, after.revision, account.generation, author.now)?);
    writes.extend(issued::schedule_sweep(after));
    // Only an issuer can have issued stored keys in the generation that ends.
    let ends_stored = |before: &&Key| before.ceiling.is_some() && before.sealing != after.sealing;
    if let Some(before) = before.as_ref().filter(ends_stored) {
        writes.extend(issued::note_end(Issuer::Key(after.id), before.sealing, author.now));
    }
    Ok(writes)
}
