use core::ops::Range;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;
use crate::base::http::request::{Headers, Url};
use crate::base::time::UnixMs;

const URLENCODED: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn open(method: &str, headers: &str, places: &[Place]) -> Option<BodyScan> {
    let url = Url { origin: "https://a.example", host: "a.example", path: "/", query: None };
    BodyScan::of(
        &Request { method, url, headers: Headers::new(headers), arrived: UnixMs::from_ms(0) },
        places,
    )
}

fn places() -> [Place; 4] {
    [
        Place::Authorization,
        Place::Form("u".into()),
        Place::Form("k".into()),
        Place::Json("u".into()),
    ]
}

/// Returns the rest of a body without the cuts.
fn without(body: &[u8], cuts: &[Range<usize>]) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut from = 0;
    for cut in cuts {
        assert!(from <= cut.start && cut.start < cut.end && cut.end <= body.len(), "{cuts:?}");
        rest.extend_from_slice(&body[from..cut.start]);
        from = cut.end;
    }
    rest.extend_from_slice(&body[from..]);
    rest
}

/// Scans a body in chunks. Returns its fields, and the number of bytes that the scan took.
fn read(content_type: &str, chunks: &[&[u8]]) -> (Fields, usize) {
    let mut scan =
        open("POST", &format!("content-type\n{content_type}"), &places()).expect(content_type);
    let mut taken = 0;
    for chunk in chunks {
        if scan.is_read() {
            break;
        }
        scan.take(chunk);
        taken += chunk.len();
    }
    scan.end();
    (scan.into_fields(), taken)
}

/// Returns the values and the forwarded body, after checking that they do not depend on the chunks.
fn look(content_type: &str, body: &[u8]) -> (Vec<String>, Vec<u8>) {
    let seen = |chunks: &[&[u8]]| {
        let (fields, _) = read(content_type, chunks);
        (fields.values().map(str::to_owned).collect::<Vec<_>>(), without(body, fields.cuts()))
    };
    let whole = seen(&[body]);
    for size in [1, 2, 3, 7, 64] {
        let chunks: Vec<&[u8]> = body.chunks(size).collect();
        assert_eq!(seen(&chunks), whole, "in chunks of {size}");
    }
    whole
}

fn text((values, rest): (Vec<String>, Vec<u8>)) -> (Vec<String>, String) {
    (values, String::from_utf8(rest).unwrap())
}

/// Builds a multipart body of parts, in which `|` stands for a line end.
fn parts(parts: &[&str]) -> String {
    let parts: String =
        parts.iter().map(|part| format!("--XX\r\n{}\r\n", part.replace('|', "\r\n"))).collect();
    parts + "--XX--\r\n"
}

fn field(name: &str, value: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"||{value}")
}

#[test]
fn a25_a_pair_is_cut_out_of_a_form_and_the_rest_stays_byte_for_byte() {
    for (body, values, rest) in [
        ("u=K", vec!["K"], ""),
        ("u=K&a=%20+b", vec!["K"], "a=%20+b"),
        ("a=1&u=K", vec!["K"], "a=1"),
        ("a=1&u=K&b=2", vec!["K"], "a=1&b=2"),
        ("a=1&u=K&", vec!["K"], "a=1&"),
        ("&&u=K&&", vec!["K"], "&&&"),
        ("%75=K%5f1&a", vec!["K_1"], "a"),
        ("u=K&u=K", vec!["K", "K"], ""),
        ("a=1&u=K&u=K", vec!["K", "K"], "a=1"),
        ("u=K&a=1&k=L", vec!["K", "L"], "a=1"),
        ("u", vec![""], ""),
        ("u=", vec![""], ""),
        ("a=1;u=K", vec![], "a=1;u=K"),
        ("U=K&uu=K&a=u&u[]=K", vec![], "U=K&uu=K&a=u&u[]=K"),
        ("", vec![], ""),
        ("u=K\r\n", vec!["K\r\n"], ""),
        ("{\"u\":\"K\"}", vec![], "{\"u\":\"K\"}"),
    ] {
        assert_eq!(
            text(look(URLENCODED, body.as_bytes())),
            (values.into_iter().map(str::to_owned).collect(), rest.into()),
            "{body}"
        );
    }
    let raw = b"\xff=\x00&u=\xffK&\xfe";
    assert_eq!(look(URLENCODED, raw), (vec!["\u{fffd}K".into()], b"\xff=\x00&\xfe".to_vec()));
}

