//! `docs/asvs.md` has a row for each requirement of its chapters, and each row names tests that
//! exist.

use std::fs;
use std::path::Path;

/// The requirements of levels 1 and 2 in chapters 6, 7 and 16 of ASVS 5.0.0.
const REQUIREMENTS: &[&str] = &[
    "6.1.1", "6.1.2", "6.1.3", "6.2.1", "6.2.2", "6.2.3", "6.2.4", "6.2.5", "6.2.6", "6.2.7",
    "6.2.8", "6.2.9", "6.2.10", "6.2.11", "6.3.1", "6.3.2", "6.3.3", "6.4.1", "6.4.2", "6.4.3",
    "6.4.4", "6.5.1", "6.5.2", "6.5.3", "6.5.4", "6.5.5", "6.6.1", "6.6.2", "6.6.3", "6.8.1",
    "6.8.2", "6.8.3", "7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.3.1",
    "7.3.2", "7.4.1", "7.4.2", "7.4.3", "7.4.4", "7.4.5", "7.5.1", "7.5.2", "7.6.1", "7.6.2",
    "16.1.1", "16.2.1", "16.2.2", "16.2.3", "16.2.4", "16.2.5", "16.3.1", "16.3.2", "16.3.3",
    "16.3.4", "16.4.1", "16.4.2", "16.4.3", "16.5.1", "16.5.2", "16.5.3",
];

/// Requirements that name something which Claviger does not have.
const NOT_APPLICABLE: &[&str] = &["6.6.1", "6.8.3", "16.4.3"];

/// Returns `true` for the number of a requirement.
fn is_number(cell: &str) -> bool {
    cell.starts_with(|sign: char| sign.is_ascii_digit()) && cell.contains('.')
}

/// Returns the cells of each row that begins with a number.
fn rows(page: &str) -> Vec<Vec<&str>> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect::<Vec<_>>())
        .filter(|cells| cells.first().is_some_and(|first| is_number(first)))
        .collect()
}

/// Returns what is wrong with the evidence of a row; nothing if each named test exists.
fn wrong(evidence: &str, root: &Path) -> Vec<String> {
    evidence
        .split("; ")
        .filter_map(|one| {
            let Some((file, test)) = one.split_once(" › ") else {
                return Some(format!("no test is named: {one}"));
            };
            let (file, test) = (file.trim_matches('`'), test.trim_matches('`'));
            let Ok(source) = fs::read_to_string(root.join(file)) else {
                return Some(format!("{file} is not there"));
            };
            let is_test = [
                format!("fn {test}()"),
                format!("test(\"{test}\""),
                format!("describe(\"{test}\""),
            ];
            let found = is_test.iter().any(|text| source.contains(text));
            (!found).then(|| format!("{file} has no test {test:?}"))
        })
        .collect()
}

#[test]
fn every_requirement_has_a_row_and_every_row_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/asvs.md")).unwrap();
    let rows = rows(&page);
    let listed: Vec<&str> = rows.iter().map(|cells| cells[0]).collect();
    assert_eq!(listed, REQUIREMENTS);
    let mut errors = Vec::new();
    for cells in rows {
        let [requirement, how, evidence] = cells[..] else { panic!("{cells:?}") };
        assert!(!how.is_empty(), "{requirement}");
        if evidence == "not applicable" {
            assert!(NOT_APPLICABLE.contains(&requirement), "{requirement}");
            continue;
        }
        errors.extend(
            wrong(evidence, root).into_iter().map(|error| format!("{requirement}: {error}")),
        );
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn a_test_that_is_missing_is_noticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = "`tests/asvs.rs` › `a_test_that_is_missing_is_noticed`";
    assert!(wrong(own, root).is_empty());
    assert_eq!(wrong(&format!("{own}; `tests/asvs.rs` › `no_such_test`"), root).len(), 1);
    assert_eq!(wrong("`tests/none.rs` › `a`", root).len(), 1);
    assert_eq!(wrong("by review", root).len(), 1);
}
