//! The refresh of a lease. It only reads, except for the usage report that it carries.
//!
//! The ledger finds the changes by the revisions of the keys' last changes. This list needs no
//! compaction and reaches back to the first change, because rows are never removed. So a lease is
//! reset only if it has another history, or if there are too many changes.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::{Epoch, Record, Standing};
use claviger_core::replication::refresh::{ASK_MAX, Delta, Refresh, RefreshAnswer, RefreshRequest};
use claviger_core::replication::superseded::Superseded;

use super::account::Account;
use super::key::{Key, State};
use super::usage::Used;
use super::{document, publication, state, usage};
use crate::ledger::usage::pending::{PendingCounts, UsageReport};
use crate::objects::sql::{Sql, SqlError};

/// Returns `true` if the lease has a revision of this history that the ledger never reached: the
/// ledger has lost changes.
pub fn is_ahead(account: &Account, request: &RefreshRequest) -> bool {
    let known = request.known_revision.max(request.state_revision);
    shares_history(account, request.epoch.as_ref()) && known > account.revision
}

fn shares_history(account: &Account, epoch: Option<&Epoch>) -> bool {
    epoch == Some(&account.epoch)
}

/// Returns the reply, and the usage that the refresh reports: its batch, and the requests for which
/// it asks. Writes nothing.
pub fn refresh(
    sql: &dyn Sql,
    pending: &PendingCounts,
    account: &Account,
    request: &RefreshRequest,
    now: UnixMs,
) -> Result<(UsageReport, Refresh), SqlError> {
    let shares_history = shares_history(account, request.epoch.as_ref());
    let delta = match shares_history {
        true => {
            publication::changes(sql, request.known_revision)?.map_or(Delta::Reset, Delta::Changes)
        }
        false => Delta::Reset,
    };
    let superseded = match &delta {
        Delta::Changes(_) => {
            publication::superseded_since(sql, account.generation, request.known_revision)?
                .map(Superseded::Keys)
        }
        // With T = 0 every request asks, without a lease, and no edge reads KV.
        Delta::Reset if account.freshness.ms == 0 => None,
        Delta::Reset => publication::superseded(sql, account.generation)?.map(Superseded::Filter),
    };
    let has_state = shares_history
        && request.state_revision == account.state_revision
        && account.state_revision.0 > 0;
    let keys = distinct(&request.ask);
    let (answers, mut used) = answers(sql, account, &keys, request.asked_from)?;
    used.retain(|(id, _)| !request.unused.contains(id));
    let reply = Refresh {
        epoch: account.epoch.clone(),
        revision: account.revision,
        delta,
        unsettled: publication::unsettled(sql, account.generation)?,
        state: if has_state { None } else { Some(state::load(sql, account)?) },
        answers,
        document: document::number(sql, account)?,
        superseded,
    };
    Ok((usage::report(sql, pending, request.usage.as_ref(), &used, now)?, reply))
}

/// Returns the first [`ASK_MAX`] distinct keys of the request.
fn distinct(ask: &[KeyId]) -> Vec<KeyId> {
    let mut keys: Vec<KeyId> = Vec::new();
    for id in ask {
        if keys.len() < ASK_MAX && !keys.contains(id) {
            keys.push(*id);
        }
    }
    keys
}

/// Returns the answers, and the active keys among them. Each active key comes with the caller's
/// address if its networks allow that address.
fn answers(
    sql: &dyn Sql,
    account: &Account,
    ids: &[KeyId],
    from: Option<ClientAddress>,
) -> Result<(Vec<RefreshAnswer>, Vec<Used>), SqlError> {
    if ids.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let keys = Key::load_many(sql, ids)?;
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        let record: Option<Record> = match keys.iter().find(|key| key.id == *id) {
            Some(key) => Some(key.record(account)),
            None => publication::record(sql, account, *id)?,
        };
        answers.push(RefreshAnswer { id: *id, record });
    }
    // An issued key is valid only with its issuer, so the edge would ask for the issuer next.
    let issuers: Vec<KeyId> = issuers(&answers).filter(|id| !ids.contains(id)).collect();
    if !issuers.is_empty() {
        let found = Key::load_many(sql, &issuers)?;
        answers.extend(
            found.iter().map(|key| RefreshAnswer { id: key.id, record: Some(key.record(account)) }),
        );
    }
    let used = |key: &Key| (key.id, from.filter(|_| key.limits.networks.allows(from)));
    Ok((answers, keys.iter().filter(|key| key.state == State::Active).map(used).collect()))
}

/// Returns the keys that have issued the keys in `answers`.
fn issuers(answers: &[RefreshAnswer]) -> impl Iterator<Item = KeyId> {
    answers.iter().filter_map(|answer| match &answer.record.as_ref()?.standing {
        Standing::Active(credential) | Standing::Disabled(credential) => {
            match credential.issued?.by {
                Issuer::Key(id) => Some(id),
                Issuer::Service => None,
            }
        }
        Standing::Deleted => None,
    })
}
