//! Proves that the checks of subscribers and processors bite, and that they bite only what is
//! wrong.

use std::collections::BTreeSet;

use reactive_streams_tck::{
    Overrides, Subject,
    checker::{Level, SubscriberExpectation, check_subscriber},
    selftest::{Culprit, Mistake, Oddity, processor, subscriber},
    trace,
};

/// The rules that were found broken, up to the first of those that are looked for.
fn broken_rules(mistake: &Mistake) -> BTreeSet<&'static str> {
    let is_looked_for = |rule: &'static str| mistake.rules.contains(&rule);
    match mistake.culprit {
        Culprit::Subject(subject) => {
            let subject: Subject = subject();
            let mut checks: Vec<_> = subject.checks().collect();
            checks.sort_by_key(|check| !is_looked_for(check.rule));
            let mut found = BTreeSet::new();
            for check in checks {
                let outcome = subject.run(check.name, Overrides::default());
                found.extend(outcome.violations.iter().map(|violation| violation.rule));
                if found.iter().any(|rule| is_looked_for(rule)) {
                    break;
                }
            }
            found
        }
        Culprit::SubscriberTrace(text) => {
            let events = trace::parse(text).expect("the trace can be read");
            let expectation = SubscriberExpectation { settled: true, ..Default::default() };
            let found = check_subscriber(&events, &expectation);
            found.iter().map(|violation| violation.rule).collect()
        }
        _ => unreachable!("neither a subject nor a trace of a subscriber"),
    }
}

fn assert_caught(mistakes: &[Mistake]) {
    for mistake in mistakes {
        let Mistake { id, what, rules, .. } = mistake;
        let found = broken_rules(mistake);
        assert!(
            rules.iter().any(|rule| found.contains(rule)),
            "{id}, {what}: one of {rules:?} was due, and {found:?} were found broken"
        );
    }
}

fn assert_not_flagged(oddities: &[Oddity]) {
    for oddity in oddities {
        let subject = (oddity.subject)();
        for check in subject.checks() {
            let outcome = subject.run(check.name, Overrides::default());
            // A machine that is busy with other things makes calls slow.
            let is_flagged = outcome.violations.iter().any(|violation| {
                violation.level == Level::Must || !violation.is_timing(&outcome.trace)
            });
            let is_right = !is_flagged && !outcome.verdict.is_failure();
            assert!(is_right, "{}: {}", oddity.what, outcome.message());
        }
    }
}

/// The numbers of the mistakes that have to be there.
fn assert_complete(mistakes: &[Mistake], letter: char, n: usize) {
    let ids: BTreeSet<_> = mistakes.iter().map(|mistake| mistake.id).collect();
    assert_eq!(ids.len(), mistakes.len(), "every mistake has an id of its own");
    for number in 1..=n {
        let id = format!("{letter}{number:02}");
        assert!(ids.iter().any(|known| known.starts_with(&id)), "{id} is missing");
    }
}

#[test]
fn every_mistake_has_its_number() {
    assert_complete(subscriber::MISTAKES, 'S', 30);
    assert_complete(processor::MISTAKES, 'R', 17);
}

#[test]
fn every_mistake_of_a_subscriber_is_caught_by_its_rule() {
    assert_caught(subscriber::MISTAKES);
}

#[test]
fn no_oddity_of_a_subscriber_is_flagged() {
    assert_not_flagged(subscriber::ODDITIES);
}

#[test]
fn every_mistake_of_a_processor_is_caught_by_its_rule() {
    assert_caught(processor::MISTAKES);
}

#[test]
fn no_oddity_of_a_processor_is_flagged() {
    assert_not_flagged(processor::ODDITIES);
}
