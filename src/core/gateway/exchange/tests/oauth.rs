//! Tests the OAuth endpoints from request to answer, with the calls that they make.

mod introspect;

use base64ct::{Base64, Encoding};

use super::*;
use crate::base::secret::SecretText;
use crate::config::settings::Variables;
use crate::credential::issuer::{Issued, Issuer};
use crate::credential::sealed::{Claims, SealedText};
use crate::gateway::issuance::BODY_BYTES_MAX;
use crate::testing::{EDGE_KEYS, variables};

const TOKEN: &str = "https://api.localhost/oauth/token";
const REVOKE: &str = "https://api.localhost/oauth/revoke";
const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

/// A change of the pair's record, the body of the request, and status and error of the answer.
type Row<'a> = (&'a dyn Fn(&mut Record), &'a str, (u16, &'a str));

fn served() -> World {
    let rules = r#"[{"host":"api.localhost","path":"/oauth/token","serves":"oauth-token"},
        {"host":"api.localhost","path":"/oauth/revoke","serves":"oauth-revoke"},
        {"host":"localhost","path":"/token","serves":"oauth-token"}]"#;
    let variables = Variables { rules: Some(rules.into()), ..variables() };
    let keys = SecretText::new(EDGE_KEYS.to_owned());
    World::of(Gateway::new(Config::parse(Some(&keys), &variables).unwrap(), 7))
}

/// Returns the headers of a form by the client with the pair of this key.
fn by(world: &World, place: usize) -> String {
    let (id, secret) = world.keys[place].expose_pair();
    let pair = Base64::encode_string(format!("{id}:{secret}").as_bytes());
    format!("{FORM}\nauthorization\nBasic {pair}\ncf-connecting-ip\n10.1.2.3")
}

fn ask(world: &World, url: &str, headers: &str, body: &str) -> Driven {
    ask_with(world, url, headers, body, |operation| world.usual(operation))
}

fn ask_with(
    world: &World,
    url: &str,
    headers: &str,
    body: &str,
    mut others: impl FnMut(&Operation) -> Got,
) -> Driven {
    let mut next = pieces(body, 4_096);
    drive(world.begin("POST", url, headers), NOW, |operation| match operation {
        Operation::ReadBody { .. } => (next(), 0),
        Operation::CallLedger { .. } => (others(operation), 20),
        other => (others(other), 0),
    })
}

