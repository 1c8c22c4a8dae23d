//! The tables of mutants that no test can tell from the code (`npm run mutants`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly")]

use std::fs;
use std::path::Path;

/// Folders of wings.
const WINGS: [&str; 2] = ["src/core", "src/control"];

/// Returns the cells of a Markdown row. `\|` is a bar within a cell.
fn cells(row: &str) -> Vec<String> {
    let cells = row.replace("\\|", "\0");
    let inner = cells.trim().trim_start_matches('|').trim_end_matches('|');
    let cell = |cell: &str| cell.trim().trim_matches('`').replace('\0', "|");
    inner.split('|').map(cell).collect()
}

/// Returns the faults of a table. `source` returns the text of a file of the wing.
fn faults(table: &str, source: impl Fn(&str) -> String) -> Vec<String> {
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let fault = |row: &str| match <[String; 4]>::try_from(cells(row)) {
        Err(cells) => Some(format!("{} cells: {row}", cells.len())),
        Ok([file, mutant, line, reason]) => {
            let stands = source(&file).lines().any(|stands| stands.trim() == line);
            let is_mutant = ["replace ", "delete "].iter().any(|verb| mutant.starts_with(verb));
            let is_explained = reason.split_whitespace().count() > 3;
            (!stands || !is_mutant || !is_explained).then(|| row.to_owned())
        }
    };
    rows.filter_map(fault).collect()
}

#[test]
fn every_explained_mutant_is_of_a_line_that_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for wing in WINGS.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap()) {
        let wing = wing.unwrap().path();
        let Ok(table) = fs::read_to_string(wing.join("mutants.md")) else { continue };
        let source = |file: &str| fs::read_to_string(wing.join(file)).unwrap_or_default();
        assert_eq!(faults(&table, source), Vec::<String>::new(), "{}", wing.display());
    }
}

#[test]
fn a_row_that_is_out_of_date_or_explains_nothing_is_a_fault() {
    let good = r"| `a.rs` | `replace \|\| with && in f` | `a \|\| b` | the two never differ |";
    let source = |file: &str| if file == "a.rs" { "fn f() {\n    a || b\n}\n" } else { "" }.into();
    assert_eq!(faults(&format!("# Mutants\n\n{good}\n"), source), Vec::<String>::new());
    for (part, other) in [
        ("`a.rs`", "`b.rs`"),
        (r"`a \|\| b`", "`a && b`"),
        ("`replace", "`change"),
        ("the two never differ", "equivalent"),
        ("the two never differ |", "the two | never differ |"),
    ] {
        assert_eq!(faults(&good.replace(part, other), source).len(), 1, "{other}");
    }
}
