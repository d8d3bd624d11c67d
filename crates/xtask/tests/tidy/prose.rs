//! Text without trailing blanks, and no file that names a place outside the repository.

use crate::tree::{File, Finding, Tree};

// In parts, so that this file does not find itself.
const FOREIGN: [&str; 2] = [concat!("..", "/shared"), concat!("/", "work")];

/// Trailing blanks in Markdown, where they are invisible line breaks.
pub(crate) fn trailing_blanks(tree: &Tree) -> Vec<Finding> {
    let is_prose = |file: &&File| {
        file.path == "README.md" || (file.path.starts_with("docs/") && file.path.ends_with(".md"))
    };
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(is_prose) {
        for (index, line) in file.text.lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                let instead = "remove the blanks at the end; a paragraph break is an empty line";
                findings.push(file.finding(index + 1, instead));
            }
        }
    }
    findings
}

/// Paths that exist on one machine only.
pub(crate) fn foreign_paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !takes_its_path(file)) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(path) = FOREIGN.iter().find(|path| names(line, path)) {
                let instead = format!(
                    "`{path}` exists on one machine only: use a file of the repository, or take \
                     the path from an environment variable in a test"
                );
                findings.push(file.finding(index + 1, instead));
            }
        }
    }
    findings
}

/// A test may say where the file that its environment variable names was found.
fn takes_its_path(file: &File) -> bool {
    let code = file.source().code;
    file.is_within("tests") && (code.contains("env::var(") || code.contains("env::var_os("))
}

/// The path itself, and neither a longer word nor a part of a relative path.
fn names(line: &str, path: &str) -> bool {
    let is_part = |char: Option<char>| {
        char.is_some_and(|char| char.is_alphanumeric() || matches!(char, '-' | '_'))
    };
    line.match_indices(path).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + path.len()..]);
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[test]
fn trailing_blanks_are_found_in_prose() {
    let tree = Tree::sample(&[
        ("README.md", "One. \nTwo.\n"),
        ("docs/book/src/a.md", "One.\t\n"),
        ("examples/a.log", "one \n"),
    ]);

    assert_eq!(trailing_blanks(&tree).len(), 2);
}

#[test]
fn a_place_outside_the_repository_is_found() {
    let [shared, absolute] = FOREIGN;
    let with_path = |text: &str| format!("{text}\n\"{absolute}/a.log\"\n");
    let bad = with_path("//! A source.");
    let hard_wired = with_path("//! env::var(x) is only spoken about.");
    let by_variable = with_path("//! A test.\nlet path = std::env::var(NAME);");
    let tree = Tree::sample(&[
        ("crates/a/src/lib.rs", &bad),
        ("crates/a/tests/it.rs", &hard_wired),
        ("crates/a/tests/by_variable.rs", &by_variable),
        ("docs/a.md", &format!("See {shared}/design.md, src{absolute}ers.rs, a{absolute}/b.\n")),
        ("Cargo.toml", &format!("# {absolute}\n")),
    ]);

    assert_eq!(foreign_paths(&tree).len(), 4);
}
