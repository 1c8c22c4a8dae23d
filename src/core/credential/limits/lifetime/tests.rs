use serde::{Deserialize, Serialize};

use super::*;

fn at(text: &str) -> UnixMs {
    UnixMs::parse_rfc3339(text).unwrap()
}

#[test]
fn the_end_is_the_first_instant_that_is_past() {
    let end = Expiry::At(UnixMs::from_ms(1000));
    assert!(!end.is_past(UnixMs::from_ms(999)));
    assert!(end.is_past(UnixMs::from_ms(1000)));
    assert!(!Expiry::Never.is_past(UnixMs::from_ms(i64::MAX)));
}

#[test]
fn how_long_something_may_last() {
    for (text, expected) in [
        ("never", Ok(None)),
        ("24h", Ok(Some(86_400_000))),
        ("1", Ok(Some(1))),
        ("36525d", Ok(Some(EXPIRY_MAX.as_ms()))),
        ("36526d", Err("too_long")),
        ("99999999999999999999", Err("too_long")),
        ("99999999999999999999w", Err("too_long")),
        ("0", Err("not_a_span")),
        ("0h", Err("not_a_span")),
        ("", Err("not_a_span")),
        ("Never", Err("not_a_span")),
        ("07h", Ok(Some(25_200_000))),
        ("1798761600000", Err("looks_like_unix_time")),
        ("1798761600", Ok(Some(1_798_761_600))),
        ("-1h", Err("not_a_span")),
        ("1y", Err("not_a_span")),
        ("2027-06-30", Err("not_a_span")),
    ] {
        let read =
            parse_longest(text).map(|span| span.map(DurationMs::as_ms)).map_err(|e| e.code());
        assert_eq!(read, expected, "{text}");
    }
}

/// The ends of the range, in milliseconds, microseconds and nanoseconds.
#[test]
fn a_number_is_a_unix_time_from_2001_to_2128_in_each_unit() {
    for unit in ["", "000", "000000"] {
        let last = unit.replace('0', "9");
        for (text, is_time) in [
            (format!("999999999999{last}"), false),
            (format!("1000000000000{unit}"), true),
            (format!("4999999999999{last}"), true),
            (format!("5000000000000{unit}"), false),
        ] {
            assert_eq!(unix_time(&text).is_some(), is_time, "{text}");
            let longest = parse_longest(&text) == Err(MaxLifetimeError::LooksLikeUnixTime);
            assert_eq!(longest, is_time, "{text}");
        }
    }
}

#[test]
fn a_time_has_at_most_40_bytes() {
    let padded = |width: usize| format!("{:0>width$}", "1h");
    assert_eq!(check_length(&padded(40)), Ok(()));
    assert_eq!(check_length(&padded(41)), Err(ExpiryError::TooLong { max: 40 }));
    assert_eq!(parse_longest(&padded(40)), Ok(Some(DurationMs::from_s(3_600))));
    assert_eq!(parse_longest(&padded(41)), Err(MaxLifetimeError::NotASpan));
}

#[test]
fn earlier_end() {
    let (soon, late) = (Expiry::At(UnixMs::from_ms(1)), Expiry::At(UnixMs::from_ms(2)));
    for (a, b, earlier) in [
        (soon, late, soon),
        (late, soon, soon),
        (Expiry::Never, late, late),
        (late, Expiry::Never, late),
        (Expiry::Never, Expiry::Never, Expiry::Never),
    ] {
        assert_eq!(a.earlier(b), earlier);
    }
}

