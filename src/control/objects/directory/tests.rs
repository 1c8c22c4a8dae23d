use super::*;
use crate::objects::sql::sqlite::{Fault, Sqlite};
use crate::protocol::effect::EffectOutcome;
use crate::protocol::operator::{AccountStatus, AccountsByStatus, DirectoryEntry, EntryCursor};

const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);
const LATER: UnixMs = UnixMs::from_ms(1_800_000_600_000);

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn ask(sql: &Sqlite, request: DirectoryRequest) -> DirectoryReply {
    Directory::new(sql).handle(request, NOW, &Entropy([0; 32])).unwrap()
}

fn enter_first(sql: &Sqlite, id: &str) -> DirectoryReply {
    ask(sql, DirectoryRequest::EnterFirst { account: account(id), claimant: None })
}

fn confirm(sql: &Sqlite, id: &str) -> DirectoryReply {
    ask(sql, DirectoryRequest::Confirm { account: account(id), name: None, suspended: None })
}

#[test]
fn only_one_account_is_the_first() {
    let sql = Sqlite::new();
    assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::Entered);
    assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::Entered, "repeated as if once");
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
    assert_eq!(confirm(&sql, "aaaaaaaa"), DirectoryReply::Noted);
    assert_eq!(confirm(&sql, "aaaaaaaa"), DirectoryReply::Noted);
    assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::SetupDone);
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
    assert_eq!(Directory::new(&sql).next_due(), Ok(None), "what is confirmed is not asked for");
}

#[test]
fn a_pending_account_is_asked_for_until_there_is_an_answer() {
    for (held, freed) in [(true, false), (false, true)] {
        let sql = Sqlite::new();
        enter_first(&sql, "aaaaaaaa");
        let directory = Directory::new(&sql);
        assert_eq!(directory.next_due(), Ok(Some(LATER)));
        assert_eq!(directory.next_effect(NOW), Ok(None));

        let effect = directory.next_effect(LATER).unwrap().unwrap();
        assert_eq!(effect, Effect::AskExists { account: account("aaaaaaaa") });
        assert_eq!(directory.next_effect(LATER), Ok(None), "it is under way");
        directory.settle(&effect, &EffectOutcome::Failed, LATER).unwrap();
        let again = LATER.saturating_add(DurationMs::from_s(1));
        assert_eq!(directory.next_effect(again), Ok(Some(effect.clone())));
        directory.settle(&effect, &EffectOutcome::Answered { held }, again).unwrap();

        assert_eq!(directory.next_due(), Ok(None));
        let expected = if freed { DirectoryReply::Entered } else { DirectoryReply::SetupDone };
        assert_eq!(enter_first(&sql, "bbbbbbbb"), expected);
    }
}

#[test]
fn a_crash_while_asking_asks_again() {
    let sql = Sqlite::new();
    enter_first(&sql, "aaaaaaaa");
    let effect = Directory::new(&sql).next_effect(LATER).unwrap();
    let after = LATER.saturating_add(DurationMs::from_ms(tasks::IN_FLIGHT_MS));
    assert_eq!(Directory::new(&sql).next_due(), Ok(Some(after)));
    assert_eq!(Directory::new(&sql).next_effect(after), Ok(effect));
}

#[test]
fn a_ledger_that_was_opened_late_is_listed_all_the_same() {
    let sql = Sqlite::new();
    assert_eq!(confirm(&sql, "aaaaaaaa"), DirectoryReply::Noted);
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
}

#[test]
fn an_answer_that_comes_after_the_confirmation_changes_nothing() {
    let sql = Sqlite::new();
    enter_first(&sql, "aaaaaaaa");
    let directory = Directory::new(&sql);
    let effect = directory.next_effect(LATER).unwrap().unwrap();
    confirm(&sql, "aaaaaaaa");
    directory.settle(&effect, &EffectOutcome::Answered { held: false }, LATER).unwrap();
    assert_eq!(enter_first(&sql, "aaaaaaaa"), DirectoryReply::SetupDone);
}

fn note(sql: &Sqlite, seed: u8) -> DirectoryReply {
    let request = DirectoryRequest::NoteEpoch { account: account("aaaaaaaa") };
    Directory::new(sql).handle(request, NOW, &Entropy([seed; 32])).unwrap()
}

