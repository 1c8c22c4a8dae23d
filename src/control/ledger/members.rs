//! Members: list, roles, removal, leaving, sessions, profile; and the account's name and time zone.
//!
//! An account always has an owner. The ledger counts the owners in the run that removes or demotes
//! one, so that two parallel requests cannot remove the last two.
//!
//! The row of a removed member stays, since keys and the audit trail name it. Its sessions end in
//! the same run, and its keys where they follow their members. Its address is free again for an
//! invitation, and a task releases the membership at the name object.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use serde_json::json;

use super::audit::Action;
use super::context::CommandContext;
use super::key::Key;
use super::member::Member;
use super::{challenge, factors, invitations, mailbox, notice_list, notices, sessions};
use crate::ledger::account::Account;
use crate::ledger::invitations::Invited;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::envelope::Letter;
use crate::protocol::keys::RESTORABLE;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::member::{Language, Role};
use crate::protocol::members::{MemberEntry, MemberList, MembersCommand};
use crate::protocol::refusal::Refusal;
use crate::protocol::zone::Zone;

/// Executes a command; the caller has checked the member's rights.
pub(super) fn execute(
    sql: &dyn Sql,
    context: &mut CommandContext<'_>,
    command: MembersCommand,
) -> Result<Plan, SqlError> {
    match command {
        MembersCommand::List => list(sql, context),
        MembersCommand::Invite { id, member, email, role, language, token } => {
            let wanted = Invited { id, member, email, role, language };
            invitations::invite(sql, context, wanted, token)
        }
        MembersCommand::RepeatInvitation { id, token } => {
            invitations::repeat(sql, context, id, token)
        }
        MembersCommand::WithdrawInvitation { id } => invitations::withdraw(sql, context, id),
        MembersCommand::ChangeRole { member, role, expected } => {
            change_role(sql, context, member, role, expected)
        }
        MembersCommand::Remove { member } => remove(sql, context, member),
        MembersCommand::Leave => leave(sql, context),
        MembersCommand::EndSessions { member } => end_sessions(sql, context, member),
        MembersCommand::EditProfile { name, language } => Ok(edit_profile(context, name, language)),
        MembersCommand::ShowNotices => notices::show(sql, context),
        MembersCommand::EditNotices { changes } => notices::change(sql, context, changes),
        MembersCommand::ListNotices { cursor, limit } => {
            let page = notice_list::page(sql, context.session.member_id(), cursor, limit)?;
            Ok(Plan::read(LedgerReply::NoticePage(page)))
        }
        MembersCommand::ReadNotices { until } => {
            let (write, unread) = notice_list::mark_read(sql, context.session.member_id(), until)?;
            let reply = LedgerReply::NoticesRead { unread };
            Ok(Plan { writes: write.into_iter().collect(), reply })
        }
        MembersCommand::EditAccount { name, zone } => Ok(edit_account(context, name, zone)),
    }
}

fn list(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Plan, SqlError> {
    let members = entries(sql, context, None)?;
    let invitations = match context.session.member.view.role {
        Role::Owner => invitations::list(sql, context.account)?,
        Role::Admin | Role::Viewer => Vec::new(),
    };
    Ok(Plan::read(LedgerReply::Members(MemberList { members, invitations })))
}

/// Returns the entries of all members, or of one.
fn entries(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    only: Option<MemberId>,
) -> Result<Vec<MemberEntry>, SqlError> {
    let filter = if only.is_some() { "AND member.id = ?" } else { "" };
    let keys_ending = match context.account.policy.keys_follow_member {
        true => {
            "(SELECT count(*) FROM key INDEXED BY key_of_member
                WHERE created_by = member.id AND issued_by IS NULL AND deleted_at_ms IS NULL)"
        }
        false => "NULL",
    };
    let text = format!(
        "SELECT {}, member.created_at_ms, member.seen_at_ms, {keys_ending},
            (SELECT max(seen_at_ms) FROM session WHERE session.member = member.id),
            (SELECT count(*) FROM session WHERE session.member = member.id
                AND session.created_at_ms > ? AND session.seen_at_ms > ?), {} OR {}
        FROM member WHERE removed_at_ms IS NULL {filter} ORDER BY created_at_ms, id",
        Member::COLUMNS,
        factors::HAS_APP,
        factors::HAS_PASSKEY
    );
    let statement = Statement::new(text)
        .bind(context.now.saturating_sub(sessions::LIFE))
        .bind(context.now.saturating_sub(sessions::IDLE))
        .bind_all(only.iter().map(|member| member.as_str().into()));
    let you = context.session.member_id();
    let sees_all = context.session.member.view.role == Role::Owner;
    sql.read_all(&statement, |row| entry(row, you, sees_all))
}

