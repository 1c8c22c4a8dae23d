//! The past notices of each member, for the console.
//!
//! Each notice to a member is listed in the transaction that queues its mail, also without a mail
//! service. Notices that the member has switched off are listed, too: a list interrupts no work. A
//! notice stays for [`KEPT`], at most until the membership ends.
//!
//! Numbers rise for each member. So one number per member says up to where they have looked.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::envelope::Letter;
use crate::protocol::notice_list::{ListedNotice, NoticePage, PAGE_NOTICES_MAX};

/// Retention of a notice. The daily look for keys that end removes older ones.
pub const KEPT: DurationMs = DurationMs::from_days(90);

/// Most notices of one member: ten pages. The largest one lists the 100 keys of a deletion in about
/// 30 KB, so these are at most 15 MB.
pub const PER_MEMBER_MAX: u32 = 500;

/// Returns the writes that list a notice, and remove the earliest beyond [`PER_MEMBER_MAX`].
pub fn add(member: MemberId, letter: &Letter, now: UnixMs) -> Result<[Statement; 2], SqlError> {
    let letter = serde_json::to_string(letter)
        .map_err(|_| SqlError::Column { column: 0, expected: "a letter" })?;
    // The number is above that of the last look, so the notice is unread. Numbers recur only once
    // all notices of the member are gone.
    let text = "INSERT INTO member_notice (member, number, at_ms, letter)
        SELECT id, 1 + max(notices_read, ifnull((SELECT max(number) FROM member_notice WHERE member = id), 0)), ?, ?
        FROM member WHERE id = ?";
    let make_room = "DELETE FROM member_notice WHERE member = ?
        AND number <= (SELECT max(number) FROM member_notice WHERE member = ?) - ?";
    Ok([
        Statement::new(text).bind(now).bind(letter).bind(member.as_str()),
        Statement::new(make_room).bind(member.as_str()).bind(member.as_str()).bind(PER_MEMBER_MAX),
    ])
}

/// Loads a page of the notices of a member. `cursor` is the number of the last notice of the page
/// before.
pub fn page(
    sql: &dyn Sql,
    member: MemberId,
    cursor: Option<u32>,
    limit: Option<u32>,
) -> Result<NoticePage, SqlError> {
    let limit = limit.unwrap_or(PAGE_NOTICES_MAX).clamp(1, PAGE_NOTICES_MAX);
    let text =
        "SELECT number, at_ms, number > (SELECT notices_read FROM member WHERE id = ?), letter
        FROM member_notice WHERE member = ? AND number < ? ORDER BY number DESC LIMIT ?";
    let rows = Statement::new(text)
        .bind(member.as_str())
        .bind(member.as_str())
        .bind(cursor.unwrap_or(u32::MAX))
        .bind(limit.saturating_add(1));
    let mut rows = sql.read_all(&rows, read)?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| has_more).map(|(number, _)| *number);
    let notices = rows.into_iter().filter_map(|(_, notice)| notice).collect();
    let (_, unread) = mark_read(sql, member, 0)?;
    Ok(NoticePage { notices, next, unread })
}

/// Reads a row of a page: its number, and the notice unless a later release wrote it.
fn read(mut row: Row) -> Result<(u32, Option<ListedNotice>), SqlError> {
    let (number, at, unread) = (row.count()?, row.time()?, row.integer()? != 0);
    let letter: Option<Letter> = serde_json::from_str(&row.text()?).ok();
    Ok((number, letter.map(|letter| ListedNotice { number, at, unread, letter })))
}

/// Returns the write that marks the notices of a member up to a number as read, and the number of
/// those that stay unread. There is no write if all of them were.
pub fn mark_read(
    sql: &dyn Sql,
    member: MemberId,
    until: u32,
) -> Result<(Option<Statement>, u32), SqlError> {
    let text =
        "SELECT notices_read, ifnull((SELECT max(number) FROM member_notice WHERE member = id), 0),
        (SELECT count(*) FROM member_notice WHERE member = id AND number > max(notices_read, ?))
        FROM member WHERE id = ?";
    let row = sql.first(&Statement::new(text).bind(until).bind(member.as_str()))?;
    let Some(mut row) = row else { return Ok((None, 0)) };
    let (read, newest, left) = (row.count()?, row.count()?, row.count()?);
    // A number that is not there yet must not hide what comes.
    let until = until.min(newest);
    let text = "UPDATE member SET notices_read = ? WHERE id = ?";
    let write = Statement::new(text).bind(until).bind(member.as_str());
    Ok((Some(write).filter(|_| until > read), left))
}

/// Removes the notices of a member whose membership ends.
pub fn forget(member: MemberId) -> Statement {
    Statement::new("DELETE FROM member_notice WHERE member = ?").bind(member.as_str())
}

/// Removes notices past their retention.
pub fn sweep(now: UnixMs) -> Statement {
    let since = now.saturating_sub(KEPT);
    Statement::new("DELETE FROM member_notice WHERE at_ms <= ?").bind(since)
}