fn restored(sql: &Sqlite) -> DirectoryReply {
    ask(sql, DirectoryRequest::Restored { account: account("aaaaaaaa") })
}

#[test]
fn a_noted_history_is_told_after_the_restore_until_it_is_taken() {
    let sql = Sqlite::new();
    assert_eq!((note(&sql, 1), restored(&sql)), (DirectoryReply::Unknown, DirectoryReply::Unknown));
    confirm(&sql, "aaaaaaaa");
    assert_eq!(restored(&sql), DirectoryReply::Unknown, "nothing was noted");
    let DirectoryReply::Epoch { epoch } = note(&sql, 1) else { panic!("not noted") };
    let directory = Directory::new(&sql);
    assert_eq!(directory.next_due(), Ok(None), "the ledger would forget it");
    assert_eq!(restored(&sql), DirectoryReply::Noted);

    let effect = directory.next_effect(NOW).unwrap().unwrap();
    assert_eq!(effect, Effect::TellEpoch { account: account("aaaaaaaa"), epoch });
    directory.settle(&effect, &EffectOutcome::Failed, NOW).unwrap();
    assert_eq!(directory.next_effect(LATER), Ok(Some(effect.clone())));
    directory.settle(&effect, &EffectOutcome::Done, LATER).unwrap();
    assert_eq!((directory.next_due(), restored(&sql)), (Ok(None), DirectoryReply::Unknown));
}

#[test]
fn a_second_restore_is_told_its_own_history_alone() {
    let sql = Sqlite::new();
    confirm(&sql, "aaaaaaaa");
    note(&sql, 1);
    restored(&sql);
    let directory = Directory::new(&sql);
    let first = directory.next_effect(NOW).unwrap().unwrap();
    let DirectoryReply::Epoch { epoch } = note(&sql, 2) else { panic!("not noted") };
    assert_eq!(directory.next_due(), Ok(None), "that ledger is not restored yet");
    restored(&sql);
    directory.settle(&first, &EffectOutcome::Done, NOW).unwrap();
    let second = directory.next_effect(NOW).unwrap();
    assert_eq!(second, Some(Effect::TellEpoch { account: account("aaaaaaaa"), epoch }));
}

#[test]
fn a_directory_of_the_first_version_is_migrated_with_its_rows() {
    let sql = Sqlite::new();
    migrate(&sql, &MIGRATIONS[..1], NOW).unwrap();
    sql.apply(&[Statement::new("INSERT INTO account VALUES ('aaaaaaaa', 'open', 0)")]).unwrap();
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
    assert!(matches!(note(&sql, 1), DirectoryReply::Epoch { .. }));
    assert_eq!(list(&sql, None).0.len(), 1);
}

#[test]
fn an_entry_that_fails_leaves_nothing() {
    let sql = Sqlite::new();
    sql.break_apply(2, Fault::BeforeItLands);
    let request = DirectoryRequest::EnterFirst { account: account("aaaaaaaa"), claimant: None };
    assert!(Directory::new(&sql).handle(request, NOW, &Entropy([0; 32])).is_err());
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::Entered);
}

fn invite(sql: &Sqlite, id: &str) -> DirectoryReply {
    ask(sql, DirectoryRequest::Invite { account: account(id), again: false })
}

/// Time after which the set-up link cannot be in use any more.
const LINK_OVER: UnixMs = UnixMs::from_ms(1_800_000_000_000 + SETUP_LIFE_MS + 600_000);

#[test]
fn a_link_of_an_invited_account_opens_that_one_alone_and_once() {
    let sql = Sqlite::new();
    confirm(&sql, "aaaaaaaa");
    assert_eq!(invite(&sql, "bbbbbbbb"), DirectoryReply::Entered);
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::Invited);
    assert_eq!(
        enter_first(&sql, "bbbbbbbb"),
        DirectoryReply::Invited,
        "a set-up that broke off goes on"
    );
    assert_eq!(
        enter_first(&sql, "cccccccc"),
        DirectoryReply::SetupDone,
        "a link of the first kind"
    );
    assert_eq!(confirm(&sql, "bbbbbbbb"), DirectoryReply::Noted);
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone);
    for listed in ["aaaaaaaa", "bbbbbbbb"] {
        assert_eq!(invite(&sql, listed), DirectoryReply::SetupDone, "an account that is there");
    }
}

