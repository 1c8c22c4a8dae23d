//! Every committed change has exactly its rows. Every test of the ledger is a witness: after each
//! call the journal and the audit trail are held against the account's revision.

mod proofs;

use std::collections::BTreeSet;

use claviger_control::objects::sql::{Row, SqlError, SqlExt, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::attempts::{AttemptKind, AttemptsNews, RefusedAttempts};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::identity::{PasswordNews, ResetMail};
use claviger_control::protocol::keys::Listing;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::mailbox::AddressNews;
use claviger_control::protocol::member::{AddressVersion, Role, SecretVersion};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::notices::NoticeChanges;
use claviger_control::protocol::operator::OperatorCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::service::ServiceCommand;
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::AccountId;
use claviger_core::credential::api_user::ApiUserName;
use claviger_core::replication::admin_caller::AdminCaller;
use claviger_core::replication::edge_call::ReadExpiry;
use claviger_core::replication::record::{Epoch, Revision};
use claviger_core::replication::refresh::RefreshRequest;

use crate::deletion::mail_again;
use crate::invitations::{draw as draw_invitation, invite_command, joining};
use crate::issuing::{by_api, issuer, revoke, sealed};
use crate::oauth::revoke as revoke_by_client;
use crate::policy::changes;
use crate::service::{change_service, set_ceiling};
use crate::sql::sqlite::Sqlite;
use crate::world::{Browser, HOUR, START, World, confirm, draft, regenerate, set_enabled};

/// Actions of the ledger itself: no person did them, so the audit trail has none.
const OF_THE_LEDGER: [&str; 3] = ["renumber", "orphan", "sweep"];

/// How far the account and its trail had come.
#[derive(Clone, Copy)]
pub struct Trail {
    revision: i64,
    audit: i64,
    migrations: i64,
}

/// A row of the journal or the audit trail: revision, action, and key or `account`.
type Entry = (i64, String, String);

impl Trail {
    /// How far they have come; `None` if the ledger has no account, or if a test has written into
    /// the journal itself.
    pub fn of(sql: &Sqlite) -> Option<Self> {
        sql.aside(|| Self::read(sql))
    }

    fn read(sql: &Sqlite) -> Option<Self> {
        let has_account = "SELECT count(*) FROM sqlite_master WHERE name = 'account'";
        if number(sql, has_account) == 0 || number(sql, "SELECT count(*) FROM account") == 0 {
            return None;
        }
        let revision = number(sql, "SELECT revision FROM account");
        let audit = number(sql, "SELECT ifnull(max(number), 0) FROM audit");
        let migrations = number(sql, "SELECT count(*) FROM migration");
        let last = number(sql, "SELECT ifnull(max(revision), 0) FROM journal");
        (last <= revision).then_some(Self { revision, audit, migrations })
    }

    /// Asserts that what was committed since then has exactly its rows.
    pub fn check_since(self, sql: &Sqlite) {
        sql.aside(|| self.check(sql));
    }

    fn check(self, sql: &Sqlite) {
        // A migration may begin a history, which no journal names.
        let Some(now) = Self::read(sql).filter(|now| now.migrations == self.migrations) else {
            return;
        };
        let journal =
            "SELECT revision, what, subject FROM journal WHERE revision > ? ORDER BY revision";
        let journal = entries(sql, Statement::new(journal).bind(self.revision));
        let numbers: Vec<i64> = journal.iter().map(|(revision, ..)| *revision).collect();
        let expected: Vec<i64> = (self.revision + 1..=now.revision).collect();
        assert_eq!(numbers, expected, "each revision is in the journal once: {journal:?}");

        let audit = "SELECT revision, action, ifnull(key, 'account') FROM audit
            WHERE number > ? AND revision IS NOT NULL ORDER BY revision";
        let audit = entries(sql, Statement::new(audit).bind(self.audit));
        let of_people: Vec<Entry> = journal
            .iter()
            .filter(|(_, what, _)| !OF_THE_LEDGER.contains(&what.as_str()))
            .cloned()
            .collect();
        assert_eq!(audit, of_people, "each change that a person made is in the trail once");

        // A key's row and its publication have the revision of the last change of it.
        for (_, what, subject) in &journal {
            let last = journal.iter().rfind(|(.., other)| other == subject).map(|(last, ..)| *last);
            if subject == "account" || what == "sweep" {
                continue;
            }
            let ids = "(SELECT id, revision FROM key UNION ALL SELECT id, revision FROM api_user) WHERE id";
            for table in ["publication WHERE key", ids] {
                let text = format!("SELECT revision, '', '' FROM {table} = ?");
                let rows = entries(sql, Statement::new(text).bind(subject.as_str()));
                let revision = rows.first().map(|(revision, ..)| *revision);
                let is_orphan = what == "orphan" && table == ids;
                assert!(
                    is_orphan || revision == last,
                    "{what} of {subject}: {revision:?}, not {last:?}"
                );
            }
        }
    }
}

fn entries(sql: &Sqlite, statement: Statement) -> Vec<Entry> {
    let read = |mut row: Row| -> Result<Entry, SqlError> {
        Ok((row.integer()?, row.text()?, row.text()?))
    };
    sql.read_all(&statement, read).unwrap()
}

fn number(sql: &Sqlite, text: &'static str) -> i64 {
    sql.integer(&Statement::new(text)).unwrap()
}

/// Returns the names of an enum's variants, as its source has them.
fn variants(source: &str, name: &str) -> Vec<String> {
    let file = syn::parse_file(source).unwrap();
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    found.unwrap().variants.iter().map(|variant| variant.ident.to_string()).collect()
}

/// Returns a request's variant, and that of the command in it, as far down as commands go.
fn name_of(request: &LedgerRequest) -> String {
    let of = |value: &dyn std::fmt::Debug| {
        let text = format!("{value:?}");
        text.split([' ', '(', '{']).next().unwrap().to_owned()
    };
    match request {
        LedgerRequest::Console { command: Command::Service { service }, .. } => {
            format!("Service {}", of(service))
        }
        LedgerRequest::Console { command: Command::Operate { operation }, .. } => {
            format!("Operate {}", of(operation))
        }
        LedgerRequest::Console { command: Command::Members { members }, .. } => {
            format!("Members {}", of(members))
        }
        LedgerRequest::Console { command: Command::Networks { networks }, .. } => {
            format!("Networks {}", of(networks))
        }
        LedgerRequest::Console { command: Command::Factors { factors }, .. } => {
            format!("Factors {}", of(factors))
        }
        LedgerRequest::Console { command: Command::Passkeys { passkeys }, .. } => {
            format!("Passkeys {}", of(passkeys))
        }
        LedgerRequest::Console { command: Command::ApiUsers { users }, .. } => {
            format!("ApiUsers {}", of(users))
        }
        LedgerRequest::Console { command, .. } => of(command),
        request => of(request),
    }
}

/// The requests that have been sent so far.
#[derive(Default)]
struct Witness(BTreeSet<String>);

impl Witness {
    /// Sends a request and asserts which rows it leaves in the audit trail: actions of one actor.
    fn send(&mut self, world: &World, request: LedgerRequest, actor: &str, actions: &[&str]) {
        let address = if actor == "operator" { "none" } else { "203.0.113.7" };
        self.send_from(address, world, request, actor, actions);
    }

    fn send_from(
        &mut self,
        address: &str,
        world: &World,
        request: LedgerRequest,
        actor: &str,
        actions: &[&str],
    ) {
        let name = name_of(&request);
        let count = "SELECT count(*) FROM sqlite_master WHERE name = 'audit'";
        let before = match number(&world.sql, count) {
            0 => 0,
            _ => number(&world.sql, "SELECT ifnull(max(number), 0) FROM audit"),
        };
        let reply = world.handle(request).unwrap();
        let is_refused = matches!(&reply, LedgerReply::Refused(refusal)
            if !matches!(refusal, Refusal::CodeWrong { .. }));
        assert!(!is_refused, "{name}: {reply:?}");
        let text = "SELECT at_ms, action, member || ' ' || ifnull(address, 'none') FROM audit
            WHERE number > ? ORDER BY number";
        let rows = entries(&world.sql, Statement::new(text).bind(before));
        let now = world.now.get();
        let expected: Vec<Entry> = actions
            .iter()
            .map(|action| (now, (*action).to_owned(), format!("{actor} {address}")))
            .collect();
        assert_eq!(rows, expected, "{name}");
        self.0.insert(name);
    }

    fn ask(&mut self, world: &World, browser: Browser, command: Command, actions: &[&str]) {
        let address = Some("203.0.113.7".into());
        let request = LedgerRequest::Console { session: browser.proof, address, command };
        self.send(world, request, browser.member.as_str(), actions);
    }
}

/// The property above sees only what tests send. Here every request and command is sent once, and
/// a new one fails the test until its rows are stated.
#[test]
fn every_request_and_command_leaves_exactly_its_rows_in_the_audit_trail() {
    let mut witness = Witness::default();
    let world = World::empty();
    let (LedgerRequest::Open(opening), guest) = world.open_request(b'g', 1) else { panic!() };
    let member = guest.member.to_string();
    let invited = LedgerRequest::OpenInvited(opening);
    witness.send(&world, invited, &member, &["open", "sign_in"]);

    let world = World::empty();
    let (request, owner) = world.open_request(b'o', 1);
    let member = owner.member.to_string();
    witness.send(&world, request, &member, &["open", "sign_in"]);
    let (session, proof) = world.draw_session();
    let email = Email::parse("mei@example.jp").unwrap();
    let sign_in = LedgerRequest::SignIn {
        member: owner.member,
        email,
        secret_version: SecretVersion(1),
        session,
        address: Some("203.0.113.7".into()),
        confirmed: true,
        switches: false,
        address_version: AddressVersion::default(),
    };
    witness.send(&world, sign_in, &member, &["sign_in"]);
    let owner = Browser { proof, ..owner };
    let step_up =
        Command::StepUp { secret_version: SecretVersion(1), confirmed: true, session: None };
    witness.ask(&world, owner, step_up, &["step_up"]);
    witness.ask(&world, owner, Command::Show, &[]);

    let mut issue = world.issue_command(r#"{"viewable":true}"#);
    let Command::Issue { id, sealed: secret, .. } = &mut issue else { panic!() };
    let id = *id;
    *secret = Some(Ciphertext::from_stored("sealed".into()));
    witness.ask(&world, owner, issue, &["issue"]);
    witness.ask(&world, owner, Command::Reveal { id }, &["reveal"]);
    witness.ask(&world, owner, Command::List(Listing::default()), &[]);
    witness.ask(&world, owner, Command::Get { id, deleted: false }, &[]);
    witness.ask(&world, owner, Command::Check { draft: draft("{}") }, &[]);
    let renamed = serde_json::from_str(r#"{"name":"Cron"}"#).unwrap();
    let edit = Command::Edit { id, expected: Revision(1), changes: renamed };
    witness.ask(&world, owner, edit, &["edit"]);
    for (expected, enabled, action) in [(2, false, "disable"), (3, true, "enable")] {
        let set = Command::SetEnabled { id, expected: Revision(expected), enabled };
        witness.ask(&world, owner, set.clone(), &[action]);
        witness.ask(&world, owner, set, &[]);
    }

    rotation(&mut witness, &world, owner);
    programs(&mut witness, &world, owner);

    let (key, proof) = issuer(&world, owner, "");
    let count = Command::CountIssued { issuer: proof.issuer };
    witness.ask(&world, owner, count, &[]);
    let issue = by_api(&world, proof, HOUR, "[]");
    witness.send(&world, issue, key.id.as_str(), &["issue"]);
    let one = revoke(sealed(&world, 0), proof.issuer, START + HOUR);
    witness.ask(&world, owner, one, &["revoke_sealed"]);
    let by_client = revoke_by_client(sealed(&world, 0), proof);
    witness.send(&world, by_client, key.id.as_str(), &["revoke_sealed"]);

    let (deletion, begin) = world.begin_deletion(&[id, key.id]);
    witness.ask(&world, owner, begin, &["begin_deletion"]);
    witness.ask(&world, owner, Command::ShowDeletion { id: deletion }, &[]);
    witness.ask(&world, owner, mail_again(deletion, "right"), &[]);
    witness.ask(&world, owner, confirm(deletion, "wrong"), &["try_wrong_code"]);
    witness.ask(&world, owner, confirm(deletion, "right"), &["delete", "delete"]);
    let expected = world.record(id).unwrap().revision;
    witness.ask(&world, owner, Command::RestoreKey { id, expected }, &["restore_key"]);

    for (exports, actions) in [(false, &[][..]), (true, &["export_activity"])] {
        let query = serde_json::from_str("{}").unwrap();
        witness.ask(&world, owner, Command::Activity { query, exports }, actions);
    }
    let change = change_service(&world, owner);
    let services = [
        (ServiceCommand::Show, &[][..]),
        (change, &["change_service_password"]),
        (ServiceCommand::Reveal, &["reveal_service"]),
    ];
    for (service, actions) in services {
        witness.ask(&world, owner, Command::Service { service }, actions);
    }
    let service = set_ceiling(&world, owner, r#"{"longest":"1d"}"#);
    witness.ask(&world, owner, Command::Service { service }, &["set_service_ceiling"]);
    let account = AccountId::parse("zzzzzzzz").unwrap();
    let operations = [
        (OperatorCommand::Look, &[][..]),
        (OperatorCommand::Invite { account, idempotency_key: "i-1".into() }, &["invite_account"]),
        (
            OperatorCommand::SetState { account, freshness_ms: Some(0), suspended: None },
            &["set_account_state"],
        ),
        (
            OperatorCommand::SetPolicy { account, changes: changes(r#"{"preset":"registry"}"#) },
            &["set_account_policy"],
        ),
        (OperatorCommand::TurnOffNetworks { account }, &["turn_off_networks"]),
        (OperatorCommand::Rebuild { account }, &["rebuild_account"]),
        (OperatorCommand::BeginRestore { account }, &["begin_restore"]),
        (OperatorCommand::FinishRestore { account }, &["finish_restore"]),
        (OperatorCommand::Withdraw { account }, &["withdraw_account"]),
    ];
    for (operation, actions) in operations {
        witness.ask(&world, owner, Command::Operate { operation }, actions);
    }
    proofs::api_users(&mut witness, &world, owner);
    networks(&mut witness, &world, owner);
    pairs(&mut witness, &world, owner);
    proofs::mailed_codes(&mut witness, &world, owner);
    let by_access = LedgerRequest::OperateByAccess {
        operator: Email::parse("ann@example.com").unwrap(),
        address: Some("203.0.113.7".into()),
        operation: OperatorCommand::Rebuild { account },
    };
    witness.send(&world, by_access, "ann@example.com", &["rebuild_account"]);
    people(&mut witness, &world, owner);
    proofs::second_factors(&mut witness, &world, owner);
    witness.ask(&world, owner, Command::SignOut, &["sign_out"]);
    let member = owner.member;
    let address = AddressNews {
        member,
        email: Email::parse("mei@example.org").unwrap(),
        address_version: AddressVersion(1),
        secret_version: SecretVersion(1),
        address: Some("203.0.113.7".into()),
    };
    let changed = LedgerRequest::AddressChanged(address);
    witness.send(&world, changed, member.as_str(), &["change_address"]);

    let set_state = LedgerRequest::SetState { freshness_ms: Some(0), suspended: None };
    let read = ReadExpiry { text: "5m".into(), at: world.now() };
    let restored = LedgerRequest::Restored { epoch: Epoch::new(5) };
    let holds = LedgerRequest::Holds { member: owner.member, email: "mei@example.jp".into() };
    for (request, actions) in [
        (set_state.clone(), &["set_state"][..]),
        (set_state, &[]),
        (LedgerRequest::Rebuild, &["rebuild"]),
        (restored.clone(), &["restore"]),
        (restored, &[]),
        (LedgerRequest::ReadExpiry(read), &[]),
        (LedgerRequest::Refresh(RefreshRequest::default()), &[]),
        (LedgerRequest::Record { id }, &[]),
        (holds, &[]),
        (LedgerRequest::Exists, &[]),
        (LedgerRequest::HoldsApiName { name: ApiUserName::parse("app@example.com").unwrap() }, &[]),
        (LedgerRequest::Progress, &[]),
        (LedgerRequest::Inspect, &[]),
    ] {
        witness.send(&world, request, "operator", actions);
    }

    let enums = [
        (include_str!("../../src/control/protocol/ledger.rs"), "LedgerRequest", ""),
        (include_str!("../../src/control/protocol/command.rs"), "Command", ""),
        (include_str!("../../src/control/protocol/service.rs"), "ServiceCommand", "Service "),
        (include_str!("../../src/control/protocol/operator.rs"), "OperatorCommand", "Operate "),
        (include_str!("../../src/control/protocol/members.rs"), "MembersCommand", "Members "),
        (
            include_str!("../../src/control/protocol/account_networks.rs"),
            "AccountNetworksCommand",
            "Networks ",
        ),
        (include_str!("../../src/control/protocol/factors.rs"), "FactorsCommand", "Factors "),
        (include_str!("../../src/control/protocol/factors.rs"), "PasskeyCommand", "Passkeys "),
        (include_str!("../../src/control/protocol/api_users.rs"), "ApiUsersCommand", "ApiUsers "),
    ];
    let all = enums.into_iter().flat_map(|(source, name, prefix)| {
        variants(source, name).into_iter().map(move |variant| format!("{prefix}{variant}"))
    });
    // These have commands of their own.
    let all: BTreeSet<String> = all
        .filter(|name| {
            ![
                "Console", "Service", "Operate", "Members", "Networks", "Factors", "Passkeys",
                "ApiUsers",
            ]
            .contains(&name.as_str())
        })
        .collect();
    assert_eq!(witness.0, all);
}

/// Sends what concerns the account's networks.
fn networks(witness: &mut Witness, world: &World, owner: Browser) {
    let ask = |witness: &mut Witness, json: &str, actions: &[&str]| {
        let networks = serde_json::from_str(json).unwrap();
        witness.ask(world, owner, Command::Networks { networks }, actions);
    };
    let draft = r#""draft":{"mode":"enforced","entries":[{"network":"203.0.113.7","surfaces":["console"]}]}"#;
    ask(witness, r#"{"what":"show"}"#, &[]);
    ask(witness, &format!(r#"{{"what":"preview",{draft}}}"#), &[]);
    let set = format!(r#"{{"what":"set",{draft},"expected":0}}"#);
    ask(witness, &set, &["set_networks"]);
    ask(witness, &set, &[]);
    witness.send(world, LedgerRequest::TurnOffNetworks, "operator", &["set_networks"]);
    witness.send(world, LedgerRequest::TurnOffNetworks, "operator", &[]);
    let delete = r#"{"what":"delete","id":1,"password":{"secret_version":1,"confirmed":true}}"#;
    ask(witness, delete, &["delete_network"]);
}

/// Sends commands of a program, which stand in its name.
fn programs(witness: &mut Witness, world: &World, owner: Browser) {
    let token = world.issue(owner, r#"{"permissions":["claviger:keys-write"]}"#);
    let key = world.issue(owner, "{}");
    for (key, actions) in [(&key, &["disable"][..]), (&key, &[]), (&token, &["disable"])] {
        let (caller, address) = (AdminCaller::Key(token.id), Some("203.0.113.7".into()));
        let command = set_enabled(key, false);
        let request = LedgerRequest::Token { caller, address, command };
        witness.send(world, request, token.id.as_str(), actions);
    }
}

/// Sends what concerns the rotation of a key.
fn rotation(witness: &mut Witness, world: &World, owner: Browser) {
    let first = world.issue(owner, "{}");
    let replace = regenerate(world, &first, r#"{"overlap":"1d"}"#);
    witness.ask(world, owner, replace, &["replace", "regenerate"]);
    let view = |id| match world.ask(owner, Command::Get { id, deleted: true }) {
        LedgerReply::Key(key) => key,
        other => panic!("no key: {other:?}"),
    };
    let second = view(view(first.id).replaced_by.unwrap());
    let replace = regenerate(world, &second, r#"{"overlap":"1d"}"#);
    witness.ask(world, owner, replace, &["end_overlap", "replace", "regenerate"]);
    let second = view(second.id);
    let end = Command::EndOverlap { id: second.id, expected: second.revision };
    witness.ask(world, owner, end.clone(), &["end_overlap"]);
    witness.ask(world, owner, end, &[]);
}

/// Sends what concerns the policy, and the key pair of a member under it.
fn pairs(witness: &mut Witness, world: &World, owner: Browser) {
    let pairs = changes(r#"{"preset":"registry","demands_mfa":false}"#);
    let set =
        |changes, revision| LedgerRequest::SetPolicy { changes, expected: Revision(revision) };
    witness.send(world, LedgerRequest::ShowPolicy, "operator", &[]);
    let preview = LedgerRequest::PreviewPolicy { changes: pairs };
    witness.send(world, preview, "operator", &[]);
    witness.send(world, set(pairs, 0), "operator", &["set_policy"]);
    witness.send(world, set(pairs, 0), "operator", &[]);
    witness.ask(world, owner, Command::ShowPair, &[]);

    // The member of the pair is removed with it.
    let guest = world.join("admin", b'h');
    let (id, other) = (world.issue(guest, "{}").id, world.join("owner", b'i'));
    let expected = world.record(id).unwrap().revision;
    witness.ask(world, guest, Command::DeleteKey { id, expected }, &["delete"]);
    world.issue(guest, "{}");
    let remove = MembersCommand::Remove { member: guest.member };
    let members = Command::Members { members: remove };
    witness.ask(world, owner, members, &["remove_member", "delete"]);
    world.issue(other, "{}");
    let leave = Command::Members { members: MembersCommand::Leave };
    witness.ask(world, other, leave, &["leave", "delete"]);
    let portal = changes(r#"{"preset":"portal"}"#);
    witness.send(world, set(portal, 1), "operator", &["set_policy"]);
}

/// Sends what concerns members, invitations, sessions and passwords.
fn people(witness: &mut Witness, world: &World, owner: Browser) {
    let mut manage = |browser, members, actions| {
        witness.ask(world, browser, Command::Members { members }, actions);
    };
    let mut guests = Vec::new();
    for address in ["ken@example.jp", "noor@example.jp"] {
        let (invite, _) = invite_command(world, address, Role::Viewer);
        let MembersCommand::Invite { id, member, .. } = &invite else { panic!() };
        let (id, member) = (*id, *member);
        manage(owner, invite, &["invite_member"]);
        let (token, drawn) = draw_invitation(world);
        let repeat = MembersCommand::RepeatInvitation { id, token };
        manage(owner, repeat, &["repeat_invitation"]);
        guests.push((member, address, drawn));
    }
    let (invite, _) = invite_command(world, "ana@example.jp", Role::Viewer);
    let MembersCommand::Invite { id, .. } = &invite else { panic!() };
    let withdraw = MembersCommand::WithdrawInvitation { id: *id };
    manage(owner, invite, &["invite_member"]);
    manage(owner, withdraw, &["withdraw_invitation"]);
    manage(owner, MembersCommand::List, &[]);
    let (name, zone) = (Some("Mei T.".to_owned()), Zone::parse("UTC").ok());
    let profile = MembersCommand::EditProfile { name: name.clone(), language: None };
    manage(owner, profile, &["edit_profile"]);
    manage(owner, MembersCommand::EditAccount { name, zone }, &["edit_account"]);
    manage(owner, MembersCommand::ShowNotices, &[]);
    let changes = NoticeChanges { key_end: Some(false), ..NoticeChanges::default() };
    manage(owner, MembersCommand::EditNotices { changes }, &["edit_notices"]);
    manage(owner, MembersCommand::ListNotices { cursor: None, limit: None }, &[]);
    manage(owner, MembersCommand::ReadNotices { until: 1 }, &[]);

    let mut joined = Vec::new();
    for (member, address, token) in guests {
        let show = LedgerRequest::ShowInvitation { token: token.id, digest: token.digest };
        witness.send(world, show, "nobody", &[]);
        let (join, proof) = joining(world, token, (member, address));
        witness.send(world, join, member.as_str(), &["join", "sign_in"]);
        joined.push(Browser { member, proof });
    }
    let [ken, noor] = joined[..] else { panic!() };
    let (role, expected) = (Role::Admin, Role::Viewer);
    let change = MembersCommand::ChangeRole { member: ken.member, role, expected };
    let commands = [
        (owner, change, &["change_role"][..]),
        (owner, MembersCommand::EndSessions { member: ken.member }, &["end_member_sessions"]),
        (owner, MembersCommand::Remove { member: ken.member }, &["remove_member"]),
        (noor, MembersCommand::Leave, &["leave"]),
    ];
    for (browser, members, actions) in commands {
        witness.ask(world, browser, Command::Members { members }, actions);
    }

    let (member, email) = (owner.member, Email::parse("mei@example.jp").unwrap());
    let (session, _) = world.draw_session();
    let id = session.id;
    let sign_in = LedgerRequest::SignIn {
        member,
        email: email.clone(),
        secret_version: SecretVersion(1),
        session,
        address: Some("203.0.113.7".into()),
        confirmed: true,
        switches: true,
        address_version: AddressVersion::default(),
    };
    witness.send(world, sign_in, member.as_str(), &["sign_in"]);
    witness.ask(world, owner, Command::ListSessions, &[]);
    witness.ask(world, owner, Command::EndSession { id }, &["end_session"]);
    witness.ask(world, owner, Command::EndOtherSessions, &["end_other_sessions"]);
    let membership = LedgerRequest::Membership {
        member,
        email: email.clone(),
        address_version: AddressVersion::default(),
    };
    witness.send(world, membership, "nobody", &[]);
    let reset = ResetMail {
        member,
        email: email.clone(),
        reset: id,
        until: world.now(),
        address: None,
        sealed: Ciphertext::from_stored("b.AAAA".into()),
    };
    witness.send(world, LedgerRequest::MailReset(reset), "nobody", &[]);
    let news = PasswordNews {
        member,
        email,
        secret_version: SecretVersion(1),
        at: world.now(),
        address: Some("203.0.113.7".into()),
        is_reset: false,
        mails: false,
    };
    let attempts = vec![RefusedAttempts {
        kind: AttemptKind::StepUp,
        network: None,
        count: 1,
        at: world.now(),
    }];
    let refused = AttemptsNews { member, email: Email::parse("mei@example.jp").unwrap(), attempts };
    let request = LedgerRequest::AttemptsRefused(refused);
    witness.send_from("none", world, request, member.as_str(), &["refuse_step_up"]);
    witness.ask(world, owner, Command::ChangeAddress, &[]);
    // The ledger's row has this version already, so nothing changes.
    witness.send(world, LedgerRequest::PasswordChanged(news), member.as_str(), &[]);
}
