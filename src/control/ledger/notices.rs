//! Notices to members, collected and mailed together.
//!
//! A notice is a row. The task `send_notices` makes one letter for each recipient out of all rows
//! that wait: [`DELAY`] after the first of them, and then at most once in [`PAUSE`]. This keeps the
//! number of mails small. Recipients are the owners, and the member who issued the key or acted.
//!
//! A member can switch off the kinds of [`NoticeKind`]. Unusual acts are always mailed. With the
//! letter, its lists appear among the past notices of the member (`notice_list`), also those of
//! kinds that are switched off.

use std::collections::{BTreeMap, BTreeSet};

use claviger_core::base::id::MemberId;
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::json;

use super::account::Account;
use super::audit::Action;
use super::context::{ActContext, CommandContext};
use super::member::Member;
use super::{mailbox, notice_list};
use crate::ledger::plan::Plan;
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::account_networks::AccountNetworksCommand;
use crate::protocol::command::Command;
use crate::protocol::envelope::Letter;
use crate::protocol::keys::KeyName;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::member::Role;
use crate::protocol::notices::{
    NoticeChanges, NoticeItem, NoticeKind, NoticeList, NoticeSettings, UnusualAct,
};
use crate::protocol::service::ServiceCommand;

/// Time for which notices are collected after the first one.
pub const DELAY: DurationMs = DurationMs::from_s(2 * 60);

/// Shortest time between two letters with notices to one member.
pub const PAUSE: DurationMs = DurationMs::from_s(60 * 60);

/// Most notices that one run reads. Further ones follow after [`PAUSE`].
const ROWS_MAX: u32 = 20_000;

/// Stored kind of the notices of unusual acts.
const ACT: &str = "act";

/// Returns the writes of a notice about a key. `member` is who issued the key.
pub(super) fn of_key(
    kind: NoticeKind,
    member: MemberId,
    item: &NoticeItem,
    now: UnixMs,
) -> [Statement; 2] {
    insert(kind.as_str(), member, item, now)
}

/// Returns the writes of the notice that a member has issued a key.
pub(super) fn issued(context: ActContext<'_>, key: KeyName) -> [Statement; 2] {
    let item = NoticeItem {
        key: Some(key),
        act: None,
        by: Some(context.name().to_owned()),
        network: context.address.map(str::to_owned),
        at: context.now,
    };
    of_key(NoticeKind::KeyIssued, context.member_id(), &item, context.now)
}

/// Returns the unusual act of a command, if it is one.
pub(super) fn act_of(command: &Command) -> Option<UnusualAct> {
    match command {
        Command::Service { service: ServiceCommand::Change { .. } } => {
            Some(UnusualAct::ServicePasswordChanged)
        }
        Command::Service { service: ServiceCommand::Reveal } => {
            Some(UnusualAct::ServicePasswordRevealed)
        }
        Command::Activity { exports: true, .. } => Some(UnusualAct::ActivityExported),
        Command::Networks {
            networks: AccountNetworksCommand::Set { .. } | AccountNetworksCommand::Delete { .. },
        } => Some(UnusualAct::AccountNetworksChanged),
        _ => None,
    }
}

/// Returns the writes of the notice of an unusual act.
pub(super) fn of_act(context: &CommandContext<'_>, act: UnusualAct) -> [Statement; 2] {
    let item = NoticeItem {
        key: None,
        act: Some(act),
        by: Some(context.session.member.view.name.clone()),
        network: context.address.map(str::to_owned),
        at: context.now,
    };
    insert(ACT, context.session.member_id(), &item, context.now)
}

fn insert(kind: &'static str, member: MemberId, item: &NoticeItem, now: UnixMs) -> [Statement; 2] {
    let row = Statement::new("INSERT INTO notice (kind, member, item) VALUES (?, ?, ?)")
        .bind(kind)
        .bind(member.as_str())
        .bind(json!(item).to_string());
    [row, Task::own(TaskKind::SendNotices).schedule(now.saturating_add(DELAY))]
}

/// A row of the table `notice`.
struct Waiting {
    number: i64,
    /// `None` for an unusual act.
    kind: Option<NoticeKind>,
    member: MemberId,
    item: NoticeItem,
}