#[test]
fn an_invited_account_vanishes_when_its_link_was_never_used() {
    let sql = Sqlite::new();
    confirm(&sql, "aaaaaaaa");
    invite(&sql, "bbbbbbbb");
    let directory = Directory::new(&sql);
    assert_eq!(directory.next_due(), Ok(Some(LINK_OVER)), "not while it may be used");
    let effect = directory.next_effect(LINK_OVER).unwrap().unwrap();
    assert_eq!(effect, Effect::AskExists { account: account("bbbbbbbb") });
    directory.settle(&effect, &EffectOutcome::Answered { held: false }, LINK_OVER).unwrap();
    assert_eq!(find(&sql, "bbbbbbbb"), DirectoryReply::Unknown);
    assert_eq!(enter_first(&sql, "bbbbbbbb"), DirectoryReply::SetupDone, "nor does it come back");
}

#[test]
fn an_invitation_that_is_repeated_enters_what_is_not_open() {
    let sql = Sqlite::new();
    confirm(&sql, "aaaaaaaa");
    ask(&sql, DirectoryRequest::EnterFirst { account: account("aaaaaaaa"), claimant: None });
    let later = UnixMs::from_ms(NOW.as_ms() + 60_000);
    let again = |id, now| {
        let request = DirectoryRequest::Invite { account: account(id), again: true };
        Directory::new(&sql).handle(request, now, &Entropy([0; 32])).unwrap()
    };
    assert_eq!(again("bbbbbbbb", NOW), DirectoryReply::Entered, "one that was never entered");
    assert_eq!(again("bbbbbbbb", later), DirectoryReply::Entered, "one that waits");
    let DirectoryReply::Account(entry) = find(&sql, "bbbbbbbb") else { panic!("not listed") };
    assert_eq!((entry.state, entry.entered_at), (EntryState::Pending, later));
    let over = UnixMs::from_ms(LINK_OVER.as_ms() + 60_000);
    assert_eq!(Directory::new(&sql).next_due(), Ok(Some(over)), "as long as the new link lives");
    confirm(&sql, "bbbbbbbb");
    for id in ["aaaaaaaa", "bbbbbbbb"] {
        assert_eq!(again(id, later), DirectoryReply::SetupDone, "one that was opened");
    }
}

fn find(sql: &Sqlite, id: &str) -> DirectoryReply {
    ask(sql, DirectoryRequest::Find { account: account(id) })
}

fn list(sql: &Sqlite, cursor: Option<EntryCursor>) -> (Vec<DirectoryEntry>, Option<EntryCursor>) {
    match ask(sql, DirectoryRequest::List { cursor, q: None, status: None }) {
        DirectoryReply::Accounts { accounts, next, .. } => (accounts, next),
        other => panic!("no list: {other:?}"),
    }
}

