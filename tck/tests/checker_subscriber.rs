//! The checkers of subscribers and processors on recorded traces: what happened is judged, and
//! nothing else.

use std::sync::Arc;

use reactive_streams::{Error, Subscriber, Subscription};
use reactive_streams_tck::{
    Overrides, Sharing, Subject, SubscriberCapabilities, Verdict,
    checker::{
        Level, ProcessorExpectation, SubscriberExpectation, Violation, check_processor,
        check_subscriber,
    },
    trace,
};

fn rules(found: &[Violation]) -> Vec<&'static str> {
    found.iter().map(|violation| violation.rule).collect()
}

fn of_subscriber(expectation: &SubscriberExpectation, text: &str) -> Vec<&'static str> {
    let begin = "1 0 > on_subscribe\n1 0 > request 2\n1 0 < request 2\n1 0 < on_subscribe\n";
    let events = trace::parse(&format!("{begin}{text}")).expect("the trace can be read");
    rules(&check_subscriber(&events, expectation))
}

#[test]
fn by_default_only_what_happened_is_judged() {
    let anything = SubscriberExpectation::default();

    assert!(of_subscriber(&anything, "1 0 > on_next\n1 0 < on_next\n").is_empty());
    assert!(of_subscriber(&anything, "1 0 > cancel\n1 0 < cancel\n1 0 > on_next\n").is_empty());
    assert!(of_subscriber(&anything, "1 0 > on_complete\n1 0 < on_complete\n").is_empty());
}

#[test]
fn what_happened_is_judged_by_its_rule() {
    let end = "1 0 > on_complete\n";
    for (text, rule) in [
        ("1 0 > request 0\n".to_owned(), "3.9"),
        ("1 0 > on_next\n1 0 ~ on_next\n".to_owned(), "2.2"),
        (format!("{end}1 0 > request 1\n"), "2.3"),
        (format!("{end}1 0 > report on_complete\n1 0 < on_complete\n1 3 > cancel\n"), "2.4"),
        ("2 0 > on_subscribe\n2 0 > request 1\n".to_owned(), "2.5"),
        ("2 0 > on_subscribe\n1 0 > cancel\n".to_owned(), "2.5"),
        ("1 3 > request 1\n1 4 > request 1\n".to_owned(), "2.7"),
        ("1 0 > on_next #1\n1 0 > report on_next #2\n".to_owned(), "R.3"),
        ("1 0 > on_error #1\n1 0 > report on_error\n".to_owned(), "2.10"),
    ] {
        assert_eq!(of_subscriber(&SubscriberExpectation::default(), &text), [rule], "{text}");
    }
}

#[test]
fn a_call_that_may_have_crossed_the_end_is_a_warning() {
    let text = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_complete\n1 0 < on_complete\n\
                1 1 > request 1\n";
    let events = trace::parse(text).expect("the trace can be read");

    let found = check_subscriber(&events, &SubscriberExpectation::default());
    let sure = SubscriberExpectation { asynchronous: false, ..SubscriberExpectation::default() };
    let found_sure = check_subscriber(&events, &sure);

    assert_eq!(rules(&found), ["2.4"]);
    assert_eq!(found[0].level, reactive_streams::rules::Level::Should);
    assert_eq!(found_sure[0].level, reactive_streams::rules::Level::Must);
}

#[test]
fn what_did_not_happen_is_judged_at_the_end() {
    let settled = SubscriberExpectation { settled: true, ..SubscriberExpectation::default() };

    let wanted = SubscriberExpectation { wanted: 3, ..settled };
    assert_eq!(of_subscriber(&wanted, ""), ["2.1"]);
    let canceled = SubscriberExpectation { canceled: true, ..settled };
    assert_eq!(of_subscriber(&canceled, ""), ["2.6"]);
    let released = "1 0 > on_next\n1 0 < on_next\n1 0 > on_next\n1 0 < on_next\n1 0 > release\n";
    assert_eq!(of_subscriber(&settled, released), ["2.6"]);
    assert_eq!(of_subscriber(&settled, "2 0 > on_subscribe\n2 0 < on_subscribe\n"), ["2.5"]);
    assert_eq!(of_subscriber(&settled, "1 0 > on_next\n"), ["2.13"]);
}

