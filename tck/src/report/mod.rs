//! Documents: what came out of a run, one file per check, and what is made of them.
//!
//! One document per outcome works for every way of running tests, also with one process per test.
//! `rs-tck report` gathers the documents of a directory.

mod console;
mod document;
mod html;
mod junit;
mod markdown;
mod matrix;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use document::{Broken, Document, Known, Status};
use serde::Serialize;

/// The version of the documents' form.
pub const SCHEMA: &str = "reactive-streams-tck/1";

/// Where documents are written to.
pub(crate) const DIRECTORY: &str = "RS_TCK_REPORT_DIR";

/// The documents of a run, in the order of subjects and checks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    documents: Vec<Document>,
}

/// A report as JSON.
#[derive(Serialize)]
struct Gathered<'a> {
    schema: &'a str,
    kind: &'a str,
    summary: Summary,
    outcomes: &'a [Document],
}

/// How many checks came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Every rule held, or only ones that should hold were broken.
    pub ok: usize,
    /// Of these, the ones with a warning.
    pub warned: usize,
    /// A rule was broken, or the harness failed.
    pub failed: usize,
    /// Failed as expected.
    pub tolerated: usize,
    /// Not executed, or without a verdict.
    pub skipped: usize,
}

impl Report {
    /// A report of these documents.
    #[must_use]
    pub fn new(mut documents: Vec<Document>) -> Self {
        documents.sort_by(|a, b| {
            let key = |d: &Document| (d.origin.clone(), d.subject.clone(), d.suite.clone());
            let in_rule = || order(&a.rule).cmp(&order(&b.rule)).then(a.check.cmp(&b.check));
            key(a).cmp(&key(b)).then_with(in_rule)
        });
        Self { documents }
    }

    /// Reads the documents of a directory.
    ///
    /// # Errors
    ///
    /// The directory or a file that cannot be read, and a file that is no document.
    pub fn gather(directory: &Path) -> Result<Self, String> {
        let named = |error| format!("{}: {error}", directory.display());
        let mut documents = Vec::new();
        for entry in fs::read_dir(directory).map_err(named)? {
            let path = entry.map_err(named)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                documents.push(Document::read(&path)?);
            }
        }
        Ok(Self::new(documents))
    }

    /// The documents.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// How many checks came out how.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for document in &self.documents {
            match document.status {
                Status::Ok => summary.ok += 1,
                Status::Failed => summary.failed += 1,
                Status::Tolerated => summary.tolerated += 1,
                Status::Skipped => summary.skipped += 1,
            }
            summary.warned += usize::from(document.verdict == "warned");
        }
        summary
    }

    /// All documents in one.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "what is expected always holds")]
    pub fn json(&self) -> String {
        let gathered = Gathered {
            schema: SCHEMA,
            kind: "report",
            summary: self.summary(),
            outcomes: &self.documents,
        };
        serde_json::to_string_pretty(&gathered).expect("a document has text keys only")
    }

    /// The subjects, each once, as `(origin, name)`.
    fn subjects(&self) -> Vec<(&str, &str)> {
        let mut subjects: Vec<_> =
            self.documents.iter().map(|d| (d.origin.as_str(), d.subject.as_str())).collect();
        subjects.dedup();
        subjects
    }
}

impl Summary {
    /// How many were executed.
    #[must_use]
    pub const fn executed(self) -> usize {
        self.ok + self.failed + self.tolerated
    }

    /// One line for people.
    #[must_use]
    pub fn line(self) -> String {
        let Self { ok, warned, failed, tolerated, skipped } = self;
        let passed = ok - warned;
        format!(
            "{passed} passed, {warned} warned, {failed} failed, {tolerated} tolerated, \
             {skipped} without a verdict"
        )
    }
}

/// Sorts 3.9 before 3.17, and this binding's own rules last.
fn order(rule: &str) -> (u32, u32) {
    let (section, number) = rule.split_once('.').unwrap_or((rule, ""));
    (section.parse().unwrap_or(u32::MAX), number.parse().unwrap_or(u32::MAX))
}

/// Writes a text to a file of this name, with the name in the error.
///
/// # Errors
///
/// The file cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    }
    // A reader never sees half a file, and two writers of one name do not mix.
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(name);
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
