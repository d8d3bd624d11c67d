//! Runs the checks of publishers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::scenario::{PUBLISHER, Scenario, Step};
use crate::{
    check::Check,
    checker::{Expectation, check_publisher},
    probe::{Blueprint, Handle, Recorder, lock},
    run::{self, Play},
    settings::Settings,
    stage::Stage,
    subject::{ErasedPublisher, Wanted},
    verdict::{Outcome, Verdict},
};

/// The checks of publishers.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check> {
    PUBLISHER.iter().map(|scenario| &scenario.check)
}

/// Runs a check of this suite; `None` if it has none of this name.
pub(crate) fn run(
    subject: &str,
    publisher: &ErasedPublisher,
    name: &str,
    settings: &Settings,
) -> Option<Outcome> {
    let scenario = PUBLISHER.iter().find(|scenario| scenario.check.name == name)?;
    let capabilities = publisher.capabilities;
    let wanted = scenario.length.min(capabilities.max_length);
    let length = match capabilities.exact_length {
        Some(u64::MAX) if scenario.unbounded => {
            let reason = "without bound, an endless publisher does not return";
            let verdict = Verdict::NotApplicable(reason.to_owned());
            return Some(Outcome::unplayed(subject, &scenario.check, verdict));
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
    Some(run::run(subject, &scenario.check, settings, |recorder| {
        let (recorder, publisher, settings) = (recorder.clone(), publisher.clone(), *settings);
        let play = move || play(scenario, &publisher, settings, expectation, length, &recorder);
        Play { play, judge: move |trace: &_| check_publisher(trace, &expectation) }
    }))
}

fn play(
    scenario: &Scenario,
    publisher: &ErasedPublisher,
    settings: Settings,
    expectation: Expectation,
    length: u64,
    recorder: &Recorder,
) {
    let blueprint = Blueprint::new(1, recorder, scenario.script);
    let slot = Arc::clone(&blueprint.slot);
    let wanted = Wanted::Items(length);
    let Some(mode) = (publisher.subscribe)(wanted, recorder, vec![blueprint]) else { return };
    let stage = Stage { recorder: recorder.clone(), settings, mode };
    let settle = || stage.settle(|trace| check_publisher(trace, &expectation).is_empty());
    stage.wait_until(|| lock(&slot).is_some());
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
