//! Finds the paths that a file names, and what they mean.
//!
//! A path means something in this workspace if it begins with `crate`, `self`, `super`, a crate of
//! the workspace, a child module, or a name that a `use` of the same file brings.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItem, Item, ItemMod, ItemUse, Meta, Path, UseTree};

/// The crates of the workspace, as code names them.
const CRATES: [&str; 3] = ["claviger_core", "claviger_control", "claviger_workers"];

/// What a file brings into its scope.
pub struct Module {
    /// The module that the file is.
    pub path: Vec<String>,
    /// Names of the types that it defines.
    pub types: Vec<String>,
    /// Names that a `use` brings, with the path of each.
    aliases: BTreeMap<String, Vec<String>>,
    /// Names of the child modules.
    children: BTreeSet<String>,
}

impl Module {
    /// Reads the declarations of a file.
    pub fn new(path: Vec<String>, file: &File) -> Self {
        let mut declarations = Declarations::default();
        declarations.visit_file(file);
        let Declarations { types, uses, children } = declarations;
        let mut module = Self { path, types, aliases: BTreeMap::new(), children };
        // Absolute ones first: a `use` may stand on another.
        for (name, target) in &uses {
            if let Some(target) = module.resolve(&module.path, target) {
                module.aliases.insert(name.clone(), target);
            }
        }
        for (name, target) in uses {
            if let Some(target) = module.resolve(&module.path, &target) {
                module.aliases.insert(name, target);
            }
        }
        module
    }

    /// Returns the path from its crate on; `None` if it leads out of the workspace.
    fn resolve(&self, here: &[String], path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" | "$crate" => Some([&self.path[..1], rest].concat()),
            "self" => Some([here, rest].concat()),
            "super" => {
                let supers = path.iter().take_while(|segment| *segment == "super").count();
                let above = here.get(..here.len().checked_sub(supers)?)?;
                Some([above, &path[supers..]].concat())
            }
            name if CRATES.contains(&name) => Some(path.to_vec()),
            name if self.children.contains(name) => Some([&self.path, path].concat()),
            name => Some([self.aliases.get(name)?, rest].concat()),
        }
    }
}

/// Returns the paths that a file names, each with the module that names it.
pub fn names(
    module: &Module,
    file: &File,
    known: &BTreeSet<Vec<String>>,
) -> BTreeSet<(Vec<String>, Vec<String>)> {
    let here = module.path.clone();
    let mut names = Names { module, known, here, found: BTreeSet::new() };
    names.visit_file(file);
    names.found
}

/// Types, imports and child modules.
#[derive(Default)]
struct Declarations {
    types: Vec<String>,
    uses: Vec<(String, Vec<String>)>,
    children: BTreeSet<String>,
}

impl Visit<'_> for Declarations {
    fn visit_item(&mut self, item: &Item) {
        if is_test(attributes(item)) {
            return;
        }
        match item {
            Item::Struct(item) => self.types.push(item.ident.to_string()),
            Item::Enum(item) => self.types.push(item.ident.to_string()),
            Item::Union(item) => self.types.push(item.ident.to_string()),
            Item::Trait(item) => self.types.push(item.ident.to_string()),
            Item::Type(item) => self.types.push(item.ident.to_string()),
            Item::Mod(item) if item.content.is_none() => {
                self.children.insert(item.ident.to_string());
            }
            Item::Use(item) => {
                for (name, path) in flatten(&item.tree) {
                    if let Some(name) = name {
                        self.uses.push((name, path));
                    }
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }
}

/// Collects paths.
struct Names<'a> {
    module: &'a Module,
    known: &'a BTreeSet<Vec<String>>,
    /// The module that the visit is in: the file's, or one inside of it.
    here: Vec<String>,
    found: BTreeSet<(Vec<String>, Vec<String>)>,
}

impl Names<'_> {
    fn note(&mut self, path: &[String]) {
        if let Some(path) = self.module.resolve(&self.here, path) {
            self.found.insert((self.module.path.clone(), path));
        }
    }

    /// Reads the paths of tokens that are not parsed: arguments of macros and attributes.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note_scanned(&mut path);
                    }
                    colons = 0;
                    path.push(ident.to_string());
                }
                other => {
                    self.note_scanned(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    } else if let TokenTree::Literal(literal) = other {
                        self.scan_text(&literal.to_string());
                    }
                }
            }
        }
        self.note_scanned(&mut path);
    }

    /// Notes a path of two segments or more: a lone name may be anything.
    fn note_scanned(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.note(&path);
        }
    }

    /// Reads a text that is a path, as serde's attributes have them.
    fn scan_text(&mut self, literal: &str) {
        if let Ok(path) = syn::parse_str::<Path>(literal.trim_matches('"')) {
            self.note_scanned(&mut segments(&path));
        }
    }
}

impl Visit<'_> for Names<'_> {
    fn visit_item(&mut self, item: &Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => return,
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        self.here.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.here.pop();
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        for (_, path) in flatten(&item.tree) {
            self.note(&path);
        }
    }

