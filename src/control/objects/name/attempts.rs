//! Reports refused attempts at a person's secrets to the ledgers of their memberships.
//!
//! A report is a row. Each ledger has one task, which sends all reports that the ledger lacks in
//! one call. So a flood of attempts causes few rows ([`crate::objects::attempts`]), and at most
//! one call per ledger in [`PAUSE`].

use claviger_core::base::time::{DurationMs, UnixMs};

use super::person::{Person, StoredMembership, attempts_task as task, bound};
use crate::objects::attempts;
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::account::Email;
use crate::protocol::attempts::{AttemptKind, AttemptsNews, RefusedAttempts};
use crate::protocol::effect::Effect;
use crate::protocol::identity::Membership;

/// Time for which reports are collected before a ledger is called.
const PAUSE: DurationMs = DurationMs::from_s(2);

/// Most reports that wait for a ledger; beyond it the earliest are dropped.
pub const REPORTS_MAX: u32 = 64;

/// Age at which a report is dropped that a ledger did not take.
const LIFE: DurationMs = DurationMs::from_days(1);

/// Returns the writes that count a refused attempt, and schedule its report if it is due. While no
/// ledger holds the person, nothing is counted.
pub fn note(
    sql: &dyn Sql,
    person: &Person,
    (kind, network): (AttemptKind, Option<&str>),
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let mut ledgers = person.memberships.iter().filter(|own| own.confirmed).peekable();
    if ledgers.peek().is_none() {
        return Ok(Vec::new());
    }
    let (mut writes, mut reports) = attempts::count(sql, kind, &[(network, 1)], now)?;
    let Some(report) = reports.pop() else { return Ok(writes) };
    let report = serde_json::to_string(&report)
        .map_err(|_| SqlError::Column { column: 0, expected: "a report" })?;
    let insert = "INSERT INTO attempt_report (number, report, at_ms)
        SELECT 1 + max((SELECT ifnull(max(number), 0) FROM attempt_report),
            (SELECT ifnull(max(attempts_told), 0) FROM membership)), ?, ?";
    let make_room = "DELETE FROM attempt_report WHERE at_ms <= ? OR number <=
        (SELECT number FROM attempt_report ORDER BY number DESC LIMIT 1 OFFSET ?)";
    writes.push(Statement::new(insert).bind(report).bind(now));
    writes.push(Statement::new(make_room).bind(now.saturating_sub(LIFE)).bind(REPORTS_MAX));
    writes.extend(ledgers.map(|own| task(own.id).schedule(now.saturating_add(PAUSE))));
    Ok(writes)
}

/// Starts the report to the ledger of a membership.
pub fn step(
    sql: &dyn Sql,
    person: &Person,
    own: &StoredMembership,
    now: UnixMs,
) -> Result<TaskStep, SqlError> {
    let text = "SELECT report.number, report.report FROM attempt_report AS report, membership
        WHERE membership.account = ? AND membership.member = ? AND membership.confirmed = 1
            AND report.number > membership.attempts_told AND report.at_ms > ?
        ORDER BY report.number";
    let waiting: Vec<(i64, RefusedAttempts)> =
        sql.read_all(&bound(text, own.id).bind(now.saturating_sub(LIFE)), |mut row| {
            let number = row.integer()?;
            Ok((number, row.parsed("a report", |json| serde_json::from_str(json).ok())?))
        })?;
    let (Some((last, _)), Ok(email)) = (waiting.last(), Email::parse(&person.name)) else {
        return Ok(TaskStep::moot());
    };
    let (last, Membership { account, member }) = (*last, own.id);
    let attempts = waiting.into_iter().map(|(_, report)| report).collect();
    let news = AttemptsNews { member, email, attempts };
    Ok(TaskStep::Effect(Effect::TellAttempts { account, news, last }))
}

/// Returns the writes after a ledger has the reports up to `last`, or does not hold the member.
pub fn told(
    sql: &dyn Sql,
    id: Membership,
    last: i64,
    now: UnixMs,
) -> Result<Vec<Statement>, SqlError> {
    let text = "UPDATE membership SET attempts_told = max(attempts_told, ?)
        WHERE account = ? AND member = ?";
    let row = Statement::new(text).bind(last);
    let row = row.bind(id.account.as_str()).bind(id.member.as_str());
    let remove = "DELETE FROM attempt_report WHERE number <=
        (SELECT min(attempts_told) FROM membership WHERE confirmed = 1)";
    let later = Statement::new("SELECT count(*) FROM attempt_report WHERE number > ?").bind(last);
    let next = if sql.integer(&later)? > 0 {
        task(id).reschedule(now.saturating_add(PAUSE))
    } else {
        task(id).done()
    };
    Ok(vec![row, Statement::new(remove), next])
}
