//! Tests bodies that may hold a key: when the gateway reads them, and how it uses their fields.

use super::*;

const FORM: &str = "http://api.localhost:8787/form";
const PUBLIC_FORM: &str = "http://api.localhost:8787/public/form";
const URLENCODED: &str = "content-type\napplication/x-www-form-urlencoded";

/// The result of a `POST`: status and code of a response, the cuts of a forward, or a need for more
/// I/O.
#[derive(Debug, PartialEq)]
enum PostResult {
    Response(u16, String),
    Forward(Option<Vec<(usize, usize)>>),
    Fetch,
    Read,
}

fn request<'a>(url: &'a str, headers: &'a str) -> Request<'a> {
    Request {
        method: "POST",
        url: Url::parse(url).unwrap(),
        headers: Headers::new(headers),
        arrived: at(NOW),
    }
}

fn post(world: &mut World, url: &str, headers: &str, fields: Option<&Fields>) -> PostResult {
    let request = request(url, headers);
    match world.gateway.decide_with(&request, at(NOW), &Lookup::alone(), fields) {
        Decision::Done { outcome: Outcome::Answer(answer), .. } => {
            let document: Value = serde_json::from_str(&answer.body).unwrap();
            PostResult::Response(answer.status, document["code"].as_str().unwrap().to_owned())
        }
        Decision::Done { outcome: Outcome::Forward(forward), .. } => {
            PostResult::Forward(forward.cuts)
        }
        Decision::Fetch(_) => PostResult::Fetch,
        Decision::Read(_) => PostResult::Read,
        other => panic!("{other:?}"),
    }
}

/// Sends a request with a body, which the gateway may read.
fn send(world: &mut World, url: &str, headers: &str, body: &str) -> PostResult {
    let first = post(world, url, headers, None);
    if first != PostResult::Read {
        return first;
    }
    let fields = scanned(world, url, headers, body);
    post(world, url, headers, Some(&fields))
}

/// Scans a body for the fields that the rule names.
fn scanned(world: &World, url: &str, headers: &str, body: &str) -> Fields {
    let request = request(url, headers);
    let rule =
        world.gateway.config().rules.find(request.url.host, request.url.path).unwrap().clone();
    let mut scan = BodyScan::of(&request, &rule.places).unwrap();
    scan.take(body.as_bytes());
    scan.end();
    scan.into_fields()
}

fn world() -> World {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    world
}

fn code(status: u16, code: &str) -> PostResult {
    PostResult::Response(status, code.to_owned())
}

#[test]
fn a25_a_key_in_a_field_is_verified_and_cut_out() {
    let mut world = world();
    let key = world.key.expose().to_owned();
    let end = key.len() + 3;
    assert_eq!(
        send(&mut world, FORM, URLENCODED, &format!("u={key}&a=1")),
        PostResult::Forward(Some(vec![(0, end)]))
    );
    assert_eq!(send(&mut world, FORM, URLENCODED, "a=1"), code(401, "missing"));
    assert_eq!(send(&mut world, FORM, URLENCODED, "u=x"), code(401, "malformed"));
    assert_eq!(
        send(&mut world, FORM, URLENCODED, &format!("u={key}&u={key}x")),
        code(400, "ambiguous_credential")
    );
    assert_eq!(
        send(&mut world, FORM, "content-type\ntext/plain", &format!("u={key}")),
        code(401, "missing")
    );
    let large = format!("{{\"u\":\"{key}\",\"a\":\"{}\"}}", "x".repeat(BODY_SCAN_BYTES_MAX));
    assert_eq!(
        send(&mut world, FORM, "content-type\napplication/json", &large),
        code(413, "body_too_large")
    );
}

#[test]
fn a25_a_header_s_key_and_a_field_s_must_be_one() {
    let mut world = world();
    let key = world.key.expose().to_owned();
    let headers = format!("{URLENCODED}\n{}", world.bearer());
    assert_eq!(send(&mut world, FORM, &headers, "a=1"), PostResult::Forward(Some(vec![])));
    assert_eq!(
        send(&mut world, FORM, &headers, &format!("u={key}")),
        PostResult::Forward(Some(vec![(0, key.len() + 2)]))
    );
    assert_eq!(send(&mut world, FORM, &headers, "u=x"), code(400, "ambiguous_credential"));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(BODY_SCAN_BYTES_MAX));
    let json = headers.replace("x-www-form-urlencoded", "json");
    assert_eq!(send(&mut world, FORM, &json, &large), PostResult::Forward(Some(vec![])));
}