/// Returns status and error of an answer; an error of "" for none.
fn error(driven: &Driven) -> (u16, String) {
    let (status, body) = driven.answer();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

fn token(world: &World, place: usize) -> String {
    let driven = ask(world, TOKEN, &by(world, place), CLIENT_CREDENTIALS);
    let body: Value = serde_json::from_str(driven.answer().1).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn claims(text: &str) -> Claims {
    let Config { prefix, keyring, .. } = config();
    let parsed = SealedText::parse(text, &prefix).unwrap();
    parsed.authenticate(&prefix, &keyring, at(NOW)).unwrap().claims().clone()
}

#[test]
fn s16_any_pair_gets_a_token_for_itself_on_the_ledger_s_word() {
    let world = served();
    for (place, generation, permissions) in
        [(2, 0, r#"["demo:read"]"#), (1, 3, r#"["demo:read"]"#), (0, 0, "[]")]
    {
        let id = world.keys[place].id();
        // A lease as fresh as can be does not spare the call.
        world.knows(&[place]);
        let driven = ask(&world, TOKEN, &by(&world, place), CLIENT_CREDENTIALS);
        let (status, body) = driven.answer();
        assert_eq!(status, 200, "{body}");
        let [EdgeRequest::Refresh(_)] = &driven.ledger()[..] else { panic!("one call") };
        let body: Value = serde_json::from_str(body).unwrap();
        let claims = claims(body["access_token"].as_str().unwrap());
        assert_eq!(claims.issuer, Issuer::Key(id));
        assert!(claims.is_token && claims.networks.is_unrestricted());
        assert_eq!(claims.id.generation(), SealingGeneration(generation));
        assert_eq!(serde_json::to_string(&claims.permissions).unwrap(), permissions);
        assert_eq!((claims.issued_at, claims.expires_at), (at(NOW + 20), at(NOW + 20 + 3_600_000)));
    }
}

#[test]
fn s16_several_tokens_at_once_differ() {
    let world = served();
    let token = |seed| {
        let request = OwnedRequest {
            method: "POST".into(),
            url: "http://localhost:8787/token".into(),
            headers: by(&world, 2),
            arrived: at(NOW),
            is_counted: false,
        };
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let mut next = pieces(CLIENT_CREDENTIALS, 9);
        let exchange = Exchange::begin(Rc::clone(&world.gateway), request, rng);
        let driven = drive(exchange, NOW, |operation| match operation {
            Operation::ReadBody { .. } => (next(), 0),
            other => (world.usual(other), 0),
        });
        let body: Value = serde_json::from_str(driven.answer().1).unwrap();
        claims(body["access_token"].as_str().unwrap()).id
    };
    assert_ne!(token(1), token(2));
}

/// What a caller can make up costs neither a call nor, by Basic, the body.
#[test]
fn s16_a_pair_that_claviger_never_made_costs_no_lookup() {
    let world = served();
    let (id, secret) = world.keys[2].expose_pair();
    let changed = secret.replacen(&secret[..1], if secret.starts_with('0') { "1" } else { "0" }, 1);
    let basic = |pair: String| {
        format!("{FORM}\nauthorization\nBasic {}", Base64::encode_string(pair.as_bytes()))
    };
    let sealed = token(&world, 2);
    let whole = world.keys[2].expose();
    for (headers, body, reads) in [
        (basic(format!("{id}:{changed}")), CLIENT_CREDENTIALS.to_owned(), 0),
        // A token gets no further token, in any form.
        (basic(format!("{sealed}:")), CLIENT_CREDENTIALS.to_owned(), 0),
        (basic(format!("{id}:{sealed}")), CLIENT_CREDENTIALS.to_owned(), 0),
        (basic(format!("{whole}:")), CLIENT_CREDENTIALS.to_owned(), 0),
        (format!("{FORM}\nauthorization\nBearer {sealed}"), CLIENT_CREDENTIALS.to_owned(), 0),
        (
            FORM.to_owned(),
            format!("{CLIENT_CREDENTIALS}&client_id={id}&client_secret={changed}"),
            2,
        ),
        (FORM.to_owned(), format!("{CLIENT_CREDENTIALS}&client_id={id}&client_secret={sealed}"), 2),
        (FORM.to_owned(), CLIENT_CREDENTIALS.to_owned(), 2),
    ] {
        for url in [TOKEN, REVOKE] {
            let body = format!("{body}&token=x");
            let driven = ask(&world, url, &headers, &body);
            assert_eq!(error(&driven), (401, "invalid_client".into()), "{headers} {body}");
            assert_eq!(driven.names(), vec!["body"; reads], "{headers} {body}");
        }
    }
}

#[test]
fn s16_refusals_name_the_reason_to_the_right_client_only() {
    let world = served();
    let change = |change: &dyn Fn(&mut Record), headers: &str, body: &str| {
        let driven = ask_with(&world, TOKEN, headers, body, |operation| {
            let Got::Text(text) = world.usual(operation) else { return Got::Nothing };
            let mut reply: Value = serde_json::from_str(&text).unwrap();
            for answer in reply["answers"].as_array_mut().unwrap() {
                let text = answer["record"].to_string();
                let Some(mut record) = Record::from_kv(&text, world.keys[2].id()) else {
                    continue;
                };
                change(&mut record);
                answer["record"] = serde_json::to_value(record).unwrap();
            }
            Got::Text(reply.to_string())
        });
        world.gateway.borrow_mut().leases_mut().end_all();
        driven
    };
    let credential = |record: &mut Record, change: &dyn Fn(&mut Credential)| {
        let Standing::Active(credential) = &mut record.standing else { panic!() };
        change(credential);
    };
    let wrong = |record: &mut Record| {
        credential(record, &|credential| {
            credential.digest = crate::base::secret::Digest::of(b"another");
        });
    };
    let disabled = |record: &mut Record| {
        let Standing::Active(credential) = record.standing.clone() else { panic!() };
        record.standing = Standing::Disabled(credential);
    };
    let deleted = |record: &mut Record| record.standing = Standing::Deleted;
    let network = |record: &mut Record| {
        credential(record, &|credential| {
            credential.limits.networks = serde_json::from_str(r#"["192.0.2.1"]"#).unwrap();
        });
    };
    let issued = |record: &mut Record| {
        credential(record, &|credential| {
            let by = Issuer::Key(world.keys[1].id());
            credential.issued = Some(Issued { by, generation: SealingGeneration(3), at: at(0) });
        });
    };
    let many = |record: &mut Record| {
        let permissions: Vec<_> = (0..64).map(|n| format!("{:0>32}:{:0>32}", n, "a")).collect();
        credential(record, &|credential| {
            credential.limits.permissions =
                serde_json::from_value(json!(permissions.clone())).unwrap();
        });
    };
    let headers = by(&world, 2);
    let few = format!("{CLIENT_CREDENTIALS}&scope={:0>32}:{:0>32}", 7, "a");
    let rows: [Row<'_>; 11] = [
        (&|_| (), CLIENT_CREDENTIALS, (200, "")),
        (&wrong, CLIENT_CREDENTIALS, (401, "invalid_client")),
        (&deleted, CLIENT_CREDENTIALS, (401, "invalid_client")),
        (&disabled, CLIENT_CREDENTIALS, (401, "invalid_client")),
        (&network, CLIENT_CREDENTIALS, (400, "unauthorized_client")),
        (&issued, CLIENT_CREDENTIALS, (400, "unauthorized_client")),
        (&many, CLIENT_CREDENTIALS, (400, "invalid_scope")),
        (&many, &few, (200, "")),
        (&|_| (), "grant_type=client_credentials&scope=demo:write", (400, "invalid_scope")),
        (&|_| (), "grant_type=password", (400, "unsupported_grant_type")),
        (&|_| (), "scope=demo:read", (400, "invalid_request")),
    ];
    for (index, (changes, body, (status, code))) in rows.into_iter().enumerate() {
        let found = error(&change(changes, &headers, body));
        assert_eq!(found, (status, code.into()), "{index}");
    }
    // A wrong secret, a deleted pair and one that never was get the same bytes.
    let made_up = headers.replace("Basic ", "Basic eDp5");
    let never = change(&|_| (), &made_up, CLIENT_CREDENTIALS).outcome;
    for known in [&wrong as &dyn Fn(&mut Record), &deleted] {
        assert_eq!(change(known, &headers, CLIENT_CREDENTIALS).outcome, never);
    }
}

#[test]
fn s16_what_is_no_form_is_refused_before_its_body_is_read() {
    let world = served();
    let headers = by(&world, 2);
    let json = headers.replace(FORM, JSON);
    let giant = format!("{headers}\ncontent-length\n{}", BODY_BYTES_MAX + 1);
    for (url, headers, status) in [
        (TOKEN, &json, 400),
        (REVOKE, &json, 400),
        (TOKEN, &giant, 413),
        (&*format!("{TOKEN}?grant_type=client_credentials"), &headers, 400),
    ] {
        let driven = drive(world.begin("POST", url, headers), NOW, |other| panic!("{other:?}"));
        assert_eq!(error(&driven), (status, "invalid_request".into()), "{url} {headers}");
    }
    for method in ["GET", "PUT", "HEAD", "OPTIONS"] {
        let driven = drive(world.begin(method, TOKEN, &headers), NOW, |other| panic!("{other:?}"));
        assert_eq!(error(&driven), (405, "invalid_request".into()), "{method}");
    }
    let long = format!("{CLIENT_CREDENTIALS}&x={}", "x".repeat(BODY_BYTES_MAX));
    assert_eq!(error(&ask(&world, TOKEN, &headers, &long)), (413, "invalid_request".into()));
}

#[test]
fn s16_without_the_ledger_no_token_is_made() {
    let world = served();
    world.knows(&[2]);
    for url in [TOKEN, REVOKE] {
        let sealed = token(&world, 2);
        let body = format!("{CLIENT_CREDENTIALS}&token={sealed}");
        let driven = ask_with(&world, url, &by(&world, 2), &body, |_| Got::TooLate);
        assert_eq!(error(&driven), (503, "temporarily_unavailable".into()), "{url}");
    }
}

#[test]
fn s16_a_client_revokes_its_own_token_and_learns_nothing_of_others() {
    let world = served();
    let (own, foreign) = (token(&world, 2), token(&world, 3));
    let revoked = json!({ "reply": "revoked", "bound": null, "revision": 9 }).to_string();
    let revoke = |token: &str, reply: &str| {
        let body = format!("token={token}&token_type_hint=access_token");
        ask_with(&world, REVOKE, &by(&world, 2), &body, |operation| {
            match ledger_request(operation) {
                Some(EdgeRequest::RevokeByClient(_)) => Got::Text(reply.to_owned()),
                _ => world.usual(operation),
            }
        })
    };
    let driven = revoke(&own, &revoked);
    assert_eq!(driven.answer(), (200, ""));
    let requests = driven.ledger();
    let Some(EdgeRequest::RevokeByClient(request)) = requests.last() else { panic!() };
    let claims = claims(&own);
    assert_eq!((request.id, request.until), (claims.id, claims.expires_at));
    assert_eq!(request.proof.issuer, Issuer::Key(world.keys[2].id()));
    assert_eq!(request.proof.digest, world.keys[2].digest());
    assert_eq!(request.address.as_deref(), Some("10.1.2.3"));
    // It holds here at once: the isolate knows the account no more, and asks.
    let lease =
        |world: &World| world.gateway.borrow().leases().lease(world.account(), at(NOW)).is_some();
    assert!(!lease(&world));
    let whole = world.keys[2].expose().to_owned();
    for other in [&*foreign, "clvs_x", "eyJ.x.y", &whole, &own[..own.len() - 1], "%00"] {
        let driven = revoke(other, "unused");
        assert_eq!(driven.answer(), (200, ""), "{other}");
        let sent = driven.ledger();
        assert!(!sent.iter().any(|sent| matches!(sent, EdgeRequest::RevokeByClient(_))), "{other}");
    }
    for (reply, expected) in [
        (r#"{"reply":"refused","refusal":"issuer_refused"}"#, (401, "invalid_client")),
        (
            r#"{"reply":"refused","refusal":"too_many_revocations"}"#,
            (503, "temporarily_unavailable"),
        ),
        (r#"{"reply":"refused","refusal":"not_understood"}"#, (503, "temporarily_unavailable")),
        (r#"{"reply":"gone"}"#, (503, "temporarily_unavailable")),
        ("", (503, "temporarily_unavailable")),
    ] {
        let found = error(&revoke(&own, reply));
        assert_eq!((found.0, &*found.1), expected, "{reply}");
    }
    assert_eq!(error(&revoke("", "unused")), (400, "invalid_request".into()));
}

/// A token that has ended needs no revocation, at the very instant of its end.
#[test]
fn s16_a_token_is_revoked_until_it_ends() {
    for (early, is_sent) in [(1, true), (0, false)] {
        let world = served();
        let own = token(&world, 2);
        // The ledger's answer about the pair takes 20 ms.
        let start = claims(&own).expires_at.as_ms() - 20 - early;
        let revoked = json!({ "reply": "revoked", "bound": null, "revision": 9 }).to_string();
        let mut next = pieces(&format!("token={own}"), 4_096);
        let exchange = world.begin_at(start, "POST", REVOKE, &by(&world, 2));
        let driven =
            drive(exchange, start, |operation| match (operation, ledger_request(operation)) {
                (Operation::ReadBody { .. }, _) => (next(), 0),
                (_, Some(EdgeRequest::RevokeByClient(_))) => (Got::Text(revoked.clone()), 0),
                (other, Some(_)) => (world.usual(other), 20),
                (other, None) => (world.usual(other), 0),
            });
        assert_eq!(driven.answer(), (200, ""));
        let sent = driven.ledger();
        let is_revocation = |sent: &EdgeRequest| matches!(sent, EdgeRequest::RevokeByClient(_));
        assert_eq!(sent.iter().any(is_revocation), is_sent, "{early} ms before its end");
    }
}
