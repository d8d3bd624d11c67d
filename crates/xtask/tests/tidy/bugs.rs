//! Every test that the book names for a bug of others exists, and every bug has one or a reason.

use std::collections::HashSet;

use crate::{
    scan::reads,
    tree::{Finding, Tree},
};

const PAGE: &str = "docs/book/src/bugs.md";
/// Begins a cell that needs no test.
const BY_TYPE: &str = "by type: ";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else {
        return Vec::new();
    };
    let tests = tests_in(tree);
    let mut findings = Vec::new();
    for (index, line) in page.text.lines().enumerate().filter(|(_, line)| is_row(line)) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [.., theirs, ours] = cells[..] else { continue };
        for name in names_in(theirs).chain(names_in(ours)).filter(|name| !tests.contains(*name)) {
            findings
                .push(page.finding(index + 1, format!("there is no test `{name}`: name another")));
        }
        if names_in(ours).next().is_none() && !ours.starts_with(BY_TYPE) {
            let instead = format!("name a test of ours, or give a reason after `{BY_TYPE}`");
            findings.push(page.finding(index + 1, instead));
        }
    }
    findings
}

/// A row of a table, but not its head and the line below that.
fn is_row(line: &str) -> bool {
    line.starts_with("| ") && !line.ends_with("| theirs | ours |")
}

/// What stands between backticks, unless the cell needs no test.
fn names_in(cell: &str) -> impl Iterator<Item = &str> {
    let cell = if cell.starts_with(BY_TYPE) { "" } else { cell };
    cell.split('`').skip(1).step_by(2)
}

/// The functions after `#[test]`, whatever stands between.
fn tests_in(tree: &Tree) -> HashSet<String> {
    let mut tests = HashSet::new();
    for file in tree.rust().filter(|file| file.path.contains("/tests/")) {
        let source = file.source();
        let tokens = source.tokens();
        let mut is_test = false;
        for at in 0..tokens.len() {
            is_test |= reads(&tokens, at, &["#", "[", "test", "]"]);
            if is_test && tokens[at].text == "fn" {
                tests.extend(tokens.get(at + 1).map(|name| name.text.to_owned()));
                is_test = false;
            }
        }
    }
    tests
}

#[test]
fn a_test_that_does_not_exist_is_found() {
    let page = "| bug | where | theirs | ours |\n|---|---|---|---|\n\
                | a | x #1 | | `here`, `there` |\n\
                | b | x #2 | `nowhere` | `here` |\n\
                | c | x #3 | `here` | |\n\
                | d | x #4 | | by type: it has no `clone` |\n\
                | e | x #5 | | `helper` |\n";
    let tree = Tree::sample(&[
        (PAGE, page),
        (
            "crates/a/tests/a.rs",
            "#[test]\nfn here() {}\nfn helper() {}\n// #[test] fn nowhere() {}",
        ),
        ("crates/b/tests/it/b.rs", "#[test]\n#[expect(lint, reason = \"why\")]\nfn there() {}\n"),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].starts_with("docs/book/src/bugs.md:4: there is no test `nowhere`"));
    assert!(findings[1].starts_with("docs/book/src/bugs.md:5: name a test of ours"));
    assert!(findings[2].starts_with("docs/book/src/bugs.md:7: there is no test `helper`"));
}
