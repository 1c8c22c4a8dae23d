//! Sealed keys that are revoked one by one. They are part of what leases are told of the whole account, until they end by themselves.

use serde_json::json;

use super::account::Account;
use super::audit::{self, Action, Author};
use super::key::{Key, issuer_text};
use super::service::Service;
use super::{Asked, Plan, land};
use crate::due::{Duty, Kind};
use crate::id::KeyId;
use crate::issuer::{Issuer, RevokedSealed};
use crate::object::Step;
use crate::protocol::{LedgerReply, Refusal};
use crate::sealed::LIFE_MAX;
use crate::sql::{Sql, SqlError, SqlExt, Statement};
use crate::time::UnixMs;

/// Most sealed keys of an account that are revoked one by one at a time. Every lease holds them, and every check of a sealed key looks
/// through them: 256 are 15 KB of a refresh that tells them, and a microsecond. One more ends all that its issuer has issued.
pub const REVOKED_SEALED_MAX: u32 = 256;

/// Whose sealed key it is said to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// Its issuer.
    pub issuer: Issuer,
    /// Whether the key itself says so. Who revokes one by its ID may name the wrong issuer.
    pub is_proven: bool,
}

/// Revokes a sealed key, or refuses to.
pub(super) fn plan(
    sql: &dyn Sql,
    asked: &Asked<'_>,
    revoked: RevokedSealed,
    named: Named,
) -> Result<Plan, SqlError> {
    let Named { issuer, is_proven } = named;
    let (account, author, now) = (asked.account, asked.author(), asked.now);
    let until = revoked.until.min(now.saturating_add(LIFE_MAX));
    let (key, service) = match issuer {
        Issuer::Key(issuer) => (Key::load(sql, issuer)?.filter(|key| key.state.deleted_at().is_none()), None),
        Issuer::Service => (None, Service::load(sql)?),
    };
    if revoked.id.account() != account.id || (key.is_none() && service.is_none()) {
        return Ok(Plan::refuse(Refusal::NotFound));
    }
    let reply =
        |all_of_issuer, record| LedgerReply::Revoked { bound: account.bound(now), all_of_issuer, record };
    let text = "SELECT count(*) FROM revoked_sealed WHERE id = ?";
    if until <= now || sql.integer(&Statement::new(text).bind(revoked.id.as_str()))? > 0 {
        return Ok(Plan::read(reply(false, None)));
    }
    let revoked = RevokedSealed { until, ..revoked };
    let text = "SELECT count(*) FROM revoked_sealed WHERE until_ms > ?";
    if sql.integer(&Statement::new(text).bind(now))? < REVOKED_SEALED_MAX.into() {
        let writes = one(account, author, revoked, named, now);
        return Ok(Plan { writes, reply: reply(false, None) });
    }
    // There is no room: all that the issuer has issued ends.
    let (mut writes, record) = match (key, service) {
        (Some(key), _) => {
            let change = asked.desk().end_issued(key);
            (land(sql, account, author, &change)?, Some(change.after.record(&account.epoch)))
        }
        (None, Some(service)) => (service.end_issued(asked.desk(), author), None),
        (None, None) => (Vec::new(), None),
    };
    let text = "SELECT count(*) FROM revoked_sealed WHERE issuer = ? AND proven = 1";
    let forgotten = sql.integer(&Statement::new(text).bind(issuer_text(&issuer)))?;
    writes.push(forget(issuer));
    if !is_proven && forgotten > 0 {
        writes.extend(note(revoked, named));
        writes.push(Account::advance_state(account.revision.next()));
    }
    Ok(Plan { writes, reply: reply(true, record) })
}

fn one(
    account: &Account,
    author: Author<'_>,
    revoked: RevokedSealed,
    named: Named,
    now: UnixMs,
) -> Vec<Statement> {
    let revision = account.revision.next();
    let told = json!({ "sealed": revoked.id, "issuer": issuer_text(&named.issuer) }).to_string();
    let mut writes = Vec::from(note(revoked, named));
    writes.extend([
        Account::advance_state(revision),
        audit::journal(Action::RevokeSealed, revision, "account", now),
        author.set(Action::RevokeSealed, revision, None, told),
    ]);
    writes
}

fn note(revoked: RevokedSealed, named: Named) -> [Statement; 2] {
    let RevokedSealed { id, until } = revoked;
    let insert = "INSERT INTO revoked_sealed (id, issuer, until_ms, proven) VALUES (?, ?, ?, ?)";
    let row = Statement::new(insert).bind(id.as_str()).bind(issuer_text(&named.issuer)).bind(until);
    [row.bind(named.is_proven), Duty::own(Kind::SweepRevoked).owe_by(until)]
}

/// Forgets those of an issuer all of whose keys have ended. One that is only said to be its may be another's, which has not ended.
fn forget(issuer: Issuer) -> Statement {
    Statement::new("DELETE FROM revoked_sealed WHERE issuer = ? AND proven = 1").bind(issuer_text(&issuer))
}

/// Those that have not ended, as far as the last sweep knows.
pub fn list(sql: &dyn Sql) -> Result<Vec<RevokedSealed>, SqlError> {
    let text = "SELECT id, until_ms FROM revoked_sealed WHERE id > '' ORDER BY id";
    sql.read_all(&Statement::new(text), |mut row| {
        Ok(RevokedSealed { id: row.parsed("a key ID", KeyId::parse)?, until: row.time()? })
    })
}

/// Forgets those that have ended. Leases that still name them refuse what is refused anyway, so that this is no news.
pub fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    let next = "SELECT ifnull(min(until_ms), -1) FROM revoked_sealed WHERE until_ms > ?";
    let next = sql.integer(&Statement::new(next).bind(now))?;
    let again = (next >= 0).then(|| UnixMs::from_ms(next));
    let writes = vec![Statement::new("DELETE FROM revoked_sealed WHERE until_ms <= ?").bind(now)];
    Ok(Step::Chore { writes, again })
}
