//! The TCK's own publisher and subscriber keep the rules that it judges others by.

use std::{sync::Arc, time::Duration};

use reactive_streams::{Publisher, Subscriber};

use super::{End, Line, Manner};
use crate::{
    BlackBoxSubject, Capabilities, Overrides, Subject,
    play::probe::{Blueprint, Probe, Recorder, Script},
    subject::Typed,
};

/// A line as a publisher of numbers.
struct Own {
    len: u64,
    manner: Manner,
}

impl Publisher for Own {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        let line = Line::new(1, None, self.manner);
        line.allow(self.len);
        line.end(End::Complete);
        line.start(Box::new(Typed {
            subscriber,
            create: |i| i,
            identify: Arc::new(|item: &u64| Some(*item)),
            poke: |_: &mut _, _| {},
            next: None,
        }));
    }
}

fn assert_keeps_the_rules(manner: Manner) {
    let subject = Subject::of("own", Capabilities::new(), move |len| Own { len, manner });
    for check in subject.checks() {
        let outcome = subject.run(check.name, Overrides::default());
        assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
    }
}

#[test]
fn the_line_keeps_the_rules_of_publishers() {
    assert_keeps_the_rules(Manner { eager: true, ..Manner::default() });
}

#[test]
fn a_line_that_offers_keeps_the_rules_of_publishers() {
    assert_keeps_the_rules(Manner { eager: true, offers: true, ..Manner::default() });
}

/// Makes probes that ask for one item after the other.
struct Probes;

impl BlackBoxSubject for Probes {
    type Item = u64;
    type Subscriber = Probe<u64>;

    fn create_subscriber(&self) -> Probe<u64> {
        let script = Script { first: &[1], each: Some(1), ..Script::default() };
        let recorder = Recorder::new(Duration::from_secs(10));
        Blueprint::new(1, &recorder, script).build(Arc::new(|_| None))
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }
}

#[test]
fn the_probe_keeps_the_rules_of_subscribers() {
    let subject = Subject::black_box("probe", Probes);
    let mut n_executed = 0;
    for check in subject.checks() {
        let outcome = subject.run(check.name, Overrides::default());
        assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
        n_executed += usize::from(outcome.verdict.is_executed());
    }
    assert!(n_executed > 20, "{n_executed}");
}
