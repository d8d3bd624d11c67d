//! Every package in the lock file has a license that may be used.

use cargo_metadata::MetadataCommand;

use crate::tree::{File, Finding, root};

/// The licenses of which each package offers one.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A package and what its manifest says.
#[derive(Debug)]
pub(crate) struct Package {
    name: String,
    license: Option<String>,
}

/// All packages that are built on any system, ours too.
pub(crate) fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--all-features".to_owned()])
        .exec()
        .expect("cargo can read the packages: run `cargo fetch` once where there is a network");
    let packages = metadata.packages.iter();
    packages
        .map(|package| Package {
            name: format!("{} {}", package.name, package.version),
            license: package.license.clone(),
        })
        .collect()
}

pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let bad = packages.iter().filter(|package| !package.license.as_deref().is_some_and(is_allowed));
    let findings = bad.map(|Package { name, license }| {
        let license = license.as_deref().unwrap_or("none");
        let file = File { path: name.clone(), text: String::new() };
        file.finding(
            0,
            format!("do without it: its license is {license}, which is not in [ALLOWED]"),
        )
    });
    findings.collect()
}

/// An expression such as `(MIT OR Apache-2.0) AND Unicode-3.0`; `/` is an old `OR`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    alternatives(&expression)
}

/// `OR` binds less than `AND`.
fn alternatives(text: &str) -> bool {
    split(text, " OR ").iter().any(|part| split(part, " AND ").iter().all(|part| one(part)))
}

fn one(text: &str) -> bool {
    let text = text.trim();
    match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => alternatives(inner),
        None => ALLOWED.contains(&text),
    }
}

/// The parts between separators that stand outside of parentheses.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[test]
fn a_license_that_is_not_allowed_is_found() {
    for good in [
        "MIT",
        "MIT/GPL-3.0",
        "GPL-2.0 OR Zlib",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR MIT",
        "MIT AND (BSD-3-Clause OR GPL-3.0)",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND MPL-2.0", "MITx"] {
        assert!(!is_allowed(bad), "{bad}");
    }
    let package = |license: Option<&str>| Package {
        name: "a 1.0.0".to_owned(),
        license: license.map(str::to_owned),
    };
    let findings = check(&[package(None), package(Some("MIT")), package(Some("AGPL-3.0"))]);
    assert_eq!(findings.len(), 2);
}
