//! What becomes of a flow that was run to its end.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use millstream_kernel::{Deferred, oneshot};
use reactive_streams::{Error, ErrorKind, Subscription};

use crate::scheduler::Scheduled;

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
    expired: Option<oneshot::Receiver<()>>,
    /// The timer of a shutdown, taken back when the flow has ended before.
    deadline: Option<Scheduled>,
    /// Has something when the flow was canceled since: it is not waited for any longer.
    is_given_up: Option<oneshot::Receiver<()>>,
    is_ready: bool,
}

impl<T> Outcome<T> {
    pub(crate) fn new(
        receiver: oneshot::Receiver<Result<T, Error>>,
        upstream: Arc<Deferred>,
    ) -> Self {
        let (expired, is_given_up, deadline) = (None, None, None);
        Self { receiver, upstream, expired, deadline, is_given_up, is_ready: false }
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

    /// The flow's subscription, for as long as the flow runs.
    pub(crate) fn upstream(&self) -> Weak<Deferred> {
        Arc::downgrade(&self.upstream)
    }

    /// Has the result be a timeout if `expired` gives something before the flow has ended, and not
    /// waited for any longer when `is_given_up` does. `deadline` is the timer, which is taken back
    /// when the flow has ended before.
    pub(crate) fn set_expiry(
        &mut self,
        expired: oneshot::Receiver<()>,
        is_given_up: oneshot::Receiver<()>,
        deadline: Scheduled,
    ) {
        self.expired = Some(expired);
        self.is_given_up = Some(is_given_up);
        self.deadline = Some(deadline);
    }

    /// Why there is no result.
    fn lost(&mut self) -> Error {
        let mut context = Context::from_waker(Waker::noop());
        let expired = self.expired.as_mut().map(|receiver| Pin::new(receiver).poll(&mut context));
        if let Some(Poll::Ready(Some(()))) = expired {
            return too_late();
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

    /// # Panics
    ///
    /// If it was ready before.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.is_ready, "an outcome was polled after it was ready: its result is gone");
        let result = match Pin::new(&mut self.receiver).poll(cx) {
            Poll::Ready(result) => result.unwrap_or_else(|| Err(self.lost())),
            Poll::Pending => {
                let Some(is_given_up) = &mut self.is_given_up else { return Poll::Pending };
                match std::task::ready!(Pin::new(is_given_up).poll(cx)) {
                    Some(()) => Err(too_late()),
                    None => {
                        self.is_given_up = None;
                        return Poll::Pending;
                    }
                }
            }
        };
        self.deadline = None;
        self.is_ready = true;
        Poll::Ready(result)
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

fn too_late() -> Error {
    Error::new(ErrorKind::Timeout, "the flow was not done when its time was up")
}
