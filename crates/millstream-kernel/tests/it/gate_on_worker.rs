//! A gate whose turns a worker runs, and whose source is woken.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use millstream_kernel::{Dispatch, End, Gate, Job, Source, Step, Task, Wake};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind, Offer};

use crate::support::{
    Event::{self, Advanced, Completed, Dropped, Failed, Item},
    Recorder, Watch,
};

type Jobs = Arc<Mutex<VecDeque<Job>>>;
type Steps = Arc<Mutex<VecDeque<Step<u64>>>>;

/// Puts turns into a list, which the test runs.
struct OnList {
    jobs: Jobs,
    gate: Weak<dyn Task>,
    is_rejecting: bool,
    has_others: bool,
}

impl Dispatch for OnList {
    const BUDGET: u64 = 4;

    fn dispatch(&self) -> Result<(), Error> {
        if self.is_rejecting {
            return Err(Error::new(ErrorKind::Rejected, "planted"));
        }
        if let Some(gate) = self.gate.upgrade() {
            self.jobs.lock().push_back(Job::new(gate));
        }
        Ok(())
    }

    fn has_others(&self) -> bool {
        self.has_others
    }
}

/// Gives what the test has put into a list; nothing at the moment when that is empty.
struct Woken {
    watch: Watch,
    steps: Steps,
}

impl Source for Woken {
    type Item = u64;

    const IS_WOKEN: bool = true;
    const CHUNK: u64 = 2;

    fn next(&mut self) -> Step<u64> {
        self.steps.lock().pop_front().unwrap_or(Step::Pending)
    }

    fn advance(&mut self) {
        self.watch.note(Advanced);
    }
}

/// A gate on a list of jobs.
struct Stage {
    watch: Watch,
    jobs: Jobs,
    steps: Steps,
    gate: Arc<Gate<Woken, Recorder, OnList>>,
}

impl Stage {
    fn new() -> Self {
        Self::with(false, |subscriber, _, _| subscriber)
    }

    /// `configure` gets the subscriber, the steps and what wakes the gate.
    fn with(
        is_rejecting: bool,
        configure: impl FnOnce(Recorder, Steps, Weak<dyn Wake>) -> Recorder,
    ) -> Self {
        Self::beside(true, is_rejecting, configure)
    }

    fn beside(
        has_others: bool,
        is_rejecting: bool,
        configure: impl FnOnce(Recorder, Steps, Weak<dyn Wake>) -> Recorder,
    ) -> Self {
        let (watch, jobs, steps) = (Watch::default(), Jobs::default(), Steps::default());
        let gate = Gate::start_with(|weak: &Weak<Gate<Woken, Recorder, OnList>>| {
            let gate = Weak::clone(weak);
            let subscriber = Recorder::new(&watch);
            (
                Woken { watch: watch.clone(), steps: Arc::clone(&steps) },
                configure(subscriber, Arc::clone(&steps), Weak::clone(weak) as Weak<dyn Wake>),
                OnList { jobs: Arc::clone(&jobs), gate, is_rejecting, has_others },
            )
        });
        Self { watch, jobs, steps, gate }
    }

    fn give(&self, step: Step<u64>) {
        self.steps.lock().push_back(step);
        self.gate.wake();
    }

    /// Runs what is scheduled, and what that schedules; tells how many turns that were.
    fn run(&self) -> usize {
        let mut n_turns = 0;
        while let Some(job) = self.next_job() {
            job.run();
            n_turns += 1;
        }
        n_turns
    }

    /// What happened since the last look, without the advances.
    fn take(&self) -> Vec<Event> {
        let events = self.watch.take();
        events.into_iter().filter(|event| *event != Advanced).collect()
    }

    fn next_job(&self) -> Option<Job> {
        self.jobs.lock().pop_front()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        discard(&self.jobs);
    }
}

/// Drops what is still scheduled, which keeps the gate, which keeps the list.
fn discard(jobs: &Jobs) {
    let left = std::mem::take(&mut *jobs.lock());
    drop(left);
}

