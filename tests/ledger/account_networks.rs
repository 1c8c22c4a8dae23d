//! Account-wide networks (row C19): the list, the guard of the console, and what leases carry.

use claviger_control::protocol::account_networks::{
    AccountNetworksCommand, ChangedNetworkList, NetworkListPreview, NetworkListView,
    NetworksRefusal, ProvenPassword,
};
use claviger_control::protocol::api_users::ApiUsersCommand;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::identity::NewChallenge;
use claviger_control::protocol::keys::Listing;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{Role, SecretVersion};
use claviger_control::protocol::operator::OperatorCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::TokenId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::limits::Interface;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::{Caller, RefreshRequest, ServiceUses, UsageBatch, Use};
use serde_json::{Value, json};

use crate::api_users::create_command;
use crate::factors::{challenge, enrol, totp};
use crate::invitations::{invite, joining};
use crate::issuing::{by_api, issuer};
use crate::passkeys::{Authenticator, add};
use crate::service::change_service;
use crate::world::{Browser, HOUR, MINUTE, START, World, edit, regenerate};

/// Address of every request of [`World::ask`].
const HERE: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.9";

pub fn entry(network: &str, surfaces: &[&str]) -> Value {
    json!({ "network": network, "surfaces": surfaces })
}

pub fn draft(mode: &str, entries: &[Value]) -> Value {
    json!({ "mode": mode, "entries": entries })
}

/// A list that opens everything to the members' network.
fn own(mode: &str) -> Value {
    draft(mode, &[entry("203.0.113.0/24", &["console", "admin_api", "protected_api", "smtp"])])
}

fn networks(networks: AccountNetworksCommand) -> Command {
    Command::Networks { networks }
}

fn show(world: &World, browser: Browser) -> NetworkListView {
    match world.ask(browser, networks(AccountNetworksCommand::Show)) {
        LedgerReply::Networks(view) => view,
        other => panic!("not shown: {other:?}"),
    }
}

fn preview(world: &World, owner: Browser, typed: Value) -> NetworkListPreview {
    let draft = serde_json::from_value(typed).unwrap();
    match world.ask(owner, networks(AccountNetworksCommand::Preview { draft })) {
        LedgerReply::NetworksChecked(preview) => preview,
        other => panic!("no preview: {other:?}"),
    }
}

fn password(version: u32) -> ProvenPassword {
    ProvenPassword { secret_version: SecretVersion(version), confirmed: true }
}

fn set_command(typed: Value, expected: Revision) -> AccountNetworksCommand {
    AccountNetworksCommand::Set {
        draft: serde_json::from_value(typed).unwrap(),
        expected,
        password: None,
        confirm_lock_out: false,
    }
}

/// Sets the list, as an owner who has just seen it, with the password.
pub fn set(world: &World, owner: Browser, typed: Value) -> ChangedNetworkList {
    let draft = serde_json::from_value(typed).unwrap();
    let command = AccountNetworksCommand::Set {
        draft,
        expected: show(world, owner).revision,
        password: Some(password(1)),
        confirm_lock_out: true,
    };
    match world.ask(owner, networks(command)) {
        LedgerReply::NetworksChanged(changed) => changed,
        other => panic!("not set: {other:?}"),
    }
}

fn why(world: &World, owner: Browser, command: AccountNetworksCommand) -> NetworksRefusal {
    match world.refusal(owner, networks(command)) {
        Refusal::Networks(refusal) => refusal,
        other => panic!("refused otherwise: {other:?}"),
    }
}

fn from(world: &World, browser: Browser, address: Option<&str>, command: Command) -> LedgerReply {
    let (session, address) = (browser.proof, address.map(str::to_owned));
    world.handle(LedgerRequest::Console { session, address, command }).unwrap()
}

fn denied() -> LedgerReply {
    LedgerReply::Refused(Refusal::Networks(NetworksRefusal::Denied))
}

fn opens(world: &World, interface: Interface, address: &str) -> bool {
    world.cold().state.unwrap().opens(interface, ClientAddress::parse(address))
}

