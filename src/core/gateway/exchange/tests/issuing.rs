//! Tests issuing: the ledger calls besides the refresh.

use super::*;
use crate::credential::limits::lifetime::ExpiryError;
use crate::credential::sealed::SealedText;
use crate::credential::service_id;
use crate::replication::edge_call::{IssueByApi, ReadExpiry};

/// Issues with a form and the issuing key, where the ledger reads dates as `expiry` and stores keys
/// as `stores` says.
fn issued(form: &str, expiry: &Value, mut stores: impl FnMut(&IssueByApi) -> Value) -> Driven {
    let world = World::cold();
    world.knows(&[1]);
    let (url, headers) = &bodies(&world)[2];
    let mut next = pieces(form, 5);
    drive(world.begin("POST", url, headers), NOW, |operation| {
        match (operation, ledger_request(operation)) {
            (Operation::ReadBody { .. }, _) => (next(), 0),
            (_, Some(EdgeRequest::ReadExpiry(_))) => (Got::Text(expiry.to_string()), 40),
            (_, Some(EdgeRequest::IssueByApi(request))) => {
                (Got::Text(stores(&request).to_string()), 0)
            }
            (other, None) => (world.usual(other), 0),
            (other, Some(_)) => (world.usual(other), 20),
        }
    })
}

fn stored_nothing(request: &IssueByApi) -> Value {
    panic!("{request:?}")
}

#[test]
fn an_issue_asks_the_ledger_a_second_time_for_a_date_and_for_nothing_else() {
    let Config { prefix, keyring, .. } = config();
    let end = NOW + 3_600_000;
    let expiry = json!({ "reply": "expiry", "expires": end });
    for (form, ends, reads) in [
        ("", NOW + 20 + 30_000, None),
        ("epi=1h", NOW + 20 + 3_600_000, None),
        ("epi=2027/01/15+12:00", end, Some("2027/01/15 12:00")),
        ("epi=2027-01-15&ipa=", end, Some("2027-01-15")),
    ] {
        let driven = issued(form, &expiry, stored_nothing);
        let (status, text) = driven.answer();
        assert_eq!(status, 200, "{form}: {text}");
        let made = SealedText::parse(text, &prefix)
            .unwrap()
            .authenticate(&prefix, &keyring, at(NOW))
            .unwrap();
        assert_eq!(
            (made.claims().issued_at, made.claims().expires_at),
            (at(NOW + 20), at(ends)),
            "{form}"
        );
        let requests = driven.ledger();
        let [EdgeRequest::Refresh(_), rest @ ..] = &requests[..] else { panic!("{requests:?}") };
        let read: Vec<(&str, UnixMs)> = rest
            .iter()
            .map(|request| match request {
                EdgeRequest::ReadExpiry(ReadExpiry { text, at }) => (text.as_str(), *at),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            read,
            reads.map(|text| (text, at(NOW + 20))).into_iter().collect::<Vec<_>>(),
            "{form}"
        );
    }
}

#[test]
fn a_date_that_nobody_can_read_issues_nothing() {
    let far = json!({ "reply": "expiry", "expires": NOW + 1 });
    let refused = |error: ExpiryError| json!({ "reply": "expiry_refused", "error": error });
    for (expiry, status, line) in [
        (refused(ExpiryError::NoSuchDay), 400, "invalid_epi: epi: the calendar has no such day"),
        (
            refused(ExpiryError::InThePast { at: at(0) }),
            400,
            "invalid_epi: epi: this is in the past",
        ),
        (json!({ "reply": "gone" }), 503, "unavailable: No answer can be given at the moment"),
        (json!({ "reply": "expiry" }), 503, "unavailable: No answer can be given at the moment"),
        (json!({}), 503, "unavailable: No answer can be given at the moment"),
    ] {
        let driven = issued("epi=2027-01-15", &expiry, stored_nothing);
        assert_eq!(driven.answer(), (status, line), "{expiry}");
    }
    // The edge refuses these by itself, without a ledger call.
    for form in ["epi=soon", "epi=2027-1-15", "epi=0"] {
        let driven = issued(form, &far, stored_nothing);
        assert_eq!(
            (driven.code(), driven.ledger().len()),
            ((400, "invalid_epi".into()), 1),
            "{form}"
        );
    }
}

#[test]
fn what_does_not_fit_into_a_sealed_key_is_drawn_until_the_ledger_stores_it() {
    let never = json!({ "reply": "expiry", "expires": null });
    let refused = |refusal: &str| json!({ "reply": "refused", "refusal": refusal, "max": 1 });
    let taken = refused("id_taken");
    let changed = |request: &IssueByApi| {
        let limits = World::cold().record(2);
        let record = Record { id: request.id, ..limits };
        json!({ "reply": "changed", "key": null, "record": record, "bound": null })
    };
    for (replies, status, code, draws) in [
        (vec![], 200, "", 1),
        (vec![taken.clone(), taken.clone()], 200, "", 3),
        (vec![taken.clone(); 3], 503, "unavailable", 3),
        (vec![refused("too_many_keys")], 403, "too_many_keys", 1),
        (vec![refused("issuer_refused")], 401, "issuer_changed", 1),
        (vec![refused("forecast")], 503, "unavailable", 1),
        (vec![json!({ "reply": "gone" })], 503, "unavailable", 1),
        (vec![taken.clone(), json!(null)], 503, "unavailable", 2),
    ] {
        for form in ["epi=never", "epi=2d", "epi=2027-06-30"] {
            let (mut left, mut drawn) = (replies.clone().into_iter(), Vec::new());
            let driven = issued(form, &never, |request| {
                drawn.push(request.id);
                assert_eq!(request.at, at(NOW + 20), "after the ledger's answer on the issuer");
                assert_eq!(request.address.as_deref(), Some("10.1.2.3"), "of the caller");
                left.next().unwrap_or_else(|| changed(request))
            });
            assert_eq!(drawn.len(), draws, "{form} {replies:?}");
            let (found, text) = driven.answer();
            assert_eq!(found, status, "{form} {replies:?} {text}");
            if status == 200 {
                let id = drawn.last().unwrap();
                assert!(text.starts_with(&format!("clv_{id}")), "{text}");
            } else {
                assert_eq!(driven.code().1, code, "{form} {replies:?}");
            }
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), draws, "a drawn ID is drawn again");
        }
    }
}

