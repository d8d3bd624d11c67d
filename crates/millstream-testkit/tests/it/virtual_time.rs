//! `VirtualTime`: what runs when.

use std::{sync::Arc, time::Duration};

use millstream::{
    Error,
    scheduler::{Scheduler, Worker},
};
use millstream_kernel::{Job, Task};
use millstream_testkit::VirtualTime;
use parking_lot::Mutex;

const SECOND: Duration = Duration::from_secs(1);

/// A closure as a task.
struct Act<F>(F);

impl<F: Fn() + Send + Sync> Task for Act<F> {
    fn run(&self) {
        (self.0)();
    }

    fn abandon(&self, _: Error) {}
}

fn job(act: impl Fn() + Send + Sync + 'static) -> Job {
    Job::new(Arc::new(Act(act)))
}

/// A clock, its worker, and a log of what ran when.
#[derive(Clone)]
struct Desk {
    clock: VirtualTime,
    worker: Worker,
    log: Arc<Mutex<Vec<(u64, &'static str)>>>,
}

impl Desk {
    fn new() -> Self {
        let clock = VirtualTime::new();
        Self { worker: clock.worker(), clock, log: Arc::default() }
    }

    fn note(&self, name: &'static str) -> Job {
        let Self { clock, log, .. } = self.clone();
        job(move || log.lock().push((clock.now().as_secs(), name)))
    }

    fn seen(&self) -> Vec<(u64, &'static str)> {
        self.log.lock().clone()
    }
}

#[test]
fn nothing_runs_until_it_is_told_to() {
    let desk = Desk::new();
    desk.worker.schedule(desk.note("a"));
    desk.worker.schedule_after(Duration::ZERO, desk.note("b")).detach();
    desk.worker.schedule_after(SECOND, desk.note("c")).detach();
    assert_eq!(desk.seen(), []);

    assert_eq!(desk.clock.run(), 2);

    assert_eq!(desk.seen(), [(0, "a"), (0, "b")]);
    assert_eq!(desk.clock.run(), 0);
}

#[test]
fn each_task_runs_at_its_time_and_in_the_order_of_times() {
    let desk = Desk::new();
    desk.worker.schedule_after(3 * SECOND, desk.note("three")).detach();
    desk.worker.schedule_after(SECOND, desk.note("one")).detach();
    desk.worker.schedule_after(SECOND, desk.note("one again")).detach();
    desk.worker.schedule_after(5 * SECOND, desk.note("five")).detach();

    desk.clock.advance(4 * SECOND);

    assert_eq!(desk.seen(), [(1, "one"), (1, "one again"), (3, "three")]);
    assert_eq!(desk.clock.now(), 4 * SECOND);
    desk.clock.advance(SECOND);
    assert_eq!(desk.seen().last(), Some(&(5, "five")));
}

#[test]
fn what_a_task_schedules_runs_in_the_same_advance_if_it_is_due() {
    let desk = Desk::new();
    let inner = desk.clone();
    let later = desk.worker.schedule_after(
        SECOND,
        job(move || {
            inner.worker.schedule_after(2 * SECOND, inner.note("three")).detach();
            inner.worker.schedule_after(9 * SECOND, inner.note("ten")).detach();
            inner.worker.schedule(inner.note("at once"));
        }),
    );
    later.detach();

    desk.clock.advance(3 * SECOND);

    assert_eq!(desk.seen(), [(1, "at once"), (3, "three")]);
}

#[test]
fn clones_and_workers_are_of_one_clock() {
    let clock = VirtualTime::new();
    let worker = clock.worker();

    clock.clone().advance(SECOND);

    assert_eq!((clock.now(), worker.now()), (SECOND, SECOND));
    assert_eq!(format!("{clock:?}"), "VirtualTime { now: 1s }");
}

#[test]
fn a_task_runs_on_its_worker() {
    let desk = Desk::new();
    let inner = desk.clone();
    let other = VirtualTime::new().worker();
    let seen = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&seen);
    desk.worker.schedule(job(move || {
        *slot.lock() = Some((inner.worker.is_current(), other.is_current()));
    }));
    assert!(!desk.worker.is_current());

    desk.clock.run();

    assert_eq!(*seen.lock(), Some((true, false)));
}

#[test]
fn the_clock_never_goes_back() {
    let desk = Desk::new();
    let clock = desk.clock.clone();
    desk.worker.schedule_after(SECOND, job(move || clock.advance(9 * SECOND))).detach();

    desk.clock.advance(2 * SECOND);

    assert_eq!(desk.clock.now(), 10 * SECOND);
}

#[test]
fn the_clock_stops_at_the_end_of_time() {
    let desk = Desk::new();
    desk.clock.advance(SECOND);
    desk.worker.schedule_after(Duration::MAX, desk.note("last")).detach();

    desk.clock.advance(Duration::MAX);

    assert_eq!(desk.clock.now(), Duration::MAX);
    assert_eq!(desk.seen().len(), 1);
}
