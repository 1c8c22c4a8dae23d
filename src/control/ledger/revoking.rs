//! Individually revoked sealed keys. They are part of the account state that leases carry, until
//! they expire.
//!
//! There is room for [`REVOKED_SEALED_MAX`]. Only genuine sealed keys take room: the admin Worker
//! verifies each ID's tag ([`claviger_core::credential::sealed`]). Keys of an ended sealing
//! generation, which the ID contains, are invalid anyway and take none. Suppose a script revokes a
//! thousand keys of one issuer: the first that finds no room ends them all at once. Keys that the
//! issuer issues afterwards stay valid. An ID does not contain its key's expiry, so a revocation by
//! ID takes room for a day.

use claviger_core::base::id::SealedId;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::grant::CLOCK_SKEW_MAX;
use claviger_core::credential::issuer::{Issuer, RevokedSealed, SealingGeneration};
use claviger_core::credential::sealed::LIFE_MAX;
use claviger_core::replication::edge_call::RevokeByClient;
use claviger_core::replication::record::{Record, Revision};
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author, JOURNAL_ROWS_MAX};
use super::context::CommandContext;
use super::decide::KeyChange;
use super::key::Key;
use super::policy::KeyAct;
use super::service::Service;
use crate::ledger::audit;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::activity::Actor;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Most individually revoked sealed keys of an account. Every lease holds them, and every check of
/// a sealed key searches them: 256 are 17 KB in a refresh, and a microsecond per check. One more
/// ends all keys of its issuer.
pub const REVOKED_SEALED_MAX: u32 = 256;

/// Most revocations after which the clients of an account must wait.
pub const CLIENT_REVOCATIONS_MAX: u32 = 1_000;

/// Time within which [`CLIENT_REVOCATIONS_MAX`] revocations count.
const CLIENT_REVOCATIONS_WITHIN: DurationMs = DurationMs::from_s(3_600);

/// Revokes a sealed key that `issuer` issued, or refuses to.
pub(super) fn plan(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    revoked: RevokedSealed,
    issuer: Issuer,
) -> Result<Plan, SqlError> {
    let (account, author) = (context.account, context.author());
    let (key, service) = match issuer {
        Issuer::Key(issuer) => (Key::load(sql, issuer)?.and_then(Key::living), None),
        Issuer::Service => (None, Service::load(sql)?),
    };
    let generation = match (&key, &service) {
        (Some(key), _) => key.sealing,
        (None, Some(service)) => service.issuing.generation,
        (None, None) => return Ok(Plan::refuse(Refusal::NotFound)),
    };
    let allowed = |key: &Key| context.decision().check_act(key, KeyAct::Revoke);
    if let Some(Err(refusal)) = key.as_ref().map(allowed) {
        return Ok(Plan::refuse(refusal));
    }
    if revoked.id.account() != account.id {
        return Ok(Plan::refuse(Refusal::NotFound));
    }
    let revocation = Revocation { sql, account, author, revoked, issuer };
    revocation.plan(generation, |next| match (key, service) {
        (Some(key), _) => revocation.end_all(&context.decision().end_issued(key, next)),
        (None, Some(service)) => Ok((service.end_issued(context.decision(), author, next), None)),
        (None, None) => Ok((Vec::new(), None)),
    })
}

/// Revokes a sealed key for the key that issued it, or refuses to. A client that revokes each token
/// after its use must not fill the journal and the audit trail faster than members can read them,
/// so the clients of an account together may revoke [`CLIENT_REVOCATIONS_MAX`] in an hour.
pub(super) fn plan_by_client(
    sql: &dyn Sql,
    account: &Account,
    request: &RevokeByClient,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let RevokeByClient { id, until, proof, address } = request;
    let key = match proof.issuer {
        Issuer::Key(issuer) => Key::load(sql, issuer)?.and_then(Key::living),
        Issuer::Service => None,
    };
    let is_client = |key: &Key| key.digest == proof.digest && key.issued.is_none();
    let Some(key) = key.filter(is_client).filter(|_| id.account() == account.id) else {
        return Ok(Plan::refuse(Refusal::IssuerRefused));
    };
    let text = "SELECT count(*) FROM audit INDEXED BY audit_of_action_in_time
        WHERE action IN (?, ?) AND at_ms > ?";
    let recent = Statement::new(text)
        .bind(Action::RevokeSealed.as_str())
        .bind(Action::EndIssued.as_str())
        .bind(now.saturating_sub(CLIENT_REVOCATIONS_WITHIN));
    if sql.integer(&recent)? >= CLIENT_REVOCATIONS_MAX.into() {
        return Ok(Plan::refuse(Refusal::TooManyRevocations));
    }
    let author = Author { actor: Actor::Key(key.id), address: address.as_deref(), now };
    let revoked = RevokedSealed { id: *id, until: *until };
    let revocation = Revocation { sql, account, author, revoked, issuer: proof.issuer };
    revocation.plan(key.sealing, |next| {
        // The stamp of the last change stays: no member has changed the key.
        let after = Key { revision: account.revision.next(), sealing: next, ..key.clone() };
        let (action, before) = (Action::EndIssued, Some(key));
        revocation.end_all(&KeyChange { action, before, after, narrows: true })
    })
}

