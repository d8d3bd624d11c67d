//! `package`: what would be published of each crate compiles by itself.

use crate::shell::{Failure, Shell};

/// Packs each crate that may be published, and compiles it from its package.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    let metadata = shell.cargo("metadata --no-deps --offline --format-version 1").lines()?;
    let names = published(&metadata);
    // In one call, in which cargo takes the crates that others build on from their packages.
    let call = shell.cargo("package --allow-dirty");
    names.iter().fold(call, |call, name| call.arg("--package").arg(name)).run()?;
    println!("packages: {}", names.join(", "));
    Ok(())
}

/// The names of the packages without `publish = false`.
fn published(metadata: &str) -> Vec<String> {
    let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["publish"].is_null())
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn packages_that_may_be_published_are_read() {
    let metadata = r#"{"packages":[{"name":"a","publish":null},{"name":"b","publish":[]}]}"#;

    assert_eq!(published(metadata), ["a"]);
}
