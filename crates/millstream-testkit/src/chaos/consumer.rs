//! A consumer that keeps the rules, and no habits.

use std::{mem, panic::resume_unwind, sync::Arc};

use millstream::{Error, Subscriber, Subscription};
use parking_lot::Mutex;

use super::plan::{Plan, Stop};

pub(super) struct Consumer<T> {
    log: Log<T>,
    stop: Stop,
    /// What is requested when it is subscribed, unless the source has taken it.
    first: u64,
    inside: Vec<u64>,
}

/// What came, and what was asked for.
pub(super) struct Log<T>(Arc<Mutex<Seen<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Seen<T> {
    items: Vec<T>,
    n_requested: u64,
    subscription: Option<Arc<dyn Subscription>>,
    /// Whether the consumer has canceled or panicked.
    is_stopped: bool,
    is_completed: bool,
    is_failed: bool,
    is_dropped: bool,
}

impl<T> Consumer<T> {
    pub(super) fn new(plan: &Plan) -> (Self, Log<T>) {
        let log = Log(Arc::new(Mutex::new(Seen {
            items: Vec::new(),
            n_requested: 0,
            subscription: None,
            is_stopped: false,
            is_completed: false,
            is_failed: false,
            is_dropped: false,
        })));
        let Plan { stop, first, ref inside, .. } = *plan;
        (Self { log: log.clone(), stop, first, inside: inside.clone() }, log)
    }
}

impl<T> Log<T> {
    pub(super) fn with<R>(&self, f: impl FnOnce(&[T], u64) -> R) -> R {
        let seen = self.0.lock();
        f(&seen.items, seen.n_requested)
    }

    pub(super) fn request(&self, n: u64) {
        let subscription = {
            let mut seen = self.0.lock();
            seen.n_requested = seen.n_requested.saturating_add(n);
            seen.subscription.clone()
        };
        if let Some(subscription) = subscription {
            subscription.request(n);
        }
    }

    pub(super) fn cancel(&self) {
        let subscription = {
            let mut seen = self.0.lock();
            seen.is_stopped = true;
            seen.subscription.clone()
        };
        if let Some(subscription) = subscription {
            subscription.cancel();
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.0.lock().is_stopped
    }

    pub(super) fn is_completed(&self) -> bool {
        self.0.lock().is_completed
    }

    pub(super) fn is_failed(&self) -> bool {
        self.0.lock().is_failed
    }

    /// Whether there was an end, a cancel or a panic.
    pub(super) fn is_over(&self) -> bool {
        let seen = self.0.lock();
        seen.is_stopped || seen.is_completed || seen.is_failed
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.0.lock().is_dropped
    }
}

impl<T> Consumer<T> {
    fn panic(&self) {
        self.log.0.lock().is_stopped = true;
        // Without the hook, which would print each of them.
        resume_unwind(Box::new("the plan's panic"));
    }

    fn end(&self) {
        if self.stop == Stop::PanicAtEnd {
            resume_unwind(Box::new("the plan's panic at the end"));
        }
    }
}

impl<T: Send + 'static> Subscriber<T> for Consumer<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.log.0.lock().subscription = Some(subscription);
        if self.first > 0 {
            self.log.request(mem::take(&mut self.first));
        }
        match self.stop {
            Stop::CancelAtOnce => self.log.cancel(),
            Stop::PanicAtOnce => self.panic(),
            Stop::Not | Stop::CancelAt(_) | Stop::PanicAt(_) | Stop::PanicAtEnd => {}
        }
    }

    fn initial_request(&mut self) -> u64 {
        let first = mem::take(&mut self.first);
        let mut seen = self.log.0.lock();
        seen.n_requested = seen.n_requested.saturating_add(first);
        first
    }

    fn on_next(&mut self, item: T) {
        let n_items = {
            let mut seen = self.log.0.lock();
            seen.items.push(item);
            seen.items.len()
        };
        match self.stop {
            Stop::CancelAt(at) if at == n_items => self.log.cancel(),
            Stop::PanicAt(at) if at == n_items => self.panic(),
            _ => {}
        }
        if let Some(&n) = self.inside.get((n_items - 1) % self.inside.len().max(1))
            && n > 0
        {
            self.log.request(n);
        }
    }

    fn on_error(self, _: Error) {
        self.log.0.lock().is_failed = true;
        self.end();
    }

    fn on_complete(self) {
        self.log.0.lock().is_completed = true;
        self.end();
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        let mut seen = self.log.0.lock();
        seen.is_dropped = true;
        // The subscription may hold the flow, which is looked at.
        let subscription = seen.subscription.clone();
        drop(seen);
        drop(subscription);
    }
}
