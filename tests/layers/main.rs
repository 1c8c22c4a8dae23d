//! Which file may name which: wings go one way, and files form no circle.
//!
//! Reads the syntax tree of `src/`, so that no form of `use` escapes. Tests and documentation may
//! name anything.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly")]
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may overflow loudly"
)]

mod circles;
mod resolver;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::source::{Import, Tree};

/// The wings of each crate, innermost first: a wing names itself and those before it.
const WINGS: [(&str, &[&str]); 2] = [
    (
        "claviger_core",
        &["base", "credential", "config", "replication", "verify", "lease", "gateway"],
    ),
    ("claviger_control", &["protocol", "objects", "ledger", "admin"]),
];

/// The crates of this workspace that a crate may name, besides itself.
const CRATES: [(&str, &[&str]); 6] = [
    ("claviger_core", &[]),
    ("claviger_control", &["claviger_core"]),
    ("claviger_workers", &["claviger_core"]),
    ("claviger_edge", &["claviger_core", "claviger_workers"]),
    ("claviger_admin", &["claviger_control", "claviger_core", "claviger_workers"]),
    ("claviger", &["claviger_control", "claviger_core"]),
];

/// Type names that may stand for several types: each module has its own.
const COMMON_NAMES: [&str; 3] = ["Error", "Reply", "Request"];

fn tree() -> &'static Tree {
    static TREE: LazyLock<Tree> = LazyLock::new(Tree::read);
    assert!(TREE.files.len() > 150, "only {} files were found", TREE.files.len());
    assert!(TREE.imports.len() > 1000, "only {} imports were found", TREE.imports.len());
    &TREE
}

/// The wing of a module path; `None` for the crate's root and what stands beside the wings.
fn wing(path: &[String]) -> Option<usize> {
    let (_, wings) = WINGS.iter().find(|(name, _)| path[0] == *name)?;
    wings.iter().position(|wing| path.get(1).is_some_and(|name| name == wing))
}

#[test]
fn a_wing_names_no_wing_outside_of_it() {
    let tree = tree();
    let is_outward = |Import { from, to, .. }: &&Import| {
        let allowed = CRATES.iter().find(|(name, _)| *name == from[0]).unwrap().1;
        match from[0] == to[0] {
            true => wing(from).zip(wing(to)).is_some_and(|(from, to)| from < to),
            false => !allowed.contains(&to[0].as_str()),
        }
    };
    let outward: Vec<_> = tree.imports.iter().filter(is_outward).map(ToString::to_string).collect();
    assert!(outward.is_empty(), "\n{}", outward.join("\n"));
    for (name, wings) in WINGS {
        let found: BTreeSet<_> = tree
            .files
            .values()
            .filter(|file| file.path[0] == name)
            .filter_map(|file| wing(&file.path))
            .collect();
        assert_eq!(found.len(), wings.len(), "a wing of {name} was not found");
    }
}

#[test]
fn files_form_no_circle() {
    let tree = tree();
    let mut edges: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for import in &tree.imports {
        let (from, to) = (tree.file_of(&import.from), tree.file_of(&import.to));
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            edges.entry(from).or_default().entry(to).or_default().insert(&import.text);
        }
    }
    let graph: BTreeMap<&str, Vec<&str>> =
        edges.iter().map(|(from, to)| (*from, to.keys().copied().collect())).collect();
    let mut report = String::new();
    for circle in circles::circles(&graph) {
        writeln!(report, "\na circle of {}:", circle.len()).unwrap();
        for from in &circle {
            for (to, texts) in edges[from].iter().filter(|(to, _)| circle.contains(*to)) {
                let texts: Vec<_> =
                    texts.iter().map(|text| text.rsplit("::").next().unwrap()).collect();
                writeln!(report, "  {from} -> {to}: {}", texts.join(", ")).unwrap();
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn a_type_s_name_occurs_once() {
    let tree = tree();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, name) in tree
        .files
        .iter()
        .flat_map(|(file, parsed)| parsed.types.iter().map(move |name| (file, name)))
    {
        places.entry(name).or_default().push(file);
    }
    places.retain(|name, files| files.len() > 1 && !COMMON_NAMES.contains(name));
    let report: Vec<_> =
        places.iter().map(|(name, files)| format!("{name}: {}", files.join(", "))).collect();
    assert!(report.is_empty(), "\n{}", report.join("\n"));
}
