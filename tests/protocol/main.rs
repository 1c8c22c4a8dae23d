//! The JSON of every request and reply between the edge and its objects, by exact string.
//!
//! Edge and objects may be one release apart: a change here needs a plan for both. Members are only
//! added, with a default; a variant that the other side does not know is refused by it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly, in its helpers too"
)]

mod deletion;
mod edge;
mod issuing;
mod refresh;

use claviger_control::ledger::ledger::Ledger;
use claviger_control::objects::address::Address;
use claviger_control::objects::directory::Directory;
use claviger_control::objects::object::{DurableObject, Entropy, answer};
use claviger_control::objects::sql::{Row, Sql, SqlError, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::draft::field::FieldError;
use claviger_control::protocol::draft::preview::{
    DraftPreview, ExpiryForm, ExpiryNote, NetworksNote,
};
use claviger_control::protocol::keys::{Deleted, KeyPage, KeyView, Listing, Sort};
use claviger_control::protocol::ledger::*;
use claviger_control::protocol::member::{Language, Role, SecretVersion};
use claviger_control::protocol::objects::{
    AddressReply, AddressRequest, DirectoryReply, DirectoryRequest, NameReply, NameRequest,
};
use claviger_control::protocol::operator::{
    DirectoryEntry, EntryCursor, EntryState, OperatorCommand,
};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::view::{AccountView, MemberView, Progress, SessionView};
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::DurationMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::{Credential, Epoch, Record, Revision, Standing};
use claviger_core::testing::{account, at, key_id, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

const DIGEST: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
const LIMITS: &str = r#"{"not_before":null,"expires":1803186000000,"networks":["10.0.0.0/8"],"interfaces":["http"],"permissions":["demo:read"]}"#;

fn member() -> MemberId {
    MemberId::parse("0123456789A").unwrap()
}

fn digest() -> Digest {
    Digest::of(b"abc")
}

fn session() -> NewSession {
    NewSession { id: TokenId::parse("0123456789").unwrap(), digest: digest() }
}

fn proof() -> SessionProof {
    SessionProof { id: TokenId::parse("0123456789").unwrap(), digest: digest() }
}

fn email() -> Email {
    Email::parse("mei@example.jp").unwrap()
}

fn view() -> KeyView {
    KeyView {
        id: key_id(),
        name: "Build server".into(),
        enabled: true,
        limits: limits(),
        created_at: at(1),
        created_by: "Mei Tanaka".into(),
        changed_at: at(2),
        changed_by: "Ken Sato".into(),
        revision: Revision(12),
        last_used_at: None,
        issuable: None,
        viewable: false,
        uses_24h: 0,
        ended: false,
        issued_by: None,
        protected: false,
        deleted_at: None,
    }
}

fn view_json() -> String {
    format!(
        r#"{{"id":"a1B2c3D47Hq0p2Zx9K","name":"Build server","enabled":true,"protected":false,"limits":{LIMITS},"created_at":1,"created_by":"Mei Tanaka","changed_at":2,"changed_by":"Ken Sato","revision":12}}"#
    )
}

fn record(standing: impl FnOnce(Credential) -> Standing) -> Record {
    let credential = Credential { digest: digest(), limits: limits(), issuing: None, issued: None };
    Record::new(Epoch::new(0x5f2c_9a0b_7d1e_4386), Revision(12), key_id(), standing(credential))
}

/// Each value is written as this text, and the text reads back to what is written so again.
fn pin<T: Serialize + DeserializeOwned>(table: Vec<(T, String)>) {
    for (value, json) in table {
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        let read: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}

#[test]
fn requests_to_a_ledger() {
    let console = |command: Command| LedgerRequest::Console {
        session: proof(),
        address: Some("203.0.113.7".into()),
        command,
    };
    let console_json = |command: &str| {
        format!(
            r#"{{"ask":"console","session":{{"id":"0123456789","digest":"{DIGEST}"}},"address":"203.0.113.7","command":{command}}}"#
        )
    };
    let draft =
        serde_json::from_str(r#"{"name":"a","expires":"90d","networks":["::1"],"permissions":[]}"#)
            .unwrap();
    let draft_json = r#"{"name":"a","expires":"90d","networks":["::1"],"permissions":[]}"#;
    let (id, expected) = (key_id(), Revision(12));
    let opening = Opening {
        account: account(),
        name: "Example KK".into(),
        zone: Zone::parse("Asia/Tokyo").unwrap(),
        owner: NewMember {
            id: member(),
            name: "Mei Tanaka".into(),
            email: email(),
            language: Language::Ja,
            secret_version: SecretVersion(1),
        },
        session: session(),
        address: None,
        service: None,
    };
    let opening_json = |ask: &str| {
        format!(
            r#"{{"ask":"{ask}","account":"a1B2c3D4","name":"Example KK","zone":"Asia/Tokyo","owner":{{"id":"0123456789A","name":"Mei Tanaka","email":"mei@example.jp","language":"ja","secret_version":1}},"session":{{"id":"0123456789","digest":"{DIGEST}"}},"address":null}}"#
        )
    };
    pin(vec![
        (LedgerRequest::Open(opening.clone()), opening_json("open")),
        (LedgerRequest::OpenInvited(opening), opening_json("open_invited")),
        (
            LedgerRequest::SignIn {
                member: member(),
                email: Email::parse("mei@example.jp").unwrap(),
                secret_version: SecretVersion(1),
                session: session(),
                address: None,
            },
            format!(
                r#"{{"ask":"sign_in","member":"0123456789A","email":"mei@example.jp","secret_version":1,"session":{{"id":"0123456789","digest":"{DIGEST}"}},"address":null}}"#
            ),
        ),
        (LedgerRequest::Record { id }, r#"{"ask":"record","id":"a1B2c3D47Hq0p2Zx9K"}"#.into()),
        (
            LedgerRequest::Holds { member: member(), email: "mei@example.jp".into() },
            r#"{"ask":"holds","member":"0123456789A","email":"mei@example.jp"}"#.into(),
        ),
        (LedgerRequest::Exists, r#"{"ask":"exists"}"#.into()),
        (LedgerRequest::Inspect, r#"{"ask":"inspect"}"#.into()),
        (console(Command::Show), console_json(r#"{"do":"show"}"#)),
        (console(Command::SignOut), console_json(r#"{"do":"sign_out"}"#)),
        (
            console(Command::StepUp { secret_version: SecretVersion(1) }),
            console_json(r#"{"do":"step_up","secret_version":1}"#),
        ),
        (
            console(Command::List(Listing {
                q: Some("build".into()),
                sort: Sort::ExpiresDown,
                cursor: None,
                limit: Some(50),
                deleted: Deleted::Only,
            })),
            console_json(
                r#"{"do":"list","q":"build","sort":"-expires","cursor":null,"limit":50,"deleted":"only"}"#,
            ),
        ),
        (
            console(Command::Get { id, deleted: true }),
            console_json(r#"{"do":"get","id":"a1B2c3D47Hq0p2Zx9K","deleted":true}"#),
        ),
        (
            console(Command::Check { draft: Default::default() }),
            console_json(r#"{"do":"check","draft":{}}"#),
        ),
        (
            console(Command::Issue {
                id,
                digest: digest(),
                draft,
                idempotency_key: "i-1".into(),
                sealed: None,
            }),
            console_json(&format!(
                r#"{{"do":"issue","id":"a1B2c3D47Hq0p2Zx9K","digest":"{DIGEST}","draft":{draft_json},"idempotency_key":"i-1"}}"#
            )),
        ),
        (
            console(Command::Edit {
                id,
                expected,
                changes: serde_json::from_str(r#"{"not_before":null,"networks":""}"#).unwrap(),
            }),
            console_json(
                r#"{"do":"edit","id":"a1B2c3D47Hq0p2Zx9K","expected":12,"changes":{"not_before":null,"networks":""}}"#,
            ),
        ),
        (
            console(Command::SetEnabled { id, expected, enabled: false }),
            console_json(
                r#"{"do":"set_enabled","id":"a1B2c3D47Hq0p2Zx9K","expected":12,"enabled":false}"#,
            ),
        ),
    ]);
    let operate = |operation| console(Command::Operate { operation });
    let operate_json =
        |operation: &str| console_json(&format!(r#"{{"do":"operate","operation":{operation}}}"#));
    let account = account();
    pin(vec![
        (operate(OperatorCommand::Look), operate_json(r#"{"what":"look"}"#)),
        (
            operate(OperatorCommand::Invite { account, idempotency_key: "i-1".into() }),
            operate_json(r#"{"what":"invite","account":"a1B2c3D4","idempotency_key":"i-1"}"#),
        ),
        (
            operate(OperatorCommand::SetState {
                account,
                freshness_ms: None,
                suspended: Some(true),
            }),
            operate_json(
                r#"{"what":"set_state","account":"a1B2c3D4","freshness_ms":null,"suspended":true}"#,
            ),
        ),
        (
            operate(OperatorCommand::Rebuild { account }),
            operate_json(r#"{"what":"rebuild","account":"a1B2c3D4"}"#),
        ),
        (
            operate(OperatorCommand::BeginRestore { account }),
            operate_json(r#"{"what":"begin_restore","account":"a1B2c3D4"}"#),
        ),
        (
            operate(OperatorCommand::FinishRestore { account }),
            operate_json(r#"{"what":"finish_restore","account":"a1B2c3D4"}"#),
        ),
    ]);
}

#[test]
fn replies_of_a_ledger() {
    let view = view();
    let record_json = format!(
        r#"{{"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"active","digest":"{DIGEST}","limits":{LIMITS}}}"#
    );
    let session = SessionView {
        member: MemberView {
            id: member(),
            name: "Mei Tanaka".into(),
            email: email(),
            role: Role::Owner,
            language: Language::En,
        },
        account: AccountView {
            id: account(),
            name: "Example KK".into(),
            zone: Zone::parse("Asia/Tokyo").unwrap(),
            freshness_s: 10,
            suspended: false,
        },
        step_up_until: at(3),
        expires: at(4),
        operator: true,
        mail_is_failing: false,
        publication_lag_s: None,
    };
    let view_members = &view_json()[1..];
    pin(vec![
        (LedgerReply::Gone, r#"{"reply":"gone"}"#.into()),
        (LedgerReply::Done, r#"{"reply":"done"}"#.into()),
        (
            LedgerReply::Session(session.clone()),
            r#"{"reply":"session","member":{"id":"0123456789A","name":"Mei Tanaka","email":"mei@example.jp","role":"owner","language":"en"},"account":{"id":"a1B2c3D4","name":"Example KK","zone":"Asia/Tokyo","freshness_s":10,"suspended":false},"step_up_until":3,"expires":4,"operator":true,"mail_is_failing":false}"#.into(),
        ),
        (
            LedgerReply::Page(KeyPage { keys: vec![view.clone()], next: Some("c".into()), total: 1, total_is_exact: true }),
            format!(r#"{{"reply":"page","keys":[{}],"next":"c","total":1,"total_is_exact":true}}"#, view_json()),
        ),
        (LedgerReply::Key(view.clone()), format!(r#"{{"reply":"key",{view_members}"#)),
        (
            LedgerReply::Key(KeyView { last_used_at: Some(at(8)), ..view.clone() }),
            format!(r#"{{"reply":"key",{},"last_used_at":8}}"#, &view_json()[1..view_json().len() - 1]),
        ),
        (
            LedgerReply::Checked(DraftPreview {
                expires: Some(ExpiryNote {
                    form: ExpiryForm::EndOfDay,
                    at: Some(at(5)),
                    day: Some("2027-06-30".into()),
                    zone: Zone::utc(),
                    from_now_ms: Some(DurationMs::from_ms(6)),
                }),
                networks: Some(NetworksNote {
                    count: 1,
                    problems: 0,
                    stored: limits().networks,
                    lines: vec![],
                }),
                issuable: None,
                includes_caller: Some(false),
                locked_out: None,
                errors: vec![FieldError::new("name", "required", "this is needed")],
            }),
            r##"{"reply":"checked","expires":{"form":"end_of_day","at":5,"day":"2027-06-30","zone":"UTC","from_now_ms":6},"networks":{"count":1,"problems":0,"stored":["10.0.0.0/8"],"lines":[]},"includes_caller":false,"errors":[{"pointer":"#/name","code":"required","detail":"this is needed"}]}"##.into(),
        ),
        (
            LedgerReply::Changed {
                key: Some(view),
                record: record(Standing::Active),
                bound: Some(Bound { at: at(7), within_s: 10, is_eventual: false }),
            },
            format!(
                r#"{{"reply":"changed","key":{},"record":{record_json},"bound":{{"at":7,"within_s":10}}}}"#,
                view_json()
            ),
        ),
        (
            LedgerReply::Changed { key: None, record: record(|_| Standing::Deleted), bound: None },
            r#"{"reply":"changed","key":null,"record":{"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"deleted"},"bound":null}"#.into(),
        ),
        (LedgerReply::Record { record: None }, r#"{"reply":"record","record":null}"#.into()),
        (
            LedgerReply::Record { record: Some(record(Standing::Disabled)) },
            format!(r#"{{"reply":"record","record":{}}}"#, record_json.replace("active", "disabled")),
        ),
        (LedgerReply::Holds { held: true }, r#"{"reply":"holds","held":true}"#.into()),
        (
            LedgerReply::Inspected {
                account: session.account.clone(),
                progress: Progress { rebuilding: false, done: 2, total: 2, unsettled: 0, lag_s: None },
            },
            r#"{"reply":"inspected","account":{"id":"a1B2c3D4","name":"Example KK","zone":"Asia/Tokyo","freshness_s":10,"suspended":false},"progress":{"rebuilding":false,"done":2,"total":2,"unsettled":0,"lag_s":null}}"#.into(),
        ),
    ]);
}

#[test]
fn refusals_of_a_ledger() {
    let refused = |refusal| LedgerReply::Refused(refusal);
    let json = |rest: &str| format!(r#"{{"reply":"refused","refusal":{rest}}}"#);
    pin(vec![
        (refused(Refusal::NotSignedIn), json(r#""not_signed_in""#)),
        (refused(Refusal::SignInRefused), json(r#""sign_in_refused""#)),
        (refused(Refusal::NotPermitted), json(r#""not_permitted""#)),
        (refused(Refusal::StepUpRequired), json(r#""step_up_required""#)),
        (refused(Refusal::NotFound), json(r#""not_found""#)),
        (
            refused(Refusal::ChangedMeanwhile { key: Box::new(view()) }),
            json(&format!(r#""changed_meanwhile","key":{}"#, view_json())),
        ),
        (
            refused(Refusal::AlreadyIssued { key: Some(Box::new(view())) }),
            json(&format!(r#""already_issued","key":{}"#, view_json())),
        ),
        (refused(Refusal::AlreadyIssued { key: None }), json(r#""already_issued","key":null"#)),
        (
            refused(Refusal::AlreadyInvited { account: account() }),
            json(r#""already_invited","account":"a1B2c3D4""#),
        ),
        (refused(Refusal::IdTaken), json(r#""id_taken""#)),
        (refused(Refusal::TooManyKeys { max: 20_000 }), json(r#""too_many_keys","max":20000"#)),
        (
            refused(Refusal::Invalid {
                errors: vec![FieldError::new("q", "too_long", "too long")],
            }),
            json(
                r##""invalid","errors":[{"pointer":"#/q","code":"too_long","detail":"too long"}]"##,
            ),
        ),
        (refused(Refusal::AlreadyOpen), json(r#""already_open""#)),
        (refused(Refusal::NotUnderstood), json(r#""not_understood""#)),
    ]);
}

#[test]
fn names() {
    let password = || SecretText::new("correct horse battery".into());
    pin(vec![
        (
            NameRequest::Claim {
                name: "mei@example.jp".into(),
                account: account(),
                member: member(),
                password: password(),
            },
            r#"{"ask":"claim","name":"mei@example.jp","account":"a1B2c3D4","member":"0123456789A","password":"correct horse battery"}"#.into(),
        ),
        (
            NameRequest::Confirm { account: account(), member: member(), secret_version: SecretVersion(1) },
            r#"{"ask":"confirm","account":"a1B2c3D4","member":"0123456789A","secret_version":1}"#.into(),
        ),
        (
            NameRequest::Verify { password: password(), block: Some("203.0.113.0/24".into()) },
            r#"{"ask":"verify","password":"correct horse battery","block":"203.0.113.0/24"}"#.into(),
        ),
    ]);
    pin(vec![
        (
            NameReply::Claimed { secret_version: SecretVersion(1) },
            r#"{"reply":"claimed","secret_version":1}"#.into(),
        ),
        (NameReply::Taken, r#"{"reply":"taken"}"#.into()),
        (NameReply::Confirmed, r#"{"reply":"confirmed"}"#.into()),
        (
            NameReply::Matches {
                account: account(),
                member: member(),
                secret_version: SecretVersion(1),
            },
            r#"{"reply":"matches","account":"a1B2c3D4","member":"0123456789A","secret_version":1}"#
                .into(),
        ),
        (NameReply::Refused, r#"{"reply":"refused"}"#.into()),
        (NameReply::TooMany { until: at(8) }, r#"{"reply":"too_many","until":8}"#.into()),
        (NameReply::NotUnderstood, r#"{"reply":"not_understood"}"#.into()),
    ]);
}

#[test]
fn the_directory_and_addresses() {
    let cursor = EntryCursor { entered_at: at(5), id: account() };
    let entry = |state, name: Option<&str>| DirectoryEntry {
        id: account(),
        state,
        entered_at: at(5),
        name: name.map(str::to_owned),
        restoring: false,
    };
    pin(vec![
        (
            DirectoryRequest::EnterFirst { account: account() },
            r#"{"ask":"enter_first","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::Confirm { account: account(), name: None },
            r#"{"ask":"confirm","account":"a1B2c3D4"}"#.into(),
        ),
        (
            DirectoryRequest::Confirm { account: account(), name: Some("Example KK".into()) },
            r#"{"ask":"confirm","account":"a1B2c3D4","name":"Example KK"}"#.into(),
        ),
        (
            DirectoryRequest::Invite { account: account(), again: true },
            r#"{"ask":"invite","account":"a1B2c3D4","again":true}"#.into(),
        ),
        (
            DirectoryRequest::Invite { account: account(), again: false },
            r#"{"ask":"invite","account":"a1B2c3D4"}"#.into(),
        ),
        (DirectoryRequest::List { cursor: None }, r#"{"ask":"list","cursor":null}"#.into()),
        (
            DirectoryRequest::List { cursor: Some(cursor) },
            r#"{"ask":"list","cursor":{"entered_at":5,"id":"a1B2c3D4"}}"#.into(),
        ),
        (
            DirectoryRequest::Find { account: account() },
            r#"{"ask":"find","account":"a1B2c3D4"}"#.into(),
        ),
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
            DirectoryReply::Accounts { accounts: vec![entry(EntryState::Pending, None)], next: Some(cursor) },
            r#"{"reply":"accounts","accounts":[{"id":"a1B2c3D4","state":"pending","entered_at":5,"restoring":false}],"next":{"entered_at":5,"id":"a1B2c3D4"}}"#.into(),
        ),
        (
            DirectoryReply::Account(entry(EntryState::Open, Some("Example KK"))),
            r#"{"reply":"account","id":"a1B2c3D4","state":"open","entered_at":5,"name":"Example KK","restoring":false}"#.into(),
        ),
        (DirectoryReply::SetupDone, r#"{"reply":"setup_done"}"#.into()),
        (DirectoryReply::Noted, r#"{"reply":"noted"}"#.into()),
        (DirectoryReply::NotUnderstood, r#"{"reply":"not_understood"}"#.into()),
    ]);
    pin(vec![(AddressRequest::Count, r#"{"ask":"count"}"#.into())]);
    pin(vec![
        (AddressReply::Counted, r#"{"reply":"counted"}"#.into()),
        (AddressReply::TooMany { until: at(9) }, r#"{"reply":"too_many","until":9}"#.into()),
        (AddressReply::NotUnderstood, r#"{"reply":"not_understood"}"#.into()),
    ]);
}

#[test]
fn instances_keep_their_names() {
    assert_eq!(instance::ledger(account()), "ledger/a1B2c3D4");
    assert_eq!(instance::member_name(&email()), "member/mei@example.jp");
    assert_eq!(instance::directory(), "directory");
    assert_eq!(instance::address(Some("203.0.113.0/24")), "address/203.0.113.0/24");
    assert_eq!(instance::address(None), "address/none");
}

#[test]
fn a_request_that_is_not_understood_is_refused_and_reaches_no_database() {
    let refused = r#"{"reply":"refused","refusal":"not_understood"}"#;
    let not_understood = r#"{"reply":"not_understood"}"#;
    for request in [r#"{"ask":"forecast"}"#, r#"{"ask":7}"#, "{}", "[]", "", "\0"] {
        assert_eq!(ask(&Ledger::new(&NoSql), request), refused);
        assert_eq!(ask(&Directory::new(&NoSql), request), not_understood);
        assert_eq!(ask(&Address::new(&NoSql), request), not_understood);
    }
    for newer in [r#"{"reply":"forecast"}"#, "{}", "null", ""] {
        assert!(
            serde_json::from_str::<LedgerReply>(newer).is_err(),
            "nor is such a reply guessed at"
        );
    }
}

fn ask<O: DurableObject>(object: &O, request: &str) -> String {
    ask_as::<O::Request, O>(object, request)
}

fn ask_as<Q: DeserializeOwned + Into<O::Request>, O: DurableObject>(
    object: &O,
    request: &str,
) -> String {
    answer::<Q, O>(object, request, at(0), &Entropy([0; 32])).unwrap()
}

/// A database that must not be reached.
struct NoSql;

impl Sql for NoSql {
    fn rows(&self, _: &Statement) -> Result<Vec<Row>, SqlError> {
        panic!("read")
    }

    fn apply(&self, _: &[Statement]) -> Result<(), SqlError> {
        panic!("written")
    }
}
