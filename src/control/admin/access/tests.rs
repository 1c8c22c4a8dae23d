use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::{Value, json};

use super::*;

const AUD: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
const ISSUER: &str = "https://example.cloudflareaccess.com";
/// The present of these tests, Unix seconds.
const NOW_S: i64 = 1_800_000_000;

fn parse(
    team: Option<&str>,
    audience: Option<&str>,
    operators: Option<&str>,
    console: &str,
) -> Result<Option<AccessSettings>, AccessConfigError> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let variables =
        AccessVariables { team: text(team), audience: text(audience), operators: text(operators) };
    AccessSettings::parse(&variables, console)
}

fn access() -> AccessSettings {
    let list = r#"["Ann@Example.com", "ben@example.com"]"#;
    parse(Some("example"), Some(AUD), Some(list), "https://keys.example.com").unwrap().unwrap()
}

fn now() -> UnixMs {
    UnixMs::from_ms(NOW_S * 1_000)
}

fn token(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    [&part(head), ".", &part(claims), ".", "c2lnbmF0dXJl"].concat()
}

fn head() -> Value {
    json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" })
}

fn claims() -> Value {
    json!({
        "aud": [AUD], "email": "ann@example.com", "exp": NOW_S + 60, "iat": NOW_S - 60,
        "nbf": NOW_S - 60, "iss": ISSUER, "type": "app", "sub": "7335d417", "country": "JP",
    })
}

/// Returns the claims with one member replaced, or removed by null.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    members.remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
    claims
}

fn decide(claims: &Value, is_genuine: bool) -> Result<String, AccessRefusal> {
    let text = token(&head(), claims);
    let person = Assertion::read(&text).unwrap().person(is_genuine, &access(), now());
    person.map(|person| person.email.to_string())
}

#[test]
fn the_three_settings_belong_together() {
    let console = "https://keys.example.com";
    let all = [Some("example"), Some(AUD), Some("ann@example.com")];
    assert_eq!(parse(None, None, None, console), Ok(None));
    for (missing, name) in ["ACCESS_TEAM", "ACCESS_AUD", "ACCESS_OPERATORS"].iter().enumerate() {
        let mut some = all;
        some[missing] = None;
        let error = parse(some[0], some[1], some[2], console).unwrap_err();
        assert_eq!(error, AccessConfigError::Missing(name));
        let mut one = [None; 3];
        one[missing] = all[missing];
        assert!(parse(one[0], one[1], one[2], console).is_err(), "{name} alone");
        let mut empty = all;
        empty[missing] = Some("");
        assert!(parse(empty[0], empty[1], empty[2], console).is_err(), "an empty {name}");
    }
    let access = access();
    assert_eq!(access.keys_url(), "https://example.cloudflareaccess.com/cdn-cgi/access/certs");
}

#[test]
fn teams_with_near_misses() {
    let (https, local) = ("https://keys.example.com", "http://localhost:8787");
    for (team, console, issuer) in [
        ("example", https, Some(ISSUER)),
        ("example.cloudflareaccess.com", https, Some(ISSUER)),
        ("https://example.cloudflareaccess.com", https, Some(ISSUER)),
        ("http://127.0.0.1:9999", local, Some("http://127.0.0.1:9999")),
        ("http://localhost:9999", local, Some("http://localhost:9999")),
        // A server of this machine counts in local runs alone.
        ("http://127.0.0.1:9999", https, None),
        ("http://127.0.0.1:9999/", local, None),
        ("http://127.0.0.1:9999/x", local, None),
        ("http://127.0.0.1.example:80", local, None),
        ("http://user@127.0.0.1:80", local, None),
        ("http://example.cloudflareaccess.com", local, None),
        ("https://127.0.0.1:9999", local, None),
        ("https://example.cloudflareaccess.com/", https, None),
        ("https://example.cloudflareaccess.com.evil.example", https, None),
        ("evil.example/.cloudflareaccess.com", https, None),
        ("a.b.cloudflareaccess.com", https, None),
        ("Example", https, None),
        ("-example", https, None),
        ("example-", https, None),
        (".cloudflareaccess.com", https, None),
        ("exämple", https, None),
        ("example ", https, None),
        (&"a".repeat(64), https, None),
    ] {
        let parsed = parse(Some(team), Some(AUD), Some("ann@example.com"), console);
        let found = parsed.map(|access| access.unwrap().issuer().to_owned());
        assert_eq!(found, issuer.map(str::to_owned).ok_or(AccessConfigError::Team), "{team}");
    }
}

