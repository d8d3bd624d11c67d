//! The summary for a terminal.

use std::fmt::Write as _;

use super::{Report, Status};

impl Report {
    /// A line per subject, what failed, and the sum.
    #[must_use]
    pub fn console(&self) -> String {
        let subjects = self.subjects();
        let name = |(origin, subject): &(&str, &str)| format!("{origin} {subject}");
        let width = subjects.iter().map(|subject| name(subject).chars().count()).max();
        let width = width.unwrap_or(0).max(7);
        let mut text = format!(
            "{:width$}  {:>7}{:>8}{:>8}{:>11}{:>12}\n",
            "subject", "passed", "warned", "failed", "tolerated", "no verdict"
        );
        for subject in &subjects {
            let of_subject =
                self.documents.iter().filter(|d| (&*d.origin, &*d.subject) == *subject);
            let summary = Self { documents: of_subject.cloned().collect() }.summary();
            let _ok = writeln!(
                text,
                "{:width$}  {:>7}{:>8}{:>8}{:>11}{:>12}",
                name(subject),
                summary.ok - summary.warned,
                summary.warned,
                summary.failed,
                summary.tolerated,
                summary.skipped
            );
        }
        for document in &self.documents {
            let head = match document.status {
                Status::Failed => "failed",
                Status::Tolerated => "tolerated",
                Status::Ok if document.verdict == "warned" => "warned",
                _ => continue,
            };
            let _ok = write!(text, "\n{head}: {} {}", document.subject, document.check);
            for broken in &document.violations {
                let _ok = write!(text, "\n  rule {}: {}", broken.rule, broken.message);
            }
            if let Some(reason) = &document.reason {
                let _ok = write!(text, "\n  {reason}");
            }
        }
        let _ok = write!(text, "\n{}\n", self.summary().line());
        text
    }
}
