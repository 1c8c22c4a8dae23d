//! Key pairs that get tokens: the sealing generation of every key, and tokens that their client
//! revokes.

use claviger_control::ledger::revoking::{CLIENT_REVOCATIONS_MAX, REVOKED_SEALED_MAX};
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::KeyView;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{KeyId, SealedId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::grant::IssuerProof;
use claviger_core::credential::issuer::{Issuer, SealingGeneration};
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::replication::edge_call::{IssueByApi, RevokeByClient};
use claviger_core::replication::record::{Credential, Record, Standing};

use crate::policy::{PAIRS, generate, set};
use crate::world::{Browser, HOUR, MINUTE, SECOND, START, World, edit, restore, set_enabled};

/// A key, and what proves that its pair was presented.
fn client(world: &World, owner: Browser, json: &str) -> (KeyView, IssuerProof) {
    let command = world.issue_command(json);
    let Command::Issue { digest, .. } = &command else { panic!() };
    let digest = *digest;
    let key = world.changed(owner, command).0.unwrap();
    (key.clone(), IssuerProof { issuer: Issuer::Key(key.id), digest })
}

fn credential(record: Record) -> Credential {
    match record.standing {
        Standing::Active(credential) | Standing::Disabled(credential) => credential,
        Standing::Deleted => panic!("deleted"),
    }
}

/// The generation of tokens that an edge reads in the key's record.
fn generation(world: &World, id: KeyId) -> u32 {
    credential(world.record(id).unwrap()).generation(true).unwrap().0
}

/// A token's ID, of the right shape: the ledger does not look at its tag.
fn token(world: &World, generation: u32) -> SealedId {
    let (number, _) = world.draw_key();
    SealedId::parse(&format!("{number}{generation:06}{:011}", 0)).unwrap()
}

pub fn revoke(id: SealedId, proof: IssuerProof) -> LedgerRequest {
    let address = Some("203.0.113.7".to_owned());
    LedgerRequest::RevokeByClient(RevokeByClient {
        id,
        until: UnixMs::from_ms(START + HOUR),
        proof,
        address,
    })
}

/// Revokes, and returns if that ended all tokens of the client, and the client's new record.
fn revoked(world: &World, request: LedgerRequest) -> (bool, Option<Record>) {
    let before = world.cold().revision;
    match world.handle(request).unwrap() {
        LedgerReply::Revoked { all_of_issuer, record, revision, .. } => {
            let after = world.cold().revision;
            assert_eq!(revision, (after != before).then_some(after), "the number of the change");
            (all_of_issuer, record)
        }
        other => panic!("not revoked: {other:?}"),
    }
}

fn refused(world: &World, request: LedgerRequest) -> Refusal {
    let applies = world.sql.applies();
    let Ok(LedgerReply::Refused(refusal)) = world.handle(request) else { panic!("not refused") };
    assert_eq!(world.sql.applies(), applies, "a refusal writes nothing");
    refusal
}

fn revoked_ids(world: &World) -> Vec<SealedId> {
    let state = world.cold().state.unwrap();
    state.revoked_sealed.iter().map(|revoked| revoked.id).collect()
}

/// A key that issues nothing has a generation too: its tokens must not come back when it is enabled
/// or restored.
#[test]
fn s16_what_ends_a_key_ends_its_tokens_for_good() {
    let (world, owner) = World::open();
    let (key, _) = client(&world, owner, "{}");
    assert_eq!(generation(&world, key.id), 0);
    let (key, ..) = world.changed(owner, edit(&key, r#"{"permissions":["demo:write"]}"#));
    assert_eq!(generation(&world, key.as_ref().unwrap().id), 0, "an edit ends no token");
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), false));
    let key = key.unwrap();
    assert_eq!(generation(&world, key.id), 1);
    assert!(matches!(world.record(key.id).unwrap().standing, Standing::Disabled(_)));
    let (key, ..) = world.changed(owner, set_enabled(&key, true));
    let key = key.unwrap();
    assert_eq!(generation(&world, key.id), 1);
    world.wait(SECOND);
    world.delete(owner, &key);
    let LedgerReply::Key(deleted) = world.ask(owner, Command::Get { id: key.id, deleted: true })
    else {
        panic!()
    };
    world.changed(owner, restore(&deleted));
    assert_eq!(generation(&world, key.id), 2);
}

