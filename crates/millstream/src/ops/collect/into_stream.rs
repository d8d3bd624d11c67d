//! `into_stream`: a flow as a `futures::Stream`.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use millstream_kernel::{End, Step, TaskWaker};
use reactive_streams::{Error, Publisher};

use crate::{
    Flow,
    parts::inlet::{Inlet, inlet},
};

impl<P: Publisher> Flow<P> {
    /// Subscribes, and gives the items as a stream of `Result`s.
    ///
    /// # Demand
    ///
    /// Starts with the first poll: then `capacity` items are asked for, and three quarters of that
    /// again whenever as many were taken. Up to `capacity` items wait in a queue of that capacity.
    ///
    /// # Termination
    ///
    /// The stream ends when the flow completes; a failure is its last item. Dropping the stream
    /// cancels the flow.
    ///
    /// # Cancel safety
    ///
    /// A `next()` that is dropped before it is ready has taken nothing.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{StreamExt, executor::block_on_stream};
    ///
    /// let stream = block_on_stream(millstream::range(0..3).into_stream(2));
    /// assert_eq!(stream.map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2]);
    /// ```
    #[track_caller]
    pub fn into_stream(self, capacity: usize) -> IntoStream<P::Item>
    where
        P::Item: Send + 'static,
    {
        let (entrance, inlet) = inlet(capacity);
        let waker = Arc::new(TaskWaker::new());
        let subscriber = entrance.subscriber(Arc::clone(&waker));
        crate::Context::new().within(|| self.source.subscribe(subscriber));
        IntoStream { inlet: inlet.ask_at_once(), waker, is_ended: false }
    }
}

/// Stream returned by [`Flow::into_stream`].
#[must_use = "streams do nothing unless polled, and dropping this one cancels its flow"]
pub struct IntoStream<T> {
    inlet: Inlet<T>,
    waker: Arc<TaskWaker>,
    is_ended: bool,
}

impl<T> IntoStream<T> {
    fn look(&mut self) -> Poll<Option<Result<T, Error>>> {
        match self.inlet.next() {
            Step::Item(item) => Poll::Ready(Some(Ok(item))),
            Step::Pending => Poll::Pending,
            Step::End(end) => {
                self.is_ended = true;
                Poll::Ready(match end {
                    End::Complete => None,
                    End::Failed(error) => Some(Err(error)),
                })
            }
        }
    }
}

impl<T> Stream for IntoStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(item) = self.look() {
            return Poll::Ready(item);
        }
        self.waker.register(cx.waker());
        // An item may have come between.
        self.look()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.is_ended.then_some(0))
    }
}

impl<T> FusedStream for IntoStream<T> {
    fn is_terminated(&self) -> bool {
        self.is_ended
    }
}

impl<T> Drop for IntoStream<T> {
    fn drop(&mut self) {
        self.inlet.cancel();
    }
}

opaque_debug!(IntoStream<T>);