fn bound() -> Option<Bound> {
    Some(Bound { at: UnixMs::from_ms(START + 10_000), within_s: 10, is_eventual: false })
}

#[test]
fn c19_no_entry_is_no_restriction_and_any_entry_opens_its_surfaces_alone() {
    let (world, owner) = World::open();
    let view = show(&world, owner);
    assert_eq!((view.list.entries.len(), view.revision, view.changed_at), (0, Revision(0), None));
    assert_eq!(world.cold().state.unwrap().networks, None);
    assert!(opens(&world, Interface::Http, ELSEWHERE));
    let changed = set(&world, owner, own("enforced"));
    assert_eq!((changed.view.revision, changed.bound), (Revision(1), bound()));
    assert_eq!(changed.view.changed_by.as_deref(), Some("Mei Tanaka"));
    let state = world.cold().state.unwrap();
    assert_eq!(changed.state, Some(state.revision), "leases learn of it");
    for interface in [Interface::Http, Interface::Smtp] {
        assert!(opens(&world, interface, HERE) && opens(&world, interface, "::ffff:203.0.113.1"));
        assert!(!opens(&world, interface, ELSEWHERE) && !opens(&world, interface, "2001:db8::1"));
    }
    // An IPv6 network for the protected API alone closes SMTP to everyone.
    let typed =
        draft("enforced", &[entry(HERE, &["console"]), entry("2001:DB8::/32", &["protected_api"])]);
    let changed = set(&world, owner, typed);
    assert_eq!(changed.bound, bound());
    assert!(opens(&world, Interface::Http, "2001:db8::1"));
    assert!(!opens(&world, Interface::Http, HERE) && !opens(&world, Interface::Smtp, HERE));
    // No entry opens everything again, and takes no power away.
    let changed = set(&world, owner, draft("enforced", &[]));
    assert_eq!((changed.bound, world.cold().state.unwrap().networks), (None, None));
}

#[test]
fn only_a_change_of_what_the_edge_enforces_is_one_of_the_state() {
    let (world, owner) = World::open();
    let revision = || world.cold().revision;
    let before = revision();
    let changed = set(&world, owner, own("observed"));
    assert_eq!((changed.state, changed.bound, revision()), (None, None, before));
    let changed = set(&world, owner, own("enforced"));
    assert_eq!((changed.state, changed.bound), (Some(revision()), bound()));
    let mut labelled = own("enforced");
    labelled["entries"][0]["label"] = json!("Office");
    let changed = set(&world, owner, labelled.clone());
    assert_eq!((changed.state, changed.bound), (None, None), "a label");
    // A repeated request finds its own change.
    let again = world.ask(owner, networks(set_command(labelled, Revision(0))));
    let LedgerReply::NetworksChanged(again) = again else { panic!("{again:?}") };
    assert_eq!((again.view.list, again.view.revision), (changed.view.list, Revision(3)));
    let wider = draft(
        "enforced",
        &[
            entry("203.0.113.0/24", &["console", "admin_api", "protected_api", "smtp"]),
            entry("192.0.2.0/24", &["smtp"]),
        ],
    );
    let changed = set(&world, owner, wider);
    assert_eq!((changed.state, changed.bound), (Some(revision()), None), "it only gives");
    assert_eq!(world.count("journal WHERE what = 'set_networks'"), 2);
    assert_eq!(world.count("audit WHERE action = 'set_networks' AND address = '203.0.113.7'"), 4);
}