#[test]
fn nothing_is_signaled_on_the_thread_that_requests() {
    let stage = Stage::new();
    stage.give(Step::Item(7));
    stage.watch.request(1);
    assert_eq!(stage.watch.take(), []);

    assert_eq!(stage.run(), 1, "one turn for all that came before it");

    assert_eq!(stage.take(), [Item(7)]);
}

#[test]
fn a_source_that_had_nothing_is_asked_again_after_a_wake_up() {
    let stage = Stage::new();
    stage.watch.request(5);
    stage.run();
    stage.watch.take();

    for n in 1..=3 {
        stage.give(Step::Item(n));
        assert_eq!(stage.run(), 1);
        let events = stage.watch.take();
        assert!(events.contains(&Item(n)) && events.contains(&Advanced), "{events:?}");
    }
    stage.give(Step::End(End::Complete));
    stage.run();
    assert_eq!(stage.take(), [Completed, Dropped]);
}

#[test]
fn a_turn_ends_after_its_budget_and_asks_for_another() {
    let stage = Stage::new();
    stage.run();
    (1..=24).for_each(|n| stage.steps.lock().push_back(Step::Item(n)));
    stage.watch.take();

    stage.watch.request(u64::MAX);
    let n_turns = stage.run();

    // Four chunks of two items each in a turn, and one turn that finds nothing.
    assert_eq!(n_turns, 4);
    assert_eq!(stage.take(), (1..=24).map(Item).collect::<Vec<_>>());
}

#[test]
fn a_turn_that_keeps_nobody_waiting_goes_on_beyond_its_budget() {
    let stage = Stage::beside(false, false, |subscriber, _, _| subscriber);
    stage.run();
    (1..=24).for_each(|n| stage.steps.lock().push_back(Step::Item(n)));
    stage.watch.take();

    stage.watch.request(u64::MAX);

    assert_eq!(stage.run(), 1);
    assert_eq!(stage.take(), (1..=24).map(Item).collect::<Vec<_>>());
}

#[test]
fn a_cancel_before_the_turn_cleans_up_at_once() {
    let stage = Stage::new();
    stage.watch.request(1);

    stage.watch.cancel();

    assert_eq!(stage.watch.take(), [Dropped]);
    stage.run();
    assert_eq!(stage.watch.take(), [], "the turn finds nothing");
}

#[test]
fn a_job_that_is_dropped_fails_the_stream() {
    let stage = Stage::new();

    drop(stage.next_job());
    stage.watch.request(1);

    assert_eq!(stage.run(), 0);
    assert_eq!(stage.watch.take(), [Failed(ErrorKind::Rejected), Dropped]);
}

#[test]
fn a_dispatch_that_fails_fails_the_stream() {
    let stage = Stage::with(true, |subscriber, _, _| subscriber);

    assert_eq!(stage.watch.take(), [Failed(ErrorKind::Rejected), Dropped]);
}

#[test]
fn a_task_that_was_not_scheduled_does_nothing() {
    let stage = Stage::new();
    stage.run();
    stage.watch.take();

    stage.gate.run();
    stage.gate.abandon(Error::message("planted"));

    assert_eq!(stage.watch.take(), []);
}

#[test]
fn a_wake_up_from_inside_an_item_is_seen_in_the_same_turn() {
    let stage = Stage::with(false, |subscriber, steps, gate| {
        subscriber.on_item(move |_, item| {
            if item < 3 {
                steps.lock().push_back(Step::Item(item + 1));
                gate.upgrade().unwrap().wake();
            }
            Offer::Accepted
        })
    });
    stage.run();
    stage.watch.request(5);

    stage.give(Step::Item(1));

    assert_eq!(stage.run(), 1);
    assert_eq!(stage.take(), [Item(1), Item(2), Item(3)]);
}

/// Is woken by each advance, as by a future that wakes itself whenever it is polled.
struct Restless {
    gate: Weak<dyn Wake>,
    n_advances: Arc<Mutex<usize>>,
}

impl Source for Restless {
    type Item = u64;

    const IS_WOKEN: bool = true;
    const CHUNK: u64 = 2;

