//! Every file starts with a sentence that says what it is.

use crate::tree::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|file| {
            let first = file.text.lines().next().unwrap_or_default();
            first.strip_prefix("//!").is_none_or(|text| text.trim().is_empty())
        })
        .map(|file| file.finding(1, "start the file with a line `//! ` that says what it is"))
        .collect()
}

#[test]
fn a_file_without_a_header_is_found() {
    let tree = Tree::sample(&[
        ("good.rs", "//! What it is.\n"),
        ("empty.rs", ""),
        ("late.rs", "use std::fmt;\n//! What it is.\n"),
        ("silent.rs", "//!\n"),
        ("manifest.toml", ""),
    ]);

    assert_eq!(check(&tree).len(), 3);
}
