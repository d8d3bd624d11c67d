//! The checker of publishers on recorded traces.

use reactive_streams_tck::{
    AfterCancel,
    checker::{Expectation, check_publisher},
    trace,
};

/// The rules that a publisher breaks which may end a stream from within `cancel`.
fn rules(text: &str) -> Vec<&'static str> {
    let begin = "1 0 > subscribe\n1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 < subscribe\n";
    let events = trace::parse(&format!("{begin}{text}")).expect("the trace can be read");
    let expectation = Expectation { after_cancel: AfterCancel::Terminal, ..Expectation::default() };
    let found = check_publisher(&events, &expectation);
    found.iter().map(|violation| violation.rule).collect()
}

#[test]
fn a_cancel_is_repeated_if_it_began_after_another_had_returned() {
    let end = "1 1 > on_complete\n1 1 < on_complete\n1 1 < cancel\n";
    let crossed = format!("1 1 > cancel\n1 2 > cancel\n1 2 < cancel\n{end}");
    let repeated = format!("1 2 > cancel\n1 2 < cancel\n1 1 > cancel\n{end}");

    assert_eq!(rules(&crossed), Vec::<&str>::new());
    assert_eq!(rules(&repeated), ["3.7"]);
}

#[test]
fn what_a_subscriber_throws_may_come_out_of_the_request_where_that_is_declared() {
    let begin = "1 0 > subscribe\n1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 < subscribe\n";
    let own = "1 0 > request 2\n1 0 > on_next\n1 0 ! on_next\n1 0 ! request 2\n";
    let later = "1 0 > request 2\n1 0 > on_next\n1 0 ! on_next\n1 0 < request 2\n1 0 > request 1\n1 0 ! request 1\n";
    let rules = |rethrows: bool, text: &str| {
        let events = trace::parse(&format!("{begin}{text}")).expect("the trace can be read");
        let found = check_publisher(&events, &Expectation { rethrows, ..Expectation::default() });
        found.iter().map(|violation| violation.rule).collect::<Vec<_>>()
    };

    assert_eq!(rules(true, own), Vec::<&str>::new());
    assert_eq!(rules(false, own), ["3.16"]);
    // Another call that throws is the publisher's own.
    assert_eq!(rules(true, later), ["3.16"]);
}