/// Reads a member. `sees_all` is `true` for an owner, who sees the factors of others.
fn entry(mut row: Row, you: MemberId, sees_all: bool) -> Result<MemberEntry, SqlError> {
    let Member { view, .. } = Member::read(&mut row)?;
    let (joined_at, seen_at) = (row.time()?, row.optional_time()?);
    let keys_ending = row.optional_integer()?.map(|keys| u32::try_from(keys).unwrap_or(u32::MAX));
    let seen_at = seen_at.max(row.optional_time()?);
    let (sessions, mfa) = (row.count()?, row.integer()? != 0);
    Ok(MemberEntry {
        id: view.id,
        name: view.name,
        email: view.email,
        role: view.role,
        language: view.language,
        joined_at,
        seen_at,
        sessions,
        keys_ending,
        you: view.id == you,
        mfa: Some(mfa).filter(|_| sees_all || view.id == you),
    })
}

fn change_role(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    member: MemberId,
    role: Role,
    expected: Role,
) -> Result<Plan, SqlError> {
    let Some(before) = entries(sql, context, Some(member))?.pop() else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    // A repeated request finds its own change: it has the same effect as one.
    if before.role == role {
        return Ok(Plan::read(LedgerReply::Member(before)));
    }
    if before.role != expected {
        let member = Box::new(before);
        return Ok(Plan::refuse(Refusal::MemberChangedMeanwhile { member }));
    }
    if before.role == Role::Owner && is_last_owner(sql)? {
        return Ok(Plan::refuse(Refusal::LastOwner));
    }
    let change = Statement::new("UPDATE member SET role = ? WHERE id = ?")
        .bind(role.as_str())
        .bind(member.as_str());
    let was = json!({ "role": before.role }).to_string();
    let is = json!({ "member": before.id, "member_name": before.name, "role": role }).to_string();
    let mut writes = vec![change, context.author().changed_to(Action::ChangeRole, was, is)];
    if before.role == Role::Owner {
        writes.extend(invitations::withdraw_all_of(sql, context, member)?);
    }
    if !before.you
        && let Some(Member { view, .. }) = Member::load(sql, member)?
    {
        let letter = Letter::RoleChanged {
            account: context.account.name.clone(),
            by: context.session.member.view.name.clone(),
            from: before.role,
            to: role,
            at: context.now,
            zone: context.account.zone.clone(),
        };
        let id = mail_id(sql, context, "role-changed", member)?;
        writes.extend(mailbox::notice(context.account, &view, id, letter, context.now)?);
    }
    Ok(Plan { writes, reply: LedgerReply::Member(MemberEntry { role, ..before }) })
}

fn remove(sql: &dyn Sql, context: &CommandContext<'_>, member: MemberId) -> Result<Plan, SqlError> {
    let Some(Member { view, .. }) = Member::load(sql, member)? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    if view.role == Role::Owner && is_last_owner(sql)? {
        return Ok(Plan::refuse(Refusal::LastOwner));
    }
    let details = json!({ "member": view.id, "member_name": view.name, "role": view.role });
    let mut writes = removal(view.id, context.now);
    writes.extend(factors::forget(view.id));
    writes.push(context.author().did_about(Action::RemoveMember, details.to_string()));
    writes.extend(invitations::withdraw_all_of(sql, context, member)?);
    let letter = Letter::MemberRemoved {
        account: context.account.name.clone(),
        by: context.session.member.view.name.clone(),
        at: context.now,
        zone: context.account.zone.clone(),
        keys_end: context.account.policy.keys_follow_member,
    };
    let id = mail_id(sql, context, "member-removed", member)?;
    writes.extend(mailbox::notice(context.account, &view, id, letter, context.now)?);
    end_with_keys(sql, context, member, writes)
}

