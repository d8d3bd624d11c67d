//! Tests of the JVM's TCK that have no check here, and why.

const NO_NULL: &str = "there is no null: the argument cannot be left out";
const BY_MOVE: &str =
    "a subscriber is moved into `subscribe`; a second `on_subscribe` is found under rule 1.9";
const BY_OWNER: &str =
    "rule 3.1 asks for nothing here: a subscription may be used by whoever it was given to";
const PERMISSION: &str = "rule 3.14 is a permission to publishers, which no subscriber can break";
const PUBLISHERS: &str =
    "rules 3.15 and 3.16 bind publishers, and are judged on every trace of one";

/// Tests of subscribers and processors: the name of each, and why it has no check.
#[rustfmt::skip]
pub(crate) static DROPPED: &[(&str, &str)] = &[
    ("untested_spec212_mustNotCallOnSubscribeMoreThanOnceBasedOnObjectEquality_specViolation", BY_MOVE),
    ("untested_spec212_blackbox_mustNotCallOnSubscribeMoreThanOnceBasedOnObjectEquality", BY_MOVE),
    ("required_spec213_onSubscribe_mustThrowNullPointerExceptionWhenParametersAreNull", NO_NULL),
    ("required_spec213_onNext_mustThrowNullPointerExceptionWhenParametersAreNull", NO_NULL),
    ("required_spec213_onError_mustThrowNullPointerExceptionWhenParametersAreNull", NO_NULL),
    ("required_spec213_blackbox_onSubscribe_mustThrowNullPointerExceptionWhenParametersAreNull", NO_NULL),
    ("required_spec213_blackbox_onNext_mustThrowNullPointerExceptionWhenParametersAreNull", NO_NULL),
    ("required_spec213_blackbox_onError_mustThrowNullPointerExceptionWhenParametersAreNull", NO_NULL),
    ("untested_spec301_mustNotBeCalledOutsideSubscriberContext", BY_OWNER),
    ("untested_spec301_blackbox_mustNotBeCalledOutsideSubscriberContext", BY_OWNER),
    ("untested_spec314_cancelMayCauseThePublisherToShutdownIfNoOtherSubscriptionExists", PERMISSION),
    ("untested_spec314_blackbox_cancelMayCauseThePublisherToShutdownIfNoOtherSubscriptionExists", PERMISSION),
    ("untested_spec315_cancelMustNotThrowExceptionAndMustSignalOnError", PUBLISHERS),
    ("untested_spec315_blackbox_cancelMustNotThrowExceptionAndMustSignalOnError", PUBLISHERS),
    ("untested_spec316_requestMustNotThrowExceptionAndMustOnErrorTheSubscriber", PUBLISHERS),
    ("untested_spec316_blackbox_requestMustNotThrowExceptionAndMustOnErrorTheSubscriber", PUBLISHERS),
];
