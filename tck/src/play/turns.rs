//! A scheduler whose work runs when it is driven, with a clock of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::sync::lock;

/// A task that ran again and again so often does not come to an end.
const MAX_TURNS: u32 = 100_000;

type Task = Box<dyn FnOnce() + Send>;

/// A scheduler that the TCK drives: tasks run one after the other, in the order in which they came,
/// and delayed ones when the clock, which is not the real one, has got there.
///
/// A publisher that takes its scheduler from outside can be judged on one of these, without threads
/// and without waiting: nothing more comes when nothing is queued.
/// Clones are handles of the same scheduler.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use reactive_streams_tck::{Capabilities, Subject, Turns, reference::{on_turns, range}};
///
/// let turns = Turns::new();
/// let clock = turns.clone();
/// turns.run_after(Duration::from_secs(60), move || assert_eq!(clock.now().as_secs(), 60));
/// turns.drive();
///
/// // Each publisher gets a scheduler of its own.
/// let subject = Subject::on_turns("mine", Capabilities::new(), |n, turns| {
///     on_turns(range(n), turns)
/// });
/// subject.assert("rule_3_12_cancel_stops");
/// ```
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    now: Duration,
    ready: VecDeque<Task>,
    /// By time, and then in the order in which they came.
    delayed: BTreeMap<(Duration, u64), Task>,
    n_delayed: u64,
}

impl Turns {
    /// A scheduler with nothing to do, at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` when those before it have run.
    pub fn run(&self, task: impl FnOnce() + Send + 'static) {
        lock(&self.0).ready.push_back(Box::new(task));
    }

    /// Runs `task` when so much time has passed.
    pub fn run_after(&self, delay: Duration, task: impl FnOnce() + Send + 'static) {
        let mut queue = lock(&self.0);
        queue.n_delayed += 1;
        let key = (queue.now.saturating_add(delay), queue.n_delayed);
        queue.delayed.insert(key, Box::new(task));
    }

    /// How much time has passed.
    #[must_use]
    pub fn now(&self) -> Duration {
        lock(&self.0).now
    }

    /// Runs one task, if there is one; moves the clock if only delayed ones are left.
    /// A task that panics ends alone.
    pub fn turn(&self) -> bool {
        let task = {
            let mut queue = lock(&self.0);
            queue.ready.pop_front().or_else(|| {
                let ((time, _), task) = queue.delayed.pop_first()?;
                queue.now = time;
                Some(task)
            })
        };
        let Some(task) = task else { return false };
        // The subscriber may have panicked, which is no concern of the other tasks.
        drop(catch_unwind(AssertUnwindSafe(task)));
        true
    }

    /// Runs tasks until there is none. A timer that goes on for ever is left after 100 000 turns.
    pub fn drive(&self) {
        for _ in 0..MAX_TURNS {
            if !self.turn() {
                return;
            }
        }
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = lock(&self.0);
        f.debug_struct("Turns")
            .field("now", &queue.now)
            .field("ready", &queue.ready.len())
            .field("delayed", &queue.delayed.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_in_order_and_delayed_ones_by_the_clock() {
        let turns = Turns::new();
        let seen = Arc::<Mutex<Vec<u64>>>::default();
        let note = |n: u64| {
            let (seen, clock) = (Arc::clone(&seen), turns.clone());
            move || lock(&seen).push(n + clock.now().as_secs())
        };

        turns.run_after(Duration::from_secs(20), note(300));
        turns.run_after(Duration::from_secs(10), note(200));
        turns.run(note(1));
        turns.run(|| panic!("alone"));
        turns.run(note(2));
        turns.drive();

        assert_eq!(*lock(&seen), [1, 2, 210, 320]);
        assert!(!turns.turn());
    }
}
