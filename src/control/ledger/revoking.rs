//! Sealed keys that are revoked one by one. They are part of what leases are told of the whole
//! account, until they end by themselves.
//!
//! There is room for [`REVOKED_SEALED_MAX`]. It is taken by sealed keys alone: the edge lets no ID
//! through that Claviger did not make ([`claviger_core::credential::sealed`]), and what has ended
//! with its issuer's sealing generation, which its ID tells, is dead already. So a script that
//! revokes a thousand keys of one issuer ends them all once, by the first that finds no room, and
//! what the issuer issues after that lives on. An ID does not tell when its key ends: one that is
//! revoked by its ID takes room for a day, also where its key was over.

use claviger_core::base::id::SealedId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::grant::CLOCK_SKEW_MAX;
use claviger_core::credential::issuer::{Issuer, RevokedSealed};
use claviger_core::credential::sealed::LIFE_MAX;
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::context::CommandContext;
use super::key::Key;
use super::service::Service;
use crate::ledger::audit;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::object::Step;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Most sealed keys of an account that are revoked one by one at a time. Every lease holds them,
/// and every check of a sealed key looks through them: 256 are 17 KB of a refresh that tells them,
/// and a microsecond. One more ends all that its issuer has issued.
pub const REVOKED_SEALED_MAX: u32 = 256;

/// Revokes a sealed key that `issuer` issued, or refuses to.
pub(super) fn plan(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
    revoked: RevokedSealed,
    issuer: Issuer,
) -> Result<Plan, SqlError> {
    let (account, author, now) = (asked.account, asked.author(), asked.now);
    let (key, service) = match issuer {
        Issuer::Key(issuer) => (Key::load(sql, issuer)?.and_then(Key::living), None),
        Issuer::Service => (None, Service::load(sql)?),
    };
    let generation = match (&key, &service) {
        (Some(key), _) => key.sealing,
        (None, Some(service)) => service.issuing.generation,
        (None, None) => return Ok(Plan::refuse(Refusal::NotFound)),
    };
    if revoked.id.account() != account.id {
        return Ok(Plan::refuse(Refusal::NotFound));
    }
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
        let writes = one(account, author, revoked, issuer, now);
        return Ok(Plan { writes, reply: reply(false, None, next_revision) });
    }
    // There is no room: all that the issuer has issued ends. Before the ledger was restored it may
    // have been further.
    let next = generation.max(revoked.id.generation()).next();
    let (mut writes, record) = match (key, service) {
        (Some(key), _) => {
            let change = asked.desk().end_issued(key, next);
            (
                commit_writes(sql, account, author, &change)?,
                Some(change.after.record(&account.epoch)),
            )
        }
        (None, Some(service)) => (service.end_issued(asked.desk(), author, next), None),
        (None, None) => (Vec::new(), None),
    };
    let forget = "DELETE FROM revoked_sealed WHERE issuer = ?";
    writes.push(Statement::new(forget).bind(issuer.as_str()));
    Ok(Plan { writes, reply: reply(true, record, next_revision) })
}

fn one(
    account: &Account,
    author: Author<'_>,
    revoked: RevokedSealed,
    issuer: Issuer,
    now: UnixMs,
) -> Vec<Statement> {
    let revision = account.revision.next();
    let RevokedSealed { id, until } = revoked;
    // Whoever issued it, and whoever checks it, may have another clock.
    let until = until.min(now.saturating_add(LIFE_MAX)).saturating_add(CLOCK_SKEW_MAX);
    let insert = "INSERT INTO revoked_sealed (id, issuer, until_ms) VALUES (?, ?, ?)";
    let told = json!({ "sealed": id, "issuer": issuer.as_str() }).to_string();
    vec![
        Statement::new(insert).bind(id.as_str()).bind(issuer.as_str()).bind(until),
        Duty::own(Kind::SweepRevoked).owe_by(until),
        Account::advance_state(revision),
        audit::journal(Action::RevokeSealed, revision, "account", now),
        author.set(Action::RevokeSealed, revision, None, told),
    ]
}

/// Those that have not ended, as far as the last sweep knows.
pub fn list(sql: &dyn Sql) -> Result<Vec<RevokedSealed>, SqlError> {
    let text = "SELECT id, until_ms FROM revoked_sealed WHERE id > '' ORDER BY id";
    sql.read_all(&Statement::new(text), |mut row| {
        Ok(RevokedSealed {
            id: row.parsed("a sealed key's ID", SealedId::parse)?,
            until: row.time()?,
        })
    })
}

/// Forgets those that have ended. Leases that still name them refuse what is refused anyway, so
/// that this is no news.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    let next = "SELECT ifnull(min(until_ms), -1) FROM revoked_sealed WHERE until_ms > ?";
    let next = sql.integer(&Statement::new(next).bind(now))?;
    let again = (next >= 0).then(|| UnixMs::from_ms(next));
    let writes = vec![Statement::new("DELETE FROM revoked_sealed WHERE until_ms <= ?").bind(now)];
    Ok(Step::Chore { writes, again })
}
