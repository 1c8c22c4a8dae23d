mod admin_api;
mod api_users;
mod driven;
mod flushing;
mod forward_auth;
mod issuing;
mod oauth;
mod operations;

use core::cell::RefCell;
use std::rc::Rc;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};

use self::driven::{Driven, drive, ledger_request};
use super::*;
use crate::config::settings::Config;
use crate::credential::issuer::{Ceiling, Issuing, SealingGeneration};
use crate::credential::key::NewKey;
use crate::credential::keyring::Keyring;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::{Interface, Limits};
use crate::gateway::body::BODY_SCAN_TIME;
use crate::gateway::gateway::{Gateway, VERIFY_PATH};
use crate::gateway::issuance;
use crate::lease::lease::REFRESH_TIMEOUT;
use crate::replication::edge_call::{EdgeRequest, RefreshReply, Reply as _, ledger_instance};
use crate::replication::record::{Credential, Epoch, Record, Revision, Standing, kv_key};
use crate::replication::refresh::{
    AccountState, Delta, FRESHNESS_MS, Refresh, RefreshAnswer, RefreshRequest, Unsettled,
};
use crate::testing::{at, config, edge_keys, none_superseded, stored};

const NOW: i64 = 1_800_000_000_000;
const API: &str = "http://api.localhost:8787/x";
const FORM: &str = "content-type\napplication/x-www-form-urlencoded";
const JSON: &str = "content-type\napplication/json";

fn console(path: &str) -> String {
    format!("http://localhost:8787{path}")
}

/// A gateway without any lease, and an account's keys. The first key verifies, the second issues,
/// and the others do neither.
struct World {
    gateway: SharedGateway,
    keys: Vec<NewKey>,
}

impl World {
    fn cold() -> Self {
        Self::of(Gateway::new(config(), 7))
    }

    fn of(gateway: Gateway) -> Self {
        let Config { prefix, keyring, .. } = config();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let account = AccountId::random(&mut rng);
        let keys = (0..4).map(|_| NewKey::generate(account, &prefix, &keyring, &mut rng)).collect();
        Self { gateway: Rc::new(RefCell::new(gateway)), keys }
    }

    fn account(&self) -> AccountId {
        self.keys[0].id().account()
    }

