use super::*;

fn rule(members: &str) -> String {
    format!(r#"[{{"host":"api.localhost","path":"/*","origin":"DEMO",{members}}}]"#)
}

#[test]
fn the_most_specific_rule_decides_whatever_the_order() {
    let rules = Rules::parse(
        r#"[{"host":"a.example","path":"/*","origin":"ALL","any_key":true},
            {"host":"a.example","path":"/admin/*","origin":"ADMIN","permission":"admin:use"},
            {"host":"a.example","path":"/admin/health","origin":"HEALTH","public":true},
            {"host":"b.example","path":"/only","origin":"https://b.internal.example","any_key":true}]"#,
        "localhost",
    )
    .unwrap();
    for (host, path, expected) in [
        ("a.example", "/", Some("ALL")),
        ("a.example", "/x/y", Some("ALL")),
        ("a.example", "/admin", Some("ADMIN")),
        ("a.example", "/admin/", Some("ADMIN")),
        ("a.example", "/admin/x", Some("ADMIN")),
        ("a.example", "/administrator", Some("ALL")),
        ("a.example", "/admin/health", Some("HEALTH")),
        ("a.example", "/admin/health/", Some("HEALTH")),
        ("a.example", "/admin/health/x", Some("ADMIN")),
        ("a.example", "/%61dmin/%24batch", Some("ADMIN")),
        ("a.example", "/Admin", Some("ALL")),
        ("b.example", "/only", Some("https://b.internal.example")),
        ("b.example", "/only/", Some("https://b.internal.example")),
        ("b.example", "/only/x", None),
        ("b.example", "/", None),
        ("c.example", "/", None),
    ] {
        assert_eq!(
            rules.find(host, path).and_then(|rule| rule.origin.name()),
            expected,
            "{host}{path}"
        );
    }
}

#[test]
fn an_escape_is_what_it_stands_for() {
    let strict = |path: &str| {
        let json = serde_json::json!([
            {"host": "a.example", "path": "/*", "origin": "ALL", "any_key": true},
            {"host": "a.example", "path": path, "origin": "STRICT", "permission": "admin:use"},
        ]);
        Rules::parse(&json.to_string(), "localhost").unwrap()
    };
    for (rule, path) in [
        ("/v1/projects:purge", "/v1/projects%3Apurge"),
        ("/$batch", "/%24batch"),
        ("/%24batch", "/$batch"),
        ("/@admin/*", "/%40admin/users"),
        ("/br%7Bx%7D/*", "/br%7Bx%7D/a"),
        ("/a%20b", "/a%20b/"),
    ] {
        let normal = crate::base::http::path::normalise(path).unwrap();
        assert_eq!(
            strict(rule).find("a.example", &normal).unwrap().origin.name(),
            Some("STRICT"),
            "{rule} {path}"
        );
    }
}

