//! The TCK's own publisher keeps the rules that it judges others by.

use std::sync::Arc;

use reactive_streams::{Publisher, Subscriber};

use super::{End, Line, Manner};
use crate::{Capabilities, Overrides, Subject, subject::Typed};

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