    fn next(&mut self) -> Step<u64> {
        Step::Item(0)
    }

    fn advance(&mut self) {
        let mut n_advances = self.n_advances.lock();
        *n_advances += 1;
        // So that a turn without an end is a failure, and does not hang.
        if *n_advances < 1_000 {
            self.gate.upgrade().expect("the gate runs").wake();
        }
    }
}

/// What a gate did in one turn on a source that wakes itself: advances and items, and whether
/// another turn follows.
fn restless_turn(demand: u64) -> (usize, usize, bool) {
    let (watch, jobs) = (Watch::default(), Jobs::default());
    let n_advances = Arc::default();
    let _gate = Gate::start_with(|weak: &Weak<Gate<Restless, Recorder, OnList>>| {
        let source = Restless { gate: Weak::clone(weak) as _, n_advances: Arc::clone(&n_advances) };
        let gate = Weak::clone(weak);
        (
            source,
            Recorder::new(&watch),
            OnList { jobs: Arc::clone(&jobs), gate, is_rejecting: false, has_others: true },
        )
    });
    if demand > 0 {
        watch.request(demand);
    }
    let job = jobs.lock().pop_front().expect("a gate begins with a turn");

    job.run();

    let n_items = watch.take().iter().filter(|event| **event == Item(0)).count();
    let n_advances = *n_advances.lock();
    let is_followed = !jobs.lock().is_empty();
    discard(&jobs);
    (n_advances, n_items, is_followed)
}

#[test]
fn a_source_that_wakes_itself_lets_others_run() {
    let (n_advances, n_items, is_followed) = restless_turn(0);

    assert!(n_advances <= 4, "{n_advances} advances in one turn");
    assert_eq!((n_items, is_followed), (0, true));
}

#[test]
fn items_come_from_a_source_that_wakes_itself() {
    let (n_advances, n_items, is_followed) = restless_turn(u64::MAX);

    assert!(n_advances <= 4, "{n_advances} advances in one turn");
    assert!(n_items > 0 && is_followed);
}

/// Gives what is in its list, and is worth waiting for.
struct Patient(Steps);

impl Source for Patient {
    type Item = u64;

    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<u64> {
        self.0.lock().pop_front().unwrap_or(Step::Pending)
    }

    fn pause(&self, n_waited: u32) -> u32 {
        u32::from(n_waited < 8)
    }
}

/// The items of one turn for which a runner has to wait six pauses each, and whether another turn
/// follows.
fn patient_turn(has_others: bool) -> (Vec<Event>, bool) {
    let (watch, jobs) = (Watch::default(), Jobs::default());
    let wait_for = |n| (0..6).map(|_| Step::Pending).chain([Step::Item(n)]);
    let steps = Arc::new(Mutex::new((1..=3).flat_map(wait_for).collect()));
    let _gate = Gate::start_with(|weak: &Weak<Gate<Patient, Recorder, OnList>>| {
        let gate = Weak::clone(weak);
        let dispatch = OnList { jobs: Arc::clone(&jobs), gate, is_rejecting: false, has_others };
        (Patient(steps), Recorder::new(&watch), dispatch)
    });
    watch.request(9);
    watch.take();
    let job = jobs.lock().pop_front().expect("a request begins a turn");
    job.run();
    let outcome = (watch.take(), !jobs.lock().is_empty());
    discard(&jobs);
    outcome
}

#[test]
fn a_runner_waits_for_each_item_anew() {
    assert_eq!(patient_turn(false), (vec![Item(1), Item(2), Item(3)], false));
}

#[test]
fn a_runner_that_waits_longer_than_its_budget_parks_and_lets_others_run() {
    // Four questions are a turn, and the first item is the answer to the seventh.
    assert_eq!(patient_turn(true), (vec![], false));
}

#[test]
fn an_item_wakes_a_source_with_work_of_its_own_without_demand() {
    let stage = Stage::new();
    stage.run();
    stage.watch.take();

    stage.gate.wake_for_item();

    assert_eq!(stage.run(), 1);
    assert!(stage.watch.take().contains(&Advanced));
}
