//! Files stay short enough to be read in one go.

use crate::tree::{File, Finding, Tree};

const MAX_LINES: usize = 400;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = tree.idle_exemptions("lines", is_long);
    let long = tree.rust().filter(|file| is_long(file) && !tree.is_exempt("lines", &file.path));
    findings.extend(long.map(|file| {
        let instead = format!(
            "{} lines are more than {MAX_LINES}: make it a folder of two files, or give a reason \
             under [lines] in crates/xtask/tidy.toml",
            file.text.lines().count()
        );
        file.finding(0, instead)
    }));
    findings
}

fn is_long(file: &File) -> bool {
    file.text.lines().count() > MAX_LINES
}

#[test]
fn a_long_file_without_a_reason_is_found() {
    let long = "\n".repeat(MAX_LINES + 1);
    let files = [("short.rs", "\n"), ("long.rs", long.as_str()), ("listed.rs", long.as_str())];
    let tree = Tree::sample(&files)
        .with_exemptions("[lines]\n'listed.rs' = 'one table'\n'short.rs' = 'no longer'");

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 2);
    assert!(findings[0].contains("short.rs"));
    assert!(findings[1].starts_with("long.rs: 401 lines"));
}
