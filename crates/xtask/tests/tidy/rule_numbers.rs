//! Every rule of the specification that is cited exists.

use crate::tree::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (line, number) in citations(&file.text) {
            if reactive_streams::rule(number).is_none() {
                let instead =
                    format!("there is no rule {number}: cite one of `reactive_streams::rules`");
                findings.push(file.finding(line, instead));
            }
        }
    }
    findings
}

/// Numbers after `rule`, and all numbers of a list after `rules`, also across lines of a comment.
fn citations(text: &str) -> Vec<(usize, &str)> {
    let words = text.lines().enumerate().flat_map(|(index, line)| {
        let words = line.split_whitespace().filter(|word| !matches!(*word, "//" | "///" | "//!"));
        words.map(move |word| (index + 1, word))
    });
    let mut citations = Vec::new();
    // How many numbers may follow here: none, one, or a list.
    let mut n_expected = 0;
    for (line, word) in words {
        let bare = word.trim_matches(|char: char| !char.is_alphanumeric()).trim_end_matches("'s");
        match bare {
            "rule" | "Rule" => n_expected = 1,
            "rules" | "Rules" => n_expected = usize::MAX,
            "and" | "or" | "to" if n_expected > 0 => {}
            _ if n_expected > 0 && is_number(bare) => {
                citations.push((line, bare));
                // A list goes on after a comma or a conjunction.
                n_expected -= 1;
            }
            _ => n_expected = 0,
        }
    }
    citations
}

fn is_number(word: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.').is_some_and(|(section, rule)| is_digits(section) && is_digits(rule))
}

#[test]
fn a_rule_that_does_not_exist_is_found() {
    // The word stands apart from its numbers, so that this file does not find itself.
    const LINES: [&str; 4] = [
        "//! R 3.9 holds, and so does R 1.3's twin.",
        "/// Here (R 3.18), but R",
        "/// 5.1 and 2.5 s.",
        "// Rs 1.1, 1.12",
    ];
    let text = LINES.join("\n").replace('R', "rule");
    let tree = Tree::sample(&[("a.rs", &text)]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 3);
    for (finding, (line, number)) in findings.iter().zip([(2, "3.18"), (3, "5.1"), (4, "1.12")]) {
        assert!(finding.starts_with(&format!("a.rs:{line}: ")), "{finding}");
        assert!(finding.contains(&format!(" {number}: cite")), "{finding}");
    }
}
