//! What the benchmarks share: subscribers that count nothing but what is measured.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
};

use millstream::{Error, Publisher, Subscriber, Subscription};

/// The work of an item, the same for all peers.
#[inline(always)]
#[must_use]
pub fn map(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7
}

/// Half of the items pass.
#[inline(always)]
#[must_use]
pub fn keep(n: u64) -> bool {
    n & 1 == 0
}

/// The work of one of many operators: two instructions that no compiler joins with the next two.
#[inline(always)]
#[must_use]
pub fn mix(n: u64) -> u64 {
    (n ^ 0xA5A5_5A5A).rotate_left(5)
}

/// Fifteen of sixteen items pass.
#[inline(always)]
#[must_use]
pub fn pass(n: u64) -> bool {
    n & 15 != 3
}

/// Sums its items, asking for `batch` of them at a time, from inside `on_next`.
struct Stepper<F> {
    batch: u64,
    left: u64,
    sum: u64,
    subscription: Option<Arc<dyn Subscription>>,
    done: F,
}

/// Sums its items, asking for all of them.
struct Sum<F> {
    sum: u64,
    done: F,
}

/// Runs a flow that ends on any thread, unbounded (`batch` 0) or in steps, and returns its sum.
pub fn sum(flow: impl Publisher<Item = u64>, batch: u64) -> u64 {
    let (sender, receiver): (SyncSender<u64>, Receiver<u64>) = mpsc::sync_channel(1);
    let done = move |sum| {
        // The receiver waits below.
        let _ = sender.send(sum);
    };
    if batch == 0 {
        flow.subscribe(Sum { sum: 0, done });
    } else {
        flow.subscribe(Stepper { batch, left: batch, sum: 0, subscription: None, done });
    }
    receiver.recv().unwrap_or_default()
}

/// Leaves its subscription to whoever steers it, and adds its items to a sum when the flow
/// completes.
pub struct Steered {
    sum: u64,
    total: Arc<Mutex<Total>>,
}

/// What several steered flows have in common.
#[derive(Default)]
pub struct Total {
    /// Of the flows that completed.
    pub sum: u64,
    /// In the order in which the flows were subscribed to.
    pub subscriptions: Vec<Arc<dyn Subscription>>,
}

impl Steered {
    /// Belongs to `total`.
    #[must_use]
    pub fn new(total: &Arc<Mutex<Total>>) -> Self {
        Self { sum: 0, total: Arc::clone(total) }
    }

    fn with_total(&self, f: impl FnOnce(&mut Total)) {
        f(&mut self.total.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Subscriber<u64> for Steered {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.with_total(|total| total.subscriptions.push(subscription));
    }

    #[inline]
    fn on_next(&mut self, item: u64) {
        self.sum = self.sum.wrapping_add(item);
    }

    fn on_error(self, _: Error) {}

    fn on_complete(self) {
        self.with_total(|total| total.sum = total.sum.wrapping_add(self.sum));
    }
}

impl<F: FnOnce(u64) + Send + 'static> Subscriber<u64> for Sum<F> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(u64::MAX);
    }

    #[inline]
    fn on_next(&mut self, item: u64) {
        self.sum = self.sum.wrapping_add(item);
    }

    fn on_error(self, _: Error) {}

    fn on_complete(self) {
        (self.done)(self.sum);
    }
}

impl<F: FnOnce(u64) + Send + 'static> Subscriber<u64> for Stepper<F> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(self.batch);
        self.subscription = Some(subscription);
    }

    #[inline]
    fn on_next(&mut self, item: u64) {
        self.sum = self.sum.wrapping_add(item);
        self.left -= 1;
        if self.left == 0 {
            self.left = self.batch;
            if let Some(subscription) = &self.subscription {
                subscription.request(self.batch);
            }
        }
    }

    fn on_error(self, _: Error) {}

    fn on_complete(self) {
        (self.done)(self.sum);
    }
}

impl<F> fmt::Debug for Sum<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sum").field("sum", &self.sum).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for Stepper<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper").field("sum", &self.sum).finish_non_exhaustive()
    }
}

impl fmt::Debug for Steered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steered").field("sum", &self.sum).finish_non_exhaustive()
    }
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Total").field("sum", &self.sum).finish_non_exhaustive()
    }
}
