//! A synchronous publisher that is correct but for the one mistake it is told to make.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, MutexGuard},
    thread::ThreadId,
    time::Duration,
};

use reactive_streams::{
    BoxSubscriber, Demand, Error, ErrorKind, Offer, Publisher, Subscriber, Subscription,
};

use super::slip::Slip;
use crate::{play::clock, sync::lock};

/// So many items are sent after a cancel by [`Slip::FinishesBatch`].
const BATCH: u64 = 16;
/// So many requests are slow with [`Slip::RequestBlocks`]: a hundred thousand would take an hour.
const SLOW_CALLS: u64 = 2;
/// So many requests are looked at by [`Slip::LosesConcurrentRequests`].
const SLOW_REQUESTS: u64 = 100;

/// The numbers from 0 up to a length.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) len: u64,
    pub(super) slip: Option<Slip>,
}

struct Line {
    slip: Option<Slip>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    subscriber: Option<BoxSubscriber<u64>>,
    demand: Demand,
    left: u64,
    sent: u64,
    sent_after_cancel: u64,
    requests: u64,
    entered: bool,
    draining: bool,
    canceled: bool,
    illegal: bool,
    overflowed: bool,
    /// The thread that is inside a signal.
    sender: Option<ThreadId>,
}

struct Handle(Arc<Line>);

fn here() -> ThreadId {
    std::thread::current().id()
}

/// Panics without a message on the terminal.
pub(super) fn panic_quietly() -> ! {
    resume_unwind(Box::new("a mistake"))
}

impl State {
    /// Whether a cancel ends the stream now.
    fn is_over(&self, slip: Option<Slip>) -> bool {
        self.canceled
            && match slip {
                Some(Slip::IgnoresCancel | Slip::EmitsWithoutDemandAfterCancel) => false,
                Some(Slip::FinishesBatch) => {
                    self.sent_after_cancel >= BATCH || self.demand.is_zero()
                }
                _ => true,
            }
    }

    fn is_wanted(&self, slip: Option<Slip>) -> bool {
        let more = match slip {
            Some(Slip::OverByOne) => self.sent == 1,
            Some(Slip::IgnoresDemand) => self.sent > 0,
            Some(Slip::EmitsWithoutDemandAfterCancel) => self.canceled,
            _ => false,
        };
        (more || !self.demand.is_zero()) && slip != Some(Slip::NeverEmits)
    }

