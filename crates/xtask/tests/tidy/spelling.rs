//! One spelling of a word, the American one, so that a search finds every place.

use crate::tree::{File, Finding, Tree};

/// Parts of words, themselves in parts so that this file does not find itself, and what to write.
const WORDS: [(&str, &str); 14] = [
    (concat!("cancel", "led"), "canceled"),
    (concat!("cancel", "ling"), "canceling"),
    (concat!("signal", "led"), "signaled"),
    (concat!("signal", "ling"), "signaling"),
    (concat!("model", "led"), "modeled"),
    (concat!("label", "led"), "labeled"),
    (concat!("travel", "led"), "traveled"),
    (concat!("behav", "iour"), "behavior"),
    (concat!("col", "our"), "color"),
    (concat!("hon", "our"), "honor"),
    (concat!("neigh", "bour"), "neighbor"),
    (concat!("serial", "ise"), "serialize"),
    (concat!("initial", "ise"), "initialize"),
    (concat!("utilis", "ation"), "utilization"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| is_ours(file)) {
        for (index, line) in file.text.lines().enumerate() {
            let lower = line.to_ascii_lowercase();
            for (word, instead) in WORDS.iter().filter(|(word, _)| lower.contains(word)) {
                let instead = format!("write `{instead}` in place of `{word}`");
                findings.push(file.finding(index + 1, instead));
            }
        }
    }
    findings
}

/// Code and texts, but for names that others have given.
fn is_ours(file: &File) -> bool {
    const ENDS: [&str; 8] = [".rs", ".md", ".java", ".kt", ".go", ".py", ".mjs", ".js"];
    ENDS.iter().any(|end| file.path.ends_with(end))
}

#[test]
fn a_british_word_is_found() {
    let [(canceled, _), .., (utilization, _)] = WORDS;
    let tree = Tree::sample(&[
        ("a.rs", &format!("//! A.\nfn is_{canceled}() {{}}\n")),
        ("b.md", &format!("A canceled flow and its {utilization}.\n")),
        ("c.toml", &format!("# {canceled}\n")),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].starts_with("a.rs:2: write `canceled`"));
}
