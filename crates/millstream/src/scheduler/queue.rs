//! Shared: tasks that are ready, and tasks that wait for their time.

use std::{
    cell::Cell,
    collections::VecDeque,
    hint::spin_loop,
    sync::Arc,
    time::{Duration, Instant},
};

use millstream_kernel::{Job, ReadySet};
use parking_lot::{Condvar, Mutex};

use super::{
    Executor, Scheduled, Timers, long_turns,
    spin_wait::{is_crowded, let_others_run, n_yields},
    wheel::{Key, Wheel},
};

/// How often a thread looks for a task before it lets others run: less than a microsecond, and not
/// at all if others ran last time. Whoever makes the task may be waiting for this very processor.
const N_SPINS: u32 = 32;

/// How often it lets others run before it sleeps: together for as long as it takes to wake a
/// thread. Two threads that wait for each other would else sleep each time, because they do.
const N_YIELDS: u32 = 48;

/// Longer than both take together: a thread does not look for tasks while a timer is due by then.
const FALLING_ASLEEP: Duration = Duration::from_micros(50);

thread_local! {
    /// The queue whose tasks run on this thread, by its address.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The tasks of one thread, or of several that take turns.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// Rung with each task, and when there is something else to see, for those who spin: they read
    /// this, and leave the lock to threads that have a task.
    news: ReadySet,
    clock: Clock,
}

struct State {
    /// Each with whether it is the clock's.
    ready: VecDeque<(Job, bool)>,
    timers: Wheel<Job>,
    is_closed: bool,
    /// How many threads in [`run_until`](Self::run_until) have to look again; may be briefly
    /// negative, if one looks before it is counted.
    n_nudged: i64,
    /// The time of a virtual clock.
    now: Duration,
}

enum Clock {
    Real(Instant),
    Virtual,
}

impl Queue {
    /// A queue with the computer's clock.
    #[expect(clippy::disallowed_methods, reason = "schedulers read the clock")]
    pub(super) fn real() -> Arc<Self> {
        Self::new(Clock::Real(Instant::now()))
    }

    /// A queue with a clock that stands still until it is moved.
    pub(super) fn with_virtual_clock() -> Arc<Self> {
        Self::new(Clock::Virtual)
    }