    /// What a request of `n` adds to the demand.
    fn counted(&self, n: u64, slip: Option<Slip>) -> u64 {
        match slip {
            Some(Slip::DropsRequestsInOnSubscribe) if !self.entered => 0,
            Some(Slip::DropsRequestsInOnNext) if self.draining && self.entered => 0,
            Some(Slip::DropsLargeRequestInSecondOnNext)
                if self.draining && self.sent == 2 && n > 2 =>
            {
                0
            }
            Some(Slip::CapsDemand(most)) => n.min(most),
            Some(Slip::ForgetsRequestsMeanwhile) if self.sender.is_some_and(|id| id != here()) => 0,
            Some(Slip::Truncates) => n & u64::from(u32::MAX),
            Some(Slip::IgnoresMaximum) if n == u64::MAX => 0,
            Some(Slip::TakesRequests(most)) if self.requests > most => 0,
            _ => n,
        }
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn is(&self, slip: Slip) -> bool {
        self.slip == Some(slip)
    }

    /// Sends what may be sent; the subscriber's panic stays here.
    fn drain(&self) {
        drop(catch_unwind(AssertUnwindSafe(|| self.send())));
    }

    /// Sends, unless another call does so already.
    fn send(&self) {
        let subscriber = {
            let mut state = self.state();
            match state.draining {
                true => None,
                false => state.subscriber.take().inspect(|_| state.draining = true),
            }
        };
        let Some(mut subscriber) = subscriber else { return };
        loop {
            let mut state = self.state();
            if state.is_over(self.slip) {
                state.draining = false;
                if self.is(Slip::KeepsSubscriberAfterCancel) || self.is(Slip::RequestRevives) {
                    state.subscriber = Some(subscriber);
                }
                return;
            }
            if state.illegal {
                drop(state);
                return self.answer_zero(subscriber);
            }
            if state.overflowed {
                drop(state);
                return subscriber.on_error(Error::message("too much"));
            }
            let ended = state.left == 0 || (self.is(Slip::CompletesTooEarly) && state.sent > 0);
            if ended && !self.is(Slip::NeverCompletes) {
                drop(state);
                return match self.is(Slip::FailsInsteadOfCompleting) {
                    true => subscriber.on_error(Error::message("ended")),
                    false => subscriber.on_complete(),
                };
            }
            if state.left == 0 || !state.is_wanted(self.slip) {
                state.draining = false;
                state.subscriber = Some(subscriber);
                return;
            }
            let _one = state.demand.take(1);
            state.left -= 1;
            state.sent += 1;
            state.sent_after_cancel += u64::from(state.canceled);
            let item = match (self.slip, state.sent) {
                (Some(Slip::Repeats), 3) | (Some(Slip::Swaps), 3) => 1,
                (Some(Slip::Swaps), 2) => 2,
                (_, sent) => sent - 1,
            };
            state.sender = Some(here());
            drop(state);
            if let Some(Slip::Dawdles(ms)) = self.slip {
                clock::pause(Duration::from_millis(ms));
            }
            match catch_unwind(AssertUnwindSafe(|| subscriber.offer(item))) {
                Ok(Offer::Skipped) if !self.is(Slip::SkippedUsesDemand) => {
                    self.state().demand.add(1);
                }
                Ok(Offer::Finished) if !self.is(Slip::IgnoresFinished) => return,
                Err(_) if !self.is(Slip::GoesOnAfterPanic) => return,
                _ => {}
            }
            self.state().sender = None;
            if self.is(Slip::Recurses) {
                let mut state = self.state();
                state.draining = false;
                state.subscriber = Some(subscriber);
                drop(state);
                self.send();
                // Something to do, so that the call above is no tail call.
                self.state().sender = None;
                return;
            }
        }
    }

    fn answer_zero(&self, mut subscriber: BoxSubscriber<u64>) {
        if self.is(Slip::UnrequestedBeforeError) {
            subscriber.on_next(0);
        }
        subscriber.on_error(match self.slip {
            Some(Slip::ZeroWrongError) => Error::message("what?"),
            Some(Slip::ZeroOtherText) => Error::new(ErrorKind::IllegalRequest, "nothing?"),
            _ => Error::illegal_request(),
        });
    }

    fn add_demand<'a>(&'a self, mut state: MutexGuard<'a, State>, n: u64) {
        let before = state.demand.get();
        match self.slip {
            Some(Slip::ReplacesDemand) => state.demand = Demand::new(n),
            Some(Slip::OverflowStalls) => state.demand = Demand::new(before.wrapping_add(n) & 1),
            Some(Slip::LosesConcurrentRequests) if state.requests < SLOW_REQUESTS => {
                let gone = state.sent;
                drop(state);
                // Whoever requests meanwhile is overwritten.
                clock::pause(Duration::from_millis(1));
                state = self.state();
                let sent_meanwhile = state.sent - gone;
                state.demand = Demand::new(before.saturating_add(n).saturating_sub(sent_meanwhile));
            }
            Some(Slip::OverflowFails) if before.checked_add(n).is_none() => state.overflowed = true,
            _ => state.demand.add(n),
        }
    }
}