#[test]
fn a25_a_part_is_cut_out_of_a_multipart_form() {
    let (d, file) = (
        field("d", "grammar"),
        "Content-Disposition: form-data; name=\"a\"; filename=\"a.wav\"|Content-Type: audio/wav||RIFF--XX",
    );
    let u = field("u", "K");
    for (body, values, rest) in [
        (parts(&[&u, &d, file]), vec!["K"], parts(&[&d, file])),
        (parts(&[&d, &u, file]), vec!["K"], parts(&[&d, file])),
        (parts(&[&d, &u]), vec!["K"], parts(&[&d])),
        (parts(&[&u]), vec!["K"], parts(&[])),
        (parts(&[&u, &d, &u, file]), vec!["K", "K"], parts(&[&d, file])),
        (parts(&[&u, &field("k", "L"), file]), vec!["K", "L"], parts(&[file])),
        // After the first file, the scan stops.
        (parts(&[&d, file, &u]), vec![], parts(&[&d, file, &u])),
        (parts(&[&u, file, &u]), vec!["K"], parts(&[file, &u])),
        (parts(&[&field("u", ""), file]), vec![""], parts(&[file])),
        (parts(&[&field("u", "K|--X"), file]), vec!["K\r\n--X"], parts(&[file])),
        (
            format!("preamble\r\n{}epilogue", parts(&[&u, &d])),
            vec!["K"],
            format!("preamble\r\n{}epilogue", parts(&[&d])),
        ),
        (format!("\r\n{}", parts(&[&u, &d])), vec!["K"], format!("\r\n{}", parts(&[&d]))),
        (parts(&[&u, &d]).replacen("--XX\r\n", "--XX \t\r\n", 1), vec!["K"], parts(&[&d])),
    ] {
        assert_eq!(
            text(look(MULTIPART, body.as_bytes())),
            (values.into_iter().map(str::to_owned).collect(), rest),
            "{body}"
        );
    }
}

#[test]
fn a25_a_part_s_headers_with_near_misses() {
    for good in [
        "Content-Disposition: form-data; name=\"u\"||K",
        "content-disposition:form-data;name=u||K",
        "CONTENT-DISPOSITION: Form-Data; NAME=\"u\"||K",
        "Content-Type: text/plain; charset=utf-16|Content-Disposition: form-data; name=\"u\";||K",
        "X: y|Content-Disposition: form-data; other=1; name=u |Content-Transfer-Encoding: 8bit||K",
    ] {
        assert_eq!(look(MULTIPART, parts(&[good]).as_bytes()).0, ["K"], "{good}");
    }
    for other in [
        "Content-Disposition: form-data; name=\"U\"||K",
        "Content-Disposition: form-data; name=\"u \"||K",
        "Content-Disposition: form-data; name=\"%75\"||K",
        // The scan stops at a part that is ambiguous or malformed.
        "Content-Disposition: form-data; name=\"\\u\"||K",
        "Content-Disposition: form-data; name=\"u\"; name=\"x\"||K",
        "Content-Disposition: form-data; name=\"x\"; name=\"u\"||K",
        "Content-Disposition: form-data; name=\"x\"; name*=utf-8''u||K",
        "Content-Disposition: form-data; name=\"u\"; filename*=utf-8''x||K",
        "Content-Disposition: form-data; name=\"u\"; filename=||K",
        "Content-Disposition: form-data; name=\"u\" x||K",
        "Content-Disposition: form-data; name=\"u||K",
        "Content-Disposition: attachment; name=\"u\"||K",
        "Content-Disposition: form-data|; name=\"u\"||K",
        "Content-Disposition: form-data;| name=\"u\"||K",
        "Content-Disposition : form-data; name=\"u\"||K",
        " Content-Disposition: form-data; name=\"u\"||K",
        "Content-Disposition: form-data; name=\"u\"|Content-Disposition: form-data; name=\"x\"||K",
        "Content-Disposition: form-data; name=\"u\"|Content-Type: Multipart/mixed; boundary=y||K",
        "Content-Disposition: form-data; name=\"u\"|no header||K",
        "Content-Disposition: form-data; name=\"u\"|no token: x||K",
        "Content-Disposition: form-data; name=\"u\"|X: a\0b||K",
        "Content-Disposition: form-data; name=\"u\"\nX: y||K",
        "Content-Disposition: form-data; name=\"u\"|--XX",
        "Content-Type: text/plain||K",
        "||K",
        "K",
        "",
    ] {
        let body = parts(&[other]);
        let (values, rest) = look(MULTIPART, body.as_bytes());
        assert_eq!((values.len(), rest), (0, body.clone().into_bytes()), "{other}");
    }
    // The scan skips a part with another name, but stops at a malformed one.
    let after = |part: &str| look(MULTIPART, parts(&[part, &field("u", "K")]).as_bytes()).0.len();
    assert_eq!(after(&field("x", "y")), 1);
    assert_eq!(after("Content-Disposition: form-data; name=\"\\x\"||y"), 0);
}

