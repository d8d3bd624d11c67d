//! The summary as Markdown, for a page or a job's summary.

use std::fmt::Write as _;

use super::{Report, Status, matrix::Cell};

impl Report {
    /// An overall line, a table of rules, and what failed.
    #[must_use]
    pub fn markdown(&self) -> String {
        let summary = self.summary();
        let overall = match () {
            () if summary.executed() == 0 => "Nothing was executed",
            () if summary.failed > 0 => "Not conforming",
            () if summary.tolerated > 0 => "Conforming, but for known violations",
            () => "Conforming",
        };
        let mut text = format!("# Reactive Streams\n\n**{overall}**: {}.\n\n", summary.line());
        text.push_str("| rule |");
        for (_, subject) in self.subjects() {
            let _ok = write!(text, " {} |", escaped(subject));
        }
        text.push_str("\n|---|");
        self.subjects().iter().for_each(|_| text.push_str("---|"));
        text.push('\n');
        let is_silent = |cell: &Cell| cell.class() == "none";
        for line in self.matrix().iter().filter(|line| !line.cells.iter().all(is_silent)) {
            let _ok = write!(text, "| {} {} |", line.rule, escaped(line.statement));
            for cell in &line.cells {
                let strong = if *cell == Cell::Failed { "**" } else { "" };
                let _ok = write!(text, " {strong}{}{strong} |", cell.text());
            }
            text.push('\n');
        }
        for (status, title) in [(Status::Failed, "Failed"), (Status::Tolerated, "Known violations")]
        {
            let documents: Vec<_> = self.documents.iter().filter(|d| d.status == status).collect();
            if documents.is_empty() {
                continue;
            }
            let _ok = write!(text, "\n## {title}\n\n");
            for document in documents {
                let _ok = write!(text, "- `{}` `{}`", document.subject, document.check);
                for broken in &document.violations {
                    let _ok = write!(text, "; rule {}: {}", broken.rule, escaped(&broken.message));
                }
                if let Some(reason) = &document.reason {
                    let _ok = write!(text, "; {}", escaped(reason));
                }
                text.push('\n');
            }
        }
        text
    }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
