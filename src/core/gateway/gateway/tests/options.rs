//! The options of a rule: encoded slashes, the place `subprotocol`, redirects, and sites.

use base64ct::Encoding;

use super::*;
use crate::base::http::response::ReturnedCors;

const RULES: &str = r#"[
    {"host":"api.localhost","path":"/*","origin":"DEMO","any_key":true},
    {"host":"api.localhost","path":"/p/*","origin":"DEMO","any_key":true,"encoded_slashes":true},
    {"host":"api.localhost","path":"/p/admin/*","origin":"DEMO","permission":"admin:use"},
    {"host":"api.localhost","path":"/socket","origin":"DEMO","any_key":true,"credentials":["authorization","subprotocol"]},
    {"host":"api.localhost","path":"/url/*","origin":"https://o.example","any_key":true},
    {"host":"api.localhost","path":"/kept/*","origin":"https://o.example","any_key":true,"rewrite_location":false},
    {"host":"api.localhost","path":"/cors/*","origin":"DEMO","any_key":true,"cors":["https://app.example"]},
    {"host":"api.localhost","path":"/all/*","origin":"DEMO","any_key":true,"cors":["*"]}
]"#;

fn world() -> World {
    let variables = crate::config::settings::Variables {
        rules: Some(RULES.into()),
        ..crate::testing::variables()
    };
    let secret = crate::base::secret::SecretText::new(crate::testing::EDGE_KEYS.to_owned());
    let config = Config::parse(Some(&secret), &variables).unwrap();
    let mut world = World { gateway: Gateway::new(config, 7), ..World::new() };
    world.refresh(NOW, refresh(0));
    world.knows(world.record(1, |_| (), Standing::Active));
    world
}

fn url(path: &str) -> String {
    format!("http://api.localhost:8787{path}")
}

/// A response as a caller gets it, with the headers of these names.
fn finished(world: &mut World, method: &str, path: &str, headers: &str) -> (u16, Vec<String>) {
    let decision = world.ask(method, &url(path), headers, NOW);
    let text = url(path);
    let request = Request {
        method,
        url: Url::parse(&text).unwrap(),
        headers: Headers::new(headers),
        arrived: at(NOW),
    };
    let Decision::Done { outcome, .. } = decision else { panic!("{decision:?}") };
    let Outcome::Answer(answer) = world.gateway.finish(&request, outcome) else {
        panic!("{path} was forwarded")
    };
    let is_cors = |name: &str| name.starts_with("access-control-") || name == "vary";
    let seen = answer.headers.iter().filter(|(name, _)| is_cors(name));
    (answer.status, seen.map(|(name, value)| format!("{name}: {value}")).collect())
}

#[test]
fn an_encoded_slash_goes_on_where_both_readings_have_one_rule() {
    let mut world = world();
    let bearer = world.bearer();
    let forward = world.forward(&url("/p/a%2fb/%63?d=%2f"), &bearer);
    assert_eq!(forward.url, url("/p/a%2Fb/c?d=%2f"));
    let forward = world.forward(&url("/p/Acme%20Inc.%2Fb"), &bearer);
    assert_eq!(forward.url, url("/p/Acme%20Inc.%2Fb"));
    for path in [
        "/a%2Fb",
        "/p%2Fa",
        "/p/admin%2Fx",
        "/p/%61dmin%2fx",
        "/p/a%2F..%2Fb",
        "/p/%2Fa",
        // Some servers read `/p/admin/x`.
        "/p/admin.%2Fx",
        "/p/admin%20%2Fx",
        "/p/%EF%BD%81dmin%2Fx",
        "/p/admin./a%2Fb",
    ] {
        let outcome = world.outcome("GET", &url(path), &bearer);
        assert_eq!(outcome, (400, "ambiguous_path".into()), "{path}");
    }
}

