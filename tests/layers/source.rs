//! The files under `src/`, and what each of them names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use crate::resolver::{self, Module};

/// The crates: the folder of each, without its `lib.rs`, and its name.
const ROOTS: [(&str, &str); 6] = [
    ("src/core/", "claviger_core"),
    ("src/control/", "claviger_control"),
    ("src/workers/shared/", "claviger_workers"),
    ("src/workers/edge/", "claviger_edge"),
    ("src/workers/admin/", "claviger_admin"),
    ("src/", "claviger"),
];

/// One module names another, or something in it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The module that names, as a path that begins with its crate.
    pub from: Vec<String>,
    /// The module that is named.
    pub to: Vec<String>,
    /// The whole path, resolved.
    pub text: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} names {}", self.from.join("::"), self.text)
    }
}

/// A file of the source.
pub struct File {
    /// The module that the file is.
    pub path: Vec<String>,
    /// Names of the types that it defines.
    pub types: Vec<String>,
}

/// Everything under `src/`, tests and sample values excepted.
pub struct Tree {
    /// By name, from the project's root.
    pub files: BTreeMap<String, File>,
    /// Without repetitions.
    pub imports: BTreeSet<Import>,
    /// Names of the files, by the module that each is.
    names: BTreeMap<Vec<String>, String>,
}

impl Tree {
    /// Reads the source.
    pub fn read() -> Self {
        let mut names = Vec::new();
        list("src", &mut names);
        let mut files = BTreeMap::new();
        let mut modules = Vec::new();
        for name in names {
            let text = fs::read_to_string(root().join(&name)).unwrap();
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let path = module_path(&name);
            let module = Module::new(path.clone(), &parsed);
            files.insert(name, File { path, types: module.types.clone() });
            modules.push((module, parsed));
        }
        let known: BTreeSet<_> = files.values().map(|file| file.path.clone()).collect();
        let imports = modules
            .iter()
            .flat_map(|(module, parsed)| resolver::names(module, parsed, &known))
            .map(|(from, mut named)| {
                let len = (1..=named.len()).rev().find(|len| known.contains(&named[..*len]));
                let len = len.unwrap_or(1);
                // What is named in the module, without its members.
                named.truncate(len + 1);
                let text = named.join("::");
                named.truncate(len);
                Import { from, to: named, text }
            })
            .collect();
        let names = files.iter().map(|(name, file)| (file.path.clone(), name.clone())).collect();
        Self { files, imports, names }
    }

    /// Returns the name of the file that a module is.
    pub fn file_of(&self, path: &[String]) -> Option<&str> {
        self.names.get(path).map(String::as_str)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the Rust files under a folder that are no tests.
fn list(folder: &str, names: &mut Vec<String>) {
    let mut entries: Vec<_> =
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            if !name.ends_with("/tests") {
                list(&name, names);
            }
        } else if name.ends_with(".rs")
            && !name.ends_with("/tests.rs")
            && name != "src/core/testing.rs"
        {
            names.push(name);
        }
    }
}

/// Returns the module that a file is.
fn module_path(name: &str) -> Vec<String> {
    let (folder, krate) = ROOTS.iter().find(|(folder, _)| name.starts_with(folder)).unwrap();
    let inner = name[folder.len()..].trim_end_matches(".rs");
    let parts = inner.split('/').filter(|part| !["lib", "mod"].contains(part));
    [*krate].into_iter().chain(parts).map(ToOwned::to_owned).collect()
}

#[test]
fn a_file_is_a_module() {
    let path = |name: &str| module_path(name).join("::");
    assert_eq!(path("src/core/lib.rs"), "claviger_core");
    assert_eq!(path("src/core/base/http/mod.rs"), "claviger_core::base::http");
    assert_eq!(path("src/control/admin/mail/http.rs"), "claviger_control::admin::mail::http");
    assert_eq!(path("src/workers/edge/lib.rs"), "claviger_edge");
    assert_eq!(path("src/lib.rs"), "claviger");
}
