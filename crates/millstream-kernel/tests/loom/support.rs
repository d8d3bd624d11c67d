//! What the models share: a runner that does not believe loom, and an end that watches.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use loom::cell::UnsafeCell;
use millstream_kernel::{End, Source, Step};
use reactive_streams::{Error, Subscriber, Subscription};

/// Explores `f`, which tells what came of each schedule, and fails unless exactly `outcomes` were
/// seen in more than `floor` schedules. Loom alone calls a model that explored nothing a success.
#[track_caller]
pub(crate) fn model<O>(floor: usize, outcomes: &[O], f: impl Fn() -> O + Send + Sync + 'static)
where
    O: Ord + Clone + Debug + Send + 'static,
{
    let n_schedules = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check({
        let (n_schedules, seen) = (Arc::clone(&n_schedules), Arc::clone(&seen));
        move || {
            let outcome = f();
            n_schedules.fetch_add(1, Ordering::Relaxed);
            seen.lock().unwrap().insert(outcome);
        }
    });
    let n_schedules = n_schedules.load(Ordering::Relaxed);
    println!("{n_schedules} schedules");
    assert!(n_schedules > floor, "only {n_schedules} schedules: what was to be explored?");
    let expected: BTreeSet<O> = outcomes.iter().cloned().collect();
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// What an end saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) n_items: u64,
    pub(crate) n_completed: u64,
    pub(crate) n_failed: u64,
    pub(crate) n_dropped: u64,
}

/// The test's view of an end.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<(Seen, Option<Arc<dyn Subscription>>)>>);

impl Watch {
    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap().0
    }

    pub(crate) fn subscription(&self) -> Arc<dyn Subscription> {
        self.0.lock().unwrap().1.clone().unwrap()
    }

    fn note(&self, write: impl FnOnce(&mut Seen)) {
        write(&mut self.0.lock().unwrap().0);
    }

    /// Drops the watch's share of the subscription, so that nothing is left of a model.
    pub(crate) fn release(&self) -> Seen {
        let (seen, subscription) = {
            let mut inner = self.0.lock().unwrap();
            (inner.0, inner.1.take())
        };
        drop(subscription);
        seen
    }
}

/// A subscriber that watches. What two threads may not touch at a time is a cell of loom's, which
/// fails the model if they do.
pub(crate) struct Watcher {
    watch: Watch,
    witness: UnsafeCell<u64>,
    /// Asked for from inside `on_next`, until nothing is left.
    request_in_next: u64,
    /// Cancels from inside the item of this number.
    cancel_at: u64,
}

impl Watcher {
    pub(crate) fn new(watch: &Watch) -> Self {
        Self { watch: watch.clone(), witness: UnsafeCell::new(0), request_in_next: 0, cancel_at: 0 }
    }

    pub(crate) fn request_in_next(mut self, n: u64) -> Self {
        self.request_in_next = n;
        self
    }

    pub(crate) fn cancel_at(mut self, n: u64) -> Self {
        self.cancel_at = n;
        self
    }
}

impl Subscriber<u64> for Watcher {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.watch.0.lock().unwrap().1 = Some(subscription);
    }

    fn on_next(&mut self, _: u64) {
        // SAFETY: a plain write; loom watches that no other thread is here.
        let n = self.witness.with_mut(|n| unsafe {
            *n += 1;
            *n
        });
        self.watch.note(|seen| seen.n_items += 1);
        if n == self.cancel_at {
            self.watch.subscription().cancel();
        } else if self.request_in_next > 0 {
            self.request_in_next -= 1;
            self.watch.subscription().request(1);
        }
    }

    fn on_error(self, _: Error) {
        self.watch.note(|seen| seen.n_failed += 1);
    }

    fn on_complete(self) {
        self.watch.note(|seen| seen.n_completed += 1);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // SAFETY: as above.
        self.witness.with_mut(|n| unsafe { *n += 1 });
        self.watch.note(|seen| seen.n_dropped += 1);
    }
}

/// Counts up to a number, and then completes.
pub(crate) struct Count {
    pub(crate) n_left: u64,
}

impl Source for Count {
    type Item = u64;

    fn next(&mut self) -> Step<u64> {
        if self.n_left == 0 {
            return Step::End(End::Complete);
        }
        self.n_left -= 1;
        Step::Item(self.n_left)
    }

    fn end(&mut self) -> Option<End> {
        (self.n_left == 0).then_some(End::Complete)
    }
}
