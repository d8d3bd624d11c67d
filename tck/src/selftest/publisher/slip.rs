//! The mistakes that the publisher of numbers can be told to make.

/// What the publisher does besides the right thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    OverByOne,
    UnrequestedOnSubscribe,
    IgnoresDemand,
    NeverEmits,
    NeverCompletes,
    CompletesTooEarly,
    FailsInsteadOfCompleting,
    UnrequestedBeforeError,
    NoOnSubscribe,
    OnSubscribeTwice,
    SignalBeforeOnSubscribe,
    SubscribePanics,
    SubscribePanicsAfterwards,
    CancelCompletes,
    CancelFails,
    CancelEmits,
    EmitsWithoutDemandAfterCancel,
    IgnoresCancel,
    RequestRevives,
    DropsRequestsInOnSubscribe,
    DropsRequestsInOnNext,
    DropsLargeRequestInSecondOnNext,
    RequestBlocks,
    RequestPanics,
    CancelBlocks,
    CancelPanics,
    SecondCancelPanics,
    SecondCancelSignals,
    ReplacesDemand,
    LosesConcurrentRequests,
    IgnoresZero,
    ZeroIsOne,
    ZeroPanics,
    ZeroWrongError,
    KeepsSubscriberAfterCancel,
    OverflowFails,
    OverflowStalls,
    Truncates,
    IgnoresMaximum,
    TakesRequests(u64),
    /// Serves so many of a single request.
    CapsDemand(u64),
    /// Sends each item from within the call that sent the one before.
    Recurses,
    /// Forgets what another thread requests while it sends.
    ForgetsRequestsMeanwhile,
    /// Takes the initial request, and counts it twice, not at all, or once too many.
    CountsInitialTwice,
    LosesInitial,
    OneOverInitial,
    /// Takes it after `on_subscribe`.
    TakesInitialLate,
    /// Sends the second item again in place of the third.
    Repeats,
    /// Sends the third item before the second.
    Swaps,
    /// Allowed: takes the initial request, and serves it ahead of the subscription.
    TakesInitial,
    /// Allowed: takes so many milliseconds for each item.
    Dawdles(u64),
    GoesOnAfterPanic,
    IgnoresFinished,
    SkippedUsesDemand,
    /// Allowed: what was requested is on its way.
    FinishesBatch,
    /// Allowed: only the kind of the error counts.
    ZeroOtherText,
}
