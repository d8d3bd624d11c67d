//! A check in a process of its own: what aborts, overflows the stack or hangs gets a verdict as
//! well.
//!
//! The parent starts its own executable again, with a directory in the environment. The child runs
//! the one check, writes each event into the directory as it happens, and the outcome in the end.

use std::{
    cell::RefCell,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use crate::{
    check::Check,
    checker::{Level, Violation},
    play::clock::{self, Moment},
    play::event_log,
    report::Document,
    settings::{Overrides, Settings},
    subject::Subject,
    trace::{self, Call, Event, Phase},
    verdict::{Outcome, Verdict},
};

/// Names the directory of a child.
const DIRECTORY: &str = "RS_TCK_CHILD";
/// Asks for isolation; a child must not.
pub(crate) const ISOLATE: &str = "RS_TCK_ISOLATE";

/// Time to start and to end, besides what the check may take.
const GRACE: Duration = Duration::from_secs(5);

/// What Rust's runtime says before it aborts.
const OVERFLOWED: &str = "has overflowed its stack";

/// The directory, in a child.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// The child's part.
pub(crate) fn play(
    directory: &Path,
    subjects: &[Subject],
    arguments: impl Iterator<Item = OsString>,
) -> Result<ExitCode, String> {
    let name = arguments.last().unwrap_or_default().to_string_lossy().into_owned();
    let wanted = subjects.iter().find_map(|subject| {
        let check = subject.checks().find(|check| trial(subject, check) == name)?;
        Some((subject, check))
    });
    let (subject, check) = wanted.ok_or_else(|| format!("there is no check `{name}`"))?;
    let overrides = Overrides::from_env().map_err(|error| error.to_string())?;
    event_log::open(File::create(directory.join("trace")).map_err(|error| error.to_string())?);
    let outcome = subject.run(check.name, overrides);
    let document = Document::of(&outcome, &check.trial());
    document.write_to(&directory.join("outcome"))?;
    Ok(ExitCode::SUCCESS)
}

/// The name of a check's trial.
pub(crate) fn trial(subject: &Subject, check: &Check) -> String {
    format!("{}::{}", subject.name(), check.trial())
}

/// The parent's part: runs a check in a child.
pub(crate) fn run(subject: &Subject, check: &'static Check, overrides: Overrides) -> Document {
    let settings = subject.settings(overrides);
    isolated(subject, check, &settings).unwrap_or_else(|error| {
        let verdict = Verdict::HarnessError(format!("the check could not be isolated: {error}"));
        Document::of(&Outcome::unplayed(subject.name(), check, verdict), &check.trial())
    })
}

fn isolated(
    subject: &Subject,
    check: &'static Check,
    settings: &Settings,
) -> Result<Document, String> {
    let named = |error: std::io::Error| error.to_string();
    let directory = tempfile::Builder::new().prefix("rs-tck-").tempdir().map_err(named)?;
    let in_directory = |name: &str| directory.path().join(name);
    let errors = in_directory("stderr");
    let mut command = Command::new(std::env::current_exe().map_err(named)?);
    command
        .arg("--exact")
        .arg(trial(subject, check))
        .env(DIRECTORY, directory.path())
        .env_remove(ISOLATE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&errors).map_err(named)?);
    for (name, number) in [
        ("RS_TCK_DEADLINE_MS", settings.deadline.as_millis()),
        ("RS_TCK_QUIET_MS", settings.quiet.as_millis()),
        ("RS_TCK_BUDGET_MS", settings.budget.as_millis()),
        ("RS_TCK_SEED", u128::from(settings.seed)),
        ("RS_TCK_CASES", u128::from(settings.cases)),
    ] {
        command.env(name, number.to_string());
    }
    let begin = Moment::now();
    // A run is given up after twice the deadline without an event.
    let limit = settings.deadline * 4 + GRACE;
    let traced = in_directory("trace");
    let progress = || fs::metadata(&traced).map_or(0, |file| file.len() as usize);
    let status =
        wait(command.spawn().map_err(named)?, limit, settings.most() * 4 + GRACE, progress)
            .map_err(named)?;
    let outcome = in_directory("outcome");
    if outcome.exists() {
        return Document::read(&outcome);
    }
    let errors = fs::read(&errors).map_err(named)?;
    let errors = String::from_utf8_lossy(&errors);
    let trace = fs::read(in_directory("trace")).unwrap_or_default();
    let trace = last_run(&String::from_utf8_lossy(&trace));
    let death = Death::of(status, &errors, limit);
    let base = Outcome {
        trace,
        runs: 1,
        took: begin.elapsed(),
        ..Outcome::unplayed(subject.name(), check, Verdict::Failed)
    };
    let outcome = match death.violation(&base.trace) {
        Some(violation) => Outcome { violations: vec![violation], ..base },
        None => {
            let message =
                format!("{}, outside of any call, so no rule can be blamed", death.message(""));
            Outcome { verdict: Verdict::HarnessError(message), ..base }
        }
    };
    Ok(Document::of(&outcome, &check.trial()))
}

