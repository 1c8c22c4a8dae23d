use super::flushing::neighbour;
use super::*;
use crate::base::secret::SecretText;
use crate::config::settings::Variables;
use crate::testing::{EDGE_KEYS, variables};

/// An exchange ends in time, with a response, even if every result of the platform is wrong.
#[test]
fn whatever_comes_of_an_operation_nothing_panics_and_every_exchange_ends() {
    let gots = |world: &World| {
        let text = |place: usize| stored(&world.record(place));
        vec![
            Got::Nothing,
            Got::Text(String::new()),
            Got::Text("null".into()),
            Got::Text(text(2)),
            Got::Texts(Vec::new()),
            Got::Texts(vec![None; 200]),
            Got::Texts(vec![Some(text(3)), Some(text(2))]),
            Got::Bytes(None),
            Got::Bytes(Some(Vec::new())),
            Got::Bytes(Some(b"{\"key_id\":\"a\"}".to_vec())),
            Got::Bytes(Some(b"epi=2027-01-15&u=clv_a&".to_vec())),
            Got::Fit(true),
            Got::Fit(false),
            Got::TooLate,
        ]
    };
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    for round in 0..200_usize {
        let world = World::of(if round % 3 == 0 {
            Gateway::new(config(), 7).unlinked()
        } else {
            Gateway::new(config(), 7)
        });
        if round % 2 == 0 {
            world.knows(&[0, 1]);
        }
        let gots = gots(&world);
        let mut exchanges = vec![
            world.begin("GET", API, &world.bearer(2)),
            world.begin("GET", "no URL", ""),
            world.begin("GET", API, "authorization\nBearer clv_a"),
            Exchange::renew(Rc::clone(&world.gateway), world.account()),
        ];
        exchanges
            .extend(bodies(&world).iter().map(|(url, headers)| world.begin("POST", url, headers)));
        for exchange in exchanges {
            let mut first = Some(Got::Texts(Vec::new()));
            let driven = drive(exchange, NOW, |operation| {
                // The first rounds repeat one result; the later ones draw any result, mostly a
                // right one.
                let place = match gots.get(round) {
                    Some(_) => round,
                    None => rand_core::Rng::next_u32(&mut rng) as usize % (gots.len() * 2),
                };
                let got =
                    first.take().filter(|_| round % 5 == 0).or_else(|| gots.get(place).cloned());
                (got.unwrap_or_else(|| world.usual(operation)), 5)
            });
            let status = match &driven.outcome {
                Outcome::Answer(answer) => answer.status,
                Outcome::Forward(_) | Outcome::Admin(_) => 0,
            };
            assert!(
                [0, 200, 204, 400, 401, 403, 408, 413, 415, 500, 503].contains(&status),
                "{status}"
            );
        }
    }
}

#[test]
fn a_url_that_is_none_is_answered_without_an_operation() {
    let world = World::cold();
    let driven = drive(world.begin("GET", "no URL", ""), NOW, |operation| panic!("{operation:?}"));
    assert_eq!(driven.code(), (400, "malformed_host".into()));
}

/// The verifier's own key or any of the checks may find that the lease is due for a refresh.
#[test]
fn a_verification_starts_the_background_refresh_whatever_it_checks() {
    for checked in [vec![], vec!["x".to_owned()], vec![String::new(), "x".to_owned()]] {
        let world = World::cold();
        world.knows(&[0, 2]);
        let credential = |text: String| {
            if text.is_empty() { world.keys[2].expose().to_owned() } else { text }
        };
        let checks: Vec<_> =
            checked.into_iter().map(|text| json!({ "credential": credential(text) })).collect();
        let mut next = pieces(&json!({ "checks": checks }).to_string(), 50);
        let (url, headers) = &bodies(&world)[1];
        let (start, exchange) = (NOW + 9_999, world.begin_at(NOW + 9_999, "POST", url, headers));
        let driven = drive(exchange, start, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 0),
            other => panic!("{other:?}"),
        });
        assert_eq!(driven.answer().0, 200);
        assert_eq!(driven.renew, Some(world.account()), "{checks:?}");
    }
}

#[test]
fn an_empty_verifier_s_key_is_missing() {
    let world = World::cold();
    for header in ["", "\nclaviger-verifier\n"] {
        let headers = format!("{JSON}{header}");
        let exchange = world.begin("POST", &console(VERIFY_PATH), &headers);
        let driven = drive(exchange, NOW, |operation| panic!("{operation:?}"));
        assert_eq!(driven.code(), (401, "missing".into()), "{header:?}");
    }
}

#[test]
fn a_body_may_have_exactly_the_bytes_that_are_allowed() {
    let world = World::cold();
    world.knows(&[0]);
    let (url, headers) = &bodies(&world)[1];
    for (length, code) in [(65_536, (200, "")), (65_537, (413, "body_too_large"))] {
        let checks = r#"{"checks":[]}"#;
        let body = [checks, &" ".repeat(length - checks.len())].concat();
        for announced in [String::new(), format!("\ncontent-length\n{length}")] {
            let mut next = pieces(&body, 1_000);
            let exchange = world.begin("POST", url, &format!("{headers}{announced}"));
            let driven = drive(exchange, NOW, |operation| match operation {
                Operation::ReadBody { .. } => (next(), 0),
                other => panic!("{other:?}"),
            });
            assert_eq!(driven.code(), (code.0, code.1.to_owned()), "{length} {announced}");
        }
    }
}

