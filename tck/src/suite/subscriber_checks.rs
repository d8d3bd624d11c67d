//! What is done to a subscriber, as data: the checker judges every rule on every trace, so a check
//! only has to bring about the situation in which its rule can be broken.

use crate::{
    check::{Check, Suite},
    play::upstream::Manner,
};

/// Something that is done to a subscriber.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Makes it request so many items, at once; and so often.
    Trigger(u64, u32),
    /// Waits until it has requested something.
    Await,
    /// Sends so many items, each when it has been requested.
    Send(u64),
    /// Makes it cancel.
    SignalCancel,
    /// Sends so many items that were requested, although it has canceled.
    SendLate(u64),
    /// Gives it a second subscription.
    Intrude,
    /// Ends the stream after the items that were allowed.
    Complete,
    /// Fails the stream after the items that were allowed.
    Fail,
    /// Waits until nothing more comes.
    Settle,
}

impl Step {
    /// The same with no more than so many items.
    pub(crate) fn at_most(self, most: u64) -> Self {
        match self {
            Self::Trigger(1, times) => {
                Self::Trigger(1, u32::try_from(most).map_or(times, |most| times.min(most)))
            }
            Self::Trigger(n, times) => Self::Trigger(n.min(most), times),
            Self::Send(n) => Self::Send(n.min(most)),
            Self::SendLate(n) => Self::SendLate(n.min(most)),
            _ => self,
        }
    }
}

/// What a check needs to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Any subscriber.
    Nothing,
    /// One that reports what it processes.
    Reports,
    /// One that cancels when it is told to.
    Puppet,
    /// One that cancels by itself.
    Enough,
}

/// One check, and what it does.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) check: Check,
    pub(crate) needs: Needs,
    pub(crate) manner: Manner,
    /// Whether another subscriber of the kind is played beside it, to compare with.
    pub(crate) beside: bool,
    pub(crate) steps: &'static [Step],
}

const fn new(
    rule: &'static str,
    name: &'static str,
    originals: &'static [&'static str],
    steps: &'static [Step],
) -> Situation {
    let check = Check { name, rule, suite: Suite::Subscriber, originals };
    let manner =
        Manner { eager: false, offers: false, hops: false, keeps: true, initial: false, ahead: 0 };
    Situation { check, needs: Needs::Nothing, manner, beside: false, steps }
}

impl Situation {
    const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    const fn eager(mut self) -> Self {
        self.manner.eager = true;
        self
    }

    /// By a publisher that calls `initial_request`.
    const fn initial(mut self, ahead: u64) -> Self {
        self.manner.initial = true;
        self.manner.offers = true;
        self.manner.ahead = ahead;
        self
    }

    const fn beside(mut self) -> Self {
        self.beside = true;
        self
    }

    const fn hops(mut self) -> Self {
        self.manner.hops = true;
        self
    }

    const fn offers(mut self) -> Self {
        self.manner.offers = true;
        self
    }
}

use Step::{Await, Complete, Fail, Intrude, Send, SendLate, Settle, SignalCancel, Trigger};

