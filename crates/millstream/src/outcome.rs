//! What becomes of a flow that was run to its end.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use millstream_kernel::{Deferred, oneshot};
use reactive_streams::{Error, ErrorKind, Subscription};

/// The result of a flow that is running: a future of `Result<T, Error>`.
///
/// The flow runs whether or not its outcome is looked at. Dropping the outcome cancels it.
///
/// # Cancel safety
///
/// An outcome that was polled and is polled again later loses nothing.
#[must_use = "dropping an outcome cancels its flow"]
pub struct Outcome<T> {
    receiver: oneshot::Receiver<Result<T, Error>>,
    upstream: Arc<Deferred>,
}

impl<T> Outcome<T> {
    pub(crate) fn new(
        receiver: oneshot::Receiver<Result<T, Error>>,
        upstream: Arc<Deferred>,
    ) -> Self {
        Self { receiver, upstream }
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
        Pin::new(&mut self.receiver).poll(cx).map(|result| {
            result.unwrap_or_else(|| {
                Err(Error::new(ErrorKind::Disconnected, "the flow stopped without a result"))
            })
        })
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
