//! Deletions that a mailed code confirms, and those of one key that needs none by policy.
//!
//! A deletion belongs to one member and to the exact keys that it was begun for. Its code is valid
//! for [`CODE_LIFE`]. Mailing another code invalidates the one before, and does not reset the
//! tries. A try is counted in the same run that compares it, so a thousand parallel tries count as
//! a thousand. Mailed codes and tries also have a rate limit per member and day, across deletions.
//!
//! A confirmation deletes all of the keys or none. If a key was deleted or protected meanwhile, the
//! reply names it and nothing is deleted.

use claviger_core::base::id::{KeyId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::replication::record::Revision;

use super::audit::Action;
use super::context::{ActContext, CommandContext};
use super::decide::deletable;
use super::key::{Key, schedule_scrub};
use super::mailbox;
use super::member::Member;
use super::policy::KeyAct;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::deletion::{DeletionState, DeletionView, MailState, NewCode};
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::keys::{KeyName, RESTORABLE, check_deletion};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Validity of a code: mail arrives within a minute or two, while the member waits on the page.
pub const CODE_LIFE: DurationMs = DurationMs::from_s(10 * 60);

/// Time during which a deletion accepts further codes. A member who returns later begins a new one,
/// and sees again which keys it would delete.
pub const LIFE: DurationMs = DurationMs::from_s(60 * 60);

/// Most tries of one deletion, over all its codes. A random guess is right with probability 1 in
/// 1,000,000.
pub const TRIES_MAX: u32 = 5;

/// The period over which codes and tries are counted.
pub const DAY: DurationMs = DurationMs::from_days(1);

/// Most codes mailed to one member per [`DAY`], as proofs of identity too. They suffice to delete
/// 2,000 keys without flooding a mailbox.
pub const CODES_PER_DAY: u32 = 20;

/// Most tries of one member per [`DAY`], across deletions. A month with a stolen session gives an
/// attacker a chance of 30 · 30 / 1,000,000, less than one in a thousand. A member who mistypes
/// some codes can still use all [`CODES_PER_DAY`].
pub const TRIES_PER_DAY: u32 = 30;

/// Period over which a deletion's tries count, from its beginning: the last try may come at the end
/// of [`LIFE`].
const COUNTED: DurationMs = DurationMs::from_ms(DAY.as_ms() + LIFE.as_ms());

/// Retention of a deletion's row: longer than the period over which its tries count.
pub const KEPT: DurationMs = DurationMs::from_days(2);

const _: () = assert!(
    CODE_LIFE.as_ms() < LIFE.as_ms()
        && LIFE.as_ms() < KEPT.as_ms()
        && COUNTED.as_ms() < KEPT.as_ms()
);
const _: () = assert!(TRIES_MAX < TRIES_PER_DAY && CODES_PER_DAY < TRIES_PER_DAY);

/// A row of the table `deletion`, with the MAC of the newest code.
#[derive(Clone, Debug)]
struct Deletion {
    id: TokenId,
    member: MemberId,
    keys: Vec<KeyId>,
    begun_at: UnixMs,
    /// MAC of the present code.
    mac: Digest,
    /// Number of codes drawn so far, the present one included.
    codes: u32,
    /// Expiry of the present code, Unix ms.
    expires: UnixMs,
    /// Number of tries so far.
    tries: u32,
    /// Time at which it deleted its keys, Unix ms; `None` before.
    done_at: Option<UnixMs>,
}

impl Deletion {
    /// Loads the deletion with this ID if it belongs to `member`.
    fn load(sql: &dyn Sql, id: TokenId, member: MemberId) -> Result<Option<Self>, SqlError> {
        let text = "SELECT id, member, keys, begun_at_ms, mac, codes, expires_ms, tries, done_at_ms
            FROM deletion WHERE id = ? AND member = ?";
        sql.first(&Statement::new(text).bind(id.as_str()).bind(member.as_str()))?
            .map(Self::read)
            .transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("a token ID", TokenId::parse)?,
            member: row.parsed("a member ID", MemberId::parse)?,
            keys: row.parsed("keys", |json| serde_json::from_str(json).ok())?,
            begun_at: row.time()?,
            mac: Digest::from_bytes(row.bytes()?),
            codes: row.count()?,
            expires: row.time()?,
            tries: row.count()?,
            done_at: row.optional_time()?,
        })
    }

    /// Inserts or updates the row.
    fn store(&self) -> Statement {
        let text =
            "INSERT INTO deletion (id, member, keys, begun_at_ms, mac, codes, expires_ms, tries, done_at_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET mac = excluded.mac, codes = excluded.codes,
                expires_ms = excluded.expires_ms, tries = excluded.tries, done_at_ms = excluded.done_at_ms";
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.member.as_str())
            .bind(serde_json::json!(self.keys).to_string())
            .bind(self.begun_at)
            .bind(self.mac.as_bytes().as_slice())
            .bind(self.codes)
            .bind(self.expires)
            .bind(self.tries)
            .bind(self.done_at)
    }

    fn state(&self, now: UnixMs) -> DeletionState {
        if self.done_at.is_some() {
            DeletionState::Done
        } else if self.tries >= TRIES_MAX || now >= self.begun_at.saturating_add(LIFE) {
            DeletionState::Over
        } else if now >= self.expires {
            DeletionState::CodeOver
        } else {
            DeletionState::Open
        }
    }

    /// Returns the ID of the message with the present code.
    fn mail_id(&self, context: &CommandContext<'_>) -> String {
        format!("deletion-code/{}/{}/{}", context.account.id, self.id, self.codes)
    }

    /// Returns the writes that queue the mail with the present code.
    fn mail(
        &self,
        context: &CommandContext<'_>,
        keys: &[Key],
        code: NewCode,
    ) -> Result<[Statement; 3], SqlError> {
        let member = &context.session.member.view;
        let letter = Letter::DeletionCode {
            deletion: self.id,
            account: context.account.name.clone(),
            keys: names(keys),
            until: self.expires,
            zone: context.account.zone.clone(),
        };
        let envelope = Envelope {
            id: self.mail_id(context),
            account: context.account.id,
            to: member.email.clone(),
            language: member.language,
            written_at: context.now,
            letter,
            sealed: Some(code.sealed),
        };
        mailbox::post(&envelope, member.id, self.expires, context.now)
    }

    /// Returns the audit row of an action on these keys, with their present names: a name says
    /// more than an ID, and may change later.
    fn note(&self, context: &CommandContext<'_>, action: Action, keys: &[Key]) -> Statement {
        let in_order = self.keys.iter().filter_map(|id| keys.iter().find(|key| key.id == *id));
        let names: Vec<&str> = in_order.map(|key| key.name.as_str()).collect();
        let members = serde_json::json!({ "keys": self.keys, "names": names });
        context.author().did_about(action, members.to_string())
    }

    fn view(&self, context: &CommandContext<'_>, keys: &[Key], mail: MailState) -> DeletionView {
        let in_order = self.keys.iter().filter_map(|id| keys.iter().find(|key| key.id == *id));
        DeletionView {
            id: self.id,
            keys: in_order.map(|key| key.view(context.account)).collect(),
            sent_to: context.session.member.view.email.clone(),
            state: self.state(context.now),
            expires: self.expires,
            tries_left: TRIES_MAX.saturating_sub(self.tries),
            mail,
            bound_within_s: context.account.bound(context.now).within_s,
            restorable_until: restorable_until(keys, self.done_at.unwrap_or(context.now)),
        }
    }
}

