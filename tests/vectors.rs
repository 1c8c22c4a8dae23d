//! Runs the vector files: one case a line, `input ⇒ expected`, `#` begins a comment line.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

use claviger_control::protocol::expiry_text::{Described, ExpiryKind};
use claviger_control::protocol::zone::Zone;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::{
    NetworkError, NetworkOutcome, Networks, ParsedNetworks, parse_lines,
};

/// The cases of a file: line number, input, expected.
fn cases(file: &'static str) -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    (1..).zip(file.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(
        |(number, line)| {
            let (input, expected) =
                line.split_once(" ⇒ ").unwrap_or_else(|| panic!("line {number}: no ⇒"));
            (number, input, expected)
        },
    )
}

#[test]
fn networks() {
    let outcome = |checked: &ParsedNetworks| -> Result<String, NetworkError> {
        assert_eq!(checked.count, 1, "one entry a line");
        Networks::try_from(checked).map(|networks| networks.to_string())
    };
    for (number, input, expected) in cases(include_str!("vectors/networks.txt")) {
        let checked = parse_lines(input);
        let found = match outcome(&checked) {
            Ok(stored) => {
                assert_eq!(outcome(&parse_lines(&stored)).as_ref(), Ok(&stored), "line {number}");
                let changed = stored != input;
                assert!(
                    matches!(checked.entries[0].outcome, NetworkOutcome::Stored { changed: c, .. } if c == changed),
                    "line {number}"
                );
                stored
            }
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(found, expected, "line {number}: {input}");
    }
}

#[test]
fn expiry() {
    let now = UnixMs::parse_rfc3339("2026-11-22T05:05:00Z").expect("an instant");
    let zone = Zone::parse("Asia/Tokyo").expect("a zone");
    for (number, input, expected) in cases(include_str!("vectors/expiry.txt")) {
        let found = match Described::parse(input, now, &zone) {
            Ok(Described { form: ExpiryKind::Never, at_ms: None, .. }) => "never".to_owned(),
            Ok(Described { form: ExpiryKind::Instant, at_ms: Some(at), .. }) => {
                format!("instant {}", at.to_rfc3339().expect("a year below 10000"))
            }
            Ok(Described { form: ExpiryKind::EndOfDay, at_ms: Some(at), .. }) => {
                format!("end_of_day {}", at.to_rfc3339().expect("a year below 10000"))
            }
            Ok(other) => panic!("line {number}: {other:?}"),
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(found, expected, "line {number}: {input:?}");
    }
}
