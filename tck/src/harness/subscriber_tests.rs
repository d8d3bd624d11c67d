//! The macros that make tests of checks of subscribers and processors.

/// One test per check on the subscriber that a closure makes.
///
/// The tests stand in a module of the given name, so that `cargo test -- name` runs them all and
/// `cargo test -- rule_2_5` the checks of one rule. The closure `|probe| subscriber` makes a
/// subscriber of numbers that reports to the probe; `black_box: || subscriber` one that knows of no
/// probe; `subject: |name| subject` makes any [`Subject`](crate::Subject) of a subscriber. The last
/// argument of the first two declares [`SubscriberCapabilities`](crate::SubscriberCapabilities).
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// # use reactive_streams::{Error, Subscriber, Subscription};
/// # #[derive(Default)]
/// # struct Mine;
/// # impl Subscriber<u64> for Mine {
/// #     fn on_subscribe(&mut self, _: Arc<dyn Subscription>) {}
/// #     fn on_next(&mut self, _: u64) {}
/// #     fn on_error(self, _: Error) {}
/// #     fn on_complete(self) {}
/// # }
/// use reactive_streams_tck::{SubscriberCapabilities, subscriber_tests};
///
/// subscriber_tests!(mine, black_box: || Mine::default());
/// subscriber_tests!(two, black_box: || Mine::default(), SubscriberCapabilities::new().takes(2));
/// ```
#[macro_export]
macro_rules! subscriber_tests {
    ($name:ident, subject: $subject:expr $(,)?) => {
        $crate::subscriber_checks!(check_tests $name, $subject,);
    };
    ($name:ident, black_box: $create:expr $(,)?) => {
        $crate::subscriber_tests!($name, black_box: $create, $crate::SubscriberCapabilities::new());
    };
    ($name:ident, black_box: $create:expr, $capabilities:expr $(,)?) => {
        $crate::subscriber_tests!($name, subject: |name: &str| {
            $crate::Subject::black_box_of(name, $capabilities, $create)
        });
    };
    ($name:ident, $create:expr $(,)?) => {
        $crate::subscriber_tests!($name, $create, $crate::SubscriberCapabilities::new());
    };
    ($name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::subscriber_tests!($name, subject: |name: &str| {
            $crate::Subject::subscriber_of(name, $capabilities, $create)
        });
    };
}

/// One test per check on the processor that a closure makes for the size of a buffer.
///
/// The tests stand in a module of the given name: those of the whole directly, those of its ends in
/// the modules `publisher` and `subscriber`. The closure `|buffer| processor` makes a processor of
/// numbers; `subject: |name| subject` makes any [`Subject`](crate::Subject) of a processor.
/// The last argument of the first declares [`ProcessorCapabilities`](crate::ProcessorCapabilities).
#[macro_export]
macro_rules! processor_tests {
    ($name:ident, subject: $subject:expr $(,)?) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the closure may need nothing from outside")]
            use super::*;
            $crate::processor_checks!(check_fns "",);
            mod publisher {
                use super::subject;
                $crate::publisher_checks!(check_fns "publisher::",);
            }
            mod subscriber {
                use super::subject;
                $crate::subscriber_checks!(check_fns "subscriber::",);
            }

            // One function makes the subject, so that its types are compiled once.
            fn subject() -> $crate::Subject {
                ($subject)(stringify!($name))
            }

            #[test]
            fn every_check_has_a_test() {
                let all: Vec<_> = subject().checks().map(|check| check.name).collect();
                assert_eq!(all, [NAMES, publisher::NAMES, subscriber::NAMES].concat());
            }
        }
    };
    ($name:ident, $create:expr $(,)?) => {
        $crate::processor_tests!($name, $create, $crate::ProcessorCapabilities::new());
    };
    ($name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::processor_tests!($name, subject: |name: &str| {
            $crate::Subject::processor_of(name, $capabilities, $create)
        });
    };
}

/// A module with a test for each check.
#[doc(hidden)]
#[macro_export]
macro_rules! check_tests {
    ($name:ident, $subject:expr, $($check:ident)*) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the closure may need nothing from outside")]
            use super::*;
            $crate::check_fns!("", $($check)*);

            // One function makes the subject, so that its types are compiled once.
            fn subject() -> $crate::Subject {
                ($subject)(stringify!($name))
            }

            #[test]
            fn every_check_has_a_test() {
                let all: Vec<_> = subject().checks().map(|check| check.name).collect();
                assert_eq!(all, NAMES);
            }
        }
    };
}

