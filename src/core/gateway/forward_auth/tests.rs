use super::*;
use crate::base::http::request::{Headers, Url};
use crate::gateway::check::Evidence;
use crate::lease::call::Source;
use crate::testing::at;

fn path(rest: &str) -> String {
    format!("{PREFIX}{rest}")
}

fn parsed(rest: &str) -> ForwardAuth {
    ForwardAuth::parse(&path(rest)).unwrap()
}

fn request<'a>(method: &'a str, headers: &'a str) -> Request<'a> {
    let url = Url::parse("https://keys.example.com/").unwrap();
    Request { method, url, headers: Headers::new(headers), arrived: at(0) }
}

/// Returns the permission that a request demands; empty for none.
fn demanded(wanted: &ForwardAuth, method: &str, headers: &str) -> Result<String, ProxyFault> {
    Ok(wanted.permission(&request(method, headers))?.map(ToString::to_string).unwrap_or_default())
}

#[test]
fn a_path_names_dialect_and_access_and_nothing_else() {
    for (rest, expected) in [
        ("", ProxyFault::Dialect),
        ("apache/any-key", ProxyFault::Dialect),
        ("Nginx/any-key", ProxyFault::Dialect),
        ("%6eginx/any-key", ProxyFault::Dialect),
        ("nginx", ProxyFault::Access),
        ("nginx/", ProxyFault::Access),
        ("nginx/any_key", ProxyFault::Access),
        ("nginx/demo", ProxyFault::Access),
        ("nginx/demo:*", ProxyFault::Access),
        ("nginx/demo:read,", ProxyFault::Access),
        ("nginx/any-key,demo:write", ProxyFault::Access),
        ("nginx/demo:read,demo:write,demo:x", ProxyFault::Access),
        ("nginx/demo%3Aread", ProxyFault::Access),
        ("nginx/demo:read/x", ProxyFault::Access),
        ("nginx/any-key//", ProxyFault::Access),
        ("envoy", ProxyFault::Access),
        ("envoy//any-key", ProxyFault::Access),
    ] {
        assert_eq!(ForwardAuth::parse(&path(rest)), Err(expected), "{rest}");
    }
    for dialect in ["nginx", "haproxy", "caddy", "traefik", "ingress-nginx", "envoy"] {
        for access in
            ["any-key", "any-key/", "demo:read", "demo:read,demo:write", "demo:read~demo:write"]
        {
            assert!(ForwardAuth::parse(&path(&format!("{dialect}/{access}"))).is_ok());
        }
    }
    assert_eq!(parsed("envoy/any-key/a/b"), parsed("envoy/any-key"));
}

#[test]
fn the_effect_of_the_client_s_method_chooses_the_permission() {
    let wanted = parsed("nginx/demo:read,demo:write");
    for (method, expected) in [
        ("GET", "demo:read"),
        ("HEAD", "demo:read"),
        ("OPTIONS", "demo:read"),
        ("POST", "demo:write"),
        ("DELETE", "demo:write"),
        ("get", "demo:write"),
        ("PROPFIND", "demo:write"),
    ] {
        let headers = format!("x-original-method\n{method}");
        assert_eq!(demanded(&wanted, "GET", &headers).unwrap(), expected, "{method}");
    }
    assert_eq!(demanded(&parsed("nginx/any-key"), "GET", "x-original-method\nGET").unwrap(), "");
    let both = demanded(&parsed("nginx/demo:read"), "GET", "x-original-method\nPUT");
    assert_eq!(both.unwrap(), "demo:read");
    // Envoy asks by the client's method.
    let envoy = parsed("envoy/demo:read,demo:write/a");
    assert_eq!(demanded(&envoy, "GET", "").unwrap(), "demo:read");
    assert_eq!(demanded(&envoy, "PATCH", "x-original-method\nGET").unwrap(), "demo:write");
}

#[test]
fn a_request_that_asks_for_another_method_may_write() {
    let wanted = parsed("caddy/demo:read,demo:write");
    for name in [
        "x-http-method-override",
        "x_http_method",
        "x.method.override",
        "http-x-method-override",
        "method",
    ] {
        let headers = format!("x-forwarded-method\nGET\n{name}\nDELETE");
        assert_eq!(demanded(&wanted, "GET", &headers).unwrap(), "demo:write", "{name}");
    }
}