#[test]
fn c19_the_console_refuses_every_command_from_elsewhere_at_once() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    set(&world, owner, own("enforced"));
    for browser in [owner, viewer] {
        for address in [Some(ELSEWHERE), Some("240.0.0.1"), Some("nonsense"), None] {
            for command in [Command::Show, Command::ListSessions, world.issue_command("{}")] {
                assert_eq!(from(&world, browser, address, command), denied(), "{address:?}");
            }
        }
        let here = from(&world, browser, Some("::ffff:203.0.113.1"), Command::Show);
        assert!(matches!(here, LedgerReply::Session(_)), "mapped");
    }
    // A stranger does not learn that there is a list.
    let stranger = Browser { proof: world.draw_session().1, ..owner };
    let reply = from(&world, stranger, Some(ELSEWHERE), Command::Show);
    assert_eq!(reply, LedgerReply::Refused(Refusal::NotSignedIn));
    // A member outside may still sign out.
    assert_eq!(from(&world, viewer, Some(ELSEWHERE), Command::SignOut), LedgerReply::Done);
    set(&world, owner, own("observed"));
    let elsewhere = from(&world, owner, Some(ELSEWHERE), Command::Show);
    assert!(matches!(elsewhere, LedgerReply::Session(_)), "observed");
}

/// A sign-in of each kind from elsewhere, with everything that it needs, opens nothing and uses up
/// nothing.
#[test]
fn c19_no_way_in_passes_by_the_list() {
    let (world, owner) = World::open();
    let [plain, app, key] = [b'p', b'a', b'k'].map(|seed| world.join("admin", seed));
    enrol(&world, app);
    let authenticator = Authenticator::new(9);
    add(&world, key, &authenticator, "Phone");
    let open = challenge(&world, app);
    let (_, token) = invite(&world, owner, "ken@example.jp", Role::Admin);
    let offer = world
        .handle(LedgerRequest::ShowInvitation { token: token.id, digest: token.digest })
        .unwrap();
    let LedgerReply::Offer(offer) = offer else { panic!() };
    set(&world, owner, own("enforced"));
    let sessions = world.count("session");

    let sign_in = |browser: Browser| {
        let (mut session, _) = world.draw_session();
        let id = TokenId::random(&mut *world.rng.borrow_mut());
        session.challenge = Some(NewChallenge { id, digest: Digest::of(b"challenge") });
        let mut request = json!({
            "ask": "sign_in", "member": browser.member, "secret_version": 1, "session": session,
            "confirmed": true,
        });
        let seed = browser.member.as_str().chars().next().unwrap();
        request["email"] = json!(format!("{seed}@example.jp"));
        request
    };
    let passkey = || {
        let (session, _) = world.draw_session();
        json!({ "ask": "sign_in_by_passkey", "member": key.member,
            "passkey": authenticator.present(&world), "session": session })
    };
    let answer = || {
        let (session, _) = world.draw_session();
        json!({ "ask": "answer_challenge", "challenge": open.id, "digest": open.digest,
            "typed": totp(&world), "session": session })
    };
    let join = || {
        let request = joining(&world, token, (offer.member, "ken@example.jp")).0;
        serde_json::to_value(request).unwrap()
    };
    let again = || serde_json::to_value(world.open_request(b'o', 1).0).unwrap();
    let mut switch = sign_in(plain);
    switch["switches"] = json!(true);
    let mut requests = vec![sign_in(plain), switch, sign_in(app), answer(), passkey(), join()];
    requests.push(again());
    for request in &requests {
        for address in [json!(ELSEWHERE), Value::Null] {
            let mut request = request.clone();
            request["address"] = address;
            let request = serde_json::from_value(request).unwrap();
            assert_eq!(world.handle(request).unwrap(), denied());
        }
    }
    let audited = "audit WHERE action = 'refuse_network'";
    assert_eq!(world.count(audited), 2 * i64::try_from(requests.len()).unwrap());
    assert_eq!(world.count("audit WHERE action = 'refuse_network' AND member = 'unproven'"), 2);
    assert_eq!(world.count("session"), sessions);
    assert_eq!(world.count("member"), 4);
    for mut request in requests {
        request["address"] = json!(HERE);
        let reply = world.handle(serde_json::from_value(request).unwrap()).unwrap();
        let is_open = matches!(reply, LedgerReply::Session(_) | LedgerReply::Challenged { .. });
        assert!(is_open, "{reply:?}");
    }
    // A wrong proof gets the answer that it gets everywhere.
    let mut wrong = sign_in(plain);
    (wrong["secret_version"], wrong["confirmed"]) = (json!(9), json!(false));
    wrong["address"] = json!(ELSEWHERE);
    let reply = world.handle(serde_json::from_value(wrong).unwrap()).unwrap();
    assert_eq!(reply, LedgerReply::Refused(Refusal::SignInRefused));
}

