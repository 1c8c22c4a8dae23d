//! Runs the vector files: one case a line, `input ⇒ expected`, `#` begins a comment line.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

use claviger::network::{Checked, NetworkError, Networks, Outcome, parse_lines};

/// The cases of a file: line number, input, expected.
fn cases(file: &'static str) -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    (1..).zip(file.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(
        |(number, line)| {
            let (input, expected) = line.split_once(" ⇒ ").unwrap_or_else(|| panic!("line {number}: no ⇒"));
            (number, input, expected)
        },
    )
}

#[test]
fn networks() {
    let outcome = |checked: &Checked| -> Result<String, NetworkError> {
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
                    matches!(checked.entries[0].outcome, Outcome::Stored { changed: c, .. } if c == changed),
                    "line {number}"
                );
                stored
            }
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(found, expected, "line {number}: {input}");
    }
}
