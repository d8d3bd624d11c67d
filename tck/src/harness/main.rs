//! The `main` of a test executable without libtest: one named trial per check.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for the terminal")]

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use libtest_mimic::{Completion, Failed, Trial};

use super::{isolate, options::Options};
use crate::{
    check::Check,
    conclude::Conclusion,
    expectations::Expectations,
    random::Random,
    report::{Document, Report, Status},
    settings::Overrides,
    subject::Subject,
    sync::lock,
};

/// A rule was broken: what cargo expects of a test executable whose tests fail.
const BROKEN: u8 = 101;
/// The command could not be understood.
const USAGE: u8 = 2;
/// Nothing was executed, or only the harness failed.
const NOTHING: u8 = 3;

/// Runs the checks of all subjects, as the command line and the environment say.
///
/// Each check is a trial `subject::3.9_request_zero`, for `cargo test` and `cargo nextest` alike.
/// `--help` lists the options and the exit codes.
///
/// # Examples
///
/// `tests/tck.rs`, with `[[test]] name = "tck", harness = false` in the manifest:
///
/// ```no_run
/// # use reactive_streams::{Publisher, Subscriber};
/// # #[derive(Debug)]
/// # struct Mine;
/// # impl Mine { fn of(_: u64) -> Self { Self } }
/// # impl Publisher for Mine {
/// #     type Item = u64;
/// #     fn subscribe<S: Subscriber<u64>>(self, _: S) {}
/// # }
/// use std::process::ExitCode;
///
/// use reactive_streams_tck::{Capabilities, Subject};
///
/// fn main() -> ExitCode {
///     reactive_streams_tck::main(vec![Subject::of("mine", Capabilities::new(), Mine::of)])
/// }
/// ```
#[must_use]
pub fn main(subjects: Vec<Subject>) -> ExitCode {
    let result = match isolate::directory() {
        Some(directory) => isolate::play(&directory, &subjects, std::env::args_os()),
        None => run(&Options::read(), subjects),
    };
    result.unwrap_or_else(|message| {
        eprintln!("{message}");
        ExitCode::from(USAGE)
    })
}

/// What the trials share.
struct Run {
    overrides: Overrides,
    isolate: bool,
    conclusion: Conclusion,
    documents: Mutex<Vec<Document>>,
}

pub(super) fn run(options: &Options, subjects: Vec<Subject>) -> Result<ExitCode, String> {
    options.validate()?;
    for (index, subject) in subjects.iter().enumerate() {
        if subjects[..index].iter().any(|other| other.name() == subject.name()) {
            return Err(format!("two subjects are named `{}`: rename one", subject.name()));
        }
    }
    let expectations = match &options.expectations {
        Some(file) => Expectations::read(file)?,
        None => Expectations::default(),
    };
    expectations.resolve(&subjects)?;
    let run = Arc::new(Run {
        overrides: options.overrides(),
        isolate: options.isolate,
        conclusion: Conclusion { expectations, report_dir: options.report_dir.clone() },
        documents: Mutex::default(),
    });
    let mut trials = Vec::new();
    for subject in &subjects {
        for check in subject.checks().filter(|check| options.selects(check)) {
            let name = isolate::trial(subject, check);
            if !options.names(&name) {
                continue;
            }
            let (run, subject) = (Arc::clone(&run), subject.clone());
            trials.push(Trial::ignorable_test(name, move || run.trial(&subject, check)));
        }
    }
    if let Some(seed) = options.shuffle {
        Random::new(seed).shuffle(&mut trials);
    }
    let conclusion = libtest_mimic::run(&options.libtest, trials);
    if options.libtest.list {
        return Ok(ExitCode::SUCCESS);
    }
    let documents = std::mem::take(&mut *lock(&run.documents));
    Ok(ExitCode::from(conclude(
        options,
        &run.conclusion.expectations,
        documents,
        conclusion.has_failed(),
    )))
}

impl Run {
    fn trial(&self, subject: &Subject, check: &'static Check) -> Result<Completion, Failed> {
        let mut document = match self.isolate {
            true => isolate::run(subject, check, self.overrides),
            false => Document::of(&subject.run(check.name, self.overrides), &check.trial()),
        };
        let concluded = self.conclusion.conclude(&mut document);
        lock(&self.documents).push(document.clone());
        concluded?;
        let reason = || document.reason.clone().unwrap_or_default();
        match document.status {
            Status::Ok => Ok(Completion::Completed),
            Status::Failed => {
                // At once: the summary comes when the last check has ended.
                let message = document.message.unwrap_or_default();
                println!("\n{message}\n");
                Err(message.lines().next().unwrap_or_default().into())
            }
            Status::Skipped => {
                Ok(Completion::ignored_with(format!("{}: {}", document.verdict, reason())))
            }
            Status::Tolerated => {
                let known = document.known.map(|known| known.reason).unwrap_or_default();
                Ok(Completion::ignored_with(format!("known violation: {known}")))
            }
        }
    }
}

/// Says what libtest has no words for, and chooses the exit code.
fn conclude(
    options: &Options,
    expectations: &Expectations,
    documents: Vec<Document>,
    has_failed: bool,
) -> u8 {
    for document in documents.iter().filter(|document| document.verdict == "warned") {
        println!("{}\n", document.message.as_deref().unwrap_or_default());
    }
    let unused = if options.is_whole() { expectations.unused(&documents) } else { Vec::new() };
    unused.iter().for_each(|line| println!("{line}"));
    let is_broken = |d: &Document| d.status == Status::Failed && d.verdict != "harness_error";
    let is_broken = documents.iter().any(is_broken) || !unused.is_empty();
    let is_empty = documents.is_empty();
    let summary = Report::new(documents).summary();
    if !is_empty {
        println!("rules: {}", summary.line());
    }
    // With one process per test, a check without a verdict is a run in which nothing is executed.
    let is_alone = options.libtest.exact;
    let may_be_empty = is_alone || (is_empty && options.is_elsewhere());
    if is_broken {
        BROKEN
    } else if has_failed {
        NOTHING
    } else if summary.executed() == 0 && !may_be_empty {
        println!("nothing was executed, so nothing is known: see the reasons above, or --help");
        NOTHING
    } else {
        0
    }
}