/// A test for each check, and the names of all.
#[doc(hidden)]
#[macro_export]
macro_rules! check_fns {
    ($prefix:literal, $($check:ident)*) => {
        $(#[test] fn $check() { subject().assert(concat!($prefix, stringify!($check))); })*
        pub(super) const NAMES: &[&str] = &[$(concat!($prefix, stringify!($check))),*];
    };
}

/// Hands the names of the checks of subscribers to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! subscriber_checks {
    ($callback:ident $($arguments:tt)*) => {
        $crate::$callback!($($arguments)*
            rule_2_1_items_are_requested
            rule_2_1_one_item_after_the_other
            rule_2_1_goes_on_requesting
            rule_2_2_signals_return_soon
            rule_2_3_no_call_from_on_complete
            rule_2_3_no_call_from_on_error
            rule_2_4_no_call_after_completion
            rule_2_4_no_call_after_an_error
            rule_2_5_second_subscription_is_canceled
            rule_2_5_second_subscription_after_an_item
            rule_2_6_a_cancel_reaches_the_publisher
            rule_2_6_a_cancel_without_a_request
            rule_2_6_one_that_has_enough_cancels
            rule_2_7_calls_do_not_overlap
            rule_2_8_items_after_a_cancel
            rule_2_9_completion_after_a_request
            rule_2_9_completion_without_a_request
            rule_2_9_completion_after_items
            rule_2_10_error_after_a_request
            rule_2_10_error_without_a_request
            rule_2_10_error_after_items
            rule_2_11_signals_from_several_threads
            rule_2_13_signals_return_normally
            rule_3_8_requests_add_up
            rule_3_9_no_request_for_zero_items
            rule_3_10_items_from_within_request
            rule_3_11_completion_from_within_request
            rule_3_11_error_from_within_request
            rule_3_17_many_small_steps
            rule_r_3_items_are_processed_once_and_in_order
            rule_r_8_offered_items_are_answered
            rule_r_11_initial_request_is_made_once
            rule_r_11_items_ahead_of_the_subscription
        );
    };
}

/// Hands the names of the checks of processors as a whole to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! processor_checks {
    ($callback:ident $($arguments:tt)*) => {
        $crate::$callback!($($arguments)*
            rule_2_3_no_call_upstream_after_completion
            rule_2_3_no_call_upstream_after_an_error
            rule_2_5_second_upstream_is_rejected
            rule_2_6_cancel_before_the_upstream
            rule_3_13_cancel_lets_go_of_both_sides
            rule_4_1_items_pass_once_and_in_order
            rule_4_1_items_pass_one_by_one
            rule_4_1_subscriber_before_upstream
            rule_4_1_demand_before_the_upstream
            rule_4_1_demand_is_passed_on
            rule_4_1_buffer_does_not_overflow
            rule_4_1_completion_is_passed_on
            rule_4_1_completion_without_items
            rule_4_2_error_is_passed_on_at_once
            rule_4_2_error_after_items
            rule_4_2_error_while_items_wait
            rule_4_2_error_and_then_a_request
            rule_4_2_recovery_leaves_the_upstream
            rule_4_2_error_reaches_all_subscribers
            rule_1_5_completion_reaches_all_subscribers
            rule_1_11_demand_of_long_ago_is_served
            rule_1_11_subscribers_get_the_same
            rule_r_10_requests_what_it_can_hold
        );
    };
}

/// Hands the names of the checks of publishers to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! publisher_checks {
    ($callback:ident $($arguments:tt)*) => {
        $crate::$callback!($($arguments)*
            rule_1_1_items_never_exceed_demand
            rule_1_2_fewer_items_than_requested
            rule_1_3_signals_come_one_at_a_time
            rule_1_3_no_signal_within_on_subscribe
            rule_1_4_failure_is_signaled
            rule_1_5_completes_after_one
            rule_1_5_completes_after_the_last
            rule_1_5_completes_when_empty
            rule_1_6_nothing_can_be_done_after_completion
            rule_1_7_nothing_after_completion
            rule_1_7_nothing_after_an_error
            rule_1_8_cancel_in_on_subscribe
            rule_1_8_cancel_in_on_next
            rule_1_8_cancel_in_the_last_on_next
            rule_1_9_on_subscribe_first_and_once
            rule_1_9_on_subscribe_before_an_error
            rule_1_11_all_subscribers_are_subscribed
            rule_1_11_all_subscribers_get_items_or_the_end
            rule_1_11_same_items_one_by_one
            rule_1_11_same_items_upfront
            rule_1_11_one_leaves_and_the_others_go_on
            rule_2_13_a_panicking_subscriber_is_canceled
            rule_2_13_a_panic_in_on_complete
            rule_3_2_requests_in_signals
            rule_3_3_recursion_is_bounded
            rule_3_4_request_returns_soon
            rule_3_5_cancel_returns_soon
            rule_3_5_cancel_from_many_threads
            rule_3_5_cancel_races_requests
            rule_3_5_cancel_races_completion
            rule_3_6_request_after_cancel
            rule_3_7_cancel_after_cancel
            rule_3_8_requests_add_up
            rule_3_8_requests_from_many_threads_add_up
            rule_3_8_another_thread_requests_during_items
            rule_3_9_request_zero
            rule_3_9_request_zero_in_on_subscribe
            rule_3_9_request_zero_after_an_item
            rule_3_12_cancel_stops
            rule_3_12_cancel_stops_what_has_no_bound
            rule_3_13_cancel_drops_the_subscriber
            rule_3_17_unbounded_request
            rule_3_17_demand_above_32_bits
            rule_3_17_demand_adds_up_to_the_maximum
            rule_3_17_demand_may_overflow
            rule_3_17_many_requests
            rule_3_17_one_large_request
            rule_r_1_subscription_dropped_without_cancel
            rule_r_3_items_are_dropped_once
            rule_r_6_no_lock_is_held_in_signals
            rule_r_8_finished_is_obeyed
            rule_r_9_skipped_items_use_no_demand
            rule_r_11_initial_request_is_demand
            rule_r_11_initial_request_for_all
            rule_r_11_finished_ahead_of_the_subscription
            property_random_scripts
        );
    };
}
