//! The names of the JVM TCK's tests, and what became of each.

use crate::{check::Check, suite};

/// A test of the JVM TCK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Original {
    /// The class it stands in.
    pub class: &'static str,
    /// Its name there.
    pub name: &'static str,
}

/// What became of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// These checks look at the same thing.
    Checked(Vec<&'static Check>),
    /// There is no check, for this reason.
    Dropped(&'static str),
    /// The original itself does nothing but skip, and no check is named after it.
    NeverTested,
    /// No check is named after it.
    Open,
}

impl Original {
    /// What became of it.
    #[must_use]
    pub fn fate(&self) -> Fate {
        let checks: Vec<_> =
            suite::checks().filter(|check| check.originals.contains(&self.name)).collect();
        let mut dropped = suite::dropped();
        if !checks.is_empty() {
            Fate::Checked(checks)
        } else if let Some((_, reason)) = dropped.find(|(name, _)| *name == self.name) {
            Fate::Dropped(reason)
        } else if self.name.starts_with("untested_") {
            Fate::NeverTested
        } else {
            Fate::Open
        }
    }

    /// The number of the rule in its name, such as `3.9` for `spec309`.
    #[must_use]
    pub fn rule(&self) -> Option<&'static str> {
        let (_, rest) = self.name.split_once("_spec")?;
        let (section, number) = (rest.get(..1)?, rest.get(1..3)?.trim_start_matches('0'));
        let numbers = reactive_streams::rules::RULES.iter().map(|rule| rule.number);
        numbers.into_iter().find(|rule| rule.split_once('.') == Some((section, number)))
    }
}

/// All originals, class by class.
pub fn originals() -> impl Iterator<Item = Original> {
    CLASSES.iter().flat_map(|(class, names)| names.iter().map(|name| Original { class, name }))
}

