//! Runs one check: on a thread of its own, with a deadline, and again if the machine stood still.

use std::time::Duration;

use crate::{
    check::Check,
    checker::{Level, Violation},
    play::clock,
    play::probe::Recorder,
    settings::Settings,
    trace::{Call, Event},
    verdict::{Outcome, Verdict},
};

/// What plays a check's situation and what judges its trace.
pub(crate) struct Play<F, J> {
    /// Plays; runs on a thread of its own, which is left behind if it does not return.
    pub(crate) play: F,
    /// Judges the trace as one to which nothing can be added.
    pub(crate) judge: J,
}

/// Runs a check. `make` is called once for each run.
pub(crate) fn run<F, J>(
    subject: &str,
    check: &'static Check,
    settings: &Settings,
    make: impl Fn(&Recorder) -> Play<F, J>,
) -> Outcome
where
    F: FnOnce() + Send + 'static,
    J: Fn(&[Event]) -> Vec<Violation>,
{
    let mut took = Duration::ZERO;
    let mut runs = 0;
    loop {
        runs += 1;
        let recorder = Recorder::new(settings.budget);
        let Play { play, judge } = make(&recorder);
        let patience = settings.deadline * 2;
        let finish = clock::run_within(patience, settings.most() * 2, || recorder.progress(), play);
        took += finish.took;
        let trace = recorder.take_events();
        let mut violations = judge(&trace);
        let is_slow = finish.is_slow || recorder.is_slow();
        if is_slow {
            // What is slow may still come.
            violations.retain(|violation| violation.at < trace.len());
        }
        let declined = recorder.declined();
        if declined.is_some() {
            // What was tried before says nothing of the subject.
            violations.clear();
        }
        let verdict = if let Some(message) = recorder.harness_error() {
            Verdict::HarnessError(message)
        } else if let Some(verdict) = declined {
            verdict
        } else if trace.iter().all(|event| event.call == Call::Subscribe) && violations.is_empty() {
            let message = "nothing was called; did the code that makes the subject panic?";
            Verdict::HarnessError(message.to_owned())
        } else if is_slow && violations.is_empty() {
            let s = settings.most().as_secs();
            let reason = format!(
                "it makes progress, but was not done after {s} s; declare a smaller `max_length`, or \
                 set a longer deadline"
            );
            Verdict::Inconclusive(reason)
        } else if !finish.returned && violations.is_empty() {
            let ms = patience.as_millis();
            let reason = format!("nothing happened for {ms} ms, and the check had not ended");
            Verdict::Inconclusive(reason)
        } else {
            verdict_of(&violations)
        };
        recorder.conclude(finish.returned);
        // Only what is missing or late can be the machine's fault; a signal that came is the
        // subject's.
        let is_timing = violations.iter().all(|violation| violation.is_timing(&trace));
        let stood_still = finish.stall > settings.deadline / 4;
        let outcome = |verdict| Outcome {
            subject: subject.to_owned(),
            check,
            verdict,
            violations,
            trace,
            seed: None,
            runs,
            took,
        };
        match verdict {
            Verdict::Failed if is_timing && stood_still && runs == 1 => {}
            Verdict::Failed if is_timing && stood_still => {
                let ms = finish.stall.as_millis();
                let reason = format!("the machine stood still for {ms} ms, twice");
                return outcome(Verdict::Inconclusive(reason));
            }
            verdict => return outcome(verdict),
        }
    }
}

fn verdict_of(violations: &[Violation]) -> Verdict {
    if violations.iter().any(|violation| violation.level == Level::Must) {
        Verdict::Failed
    } else if violations.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Warned
    }
}