#[test]
fn a25_delimiters_with_near_misses() {
    let u = field("u", "K").replace('|', "\r\n");
    for body in [
        // Bare line feeds, another boundary, none, a longer one, a closed one, no end.
        format!("--XX\n{}\n--XX--\n", u.replace('\r', "")),
        format!("--XY\r\n{u}\r\n--XY--\r\n"),
        format!("{u}\r\n--XX--\r\n"),
        format!("--XXX\r\n{u}\r\n--XXX--\r\n"),
        format!("--XX--\r\n{u}\r\n--XX--\r\n"),
        format!(" --XX\r\n{u}\r\n--XX--\r\n"),
        format!("--XX\r\n{u}"),
        format!("--XX\r\n{u}\r\n--X"),
        format!("--XX x\r\n{u}\r\n--XX--\r\n"),
        "--XX\r\nContent-Disposition: form-data; name=\"u\"\r\n\r\n--XX--\r\n".into(),
        // A delimiter directly at the start of the content: some parsers read a delimiter, others
        // read content.
        format!("--XX\r\n{}--XX\r\n{u}\r\n--XX--\r\n", field("u", "").replace('|', "\r\n")),
        "--".into(),
        String::new(),
    ] {
        let (values, rest) = look(MULTIPART, body.as_bytes());
        assert_eq!((values.len(), rest), (0, body.clone().into_bytes()), "{body}");
    }
    for (content_type, is_read) in [
        ("multipart/form-data; boundary=XX", true),
        ("Multipart/Form-Data;charset=utf-8;Boundary=\"XX\"", true),
        ("multipart/form-data; boundary=\"X X\"", true),
        ("multipart/form-data", false),
        ("multipart/form-data; boundary=", false),
        ("multipart/form-data; boundary=\"\"", false),
        ("multipart/form-data; boundary=\"XX ", false),
        ("multipart/form-data; boundary=\"XX \"", false),
        ("multipart/form-data; boundary=XX; boundary=XX", false),
        ("multipart/form-data; boundary=XX, multipart/form-data; boundary=YY", false),
        ("multipart/form-data; boundary=\"X\\X\"", false),
        ("multipart/form-data; boundary=é", false),
        ("multipart/form-data boundary=XX", false),
        ("multipart/mixed; boundary=XX", false),
    ] {
        let scan = open("POST", &format!("content-type\n{content_type}"), &places());
        assert_eq!(scan.is_some(), is_read, "{content_type}");
    }
    let longest = format!("content-type\nmultipart/form-data; boundary={}", "x".repeat(70));
    assert!(open("POST", &longest, &places()).is_some());
    assert!(open("POST", &format!("{longest}x"), &places()).is_none());
}

