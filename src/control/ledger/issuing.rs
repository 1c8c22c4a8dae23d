//! Stored keys issued by issuers, and the sweep of those that ended long ago.
//!
//! The edge has checked the issuer against its lease. The ledger decides again on the present
//! state, so an issuer that was disabled a moment ago issues nothing.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::grant::{CLOCK_SKEW_MAX, Wanted, grant};
use claviger_core::credential::issuer::{Issued, Issuer, Issuing, SealingGeneration};
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::credential::limits::{Interface, Limits};
use claviger_core::replication::edge_call::IssueByApi;
use claviger_core::replication::refresh::AccountState;
use claviger_core::verify::verification::{Demand, Facts, Known, examine};

use super::account::Account;
use super::account_networks;
use super::audit::{Action, Author};
use super::decide::KeyChange;
use super::issued::{CROWDED, ISSUED_KEYS_MAX};
use super::key::{Key, KeyCounts, Stamp, State};
use super::member::Member;
use super::mfa;
use super::publication::Publication;
use super::service::Service;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::sql::{Sql, SqlError};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::activity::Actor;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// An issuer that may issue now.
struct ValidIssuer {
    issuing: Issuing,
    expires: Expiry,
    /// Member who is responsible for the issuer.
    member: Stamp,
    /// Name of the issuer, if it is a key.
    name: Option<String>,
}

/// Returns the issuer as an actor of the audit trail.
fn actor(issuer: Issuer) -> Actor<'static> {
    match issuer {
        Issuer::Key(id) => Actor::Key(id),
        Issuer::Service => Actor::Service,
    }
}

/// Issues a key, or refuses to.
pub(super) fn plan(
    sql: &dyn Sql,
    account: &Account,
    request: &IssueByApi,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let author =
        Author { actor: actor(request.proof.issuer), address: request.address.as_deref(), now };
    let change = match decide(sql, account, request, now)? {
        Ok(change) => change,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    let mut writes = commit_writes(sql, account, author, &change)?;
    if KeyCounts::load(sql)?.issuers >= CROWDED {
        writes.push(Task::own(TaskKind::SweepIssued).schedule_by(now));
    }
    let (key, record) = (Some(change.after.view(account)), change.after.record(account));
    Ok(Plan { writes, reply: LedgerReply::Changed { key, record, bound: None } })
}

/// Decides on a key that an issuer wants to issue.
fn decide(
    sql: &dyn Sql,
    account: &Account,
    request: &IssueByApi,
    now: UnixMs,
) -> Result<Result<KeyChange, Refusal>, SqlError> {
    let Some(authority) = authorise(sql, account, request, now)? else {
        return Ok(Err(Refusal::IssuerRefused));
    };
    let is_near = |later: UnixMs, earlier: UnixMs| {
        later.since(earlier).is_none_or(|apart| apart <= CLOCK_SKEW_MAX)
    };
    if !is_near(now, request.at) || !is_near(request.at, now) {
        return Ok(Err(Refusal::IssuerRefused));
    }
    if KeyCounts::load(sql)?.issuers >= ISSUED_KEYS_MAX {
        return Ok(Err(Refusal::TooManyKeys { max: ISSUED_KEYS_MAX }));
    }
    // An orphan's ID counts as taken, too.
    let id_is_taken = Publication::load(sql, request.id)?.is_some();
    if id_is_taken || request.id.account() != account.id {
        return Ok(Err(Refusal::IdTaken));
    }
    Ok(issue(account, request, authority, now))
}

fn issue(
    account: &Account,
    request: &IssueByApi,
    authority: ValidIssuer,
    now: UnixMs,
) -> Result<KeyChange, Refusal> {
    let ValidIssuer { issuing: Issuing { generation, ceiling }, expires, member, name } = authority;
    let wanted = Wanted { expires: Some(request.expires), networks: request.networks.clone() };
    let granted =
        grant(wanted, &ceiling, expires, request.at).map_err(|_| Refusal::IssuerRefused)?;
    // A program must not get a longer life for a key than a member could.
    let longest = account.policy.longest_life.end(request.at, &account.zone);
    let is_too_long =
        longest.is_some_and(|longest| granted.expires.at().is_none_or(|end| end > longest));
    if is_too_long || granted.expires.is_past(now) {
        return Err(Refusal::IssuerRefused);
    }
    // Stored with the issuer's networks, so that the list shows from where the key can be used.
    let networks =
        if granted.networks.is_unrestricted() { ceiling.networks } else { granted.networks };
    let stamp = Stamp { at: request.at, ..member };
    let after = Key {
        id: request.id,
        digest: request.digest,
        name: name_of(request.at, account),
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
        issued: Some(Issued { by: request.proof.issuer, generation, at: request.at }),
        issuer_name: name,
        ended: false,
        viewable: false,
        observed: Networks::anywhere(),
        protected: false,
        replaces: None,
        replaced_by: None,
        overlap_until: None,
        // While MFA is demanded, no issuer issues without it.
        without_mfa: None,
    };
    Ok(KeyChange { action: Action::Issue, before: None, after, narrows: false })
}

/// Returns a name such as "API 2026-11-22 10:31", in the account's zone.
fn name_of(at: UnixMs, account: &Account) -> String {
    let Some(civil) = account.zone.civil(at) else { return "API".to_owned() };
    let (date, time) = (civil.date(), civil.time());
    format!("API {date} {:02}:{:02}", time.hour(), time.minute())
}

/// Returns the issuer if it may issue: its secret was presented, it was not issued itself, and it
/// is valid now for the caller's address.
fn authorise(
    sql: &dyn Sql,
    account: &Account,
    request: &IssueByApi,
    now: UnixMs,
) -> Result<Option<ValidIssuer>, SqlError> {
    let address = request.address.as_deref().and_then(ClientAddress::parse);
    let networks = account_networks::load(sql)?.list.edge();
    let state = AccountState { networks, ..AccountState::default() };
    if account.suspended || !state.opens(Interface::Http, address) {
        return Ok(None);
    }
    Ok(match request.proof.issuer {
        Issuer::Key(id) => {
            let Some(key) = Key::load(sql, id)? else { return Ok(None) };
            let mfa_on = mfa::members_on(sql, account)?;
            let (record, state) = (key.record(account), AccountState { mfa_on, ..state });
            let known = Known { record: Some(&record), issuer: None, state: &state };
            let facts = Facts {
                address,
                interface: Interface::Http,
                demand: Demand::AnyKey,
                may_change: false,
            };
            let is_issuer = key.digest == request.proof.digest
                && key.issued.is_none()
                && examine(id, known, &facts, now).is_ok();
            key.issuing().filter(|_| is_issuer).map(|issuing| {
                let (expires, name) = (key.limits.expires, Some(key.name));
                ValidIssuer { issuing, expires, member: key.created, name }
            })
        }
        Issuer::Service => {
            let service =
                Service::load(sql)?.filter(|service| service.digest == request.proof.digest);
            let (Some(service), Some(owner)) = (service, owner(sql)?) else { return Ok(None) };
            let (member, name) = service.changed_by.unwrap_or(owner);
            let member = Stamp { at: now, member, name };
            Some(ValidIssuer {
                issuing: service.issuing,
                expires: Expiry::Never,
                member,
                name: None,
            })
        }
    })
}

/// Returns the longest-standing owner. This member answers for a service password that no member
/// has changed yet.
fn owner(sql: &dyn Sql) -> Result<Option<(MemberId, String)>, SqlError> {
    let first = Member::owners(sql)?.into_iter().next();
    Ok(first.map(|member| (member.view.id, member.view.name)))
}