#[test]
fn c19_a_change_that_locks_its_author_out_needs_a_second_word() {
    let (world, owner) = World::open();
    let elsewhere = || draft("enforced", &[entry("192.0.2.0/24", &["console", "protected_api"])]);
    let checked = preview(&world, owner, elsewhere());
    assert_eq!(checked.address, ClientAddress::parse(HERE));
    let refusal = why(&world, owner, set_command(elsewhere(), Revision(0)));
    assert_eq!(refusal, NetworksRefusal::WouldLockYouOut);
    // So does a list that opens the console to no one, and a request without an address.
    let none = || draft("enforced", &[entry(HERE, &["protected_api"])]);
    assert_eq!(
        why(&world, owner, set_command(none(), Revision(0))),
        NetworksRefusal::WouldLockYouOut
    );
    let command = networks(set_command(own("enforced"), Revision(0)));
    let reply = from(&world, owner, None, command);
    assert_eq!(reply, LedgerReply::Refused(Refusal::Networks(NetworksRefusal::WouldLockYouOut)));
    assert_eq!(world.count("account_networks"), 0);
    // A list that is tried locks no member out.
    let mut tried = elsewhere();
    tried["mode"] = json!("observed");
    set(&world, owner, tried);
    set(&world, owner, elsewhere());
    assert_eq!(world.ask(owner, Command::Show), denied(), "as confirmed");
}

#[test]
fn c19_an_entry_is_deleted_with_the_password_alone() {
    let (world, owner) = World::open();
    let both =
        || draft("enforced", &[entry("203.0.113.0/24", &["console"]), entry(ELSEWHERE, &["smtp"])]);
    let view = set(&world, owner, both()).view;
    let id = view.list.entries[1].id;
    let one = || draft("enforced", &[entry("203.0.113.0/24", &["console", "smtp"])]);
    assert_eq!(preview(&world, owner, one()).removes, vec![view.list.entries[1].clone()]);
    assert_eq!(
        why(&world, owner, set_command(one(), view.revision)),
        NetworksRefusal::PasswordRequired
    );
    // Another network in the place of one is a deletion, too; other surfaces are none.
    let moved = draft("enforced", &[entry("203.0.113.0/24", &["console"]), entry(HERE, &["smtp"])]);
    assert_eq!(
        why(&world, owner, set_command(moved, view.revision)),
        NetworksRefusal::PasswordRequired
    );
    let delete = |id, version| AccountNetworksCommand::Delete {
        id,
        password: ProvenPassword { secret_version: SecretVersion(version), confirmed: false },
        confirm_lock_out: false,
    };
    assert_eq!(world.refusal(owner, networks(delete(id, 2))), Refusal::SignInRefused);
    assert_eq!(world.refusal(owner, networks(delete(99, 1))), Refusal::NotFound);
    assert_eq!(
        why(&world, owner, delete(view.list.entries[0].id, 1)),
        NetworksRefusal::WouldLockYouOut
    );
    let LedgerReply::NetworksChanged(changed) = world.ask(owner, networks(delete(id, 1))) else {
        panic!("not deleted")
    };
    assert_eq!((changed.view.list.entries.len(), changed.bound), (1, bound()));
    assert_eq!(world.count("audit WHERE action = 'delete_network'"), 1);
    // The last entry opens everything.
    let id = changed.view.list.entries[0].id;
    let LedgerReply::NetworksChanged(changed) = world.ask(owner, networks(delete(id, 1))) else {
        panic!("not deleted")
    };
    assert_eq!((changed.view.list.entries.len(), changed.bound), (0, None));
    assert_eq!(world.cold().state.unwrap().networks, None);
}