#[test]
fn json() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        expires: Expiry,
    }
    for (json, expires) in [
        (r#"{"expires":null}"#, Some(Expiry::Never)),
        (r#"{"expires":1814367600000}"#, Some(Expiry::At(UnixMs::from_ms(1_814_367_600_000)))),
        (r#"{"expires":-1}"#, Some(Expiry::At(UnixMs::from_ms(-1)))),
        (r#"{}"#, None),
        (r#"{"expires":"never"}"#, None),
        (r#"{"expires":1.5}"#, None),
        (r#"{"expires":false}"#, None),
        (r#"{"expires":18446744073709551615}"#, None),
    ] {
        let record = serde_json::from_str::<Record>(json).ok();
        assert_eq!(record.as_ref().map(|r| r.expires), expires, "{json}");
        if let Some(record) = record {
            assert_eq!(serde_json::to_string(&record).unwrap(), json);
        }
    }
}

#[test]
fn codes() {
    let now = UnixMs::from_ms(0);
    for error in [
        ExpiryError::Empty,
        ExpiryError::TooLong { max: 1 },
        ExpiryError::NotATime,
        ExpiryError::LooksLikeUnixTime { at: now },
        ExpiryError::LooksLikeDate,
        ExpiryError::BlankForPlus,
        ExpiryError::NoSuchDay,
        ExpiryError::NoSuchTime,
        ExpiryError::NoSuchOffset,
        ExpiryError::ZeroDuration,
        ExpiryError::InThePast { at: now },
        ExpiryError::TooFar { max: now },
        ExpiryError::BeginsAfterEnd { at: now },
    ] {
        assert_eq!(serde_json::to_value(error).unwrap()["code"], error.code());
    }
}

#[test]
fn what_ends_begins_before() {
    let now = at("2026-11-22T05:05:00Z");
    let end = Expiry::At(now);
    assert_eq!(end.check_begin(UnixMs::from_ms(now.as_ms() - 1)), Ok(()));
    assert_eq!(end.check_begin(now), Err(ExpiryError::BeginsAfterEnd { at: now }));
    assert_eq!(Expiry::Never.check_begin(now), Ok(()));
}

#[test]
fn an_end_that_needs_no_calendar_is_read_and_every_other_is_left_to_it() {
    let now = "2026-11-22T00:00:00Z";
    for (text, expected) in [
        ("never", Some(Ok("never"))),
        ("1", Some(Ok("2026-11-22T00:00:00.001Z"))),
        ("30000", Some(Ok("2026-11-22T00:00:30.000Z"))),
        ("90s", Some(Ok("2026-11-22T00:01:30.000Z"))),
        ("5m", Some(Ok("2026-11-22T00:05:00.000Z"))),
        ("2h", Some(Ok("2026-11-22T02:00:00.000Z"))),
        ("100d", Some(Ok("2027-03-02T00:00:00.000Z"))),
        ("2w", Some(Ok("2026-12-06T00:00:00.000Z"))),
        // A number is never a date.
        ("20270630", Some(Ok("2026-11-22T05:37:50.630Z"))),
        // A century here has 36,524 days, so the limit lies a day after it.
        ("36525d", Some(Ok("2126-11-23T00:00:00.000Z"))),
        ("3155760000001", Some(Err("looks_like_unix_time"))),
        ("5000000000000", Some(Err("too_far"))),
        // As milliseconds it is 57 years; nobody asks for that in milliseconds.
        ("1798761600000", Some(Err("looks_like_unix_time"))),
        ("001798761600000", Some(Err("looks_like_unix_time"))),
        ("1798761600000000", Some(Err("looks_like_unix_time"))),
        ("1798761600000000000", Some(Err("looks_like_unix_time"))),
        ("999999999999", Some(Ok("2058-07-31T01:46:39.999Z"))),
        // The interface reads a number as milliseconds: these may be 20 days.
        ("1798761600", Some(Ok("2026-12-12T19:39:21.600Z"))),
        ("00030000", Some(Ok("2026-11-22T00:00:30.000Z"))),
        ("05m", Some(Ok("2026-11-22T00:05:00.000Z"))),
        ("unlimited", Some(Err("not_a_time"))),
        ("2027-01-01 00:00:00 09:00", Some(Err("blank_for_plus"))),
        ("2027/01/01 00:00:00  0900", Some(Err("blank_for_plus"))),
        ("18446744073709551615", Some(Err("too_far"))),
        ("18446744073709551616w", Some(Err("too_far"))),
        ("9999999999999999999999999999999999999999", Some(Err("too_far"))),
        ("99999999999999999999999999999999999999999", Some(Err("too_long"))),
        ("", Some(Err("empty"))),
        ("0", Some(Err("zero_duration"))),
        ("0s", Some(Err("zero_duration"))),
        ("-1", Some(Err("not_a_time"))),
        ("1.5", Some(Err("not_a_time"))),
        ("5M", Some(Err("not_a_time"))),
        ("Never", Some(Err("not_a_time"))),
        ("2027-6-30", Some(Err("not_a_time"))),
        // The form alone decides that a text is a date, even if no calendar has that date.
        ("2027-06-30", None),
        ("2027/07/00", None),
        ("2027-02-30", None),
        ("2026-11-22T00:00:00Z", None),
        ("2027/06/30 12:00:00 +0900", None),
        ("2027-06-30T24:00", None),
        ("9999-12-31", None),
    ] {
        let read = parse_without_calendar(text, at(now)).map(|read| {
            let rfc3339 = |at: UnixMs| at.to_rfc3339().unwrap();
            read.map(|end| end.at().map_or("never".to_owned(), rfc3339))
                .map_err(|error| error.code())
        });
        let read = read.as_ref().map(|read| read.as_deref().map_err(|code| *code));
        assert_eq!(read, expected, "{text}");
    }
}

/// The edge reads these from a ledger, and the console makes other languages from them.
#[test]
fn every_error_reads_back_the_same_from_its_json() {
    let at = UnixMs::from_ms(7);
    for error in [
        ExpiryError::Empty,
        ExpiryError::TooLong { max: EXPIRY_BYTES_MAX },
        ExpiryError::NotATime,
        ExpiryError::NoSuchDay,
        ExpiryError::LooksLikeUnixTime { at },
        ExpiryError::LooksLikeDate,
        ExpiryError::BlankForPlus,
        ExpiryError::NoSuchTime,
        ExpiryError::NoSuchOffset,
        ExpiryError::ZeroDuration,
        ExpiryError::InThePast { at },
        ExpiryError::TooFar { max: at },
        ExpiryError::BeginsAfterEnd { at },
    ] {
        let json = serde_json::to_string(&error).unwrap();
        assert!(json.starts_with(&format!(r#"{{"code":"{}""#, error.code())), "{json}");
        assert_eq!(ExpiryError::parse_json(&json), Some(error));
    }
    let later = ExpiryError::parse_json(r#"{"code":"of_a_later_release"}"#);
    assert_eq!(later, Some(ExpiryError::NotATime));
}