/// The tests of each class. A processor's class has all of the first two besides its own.
#[rustfmt::skip]
static CLASSES: &[(&str, &[&str])] = &[
    ("PublisherVerification", &[
        "required_createPublisher1MustProduceAStreamOfExactly1Element",
        "required_createPublisher3MustProduceAStreamOfExactly3Elements",
        "required_validate_maxElementsFromPublisher",
        "required_validate_boundedDepthOfOnNextAndRequestRecursion",
        "required_spec101_subscriptionRequestMustResultInTheCorrectNumberOfProducedElements",
        "required_spec102_maySignalLessThanRequestedAndTerminateSubscription",
        "stochastic_spec103_mustSignalOnMethodsSequentially",
        "optional_spec104_mustSignalOnErrorWhenFails",
        "required_spec105_mustSignalOnCompleteWhenFiniteStreamTerminates",
        "optional_spec105_emptyStreamMustTerminateBySignalingOnComplete",
        "untested_spec106_mustConsiderSubscriptionCanceledAfterOnErrorOrOnCompleteHasBeenCalled",
        "required_spec107_mustNotEmitFurtherSignalsOnceOnCompleteHasBeenSignaled",
        "untested_spec107_mustNotEmitFurtherSignalsOnceOnErrorHasBeenSignaled",
        "untested_spec108_possiblyCanceledSubscriptionShouldNotReceiveOnErrorOrOnCompleteSignals",
        "untested_spec109_subscribeShouldNotThrowNonFatalThrowable",
        "required_spec109_subscribeThrowNPEOnNullSubscriber",
        "required_spec109_mustIssueOnSubscribeForNonNullSubscriber",
        "required_spec109_mayRejectCallsToSubscribeIfPublisherIsUnableOrUnwillingToServeThemRejectionMustTriggerOnErrorAfterOnSubscribe",
        "untested_spec110_rejectASubscriptionRequestIfTheSameSubscriberSubscribesTwice",
        "optional_spec111_maySupportMultiSubscribe",
        "optional_spec111_registeredSubscribersMustReceiveOnNextOrOnCompleteSignals",
        "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingOneByOne",
        "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfront",
        "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfrontAndCompleteAsExpected",
        "required_spec302_mustAllowSynchronousRequestCallsFromOnNextAndOnSubscribe",
        "required_spec303_mustNotAllowUnboundedRecursion",
        "untested_spec304_requestShouldNotPerformHeavyComputations",
        "untested_spec305_cancelMustNotSynchronouslyPerformHeavyComputation",
        "required_spec306_afterSubscriptionIsCanceledRequestMustBeNops",
        "required_spec307_afterSubscriptionIsCanceledAdditionalCancelationsMustBeNops",
        "required_spec309_requestZeroMustSignalIllegalArgumentException",
        "required_spec309_requestNegativeNumberMustSignalIllegalArgumentException",
        "optional_spec309_requestNegativeNumberMaySignalIllegalArgumentExceptionWithSpecificMessage",
        "required_spec312_cancelMustMakeThePublisherToEventuallyStopSignaling",
        "required_spec313_cancelMustMakeThePublisherEventuallyDropAllReferencesToTheSubscriber",
        "required_spec317_mustSupportAPendingElementCountUpToLongMaxValue",
        "required_spec317_mustSupportACumulativePendingElementCountUpToLongMaxValue",
        "required_spec317_mustNotSignalOnErrorWhenPendingAboveLongMaxValue",
    ]),
    ("SubscriberWhiteboxVerification", &[
        "required_exerciseWhiteboxHappyPath",
        "required_spec201_mustSignalDemandViaSubscriptionRequest",
        "untested_spec202_shouldAsynchronouslyDispatch",
        "required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete",
        "required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnError",
        "untested_spec204_mustConsiderTheSubscriptionAsCanceledInAfterRecievingOnCompleteOrOnError",
        "required_spec205_mustCallSubscriptionCancelIfItAlreadyHasAnSubscriptionAndReceivesAnotherOnSubscribeSignal",
        "untested_spec206_mustCallSubscriptionCancelIfItIsNoLongerValid",
        "untested_spec207_mustEnsureAllCallsOnItsSubscriptionTakePlaceFromTheSameThreadOrTakeCareOfSynchronization",
        "required_spec208_mustBePreparedToReceiveOnNextSignalsAfterHavingCalledSubscriptionCancel",
        "required_spec209_mustBePreparedToReceiveAnOnCompleteSignalWithPrecedingRequestCall",
        "required_spec209_mustBePreparedToReceiveAnOnCompleteSignalWithoutPrecedingRequestCall",
        "required_spec210_mustBePreparedToReceiveAnOnErrorSignalWithPrecedingRequestCall",
        "required_spec210_mustBePreparedToReceiveAnOnErrorSignalWithoutPrecedingRequestCall",
        "untested_spec211_mustMakeSureThatAllCallsOnItsMethodsHappenBeforeTheProcessingOfTheRespectiveEvents",
        "untested_spec212_mustNotCallOnSubscribeMoreThanOnceBasedOnObjectEquality_specViolation",
        "untested_spec213_failingOnSignalInvocation",
        "required_spec213_onSubscribe_mustThrowNullPointerExceptionWhenParametersAreNull",
        "required_spec213_onNext_mustThrowNullPointerExceptionWhenParametersAreNull",
        "required_spec213_onError_mustThrowNullPointerExceptionWhenParametersAreNull",
        "untested_spec301_mustNotBeCalledOutsideSubscriberContext",
        "required_spec308_requestMustRegisterGivenNumberElementsToBeProduced",
        "untested_spec310_requestMaySynchronouslyCallOnNextOnSubscriber",
        "untested_spec311_requestMaySynchronouslyCallOnCompleteOrOnError",
        "untested_spec314_cancelMayCauseThePublisherToShutdownIfNoOtherSubscriptionExists",
        "untested_spec315_cancelMustNotThrowExceptionAndMustSignalOnError",
        "untested_spec316_requestMustNotThrowExceptionAndMustOnErrorTheSubscriber",
    ]),
    ("SubscriberBlackboxVerification", &[
        "required_spec201_blackbox_mustSignalDemandViaSubscriptionRequest",
        "untested_spec202_blackbox_shouldAsynchronouslyDispatch",
        "required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete",
        "required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnError",
        "untested_spec204_blackbox_mustConsiderTheSubscriptionAsCanceledInAfterRecievingOnCompleteOrOnError",
        "required_spec205_blackbox_mustCallSubscriptionCancelIfItAlreadyHasAnSubscriptionAndReceivesAnotherOnSubscribeSignal",
        "untested_spec206_blackbox_mustCallSubscriptionCancelIfItIsNoLongerValid",
        "untested_spec207_blackbox_mustEnsureAllCallsOnItsSubscriptionTakePlaceFromTheSameThreadOrTakeCareOfSynchronization",
        "untested_spec208_blackbox_mustBePreparedToReceiveOnNextSignalsAfterHavingCalledSubscriptionCancel",
        "required_spec209_blackbox_mustBePreparedToReceiveAnOnCompleteSignalWithPrecedingRequestCall",
        "required_spec209_blackbox_mustBePreparedToReceiveAnOnCompleteSignalWithoutPrecedingRequestCall",
        "required_spec210_blackbox_mustBePreparedToReceiveAnOnErrorSignalWithPrecedingRequestCall",
        "required_spec210_blackbox_mustBePreparedToReceiveAnOnErrorSignalWithoutPrecedingRequestCall",
        "untested_spec211_blackbox_mustMakeSureThatAllCallsOnItsMethodsHappenBeforeTheProcessingOfTheRespectiveEvents",
        "untested_spec212_blackbox_mustNotCallOnSubscribeMoreThanOnceBasedOnObjectEquality",
        "untested_spec213_blackbox_failingOnSignalInvocation",
        "required_spec213_blackbox_onSubscribe_mustThrowNullPointerExceptionWhenParametersAreNull",
        "required_spec213_blackbox_onNext_mustThrowNullPointerExceptionWhenParametersAreNull",
        "required_spec213_blackbox_onError_mustThrowNullPointerExceptionWhenParametersAreNull",
        "untested_spec301_blackbox_mustNotBeCalledOutsideSubscriberContext",
        "untested_spec308_blackbox_requestMustRegisterGivenNumberElementsToBeProduced",
        "untested_spec310_blackbox_requestMaySynchronouslyCallOnNextOnSubscriber",
        "untested_spec311_blackbox_requestMaySynchronouslyCallOnCompleteOrOnError",
        "untested_spec314_blackbox_cancelMayCauseThePublisherToShutdownIfNoOtherSubscriptionExists",
        "untested_spec315_blackbox_cancelMustNotThrowExceptionAndMustSignalOnError",
        "untested_spec316_blackbox_requestMustNotThrowExceptionAndMustOnErrorTheSubscriber",
    ]),
    ("IdentityProcessorVerification", &[
        "required_spec104_mustCallOnErrorOnAllItsSubscribersIfItEncountersANonRecoverableError",
        "mustImmediatelyPassOnOnErrorEventsReceivedFromItsUpstreamToItsDownstream",
        "required_mustRequestFromUpstreamForElementsThatHaveBeenRequestedLongAgo",
    ]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_94_originals() {
        let counts: Vec<_> = CLASSES.iter().map(|(_, names)| names.len()).collect();
        let distinct: BTreeSet<_> = originals().map(|original| original.name).collect();

        assert_eq!(counts, [38, 27, 26, 3]);
        assert_eq!(distinct.len(), 94);
    }

    #[test]
    fn an_original_names_its_rule() {
        let rule = |name| Original { class: "", name }.rule();

        assert_eq!(rule("required_spec309_requestZero"), Some("3.9"));
        assert_eq!(rule("optional_spec111_multicast"), Some("1.11"));
        assert_eq!(rule("required_exerciseWhiteboxHappyPath"), None);
    }

    #[test]
    fn checks_and_reasons_name_originals_that_exist() {
        let known: BTreeSet<_> = originals().map(|original| original.name).collect();
        let checked = suite::checks().flat_map(|check| check.originals).copied();
        let dropped = suite::dropped().map(|(name, _)| name);

        for name in checked.chain(dropped) {
            assert!(known.contains(name), "{name}");
        }
    }

    #[test]
    fn every_original_is_checked_or_dropped_for_a_reason() {
        for original in originals() {
            let is_dropped = suite::dropped().any(|(name, _)| name == original.name);
            match original.fate() {
                Fate::Checked(_) => assert!(!is_dropped, "{} is both", original.name),
                Fate::Dropped(reason) => assert!(!reason.is_empty(), "{}", original.name),
                Fate::NeverTested | Fate::Open => panic!("{} is neither", original.name),
            }
        }
    }

    #[test]
    fn names_begin_with_their_rules_and_occur_once() {
        let names: Vec<_> = suite::checks().map(|check| (check.suite, check.name)).collect();
        for check in suite::checks().filter(|check| check.name.starts_with("rule_")) {
            let prefix = format!("rule_{}_", check.rule.replace('.', "_").to_lowercase());
            assert!(check.name.starts_with(&prefix), "{} is not about {}", check.name, check.rule);
            let same = names.iter().filter(|name| **name == (check.suite, check.name));
            assert_eq!(same.count(), 1);
        }
    }
}
