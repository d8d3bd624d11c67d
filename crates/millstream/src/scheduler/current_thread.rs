//! `CurrentThread`: on the thread that says so.

use std::{
    future::Future,
    mem::replace,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use parking_lot::Mutex;

use super::{Scheduler, Worker, queue::Queue};

/// Runs tasks on the thread that calls [`run`](Self::run) or [`block_on`](Self::block_on).
///
/// # Examples
///
/// ```
/// use millstream::scheduler::CurrentThread;
///
/// let here = CurrentThread::new();
/// let sum = millstream::range(1..=4).publish_on(&here).capacity(2).fold(0, |sum, n| sum + n);
/// assert_eq!(here.block_on(sum)?, 10);
/// # Ok::<(), millstream::Error>(())
/// ```
#[derive(Clone)]
pub struct CurrentThread(Arc<Queue>);

impl Default for CurrentThread {
    fn default() -> Self {
        Self::new()
    }
}

impl CurrentThread {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Queue::real())
    }

    /// Runs the tasks that are ready, and those that they schedule; how many that were.
    pub fn run(&self) -> usize {
        self.0.run_ready()
    }

    /// How many timers are pending: set, and neither due nor taken back.
    #[must_use]
    pub fn n_timers(&self) -> usize {
        self.0.n_timers()
    }

    /// Runs tasks until `future` is done.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let nudge = Arc::new(Nudge { queue: Arc::clone(&self.0), is_woken: Mutex::new(false) });
        let waker = Waker::from(Arc::clone(&nudge));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                // Woken once and for all: nobody looks any more.
                if replace(&mut *nudge.is_woken.lock(), true) {
                    self.0.heard();
                }
                return output;
            }
            self.0.run_until(|| *nudge.is_woken.lock());
            if replace(&mut *nudge.is_woken.lock(), false) {
                self.0.heard();
            }
        }
    }
}

/// Makes `block_on` poll again.
struct Nudge {
    queue: Arc<Queue>,
    is_woken: Mutex<bool>,
}

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        if !replace(&mut *self.is_woken.lock(), true) {
            self.queue.nudge();
        }
    }
}

impl Scheduler for CurrentThread {
    fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.0))
    }
}

impl std::fmt::Debug for CurrentThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CurrentThread").finish_non_exhaustive()
    }
}
