//! Proves that the checks bite: correct publishers pass, and every mistake is caught by its rule.

mod subjects;

use std::collections::BTreeSet;

use reactive_streams_tck::{
    Capabilities, Overrides, Subject,
    checker::{Expectation, check_publisher},
    publisher_tests, trace,
};
use subjects::{Mistake, Numbers, OnThread};

publisher_tests!(numbers, |len| Numbers { len, mistake: None });
publisher_tests!(
    one_number,
    |len| Numbers { len, mistake: None },
    Capabilities::new().max_length(1)
);
publisher_tests!(
    no_number,
    |_| Numbers { len: 0, mistake: None },
    Capabilities::new().exact_length(0)
);
publisher_tests!(
    endless,
    |_| Numbers { len: u64::MAX, mistake: None },
    Capabilities::new().exact_length(u64::MAX).never_completes()
);
publisher_tests!(
    never,
    |_| Numbers { len: 0, mistake: Some(Mistake::NeverCompletes) },
    Capabilities::new().exact_length(0).never_completes()
);

publisher_tests!(on_a_thread, |len| OnThread { len }, Capabilities::new().asynchronous());

/// The mistakes, by their numbers in the list of mistakes, and the rule that has to catch each.
const MISTAKES: &[(&str, Mistake, &str)] = &[
    ("M01", Mistake::OverByOne, "1.1"),
    ("M03", Mistake::UnrequestedOnSubscribe, "1.1"),
    ("M04", Mistake::IgnoresDemand, "1.1"),
    ("M05", Mistake::NeverEmits, "3.8"),
    ("M06", Mistake::NeverCompletes, "1.5"),
    ("M07", Mistake::CompletesTooEarly, "1.5"),
    ("M08", Mistake::FailsInsteadOfCompleting, "1.5"),
    ("M24", Mistake::SignalFromCancel, "1.8"),
    ("M27", Mistake::NoOnSubscribe, "1.9"),
    ("M28", Mistake::OnSubscribeTwice, "1.9"),
    ("M29", Mistake::SignalBeforeOnSubscribe, "1.9"),
    ("M30", Mistake::SubscribePanics, "1.9"),
    ("M41", Mistake::DropsNestedRequests, "3.2"),
    ("M45", Mistake::GoesOnAfterCancel, "3.6"),
    ("M46", Mistake::SecondCancelPanics, "3.7"),
    ("M47", Mistake::ReplacesDemand, "3.8"),
    ("M49", Mistake::IgnoresZero, "3.9"),
    ("M50", Mistake::ZeroIsOne, "3.9"),
    ("M51", Mistake::ZeroPanics, "3.9"),
    ("M52", Mistake::ZeroWrongError, "3.9"),
    ("M53", Mistake::KeepsSubscriberAfterCancel, "3.13"),
    ("M55", Mistake::CancelPanics, "3.15"),
    ("M56", Mistake::RequestPanics, "3.16"),
    ("M57", Mistake::OverflowFails, "3.17"),
    ("M59", Mistake::Truncates, "3.17"),
    ("M60", Mistake::MaximumIgnored, "3.17"),
    ("M61", Mistake::ManyRequestsBreakIt, "3.17"),
    ("M63", Mistake::GoesOnAfterPanic, "2.13"),
    ("offer", Mistake::IgnoresFinished, "R.8"),
    ("offer", Mistake::SkippedUsesDemand, "R.9"),
];

#[test]
fn every_mistake_is_caught_by_its_rule() {
    for (number, mistake, rule) in MISTAKES {
        let mut broken = BTreeSet::new();
        let mistake = *mistake;
        let create = move |len| Numbers { len, mistake: Some(mistake) };
        let subject = Subject::of("mistaken", Capabilities::new(), create);
        for check in subject.checks() {
            let outcome = subject.run(check.name, Overrides::default());
            broken.extend(outcome.violations.into_iter().map(|violation| violation.rule));
        }
        assert!(broken.contains(rule), "{number} {mistake:?}: expected {rule}, found {broken:?}");
    }
}

/// What safe code cannot do through these types comes as a trace of another implementation.
#[test]
fn every_recorded_mistake_is_caught_by_its_rule() {
    let begin = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 9\n1 0 < request 9\n";
    for (number, rest, rule) in [
        ("M11", "1 1 > on_next\n1 2 > on_next\n1 1 < on_next\n1 2 < on_next", "1.3"),
        ("M14", "1 0 > on_complete\n1 0 < on_complete\n1 0 > on_complete", "1.7"),
        ("M16", "1 0 > on_complete\n1 0 < on_complete\n1 0 > on_next", "1.7"),
        ("M18", "1 0 > on_complete\n1 0 < on_complete\n1 0 > on_error", "1.7"),
        ("M20", "1 0 > on_error\n1 0 < on_error\n1 0 > on_next", "1.7"),
        ("M21", "1 0 > on_error\n1 0 < on_error\n1 0 > on_complete", "1.7"),
        ("M22", "1 0 > on_error\n1 0 < on_error\n1 0 > on_error", "1.7"),
        ("M42", "1 0 > on_next\n1 0 > request 1\n1 0 > on_next", "3.3"),
    ] {
        let events = trace::parse(&format!("{begin}{rest}\n")).unwrap();
        let found = check_publisher(&events, &Expectation::default());
        let rules: Vec<_> = found.iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, [rule], "{number}");
    }
}

#[test]
fn items_that_were_requested_may_come_after_a_cancel() {
    let text = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 2\n1 0 < request 2\n\
                1 0 > cancel\n1 0 < cancel\n1 1 > on_next\n1 1 < on_next\n1 1 > on_complete\n";
    let events = trace::parse(text).unwrap();
    assert_eq!(check_publisher(&events, &Expectation::default()), []);
}

#[test]
fn a_trace_reads_back_as_it_was_written() {
    let text = "1 0 > request 18446744073709551615\n2 3 ! on_next\n2 3 < on_next skipped\n1 0 ~ cancel\n1 0 > on_next #7\n1 0 > report on_next #7\n1 0 > release\n";
    let events = trace::parse(text).unwrap();
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    assert_eq!(lines.join("\n") + "\n", text);
}

#[test]
fn a_malformed_trace_names_its_line() {
    let message = |text| trace::parse(text).unwrap_err().to_string();
    assert_eq!(
        message("# none\n1 0 > request -1"),
        "line 2: `request` needs a number from 0 on, got `-1`"
    );
    assert_eq!(message("1 0 ? cancel"), "line 1: the mark has to be `>`, `<`, `~` or `!`, got `?`");
    assert_eq!(message("1 0 > fly"), "line 1: no such call: `fly`");
    assert_eq!(message("x 0 > cancel"), "line 1: the subscription has to be a number, got `x`");
}
