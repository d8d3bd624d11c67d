//! What the tests share: an explorer, items that are counted, a scheduler of shuttle's threads, and
//! a subscriber that writes down what it sees.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Debug,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use millstream::{
    Error, Flow, Publisher, Subscriber, Subscription, from_iter,
    scheduler::{Executor, Scheduled, Scheduler, Worker},
};
use millstream_kernel::Job;
use shuttle::{
    Config, Runner,
    rand::Rng,
    scheduler::{PctScheduler, RandomScheduler},
    sync::Condvar,
    thread::{self, JoinHandle, ThreadId},
};

/// Schedules that are drawn at random.
const N_RANDOM: usize = 2_000;
/// Schedules in which threads have priorities that change at [`PCT_DEPTH`] points.
const N_PCT: usize = 500;
const PCT_DEPTH: usize = 3;

/// Runs `f`, which tells what came of it, under many schedules, and fails unless exactly
/// `outcomes`, in ascending order, were seen.
///
/// A failure prints its schedule. The seed is another one each time; `SHUTTLE_RANDOM_SEED` brings
/// one back.
#[track_caller]
pub(crate) fn explore<O>(outcomes: &[O], f: impl Fn() -> O + Send + Sync + 'static)
where
    O: Ord + Clone + Debug + Send + 'static,
{
    let seed = RandomState::new().hash_one("schedules");
    println!("seed {seed}, unless SHUTTLE_RANDOM_SEED is set");
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let f = {
        let seen = Arc::clone(&seen);
        Arc::new(move || {
            let outcome = f();
            *seen.lock().unwrap().entry(outcome).or_insert(0_usize) += 1;
        })
    };
    let mut config = Config::new();
    // Chains of operators are deep, and none of their frames is small without optimization.
    config.stack_size = 256 * 1024;
    config.silence_warnings = true;
    let random = Runner::new(RandomScheduler::new_from_seed(seed, N_RANDOM), config.clone());
    let n_random = random.run({
        let f = Arc::clone(&f);
        move || f()
    });
    let pct = Runner::new(PctScheduler::new_from_seed(seed, PCT_DEPTH, N_PCT), config);
    let n_pct = pct.run(move || f());

    let seen = seen.lock().unwrap();
    println!("{n_random} random schedules, {n_pct} with priorities: {seen:?}");
    assert_eq!((n_random, n_pct), (N_RANDOM, N_PCT));
    assert!(seen.keys().eq(outcomes), "{seen:?} was seen instead of {outcomes:?}");
}

/// Counts items.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<(AtomicU64, AtomicU64)>);

/// An item that is counted when it is made and when it is dropped.
pub(crate) struct Item {
    pub(crate) number: u64,
    tally: Tally,
}

impl Tally {
    pub(crate) fn item(&self, number: u64) -> Item {
        self.0.0.fetch_add(1, Ordering::Relaxed);
        Item { number, tally: self.clone() }
    }

    /// The numbers from `first` to `first + n - 1`.
    pub(crate) fn numbers(
        &self,
        first: u64,
        n: u64,
    ) -> Flow<impl Publisher<Item = Item> + Send + Clone + use<>> {
        let tally = self.clone();
        from_iter((first..first + n).map(move |number| tally.item(number)))
    }

    /// Fails unless every item that was made was dropped, once.
    #[track_caller]
    pub(crate) fn check(&self) {
        let (n_made, n_dropped) = &*self.0;
        assert_eq!(n_dropped.load(Ordering::Relaxed), n_made.load(Ordering::Relaxed));
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.tally.0.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// A scheduler of one of shuttle's threads.
pub(crate) struct Thread {
    queue: Arc<Queue>,
    handle: JoinHandle<()>,
}

/// Jobs, each some time after the one before.
#[derive(Default)]
struct Waiting {
    jobs: VecDeque<(Job, Duration)>,
    is_stopped: bool,
    now: Duration,
}

struct Queue {
    state: shuttle::sync::Mutex<Waiting>,
    changed: Condvar,
    id: OnceLock<ThreadId>,
}

impl Thread {
    pub(crate) fn start() -> Self {
        let queue = Arc::new(Queue {
            state: shuttle::sync::Mutex::default(),
            changed: Condvar::new(),
            id: OnceLock::new(),
        });
        let handle = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                while let Some(job) = queue.take() {
                    job.run();
                }
            }
        });
        queue.id.set(handle.thread().id()).unwrap();
        Self { queue, handle }
    }

    /// Runs what is scheduled, rejects what comes later, and ends.
    pub(crate) fn stop(self) {
        self.queue.state.lock().unwrap().is_stopped = true;
        self.queue.changed.notify_one();
        self.handle.join().unwrap();
    }
}

impl Queue {
    fn take(&self) -> Option<Job> {
        let mut state = self.state.lock().unwrap();
        while state.jobs.is_empty() && !state.is_stopped {
            state = self.changed.wait(state).unwrap();
        }
        let (job, delay) = state.jobs.pop_front()?;
        state.now += delay;
        Some(job)
    }
}

impl Scheduler for Thread {
    fn worker(&self) -> Worker {
        Worker::new(ThreadExecutor(Arc::clone(&self.queue)))
    }
}