fn leave(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Plan, SqlError> {
    let view = &context.session.member.view;
    if view.role == Role::Owner && is_last_owner(sql)? {
        return Ok(Plan::refuse(Refusal::LastOwner));
    }
    let mut writes = removal(view.id, context.now);
    writes.extend(factors::forget(view.id));
    writes
        .push(context.author().did_about(Action::Leave, json!({ "role": view.role }).to_string()));
    writes.extend(invitations::withdraw_all_of(sql, context, view.id)?);
    end_with_keys(sql, context, view.id, writes)
}

/// Completes the removal of a member: where keys follow their members, deletes those of the member
/// in the same transaction. `writes` are those of the removal itself.
fn end_with_keys(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    member: MemberId,
    mut writes: Vec<Statement>,
) -> Result<Plan, SqlError> {
    let account = context.account;
    let changes = match account.policy.keys_follow_member {
        true => context.decision().delete(Key::load_of_member(sql, member)?),
        false => Vec::new(),
    };
    let Some(revision) = changes.iter().map(|change| change.after.revision).max() else {
        return Ok(Plan { writes, reply: LedgerReply::Done });
    };
    for change in &changes {
        writes.extend(commit_writes(sql, account, context.author(), change)?);
    }
    writes.push(Task::own(TaskKind::ScrubKeys).schedule(context.now.saturating_add(RESTORABLE)));
    let keys = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    let bound = account.bound(context.now);
    Ok(Plan { writes, reply: LedgerReply::MemberRemoved { keys, revision, bound } })
}

/// Returns the writes that remove a member: the row's mark, the end of its sessions, and the task
/// that releases the membership.
fn removal(member: MemberId, now: UnixMs) -> Vec<Statement> {
    vec![
        Statement::new(
            "INSERT INTO leaving (member, email) SELECT id, email FROM member WHERE id = ?",
        )
        .bind(member.as_str()),
        // An ID is no address, so that the address is free again.
        Statement::new("UPDATE member SET removed_at_ms = ?, email = id WHERE id = ?")
            .bind(now)
            .bind(member.as_str()),
        sessions::end_all(member, None),
        challenge::end_all(member),
        Statement::new("DELETE FROM member_sign_in WHERE member = ?").bind(member.as_str()),
        Statement::new("DELETE FROM notice_off WHERE member = ?").bind(member.as_str()),
        notice_list::forget(member),
        Task::new(TaskKind::ConfirmName, member).done(),
        Task::new(TaskKind::LeaveName, member).schedule(now),
    ]
}

/// Returns `true` if the account has no more than one owner.
fn is_last_owner(sql: &dyn Sql) -> Result<bool, SqlError> {
    Ok(Member::owners(sql)?.len() < 2)
}

fn end_sessions(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    member: MemberId,
) -> Result<Plan, SqlError> {
    let Some(Member { view, .. }) = Member::load(sql, member)? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let is_own = view.id == context.session.member_id();
    let end = sessions::end_all(view.id, is_own.then(|| context.session.id()));
    let details = json!({ "member": view.id, "member_name": view.name }).to_string();
    let writes = vec![
        end,
        challenge::end_all(view.id),
        context.author().did_about(Action::EndMemberSessions, details),
    ];
    Ok(Plan { writes, reply: LedgerReply::Done })
}

fn edit_profile(
    context: &mut CommandContext<'_>,
    name: Option<String>,
    language: Option<Language>,
) -> Plan {
    let before = context.session.member.view.clone();
    let view = &mut context.session.member.view;
    view.name = name.unwrap_or_else(|| before.name.clone());
    view.language = language.unwrap_or(before.language);
    let after = view.clone();
    let reply = LedgerReply::Session(context.session.view(context.account, context.now));
    if after == before {
        return Plan::read(reply);
    }
    let change = Statement::new("UPDATE member SET name = ?, language = ? WHERE id = ?")
        .bind(after.name.as_str())
        .bind(after.language.as_str())
        .bind(after.id.as_str());
    let was = json!({ "name": before.name, "language": before.language }).to_string();
    let is = json!({ "name": after.name, "language": after.language }).to_string();
    let writes = vec![change, context.author().changed_to(Action::EditProfile, was, is)];
    Plan { writes, reply }
}

/// Changes the account's name or time zone. A key's end is stored as an instant, so that another
/// zone moves none.
fn edit_account(context: &CommandContext<'_>, name: Option<String>, zone: Option<Zone>) -> Plan {
    let before = context.account;
    let after = Account {
        name: name.unwrap_or_else(|| before.name.clone()),
        zone: zone.unwrap_or_else(|| before.zone.clone()),
        ..before.clone()
    };
    let reply = LedgerReply::Session(context.session.view(&after, context.now));
    let is_renamed = after.name != before.name;
    if !is_renamed && after.zone == before.zone {
        return Plan::read(reply);
    }
    let was = json!({ "name": before.name, "time_zone": before.zone }).to_string();
    let is = json!({ "name": after.name, "time_zone": after.zone }).to_string();
    let mut writes =
        vec![after.describe(), context.author().changed_to(Action::EditAccount, was, is)];
    if is_renamed {
        writes.push(Task::own(TaskKind::ConfirmAccount).schedule(context.now));
    }
    Plan { writes, reply }
}

fn mail_id(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    kind: &str,
    member: MemberId,
) -> Result<String, SqlError> {
    mailbox::notice_id(sql, context.account, kind, member, context.now)
}
