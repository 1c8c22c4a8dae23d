use super::*;

/// Answers of the gateway: status and code, the `Location` of a redirect, or "" for all else.
fn answered(world: &mut World, method: &str, url: &str, headers: &str) -> (u16, String) {
    match world.ask(method, url, headers, NOW) {
        Decision::Done { outcome: Outcome::Answer(answer), .. } => {
            let location = answer.headers.iter().find(|(name, _)| *name == "location");
            let code = serde_json::from_str(&answer.body)
                .ok()
                .and_then(|document: Value| Some(document.get("code")?.as_str()?.to_owned()));
            let said = location.map(|(_, value)| value.clone()).or(code);
            (answer.status, said.unwrap_or_default())
        }
        Decision::Done { outcome: Outcome::Forward(_) | Outcome::Admin(_), .. } => {
            (0, String::new())
        }
        other => panic!("{other:?}"),
    }
}

/// A deployment on hosts that are not this machine's.
fn abroad() -> World {
    let world = World::new();
    let variables = crate::config::settings::Variables {
        console_origin: Some("https://keys.example".into()),
        rules: crate::testing::variables()
            .rules
            .map(|rules| rules.replace("api.localhost", "api.example")),
        ..crate::testing::variables()
    };
    let secret = crate::base::secret::SecretText::new(crate::testing::EDGE_KEYS.to_owned());
    let config = Config::parse(Some(&secret), &variables).unwrap();
    let mut abroad = World { gateway: Gateway::new(config, 7), ..world };
    abroad.refresh(NOW, refresh(0));
    abroad
}

#[test]
fn a_request_without_tls_is_refused_before_anything_is_looked_up() {
    let mut world = abroad();
    let bearer = world.bearer();
    let lines = |extra: &str| extra.to_owned();
    for (method, url, headers) in [
        ("GET", "http://api.example/x", bearer.clone()),
        ("GET", "http://api.example./x", bearer.clone()),
        ("GET", "http://api.example:8080/x", bearer.clone()),
        ("GET", "http://api.example/x", lines("")),
        ("GET", "http://api.example/x", lines("x-api-key\nclv_forged")),
        ("OPTIONS", "http://api.example/x", lines("")),
        ("OPTIONS", "http://api.example*", lines("")),
        ("GET", "http://api.example//x", lines("")),
        ("GET", "http://unknown.example/", lines("")),
        ("GET", "http://api.example/public/a", bearer.clone()),
        ("GET", "http://api.example/public/a", lines("authorization\nBearer another-s")),
        ("GET", "http://api.example/public/a", lines("x_api_key\nanother-s")),
        ("GET", "http://api.example/public/a", lines("authorization_\nBearer another-s")),
        ("GET", "http://api.example/public/a", lines("cookie\na=b")),
        ("GET", "http://api.example/public/a", lines("x-other\nclv_1")),
        ("GET", "http://api.example/public/a?key=clv_1", lines("")),
        ("GET", "http://api.example/public/clv_1", lines("")),
        ("GET", "http://api.example/public/a", lines("upgrade\nwebsocket")),
        ("POST", "http://api.example/public/a", lines("")),
        ("GET", "http://keys.example/v1/session", lines("")),
        ("POST", "http://keys.example/v1/verify", lines("claviger-verifier\nclv_1")),
        ("POST", "http://keys.example/v1/introspect", lines("claviger-verifier\nclv_1")),
        ("GET", "http://keys.example/issue_service_authorization", lines("")),
        ("GET", "http://keys.example/", lines("cookie\n__Host-claviger=a")),
        ("POST", "http://keys.example/", lines("")),
        ("OPTIONS", "http://keys.example*", lines("")),
    ] {
        let said = answered(&mut world, method, url, &headers);
        assert_eq!(said, (403, "https_required".into()), "{method} {url} {headers}");
    }
    let counters = world.gateway.counters();
    assert_eq!((counters.unencrypted, counters.hits, counters.ledger_calls), (26, 0, 1));
}

#[test]
fn a_page_without_a_secret_is_sent_on_to_https() {
    let mut world = abroad();
    for (method, url, expected) in [
        ("GET", "http://api.example/public/a?b=c", "https://api.example/public/a?b=c"),
        ("HEAD", "http://api.example.:8080/public/a?", "https://api.example/public/a?"),
        ("GET", "http://keys.example/", "https://keys.example/"),
        ("GET", "http://keys.example/problems", "https://keys.example/problems"),
    ] {
        assert_eq!(answered(&mut world, method, url, ""), (308, expected.into()), "{url}");
    }
    assert_eq!(world.gateway.counters().unencrypted, 0);
}

#[test]
fn tls_and_the_own_machine_are_let_through() {
    let mut world = abroad();
    world.knows(world.record(1, |_| (), Standing::Active));
    let bearer = world.bearer();
    assert_eq!(answered(&mut world, "GET", "https://api.example/x", &bearer), (0, "".into()));
    assert_eq!(answered(&mut world, "GET", "https://keys.example/", ""), (0, "".into()));
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let bearer = world.bearer();
    assert_eq!(answered(&mut world, "GET", API, &bearer), (0, "".into()));
}

#[test]
fn a_host_with_a_dot_at_its_end_is_the_same_host() {
    let mut world = abroad();
    world.knows(world.record(1, |_| (), Standing::Active));
    let bearer = world.bearer();
    for (url, expected, host) in [
        ("https://api.example./x?y", "https://api.example/x?y", "api.example"),
        ("https://api.example.:8443/x", "https://api.example:8443/x", "api.example:8443"),
    ] {
        let forward = world.forward(url, &bearer);
        assert_eq!(forward.url, expected);
        assert!(forward.set.contains(&("x-forwarded-host", host.into())), "{:?}", forward.set);
    }
    let said = |world: &mut World, url| world.ask("POST", url, "", NOW);
    assert!(matches!(said(&mut world, "https://keys.example./v1/verify"), Decision::Verify));
    let onward = said(&mut world, "https://keys.example.:8443/v1/keys");
    assert!(matches!(onward, Decision::Done { outcome: Outcome::Admin(_), .. }), "{onward:?}");
    let twice = answered(&mut world, "GET", "https://api.example../x", &bearer);
    assert_eq!(twice, (404, "no_route".into()));
}

#[test]
fn an_impossible_host_or_port_is_refused() {
    let mut world = World::new();
    let bearer = world.bearer();
    for url in [
        "http://api.localhost:99999/x",
        "http://api.localhost:0/x",
        "http://api.localhost:http/x",
        "http://a b/x",
        "http://api*localhost/x",
        "http://localhost:70000/v1/keys",
    ] {
        let said = answered(&mut world, "GET", url, &bearer);
        assert_eq!(said, (400, "malformed_host".into()), "{url}");
    }
}

#[test]
fn the_asterisk_form_asks_about_the_server() {
    let mut world = World::new();
    for host in ["api.localhost", "api.localhost:8787", "localhost", "unknown.localhost"] {
        let url = format!("http://{host}*");
        assert_eq!(answered(&mut world, "OPTIONS", &url, ""), (204, "".into()), "{url}");
        assert_eq!(answered(&mut world, "GET", &url, ""), (400, "ambiguous_path".into()), "{url}");
    }
}
