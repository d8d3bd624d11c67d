//! What becomes of a flow that was run to its end.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream_kernel::{Deferred, Job, Slot, Task, oneshot};
use reactive_streams::{Error, ErrorKind, Subscription};

use crate::{
    KillSwitch,
    scheduler::{self, Scheduled, Scheduler},
};

/// The result of a flow that is running: a future of `Result<T, Error>`.
///
/// The flow runs whether or not its outcome is looked at. Dropping the outcome cancels it.
///
/// # Cancel safety
///
/// An outcome that was polled and is polled again later loses nothing.
#[must_use = "an outcome that is dropped cancels its flow: await it or call `wait()`"]
pub struct Outcome<T> {
    receiver: oneshot::Receiver<Result<T, Error>>,
    upstream: Arc<Deferred>,
    /// Has something when the time for a shutdown was up before the flow has ended.
    time_is_up: Option<oneshot::Receiver<()>>,
    /// The timer of a shutdown, taken back when the flow has ended before.
    deadline: Option<Scheduled>,
}

impl<T> Outcome<T> {
    pub(crate) fn new(
        receiver: oneshot::Receiver<Result<T, Error>>,
        upstream: Arc<Deferred>,
    ) -> Self {
        Self { receiver, upstream, time_is_up: None, deadline: None }
    }

    /// Blocks this thread until the flow has ended.
    ///
    /// Not for async code, and not for a thread that the flow needs in order to go on.
    ///
    /// # Errors
    ///
    /// The flow's, or one of kind `Disconnected` if a publisher let go of its subscriber without a
    /// terminal signal.
    pub fn wait(self) -> Result<T, Error> {
        pollster::block_on(self)
    }

    /// Has `switch` complete the flow, and gives what is on its way the time to arrive; cancels the flow
    /// when that is up.
    ///
    /// The switch belongs [close to the source](crate::Flow::kill_switch). The result is that of a flow
    /// whose source has completed, or an error of kind `Timeout`. The time is waited for on the
    /// [ambient](scheduler::ambient) scheduler.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{KillSwitch, scheduler::Pool};
    ///
    /// let (switch, pool) = (KillSwitch::new(), Pool::new(1));
    /// let endless = millstream::just("news").repeat_when(|_| Some(Duration::from_millis(1)));
    /// let running = endless.kill_switch(&switch).publish_on(&pool, 16).count();
    /// assert!(running.shutdown(&switch, Duration::from_secs(5)).wait().is_ok());
    /// ```
    #[doc(alias = "drain")]
    pub fn shutdown(self, switch: &KillSwitch, time: Duration) -> Self {
        self.shutdown_on(&scheduler::ambient(), switch, time)
    }

    /// [`shutdown`](Self::shutdown) that waits on a worker of `scheduler`. One that cannot wait any more,
    /// because it was shut down, has the flow cancelled at once.
    pub fn shutdown_on(
        mut self,
        scheduler: &impl Scheduler,
        switch: &KillSwitch,
        time: Duration,
    ) -> Self {
        switch.complete();
        let (sender, receiver) = oneshot::channel();
        let deadline =
            Deadline { upstream: Arc::downgrade(&self.upstream), sender: Slot::new(sender) };
        self.deadline = Some(scheduler.worker().schedule_after(time, Job::new(Arc::new(deadline))));
        self.time_is_up = Some(receiver);
        self
    }

    /// Why there is no result.
    fn lost(&mut self) -> Error {
        let mut context = Context::from_waker(Waker::noop());
        let time_is_up =
            self.time_is_up.as_mut().map(|receiver| Pin::new(receiver).poll(&mut context));
        if let Some(Poll::Ready(Some(()))) = time_is_up {
            return Error::new(ErrorKind::Timeout, "the flow was not done when its time was up");
        }
        Error::new(ErrorKind::Disconnected, "the flow stopped without a result")
    }

    /// A handle that cancels the flow from elsewhere; the outcome is then an error of kind
    /// `Disconnected`.
    #[must_use]
    pub fn subscription(&self) -> Arc<dyn Subscription> {
        Arc::clone(&self.upstream) as Arc<dyn Subscription>
    }
}

impl<T> Future for Outcome<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = std::task::ready!(Pin::new(&mut self.receiver).poll(cx));
        self.deadline = None;
        Poll::Ready(result.unwrap_or_else(|| Err(self.lost())))
    }
}

impl<T> Drop for Outcome<T> {
    fn drop(&mut self) {
        // After the end this does nothing (rule 1.6).
        self.upstream.cancel();
    }
}

impl<T> fmt::Debug for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").finish_non_exhaustive()
    }
}

/// Cancels a flow when its time is up.
struct Deadline {
    /// Of a flow that has ended nothing is kept.
    upstream: Weak<Deferred>,
    sender: Slot<oneshot::Sender<()>>,
}

impl Task for Deadline {
    fn run(&self) {
        let Some(upstream) = self.upstream.upgrade() else { return };
        // Before the cancel, which lets whoever waits for the result look for the reason.
        if let Some(sender) = self.sender.take() {
            sender.send(());
        }
        upstream.cancel();
    }

    fn abandon(&self, _: Error) {
        self.run();
    }
}
