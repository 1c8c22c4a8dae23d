use claviger_core::credential::limits::lifetime::EXPIRY_MAX;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> UnixMs {
    UnixMs::parse_rfc3339(text).unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn read(text: &str, now: &str, in_zone: &str) -> Result<String, &'static str> {
    let read = Described::parse(text, at(now), &zone(in_zone));
    let rfc3339 = |at: UnixMs| at.to_rfc3339().unwrap();
    read.map(|d| d.at_ms.map_or("never".to_owned(), rfc3339)).map_err(|e| e.code())
}

#[test]
fn described_for_the_console() {
    let (now, tokyo) = (at("2026-11-22T05:05:00Z"), zone("Asia/Tokyo"));
    let json = |text| serde_json::to_value(Described::parse(text, now, &tokyo).unwrap()).unwrap();
    assert_eq!(
        json("90d"),
        serde_json::json!({"form": "instant", "at_ms": at("2027-02-20T05:05:00Z"), "day": null,
            "zone": "Asia/Tokyo", "from_now_ms": 7_776_000_000_u64})
    );
    assert_eq!(
        json("2027-07-00"),
        serde_json::json!({"form": "end_of_day", "at_ms": at("2027-06-30T15:00:00Z"),
            "day": "2027-06-30", "zone": "Asia/Tokyo", "from_now_ms": 19_043_700_000_u64})
    );
    assert_eq!(
        json("never"),
        serde_json::json!({"form": "never", "at_ms": null, "day": null, "zone": "Asia/Tokyo",
            "from_now_ms": null})
    );
}

