use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::base::http::request::{Headers, Url};
use crate::base::time::DurationMs;
use crate::credential::grant::{GrantError, Wanted, grant};
use crate::credential::issuer::{Ceiling, Issuer, SealingGeneration};
use crate::credential::key::NewKey;
use crate::credential::sealed::SealedText;
use crate::testing::{account, config, key_id};
use crate::verify::verdict::Denial;

/// 2026-11-22T05:05:00Z, 14:05 in Tokyo.
const NOW: UnixMs = UnixMs::from_ms(1_795_323_900_000);

fn at(text: &str) -> UnixMs {
    UnixMs::parse_rfc3339(text).unwrap()
}

fn request<'a>(url: &'a str, headers: &'a str) -> Request<'a> {
    Request {
        method: "POST",
        url: Url::parse(url).unwrap(),
        headers: Headers::new(headers),
        arrived: NOW,
    }
}

const URL: &str = "http://localhost:8787/issue_service_authorization";

fn ceiling() -> Ceiling {
    let permissions = serde_json::from_str(r#"["demo:read"]"#).unwrap();
    Ceiling { permissions, networks: Networks::anywhere(), longest: None }
}

/// Returns the request of a form whose expiry needs no calendar.
fn wanted(body: &str) -> Result<Wanted, String> {
    let form = IssuanceForm::parse(body.as_bytes()).map_err(|refused| refused.line())?;
    let expires = match form.expiry(NOW).map_err(|refused| refused.line())? {
        AskedExpiry::None => None,
        AskedExpiry::At(expires) => Some(expires),
        AskedExpiry::Calendar(text) => return Err(format!("calendar {text}")),
    };
    Ok(Wanted { expires, networks: form.networks().map_err(|refused| refused.line())? })
}

/// Returns the expiry that a form gets under a wide ceiling, or the refusal's code. If the ledger
/// must read the text, it returns `calendar` and the text.
fn ends(body: &str) -> String {
    let granted = wanted(body).and_then(|wanted| {
        grant(wanted, &ceiling(), Expiry::Never, NOW).map_err(|error| error.to_string())
    });
    match granted {
        Ok(granted) => granted.expires.at().map_or("never".into(), |at| at.to_rfc3339().unwrap()),
        Err(line) => line.split(": ").next().unwrap().to_owned(),
    }
}

/// `a16_to_a19_…` in `tests/ledger/issuing.rs` tests how the ledger reads these texts.
#[test]
fn a16_to_a19_every_form_of_epi() {
    for (body, expected) in [
        ("", "2026-11-22T05:05:30.000Z"),
        ("epi=", "2026-11-22T05:05:30.000Z"),
        ("epi=30000", "2026-11-22T05:05:30.000Z"),
        ("epi=1", "2026-11-22T05:05:00.001Z"),
        ("epi=30s", "2026-11-22T05:05:30.000Z"),
        ("epi=5m", "2026-11-22T05:10:00.000Z"),
        ("epi=2h", "2026-11-22T07:05:00.000Z"),
        ("epi=100d", "2027-03-02T05:05:00.000Z"),
        ("epi=2w", "2026-12-06T05:05:00.000Z"),
        ("epi=2027/06/30", "calendar 2027/06/30"),
        ("epi=2027-06-30", "calendar 2027-06-30"),
        ("epi=2027/07/00", "calendar 2027/07/00"),
        ("epi=2027/06/30+12:00:00", "calendar 2027/06/30 12:00:00"),
        ("epi=2027-06-30T12:00:00.250", "calendar 2027-06-30T12:00:00.250"),
        ("epi=2027/06/30+12:00:00Z", "calendar 2027/06/30 12:00:00Z"),
        ("epi=2027/06/30%2012:00:00%20Z", "calendar 2027/06/30 12:00:00 Z"),
        ("epi=2027/06/30+12:00:00%2B0900", "calendar 2027/06/30 12:00:00+0900"),
        ("epi=2027/06/30+12:00:00+%2B09:00", "calendar 2027/06/30 12:00:00 +09:00"),
        ("epi=2027/06/30T12:00:00-09", "calendar 2027/06/30T12:00:00-09"),
        ("epi=never", "never"),
        ("epi=0", "invalid_epi"),
        ("epi=-1", "invalid_epi"),
        ("epi=1.5", "invalid_epi"),
        ("epi=05m", "2026-11-22T05:10:00.000Z"),
        ("epi=00030000", "2026-11-22T05:05:30.000Z"),
        ("epi=5m%0A", "2026-11-22T05:10:00.000Z"),
        ("epi=1798761600000", "invalid_epi"),
        ("epi=5y", "invalid_epi"),
        ("epi=5+m", "invalid_epi"),
        ("epi=5M", "invalid_epi"),
        ("epi=h", "invalid_epi"),
        ("epi=soon", "invalid_epi"),
        ("epi=2021/06/30", "calendar 2021/06/30"),
        ("epi=2026-11-22T05:05:00Z", "calendar 2026-11-22T05:05:00Z"),
        ("epi=2027/02/30", "calendar 2027/02/30"),
        ("epi=2027/13/01", "calendar 2027/13/01"),
        ("epi=2027/06/30+24:00:00", "calendar 2027/06/30 24:00:00"),
        ("epi=2027/6/30", "invalid_epi"),
        ("epi=36526d", "invalid_epi"),
        ("epi=99999999999999999999999999", "invalid_epi"),
        // An unescaped plus is a blank, so the offset is malformed.
        ("epi=2027/06/30+12:00:00+09:00", "invalid_epi"),
    ] {
        assert_eq!(ends(body), expected, "{body}");
    }
}

#[test]
fn a20_every_form_of_ipa() {
    let networks = |body: &str| match wanted(body) {
        Ok(wanted) => wanted.networks.to_string().replace('\n', " "),
        Err(line) => line,
    };
    for (body, expected) in [
        ("", ""),
        ("ipa=", ""),
        ("ipa=%0A", ""),
        ("ipa=%0D%0A", ""),
        (
            "ipa=+",
            "invalid_ipa: ipa: this is neither an IP address nor a CIDR block, as 203.0.113.7 or 203.0.113.0/24",
        ),
        (
            "ipa=,",
            "invalid_ipa: ipa: this is neither an IP address nor a CIDR block, as 203.0.113.7 or 203.0.113.0/24",
        ),
        ("ipa=203.0.113.7", "203.0.113.7"),
        ("ipa=10.1.2.3/8", "10.0.0.0/8"),
        ("ipa=10.0.0.0%2F8+192.0.2.1", "10.0.0.0/8 192.0.2.1"),
        ("ipa=10.0.0.0/8,192.0.2.1,,+192.0.2.2", "10.0.0.0/8 192.0.2.1 192.0.2.2"),
        ("ipa=2001:db8::/32", "2001:db8::/32"),
        ("ipa=10.0.0.0/33", "invalid_ipa: ipa: 10.0.0.0/33: an IPv4 prefix ends at /32"),
        ("ipa=10.0.0", "invalid_ipa: ipa: 10.0.0: an IPv4 address has four numbers"),
        (
            "ipa=10.0.0.0+255.255.255.0",
            "invalid_ipa: ipa: 255.255.255.0: no caller has such an address; write a mask as a prefix, as in 10.0.0.0/8",
        ),
        (
            "ipa=10.0.0.0+0.0.0.255",
            "invalid_ipa: ipa: 0.0.0.255: no caller has such an address; write a mask as a prefix, as in 10.0.0.0/8",
        ),
        ("ipa=010.0.0.1", "invalid_ipa: ipa: 010.0.0.1: write 10.0.0.1, without the leading zero"),
        (
            "ipa=example.jp",
            "invalid_ipa: ipa: example.jp: this is neither an IP address nor a CIDR block, as 203.0.113.7 or 203.0.113.0/24",
        ),
        ("ipa=fe80::1%25a%0Ab", "invalid_ipa: ipa: fe80::1%a: leave out %a"),
        ("ipa=fe80::1%25a%07b", "invalid_ipa: ipa: fe80::1%a?b: leave out %a?b"),
        ("ipa=fe80::1%25a%1B[2Jb", "invalid_ipa: ipa: fe80::1%a?[2Jb: leave out %a?[2Jb"),
        ("ipa=fe80::1%25a%E2%80%AEb", "invalid_ipa: ipa: fe80::1%a?b: leave out %a?b"),
    ] {
        let found = networks(body);
        assert_eq!(found, expected, "{body}");
        assert!(!found.contains(char::is_control));
    }
    let many: Vec<String> =
        (0..10_000).map(|n| format!("10.{}.{}.0/24", n / 250, n % 250)).collect();
    assert_eq!(
        networks(&format!("ipa={}", many.join("+"))),
        "invalid_ipa: ipa: 10000 networks are more than the 256 that a list holds"
    );
}

#[test]
fn a14_what_is_wrong_with_a_request_before_its_body_is_read() {
    let form = "content-type\napplication/x-www-form-urlencoded";
    assert_eq!(check_head(&request(URL, form)), Ok(()));
    assert_eq!(check_head(&request(&format!("{URL}?"), form)), Ok(()));
    assert_eq!(check_head(&request(URL, &format!("{form};charset=UTF-8"))), Ok(()));
    // Reading shows whether there is a body, unless its length says so.
    assert_eq!(check_head(&request(URL, "")), Ok(()));
    assert_eq!(check_head(&request(URL, "content-length\n0")), Ok(()));
    assert_eq!(check_head(&request(URL, "content-type\napplication/json")), Ok(()));
    assert_eq!(check_body(&request(URL, ""), b""), Ok(()));
    assert_eq!(check_body(&request(URL, "content-type\napplication/json"), b""), Ok(()));
    assert_eq!(check_body(&request(URL, form), b"epi=5m"), Ok(()));
    assert_eq!(check_body(&request(URL, ""), b"epi=5m"), Err(Refused::MediaType));
    let with_query = format!("{URL}?sid=a");
    let sized = |media_type: &str| format!("content-length\n2\ncontent-type\n{media_type}");
    for (request, expected) in [
        (Request { method: "GET", ..request(URL, form) }, Refused::Method),
        (request(&with_query, form), Refused::Query),
        (request(URL, "content-length\n2"), Refused::MediaType),
        (request(URL, &sized("application/json")), Refused::MediaType),
        (request(URL, &sized("multipart/form-data; boundary=x")), Refused::MediaType),
        (request(URL, &sized("application/x-www-form-urlencoded2")), Refused::MediaType),
    ] {
        assert_eq!(check_head(&request), Err(expected));
    }
}

/// The API reads a key only from the documented place, not from others that the gateway would read.
#[test]
fn a22_a_key_stands_in_authorization_alone() {
    let form = IssuanceForm::parse(b"").unwrap();
    let found = |headers: &str| form.credentials(&request(URL, headers), &config());
    let Ok(Credentials::Key(key)) = found("authorization\nBearer clv_a\nx-api-key\nclv_b") else {
        panic!()
    };
    assert_eq!(key.expose(), "clv_a");
    assert_eq!(found("x-api-key\nclv_b").unwrap_err(), Refused::Missing);
    assert_eq!(found("authorization\nBearer clv_a, Bearer clv_b").unwrap_err(), Refused::Ambiguous);
}

#[test]
fn fields_that_are_not_known_or_stand_there_twice_are_refused() {
    for (body, expected) in [
        ("ip=10.0.0.1", "unknown_field"),
        ("EPI=5m", "unknown_field"),
        ("epi=5m&x", "unknown_field"),
        ("epi=5m&epi=5m", "repeated_field"),
        ("ipa=&ipa=10.0.0.1", "repeated_field"),
        ("sid=a&sid=b", "repeated_field"),
        ("spw=a&spw=b", "repeated_field"),
    ] {
        let refused = IssuanceForm::parse(body.as_bytes()).unwrap_err();
        assert_eq!((refused.code(), refused.status()), (expected, 400), "{body}");
    }
}

#[test]
fn a15_service_credentials_or_a_key_and_never_both() {
    let config = config();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let account = AccountId::random(&mut rng);
    let sid = service_id::ids(account, &config.prefix, &config.keyring)[0].to_string();
    let spw = "a".repeat(service_id::PASSWORD_WIDTH);
    let key = NewKey::generate(account, &config.prefix, &config.keyring, &mut rng);
    let of = |headers: &str, body: &str| {
        let form = IssuanceForm::parse(body.as_bytes()).unwrap();
        form.credentials(&request(URL, headers), &config).map(|credentials| match credentials {
            Credentials::Key(text) => text.expose().to_owned(),
            Credentials::Service { account, .. } => account.to_string(),
        })
    };
    let (bearer, bare) = (
        format!("authorization\nBearer {}", key.expose()),
        format!("authorization\n{}", key.expose()),
    );
    let both = format!("sid={sid}&spw={spw}");
    assert_eq!(of("", &both), Ok(account.to_string()));
    assert_eq!(of(&bearer, "epi=5m"), Ok(key.expose().to_owned()));
    assert_eq!(of(&bare, ""), Ok(key.expose().to_owned()));
    // An empty place holds nothing, and a line end behind a field does not count.
    assert_eq!(of(&bearer, "sid=&spw="), Ok(key.expose().to_owned()));
    assert_eq!(of(&bearer, "sid="), Ok(key.expose().to_owned()));
    assert_eq!(of("authorization\nBearer", &both), Ok(account.to_string()));
    assert_eq!(of("authorization\n", &both), Ok(account.to_string()));
    assert_eq!(of("", &format!("sid={sid}%0A&spw={spw}%0D%0A")), Ok(account.to_string()));
    for (headers, body, expected) in [
        ("", "", Refused::Missing),
        ("", &*format!("sid={sid}"), Refused::HalfService),
        ("", &*format!("spw={spw}"), Refused::HalfService),
        (&*bearer, &*both, Refused::BothWays),
        (&*bearer, "sid=x", Refused::BothWays),
        ("authorization\nBearer eyJ", &*both, Refused::BothWays),
        (&*bearer, &*format!("spw={spw}"), Refused::BothWays),
        (&*format!("{bearer}, {}", key.expose()), "", Refused::Ambiguous),
        (
            "",
            &*format!("sid={}&spw={spw}", sid.replacen(&sid[18..], "_", 1)),
            Refused::UnknownService,
        ),
        ("", &*format!("sid={account}00000000000&spw={spw}"), Refused::UnknownService),
        ("", &*format!("sid={sid}&spw=short"), Refused::UnknownService),
        ("", "sid=&spw=", Refused::Missing),
        ("", &*format!("sid={sid}&spw="), Refused::HalfService),
    ] {
        assert_eq!(of(headers, body), Err(expected), "{headers} {body}");
    }
}

#[test]
fn a24_an_ask_above_the_ceiling_is_refused_and_what_nobody_asked_for_is_cut() {
    let narrow = Ceiling {
        longest: Some(DurationMs::from_s(3_600)),
        networks: serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap(),
        ..ceiling()
    };
    let soon = Expiry::At(NOW.saturating_add(DurationMs::from_s(20)));
    let granted = |body: &str, expires| grant(wanted(body).unwrap(), &narrow, expires, NOW);
    for (body, expires, expected) in [
        ("epi=1h", Expiry::Never, Ok("2026-11-22T06:05:00.000Z")),
        ("epi=3600001", Expiry::Never, Err(GrantError::TooLong)),
        ("epi=never", Expiry::Never, Err(GrantError::TooLong)),
        ("epi=20s", soon, Ok("2026-11-22T05:05:20.000Z")),
        ("epi=21s", soon, Err(GrantError::TooLong)),
        ("", soon, Ok("2026-11-22T05:05:20.000Z")),
        ("", Expiry::Never, Ok("2026-11-22T05:05:30.000Z")),
        ("ipa=10.1.0.0/16", Expiry::Never, Ok("2026-11-22T05:05:30.000Z")),
        ("ipa=10.0.0.0/7", Expiry::Never, Err(GrantError::Outside)),
        ("ipa=10.1.0.0/16+192.0.2.1", Expiry::Never, Err(GrantError::Outside)),
        ("ipa=::/0", Expiry::Never, Err(GrantError::Outside)),
    ] {
        let ends = granted(body, expires).map(|granted| granted.expires.at().unwrap());
        assert_eq!(ends, expected.map(at), "{body}");
    }
    let brief = Ceiling { longest: Some(DurationMs::from_s(10)), ..ceiling() };
    let ends = grant(wanted("").unwrap(), &brief, soon, NOW).unwrap().expires;
    assert_eq!(ends, Expiry::At(at("2026-11-22T05:05:10.000Z")), "the earlier of the two ends");
}

#[test]
fn what_does_not_fit_into_a_sealed_key_is_not_sealed() {
    let config = config();
    let authority = Authority {
        account: account(),
        proof: IssuerProof { issuer: Issuer::Service, digest: Digest::of(b"x") },
        issuing: Issuing { generation: SealingGeneration(3), ceiling: ceiling() },
        expires: Expiry::Never,
        is_token: false,
    };
    let is_sealed = |body: &str| {
        let granted = grant(wanted(body).unwrap(), &ceiling(), Expiry::Never, NOW).unwrap();
        seal(&granted, &authority, NOW, &config, &mut ChaCha20Rng::seed_from_u64(1)).is_some()
    };
    let networks = |count| (0..count).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>().join("+");
    for (body, expected) in [
        (String::new(), true),
        ("epi=24h".into(), true),
        ("epi=86400001".into(), false),
        ("epi=never".into(), false),
        (format!("ipa={}", networks(16)), true),
        (format!("ipa={}", networks(17)), false),
    ] {
        assert_eq!(is_sealed(&body), expected, "{body}");
    }
}

#[test]
fn a_sealed_key_holds_what_was_granted_and_its_issuer_s_generation() {
    let config = config();
    let issuer = Issuer::Key(key_id());
    let authority = Authority {
        account: account(),
        proof: IssuerProof { issuer, digest: Digest::of(b"x") },
        issuing: Issuing { generation: SealingGeneration(3), ceiling: ceiling() },
        expires: Expiry::Never,
        is_token: false,
    };
    let wanted = wanted("epi=5m&ipa=203.0.113.0/24+2001:db8::1").unwrap();
    let granted = grant(wanted, &ceiling(), Expiry::Never, NOW).unwrap();
    let sealed =
        seal(&granted, &authority, NOW, &config, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    let text = SealedText::parse(sealed.expose(), &config.prefix).unwrap();
    let made = text.authenticate(&config.prefix, &config.keyring, NOW).unwrap();
    let id = sealed.id();
    assert_eq!((id.account(), id.generation()), (authority.account, SealingGeneration(3)));
    assert!(id.is_made(issuer, &config.prefix, &config.keyring, NOW));
    let expected = Claims {
        id,
        issuer,
        issued_at: NOW,
        expires_at: at("2026-11-22T05:10:00Z"),
        networks: serde_json::from_str(r#"["203.0.113.0/24","2001:db8::1"]"#).unwrap(),
        permissions: ceiling().permissions,
        is_token: false,
    };
    assert_eq!(*made.claims(), expected);
}

/// Programs parse these lines, so their wording is part of the interface.
#[test]
fn a21_every_failure_is_one_line_whose_wording_is_pinned() {
    let lines: Vec<String> = [
        Refused::Method,
        Refused::Query,
        Refused::MediaType,
        Refused::TooLarge,
        Refused::TooSlow,
        Refused::CutOff,
        Refused::UnknownField,
        Refused::RepeatedField,
        Refused::HalfService,
        Refused::BothWays,
        Refused::Ambiguous,
        Refused::Missing,
        Refused::UnknownService,
        Refused::Issuer(Denial::Unknown),
        Refused::Issuer(Denial::NetworkDenied),
        Refused::Issued,
        Refused::NotIssuable,
        Refused::TooLong,
        Refused::Outside,
        Refused::TooMany,
        Refused::Overtaken,
        Refused::Unavailable,
    ]
    .iter()
    .map(|refused| format!("{} {}\n", refused.status(), refused.line()))
    .collect();
    assert_eq!(
        lines.concat(),
        "405 method_not_allowed: only POST is taken here
400 query_refused: write the fields into the body, never into the URL
415 unsupported_media_type: the body must be application/x-www-form-urlencoded
413 body_too_large: the body has more than 65536 bytes
408 body_too_slow: the body takes too long to arrive, or comes in too many pieces
400 malformed_body: the body ended early
400 unknown_field: the form takes sid, spw, epi and ipa, and no other field
400 repeated_field: each field may stand there once
400 incomplete_service: sid and spw go together
400 ambiguous_issuer: send either sid and spw or a key in Authorization, not both
400 ambiguous_credential: the request carries more than one key
401 missing: send sid and spw, or an issuable key in Authorization
401 unknown: service ID and service password do not match
401 unknown: The key is not known
403 network_denied: The key may not be used from this address
403 issued_key: an issued key cannot issue
403 not_issuable: this key may not issue
403 above_longest: epi: this is longer than the issuer may issue, or lives itself
403 outside_networks: ipa: these networks are not all within those that the issuer may issue for
403 too_many_keys: the account holds as many stored keys as it may
401 issuer_changed: the issuer has just been changed and may not issue this any more
503 unavailable: No answer can be given at the moment
"
    );
    let answer = Refused::Unavailable.answer("a.example", RetryAfter(2));
    assert!(answer.headers.contains(&("retry-after", "2".into())));
    let answer = Refused::Method.answer("a.example", RetryAfter(2));
    assert!(answer.headers.contains(&("allow", "POST".into())));
    let answer = Refused::Missing.answer("a.example", RetryAfter(2));
    assert!(answer.headers.contains(&("www-authenticate", "Bearer realm=\"a.example\"".into())));
}