/// A sealed key to revoke, and the author who does.
#[derive(Clone, Copy)]
struct Revocation<'a> {
    sql: &'a dyn Sql,
    account: &'a Account,
    author: Author<'a>,
    revoked: RevokedSealed,
    issuer: Issuer,
}

/// Writes that end all keys of an issuer, and the issuer's new record if it is a key.
type EndOfAll = (Vec<Statement>, Option<Record>);

impl Revocation<'_> {
    /// Plans the revocation. `generation` is the present one of the issuer. If no room is left,
    /// `end_all` ends all keys of the issuer by raising it to the given one.
    fn plan(
        &self,
        generation: SealingGeneration,
        end_all: impl FnOnce(SealingGeneration) -> Result<EndOfAll, SqlError>,
    ) -> Result<Plan, SqlError> {
        let Self { sql, account, author, revoked, issuer } = *self;
        let now = author.now;
        let reply = |all_of_issuer, record, revision| LedgerReply::Revoked {
            bound: account.bound(now),
            all_of_issuer,
            record,
            revision,
        };
        let next_revision = Some(account.revision.next());
        let is_over = revoked.until <= now || revoked.id.generation() < generation;
        let text = "SELECT count(*) FROM revoked_sealed WHERE id = ?";
        if is_over || sql.integer(&Statement::new(text).bind(revoked.id.as_str()))? > 0 {
            return Ok(Plan::read(reply(false, None, None)));
        }
        let text = "SELECT count(*) FROM revoked_sealed WHERE until_ms > ?";
        if sql.integer(&Statement::new(text).bind(now))? < REVOKED_SEALED_MAX.into() {
            let writes = one(account, author, revoked, issuer);
            return Ok(Plan { writes, reply: reply(false, None, next_revision) });
        }
        // No room is left: end all keys of the issuer. A ledger restored from a bookmark may be
        // behind the generation in the ID, so the next one must exceed both.
        let next = generation.max(revoked.id.generation()).next();
        let (mut writes, record) = end_all(next)?;
        let forget = "DELETE FROM revoked_sealed WHERE issuer = ?";
        writes.push(Statement::new(forget).bind(issuer.as_str()));
        Ok(Plan { writes, reply: reply(true, record, next_revision) })
    }

    fn end_all(&self, change: &KeyChange) -> Result<EndOfAll, SqlError> {
        let writes = commit_writes(self.sql, self.account, self.author, change)?;
        Ok((writes, Some(change.after.record(self.account))))
    }
}

fn one(
    account: &Account,
    author: Author<'_>,
    revoked: RevokedSealed,
    issuer: Issuer,
) -> Vec<Statement> {
    let (revision, now) = (account.revision.next(), author.now);
    let RevokedSealed { id, until } = revoked;
    // The clocks of the issuing and the verifying machine may differ.
    let until = until.min(now.saturating_add(LIFE_MAX)).saturating_add(CLOCK_SKEW_MAX);
    let insert = "INSERT INTO revoked_sealed (id, issuer, until_ms) VALUES (?, ?, ?)";
    let change = json!({ "sealed": id, "issuer": issuer.as_str() }).to_string();
    vec![
        Statement::new(insert).bind(id.as_str()).bind(issuer.as_str()).bind(until),
        Task::own(TaskKind::SweepRevoked).schedule_by(until),
        Account::advance_state(revision),
        audit::journal(Action::RevokeSealed, revision, "account", now),
        Statement::new("DELETE FROM journal WHERE revision <= ?")
            .bind(Revision(revision.0.saturating_sub(JOURNAL_ROWS_MAX))),
        author.set(Action::RevokeSealed, revision, None, change),
    ]
}

/// Loads the revoked sealed keys that had not expired at the last sweep.
pub fn list(sql: &dyn Sql) -> Result<Vec<RevokedSealed>, SqlError> {
    let text = "SELECT id, until_ms FROM revoked_sealed WHERE id > '' ORDER BY id";
    sql.read_all(&Statement::new(text), |mut row| {
        Ok(RevokedSealed {
            id: row.parsed("a sealed key's ID", SealedId::parse)?,
            until: row.time()?,
        })
    })
}

/// Removes expired ones without a new revision: leases that still name them only refuse keys that
/// are refused anyway.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let next = "SELECT ifnull(min(until_ms), -1) FROM revoked_sealed WHERE until_ms > ?";
    let next = sql.integer(&Statement::new(next).bind(now))?;
    let again = (next >= 0).then(|| UnixMs::from_ms(next));
    let writes = vec![Statement::new("DELETE FROM revoked_sealed WHERE until_ms <= ?").bind(now)];
    Ok(TaskStep::Chore { writes, again })
}