/// Mails the notices that wait.
pub(super) fn send(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<TaskStep, SqlError> {
    let text = "SELECT number, kind, member, item FROM notice ORDER BY number LIMIT ?";
    let waiting = sql.read_all(&Statement::new(text).bind(ROWS_MAX), |mut row| {
        Ok(Waiting {
            number: row.integer()?,
            kind: NoticeKind::parse(&row.text()?),
            member: row.parsed("a member ID", MemberId::parse)?,
            item: row.parsed("a notice", |json| serde_json::from_str(json).ok())?,
        })
    })?;
    let Some(Waiting { number: last, .. }) = waiting.last() else { return Ok(TaskStep::moot()) };
    let last = *last;
    let mut recipients: BTreeMap<MemberId, Member> =
        Member::owners(sql)?.into_iter().map(|owner| (owner.view.id, owner)).collect();
    let concerned: BTreeSet<MemberId> = waiting.iter().map(|one| one.member).collect();
    for id in concerned {
        if !recipients.contains_key(&id)
            && let Some(member) = Member::load(sql, id)?
        {
            recipients.insert(id, member);
        }
    }
    let mut writes = vec![Statement::new("DELETE FROM notice WHERE number <= ?").bind(last)];
    for Member { view, .. } in recipients.into_values() {
        let settings = settings(sql, view.id)?;
        let is_for = |one: &&Waiting| view.role == Role::Owner || one.member == view.id;
        let own = || waiting.iter().filter(is_for);
        // One entry for each kind. Switches are for mail alone.
        for kind in NoticeKind::ALL.map(Some).into_iter().chain([None]) {
            if let Some(letter) = letter(account, own().filter(|one| one.kind == kind)) {
                writes.extend(notice_list::add(view.id, &letter, now)?);
            }
        }
        let is_mailed = |one: &&Waiting| one.kind.is_none_or(|kind| settings.of(kind));
        let Some(letter) = letter(account, own().filter(is_mailed)) else { continue };
        let id = format!("notices/{}/{}/{last}-{}", account.id, view.id, now.as_ms());
        writes.extend(mailbox::notice(account, &view, id, letter, now)?);
    }
    Ok(TaskStep::Chore { writes, again: Some(now.saturating_add(PAUSE)) })
}

/// Returns the letter with these notices; `None` if there are none.
fn letter<'a>(account: &Account, notices: impl Iterator<Item = &'a Waiting>) -> Option<Letter> {
    let [mut acts, mut issued, mut networks, mut ends] = [const { None }; 4];
    for one in notices {
        let list: &mut Option<NoticeList> = match one.kind {
            None => &mut acts,
            Some(NoticeKind::KeyIssued) => &mut issued,
            Some(NoticeKind::KeyNetwork) => &mut networks,
            Some(NoticeKind::KeyEnd) => &mut ends,
        };
        list.get_or_insert_default().push(one.item.clone());
    }
    let is_empty = acts.is_none() && issued.is_none() && networks.is_none() && ends.is_none();
    (!is_empty).then(|| Letter::Notices {
        account: account.name.clone(),
        acts: acts.unwrap_or_default(),
        issued: issued.unwrap_or_default(),
        networks: networks.unwrap_or_default(),
        ends: ends.unwrap_or_default(),
        zone: account.zone.clone(),
    })
}

/// Loads the switches of a member.
fn settings(sql: &dyn Sql, member: MemberId) -> Result<NoticeSettings, SqlError> {
    let mut settings = NoticeSettings::ALL_ON;
    let text = "SELECT kind FROM notice_off WHERE member = ?";
    let off = sql.read_all(&Statement::new(text).bind(member.as_str()), |mut row| row.text())?;
    // A kind of a later release has no switch here.
    for kind in off.iter().filter_map(|kind| NoticeKind::parse(kind)) {
        settings.set(kind, false);
    }
    Ok(settings)
}

/// Returns the switches of the member who asks.
pub(super) fn show(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Plan, SqlError> {
    let notices = settings(sql, context.session.member_id())?;
    Ok(Plan::read(LedgerReply::Notices { notices }))
}

/// Changes the switches of the member who asks.
pub(super) fn change(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    changes: NoticeChanges,
) -> Result<Plan, SqlError> {
    let member = context.session.member_id();
    let before = settings(sql, member)?;
    let after = changes.applied_to(before);
    let reply = LedgerReply::Notices { notices: after };
    if after == before {
        return Ok(Plan::read(reply));
    }
    let mut writes = Vec::new();
    for kind in NoticeKind::ALL.into_iter().filter(|kind| after.of(*kind) != before.of(*kind)) {
        let text = match after.of(kind) {
            true => "DELETE FROM notice_off WHERE member = ? AND kind = ?",
            false => "INSERT INTO notice_off (member, kind) VALUES (?, ?)",
        };
        writes.push(Statement::new(text).bind(member.as_str()).bind(kind.as_str()));
    }
    let changed = |settings: NoticeSettings| json!({ "notices": settings }).to_string();
    let row = context.author().changed_to(Action::EditNotices, changed(before), changed(after));
    writes.push(row);
    Ok(Plan { writes, reply })
}
