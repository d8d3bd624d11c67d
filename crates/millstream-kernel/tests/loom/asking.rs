//! A gate whose source asks another, which answers at once: while one thread asks, others have the
//! turn, and nothing is lost between them.

use std::sync::{Arc, Mutex, Weak};

use loom::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};
use millstream_kernel::{Dispatch, Gate, Inline, Job, Source, Step, Task, Wake, after_turn};
use reactive_streams::{Error, Subscription};

use crate::support::{Watch, Watcher, model};

/// What answers: an item is there before the request returns, and the gate is woken.
struct Tap {
    n_there: AtomicU64,
    gate: Weak<dyn Wake>,
}

impl Subscription for Tap {
    fn request(&self, n: u64) {
        // Release: the items are published.
        self.n_there.fetch_add(n, Ordering::Release);
        if let Some(gate) = self.gate.upgrade() {
            gate.wake();
        }
    }

    fn cancel(&self) {}
}

/// Asks for an item whenever it has none, up to `n_left`.
struct Asks {
    tap: Arc<Tap>,
    n_left: u64,
}

impl Source for Asks {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<u64> {
        // Acquire: pairs with the release of whoever published the item.
        if self.tap.n_there.load(Ordering::Acquire) > 0 {
            self.tap.n_there.fetch_sub(1, Ordering::Relaxed);
            return Step::Item(0);
        }
        if self.n_left > 0 {
            self.n_left -= 1;
            after_turn::request(&self.tap, 1);
        }
        Step::Pending
    }
}

/// Starts a gate that asks for up to `n_left` items.
fn start<D: Dispatch>(watch: &Watch, n_left: u64, dispatch: impl FnOnce(Weak<dyn Task>) -> D) {
    Gate::start_with(|gate: &Weak<Gate<Asks, Watcher, D>>| {
        let task = Weak::clone(gate) as Weak<dyn Task>;
        let tap = Tap { n_there: AtomicU64::new(0), gate: Weak::clone(gate) as Weak<dyn Wake> };
        (Asks { tap: Arc::new(tap), n_left }, Watcher::new(watch), dispatch(task))
    });
}

/// Two threads ask the gate for an item each, and each may ask the source for the other's.
///
/// Kills: a wake-up that was put off is not delivered.
#[test]
fn two_that_ask_lose_no_item() {
    model(2, &[2], || {
        let watch = Watch::default();
        start(&watch, 2, |_| Inline);
        let subscription = watch.subscription();
        let other = thread::spawn(move || subscription.request(1));
        watch.subscription().request(1);
        other.join().unwrap();

        let n_items = watch.seen().n_items;
        watch.subscription().cancel();
        assert_eq!(watch.release().n_dropped, 1);
        n_items
    });
}

/// A cancel comes while the gate asks: whoever has the turn cleans up, once.
///
/// Kills: a turn that asks inline keeps the word.
#[test]
fn a_cancel_that_races_with_what_is_asked_is_obeyed() {
    model(2, &[(0, 1), (1, 1)], || {
        let watch = Watch::default();
        start(&watch, 1, |_| Inline);
        let subscription = watch.subscription();
        let other = thread::spawn(move || subscription.cancel());
        watch.subscription().request(2);
        other.join().unwrap();

        let seen = watch.release();
        (seen.n_items, seen.n_dropped)
    });
}

type Jobs = Arc<Mutex<Vec<Job>>>;

/// Puts turns into a list.
struct OnList {
    jobs: Jobs,
    gate: Weak<dyn Task>,
}

impl Dispatch for OnList {
    fn dispatch(&self) -> Result<(), Error> {
        if let Some(gate) = self.gate.upgrade() {
            self.jobs.lock().unwrap().push(Job::new(gate));
        }
        Ok(())
    }
}

/// Runs what is in the list.
fn run_all(jobs: &Jobs) {
    loop {
        let Some(job) = jobs.lock().unwrap().pop() else { return };
        job.run();
    }
}

/// A worker's turn asks, and comes back to the item, while another thread asks for one more.
///
/// Kills: a turn that asks on a worker cannot be claimed.
#[test]
fn a_worker_that_asks_comes_back() {
    model(2, &[2], || {
        let (watch, jobs) = (Watch::default(), Jobs::default());
        start(&watch, 2, |gate| OnList { jobs: Arc::clone(&jobs), gate });
        let other = {
            let (jobs, subscription) = (Arc::clone(&jobs), watch.subscription());
            thread::spawn(move || {
                subscription.request(1);
                run_all(&jobs);
            })
        };
        watch.subscription().request(1);
        run_all(&jobs);
        other.join().unwrap();
        run_all(&jobs);

        let n_items = watch.seen().n_items;
        watch.subscription().cancel();
        run_all(&jobs);
        assert_eq!(watch.release().n_dropped, 1);
        n_items
    });
}

/// A cancel comes while a worker's turn asks: it claims the turn, or the worker obeys it.
///
/// Kills: a turn that asks on a worker cannot be claimed.
#[test]
fn a_cancel_that_races_with_a_worker_that_asks_is_obeyed() {
    model(2, &[(0, 1), (1, 1)], || {
        let (watch, jobs) = (Watch::default(), Jobs::default());
        start(&watch, 1, |gate| OnList { jobs: Arc::clone(&jobs), gate });
        watch.subscription().request(2);
        let subscription = watch.subscription();
        let other = thread::spawn(move || subscription.cancel());
        run_all(&jobs);
        other.join().unwrap();
        run_all(&jobs);

        let seen = watch.release();
        (seen.n_items, seen.n_dropped)
    });
}
