//! Tests the gateway's decisions from leases, and the I/O that it requests: promises P2, P3 and P4.

use super::*;
use crate::gateway::check::Evidence;
use crate::gateway::verify_body;
use crate::lease::call::{Basis, CopySource, Source};
use crate::lease::lease::REFRESH_ATTEMPTS;
use crate::replication::document;
use crate::replication::refresh::FRESHNESS_MS;

/// Decides about a request with the key, which arrived at `NOW`.
macro_rules! decide {
    ($world:expr, $now:expr, $lookup:expr) => {{
        let headers = $world.bearer();
        let (url, headers) = (Url::parse(API).unwrap(), Headers::new(&headers));
        $world.gateway.decide(
            &Request { method: "GET", url, headers, arrived: at(NOW) },
            at($now),
            $lookup,
        )
    }};
}

#[test]
fn memory_then_kv_then_the_ledger_then_unavailable() {
    let mut world = World::new();
    let id = world.key.id();
    let mut lookup = Lookup::alone();
    assert!(
        matches!(decide!(world, NOW, &lookup), Decision::Fetch(Fetch::Kv(fetched)) if fetched == id)
    );
    world.reads(NOW, None, &mut lookup);
    for _ in 0..REFRESH_ATTEMPTS {
        assert!(
            matches!(decide!(world, NOW, &lookup), Decision::Fetch(Fetch::Ledger(fetched)) if fetched == id)
        );
        world.asks(NOW, RefreshReply::Failed, &mut lookup);
    }
    let Decision::Done { outcome: Outcome::Answer(answer), .. } = decide!(world, NOW, &lookup)
    else {
        panic!()
    };
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains(&("retry-after", "2".into())));

    // The next request does not wait for the ledger again.
    assert!(matches!(decide!(world, NOW, &Lookup::alone()), Decision::Fetch(Fetch::Kv(_))));
    let mut lookup = Lookup::alone();
    world.reads(NOW, None, &mut lookup);
    assert!(matches!(
        decide!(world, NOW, &lookup),
        Decision::Done { outcome: Outcome::Answer(_), .. }
    ));

    let mut world = World::new();
    for garbage in ["", "null", "{}", r#"{"v":9}"#] {
        let mut lookup = Lookup::alone();
        world.reads(NOW, Some(garbage), &mut lookup);
        assert!(
            matches!(decide!(world, NOW, &lookup), Decision::Fetch(Fetch::Ledger(_))),
            "{garbage}"
        );
    }
    let text = serde_json::to_string(&world.record(0, |_| (), Standing::Active)).unwrap();
    let mut lookup = Lookup::alone();
    world.reads(NOW, Some(&text), &mut lookup);
    assert!(is_forwarded(&decide!(world, NOW, &lookup)));
    // The next request finds the key in memory, until the lease is older than T.
    let headers = world.bearer();
    assert!(is_forwarded(&world.ask("GET", API, &headers, NOW + T)));
    assert!(matches!(
        world.ask("GET", API, &headers, NOW + T + 1),
        Decision::Fetch(Fetch::Ledger(_))
    ));
}

/// An attacker who writes KV can withhold a record, and nothing else. It costs what absence costs.
#[test]
fn a_value_that_no_ledger_made_counts_as_absent_and_is_counted_and_logged_once_a_minute() {
    let mut world = World::new();
    let key = kv_key(world.key.id());
    let text = serde_json::to_string(&world.record(0, |_| (), Standing::Active)).unwrap();
    let authentic = signed(&key, &text);
    let other = signed("key/a1B2c3D47Hq0p2Zx9L", &text);
    let altered = authentic.replacen("demo:read", "demo:*", 1);
    assert!(altered != authentic);
    for (held, line) in [(&text, Some("has no MAC")), (&other, None), (&altered, None)] {
        let (mut lookup, leases) = (Lookup::alone(), world.gateway.leases_mut());
        let read = leases.ask_kv(world.key.id(), at(NOW));
        world.gateway.take_kv(&read, Some(held), at(NOW), &mut lookup);
        let decision = decide!(world, NOW, &lookup);
        assert!(matches!(decision, Decision::Fetch(Fetch::Ledger(_))), "{held}");
        let warning = world.gateway.take_kv_warning();
        assert_eq!(warning.is_some(), line.is_some(), "{warning:?}");
        assert!(line.is_none_or(|line| warning.unwrap().contains(line)));
    }
    let counters = world.gateway.counters();
    assert_eq!((counters.kv_unsigned, counters.kv_forged, counters.kv_reads), (1, 2, 3));
    // A minute later the isolate warns again.
    let account = world.key.id().account();
    let read = world.gateway.leases_mut().ask_copy(account, CopySource::Kv, at(NOW + 60_000));
    let document = document::kv_key(account);
    world.gateway.take_copy(&read, Some(&signed(&key, &text)), at(NOW + 60_000), None);
    let warning = world.gateway.take_kv_warning().unwrap();
    assert!(warning.contains(&document) && warning.contains("wrong MAC"), "{warning}");
    assert_eq!(world.gateway.counters().kv_forged, 3);
}