#[test]
fn owners_alone_change_the_list_with_a_fresh_proof_and_by_its_revision() {
    let (world, owner) = World::open();
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    let view = set(&world, owner, own("enforced")).view;
    let delete =
        |id| AccountNetworksCommand::Delete { id, password: password(1), confirm_lock_out: true };
    for browser in [admin, viewer] {
        assert_eq!(show(&world, browser).list, view.list);
        let draft = serde_json::from_value(own("observed")).unwrap();
        for command in [
            AccountNetworksCommand::Preview { draft },
            set_command(own("observed"), view.revision),
            delete(1),
        ] {
            assert_eq!(world.refusal(browser, networks(command)), Refusal::NotPermitted);
        }
    }
    let stale = why(&world, owner, set_command(own("observed"), Revision(0)));
    let NetworksRefusal::ChangedMeanwhile { view: present } = stale else { panic!("{stale:?}") };
    assert_eq!((present.revision, present.list), (view.revision, view.list.clone()));
    let Refusal::Invalid { errors } =
        world.refusal(owner, networks(set_command(json!({"mode": "on"}), view.revision)))
    else {
        panic!()
    };
    assert_eq!(errors.len(), 2);
    world.wait(11 * MINUTE);
    for command in [set_command(own("observed"), view.revision), delete(1)] {
        assert_eq!(world.refusal(owner, networks(command)), Refusal::StepUpRequired);
    }
    assert_eq!(show(&world, owner).list.entries.len(), 1, "reading needs none");
}

#[test]
fn the_operator_turns_a_list_off_that_locks_its_owners_out() {
    let (world, owner) = World::open();
    set(&world, owner, draft("enforced", &[entry("192.0.2.0/24", &["console"])]));
    assert_eq!(world.ask(owner, Command::Show), denied());
    let turn_off = || match world.handle(LedgerRequest::TurnOffNetworks).unwrap() {
        LedgerReply::NetworksChanged(changed) => changed,
        other => panic!("not turned off: {other:?}"),
    };
    let changed = turn_off();
    assert_eq!((changed.view.list.entries.len(), changed.bound), (1, None), "the entries stay");
    assert_eq!(changed.state, Some(world.cold().revision));
    assert_eq!(changed.view.changed_by, None);
    assert!(matches!(world.ask(owner, Command::Show), LedgerReply::Session(_)));
    assert_eq!(turn_off().state, None, "repeated: as if once");
    assert_eq!(world.count("audit WHERE member = 'operator' AND action = 'set_networks'"), 1);
    // A person whom Access recognised passes by the list of the operator's own account.
    set(&world, owner, draft("enforced", &[entry("192.0.2.0/24", &["console"])]));
    let by_access = LedgerRequest::OperateByAccess {
        operator: claviger_control::protocol::account::Email::parse("ann@example.com").unwrap(),
        address: Some(ELSEWHERE.into()),
        operation: OperatorCommand::TurnOffNetworks { account: world.account },
    };
    assert_eq!(world.handle(by_access).unwrap(), LedgerReply::Done);
    assert_eq!(world.count("audit WHERE action = 'turn_off_networks'"), 1);
}

#[test]
fn c19_issuers_are_decided_by_the_ledger_s_present_list() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    let issue = || world.handle(by_api(&world, proof, HOUR, "[]")).unwrap();
    assert!(matches!(issue(), LedgerReply::Changed { .. }));
    set(&world, owner, draft("enforced", &[entry(HERE, &["console"])]));
    assert_eq!(issue(), LedgerReply::Refused(Refusal::IssuerRefused));
    set(&world, owner, draft("observed", &[entry(HERE, &["console"])]));
    assert!(matches!(issue(), LedgerReply::Changed { .. }));
    set(&world, owner, own("enforced"));
    assert!(matches!(issue(), LedgerReply::Changed { .. }));
}

