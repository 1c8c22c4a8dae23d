use super::*;
use crate::objects::sql::sqlite::Sqlite;
use claviger_core::testing::at;

fn table() -> Sqlite {
    let sql = Sqlite::new();
    sql.apply(&[Statement::new(TABLE), Statement::new(INDEX)]).unwrap();
    sql
}

#[test]
fn a_duty_stands_until_it_is_done() {
    let sql = table();
    let task = Task::new(TaskKind::PutRecord, "k");
    assert_eq!(earliest(&sql), Ok(None));
    sql.apply(&[
        task.schedule(at(100)),
        task.schedule(at(50)),
        Task::own(TaskKind::SweepSessions).schedule(at(200)),
    ])
    .unwrap();
    assert_eq!(earliest(&sql), Ok(Some(at(100))), "scheduled twice is scheduled once");
    assert_eq!(first(&sql, at(99)), Ok(None));
    assert_eq!(first(&sql, at(100)), Ok(Some(task.clone())));

    sql.apply(&[task.taken(at(100))]).unwrap();
    assert_eq!(first(&sql, at(150)), Ok(None), "one that is taken is given to nobody else");
    assert_eq!(first(&sql, at(30_100)).unwrap(), Some(Task::own(TaskKind::SweepSessions)));

    sql.apply(&[task.failed(&sql, at(150)).unwrap()]).unwrap();
    sql.apply(&[Task::own(TaskKind::SweepSessions).done()]).unwrap();
    assert_eq!(earliest(&sql), Ok(Some(at(1_150))));
    sql.apply(&[task.done()]).unwrap();
    assert_eq!(earliest(&sql), Ok(None));
}

#[test]
fn a_duty_that_is_owed_for_several_things_is_due_at_the_first_of_them() {
    let sql = table();
    let task = Task::own(TaskKind::SweepIssued);
    for (by, due) in [(300, 300), (100, 100), (200, 100)] {
        sql.apply(&[task.schedule_by(at(by))]).unwrap();
        assert_eq!(earliest(&sql), Ok(Some(at(due))));
    }
}

#[test]
fn mail_comes_before_whatever_was_due_earlier() {
    let sql = table();
    let put = |key: &str| Task::new(TaskKind::PutRecord, key);
    let mail = |id: &str| Task::new(TaskKind::SendMail, id);
    let schedules = [
        put("a").schedule(at(10)),
        put("b").schedule(at(20)),
        mail("d").schedule(at(40)),
        mail("c").schedule(at(50)),
    ];
    sql.apply(&schedules).unwrap();
    assert_eq!(first(&sql, at(39)), Ok(Some(put("a"))), "not before it is due");
    for expected in [mail("d"), mail("c"), put("a"), put("b")] {
        assert_eq!(first(&sql, at(100)), Ok(Some(expected.clone())));
        sql.apply(&[expected.taken(at(100))]).unwrap();
    }
    assert_eq!(first(&sql, at(100)), Ok(None));
}

#[test]
fn a_duty_of_a_later_release_waits_for_it_and_holds_up_nothing() {
    let sql = table();
    let later = "INSERT INTO due (at_ms, attempts, kind, subject) VALUES (5, 0, 'brew_tea', '')";
    let put = Task::new(TaskKind::PutRecord, "a");
    sql.apply(&[Statement::new(later)]).unwrap();
    assert_eq!(
        (earliest(&sql), first(&sql, at(100))),
        (Ok(None), Ok(None)),
        "it would ring for ever"
    );
    sql.apply(&[put.schedule(at(10))]).unwrap();
    assert_eq!((earliest(&sql), first(&sql, at(100))), (Ok(Some(at(10))), Ok(Some(put.clone()))));
    sql.apply(&[put.done()]).unwrap();
    assert_eq!(sql.integer(&Statement::new("SELECT count(*) FROM due")), Ok(1));
}

#[test]
fn a_duty_that_cannot_begin_is_put_off_longer_each_time() {
    let sql = table();
    let task = Task::own(TaskKind::Repair);
    sql.apply(&[task.schedule(at(0))]).unwrap();
    let (mut now, mut pauses) = (at(0), Vec::new());
    for _ in 0..10 {
        sql.apply(&[task.stuck(&sql, now).unwrap()]).unwrap();
        let due = earliest(&sql).unwrap().unwrap();
        pauses.push(due.since(now).unwrap().as_ms() / 1_000);
        now = due;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
}

#[test]
fn the_backoff_begins_anew_after_a_success_and_only_then() {
    let sql = table();
    let task = Task::new(TaskKind::PutRecord, "k");
    let pause_after = |again: Statement| {
        sql.apply(&[again, task.taken(at(0))]).unwrap();
        sql.apply(&[task.failed(&sql, at(0)).unwrap()]).unwrap();
        earliest(&sql).unwrap().map(UnixMs::as_ms)
    };
    assert_eq!(pause_after(task.schedule(at(0))), Some(1_000));
    for (again, pause_ms) in [
        (task.schedule(at(0)), 2_000),
        (task.schedule_by(at(0)), 4_000),
        (task.postpone(at(0)), 1_000),
        (task.schedule(at(0)), 2_000),
        (task.reschedule(at(0)), 1_000),
    ] {
        assert_eq!(pause_after(again), Some(pause_ms));
    }
}

#[test]
fn pauses_double_up_to_a_cap() {
    let expected = [
        (0, 1),
        (1, 1),
        (2, 2),
        (3, 4),
        (8, 128),
        (9, 256),
        (10, 300),
        (40, 300),
        (100, 300),
        (i64::MAX, 300),
    ];
    for (attempts, seconds) in expected {
        assert_eq!(pause(attempts), DurationMs::from_s(seconds), "{attempts}");
    }
}

/// Stored in ledgers, so that the text must not change.
#[test]
fn a_former_name_is_the_subject_of_its_task() {
    let id = claviger_core::testing::key_id();
    let name = ApiUserName::parse("a/b@example.com").unwrap();
    let task = Task::of_former_name(id, ApiSecretVersion(3), &name);
    assert_eq!(task.subject, "a1B2c3D47Hq0p2Zx9K/3/a/b@example.com");
    assert_eq!(task.former_name(), Some((id, ApiSecretVersion(3), name)));
    for bad in
        ["", "a1B2c3D47Hq0p2Zx9K", "a1B2c3D47Hq0p2Zx9K/3", "a1B2c3D47Hq0p2Zx9K/x/a@b.example"]
    {
        assert_eq!(Task::new(TaskKind::LeaveApiName, bad).former_name(), None, "{bad}");
    }
}

#[test]
fn every_kind_reads_back() {
    for kind in TaskKind::ALL {
        assert_eq!(TaskKind::parse(kind.as_str()), Some(kind));
    }
}
