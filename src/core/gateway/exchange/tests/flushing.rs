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
