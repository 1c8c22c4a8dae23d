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
    // As the gateway does: a foreign text counts only alone.
    let credential = match (carried.credential?, carried.foreign) {
        (None, foreign) => foreign.transpose()?,
        (credential, _) => credential,
    };
    // The names outlive the text of the headers, so that a test compares them with literals.
    let leaked = |name: &str| -> &'static str { Box::leak(name.into()) };
    let headers = carried.headers.into_iter().map(leaked).collect();
    Ok((credential.map(|text| text.expose().to_owned()), headers, carried.query))
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
        basic(&format!("{KEY}:x")),
        basic(&format!("{KEY}:api_token")),
        basic(&format!("{KEY}:a:b")),
        basic(&format!("{access}:{KEY}")),
        basic(&format!("{access}:{secret}\n")),
        basic(&format!("{KEY}:\r\n")),
        basic(&format!("{KEY}\n")),
        format!("x-api-key\n{KEY}"),
        format!("authorization\nBearer {KEY}\nx-api-key\n{KEY}"),
    ] {
        assert_eq!(look(&headers, None, &default()).unwrap().0.as_deref(), Some(KEY), "{headers}");
    }
}

#[test]
fn a_header_that_servers_read_as_one_of_the_two_is_that_header() {
    for name in ["x_api_key", "x.api.key", "x-api_key", "_x-api-key", "authorization_"] {
        let headers = format!("{name}\n{KEY}");
        let (credential, removed, _) = look(&headers, None, &default()).unwrap();
        assert_eq!((credential.as_deref(), removed), (Some(KEY), vec![name]), "{name}");
        let both = format!("authorization\nBearer {KEY}\n{name}\n{KEY}");
        assert_eq!(look(&both, None, &default()).unwrap().1, ["authorization", name]);
        let two = format!("authorization\nBearer {KEY}\n{name}\n{KEY}x");
        assert_eq!(look(&two, None, &default()), Err(Ambiguous), "{name}");
    }
    let folded = format!("authorization_\n{}", &basic(&format!("{KEY}:"))[14..]);
    assert_eq!(look(&folded, None, &default()).unwrap().0.as_deref(), Some(KEY));
    for name in ["xapikey", "x--api--key", "x-api-keys", "proxy-authorization"] {
        let headers = format!("{name}\n{KEY}");
        assert_eq!(look(&headers, None, &default()).unwrap(), (None, vec![], None), "{name}");
    }
    assert_eq!(look("x_api_key\nabc", None, &[Place::Authorization]).unwrap().0, None);
}

