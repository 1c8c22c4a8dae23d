//! Deletions that a mailed code confirms.
//!
//! A deletion is bound to one member and to exactly the keys that it was begun for. Its code works
//! [`CODE_LIFE`] long; mailing another ends the one before and gives no try back. A try is counted
//! in the same run that compares it, so that a thousand at once are as many tries as a thousand one
//! after the other. Across deletions, codes mailed and codes tried have a budget per member and
//! day.
//!
//! Confirming deletes all of the keys or none. A key that has gone, or was protected, meanwhile is
//! named and stops the whole.

use claviger_core::base::id::{KeyId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};

use super::account::Member;
use super::audit::Action;
use super::context::CommandContext;
use super::decide::deletable;
use super::key::Key;
use super::mailbox;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::object::Step;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::deletion::{DeletionState, DeletionView, MailState, NewCode};
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::keys::{KeyName, RESTORABLE, check_deletion};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// How long a code works: mail is there within a minute or two, and the person is at the page.
pub const CODE_LIFE: DurationMs = DurationMs::from_s(10 * 60);

/// How long a deletion takes further codes: who comes back later begins anew, and sees again what
/// would be deleted.
pub const LIFE: DurationMs = DurationMs::from_s(60 * 60);

/// Tries of one deletion, however many codes it has. A guess is right once in a million.
pub const TRIES_MAX: u32 = 5;

/// The span in which codes and tries are counted.
pub const DAY: DurationMs = DurationMs::from_days(1);

/// Most codes that are mailed to one member in a [`DAY`]: 2,000 keys could be deleted with them,
/// and a mailbox bears it.
pub const CODES_PER_DAY: u32 = 20;

/// Most tries of one member in a [`DAY`], across deletions. Whoever holds a stolen session for a
/// month guesses right with a chance of 30 · 30 / 1,000,000, less than one in a thousand; who
/// mistypes each code once still gets to [`CODES_PER_DAY`].
pub const TRIES_PER_DAY: u32 = 30;

/// How long after its beginning a deletion's tries count: its last may be made when [`LIFE`] is
/// over.
const COUNTED: DurationMs = DurationMs::from_ms(DAY.as_ms() + LIFE.as_ms());

/// How long a notice is tried to be delivered: a day later it is no warning any more.
pub const NOTICE_USEFUL: DurationMs = DurationMs::from_days(1);

/// How long a deletion's row is kept: past the day in which its tries count.
pub const KEPT: DurationMs = DurationMs::from_days(2);

const _: () = assert!(
    CODE_LIFE.as_ms() < LIFE.as_ms()
        && LIFE.as_ms() < KEPT.as_ms()
        && COUNTED.as_ms() < KEPT.as_ms()
);
const _: () = assert!(TRIES_MAX < TRIES_PER_DAY && CODES_PER_DAY < TRIES_PER_DAY);

/// A deletion.
#[derive(Clone, Debug)]
struct Deletion {
    id: TokenId,
    member: MemberId,
    keys: Vec<KeyId>,
    begun_at: UnixMs,
    /// MAC of the present code.
    mac: Digest,
    /// How many codes it has had.
    codes: u32,
    /// End of the present code.
    expires: UnixMs,
    /// Codes that were tried.
    tries: u32,
    /// When it deleted its keys.
    done_at: Option<UnixMs>,
}

impl Deletion {
    /// The deletion of this ID, if it is `member`'s.
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

    /// Writes the row as it is now.
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

    /// Name of the message with the present code.
    fn mail_id(&self, asked: &CommandContext<'_>) -> String {
        format!("deletion-code/{}/{}/{}", asked.account.id, self.id, self.codes)
    }

    /// The mail with the present code.
    fn mail(
        &self,
        asked: &CommandContext<'_>,
        keys: &[Key],
        code: NewCode,
    ) -> Result<[Statement; 3], SqlError> {
        let member = &asked.session.member.view;
        let letter = Letter::DeletionCode {
            deletion: self.id,
            account: asked.account.name.clone(),
            keys: names(keys),
            until: self.expires,
            zone: asked.account.zone.clone(),
        };
        let envelope = Envelope {
            id: self.mail_id(asked),
            account: asked.account.id,
            to: member.email.clone(),
            language: member.language,
            written_at: asked.now,
            letter,
            sealed: Some(code.sealed),
        };
        mailbox::post(&envelope, member.id, self.expires, asked.now)
    }

    /// The audit row of something about it: with its keys, because each is in question.
    fn note(&self, asked: &CommandContext<'_>, action: Action) -> Statement {
        asked.author().did_about(action, serde_json::json!({ "keys": self.keys }).to_string())
    }