fn of_processor(expectation: &ProcessorExpectation, text: &str) -> Vec<&'static str> {
    let begin = "100 0 > subscribe\n100 0 > on_subscribe\n100 0 < on_subscribe\n\
                 100 0 < subscribe\n1 0 > on_subscribe\n1 0 < on_subscribe\n100 0 > request 2\n\
                 1 0 > request 2\n1 0 < request 2\n100 0 < request 2\n";
    let events = trace::parse(&format!("{begin}{text}")).expect("the trace can be read");
    rules(&check_processor(&events, expectation))
}

#[test]
fn what_goes_through_a_processor_is_judged() {
    let pass = "1 0 > on_next #1\n100 0 > on_next #1\n100 0 < on_next #1\n1 0 < on_next #1\n";
    let strict = ProcessorExpectation {
        buffer: Some(0),
        sharing: Some(Sharing::Single),
        recovers: false,
        delays_errors: false,
        ..ProcessorExpectation::default()
    };

    assert!(of_processor(&ProcessorExpectation::default(), pass).is_empty());
    assert!(of_processor(&strict, pass).is_empty());
    let again = "100 0 > on_next #1\n100 0 < on_next #1\n";
    assert_eq!(of_processor(&ProcessorExpectation::default(), &format!("{pass}{again}")), ["R.3"]);
    for (text, rule) in [
        ("100 0 > on_next #7\n", "R.3"),
        ("1 0 > request 1\n", "R.10"),
        ("1 0 > on_error #1\n1 0 < on_error #1\n100 0 > on_complete\n", "4.2"),
        ("100 0 > on_error #1\n", "4.1"),
        ("100 0 > on_complete\n", "4.1"),
    ] {
        assert_eq!(of_processor(&strict, text), [rule], "{text}");
    }
}

/// Does nothing at all.
struct Deaf;

impl Subscriber<u64> for Deaf {
    fn on_subscribe(&mut self, _subscription: Arc<dyn Subscription>) {}
    fn on_next(&mut self, _item: u64) {}
    fn on_error(self, _error: Error) {}
    fn on_complete(self) {}
}

#[test]
fn a_subscriber_that_does_not_report_is_told_how_to() {
    let subject = Subject::subscriber_of("deaf", SubscriberCapabilities::new(), |_| Deaf);

    let outcome = subject.run("rule_2_1_items_are_requested", Overrides::default());

    let Verdict::HarnessError(message) = outcome.verdict else { panic!("{}", outcome.verdict) };
    assert!(message.contains("call `probe.on_subscribe(puppet)`"), "{message}");
}

#[test]
fn what_a_black_box_cannot_show_is_not_applicable() {
    let subject = Subject::black_box_of("deaf", SubscriberCapabilities::new(), || Deaf);

    let outcome = subject.run("rule_2_6_a_cancel_reaches_the_publisher", Overrides::default());

    assert!(matches!(outcome.verdict, Verdict::NotApplicable(_)), "{}", outcome.verdict);
}

#[test]
fn a_cancel_that_races_with_the_end_is_no_violation_that_binds() {
    let begin = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_complete\n1 0 < on_complete\n";
    let levels = |rest: &str| {
        let events = trace::parse(&format!("{begin}{rest}")).expect("the trace can be read");
        let expectation = SubscriberExpectation { reports: true, ..Default::default() };
        let found = check_subscriber(&events, &expectation);
        found.iter().map(|violation| (violation.rule, violation.level)).collect::<Vec<_>>()
    };

    // The thread that cancels may have decided so before the end came.
    let raced = levels("1 0 > report on_complete\n1 1 > cancel\n1 1 < cancel\n");
    assert_eq!(raced, [("2.4", Level::Should)]);
    // The thread that has processed the end knows of it.
    let known = levels("1 1 > report on_complete\n1 1 > cancel\n1 1 < cancel\n");
    assert_eq!(known, [("2.4", Level::Must)]);
}
