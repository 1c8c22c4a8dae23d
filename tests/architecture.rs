//! Holds the table of wings in `docs/architecture.md` against the folders of the crates and their
//! `use` statements. `tests/layers` reads the syntax tree, and finds what a text search does not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One row of the table.
struct Wing {
    folder: PathBuf,
    name: String,
    may_name: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Reads the table, in its order.
fn wings() -> Vec<Wing> {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, table) = page.split_once("<!-- wings -->\n").unwrap();
    let (table, _) = table.split_once("<!-- /wings -->").unwrap();
    let cells = table.lines().skip(2).map(|line| line.split('|').map(quoted).collect::<Vec<_>>());
    cells
        .map(|cells| match &cells[..] {
            [_, krate, name, may_name, _] => Wing {
                folder: root().join("src").join(&krate[0]).join(&name[0]),
                name: name[0].clone(),
                may_name: may_name.clone(),
            },
            _ => panic!("a row has {} cells", cells.len()),
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => rust_files(&path),
            Some(extension) if extension == "rs" => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

/// Returns the first segment of each path that a `use` statement takes from this crate or the core:
/// `use crate::{a::b, c};` gives `a` and `c`.
fn imports(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for statement in text.split(';') {
        let Some((_, path)) = statement.rsplit_once("use ") else { continue };
        for start in ["crate::", "claviger_core::", "claviger_control::"] {
            let Some(path) = path.trim_start().strip_prefix(start) else { continue };
            let Some(list) = path.strip_prefix('{') else {
                found.extend(path.split(|c| !is_name(c)).next());
                continue;
            };
            let mut depth = 0;
            let parts = list.split(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                c == ',' && depth == 0
            });
            found.extend(parts.filter_map(|part| part.trim().split(|c| !is_name(c)).next()));
        }
    }
    found
}

#[test]
fn the_table_lists_each_wing_once_and_every_row_names_only_rows_above() {
    let mut listed: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for wing in wings() {
        for name in &wing.may_name {
            assert!(above.contains(name), "{} may name {name}, which is not above", wing.name);
        }
        above.push(wing.name);
        *listed.entry(wing.folder).or_default() += 1;
    }
    let folders = ["src/core", "src/control"].iter().flat_map(|krate| {
        fs::read_dir(root().join(krate)).unwrap().map(|entry| entry.unwrap().path())
    });
    let folders: BTreeMap<PathBuf, usize> =
        folders.filter(|path| path.is_dir()).map(|path| (path, 1)).collect();
    assert_eq!(listed, folders);
}

#[test]
fn no_wing_imports_what_its_row_does_not_name() {
    let wings = wings();
    let is_wing = |name: &str| wings.iter().any(|wing| wing.name == name);
    let mut imported = 0;
    for wing in &wings {
        let is_test = |file: &Path| file.to_string_lossy().contains("/tests");
        for file in rust_files(&wing.folder).into_iter().filter(|file| !is_test(file)) {
            let text = fs::read_to_string(&file).unwrap();
            // A test may name anything.
            let text = text.split("#[cfg(test)]\nmod").next().unwrap();
            for name in imports(text).into_iter().filter(|name| is_wing(name)) {
                imported += 1;
                let may = name == wing.name || wing.may_name.iter().any(|other| other == name);
                assert!(may, "{} imports {name}", file.display());
            }
        }
    }
    assert!(imported > 300, "only {imported} imports were found");
}

#[test]
fn imports_are_found_in_braces_too() {
    let text = "use crate::{a::{b, c}, d};\nuse claviger_core::e::F;\n// use crate::g\nuse std::h;";
    assert_eq!(imports(text), ["a", "d", "e"]);
}