#[test]
fn exactly_the_dialect_s_method_is_read() {
    for (dialect, name) in [
        ("nginx", "x-original-method"),
        ("haproxy", "x-original-method"),
        ("ingress-nginx", "x-original-method"),
        ("caddy", "x-forwarded-method"),
        ("traefik", "x-forwarded-method"),
    ] {
        let wanted = parsed(&format!("{dialect}/demo:read,demo:write"));
        let others = ["x-original-method", "x-forwarded-method", "x-method", "x_original_method"];
        let others: String = others
            .iter()
            .filter(|other| **other != name)
            .map(|other| format!("{other}\nGET\n"))
            .collect();
        let found = |value: &str| demanded(&wanted, "GET", &format!("{others}{name}\n{value}"));
        assert_eq!(found("POST").unwrap(), "demo:write", "{dialect}");
        assert_eq!(found(""), Err(ProxyFault::Missing(name)));
        assert_eq!(found("GET, GET"), Err(ProxyFault::Repeated(name)));
        assert_eq!(found("GET POST").unwrap(), "demo:write", "no method that reads");
        let without = demanded(&wanted, "GET", others.trim_end());
        assert_eq!(without, Err(ProxyFault::Missing(name)));
    }
}

#[test]
fn exactly_the_dialect_s_address_is_read() {
    let proxy = ClientAddress::parse("198.51.100.4");
    for dialect in ["nginx", "haproxy", "caddy", "envoy", "traefik", "ingress-nginx"] {
        let wanted = parsed(&format!("{dialect}/any-key"));
        let appends = matches!(dialect, "traefik" | "ingress-nginx");
        let name = if appends { FORWARDED_FOR } else { ADDRESS };
        let forged = if appends { ADDRESS } else { FORWARDED_FOR };
        let found = |value: &str| {
            let headers = format!("{forged}\n192.0.2.1\nx-real-ip\n192.0.2.1\n{name}\n{value}");
            wanted.address(&request("GET", &headers), proxy).map(|address| address.to_string())
        };
        assert_eq!(found("203.0.113.7").unwrap(), "203.0.113.7");
        assert_eq!(found("::ffff:203.0.113.7").unwrap(), "203.0.113.7");
        assert_eq!(found(""), Err(ProxyFault::Missing(name)));
        for malformed in ["unix:", "203.0.113.7:443", "[::1]", "203.0.113.07", "fe80::1%eth0"] {
            assert_eq!(found(malformed), Err(ProxyFault::Malformed(name)), "{malformed}");
        }
        for several in ["192.0.2.1, 203.0.113.7", "198.51.100.4, 203.0.113.7", "203.0.113.7,"] {
            assert_eq!(found(several), Err(ProxyFault::Repeated(name)), "{several}");
        }
        // The platform appends the address of the proxy, once.
        let appended = found("203.0.113.7,198.51.100.4");
        match appends {
            true => assert_eq!(appended.unwrap(), "203.0.113.7"),
            false => assert_eq!(appended, Err(ProxyFault::Repeated(name))),
        }
        let twice = found("192.0.2.1, 203.0.113.7, 198.51.100.4");
        assert_eq!(twice, Err(ProxyFault::Repeated(name)));
        let alone = found("198.51.100.4");
        assert_eq!(alone.unwrap(), "198.51.100.4", "the proxy's own request");
        assert!(found(",198.51.100.4").is_err());
    }
    let unknown = parsed("traefik/any-key");
    let headers = format!("{FORWARDED_FOR}\n203.0.113.7, x");
    let found = unknown.address(&request("GET", &headers), None);
    assert_eq!(found, Err(ProxyFault::Repeated(FORWARDED_FOR)), "without a known proxy");
}

fn evidence(age_ms: u64) -> Evidence {
    Evidence {
        source: Source::Memory,
        age_ms,
        revision: None,
        basis: Basis::Ledger,
        is_stale: false,
    }
}

#[test]
fn a_cached_permission_ends_with_the_facts_and_the_key() {
    let bound = Some(DurationMs::from_s(10));
    let never = |age_ms| cache_s(Some(evidence(age_ms)), bound, Expiry::Never, at(0));
    for (age_ms, seconds) in [(0, 10), (1, 9), (1_000, 9), (9_000, 1), (9_001, 0), (99_000, 0)] {
        assert_eq!(never(age_ms), seconds, "{age_ms}");
    }
    let until = |end| cache_s(Some(evidence(0)), bound, Expiry::At(at(end)), at(1_000));
    for (end, seconds) in [(60_000, 10), (11_000, 10), (10_999, 9), (2_000, 1), (1_999, 0), (0, 0)]
    {
        assert_eq!(until(end), seconds, "{end}");
    }
}

#[test]
fn without_the_ledger_s_word_nothing_is_cached() {
    let bound = Some(DurationMs::from_s(3_600));
    let cached = |evidence, bound| cache_s(evidence, bound, Expiry::Never, at(0));
    assert_eq!(cached(Some(evidence(0)), bound), 3_600);
    assert_eq!(cached(None, bound), 0);
    assert_eq!(cached(Some(evidence(0)), None), 0);
    assert_eq!(cached(Some(evidence(0)), Some(DurationMs::from_ms(0))), 0, "each request asks");
    assert_eq!(cached(Some(Evidence { is_stale: true, ..evidence(0) }), bound), 0);
    assert_eq!(cached(Some(Evidence { basis: Basis::Document, ..evidence(0) }), bound), 0);
}
