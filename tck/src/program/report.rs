//! `rs-tck report`: gathers the documents of a run.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use reactive_streams_tck::report::{Report, write};

use super::{Answer, BROKEN, NOTHING, say};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The directory that `RS_TCK_REPORT_DIR` named during the run
    directory: PathBuf,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write all documents as one
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write one self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a summary in Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Answer {
    let report = Report::gather(&options.directory)?;
    let write_form = |path: &Option<PathBuf>, form: fn(&Report) -> String| {
        path.as_ref().map_or(Ok(()), |path| write(path, &form(&report)))
    };
    write_form(&options.junit, Report::junit)?;
    write_form(&options.json, Report::json)?;
    write_form(&options.html, Report::html)?;
    write_form(&options.markdown, Report::markdown)?;
    say!("{}", report.console().trim_end());
    let summary = report.summary();
    if summary.executed() == 0 {
        eprintln!(
            "rs-tck: no check was executed; was RS_TCK_REPORT_DIR set to {} during the run?",
            options.directory.display()
        );
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}