/// With `eventual` freshness, no isolate would read it.
#[test]
fn only_a_lease_of_bounded_freshness_is_shared_in_the_data_centre() {
    for (freshness, shares) in [("bounded", true), ("eventual", false)] {
        let variables = Variables { freshness: Some(freshness.into()), ..variables() };
        let keys = SecretText::new(EDGE_KEYS.to_owned());
        let config = Config::parse(Some(&keys), &variables).unwrap();
        let world = World::of(Gateway::new(config, 7));
        let exchange = world.begin("GET", API, &world.bearer(2));
        let driven = drive(exchange, NOW, |operation| (world.usual(operation), 0));
        assert_eq!(driven.code(), (0, String::new()), "{freshness}");
        let is_write = |operation: &Operation| matches!(operation, Operation::WriteCache { .. });
        assert_eq!(driven.operations.iter().any(is_write), shares, "{freshness}");
    }
}

#[test]
fn an_account_s_replies_are_shared_under_its_own_address_on_the_console_s_host() {
    let world = World::cold();
    let exchange = world.begin("GET", API, &world.bearer(2));
    let driven = drive(exchange, NOW, |operation| (world.usual(operation), 0));
    let expected = format!("https://localhost/.claviger/refresh/{}", world.account());
    let urls = driven.operations.iter().filter_map(|operation| match operation {
        Operation::ReadCache { url, .. } | Operation::WriteCache { url, .. } => Some(url),
        _ => None,
    });
    assert_eq!(urls.collect::<Vec<_>>(), [&expected, &expected]);
    assert_eq!(world.gateway.borrow().counters().shared_puts, 1);
}

#[test]
fn the_operator_s_verifier_sees_every_account_and_any_other_its_own() {
    for (is_operator, expected) in [(false, ["unknown", "valid"]), (true, ["valid", "valid"])] {
        let world = World::cold();
        let call = world.gateway.borrow_mut().leases_mut().renew(world.account(), at(NOW));
        let Got::Text(reply) = world.refreshed(call.request()) else { panic!() };
        let mut reply: Value = serde_json::from_str(&reply).unwrap();
        reply["state"]["operator"] = is_operator.into();
        let reply = RefreshReply::parse(&reply.to_string()).unwrap();
        world.gateway.borrow_mut().leases_mut().take_refresh(&call, &reply, at(NOW), None);
        for place in [0, 2] {
            world.gateway.borrow_mut().leases_mut().take_change(world.record(place), at(NOW));
        }
        let other = neighbour(&world);
        let checks = [&other, &world].map(|world| json!({ "credential": world.keys[2].expose() }));
        let mut next = pieces(&json!({ "checks": checks }).to_string(), 500);
        let (url, headers) = &bodies(&world)[1];
        let driven = drive(world.begin("POST", url, headers), NOW, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 0),
            other => panic!("{other:?}"),
        });
        let document: Value = serde_json::from_str(driven.answer().1).unwrap();
        let verdicts = document["verdicts"].as_array().unwrap().iter();
        let verdicts: Vec<_> = verdicts.map(|verdict| verdict["verdict"].clone()).collect();
        assert_eq!(verdicts, expected, "{is_operator}");
    }
}

/// Time passes between the question and its answer, and a deployment may change in between.
#[test]
fn a_fit_is_as_old_as_its_question_and_a_misfit_as_its_answer() {
    for (misfit_at, expected) in [(500, "misconfigured"), (0, "malformed")] {
        let world = World::of(Gateway::new(config(), 7).unlinked());
        let mut exchange = world.begin("GET", API, "authorization\nBearer clv_x");
        let asked = exchange.resume(Got::Nothing, at(NOW));
        assert!(matches!(asked, ExchangeStep::Ask(Operation::CallAdmin { .. })), "{asked:?}");
        world.gateway.borrow_mut().take_fit(Some(false), at(NOW + misfit_at));
        let done = exchange.resume(Got::Fit(true), at(NOW + 600));
        let ExchangeStep::Done { outcome: Outcome::Answer(answer), .. } = done else {
            panic!("{done:?}")
        };
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["code"], expected, "{misfit_at}");
    }
    let world = World::of(Gateway::new(config(), 7).unlinked());
    let headers = "authorization\nBearer clv_x";
    let misfit = |operation: &Operation| match operation {
        Operation::CallAdmin { .. } => (Got::Fit(false), 600),
        other => panic!("{other:?}"),
    };
    drive(world.begin("GET", API, headers), NOW, misfit);
    let refused = drive(world.begin_at(NOW + 5_599, "GET", API, headers), NOW + 5_599, misfit);
    assert_eq!((refused.code().1, refused.names().len()), ("misconfigured".to_owned(), 0));
}

/// The verifier's own key has limits, too, apart from those of the keys that it asks about.
#[test]
fn a_verifier_s_key_counts_from_its_own_networks_alone() {
    for (address, expected) in [
        ("10.1.2.3", (200, "")),
        ("192.0.2.1", (403, "network_denied")),
        ("", (403, "network_denied")),
    ] {
        let world = World::cold();
        world.knows(&[0]);
        let mut record = world.record(0);
        record.revision = Revision(2);
        let Standing::Active(credential) = &mut record.standing else { panic!() };
        credential.limits.networks = serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap();
        world.gateway.borrow_mut().leases_mut().take_change(record, at(NOW));
        let mut next = pieces(r#"{"checks":[]}"#, 50);
        let (url, headers) = &bodies(&world)[1];
        let headers = match address {
            "" => headers.clone(),
            _ => format!("{headers}\ncf-connecting-ip\n{address}"),
        };
        let exchange = world.begin("POST", url, &headers);
        let driven = drive(exchange, NOW, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 0),
            other => panic!("{other:?}"),
        });
        assert_eq!(driven.code(), (expected.0, expected.1.to_owned()), "{address}");
    }
}
