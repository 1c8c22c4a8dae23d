//! The directory and the address objects.

use super::*;

#[test]
fn the_directory_and_addresses() {
    let cursor = EntryCursor { entered_at: at(5), id: account() };
    let entry = |state, name: Option<&str>| DirectoryEntry {
        id: account(),
        state,
        entered_at: at(5),
        name: name.map(str::to_owned),
        restoring: false,
        suspended: false,
    };
    pin(vec![
        (
            DirectoryRequest::EnterFirst { account: account(), claimant: None },
            r#"{"ask":"enter_first","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::EnterFirst { account: account(), claimant: Some(digest()) },
            format!(
                r#"{{"ask":"enter_first","account":"a1B2c3D4","claimant":{}}}"#,
                serde_json::json!(digest())
            ),
        ),
        (
            DirectoryRequest::LeaveSetup { account: account(), claimant: digest() },
            format!(
                r#"{{"ask":"leave_setup","account":"a1B2c3D4","claimant":{}}}"#,
                serde_json::json!(digest())
            ),
        ),
        (
            DirectoryRequest::CheckFirst { account: account() },
            r#"{"ask":"check_first","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::NoteSuspended { account: account(), suspended: true },
            r#"{"ask":"note_suspended","account":"a1B2c3D4","suspended":true}"#.into(),
        ),
        (
            DirectoryRequest::Confirm { account: account(), name: None, suspended: None },
            r#"{"ask":"confirm","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::Confirm {
                account: account(),
                name: Some("Example KK".into()),
                suspended: Some(true),
            },
            r#"{"ask":"confirm","account":"a1B2c3D4","name":"Example KK","suspended":true}"#.into(),
        ),
        (
            DirectoryRequest::Withdraw { account: account() },
            r#"{"ask":"withdraw","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::Invite { account: account(), again: true },
            r#"{"ask":"invite","account":"a1B2c3D4","again":true}"#.into(),
        ),
        (
            DirectoryRequest::Invite { account: account(), again: false },
            r#"{"ask":"invite","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::List { cursor: None, q: None, status: None },
            r#"{"ask":"list","cursor":null}"#.into(),
        ),
        (
            DirectoryRequest::List {
                cursor: None,
                q: Some("example".into()),
                status: Some(AccountStatus::Suspended),
            },
            r#"{"ask":"list","cursor":null,"q":"example","status":"suspended"}"#.into(),
        ),
        (
            DirectoryRequest::List { cursor: Some(cursor), q: None, status: None },
            r#"{"ask":"list","cursor":{"entered_at":5,"id":"a1B2c3D4"}}"#.into(),
        ),
        (
            DirectoryRequest::Find { account: account() },
            r#"{"ask":"find","account":"a1B2c3D4"}"#.into(),
        ),
        (DirectoryRequest::FindFirst, r#"{"ask":"find_first"}"#.into()),
        (
            DirectoryRequest::NoteEpoch { account: account() },
            r#"{"ask":"note_epoch","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::Restored { account: account() },
            r#"{"ask":"restored","account":"a1B2c3D4"}"#.into(),
        ),
    ]);
    pin(vec![
        (
            DirectoryReply::Epoch { epoch: Epoch::new(1) },
            r#"{"reply":"epoch","epoch":"0000000000000001"}"#.into(),
        ),
        (DirectoryReply::Unknown, r#"{"reply":"unknown"}"#.into()),
        (DirectoryReply::Entered, r#"{"reply":"entered"}"#.into()),
        (DirectoryReply::Invited, r#"{"reply":"invited"}"#.into()),
        (
            DirectoryReply::Accounts { accounts: vec![entry(EntryState::Pending, None)], next: Some(cursor), counts: None },
            r#"{"reply":"accounts","accounts":[{"id":"a1B2c3D4","state":"pending","entered_at":5,"restoring":false,"suspended":false}],"next":{"entered_at":5,"id":"a1B2c3D4"}}"#.into(),
        ),
        (
            DirectoryReply::Accounts {
                accounts: Vec::new(),
                next: None,
                counts: Some(AccountsByStatus { pending: 1, open: 2, suspended: 3 }),
            },
            r#"{"reply":"accounts","accounts":[],"next":null,"counts":{"pending":1,"open":2,"suspended":3}}"#.into(),
        ),
        (
            DirectoryReply::Account(entry(EntryState::Open, Some("Example KK"))),
            r#"{"reply":"account","id":"a1B2c3D4","state":"open","entered_at":5,"name":"Example KK","restoring":false,"suspended":false}"#.into(),
        ),
        (DirectoryReply::SetupDone, r#"{"reply":"setup_done"}"#.into()),
        (
            DirectoryReply::SetupBusy { until: at(8) },
            r#"{"reply":"setup_busy","until":8}"#.into(),
        ),
        (DirectoryReply::Noted, r#"{"reply":"noted"}"#.into()),
        (DirectoryReply::NotUnderstood, r#"{"reply":"not_understood"}"#.into()),
    ]);
    let counter = TryCounter { limit: TryLimit::BlockAtName, of: "203.0.113.0/24".into() };
    let named = [
        (TryLimit::Block, "block"),
        (TryLimit::Site, "site"),
        (TryLimit::Organisation, "organisation"),
        (TryLimit::Sum, "sum"),
        (TryLimit::BlockAtName, "block_at_name"),
        (TryLimit::Name, "name"),
    ];
    for (limit, name) in named {
        assert_eq!(serde_json::json!(limit), serde_json::json!(name));
    }
    pin(vec![
        (
            AddressRequest::Count { counters: vec![counter.clone()] },
            r#"{"ask":"count","counters":[{"limit":"block_at_name","of":"203.0.113.0/24"}]}"#
                .into(),
        ),
        (
            AddressRequest::Succeeded { counter },
            r#"{"ask":"succeeded","counter":{"limit":"block_at_name","of":"203.0.113.0/24"}}"#
                .into(),
        ),
    ]);
    let earlier: AddressRequest = serde_json::from_str(r#"{"ask":"count"}"#).unwrap();
    assert!(matches!(earlier, AddressRequest::Count { counters } if counters.is_empty()));
    pin(vec![
        (AddressReply::Counted, r#"{"reply":"counted"}"#.into()),
        (AddressReply::TooMany { until: at(9) }, r#"{"reply":"too_many","until":9}"#.into()),
        (AddressReply::NotUnderstood, r#"{"reply":"not_understood"}"#.into()),
    ]);
}