fn is_forwarded(decision: &Decision) -> bool {
    matches!(decision, Decision::Done { outcome: Outcome::Forward(_), .. })
}

/// P2: KV does not have the record yet.
#[test]
fn a_cold_isolate_asks_the_ledger_at_once() {
    let mut world = World::cold();
    let mut lookup = Lookup::alone();
    assert!(matches!(decide!(world, NOW, &lookup), Decision::Fetch(Fetch::Ledger(_))));
    let answer = world.answer(3, Some(world.record(3, |_| (), Standing::Active)));
    world.asks(NOW, answer, &mut lookup);
    assert!(is_forwarded(&decide!(world, NOW + 30, &lookup)));
    assert_eq!(world.gateway.counters().kv_reads, 0);
}

/// P3: garbage needs no lookup, causes no call, and leaves nothing behind.
#[test]
fn garbage_causes_no_io_at_all() {
    let mut world = World::cold();
    let foreign = Keyring::parse(&edge_keys(&[("x", "")])).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for round in 0..50 {
        let account = AccountId::random(&mut rng);
        let key = NewKey::generate(account, &clv(), &foreign, &mut rng);
        let headers = format!("authorization\nBearer {}", key.expose());
        let decision = world.ask("GET", API, &headers, NOW + round);
        assert!(matches!(decision, Decision::Done { outcome: Outcome::Answer(_), renew: None }));
    }
    assert_eq!(world.gateway.counters(), Counters::default());
}

/// A shared reply counts under every generation of the keyring, except a compromised one.
#[test]
fn a_neighbour_s_reply_under_a_compromised_secret_is_none() {
    let with_keyring = |json: String| {
        Gateway::new(Config { keyring: Keyring::parse(&json).unwrap(), ..config() }, 7)
    };
    let account = World::cold().key.id().account();

    let mut neighbour = with_keyring(edge_keys(&[("old", "")]));
    let call = neighbour.leases_mut().renew(account, at(NOW));
    let reply = RefreshReply::Refreshed(refresh(0));
    neighbour.leases_mut().take_refresh(&call, &reply, at(NOW), None);
    let (text, _) = neighbour.share(&call, &reply, at(NOW)).unwrap();
    for (is_compromised, taken) in [(false, 1), (true, 0)] {
        let member = format!(r#","compromised":{is_compromised}"#);
        let mut gateway = with_keyring(edge_keys(&[("new", ""), ("old", &member)]));
        let read = gateway.leases_mut().ask_copy(account, CopySource::Cache, at(NOW));
        gateway.take_copy(&read, Some(&text), at(NOW), None);
        assert_eq!(gateway.counters().shared_taken, taken, "compromised: {is_compromised}");
    }
}

/// P4: a verdict from memory waits for nothing, and starts at most a background refresh.
#[test]
fn a_live_lease_and_a_cached_record_need_nothing() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    let calls = world.gateway.counters().ledger_calls;
    let mut renewals = 0;
    for ms in 0..T {
        match world.ask("GET", API, &headers, NOW + ms) {
            Decision::Done { outcome: Outcome::Forward(_), renew } => {
                renewals += u32::from(renew.is_some())
            }
            other => panic!("{ms}: {other:?}"),
        }
    }
    let counters = world.gateway.counters();
    assert_eq!((counters.hits, counters.kv_reads, counters.ledger_calls), (10_000, 0, calls));
    // One refresh per second from T/2 or a little later on, because none is ever answered.
    assert!((3..=5).contains(&renewals), "{renewals}");
}

