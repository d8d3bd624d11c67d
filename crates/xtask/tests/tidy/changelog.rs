//! Everything that a user can name first is in the changelog: packages, features and operators.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::{
    operators::operators_in,
    tree::{File, Finding, Tree},
};

const PAGE: &str = "docs/CHANGELOG.md";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.files.iter().find(|file| file.path == PAGE) else { return Vec::new() };
    let said = page.text.split('`').skip(1).step_by(2);
    // `Flow::name` and `FlowExt::name` name the method.
    let said: BTreeSet<&str> = said.map(|name| name.rsplit("::").next().unwrap_or(name)).collect();
    let missing = |name: &&String| !said.contains(name.as_str());
    let mut findings = Vec::new();
    for file in &tree.files {
        let names = if file.path.ends_with("/Cargo.toml") {
            names_in_manifest(file)
        } else if file.path.starts_with("crates/") && is_library(file) {
            let source = file.source();
            let operators = operators_in(&source.tokens()).into_iter();
            operators.map(|operator| operator.name.to_owned()).collect()
        } else {
            continue;
        };
        findings.extend(names.iter().filter(missing).map(|name| {
            file.finding(0, format!("give `{name}` a line in {PAGE}, under its family or its own"))
        }));
    }
    findings
}

fn is_library(file: &File) -> bool {
    file.path.ends_with(".rs") && file.path.split('/').nth(2) == Some("src")
}

/// The package, if it may be published, and its features.
fn names_in_manifest(file: &File) -> Vec<String> {
    let Ok(manifest) = file.text.parse::<Table>() else { return Vec::new() };
    let Some(package) = manifest.get("package").and_then(Value::as_table) else {
        return Vec::new();
    };
    if package.get("publish") == Some(&Value::Boolean(false)) {
        return Vec::new();
    }
    let features = manifest.get("features").and_then(Value::as_table);
    let features = features.into_iter().flat_map(Table::keys).filter(|name| *name != "default");
    let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
    [name.to_owned()].into_iter().chain(features.cloned()).collect()
}

#[test]
fn what_the_changelog_lacks_is_found() {
    let operator = "//! Doubles.\nimpl<P> Flow<P> {\n    pub fn double(self) -> Flow<D> {}\n    pub fn \
                    triple(self) -> Flow<D> {}\n    fn hidden() {}\n}\n";
    let manifest = "[package]\nname = 'a'\n[features]\ndefault = ['x']\nx = []\ny = []\n";
    let private = "[package]\nname = 'b'\npublish = false\n[features]\nz = []\n";
    let tree = Tree::sample(&[
        (PAGE, "# Changelog\n- `a` with `x`, and `Flow::double`.\n"),
        ("crates/a/Cargo.toml", manifest),
        ("crates/a/src/ops/double.rs", operator),
        ("crates/a/tests/triple.rs", operator),
        ("crates/b/Cargo.toml", private),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].starts_with("crates/a/Cargo.toml: give `y` a line"));
    assert!(findings[1].starts_with("crates/a/src/ops/double.rs: give `triple` a line"));
}
