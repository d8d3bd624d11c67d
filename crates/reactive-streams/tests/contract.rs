//! The data and the small types of the contract.

use std::{error::Error as _, io, sync::Arc, thread};

use reactive_streams::{
    Demand, Error, ErrorKind, Subscriber, Subscription,
    rules::{Ensured, RULES, rule},
};

#[test]
fn there_are_43_rules_in_four_sections() {
    let sections: Vec<usize> = ["1.", "2.", "3.", "4."]
        .iter()
        .map(|section| RULES.iter().filter(|rule| rule.number.starts_with(section)).count())
        .collect();

    assert_eq!(sections, [11, 13, 17, 2]);
}

#[test]
fn every_rule_is_found_by_its_number_and_says_one_sentence() {
    for expected in &RULES {
        assert_eq!(rule(expected.number), Some(expected));
        assert!(expected.statement.ends_with('.') && expected.how.ends_with('.'), "{expected:?}");
    }
}

/// The documentation of `Ensured` shows the first four not to compile; the last is a permission.
#[test]
fn only_what_does_not_compile_is_ensured_by_type() {
    let by_type = RULES.iter().filter(|rule| rule.ensured == Ensured::ByType);

    let numbers: Vec<&str> = by_type.map(|rule| rule.number).collect();

    assert_eq!(numbers, ["1.3", "1.7", "1.10", "1.11", "2.11"]);
}

/// Why rules 2.12 and 3.1 are not among them.
#[test]
fn a_second_on_subscribe_and_a_shared_subscription_compile() {
    #[derive(Default)]
    struct Counting {
        n_subscriptions: usize,
        subscription: Option<Arc<dyn Subscription>>,
    }
    impl Subscriber<u8> for Counting {
        fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
            self.n_subscriptions += 1;
            self.subscription = Some(subscription);
        }
        fn on_next(&mut self, _: u8) {}
        fn on_error(self, _: Error) {}
        fn on_complete(self) {}
    }
    struct Line;
    impl Subscription for Line {
        fn request(&self, _: u64) {}
        fn cancel(&self) {}
    }
    let mut subscriber = Counting::default();
    let line: Arc<dyn Subscription> = Arc::new(Line);

    subscriber.on_subscribe(Arc::clone(&line));
    subscriber.on_subscribe(Arc::clone(&line));
    thread::scope(|scope| {
        scope.spawn(|| line.request(1));
    });

    assert_eq!(subscriber.n_subscriptions, 2);
}

#[test]
fn demand_saturates_and_then_stays_unbounded() {
    let mut demand = Demand::new(u64::MAX - 1);

    demand.add(5);

    assert!(demand.is_unbounded());
    assert_eq!(demand.take(u64::MAX - 1), u64::MAX - 1);
    assert!(demand.is_unbounded());
    assert_eq!(demand.to_string(), "unbounded");
}

#[test]
fn demand_gives_no_more_than_there_is() {
    let mut demand = Demand::new(3);

    assert_eq!(demand.take(5), 3);

    assert!(demand.is_zero());
}

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Error>>(), size_of::<usize>());
}

#[test]
fn the_users_error_comes_back_with_its_type_even_after_context() {
    let error = Error::with_source(ErrorKind::Io, "", io::Error::other("disk on fire"));

    let error = error.context("writing out.json");

    assert_eq!(error.to_string(), "writing out.json: disk on fire");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.downcast_ref::<io::Error>().is_some());
    assert!(error.source().is_some_and(|source| source.is::<io::Error>()));
}

#[test]
fn an_error_is_not_wrapped_in_itself() {
    let error = Error::illegal_request();

    assert_eq!(Error::other(error).kind(), ErrorKind::IllegalRequest);
}

#[test]
fn a_panic_keeps_its_text() {
    let payload = std::panic::catch_unwind(|| panic!("no {}", "luck")).unwrap_err();

    let error = Error::panicked(&*payload);

    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Panicked, "panicked: no luck")
    );
}