#[test]
fn a_sealed_key_may_be_either_half_of_basic() {
    let sealed = "clvs_cGF5bG9hZA.bWFj123456";
    for pair in [
        format!("{sealed}:"),
        format!("{sealed}:x"),
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
    assert_eq!(look(&basic(&format!("{sealed}:{KEY}")), None, &default()), Err(Ambiguous));
    // A half that is no key joins with an access key, which alone is none.
    let joined = look(&basic("clv_a1B2c3D47Hq0p2Zx9K:x"), None, &default()).unwrap().0;
    assert_eq!(joined.as_deref(), Some("clv_a1B2c3D47Hq0p2Zx9Kx"));
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
        (format!("authorization\nBearer clv_\nx-api-key\n{KEY}"), None, default()),
        (format!("authorization\nBasic !\nx-api-key\n{KEY}"), None, default()),
        (format!("authorization\n{KEY}"), Some("u=eyJ".into()), query.to_vec()),
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
    for pair in [format!("{KEY}:{KEY}x"), format!("clv_b1B2c3D47Hq0p2Zx9K:{KEY}")] {
        assert_eq!(look(&basic(&pair), None, &default()), Err(Ambiguous), "{pair}");
    }
}

#[test]
fn basic_credentials_are_decoded_up_to_the_longest_text() {
    for (length, is_read) in
        [(4, true), (CREDENTIAL_BYTES_MAX, true), (CREDENTIAL_BYTES_MAX + 4, false)]
    {
        let encoded = "A".repeat(length);
        assert_eq!(decode_basic(&encoded).is_some(), is_read, "{length}");
        assert_eq!(read_loosely(&encoded).is_some(), is_read, "{length}");
    }
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
        format!("Basic {}", Base64::encode_string(b"me:password")),
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
    assert_eq!((credential.as_deref(), headers), (Some("abc"), vec![]));
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

/// Places × forms: a header that the rule names holds nothing, a foreign text, or a broken key, and
/// the other place holds a key.
#[test]
fn what_stands_beside_a_key_counts_if_it_begins_like_one() {
    let names = ["authorization", "x-api-key"];
    let of = |places: &[Place], name: &str, beside: &str, query: Option<&str>| {
        let key = if query.is_some() { String::new() } else { format!("{}\n{KEY}\n", other(name)) };
        look(&format!("{key}{name}\n{beside}"), query, places)
    };
    fn other(name: &str) -> &'static str {
        if name == "x-api-key" { "authorization" } else { "x-api-key" }
    }
    let (in_query, mut everywhere) = (format!("u={KEY}&a=1"), default());
    everywhere.push(Place::Query("u".into()));
    for name in names {
        for empty in
            ["", "Bearer", "Bearer ", "bearer", "Basic", "Basic ", "Basic Og==", "Basic Cg=="]
        {
            if name == "x-api-key" && !empty.is_empty() {
                continue;
            }
            let (key, headers, _) = of(&default(), name, empty, None).unwrap();
            let both = vec![other(name), name];
            assert_eq!((key.as_deref(), headers), (Some(KEY), both), "{name} {empty}");
            let (key, headers, query) = of(&everywhere, name, empty, Some(&in_query)).unwrap();
            let seen = (key.as_deref(), headers, query.as_deref());
            assert_eq!(seen, (Some(KEY), vec![name], Some("a=1")), "{name} {empty}");
            // Alone it is no credential.
            assert_eq!(look(&format!("{name}\n{empty}"), None, &default()).unwrap().0, None);
        }
        for foreign in
            ["Bearer eyJh.eyJz.c2ln", "eyJh.eyJz.c2ln", "Digest a=\"b\", c=\"d\"", "a, b"]
        {
            let (key, headers, _) = of(&default(), name, foreign, None).unwrap();
            assert_eq!((key.as_deref(), headers), (Some(KEY), vec![other(name)]), "{foreign}");
            let (key, headers, _) = of(&everywhere, name, foreign, Some(&in_query)).unwrap();
            assert_eq!((key.as_deref(), headers), (Some(KEY), vec![]), "{foreign}");
        }
        for ours in [format!("{KEY}x"), "clv_".into(), format!("{KEY}, {KEY}"), "clvs_a.b".into()] {
            assert_eq!(of(&default(), name, &ours, None), Err(Ambiguous), "{name} {ours}");
            assert_eq!(
                of(&everywhere, name, &ours, Some(&in_query)),
                Err(Ambiguous),
                "{name} {ours}"
            );
        }
    }
    // In a parameter, which only a rule names, every text counts.
    for (query, expected) in [
        ("u=", Ok(Some(KEY))),
        ("u", Ok(Some(KEY))),
        ("u=%20&u=%0D%0A", Ok(Some(KEY))),
        ("u=eyJ", Err(Ambiguous)),
        ("u=clv_", Err(Ambiguous)),
    ] {
        let seen = look(&format!("x-api-key\n{KEY}"), Some(query), &everywhere);
        assert_eq!(seen.as_ref().map(|seen| seen.0.as_deref()).map_err(|error| *error), expected);
        assert!(seen.is_err() || seen.unwrap().2.as_deref() == Some(""), "{query} is cut out");
    }
}

#[test]
fn a_line_end_behind_a_parameter_does_not_count() {
    let places = [Place::Query("u".into())];
    for (end, expected) in [
        ("%0A", KEY.to_owned()),
        ("%0D%0A", KEY.to_owned()),
        ("%0D", format!("{KEY}\r")),
        ("%0A%0A", format!("{KEY}\n")),
        ("%20", format!("{KEY} ")),
    ] {
        let seen = look("", Some(&format!("u={KEY}{end}")), &places).unwrap();
        assert_eq!(seen.0, Some(expected), "{end}");
    }
}

#[test]
fn debug_shows_no_credential() {
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
    for query in ["u=%", "u=%f", "u=%zz", "u=%ff", "u=%+1", "%ff=1&u=x", "&&u=x&", "u=%00"] {
        assert!(look("", Some(query), &places).unwrap().0.is_some(), "{query}");
    }
}