    fn view(&self, asked: &CommandContext<'_>, keys: &[Key], mail: MailState) -> DeletionView {
        let in_order = self.keys.iter().filter_map(|id| keys.iter().find(|key| key.id == *id));
        DeletionView {
            id: self.id,
            keys: in_order.map(Key::view).collect(),
            sent_to: asked.session.member.view.email.clone(),
            state: self.state(asked.now),
            expires: self.expires,
            tries_left: TRIES_MAX.saturating_sub(self.tries),
            mail,
            bound_within_s: asked.account.bound(asked.now).within_s,
            restorable_until: asked.now.saturating_add(RESTORABLE),
        }
    }
}

fn names(keys: &[Key]) -> Vec<KeyName> {
    keys.iter().map(|key| KeyName { id: key.id, name: key.name.clone() }).collect()
}

/// Begins a deletion: mails its code.
pub(super) fn begin(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
    id: TokenId,
    keys: Vec<KeyId>,
    code: NewCode,
) -> Result<Plan, SqlError> {
    if let Err(error) = check_deletion(&keys) {
        return Ok(Plan::refuse(Refusal::Invalid { errors: vec![error] }));
    }
    let found = match deletable(&keys, Key::load_many(sql, &keys)?) {
        Ok(found) => found,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    if let Some(until) = spent(sql, asked)? {
        return Ok(Plan::refuse(Refusal::TooManyCodes { until }));
    }
    let taken = Statement::new("SELECT count(*) FROM deletion WHERE id = ?").bind(id.as_str());
    if sql.integer(&taken)? > 0 {
        return Ok(Plan::refuse(Refusal::IdTaken));
    }
    let deletion = Deletion {
        id,
        member: asked.session.member_id(),
        keys,
        begun_at: asked.now,
        mac: code.mac,
        codes: 1,
        expires: asked.now.saturating_add(CODE_LIFE),
        tries: 0,
        done_at: None,
    };
    let mut writes = vec![
        deletion.store(),
        Duty::own(Kind::SweepDeletions).owe(asked.now.saturating_add(KEPT)),
        deletion.note(asked, Action::BeginDeletion),
    ];
    writes.extend(deletion.mail(asked, &found, code)?);
    Ok(Plan {
        writes,
        reply: LedgerReply::Deletion(deletion.view(asked, &found, MailState::Queued)),
    })
}

/// Looks at a deletion.
pub(super) fn show(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
    id: TokenId,
) -> Result<Plan, SqlError> {
    let Some(deletion) = Deletion::load(sql, id, asked.session.member_id())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let keys = Key::load_many(sql, &deletion.keys)?;
    let mail = mailbox::state(sql, &deletion.mail_id(asked))?.unwrap_or(MailState::Failing);
    Ok(Plan::read(LedgerReply::Deletion(deletion.view(asked, &keys, mail))))
}

/// Mails another code. The one before is over.
pub(super) fn mail_code(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
    id: TokenId,
    code: NewCode,
) -> Result<Plan, SqlError> {
    let Some(before) = Deletion::load(sql, id, asked.session.member_id())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    match before.state(asked.now) {
        DeletionState::Open | DeletionState::CodeOver => {}
        DeletionState::Over | DeletionState::Done => return Ok(Plan::refuse(Refusal::CodeOver)),
    }
    let keys = match deletable(&before.keys, Key::load_many(sql, &before.keys)?) {
        Ok(keys) => keys,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    if let Some(until) = spent(sql, asked)? {
        return Ok(Plan::refuse(Refusal::TooManyCodes { until }));
    }
    let mut writes = Vec::from(mailbox::supersede(&before.mail_id(asked)));
    let deletion = Deletion {
        mac: code.mac,
        codes: before.codes.saturating_add(1),
        expires: asked.now.saturating_add(CODE_LIFE),
        ..before
    };
    writes.push(deletion.store());
    writes.extend(deletion.mail(asked, &keys, code)?);
    Ok(Plan {
        writes,
        reply: LedgerReply::Deletion(deletion.view(asked, &keys, MailState::Queued)),
    })
}

/// Deletes the keys, if the code is right.
pub(super) fn confirm(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
    id: TokenId,
    mac: Digest,
) -> Result<Plan, SqlError> {
    let Some(before) = Deletion::load(sql, id, asked.session.member_id())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    match before.state(asked.now) {
        DeletionState::Open => {}
        DeletionState::CodeOver | DeletionState::Over | DeletionState::Done => {
            return Ok(Plan::refuse(Refusal::CodeOver));
        }
    }
    let (tries, first) = tries_today(sql, asked)?;
    if tries >= TRIES_PER_DAY {
        return Ok(Plan::refuse(Refusal::TooManyCodes {
            until: room_again(first, COUNTED, asked.now),
        }));
    }
    // Counted whatever comes of it, and in the run that compares.
    let tried = Deletion { tries: before.tries.saturating_add(1), ..before };
    let refused =
        |refusal| Plan { writes: vec![tried.store()], reply: LedgerReply::Refused(refusal) };
    // `Digest` compares in constant time.
    if tried.mac != mac {
        let tries_left = TRIES_MAX.saturating_sub(tried.tries);
        let mut plan = refused(Refusal::CodeWrong { tries_left });
        plan.writes.push(tried.note(asked, Action::TryWrongCode));
        return Ok(plan);
    }
    match deletable(&tried.keys, Key::load_many(sql, &tried.keys)?) {
        Ok(keys) => delete(sql, asked, &tried, keys),
        Err(refusal) => Ok(refused(refusal)),
    }
}

fn delete(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
    tried: &Deletion,
    keys: Vec<Key>,
) -> Result<Plan, SqlError> {
    let names = names(&keys);
    let changes = asked.desk().delete(keys);
    let done = Deletion { done_at: Some(asked.now), ..tried.clone() };
    let restorable_until = asked.now.saturating_add(RESTORABLE);
    let mut writes = vec![done.store(), Duty::own(Kind::ScrubKeys).owe(restorable_until)];
    writes.extend(mailbox::supersede(&done.mail_id(asked)));
    for change in &changes {
        writes.extend(commit_writes(sql, asked.account, asked.author(), change)?);
    }
    let bound = asked.account.bound(asked.now);
    let letter = Letter::DeletionNotice {
        account: asked.account.name.clone(),
        keys: names,
        by: asked.session.member.view.name.clone(),
        address: asked.address.map(str::to_owned),
        at: asked.now,
        bound: bound.at,
        restorable_until,
        zone: asked.account.zone.clone(),
    };
    for Member { view, .. } in mailbox::concerned(sql, asked.session.member_id())? {
        let envelope = Envelope {
            id: format!("deletion-notice/{}/{}/{}", asked.account.id, done.id, view.id),
            account: asked.account.id,
            to: view.email,
            language: view.language,
            written_at: asked.now,
            letter: letter.clone(),
            sealed: None,
        };
        writes.extend(mailbox::post(
            &envelope,
            view.id,
            asked.now.saturating_add(NOTICE_USEFUL),
            asked.now,
        )?);
    }
    let records = changes.iter().map(|change| change.after.record(&asked.account.epoch)).collect();
    Ok(Plan { writes, reply: LedgerReply::Deleted { records, bound, restorable_until } })
}

/// Whether the member may have no further code now; if so, when again.
fn spent(sql: &dyn Sql, asked: &CommandContext<'_>) -> Result<Option<UnixMs>, SqlError> {
    let (codes, first) =
        mailbox::codes_since(sql, asked.session.member_id(), asked.now.saturating_sub(DAY))?;
    if codes >= CODES_PER_DAY {
        return Ok(Some(room_again(first, DAY, asked.now)));
    }
    // A code that cannot be tried is not worth mailing.
    let (tries, first) = tries_today(sql, asked)?;
    Ok((tries >= TRIES_PER_DAY).then(|| room_again(first, COUNTED, asked.now)))
}

/// How many codes the member has tried within a [`DAY`], and when the first of the deletions that
/// they were tried in began. A deletion is counted by its beginning, and as long as any try of it
/// can be: not less is counted than was tried, and an hour longer at most.
fn tries_today(
    sql: &dyn Sql,
    asked: &CommandContext<'_>,
) -> Result<(u32, Option<UnixMs>), SqlError> {
    let text = "SELECT ifnull(sum(tries), 0), min(begun_at_ms) FROM deletion
        WHERE member = ? AND begun_at_ms > ? AND tries > 0";
    let today = Statement::new(text)
        .bind(asked.session.member_id().as_str())
        .bind(asked.now.saturating_sub(COUNTED));
    let Some(mut row) = sql.first(&today)? else { return Ok((0, None)) };
    Ok((row.count()?, row.optional_time()?))
}

/// When what was counted first is `counted` no more: by then there is room again, because nothing
/// is counted beyond the budget.
fn room_again(first: Option<UnixMs>, counted: DurationMs, now: UnixMs) -> UnixMs {
    first.unwrap_or(now).saturating_add(counted)
}

/// Forgets what is over.
pub(super) fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<Step, SqlError> {
    let since = now.saturating_sub(KEPT);
    let oldest =
        Statement::new("SELECT min(begun_at_ms) FROM deletion WHERE begun_at_ms > ?").bind(since);
    let oldest = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    let writes = vec![Statement::new("DELETE FROM deletion WHERE begun_at_ms <= ?").bind(since)];
    Ok(Step::Chore { writes, again: oldest.map(|at| at.saturating_add(KEPT)) })
}
