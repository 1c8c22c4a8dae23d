//! Proxies that ask about their clients.

use super::*;

/// Headers of nginx, with the key of a verifier and that of a client.
fn asked(world: &World, verifier: usize, client: &str) -> String {
    format!(
        "claviger-verifier\n{}\nx-original-method\nGET\nclaviger-address\n10.1.2.3\n\
         cf-connecting-ip\n198.51.100.4{client}",
        world.keys[verifier].expose()
    )
}

fn bearer(world: &World, place: usize) -> String {
    format!("\nauthorization\nBearer {}", world.keys[place].expose())
}

fn ask(world: &World, access: &str, headers: &str) -> Driven {
    let url = console(&format!("/v1/forward-auth/nginx/{access}"));
    drive(world.begin("GET", &url, headers), NOW, |operation| (world.usual(operation), 5))
}

fn header<'a>(driven: &'a Driven, name: &str) -> Option<&'a str> {
    let Outcome::Answer(answer) = &driven.outcome else { panic!() };
    answer.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_valid_key_is_200_without_a_body_from_memory() {
    let cold = World::cold();
    let headers = asked(&cold, 0, &bearer(&cold, 2));
    assert_eq!(ask(&cold, "demo:read", &headers).answer(), (200, ""));
    let world = World::cold();
    world.knows(&[0, 2]);
    let warm = ask(&world, "demo:read", &headers);
    assert_eq!((warm.answer(), warm.names()), ((200, ""), vec![]));
    let key = world.keys[2].id();
    for (name, value) in [
        ("claviger-account", world.account().as_str()),
        ("claviger-key", &*key.to_string()),
        ("claviger-permissions", "demo:read"),
        ("cache-control", "max-age=10"),
        ("x-accel-expires", "9"),
        (
            "vary",
            "authorization, x-api-key, claviger-verifier, claviger-address, x-original-method",
        ),
    ] {
        assert_eq!(header(&warm, name), Some(value), "{name}");
    }
    let later =
        world.begin_at(NOW + 7_500, "GET", &console("/v1/forward-auth/nginx/any-key"), &headers);
    let later = drive(later, NOW + 7_500, |operation| panic!("{operation:?}"));
    assert_eq!(header(&later, "cache-control"), Some("max-age=2"), "what is left of T");
    assert_eq!(header(&later, "x-accel-expires"), Some("1"), "nginx keeps it a second longer");
}

#[test]
fn a_refusal_is_401_or_403_and_never_cached() {
    let world = World::cold();
    world.knows(&[0, 2]);
    let two = format!("{}\nx-api-key\n{}", bearer(&world, 2), world.keys[3].expose());
    for (access, client, expected) in [
        ("any-key", String::new(), (401, "missing")),
        ("any-key", "\nauthorization\nBearer x".into(), (401, "malformed")),
        ("any-key", two, (401, "malformed")),
        ("any-key", "\nx-api-key\nx, y".into(), (401, "malformed")),
        ("any-key", format!("\nx_api_key\n{}", world.keys[2].expose()), (401, "malformed")),
        (
            "any-key",
            format!("\nauthorization.\nBearer {}", world.keys[2].expose()),
            (401, "malformed"),
        ),
        (
            "any-key",
            format!("{}\nx_api_key\n{}", bearer(&world, 2), world.keys[2].expose()),
            (401, "malformed"),
        ),
        ("demo:write", bearer(&world, 2), (403, "permission_denied")),
    ] {
        let driven = ask(&world, access, &asked(&world, 0, &client));
        assert_eq!(driven.code(), (expected.0, expected.1.to_owned()), "{client}");
        assert_eq!(header(&driven, "cache-control"), Some("no-store"));
        assert!(header(&driven, "www-authenticate").is_some());
        assert_eq!(header(&driven, "x-accel-expires"), None);
    }
}

#[test]
fn a_proxy_without_the_right_key_gets_one_answer_and_learns_nothing() {
    let world = World::cold();
    world.knows(&[0, 2]);
    let client = bearer(&world, 2);
    let mut bodies = Vec::new();
    for verifier in ["", "x", "x, y", world.keys[2].expose()] {
        for rest in ["nginx/any-key", "apache/any-key", "nginx/x"] {
            let headers = format!("claviger-verifier\n{verifier}{client}");
            let url = console(&format!("/v1/forward-auth/{rest}"));
            let driven =
                drive(world.begin("GET", &url, &headers), NOW, |operation| panic!("{operation:?}"));
            assert_eq!(driven.code(), (403, "verifier_refused".into()), "{verifier}");
            bodies.push(driven.answer().1.to_owned());
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[test]
fn a_proxy_that_sets_a_header_wrongly_is_told_which() {
    let world = World::cold();
    world.knows(&[0, 2]);
    let good = asked(&world, 0, &bearer(&world, 2));
    for (from, to, detail) in [
        ("\nx-original-method\nGET", "", "x-original-method is missing"),
        ("\nGET", "\nGET, POST", "x-original-method has more than one value"),
        ("10.1.2.3", "10.1.2.3, 192.0.2.1", "claviger-address has more than one value"),
        ("10.1.2.3", "unknown", "claviger-address is malformed"),
        ("claviger-address", "x-real-ip", "claviger-address is missing"),
    ] {
        let driven = ask(&world, "any-key", &good.replacen(from, to, 1));
        assert_eq!(driven.code(), (403, "proxy_misconfigured".into()), "{to}");
        assert!(driven.answer().1.contains(detail), "{}", driven.answer().1);
    }
    let driven = ask(&world, "any-key/x", &good);
    assert_eq!(driven.code(), (403, "proxy_misconfigured".into()));
}

#[test]
fn a_ledger_out_of_reach_is_503_for_either_key() {
    for known in [vec![], vec![0]] {
        let world = World::cold();
        if !known.is_empty() {
            world.knows(&known);
        }
        let url = console("/v1/forward-auth/nginx/any-key");
        let headers = asked(&world, 0, &bearer(&world, 2));
        let driven = drive(world.begin("GET", &url, &headers), NOW, |_| (Got::Nothing, 5));
        assert_eq!(driven.code(), (503, "unavailable".into()), "{known:?}");
        assert_eq!(header(&driven, "cache-control"), Some("no-store"));
    }
}

#[test]
fn an_account_s_proxy_sees_no_key_of_another_account_and_asks_no_ledger_about_it() {
    let world = World::cold();
    world.knows(&[0]);
    let Config { prefix, keyring, .. } = config();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let other = AccountId::random(&mut rng);
    let foreign = NewKey::generate(other, &prefix, &keyring, &mut rng);
    let client = format!("\nauthorization\nBearer {}", foreign.expose());
    let driven = ask(&world, "any-key", &asked(&world, 0, &client));
    assert_eq!((driven.code(), driven.names()), ((401, "unknown".into()), vec![]));
}

#[test]
fn a_verifier_gets_nothing_else_from_the_console_s_host() {
    let world = World::cold();
    for path in [
        "/",
        "/index.html",
        "/v1/session",
        "/v1/forward-aut",
        "/v1/forward-auth",
        "/issue_service_authorization",
    ] {
        for value in [world.keys[0].expose(), "", "x"] {
            let headers = format!("claviger-verifier\n{value}");
            let driven = drive(world.begin("GET", &console(path), &headers), NOW, |operation| {
                panic!("{operation:?}")
            });
            assert_eq!(driven.code(), (403, "not_for_verifiers".into()), "{path} {value}");
        }
    }
}