/// Days whose end differs from their beginning plus 24 hours.
#[test]
fn ends_of_uncommon_days() {
    for (text, now, in_zone, expected) in [
        // 23 and 25 hours long.
        ("2027-03-14", "2027-03-01T00:00:00Z", "America/New_York", "2027-03-15T04:00:00.000Z"),
        ("2027-11-07", "2027-11-01T00:00:00Z", "America/New_York", "2027-11-08T05:00:00.000Z"),
        // The next day begins at 01:00: clocks went forward at midnight.
        ("2018-11-03", "2018-11-01T00:00:00Z", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z"),
        ("2027-04-29", "2027-04-01T00:00:00Z", "Africa/Cairo", "2027-04-29T22:00:00.000Z"),
        // Clocks went back at midnight: 23:00 to 24:00 happened twice.
        ("2018-02-17", "2018-02-01T00:00:00Z", "America/Sao_Paulo", "2018-02-18T03:00:00.000Z"),
        // The next day's first hour happens twice; the day ends before it.
        ("2027-11-06", "2027-11-01T00:00:00Z", "America/Havana", "2027-11-07T04:00:00.000Z"),
        // Samoa had no 30 December 2011.
        ("2011-12-29", "2011-12-01T00:00:00Z", "Pacific/Apia", "2011-12-30T10:00:00.000Z"),
        ("2011-12-30", "2011-12-01T00:00:00Z", "Pacific/Apia", "2011-12-30T10:00:00.000Z"),
        // A time in a gap moves forward; of a time that happens twice the first counts.
        (
            "2027-03-14T02:30:00",
            "2027-03-01T00:00:00Z",
            "America/New_York",
            "2027-03-14T07:30:00.000Z",
        ),
        (
            "2027-11-07T01:30:00",
            "2027-11-01T00:00:00Z",
            "America/New_York",
            "2027-11-07T05:30:00.000Z",
        ),
        // A day of a duration has 24 hours all the same.
        ("1d", "2027-03-14T05:00:00Z", "America/New_York", "2027-03-15T05:00:00.000Z"),
    ] {
        assert_eq!(read(text, now, in_zone).as_deref(), Ok(expected), "{text} in {in_zone}");
    }
}

#[test]
fn bounds() {
    let now = "2026-11-22T00:00:00Z";
    for (text, expected) in [
        // A century here has 36,524 days, so the limit lies a day after it.
        ("36525d", Ok("2126-11-23T00:00:00.000Z")),
        ("3155760000001", Err("looks_like_unix_time")),
        ("5000000000001", Err("too_far")),
        ("2126-11-23T00:00:00Z", Ok("2126-11-23T00:00:00.000Z")),
        ("2126-11-23T00:00:00.001Z", Err("too_far")),
        ("2126-11-22", Ok("2126-11-23T00:00:00.000Z")),
        ("2126-11-23", Err("too_far")),
        ("9999-12-31", Err("too_far")),
        ("9999-12-31T23:59:59", Err("too_far")),
        ("9999-12-31T23:59:59-23:59", Err("too_far")),
        ("18446744073709551615", Err("too_far")),
        ("18446744073709551616w", Err("too_far")),
        ("9999999999999999999999999999999999999999", Err("too_far")),
        ("99999999999999999999999999999999999999999", Err("too_long")),
        ("2026-11-22T00:00:00Z", Err("in_the_past")),
        ("2026-11-22T00:00:00.001Z", Ok("2026-11-22T00:00:00.001Z")),
        ("0000-01-00", Err("in_the_past")),
        ("0", Err("zero_duration")),
        ("0s", Err("zero_duration")),
        ("1", Ok("2026-11-22T00:00:00.001Z")),
    ] {
        assert_eq!(read(text, now, "UTC").as_deref().map_err(|code| *code), expected, "{text}");
    }
    assert_eq!(read(&"9".repeat(10_000), now, "UTC"), Err("too_long"));
}

/// The ends of the ranges in which a number is refused as a misread time.
#[test]
fn a_number_looks_like_a_time_from_the_first_to_the_last_of_its_range() {
    for (text, expected) in [
        ("999999999", None),
        ("1000000000", Some("looks_like_unix_time")),
        ("4999999999", Some("looks_like_unix_time")),
        ("5000000000", None),
        ("19991231", None),
        ("20000101", Some("looks_like_date")),
        ("21991231", Some("looks_like_date")),
        ("22000101", None),
        ("20271301", None),
        ("199912312359", None),
        ("200001010000", Some("looks_like_date")),
        ("219912312359", Some("looks_like_date")),
        ("220001010000", None),
        ("20000101000000", Some("looks_like_date")),
        ("21991231235959", Some("looks_like_date")),
        ("1999123123595", Some("looks_like_unix_time")),
    ] {
        let refused = read(text, "2026-11-22T00:00:00Z", "UTC").err();
        assert_eq!(refused, expected, "{text}");
        assert_eq!(parse_typed_longest(text).is_err(), expected.is_some(), "{text}");
    }
}

#[test]
fn beginnings() {
    let (now, tokyo) = (at("2026-11-22T05:05:00Z"), zone("Asia/Tokyo"));
    for (text, expected) in [
        ("2026-12-01", Ok("2026-11-30T15:00:00.000Z")),
        ("2026-12-00", Ok("2026-11-29T15:00:00.000Z")),
        ("2026-11-22", Ok("2026-11-21T15:00:00.000Z")),
        ("2026-12-01T09:00:00", Ok("2026-12-01T00:00:00.000Z")),
        ("1h", Ok("2026-11-22T06:05:00.000Z")),
        ("0", Ok("2026-11-22T05:05:00.000Z")),
        ("0d", Ok("2026-11-22T05:05:00.000Z")),
        ("1798761600", Err("looks_like_unix_time")),
        ("1798761600000", Err("looks_like_unix_time")),
        ("20270630", Err("looks_like_date")),
        ("2026-12-01T09:00:00 09:00", Err("blank_for_plus")),
        ("2026-12-01T09:00:00+09:60", Err("no_such_offset")),
        ("never", Err("not_a_time")),
        ("", Err("empty")),
        ("9999-12-31", Err("too_far")),
        ("2126-11-23T05:05:00Z", Ok("2126-11-23T05:05:00.000Z")),
        ("2126-11-23T05:05:00.001Z", Err("too_far")),
        ("2126-11-23", Ok("2126-11-22T15:00:00.000Z")),
        ("2126-11-24", Err("too_far")),
        ("36525d", Ok("2126-11-23T05:05:00.000Z")),
    ] {
        let found = parse_not_before(text, now, &tokyo).map_err(|e| e.code());
        assert_eq!(found, expected.map(at), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_read_lies_ahead_and_in_bounds(text in "[0-9]{1,4}[smhdw]?|20[2-4][0-9][-/][01][0-9][-/][0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,4})?)?( ?(Z|[+-][01][0-9](:?[0-5][0-9])?))?)?") {
        let now = at("2026-11-22T00:00:00Z");
        match Described::parse(&text, now, &zone("Europe/Dublin")) {
            Ok(described) => {
                let end = described.at_ms.unwrap();
                prop_assert!(end > now && end <= now.saturating_add(EXPIRY_MAX));
                // The instant in RFC 3339 reads back to itself.
                let again = Described::parse(&end.to_rfc3339().unwrap(), now, &Zone::utc()).unwrap();
                prop_assert_eq!(again.at_ms, Some(end));
            }
            Err(error) => prop_assert_ne!(error, ExpiryError::Empty),
        }
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,50}") {
        let _ = Described::parse(&text, UnixMs::from_ms(0), &Zone::utc());
    }
}

#[test]
fn what_looks_like_a_time_is_answered_with_the_time_to_write() {
    let now = at("2026-11-22T05:05:00Z");
    let sentence = |text| Described::parse(text, now, &Zone::utc()).unwrap_err().to_string();
    let advice = "this looks like a Unix time: write 2027-01-01T00:00:00.000Z, or a duration with its unit, as in 30d";
    for text in ["1798761600", "1798761600000", "1798761600000000", "1798761600000000000"] {
        assert_eq!(sentence(text), advice, "{text}");
    }
    // A refused word for no end is answered with the word that means it.
    for text in ["unlimited", "Never", "forever", "-1", "∞"] {
        assert!(sentence(text).ends_with("or never"), "{text}");
    }
    for text in ["1798761600", "1798761600000", "20270630", "20270630140500"] {
        assert_eq!(parse_typed_longest(text), Err(MaxLifetimeError::LooksLikeUnixTime), "{text}");
    }
    assert_eq!(parse_typed_longest("0086400000"), Ok(Some(DurationMs::from_days(1))));
    assert_eq!(parse_typed_longest("never"), Ok(None));
}