/// The generation is one number, whether or not the key is an issuer at the time.
#[test]
fn s16_issuance_limits_that_come_and_go_do_not_bring_a_generation_back() {
    let (world, owner) = World::open();
    let (key, _) = client(&world, owner, "{}");
    let (key, ..) = world.changed(owner, set_enabled(&key, false));
    let (key, ..) = world.changed(owner, set_enabled(&key.unwrap(), true));
    let limits = r#"{"issuable":{"permissions":["demo:read"],"networks":"","longest":"1d"}}"#;
    let (key, record, _) = world.changed(owner, edit(&key.unwrap(), limits));
    let issuer = credential(record);
    assert_eq!(issuer.issuing.as_ref().unwrap().generation, SealingGeneration(1));
    assert_eq!((issuer.sealing.0, issuer.generation(true)), (0, Some(SealingGeneration(1))));
    let (key, record, _) = world.changed(owner, edit(&key.unwrap(), r#"{"issuable":null}"#));
    assert_eq!((credential(record).sealing.0, generation(&world, key.unwrap().id)), (2, 2));
}

/// The record of most keys must not grow, and an edge of the release before must read it.
#[test]
fn s16_a_first_generation_is_not_written() {
    let (world, owner) = World::open();
    let (key, _) = client(&world, owner, "{}");
    let json = || serde_json::to_string(&world.record(key.id).unwrap()).unwrap();
    assert!(!json().contains("sealing"), "{}", json());
    world.changed(owner, set_enabled(&key, false));
    assert!(json().contains(r#","sealing":1}"#), "{}", json());
}

#[test]
fn s16_a_client_revokes_its_own_tokens_and_the_trail_names_it() {
    let (world, owner) = World::open();
    let (key, proof) = client(&world, owner, "{}");
    let one = token(&world, 0);
    let wrong = IssuerProof { digest: Digest::of(b"another"), ..proof };
    let unknown = IssuerProof { issuer: Issuer::Key(world.draw_key().0), ..proof };
    let service = IssuerProof { issuer: Issuer::Service, ..proof };
    let foreign = SealedId::parse("zzzzzzzz7Hq0p2Zx9K00000000000000000").unwrap();
    for request in
        [revoke(one, wrong), revoke(one, unknown), revoke(one, service), revoke(foreign, proof)]
    {
        assert_eq!(refused(&world, request), Refusal::IssuerRefused);
    }
    assert_eq!(revoked(&world, revoke(one, proof)), (false, None));
    assert_eq!(revoked_ids(&world), [one]);
    assert_eq!(world.cold().state.unwrap().revision, world.cold().revision);
    let trail = format!(
        "audit WHERE action = 'revoke_sealed' AND member = '{}' AND address = '203.0.113.7'",
        key.id
    );
    assert_eq!(world.count(&trail), 1);
    assert_eq!(revoked(&world, revoke(one, proof)), (false, None), "repeating is no change");
    assert_eq!(world.count(&trail), 1);
    // What has ended with its pair takes no room, and a disabled pair may still say so.
    let (key, ..) = world.changed(owner, set_enabled(&key, false));
    assert_eq!(revoked(&world, revoke(token(&world, 0), proof)), (false, None));
    assert_eq!(revoked_ids(&world), [one]);
    world.wait(SECOND);
    world.delete(owner, &key.unwrap());
    assert_eq!(refused(&world, revoke(token(&world, 0), proof)), Refusal::IssuerRefused);
}

#[test]
fn s16_a_key_that_a_program_issued_is_no_client() {
    let (world, owner) = World::open();
    let limits = r#"{"issuable":{"permissions":["demo:read"],"networks":"","longest":"100d"}}"#;
    let (_, proof) = client(&world, owner, limits);
    let (id, digest) = world.draw_key();
    let expires = Expiry::At(world.now().saturating_add(DurationMs::from_days(30)));
    let issued = IssueByApi {
        id,
        digest,
        proof,
        at: world.now(),
        expires,
        networks: serde_json::from_str("[]").unwrap(),
        address: None,
    };
    assert!(matches!(
        world.handle(LedgerRequest::IssueByApi(issued)).unwrap(),
        LedgerReply::Changed { .. }
    ));
    let proof = IssuerProof { issuer: Issuer::Key(id), digest };
    assert_eq!(refused(&world, revoke(token(&world, 0), proof)), Refusal::IssuerRefused);
}

#[test]
fn s16_beyond_the_room_all_tokens_of_the_client_end_and_no_member_seems_to_have_changed_it() {
    let (world, owner) = World::open();
    let (key, proof) = client(&world, owner, "{}");
    for _ in 0..REVOKED_SEALED_MAX {
        assert_eq!(revoked(&world, revoke(token(&world, 0), proof)), (false, None));
    }
    world.wait(MINUTE);
    let (all, record) = revoked(&world, revoke(token(&world, 0), proof));
    assert!(all);
    assert_eq!((generation(&world, key.id), record), (1, world.record(key.id)));
    assert_eq!(revoked_ids(&world), []);
    let LedgerReply::Key(after) = world.ask(owner, Command::Get { id: key.id, deleted: false })
    else {
        panic!()
    };
    assert_eq!((after.changed_at, after.changed_by), (key.changed_at, key.changed_by));
    assert_eq!(
        world.count(&format!("audit WHERE action = 'end_issued' AND member = '{}'", key.id)),
        1
    );
}

/// A client that revokes each token must not write without end; its account's members still can.
#[test]
fn s16_clients_that_revoke_without_pause_are_slowed_down() {
    let (world, owner) = World::open();
    let (key, proof) = client(&world, owner, "{}");
    let fill =
        "WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < ?)
        INSERT INTO audit (at_ms, member, action)
            SELECT ?, ?, iif(n % 2, 'revoke_sealed', 'end_issued') FROM number";
    let fill = Statement::new(fill)
        .bind(CLIENT_REVOCATIONS_MAX - 1)
        .bind(world.now())
        .bind(key.id.as_str());
    world.sql.apply(&[fill]).unwrap();
    assert_eq!(revoked(&world, revoke(token(&world, 0), proof)), (false, None));
    assert_eq!(refused(&world, revoke(token(&world, 0), proof)), Refusal::TooManyRevocations);
    let by_member = Command::RevokeSealed {
        id: token(&world, 0),
        issuer: proof.issuer,
        until: UnixMs::from_ms(START + HOUR),
    };
    assert!(matches!(world.ask(owner, by_member), LedgerReply::Revoked { .. }));
    world.wait(HOUR - 1);
    assert_eq!(refused(&world, revoke(token(&world, 0), proof)), Refusal::TooManyRevocations);
    world.wait(2);
    let until = UnixMs::from_ms(START + 2 * HOUR);
    let LedgerRequest::RevokeByClient(request) = revoke(token(&world, 0), proof) else { panic!() };
    let later = LedgerRequest::RevokeByClient(RevokeByClient { until, ..request });
    assert_eq!(revoked(&world, later), (false, None));
}

#[test]
fn where_keys_follow_their_members_others_end_no_token_of_a_pair() {
    let (world, owner) = World::open();
    let [admin, other] = [b'a', b'b'].map(|seed| world.join("admin", seed));
    set(&world, PAIRS);
    let key = generate(&world, admin);
    let end_a_token = || Command::RevokeSealed {
        id: token(&world, 0),
        issuer: Issuer::Key(key.id),
        until: world.now(),
    };
    assert_eq!(world.refusal(other, end_a_token()), Refusal::NotYourKey);
    for browser in [owner, admin] {
        assert!(matches!(world.ask(browser, end_a_token()), LedgerReply::Revoked { .. }));
    }
}
