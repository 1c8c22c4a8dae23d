//! House rules that no compiler checks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file, in lines: what one can hold in mind.
const LINES_MAX: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the project, as git knows them, so that what a build leaves behind does not count.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<PathBuf> =
        text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    assert!(files.len() > 50, "git lists too few files: {}", files.len());
    files.into_iter().filter(|file| root().join(file).exists()).collect()
}

fn read(file: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_default()
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
}

#[test]
fn a_source_file_can_be_held_in_mind() {
    for file in files().iter().filter(|file| has_extension(file, &["rs", "js", "mjs", "jsx"])) {
        let lines = read(file).lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", file.display());
    }
}

/// Core, objects, edge, as `src/lib.rs` tells: no ring names one that lies outside of it.
#[test]
fn arrows_point_inwards_only() {
    const OBJECTS: [&str; 4] = ["ledger", "name", "directory", "address"];
    let mut core_files = 0;
    for file in
        files().iter().filter(|file| file.starts_with("src") && has_extension(file, &["rs"]))
    {
        let module =
            file.components().nth(1).unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let outside: Vec<&str> = match module {
            "lib" | "edge" => continue,
            module if OBJECTS.contains(&module) => vec!["edge"],
            _ => [&["edge"], OBJECTS.as_slice()].concat(),
        };
        core_files += usize::from(outside.len() > 1);
        let text = read(file);
        // Doc comments may link outwards.
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for module in &outside {
                let names_it = line.contains(&format!("crate::{module}::"));
                assert!(!names_it, "{} names {module}: {line}", file.display());
            }
        }
    }
    assert!(core_files > 50, "only {core_files} files of the core were found");
}

#[test]
fn documents_link_to_files_that_are_there() {
    let mut links = 0;
    for file in files().iter().filter(|file| has_extension(file, &["md"])) {
        let text = read(file);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let path = target.split('#').next().unwrap();
            let found = root().join(file).parent().unwrap().join(path);
            assert!(found.exists(), "{} links to {target}", file.display());
            links += 1;
        }
    }
    assert!(links > 10, "only {links} links were found");
}

#[test]
fn the_readme_s_commands_are_those_of_package_json_and_xtask() {
    let readme = read("README.md");
    let package = read("package.json");
    let xtask = read("xtask/src/main.rs");
    for script in ["start", "test"] {
        assert!(
            readme.contains(&format!("npm {script}"))
                && package.contains(&format!("\"{script}\":")),
            "{script}"
        );
    }
    assert!(readme.contains("npm run deploy") && package.contains("\"deploy\":"));
    for line in readme.lines().filter(|line| line.contains("-p xtask -- ")) {
        let command = line.split("-p xtask -- ").nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(xtask.contains(&format!("[\"{command}\"")), "the README calls xtask {command}");
    }
}

#[test]
fn every_problem_code_is_explained_and_nothing_else_is() {
    const CODES: [&str; 4] = [
        "src/core/base/http/problem.rs",
        "src/core/gateway/problem.rs",
        "src/core/verify/verdict.rs",
        "src/control/admin/problem.rs",
    ];
    let page = read("www/problems.html");
    let explained: Vec<&str> =
        page.split("<dt id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let source = [CODES.map(read).concat(), read("src/workers/edge/origin.js")].concat();
    for code in &explained {
        assert!(
            source.contains(&format!("\"{code}\"")),
            "the page explains {code}, which is no code"
        );
    }
    // In `fn code`, every arm that is not delegated ends in a literal.
    for file in CODES {
        let text = read(file);
        let body = text.split("pub fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
        for code in body.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(explained.contains(&code), "www/problems.html does not explain {code}");
        }
    }
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Spelt in two parts, so that this file does not find itself.
    let words = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["index.crates", ".io"],
        ["registry.npm", "js"],
        ["clau", "de"],
        ["chat", "gpt"],
    ];
    for file in files() {
        let text = read(&file).to_lowercase();
        for word in words.map(|parts| parts.concat()) {
            assert!(!text.contains(&word), "{} says {word}", file.display());
        }
    }
}