#[test]
fn methods_read_or_write_unless_the_rule_says_otherwise() {
    let by_method = Rules::parse(&rule(r#""any_key":true"#), "localhost").unwrap();
    let reads = Rules::parse(&rule(r#""any_key":true,"effect":"read""#), "localhost").unwrap();
    for (method, expected) in [
        ("GET", RequestEffect::Read),
        ("HEAD", RequestEffect::Read),
        ("OPTIONS", RequestEffect::Read),
        ("POST", RequestEffect::Write),
        ("DELETE", RequestEffect::Write),
        ("get", RequestEffect::Write),
        ("PROPFIND", RequestEffect::Write),
    ] {
        assert_eq!(
            by_method.find("api.localhost", "/").unwrap().effect(method),
            expected,
            "{method}"
        );
        assert_eq!(reads.find("api.localhost", "/").unwrap().effect(method), RequestEffect::Read);
    }
}

#[test]
fn a_rule_that_says_nothing_or_too_much_is_refused() {
    for (members, expected) in [
        (r#""effect":"read""#, RulesError::Access(0)),
        (r#""public":false"#, RulesError::Access(0)),
        (r#""public":true,"any_key":true"#, RulesError::Access(0)),
        (r#""public":true,"permission":"a:b""#, RulesError::Access(0)),
        (r#""permission":"a:*""#, RulesError::Permission(0)),
        (r#""permission":"claviger:verify""#, RulesError::Permission(0)),
        (r#""permission":"a""#, RulesError::Permission(0)),
        (r#""permission":{"read":"a:b","write":"*:*"}"#, RulesError::Permission(0)),
        (r#""any_key":true,"credentials":[]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["cookie"]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["query:"]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["form"]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["form:"]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["json:a b"]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["body:u"]"#, RulesError::Place(0)),
        (r#""any_key":true,"credentials":["subprotocol:u"]"#, RulesError::Place(0)),
        (r#""any_key":true,"cors":[]"#, RulesError::Sites(0)),
        (r#""any_key":true,"cors":["https://a.example/"]"#, RulesError::Sites(0)),
        (r#""any_key":true,"cors":["*","https://a.example"]"#, RulesError::Sites(0)),
        (r#""any_key":true,"rewrite_location":true"#, RulesError::Location(0)),
        (r#""any_key":true,"rewrite_location":false"#, RulesError::Location(0)),
    ] {
        assert_eq!(Rules::parse(&rule(members), "localhost").unwrap_err(), expected, "{members}");
    }
}

#[test]
fn a_rule_of_another_shape_is_refused_and_the_error_names_the_member() {
    for (members, expected) in [
        (r#""public":true,"efect":"read""#, r#"rule 0: no rule has a member "efect""#),
        (r#""public":"yes""#, "rule 0: public is missing, or has a wrong type"),
        (r#""public":true,"effect":"Read""#, "rule 0: effect is missing, or has a wrong type"),
        (r#""permission":{"read":"a:b"}"#, "rule 0: permission is missing, or has a wrong type"),
        (
            r#""permission":{"read":"a:b","write":"a:c","delete":"a:d"}"#,
            "rule 0: permission is missing, or has a wrong type",
        ),
        (r#""credentials":"query:u""#, "rule 0: credentials is missing, or has a wrong type"),
        (r#""encoded_slashes":"yes""#, "rule 0: encoded_slashes is missing, or has a wrong type"),
        (r#""rewrite_location":1"#, "rule 0: rewrite_location is missing, or has a wrong type"),
        (r#""cors":"https://a.example""#, "rule 0: cors is missing, or has a wrong type"),
        (
            r#""public":true,"cors":["https://a.example:443"]"#,
            r#"rule 0: cors must list origins as browsers send them, such as https://app.example.com, or be ["*"]"#,
        ),
        (
            r#""public":true,"rewrite_location":true"#,
            "rule 0: rewrite_location has no effect, because origin is a binding",
        ),
    ] {
        let error = Rules::parse(&rule(members), "localhost").unwrap_err();
        assert_eq!(error.to_string(), expected, "{members}");
    }
    for (json, expected) in [
        ("", "RULES is not an array of rules: not JSON, at line 1, column 0"),
        ("{}", "RULES is not an array of rules: another JSON value"),
        ("[[]]", "rule 0: a rule is an object"),
        (
            r#"[{"path":"/*","origin":"DEMO","public":true}]"#,
            "rule 0: host is missing, or has a wrong type",
        ),
        (
            r#"[{"host":"a.example","host":"b.example","path":"/*","origin":"D","public":true}]"#,
            "RULES is not an array of rules: a repeated member, or too many, at line 1, column 27",
        ),
    ] {
        let error = Rules::parse(json, "localhost").unwrap_err();
        assert_eq!(error.to_string(), expected, "{json}");
    }
}

#[test]
fn places_are_written_as_they_are_read() {
    let written = [
        "authorization",
        "x-api-key",
        "query:u",
        "form:u",
        "form:api.key",
        "json:api_key",
        "subprotocol",
    ];
    let json = rule(&format!(r#""any_key":true,"credentials":{}"#, serde_json::json!(written)));
    let rules = Rules::parse(&json, "localhost").unwrap();
    let places = &rules.find("api.localhost", "/").unwrap().places;
    assert_eq!(places.iter().map(Place::to_string).collect::<Vec<_>>(), written);
}

#[test]
fn a_rule_opens_the_issuance_api_and_says_nothing_else() {
    let parse = |members: &str| {
        let rule =
            format!(r#"[{{"host":"api.localhost","path":"/issue","serves":"issuance"{members}}}]"#);
        Rules::parse(&rule, "localhost")
    };
    let rules = parse("").unwrap();
    assert_eq!(rules.find("api.localhost", "/issue").unwrap().origin, Origin::Issuance);
    assert!(rules.example().is_none() && rules.permissions().is_empty());
    for members in [
        r#","public":true"#,
        r#","any_key":true"#,
        r#","permission":"a:b""#,
        r#","effect":"read""#,
        r#","credentials":["authorization"]"#,
        r#","encoded_slashes":true"#,
        r#","rewrite_location":false"#,
        r#","cors":["*"]"#,
    ] {
        assert_eq!(parse(members).unwrap_err(), RulesError::Served(0), "{members}");
    }
    assert_eq!(parse(r#","origin":"DEMO""#).unwrap_err(), RulesError::Origin(0));
    let neither = r#"[{"host":"api.localhost","path":"/issue","public":true}]"#;
    assert_eq!(Rules::parse(neither, "localhost").unwrap_err(), RulesError::Origin(0));
    let other = r#"[{"host":"api.localhost","path":"/issue","serves":"console"}]"#;
    assert_eq!(Rules::parse(other, "localhost").unwrap_err(), RulesError::Member(0, "serves"));
}

#[test]
fn hosts_paths_and_origins_with_near_misses() {
    let one = |host: &str, path: &str, origin: &str| {
        let json =
            serde_json::json!([{"host": host, "path": path, "origin": origin, "any_key": true}]);
        Rules::parse(&json.to_string(), "localhost").map(|_| ())
    };
    for (host, path, origin) in [
        ("api.localhost", "/", "DEMO"),
        ("xn--r8jz45g.example", "/a/*", "https://o.example:8443"),
        ("127.0.0.1", "/a", "http://127.0.0.1:9000"),
        ("api.localhost", "/b", "http://[::1]:9000"),
        ("api.localhost", "/*", "http://localhost:9000"),
    ] {
        assert_eq!(one(host, path, origin), Ok(()), "{host} {path} {origin}");
    }
    for host in [
        "",
        "localhost",
        "API.localhost",
        "api.localhost:8787",
        "*.example",
        "api localhost",
        "a.example.",
        ".a",
        "a..b",
    ] {
        assert_eq!(one(host, "/", "DEMO"), Err(RulesError::Host(0)), "{host}");
    }
    for path in [
        "", "*", "a", "/a*", "/*/a", "/a/**", "/%61", "//", "/a/../b", "/a?b", "/a%2f", "/a/*/",
        "/a//*",
    ] {
        assert_eq!(one("a.example", path, "DEMO"), Err(RulesError::Path(0)), "{path}");
    }
    for origin in [
        "",
        "demo",
        "https://o.example/",
        "https://o.example/a",
        "http://o.example",
        "ftp://o.example",
        "https://",
        "https://u@o.example",
        "https://o.example:",
        "https://o.example:x",
        "https://o.example:+1",
        "https://o.example:99999",
        "https://o\\p.example",
        "https://o%2ep.example",
        "https://[o]",
    ] {
        assert_eq!(one("a.example", "/", origin), Err(RulesError::Origin(0)), "{origin}");
    }
}

#[test]
fn the_same_place_twice_is_refused_however_it_is_written() {
    for (first, second) in [("/", "/"), ("/a", "/a/"), ("/a/", "/a"), ("/$a/*", "/%24a/*")] {
        let json = serde_json::json!([
            {"host": "a.example", "path": first, "origin": "A", "public": true},
            {"host": "a.example", "path": second, "origin": "B", "any_key": true},
        ]);
        let refused = Rules::parse(&json.to_string(), "localhost").map(|_| ());
        assert_eq!(refused, Err(RulesError::Duplicate(1)), "{first} {second}");
    }
}

#[test]
fn there_are_at_most_200_rules_and_hosts_may_have_the_same_path() {
    let parse = |count: usize| {
        let host = |n| format!("h{n}.example");
        let rule =
            |n| serde_json::json!({ "host": host(n), "path": "/*", "origin": "A", "public": true });
        let rules: Vec<_> = (0..count).map(rule).collect();
        let json = serde_json::json!(rules).to_string();
        Rules::parse(&json, "localhost").map(|rules| rules.iter().count())
    };
    assert_eq!(parse(200), Ok(200));
    assert_eq!(parse(201), Err(RulesError::TooMany(201)));
}

#[test]
fn an_option_is_off_unless_the_rule_names_it() {
    let one = |path: &str, origin: &str, members: &str| {
        let json = format!(
            r#"[{{"host":"a.example","path":"{path}","origin":"{origin}","any_key":true{members}}}]"#
        );
        Rules::parse(&json, "localhost").map(|rules| {
            let rule = rules.iter().next().unwrap();
            (rule.encoded_slashes, rule.rewrite_location, rule.sites.is_some())
        })
    };
    let base = "https://o.example";
    for (members, expected) in [
        ("", (false, true, false)),
        (r#","encoded_slashes":true"#, (true, true, false)),
        (r#","encoded_slashes":false,"rewrite_location":true"#, (false, true, false)),
        (r#","rewrite_location":false"#, (false, false, false)),
        (r#","cors":["https://b.example"]"#, (false, true, true)),
    ] {
        assert_eq!(one("/a/*", base, members), Ok(expected), "{members}");
    }
    assert_eq!(one("/a/*", "DEMO", ""), Ok((false, false, false)));
    let slashes = one("/a", base, r#","encoded_slashes":true"#);
    assert_eq!(slashes, Err(RulesError::EncodedSlashes(0)));
}

const METADATA: Origin = Origin::OAuth(OAuthRoute::Metadata);

#[test]
fn s16_a_rule_opens_an_oauth_endpoint_and_with_it_the_metadata_of_its_host() {
    let rules = Rules::parse(
        r#"[{"host":"a.example","path":"/*","origin":"DEMO","any_key":true},
            {"host":"a.example","path":"/.well-known/*","origin":"DEMO","any_key":true},
            {"host":"a.example","path":"/token","serves":"oauth-token"},
            {"host":"a.example","path":"/oauth/token","serves":"oauth-token"},
            {"host":"a.example","path":"/oauth/revoke","serves":"oauth-revoke"},
            {"host":"b.example","path":"/oauth/revoke","serves":"oauth-revoke"},
            {"host":"c.example","path":"/token","serves":"oauth-token"},
            {"host":"c.example","path":"/.well-known/oauth-authorization-server","origin":"DEMO","any_key":true}]"#,
        "localhost",
    )
    .unwrap();
    let origin = |host, path| rules.find(host, path).map(|rule| rule.origin.clone());
    assert_eq!(origin("a.example", METADATA_PATH), Some(METADATA));
    assert_eq!(origin("a.example", "/token"), Some(Origin::OAuth(OAuthRoute::Token)));
    assert_eq!(origin("a.example", "/oauth/revoke"), Some(Origin::OAuth(OAuthRoute::Revoke)));
    assert_eq!(origin("a.example", "/token/x"), Some(Origin::Binding("DEMO".into())));
    assert_eq!(origin("b.example", METADATA_PATH), None);
    assert_eq!(origin("c.example", METADATA_PATH), Some(Origin::Binding("DEMO".into())));
    assert_eq!(rules.oauth_path("a.example", OAuthRoute::Token), Some("/oauth/token"));
    assert_eq!(rules.oauth_path("b.example", OAuthRoute::Token), None);
    let indexes: Vec<_> = rules.iter().map(|rule| rule.index).collect();
    assert_eq!(indexes, (0..9).collect::<Vec<_>>());
}

/// The console's host has routes that no rule may hide.
#[test]
fn s16_on_the_console_s_host_a_rule_opens_oauth_under_its_usual_paths_alone() {
    let parse = |rule: &str| Rules::parse(&format!("[{rule}]"), "localhost").map(|_| ());
    for path in ["/oauth/token", "/token", "/oauth/revoke"] {
        for serves in ["oauth-token", "oauth-revoke"] {
            let rule = format!(r#"{{"host":"localhost","path":"{path}","serves":"{serves}"}}"#);
            assert_eq!(parse(&rule), Ok(()), "{rule}");
        }
    }
    for rule in [
        r#"{"host":"localhost","path":"/v1/keys","serves":"oauth-token"}"#,
        r#"{"host":"localhost","path":"/oauth/token/","serves":"oauth-token"}"#,
        r#"{"host":"localhost","path":"/oauth/*","serves":"oauth-token"}"#,
        r#"{"host":"localhost","path":"/oauth/token","serves":"issuance"}"#,
        r#"{"host":"localhost","path":"/oauth/token","origin":"DEMO","any_key":true}"#,
    ] {
        assert_eq!(parse(rule), Err(RulesError::Host(0)), "{rule}");
    }
    for (rule, error) in [
        (r#"{"host":"a.example","path":"/*","serves":"oauth-token"}"#, RulesError::OAuthPath(0)),
        (
            r#"{"host":"a.example","path":"/a%20b","serves":"oauth-revoke"}"#,
            RulesError::OAuthPath(0),
        ),
        (
            r#"{"host":"a.example","path":"/token","serves":"oauth-token","any_key":true}"#,
            RulesError::Served(0),
        ),
        (
            r#"{"host":"a.example","path":"/token","serves":"oauth-metadata"}"#,
            RulesError::Member(0, "serves"),
        ),
    ] {
        assert_eq!(parse(rule), Err(error), "{rule}");
    }
}
