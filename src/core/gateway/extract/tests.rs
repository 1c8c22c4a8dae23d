use super::*;
use crate::base::http::request::{Headers, Url};
use crate::base::time::UnixMs;
use crate::testing::clv;

const KEY: &str = "clv_a1B2c3D47Hq0p2Zx9K0123";

/// Credential, headers, query.
type Seen = (Option<String>, Vec<&'static str>, Option<String>);

fn look(headers: &str, query: Option<&str>, places: &[Place]) -> Result<Seen, Ambiguous> {
    let url = Url { origin: "https://a.example", host: "a.example", path: "/", query };
    let request =
        Request { method: "GET", url, headers: Headers::new(headers), arrived: UnixMs::from_ms(0) };
    let carried = find(&request, places, &clv());
    let credential = carried.credential?;
    Ok((credential.map(|text| text.expose().to_owned()), carried.headers, carried.query))
}

fn default() -> Vec<Place> {
    vec![Place::Authorization, Place::ApiKey]
}

fn basic(pair: &str) -> String {
    format!("authorization\nBasic {}", Base64::encode_string(pair.as_bytes()))
}

#[test]
fn every_way_to_carry_one_key() {
    let (access, secret) = KEY.split_at(22);
    for headers in [
        format!("authorization\nBearer {KEY}"),
        format!("authorization\nbearer   {KEY}"),
        format!("authorization\n{KEY}"),
        basic(&format!("{access}:{secret}")),
        basic(&format!("{KEY}:")),
        basic(&format!(":{KEY}")),
        basic(&format!("key:{KEY}")),
        basic(&format!("{KEY}:{KEY}")),
        format!("x-api-key\n{KEY}"),
        format!("authorization\nBearer {KEY}\nx-api-key\n{KEY}"),
    ] {
        assert_eq!(look(&headers, None, &default()).unwrap().0.as_deref(), Some(KEY), "{headers}");
    }
}

#[test]
fn a_sealed_key_may_be_either_half_of_basic() {
    let sealed = "clvs_cGF5bG9hZA.bWFj123456";
    for pair in [
        format!("{sealed}:"),
        format!(":{sealed}"),
        format!("key:{sealed}"),
        format!("{sealed}:{sealed}"),
    ] {
        assert_eq!(
            look(&basic(&pair), None, &default()).unwrap().0.as_deref(),
            Some(sealed),
            "{pair}"
        );
    }
    assert_eq!(look(&basic(&format!("{KEY}:{sealed}")), None, &default()), Err(Ambiguous));
}

#[test]
fn two_credentials_are_refused_whichever_places_they_stand_in() {
    let query = [Place::Query("u".into()), Place::Query("k".into())];
    for (headers, in_query, places) in [
        (format!("authorization\nBearer {KEY}\nx-api-key\n{KEY}x"), None, default()),
        (format!("authorization\nBearer {KEY}, Bearer {KEY}"), None, default()),
        (format!("authorization\n{KEY}, {KEY}"), None, default()),
        (format!("authorization\nDigest a=\"b\", Bearer {KEY}"), None, default()),
        (
            format!("authorization\nBasic {0}, Basic {0}", Base64::encode_string(KEY.as_bytes())),
            None,
            default(),
        ),
        (format!("x-api-key\n{KEY}, {KEY}"), None, default()),
        (format!("authorization\nBearer eyJ\nx-api-key\n{KEY}"), None, default()),
        (String::new(), Some(format!("u={KEY}&u={KEY}x")), query.to_vec()),
        (String::new(), Some(format!("u={KEY}&k={KEY}x")), query.to_vec()),
        (format!("authorization\n{KEY}x"), Some(format!("u={KEY}")), query.to_vec()),
    ] {
        assert_eq!(
            look(&headers, in_query.as_deref(), &places),
            Err(Ambiguous),
            "{headers} {in_query:?}"
        );
    }
    assert_eq!(look(&basic(&format!("{KEY}:{KEY}x")), None, &default()), Err(Ambiguous));
}

#[test]
fn another_system_s_token_that_holds_our_letters_is_not_ours() {
    let only_header = [Place::ApiKey];
    for token in [
        format!("Bearer eyJ{KEY}"),
        format!("Digest nonce-{KEY}"),
        format!("xclv_{KEY}"),
        "clvx".into(),
        format!("Bearer a.{KEY}"),
        format!("a/{KEY}"),
    ] {
        let (credential, headers, _) =
            look(&format!("authorization\n{token}"), None, &only_header).unwrap();
        assert_eq!((credential, headers.len()), (None, 0), "{token}");
    }
    for loose in [
        format!(
            "Basic {}",
            base64ct::Base64Url::encode_string(format!("\u{3ff}:{KEY}").as_bytes())
        ),
        format!("Basic {}", Base64Unpadded::encode_string(format!("a:{KEY}").as_bytes())),
        format!("basic\t{}", Base64::encode_string(&[b"\xff:", KEY.as_bytes()].concat())),
        format!("Basic {}", "A".repeat(CREDENTIAL_BYTES_MAX + 1)),
        "Basic !".into(),
    ] {
        let (_, headers, _) = look(&format!("authorization\n{loose}"), None, &only_header).unwrap();
        assert_eq!(headers, ["authorization"], "{loose}");
    }
    for ours in [
        format!("Digest username=\"{KEY}\""),
        format!("Bearer\t{KEY}"),
        format!("{KEY};q=1"),
        format!("Token '{KEY}'"),
        format!("Bearer <{KEY}>"),
    ] {
        let headers =
            look(&format!("authorization\n{ours}"), None, &only_header).map(|seen| seen.1);
        assert_eq!(headers.unwrap(), ["authorization"], "{ours}");
    }
}

#[test]
fn a_place_that_the_rule_does_not_name_is_the_origin_s_own_unless_it_holds_our_prefix() {
    let only_header = [Place::ApiKey];
    let (credential, headers, _) =
        look("authorization\nBearer eyJ\nx-api-key\nabc", None, &only_header).unwrap();
    assert_eq!((credential.as_deref(), headers), (Some("abc"), vec!["x-api-key"]));
    let (credential, headers, _) =
        look(&format!("authorization\nBearer {KEY}"), None, &only_header).unwrap();
    assert_eq!((credential.as_deref(), headers), (Some(KEY), vec!["authorization"]));
    let hidden = basic(&format!("me:{KEY}"));
    assert_eq!(look(&hidden, None, &only_header).unwrap().1, vec!["authorization"]);
    let digest = "Digest a=\"b\", c=\"d\"";
    let seen =
        |places: &[Place]| look(&format!("authorization\n{digest}"), None, places).unwrap().0;
    assert_eq!(seen(&only_header), None);
    assert_eq!(seen(&default()).as_deref(), Some(digest), "no key, and not several");
    assert_eq!(look("", Some(&format!("u={KEY}")), &default()).unwrap(), (None, vec![], None));
}

#[test]
fn a_named_parameter_is_taken_out_of_the_query_in_every_spelling() {
    let places = [Place::Query("u".into())];
    for (query, rest) in [
        (format!("u={KEY}"), ""),
        (format!("a=1&u={KEY}&b=2"), "a=1&b=2"),
        (format!("%75={KEY}&a=%20"), "a=%20"),
        (format!("u={}", KEY.replace('_', "%5f")), ""),
        (format!("u={KEY}&u={KEY}&uu=1"), "uu=1"),
    ] {
        let (credential, headers, query_after) = look("", Some(&query), &places).unwrap();
        assert_eq!(
            (credential.as_deref(), headers.len(), query_after.as_deref()),
            (Some(KEY), 0, Some(rest)),
            "{query}"
        );
    }
    assert_eq!(look("", Some("a=u&U=x"), &places).unwrap(), (None, vec![], None));
}

#[test]
fn an_empty_credential_is_one_and_debug_shows_none() {
    assert_eq!(look("authorization\nBearer ", None, &default()).unwrap().0.as_deref(), Some(""));
    assert_eq!(look("x-api-key\n", None, &default()).unwrap().0.as_deref(), Some(""));
    assert_eq!(format!("{:?}", Text(Cow::Borrowed(KEY))), "Text(…)");
}

#[test]
fn a26_what_stands_in_the_wrong_place_is_told_by_the_place() {
    let place_of = |headers: &str, query: Option<&str>| {
        let url = Url { origin: "https://a.example", host: "a.example", path: "/", query };
        let (method, arrived) = ("GET", UnixMs::from_ms(0));
        let request = Request { method, url, headers: Headers::new(headers), arrived };
        misplaced_credential(&request, &clv())
    };
    let long = "n".repeat(1000);
    for (headers, query, place) in [
        ("", None, None),
        ("api-key\nabc\nx\nxclv_1", Some("u=abc&clv_=x"), None),
        ("api-key\nclv_", None, Some("header:api-key")),
        ("x\ny\ncookie\na=b; c=clv_1", Some("u=clv_1"), Some("header:cookie")),
        ("", Some("a=1&k%65y=%63lv_1&u=clv_2"), Some("query:key")),
        ("", Some("=clv_1"), Some("query:")),
        ("", Some(&format!("{long}=clv_1")), Some(&format!("query:{}", "n".repeat(64)))),
    ] {
        assert_eq!(place_of(headers, query).as_deref(), place, "{headers} {query:?}");
    }
}

#[test]
fn odd_texts_do_no_harm() {
    let long = "A".repeat(100_000);
    for headers in [
        "authorization\nBasic !!!".to_owned(),
        "authorization\nBasic //79".to_owned(),
        format!("authorization\nBasic {long}"),
        "authorization\nclé".to_owned(),
        format!("x-api-key\n{long}"),
    ] {
        assert!(look(&headers, None, &default()).unwrap().0.is_some());
    }
    let places = [Place::Query("u".into())];
    for query in ["u=%", "u=%f", "u=%zz", "u=%ff", "u=%+1", "%ff=1&u=x", "&&u=x&"] {
        assert!(look("", Some(query), &places).unwrap().0.is_some(), "{query}");
    }
}
