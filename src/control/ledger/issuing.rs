//! Keys that issuers issue and that are stored, and the sweep of those that ended long ago.
//!
//! The edge has checked the issuer with what its lease knew. Here everything is decided again with
//! what holds now: an issuer that was switched off a moment ago issues nothing.

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::grant::{CLOCK_SKEW_MAX, Wanted, grant};
use claviger_core::credential::issuer::{Issued, Issuer, Issuing, SealingGeneration};
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::credential::limits::{Interface, Limits};
use claviger_core::replication::edge_call::IssueByApi;
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::AccountState;
use claviger_core::verify::verification::{Demand, Facts, Known, examine};

use super::account::{Account, Member};
use super::audit::{Action, Author};
use super::decide::Change;
use super::key::{Key, Stamp, State, Tally};
use super::outbox;
use super::publication::Publication;
use super::service::Service;
use crate::ledger::audit;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::object::Step;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::activity::Actor;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Most stored keys that issuers have issued, of one account, deleted ones left out. Issuing as
/// such has no limit: what lives for a day at most is sealed and stored nowhere. A row has a
/// kilobyte as a rule, 16 at most, so that these are 100 MB to 1.6 GB of an object's 10.
pub const ISSUED_KEYS_MAX: u32 = 100_000;

/// From this many on, those that have ended give way at once.
const CROWDED: u32 = ISSUED_KEYS_MAX / 10 * 9;

/// How long after its end an issued key stays in the list.
pub const KEPT_AFTER_END: DurationMs = DurationMs::from_days(30);

/// Most keys of one sweep: as many as one alarm puts.
const SWEEP_KEYS_MAX: u32 = 40;

/// An issuer that may issue now.
struct Authority {
    issuing: Issuing,
    expires: Expiry,
    /// The member who answers for it.
    member: Stamp,
    /// What it is called, if it is a key.
    name: Option<String>,
}

/// Who does it, for the audit trail.
fn actor(issuer: Issuer) -> Actor {
    match issuer {
        Issuer::Key(id) => Actor::Key(id),
        Issuer::Service => Actor::Service,
    }
}

