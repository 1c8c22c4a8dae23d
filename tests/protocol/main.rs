//! The JSON of every request and reply between the edge and its objects, by exact string or, where
//! long, by a file in `snapshots/`.
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
mod directory;
mod edge;
mod factors;
mod identity;
mod issuing;
mod members;
mod networks;
mod no_sql;
mod policy;
mod refresh;
mod rotation;
mod token;

use std::collections::BTreeMap;

use crate::factors::session;
use claviger_control::ledger::ledger::Ledger;
use claviger_control::objects::address::Address;
use claviger_control::objects::directory::Directory;
use claviger_control::objects::object::{DurableObject, Entropy, answer};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::at_stake::{AccountCounts, IssuedCounts};
use claviger_control::protocol::attempts::AttemptKind;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::draft::field::FieldError;
use claviger_control::protocol::draft::preview::{
    DraftPreview, ExpiryForm, ExpiryNote, NetworksNote,
};
use claviger_control::protocol::identity::Membership;
use claviger_control::protocol::key_filter::{ExpiryFilter, IssuerFilter, KeyFilter, UseFilter};
use claviger_control::protocol::keys::{Deleted, KeyPage, KeyView, Listing, Sort, Status};
use claviger_control::protocol::ledger::*;
use claviger_control::protocol::member::{AddressVersion, Language, Role, SecretVersion};
use claviger_control::protocol::objects::{
    AddressReply, AddressRequest, DirectoryReply, DirectoryRequest, NameReply, NameRequest,
};
use claviger_control::protocol::operator::{
    AccountStatus, AccountsByStatus, DirectoryEntry, EntryCursor, EntryState, OperatorCommand,
};
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::tries::{Tries, TryCounter, TryLimit};
use claviger_control::protocol::view::{AccountView, MemberView, Progress, SessionView};
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::DurationMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::issuer::{Issuer, SealingGeneration};
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::{Credential, Epoch, Record, Revision, Standing};
use claviger_core::testing::{account, at, key_id, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::no_sql::NoSql;

const LIMITS: &str = r#"{"not_before":null,"expires":1803186000000,"networks":["10.0.0.0/8"],"interfaces":["http"],"permissions":["demo:read"]}"#;

fn member() -> MemberId {
    MemberId::parse("0123456789A").unwrap()
}

fn digest() -> Digest {
    Digest::of(b"abc")
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
        refused_24h: BTreeMap::new(),
        last_refused_at: None,
        ended: false,
        member: None,
        issued_by: None,
        protected: false,
        deleted_at: None,
        replaces: None,
        replaced_by: None,
        overlap_until: None,
        observed: claviger_core::credential::limits::network::Networks::anywhere(),
        would_refuse: None,
        mfa_off: None,
    }
}

fn view_json() -> String {
    format!(
        r#"{{"id":"a1B2c3D47Hq0p2Zx9K","name":"Build server","enabled":true,"protected":false,"limits":{LIMITS},"created_at":1,"created_by":"Mei Tanaka","changed_at":2,"changed_by":"Ken Sato","revision":12}}"#
    )
}

