//! Tests token introspection from request to answer, with the calls that it makes.

use super::*;
use crate::base::id::AnyKeyId;
use crate::gateway::oauth::INTROSPECTION_PATH;

fn url() -> String {
    console(INTROSPECTION_PATH)
}

/// Asks as the verifier, which is the first key, about a token.
fn introspect(world: &World, body: &str) -> Driven {
    ask(world, &url(), &by(world, 0), body)
}

/// Asks about the text of a key or token, with the isolate's memory alone.
fn warm(world: &World, body: &str) -> Value {
    let driven = introspect(world, body);
    assert!(driven.names().iter().all(|name| *name == "body"), "{:?}", driven.names());
    let (status, body) = driven.answer();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn a_warm_introspection_needs_no_io_and_counts_a_use() {
    let world = served();
    let id = world.keys[2].id();
    world.knows(&[0, 2]);
    let uses = |world: &World| {
        let mut gateway = world.gateway.borrow_mut();
        let call = gateway.leases_mut().renew(world.account(), at(NOW));
        let usage = serde_json::to_value(&call.request().usage).unwrap();
        usage.to_string().matches(id.as_str()).count()
    };
    let token = world.keys[2].expose();
    assert_eq!(
        warm(&world, &format!("token={token}&permission=demo:read&address=10.9.9.9")),
        json!({
            "active": true, "scope": "demo:read", "client_id": format!("clv_{id}"),
            "token_type": "Bearer", "sub": world.account().as_str(), "iss": "http://localhost:8787",
        })
    );
    assert_eq!(uses(&world), 1);
}

/// Each verdict but `valid` and `unavailable` gets one answer, so that nothing shows the reason.
#[test]
fn what_is_not_valid_is_inactive_whatever_the_reason() {
    let world = served();
    let text = world.keys[2].expose().to_owned();
    let known = |change: &dyn Fn(&mut Credential)| {
        world.knows(&[0]);
        let mut record = world.record(2);
        record.revision = Revision(2);
        let Standing::Active(credential) = &mut record.standing else { panic!() };
        change(credential);
        world.gateway.borrow_mut().leases_mut().take_change(record, at(NOW));
    };
    let end = |world: &World| world.gateway.borrow_mut().leases_mut().end_all();
    known(&|_| ());
    let inactive = json!({ "active": false });
    let forged = text.replacen(&text[30..31], if &text[30..31] == "0" { "1" } else { "0" }, 1);
    for body in [
        "token=x".to_owned(),
        "token=%00".to_owned(),
        format!("token={forged}"),
        format!("token={text}%00"),
        format!("token={text}%0A"),
        // The halves of a pair are no token.
        format!("token={}", &text[..22]),
        // What is not said of its use does not hold.
        format!("token={text}&permission=demo:write"),
        format!("token={text}&interface=smtp"),
    ] {
        assert_eq!(warm(&world, &body), inactive, "{body}");
    }
    let networks = r#"["192.0.2.0/24"]"#;
    let limited = |credential: &mut Credential| {
        credential.limits.networks = serde_json::from_str(networks).unwrap();
    };
    type Change<'a> = (&'a dyn Fn(&mut Credential), &'a str, bool);
    let rows: [Change<'_>; 7] = [
        (&|credential| credential.limits.expires = Expiry::At(at(NOW)), "", false),
        (&|credential| credential.limits.expires = Expiry::At(at(NOW + 1)), "", true),
        (&|credential| credential.limits.not_before = Some(at(NOW + 1)), "", false),
        (&|credential| credential.limits.not_before = Some(at(NOW)), "", true),
        (&limited, "", false),
        (&limited, "&address=192.0.3.1", false),
        (&limited, "&address=192.0.2.1", true),
    ];
    for (index, (change, more, is_active)) in rows.into_iter().enumerate() {
        end(&world);
        known(change);
        let answer = warm(&world, &format!("token={text}{more}"));
        assert_eq!(answer["active"], is_active, "{index}");
        assert!(is_active || answer == inactive, "{index}");
    }
    let stand = |record: &mut Record, place: usize| {
        let Standing::Active(credential) = record.standing.clone() else { panic!() };
        record.standing =
            if place == 0 { Standing::Disabled(credential) } else { Standing::Deleted };
    };
    for place in 0..2 {
        end(&world);
        world.knows(&[0]);
        let mut record = world.record(2);
        stand(&mut record, place);
        world.gateway.borrow_mut().leases_mut().take_change(record, at(NOW));
        assert_eq!(warm(&world, &format!("token={text}")), inactive, "{place}");
    }
}

#[test]
fn a_token_is_described_with_its_client_and_its_times() {
    let world = served();
    let text = token(&world, 2);
    let claims = claims(&text);
    let answer = introspect(&world, &format!("token={text}"));
    let answer: Value = serde_json::from_str(answer.answer().1).unwrap();
    assert_eq!(
        answer,
        json!({
            "active": true, "scope": "demo:read",
            "client_id": format!("clv_{}", world.keys[2].id()), "token_type": "Bearer",
            "exp": claims.expires_at.as_ms() / 1_000, "iat": claims.issued_at.as_ms() / 1_000,
            "sub": world.account().as_str(), "iss": "http://localhost:8787",
            "jti": AnyKeyId::Sealed(claims.id).to_string(),
        })
    );
    // A token follows its key, also in what it says of its begin.
    world.gateway.borrow_mut().leases_mut().end_all();
    world.knows(&[0]);
    let mut record = world.record(2);
    record.revision = Revision(2);
    let Standing::Active(credential) = &mut record.standing else { panic!() };
    credential.limits.not_before = Some(at(NOW - 1_500));
    credential.limits.expires = Expiry::At(at(NOW + 60_000));
    world.gateway.borrow_mut().leases_mut().take_change(record, at(NOW));
    let answer = warm(&world, &format!("token={text}"));
    assert_eq!(
        (&answer["nbf"], &answer["exp"]),
        (&json!(NOW / 1_000 - 2), &json!(NOW / 1_000 + 60))
    );
}

/// Another account's key is looked up nowhere.
#[test]
fn a_verifier_sees_its_own_account_alone_and_the_operator_s_all() {
    let world = served();
    let Config { prefix, keyring, .. } = config();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let foreign = NewKey::generate(AccountId::random(&mut rng), &prefix, &keyring, &mut rng);
    world.knows(&[0]);
    let body = format!("token={}", foreign.expose());
    assert_eq!(warm(&world, &body), json!({ "active": false }));
    // The operator's verifier has it looked up.
    world.gateway.borrow_mut().leases_mut().end_all();
    let driven = ask_with(&world, &url(), &by(&world, 0), &body, |operation| {
        let Got::Text(text) = world.usual(operation) else { return Got::Nothing };
        let mut reply: Value = serde_json::from_str(&text).unwrap();
        reply["state"]["operator"] = true.into();
        Got::Text(reply.to_string())
    });
    assert_eq!(driven.answer(), (200, r#"{"active":false}"#));
    let called = driven.operations.iter().filter_map(|operation| match operation {
        Operation::CallLedger { instance, .. } => Some(instance.clone()),
        _ => None,
    });
    let accounts = [world.account(), foreign.id().account()];
    assert_eq!(called.collect::<Vec<_>>(), accounts.map(ledger_instance));
}

#[test]
fn the_token_is_never_the_caller_s_own_key() {
    let world = served();
    let (verifier, other) = (world.keys[0].expose().to_owned(), world.keys[2].expose().to_owned());
    let sealed = token(&world, 2);
    let wrong_half = format!("{}{}", &verifier[..22], &other[22..]);
    let forms = [
        (format!("{FORM}\nauthorization\nBearer {verifier}"), &verifier, 400),
        (by(&world, 0), &verifier, 400),
        (format!("{FORM}\nclaviger-verifier\n{verifier}"), &verifier, 400),
        // A caller that is no verifier gets the same answer, and no lookup.
        (format!("{FORM}\nauthorization\nBearer {other}"), &other, 400),
        (format!("{FORM}\nauthorization\nBearer {sealed}"), &sealed, 400),
        // It is another text that has not the form of a key.
        (by(&world, 0), &wrong_half, 200),
    ];
    for (headers, text, status) in forms {
        let driven = ask(&world, &url(), &headers, &format!("token={text}"));
        assert_eq!(driven.answer().0, status, "{headers}");
        if status == 400 {
            assert_eq!(error(&driven).1, "invalid_request");
            assert_eq!(driven.names(), ["body"; 2], "{headers}");
        }
    }
    let (id, secret) = world.keys[0].expose_pair();
    let body = format!("client_id={id}&client_secret={secret}&token={verifier}");
    assert_eq!(error(&ask(&world, &url(), FORM, &body)), (400, "invalid_request".into()));
}

#[test]
fn who_proves_no_possession_of_a_verifier_gets_one_answer() {
    let world = served();
    let text = world.keys[0].expose().to_owned();
    let changed = text.replacen(&text[30..31], if &text[30..31] == "0" { "1" } else { "0" }, 1);
    let plain = world.keys[2].expose();
    let deleted = {
        world.knows(&[0]);
        let mut record = world.record(3);
        (record.revision, record.standing) = (Revision(2), Standing::Deleted);
        world.gateway.borrow_mut().leases_mut().take_change(record, at(NOW));
        world.keys[3].expose()
    };
    let ask = |headers: &str, reads: usize| {
        let driven = ask(&world, &url(), headers, &format!("token={plain}"));
        assert_eq!(driven.names(), vec!["body"; reads], "{headers}");
        let Outcome::Answer(answer) = driven.outcome else { panic!("{headers}") };
        answer
    };
    let never = ask(FORM, 2);
    assert_eq!(never.status, 401);
    for (way, reads) in [
        (format!("authorization\nBearer {changed}"), 0),
        (format!("claviger-verifier\n{changed}"), 0),
        (format!("authorization\nBasic {}", Base64::encode_string(b"x:y")), 0),
        ("authorization\nBearer x".to_owned(), 0),
        ("authorization\nDigest x".to_owned(), 0),
        ("claviger-verifier\nx".to_owned(), 0),
        (format!("authorization\nBearer {deleted}"), 2),
    ] {
        assert_eq!(ask(&format!("{FORM}\n{way}"), reads), never, "{way}");
    }
    world.knows(&[2]);
    let bearer = format!("{FORM}\nauthorization\nBearer {plain}");
    let driven = super::ask(&world, &url(), &bearer, &format!("token={text}"));
    assert_eq!(error(&driven), (403, "insufficient_scope".into()));
}

#[test]
fn what_is_no_form_is_refused_before_its_body_is_read_and_no_outage_is_a_false() {
    let world = served();
    let headers = by(&world, 0);
    let json = headers.replace(FORM, JSON);
    let giant = format!("{headers}\ncontent-length\n{}", BODY_BYTES_MAX + 1);
    for (method, url, headers, status) in [
        ("POST", url(), &json, 400),
        ("POST", url(), &giant, 413),
        ("POST", format!("{}?token=x", url()), &headers, 400),
        ("GET", url(), &headers, 405),
        ("OPTIONS", url(), &headers, 405),
    ] {
        let driven = drive(world.begin(method, &url, headers), NOW, |other| panic!("{other:?}"));
        assert_eq!(error(&driven), (status, "invalid_request".into()), "{method} {url}");
    }
    let long = format!("token=x&y={}", "x".repeat(BODY_BYTES_MAX));
    assert_eq!(error(&introspect(&world, &long)), (413, "invalid_request".into()));
    let text = world.keys[2].expose().to_owned();
    let asked = |body: &str| {
        let driven = ask_with(&world, &url(), &headers, body, |_| Got::TooLate);
        error(&driven)
    };
    let unavailable = (503, "temporarily_unavailable".into());
    // The ledger is out of reach for the caller itself, then for the token alone.
    assert_eq!(asked(&format!("token={text}")), unavailable);
    world.knows(&[0]);
    assert_eq!(asked(&format!("token={text}")), unavailable);
    for (body, named) in [("token=x&token=x", "parameter"), ("address=x&token=x", "address")] {
        let driven = introspect(&world, body);
        assert_eq!(error(&driven), (400, "invalid_request".into()), "{body}");
        assert!(driven.answer().1.contains(named), "{body}");
        assert_eq!(driven.names(), ["body"; 2], "{body}");
    }
}
