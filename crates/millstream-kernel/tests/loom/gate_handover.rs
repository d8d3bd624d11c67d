//! The gate's word hands the link from one thread to the next, however the turn changes hands.
//!
//! The thread whose exchange matters is the first: loom explores a load followed by an exchange in
//! one schedule only where another thread does it.

use std::sync::{Arc, Mutex, Weak};

use loom::thread;
use millstream_kernel::{Dispatch, Gate, Job, Source, Step, Task};
use reactive_streams::{Error, Subscriber, Subscription};

use crate::support::{Count, Seen, Watch, Watcher, model};

/// Leaves its subscription in a place of loom's, whose lock orders what came before `on_subscribe`.
struct Sharer {
    watcher: Watcher,
    place: Arc<loom::sync::Mutex<Option<Arc<dyn Subscription>>>>,
}

impl Subscriber<u64> for Sharer {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        *self.place.lock().unwrap() = Some(subscription);
    }

    fn on_next(&mut self, item: u64) {
        self.watcher.on_next(item);
    }

    fn on_error(self, error: Error) {
        self.watcher.on_error(error);
    }

    fn on_complete(self) {
        self.watcher.on_complete();
    }
}

/// A gate is started on one thread while another asks it for an item: the link is handed over.
///
/// Kills: a relaxed order in the first settle of `open`.
#[test]
fn the_first_settle_hands_the_link_on() {
    let (none, one) = (Seen::default(), Seen { n_items: 1, ..Seen::default() });
    model(2, &[none, one], || {
        let (watch, place) = (Watch::default(), Arc::default());
        let other = {
            let subscriber = Sharer { watcher: Watcher::new(&watch), place: Arc::clone(&place) };
            thread::spawn(move || Gate::start(Count { n_left: 9 }, subscriber))
        };
        let early = place.lock().unwrap().clone();
        if let Some(subscription) = early {
            subscription.request(1);
        }
        other.join().unwrap();
        let seen = watch.seen();
        let subscription = place.lock().unwrap().take();
        subscription.unwrap().cancel();

        assert_eq!(watch.seen().n_dropped, 1);
        seen
    });
}

/// Requests and a cancel reach a runner between its look and its swap: the cancel is obeyed.
///
/// Kills: the swap of a turn drops a cancel.
#[test]
fn a_cancel_that_comes_with_a_request_is_obeyed() {
    model(2, &[1], || {
        let watch = Watch::default();
        Gate::start(Count { n_left: 9 }, Watcher::new(&watch));
        let subscription = watch.subscription();
        let other = thread::spawn(move || {
            subscription.request(1);
            subscription.cancel();
        });
        watch.subscription().request(1);
        other.join().unwrap();

        watch.release().n_dropped
    });
}

type Jobs = Arc<Mutex<Vec<Job>>>;

/// Puts turns into a list, and wants each to end after a chunk.
struct OnList {
    jobs: Jobs,
    gate: Weak<dyn Task>,
}

impl Dispatch for OnList {
    const BUDGET: u64 = 1;

    fn dispatch(&self) -> Result<(), Error> {
        if let Some(gate) = self.gate.upgrade() {
            self.jobs.lock().unwrap().push(Job::new(gate));
        }
        Ok(())
    }
}

/// One item a chunk, without end.
struct Endless;

impl Source for Endless {
    type Item = u64;
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<u64> {
        Step::Item(0)
    }
}

/// A cancel races with a turn that yields: the thread that has the turn cleans up, once.
///
/// Kills: `claim` does not acquire; `schedule` does not release.
#[test]
fn a_cancel_that_races_with_a_turn_that_yields_gets_the_link() {
    model(2, &[1], || {
        let (watch, jobs) = (Watch::default(), Jobs::default());
        Gate::start_with(|gate: &Weak<Gate<_, _, _>>| {
            let gate = Weak::clone(gate) as Weak<dyn Task>;
            (Endless, Watcher::new(&watch), OnList { jobs: Arc::clone(&jobs), gate })
        });
        run_one(&jobs);
        watch.subscription().request(2);
        let subscription = watch.subscription();
        let other = thread::spawn(move || subscription.cancel());
        run_one(&jobs);
        other.join().unwrap();
        while run_one(&jobs) {}

        watch.release().n_dropped
    });
}

/// Runs a job from the list. Returns whether there was one.
fn run_one(jobs: &Jobs) -> bool {
    let job = jobs.lock().unwrap().pop();
    job.map(Job::run).is_some()
}
