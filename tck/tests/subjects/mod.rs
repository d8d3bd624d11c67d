//! A correct synchronous publisher, and the mistakes it can be told to make.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use reactive_streams::{BoxSubscriber, Demand, Error, Offer, Publisher, Subscriber, Subscription};

/// One deliberate mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    OverByOne,
    UnrequestedOnSubscribe,
    IgnoresDemand,
    NeverEmits,
    NeverCompletes,
    CompletesTooEarly,
    FailsInsteadOfCompleting,
    NoOnSubscribe,
    OnSubscribeTwice,
    SignalBeforeOnSubscribe,
    SubscribePanics,
    SignalFromCancel,
    GoesOnAfterCancel,
    DropsNestedRequests,
    RequestPanics,
    CancelPanics,
    SecondCancelPanics,
    ReplacesDemand,
    IgnoresZero,
    ZeroIsOne,
    ZeroPanics,
    ZeroWrongError,
    KeepsSubscriberAfterCancel,
    Truncates,
    OverflowFails,
    MaximumIgnored,
    ManyRequestsBreakIt,
    GoesOnAfterPanic,
    IgnoresFinished,
    SkippedUsesDemand,
}

/// The numbers from 0 up to a length.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) len: u64,
    pub(crate) mistake: Option<Mistake>,
}

struct Line {
    mistake: Option<Mistake>,
    state: Mutex<State>,
}

struct State {
    subscriber: Option<BoxSubscriber<u64>>,
    demand: Demand,
    left: u64,
    sent: u64,
    requests: u64,
    draining: bool,
    cancelled: bool,
    illegal: bool,
    overflowed: bool,
}

struct Handle(Arc<Line>);

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Sends what may be sent, unless another call does so already.
    fn drain(&self) {
        let Some(mut subscriber) = ({
            let mut state = self.state();
            if state.draining {
                None
            } else {
                state.subscriber.take().inspect(|_| state.draining = true)
            }
        }) else {
            return;
        };
        loop {
            let mut state = self.state();
            if state.cancelled && !self.is(Mistake::GoesOnAfterCancel) {
                state.draining = false;
                if self.is(Mistake::KeepsSubscriberAfterCancel) {
                    state.subscriber = Some(subscriber);
                }
                return;
            }
            if state.illegal {
                drop(state);
                return subscriber.on_error(match self.is(Mistake::ZeroWrongError) {
                    true => Error::message("what?"),
                    false => Error::illegal_request(),
                });
            }
            if state.overflowed {
                drop(state);
                return subscriber.on_error(Error::message("too much"));
            }
            let ended = state.left == 0 || (self.is(Mistake::CompletesTooEarly) && state.sent > 0);
            if ended && !self.is(Mistake::NeverCompletes) {
                drop(state);
                return match self.is(Mistake::FailsInsteadOfCompleting) {
                    true => subscriber.on_error(Error::message("ended")),
                    false => subscriber.on_complete(),
                };
            }
            let more = match self.mistake {
                Some(Mistake::OverByOne) => state.demand.is_zero() && state.sent == 1,
                Some(Mistake::IgnoresDemand) => state.sent > 0,
                _ => false,
            };
            let wanted = !state.demand.is_zero() || more;
            if state.left == 0 || !wanted || self.is(Mistake::NeverEmits) {
                state.draining = false;
                state.subscriber = Some(subscriber);
                return;
            }
            let _one = state.demand.take(1);
            state.left -= 1;
            state.sent += 1;
            let item = state.sent;
            drop(state);
            match catch_unwind(AssertUnwindSafe(|| subscriber.offer(item))) {
                Ok(Offer::Skipped) if !self.is(Mistake::SkippedUsesDemand) => {
                    self.state().demand.add(1)
                }
                Ok(Offer::Finished) if !self.is(Mistake::IgnoresFinished) => return,
                Err(_) if !self.is(Mistake::GoesOnAfterPanic) => return,
                _ => {}
            }
        }
    }
}