#[test]
fn a_key_among_the_subprotocols_is_taken_out() {
    let mut world = world();
    let key = world.key.expose().to_owned();
    let in_base64 = base64ct::Base64UrlUnpadded::encode_string(key.as_bytes());
    for (offered, removed, rest, selected) in [
        (key.clone(), true, None, None),
        (format!("claviger, {key}"), true, None, Some("claviger")),
        (format!("{key}, chat, claviger"), false, Some("chat"), Some("claviger")),
        (format!("chat, {key}, v2"), false, Some("chat, v2"), None),
        // The key once more, in another form.
        (format!("chat, {key}, bearer.{in_base64}, v2"), false, Some("chat, v2"), None),
        (format!("{key}, bearer.{in_base64}"), true, None, None),
    ] {
        let headers = format!("sec-websocket-protocol\n{offered}");
        let forward = world.forward(&url("/socket"), &headers);
        let name = "sec-websocket-protocol";
        let set = forward.set.iter().find(|(set, _)| *set == name).map(|(_, value)| &**value);
        assert_eq!(forward.remove.iter().any(|header| header == name), removed, "{offered}");
        assert_eq!((set, forward.returned.subprotocol), (rest, selected), "{offered}");
        let times = forward.set.iter().filter(|(set, _)| *set == name).count();
        assert_eq!(times, usize::from(rest.is_some()), "{offered}");
    }
    let twice = format!("authorization\n{key}\nsec-websocket-protocol\n{key}x");
    let outcome = world.outcome("GET", &url("/socket"), &twice);
    assert_eq!(outcome, (400, "ambiguous_credential".into()));
    let elsewhere = format!("sec-websocket-protocol\nchat, {key}\nreferer\nhttps://a/?{key}");
    let removed = world.forward(&url("/socket"), &elsewhere).remove;
    assert_eq!(removed, ["referer"], "the key travels on in no other header");
    // Where a rule does not name the place, the key does not count there, but is cut out.
    let offered = format!("sec-websocket-protocol\nchat, {key}");
    assert_eq!(world.outcome("GET", &url("/a"), &offered), (401, "missing".into()));
    let forward = world.forward(&url("/a"), &format!("{}\n{offered}", world.bearer()));
    assert!(forward.set.contains(&("sec-websocket-protocol", "chat".to_owned())));
}

#[test]
fn the_public_host_replaces_that_of_an_origin_by_url() {
    let mut world = world();
    let bearer = world.bearer();
    let mut base = |url: &str| world.forward(url, &bearer).returned.base;
    assert_eq!(base(&url("/url/a")).as_deref(), Some("http://api.localhost:8787"));
    assert_eq!(base("https://api.localhost./url/a").as_deref(), Some("https://api.localhost"));
    assert_eq!(base(&url("/kept/a")), None);
    assert_eq!(base(&url("/a")), None);
}

#[test]
fn pages_of_listed_sites_can_read_what_an_origin_answers() {
    let mut world = world();
    let bearer = world.bearer();
    for (path, site, expected) in [
        ("/cors/a", "\norigin\nhttps://app.example", Some(Some("https://app.example"))),
        ("/cors/a", "\norigin\nhttps://evil.example", Some(None)),
        ("/cors/a", "", Some(None)),
        ("/all/a", "\norigin\nnull", Some(Some("*"))),
        ("/a", "\norigin\nhttps://app.example", None),
    ] {
        let returned = world.forward(&url(path), &format!("{bearer}{site}")).returned.cors;
        let expected = expected.map(|allowed: Option<&str>| ReturnedCors {
            allowed: allowed.map(str::to_owned),
            exposed: "www-authenticate, retry-after",
        });
        assert_eq!(returned, expected, "{path}{site}");
    }
}

#[test]
fn a_preflight_is_answered_for_listed_sites_alone() {
    let mut world = world();
    let wants = "access-control-request-method\nPUT\naccess-control-request-headers\nx-api-key";
    let preflight = format!("origin\nhttps://app.example\n{wants}");
    let expected = [
        "access-control-allow-origin: https://app.example",
        "access-control-allow-methods: PUT",
        "access-control-max-age: 7200",
        "vary: origin, access-control-request-method, access-control-request-headers",
        "access-control-allow-headers: x-api-key",
    ];
    let answered = finished(&mut world, "OPTIONS", "/cors/a", &preflight);
    assert_eq!(answered, (204, expected.map(str::to_owned).to_vec()));
    for (path, headers, status) in [
        ("/cors/a", format!("origin\nhttps://evil.example\n{wants}"), 401),
        ("/cors/a", format!("origin\nnull\n{wants}"), 401),
        ("/cors/a", wants.to_owned(), 401),
        ("/cors/a", "origin\nhttps://app.example".to_owned(), 401),
        ("/cors/a", preflight.replace("PUT", "PUT\u{e9}"), 401),
        ("/cors/a", preflight.replace("x-api-key", "x\"y"), 401),
        ("/a", preflight.clone(), 401),
        ("/all/a", format!("origin\nnull\n{wants}"), 204),
    ] {
        assert_eq!(finished(&mut world, "OPTIONS", path, &headers).0, status, "{path} {headers}");
    }
    assert_eq!(finished(&mut world, "PUT", "/cors/a", &preflight).0, 401);
}

#[test]
fn a_refusal_is_readable_for_listed_sites() {
    let mut world = world();
    let listed = ["access-control-allow-origin: https://app.example".to_owned()];
    let exposed = "access-control-expose-headers: www-authenticate, retry-after".to_owned();
    let any = vec!["access-control-allow-origin: *".to_owned(), exposed.clone()];
    let readable = [&listed[..], &[exposed, "vary: origin".to_owned()]].concat();
    for (path, headers, expected) in [
        ("/cors/a", "origin\nhttps://app.example", readable),
        ("/cors/a", "origin\nhttps://evil.example", vec!["vary: origin".to_owned()]),
        ("/cors/a", "", vec!["vary: origin".to_owned()]),
        ("/all/a", "origin\nhttps://evil.example", any),
        ("/a", "origin\nhttps://app.example", vec![]),
    ] {
        assert_eq!(finished(&mut world, "GET", path, headers), (401, expected), "{path} {headers}");
    }
}

