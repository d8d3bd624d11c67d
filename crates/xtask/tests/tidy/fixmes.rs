//! What is left to do has an issue.

use crate::tree::{Finding, Tree};

// In two parts, so that this file does not find itself.
const MARK: &str = concat!("FIX", "ME");

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let comments = file.source().comments;
        for (index, line) in comments.lines().enumerate() {
            // In backticks it is a word that is spoken about.
            let bare = line
                .match_indices(MARK)
                .filter(|(at, _)| !line[..*at].ends_with('`'))
                .any(|(at, mark)| !has_issue(&line[at + mark.len()..]));
            if bare {
                let instead = format!("write `{MARK}(#n)` with the number of an issue, or fix it");
                findings.push(file.finding(index + 1, instead));
            }
        }
    }
    findings
}

fn has_issue(rest: &str) -> bool {
    let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
    number.is_some_and(|(number, _)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[test]
fn a_mark_without_an_issue_is_found() {
    let text =
        ["//! Samples.", "// M(#12): good.", "// M: bad.", "// M(#n) is bad too.", "/* M */"]
            .join("\n")
            .replace('M', MARK);
    let tree = Tree::sample(&[("a.rs", &text), ("b.rs", &format!("//! Every `{MARK}`.\n"))]);

    assert_eq!(check(&tree).len(), 3);
}
