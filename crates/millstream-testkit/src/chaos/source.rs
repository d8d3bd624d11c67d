//! A source that keeps the rules, and no habits.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
    time::Duration,
};

use millstream::{
    BoxSubscriber, Error, Publisher, Subscriber, Subscription,
    scheduler::{Scheduled, Scheduler, VirtualTime, Worker},
};
use millstream_kernel::{Job, Task};
use parking_lot::Mutex;

use super::plan::{Answer, End, Plan};

/// A publisher of numbers, for one subscriber: see [`check`](super::check).
#[derive(Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ChaosSource {
    shared: Arc<Shared>,
}

/// What became of the source.
pub(super) struct SourceLog(Arc<Shared>);

impl SourceLog {
    /// Whether it has a subscriber, which has not ended and was not let go of.
    pub(super) fn is_held(&self) -> bool {
        let state = self.0.state.lock();
        state.subscriber.is_some() || state.is_sending
    }
}

struct Shared {
    state: Mutex<State>,
    worker: Worker,
    itself: Weak<Shared>,
}

struct State {
    /// Taken out while it is signaled.
    subscriber: Option<BoxSubscriber<u64>>,
    items: VecDeque<u64>,
    end: End,
    answers: Vec<Answer>,
    n_answers: usize,
    n_requested: u64,
    is_sending: bool,
    is_cancelled: bool,
    /// What is due later.
    later: Option<Scheduled>,
}

impl ChaosSource {
    pub(super) fn new(plan: &Plan, clock: &VirtualTime) -> (Self, SourceLog) {
        let shared = Arc::new_cyclic(|itself| Shared {
            state: Mutex::new(State {
                subscriber: None,
                items: plan.items.iter().copied().collect(),
                end: plan.end,
                answers: plan.answers.clone(),
                n_answers: 0,
                n_requested: 0,
                is_sending: false,
                is_cancelled: false,
                later: None,
            }),
            worker: clock.worker(),
            itself: Weak::clone(itself),
        });
        (Self { shared: Arc::clone(&shared) }, SourceLog(shared))
    }
}

impl Publisher for ChaosSource {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, mut subscriber: S) {
        let Self { shared } = self;
        shared.state.lock().is_sending = true;
        let subscription = Arc::clone(&shared) as Arc<dyn Subscription>;
        let subscribed = catch_unwind(AssertUnwindSafe(|| subscriber.on_subscribe(subscription)));
        {
            let mut state = shared.state.lock();
            state.is_sending = false;
            state.is_cancelled |= subscribed.is_err();
            if !state.is_cancelled {
                state.subscriber = Some(BoxSubscriber::new(subscriber));
            }
        }
        shared.answer();
    }
}

impl Shared {
    /// Sends what this answer has at once, and sees to the rest.
    fn answer(&self) {
        let Answer { mut n, delay } = {
            let mut state = self.state.lock();
            if state.is_sending {
                return;
            }
            // It is on its way; what is asked for meanwhile goes with it.
            if state.later.is_some() {
                return;
            }
            let index = state.n_answers;
            state.n_answers += 1;
            match state.answers.len() {
                0 => Answer { n: u64::MAX, delay: 0 },
                len => state.answers[index % len],
            }
        };
        if delay == 0 {
            n = u64::MAX;
        }
        while n > 0 && self.send() {
            n -= 1;
        }
        let mut state = self.state.lock();
        let owes =
            if state.items.is_empty() { state.end != End::Never } else { state.n_requested > 0 };
        let is_due = owes && state.subscriber.is_some() && state.later.is_none();
        if is_due
            && delay > 0
            && let Some(itself) = self.itself.upgrade()
        {
            // At least a nanosecond later, so that the job does not come before it is kept.
            let job = Job::new(Arc::new(Later(itself)));
            state.later = Some(self.worker.schedule_after(Duration::from_nanos(delay), job));
        }
    }

    /// Sends an item or the end. Returns whether there may be more to send.
    fn send(&self) -> bool {
        let (mut subscriber, item) = {
            let mut state = self.state.lock();
            if state.is_sending {
                return false;
            }
            let item = if state.n_requested > 0 { state.items.pop_front() } else { None };
            let is_over = state.items.is_empty() && item.is_none() && state.end != End::Never;
            if item.is_none() && !is_over {
                return false;
            }
            let Some(subscriber) = state.subscriber.take() else { return false };
            if item.is_some() && state.n_requested != u64::MAX {
                state.n_requested -= 1;
            }
            state.is_sending = true;
            (subscriber, item)
        };
        let Some(item) = item else {
            let end = self.state.lock().end;
            let _caught = catch_unwind(AssertUnwindSafe(|| match end {
                End::Fail => subscriber.on_error(Error::message("the plan's failure")),
                End::Complete | End::Never => subscriber.on_complete(),
            }));
            let mut state = self.state.lock();
            state.is_sending = false;
            state.is_cancelled = true;
            return false;
        };
        let sent = catch_unwind(AssertUnwindSafe(|| subscriber.on_next(item)));
        let mut state = self.state.lock();
        state.is_sending = false;
        state.is_cancelled |= sent.is_err();
        if state.is_cancelled {
            drop(state);
            // Outside of the lock.
            let _caught = catch_unwind(AssertUnwindSafe(|| drop(subscriber)));
            return false;
        }
        state.subscriber = Some(subscriber);
        true
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Subscription for Shared {
    fn request(&self, n: u64) {
        {
            let mut state = self.state.lock();
            if state.is_cancelled {
                return;
            }
            state.n_requested = state.n_requested.saturating_add(n);
        }
        self.answer();
    }

    fn cancel(&self) {
        let (subscriber, later) = {
            let mut state = self.state.lock();
            state.is_cancelled = true;
            (state.subscriber.take(), state.later.take())
        };
        drop(later);
        let _caught = catch_unwind(AssertUnwindSafe(|| drop(subscriber)));
    }
}

struct Later(Arc<Shared>);

impl Task for Later {
    fn run(&self) {
        let done = self.0.state.lock().later.take();
        drop(done);
        // One at least, so that it comes to an end.
        if self.0.send() {
            self.0.answer();
        }
    }

    fn abandon(&self, _: Error) {}
}