/// The few headers of a warm request suffice, but for a preflight and for a place outside them.
#[test]
fn only_what_needs_all_headers_reads_them() {
    let mut world = world();
    let bearer = world.bearer();
    let mut reads_all = |method: &str, path: &str, headers: &str| {
        let url = url(path);
        let request = Request {
            method,
            url: Url::parse(&url).unwrap(),
            headers: Headers::named(headers),
            arrived: at(NOW),
        };
        let decision = world.gateway.decide(&request, at(NOW), &Lookup::alone());
        matches!(decision, Decision::ReadHeaders)
    };
    assert!(!reads_all("GET", "/cors/a", &format!("{bearer}\norigin\nhttps://app.example")));
    assert!(reads_all("OPTIONS", "/cors/a", &bearer));
    assert!(!reads_all("OPTIONS", "/a", &bearer));
    assert!(reads_all("GET", "/socket", &bearer));
    // Another spelling of a header may hold the key, whatever stands in the header itself.
    for headers in ["", "authorization\nBearer eyJ", "x-api-key\nabc, def", "x-api-key\n"] {
        assert!(reads_all("GET", "/a", headers), "{headers}");
    }
    // A string that begins like a key is judged by itself.
    assert!(!reads_all("GET", "/a", "authorization\nBearer clv_abc"));
    // The admin Worker gets all headers; the edge's own routes read what they need themselves.
    for (path, expected) in
        [("/", true), ("/v1/keys", true), ("/v1/verify", false), ("/v1/introspect", false)]
    {
        let url = format!("http://localhost:8787{path}");
        let url = Url::parse(&url).unwrap();
        let headers = Headers::named(&bearer);
        let request = Request { method: "POST", url, headers, arrived: at(NOW) };
        let decision = world.gateway.decide(&request, at(NOW), &Lookup::alone());
        assert_eq!(matches!(decision, Decision::ReadHeaders), expected, "{path}");
    }
}

/// A client sends its user's token in `Authorization`, and the key under another spelling.
#[test]
fn a_foreign_token_does_not_hide_a_key_in_another_spelling_of_a_header() {
    let mut world = world();
    let key = world.key.expose().to_owned();
    for (token, twin) in [
        ("authorization\nBearer eyJ", "x_api_key"),
        ("authorization\nBearer eyJ, eyK", "x.api.key"),
        ("authorization\nDigest a=b", "authorization_"),
        ("x-api-key\nabc", "x-api_key"),
    ] {
        let forward = world.forward(&url("/a"), &format!("{token}\n{twin}\n{key}"));
        let taken: Vec<&str> = forward.remove.iter().map(String::as_str).collect();
        assert_eq!(taken, [twin], "{token}: the token travels on");
        let alone = world.outcome("GET", &url("/a"), token);
        let expected = if token.contains(',') {
            (400, "ambiguous_credential".to_owned())
        } else {
            (401, "malformed".to_owned())
        };
        assert_eq!(alone, expected, "{token}");
    }
}

/// The caller caches a refusal under its key, if it is alike for all.
#[test]
fn refusals_that_read_differently_have_different_keys() {
    let denied = |world: &mut World, method: &str, path: &str| {
        let (url, headers) = (url(path), world.bearer());
        let request = Request {
            method,
            url: Url::parse(&url).unwrap(),
            headers: Headers::named(&headers),
            arrived: at(NOW),
        };
        match world.gateway.decide(&request, at(NOW), &Lookup::alone()) {
            Decision::Denied { denied, .. } => denied,
            other => panic!("{other:?}"),
        }
    };
    let mut usual = World::new();
    let none = |limits: &mut Limits| limits.permissions = serde_json::from_str("[]").unwrap();
    usual.knows(usual.record(1, none, Standing::Active));
    let keys = ["GET", "HEAD", "POST"].map(|method| denied(&mut usual, method, "/x").key());
    assert!(keys[0] == keys[1] && keys[0] != keys[2], "each names the permission that it needs");
    assert_eq!(keys.map(|(_, writes, _)| writes), [false, false, true]);
    let mut world = world();
    let ended = |limits: &mut Limits| limits.expires = Expiry::At(at(NOW));
    world.knows(world.record(2, ended, Standing::Active));
    for (path, expected) in [("/a", true), ("/cors/a", false), ("/all/a", false)] {
        let denied = denied(&mut world, "GET", path);
        assert_eq!(denied.is_alike_for_all(), expected, "{path}");
    }
}
