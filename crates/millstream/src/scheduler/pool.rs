//! `Pool`: a fixed number of threads.

use std::{
    num::NonZero,
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::Duration,
};

use millstream_kernel::Job;
use parking_lot::{Condvar, Mutex};
use reactive_streams::{Error, ErrorKind};

use super::{Executor, Scheduled, Scheduler, Worker, queue::Queue};

/// Runs tasks on a fixed number of threads. Each worker stays on one of them; workers are handed
/// out round robin.
///
/// The threads end when the pool's last handle and its last worker are dropped, or after
/// [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct Pool(Arc<Threads>);

struct Threads {
    queues: Vec<Arc<Queue>>,
    handles: Mutex<Vec<JoinHandle<()>>>,
    running: Arc<Running>,
    n_handed_out: Mutex<usize>,
}

/// The pool for work that named no scheduler: one thread for each processor, started when first
/// used.
pub fn shared() -> &'static Pool {
    static SHARED: OnceLock<Pool> = OnceLock::new();
    SHARED.get_or_init(|| Pool::new(thread::available_parallelism().map_or(1, NonZero::get)))
}

impl Pool {
    /// Starts `n` threads.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536`, or if the system cannot start a thread.
    #[must_use]
    #[track_caller]
    pub fn new(n: usize) -> Self {
        Self::named("millstream", n)
    }

    /// Starts `n` threads that are called `name-0`, `name-1` and so on.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536`, or if the system cannot start a thread; see
    /// [`try_named`](Self::try_named).
    #[must_use]
    #[track_caller]
    pub fn named(name: &str, n: usize) -> Self {
        Self::try_named(name, n).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts `n` threads that are called `name-0`, `name-1` and so on, or none.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread. Those that it has started end.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=65_536`.
    #[track_caller]
    pub fn try_named(name: &str, n: usize) -> Result<Self, Error> {
        const MAX: usize = 1 << 16;
        assert!(n > 0, "a pool of 0 threads would never run anything: use at least 1");
        assert!(n <= MAX, "a pool of {n} threads is more than is of use: use at most {MAX}");
        let queues: Vec<_> = (0..n).map(|_| Queue::real()).collect();
        // Dropped on an early return, it ends the threads that run.
        let (handles, running) = (Mutex::default(), Arc::default());
        let pool = Threads { queues, handles, running, n_handed_out: Mutex::new(0) };
        for (index, queue) in pool.queues.iter().enumerate() {
            let queue = Arc::clone(queue);
            let running = RunningThread::begin(&pool.running);
            let handle = thread::Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || {
                    queue.run_until(|| false);
                    drop(running);
                })
                .map_err(|cause| {
                    let message = format!("cannot start thread {index} of {n}: {cause}");
                    Error::with_source(ErrorKind::Io, message, cause)
                })?;
            pool.handles.lock().push(handle);
        }
        Ok(Self(Arc::new(pool)))
    }

    /// How many timers are pending on all threads: set, and neither due nor taken back.
    #[must_use]
    pub fn n_timers(&self) -> usize {
        self.0.queues.iter().map(|queue| queue.n_timers()).sum()
    }

    /// Takes no more tasks, and waits until those that are ready have run, however long that takes:
    /// for a limit, see [`shutdown_within`](Self::shutdown_within).
    ///
    /// # Panics
    ///
    /// If it is called from one of the pool's own threads, which cannot wait for itself.
    pub fn shutdown(&self) {
        self.close();
        for handle in std::mem::take(&mut *self.0.handles.lock()) {
            // The thread's closure does not panic.
            drop(handle.join());
        }
    }

    /// Takes no more tasks, and waits until those that are ready have run, for `time` at most. It
    /// may be called again, to wait for longer.
    ///
    /// # Errors
    ///
    /// Of kind `Timeout` if a thread is still busy. It ends when its task returns; cancel the flow
    /// that it is in.
    ///
    /// # Panics
    ///
    /// If it is called from one of the pool's own threads, which cannot wait for itself.
    pub fn shutdown_within(&self, time: Duration) -> Result<(), Error> {
        self.close();
        let Running { n, ended } = &*self.0.running;
        let mut n = n.lock();
        ended.wait_while_for(&mut n, |n| *n > 0, time);
        if *n > 0 {
            let message = format!("{n} threads of the pool were busy when its time was up");
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        drop(n);
        self.shutdown();
        Ok(())
    }

    fn close(&self) {
        assert!(
            self.0
                .handles
                .lock()
                .iter()
                .all(|handle| handle.thread().id() != thread::current().id()),
            "a pool cannot be shut down from one of its own threads"
        );
        for queue in &self.0.queues {
            queue.close();
        }
    }
}

/// How many threads of a pool have not ended.
#[derive(Default)]
struct Running {
    n: Mutex<usize>,
    ended: Condvar,
}

/// One of them.
struct RunningThread(Arc<Running>);

impl RunningThread {
    fn begin(running: &Arc<Running>) -> Self {
        *running.n.lock() += 1;
        Self(Arc::clone(running))
    }
}

impl Drop for RunningThread {
    fn drop(&mut self) {
        *self.0.n.lock() -= 1;
        self.0.ended.notify_all();
    }
}

impl Scheduler for Pool {
    fn worker(&self) -> Worker {
        let mut n_handed_out = self.0.n_handed_out.lock();
        let index = *n_handed_out % self.0.queues.len();
        *n_handed_out += 1;
        Worker::new(PoolLane { threads: Arc::clone(&self.0), index })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for queue in &self.queues {
            queue.close();
        }
    }
}

/// One thread of a pool, which it keeps alive.
struct PoolLane {
    threads: Arc<Threads>,
    index: usize,
}

impl PoolLane {
    fn queue(&self) -> &Arc<Queue> {
        &self.threads.queues[self.index]
    }
}

impl Executor for PoolLane {
    fn schedule(&self, job: Job) {
        self.queue().schedule(job);
    }

    fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled {
        self.queue().schedule_after(delay, job)
    }

    fn is_current(&self) -> bool {
        self.queue().is_current()
    }

    fn has_others(&self) -> bool {
        self.queue().has_others()
    }

    fn now(&self) -> Duration {
        self.queue().now()
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("n_threads", &self.0.queues.len()).finish_non_exhaustive()
    }
}