impl Subscription for Handle {
    fn request(&self, n: u64) {
        let line = &self.0;
        let mut state = line.state();
        state.requests += 1;
        if line.is(Slip::RequestBlocks) && state.requests <= SLOW_CALLS {
            drop(state);
            clock::pause(Duration::from_millis(20));
            state = line.state();
        }
        if line.is(Slip::RequestRevives) {
            state.canceled = false;
        }
        match (n, line.slip) {
            (0, Some(Slip::IgnoresZero)) => return,
            (0, Some(Slip::ZeroIsOne)) => state.demand.add(1),
            (0, Some(Slip::ZeroPanics)) | (1.., Some(Slip::RequestPanics)) => {
                drop(state);
                panic_quietly();
            }
            (0, _) => state.illegal = true,
            _ if state.canceled && !line.is(Slip::IgnoresCancel) => return,
            _ => {
                let n = state.counted(n, line.slip);
                line.add_demand(state, n);
                return line.drain();
            }
        }
        drop(state);
        line.drain();
    }

    fn cancel(&self) {
        let line = &self.0;
        if line.is(Slip::CancelBlocks) {
            clock::pause(Duration::from_millis(20));
        }
        let mut state = line.state();
        let again = std::mem::replace(&mut state.canceled, true);
        let subscriber = match line.slip {
            Some(Slip::IgnoresCancel | Slip::KeepsSubscriberAfterCancel | Slip::RequestRevives) => {
                return;
            }
            Some(Slip::SecondCancelSignals) if !again => return,
            Some(Slip::EmitsWithoutDemandAfterCancel) => None,
            _ => state.subscriber.take(),
        };
        drop(state);
        match (line.slip, subscriber) {
            (Some(Slip::EmitsWithoutDemandAfterCancel), _) => line.drain(),
            (Some(Slip::CancelPanics), _) => panic_quietly(),
            (Some(Slip::SecondCancelPanics), _) if again => panic_quietly(),
            (Some(Slip::CancelCompletes | Slip::SecondCancelSignals), Some(subscriber)) => {
                subscriber.on_complete();
            }
            (Some(Slip::CancelFails), Some(subscriber)) => {
                subscriber.on_error(Error::message("canceled"));
            }
            (Some(Slip::CancelEmits), Some(mut subscriber)) => subscriber.on_next(0),
            _ => {}
        }
    }
}

impl Publisher for Numbers {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, mut subscriber: S) {
        let Self { len, slip } = self;
        let state = State { left: len, draining: true, ..State::default() };
        let line = Arc::new(Line { slip, state: Mutex::new(state) });
        match slip {
            Some(Slip::NoOnSubscribe) => return,
            Some(Slip::SubscribePanics) => panic_quietly(),
            Some(Slip::SignalBeforeOnSubscribe) => subscriber.on_next(0),
            _ => {}
        }
        let initial = match slip {
            Some(
                Slip::CountsInitialTwice
                | Slip::LosesInitial
                | Slip::OneOverInitial
                | Slip::TakesInitial,
            ) => subscriber.initial_request(),
            _ => 0,
        };
        line.state().demand.add(match slip {
            Some(Slip::LosesInitial) => 0,
            Some(Slip::OneOverInitial) if initial > 0 => initial + 1,
            Some(Slip::CountsInitialTwice) => initial * 2,
            _ => initial,
        });
        subscriber.on_subscribe(Arc::new(Handle(Arc::clone(&line))));
        if slip == Some(Slip::TakesInitialLate) {
            let late = subscriber.initial_request();
            line.state().demand.add(late);
        }
        match slip {
            Some(Slip::OnSubscribeTwice) => {
                subscriber.on_subscribe(Arc::new(Handle(Arc::clone(&line))));
            }
            Some(Slip::UnrequestedOnSubscribe) => subscriber.on_next(0),
            _ => {}
        }
        let mut state = line.state();
        state.entered = true;
        state.draining = false;
        state.subscriber = Some(BoxSubscriber::new(subscriber));
        drop(state);
        line.drain();
        if slip == Some(Slip::SubscribePanicsAfterwards) {
            panic_quietly();
        }
    }
}
