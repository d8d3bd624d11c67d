//! `package`: what would be published of each crate compiles by itself.

use std::{fmt::Write as _, fs, path::Path};

use crate::shell::{Failure, Shell, root, target_dir};

/// Packs each crate that may be published, and compiles it from its package.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What a registry takes at most of one package.
const MAX_BYTES: u64 = 10 << 20;

/// A crate that may be published.
#[derive(Debug, PartialEq)]
struct Package {
    name: String,
    version: String,
}

impl Package {
    /// The name of its package without the ending, and of the folder in it.
    fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    let metadata = shell.cargo("metadata --no-deps --offline --format-version 1").lines()?;
    let packages = published(&metadata);
    let call = shell.cargo("package --allow-dirty --no-verify --quiet");
    packages.iter().fold(call, |call, package| call.arg("--package").arg(&package.name)).run()?;
    // Cargo would compile each package by itself, from copies that it keeps by version in its home
    // and takes for current the next time. Here they stand in one workspace that is made anew.
    let workspace = target_dir().join("package").join("workspace");
    unpack(shell, &packages, &workspace)?;
    shell
        .cargo("check --workspace --lib --bins --manifest-path")
        .arg(&workspace.join("Cargo.toml").display().to_string())
        .arg("--target-dir")
        .arg(&target_dir().display().to_string())
        .run()?;
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    println!("packages: {}", names.join(", "));
    Ok(())
}

/// Unpacks the packages into a workspace in which each takes the others from beside it.
fn unpack(shell: &Shell, packages: &[Package], workspace: &Path) -> Result<(), Failure> {
    let said = |error| Failure::new(format!("{}: {error}", workspace.display()));
    if workspace.exists() {
        fs::remove_dir_all(workspace).map_err(said)?;
    }
    fs::create_dir_all(workspace).map_err(said)?;
    for package in packages {
        let file = target_dir().join("package").join(format!("{}.crate", package.stem()));
        let size = fs::metadata(&file).map_err(said)?.len();
        if size > MAX_BYTES {
            let name = &package.name;
            return Err(Failure::new(format!(
                "the package of {name} has {size} bytes, and a registry takes {MAX_BYTES}: \
                 `cargo package --list -p {name}` names its files"
            )));
        }
        let call = shell.program("tar", "-xzf").arg(&file.display().to_string());
        call.arg("-C").arg(&workspace.display().to_string()).run()?;
    }
    fs::write(workspace.join("Cargo.toml"), manifest(packages)).map_err(said)?;
    fs::copy(root().join("Cargo.lock"), workspace.join("Cargo.lock")).map_err(said)?;
    Ok(())
}

/// The manifest of the workspace of the packages.
fn manifest(packages: &[Package]) -> String {
    let mut text = "[workspace]\nresolver = \"3\"\nmembers = [\"*-*.*.*\"]\n\n".to_owned();
    text.push_str("[patch.crates-io]\n");
    for package in packages {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} = {{ path = {:?} }}", package.name, package.stem());
    }
    text
}

/// The packages without `publish = false`.
fn published(metadata: &str) -> Vec<Package> {
    let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    packages
        .filter(|package| package["publish"].is_null())
        .filter_map(|package| {
            Some(Package { name: text(&package["name"])?, version: text(&package["version"])? })
        })
        .collect()
}

#[test]
fn packages_that_may_be_published_are_read() {
    let metadata = r#"{"packages":[{"name":"a","version":"0.1.0","publish":null},
        {"name":"b","version":"0.1.0","publish":[]}]}"#;

    let packages = published(metadata);

    assert_eq!(packages, [Package { name: "a".to_owned(), version: "0.1.0".to_owned() }]);
    assert!(manifest(&packages).ends_with("a = { path = \"a-0.1.0\" }\n"), "it takes `a` so");
}