/// How it ended; `None` if it had to be killed.
fn wait(
    child: Child,
    limit: Duration,
    most: Duration,
    progress: impl Fn() -> usize,
) -> std::io::Result<Option<ExitStatus>> {
    let child = RefCell::new(child);
    let has_ended = || child.borrow_mut().try_wait().is_ok_and(|status| status.is_some());
    clock::wait_for_progress(limit, most, progress, has_ended);
    let mut child = child.into_inner();
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// The events of the last run. The last line may be half a line.
fn last_run(text: &str) -> Vec<Event> {
    let run = text.rsplit(event_log::BEGIN).next().unwrap_or_default();
    let whole = run.rfind('\n').map_or("", |end| &run[..end]);
    trace::parse(whole).unwrap_or_default()
}

/// What a process died of.
enum Death {
    Hung(Duration),
    Overflowed,
    Ended(ExitStatus),
}

impl Death {
    fn of(status: Option<ExitStatus>, errors: &str, limit: Duration) -> Self {
        match status {
            None => Self::Hung(limit),
            Some(_) if errors.contains(OVERFLOWED) => Self::Overflowed,
            Some(status) => Self::Ended(status),
        }
    }

    /// The rule is that of the call in which it happened; `None` if it was outside of any.
    fn violation(&self, trace: &[Event]) -> Option<Violation> {
        let open = open_calls(trace);
        // What happened last says which thread it was: another one may only be waiting.
        let thread = trace.last()?.thread;
        let own: Vec<Call> =
            open.iter().filter(|(its, _)| *its == thread).map(|(_, call)| *call).collect();
        let is_item = |call: &&Call| matches!(call, Call::OnNext(_));
        let sends = trace.iter().any(|event| event.thread == thread && is_item(&&event.call));
        let call = match self {
            // It may be blocked in a call, while another thread goes on.
            Self::Hung(_) => own.last().copied().or_else(|| open.last().map(|(_, call)| *call)),
            _ => own.last().copied(),
        };
        let rule = match (self, call) {
            (Self::Overflowed, _) if own.iter().filter(is_item).count() > 1 => "3.3",
            (Self::Overflowed, None) if sends => "3.3",
            (_, None) => return None,
            (_, Some(Call::Subscribe)) => "1.9",
            (Self::Hung(_), Some(Call::Cancel)) => "3.5",
            (Self::Hung(_), Some(Call::Request(_))) => "3.4",
            (_, Some(Call::Cancel)) => "3.15",
            (_, Some(Call::Request(0))) => "3.9",
            (_, Some(Call::Request(_))) => "3.16",
            (_, Some(_)) => "2.13",
        };
        let place = call.map_or_else(String::new, |call| format!(" in `{}`", call.name()));
        // Whatever the rule asks for: a process that is gone is no matter of taste.
        let violation = Violation::new(rule, trace.len(), self.message(&place));
        Some(Violation { level: Level::Must, ..violation })
    }

    fn message(&self, place: &str) -> String {
        match self {
            Self::Hung(limit) => {
                let s = limit.as_secs();
                format!("the process had not ended after {s} s{place}, and was killed")
            }
            Self::Overflowed => format!("the process overflowed its stack{place}"),
            Self::Ended(status) => format!("the process died{place}: {}", reason(*status)),
        }
    }
}

/// The calls that were made and had neither returned nor panicked, in order, each with its thread.
fn open_calls(trace: &[Event]) -> Vec<(u32, Call)> {
    let mut open: Vec<(u32, Call)> = Vec::new();
    for event in trace {
        let is_same = |(thread, call): &(u32, Call)| {
            *thread == event.thread
                && std::mem::discriminant(call) == std::mem::discriminant(&event.call)
        };
        match event.phase {
            Phase::Made if !event.call.is_moment() => open.push((event.thread, event.call)),
            Phase::Made => {}
            _ => {
                if let Some(index) = open.iter().rposition(is_same) {
                    open.remove(index);
                }
            }
        }
    }
    open
}

#[cfg(unix)]
fn reason(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let Some(signal) = status.signal() else { return status.to_string() };
    let name = match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    };
    format!("signal {signal}{name}")
}

#[cfg(not(unix))]
fn reason(status: ExitStatus) -> String {
    status.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_breaks_the_rule_of_the_call_it_happened_in() {
        let hung = Death::Hung(Duration::from_secs(7));
        let rule = |death: &Death, text: &str| {
            let violation = death.violation(&trace::parse(text).unwrap());
            violation.map_or(("", String::new()), |violation| (violation.rule, violation.message))
        };

        assert_eq!(
            rule(&hung, "1 0 > subscribe\n1 0 < subscribe\n1 0 > request 1\n").1,
            "the process had not ended after 7 s in `request`, and was killed"
        );
        assert_eq!(rule(&hung, "1 0 > request 1\n").0, "3.4");
        assert_eq!(rule(&hung, "1 0 > request 1\n1 0 < request 1\n").0, "");
        // Another thread waits in `request`, while the one that sends comes to the end of its
        // stack.
        let sending = "1 0 > request 9\n1 1 > on_next\n1 1 < on_next\n";
        assert_eq!(rule(&Death::Overflowed, sending).0, "3.3");
        assert_eq!(rule(&Death::Overflowed, "").0, "");
        assert_eq!(rule(&Death::Overflowed, "1 0 > cancel\n").0, "3.15");
        assert_eq!(
            rule(&Death::Overflowed, "1 0 > on_next\n1 0 > request 1\n1 0 > on_next\n").0,
            "3.3"
        );
    }

    #[test]
    fn half_a_line_is_no_event() {
        assert_eq!(last_run("# run\n1 0 > cancel\n# run\n1 0 > drop\n1 0 > req").len(), 1);
        assert_eq!(last_run(""), []);
    }
}