#[test]
fn accounts_are_listed_in_pages_each_of_them_once() {
    let sql = Sqlite::new();
    assert_eq!(list(&sql, None), (Vec::new(), None));
    assert_eq!(find(&sql, "aaaaaaaa"), DirectoryReply::Unknown);
    for number in 0..101 {
        let id = format!("a{number:07}");
        // Several have the same instant.
        let now = UnixMs::from_ms(1_800_000_000_000 + number / 30);
        let request = DirectoryRequest::Invite { account: account(&id), again: false };
        Directory::new(&sql).handle(request, now, &Entropy([0; 32])).unwrap();
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None, Vec::new());
    loop {
        let (accounts, next) = list(&sql, cursor);
        pages.push(accounts.len());
        seen.extend(accounts);
        cursor = next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(pages, [50, 50, 1]);
    let latest_first: Vec<String> = (0..101).rev().map(|number| format!("a{number:07}")).collect();
    assert_eq!(seen.iter().map(|entry| entry.id.to_string()).collect::<Vec<_>>(), latest_first);
}

#[test]
fn an_account_is_listed_with_the_name_that_its_ledger_tells() {
    let sql = Sqlite::new();
    let tell = |name: Option<&str>| {
        let name = name.map(str::to_owned);
        ask(&sql, DirectoryRequest::Confirm { account: account("aaaaaaaa"), name, suspended: None })
    };
    let entry = |name: Option<&str>, restoring| {
        let (id, name) = (account("aaaaaaaa"), name.map(str::to_owned));
        DirectoryReply::Account(DirectoryEntry {
            id,
            state: EntryState::Open,
            entered_at: NOW,
            name,
            restoring,
            suspended: false,
        })
    };
    enter_first(&sql, "aaaaaaaa");
    tell(None);
    assert_eq!(find(&sql, "aaaaaaaa"), entry(None, false));
    tell(Some("Example KK"));
    assert_eq!(find(&sql, "aaaaaaaa"), entry(Some("Example KK"), false));
    tell(Some("Example GK"));
    tell(None);
    note(&sql, 1);
    assert_eq!(find(&sql, "aaaaaaaa"), entry(Some("Example GK"), true), "what is not told stays");
}

fn enter_as(sql: &Sqlite, email: &str, after_ms: i64) -> DirectoryReply {
    let claimant = Some(Digest::of(email.as_bytes()));
    let request = DirectoryRequest::EnterFirst { account: account("aaaaaaaa"), claimant };
    let now = UnixMs::from_ms(START_MS + after_ms);
    Directory::new(sql).handle(request, now, &Entropy([1; 32])).unwrap()
}

fn leave_as(sql: &Sqlite, email: &str) {
    let claimant = Digest::of(email.as_bytes());
    let request = DirectoryRequest::LeaveSetup { account: account("aaaaaaaa"), claimant };
    assert_eq!(ask(sql, request), DirectoryReply::Noted);
}

const START_MS: i64 = 1_800_000_000_000;

#[test]
fn one_address_at_a_time_uses_a_link_and_the_others_are_busy() {
    for is_invited in [false, true] {
        let sql = Sqlite::new();
        let entered = if is_invited {
            let invite = DirectoryRequest::Invite { account: account("aaaaaaaa"), again: false };
            assert_eq!(ask(&sql, invite), DirectoryReply::Entered);
            DirectoryReply::Invited
        } else {
            DirectoryReply::Entered
        };
        let pending = i64::try_from(PENDING_MS).unwrap();
        let busy = |ms| DirectoryReply::SetupBusy { until: UnixMs::from_ms(START_MS + ms) };
        assert_eq!(enter_as(&sql, "mei@example.jp", 0), entered);
        for other in 0..30 {
            let email = format!("stranger{other}@example.org");
            assert_eq!(enter_as(&sql, &email, 1), busy(pending));
        }
        assert_eq!(enter_as(&sql, "mei@example.jp", 2), entered, "repeated as if once");
        assert_eq!(enter_as(&sql, "ken@example.jp", pending + 1), busy(pending + 2));
        // An attempt that had a name lasts as long as the name is held, and another leaves.
        assert_eq!(enter_as(&sql, "ken@example.jp", pending + 2), entered);
        leave_as(&sql, "mei@example.jp");
        assert_eq!(enter_as(&sql, "mei@example.jp", pending + 3), busy(2 * pending + 2));
        leave_as(&sql, "ken@example.jp");
        assert_eq!(enter_as(&sql, "mei@example.jp", pending + 3), entered);
        ask(
            &sql,
            DirectoryRequest::Confirm { account: account("aaaaaaaa"), name: None, suspended: None },
        );
        assert_eq!(enter_as(&sql, "mei@example.jp", pending + 4), DirectoryReply::SetupDone);
    }
}

#[test]
fn an_attempt_of_an_earlier_release_is_not_stopped() {
    let sql = Sqlite::new();
    assert_eq!(enter_as(&sql, "mei@example.jp", 0), DirectoryReply::Entered);
    let request = DirectoryRequest::EnterFirst { account: account("aaaaaaaa"), claimant: None };
    assert_eq!(ask(&sql, request), DirectoryReply::Entered);
    leave_as(&Sqlite::new(), "mei@example.jp");
}

#[test]
fn a_link_is_looked_at_without_entering_its_account() {
    let sql = Sqlite::new();
    let check = |id: &str| ask(&sql, DirectoryRequest::CheckFirst { account: account(id) });
    assert_eq!(check("aaaaaaaa"), DirectoryReply::Entered, "the deployment's first");
    assert_eq!(find(&sql, "aaaaaaaa"), DirectoryReply::Unknown, "nothing was entered");
    enter_first(&sql, "aaaaaaaa");
    assert_eq!(check("aaaaaaaa"), DirectoryReply::Entered, "a set-up that broke off goes on");
    confirm(&sql, "aaaaaaaa");
    assert_eq!(check("aaaaaaaa"), DirectoryReply::SetupDone, "the link was used");
    assert_eq!(check("bbbbbbbb"), DirectoryReply::SetupDone, "another account was the first");
    invite(&sql, "bbbbbbbb");
    assert_eq!(check("bbbbbbbb"), DirectoryReply::Entered, "an invited one");
}

#[test]
fn a_suspended_account_is_listed_as_such_until_it_is_resumed() {
    let sql = Sqlite::new();
    let note = |suspended| {
        ask(&sql, DirectoryRequest::NoteSuspended { account: account("aaaaaaaa"), suspended })
    };
    let listed = || list(&sql, None).0.iter().map(|entry| entry.suspended).collect::<Vec<_>>();
    assert_eq!(note(true), DirectoryReply::Unknown);
    enter_first(&sql, "aaaaaaaa");
    assert_eq!(note(true), DirectoryReply::Unknown, "one that is not open has no keys");
    confirm(&sql, "aaaaaaaa");
    for suspended in [true, true, false] {
        assert_eq!(note(suspended), DirectoryReply::Noted);
        assert_eq!(listed(), [suspended]);
    }
}

#[test]
fn the_first_account_is_the_earliest_open_one_that_nobody_invited() {
    let sql = Sqlite::new();
    let first = |sql: &Sqlite| match ask(sql, DirectoryRequest::FindFirst) {
        DirectoryReply::Account(entry) => Some(entry.id),
        DirectoryReply::Unknown => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(first(&sql), None);
    enter_first(&sql, "bbbbbbbb");
    assert_eq!(first(&sql), None, "its ledger is not open yet");
    confirm(&sql, "bbbbbbbb");
    assert_eq!(first(&sql), Some(account("bbbbbbbb")));
    ask(&sql, DirectoryRequest::Invite { account: account("aaaaaaaa"), again: false });
    confirm(&sql, "aaaaaaaa");
    assert_eq!(first(&sql), Some(account("bbbbbbbb")));
    let gone = Statement::new("DELETE FROM account WHERE id = 'bbbbbbbb'");
    sql.apply(&[gone]).unwrap();
    assert_eq!(first(&sql), None, "an invited account never takes its place");
}

fn name(sql: &Sqlite, id: &str, name: &str, suspended: Option<bool>) {
    let name = Some(name.to_owned());
    ask(sql, DirectoryRequest::Confirm { account: account(id), name, suspended });
}

/// Returns the IDs of a page, its counts, and the cursor of the next page.
fn search(
    sql: &Sqlite,
    q: Option<&str>,
    status: Option<AccountStatus>,
    cursor: Option<EntryCursor>,
) -> (Vec<String>, AccountsByStatus, Option<EntryCursor>) {
    match ask(sql, DirectoryRequest::List { cursor, q: q.map(str::to_owned), status }) {
        DirectoryReply::Accounts { accounts, next, counts } => {
            let ids = accounts.iter().map(|entry| entry.id.to_string()).collect();
            (ids, counts.unwrap(), next)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn accounts_are_found_by_name_id_and_status() {
    let sql = Sqlite::new();
    assert_eq!(search(&sql, Some("a"), None, None), (vec![], AccountsByStatus::default(), None));
    name(&sql, "aaaaaaaa", "Example KK", None);
    name(&sql, "bbbbbbbb", "経理サーバー株式会社", Some(true));
    name(&sql, "cccccccc", "Exa 100% GmbH", None);
    ask(&sql, DirectoryRequest::Invite { account: account("dddddddd"), again: false });
    for (q, status, found) in [
        (None, None, "dddddddd cccccccc bbbbbbbb aaaaaaaa"),
        (Some(""), None, "dddddddd cccccccc bbbbbbbb aaaaaaaa"),
        (Some("exa"), None, "cccccccc aaaaaaaa"),
        (Some("ＥＸＡＭＰＬＥ"), None, "aaaaaaaa"),
        (Some("kk example"), None, "aaaaaaaa"),
        (Some("さーば"), None, "bbbbbbbb"),
        (Some("100%"), None, "cccccccc"),
        (Some("%"), None, "cccccccc"),
        (Some("dddd"), None, "dddddddd"),
        (Some(" dddddddd "), None, "dddddddd"),
        (Some("DDDD"), None, ""),
        (Some("' OR 1"), None, ""),
        (None, Some(AccountStatus::Open), "cccccccc aaaaaaaa"),
        (None, Some(AccountStatus::Suspended), "bbbbbbbb"),
        (None, Some(AccountStatus::Pending), "dddddddd"),
        (Some("exa"), Some(AccountStatus::Suspended), ""),
    ] {
        let (ids, counts, next) = search(&sql, q, status, None);
        assert_eq!((ids.join(" ").as_str(), next), (found, None), "{q:?} {status:?}");
        assert_eq!(counts, AccountsByStatus { pending: 1, open: 2, suspended: 1 });
    }
}

#[test]
fn ten_thousand_accounts_are_paged_and_searched() {
    let sql = Sqlite::new();
    name(&sql, "aaaaaaaa", "First", None);
    let many = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
        INSERT INTO account (id, state, entered_at_ms, invited, name, suspended)
        SELECT printf('A%07d', i), 'open', 1800000000000 + i / 3, 1, 'Customer ' || i, i % 10 = 0 FROM n";
    sql.apply(&[Statement::new(many)]).unwrap();
    let all = |q: Option<&str>, status| {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let (page, counts, next) = search(&sql, q, status, cursor);
            assert!(page.len() <= 50);
            assert_eq!((counts.open, counts.suspended), (9_001, 1_000));
            ids.extend(page);
            cursor = next;
            if cursor.is_none() {
                break ids;
            }
        }
    };
    let mut suspended = all(None, Some(AccountStatus::Suspended));
    assert_eq!(suspended.len(), 1_000);
    suspended.dedup();
    assert_eq!(suspended.len(), 1_000, "none twice");
    // The numbers that contain 999: 999, 1999 to 9999, and 9990 to 9998.
    assert_eq!(all(Some("customer 999"), None).len(), 19);
    assert_eq!(search(&sql, Some("A0000042"), None, None).0, ["A0000042"]);
}

#[test]
fn a_ledger_corrects_what_the_list_says_of_its_account() {
    let sql = Sqlite::new();
    name(&sql, "aaaaaaaa", "Example KK", None);
    let suspended = |sql: &Sqlite| search(sql, None, None, None).1.suspended;
    for (told, expected) in [(Some(true), 1), (None, 1), (Some(false), 0)] {
        name(&sql, "aaaaaaaa", "Example KK", told);
        assert_eq!(suspended(&sql), expected, "{told:?}");
    }
}

#[test]
fn an_invitation_is_withdrawn_until_somebody_uses_it() {
    let withdraw = |sql: &Sqlite, id: &str, now| {
        let request = DirectoryRequest::Withdraw { account: account(id) };
        Directory::new(sql).handle(request, now, &Entropy([0; 32])).unwrap()
    };
    let claim = |sql: &Sqlite, id: &str| {
        let claimant = Some(Digest::of(b"noor@example.org"));
        ask(sql, DirectoryRequest::EnterFirst { account: account(id), claimant })
    };
    let sql = Sqlite::new();
    assert_eq!(withdraw(&sql, "bbbbbbbb", NOW), DirectoryReply::Unknown);
    enter_first(&sql, "aaaaaaaa");
    assert_eq!(withdraw(&sql, "aaaaaaaa", NOW), DirectoryReply::Unknown, "nobody invited it");
    confirm(&sql, "aaaaaaaa");
    assert_eq!(withdraw(&sql, "aaaaaaaa", NOW), DirectoryReply::SetupDone);

    ask(&sql, DirectoryRequest::Invite { account: account("bbbbbbbb"), again: false });
    assert_eq!(claim(&sql, "bbbbbbbb"), DirectoryReply::Invited);
    assert_eq!(withdraw(&sql, "bbbbbbbb", NOW), DirectoryReply::SetupBusy { until: LATER });
    // The attempt came to nothing.
    assert_eq!(withdraw(&sql, "bbbbbbbb", LATER), DirectoryReply::Noted);
    assert_eq!(withdraw(&sql, "bbbbbbbb", LATER), DirectoryReply::Unknown);
    assert_eq!(claim(&sql, "bbbbbbbb"), DirectoryReply::SetupDone, "the link is over");
    assert_eq!(Directory::new(&sql).next_due(), Ok(None), "its ledger is not asked for");
    // A set-up that went through all the same is listed: its ledger has the last word.
    confirm(&sql, "bbbbbbbb");
    assert_eq!(withdraw(&sql, "bbbbbbbb", LATER), DirectoryReply::SetupDone);
}
