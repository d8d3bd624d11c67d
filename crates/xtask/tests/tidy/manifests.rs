//! Every crate takes lints, version and license from the workspace.

use toml::{Table, Value};

use crate::tree::{Finding, Tree};

/// Written once, in the workspace's manifest.
const INHERITED: [&str; 3] = ["version", "license", "rust-version"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let Ok(manifest) = file.text.parse::<Table>() else {
            findings.push(file.finding(0, "make it a TOML file"));
            continue;
        };
        if !is_inherited(manifest.get("lints")) {
            findings.push(file.finding(0, "write `workspace = true` under `[lints]`"));
        }
        let package = manifest.get("package").and_then(Value::as_table);
        for key in INHERITED {
            let value = package.and_then(|package| package.get(key));
            // The default of a missing `rust-version` is none, which is no second place.
            let is_optional = key == "rust-version" && value.is_none();
            if !is_optional && !is_inherited(value) {
                findings.push(file.finding(0, format!("write `{key}.workspace = true`")));
            }
        }
    }
    findings
}

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[test]
fn what_a_manifest_does_not_inherit_is_found() {
    let good = "[package]\nversion.workspace = true\nlicense.workspace = true\n\
                [lints]\nworkspace = true\n";
    let bad = "[package]\nversion = '1.0.0'\nrust-version = '1.80'\n[lints]\nworkspace = false\n";
    let tree = Tree::sample(&[
        ("Cargo.toml", "[workspace]\n"),
        ("crates/good/Cargo.toml", good),
        ("crates/bad/Cargo.toml", bad),
        ("crates/broken/Cargo.toml", "[package"),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 5);
    assert!(findings[0].starts_with("crates/bad/Cargo.toml: write `workspace = true`"));
    assert!(findings[3].contains("`rust-version.workspace = true`"));
    assert!(findings[4].starts_with("crates/broken/"));
}
