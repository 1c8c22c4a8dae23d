//! Service credentials (A23): made at the opening, shown again, changed, bounded by a ceiling.

use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::service::ServiceCommand;
use claviger_control::protocol::service_credentials::{
    NewPassword, NewService, ServiceView, associated_data, fresh_ceiling,
};
use claviger_core::base::id::ServiceId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::grant::IssuerProof;
use claviger_core::credential::issuer::{Issuer, SealingGeneration};
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::credential::limits::network::Networks;
use claviger_core::replication::edge_call::IssueByApi;
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::{AccountState, RefreshRequest};

use crate::world::{Browser, HOUR, MINUTE, START, World, master};
use claviger_core::testing::clv;

/// What the edge draws, with the password.
fn draw(world: &World) -> (String, NewService) {
    let rng = &mut *world.rng.borrow_mut();
    let password = NewPassword::generate(rng);
    let new = password.service(world.account, &clv(), &master(), rng).unwrap();
    (password.text().expose().to_owned(), new)
}

/// An account that was opened with service credentials, their password, and its owner.
fn open() -> (World, Browser, String) {
    let world = World::empty();
    let (mut request, owner) = world.open_request(b'o', 1);
    let (password, new) = draw(&world);
    if let LedgerRequest::Open(opening) = &mut request {
        opening.service = Some(new);
    }
    assert!(matches!(world.handle(request), Ok(LedgerReply::Session(_))));
    (world, owner, password)
}

fn command(service: ServiceCommand) -> Command {
    Command::Service { service }
}

fn show(world: &World, browser: Browser) -> ServiceView {
    match world.ask(browser, command(ServiceCommand::Show)) {
        LedgerReply::Service(view) => view,
        other => panic!("{other:?}"),
    }
}

fn changed(
    world: &World,
    browser: Browser,
    service: ServiceCommand,
) -> (ServiceView, Option<Bound>) {
    match world.ask(browser, command(service)) {
        LedgerReply::ServiceChanged { service, bound } => (service, bound),
        other => panic!("{other:?}"),
    }
}

/// A change of the password to one that was just drawn.
pub fn change_service(world: &World, browser: Browser) -> ServiceCommand {
    let expected = show(world, browser).revision;
    ServiceCommand::Change { expected, new: draw(world).1 }
}

fn change(world: &World, browser: Browser) -> (String, ServiceView, Option<Bound>) {
    let (password, new) = draw(world);
    let expected = show(world, browser).revision;
    let (view, bound) = changed(world, browser, ServiceCommand::Change { expected, new });
    (password, view, bound)
}

pub fn set_ceiling(world: &World, browser: Browser, json: &str) -> ServiceCommand {
    let ceiling = serde_json::from_str(json).unwrap();
    ServiceCommand::SetCeiling { expected: show(world, browser).revision, ceiling }
}

/// The password that is shown, as the edge decrypts it.
fn reveal(world: &World, browser: Browser) -> String {
    match world.ask(browser, command(ServiceCommand::Reveal)) {
        LedgerReply::ServiceRevealed { sealed, .. } => {
            encryption::decrypt(&sealed, associated_data(&world.account), &master())
                .unwrap()
                .expose()
                .to_owned()
        }
        other => panic!("{other:?}"),
    }
}

fn state(world: &World) -> AccountState {
    world.cold().state.unwrap()
}

fn digest(password: &str) -> Digest {
    Digest::of(password.as_bytes())
}

#[test]
fn a23_an_account_is_opened_with_credentials_that_leases_are_told_of() {
    let (world, owner, password) = open();
    let view = show(&world, owner);
    assert_eq!(view.id.unwrap().as_str(), "a1B2c3D4CV5VrGm8Coo");
    assert_eq!(
        (view.ceiling, view.revision, view.changed_by),
        (fresh_ceiling(), Revision(0), None)
    );
    let state = state(&world);
    let service = state.service.unwrap();
    assert_eq!(service.digest, digest(&password));
    assert_eq!(service.issuing.generation, SealingGeneration(0));
    assert_eq!(service.issuing.ceiling, fresh_ceiling());
    assert_eq!(reveal(&world, owner), password);

    // Opened a second time, as after a lost answer, with other credentials: nothing changes.
    let (mut request, _) = world.open_request(b'o', 1);
    if let LedgerRequest::Open(opening) = &mut request {
        opening.service = Some(draw(&world).1);
    }
    assert!(matches!(world.handle(request), Ok(LedgerReply::Session(_))));
    assert_eq!(reveal(&world, owner), password);
}