struct ThreadExecutor(Arc<Queue>);

impl Executor for ThreadExecutor {
    fn schedule(&self, job: Job) {
        self.schedule_after(Duration::ZERO, job).detach();
    }

    /// Time passes when a job that waits for it has its turn.
    fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled {
        let mut state = self.0.state.lock().unwrap();
        let rejected = if state.is_stopped {
            Some(job)
        } else {
            state.jobs.push_back((job, delay));
            None
        };
        drop(state);
        self.0.changed.notify_one();
        // Tells the task, which may call back: not under the lock.
        drop(rejected);
        // Time passes for the jobs alone, so that one that was not taken back is one that came too
        // late.
        Scheduled::over()
    }

    fn is_current(&self) -> bool {
        self.0.id.get() == Some(&thread::current().id())
    }

    fn now(&self) -> Duration {
        self.0.state.lock().unwrap().now
    }
}

/// What a subscriber saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) items: Vec<u64>,
    pub(crate) n_completed: u64,
    pub(crate) n_failed: u64,
    pub(crate) n_dropped: u64,
}

/// The test's view of a subscriber.
#[derive(Clone)]
pub(crate) struct Watch(Arc<Watched>);

struct Watched {
    // Locked for single statements in which nothing of shuttle's is called.
    seen: Mutex<Seen>,
    subscription: Mutex<Option<Arc<dyn Subscription>>>,
    is_dropped: shuttle::sync::Mutex<bool>,
    dropped: Condvar,
}

impl Watch {
    /// Subscribes a subscriber that writes down what it sees, and asks for nothing.
    pub(crate) fn subscribe_to(publisher: impl Publisher<Item = Item>) -> Self {
        Self::subscribe_for(0, publisher)
    }

    /// Subscribes one that asks for `n` items as soon as it can; with 0, for none.
    pub(crate) fn subscribe_for(n: u64, publisher: impl Publisher<Item = Item>) -> Self {
        let watch = Self(Arc::new(Watched {
            seen: Mutex::default(),
            subscription: Mutex::default(),
            is_dropped: shuttle::sync::Mutex::default(),
            dropped: Condvar::new(),
        }));
        publisher.subscribe(Watcher(watch.clone(), n));
        watch
    }

    pub(crate) fn subscription(&self) -> Arc<dyn Subscription> {
        self.0.subscription.lock().unwrap().clone().unwrap()
    }

    /// Waits until the subscriber is dropped. If it never is, shuttle says that the test is
    /// deadlocked.
    #[track_caller]
    pub(crate) fn wait(self) -> Seen {
        let mut is_dropped = self.0.is_dropped.lock().unwrap();
        while !*is_dropped {
            is_dropped = self.0.dropped.wait(is_dropped).unwrap();
        }
        drop(is_dropped);
        let subscription = self.0.subscription.lock().unwrap().take();
        drop(subscription);
        self.0.seen.lock().unwrap().clone()
    }
}

/// How far a stream came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Came {
    /// It was canceled before the first item.
    Nowhere,
    /// It was canceled later.
    Midway,
    ToItsEnd,
}

impl Seen {
    /// Fails unless the subscriber was dropped once, after at most one terminal signal and none but
    /// a completion, and the items are the first ones of `expected`, and all of them if it
    /// completed.
    #[track_caller]
    pub(crate) fn check(&self, expected: &[u64]) -> Came {
        assert_eq!((self.n_dropped, self.n_failed), (1, 0), "{self:?}");
        assert!(self.n_completed <= 1, "{self:?}");
        assert!(expected.starts_with(&self.items), "{self:?}");
        if self.n_completed == 1 {
            assert_eq!(self.items, expected);
            return Came::ToItsEnd;
        }
        if self.items.is_empty() { Came::Nowhere } else { Came::Midway }
    }
}

struct Watcher(Watch, u64);

impl Watcher {
    fn note(&self, write: impl FnOnce(&mut Seen)) {
        write(&mut self.0.0.seen.lock().unwrap());
    }
}

impl Subscriber<Item> for Watcher {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        *self.0.0.subscription.lock().unwrap() = Some(Arc::clone(&subscription));
        if self.1 > 0 {
            subscription.request(self.1);
        }
    }

    fn on_next(&mut self, item: Item) {
        self.note(|seen| seen.items.push(item.number));
    }

    fn on_error(self, _: Error) {
        self.note(|seen| seen.n_failed += 1);
    }

    fn on_complete(self) {
        self.note(|seen| seen.n_completed += 1);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.note(|seen| seen.n_dropped += 1);
        *self.0.0.is_dropped.lock().unwrap() = true;
        self.0.0.dropped.notify_all();
    }
}

/// Lets other threads run up to `n` times, so that what follows meets them anywhere.
pub(crate) fn dawdle(n: u64) {
    for _ in 0..shuttle::rand::thread_rng().gen_range(0..=n) {
        thread::yield_now();
    }
}

/// Makes each of `calls` on a thread of its own, all at once, and waits for them.
pub(crate) fn at_once<const N: usize>(watch: &Watch, calls: [fn(&dyn Subscription); N]) {
    let threads = calls.map(|call| {
        let subscription = watch.subscription();
        thread::spawn(move || call(&*subscription))
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