    fn record(&self, place: usize) -> Record {
        let permissions = if place == 0 { r#"["claviger:verify"]"# } else { r#"["demo:read"]"# };
        let limits = Limits {
            not_before: None,
            expires: Expiry::Never,
            networks: serde_json::from_str("[]").unwrap(),
            interfaces: vec![Interface::Http],
            permissions: serde_json::from_str(permissions).unwrap(),
        };
        let ceiling = Ceiling {
            permissions: limits.permissions.clone(),
            networks: limits.networks.clone(),
            longest: None,
        };
        let issuing = (place == 1).then_some(Issuing { generation: SealingGeneration(3), ceiling });
        let key = &self.keys[place];
        let (digest, sealing) = (key.digest(), SealingGeneration(0));
        let credential =
            Credential { digest, limits, issuing, issued: None, sealing, member: None, user: None };
        Record::new(Epoch::new(1), Revision(1), key.id(), Standing::Active(credential))
    }

    /// Returns the ledger's reply to a refresh; the ledger knows all keys.
    fn refreshed(&self, request: &RefreshRequest) -> Got {
        let record = |id| {
            (0..self.keys.len()).map(|place| self.record(place)).find(|record| record.id == id)
        };
        let refresh = Refresh {
            epoch: Epoch::new(1),
            revision: Revision(1),
            delta: Delta::Changes(Vec::new()),
            unsettled: Unsettled::Set(Vec::new()),
            state: Some(AccountState {
                revision: Revision(1),
                freshness_ms: FRESHNESS_MS.into(),
                ..AccountState::default()
            }),
            answers: request
                .ask
                .iter()
                .map(|id| RefreshAnswer { id: *id, record: record(*id) })
                .collect(),
            document: 0,
            superseded: none_superseded(),
        };
        let mut reply = serde_json::to_value(refresh).unwrap();
        reply["reply"] = "refreshed".into();
        Got::Text(reply.to_string())
    }

    /// Answers an operation: the ledger answers, and KV and cache are empty.
    fn usual(&self, operation: &Operation) -> Got {
        match ledger_request(operation) {
            Some(EdgeRequest::Refresh(request)) => self.refreshed(&request),
            _ => Got::Nothing,
        }
    }

    /// Answers an operation like [`Self::usual`]. The ledger has this record in place of its own, and
    /// its account state has these networks, as JSON.
    fn usual_but(&self, operation: &Operation, record: &Record, networks: &str) -> Got {
        let got = self.usual(operation);
        let (Some(EdgeRequest::Refresh(_)), Got::Text(text)) = (ledger_request(operation), &got)
        else {
            return got;
        };
        let mut reply: Value = serde_json::from_str(text).unwrap();
        reply["revision"] = record.revision.0.into();
        reply["state"]["networks"] = serde_json::from_str(networks).unwrap();
        for answer in reply["answers"].as_array_mut().unwrap() {
            if answer["id"] == record.id.to_string() {
                answer["record"] = serde_json::to_value(record).unwrap();
            }
        }
        Got::Text(reply.to_string())
    }

    /// Gives the gateway a lease, with these keys in memory.
    fn knows(&self, places: &[usize]) {
        let call = self.gateway.borrow_mut().leases_mut().renew(self.account(), at(NOW));
        let Got::Text(reply) = self.refreshed(call.request()) else { panic!() };
        let reply = RefreshReply::parse(&reply).unwrap();
        assert!(self.gateway.borrow_mut().leases_mut().take_refresh(&call, &reply, at(NOW), None));
        for place in places {
            self.gateway.borrow_mut().leases_mut().take_change(self.record(*place), at(NOW));
        }
    }

    fn begin(&self, method: &str, url: &str, headers: &str) -> Exchange {
        self.begin_at(NOW, method, url, headers)
    }

    fn begin_at(&self, now: i64, method: &str, url: &str, headers: &str) -> Exchange {
        let (method, url, headers) = (method.into(), url.into(), headers.into());
        let request = OwnedRequest { method, url, headers, arrived: at(now), is_counted: false };
        Exchange::begin(Rc::clone(&self.gateway), request, ChaCha20Rng::seed_from_u64(5))
    }

    fn bearer(&self, place: usize) -> String {
        format!("authorization\nBearer {}\ncf-connecting-ip\n10.1.2.3", self.keys[place].expose())
    }

    /// Returns the gateway's counter of refreshes.
    fn ledger_calls(&self) -> u64 {
        self.gateway.borrow().counters().ledger_calls
    }
}

/// Returns a body in pieces of this many bytes.
fn pieces(body: &str, size: usize) -> impl FnMut() -> Got + use<> {
    let pieces: Vec<Vec<u8>> = body.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
    let mut pieces = pieces.into_iter();
    move || Got::Bytes(pieces.next())
}

#[test]
fn a_request_that_needs_the_ledger_is_forwarded_on_its_answer() {
    let world = World::cold();
    let driven = drive(world.begin("GET", API, &world.bearer(2)), NOW, |operation| {
        (world.usual(operation), 30)
    });
    assert_eq!((driven.code(), driven.renew), ((0, String::new()), None));
    let [
        Operation::ReadCache { url, .. },
        call,
        Operation::WriteCache { url: written, max_age_s, .. },
    ] = driven.operations.as_slice()
    else {
        panic!("{:?}", driven.operations)
    };
    assert_eq!((url, *max_age_s), (written, 10));
    let Operation::CallLedger { instance, within_ms, is_background: false, .. } = call else {
        panic!("{call:?}")
    };
    assert_eq!(
        (instance, *within_ms),
        (&ledger_instance(world.account()), REFRESH_TIMEOUT.as_ms())
    );
    let [EdgeRequest::Refresh(request)] = &driven.ledger()[..] else { panic!() };
    assert_eq!(request.ask, [world.keys[2].id()]);
    assert_eq!((&request.unused, request.asked_from), (&request.ask, None));

    // The next request needs no operation, because the lease has the key.
    let again = drive(world.begin("GET", API, &world.bearer(2)), NOW + 100, |operation| {
        panic!("{operation:?}")
    });
    assert_eq!(again.code(), (0, String::new()));
    // The shared reply tells other isolates everything except the key.
    let Some(Operation::WriteCache { text, .. }) = driven.operations.last() else { panic!() };
    let neighbour = World::cold();
    let driven = drive(neighbour.begin("GET", API, &neighbour.bearer(2)), NOW + 100, |operation| {
        match operation {
            Operation::ReadCache { .. } => (Got::Text(text.clone()), 0),
            Operation::ReadKv { key, .. } => {
                assert_eq!(*key, kv_key(neighbour.keys[2].id()));
                (Got::Text(stored(&neighbour.record(2))), 0)
            }
            other => panic!("{other:?}"),
        }
    });
    assert_eq!((driven.code(), driven.names()), ((0, String::new()), vec!["kv"]));
}

#[test]
fn a_ledger_that_gives_nothing_twice_makes_503() {
    for nothing in [
        Got::Nothing,
        Got::TooLate,
        Got::Text(String::new()),
        Got::Text("null".into()),
        Got::Text(r#"{"reply":"forecast"}"#.into()),
        Got::Text(r#"{"reply":"refused","refusal":"not_understood"}"#.into()),
    ] {
        let world = World::cold();
        let driven =
            drive(world.begin("GET", API, &world.bearer(2)), NOW, |_| (nothing.clone(), 0));
        assert_eq!(driven.code(), (503, "unavailable".into()), "{nothing:?}");
        assert_eq!(driven.names(), ["ledger", "ledger"], "{nothing:?}");
        let Outcome::Answer(answer) = &driven.outcome else { panic!() };
        assert!(answer.headers.contains(&("retry-after", "2".into())));
    }
    // A ledger that answers the second attempt is enough.
    let (world, mut calls) = (World::cold(), 0);
    let driven = drive(world.begin("GET", API, &world.bearer(2)), NOW, |operation| {
        calls += i32::from(matches!(operation, Operation::CallLedger { .. }));
        (if calls == 1 { Got::TooLate } else { world.usual(operation) }, 0)
    });
    assert_eq!((driven.code(), driven.names()), ((0, String::new()), vec!["ledger", "ledger"]));
}

/// Returns the requests whose body is read, with their headers.
fn bodies(world: &World) -> [(String, String); 3] {
    let verifier = format!("{JSON}\nclaviger-verifier\n{}", world.keys[0].expose());
    [
        ("http://api.localhost:8787/form".into(), FORM.into()),
        (console(VERIFY_PATH), verifier),
        (console(issuance::PATH), format!("{FORM}\n{}", world.bearer(1))),
    ]
}

#[test]
fn a_field_of_the_body_is_read_in_pieces_whatever_their_size() {
    for size in [1, 2, 7, 100, 1_000] {
        let world = World::cold();
        world.knows(&[2]);
        let (url, headers) = &bodies(&world)[0];
        let body = format!("a=1&u={}&b=2", world.keys[2].expose());
        let mut next = pieces(&body, size);
        let driven = drive(world.begin("POST", url, headers), NOW, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 10),
            other => panic!("{other:?}"),
        });
        let Outcome::Forward(forward) = &driven.outcome else {
            panic!("{size}: {:?}", driven.outcome)
        };
        let [(start, end)] = forward.cuts.as_deref().unwrap() else { panic!("{:?}", forward.cuts) };
        let left = [&body[..*start], &body[*end..]].concat();
        assert_eq!(left, "a=1&b=2", "{size}");
        // Each piece gets the rest of the time for the whole body.
        let within: Vec<u64> = driven.operations.iter().filter_map(within).collect();
        assert_eq!(within.first(), Some(&BODY_SCAN_TIME.as_ms()));
        assert!(within.windows(2).all(|pair| pair[1] + 10 == pair[0]), "{within:?}");
    }
}

fn within(operation: &Operation) -> Option<u64> {
    match operation {
        Operation::ReadBody { within_ms } => Some(*within_ms),
        _ => None,
    }
}

#[test]
fn a_body_that_is_too_slow_too_large_or_cut_off_is_refused_wherever_it_is_read() {
    let trickle = |_: &Operation| (Got::Bytes(Some(b" ".to_vec())), 3_000);
    type Body<'a> = &'a dyn Fn(&Operation) -> (Got, i64);
    let dust = |_: &Operation| (Got::Bytes(Some(b" ".to_vec())), 0);
    let rows: [(Body<'_>, u16, &str, usize); 5] = [
        (&dust, 408, "body_too_slow", 1_025),
        (&|_| (Got::TooLate, 10_000), 408, "body_too_slow", 1),
        (&trickle, 408, "body_too_slow", 4),
        (&|_| (Got::Nothing, 0), 400, "malformed_body", 1),
        (&|_| (Got::Text("u=x".into()), 0), 400, "malformed_body", 1),
    ];
    let world = World::cold();
    world.knows(&[0, 1, 2]);
    for (url, headers) in bodies(&world) {
        for (body, status, code, reads) in rows {
            let driven = drive(world.begin("POST", &url, &headers), NOW, body);
            assert_eq!(driven.code(), (status, code.to_owned()), "{url}");
            assert_eq!(driven.names(), vec!["body"; reads], "{url}");
        }
    }
    for (url, headers) in &bodies(&world)[1..] {
        let too_large = (413, "body_too_large".to_owned());
        let announced = format!("{headers}\ncontent-length\n65537");
        let driven =
            drive(world.begin("POST", url, &announced), NOW, |operation| panic!("{operation:?}"));
        assert_eq!(driven.code(), too_large, "{url}");
        let driven = drive(world.begin("POST", url, headers), NOW, |_| {
            (Got::Bytes(Some(vec![b' '; 65_000])), 0)
        });
        assert_eq!((driven.code(), driven.operations.len()), (too_large, 2), "{url}");
    }
}

#[test]
fn a_body_may_come_in_1024_pieces() {
    let world = World::cold();
    world.knows(&[2]);
    let (url, headers) = &bodies(&world)[0];
    for (count, status) in [(1_024, 0), (1_025, 408)] {
        let field = format!("u={}", world.keys[2].expose());
        // A field that ends with the body: the scan reads all of it.
        let body = format!("{}&{field}", "a".repeat(count - 1 - field.len()));
        let mut next = pieces(&body, 1);
        let driven = drive(world.begin("POST", url, headers), NOW, |asked| match asked {
            Operation::ReadBody { .. } => (next(), 0),
            other => panic!("{other:?}"),
        });
        assert_eq!(driven.answer().0, status, "{count}");
    }
}

/// Verifies the keys 2 and 3, where KV returns `kv` for both.
fn verified(world: &World, kv: &Got) -> (Vec<String>, Driven) {
    let checks = [2, 3].map(|place| json!({ "credential": world.keys[place].expose() }));
    let mut next = pieces(&json!({ "checks": checks }).to_string(), 50);
    let (url, headers) = &bodies(world)[1];
    let driven = drive(world.begin("POST", url, headers), NOW, |operation| match operation {
        Operation::ReadBody { .. } => (next(), 0),
        Operation::ReadKvMany { .. } => (kv.clone(), 0),
        other => (world.usual(other), 0),
    });
    let (status, body) = driven.answer();
    assert_eq!(status, 200, "{body}");
    let document: Value = serde_json::from_str(body).unwrap();
    let verdicts = document["verdicts"].as_array().unwrap().iter().map(|verdict| {
        let source = verdict["evidence"]["source"].as_str().unwrap();
        assert!(verdict["verdict"] == "valid", "{verdict}");
        format!("{} {source}", verdict["key"].as_str().unwrap())
    });
    (verdicts.collect(), driven)
}

#[test]
fn checks_ask_kv_once_for_all_of_them_and_the_ledger_once_for_what_it_lacks() {
    let cold = || {
        let world = World::cold();
        world.knows(&[0]);
        world
    };
    let stored = |place| Some(stored(&cold().record(place)));
    for (kv, sources) in [
        (Got::Texts(vec![stored(2), stored(3)]), ["kv", "kv"]),
        (Got::Texts(vec![stored(2), None]), ["kv", "ledger"]),
        (Got::Texts(vec![None, stored(3)]), ["ledger", "kv"]),
        (Got::Texts(vec![stored(2)]), ["kv", "ledger"]),
        (Got::Texts(vec![stored(3), stored(2)]), ["ledger", "ledger"]),
        (Got::Texts(vec![stored(2), stored(3), stored(3)]), ["kv", "kv"]),
        (Got::Nothing, ["ledger", "ledger"]),
        (Got::TooLate, ["ledger", "ledger"]),
    ] {
        let world = cold();
        let calls = world.ledger_calls();
        let ids = [2, 3].map(|place| world.keys[place].id());
        assert!(ids[0] < ids[1], "KV is asked in the order of the IDs");
        let (verdicts, driven) = verified(&world, &kv);
        let expected: Vec<String> = [2, 3]
            .iter()
            .zip(sources)
            .map(|(place, source)| format!("{} {source}", world.keys[*place].id()))
            .collect();
        assert_eq!(verdicts, expected, "{kv:?}");
        let many = Operation::ReadKvMany { keys: ids.map(kv_key).to_vec() };
        let reads = driven.operations.iter().filter(|operation| **operation == many);
        assert_eq!(reads.count(), 1);
        let asks_ledger = sources.contains(&"ledger");
        assert_eq!(world.ledger_calls() - calls, u64::from(asks_ledger), "{kv:?}");
        let missing = driven.ledger().into_iter().flat_map(|request| match request {
            EdgeRequest::Refresh(RefreshRequest { ask, .. }) => ask,
            other => panic!("{other:?}"),
        });
        let expected =
            ids.iter().zip(sources).filter(|(_, source)| *source == "ledger").map(|(id, _)| *id);
        assert_eq!(missing.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{kv:?}");
    }
}

/// An older key of a verifier is authentic even if the edge lacks the newest generation.
#[test]
fn a_batch_asks_whether_both_workers_fit_before_a_key_counts_as_made_up() {
    let other = Keyring::parse(&edge_keys(&[("x", "")])).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for (answer, verdict) in
        [(Got::Fit(true), "unknown"), (Got::Fit(false), "unavailable"), (Got::Nothing, "unknown")]
    {
        let world = World::of(Gateway::new(config(), 7).unlinked());
        world.knows(&[0]);
        let made_up = NewKey::generate(world.account(), &config().prefix, &other, &mut rng);
        let mut next = pieces(&json!({ "credential": made_up.expose() }).to_string(), 500);
        let (url, headers) = &bodies(&world)[1];
        let driven = drive(world.begin("POST", url, headers), NOW, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 0),
            Operation::CallAdmin { .. } => (answer.clone(), 0),
            other => panic!("{other:?}"),
        });
        assert_eq!(driven.names(), ["body", "body", "admin"], "{answer:?}");
        assert!(driven.answer().1.contains(&format!(r#""verdict":"{verdict}""#)), "{answer:?}");
    }
}

#[test]
fn a_renewal_asks_the_ledger_in_the_background_and_answers_nobody() {
    let world = World::cold();
    world.knows(&[2]);
    // Late in the lease, a request notices that a refresh is due, and does not wait for it.
    let late = NOW + i64::from(FRESHNESS_MS) - 1;
    let noticed =
        drive(world.begin("GET", API, &world.bearer(2)), late, |operation| panic!("{operation:?}"));
    assert_eq!((noticed.code(), noticed.renew), ((0, String::new()), Some(world.account())));
    for is_there in [false, true] {
        let renewal = Exchange::renew(Rc::clone(&world.gateway), world.account());
        let driven = drive(renewal, late, |operation| match operation {
            Operation::CallLedger { is_background, .. } => {
                assert!(*is_background);
                (if is_there { world.usual(operation) } else { Got::TooLate }, 0)
            }
            Operation::ReadCache { .. } | Operation::WriteCache { .. } => (Got::Nothing, 0),
            other => panic!("{other:?}"),
        });
        assert_eq!((driven.answer(), driven.renew), ((204, ""), None));
        assert_eq!(driven.names(), vec!["ledger"; if is_there { 1 } else { 2 }]);
        let shares = driven
            .operations
            .iter()
            .any(|operation| matches!(operation, Operation::WriteCache { .. }));
        assert_eq!(shares, is_there);
    }
    // The lease was renewed.
    let after = world.begin_at(late + 100, "GET", API, &world.bearer(2));
    let after = drive(after, late + 100, |operation| panic!("{operation:?}"));
    assert_eq!((after.code(), after.renew), ((0, String::new()), None));
}

/// Many clients send made-up keys to a fresh isolate at once.
#[test]
fn one_request_asks_the_admin_worker_and_the_others_wait_for_no_answer() {
    let foreign = World::of(Gateway::new(config(), 7));
    let other = Keyring::parse(&edge_keys(&[("x", "")])).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let made_up = NewKey::generate(foreign.account(), &config().prefix, &other, &mut rng);
    let headers = format!("authorization\nBearer {}", made_up.expose());
    let world = World::of(Gateway::new(config(), 7).unlinked());
    let asks = |at: i64| {
        let mut exchange = world.begin_at(NOW + at, "GET", API, &headers);
        match exchange.resume(Got::Nothing, UnixMs::from_ms(NOW + at)) {
            ExchangeStep::Ask(Operation::CallAdmin { .. }) => Some(exchange),
            ExchangeStep::Ask(other) => panic!("{other:?}"),
            ExchangeStep::Done { .. } => None,
        }
    };
    let mut first = asks(0).expect("nobody has asked before");
    for at in 1..100 {
        let driven = drive(world.begin_at(NOW + at, "GET", API, &headers), NOW + at, |asked| {
            panic!("{asked:?}")
        });
        assert_eq!(driven.code(), (503, "unavailable".to_owned()), "{at} ms");
    }
    // A question without an answer, whose request was perhaps cancelled, expires.
    assert!(asks(999).is_none() && asks(1_000).is_some() && asks(1_001).is_none());
    let ExchangeStep::Done { .. } = first.resume(Got::Fit(true), UnixMs::from_ms(NOW + 1_100))
    else {
        panic!("the answer was here");
    };
    let driven = drive(world.begin_at(NOW + 1_101, "GET", API, &headers), NOW + 1_101, |asked| {
        panic!("{asked:?}")
    });
    assert_eq!(driven.code(), (401, "unknown".to_owned()));
}

/// With keys other than the admin Worker's, every credential seems made up. So the edge asks the
/// admin Worker before it says so.
#[test]
fn an_edge_that_does_not_know_whether_it_fits_asks_before_it_calls_a_key_made_up() {
    let foreign = World::of(Gateway::new(config(), 7));
    let other = Keyring::parse(&edge_keys(&[("x", "")])).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let made_up = NewKey::generate(foreign.account(), &config().prefix, &other, &mut rng);
    let text = made_up.expose();
    for (fit, expected) in [
        (Got::Fit(true), (401, "unknown")),
        (Got::Fit(false), (503, "misconfigured")),
        (Got::Nothing, (401, "unknown")),
        (Got::TooLate, (401, "unknown")),
        (Got::Text("true".into()), (401, "unknown")),
    ] {
        let world = World::of(Gateway::new(config(), 7).unlinked());
        let headers = format!("authorization\nBearer {text}");
        let answer = |operation: &Operation| match operation {
            Operation::CallAdmin { .. } => (fit.clone(), 10),
            other => panic!("{other:?}"),
        };
        let driven = drive(world.begin("GET", API, &headers), NOW, answer);
        assert_eq!(driven.code(), (expected.0, expected.1.to_owned()), "{fit:?}");
        assert_eq!(driven.names(), ["admin"], "{fit:?}");
        // The edge does not ask again at once, whatever the answer was.
        let driven =
            drive(world.begin("GET", API, &headers), NOW + 20, |operation| panic!("{operation:?}"));
        assert_eq!(driven.code(), (expected.0, expected.1.to_owned()), "{fit:?}");
    }
}