/// All checks of subscribers. The names are those of the tests that `subscriber_tests!` emits.
#[rustfmt::skip]
pub(crate) static SUBSCRIBER: &[Situation] = &[
    new("2.1", "rule_2_1_items_are_requested",
        &["required_spec201_mustSignalDemandViaSubscriptionRequest",
          "required_spec201_blackbox_mustSignalDemandViaSubscriptionRequest"],
        &[Trigger(5, 1), Send(5)]),
    new("2.1", "rule_2_1_one_item_after_the_other", &["required_exerciseWhiteboxHappyPath"],
        &[Trigger(1, 2), Send(1), Trigger(1, 1), Send(1), SignalCancel]),
    new("2.1", "rule_2_1_goes_on_requesting", &[],
        &[Trigger(1, 40), Send(40)]),
    new("2.2", "rule_2_2_signals_return_soon",
        &["untested_spec202_shouldAsynchronouslyDispatch",
          "untested_spec202_blackbox_shouldAsynchronouslyDispatch"],
        &[Trigger(3, 1), Send(3), Complete]),
    new("2.3", "rule_2_3_no_call_from_on_complete",
        &["required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete",
          "required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete"],
        &[Complete]),
    new("2.3", "rule_2_3_no_call_from_on_error",
        &["required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnError",
          "required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnError"],
        &[Fail]),
    new("2.4", "rule_2_4_no_call_after_completion",
        &["untested_spec204_mustConsiderTheSubscriptionAsCanceledInAfterRecievingOnCompleteOrOnError",
          "untested_spec204_blackbox_mustConsiderTheSubscriptionAsCanceledInAfterRecievingOnCompleteOrOnError"],
        &[Trigger(3, 1), Send(1), Settle, Complete]),
    new("2.4", "rule_2_4_no_call_after_an_error", &[],
        &[Trigger(3, 1), Send(1), Settle, Fail]),
    new("2.5", "rule_2_5_second_subscription_is_canceled",
        &["required_spec205_mustCallSubscriptionCancelIfItAlreadyHasAnSubscriptionAndReceivesAnotherOnSubscribeSignal",
          "required_spec205_blackbox_mustCallSubscriptionCancelIfItAlreadyHasAnSubscriptionAndReceivesAnotherOnSubscribeSignal"],
        &[Settle, Intrude, Settle, Trigger(1, 1), Send(1), Complete]),
    new("2.5", "rule_2_5_second_subscription_after_an_item", &[],
        &[Trigger(3, 1), Send(1), Settle, Intrude, Settle, Send(2), Complete]),
    new("2.6", "rule_2_6_a_cancel_reaches_the_publisher",
        &["untested_spec206_mustCallSubscriptionCancelIfItIsNoLongerValid",
          "untested_spec206_blackbox_mustCallSubscriptionCancelIfItIsNoLongerValid"],
        &[Trigger(2, 1), Send(1), SignalCancel]).needs(Needs::Puppet),
    new("2.6", "rule_2_6_a_cancel_without_a_request", &[],
        &[SignalCancel]).needs(Needs::Puppet),
    new("2.6", "rule_2_6_one_that_has_enough_cancels", &[],
        &[Trigger(16, 1), Send(16)]).needs(Needs::Enough),
    new("2.7", "rule_2_7_calls_do_not_overlap",
        &["untested_spec207_mustEnsureAllCallsOnItsSubscriptionTakePlaceFromTheSameThreadOrTakeCareOfSynchronization",
          "untested_spec207_blackbox_mustEnsureAllCallsOnItsSubscriptionTakePlaceFromTheSameThreadOrTakeCareOfSynchronization"],
        &[Trigger(4, 4), Send(16)]),
    new("2.8", "rule_2_8_items_after_a_cancel",
        &["required_spec208_mustBePreparedToReceiveOnNextSignalsAfterHavingCalledSubscriptionCancel",
          "untested_spec208_blackbox_mustBePreparedToReceiveOnNextSignalsAfterHavingCalledSubscriptionCancel"],
        &[Trigger(3, 1), Send(1), SignalCancel, SendLate(2), Trigger(1, 2)]).needs(Needs::Puppet),
    new("2.9", "rule_2_9_completion_after_a_request",
        &["required_spec209_mustBePreparedToReceiveAnOnCompleteSignalWithPrecedingRequestCall",
          "required_spec209_blackbox_mustBePreparedToReceiveAnOnCompleteSignalWithPrecedingRequestCall"],
        &[Trigger(1, 1), Await, Complete]),
    new("2.9", "rule_2_9_completion_without_a_request",
        &["required_spec209_mustBePreparedToReceiveAnOnCompleteSignalWithoutPrecedingRequestCall",
          "required_spec209_blackbox_mustBePreparedToReceiveAnOnCompleteSignalWithoutPrecedingRequestCall"],
        &[Complete]),
    new("2.9", "rule_2_9_completion_after_items", &[], &[Trigger(3, 1), Send(2), Complete]),
    new("2.10", "rule_2_10_error_after_a_request",
        &["required_spec210_mustBePreparedToReceiveAnOnErrorSignalWithPrecedingRequestCall",
          "required_spec210_blackbox_mustBePreparedToReceiveAnOnErrorSignalWithPrecedingRequestCall"],
        &[Trigger(1, 2), Await, Fail]),
    new("2.10", "rule_2_10_error_without_a_request",
        &["required_spec210_mustBePreparedToReceiveAnOnErrorSignalWithoutPrecedingRequestCall",
          "required_spec210_blackbox_mustBePreparedToReceiveAnOnErrorSignalWithoutPrecedingRequestCall"],
        &[Fail]),
    new("2.10", "rule_2_10_error_after_items", &[], &[Trigger(3, 1), Send(2), Fail]),
    new("2.11", "rule_2_11_signals_from_several_threads",
        &["untested_spec211_mustMakeSureThatAllCallsOnItsMethodsHappenBeforeTheProcessingOfTheRespectiveEvents",
          "untested_spec211_blackbox_mustMakeSureThatAllCallsOnItsMethodsHappenBeforeTheProcessingOfTheRespectiveEvents"],
        &[Trigger(4, 1), Send(4), Complete]).hops(),
    new("2.13", "rule_2_13_signals_return_normally",
        &["untested_spec213_failingOnSignalInvocation",
          "untested_spec213_blackbox_failingOnSignalInvocation"],
        &[Trigger(20, 1), Send(20), Complete]),
    new("3.8", "rule_3_8_requests_add_up",
        &["required_spec308_requestMustRegisterGivenNumberElementsToBeProduced",
          "untested_spec308_blackbox_requestMustRegisterGivenNumberElementsToBeProduced"],
        &[Trigger(2, 1), Send(2), Settle, Trigger(3, 1), Trigger(1, 1), Send(4)]),
    new("3.9", "rule_3_9_no_request_for_zero_items", &[], &[Trigger(1, 8), Send(8)]),
    new("3.10", "rule_3_10_items_from_within_request",
        &["untested_spec310_requestMaySynchronouslyCallOnNextOnSubscriber",
          "untested_spec310_blackbox_requestMaySynchronouslyCallOnNextOnSubscriber"],
        &[Trigger(2, 2), Send(4), Trigger(1, 1), Send(1), Complete]).eager(),
    new("3.11", "rule_3_11_completion_from_within_request",
        &["untested_spec311_requestMaySynchronouslyCallOnCompleteOrOnError",
          "untested_spec311_blackbox_requestMaySynchronouslyCallOnCompleteOrOnError"],
        &[Send(2), Complete, Trigger(2, 1)]).eager(),
    new("3.11", "rule_3_11_error_from_within_request", &[],
        &[Send(2), Fail, Trigger(2, 1)]).eager(),
    new("3.17", "rule_3_17_many_small_steps", &[],
        &[Send(100_000), Trigger(1, 100_000), Settle, Complete]).eager(),
    new("R.3", "rule_r_3_items_are_processed_once_and_in_order", &[],
        &[Trigger(1, 3), Trigger(60, 1), Send(63), Settle, Complete]).needs(Needs::Reports),
    new("R.8", "rule_r_8_offered_items_are_answered", &[],
        &[Trigger(8, 1), Send(8), Settle, Complete]).offers(),
    new("R.11", "rule_r_11_initial_request_is_made_once", &[], &[Settle]).initial(0).beside(),
    new("R.11", "rule_r_11_items_ahead_of_the_subscription", &[],
        &[Trigger(5, 1), Send(3), Complete]).initial(2),
];