impl Subscription for Handle {
    fn request(&self, n: u64) {
        let line = &self.0;
        let mut state = line.state();
        state.requests += 1;
        let n = match (n, line.mistake) {
            (0, Some(Mistake::IgnoresZero)) => return,
            (0, Some(Mistake::ZeroIsOne)) => 1,
            (0, Some(Mistake::ZeroPanics)) => panic!("zero"),
            (0, _) => {
                state.illegal = true;
                0
            }
            (_, Some(Mistake::RequestPanics)) => panic!("request"),
            (_, Some(Mistake::DropsNestedRequests)) if state.draining => 0,
            (_, Some(Mistake::Truncates)) => n & u64::from(u32::MAX),
            (u64::MAX, Some(Mistake::MaximumIgnored)) => 0,
            (_, Some(Mistake::ManyRequestsBreakIt)) if state.requests > 50_000 => 0,
            (_, Some(Mistake::GoesOnAfterCancel)) => n,
            _ if state.cancelled => 0,
            _ => n,
        };
        if line.is(Mistake::OverflowFails) && state.demand.get().checked_add(n).is_none() {
            state.overflowed = true;
        }
        if line.is(Mistake::ReplacesDemand) {
            state.demand = Demand::new(n);
        }
        state.demand.add(if line.is(Mistake::ReplacesDemand) { 0 } else { n });
        drop(state);
        line.drain();
    }

    fn cancel(&self) {
        let line = &self.0;
        let mut state = line.state();
        let again = std::mem::replace(&mut state.cancelled, true);
        match line.mistake {
            Some(Mistake::CancelPanics) => panic!("cancel"),
            Some(Mistake::SecondCancelPanics) if again => panic!("again"),
            Some(Mistake::GoesOnAfterCancel | Mistake::KeepsSubscriberAfterCancel) => return,
            _ => {}
        }
        let subscriber = state.subscriber.take();
        drop(state);
        if let (true, Some(subscriber)) = (line.is(Mistake::SignalFromCancel), subscriber) {
            subscriber.on_complete();
        }
    }
}

impl Publisher for Numbers {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, mut subscriber: S) {
        let state = State {
            subscriber: None,
            demand: Demand::ZERO,
            left: self.len,
            sent: 0,
            requests: 0,
            draining: true,
            cancelled: false,
            illegal: false,
            overflowed: false,
        };
        let line = Arc::new(Line { mistake: self.mistake, state: Mutex::new(state) });
        match self.mistake {
            Some(Mistake::NoOnSubscribe) => return,
            Some(Mistake::SubscribePanics) => panic!("subscribe"),
            Some(Mistake::SignalBeforeOnSubscribe) => subscriber.on_next(0),
            _ => {}
        }
        subscriber.on_subscribe(Arc::new(Handle(Arc::clone(&line))));
        match self.mistake {
            Some(Mistake::OnSubscribeTwice) => {
                subscriber.on_subscribe(Arc::new(Handle(Arc::clone(&line))));
            }
            Some(Mistake::UnrequestedOnSubscribe) => subscriber.on_next(0),
            _ => {}
        }
        let mut state = line.state();
        state.draining = false;
        state.subscriber = Some(BoxSubscriber::new(subscriber));
        drop(state);
        line.drain();
    }
}

/// The numbers, from a thread of their own.
pub(crate) struct OnThread {
    pub(crate) len: u64,
}

/// What the subscriber asks of the thread; `None` is a cancel.
struct Post(mpsc::Sender<Option<u64>>);

impl Subscription for Post {
    fn request(&self, n: u64) {
        let _gone = self.0.send(Some(n));
    }

    fn cancel(&self) {
        let _gone = self.0.send(None);
    }
}

/// Gives the subscriber the way to the thread, and the thread the way to the numbers.
struct Hop<S> {
    subscriber: S,
    post: Option<Post>,
    line: mpsc::Sender<Arc<dyn Subscription>>,
}

impl<S: Subscriber<u64>> Subscriber<u64> for Hop<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        drop(self.line.send(subscription));
        if let Some(post) = self.post.take() {
            self.subscriber.on_subscribe(Arc::new(post));
        }
    }

    fn on_next(&mut self, item: u64) {
        self.subscriber.on_next(item);
    }

    fn offer(&mut self, item: u64) -> Offer {
        self.subscriber.offer(item)
    }

    fn on_error(self, error: Error) {
        self.subscriber.on_error(error);
    }

    fn on_complete(self) {
        self.subscriber.on_complete();
    }
}

impl Publisher for OnThread {
    type Item = u64;

    #[expect(clippy::disallowed_methods, reason = "the subject is a thread")]
    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        std::thread::spawn(move || {
            let (post, posted) = mpsc::channel();
            let (line, lines) = mpsc::channel();
            let hop = Hop { subscriber, post: Some(Post(post)), line };
            Numbers { len: self.len, mistake: None }.subscribe(hop);
            let Ok(line) = lines.recv() else { return };
            for asked in posted {
                match asked {
                    Some(n) => line.request(n),
                    None => line.cancel(),
                }
            }
        });
    }
}
