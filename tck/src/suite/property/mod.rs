//! Random scripts of requests and cancels, judged by the same checker as every check.
//!
//! Not a library for property tests: those bring a runner of their own, which could not put all
//! scripts into one trace.

mod script;
mod shrink;

use std::collections::BTreeMap;

use script::Case;

use crate::{
    check::{Check, Suite},
    checker::{Violation, check_publisher},
    play::probe::Recorder,
    play::run::{self, Play},
    settings::Settings,
    subject::{ErasedPublisher, Wanted},
    suite::round::{end, expectation},
    trace::Event,
    verdict::Outcome,
};

/// The check of publishers.
pub(crate) static PUBLISHER: Check =
    Check { name: "property_random_scripts", rule: "1.1", suite: Suite::Publisher, originals: &[] };

/// Plays as many random scripts as are set; if one shows a broken rule, looks for the smallest that
/// does.
pub(crate) fn run(subject: &str, publisher: &ErasedPublisher, settings: &Settings) -> Outcome {
    let cases: Vec<Case> = (0..settings.cases)
        .map(|index| Case::draw(settings.seed, index, &publisher.capabilities))
        .collect();
    let mut outcome = play_all(subject, publisher, settings, &cases);
    outcome.seed = Some(settings.seed);
    let Some(index) = first_broken(&outcome, publisher, &cases) else { return outcome };
    // What came too late once will do so again: nobody wants to wait as long for each smaller
    // script.
    let hasty = Settings { deadline: settings.deadline / 10, ..*settings };
    let fails = |case: &Case| {
        let outcome = play_all(subject, publisher, &hasty, std::slice::from_ref(case));
        // Whichever rule: a smaller number may make it another one.
        (!outcome.violations.is_empty()).then_some(outcome)
    };
    // What only fails beside others is reported with all of them.
    let Some(alone) = fails(&cases[index]) else { return outcome };
    let (smallest, mut smallest_outcome) = shrink::shrink(cases[index].clone(), alone, fails);
    let note = format!(" [seed {}, script {index}: {smallest}]", settings.seed);
    smallest_outcome.violations.iter_mut().for_each(|violation| violation.message.push_str(&note));
    smallest_outcome.seed = Some(settings.seed);
    smallest_outcome.took += outcome.took;
    smallest_outcome
}

/// The first script that broke a rule.
fn first_broken(outcome: &Outcome, publisher: &ErasedPublisher, cases: &[Case]) -> Option<usize> {
    outcome.violations.first()?;
    let parts = parts(&outcome.trace);
    (1..).zip(cases).position(|(id, case)| !judge_one(&parts, id, case, publisher).is_empty())
}

/// The events of each subscription, and where they are in the trace.
/// Lost items have no subscription.
type Parts = BTreeMap<u32, (Vec<usize>, Vec<Event>)>;

fn parts(trace: &[Event]) -> Parts {
    let mut parts = Parts::new();
    for (at, event) in trace.iter().enumerate() {
        let (places, events) = parts.entry(event.subscription).or_default();
        places.push(at);
        events.push(*event);
    }
    parts
}

/// What the script with this number, counted from 1, broke. Any of them may have lost items.
fn judge_one(parts: &Parts, id: u32, case: &Case, publisher: &ErasedPublisher) -> Vec<Violation> {
    let expectation = expectation(Wanted::Items(case.length), &publisher.capabilities);
    let mut found = Vec::new();
    for (places, events) in [id, 0].iter().filter_map(|id| parts.get(id)) {
        let violations = check_publisher(events, &expectation).into_iter();
        found.extend(violations.map(|violation| {
            let at = places.get(violation.at).copied().unwrap_or(usize::MAX);
            Violation { at, ..violation }
        }));
    }
    found
}

fn judge(trace: &[Event], cases: &[Case], publisher: &ErasedPublisher) -> Vec<Violation> {
    let parts = parts(trace);
    let mut found: Vec<Violation> =
        (1..).zip(cases).flat_map(|(id, case)| judge_one(&parts, id, case, publisher)).collect();
    found.iter_mut().for_each(|violation| violation.at = violation.at.min(trace.len()));
    found.sort_by_key(|violation| violation.at);
    found.dedup();
    found
}

fn play_all(
    subject: &str,
    publisher: &ErasedPublisher,
    settings: &Settings,
    cases: &[Case],
) -> Outcome {
    run::run(subject, &PUBLISHER, settings, |recorder| {
        let (recorder, its_publisher, settings) = (recorder.clone(), publisher.clone(), *settings);
        let its_cases = cases.to_vec();
        let play = move || play(&its_cases, &its_publisher, settings, &recorder);
        Play { play, judge: |trace: &_| judge(trace, cases, publisher) }
    })
}

fn play(cases: &[Case], publisher: &ErasedPublisher, settings: Settings, recorder: &Recorder) {
    let mut rounds = Vec::new();
    let awaited = &publisher.awaited();
    for (id, case) in (1..).zip(cases) {
        let has_come = |trace: &[Event]| {
            let violations = judge_one(&parts(trace), id, case, awaited);
            violations.iter().all(|violation| violation.at < trace.len())
        };
        match case.play(id, publisher, settings, recorder, has_come) {
            Some(round) => rounds.push(round),
            None => return,
        }
    }
    let has_come = |trace: &[Event]| {
        judge(trace, cases, awaited).iter().all(|violation| violation.at < trace.len())
    };
    end(rounds, has_come, recorder);
}
