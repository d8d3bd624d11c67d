//! A source that keeps the rules, and no habits.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
    time::Duration,
};

use millstream::{
    BoxSubscriber, Error, Offer, Publisher, Subscriber, Subscription,
    scheduler::{Scheduled, Scheduler, VirtualTime, Worker},
};
use millstream_kernel::{Job, Task};
use parking_lot::Mutex;

use super::plan::{Answer, End, Plan};

/// A publisher of numbers, or of [`Item`](crate::Item)s, for one subscriber: see
/// [`check`](super::check) and [`check_items`](super::check_items).
#[derive(Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ChaosSource<T: 'static = u64> {
    shared: Arc<Shared<T>>,
}

/// What became of the source.
pub(super) struct SourceLog<T: 'static>(Arc<Shared<T>>);

impl<T> SourceLog<T> {
    /// Whether it has a timer of its own.
    pub(super) fn has_timer(&self) -> bool {
        self.0.state.lock().later.is_some()
    }

    /// How many others hold the subscription: nobody does when the flow is gone.
    pub(super) fn n_holders(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }

    /// Whether it has a subscriber, which has not ended and was not let go of.
    pub(super) fn is_held(&self) -> bool {
        let state = self.0.state.lock();
        state.subscriber.is_some() || state.is_sending
    }
}

struct Shared<T: 'static> {
    state: Mutex<State<T>>,
    worker: Worker,
    itself: Weak<Shared<T>>,
    offers: bool,
}

struct State<T: 'static> {
    /// Taken out while it is signaled.
    subscriber: Option<BoxSubscriber<T>>,
    items: VecDeque<T>,
    end: End,
    answers: Vec<Answer>,
    n_answers: usize,
    n_requested: u64,
    is_sending: bool,
    is_canceled: bool,
    /// Whether an item that is owed is sent after a cancel.
    is_late: bool,
    /// What is due later.
    later: Option<Scheduled>,
}

impl<T> ChaosSource<T> {
    pub(super) fn new(
        plan: &Plan,
        items: VecDeque<T>,
        clock: &VirtualTime,
    ) -> (Self, SourceLog<T>) {
        let shared = Arc::new_cyclic(|itself| Shared {
            state: Mutex::new(State {
                subscriber: None,
                items,
                end: plan.end,
                answers: plan.answers.clone(),
                n_answers: 0,
                n_requested: 0,
                is_sending: false,
                is_canceled: false,
                is_late: plan.is_late,
                later: None,
            }),
            worker: clock.worker(),
            itself: Weak::clone(itself),
            offers: plan.offers,
        });
        (Self { shared: Arc::clone(&shared) }, SourceLog(shared))
    }
}

impl<T: Send + 'static> Publisher for ChaosSource<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, mut subscriber: S) {
        let Self { shared } = self;
        let first = if shared.offers { subscriber.initial_request() } else { 0 };
        {
            let mut state = shared.state.lock();
            state.is_sending = true;
            state.n_requested = first;
        }
        let subscription = Arc::clone(&shared) as Arc<dyn Subscription>;
        let subscribed = catch_unwind(AssertUnwindSafe(|| subscriber.on_subscribe(subscription)));
        {
            let mut state = shared.state.lock();
            state.is_sending = false;
            state.is_canceled |= subscribed.is_err();
            if !state.is_canceled {
                state.subscriber = Some(BoxSubscriber::new(subscriber));
            }
        }
        shared.answer();
    }
}

impl<T: Send + 'static> Shared<T> {
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
            if state.is_canceled {
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
            state.is_canceled = true;
            return false;
        };
        let sent = catch_unwind(AssertUnwindSafe(|| {
            if self.offers {
                return subscriber.offer(item);
            }
            subscriber.on_next(item);
            Offer::Accepted
        }));
        let mut state = self.state.lock();
        state.is_sending = false;
        let is_over = sent.as_ref().map_or(true, |offer| *offer == Offer::Finished);
        if is_over {
            (state.is_canceled, state.is_late) = (true, false);
        }
        if matches!(sent, Ok(Offer::Skipped)) && state.n_requested != u64::MAX {
            state.n_requested += 1;
        }
        if state.is_canceled && state.owes_a_late_item() {
            state.subscriber = Some(subscriber);
            self.part(&mut state);
            return false;
        }
        if state.is_canceled {
            drop(state);
            // Outside of the lock.
            let _caught = catch_unwind(AssertUnwindSafe(|| drop(subscriber)));
            return false;
        }
        state.subscriber = Some(subscriber);
        true
    }
}

impl<T> State<T> {
    fn owes_a_late_item(&self) -> bool {
        self.is_late && self.n_requested > 0 && !self.items.is_empty()
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Sends one more item a nanosecond later, and lets go of the subscriber then.
    fn part(&self, state: &mut State<T>) {
        state.is_late = false;
        let Some(itself) = self.itself.upgrade() else { return };
        let job = Job::new(Arc::new(Later(itself)));
        state.later = Some(self.worker.schedule_after(Duration::from_nanos(1), job));
    }

    fn send_the_late_item(&self) {
        let (subscriber, item) = {
            let mut state = self.state.lock();
            (state.subscriber.take(), state.items.pop_front())
        };
        let _caught = catch_unwind(AssertUnwindSafe(move || {
            if let (Some(mut subscriber), Some(item)) = (subscriber, item) {
                subscriber.on_next(item);
            }
        }));
    }
}

impl<T> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Subscription for Shared<T> {
    fn request(&self, n: u64) {
        {
            let mut state = self.state.lock();
            if state.is_canceled {
                return;
            }
            state.n_requested = state.n_requested.saturating_add(n);
        }
        self.answer();
    }

    fn cancel(&self) {
        let (subscriber, later) = {
            let mut state = self.state.lock();
            let was_canceled = std::mem::replace(&mut state.is_canceled, true);
            if was_canceled {
                return;
            }
            let later = state.later.take();
            // While it is signaled, `send` sees to it.
            if state.subscriber.is_some() && state.owes_a_late_item() {
                self.part(&mut state);
                (None, later)
            } else {
                (state.subscriber.take(), later)
            }
        };
        drop(later);
        let _caught = catch_unwind(AssertUnwindSafe(|| drop(subscriber)));
    }
}

struct Later<T: 'static>(Arc<Shared<T>>);

impl<T: Send + 'static> Task for Later<T> {
    fn run(&self) {
        let (done, is_canceled) = {
            let mut state = self.0.state.lock();
            (state.later.take(), state.is_canceled)
        };
        drop(done);
        if is_canceled {
            return self.0.send_the_late_item();
        }
        // One at least, so that it comes to an end.
        if self.0.send() {
            self.0.answer();
        }
    }

    fn abandon(&self, _: Error) {}
}
