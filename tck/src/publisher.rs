//! Runs the checks of publishers.

use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use reactive_streams::Publisher;

use crate::{
    checker::{Expectation, Violation, check_publisher},
    clock,
    probe::{Handle, Probe, Recorder, Slot, lock},
    scenario::{PUBLISHER, Scenario, Step},
    trace::{Call, Event, Phase},
};

/// How many events of a trace a message shows.
const SHOWN: usize = 40;

/// What a publisher declares about itself. What is declared and does not hold is a failure.
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::Capabilities;
///
/// let of_one = Capabilities::new().max_length(1);
/// let on_threads = Capabilities::new().asynchronous();
/// let never = Capabilities::new().exact_length(0).never_completes();
/// # let _ = (of_one, on_threads, never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Capabilities {
    max_length: u64,
    exact_length: Option<u64>,
    completes: bool,
    fails: bool,
    asynchronous: bool,
    depth: usize,
    deadline: Duration,
    quiet: Duration,
}

impl Capabilities {
    /// A synchronous publisher of any number of items that completes.
    pub const fn new() -> Self {
        Self {
            max_length: u64::MAX,
            exact_length: None,
            completes: true,
            fails: false,
            asynchronous: false,
            depth: 1,
            deadline: Duration::from_secs(10),
            quiet: Duration::from_millis(20),
        }
    }

    /// It cannot have more than `n` items.
    pub const fn max_length(mut self, n: u64) -> Self {
        self.max_length = n;
        self
    }

    /// It has `n` items, whatever it is asked for; `u64::MAX` means that it never ends.
    pub const fn exact_length(mut self, n: u64) -> Self {
        self.exact_length = Some(n);
        self
    }

    /// It does not complete after its last item.
    pub const fn never_completes(mut self) -> Self {
        self.completes = false;
        self
    }

    /// It sends no item, but an error, at the latest when something is requested.
    pub const fn fails(mut self) -> Self {
        self.fails = true;
        self
    }

    /// It signals from other threads.
    pub const fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    /// How deep `on_next` may be nested in itself. Default: 1, which is not at all.
    pub const fn depth(mut self, n: usize) -> Self {
        self.depth = n;
        self
    }

    /// How long a signal that is due may take before it counts as missing. Default: 10 s.
    pub const fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// How long to listen for signals that must not come; asynchronous ones only. Default: 20 ms.
    pub const fn quiet(mut self, time: Duration) -> Self {
        self.quiet = time;
        self
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::new()
    }
}

/// What a check found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Every rule held on the trace of this check.
    Passed,
    /// The check does not fit the declared capabilities, for this reason.
    NotApplicable(&'static str),
    /// Rules were broken.
    Failed {
        /// Which, in the order of the trace.
        violations: Vec<Violation>,
        /// What happened.
        trace: Vec<Event>,
    },
}

/// The names of the checks of publishers.
pub fn publisher_checks() -> impl Iterator<Item = &'static str> {
    PUBLISHER.iter().map(|scenario| scenario.name)
}

/// Runs the check `name` on a publisher that `create` makes for a number of items.
///
/// # Panics
///
/// If there is no check of this name.
pub fn check<P, F>(name: &str, capabilities: Capabilities, create: F) -> Verdict
where
    P: Publisher<Item: 'static>,
    F: FnOnce(u64) -> P + Send + 'static,
{
    let Some(scenario) = PUBLISHER.iter().find(|scenario| scenario.name == name) else {
        panic!("there is no check `{name}`; `rs-tck list` names them all");
    };
    let wanted = scenario.length.min(capabilities.max_length);
    let length = match capabilities.exact_length {
        Some(u64::MAX) if scenario.unbounded => {
            return Verdict::NotApplicable("without bound, an endless publisher does not return");
        }
        exact => exact.unwrap_or(wanted),
    };
    let expectation = Expectation {
        length: Some(length),
        completes: capabilities.completes,
        fails: capabilities.fails,
        depth: capabilities.depth,
        settled: true,
    };
    let recorder = Recorder::default();
    let run = {
        let recorder = recorder.clone();
        move || play(*scenario, capabilities, expectation, &recorder, || create(length))
    };
    // On a thread of its own: a subject that never returns must not take the run with it.
    let _returned = clock::finishes_within(capabilities.deadline * 2, run);
    let trace = recorder.events();
    let mut violations = check_publisher(&trace, &expectation);
    if trace.iter().all(|event| event.call == Call::Subscribe) && violations.is_empty() {
        let message =
            "nothing was called; did the closure that makes the publisher panic?".to_owned();
        violations.push(Violation { rule: "1.9", message, at: trace.len() });
    }
    if violations.is_empty() { Verdict::Passed } else { Verdict::Failed { violations, trace } }
}

