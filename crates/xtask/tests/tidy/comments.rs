//! Comments are as wide as code.

use crate::tree::{File, Finding, Tree};

const MAX_CHARS: usize = 100;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = tree.idle_names("comments", |folder| {
        tree.rust().any(|file| file.path.starts_with(folder) && !wide(file).is_empty())
    });
    let folders: Vec<&str> = tree.exempt_names("comments").collect();
    let is_exempt = |file: &&File| folders.iter().any(|folder| file.path.starts_with(folder));
    for file in tree.rust().filter(|file| !is_exempt(file)) {
        for line in wide(file) {
            let instead = format!("break the comment: it is wider than {MAX_CHARS} characters");
            findings.push(file.finding(line, instead));
        }
    }
    findings
}

/// The lines that are a comment alone, and too wide; an address is not broken, nor a table's row.
fn wide(file: &File) -> Vec<usize> {
    let lines = file.text.lines().enumerate().filter(|(_, line)| {
        let text = line.trim_start();
        let rest = text.trim_start_matches(['/', '!']).trim_start();
        let is_whole = rest.contains("://") || rest.starts_with(['|', '[']);
        text.starts_with("//") && line.chars().count() > MAX_CHARS && !is_whole
    });
    lines.map(|(index, _)| index + 1).collect()
}

#[test]
fn a_wide_comment_is_found() {
    let wide = format!("//! {}\n", "a ".repeat(50));
    let narrow = format!("//! {}\n", "a".repeat(96));
    let tree = Tree::sample(&[
        ("a.rs", &format!("//! A.\n    /// {}\n", "é ".repeat(60))),
        ("b.rs", &narrow),
        ("c.rs", &format!("let a = \"{}\";\n", "a".repeat(100))),
        ("d.rs", &format!("//! | {} |\n", "a ".repeat(60))),
        ("old/e.rs", &wide),
        ("new/f.rs", &wide),
    ])
    .with_exemptions("[comments]\n'old/' = 'later'\n'gone/' = 'later'\n");

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].contains("`gone/`"));
    assert!(findings[1].starts_with("a.rs:2: break the comment"));
    assert!(findings[2].starts_with("new/f.rs:1: "));
}
