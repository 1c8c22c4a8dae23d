//! The tables of mutants that no test can tell from the code (`npm run mutants`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly")]

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of wings.
const WINGS: [&str; 2] = ["src/core", "src/control"];

/// A row of a table.
struct Row {
    table: PathBuf,
    file: String,
    mutant: String,
    line: String,
    reason: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the cells of a Markdown row. `\|` is a bar within a cell.
fn cells(row: &str) -> Vec<String> {
    let cells = row.replace("\\|", "\0");
    let inner = cells.trim().trim_start_matches('|').trim_end_matches('|');
    let cell = |cell: &str| cell.trim().trim_matches('`').replace('\0', "|");
    inner.split('|').map(cell).collect()
}

fn rows() -> Vec<Row> {
    let wings = WINGS.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let tables = wings.map(|wing| wing.unwrap().path().join("mutants.md"));
    tables
        .filter(|table| table.exists())
        .flat_map(|table| {
            let text = fs::read_to_string(&table).unwrap();
            let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
            let row = |cells: Vec<String>| match <[String; 4]>::try_from(cells) {
                Ok([file, mutant, line, reason]) => {
                    Row { table: table.clone(), file, mutant, line, reason }
                }
                Err(cells) => panic!("{}: a row of {} cells", table.display(), cells.len()),
            };
            rows.map(row).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_explained_mutant_is_of_a_line_that_stands() {
    let rows = rows();
    assert!(!rows.is_empty(), "no table of mutants was found");
    for Row { table, file, mutant, line, reason } in rows {
        let source = fs::read_to_string(table.with_file_name(&file)).unwrap_or_default();
        let table = table.strip_prefix(root()).unwrap().display().to_string();
        assert!(source.lines().any(|stands| stands.trim() == line), "{table}: {file}: {line}");
        assert!(mutant.starts_with("replace ") || mutant.starts_with("delete "), "{mutant}");
        assert!(reason.split_whitespace().count() >= 4, "{table}: {mutant}: no reason is given");
    }
}

#[test]
fn a_bar_within_a_cell_does_not_end_it() {
    let row = r"| `a.rs` | `replace \|\| with && in f` | `a \|\| b` | they never differ |";
    assert_eq!(cells(row), ["a.rs", "replace || with && in f", "a || b", "they never differ"]);
}
