//! Random scripts of requests and cancels, judged by the same checker as every check.
//!
//! Scripts are drawn from a seed with a generator of our own, eight lines long: that of a library may
//! change with its version, and a seed from an old report would then no longer repeat what it found. A
//! library for such tests brings its own runner, which could not put all scripts into one trace.

mod script;
mod shrink;

use script::Case;

use crate::{
    check::{Check, Suite},
    checker::{Expectation, Violation, check_publisher},
    probe::Recorder,
    run::{self, Play},
    settings::Settings,
    subject::{ErasedPublisher, Wanted},
    suite::publisher::{end, expectation},
    trace::Event,
    verdict::Outcome,
};

/// The check of publishers.
pub(crate) static PUBLISHER: Check =
    Check { name: "property_random_scripts", rule: "1.1", suite: Suite::Publisher, originals: &[] };

/// Plays as many random scripts as are set; if one shows a broken rule, looks for the smallest that does.
pub(crate) fn run(subject: &str, publisher: &ErasedPublisher, settings: &Settings) -> Outcome {
    let cases: Vec<Case> = (0..settings.cases)
        .map(|index| Case::draw(settings.seed, index, &publisher.capabilities))
        .collect();
    let mut outcome = play_all(subject, publisher, settings, &cases);
    outcome.seed = Some(settings.seed);
    let Some(index) = first_broken(&outcome, publisher, &cases) else { return outcome };
    // What came too late once will do so again: nobody wants to wait as long for each smaller script.
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
    let mut cases = cases.iter().enumerate();
    cases.position(|(index, case)| !judge_one(&outcome.trace, index, case, publisher).is_empty())
}

fn expectation_of(case: &Case, publisher: &ErasedPublisher) -> Expectation {
    expectation(Wanted::Items(case.length), &publisher.capabilities)
}

/// What the script with this index broke, in a trace of all of them.
fn judge_one(
    trace: &[Event],
    index: usize,
    case: &Case,
    publisher: &ErasedPublisher,
) -> Vec<Violation> {
    // Lost items have no subscription: any script may have lost them.
    let ids = [0, u32::try_from(index + 1).unwrap_or(u32::MAX)];
    let its = trace.iter().enumerate().filter(|(_, event)| ids.contains(&event.subscription));
    let (at, events): (Vec<usize>, Vec<Event>) = its.map(|(at, event)| (at, *event)).unzip();
    let mut violations = check_publisher(&events, &expectation_of(case, publisher));
    for violation in &mut violations {
        violation.at = at.get(violation.at).copied().unwrap_or(trace.len());
    }
    violations
}

fn judge(trace: &[Event], cases: &[Case], publisher: &ErasedPublisher) -> Vec<Violation> {
    let all = cases.iter().enumerate();
    let mut found: Vec<Violation> =
        all.flat_map(|(index, case)| judge_one(trace, index, case, publisher)).collect();
    found.sort_by_key(|violation| violation.at);
    found.dedup();
    found
}

/// Whether no script of these waits for anything.
fn has_come(trace: &[Event], cases: &[Case], publisher: &ErasedPublisher) -> bool {
    judge(trace, cases, publisher).iter().all(|violation| violation.at < trace.len())
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
    for (case, id) in cases.iter().zip(1..) {
        let before = &cases[..id as usize];
        let has_come = |trace: &[Event]| has_come(trace, before, publisher);
        match case.play(id, publisher, settings, recorder, has_come) {
            Some(round) => rounds.push(round),
            None => return,
        }
    }
    end(rounds, |trace| has_come(trace, cases, publisher), recorder);
}
