//! The checks of publishers, and what became of those of the JVM TCK.

use super::scenario::{
    IDLE, Scenario,
    Step::{By, Cancel, CancelFromThreads, Release, Request, RequestFromThreads, Settle, Storm},
    failing, scenario, shared,
};
use crate::play::probe::Script;

const HALF: u64 = u64::MAX / 2;

/// All checks of publishers that are written down; the names are those of the tests that
/// `publisher_tests!` emits.
#[rustfmt::skip]
pub(crate) static PUBLISHER: &[Scenario] = &[
    scenario("1.1", "rule_1_1_items_never_exceed_demand", 5, IDLE,
        &[Settle, Request(1, 1), Settle, Request(1, 1), Request(2, 1), Settle]).listens()
        .original(&["required_spec101_subscriptionRequestMustResultInTheCorrectNumberOfProducedElements"]),
    scenario("1.2", "rule_1_2_fewer_items_than_requested", 3, IDLE, &[Request(10, 1), Settle])
        .original(&["required_spec102_maySignalLessThanRequestedAndTerminateSubscription"]),
    scenario("1.3", "rule_1_3_signals_come_one_at_a_time", 40, Script { first: &[1], each: Some(1), cancel_at: Some(100), ..IDLE },
        &[RequestFromThreads(4, 5)]).rounds(10)
        .original(&["stochastic_spec103_mustSignalOnMethodsSequentially"]),
    scenario("1.3", "rule_1_3_no_signal_within_on_subscribe", 6, Script { first: &[1, 2], elsewhere: true, ..IDLE },
        &[Settle, Request(3, 1)]),
    failing("1.4", "rule_1_4_failure_is_signaled", &[Settle, Request(1, 1)])
        .original(&["optional_spec104_mustSignalOnErrorWhenFails"]),
    scenario("1.5", "rule_1_5_completes_after_one", 1, IDLE, &[Request(1, 1), Settle, Request(1, 1)])
        .original(&["required_createPublisher1MustProduceAStreamOfExactly1Element"]),
    scenario("1.5", "rule_1_5_completes_after_the_last", 3, IDLE, &[Request(1, 4)])
        .original(&["required_createPublisher3MustProduceAStreamOfExactly3Elements",
            "required_spec105_mustSignalOnCompleteWhenFiniteStreamTerminates"]),
    scenario("1.5", "rule_1_5_completes_when_empty", 0, IDLE, &[Request(1, 1)])
        .original(&["optional_spec105_emptyStreamMustTerminateBySignalingOnComplete"]),
    scenario("1.6", "rule_1_6_nothing_can_be_done_after_completion", 1, IDLE,
        &[Request(2, 1), Settle, Request(1, 2), Request(0, 1), Request(u64::MAX, 2), Cancel, Cancel, Request(1, 1)])
        .original(&["untested_spec106_mustConsiderSubscriptionCanceledAfterOnErrorOrOnCompleteHasBeenCalled"]),
    scenario("1.7", "rule_1_7_nothing_after_completion", 1, IDLE,
        &[Request(10, 1), Settle, Request(10, 1), Cancel, Settle]).listens()
        .original(&["required_spec107_mustNotEmitFurtherSignalsOnceOnCompleteHasBeenSignaled"]),
    failing("1.7", "rule_1_7_nothing_after_an_error", &[Request(1, 1), Settle, Request(1, 2), Request(0, 1), Settle, Cancel])
        .original(&["untested_spec107_mustNotEmitFurtherSignalsOnceOnErrorHasBeenSignaled"]),
    scenario("1.8", "rule_1_8_cancel_in_on_subscribe", 3, Script { cancel_first: true, ..IDLE }, &[Settle])
        .original(&["untested_spec108_possiblyCanceledSubscriptionShouldNotReceiveOnErrorOrOnCompleteSignals"]),
    scenario("1.8", "rule_1_8_cancel_in_on_next", 3, Script { cancel_at: Some(1), ..IDLE }, &[Request(2, 1)]),
    scenario("1.8", "rule_1_8_cancel_in_the_last_on_next", 1, Script { cancel_at: Some(1), ..IDLE }, &[Request(2, 1)]),
    scenario("1.9", "rule_1_9_on_subscribe_first_and_once", 0, IDLE, &[Settle, Cancel])
        .original(&["required_spec109_mustIssueOnSubscribeForNonNullSubscriber",
            "untested_spec109_subscribeShouldNotThrowNonFatalThrowable"]),
    failing("1.9", "rule_1_9_on_subscribe_before_an_error", &[Settle])
        .original(&["required_spec109_mayRejectCallsToSubscribeIfPublisherIsUnableOrUnwillingToServeThemRejectionMustTriggerOnErrorAfterOnSubscribe"]),
    shared("rule_1_11_all_subscribers_are_subscribed", 1, 2, &[Settle, Cancel, By(1, &Cancel)])
        .original(&["optional_spec111_maySupportMultiSubscribe"]),
    shared("rule_1_11_all_subscribers_get_items_or_the_end", 2, 2, &[Request(1, 1), By(1, &Request(1, 1)), Settle, Cancel, By(1, &Cancel)])
        .original(&["optional_spec111_registeredSubscribersMustReceiveOnNextOrOnCompleteSignals"]),
    shared("rule_1_11_same_items_one_by_one", 5, 3, &[
        Request(1, 2), By(1, &Request(2, 1)), By(2, &Request(3, 1)), Settle, Request(2, 1), By(1, &Request(3, 1)),
        By(2, &Request(1, 1)), Settle, Request(1, 1), By(1, &Request(1, 1)), By(2, &Request(1, 2))])
        .original(&["optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingOneByOne"]),
    shared("rule_1_11_same_items_upfront", 3, 3, &[Request(4, 1), By(1, &Request(4, 1)), By(2, &Request(4, 1))])
        .original(&["optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfront",
            "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfrontAndCompleteAsExpected"]),
    shared("rule_1_11_one_leaves_and_the_others_go_on", 4, 2, &[
        Request(1, 1), By(1, &Request(1, 1)), Settle, Cancel, Settle, By(1, &Request(9, 1)), Settle, By(1, &Cancel)]),
    scenario("2.13", "rule_2_13_a_panicking_subscriber_is_canceled", 3, Script { panic_at: Some(1), ..IDLE },
        &[Request(2, 1), Settle, Request(1, 1)]),
    scenario("2.13", "rule_2_13_a_panic_in_on_complete", 1, Script { panic_last: true, ..IDLE },
        &[Request(2, 1), Settle, Request(1, 1), Cancel]),
    scenario("3.2", "rule_3_2_requests_in_signals", 6, Script { first: &[1, 1, 1], each: Some(1), cancel_at: Some(100), ..IDLE }, &[Settle])
        .original(&["required_spec302_mustAllowSynchronousRequestCallsFromOnNextAndOnSubscribe"]),
    scenario("3.3", "rule_3_3_recursion_is_bounded", 1_000, Script { first: &[1], each: Some(1), cancel_at: Some(900), ..IDLE }, &[Settle])
        .original(&["required_spec303_mustNotAllowUnboundedRecursion"]),
    scenario("3.4", "rule_3_4_request_returns_soon", 3, IDLE, &[Request(1, 3), Settle])
        .original(&["untested_spec304_requestShouldNotPerformHeavyComputations"]),
    scenario("3.5", "rule_3_5_cancel_returns_soon", 3, IDLE, &[Request(1, 1), Cancel, Cancel])
        .original(&["untested_spec305_cancelMustNotSynchronouslyPerformHeavyComputation"]),
    scenario("3.5", "rule_3_5_cancel_from_many_threads", 10, IDLE, &[Request(2, 1), Settle, CancelFromThreads(4)]),
    scenario("3.5", "rule_3_5_cancel_races_requests", 100, IDLE,
        &[Request(1, 1), Storm { requesters: 2, times: 20, cancellers: 2 }]).rounds(10),
    scenario("3.5", "rule_3_5_cancel_races_completion", 2, IDLE,
        &[Request(1, 1), Storm { requesters: 1, times: 2, cancellers: 1 }]).rounds(20),
    scenario("3.6", "rule_3_6_request_after_cancel", 3, IDLE, &[Settle, Cancel, Settle, Request(1, 3)])
        .original(&["required_spec306_afterSubscriptionIsCanceledRequestMustBeNops"]),
    scenario("3.7", "rule_3_7_cancel_after_cancel", 3, IDLE, &[Settle, Cancel, Settle, Cancel, Cancel])
        .original(&["required_spec307_afterSubscriptionIsCanceledAdditionalCancelationsMustBeNops"]),
    scenario("3.8", "rule_3_8_requests_add_up", 9, Script { first: &[2, 3], ..IDLE }, &[Settle, Request(1, 1), Request(2, 1)]),
    scenario("3.8", "rule_3_8_requests_from_many_threads_add_up", 400, IDLE, &[RequestFromThreads(4, 100)]),
    scenario("3.8", "rule_3_8_another_thread_requests_during_items", 6, Script { first: &[1], each: Some(1), elsewhere: true, cancel_at: Some(100), ..IDLE },
        &[Settle]),
    scenario("3.9", "rule_3_9_request_zero", 1, IDLE, &[Request(0, 1), Settle, Request(1, 1)])
        .original(&["required_spec309_requestZeroMustSignalIllegalArgumentException"]),
    scenario("3.9", "rule_3_9_request_zero_in_on_subscribe", 1, Script { first: &[0], ..IDLE }, &[Settle, Request(1, 1)]),
    scenario("3.9", "rule_3_9_request_zero_after_an_item", 3, IDLE, &[Request(1, 1), Settle, Request(0, 1), Settle, Request(1, 1)]),
    scenario("3.12", "rule_3_12_cancel_stops", 20, IDLE, &[Request(10, 1), Request(5, 1), Cancel, Settle]).listens()
        .original(&["required_spec312_cancelMustMakeThePublisherToEventuallyStopSignaling"]),
    scenario("3.12", "rule_3_12_cancel_stops_what_has_no_bound", 10_000, Script { first: &[u64::MAX], cancel_at: Some(3), ..IDLE }, &[Settle]),
    scenario("3.13", "rule_3_13_cancel_drops_the_subscriber", 3, IDLE, &[Request(1, 1), Settle, Cancel])
        .original(&["required_spec313_cancelMustMakeThePublisherEventuallyDropAllReferencesToTheSubscriber"]),
    scenario("3.17", "rule_3_17_unbounded_request", 3, IDLE, &[Request(u64::MAX, 1)]).unbounded()
        .original(&["required_spec317_mustSupportAPendingElementCountUpToLongMaxValue"]),
    scenario("3.17", "rule_3_17_demand_above_32_bits", 3, IDLE, &[Request(1 << 32, 1)]).unbounded(),
    scenario("3.17", "rule_3_17_demand_adds_up_to_the_maximum", 3, IDLE, &[Request(1, 1), Request(HALF, 2), Request(1, 1)]).unbounded()
        .original(&["required_spec317_mustSupportACumulativePendingElementCountUpToLongMaxValue"]),
    scenario("3.17", "rule_3_17_demand_may_overflow", 5, Script { first: &[1], each: Some(u64::MAX - 1), ..IDLE }, &[Settle]).unbounded()
        .original(&["required_spec317_mustNotSignalOnErrorWhenPendingAboveLongMaxValue"]),
    scenario("3.17", "rule_3_17_many_requests", 100_000, IDLE, &[Request(1, 100_000)]),
    scenario("3.17", "rule_3_17_one_large_request", 100_000, IDLE, &[Request(100_000, 1)]),
    scenario("R.1", "rule_r_1_subscription_dropped_without_cancel", 3, IDLE, &[Request(1, 1), Settle, Release]),
    scenario("R.3", "rule_r_3_items_are_dropped_once", 9, IDLE, &[Request(2, 1), Settle, Request(3, 1), Cancel]).counted(),
    scenario("R.6", "rule_r_6_no_lock_is_held_in_signals", 4, Script { first: &[1], each: Some(1), elsewhere: true, cancel_at: Some(50), ..IDLE }, &[Settle]),
    scenario("R.8", "rule_r_8_finished_is_obeyed", 3, Script { finish_at: Some(1), ..IDLE }, &[Request(2, 1), Settle, Request(1, 1)]),
    scenario("R.9", "rule_r_9_skipped_items_use_no_demand", 9, Script { skip: true, ..IDLE }, &[Request(3, 1), Settle, Request(1, 1)]),
    scenario("R.11", "rule_r_11_initial_request_is_demand", 9, Script { initial: 3, ..IDLE }, &[Settle, Request(2, 1), Settle, Request(1, 1)]),
    scenario("R.11", "rule_r_11_initial_request_for_all", 2, Script { initial: 5, ..IDLE }, &[Settle]),
    scenario("R.11", "rule_r_11_finished_ahead_of_the_subscription", 5, Script { initial: 4, finish_at: Some(2), ..IDLE }, &[Settle, Request(1, 1)]),
];

/// Tests of the JVM TCK's `PublisherVerification` that have no counterpart, and why.
pub(crate) static DROPPED: &[(&str, &str)] = &[
    (
        "required_validate_maxElementsFromPublisher",
        "the length is unsigned, so it cannot be negative",
    ),
    (
        "required_validate_boundedDepthOfOnNextAndRequestRecursion",
        "the depth is unsigned, and a depth of 0 fails at the first item",
    ),
    ("required_spec109_subscribeThrowNPEOnNullSubscriber", "there is no null"),
    (
        "untested_spec110_rejectASubscriptionRequestIfTheSameSubscriberSubscribesTwice",
        "a subscriber is moved into `subscribe`",
    ),
    (
        "required_spec309_requestNegativeNumberMustSignalIllegalArgumentException",
        "demand is unsigned; zero is checked",
    ),
    (
        "optional_spec309_requestNegativeNumberMaySignalIllegalArgumentExceptionWithSpecificMessage",
        "the kind of the error tells what its message should",
    ),
];
