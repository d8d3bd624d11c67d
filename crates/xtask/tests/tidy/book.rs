//! Every chapter of the book is in its summary, its examples are run, and its rules are those of
//! `reactive_streams::rules`.

use reactive_streams::rules::{Ensured, Level, RULES, Rule};

use crate::tree::{Finding, Tree};

const FOLDER: &str = "docs/book/src/";
const SUMMARY: &str = "docs/book/src/SUMMARY.md";
const CONFORMANCE: &str = "docs/book/src/conformance.md";
/// Includes the chapters, so that rustdoc runs their examples; those of another crate are in that
/// one's.
const RUNNER: &str = "crates/millstream/src/lib.rs";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let Some(name) = file.path.strip_prefix(FOLDER).filter(|name| name.ends_with(".md")) else {
            continue;
        };
        if file.path == SUMMARY {
            continue;
        }
        if !text_of(tree, SUMMARY).contains(&format!("({name})")) {
            findings.push(file.finding(0, format!("add the chapter to {SUMMARY}")));
        }
        let path = format!("/{}\"", file.path);
        let mut runners = tree.rust().filter(|file| file.path.ends_with("/src/lib.rs"));
        if !runners.any(|runner| runner.text.contains(&path)) {
            let instead =
                format!("include the chapter in `mod book` of {RUNNER}, or of its own crate");
            findings.push(file.finding(0, instead));
        }
    }
    findings
}

/// Rules that the page on conformance shows otherwise than the data has them, or not at all.
pub(crate) fn rules(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.files.iter().find(|file| file.path == CONFORMANCE) else {
        return Vec::new();
    };
    let rows = RULES.iter().map(row).filter(|row| !page.text.lines().any(|line| line == row));
    rows.map(|row| page.finding(0, format!("this row is missing or differs: {row}"))).collect()
}

fn row(rule: &Rule) -> String {
    let level = match rule.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    };
    let ensured = match rule.ensured {
        Ensured::ByType => "by type",
        Ensured::ByTest => "by test",
        Ensured::NotApplicable => "not applicable",
    };
    format!("| {} | {level} | {} | {ensured} | {} |", rule.number, rule.statement, rule.how)
}

fn text_of<'a>(tree: &'a Tree, path: &str) -> &'a str {
    tree.files.iter().find(|file| file.path == path).map_or("", |file| &file.text)
}

#[test]
fn a_chapter_that_nobody_reads_or_runs_is_found() {
    let tree = Tree::sample(&[
        ("docs/book/src/good.md", "# Good\n"),
        ("docs/book/src/lost.md", "# Lost\n"),
        (SUMMARY, "- [Good](good.md)\n"),
        (RUNNER, "#[doc = include_str!(\"../../../docs/book/src/good.md\")]\nmod good {}\n"),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].starts_with("docs/book/src/lost.md: add the chapter"));
    assert!(findings[1].starts_with("docs/book/src/lost.md: include the chapter"));
}

#[test]
fn a_rule_that_the_page_has_otherwise_is_found() {
    let rows: Vec<String> = RULES.iter().map(row).collect();
    let tree =
        Tree::sample(&[(CONFORMANCE, &rows.join("\n").replace("| 1.10 | must", "| 1.10 | may"))]);

    let findings: Vec<String> = rules(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].ends_with(&rows[9]));
}
