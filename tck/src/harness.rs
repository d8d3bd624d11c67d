//! The macro that makes tests of checks.

/// One test per check on the publisher that a closure makes for a number of items.
///
/// The tests stand in a module of the given name, so that `cargo test -- name` runs them all and
/// `cargo test -- rule_3_9` the checks of one rule. The third argument declares
/// [`Capabilities`](crate::Capabilities); without it the publisher is synchronous, of any length,
/// and completes.
#[macro_export]
macro_rules! publisher_tests {
    ($name:ident, $create:expr $(,)?) => {
        $crate::publisher_tests!($name, $create, $crate::Capabilities::new());
    };
    ($name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::publisher_tests!(@each $name, $create, $capabilities,
            rule_1_1_items_never_exceed_demand
            rule_1_2_fewer_items_than_requested
            rule_1_5_completes_after_one
            rule_1_5_completes_after_the_last
            rule_1_5_completes_when_empty
            rule_1_7_nothing_after_completion
            rule_1_8_cancel_in_on_subscribe
            rule_1_8_cancel_in_on_next
            rule_1_8_cancel_in_the_last_on_next
            rule_1_9_on_subscribe_first_and_once
            rule_2_13_a_panicking_subscriber_is_cancelled
            rule_3_2_requests_in_signals
            rule_3_3_recursion_is_bounded
            rule_3_5_cancel_from_many_threads
            rule_3_6_request_after_cancel
            rule_3_7_cancel_after_cancel
            rule_3_8_requests_add_up
            rule_3_8_requests_from_many_threads_add_up
            rule_3_9_request_zero
            rule_3_9_request_zero_in_on_subscribe
            rule_3_9_request_zero_after_an_item
            rule_3_12_cancel_stops
            rule_3_13_cancel_drops_the_subscriber
            rule_3_17_unbounded_request
            rule_3_17_demand_above_32_bits
            rule_3_17_demand_adds_up_to_the_maximum
            rule_3_17_demand_may_overflow
            rule_3_17_many_requests
            rule_r_8_finished_is_obeyed
            rule_r_9_skipped_items_use_no_demand
        );
    };
    (@each $name:ident, $create:expr, $capabilities:expr, $($check:ident)*) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the closure may need nothing from outside")]
            use super::*;
            $(#[test] fn $check() { subject().assert(stringify!($check)); })*

            // One function makes the subject, so that its types are compiled once.
            fn subject() -> $crate::Subject {
                $crate::Subject::of(stringify!($name), $capabilities, $create)
            }

            #[test]
            fn every_check_has_a_test() {
                let all: Vec<_> = subject().checks().map(|check| check.name).collect();
                assert_eq!(all, [$(stringify!($check)),*]);
            }
        }
    };
}