fn record(standing: impl FnOnce(Credential) -> Standing) -> Record {
    let credential = Credential {
        digest: digest(),
        limits: limits(),
        issuing: None,
        issued: None,
        sealing: SealingGeneration::default(),
        member: None,
        user: None,
    };
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

/// Writes each value as JSON with a member a line, and checks that what it wrote reads back.
fn written<T: Serialize + DeserializeOwned>(values: Vec<T>) -> String {
    let texts = values.iter().map(|value| {
        let json = serde_json::to_string(value).unwrap();
        let read: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        serde_json::to_string_pretty(value).unwrap()
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn requests_to_a_ledger() {
    let console = |command: Command| LedgerRequest::Console {
        session: proof(),
        address: Some("203.0.113.7".into()),
        command,
    };
    let draft =
        serde_json::from_str(r#"{"name":"a","expires":"90d","networks":["::1"],"permissions":[]}"#)
            .unwrap();
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
    let text = written(vec![
        LedgerRequest::Open(opening.clone()),
        LedgerRequest::OpenInvited(opening),
        LedgerRequest::SignIn {
            member: member(),
            email: Email::parse("mei@example.jp").unwrap(),
            secret_version: SecretVersion(1),
            session: session(),
            address: None,
            confirmed: true,
            switches: true,
            address_version: AddressVersion::default(),
        },
        LedgerRequest::Record { id },
        LedgerRequest::Holds { member: member(), email: "mei@example.jp".into() },
        LedgerRequest::Exists,
        LedgerRequest::Inspect,
        LedgerRequest::OperateByAccess {
            operator: email(),
            address: Some("203.0.113.7".into()),
            operation: OperatorCommand::Look,
        },
        console(Command::Show),
        console(Command::SignOut),
        console(Command::StepUp {
            secret_version: SecretVersion(1),
            confirmed: true,
            session: Some(session()),
        }),
        console(Command::List(Listing {
            q: Some("build".into()),
            sort: Sort::ExpiresDown,
            cursor: None,
            limit: Some(50),
            deleted: Deleted::Only,
            filter: KeyFilter::default(),
        })),
        console(Command::List(Listing {
            deleted: Deleted::Too,
            filter: KeyFilter {
                statuses: vec![Status::Active, Status::NotYetValid],
                issuer: Some(IssuerFilter::Key(id)),
                expires: Some(ExpiryFilter::Within(DurationMs::from_days(1))),
                used: Some(UseFilter::NotWithin(DurationMs::from_days(1))),
            },
            ..Listing::default()
        })),
        console(Command::Get { id, deleted: true }),
        console(Command::CountIssued { issuer: Issuer::Service }),
        console(Command::CountIssued { issuer: Issuer::Key(id) }),
        console(Command::Check { draft: Default::default() }),
        console(Command::Issue {
            id,
            digest: digest(),
            draft,
            idempotency_key: "i-1".into(),
            sealed: None,
        }),
        console(Command::Edit {
            id,
            expected,
            changes: serde_json::from_str(r#"{"not_before":null,"networks":""}"#).unwrap(),
        }),
        console(Command::SetEnabled { id, expected, enabled: false }),
    ]);
    insta::assert_snapshot!("requests_to_a_ledger", text);
    let (account, operate) = (account(), |operation| console(Command::Operate { operation }));
    let text = written(vec![
        operate(OperatorCommand::Look),
        operate(OperatorCommand::Invite { account, idempotency_key: "i-1".into() }),
        operate(OperatorCommand::SetState { account, freshness_ms: None, suspended: Some(true) }),
        operate(OperatorCommand::Rebuild { account }),
        operate(OperatorCommand::BeginRestore { account }),
        operate(OperatorCommand::FinishRestore { account }),
    ]);
    insta::assert_snapshot!("operator_requests", text);
}

#[test]
fn replies_of_a_ledger() {
    let view = view();
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
            policy: Default::default(),
        },
        step_up_until: at(3),
        expires: at(4),
        began: Some(at(2)),
        operator: true,
        mail_is_failing: false,
        publication_lag_s: None,
        mfa: true,
        factors: Default::default(),
        proven_by: Some(ProofMethod::Totp),
        unread_notices: 0,
        accounts: 2,
        secret_version: SecretVersion(1),
    };
    let text = written(vec![
        LedgerReply::Gone,
        LedgerReply::Done,
        LedgerReply::Session(session.clone()),
        LedgerReply::Page(KeyPage {
            keys: vec![view.clone()],
            next: Some("c".into()),
            total: 1,
            total_is_exact: true,
            hidden: 0,
            hides_more: false,
        }),
        LedgerReply::Page(KeyPage {
            keys: vec![],
            next: None,
            total: 0,
            total_is_exact: true,
            hidden: 2,
            hides_more: false,
        }),
        LedgerReply::Page(KeyPage {
            keys: vec![],
            next: None,
            total: 0,
            total_is_exact: true,
            hidden: 10_000,
            hides_more: true,
        }),
        LedgerReply::Key(view.clone()),
        LedgerReply::Key(KeyView { last_used_at: Some(at(8)), ..view.clone() }),
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
            networks_observed: None,
            would_refuse: None,
            locked_out: None,
            errors: vec![FieldError::new("name", "required", "this is needed")],
        }),
        LedgerReply::Changed {
            key: Some(view),
            record: record(Standing::Active),
            bound: Some(Bound { at: at(7), within_s: 10, is_eventual: false }),
        },
        LedgerReply::Changed { key: None, record: record(|_| Standing::Deleted), bound: None },
        LedgerReply::Record { record: None },
        LedgerReply::Record { record: Some(record(Standing::Disabled)) },
        LedgerReply::Holds { held: true },
        LedgerReply::Inspected {
            account: session.account.clone(),
            progress: Progress { rebuilding: false, done: 2, total: 2, unsettled: 0, lag_s: None },
            counts: Some(AccountCounts { members: 2, issuers: 42, used_24h: 7, people: Some(3) }),
        },
        LedgerReply::IssuedCounted(IssuedCounts {
            stored: 42,
            unlimited: 1,
            used_24h: 7,
            is_exact: true,
        }),
    ]);
    insta::assert_snapshot!("replies_of_a_ledger", text);
}

#[test]
fn refusals_of_a_ledger() {
    let refused = |refusal| LedgerReply::Refused(refusal);
    let text = written(vec![
        refused(Refusal::NotSignedIn),
        refused(Refusal::SignInRefused),
        refused(Refusal::NotPermitted),
        refused(Refusal::StepUpRequired),
        refused(Refusal::NotFound),
        refused(Refusal::ChangedMeanwhile { key: Box::new(view()) }),
        refused(Refusal::AlreadyIssued { key: Some(Box::new(view())) }),
        refused(Refusal::AlreadyIssued { key: None }),
        refused(Refusal::AlreadyInvited { account: account() }),
        refused(Refusal::IdTaken),
        refused(Refusal::TooManyKeys { max: 20_000 }),
        refused(Refusal::Invalid { errors: vec![FieldError::new("q", "too_long", "too long")] }),
        refused(Refusal::AlreadyOpen),
        refused(Refusal::NotUnderstood),
    ]);
    insta::assert_snapshot!("refusals_of_a_ledger", text);
}

#[test]
fn names() {
    let password = || SecretText::new("correct horse battery".into());
    pin(vec![
        (
            NameRequest::Claim {
                name: "mei@example.jp".into(), account: account(), member: member(),
                password: password(), network: None,
            },
            r#"{"ask":"claim","name":"mei@example.jp","account":"a1B2c3D4","member":"0123456789A","password":"correct horse battery"}"#.into(),
        ),
        (
            NameRequest::Confirm { account: account(), member: member(), secret_version: SecretVersion(1) },
            r#"{"ask":"confirm","account":"a1B2c3D4","member":"0123456789A","secret_version":1}"#.into(),
        ),
        (
            NameRequest::Release { account: account(), member: member(), secret_version: SecretVersion(1) },
            r#"{"ask":"release","account":"a1B2c3D4","member":"0123456789A","secret_version":1}"#.into(),
        ),
        (
            NameRequest::Verify {
                password: password(),
                block: Some("203.0.113.0/24".into()),
                counted: true,
                attempt: AttemptKind::SignIn,
                browser: None,
            },
            r#"{"ask":"verify","password":"correct horse battery","block":"203.0.113.0/24","counted":true}"#.into(),
        ),
    ]);
    pin(vec![
        (
            NameReply::Claimed { secret_version: SecretVersion(1), accounts: 2 },
            r#"{"reply":"claimed","secret_version":1,"accounts":2}"#.into(),
        ),
        (NameReply::Taken, r#"{"reply":"taken"}"#.into()),
        (NameReply::Confirmed, r#"{"reply":"confirmed"}"#.into()),
        (
            NameReply::Matches {
                account: account(),
                member: member(),
                secret_version: SecretVersion(1),
                confirmed: true,
                memberships: vec![Membership { account: account(), member: member() }],
                address_version: AddressVersion::default(),
            },
            r#"{"reply":"matches","account":"a1B2c3D4","member":"0123456789A","secret_version":1,"confirmed":true,"memberships":[{"account":"a1B2c3D4","member":"0123456789A"}]}"#
                .into(),
        ),
        (NameReply::Refused, r#"{"reply":"refused"}"#.into()),
        (NameReply::TooMany { until: at(8) }, r#"{"reply":"too_many","until":8}"#.into()),
        (NameReply::NotUnderstood, r#"{"reply":"not_understood"}"#.into()),
    ]);
}

#[test]
fn instances_keep_their_names() {
    assert_eq!(instance::ledger(account()), "ledger/a1B2c3D4");
    assert_eq!(instance::member_name(&email()), "member/mei@example.jp");
    assert_eq!(instance::directory(), "directory");
    let block = ClientAddress::parse("203.0.113.7");
    assert_eq!(Tries::by_address(block).instance, "tries/address/4");
    assert_eq!(Tries::at_name(&email(), block).instance, "tries/name/0");
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
