//! `Tokio`: on a tokio runtime.

use std::{
    cell::Cell,
    pin::pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::{Job, Slot, Surround, Task};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind};
use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, coop},
    time::Instant,
};

use super::{Executor, Scheduled, Scheduler, Timers, Worker, long_turns};

/// Runs tasks on a tokio runtime. Each worker is a tokio task, which ends with its last handle.
#[derive(Clone, Debug)]
pub struct Tokio(Handle);

impl Tokio {
    /// On this runtime.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self(runtime)
    }

    /// On the runtime that surrounds the call, if there is one.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        Handle::try_current().ok().map(Self)
    }
}

impl Scheduler for Tokio {
    fn worker(&self) -> Worker {
        // Unbounded, and short: of every stream at most one turn waits here.
        let (sender, receiver) = unbounded_channel();
        let id = Arc::new(());
        let watched = Arc::new(Watched::default());
        let end = EndOfRuntime(Arc::clone(&watched));
        let _detached = self.0.spawn(run(receiver, Arc::clone(&id), end));
        let start = {
            let _inside = self.0.enter();
            Instant::now()
        };
        Worker::surrounded(TokioExecutor { runtime: self.0.clone(), sender, id, start, watched })
    }
}

thread_local! {
    /// The executor whose task runs on this thread, by the address of its id.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The gates whose turns run on a worker, for when its runtime is gone.
#[derive(Default)]
struct Watched(Mutex<Vec<Weak<dyn Task>>>);

impl Watched {
    fn add(&self, task: Weak<dyn Task>) {
        let mut tasks = self.0.lock();
        // Those that are gone make room before the list grows.
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| task.strong_count() > 0);
        }
        tasks.push(task);
    }
}

/// Dropped with the task of a worker: when its last handle is gone, or its runtime.
struct EndOfRuntime(Arc<Watched>);

impl Drop for EndOfRuntime {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut *self.0.0.lock());
        for task in tasks.into_iter().filter_map(|task| task.upgrade()) {
            let error = Error::new(ErrorKind::Rejected, "the tokio runtime was shut down");
            millstream_kernel::guard::muted(|| task.stop(error));
        }
    }
}

/// The inside of a runtime, for what runs on other threads.
pub(super) struct Inside(Handle);

impl Inside {
    pub(super) fn current() -> Option<Self> {
        Handle::try_current().ok().map(Self)
    }

    pub(super) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let _inside = self.0.enter();
        f()
    }
}

impl Surround for Inside {
    fn run(&self, task: &dyn Task) {
        self.within(|| task.run());
    }
}

async fn run(mut receiver: UnboundedReceiver<Job>, id: Arc<()>, end: EndOfRuntime) {
    let _end = end;
    // `recv` takes part in tokio's budget, so that an executor with much to do lets others run.
    while let Some(job) = receiver.recv().await {
        let before = CURRENT.replace(Arc::as_ptr(&id).addr());
        let begun = long_turns::begin();
        millstream_kernel::guard::muted(|| job.run());
        drop(begun);
        CURRENT.set(before);
    }
}

struct TokioExecutor {
    runtime: Handle,
    sender: UnboundedSender<Job>,
    id: Arc<()>,
    start: Instant,
    watched: Arc<Watched>,
}

impl Executor for TokioExecutor {
    fn schedule(&self, job: Job) {
        // A failure means that the runtime was shut down; dropping the job says so.
        drop(self.sender.send(job));
    }

    fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled {
        let sender = self.sender.clone();
        let job = Arc::new(Slot::new(job));
        let waiting = Waiting(Arc::clone(&job));
        let task = self.runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(job) = waiting.0.take() {
                drop(sender.send(job));
            }
        });
        Scheduled::new(Arc::new(Sleep { job, task: task.abort_handle() }), 0)
    }

    fn is_current(&self) -> bool {
        CURRENT.get() == Arc::as_ptr(&self.id).addr()
    }

    fn watch(&self, task: Weak<dyn Task>) {
        self.watched.add(task);
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        if coop::has_budget_remaining() {
            return Poll::Ready(());
        }
        // Without a budget, this has the task woken once there is one.
        pin!(coop::consume_budget()).poll(cx)
    }
}

/// The job of a task that sleeps. Dropped with the task, when the runtime is, and tells the job.
struct Waiting(Arc<Slot<Job>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

/// One timer, and the task that sleeps for it.
struct Sleep {
    job: Arc<Slot<Job>>,
    task: AbortHandle,
}

impl Timers for Sleep {
    fn take_back(&self, _: u64) {
        self.job.take().into_iter().for_each(Job::discard);
        self.task.abort();
    }
}