/// Returns the time until which all of these keys can be restored if they are deleted at `at`: a
/// key that was replaced returns within its overlap only. One whose overlap is over has nothing to
/// restore.
fn restorable_until(keys: &[Key], at: UnixMs) -> UnixMs {
    let replaced = keys.iter().filter(|key| key.replaced_by.is_some());
    let overlaps = replaced.filter_map(|key| key.limits.expires.at()).filter(|end| at < *end);
    overlaps.fold(at.saturating_add(RESTORABLE), UnixMs::min)
}

fn names(keys: &[Key]) -> Vec<KeyName> {
    keys.iter().map(|key| KeyName { id: key.id, name: key.name.clone() }).collect()
}

/// Begins a deletion and mails its code.
pub(super) fn begin(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
    keys: Vec<KeyId>,
    code: NewCode,
) -> Result<Plan, SqlError> {
    if let Err(error) = check_deletion(&keys) {
        return Ok(Plan::refuse(Refusal::Invalid { errors: vec![error] }));
    }
    let found = match revocable(context.act(), &keys, Key::load_many(sql, &keys)?) {
        Ok(found) => found,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    if let Some(until) = spent(sql, context)? {
        return Ok(Plan::refuse(Refusal::TooManyCodes { until }));
    }
    let taken = Statement::new("SELECT count(*) FROM deletion WHERE id = ?").bind(id.as_str());
    if sql.integer(&taken)? > 0 {
        return Ok(Plan::refuse(Refusal::IdTaken));
    }
    let deletion = Deletion {
        id,
        member: context.session.member_id(),
        keys,
        begun_at: context.now,
        mac: code.mac,
        codes: 1,
        expires: context.now.saturating_add(CODE_LIFE),
        tries: 0,
        done_at: None,
    };
    let mut writes = vec![
        deletion.store(),
        Task::own(TaskKind::SweepDeletions).schedule(context.now.saturating_add(KEPT)),
        deletion.note(context, Action::BeginDeletion, &found),
    ];
    writes.extend(deletion.mail(context, &found, code)?);
    Ok(Plan {
        writes,
        reply: LedgerReply::Deletion(deletion.view(context, &found, MailState::Queued)),
    })
}

/// Returns a deletion.
pub(super) fn show(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
) -> Result<Plan, SqlError> {
    let Some(deletion) = Deletion::load(sql, id, context.session.member_id())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let keys = Key::load_many(sql, &deletion.keys)?;
    let mail = mailbox::state(sql, &deletion.mail_id(context))?.unwrap_or(MailState::Failing);
    Ok(Plan::read(LedgerReply::Deletion(deletion.view(context, &keys, mail))))
}

/// Mails another code and invalidates the one before.
pub(super) fn mail_code(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
    code: NewCode,
) -> Result<Plan, SqlError> {
    let Some(before) = Deletion::load(sql, id, context.session.member_id())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    match before.state(context.now) {
        DeletionState::Open | DeletionState::CodeOver => {}
        DeletionState::Over | DeletionState::Done => return Ok(Plan::refuse(Refusal::CodeOver)),
    }
    let keys = match revocable(context.act(), &before.keys, Key::load_many(sql, &before.keys)?) {
        Ok(keys) => keys,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    if let Some(until) = spent(sql, context)? {
        return Ok(Plan::refuse(Refusal::TooManyCodes { until }));
    }
    let mut writes = Vec::from(mailbox::supersede(&before.mail_id(context)));
    let deletion = Deletion {
        mac: code.mac,
        codes: before.codes.saturating_add(1),
        expires: context.now.saturating_add(CODE_LIFE),
        ..before
    };
    writes.push(deletion.store());
    writes.extend(deletion.mail(context, &keys, code)?);
    Ok(Plan {
        writes,
        reply: LedgerReply::Deletion(deletion.view(context, &keys, MailState::Queued)),
    })
}

/// Deletes the keys if the code is right.
pub(super) fn confirm(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
    mac: Digest,
) -> Result<Plan, SqlError> {
    let Some(before) = Deletion::load(sql, id, context.session.member_id())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    match before.state(context.now) {
        DeletionState::Open => {}
        DeletionState::CodeOver | DeletionState::Over | DeletionState::Done => {
            return Ok(Plan::refuse(Refusal::CodeOver));
        }
    }
    let (tries, first) = tries_today(sql, context)?;
    if tries >= TRIES_PER_DAY {
        return Ok(Plan::refuse(Refusal::TooManyCodes {
            until: room_again(first, COUNTED, context.now),
        }));
    }
    // The try counts whatever the outcome, and in the run that compares it, so that parallel tries
    // cannot share one count.
    let tried = Deletion { tries: before.tries.saturating_add(1), ..before };
    let refused =
        |refusal| Plan { writes: vec![tried.store()], reply: LedgerReply::Refused(refusal) };
    // `Digest` compares in constant time.
    if tried.mac != mac {
        let tries_left = TRIES_MAX.saturating_sub(tried.tries);
        let mut plan = refused(Refusal::CodeWrong { tries_left });
        let keys = Key::load_many(sql, &tried.keys)?;
        plan.writes.push(tried.note(context, Action::TryWrongCode, &keys));
        return Ok(plan);
    }
    match revocable(context.act(), &tried.keys, Key::load_many(sql, &tried.keys)?) {
        Ok(keys) => delete(sql, context, &tried, keys),
        Err(refusal) => Ok(refused(refusal)),
    }
}

/// Returns the keys of `wanted` if they may be deleted, by this author too.
fn revocable(
    context: ActContext<'_>,
    wanted: &[KeyId],
    found: Vec<Key>,
) -> Result<Vec<Key>, Refusal> {
    let keys = deletable(wanted, found)?;
    let decision = context.decision();
    keys.iter().try_for_each(|key| decision.check_act(key, KeyAct::Revoke)).map(|()| keys)
}

/// Deletes one key without a mailed code, where the policy demands none.
pub(super) fn delete_one(
    sql: &dyn Sql,
    context: ActContext<'_>,
    id: KeyId,
    expected: Revision,
) -> Result<Plan, SqlError> {
    if context.account.policy.deletion_by_code {
        return Ok(Plan::refuse(Refusal::CodeRequired));
    }
    let Some(key) = Key::load(sql, id)?.and_then(Key::living) else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    if key.revision != expected {
        return Ok(Plan::refuse(Refusal::ChangedMeanwhile {
            key: Box::new(key.view(context.account)),
        }));
    }
    match revocable(context, &[id], vec![key]) {
        // The revision of the change is unique, and so makes the mail's ID unique.
        Ok(keys) => commit(sql, context, keys, &format!("{id}-{}", expected.0)),
        Err(refusal) => Ok(Plan::refuse(refusal)),
    }
}

fn delete(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    tried: &Deletion,
    keys: Vec<Key>,
) -> Result<Plan, SqlError> {
    let done = Deletion { done_at: Some(context.now), ..tried.clone() };
    let mut plan = commit(sql, context.act(), keys, done.id.as_str())?;
    plan.writes.push(done.store());
    plan.writes.extend(mailbox::supersede(&done.mail_id(context)));
    Ok(plan)
}

/// Deletes keys, and mails a notice to those concerned. `subject` makes the notice's ID unique.
fn commit(
    sql: &dyn Sql,
    context: ActContext<'_>,
    keys: Vec<Key>,
    subject: &str,
) -> Result<Plan, SqlError> {
    let names = names(&keys);
    let restorable_until = restorable_until(&keys, context.now);
    let changes = context.decision().delete(keys);
    let mut writes = vec![schedule_scrub(context.now)];
    for change in &changes {
        writes.extend(commit_writes(sql, context.account, context.author(), change)?);
    }
    let bound = context.account.bound(context.now);
    let letter = Letter::DeletionNotice {
        account: context.account.name.clone(),
        keys: names,
        by: context.name().to_owned(),
        address: context.address.map(str::to_owned),
        at: context.now,
        bound: bound.at,
        restorable_until,
        zone: context.account.zone.clone(),
    };
    let mut recipients = mailbox::concerned(sql, context.member_id())?;
    if context.account.policy.keys_follow_member {
        for change in &changes {
            let owner = change.after.created.member;
            if recipients.iter().all(|one| one.view.id != owner) {
                recipients.extend(Member::load(sql, owner)?);
            }
        }
    }
    for Member { view, .. } in recipients {
        let id = format!("deletion-notice/{}/{subject}/{}", context.account.id, view.id);
        let letter = letter.clone();
        writes.extend(mailbox::notice(context.account, &view, id, letter, context.now)?);
    }
    let records = changes.iter().map(|change| change.after.record(context.account)).collect();
    Ok(Plan { writes, reply: LedgerReply::Deleted { records, bound, restorable_until } })
}

/// Returns the time at which the member may have another code, if a limit is reached now.
fn spent(sql: &dyn Sql, context: &CommandContext<'_>) -> Result<Option<UnixMs>, SqlError> {
    if let Some(until) = codes_spent(sql, context.session.member_id(), context.now)? {
        return Ok(Some(until));
    }
    // If no try is left, a mailed code would be useless.
    let (tries, first) = tries_today(sql, context)?;
    Ok((tries >= TRIES_PER_DAY).then(|| room_again(first, COUNTED, context.now)))
}

/// Returns the time at which another code may be mailed to the member, if none may now. Codes of
/// all purposes count together.
pub(super) fn codes_spent(
    sql: &dyn Sql,
    member: MemberId,
    now: UnixMs,
) -> Result<Option<UnixMs>, SqlError> {
    let (codes, first) = mailbox::codes_since(sql, member, now.saturating_sub(DAY))?;
    Ok((codes >= CODES_PER_DAY).then(|| room_again(first, DAY, now)))
}

/// Returns the number of tries of the member within a [`DAY`], and the begin of the first deletion
/// among them. A deletion counts from its beginning until its last possible try is a day old. So no
/// try is missed, and one may count up to an hour too long.
fn tries_today(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
) -> Result<(u32, Option<UnixMs>), SqlError> {
    let text = "SELECT ifnull(sum(tries), 0), min(begun_at_ms) FROM deletion
        WHERE member = ? AND begun_at_ms > ? AND tries > 0";
    let today = Statement::new(text)
        .bind(context.session.member_id().as_str())
        .bind(context.now.saturating_sub(COUNTED));
    let Some(mut row) = sql.first(&today)? else { return Ok((0, None)) };
    Ok((row.count()?, row.optional_time()?))
}

/// Returns the time at which the first counted item leaves the period `counted`. One more fits
/// then, because no item is counted beyond the limit.
fn room_again(first: Option<UnixMs>, counted: DurationMs, now: UnixMs) -> UnixMs {
    first.unwrap_or(now).saturating_add(counted)
}

/// Removes deletions past their retention.
pub(super) fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let since = now.saturating_sub(KEPT);
    let oldest =
        Statement::new("SELECT min(begun_at_ms) FROM deletion WHERE begun_at_ms > ?").bind(since);
    let oldest = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    let writes = vec![Statement::new("DELETE FROM deletion WHERE begun_at_ms <= ?").bind(since)];
    Ok(TaskStep::Chore { writes, again: oldest.map(|at| at.saturating_add(KEPT)) })
}