/// P3: a key that once existed costs one lookup per lease.
#[test]
fn a_key_that_is_no_more_costs_one_lookup_a_lease() {
    let mut world = World::new();
    let headers = world.bearer();
    let gone = world.answer(1, None);
    world.asks(NOW, gone, &mut Lookup::alone());
    for ms in 0..100 {
        assert!(matches!(world.ask("GET", API, &headers, NOW + ms), Decision::Done { .. }));
    }
    let mut world = World::cold();
    world.asks(NOW, RefreshReply::Gone, &mut Lookup::alone());
    for ms in 0..=i64::from(FRESHNESS_MS) {
        assert!(matches!(world.ask("GET", API, &headers, NOW + ms), Decision::Done { .. }));
    }
    assert_eq!(world.gateway.counters().ledger_calls, 1);
}

#[test]
fn a_change_on_this_isolate_counts_at_once_whatever_kv_still_says() {
    let mut world = World::new();
    let headers = world.bearer();
    world.knows(world.record(1, |_| (), Standing::Active));
    assert_eq!(world.outcome("GET", API, &headers).0, 0);
    world.knows(world.record(2, |_| (), Standing::Disabled));
    assert_eq!(world.outcome("GET", API, &headers), (401, "disabled".into()));
    let old = serde_json::to_string(&world.record(1, |_| (), Standing::Active)).unwrap();
    world.reads(NOW, Some(&old), &mut Lookup::alone());
    assert_eq!(world.outcome("GET", API, &headers), (401, "disabled".into()));
}

#[test]
fn a_ledger_that_answers_about_another_key_has_not_answered() {
    let mut world = World::cold();
    let mut record = world.record(1, |_| (), Standing::Active);
    record.id = crate::testing::key_id();
    let mut lookup = Lookup::alone();
    for _ in 0..REFRESH_ATTEMPTS {
        let answer = world.answer(1, Some(record.clone()));
        world.asks(NOW, answer, &mut lookup);
    }
    assert!(matches!(
        decide!(world, NOW, &lookup),
        Decision::Done { outcome: Outcome::Answer(answer), .. } if answer.status == 503
    ));
}

#[test]
fn a_suspended_account_comes_after_a_disabled_key_and_before_every_limit() {
    let mut world = World::new();
    let suspended = AccountState {
        revision: Revision(2),
        freshness_ms: 10_000,
        suspended: true,
        ..AccountState::default()
    };
    world.refresh(NOW, Refresh { state: Some(suspended), ..refresh(0) });
    let headers = world.bearer();
    world.knows(world.record(1, |limits| limits.expires = Expiry::At(at(NOW)), Standing::Active));
    assert_eq!(world.outcome("GET", API, &headers), (401, "account_suspended".into()));
    world.knows(world.record(2, |_| (), Standing::Disabled));
    assert_eq!(world.outcome("GET", API, &headers), (401, "disabled".into()));
}

