//! What every parser and the gateway promise of any input, one function for each fuzz target.
//!
//! `cargo +nightly fuzz run <target>` runs one with libFuzzer; `tests/fuzz_seeds.rs` replays the
//! seeds in the suite. Common to all: no input panics.

use core::cell::RefCell;
use core::fmt::Display;
use std::rc::Rc;

use claviger_control::protocol::expiry_text::{Described, parse_not_before};
use claviger_control::protocol::passkey::authenticator_data::AuthenticatorData;
use claviger_control::protocol::zone::Zone;
use claviger_core::base::http::request::{Headers, Request, Url};
use claviger_core::base::time::UnixMs;
use claviger_core::config::rules::Place;
use claviger_core::config::settings::Config;
use claviger_core::credential::key::{KeyText, access_key};
use claviger_core::credential::limits::lifetime::{Expiry, parse_longest, parse_span};
use claviger_core::credential::limits::network::{Network, Networks, parse_lines};
use claviger_core::credential::limits::permission::{Grant, Permission, Permissions};
use claviger_core::credential::sealed::{NewSealed, SealedText};
use claviger_core::gateway::body::{BodyScan, Fields};
use claviger_core::gateway::exchange::{Exchange, ExchangeStep, Got, OwnedRequest};
use claviger_core::gateway::gateway::Gateway;
use claviger_core::replication::record::Record;
use claviger_core::testing;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A target: its name, and its check of one input.
pub type Target = (&'static str, fn(&[u8]));

/// The targets, by name.
pub const TARGETS: [Target; 9] = [
    ("bodies", bodies),
    ("exchange", exchange),
    ("expiry", expiry),
    ("key", key),
    ("network", network),
    ("passkey", passkey),
    ("permission", permission),
    ("record", record),
    ("sealed_key", sealed_key),
];

/// The present of all targets: 2026-11-22T05:05:00Z.
const NOW: UnixMs = UnixMs::from_ms(1_795_323_900_000);

/// A key that parses begins with its access key, and no other character in one place makes another
/// key of it: the checksum finds every mistyped character.
pub fn key(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Config { prefix, keyring, .. } = testing::config();
    match KeyText::parse(text, &prefix) {
        Ok(parsed) => {
            assert!(text.starts_with(&access_key(&prefix, parsed.id())), "another access key");
            let _ = parsed.authenticate(&prefix, &keyring);
            each_mistyped(text, |other| assert!(KeyText::parse(other, &prefix).is_err()));
        }
        Err(error) => quotes_nothing(text, may_be_words_about_keys(text), error),
    }
}

/// A sealed key that parses has the same checksum property. One that is authentic seals again to
/// the same claims.
pub fn sealed_key(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Config { prefix, keyring, .. } = testing::config();
    let parsed = match SealedText::parse(text, &prefix) {
        Ok(parsed) => parsed,
        Err(error) => return quotes_nothing(text, may_be_words_about_keys(text), error),
    };
    assert!(SealedText::is_meant(text, &prefix));
    each_mistyped(text, |other| assert!(SealedText::parse(other, &prefix).is_err()));
    if let Some(made) = parsed.authenticate(&prefix, &keyring, NOW)
        && let Some(again) = NewSealed::seal(made.claims(), &prefix, &keyring)
    {
        let reread = SealedText::parse(again.expose(), &prefix);
        let reread = reread.ok().and_then(|parsed| parsed.authenticate(&prefix, &keyring, NOW));
        assert_eq!(reread.map(|made| made.claims().clone()).as_ref(), Some(made.claims()));
    }
}

/// A scan finds the same fields and cuts however the body is cut into chunks, and its cuts lie in
/// the body, in order. The first byte picks the media type, the second the length of a chunk.
pub fn bodies(data: &[u8]) {
    let [kind, chunk, body @ ..] = data else { return };
    let media_type = match kind % 3 {
        0 => "application/x-www-form-urlencoded",
        1 => "multipart/form-data; boundary=XX",
        _ => "application/json",
    };
    let whole = scan(media_type, body, body.len().max(1));
    let parts = scan(media_type, body, usize::from(*chunk).max(1));
    let seen = |fields: &Fields| {
        let values: Vec<String> = fields.values().map(str::to_owned).collect();
        (values, fields.cuts().to_vec(), fields.is_too_large())
    };
    assert_eq!(seen(&whole), seen(&parts), "another reading in chunks of {chunk}");
    let mut end = 0;
    for cut in whole.cuts() {
        assert!(end <= cut.start && cut.start < cut.end && cut.end <= body.len(), "{cut:?}");
        end = cut.end;
    }
}

fn scan(media_type: &str, body: &[u8], chunk: usize) -> Fields {
    let headers = ["content-type\n", media_type].concat();
    let url = Url::parse("https://a.example/").expect("a URL");
    let request = Request { method: "POST", url, headers: Headers::new(&headers), arrived: NOW };
    let places = [Place::Form("u".into()), Place::Form("k".into()), Place::Json("u".into())];
    let mut scan = BodyScan::of(&request, &places).expect("a body that may hold a field");
    for part in body.chunks(chunk) {
        if !scan.is_read() {
            scan.take(part);
        }
    }
    scan.end();
    scan.into_fields()
}

/// Data of an authenticator have one reading: neither the same without their last byte nor with one
/// more are accepted.
pub fn passkey(data: &[u8]) {
    const HOST: &str = "localhost";
    if AuthenticatorData::read(data, HOST).is_ok() {
        assert!(AuthenticatorData::read(data, "example.org").is_err(), "another relying party");
        let (_, shorter) = data.split_last().unwrap_or((&0, data));
        let longer = [data, &[0]].concat();
        for other in [shorter, &longer] {
            assert!(AuthenticatorData::read(other, HOST).is_err(), "another length");
        }
    }
}

/// A permission, a grant or a stored list that parses is written as it was read.
pub fn permission(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match text.parse::<Permission>() {
        Ok(parsed) => assert_eq!(parsed.to_string(), text),
        // No word of these errors is as long, except for one that is a permission.
        Err(error) => quotes_nothing(text, text.trim().contains(' '), error),
    }
    if let Ok(parsed) = text.parse::<Grant>() {
        assert_eq!(parsed.to_string(), text);
    }
    let list: Vec<&str> = text.lines().collect();
    if let Ok(parsed) = Permissions::from_stored(list.iter().copied()) {
        assert_eq!(parsed.iter().map(ToString::to_string).collect::<Vec<_>>(), list);
    }
    if let Ok(parsed) = Permissions::parse(list) {
        same_json(&parsed);
    }
}

/// Networks have one stored form: what is read from it is written as it.
pub fn network(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(parsed) = text.parse::<Network>() {
        assert_eq!(parsed.to_string().parse(), Ok(parsed));
    }
    let checked = parse_lines(text);
    if let Ok(networks) = Networks::try_from(&checked) {
        let stored = networks.to_string();
        assert_eq!(Networks::try_from(&parse_lines(&stored)), Ok(networks.clone()));
        same_json(&networks);
    }
}

/// A record that parses is written, and then read and written alike.
pub fn record(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(parsed) = Record::from_kv(text, testing::key_id()) {
        same_json(&parsed);
    }
}

/// An expiry lies in the future and is a number that the record keeps.
pub fn expiry(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let zone = Zone::parse("Asia/Tokyo").expect("a zone");
    if let Ok(described) = Described::parse(text, NOW, &zone) {
        let expiry = described.expiry();
        assert!(!expiry.is_past(NOW), "an end in the past");
        let json = serde_json::to_string(&expiry).expect("JSON");
        assert_eq!(serde_json::from_str::<Expiry>(&json).ok(), Some(expiry));
    }
    let _ = parse_not_before(text, NOW, &zone);
    if let Ok(at) = parse_span(text, NOW) {
        assert!(at >= NOW, "a span that ends in the past");
    }
    let _ = parse_longest(text);
}

/// An exchange ends, whatever the request is and whatever the platform answers. The first line is
/// the method, the second the URL, the third the headers with `|` for a line end; each further line
/// is one answer.
pub fn exchange(data: &[u8]) {
    /// More than any exchange asks for.
    const STEPS_MAX: usize = 200;
    let Some(text) = text(data) else { return };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (method, url, headers) = (line(), line(), line().replace('|', "\n"));
    let request = OwnedRequest { method, url, headers, arrived: NOW, is_counted: false };
    let gateway = Rc::new(RefCell::new(Gateway::new(testing::config(), 1)));
    let rng = ChaCha8Rng::from_seed([7; 32]);
    let mut exchange = Exchange::begin(gateway, request, rng);
    let mut got = Got::Nothing;
    for _ in 0..STEPS_MAX {
        if let ExchangeStep::Done { .. } = exchange.resume(got, NOW) {
            return;
        }
        got = match lines.next() {
            None => Got::Nothing,
            Some("late") => Got::TooLate,
            Some("end") => Got::Bytes(None),
            Some("fit") => Got::Fit(true),
            Some(line) => match line.strip_prefix("bytes ") {
                Some(bytes) => Got::Bytes(Some(bytes.into())),
                None => Got::Text(line.to_owned()),
            },
        };
    }
    panic!("the exchange does not end");
}

fn text(data: &[u8]) -> Option<&str> {
    core::str::from_utf8(data).ok()
}

/// Checks that an error does not repeat its input, which may be a secret. Short texts occur in any
/// sentence, and a long text may be words of the error's sentence itself: `may_be_words`.
fn quotes_nothing(text: &str, may_be_words: bool, error: impl Display) {
    let text = text.trim();
    assert!(text.len() < 12 || may_be_words || !error.to_string().contains(text), "{error}");
}

/// Returns `true` if the text may be words of an error about keys: none has a `_`, each key has.
fn may_be_words_about_keys(text: &str) -> bool {
    !text.contains('_')
}

/// Checks that the JSON of a value reads back to the same JSON.
fn same_json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) {
    let json = serde_json::to_string(value).expect("JSON");
    let again: T = serde_json::from_str(&json).expect("what was written can be read");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), json);
}

/// Calls `check` with the text after one character in one place was mistyped, for some places.
fn each_mistyped(text: &str, check: impl Fn(&str)) {
    for place in (0..text.len()).step_by(text.len() / 16 + 1) {
        let mut other = text.as_bytes().to_vec();
        other[place] = if other[place] == b'x' { b'y' } else { b'x' };
        check(core::str::from_utf8(&other).expect("ASCII"));
    }
}
