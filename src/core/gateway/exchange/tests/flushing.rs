//! Tests the timer that sends usage once requests have stopped.

use super::*;
use crate::lease::usage::FLUSH_DELAY;

/// A cold request counts its use like a warm one, and its account's timer sends it if no other
/// request comes.
#[test]
fn the_use_of_a_lone_request_is_sent_when_its_timer_fires() {
    let world = World::cold();
    let driven = drive(world.begin("GET", API, &world.bearer(2)), NOW, |operation| {
        (world.usual(operation), 30)
    });
    assert_eq!((driven.code(), driven.timer), ((0, String::new()), Some(world.account())));
    let [EdgeRequest::Refresh(asked)] = &driven.ledger()[..] else { panic!() };
    assert_eq!(asked.usage, None);
    let fires = |ms: u64| {
        let flush = Exchange::flush(Rc::clone(&world.gateway), world.account());
        drive(flush, NOW + i64::try_from(ms).unwrap(), |operation| match operation {
            Operation::CallLedger { is_background: true, .. } => (world.usual(operation), 0),
            Operation::WriteCache { .. } => (Got::Nothing, 0),
            other => panic!("{other:?}"),
        })
    };
    let flushed = fires(FLUSH_DELAY.as_ms() + 90);
    let [EdgeRequest::Refresh(reported)] = &flushed.ledger()[..] else { panic!() };
    let used = &reported.usage.as_ref().unwrap().uses[0];
    assert_eq!((used.id, used.count, used.last_at), (world.keys[2].id(), 1, at(NOW + 90)));
    assert_eq!((flushed.answer(), flushed.timer), ((204, ""), None));
    // A warm request after it starts another timer, which finds nothing if a refresh came before.
    let late = NOW + 21_000;
    let warm = drive(world.begin_at(late, "GET", API, &world.bearer(2)), late, |operation| {
        (world.usual(operation), 0)
    });
    assert_eq!(warm.timer, Some(world.account()));
    let call = world.gateway.borrow_mut().leases_mut().renew(world.account(), at(late + 1));
    let Got::Text(reply) = world.refreshed(call.request()) else { panic!() };
    let reply = RefreshReply::parse(&reply).unwrap();
    world.gateway.borrow_mut().leases_mut().take_refresh(&call, &reply, at(late + 1), None);
    assert!(fires(41_000).operations.is_empty());
}

/// Another account with the same gateway, whose third key has a warm lease.
pub(super) fn neighbour(world: &World) -> World {
    let Config { prefix, keyring, .. } = config();
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let account = AccountId::random(&mut rng);
    let keys = (0..4).map(|_| NewKey::generate(account, &prefix, &keyring, &mut rng)).collect();
    let neighbour = World { gateway: Rc::clone(&world.gateway), keys };
    neighbour.knows(&[2]);
    neighbour
}

/// Serves a warm request of an account, and returns the account whose timer it starts.
fn warm(world: &World) -> Option<AccountId> {
    let driven =
        drive(world.begin("GET", API, &world.bearer(2)), NOW, |operation| panic!("{operation:?}"));
    assert_eq!(driven.code(), (0, String::new()));
    driven.timer
}

/// A world that knows its keys, and a verification in it whose verifier is counted and whose body
/// is awaited.
fn awaiting_its_body() -> (World, Exchange) {
    let world = World::cold();
    world.knows(&[0, 1, 2]);
    let (url, headers) = &bodies(&world)[1];
    let mut exchange = world.begin("POST", url, headers);
    let step = exchange.resume(Got::Nothing, at(NOW));
    assert!(matches!(step, ExchangeStep::Ask(Operation::ReadBody { .. })), "{step:?}");
    (world, exchange)
}

#[test]
fn a_timer_waits_with_a_verification_while_another_account_starts_its_timer() {
    let (world, mut verification) = awaiting_its_body();
    let other = neighbour(&world);
    assert_eq!(warm(&other), Some(other.account()));
    let mut next = pieces(&json!({ "credential": world.keys[2].expose() }).to_string(), 500);
    let step = verification.resume(next(), at(NOW));
    assert!(matches!(step, ExchangeStep::Ask(Operation::ReadBody { .. })), "{step:?}");
    let ExchangeStep::Done { outcome: Outcome::Answer(answer), timer, .. } =
        verification.resume(next(), at(NOW))
    else {
        panic!()
    };
    assert_eq!((answer.status, timer), (200, Some(world.account())));
    assert_eq!((warm(&world), warm(&other)), (None, None), "each timer starts once");
}

#[test]
fn a_timer_waits_with_an_issue_while_another_account_starts_its_timer() {
    let world = World::cold();
    world.knows(&[1]);
    let other = neighbour(&world);
    let (url, headers) = &bodies(&world)[2];
    let mut next = pieces("epi=2027-01-15", 500);
    let driven = drive(world.begin("POST", url, headers), NOW, |operation| {
        match (operation, ledger_request(operation)) {
            (Operation::ReadBody { .. }, _) => (next(), 0),
            (_, Some(EdgeRequest::ReadExpiry(_))) => {
                // The issuer's use is counted.
                assert_eq!(warm(&other), Some(other.account()));
                let reply = json!({ "reply": "expiry", "expires": NOW + 3_600_000 });
                (Got::Text(reply.to_string()), 40)
            }
            (other, _) => (world.usual(other), 0),
        }
    });
    assert_eq!((driven.answer().0, driven.timer), (200, Some(world.account())));
}

#[test]
fn the_next_request_starts_the_timer_of_one_that_its_caller_broke_off() {
    let (world, verification) = awaiting_its_body();
    drop(verification);
    let other = neighbour(&world);
    assert_eq!(warm(&other), Some(other.account()));
    assert_eq!(warm(&other), Some(world.account()));
    assert_eq!(warm(&other), None);
}
