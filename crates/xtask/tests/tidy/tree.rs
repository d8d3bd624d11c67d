//! The repository's files, findings about them, and exemptions from the checks.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{outputs::FOLDERS as OUTPUTS, scan::Source};

/// The tables of `tidy.toml` that checks read.
const CHECKS: [&str; 8] = [
    "comments",
    "layers",
    "layers_by_export",
    "lines",
    "sections",
    "tck",
    "tck_subscribers",
    "unsafe",
];

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the repository's root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The text, taken apart as Rust.
    pub(crate) fn source(&self) -> Source {
        Source::new(&self.text)
    }

    /// What to do about one line of this file, counted from 1; 0 stands for the whole file.
    pub(crate) fn finding(&self, line: usize, instead: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, instead: instead.into() }
    }

    /// Whether one of the file's folders has this name.
    pub(crate) fn is_within(&self, folder: &str) -> bool {
        self.path.rsplit('/').skip(1).any(|name| name == folder)
    }
}

/// What is wrong where, and what to do instead.
#[derive(Debug)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    instead: String,
}

impl Finding {
    /// What is wrong in `tidy.toml`.
    pub(crate) fn in_tidy(instead: String) -> Self {
        Self { path: "crates/xtask/tidy.toml".to_owned(), line: 0, instead }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.instead),
            line => write!(f, "{}:{line}: {}", self.path, self.instead),
        }
    }
}

/// The files that are checked.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    exemptions: toml::Table,
}

impl Tree {
    /// The repository: what git tracks or would track, and without git everything but its output.
    pub(crate) fn load() -> Self {
        let root = root();
        let mut paths = tracked(&root).unwrap_or_else(|| walk(&root));
        paths.sort();
        // Files that are not text have nothing to check, deleted ones nothing to read.
        let files = paths
            .into_iter()
            .filter_map(|path| {
                Some(File { text: fs::read_to_string(root.join(&path)).ok()?, path })
            })
            .collect();
        let exemptions = fs::read_to_string(root.join("crates/xtask/tidy.toml"))
            .expect("tidy.toml lies beside the manifest");
        Self { files, exemptions: exemptions.parse().expect("tidy.toml is a TOML file") }
    }

    /// A tree of made-up files.
    pub(crate) fn sample(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self { files: files.iter().map(file).collect(), exemptions: toml::Table::new() }
    }

    /// The same with the exemptions of this TOML text.
    pub(crate) fn with_exemptions(self, text: &str) -> Self {
        Self { exemptions: text.parse().expect("the sample is a TOML text"), ..self }
    }

    /// The Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Whether the file, or what else the check names, is exempt from it.
    pub(crate) fn is_exempt(&self, check: &str, name: &str) -> bool {
        self.table(check).any(|(exempt, reason)| exempt == name && !reason.trim().is_empty())
    }

    /// Exemptions from a check that no file needs, or that give no reason.
    pub(crate) fn idle_exemptions(
        &self,
        check: &str,
        is_needed: impl Fn(&File) -> bool,
    ) -> Vec<Finding> {
        self.idle_names(check, |path| {
            self.files.iter().find(|file| file.path == path).is_some_and(&is_needed)
        })
    }

    /// The same for exemptions of something else than files.
    pub(crate) fn idle_names(&self, check: &str, is_needed: impl Fn(&str) -> bool) -> Vec<Finding> {
        self.table(check)
            .filter(|(name, reason)| reason.trim().is_empty() || !is_needed(name))
            .map(|(name, _)| Finding {
                path: "crates/xtask/tidy.toml".to_owned(),
                line: 0,
                instead: format!(
                    "the exemption of `{name}` from [{check}] is not needed or gives no reason: \
                     remove it or say why it stands"
                ),
            })
            .collect()
    }

    /// The exemptions from a check that give a reason.
    pub(crate) fn exempt_names(&self, check: &str) -> impl Iterator<Item = &str> {
        self.table(check).filter(|(_, reason)| !reason.trim().is_empty()).map(|(name, _)| name)
    }

    /// Tables that no check reads.
    pub(crate) fn unknown_tables(&self) -> Vec<Finding> {
        let unknown = self.exemptions.keys().filter(|check| !CHECKS.contains(&check.as_str()));
        let findings = unknown.map(|check| Finding {
            path: "crates/xtask/tidy.toml".to_owned(),
            line: 0,
            instead: format!("remove [{check}]: no check reads it"),
        });
        findings.collect()
    }

    /// The texts of a table of `tidy.toml`, by name.
    pub(crate) fn table(&self, check: &str) -> impl Iterator<Item = (&str, &str)> {
        let table = self.exemptions.get(check).and_then(toml::Value::as_table);
        table
            .into_iter()
            .flatten()
            .map(|(path, reason)| (path.as_str(), reason.as_str().unwrap_or_default()))
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate lies two folders below the root").to_owned()
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(args).current_dir(root).output().ok()?;
    let list = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> =
        list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    // Outside a clone, git may still answer for a repository further up.
    paths.iter().any(|path| path == "Cargo.toml").then_some(paths)
}

fn walk(root: &Path) -> Vec<String> {
    let mut folders = vec![root.to_owned()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        for path in entries.map(|entry| entry.path()) {
            let name = path.strip_prefix(root).expect("the walk started at the root");
            let name = name.to_string_lossy().replace('\\', "/");
            if !path.is_dir() {
                paths.push(name);
                continue;
            }
            let is_output =
                path.file_name().is_some_and(|name| OUTPUTS.iter().any(|it| name == *it));
            if !is_output && !matches!(name.as_str(), ".git" | "criterion") {
                folders.push(path);
            }
        }
    }
    paths
}

#[test]
fn without_git_the_same_manifests_are_found() {
    let paths = walk(&root());

    assert!(paths.iter().any(|path| path == "crates/xtask/Cargo.toml"));
    assert!(!paths.iter().any(|path| path.starts_with(".git/") || path.starts_with("target/")));
}

#[test]
fn an_exemption_from_no_check_is_found() {
    let tree = Tree::sample(&[]).with_exemptions("[lines]\n[lynes]\n'a.rs' = 'a reason'\n");

    assert_eq!(tree.unknown_tables().len(), 1);
}

#[test]
fn an_exemption_that_nobody_needs_is_found() {
    let tree = Tree::sample(&[("a.rs", ""), ("b.rs", "")])
        .with_exemptions("[lines]\n'a.rs' = 'a reason'\n'b.rs' = ' '\n'gone.rs' = 'a reason'");

    let findings = tree.idle_exemptions("lines", |_| true);

    assert_eq!(findings.len(), 2);
    assert!(tree.is_exempt("lines", "a.rs"));
    assert!(!tree.is_exempt("lines", "b.rs"));
}
