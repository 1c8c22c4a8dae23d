//! The keys that an action would end, counted for the question before it.

use claviger_control::protocol::at_stake::{AccountCounts, COUNTED_MAX, IssuedCounts};
use claviger_core::replication::refresh::{UsageBatch, Use};

use super::*;

fn counts(world: &World, owner: Browser, issuer: Issuer) -> IssuedCounts {
    match world.ask(owner, Command::CountIssued { issuer }) {
        LedgerReply::IssuedCounted(counts) => counts,
        other => panic!("not counted: {other:?}"),
    }
}

/// An issuer whose keys may be unlimited.
fn free_issuer(world: &World, owner: Browser) -> (KeyView, IssuerProof) {
    let json = r#"{"expires":"never","issuable":{"permissions":["demo:read"],"networks":"","longest":"never"}}"#;
    let command = world.issue_command(json);
    let Command::Issue { digest, .. } = &command else { panic!() };
    let digest = *digest;
    let key = world.changed(owner, command).0.unwrap();
    (key.clone(), IssuerProof { issuer: Issuer::Key(key.id), digest })
}

fn call(world: &World, sequence: u64, id: KeyId, count: u64, denials: u64) {
    let used = Use {
        id,
        count,
        denials,
        last_at: world.now(),
        addresses: vec![],
        callers: vec![],
        refusals: vec![],
    };
    let usage = Some(UsageBatch { isolate: 1, sequence, uses: vec![used], service: None });
    world.refresh(RefreshRequest { usage, ..RefreshRequest::default() });
}

#[test]
fn keys_of_an_issuer_are_counted_by_what_ends_with_it() {
    let (world, owner) = World::open();
    let (issuer, proof) = free_issuer(&world, owner);
    let (other, others_proof) = free_issuer(&world, owner);
    let of = |key: &KeyView| counts(&world, owner, Issuer::Key(key.id));
    assert_eq!(of(&issuer), IssuedCounts { is_exact: true, ..IssuedCounts::default() });

    let mut ids = Vec::new();
    for life in [2 * DAY, 3 * DAY, SECOND] {
        ids.push(issued(&world, by_api(&world, proof, life, "[]")).0.id);
    }
    let LedgerRequest::IssueByApi(unlimited) = by_api(&world, proof, DAY, "[]") else { panic!() };
    let unlimited = IssueByApi { expires: Expiry::Never, ..unlimited };
    ids.push(issued(&world, LedgerRequest::IssueByApi(unlimited)).0.id);
    issued(&world, by_api(&world, others_proof, DAY, "[]"));
    world.wait(2 * SECOND);
    // One is used, one is refused, and the use of another was too long ago.
    call(&world, 1, ids[0], 3, 0);
    call(&world, 2, ids[1], 0, 5);
    let expected = IssuedCounts { stored: 3, unlimited: 1, used_24h: 1, is_exact: true };
    assert_eq!(of(&issuer), expected, "the third has expired");
    assert_eq!(of(&other), IssuedCounts { unlimited: 0, stored: 1, used_24h: 0, ..expected });
    world.wait(DAY);
    let owner = world.renewed(owner);
    let of = |key: &KeyView| counts(&world, owner, Issuer::Key(key.id));
    assert_eq!(of(&issuer), IssuedCounts { used_24h: 0, ..expected }, "a day later");

    world.changed(owner, set_enabled(&issuer, false));
    assert_eq!(of(&issuer).stored, 0, "they have ended");
    world.refusal(owner, Command::CountIssued { issuer: Issuer::Service });
}

#[test]
fn a_count_of_issued_keys_is_bounded_and_says_so() {
    let (world, owner) = World::open();
    let (issuer, proof) = free_issuer(&world, owner);
    let first = issued(&world, by_api(&world, proof, DAY, "[]")).0.id;
    let columns = "digest, name, name_folded, state, limits, expires_ms, created_at_ms, created_by,
        changed_at_ms, changed_by, revision, issued_by, issued_generation";
    let more = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNTED_MAX})
        INSERT INTO key (id, {columns})
        SELECT printf('a1B2c3D4%010d', i), {} FROM n, key WHERE key.id = '{first}'",
        columns.replace("revision", "1000 + i")
    );
    world.sql.apply(&[Statement::new(more)]).unwrap();
    let expected = IssuedCounts { stored: COUNTED_MAX, unlimited: 0, used_24h: 0, is_exact: false };
    assert_eq!(counts(&world, owner, Issuer::Key(issuer.id)), expected);
    let one = "DELETE FROM key WHERE id = 'a1B2c3D40000000001'";
    world.sql.apply(&[Statement::new(one)]).unwrap();
    let expected = IssuedCounts { is_exact: true, ..expected };
    assert_eq!(counts(&world, owner, Issuer::Key(issuer.id)), expected);
}

#[test]
fn an_operator_sees_how_many_keys_an_account_has_and_how_many_are_in_use() {
    let (world, owner) = World::open();
    let (issuer, proof) = free_issuer(&world, owner);
    let stored = issued(&world, by_api(&world, proof, DAY, "[]")).0;
    call(&world, 1, stored.id, 1, 0);
    call(&world, 2, issuer.id, 0, 1);
    let Ok(LedgerReply::Inspected { counts, .. }) = world.handle(LedgerRequest::Inspect) else {
        panic!("not inspected")
    };
    assert_eq!(
        counts,
        Some(AccountCounts { members: 1, issuers: 1, used_24h: 1, people: Some(1) })
    );
}