/// Issues a key, or refuses to.
pub(super) fn plan(
    sql: &dyn Sql,
    account: &Account,
    asked: &IssueByApi,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let author =
        Author { actor: actor(asked.proof.issuer), address: asked.address.as_deref(), now };
    let change = match decide(sql, account, asked, now)? {
        Ok(change) => change,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    let mut writes = commit_writes(sql, account, author, &change)?;
    if Tally::load(sql)?.issuers >= CROWDED {
        writes.push(Duty::own(Kind::SweepIssued).owe_by(now));
    }
    let (key, record) = (Some(change.after.view()), change.after.record(&account.epoch));
    Ok(Plan { writes, reply: LedgerReply::Changed { key, record, bound: None } })
}

/// Decides over a key that an issuer wants to issue.
fn decide(
    sql: &dyn Sql,
    account: &Account,
    asked: &IssueByApi,
    now: UnixMs,
) -> Result<Result<Change, Refusal>, SqlError> {
    let Some(authority) = authorise(sql, account, asked, now)? else {
        return Ok(Err(Refusal::IssuerRefused));
    };
    let is_near = |later: UnixMs, earlier: UnixMs| {
        later.since(earlier).is_none_or(|apart| apart <= CLOCK_SKEW_MAX)
    };
    if !is_near(now, asked.at) || !is_near(asked.at, now) {
        return Ok(Err(Refusal::IssuerRefused));
    }
    if Tally::load(sql)?.issuers >= ISSUED_KEYS_MAX {
        return Ok(Err(Refusal::TooManyKeys { max: ISSUED_KEYS_MAX }));
    }
    // Also by an orphan.
    let id_is_taken = Publication::load(sql, asked.id)?.is_some();
    if id_is_taken || asked.id.account() != account.id {
        return Ok(Err(Refusal::IdTaken));
    }
    Ok(issue(account, asked, authority, now))
}

fn issue(
    account: &Account,
    asked: &IssueByApi,
    authority: Authority,
    now: UnixMs,
) -> Result<Change, Refusal> {
    let Authority { issuing: Issuing { generation, ceiling }, expires, member, name } = authority;
    let wanted = Wanted { expires: Some(asked.expires), networks: asked.networks.clone() };
    let granted = grant(wanted, &ceiling, expires, asked.at).map_err(|_| Refusal::IssuerRefused)?;
    if granted.expires.is_past(now) {
        return Err(Refusal::IssuerRefused);
    }
    // The list is to tell from where it can be used.
    let networks =
        if granted.networks.is_unrestricted() { ceiling.networks } else { granted.networks };
    let stamp = Stamp { at: asked.at, ..member };
    let after = Key {
        id: asked.id,
        digest: asked.digest,
        name: name_of(asked.at, account),
        state: State::Active,
        limits: Limits {
            not_before: None,
            expires: granted.expires,
            networks,
            interfaces: vec![Interface::Http],
            permissions: granted.permissions,
        },
        created: stamp.clone(),
        changed: stamp,
        revision: account.revision.next(),
        last_used_at: None,
        ceiling: None,
        sealing: SealingGeneration::default(),
        issued: Some(Issued { by: asked.proof.issuer, generation, at: asked.at }),
        issuer_name: name,
        ended: false,
        viewable: false,
        protected: false,
    };
    Ok(Change { action: Action::Issue, before: None, after, takes_away: false })
}

/// "API 2026-11-22 10:31", in the account's zone.
fn name_of(at: UnixMs, account: &Account) -> String {
    let Some(civil) = account.zone.civil(at) else { return "API".to_owned() };
    let (date, time) = (civil.date(), civil.time());
    format!("API {date} {:02}:{:02}", time.hour(), time.minute())
}

/// The issuer, if it may issue: presented with its secret, not issued itself, and valid now from
/// where it is.
fn authorise(
    sql: &dyn Sql,
    account: &Account,
    asked: &IssueByApi,
    now: UnixMs,
) -> Result<Option<Authority>, SqlError> {
    if account.suspended {
        return Ok(None);
    }
    Ok(match asked.proof.issuer {
        Issuer::Key(id) => {
            let Some(key) = Key::load(sql, id)? else { return Ok(None) };
            let (record, state) = (key.record(&account.epoch), AccountState::default());
            let known = Known { record: Some(&record), issuer: None, state: &state };
            let address = asked.address.as_deref().and_then(ClientAddress::parse);
            let facts = Facts { address, interface: Interface::Http, demand: Demand::AnyKey };
            let is_issuer = key.digest == asked.proof.digest
                && key.issued.is_none()
                && examine(id, known, &facts, now).is_ok();
            key.issuing().filter(|_| is_issuer).map(|issuing| {
                let (expires, name) = (key.limits.expires, Some(key.name));
                Authority { issuing, expires, member: key.created, name }
            })
        }
        Issuer::Service => {
            let service =
                Service::load(sql)?.filter(|service| service.digest == asked.proof.digest);
            let (Some(service), Some(owner)) = (service, owner(sql)?) else { return Ok(None) };
            let (member, name) = service.changed_by.unwrap_or(owner);
            let member = Stamp { at: now, member, name };
            Some(Authority { issuing: service.issuing, expires: Expiry::Never, member, name: None })
        }
    })
}

/// The member who has owned the account longest: answers for what nobody else does.
fn owner(sql: &dyn Sql) -> Result<Option<(MemberId, String)>, SqlError> {
    let text = format!(
        "SELECT {} FROM member WHERE role = 'owner' ORDER BY created_at_ms, id LIMIT 1",
        Member::COLUMNS
    );
    let row = sql.first(&Statement::new(text))?;
    let member = row.map(|mut row| Member::read(&mut row)).transpose()?;
    Ok(member.map(|member| (member.view.id, member.view.name)))
}

/// Owes the sweep of a key as a change leaves it, if an issuer issued it and it ends.
pub(super) fn owe_sweep(after: &Key) -> Option<Statement> {
    after.issued?;
    Some(
        Duty::own(Kind::SweepIssued)
            .owe_by(after.limits.expires.at()?.saturating_add(KEPT_AFTER_END)),
    )
}

/// Notes that what `issuer` has issued in its sealing generation `generation` has ended, if there
/// is any of it.
pub(super) fn note_end(
    issuer: Issuer,
    generation: SealingGeneration,
    now: UnixMs,
) -> [Statement; 2] {
    let issuer = issuer.as_str();
    let text = "INSERT INTO issuer_end (issuer, generation, at_ms) SELECT ?, ?, ?
        WHERE EXISTS (SELECT 1 FROM key WHERE issued_by = ? AND issued_generation = ?) ON CONFLICT DO NOTHING";
    let end = Statement::new(text)
        .bind(issuer)
        .bind(generation.0)
        .bind(now)
        .bind(issuer)
        .bind(generation.0);
    // The sweep sees for itself whether room is wanted now.
    [end, Duty::own(Kind::SweepIssued).owe_by(now)]
}

/// Removes issued keys that ended long ago, by themselves or with their issuer, some at a time;
/// where there are many, any that ended. As after every deletion a tombstone stays.
pub fn sweep(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<Step, SqlError> {
    let kept =
        if Tally::load(sql)?.issuers >= CROWDED { DurationMs::default() } else { KEPT_AFTER_END };
    let until = now.saturating_sub(kept);
    let over = "SELECT * FROM (SELECT id FROM key WHERE issued_by IS NOT NULL AND state <> 'deleted' AND expires_ms <= ?
            ORDER BY expires_ms LIMIT ?)
        UNION SELECT * FROM (SELECT key.id FROM issuer_end
            CROSS JOIN key ON key.issued_by = issuer_end.issuer AND key.issued_generation = issuer_end.generation
            WHERE issuer_end.at_ms <= ? AND key.state <> 'deleted' LIMIT ?)
        LIMIT ?";
    let most = SWEEP_KEYS_MAX;
    let over = Statement::new(over).bind(until).bind(most).bind(until).bind(most).bind(most);
    let ids = sql.read_all(&over, |mut row| row.parsed("a key ID", KeyId::parse))?;
    let (mut writes, mut last) = (Vec::new(), account.revision);
    for id in &ids {
        last = last.next();
        writes.extend(remove(sql, account, *id, last, now)?);
    }
    if !ids.is_empty() {
        writes.push(Account::advance(last));
    }
    let forget = "DELETE FROM issuer_end WHERE at_ms <= ? AND NOT EXISTS
        (SELECT 1 FROM key WHERE issued_by = issuer AND issued_generation = generation)";
    writes.push(Statement::new(forget).bind(until));
    let next = "SELECT min(at_ms) FROM (
        SELECT min(expires_ms) AS at_ms FROM key WHERE issued_by IS NOT NULL AND state <> 'deleted' AND expires_ms > ?
        UNION ALL SELECT min(at_ms) FROM issuer_end WHERE at_ms > ?)";
    let next = sql.first(&Statement::new(next).bind(until).bind(until))?;
    let next = next.map_or(Ok(None), |mut row| row.optional_time())?;
    let next_at = next.map(|at| at.saturating_add(kept));
    let is_all = ids.len() < usize::try_from(SWEEP_KEYS_MAX).unwrap_or(usize::MAX);
    Ok(Step::Chore { writes, again: if is_all { next_at } else { Some(now) } })
}

fn remove(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    revision: Revision,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let mut writes = vec![audit::journal(Action::Sweep, revision, id.as_str(), now)];
    for text in [
        "DELETE FROM key_word WHERE key = ?",
        "DELETE FROM key_network WHERE key = ?",
        "DELETE FROM usage WHERE key = ?",
        "DELETE FROM key WHERE id = ?",
    ] {
        writes.push(Statement::new(text).bind(id.as_str()));
    }
    writes.extend(outbox::changed(sql, id, revision, account.generation, now)?);
    Ok(writes)
}