#[test]
fn a25_a_member_is_cut_out_of_a_json_object() {
    for (body, values, rest) in [
        (r#"{"u":"K"}"#, vec!["K"], "{}"),
        (r#" { "u" : "K" , "a" : [1, {"u":"x"}] } "#, vec!["K"], r#" { "a" : [1, {"u":"x"}] } "#),
        (r#"{"a":1,"u":"K"}"#, vec!["K"], r#"{"a":1}"#),
        (r#"{"a":1 , "u":"K" }"#, vec!["K"], r#"{"a":1 }"#),
        (r#"{"a":"}],\"","u":"K","b":-1.5e3}"#, vec!["K"], r#"{"a":"}],\"","b":-1.5e3}"#),
        (r#"{"u":"K","u":"L"}"#, vec!["K", "L"], "{}"),
        (r#"{"u":"K","a":true,"u":"L","u":"M"}"#, vec!["K", "L", "M"], r#"{"a":true}"#),
        (r#"{"a":null,"u":"K","b":[],"u":"L"}"#, vec!["K", "L"], r#"{"a":null,"b":[]}"#),
        (r#"{"\u0075":"\u004b_\"\\"}"#, vec!["K_\"\\"], "{}"),
        (r#"{"u":null,"a":{"b":[]}}"#, vec![""], r#"{"a":{"b":[]}}"#),
        (r#"{"a":[1, "u", {"u":"x"}],"u":"K"}"#, vec!["K"], r#"{"a":[1, "u", {"u":"x"}]}"#),
        (r#"{"u":["K"]}"#, vec![r#"["K"]"#], "{}"),
        (r#"{"u":"\ud800"}"#, vec![r#""\ud800""#], "{}"),
        (r#"{"a":{"u":"K"}}"#, vec![], r#"{"a":{"u":"K"}}"#),
        (r#"[{"u":"K"}]"#, vec![], r#"[{"u":"K"}]"#),
        (
            r#"{"U":"K","uu":"K","k":"K","\ud800":1}"#,
            vec![],
            r#"{"U":"K","uu":"K","k":"K","\ud800":1}"#,
        ),
        (r#""u""#, vec![], r#""u""#),
        ("\u{feff}{\"u\":\"K\"}", vec!["K"], "\u{feff}{}"),
        ("\u{feff}{\"a\":1,\"u\":\"K\"}", vec!["K"], "\u{feff}{\"a\":1}"),
        ("{}", vec![], "{}"),
    ] {
        assert_eq!(
            text(look(JSON, body.as_bytes())),
            (values.into_iter().map(str::to_owned).collect(), rest.into()),
            "{body}"
        );
    }
    for broken in [
        r#"{"u":"K",}"#,
        r#"{"u":"K""#,
        r#"{"u":"K"} x"#,
        "{u:'K'}",
        "\u{feff}\u{feff}{\"u\":\"K\"}",
        " \u{feff}{\"u\":\"K\"}",
        r#"{"u" "K"}"#,
        "",
        " ",
        "{",
        r#"{"u":"K"}{}"#,
    ] {
        assert_eq!(text(look(JSON, broken.as_bytes())), (vec![], broken.into()), "{broken}");
    }
    assert!(look(JSON, b"{\"u\":\"K\",\"a\":\"\xff\"}").0.is_empty());
    let deep = format!(r#"{{"a":{}{},"u":"K"}}"#, "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(read(JSON, &[deep.as_bytes()]).0.values().collect::<Vec<_>>(), ["K"]);
}

#[test]
fn a25_bodies_that_hold_no_field_are_not_read() {
    let of =
        |method: &str, headers: &str, places: &[Place]| open(method, headers, places).is_some();
    for content_type in [
        URLENCODED,
        MULTIPART,
        JSON,
        "Application/JSON; charset=utf-16",
        "application/x-www-form-urlencoded;charset=x",
    ] {
        let headers = format!("content-type\n{content_type}");
        assert!(
            of("POST", &headers, &places()) && of("DELETE", &headers, &places()),
            "{content_type}"
        );
        assert!(!of("GET", &headers, &places()) && !of("HEAD", &headers, &places()));
        assert!(!of(
            "POST",
            &headers,
            &[Place::Authorization, Place::ApiKey, Place::Query("u".into())]
        ));
        for encoding in ["gzip", "identity, gzip", "br", "x"] {
            assert!(
                !of("POST", &format!("{headers}\ncontent-encoding\n{encoding}"), &places()),
                "{encoding}"
            );
        }
        assert!(of("POST", &format!("{headers}\ncontent-encoding\nIdentity"), &places()));
    }
    for content_type in [
        "",
        "text/plain",
        "application/jsonp",
        "application/problem+json",
        "application/json, text/plain",
        "application/json; x",
        "application/json; =1",
        "application/json; x y=1",
    ] {
        assert!(!of("POST", &format!("content-type\n{content_type}"), &places()), "{content_type}");
    }
    assert!(!of("POST", "", &places()));
    // Each place belongs to one kind of body.
    assert!(!of("POST", &format!("content-type\n{JSON}"), &[Place::Form("u".into())]));
    assert!(!of("POST", &format!("content-type\n{URLENCODED}"), &[Place::Json("u".into())]));
}

#[test]
fn a25_no_more_is_read_than_tells() {
    let file = "Content-Disposition: form-data; name=\"a\"; filename=\"a\"||".to_owned();
    let head = parts(&[&field("u", "K"), &file]).replace("\r\n--XX--\r\n", "");
    let rest = vec![0; 1 << 20];
    let (fields, taken) = read(MULTIPART, &[head.as_bytes(), &rest]);
    assert_eq!(
        (fields.values().count(), taken),
        (1, head.len()),
        "a file's content is not waited for"
    );
    let (fields, taken) = read(MULTIPART, &[parts(&[&field("u", "K")]).as_bytes(), b"epilogue"]);
    assert_eq!((fields.values().count(), taken), (1, parts(&[&field("u", "K")]).len()));

    let full = BODY_SCAN_BYTES_MAX;
    let long = format!("u=K&a={}", "x".repeat(full - 6));
    assert_eq!(long.len(), full);
    for (body, values) in
        [(long.clone(), 1), (format!("{long}&u=L"), 1), (format!("{}&u=LL", &long[4..]), 0)]
    {
        let (fields, _) = read(URLENCODED, &[body.as_bytes()]);
        assert_eq!((fields.values().count(), fields.is_too_large()), (values, false));
        assert_eq!(
            read(URLENCODED, &body.as_bytes().chunks(1000).collect::<Vec<_>>()).0.cuts(),
            fields.cuts()
        );
    }
    let json = |length: usize| format!(r#"{{"u":"K","a":"{}"}}"#, "x".repeat(length - 16));
    let (fields, _) = read(JSON, &[json(full).as_bytes()]);
    assert_eq!((fields.values().count(), fields.is_too_large()), (1, false));
    let (fields, _) = read(JSON, &[json(full + 1).as_bytes(), b"more"]);
    assert_eq!(
        (fields.values().count(), fields.is_too_large(), fields.cuts()),
        (0, true, [].as_slice())
    );
}

#[test]
fn what_was_read_is_not_shown() {
    let mut scan = open("POST", &format!("content-type\n{URLENCODED}"), &places()).unwrap();
    scan.take(b"u=secret&x=secret");
    let shown = format!("{scan:?}");
    assert!(shown.starts_with("BodyScan(") && !shown.contains("secret"), "{shown}");
}

/// Generates a nearly valid body: significant pieces in any order.
fn nearly(kind: &str) -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&str] = match kind {
        URLENCODED => &["u", "k", "=", "&", "%75", "K", "%", "+", ";", "\0", "é"],
        JSON => &[
            "{", "}", "\"u\"", ":", ",", "\"K\"", "[", "]", "1", "null", " ", "\\u0075", "\"",
            "\\", "é",
        ],
        _ => &[
            "--XX",
            "\r\n",
            "--",
            "Content-Disposition: form-data; name=\"u\"",
            "Content-Disposition: form-data; name=\"x\"",
            "; filename=a",
            "\r\n\r\n",
            "K",
            " ",
            "\n",
            "Content-Type: multipart/mixed",
            "\r\n--XX\r\n",
            "é",
        ],
    };
    prop::collection::vec(prop::sample::select(pieces), 0..40)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn chunks_change_nothing_and_what_travels_on_holds_no_more(
        (kind, body) in prop::sample::select(vec![URLENCODED, JSON, MULTIPART]).prop_flat_map(|kind| (Just(kind), nearly(kind))),
    ) {
        let (values, rest) = look(kind, &body);
        let (again, same) = look(kind, &rest);
        // The empty form that remains without `u` parses as no field.
        prop_assert_eq!(again.len(), 0, "{:?}", values);
        prop_assert_eq!(same, rest);
    }

    #[test]
    fn a_form_of_any_fields_loses_the_one_and_keeps_the_others(
        fields in prop::collection::vec(("[a-j]{1,3}", "[ -~é]{0,20}"), 0..6), place in 0_usize..7,
    ) {
        let at = place.min(fields.len());
        let with = |insert: bool| {
            let mut all = fields.clone();
            if insert { all.insert(at, ("u".into(), "K".into())); }
            all
        };
        let urlencoded = |all: Vec<(String, String)>| form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        let expected = (vec!["K".to_owned()], urlencoded(with(false)));
        prop_assert_eq!(text(look(URLENCODED, urlencoded(with(true)).as_bytes())), expected);

        let multipart = |all: Vec<(String, String)>| {
            let all: Vec<String> = all.iter().map(|(name, value)| field(name, &value.replace('|', "/"))).collect();
            parts(&all.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let expected = (vec!["K".to_owned()], multipart(with(false)));
        prop_assert_eq!(text(look(MULTIPART, multipart(with(true)).as_bytes())), expected);

        let json = |all: Vec<(String, String)>| {
            let members: Vec<String> = all.iter().map(|(name, value)| format!("{}: {}", serde_json::json!(name), serde_json::json!(value))).collect();
            format!("{{{}}}", members.join(", "))
        };
        let expected = (vec!["K".to_owned()], json(with(false)));
        prop_assert_eq!(text(look(JSON, json(with(true)).as_bytes())), expected);
    }
}

/// Valid bodies with bytes flipped, dropped, doubled and cut, from one seed.
#[test]
fn a_seeded_run_of_broken_bodies_does_no_harm() {
    let file = "Content-Disposition: form-data; name=\"a\"; filename=\"a\"||\u{0}\u{1}";
    let right = [
        (URLENCODED, "a=1&u=K&%75=L&b=%2".to_owned()),
        (JSON, r#"{"a":[1,{"b":"\u0041"}],"u":"K","c":{"u":null}}"#.to_owned()),
        (MULTIPART, parts(&[&field("d", "x"), &field("u", "K"), file, &field("u", "L")])),
    ];
    let mut rng = ChaCha20Rng::seed_from_u64(25);
    for round in 0..3_000 {
        let (kind, body) = &right[round % right.len()];
        let mut body = body.clone().into_bytes();
        for _ in 0..=rng.next_u32() % 4 {
            let at = rng.next_u32() as usize % body.len().max(1);
            match rng.next_u32() % 4 {
                0 if at < body.len() => body[at] = rng.next_u32() as u8,
                1 if at < body.len() => drop(body.remove(at)),
                2 => body.truncate(at),
                _ => body.splice(at..at, right[round % 3].1.bytes().take(at)).for_each(drop),
            }
        }
        let (_, rest) = look(kind, &body);
        assert!(rest.len() <= body.len());
    }
}

#[test]
fn a25_the_reason_is_kept_for_which_the_scan_did_not_see_a_body_s_end() {
    let file = "Content-Disposition: form-data; name=\"a\"; filename=\"a.wav\"||RIFF";
    let long = format!("a={}", "x".repeat(BODY_SCAN_BYTES_MAX));
    let long_field = parts(&[&field("a", &long), &field("u", "K")]);
    for (content_type, body, expected) in [
        (MULTIPART, parts(&[file, &field("u", "K")]), Some(Unscanned::AfterFile)),
        (
            MULTIPART,
            parts(&[&field("d", "x"), &file.replace("filename", "FileName*")]),
            Some(Unscanned::AfterFile),
        ),
        (MULTIPART, parts(&["Content-Disposition: form-data||x"]), Some(Unscanned::Malformed)),
        (MULTIPART, parts(&[&field("d", "x")]).replace("XX", "XY"), Some(Unscanned::Malformed)),
        (MULTIPART, long_field, Some(Unscanned::BeyondBound)),
        (MULTIPART, parts(&[&field("d", "x")]), None),
        (MULTIPART, String::new(), None),
        (URLENCODED, format!("{long}&u=K"), Some(Unscanned::BeyondBound)),
        (URLENCODED, "a=1".into(), None),
        (JSON, "{\"u\":\"K\"".into(), Some(Unscanned::Malformed)),
        (JSON, "[]".into(), None),
        (JSON, String::new(), None),
    ] {
        assert_eq!(read(content_type, &[body.as_bytes()]).0.unscanned(), expected, "{body:.80}");
    }
    let named = |headers: &str, method: &str, places: &[Place]| {
        let url = Url { origin: "https://a.example", host: "a.example", path: "/", query: None };
        let (headers, arrived) = (Headers::new(headers), UnixMs::from_ms(0));
        BodyScan::obstacle(&Request { method, url, headers, arrived }, places)
    };
    let gzip = format!("content-type\n{URLENCODED}\ncontent-encoding\ngzip");
    for (headers, expected) in [
        (gzip, Some(Unscanned::ContentEncoding)),
        ("content-type\ntext/plain".into(), Some(Unscanned::ContentType)),
        ("content-type\nmultipart/form-data".into(), Some(Unscanned::Malformed)),
        (format!("content-type\n{URLENCODED}"), None),
        (String::new(), None),
    ] {
        assert_eq!(named(&headers, "POST", &places()), expected, "{headers}");
        assert_eq!(named(&headers, "GET", &places()), None);
        assert_eq!(named(&headers, "POST", &[Place::Authorization]), None);
    }
    let json = [Place::Json("u".into())];
    let form = format!("content-type\n{URLENCODED}");
    assert_eq!(named(&form, "POST", &json), Some(Unscanned::ContentType));
}
