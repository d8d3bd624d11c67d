//! Every crate takes lints, version and license from the workspace.

use toml::{Table, Value};

use crate::tree::{File, Finding, Tree};

/// Written once, in the workspace's manifest.
const INHERITED: [&str; 3] = ["version", "license", "rust-version"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let Ok(manifest) = file.text.parse::<Table>() else {
            findings.push(file.finding(0, "make it a TOML file"));
            continue;
        };
        if manifest.contains_key("workspace") {
            // One of its own, such as what is fuzzed with another toolchain: there is nothing to
            // inherit.
            continue;
        }
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
        let is_private = |package: &Table| package.get("publish") == Some(&Value::Boolean(false));
        if let Some(package) = package.filter(|package| !is_private(package)) {
            findings.extend(unpublishable(tree, file, package));
        }
    }
    findings
}

/// What a package that may be published says.
const SAID: [&str; 5] = ["description", "keywords", "categories", "readme", "rust-version"];
/// What lies in its folder.
const BESIDE: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// What the package lacks that those who find it on a registry look for.
fn unpublishable(tree: &Tree, file: &File, package: &Table) -> Vec<Finding> {
    let folder = file.path.trim_end_matches("Cargo.toml");
    let mut lacks: Vec<String> = SAID
        .iter()
        .filter(|key| !package.contains_key(**key))
        .map(|key| format!("give the package its `{key}`, or `publish = false`"))
        .collect();
    let docs = package.get("metadata").and_then(|metadata| metadata.get("docs"));
    if docs.and_then(|docs| docs.get("rs")).is_none() {
        lacks.push("say under `[package.metadata.docs.rs]` which features are documented".into());
    }
    let has = |name: &str| tree.files.iter().any(|each| each.path == format!("{folder}{name}"));
    let missing = BESIDE.iter().filter(|name| !has(name));
    lacks.extend(missing.map(|name| format!("lay {name} beside it: a package holds its own")));
    lacks.into_iter().map(|instead| file.finding(0, instead)).collect()
}

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[test]
fn what_a_manifest_does_not_inherit_is_found() {
    let good = "[package]\nversion.workspace = true\nlicense.workspace = true\npublish = false\n\
                [lints]\nworkspace = true\n";
    let bad = "[package]\nversion = '1.0.0'\nrust-version = '1.80'\npublish = false\n[lints]\nworkspace = false\n";
    let tree = Tree::sample(&[
        ("Cargo.toml", "[workspace]\n"),
        ("crates/good/Cargo.toml", good),
        ("crates/bad/Cargo.toml", bad),
        ("crates/broken/Cargo.toml", "[package"),
        ("crates/good/fuzz/Cargo.toml", "[package]\nversion = '0.0.0'\n[workspace]\n"),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 5);
    assert!(findings[0].starts_with("crates/bad/Cargo.toml: write `workspace = true`"));
    assert!(findings[3].contains("`rust-version.workspace = true`"));
    assert!(findings[4].starts_with("crates/broken/"));
}

#[test]
fn what_a_package_lacks_to_be_published_is_found() {
    let inherited =
        "version.workspace = true\nlicense.workspace = true\nrust-version.workspace = true\n";
    let lints = "[lints]\nworkspace = true\n";
    let bare = format!("[package]\n{inherited}{lints}");
    let whole = format!(
        "[package]\ndescription = 'd'\nreadme = 'README.md'\nkeywords.workspace = true\n\
         categories.workspace = true\n{inherited}[package.metadata.docs.rs]\n{lints}"
    );
    let tree = Tree::sample(&[
        ("crates/a/Cargo.toml", &bare),
        ("crates/b/Cargo.toml", &whole),
        ("crates/b/README.md", ""),
        ("crates/b/LICENSE-MIT", ""),
        ("crates/b/LICENSE-APACHE", ""),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 8, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.starts_with("crates/a/")), "{findings:?}");
}