#[test]
fn a25_an_empty_field_is_no_key_and_a_foreign_token_beside_a_field_s_key_is_the_origin_s() {
    let mut world = world();
    let key = world.key.expose().to_owned();
    let with_key = format!("{URLENCODED}\n{}", world.bearer());
    let foreign = format!("{URLENCODED}\nauthorization\nBearer eyJ");
    let json = |headers: &str| headers.replace("x-www-form-urlencoded", "json");
    for (headers, body, expected) in [
        (with_key.clone(), "u=&a=1".to_owned(), PostResult::Forward(Some(vec![(0, 3)]))),
        (with_key.clone(), "u=%0A".into(), PostResult::Forward(Some(vec![(0, 5)]))),
        (json(&with_key), "{\"u\":null}".into(), PostResult::Forward(Some(vec![(1, 9)]))),
        (json(&with_key), "{\"u\":\"\"}".into(), PostResult::Forward(Some(vec![(1, 7)]))),
        (json(&with_key), "{\"u\":0}".into(), code(400, "ambiguous_credential")),
        (URLENCODED.into(), "u=".into(), code(401, "missing")),
        (json(URLENCODED), "{\"u\":null}".into(), code(401, "missing")),
        (json(URLENCODED), "{\"u\":0}".into(), code(401, "malformed")),
        (
            foreign.clone(),
            format!("u={key}%0D%0A"),
            PostResult::Forward(Some(vec![(0, key.len() + 8)])),
        ),
        (foreign.clone(), "u=".into(), code(401, "malformed")),
        (foreign, "u=clv_".into(), code(401, "malformed")),
        (with_key, "u=clv_".into(), code(400, "ambiguous_credential")),
    ] {
        assert_eq!(send(&mut world, FORM, &headers, &body), expected, "{headers} {body}");
    }
}

#[test]
fn a25_no_body_is_waited_for_in_vain() {
    let mut world = world();
    let bearer = world.bearer();
    // The rule names no place in the body, the body cannot hold a field, or the header alone is
    // refused.
    for (url, headers, expected) in [
        (
            "http://api.localhost:8787/any",
            format!("{URLENCODED}\n{bearer}"),
            PostResult::Forward(None),
        ),
        (FORM, bearer.clone(), PostResult::Forward(None)),
        (FORM, format!("{URLENCODED}\nauthorization\nBearer clv_x"), code(401, "malformed")),
        // The key may yet stand in the body.
        (FORM, format!("{URLENCODED}\nauthorization\nBearer x"), PostResult::Read),
        (
            FORM,
            format!("{URLENCODED}\nauthorization\nBearer clv_x, Bearer clv_y"),
            code(400, "ambiguous_credential"),
        ),
        (FORM, format!("{URLENCODED}\n{bearer}"), PostResult::Read),
        (FORM, URLENCODED.into(), PostResult::Read),
        ("http://api.localhost:8787/public/form", URLENCODED.into(), PostResult::Read),
        ("http://api.localhost:8787/public/other", URLENCODED.into(), PostResult::Forward(None)),
    ] {
        assert_eq!(post(&mut world, url, &headers, None), expected, "{url} {headers}");
    }
}

#[test]
fn a25_what_was_never_made_causes_no_lookup_from_a_body_either() {
    let mut world = World::cold();
    let key = world.key.expose().to_owned();
    assert_eq!(send(&mut world, FORM, URLENCODED, &format!("u={key}")), PostResult::Fetch);
    let forged = key.replace(&key[70..], "AAAAAAAA");
    assert_eq!(send(&mut world, FORM, URLENCODED, &format!("u={forged}")), code(401, "malformed"));
}

#[test]
fn a25_a_use_counts_once_although_the_decision_is_made_twice() {
    let mut world = world();
    let body = format!("u={}", world.key.expose());
    for _ in 0..3 {
        assert!(matches!(send(&mut world, FORM, URLENCODED, &body), PostResult::Forward(_)));
    }
    let call = world.gateway.leases_mut().renew(world.key.id().account(), at(NOW));
    let uses = &call.request().usage.as_ref().unwrap().uses;
    assert_eq!((uses.len(), uses[0].count), (1, 3));
}

/// A digest of the whole body is wrong once a part of it is cut out.
#[test]
fn a25_every_digest_of_a_body_goes_with_a_part_of_it_under_each_rule() {
    let mut world = world();
    let headers = format!("{URLENCODED}\n{}", world.bearer());
    let with_key = format!("u={}&a=1", world.key.expose());
    let digests = ["content-digest", "repr-digest", "digest", "content-md5"];
    for (url, body, is_cut) in [
        (FORM, with_key.as_str(), true),
        (FORM, "a=1", false),
        (PUBLIC_FORM, "u=x&a=1", true),
        (PUBLIC_FORM, "a=1", false),
    ] {
        let fields = scanned(&world, url, &headers, body);
        let request = request(url, &headers);
        let decided = world.gateway.decide_with(&request, at(NOW), &Lookup::alone(), Some(&fields));
        let Decision::Done { outcome: Outcome::Forward(forward), .. } = decided else {
            panic!("{url} {body}: {decided:?}")
        };
        let goes = |name: &&str| forward.remove.iter().any(|removed| removed == name);
        let going = digests.into_iter().filter(goes).count();
        assert_eq!(going, if is_cut { digests.len() } else { 0 }, "{url} {body}");
    }
}

#[test]
fn a25_a_public_rule_cuts_out_every_named_field() {
    let mut world = World::new();
    assert_eq!(
        send(&mut world, PUBLIC_FORM, URLENCODED, "u=x&a=1&u=y"),
        PostResult::Forward(Some(vec![(0, 4), (7, 11)]))
    );
    assert_eq!(send(&mut world, PUBLIC_FORM, URLENCODED, "a=1"), PostResult::Forward(Some(vec![])));
}
