//! Runs the checks of publishers.

use super::{
    property,
    publisher_checks::PUBLISHER,
    round::{Round, end, expectation, has_come},
    scenario::Scenario,
};
use crate::{
    capabilities::{Capabilities, Sharing},
    check::Check,
    checker::check_publisher,
    play::{
        probe::{Blueprint, Recorder},
        run::{self, Play},
    },
    settings::Settings,
    subject::{ErasedPublisher, Wanted},
    verdict::{Outcome, Verdict},
};

/// So many times as long as otherwise to listen for what comes late.
const LISTENING: u32 = 6;

/// The checks of publishers.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check> {
    PUBLISHER.iter().map(|scenario| &scenario.check).chain([&property::PUBLISHER])
}

/// Runs a check of this suite; `None` if it has none of this name.
pub(crate) fn run(
    subject: &str,
    publisher: &ErasedPublisher,
    name: &str,
    settings: &Settings,
) -> Option<Outcome> {
    if name == property::PUBLISHER.name {
        return Some(property::run(subject, publisher, settings));
    }
    let scenario = PUBLISHER.iter().find(|scenario| scenario.check.name == name)?;
    let capabilities = publisher.capabilities;
    if let Some(verdict) = inapplicable(scenario, &capabilities) {
        return Some(Outcome::unplayed(subject, &scenario.check, verdict));
    }
    let wanted = scenario.wanted_of(&capabilities);
    let expectation = expectation(wanted, &capabilities);
    Some(run::run(subject, &scenario.check, settings, |recorder| {
        let (recorder, publisher) = (recorder.clone(), publisher.clone());
        let quiet = settings.quiet * if scenario.listens { LISTENING } else { 1 };
        let settings = Settings { quiet, ..*settings };
        let play = move || play(scenario, &publisher, settings, wanted, &recorder);
        Play { play, judge: move |trace: &_| check_publisher(trace, &expectation) }
    }))
}

/// Why a check is not made.
fn inapplicable(scenario: &Scenario, capabilities: &Capabilities) -> Option<Verdict> {
    if scenario.unbounded && capabilities.exact_length == Some(u64::MAX) {
        let reason = "without bound, an endless publisher does not return";
        return Some(Verdict::NotApplicable(reason.to_owned()));
    }
    if !capabilities.offers && matches!(scenario.check.rule, "R.8" | "R.9" | "R.11") {
        let reason = "its language's signals have no `offer` and no `initial_request`";
        return Some(Verdict::NotApplicable(reason.to_owned()));
    }
    if !capabilities.retention && matches!(scenario.check.rule, "3.13" | "R.1") {
        let reason = "its runtime does not tell when a subscriber is no longer held";
        return Some(Verdict::NotTested(reason.to_owned()));
    }
    let shared = matches!(scenario.wanted, Wanted::Shared(_));
    if shared && capabilities.fails {
        let reason = "a publisher that fails has nothing to share";
        return Some(Verdict::NotApplicable(reason.to_owned()));
    }
    None
}

/// Why there is no publisher as the check wants it.
fn unsupported(wanted: Wanted, capabilities: &Capabilities) -> Verdict {
    let reason = match (wanted, capabilities.sharing) {
        (Wanted::Failed, _) => {
            "the subject makes no publisher that fails; to have it judged, implement \
             `PublisherSubject::create_failed_publisher`"
        }
        (Wanted::Shared(_), Sharing::Single) => "a publisher serves one subscriber, as declared",
        (Wanted::Shared(_), _) => {
            "the subject makes no publisher for several subscribers; if it can be cloned, write \
             `clone` before the name in `publisher_tests!`, or use `Subject::cloneable`"
        }
        (Wanted::Items(_), _) => "the subject made no publisher",
    };
    Verdict::NotSupported(reason.to_owned())
}

fn play(
    scenario: &Scenario,
    publisher: &ErasedPublisher,
    settings: Settings,
    wanted: Wanted,
    recorder: &Recorder,
) {
    let mut rounds = Vec::new();
    let awaited = self::expectation(wanted, &publisher.awaited().capabilities);
    for index in 0..scenario.rounds {
        let blueprints = (0..scenario.probes).map(|probe| {
            Blueprint::new(index * scenario.probes + probe + 1, recorder, scenario.script)
        });
        let round = Round::begin(publisher, wanted, blueprints.collect(), settings, recorder);
        let Some(round) = round else {
            return recorder.decline(unsupported(wanted, &publisher.capabilities));
        };
        for step in scenario.steps {
            round.act(step, 0, &awaited);
        }
        if scenario.counted && recorder.used_ledger().is_none() {
            let reason =
                "its items cannot be counted; make it a publisher of `reference::items(n)`";
            recorder.decline(Verdict::NotTested(reason.to_owned()));
        }
        rounds.push(round);
    }
    end(rounds, |trace| has_come(trace, &awaited), recorder);
}