    fn visit_path(&mut self, path: &Path) {
        let named = segments(path);
        // A lone name that a `use` brought was noted there.
        if named.len() > 1 || self.known.contains(&named) {
            self.note(&named);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &syn::Macro) {
        self.scan(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &Attribute) {
        if let Meta::List(list) = &attribute.meta
            && !attribute.path().is_ident("doc")
        {
            self.scan(list.tokens.clone());
        }
    }

    fn visit_visibility(&mut self, _: &syn::Visibility) {}
}

fn segments(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Returns the paths of a `use`, each with the name that it brings; a glob brings none that is
/// known.
fn flatten(tree: &UseTree) -> Vec<(Option<String>, Vec<String>)> {
    let under = |first: &syn::Ident, rest: Vec<(Option<String>, Vec<String>)>| {
        let first = first.to_string();
        let with_first = |(name, path): (Option<String>, Vec<String>)| match path.first() {
            // `use a::{self}` brings `a`.
            Some(only) if only == "self" && path.len() == 1 => {
                let name = name.filter(|name| name != "self").unwrap_or_else(|| first.clone());
                (Some(name), vec![first.clone()])
            }
            _ => (name, [vec![first.clone()], path].concat()),
        };
        rest.into_iter().map(with_first).collect()
    };
    match tree {
        UseTree::Path(tree) => under(&tree.ident, flatten(&tree.tree)),
        UseTree::Name(tree) => vec![(Some(tree.ident.to_string()), vec![tree.ident.to_string()])],
        UseTree::Rename(tree) => {
            vec![(Some(tree.rename.to_string()), vec![tree.ident.to_string()])]
        }
        UseTree::Glob(_) => vec![(None, Vec::new())],
        UseTree::Group(tree) => tree.items.iter().flat_map(flatten).collect(),
    }
}

/// Returns `true` if these attributes keep an item for tests or documentation.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let tokens = list.tokens.to_string();
        let has = |word: &str| tokens.split(|c: char| !c.is_alphanumeric()).any(|one| one == word);
        attribute.path().is_ident("cfg") && (has("test") || has("doc")) && !has("not")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a file `claviger_core::lease::isolate` names, apart from itself.
    fn named(text: &str) -> Vec<String> {
        let path: Vec<_> = ["claviger_core", "lease", "isolate"].map(str::to_owned).to_vec();
        let file = syn::parse_file(text).unwrap();
        let module = Module::new(path, &file);
        let found = names(&module, &file, &BTreeSet::new());
        found.into_iter().map(|(_, to)| to.join("::")).collect()
    }

    #[test]
    fn every_form_of_use_is_read() {
        let cases: [(&str, &[&str]); 9] = [
            ("use crate::ledger::Plan;", &["claviger_core::ledger::Plan"]),
            (
                "use crate::{ledger, name::Name};",
                &["claviger_core::ledger", "claviger_core::name::Name"],
            ),
            (
                "use crate::ledger::{self, Plan as P};",
                &["claviger_core::ledger", "claviger_core::ledger::Plan"],
            ),
            ("use {crate::ledger as l, std::fmt};", &["claviger_core::ledger"]),
            ("use crate::ledger::*;", &["claviger_core::ledger"]),
            ("pub use super::super::gateway::X;", &["claviger_core::gateway::X"]),
            ("use self::calls::X;", &["claviger_core::lease::isolate::calls::X"]),
            ("fn f() { use claviger_control::ledger::X; }", &["claviger_control::ledger::X"]),
            ("use std::crate_like::ledger;", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn paths_in_code_are_read() {
        let cases: [(&str, &[&str]); 9] = [
            ("fn f() { crate::ledger::land(); }", &["claviger_core::ledger::land"]),
            ("fn f(x: &[super::copies::X]) {}", &["claviger_core::lease::copies::X"]),
            ("fn f() { let crate::a::B(x) = y; }", &["claviger_core::a::B"]),
            ("impl<T: crate::a::B> T for X {}", &["claviger_core::a::B"]),
            ("mod calls; fn f() { calls::run() }", &["claviger_core::lease::isolate::calls::run"]),
            ("use crate::a; fn f() { a::b::c() }", &["claviger_core::a", "claviger_core::a::b::c"]),
            ("use crate::a as z; fn f() { z::b() }", &["claviger_core::a", "claviger_core::a::b"]),
            ("mod inner { use super::super::copies::X; }", &["claviger_core::lease::copies::X"]),
            ("fn f() { std::mem::take(x) }", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn arguments_of_macros_and_attributes_are_read() {
        let cases: [(&str, &[&str]); 4] = [
            (
                "fn f() { matches!(x, crate::a::B { .. } | [super::c::D]); }",
                &["claviger_core::a::B", "claviger_core::lease::c::D"],
            ),
            ("macro_rules! m { ($x:expr) => { $crate::a::b($x) }; }", &["claviger_core::a::b"]),
            (r#"struct X { #[serde(with = "crate::a::b")] x: u8 }"#, &["claviger_core::a::b"]),
            (r#"fn f() { format!("{x}: {}", y) }"#, &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn tests_and_documentation_may_name_anything() {
        for text in [
            "#[cfg(test)] mod tests { use crate::ledger::X; }",
            "#[cfg(any(test, feature = \"testing\"))] use crate::ledger::X;",
            "impl X { #[cfg(test)] fn f() { crate::ledger::x() } }",
            "/// [`X`](crate::ledger::X)\nfn f() {}",
        ] {
            assert!(named(text).is_empty(), "{text}");
        }
        assert_eq!(named("#[cfg(not(test))] use crate::a::X;"), ["claviger_core::a::X"]);
    }
}