fn play<P: Publisher<Item: 'static>>(
    scenario: Scenario,
    capabilities: Capabilities,
    expectation: Expectation,
    recorder: &Recorder,
    create: impl FnOnce() -> P,
) {
    let slot = Slot::default();
    let probe = Probe::new(1, recorder.clone(), scenario.script, Arc::clone(&slot));
    let publisher = create();
    let settle = || {
        if capabilities.asynchronous {
            let holds = || check_publisher(&recorder.events(), &expectation).is_empty();
            clock::wait_until(capabilities.deadline, holds);
            clock::pause(capabilities.quiet);
        }
    };
    recorder.guard(1, Call::Subscribe, || publisher.subscribe(probe));
    if capabilities.asynchronous {
        clock::wait_until(capabilities.deadline, || lock(&slot).is_some());
    }
    // The handle is held to the end: the subscriber has to be dropped nevertheless (rule 3.13).
    let Some(handle) = lock(&slot).clone() else { return };
    for step in scenario.steps {
        match *step {
            Step::Request(n, times) => (0..times).for_each(|_| handle.request(n)),
            Step::Cancel => handle.cancel(),
            Step::Settle => settle(),
            Step::RequestFromThreads(threads, times) => {
                from_threads(&handle, threads, |handle| {
                    (0..times).for_each(|_| handle.request(1));
                });
            }
            Step::CancelFromThreads(threads) => from_threads(&handle, threads, Handle::cancel),
        }
    }
    settle();
}

fn from_threads(handle: &Handle, threads: u32, body: impl Fn(&Handle) + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // A scripted panic may come through a subject that does not catch it.
                drop(catch_unwind(AssertUnwindSafe(|| body(handle))));
            });
        }
    });
}

/// Runs a check and panics if it failed, as a test does.
///
/// # Panics
///
/// With the broken rules, the end of the trace and the command that runs this check alone.
pub fn assert_check<P, F>(subject: &str, name: &str, capabilities: Capabilities, create: F)
where
    P: Publisher<Item: 'static>,
    F: FnOnce(u64) -> P + Send + 'static,
{
    if let Verdict::Failed { violations, trace } = check(name, capabilities, create) {
        panic!("{}", report(subject, name, &violations, &trace));
    }
}

/// What a failed check says: rules, timeline, and how to run it again.
#[must_use]
pub fn report(subject: &str, name: &str, violations: &[Violation], trace: &[Event]) -> String {
    let mut text = format!("{subject}: {name} failed\n");
    for violation in violations.iter().take(5) {
        let _ok = writeln!(text, "  {violation}");
        if let Some(rule) = reactive_streams::rule(violation.rule) {
            let _ok = writeln!(text, "    {}", rule.statement);
        }
    }
    let _ok = writeln!(text, "  {:<36}subscriber", "publisher");
    for (index, event) in trace.iter().enumerate().skip(trace.len().saturating_sub(SHOWN)) {
        let upstream = matches!(event.call, Call::Request(_) | Call::Cancel | Call::Subscribe);
        let indent = if upstream == (event.phase == Phase::Made) { 36 } else { 0 };
        let _ok = writeln!(text, "  {:indent$}{index}: {event}", "");
    }
    let _ok = write!(text, "run it alone with: cargo test -- {subject}::{name}");
    text
}
