//! `millstream audit`, `millstream doctor`: what a person should know before a pipeline runs.

use std::io::Write;

use millstream_pipeline::{Finding, Pipeline, Verdict};
use serde_json::json;

use crate::{Found, Outcome, file::FileArgs};

/// Holds a pipeline's file against the checklists of production: bounds, losses, protection,
/// operation. Opens nothing.
///
/// Ends with 1 if an item fails; those that no file can answer are printed for a person.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    form: Form,
    /// Accepts that this item fails, by a part of its text or reason; may be given again.
    #[arg(long, value_name = "TEXT")]
    accept: Vec<String>,
}

/// Connects to what a pipeline's file names, and says what is wrong and what to do.
///
/// Takes no item. Ends with 1 if something is wrong, with 2 if the file is.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, clap::Args)]
struct Form {
    /// Writes a line of JSON for each item.
    #[arg(long)]
    json: bool,
}

impl AuditArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let findings = Pipeline::new(self.file.read()?).audit();
        self.form.write(&findings, out)?;
        let is_accepted = |finding: &Finding| {
            let has = |text: &String| finding.item.contains(text) || finding.reason.contains(text);
            self.accept.iter().any(has)
        };
        Ok(conclude(findings.into_iter().filter(|finding| !is_accepted(finding)), "the audit"))
    }
}

impl DoctorArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let findings = Pipeline::new(self.file.read()?).diagnose();
        self.form.write(&findings, out)?;
        Ok(conclude(findings.into_iter(), "the pipeline cannot run"))
    }
}

impl Form {
    fn write(&self, findings: &[Finding], out: &mut dyn Write) -> std::io::Result<()> {
        let mut group = "";
        for finding in findings {
            let Finding { group: of, item, verdict, reason } = finding;
            if self.json {
                let name = verdict.name();
                let line = json!({ "group": of, "item": item, "verdict": name, "reason": reason });
                writeln!(out, "{line}")?;
                continue;
            }
            if *of != group {
                writeln!(out, "{}{of}", if group.is_empty() { "" } else { "\n" })?;
                group = of;
            }
            writeln!(out, "  {verdict:<8} {item}\n           {reason}")?;
        }
        Ok(())
    }
}

fn conclude(findings: impl Iterator<Item = Finding>, what: &str) -> Found {
    let failed: Vec<_> = findings.filter(|finding| finding.verdict == Verdict::Fails).collect();
    if failed.is_empty() {
        return Found::Good;
    }
    let line = |finding: Finding| format!("  {}: {}", finding.item, finding.reason);
    let head = format!("{what}: {} of it is not as it should be", failed.len());
    Found::Bad(std::iter::once(head).chain(failed.into_iter().map(line)).collect())
}
