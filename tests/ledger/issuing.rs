//! Issuers, what they issue and that is stored, and sealed keys that are revoked one by one.

mod at_stake;

use claviger_control::ledger::issued::ISSUED_KEYS_MAX;
use claviger_control::ledger::revoking::REVOKED_SEALED_MAX;
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::{IssuedBy, KeyView, Status};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{KeyId, SealedId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Bound;
use claviger_core::credential::grant::IssuerProof;
use claviger_core::credential::issuer::{Issued, Issuer, SealingGeneration};
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::replication::edge_call::IssueByApi;
use claviger_core::replication::record::{Credential, Record, Standing};
use claviger_core::replication::refresh::RefreshRequest;

use crate::world::{Browser, HOUR, MINUTE, SECOND, START, World, edit, set_enabled};

const DAY: i64 = 24 * HOUR;
const CEILING: &str =
    r#""issuable":{"permissions":["demo:read"],"networks":"10.0.0.0/8","longest":"100d"}"#;

/// An issuable key, and what proves that it was presented.
pub fn issuer(world: &World, owner: Browser, more: &str) -> (KeyView, IssuerProof) {
    let command = world.issue_command(&format!("{{{CEILING}{more}}}"));
    let Command::Issue { digest, .. } = &command else { panic!() };
    let digest = *digest;
    let key = world.changed(owner, command).0.unwrap();
    (key.clone(), IssuerProof { issuer: Issuer::Key(key.id), digest })
}

pub fn by_api(world: &World, proof: IssuerProof, life_ms: i64, networks: &str) -> LedgerRequest {
    let (id, digest) = world.draw_key();
    LedgerRequest::IssueByApi(IssueByApi {
        id,
        digest,
        proof,
        at: world.now(),
        expires: Expiry::At(UnixMs::from_ms(world.now.get() + life_ms)),
        networks: serde_json::from_str(networks).unwrap(),
        address: Some("203.0.113.7".into()),
    })
}

fn issued(world: &World, request: LedgerRequest) -> (KeyView, Record) {
    match world.handle(request).unwrap() {
        LedgerReply::Changed { key: Some(key), record, bound: None } => (key, record),
        other => panic!("not issued: {other:?}"),
    }
}

fn refused(world: &World, request: LedgerRequest) -> Refusal {
    let applies = world.sql.applies();
    let Ok(LedgerReply::Refused(refusal)) = world.handle(request) else { panic!("not refused") };
    assert_eq!(world.sql.applies(), applies, "a refusal writes nothing");
    refusal
}

fn credential(record: Record) -> Credential {
    match record.standing {
        Standing::Active(credential) | Standing::Disabled(credential) => credential,
        Standing::Deleted => panic!("deleted"),
    }
}

fn generation(world: &World, id: KeyId) -> SealingGeneration {
    credential(world.record(id).unwrap()).issuing.unwrap().generation
}

#[test]
fn a22_a_key_that_an_issuer_issues_is_stored_named_and_names_its_issuer() {
    let (world, owner) = World::open();
    let (key, proof) = issuer(&world, owner, r#","name":"Build server""#);
    world.wait(MINUTE);
    let (view, record) = issued(&world, by_api(&world, proof, 80 * DAY, r#"["10.1.0.0/16"]"#));
    assert_eq!(world.record(view.id), Some(record.clone()));
    // 21:01 in Tokyo.
    assert_eq!(view.name, "API 2026-11-21 21:01");
    assert_eq!(view.issued_by, Some(IssuedBy::Key { id: key.id, name: "Build server".into() }));
    assert_eq!(
        (view.created_by.as_str(), view.changed_by.as_str()),
        ("Build server", "Build server")
    );
    assert_eq!(view.limits.networks.to_string(), "10.1.0.0/16");
    let credential = credential(record);
    assert_eq!(serde_json::to_string(&credential.limits.permissions).unwrap(), r#"["demo:read"]"#);
    let by = Issuer::Key(key.id);
    assert_eq!(
        credential.issued,
        Some(Issued { by, generation: SealingGeneration(0), at: world.now() })
    );
    assert_eq!(credential.issuing, None);
    let author =
        format!("audit WHERE key = '{}' AND member = '{}' AND action = 'issue'", view.id, key.id);
    assert_eq!(world.count(&author), 1);

    world.wait(SECOND);
    // It can be edited like any key, but never issue, and never hold what is reserved.
    let (renamed, ..) = world.changed(owner, edit(&view, r#"{"name":"Night job"}"#));
    let renamed = renamed.unwrap();
    assert_eq!(
        (renamed.changed_by.as_str(), renamed.created_by.as_str()),
        ("Mei Tanaka", "Build server")
    );
    for (json, pointer) in [
        (format!("{{{CEILING}}}"), "#/issuable"),
        (r#"{"permissions":["claviger:verify"]}"#.into(), "#/permissions"),
    ] {
        let Refusal::Invalid { errors } = world.refusal(owner, edit(&renamed, &json)) else {
            panic!()
        };
        assert_eq!((errors[0].pointer.as_str(), errors[0].code.as_str()), (pointer, "issued"));
    }
    let (record, _) = world.delete(owner, &renamed);
    assert_eq!(record.standing, Standing::Deleted);
}

#[test]
fn no_networks_mean_the_ceiling_s_which_the_list_tells() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    let (view, _) = issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    assert_eq!(view.limits.networks.to_string(), "10.0.0.0/8");
}

#[test]
fn the_ledger_decides_again_who_may_issue_and_what() {
    let (world, owner) = World::open();
    let wrong = |proof: IssuerProof| IssuerProof { digest: Digest::of(b"another"), ..proof };
    let (key, proof) = issuer(&world, owner, "");
    let plain = world.issue(owner, "{}");
    let unknown = IssuerProof { issuer: Issuer::Key(world.draw_key().0), ..proof };
    let plain_proof = IssuerProof { issuer: Issuer::Key(plain.id), ..proof };
    let service = IssuerProof { issuer: Issuer::Service, ..proof };
    for proof in [wrong(proof), unknown, plain_proof, service] {
        assert_eq!(refused(&world, by_api(&world, proof, HOUR, "[]")), Refusal::IssuerRefused);
    }
    for (life_ms, networks) in [(100 * DAY + 1, "[]"), (HOUR, r#"["192.0.2.1"]"#), (0, "[]")] {
        assert_eq!(
            refused(&world, by_api(&world, proof, life_ms, networks)),
            Refusal::IssuerRefused
        );
    }
    let (elsewhere, elsewhere_proof) = issuer(&world, owner, r#","networks":"192.0.2.0/24""#);
    assert_eq!(
        refused(&world, by_api(&world, elsewhere_proof, HOUR, "[]")),
        Refusal::IssuerRefused
    );
    let (_, late) = issuer(&world, owner, r#","not_before":"1h""#);
    assert_eq!(refused(&world, by_api(&world, late, HOUR, "[]")), Refusal::IssuerRefused);
    let (_, short) = issuer(&world, owner, r#","expires":"1h""#);
    assert_eq!(refused(&world, by_api(&world, short, 2 * HOUR, "[]")), Refusal::IssuerRefused);
    let _ = elsewhere;
    // One that could not be used over HTTP does not issue over it.
    let (mail, mails) = issuer(&world, owner, "");
    let text = format!(
        "UPDATE key SET limits = json_set(limits, '$.interfaces[0]', 'smtp') WHERE id = '{}'",
        mail.id
    );
    world.sql.apply(&[Statement::new(text)]).unwrap();
    assert_eq!(refused(&world, by_api(&world, mails, HOUR, "[]")), Refusal::IssuerRefused);

    // An edge whose clock is far off.
    let off = [
        world.now().saturating_sub(DurationMs::from_s(61)),
        world.now().saturating_add(DurationMs::from_s(61)),
    ];
    for clock in off {
        let mut request = by_api(&world, proof, DAY, "[]");
        let LedgerRequest::IssueByApi(IssueByApi { at, .. }) = &mut request else { panic!() };
        *at = clock;
        assert_eq!(refused(&world, request), Refusal::IssuerRefused);
    }

    // A drawn ID of another account.
    let mut request = by_api(&world, proof, DAY, "[]");
    let LedgerRequest::IssueByApi(IssueByApi { id, .. }) = &mut request else { panic!() };
    *id = KeyId::parse("zzzzzzzz7Hq0p2Zx9K").unwrap();
    assert_eq!(refused(&world, request), Refusal::IdTaken);

    // An account that was suspended a moment ago.
    let suspend =
        |suspended| LedgerRequest::SetState { freshness_ms: None, suspended: Some(suspended) };
    world.handle(suspend(true)).unwrap();
    assert_eq!(refused(&world, by_api(&world, proof, DAY, "[]")), Refusal::IssuerRefused);
    world.handle(suspend(false)).unwrap();

    // What was issued cannot issue, whatever proof it brings.
    let request = by_api(&world, proof, 90 * DAY, "[]");
    let LedgerRequest::IssueByApi(IssueByApi { id, digest, .. }) = &request else { panic!() };
    let of_issued = IssuerProof { issuer: Issuer::Key(*id), digest: *digest };
    issued(&world, request.clone());
    assert_eq!(refused(&world, by_api(&world, of_issued, HOUR, "[]")), Refusal::IssuerRefused);
    assert_eq!(refused(&world, request), Refusal::IdTaken);

    world.changed(owner, set_enabled(&key, false));
    assert_eq!(refused(&world, by_api(&world, proof, HOUR, "[]")), Refusal::IssuerRefused);
}

/// The life of a key is granted, told and dated from the time at which the edge was asked.
#[test]
fn an_edge_s_clock_may_differ_by_a_minute_and_its_time_dates_the_key() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, r#","expires":"never""#);
    let asked = |clock_ms: i64, life_ms: i64| {
        let mut request = by_api(&world, proof, 0, "[]");
        let LedgerRequest::IssueByApi(IssueByApi { at, expires, .. }) = &mut request else {
            panic!()
        };
        *at = UnixMs::from_ms(START + clock_ms);
        *expires = Expiry::At(UnixMs::from_ms(START + clock_ms + life_ms));
        request
    };
    for clock_ms in [-MINUTE, 0, MINUTE] {
        let (view, record) = issued(&world, asked(clock_ms, 100 * DAY));
        let at = UnixMs::from_ms(START + clock_ms);
        let issued = credential(record).issued.unwrap();
        assert_eq!((view.created_at, view.changed_at, issued.at), (at, at, at), "{clock_ms}");
        let end = UnixMs::from_ms(START + clock_ms + 100 * DAY);
        assert_eq!(view.limits.expires, Expiry::At(end), "{clock_ms}");
    }
    for (clock_ms, life_ms) in [(-MINUTE - 1, DAY), (MINUTE + 1, DAY), (-MINUTE, MINUTE)] {
        let refusal = refused(&world, asked(clock_ms, life_ms));
        assert_eq!(refusal, Refusal::IssuerRefused, "{clock_ms} {life_ms}");
    }
    issued(&world, asked(-MINUTE, MINUTE + 1));
}

#[test]
fn an_account_crowded_with_issued_keys_keeps_none_that_has_ended() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    let crowd = |issuers: u32| {
        let text = format!("UPDATE key_tally SET issuers = {issuers}");
        world.sql.apply(&[Statement::new(text)]).unwrap();
    };
    let swept_at = || world.sql_time("SELECT at_ms FROM due WHERE kind = 'sweep_issued'");
    let crowded = ISSUED_KEYS_MAX / 10 * 9;
    for (issuers, sweep_at) in [(crowded - 1, START + HOUR + 30 * DAY), (crowded, START)] {
        crowd(issuers);
        issued(&world, by_api(&world, proof, HOUR, "[]"));
        assert_eq!(swept_at(), sweep_at, "{issuers}");
    }
    crowd(crowded);
    while world.next_effect().is_some() {}
    assert_eq!(swept_at(), START + HOUR, "the next end");
}

#[test]
fn the_sealing_generation_rises_where_power_ends_and_nowhere_else() {
    let (world, owner) = World::open();
    let (mut key, _) = issuer(&world, owner, "");
    let bound = |world: &World| {
        Some(Bound {
            at: world.now().saturating_add(DurationMs::from_s(10)),
            within_s: 10,
            is_eventual: false,
        })
    };
    for (json, narrows, expected) in [
        (r#"{"name":"Cron"}"#, false, 0),
        (r#"{"issuable":{"longest":"1d"}}"#, true, 0),
        (r#"{"issuable":{"longest":"never"}}"#, false, 0),
        (r#"{"issuable":{"networks":"10.0.0.0/9"}}"#, true, 0),
        (r#"{"issuable":{"permissions":["demo:*"]}}"#, false, 0),
        (r#"{"permissions":[]}"#, true, 0),
    ] {
        let (changed, _, told) = world.changed(owner, edit(&key, json));
        key = changed.unwrap();
        assert_eq!(told, bound(&world).filter(|_| narrows), "{json}");
        assert_eq!(generation(&world, key.id), SealingGeneration(expected), "{json}");
    }
    let disabled = world.changed(owner, set_enabled(&key, false)).0.unwrap();
    assert_eq!(generation(&world, key.id), SealingGeneration(1));
    let key = world.changed(owner, set_enabled(&disabled, true)).0.unwrap();
    assert_eq!(generation(&world, key.id), SealingGeneration(1), "enabling revives nothing");
    let (lifted, record, told) = world.changed(owner, edit(&key, r#"{"issuable":null}"#));
    assert_eq!((credential(record).issuing, told), (None, bound(&world)));
    let key = world.changed(owner, edit(&lifted.unwrap(), &format!("{{{CEILING}}}"))).0.unwrap();
    assert_eq!(generation(&world, key.id), SealingGeneration(2), "nor does a new ceiling");
    world.delete(owner, &key);
    assert_eq!(world.count(&format!("key WHERE id = '{}' AND sealing_generation = 3", key.id)), 1);
}

#[test]
fn an_issuer_comes_along_with_what_it_issued_and_is_not_counted_as_used() {
    let (world, owner) = World::open();
    let (key, proof) = issuer(&world, owner, "");
    let (first, _) = issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    let (second, _) = issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    let ask = vec![first.id, second.id];
    let reply = world.refresh(RefreshRequest { ask, ..RefreshRequest::default() });
    let ids: Vec<KeyId> = reply.answers.iter().map(|answer| answer.id).collect();
    assert_eq!(ids, [first.id, second.id, key.id]);
    assert_eq!(reply.answers[2].record, world.record(key.id));
    assert_eq!(world.count(&format!("usage WHERE key = '{}'", key.id)), 0);
}

#[test]
fn a22_issued_keys_have_a_limit_of_their_own() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    fill(&world, ISSUED_KEYS_MAX);
    let max = ISSUED_KEYS_MAX;
    assert_eq!(
        refused(&world, by_api(&world, proof, 90 * DAY, "[]")),
        Refusal::TooManyKeys { max }
    );
    // Members issue on.
    world.issue(owner, "{}");
}

/// Copies the one issued key until there are so many.
fn fill(world: &World, keys: u32) {
    let copies = format!(
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {keys})
        INSERT INTO key (id, digest, name, name_folded, state, limits, expires_ms, created_at_ms, created_by,
            changed_at_ms, changed_by, revision, issued_by, issued_generation)
        SELECT printf('a1B2c3D4%010d', i), digest, name, name_folded, state, limits, expires_ms, created_at_ms,
            created_by, changed_at_ms, changed_by, 100 + i, issued_by, issued_generation
        FROM key JOIN n WHERE issued_by IS NOT NULL"
    );
    let advance = "UPDATE account SET revision = 1000000";
    world.sql.apply(&[Statement::new(copies), Statement::new(advance)]).unwrap();
}

#[test]
fn issued_keys_are_swept_30_days_after_their_end_and_leave_a_tombstone() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    let (short, _) = issued(&world, by_api(&world, proof, 25 * HOUR, "[]"));
    let (long, _) = issued(&world, by_api(&world, proof, 50 * HOUR, "[]"));
    let run = |until: i64| {
        world.now.set(START + until);
        while world.next_effect().is_some() {}
    };
    let living = |id: KeyId| world.count(&format!("key WHERE id = '{id}'"));
    run(25 * HOUR + 30 * DAY - 1);
    assert_eq!((living(short.id), living(long.id)), (1, 1));
    run(25 * HOUR + 30 * DAY);
    assert_eq!((living(short.id), living(long.id)), (0, 1));
    let record = world.record(short.id).unwrap();
    assert_eq!(record.standing, Standing::Deleted);
    assert_eq!(world.count(&format!("key_network WHERE key = '{}'", short.id)), 0);
    run(50 * HOUR + 30 * DAY);
    assert_eq!((living(long.id), world.count("due WHERE kind = 'sweep_issued'")), (0, 0));
}

/// The sweep that is owed for one that lives long must not keep the short-lived after it waiting.
#[test]
fn issued_keys_are_swept_in_time_whichever_was_issued_or_ends_first() {
    let (world, owner) = World::open();
    let (_, proof) = issuer(&world, owner, "");
    let run = |until: i64| {
        world.now.set(START + until);
        while world.next_effect().is_some() {}
    };
    let living = |id: KeyId| world.count(&format!("key WHERE id = '{id}'"));
    let (long, _) = issued(&world, by_api(&world, proof, 50 * DAY, "[]"));
    let (short, _) = issued(&world, by_api(&world, proof, 25 * HOUR, "[]"));
    run(25 * HOUR + 30 * DAY);
    assert_eq!((living(short.id), living(long.id)), (0, 1));
    let session = world.sign_in(owner.member);
    world.changed(session, edit(&long, r#"{"expires":"1h"}"#));
    run(26 * HOUR + 60 * DAY);
    assert_eq!(living(long.id), 0, "its end was drawn nearer");
    crate::crash::tallied(&world);
}

/// What ended with its issuer says so, and goes like what ended by itself.
#[test]
fn a22_what_ended_with_its_issuer_is_told_as_ended_and_swept_30_days_later() {
    let (world, owner) = World::open();
    let (key, proof) = issuer(&world, owner, "");
    let (dead, _) = issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    let status = |id: KeyId| match world.ask(owner, Command::Get { id, deleted: false }) {
        LedgerReply::Key(view) => view.status(world.now()),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(dead.id), Status::Active);
    let (disabled, ..) = world.changed(owner, set_enabled(&key, false));
    assert_eq!(status(dead.id), Status::Ended);
    let (enabled, ..) = world.changed(owner, set_enabled(&disabled.unwrap(), true));
    assert_eq!(status(dead.id), Status::Ended, "it does not come back");
    let (living, _) = issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    assert_eq!(status(living.id), Status::Active);
    // What leaves the issuer its power ends nothing.
    world.changed(owner, edit(&enabled.unwrap(), r#"{"name":"Cron"}"#));

    let rows = |id: KeyId| world.count(&format!("key WHERE id = '{id}'"));
    let run = |until: i64| {
        world.now.set(START + until);
        while world.next_effect().is_some() {}
    };
    run(30 * DAY - 1);
    assert_eq!((rows(dead.id), rows(living.id)), (1, 1));
    run(30 * DAY + MINUTE);
    assert_eq!((rows(dead.id), rows(living.id), world.count("issuer_end")), (0, 1, 0));
    crate::crash::tallied(&world);
    assert_eq!(world.record(dead.id).unwrap().standing, Standing::Deleted);
}

/// Keys that are dead do not keep an account from issuing.
#[test]
fn a22_what_has_ended_gives_way_where_there_is_no_room() {
    let (world, owner) = World::open();
    let (key, proof) = issuer(&world, owner, "");
    issued(&world, by_api(&world, proof, 90 * DAY, "[]"));
    fill(&world, ISSUED_KEYS_MAX);
    let max = ISSUED_KEYS_MAX;
    assert_eq!(refused(&world, by_api(&world, proof, HOUR, "[]")), Refusal::TooManyKeys { max });
    let (disabled, ..) = world.changed(owner, set_enabled(&key, false));
    world.changed(owner, set_enabled(&disabled.unwrap(), true));
    world.wait(SECOND);
    let there = || world.count("key WHERE issued_by IS NOT NULL");
    let effects =
        (0..10).take_while(|_| there() == i64::from(max) && world.next_effect().is_some()).count();
    assert!(there() < i64::from(max), "none gave way within {effects} effects");
    issued(&world, by_api(&world, proof, 25 * HOUR, "[]"));
}

fn view(world: &World, owner: Browser, id: KeyId) -> KeyView {
    match world.ask(owner, Command::Get { id, deleted: false }) {
        LedgerReply::Key(view) => view,
        other => panic!("{other:?}"),
    }
}

/// A sealed key's ID, of the right shape: the ledger does not look at its tag.
pub fn sealed(world: &World, generation: u32) -> SealedId {
    let (number, _) = world.draw_key();
    SealedId::parse(&format!("{number}{generation:06}{:011}", 0)).unwrap()
}

pub fn revoke(id: SealedId, issuer: Issuer, until: i64) -> Command {
    Command::RevokeSealed { id, issuer, until: UnixMs::from_ms(until) }
}

/// Revokes so many keys of an issuer, each of which finds room.
fn revoke_many(world: &World, owner: Browser, issuer: Issuer, generation: u32, count: u32) {
    for _ in 0..count {
        let one = revoke(sealed(world, generation), issuer, START + HOUR);
        assert_eq!(revoked(world, owner, one), (false, None));
    }
}

fn revoked_ids(world: &World) -> Vec<SealedId> {
    let state = world.cold().state.unwrap();
    state.revoked_sealed.iter().map(|revoked| revoked.id).collect()
}

fn revoked(world: &World, browser: Browser, command: Command) -> (bool, Option<Record>) {
    let before = world.cold().revision;
    match world.ask(browser, command) {
        LedgerReply::Revoked { bound, all_of_issuer, record, revision } => {
            let after = world.cold().revision;
            assert_eq!(revision, (after != before).then_some(after), "the number of the change");
            assert_eq!(
                bound,
                Bound {
                    at: world.now().saturating_add(DurationMs::from_s(10)),
                    within_s: 10,
                    is_eventual: false
                }
            );
            (all_of_issuer, record)
        }
        other => panic!("not revoked: {other:?}"),
    }
}

#[test]
fn a08_a_sealed_key_is_revoked_by_itself_until_it_ends() {
    let (world, owner) = World::open();
    let (key, _) = issuer(&world, owner, "");
    let (by, one) = (Issuer::Key(key.id), sealed(&world, 0));
    let viewer = world.join("viewer", b'v');
    let until = START + HOUR;
    assert_eq!(world.refusal(viewer, revoke(one, by, until)), Refusal::NotPermitted);
    let unknown = Issuer::Key(world.draw_key().0);
    assert_eq!(world.refusal(owner, revoke(one, unknown, until)), Refusal::NotFound);
    assert_eq!(world.refusal(owner, revoke(one, Issuer::Service, until)), Refusal::NotFound);
    let foreign = SealedId::parse("zzzzzzzz7Hq0p2Zx9K00000000000000000").unwrap();
    assert_eq!(world.refusal(owner, revoke(foreign, by, until)), Refusal::NotFound);
    let gone = issuer(&world, owner, "").0;
    world.delete(owner, &gone);
    assert_eq!(world.refusal(owner, revoke(one, Issuer::Key(gone.id), until)), Refusal::NotFound);

    // It only takes away: no fresh proof is asked for.
    world.wait(11 * MINUTE);
    assert_eq!(revoked(&world, owner, revoke(one, by, until)), (false, None));
    assert_eq!(revoked_ids(&world), [one]);
    assert_eq!(world.cold().state.unwrap().revision, world.cold().revision);
    let applies = world.count("audit WHERE action = 'revoke_sealed'");
    assert_eq!(
        revoked(&world, owner, revoke(one, by, until)),
        (false, None),
        "repeating is no change"
    );
    let over = revoke(sealed(&world, 0), by, world.now.get());
    assert_eq!(revoked(&world, owner, over), (false, None), "it is over");
    assert_eq!(world.count("audit WHERE action = 'revoke_sealed'"), applies);
    // Whatever is said of its end, it is at most a day away.
    revoked(&world, owner, revoke(sealed(&world, 0), by, START + 1_000 * DAY));

    // Another clock may be behind.
    let run = |until: i64| {
        world.now.set(until);
        while world.next_effect().is_some() {}
    };
    run(until + MINUTE - 1);
    assert_eq!(world.count("revoked_sealed"), 2);
    run(until + MINUTE);
    assert_eq!(world.count("revoked_sealed"), 1);
    run(START + 2 * DAY);
    assert_eq!(
        (world.count("revoked_sealed"), world.count("due WHERE kind = 'sweep_revoked'")),
        (0, 0)
    );
}

#[test]
fn beyond_the_cap_all_of_the_issuer_ends() {
    let (world, owner) = World::open();
    let (key, _) = issuer(&world, owner, "");
    let by = Issuer::Key(key.id);
    revoke_many(&world, owner, by, 0, REVOKED_SEALED_MAX);
    let (all, record) = revoked(&world, owner, revoke(sealed(&world, 0), by, START + HOUR));
    assert!(all);
    assert_eq!(generation(&world, key.id), SealingGeneration(1));
    assert_eq!(record, world.record(key.id));
    assert_eq!(world.count("revoked_sealed"), 0, "they have ended with it");
    revoke_many(&world, owner, by, 1, 1);
}

/// A script with the IDs of a thousand keys that leaked does not end what their issuer issues
/// meanwhile, however often it runs.
#[test]
fn what_ended_with_its_generation_takes_no_room_and_ends_nothing_again() {
    let (world, owner) = World::open();
    let (key, _) = issuer(&world, owner, "");
    let by = Issuer::Key(key.id);
    let leaked: Vec<_> = (0..3 * REVOKED_SEALED_MAX).map(|_| sealed(&world, 0)).collect();
    let ends = || {
        let revokes =
            leaked.iter().map(|id| revoked(&world, owner, revoke(*id, by, START + HOUR)).0);
        revokes.filter(|is_all| *is_all).count()
    };
    assert_eq!((ends(), ends()), (1, 0));
    assert_eq!((generation(&world, key.id), revoked_ids(&world)), (SealingGeneration(1), vec![]));
    let changes = world.count("audit");
    // Nor where others have taken all the room.
    let other = Issuer::Key(issuer(&world, owner, "").0.id);
    revoke_many(&world, owner, other, 0, REVOKED_SEALED_MAX);
    assert_eq!((ends(), generation(&world, key.id)), (0, SealingGeneration(1)));
    assert_eq!(world.count("audit") - changes, i64::from(REVOKED_SEALED_MAX) + 1);
    // What a disabled issuer issued is over, and stays so.
    let (disabled, ..) = world.changed(owner, set_enabled(&view(&world, owner, key.id), false));
    assert_eq!(revoked(&world, owner, revoke(sealed(&world, 1), by, START + HOUR)), (false, None));
    world.changed(owner, set_enabled(&disabled.unwrap(), true));
    assert_eq!(generation(&world, key.id), SealingGeneration(2));
}

/// The room is the account's: who finds none pays with the keys of the issuer that was named, and
/// nobody else's come back.
#[test]
fn where_others_have_taken_the_room_one_issuer_s_keys_end_and_theirs_stay_revoked() {
    let (world, owner) = World::open();
    let (key, _) = issuer(&world, owner, "");
    let other = Issuer::Key(issuer(&world, owner, "").0.id);
    revoke_many(&world, owner, other, 0, REVOKED_SEALED_MAX);
    let before = revoked_ids(&world);
    let (all, _) =
        revoked(&world, owner, revoke(sealed(&world, 0), Issuer::Key(key.id), START + HOUR));
    assert!(all);
    assert_eq!((revoked_ids(&world), generation(&world, key.id)), (before, SealingGeneration(1)));
}

/// Of a ledger that was restored: a key that was issued in a generation to come must not come to
/// life by being revoked.
#[test]
fn a_key_of_a_generation_that_the_ledger_does_not_know_is_ended_too() {
    let (world, owner) = World::open();
    let (key, _) = issuer(&world, owner, "");
    let by = Issuer::Key(key.id);
    revoke_many(&world, owner, by, 0, REVOKED_SEALED_MAX);
    assert!(revoked(&world, owner, revoke(sealed(&world, 7), by, START + HOUR)).0);
    assert_eq!(generation(&world, key.id), SealingGeneration(8));
}
