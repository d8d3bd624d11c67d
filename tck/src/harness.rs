//! The macro that makes tests of checks.

/// One test per check on the publisher that a closure makes for a number of items.
///
/// The tests stand in a module of the given name, so that `cargo test -- name` runs them all and
/// `cargo test -- rule_3_9` the checks of one rule. The third argument declares
/// [`Capabilities`](crate::Capabilities); without it the publisher is synchronous, of any length,
/// and completes.
///
/// Written with `clone` before the name, the publisher is subscribed to several times as well (rule
/// 1.11); written with `subject`, the tests are those of any [`Subject`](crate::Subject).
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::{
///     Capabilities, Sharing, Subject, publisher_tests,
///     reference::{iterate, multicast, on_turns},
/// };
///
/// publisher_tests!(numbers, |n| iterate(0..n));
/// publisher_tests!(a_few, |n| iterate(0..n), Capabilities::new().max_length(3));
/// publisher_tests!(clone hub, |n| multicast(0..n), Capabilities::new().sharing(Sharing::Multicast));
/// publisher_tests!(
///     subject in_turns,
///     Subject::on_turns("in_turns", Capabilities::new(), |n, turns| on_turns(iterate(0..n), turns))
/// );
/// ```
#[macro_export]
macro_rules! publisher_tests {
    (clone $name:ident, $create:expr $(,)?) => {
        $crate::publisher_tests!(clone $name, $create, $crate::Capabilities::new());
    };
    (clone $name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::publisher_tests!(
            subject $name,
            $crate::Subject::cloneable(stringify!($name), $capabilities, $create)
        );
    };
    (subject $name:ident, $subject:expr $(,)?) => {
        $crate::publisher_tests!(@each $name, $subject,
            rule_1_1_items_never_exceed_demand
            rule_1_2_fewer_items_than_requested
            rule_1_3_signals_come_one_at_a_time
            rule_1_3_no_signal_within_on_subscribe
            rule_1_4_failure_is_signalled
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
            rule_2_13_a_panicking_subscriber_is_cancelled
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
            rule_r_1_subscription_dropped_without_cancel
            rule_r_3_items_are_dropped_once
            rule_r_6_no_lock_is_held_in_signals
            rule_r_8_finished_is_obeyed
            rule_r_9_skipped_items_use_no_demand
            property_random_scripts
        );
    };
    ($name:ident, $create:expr $(,)?) => {
        $crate::publisher_tests!($name, $create, $crate::Capabilities::new());
    };
    ($name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::publisher_tests!(
            subject $name,
            $crate::Subject::of(stringify!($name), $capabilities, $create)
        );
    };
    (@each $name:ident, $subject:expr, $($check:ident)*) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the closure may need nothing from outside")]
            use super::*;
            $(#[test] fn $check() { subject().assert(stringify!($check)); })*

            // One function makes the subject, so that its types are compiled once.
            fn subject() -> $crate::Subject {
                $subject
            }

            #[test]
            fn every_check_has_a_test() {
                let all: Vec<_> = subject().checks().map(|check| check.name).collect();
                assert_eq!(all, [$(stringify!($check)),*]);
            }
        }
    };
}
