//! The `main` of a test executable without libtest: one named trial per check.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for the terminal")]



use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use libtest_mimic::{Completion, Failed, Trial};


use crate::{
    check::Check,
    expectations::{Expectations, today},
    harness::{isolate, options::Options},
    play::probe::lock,
    report::{Document, Report, Status},
    settings::Overrides,
    subject::Subject,
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
    report_dir: Option<std::path::PathBuf>,
    expectations: Expectations,
    documents: Mutex<Vec<Document>>,
}

fn run(options: &Options, subjects: Vec<Subject>) -> Result<ExitCode, String> {
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
        report_dir: options.report_dir.clone(),
        expectations,
        documents: Mutex::default(),
    });
    let mut trials = Vec::new();
    for subject in &subjects {
        for check in subject.checks().filter(|check| options.selects(check)) {
            let (run, subject) = (Arc::clone(&run), subject.clone());
            let name = isolate::trial(&subject, check);
            trials.push(Trial::ignorable_test(name, move || run.trial(&subject, check)));
        }
    }
    if let Some(seed) = options.shuffle {
        shuffle(&mut trials, seed);
    }
    let conclusion = libtest_mimic::run(&options.libtest, trials);
    if options.libtest.list {
        return Ok(ExitCode::SUCCESS);
    }
    let documents = std::mem::take(&mut *lock(&run.documents));
    Ok(ExitCode::from(conclude(options, &run.expectations, documents, conclusion.has_failed())))
}

impl Run {
    fn trial(&self, subject: &Subject, check: &'static Check) -> Result<Completion, Failed> {
        let mut document = match self.isolate {
            true => isolate::run(subject, check, self.overrides),
            false => Document::of(&subject.run(check.name, self.overrides), &check.trial()),
        };
        self.expectations.apply(&mut document, today());
        let written = self
            .report_dir
            .as_deref()
            .map_or(Ok(()), |directory| document.write_into(directory).map(drop));
        lock(&self.documents).push(document.clone());
        written?;
        let reason = || document.reason.clone().unwrap_or_default();
        match document.status {
            Status::Ok => Ok(Completion::Completed),
            Status::Failed => Err(document.message.unwrap_or_default().into()),
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
    let may_be_empty = is_alone || (is_empty && options.is_narrowed());
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

/// Fisher and Yates, drawn by splitmix64.
fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed;
    for end in (1..list.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = state;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn ^= drawn >> 31;
        let below = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(1);
        list.swap(end, usize::try_from(drawn % below).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_keeps_everything_and_repeats_itself() {
        let shuffled = |seed| {
            let mut list: Vec<u32> = (0..20).collect();
            shuffle(&mut list, seed);
            list
        };

        let mut sorted = shuffled(1);
        sorted.sort_unstable();

        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
    }
}
