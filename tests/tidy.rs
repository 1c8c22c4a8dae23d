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

/// A shell makes a file readable by every user of the machine, unless it is told otherwise.
#[test]
fn a_document_writes_secrets_into_files_of_their_owner_alone() {
    let mut redirections = 0;
    for file in files().iter().filter(|file| has_extension(file, &["md"])) {
        for line in read(file).lines().filter(|line| line.contains("-p xtask -- ")) {
            if line.contains(" > ") || line.contains(">>") {
                assert!(line.trim().starts_with("(umask 077; "), "{}: {line}", file.display());
                redirections += 1;
            }
        }
    }
    assert!(redirections > 2, "only {redirections} redirections were found");
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
    const CODES: [&str; 7] = [
        "src/core/base/http/problem.rs",
        "src/core/gateway/problem.rs",
        "src/core/verify/verdict.rs",
        "src/control/admin/problem.rs",
        "src/control/admin/api_user_problem.rs",
        "src/control/admin/networks_problem.rs",
        "src/control/admin/token_problem.rs",
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

/// A code without a title in Japanese would stay in English, and nobody would notice.
#[test]
fn every_refusal_of_the_gateway_has_a_title_in_japanese() {
    let titles = read("src/core/gateway/japanese.rs");
    for file in ["base/http/problem.rs", "gateway/problem.rs", "verify/verdict.rs"] {
        let text = read(format!("src/core/{file}"));
        let body = text.split("pub fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
        for code in body.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(titles.contains(&format!("        \"{code}\" => ")), "{code} has no title");
        }
    }
}

/// The first words that a doc comment never begins with: they hide its subject.
const QUESTION_WORDS: [&str; 8] =
    ["How", "What", "When", "Where", "Whether", "Which", "Who", "Whose"];

/// Phrases that a newcomer reads twice.
const RIDDLES: [&str; 14] = [
    "as it is",
    "comes to",
    "it is so that",
    "nobody",
    "of its own",
    "owed",
    "so many",
    "taken for",
    "tell of",
    "tells of",
    "told",
    "turned to",
    "what is due",
    "whoever",
];

/// A comment: consecutive lines of one kind, without their slashes.
struct Comment {
    line: usize,
    is_doc: bool,
    lines: Vec<String>,
}

/// Returns the comments of a file up to its tests.
fn comments(text: &str) -> Vec<Comment> {
    let mut comments: Vec<Comment> = Vec::new();
    let mut kind_before = "";
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let is_tests = |(_, next): &(usize, &str)| {
            next.trim_start_matches("pub(crate) ").starts_with("mod tests")
        };
        if line == "#[cfg(test)]" && lines.peek().is_some_and(is_tests) {
            break;
        }
        let trimmed = line.trim_start();
        let kind = ["///", "//!", "//"].into_iter().find(|kind| trimmed.starts_with(kind));
        if let Some(kind) = kind {
            if kind != kind_before {
                let is_doc = kind != "//";
                comments.push(Comment { line: index, is_doc, lines: Vec::new() });
            }
            let words = trimmed.trim_start_matches(kind);
            comments.last_mut().unwrap().lines.push(words.to_owned());
        }
        kind_before = kind.unwrap_or_default();
    }
    comments
}

/// Returns the text of a source file. In JavaScript, the lines of a documentation comment begin with
/// three slashes, as in Rust.
fn read_source(file: &Path) -> String {
    let text = read(file);
    if has_extension(file, &["rs"]) {
        return text;
    }
    let line = |line: &str| {
        let trimmed = line.trim_start();
        let words = trimmed.strip_prefix("/**").or_else(|| trimmed.strip_prefix("* "));
        match words {
            Some(words) => format!("///{}", words.trim_end_matches("*/")),
            None => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the sentences of a comment: no code, no tables, and links by their text.
fn prose(lines: &[String]) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in lines {
        is_code ^= line.trim_start().starts_with("```");
        if is_code || line.trim_start().starts_with(['|', '`']) {
            continue;
        }
        prose.push_str(line);
    }
    // Every second part stands between backticks.
    prose.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Returns the breaches of the rules in a file, one line each.
fn riddles(file: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for Comment { line, is_doc, lines } in comments(&read_source(file)) {
        let place = format!("{}:{}", file.display(), line.saturating_add(1));
        let first = lines.first().and_then(|text| text.split_whitespace().next());
        if is_doc && first.is_some_and(|word| QUESTION_WORDS.contains(&word)) {
            found.push(format!("{place}: begins with {}", first.unwrap_or_default()));
        }
        found
            .extend(riddles_in(&prose(&lines)).map(|riddle| format!("{place}: says \"{riddle}\"")));
        if lines.iter().any(|line| line.contains("| | ---")) {
            found.push(format!("{place}: has a table in one line"));
        }
    }
    found
}

/// Returns the riddles in a text, each as whole words.
fn riddles_in(prose: &str) -> impl Iterator<Item = &'static str> {
    let prose = prose.to_lowercase();
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    RIDDLES.into_iter().filter(move |riddle| {
        prose.match_indices(riddle).any(|(at, _)| {
            let before = at.checked_sub(1).and_then(|at| prose.as_bytes().get(at));
            let after = prose.as_bytes().get(at.saturating_add(riddle.len()));
            !is_letter(before) && !is_letter(after)
        })
    })
}

#[test]
fn every_riddle_is_found_as_whole_words() {
    for riddle in RIDDLES {
        let sentence = format!("An isolate {riddle}, and goes on.");
        assert_eq!(riddles_in(&sentence).next(), Some(riddle), "{sentence}");
    }
    for plain in ["The tolder of a showed page.", "This allowed it.", "As it issues keys"] {
        assert_eq!(riddles_in(plain).next(), None, "{plain}");
    }
}

/// Rust and JavaScript files under `src/` that are no tests.
fn sources() -> Vec<PathBuf> {
    fn list(folder: &Path, found: &mut Vec<PathBuf>) {
        let mut entries: Vec<_> =
            fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap()).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                list(&path, found);
            } else if has_extension(&path, &["rs", "js"]) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    list(Path::new("src"), &mut found);
    let is_test = |file: &PathBuf| file.iter().any(|part| part == "tests" || part == "tests.rs");
    found.into_iter().filter(|file| !is_test(file)).collect()
}

#[test]
fn comments_are_plain_sentences() {
    let sources = sources();
    assert!(sources.len() > 150, "only {} files were found", sources.len());
    let breaches: Vec<_> = sources.iter().flat_map(|file| riddles(file)).collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn a_line_of_a_comment_has_at_most_100_columns() {
    for file in sources() {
        let mut is_code = false;
        for (index, line) in read_source(&file).lines().enumerate() {
            let trimmed = line.trim_start();
            let Some(text) = trimmed.strip_prefix("//") else {
                is_code = false;
                continue;
            };
            let text = text.trim_start_matches(['/', '!']).trim_start();
            is_code ^= text.starts_with("```");
            let is_exempt = is_code || text.starts_with(['|', '[']) || text.contains("](");
            let columns = line.chars().count();
            let number = index.saturating_add(1);
            assert!(
                is_exempt || columns <= 100,
                "{}:{number} has {columns} columns",
                file.display()
            );
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