/// P1, and C19: what the account's list takes away is refused from the refresh on that carries it,
/// and none is used that is older than T.
#[test]
fn c19_the_networks_of_the_account_hold_from_the_next_refresh_on() {
    let mut world = World::new();
    let opened = |revision, networks: &str| AccountState {
        revision: Revision(revision),
        freshness_ms: 10_000,
        networks: serde_json::from_str(networks).unwrap(),
        ..AccountState::default()
    };
    let headers = world.bearer();
    world.knows(world.record(1, |_| (), Standing::Active));
    assert!(is_forwarded(&world.ask("GET", API, &headers, NOW)));
    let elsewhere = opened(2, r#"{"protected_api":["192.0.2.0/24"]}"#);
    world.refresh(NOW, Refresh { state: Some(elsewhere), ..refresh(0) });
    assert_eq!(world.outcome("GET", API, &headers), (403, "network_denied".into()));
    let closed = opened(3, "{}");
    world.refresh(NOW, Refresh { state: Some(closed), ..refresh(0) });
    assert_eq!(world.outcome("GET", API, &headers), (403, "network_denied".into()));
    let unrestricted = opened(4, "null");
    world.refresh(NOW, Refresh { state: Some(unrestricted), ..refresh(0) });
    assert!(is_forwarded(&world.ask("GET", API, &headers, NOW)));
    // A lease past T decides nothing, whatever it allows.
    let decision = world.ask("GET", API, &headers, NOW + 10_001);
    assert!(matches!(decision, Decision::Fetch(Fetch::Ledger(_))));
}

#[test]
fn a_request_counts_by_its_verdict_cold_or_warm_if_the_secret_is_right() {
    let uses = |world: &mut World| {
        let call = world.gateway.leases_mut().renew(world.key.id().account(), at(NOW));
        let batch = call.request().usage.clone();
        batch
            .and_then(|batch| batch.uses.first().map(|used| (used.count, used.denials)))
            .unwrap_or_default()
    };
    let headers = World::new().bearer();
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    for method in ["GET", "GET", "POST"] {
        world.outcome(method, API, &headers);
    }
    assert_eq!(uses(&mut world), (2, 1));
    // A request for which the ledger was asked counts alike.
    for (expires, expected) in [(NOW + 1, (1, 0)), (NOW, (0, 1))] {
        let mut world = World::cold();
        let mut lookup = Lookup::alone();
        let expires = |limits: &mut Limits| limits.expires = Expiry::At(at(expires));
        let answer = world.answer(1, Some(world.record(1, expires, Standing::Active)));
        world.asks(NOW, answer, &mut lookup);
        assert_eq!(is_forwarded(&decide!(world, NOW, &lookup)), expected == (1, 0));
        assert_eq!(uses(&mut world), expected);
    }
    // A wrong secret counts as no use.
    let mut world = World::new();
    let mut other = world.record(1, |_| (), Standing::Active);
    other.standing = crate::testing::record(Standing::Active).standing;
    world.knows(other);
    assert_eq!(world.outcome("GET", API, &headers), (401, "unknown".into()));
    assert_eq!(uses(&mut world), (0, 0));
}

#[test]
fn a_verifier_is_told_where_a_verdict_rests() {
    let mut world = World::cold();
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let text = world.key.expose().to_owned();
    let evidence = |world: &mut World, now: i64, lookup: &Lookup| match world.gateway.check(
        &text,
        &facts,
        at(now),
        at(now + 5),
        lookup,
    ) {
        Check::Decided(checked) => checked.evidence.unwrap(),
        lacking => panic!("{lacking:?}"),
    };
    let mut lookup = Lookup::alone();
    let answer = world.answer(3, Some(world.record(2, |_| (), Standing::Active)));
    world.asks(NOW, answer, &mut lookup);
    let from_ledger = Evidence {
        source: Source::Ledger,
        age_ms: 5,
        revision: Some(Revision(2)),
        basis: Basis::Ledger,
        is_stale: false,
    };
    assert_eq!(evidence(&mut world, NOW, &lookup), from_ledger);
    let cached = Evidence { source: Source::Memory, age_ms: 1_005, ..from_ledger };
    assert_eq!(evidence(&mut world, NOW + 1_000, &Lookup::alone()), cached);
    let verdict = |evidence| {
        let verdict = verify_body::verdict(&Err(Denial::Disabled), Some(evidence));
        serde_json::to_string(&verdict).unwrap()
    };
    assert_eq!(
        verdict(cached),
        r#"{"verdict":"disabled","evidence":{"source":"memory","age_ms":1005,"revision":2}}"#
    );
    let stale = Evidence { is_stale: true, ..cached };
    assert!(verdict(stale).contains(r#""stale":true"#));
}

#[test]
fn a_clock_that_goes_back_makes_memory_unusable() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    assert!(matches!(world.ask("GET", API, &headers, NOW - 1), Decision::Fetch(Fetch::Ledger(_))));
}

/// A ledger of a deployment with other keys may have told anything.
#[test]
fn a_misfit_ends_what_was_learnt_before() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    world.gateway.take_fit(Some(true), at(NOW));
    assert!(is_forwarded(&world.ask("GET", API, &headers, NOW)));
    world.gateway.take_fit(Some(false), at(NOW));
    world.gateway.take_fit(Some(true), at(NOW));
    assert!(matches!(world.ask("GET", API, &headers, NOW), Decision::Fetch(Fetch::Ledger(_))));
}