    fn new(clock: Clock) -> Arc<Self> {
        let state = State {
            ready: VecDeque::new(),
            timers: Wheel::new(),
            is_closed: false,
            n_nudged: 0,
            now: Duration::ZERO,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            news: ReadySet::new(1),
            clock,
        })
    }

    /// Takes no more tasks. Those that are ready still run; timers are dropped.
    pub(super) fn close(&self) {
        let timers = {
            let mut state = self.state.lock();
            state.is_closed = true;
            state.timers.take_all()
        };
        drop(timers);
        self.news.set(0);
        self.changed.notify_all();
    }

    /// Makes the threads that wait in [`run_until`](Self::run_until) look again.
    /// One of them [hears](Self::heard) it.
    pub(super) fn nudge(&self) {
        // The lock: a thread that looked before it is waiting now.
        self.state.lock().n_nudged += 1;
        self.news.set(0);
        self.changed.notify_all();
    }

    /// Has looked after a nudge, so that tasks need not make way for it any longer.
    pub(super) fn heard(&self) {
        self.state.lock().n_nudged -= 1;
    }

    /// How many timers are pending.
    pub(super) fn n_timers(&self) -> usize {
        self.state.lock().timers.len()
    }

    /// Runs tasks until the queue is closed and empty, or `is_done`.
    pub(super) fn run_until(&self, is_done: impl Fn() -> bool) {
        // Whether another task is probably on its way, after one that was not the clock's.
        let mut is_expecting = true;
        while !is_done() {
            let has_news = is_expecting && self.spin();
            let mut state = self.state.lock();
            let Some((job, is_timed)) = self.next(&mut state) else {
                if state.is_closed || is_done() {
                    return;
                }
                if has_news {
                    // They were of a task that has run already.
                    continue;
                }
                match state.timers.earliest() {
                    Some(due) => {
                        let wait = due.saturating_sub(self.time(&state));
                        self.changed.wait_for(&mut state, wait);
                    }
                    None => self.changed.wait(&mut state),
                }
                is_expecting = false;
                continue;
            };
            let is_due = |due| due <= self.time(&state) + FALLING_ASLEEP;
            let has_more = !state.ready.is_empty() || state.timers.earliest().is_some_and(is_due);
            is_expecting = !is_timed && !has_more;
            drop(state);
            self.run(job);
        }
    }

    /// Waits a little for a task, because sleeping and being woken costs more.
    /// Whether there are news.
    fn spin(&self) -> bool {
        let first = if is_crowded() { N_SPINS } else { 0 };
        for i in first..N_SPINS + n_yields(N_YIELDS) {
            let mut is_there = false;
            self.news.take(|_| is_there = true);
            if is_there {
                return true;
            }
            if i < N_SPINS {
                spin_loop();
            } else if !let_others_run() {
                break;
            }
        }
        false
    }

    /// Runs what is ready; how many tasks that were.
    pub(super) fn run_ready(&self) -> usize {
        let mut n_run = 0;
        loop {
            let mut state = self.state.lock();
            let Some((job, _)) = self.next(&mut state) else { return n_run };
            drop(state);
            self.run(job);
            n_run += 1;
        }
    }

    /// Moves a virtual clock, and runs every task at its time.
    pub(super) fn advance(&self, by: Duration) {
        let until = self.state.lock().now.saturating_add(by);
        loop {
            self.run_ready();
            let mut state = self.state.lock();
            match state.timers.earliest() {
                Some(due) if due <= until => state.now = due.max(state.now),
                _ => {
                    // A task may have moved the clock further itself.
                    state.now = until.max(state.now);
                    return;
                }
            }
        }
    }

    /// The next task that is ready or due, and whether it is the clock's.
    fn next(&self, state: &mut State) -> Option<(Job, bool)> {
        if !state.timers.is_empty() {
            let now = self.time(state);
            let State { ready, timers, .. } = state;
            timers.expire(now, |job| ready.push_back((job, true)));
        }
        state.ready.pop_front()
    }

    fn run(&self, job: Job) {
        let before = CURRENT.replace(self.address());
        let _begun = long_turns::begin();
        // A task guards the user's code itself; what panics all the same must not end the thread.
        millstream_kernel::guard::muted(|| job.run());
        CURRENT.set(before);
    }

    fn time(&self, state: &State) -> Duration {
        match &self.clock {
            Clock::Real(start) => start.elapsed(),
            Clock::Virtual => state.now,
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Executor for Arc<Queue> {
    fn schedule(&self, job: Job) {
        let mut state = self.state.lock();
        if state.is_closed {
            drop(state);
            return drop(job);
        }
        state.ready.push_back((job, false));
        drop(state);
        self.news.set(0);
        self.changed.notify_one();
    }

    fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled {
        let mut state = self.state.lock();
        if state.is_closed {
            drop(state);
            drop(job);
            return Scheduled::over();
        }
        let due = self.time(&state).saturating_add(delay);
        // One who sleeps need not be woken for what is due later than what he sleeps for.
        let is_first = state.timers.earliest().is_none_or(|earliest| due < earliest);
        let key = state.timers.set(due, job);
        drop(state);
        if is_first {
            self.changed.notify_one();
        }
        Scheduled::new(Arc::clone(self) as Arc<dyn Timers>, key.to_bits())
    }

    fn is_current(&self) -> bool {
        CURRENT.get() == self.address()
    }

    fn has_others(&self) -> bool {
        let state = self.state.lock();
        let is_due = |due| due <= self.time(&state);
        let is_left_alone = state.ready.is_empty() && !state.is_closed && state.n_nudged <= 0;
        !is_left_alone || state.timers.earliest().is_some_and(is_due)
    }

    fn now(&self) -> Duration {
        self.time(&self.state.lock())
    }
}

impl Timers for Queue {
    fn take_back(&self, key: u64) {
        let job = self.state.lock().timers.take_back(Key::from_bits(key));
        // Not under the lock: it may hold the last share of something of the user's.
        job.into_iter().for_each(Job::discard);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // Tasks that are dropped unrun may schedule others; there is nobody left to run them.
        let State { ready, timers, .. } = &mut *self.state.lock();
        let left = (std::mem::take(ready), timers.take_all());
        drop(left);
    }
}