#[test]
fn audiences_and_lists_with_near_misses() {
    let console = "https://keys.example.com";
    for audience in [&AUD[1..], &AUD.to_uppercase(), &format!("{AUD}0"), &AUD.replace('3', "g")] {
        let parsed = parse(Some("example"), Some(audience), Some("ann@example.com"), console);
        assert_eq!(parsed, Err(AccessConfigError::Audience), "{audience}");
    }
    let many = (0..=OPERATORS_MAX).map(|n| format!("a{n}@example.com")).collect::<Vec<_>>();
    for (list, expected) in [
        ("ann@example.com", Some(1)),
        ("Ann@Example.COM, ben@example.com\nche@example.com", Some(3)),
        (r#"["ann@example.com","ben@example.com"]"#, Some(2)),
        (&many[1..].join(","), Some(OPERATORS_MAX)),
        (&many.join(","), None),
        (" , ", None),
        ("[]", None),
        ("[1]", None),
        ("[\"ann@example.com\"", None),
        ("ann", None),
        ("*@example.com", Some(1)),
        ("@example.com", None),
        ("ann@example.com;ben@example.com", None),
        (r#"{"ann@example.com":true}"#, None),
    ] {
        let parsed = parse(Some("example"), Some(AUD), Some(list), console);
        let found = parsed.map(|access| access.unwrap().operators_len());
        assert_eq!(found, expected.ok_or(AccessConfigError::Operators), "{list}");
    }
    // An asterisk is a byte of an address like any other: it stands for that address alone.
    let star = parse(Some("example"), Some(AUD), Some("*@example.com"), console).unwrap().unwrap();
    assert!(!star.lists(&crate::protocol::account::Email::parse("ann@example.com").unwrap()));
}

#[test]
fn a_listed_person_is_recognised_in_any_case_of_letters() {
    for email in ["ann@example.com", "ANN@EXAMPLE.COM", "Ben@example.com"] {
        let person = decide(&with("email", email.into()), true);
        assert_eq!(person, Ok(email.to_ascii_lowercase()));
    }
    assert_eq!(decide(&with("aud", AUD.into()), true), Ok("ann@example.com".into()));
    assert_eq!(decide(&with("nbf", Value::Null), true), Ok("ann@example.com".into()));
}

#[test]
fn nothing_counts_without_the_signature() {
    assert_eq!(decide(&claims(), false), Err(AccessRefusal::Forged));
}

#[test]
fn each_claim_is_checked() {
    let other = AUD.replace('3', "4");
    let many = vec![AUD; 33];
    for (name, value, refusal) in [
        ("iss", "https://evil.cloudflareaccess.com".into(), AccessRefusal::Issuer),
        ("iss", "https://example.cloudflareaccess.com/".into(), AccessRefusal::Issuer),
        ("iss", Value::Null, AccessRefusal::Claims),
        ("aud", other.clone().into(), AccessRefusal::Audience),
        ("aud", json!([other]), AccessRefusal::Audience),
        ("aud", json!([]), AccessRefusal::Audience),
        ("aud", many.into(), AccessRefusal::Audience),
        ("aud", AUD[..63].into(), AccessRefusal::Audience),
        ("aud", json!({ "0": AUD }), AccessRefusal::Claims),
        ("aud", Value::Null, AccessRefusal::Claims),
        ("exp", (NOW_S - 30).into(), AccessRefusal::Expired),
        ("exp", (-1).into(), AccessRefusal::Expired),
        ("exp", Value::Null, AccessRefusal::Claims),
        ("exp", "9999999999".into(), AccessRefusal::Claims),
        ("exp", json!(1e30), AccessRefusal::Claims),
        ("exp", i64::MAX.into(), AccessRefusal::Claims),
        ("nbf", (NOW_S + 31).into(), AccessRefusal::NotYetValid),
        ("nbf", "0".into(), AccessRefusal::Claims),
        ("iat", (NOW_S + 31).into(), AccessRefusal::NotYetValid),
        ("iat", Value::Null, AccessRefusal::Claims),
        ("email", Value::Null, AccessRefusal::NoAddress),
        ("email", "".into(), AccessRefusal::NoAddress),
        ("email", "eve@example.com".into(), AccessRefusal::NotListed),
        ("email", "ann@example.com.evil.example".into(), AccessRefusal::NotListed),
        ("email", " ann@example.com".into(), AccessRefusal::NotListed),
        ("email", "ann@example.com\u{0}".into(), AccessRefusal::NotListed),
        // KELVIN SIGN and LATIN SMALL LETTER LONG S fold to ASCII in Unicode, and not here.
        ("email", "ann@\u{17f}.com".into(), AccessRefusal::NotListed),
        ("email", json!(["ann@example.com"]), AccessRefusal::Claims),
        ("type", "org".into(), AccessRefusal::Claims),
    ] {
        assert_eq!(decide(&with(name, value.clone()), true), Err(refusal), "{name}: {value}");
    }
    assert_eq!(decide(&json!([]), true), Err(AccessRefusal::Claims));
    // The clocks may differ by less than the skew.
    for (name, seconds) in [("exp", NOW_S - 29), ("nbf", NOW_S + 30), ("iat", NOW_S + 30)] {
        assert!(decide(&with(name, seconds.into()), true).is_ok(), "{name}");
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let payload = claims().to_string().replacen('{', r#"{"email":"eve@example.com","#, 1);
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let text = [&part(&head().to_string()), ".", &part(&payload), ".AAAA"].concat();
    let read = Assertion::read(&text).unwrap();
    assert_eq!(read.person(true, &access(), now()), Err(AccessRefusal::Claims));
}

#[test]
fn a_change_needs_a_token_of_the_last_ten_minutes() {
    let person = |iat| {
        let text = token(&head(), &with("iat", iat));
        Assertion::read(&text).unwrap().person(true, &access(), now()).unwrap()
    };
    assert!(person(Value::from(NOW_S - 599)).may_change(now()));
    assert!(person(Value::from(NOW_S + 30)).may_change(now()));
    assert!(!person(Value::from(NOW_S - 600)).may_change(now()));
}

#[test]
fn only_a_jwt_under_the_one_algorithm_is_read() {
    let good = token(&head(), &claims());
    let read = Assertion::read(&good).unwrap();
    assert_eq!((read.kid(), read.signature()), ("k1", b"signature".as_slice()));
    assert_eq!(read.signed(), good.rsplit_once('.').unwrap().0.as_bytes());
    for head in [
        json!({ "alg": "none", "kid": "k1" }),
        json!({ "alg": "None", "kid": "k1" }),
        json!({ "alg": "HS256", "kid": "k1" }),
        json!({ "alg": "RS512", "kid": "k1" }),
        json!({ "alg": "PS256", "kid": "k1" }),
        json!({ "alg": "rs256", "kid": "k1" }),
        json!({ "alg": ["RS256"], "kid": "k1" }),
        json!({ "kid": "k1" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": "" }),
        json!({ "alg": "RS256", "kid": 1 }),
        json!({ "alg": "RS256", "kid": "k 1" }),
        json!({ "alg": "RS256", "kid": "k".repeat(129) }),
        json!({ "alg": "RS256", "kid": "k1", "typ": "at+jwt" }),
        json!({ "alg": "RS256", "kid": "k1", "jwk": { "kty": "RSA", "n": "AQ", "e": "AQAB" } }),
        json!({ "alg": "RS256", "kid": "k1", "x5u": "https://evil.example/" }),
        json!({ "alg": "RS256", "kid": "k1", "jku": "https://evil.example/" }),
        json!({ "alg": "RS256", "kid": "k1", "crit": ["exp"] }),
        json!({ "alg": "RS256", "kid": "k1", "b64": false }),
        json!([]),
    ] {
        assert!(Assertion::read(&token(&head, &claims())).is_none(), "{head}");
    }
    let (signed, _) = good.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        "..".into(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{good}.AAAA"),
        format!("{good}="),
        format!("{good}, {good}"),
        format!("Bearer {good}"),
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen('.', "=.", 1),
        good.to_uppercase(),
    ] {
        assert!(Assertion::read(&bad).is_none(), "{bad}");
    }
    let long = with("groups", "x".repeat(6_200).into());
    assert!(Assertion::read(&token(&head(), &long)).is_none(), "more than 8 KB");
    let fits = with("groups", "x".repeat(5_000).into());
    assert!(Assertion::read(&token(&head(), &fits)).is_some());
}

fn modulus(bytes: usize) -> String {
    Base64UrlUnpadded::encode_string(&vec![0xab; bytes])
}

fn jwk(kid: &str, over: Value) -> Value {
    let n = modulus(256);
    let mut key =
        json!({ "kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": n, "e": "AQAB" });
    for (name, value) in over.as_object().unwrap() {
        key[name] = value.clone();
    }
    key
}

fn read(keys: &[Value]) -> Option<usize> {
    let document = json!({ "keys": keys, "public_cert": { "kid": "k1" } });
    TeamKey::read_all(document.to_string().as_bytes()).map(|keys| keys.len())
}

#[test]
fn only_rsa_keys_for_signatures_are_kept() {
    assert_eq!(read(&[jwk("k1", json!({})), jwk("k2", json!({}))]), Some(2));
    assert_eq!(read(&[jwk("k1", json!({})), json!({ "kty": "EC" }), json!(1)]), Some(1));
    for over in [
        json!({ "kty": "oct" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS512" }),
        json!({ "use": "enc" }),
        json!({ "e": "Aw" }),
        json!({ "n": modulus(255) }),
        json!({ "n": modulus(513) }),
        json!({ "n": format!("{}=", modulus(256)) }),
        json!({ "n": Base64UrlUnpadded::encode_string(&[0; 256]) }),
    ] {
        assert_eq!(read(&[jwk("k1", over.clone())]), None, "{over}");
    }
    let many: Vec<Value> = (0..20).map(|n| jwk(&n.to_string(), json!({}))).collect();
    assert_eq!(read(&many), Some(16));
    for document in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, "<html>"] {
        assert_eq!(TeamKey::read_all(document.as_bytes()), None, "{document}");
    }
    assert_eq!(TeamKey::read_all(&vec![b' '; DOCUMENT_BYTES_MAX + 1]), None);
}

fn keys(kids: &[&str]) -> Vec<TeamKey> {
    let keys: Vec<Value> = kids.iter().map(|kid| jwk(kid, json!({}))).collect();
    TeamKey::read_all(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn after(span: DurationMs) -> UnixMs {
    now().saturating_add(span)
}

#[test]
fn an_unknown_key_makes_one_fetch_a_minute() {
    let mut team = TeamKeys::new();
    assert_eq!(team.find("k1", now()), TeamKeyLookup::Fetch);
    assert_eq!(team.find("k1", now()), TeamKeyLookup::Wait);
    assert_eq!(team.find("other", now()), TeamKeyLookup::Wait);
    team.loaded(keys(&["k1"]), now());
    assert!(matches!(team.find("k1", now()), TeamKeyLookup::Found(_)));
    for second in 0..60 {
        let found = team.find("made-up", after(DurationMs::from_s(second)));
        assert_eq!(found, TeamKeyLookup::Unknown, "{second}");
    }
    let later = after(REFETCH_PAUSE);
    assert_eq!(team.find("k2", later), TeamKeyLookup::Fetch);
    assert_eq!(team.find("made-up", later), TeamKeyLookup::Wait);
    assert!(
        matches!(team.find("k1", later), TeamKeyLookup::Found(_)),
        "known keys need no waiting"
    );
    team.loaded(keys(&["k1", "k2"]), later);
    assert!(matches!(team.find("k2", later), TeamKeyLookup::Found(_)));
    assert_eq!(team.find("made-up", later), TeamKeyLookup::Unknown);
}

#[test]
fn a_failed_fetch_opens_nothing_and_is_repeated_after_a_pause() {
    let mut team = TeamKeys::new();
    assert_eq!(team.find("k1", now()), TeamKeyLookup::Fetch);
    team.failed();
    assert_eq!(team.find("k1", now()), TeamKeyLookup::Unreachable);
    assert_eq!(team.find("k1", after(RETRY_PAUSE)), TeamKeyLookup::Fetch);
    // The request that fetched is gone: the fetch counts as failed when its time is over.
    let over = after(RETRY_PAUSE).saturating_add(FETCH_TIME);
    assert_eq!(team.find("k1", over), TeamKeyLookup::Unreachable);
    let again = after(RETRY_PAUSE).saturating_add(RETRY_PAUSE);
    assert_eq!(team.find("k1", again), TeamKeyLookup::Fetch);
    team.loaded(keys(&["k1"]), again);
    // With known keys, a failed fetch concerns unknown keys alone.
    let later = again.saturating_add(REFETCH_PAUSE);
    assert_eq!(team.find("k2", later), TeamKeyLookup::Fetch);
    team.failed();
    assert_eq!(team.find("k2", later), TeamKeyLookup::Unreachable);
    assert!(matches!(team.find("k1", later), TeamKeyLookup::Found(_)));
}

#[test]
fn keys_count_for_an_hour() {
    let mut team = TeamKeys::new();
    assert_eq!(team.find("k1", now()), TeamKeyLookup::Fetch);
    team.loaded(keys(&["k1"]), now());
    let last = after(DurationMs::from_ms(KEYS_LIFE.as_ms() - 1));
    assert!(matches!(team.find("k1", last), TeamKeyLookup::Found(_)));
    assert_eq!(team.find("k1", after(KEYS_LIFE)), TeamKeyLookup::Fetch);
    team.loaded(keys(&["k2"]), after(KEYS_LIFE));
    assert_eq!(team.find("k1", after(KEYS_LIFE)), TeamKeyLookup::Unknown, "withdrawn");
    // A clock that was set back makes no known key of the future count.
    assert_eq!(team.find("k2", now()), TeamKeyLookup::Fetch);
}

#[test]
fn a_key_goes_to_the_platform_with_its_one_algorithm() {
    let [key] = &keys(&["k1"])[..] else { panic!() };
    let jwk: Value = serde_json::from_str(&key.to_jwk()).unwrap();
    assert_eq!(jwk, json!({ "kty": "RSA", "alg": "RS256", "n": modulus(256), "e": "AQAB" }));
}
