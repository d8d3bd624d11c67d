//! `Tokio`: on a tokio runtime.

use std::{
    cell::Cell,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::{Job, Slot};
use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, coop},
    time::Instant,
};

use super::{Executor, Scheduled, Scheduler, Timers, Worker};

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
        let _detached = self.0.spawn(run(receiver, Arc::clone(&id)));
        let start = {
            let _inside = self.0.enter();
            Instant::now()
        };
        Worker::new(TokioLane { runtime: self.0.clone(), sender, id, start })
    }
}

thread_local! {
    /// The executor whose task runs on this thread, by the address of its id.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

async fn run(mut receiver: UnboundedReceiver<Job>, id: Arc<()>) {
    // `recv` takes part in tokio's budget, so that an executor with much to do lets others run.
    while let Some(job) = receiver.recv().await {
        let before = CURRENT.replace(Arc::as_ptr(&id).addr());
        millstream_kernel::guard::muted(|| job.run());
        CURRENT.set(before);
    }
}

struct TokioLane {
    runtime: Handle,
    sender: UnboundedSender<Job>,
    id: Arc<()>,
    start: Instant,
}

impl Executor for TokioLane {
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
