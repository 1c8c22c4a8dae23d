//! Notices that keys end soon: about [`THRESHOLDS`] days before the end.
//!
//! The task `notice_key_ends` looks once a day. A notice is due up to a day before its time, so
//! that a member has the named number of days. A row per key stores the last notice of its present
//! end. So each notice comes once, also after a restart, and after an outage only the latest one.
//! The same look removes old notices from the lists of members.

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::{DurationMs, UnixMs};

use super::{notice_list, notices};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::keys::KeyName;
use crate::protocol::notices::{NoticeItem, NoticeKind};

/// Days before the end of a key, in ascending order.
pub const THRESHOLDS: [u32; 3] = [1, 10, 30];

/// Time between two looks.
pub const LOOK_PAUSE: DurationMs = DurationMs::from_days(1);

/// Returns the task that looks for keys that end soon.
pub(super) fn task() -> Task {
    Task::own(TaskKind::NoticeKeyEnds)
}

/// Returns the days of the notice that is due for a key. `set_at` is the time of its last change,
/// and `noticed` the days of the last notice of this end. A key whose end was set later than a
/// notice would have come does not get it: who set the end knows it.
fn due(expires: UnixMs, set_at: UnixMs, noticed: Option<u32>, now: UnixMs) -> Option<u32> {
    let before = |days: u32| expires.saturating_sub(DurationMs::from_days(days.into()));
    THRESHOLDS
        .into_iter()
        .find(|days| before(*days).saturating_sub(LOOK_PAUSE) <= now && now < expires)
        .filter(|days| set_at < before(*days) && noticed.is_none_or(|noticed| *days < noticed))
}

/// Looks for keys that end soon, and notes them.
pub(super) fn step(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let [.., most] = THRESHOLDS;
    let horizon = now.saturating_add(DurationMs::from_days(u64::from(most).saturating_add(1)));
    // The condition has the form of the index `key_by_expires`.
    let text = "SELECT key.id, key.name, key.created_by, key.expires_ms, key.changed_at_ms,
            ifnull(noticed.days, 0)
        FROM key LEFT JOIN key_end_notice AS noticed
            ON noticed.key = key.id AND noticed.expires_ms = key.expires_ms
        WHERE ifnull(key.expires_ms, 9007199254740991) > ?
            AND ifnull(key.expires_ms, 9007199254740991) <= ?
            AND key.state = 'active' AND key.issued_by IS NULL
        ORDER BY ifnull(key.expires_ms, 9007199254740991), key.id";
    let mut writes = vec![notice_list::sweep(now)];
    for mut row in sql.rows(&Statement::new(text).bind(now).bind(horizon))? {
        let (id, name) = (row.parsed("a key ID", KeyId::parse)?, row.text()?);
        let member = row.parsed("a member ID", MemberId::parse)?;
        let (expires, set_at) = (row.time()?, row.time()?);
        let noticed = Some(row.count()?).filter(|days| *days > 0);
        let Some(days) = due(expires, set_at, noticed, now) else { continue };
        let text = "INSERT OR REPLACE INTO key_end_notice (key, expires_ms, days) VALUES (?, ?, ?)";
        writes.push(Statement::new(text).bind(id.as_str()).bind(expires).bind(days));
        let key = Some(KeyName { id, name });
        let item = NoticeItem { key, act: None, by: None, network: None, at: expires };
        writes.extend(notices::of_key(NoticeKind::KeyEnd, member, &item, now));
    }
    Ok(TaskStep::Chore { writes, again: Some(now.saturating_add(LOOK_PAUSE)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1_000;
    const END: i64 = 1_800_000_000_000;

    fn due_at(before_end: i64, set_before_end: i64, noticed: Option<u32>) -> Option<u32> {
        let at = |before: i64| UnixMs::from_ms(END - before);
        due(at(0), at(set_before_end), noticed, at(before_end))
    }

    #[test]
    fn each_threshold_is_due_from_a_day_before_its_time_and_once() {
        let long_ago = 365 * DAY;
        for (before_end, noticed, expected) in [
            (31 * DAY + 1, None, None),
            (31 * DAY, None, Some(30)),
            (30 * DAY, Some(30), None),
            (11 * DAY + 1, Some(30), None),
            (11 * DAY, Some(30), Some(10)),
            (5 * DAY, Some(10), None),
            (2 * DAY, Some(10), Some(1)),
            (1, Some(1), None),
            (1, None, Some(1)),
            (0, None, None),
            (-1, None, None),
        ] {
            assert_eq!(due_at(before_end, long_ago, noticed), expected, "{before_end} {noticed:?}");
        }
    }

    #[test]
    fn an_end_that_was_set_later_than_its_notice_has_none() {
        for (before_end, set_before_end, expected) in [
            (9 * DAY, 9 * DAY, None),
            (9 * DAY, 20 * DAY, Some(10)),
            (2 * DAY, 5 * DAY, Some(1)),
            (DAY / 2, DAY / 2, None),
            (DAY / 2, DAY, None),
            (DAY / 2, DAY + 1, Some(1)),
        ] {
            assert_eq!(due_at(before_end, set_before_end, None), expected, "{before_end}");
        }
    }

    #[test]
    fn an_outage_leaves_out_the_notices_that_are_past() {
        assert_eq!(due_at(3 * DAY, 365 * DAY, None), Some(10));
        assert_eq!(due_at(DAY, 365 * DAY, Some(30)), Some(1));
    }
}