#[test]
fn c19_an_observed_list_names_whom_it_would_refuse() {
    let (world, owner) = World::open();
    change_service(&world, owner);
    let keys: Vec<_> =
        (0..7).map(|n| world.issue(owner, &format!(r#"{{"name":"Key {n}"}}"#))).collect();
    let caller = |address: &str, count| Caller {
        address: ClientAddress::parse(address).unwrap(),
        count,
        last_at: world.now(),
    };
    let used = |key: usize, callers: Vec<Caller>| Use {
        id: keys[key].id,
        count: 1,
        denials: 0,
        last_at: world.now(),
        addresses: Vec::new(),
        callers,
        refusals: Vec::new(),
    };
    let mut uses: Vec<Use> = (0..7).map(|key| used(key, vec![caller(ELSEWHERE, 2)])).collect();
    uses[0].callers.extend([caller(HERE, 5), caller("2001:db8::5", 1)]);
    let service = Some(ServiceUses {
        count: 4,
        last_at: Some(world.now()),
        callers: vec![caller(ELSEWHERE, 4)],
        ..ServiceUses::default()
    });
    let usage = Some(UsageBatch { isolate: 1, sequence: 1, uses, service });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });

    let found = preview(&world, owner, own("enforced")).refuses;
    set(&world, owner, own("observed"));
    assert_eq!(show(&world, owner).refuses, Some(found.clone()));
    assert_eq!((found.callers.len(), found.more, found.is_exact), (2, 0, true));
    let [office, v6] = [ELSEWHERE, "2001:db8::5"].map(|address| {
        let address = ClientAddress::parse(address).unwrap();
        found.callers.iter().find(|caller| caller.address == address).unwrap()
    });
    assert_eq!((office.count, office.keys.len(), office.more_keys), (18, 5, 2));
    assert!(office.service && !v6.service);
    assert_eq!(v6.keys[0].name, "Key 0");
    assert_eq!(serde_json::to_value(&v6.surfaces).unwrap(), json!(["protected_api"]));
    // No caller was refused meanwhile, and after a week none is named.
    assert_eq!(world.cold().state.unwrap().networks, None);
    world.wait(8 * 24 * HOUR);
    let owner = world.renewed(owner);
    show(&world, owner);
    let later = show(&world, owner).refuses.unwrap();
    assert_eq!(later.callers, []);
    // The session has the address of its last request.
    assert_eq!(later.members, []);
    let elsewhere = preview(&world, owner, draft("enforced", &[entry(ELSEWHERE, &["console"])]));
    let members = elsewhere.refuses.members;
    assert_eq!(members.len(), 1);
    assert_eq!(
        (members[0].name.as_str(), members[0].address.as_deref()),
        ("Mei Tanaka", Some(HERE))
    );
}

#[test]
fn c19_the_callers_of_api_users_are_named_with_them() {
    let (world, owner) = World::open();
    let users: Vec<_> = (0..7)
        .map(|n| {
            let name = format!(r#"{{"name":"app{n}@example.com","interfaces":["smtp"]}}"#);
            let (id, users) = create_command(&world, &name);
            world.ask(owner, Command::ApiUsers { users });
            id
        })
        .collect();
    let key = world.issue(owner, "{}");
    let used = |id| Use {
        id,
        count: 2,
        denials: 0,
        last_at: world.now(),
        addresses: Vec::new(),
        callers: vec![Caller {
            address: ClientAddress::parse(ELSEWHERE).unwrap(),
            count: 2,
            last_at: world.now(),
        }],
        refusals: Vec::new(),
    };
    let uses = users.iter().copied().chain([key.id]).map(used).collect();
    let usage = Some(UsageBatch { isolate: 1, sequence: 1, uses, service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
    let found = preview(&world, owner, own("enforced")).refuses.callers;
    let [caller] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((caller.count, caller.api_users.len(), caller.more_api_users), (16, 5, 2));
    assert_eq!((caller.keys.len(), caller.more_keys, caller.service), (1, 0, false));
    assert!(caller.api_users.iter().all(|user| {
        users.contains(&user.id) && user.name.starts_with("app") && user.name.contains('@')
    }));
    assert_eq!(serde_json::to_value(&caller.surfaces).unwrap(), json!(["protected_api", "smtp"]));
    // Where its only interface is open, an API user loses nothing.
    let open = draft("enforced", &[entry(ELSEWHERE, &["smtp"])]);
    let found = preview(&world, owner, open).refuses.callers;
    assert_eq!((found[0].keys.len(), found[0].api_users.len()), (1, 0));
    // Nor does a deleted one.
    let (secret_version, confirmed) = (SecretVersion(1), true);
    for (id, expected) in users.into_iter().zip((1..).map(Revision)) {
        let users = ApiUsersCommand::Delete { id, expected, secret_version, confirmed };
        world.ask(owner, Command::ApiUsers { users });
    }
    let found = preview(&world, owner, own("enforced")).refuses.callers;
    assert_eq!((found[0].keys.len(), found[0].api_users.len()), (1, 0));
}

#[test]
fn networks_that_are_tried_on_a_key_refuse_nobody_and_name_their_callers() {
    let (world, owner) = World::open();
    let key = world.issue(owner, r#"{"networks_observed":"203.0.113.0/24"}"#);
    assert_eq!(key.observed.to_string(), "203.0.113.0/24");
    let caller = |address: &str| Caller {
        address: ClientAddress::parse(address).unwrap(),
        count: 3,
        last_at: world.now(),
    };
    let used = Use {
        id: key.id,
        count: 6,
        denials: 0,
        last_at: world.now(),
        addresses: Vec::new(),
        callers: vec![caller(HERE), caller(ELSEWHERE)],
        refusals: Vec::new(),
    };
    let usage = Some(UsageBatch { isolate: 1, sequence: 1, uses: vec![used], service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
    let get = || match world.ask(owner, Command::Get { id: key.id, deleted: false }) {
        LedgerReply::Key(view) => view,
        other => panic!("no key: {other:?}"),
    };
    assert_eq!(get().would_refuse, Some(vec![caller(ELSEWHERE)]));
    let listed = world.page(owner, Listing::default()).keys.remove(0);
    assert_eq!((listed.observed, listed.would_refuse), (key.observed.clone(), None));
    // No record has them, so no edge refuses by them.
    let record = serde_json::to_string(&world.record(key.id).unwrap()).unwrap();
    assert!(!record.contains("203.0.113"), "{record}");
    let draft = serde_json::from_value(json!({"key": key.id, "networks_observed": ELSEWHERE}));
    let reply = world.ask(owner, Command::Check { draft: draft.unwrap() });
    let LedgerReply::Checked(checked) = reply else { panic!("{reply:?}") };
    assert_eq!((checked.would_refuse, checked.locked_out), (Some(vec![caller(HERE)]), None));
    let refused = world.refusal(owner, edit(&key, r#"{"networks_observed":"office"}"#));
    let Refusal::Invalid { errors } = refused else { panic!("{refused:?}") };
    assert_eq!(errors[0].pointer, "#/networks_observed");
    // A successor has the same ones, and removing them takes no power away.
    let reply = world.ask(owner, regenerate(&world, &key, "{}"));
    let LedgerReply::Regenerated { key: successor, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(successor.observed, key.observed);
    let removed = edit(&successor, r#"{"networks_observed":""}"#);
    let (after, _, bound) = world.changed(owner, removed);
    assert_eq!((after.unwrap().observed.len(), bound), (0, None));
    let query = serde_json::from_str("{}").unwrap();
    let activity = Command::Activity { query, exports: false };
    let LedgerReply::Activity(page) = world.ask(owner, activity) else { panic!("no page") };
    let change = page.entries[0].changes.get("networks_observed").unwrap();
    assert_eq!((&change.from, &change.to), (&json!(["203.0.113.0/24"]), &Value::Null));
}