#[test]
fn an_account_that_an_older_edge_opened_has_none_until_an_owner_makes_one() {
    let (world, owner) = World::open();
    let none = show(&world, owner);
    assert_eq!((none.id, none.changed_at, none.revision), (None, None, Revision(0)));
    assert_eq!(state(&world).service, None);
    assert_eq!(world.refusal(owner, command(ServiceCommand::Reveal)), Refusal::NotFound);
    let ceiling = set_ceiling(&world, owner, r#"{"longest":"1h"}"#);
    assert_eq!(world.refusal(owner, command(ceiling)), Refusal::NotFound);
    let (password, view, bound) = change(&world, owner);
    assert_eq!(bound, None, "nothing was taken away");
    assert_eq!(view.changed_by.as_deref(), Some("Mei Tanaka"));
    assert_eq!(state(&world).service.unwrap().digest, digest(&password));
    assert_eq!(reveal(&world, owner), password);
}

#[test]
fn a23_a_new_password_ends_the_old_one_and_all_that_it_issued_within_the_bound() {
    let (world, owner, first) = open();
    let before = world.cold();
    let lease = RefreshRequest {
        epoch: Some(before.epoch.clone()),
        known_revision: before.revision,
        state_revision: before.state.unwrap().revision,
        ..RefreshRequest::default()
    };
    let (second, view, bound) = change(&world, owner);
    assert_eq!(
        bound,
        Some(Bound { at: UnixMs::from_ms(START + 10_000), within_s: 10, is_eventual: false })
    );
    assert_eq!(view.id.unwrap().as_str(), "a1B2c3D4CV5VrGm8Coo", "the service ID does not change");
    let told = world.refresh(lease).state.unwrap();
    assert!(told.revision.0 > 0);
    let service = told.service.unwrap();
    assert_eq!(service.digest, digest(&second));
    assert_ne!(service.digest, digest(&first));
    assert_eq!(service.issuing.generation, SealingGeneration(1));
    assert_eq!(reveal(&world, owner), second);
    // The number is the account's: a lease that has it is told nothing more.
    let now = world.cold();
    let lease = RefreshRequest {
        epoch: Some(now.epoch),
        known_revision: now.revision,
        state_revision: now.state.unwrap().revision,
        ..RefreshRequest::default()
    };
    assert_eq!(world.refresh(lease).state, None);
}

#[test]
fn a23_a_new_password_goes_no_further_than_the_old_one_did() {
    let (world, owner, _) = open();
    let json = r#"{"permissions":["demo:read"],"networks":"192.0.2.0/24","longest":"2d"}"#;
    let (narrow, _) = changed(&world, owner, set_ceiling(&world, owner, json));
    let (_, view, _) = change(&world, owner);
    assert_eq!(view.ceiling, narrow.ceiling);
    assert_eq!(state(&world).service.unwrap().issuing.ceiling, narrow.ceiling);
}

#[test]
fn a23_the_ledger_lets_the_present_password_alone_issue() {
    let (world, owner, first) = open();
    let by_api = |password: &str| {
        let (id, key) = world.draw_key();
        LedgerRequest::IssueByApi(IssueByApi {
            id,
            digest: key,
            proof: IssuerProof { issuer: Issuer::Service, digest: digest(password) },
            at: world.now(),
            expires: Expiry::At(UnixMs::from_ms(START + 2 * 24 * HOUR)),
            networks: Networks::anywhere(),
            address: Some("203.0.113.7".into()),
        })
    };
    let refused = LedgerReply::Refused(Refusal::IssuerRefused);
    let other = draw(&world).0;
    assert!(matches!(world.handle(by_api(&first)), Ok(LedgerReply::Changed { .. })));
    assert_eq!(world.handle(by_api(&other)), Ok(refused.clone()), "a password that nobody has set");
    let (second, ..) = change(&world, owner);
    assert_eq!(world.handle(by_api(&first)), Ok(refused));
    assert!(matches!(world.handle(by_api(&second)), Ok(LedgerReply::Changed { .. })));
}

#[test]
fn a_service_id_goes_only_with_its_generation_of_the_ring() {
    let (world, owner, _) = open();
    let (_, mut new) = draw(&world);
    let newer = ServiceId::parse("a1B2c3D400000000000").unwrap();
    new.ids.insert(0, newer);
    let (view, _) = changed(&world, owner, ServiceCommand::Change { expected: Revision(0), new });
    assert_eq!(view.id.unwrap().as_str(), "a1B2c3D4CV5VrGm8Coo", "an ID that is still one stays");
    let (_, mut new) = draw(&world);
    new.ids = vec![newer];
    let (view, _) = changed(&world, owner, ServiceCommand::Change { expected: view.revision, new });
    assert_eq!(view.id, Some(newer), "one that is none any more gives way");
    let (_, mut new) = draw(&world);
    new.ids = vec![];
    let nothing = ServiceCommand::Change { expected: view.revision, new };
    assert_eq!(world.refusal(owner, command(nothing)), Refusal::NotUnderstood);
}

#[test]
fn a_lower_ceiling_is_a_cut_with_a_bound_and_a_higher_one_is_not() {
    let (world, owner, _) = open();
    let revision = state(&world).revision;
    for (json, is_cut) in [
        (r#"{"longest":"24h"}"#, true),
        (r#"{"networks":"192.0.2.0/24"}"#, true),
        (r#"{"permissions":["demo:read"]}"#, true),
        (r#"{"permissions":["demo:*"],"networks":["192.0.0.0/8"],"longest":"2d"}"#, false),
    ] {
        let command = set_ceiling(&world, owner, json);
        let (view, bound) = changed(&world, owner, command);
        assert_eq!(bound.is_some(), is_cut, "{json}");
        assert_eq!(state(&world).service.unwrap().issuing.ceiling, view.ceiling);
        assert_eq!(
            state(&world).service.unwrap().issuing.generation,
            SealingGeneration(0),
            "nothing ends by it"
        );
    }
    assert_eq!(state(&world).revision.0, revision.0 + 4);
    let same = set_ceiling(&world, owner, r#"{"longest":"48h"}"#);
    let (_, bound) = changed(&world, owner, same);
    assert_eq!(
        (bound, state(&world).revision.0),
        (None, revision.0 + 4),
        "what is so already takes no number"
    );
}

#[test]
fn values_that_a_ceiling_cannot_have_are_told_all_at_once() {
    let (world, owner, _) = open();
    let command = set_ceiling(
        &world,
        owner,
        r#"{"permissions":["claviger:verify"],"networks":"10.0.0.0/33","longest":"soon"}"#,
    );
    let Refusal::Invalid { errors } = world.refusal(owner, Command::Service { service: command })
    else {
        panic!("not invalid")
    };
    let codes: Vec<String> =
        errors.iter().map(|error| format!("{} {}", error.pointer, error.code)).collect();
    assert_eq!(
        codes,
        ["#/networks prefix_too_long", "#/longest not_a_span", "#/permissions never_issued"]
    );
}

#[test]
fn who_may_do_what() {
    let (world, owner, _) = open();
    let (admin, viewer) = (world.join("admin", b'a'), world.join("viewer", b'v'));
    let commands = || {
        let new = draw(&world).1;
        let expected = Revision(99);
        let ceiling = serde_json::from_str("{}").unwrap();
        [
            command(ServiceCommand::Reveal),
            command(ServiceCommand::Change { expected, new }),
            command(ServiceCommand::SetCeiling { expected, ceiling }),
        ]
    };
    for browser in [owner, admin, viewer] {
        show(&world, browser);
    }
    for command in commands() {
        assert_eq!(world.refusal(viewer, command), Refusal::NotPermitted);
    }
    let [reveal, change, set] = commands();
    assert!(matches!(world.ask(admin, reveal), LedgerReply::ServiceRevealed { .. }));
    for command in [change, set] {
        assert_eq!(world.refusal(admin, command), Refusal::NotPermitted);
    }
    for command in &commands()[1..] {
        let refusal = world.refusal(owner, command.clone());
        assert!(matches!(refusal, Refusal::ServiceChangedMeanwhile { .. }), "{refusal:?}");
    }
    world.wait(11 * MINUTE);
    for command in commands() {
        assert_eq!(world.refusal(owner, command), Refusal::StepUpRequired);
    }
    assert_eq!(world.refusal(admin, command(ServiceCommand::Reveal)), Refusal::StepUpRequired);
    world.wait(2 * HOUR);
    for command in commands() {
        assert_eq!(world.refusal(owner, command), Refusal::NotSignedIn);
    }
}

#[test]
fn what_was_done_is_written_down_without_the_password() {
    let (world, owner, first) = open();
    reveal(&world, owner);
    let (second, ..) = change(&world, owner);
    let ceiling = set_ceiling(&world, owner, r#"{"longest":"1h"}"#);
    changed(&world, owner, ceiling);
    let read = "SELECT action || ' ' || coalesce(revision, '-') FROM audit ORDER BY number";
    let rows = world.sql.read_all(&Statement::new(read), |mut row| row.text()).unwrap();
    assert_eq!(
        rows,
        [
            "open -",
            "sign_in -",
            "reveal_service -",
            "change_service_password 1",
            "set_service_ceiling 2"
        ]
    );
    for text in [&first, &second] {
        for table in ["audit", "journal", "service", "account"] {
            assert!(!world.sql.dump(table).contains(text.as_str()), "{table}");
        }
    }
    let trail = world.sql.dump("audit");
    for password in [&first, &second] {
        let base64 = serde_json::to_string(&digest(password)).unwrap();
        assert!(!trail.contains(base64.trim_matches('"')));
    }
    let mut row = world.sql.rows(&Statement::new("SELECT sealed FROM service")).unwrap().remove(0);
    assert!(!trail.contains(&row.text().unwrap()));
}

#[test]
fn two_owners_at_once_do_not_undo_each_other() {
    let (world, owner, _) = open();
    let [one, two] = [(); 2].map(|()| draw(&world));
    let expected = Revision(0);
    let (view, _) = changed(&world, owner, ServiceCommand::Change { expected, new: one.1 });
    let refusal = world.refusal(owner, command(ServiceCommand::Change { expected, new: two.1 }));
    assert_eq!(refusal, Refusal::ServiceChangedMeanwhile { service: Box::new(view) });
    assert_eq!(reveal(&world, owner), one.0);
}
