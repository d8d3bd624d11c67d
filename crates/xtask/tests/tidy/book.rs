//! Every chapter of the book is in its summary, and its examples are run.

use crate::tree::{Finding, Tree};

const FOLDER: &str = "docs/book/src/";
const SUMMARY: &str = "docs/book/src/SUMMARY.md";
/// Includes the chapters, so that rustdoc runs their examples.
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
        if !text_of(tree, RUNNER).contains(&format!("/{}\"", file.path)) {
            let instead = format!("include the chapter in `mod book` of {RUNNER}");
            findings.push(file.finding(0, instead));
        }
    }
    findings
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