/// Posts a form with service credentials, and no key.
fn by_service(world: &World, form: &str, fit: &Got) -> Driven {
    let mut next = pieces(form, 500);
    drive(world.begin("POST", &console(issuance::PATH), FORM), NOW, |operation| match operation {
        Operation::ReadBody { .. } => (next(), 0),
        Operation::CallAdmin { .. } => (fit.clone(), 0),
        other => (world.usual(other), 0),
    })
}

#[test]
fn a_made_up_service_id_is_refused_once_both_workers_are_known_to_fit() {
    let asks = || World::of(Gateway::new(config(), 7).unlinked());
    for (world, fit, status, code, calls) in [
        (asks(), Got::Fit(true), 401, "unknown", 1),
        (asks(), Got::Fit(false), 503, "unavailable", 1),
        (asks(), Got::Nothing, 401, "unknown", 1),
        (World::cold(), Got::Fit(true), 401, "unknown", 0),
    ] {
        let driven = by_service(&world, "sid=x&spw=y", &fit);
        assert_eq!(driven.code(), (status, code.to_owned()), "{fit:?}");
        assert_eq!(driven.names()[2..], vec!["admin"; calls], "{fit:?}");
    }
}

/// Whoever watches the log can tell guessing from a program with an old password.
#[test]
fn a_wrong_service_password_is_logged_with_the_account_and_the_network() {
    let Config { prefix, keyring, .. } = config();
    for (address, network) in [
        ("", "null"),
        ("\ncf-connecting-ip\n10.1.2.3", r#""10.1.2.0/24""#),
        ("\ncf-connecting-ip\n2001:db8::1", r#""2001:db8::/64""#),
    ] {
        let world = World::cold();
        world.knows(&[]);
        let sid = service_id::ids(world.account(), &prefix, &keyring)[0].to_string();
        let form = format!("sid={sid}&spw={}", "a".repeat(service_id::PASSWORD_WIDTH));
        let mut next = pieces(&form, 500);
        let headers = format!("{FORM}{address}");
        let exchange = world.begin("POST", &console(issuance::PATH), &headers);
        let driven = drive(exchange, NOW, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 0),
            Operation::Warn { .. } => (Got::Nothing, 0),
            other => panic!("{other:?}"),
        });
        assert_eq!(driven.code(), (401, "unknown".to_owned()));
        let line = format!(
            r#"{{"event":"authentication_refused","attempt":"service","reason":"wrong","network":{network},"account":"{}"}}"#,
            world.account()
        );
        assert_eq!(driven.operations.last(), Some(&Operation::Warn { line }));
    }
}
