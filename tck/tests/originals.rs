//! Every test of the JVM's TCK for subscribers and processors has a check here, or a reason why not.

use reactive_streams_tck::{checks, dropped};

#[test]
fn every_original_is_found() {
    let checked: Vec<_> = checks().flat_map(|check| check.originals).copied().collect();
    let dropped: Vec<_> = dropped().map(|(name, _)| name).collect();

    for name in ORIGINALS {
        let found = checked.contains(name) || dropped.contains(name);
        assert!(found, "`{name}` has neither a check nor a reason to be dropped");
    }
}

#[test]
fn no_original_is_made_up() {
    let checked = checks().filter(|check| check.suite != reactive_streams_tck::Suite::Publisher);
    for name in checked.flat_map(|check| check.originals) {
        assert!(ORIGINALS.contains(name), "there is no `{name}`");
    }
}

/// The 27 tests with a probe, the 26 without, and the 3 of processors alone.
#[rustfmt::skip]
static ORIGINALS: &[&str] = &[
    "required_exerciseWhiteboxHappyPath",
    "required_spec201_mustSignalDemandViaSubscriptionRequest",
    "untested_spec202_shouldAsynchronouslyDispatch",
    "required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete",
    "required_spec203_mustNotCallMethodsOnSubscriptionOrPublisherInOnError",
    "untested_spec204_mustConsiderTheSubscriptionAsCancelledInAfterRecievingOnCompleteOrOnError",
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
    "required_spec201_blackbox_mustSignalDemandViaSubscriptionRequest",
    "untested_spec202_blackbox_shouldAsynchronouslyDispatch",
    "required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnComplete",
    "required_spec203_blackbox_mustNotCallMethodsOnSubscriptionOrPublisherInOnError",
    "untested_spec204_blackbox_mustConsiderTheSubscriptionAsCancelledInAfterRecievingOnCompleteOrOnError",
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
    "required_spec104_mustCallOnErrorOnAllItsSubscribersIfItEncountersANonRecoverableError",
    "mustImmediatelyPassOnOnErrorEventsReceivedFromItsUpstreamToItsDownstream",
    "required_mustRequestFromUpstreamForElementsThatHaveBeenRequestedLongAgo",
];
