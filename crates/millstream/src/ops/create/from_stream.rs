//! `from_stream`, `from_future`: items of a stream that is polled by a task of its own.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    scheduler::{self, GateWaker, OnWorker, Scheduler, Worker},
};

/// The items of a stream, which is polled on the [ambient](scheduler::ambient) scheduler: the tokio
/// runtime that surrounds the call, or else a pool of the process's own.
///
/// # Demand
///
/// The stream is polled only while items are wanted, and never by the consumer: a consumer that is
/// busy, or that is itself awaiting something, holds nothing up.
///
/// # Termination
///
/// Completes with the stream, when the item after the last is asked for.
/// If the stream panics, fails with an error of kind `Panicked`. For a stream of `Result`s, see
/// [`flatten_results`](Flow::flatten_results).
///
/// # Examples
///
/// ```
/// let stream = futures::stream::iter([1, 2, 3]);
/// let sum = millstream::from_stream(stream).fold(0, |sum, n| sum + n).wait()?;
/// assert_eq!(sum, 6);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn from_stream<St>(stream: St) -> Flow<FromStream<St>>
where
    St: Stream + Send + 'static,
{
    from_stream_on(&scheduler::ambient(), stream)
}

/// [`from_stream`], polled on a worker of `scheduler`.
///
/// # Demand
///
/// As [`from_stream`].
///
/// # Termination
///
/// As [`from_stream`]; fails with an error of kind `Rejected` if the scheduler was shut down.
///
/// # Examples
///
/// ```
/// use millstream::scheduler::Pool;
///
/// let stream = futures::stream::iter(["a", "b"]);
/// let n = millstream::from_stream_on(&Pool::new(1), stream).count().wait()?;
/// assert_eq!(n, 2);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn from_stream_on<St>(scheduler: &impl Scheduler, stream: St) -> Flow<FromStream<St>>
where
    St: Stream + Send + 'static,
{
    Flow { source: FromStream { stream, worker: scheduler.worker() } }
}

/// The output of a future, which is polled like a [`from_stream`].
///
/// # Demand
///
/// The future is polled once its output is wanted.
///
/// # Termination
///
/// Completes after the output, when another item is asked for.
/// If the future panics, fails with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// let flow = millstream::from_future(async { 42 });
/// assert_eq!(flow.first().wait()?, Some(42));
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn from_future<Fut>(future: Fut) -> Flow<FromStream<Once<Fut>>>
where
    Fut: Future + Send + 'static,
{
    from_stream(Once::new(future))
}

/// [`from_future`] on a worker of `scheduler`.
///
/// # Demand
///
/// As [`from_future`].
///
/// # Termination
///
/// As [`from_future`]. Fails with an error of kind `Rejected` if the scheduler was shut down.
///
/// # Examples
///
/// ```
/// use millstream::scheduler::Pool;
///
/// let flow = millstream::from_future_on(&Pool::new(1), async { 42 });
/// assert_eq!(flow.first().wait()?, Some(42));
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn from_future_on<Fut>(scheduler: &impl Scheduler, future: Fut) -> Flow<FromStream<Once<Fut>>>
where
    Fut: Future + Send + 'static,
{
    from_stream_on(scheduler, Once(Some(Box::pin(future))))
}

/// Publisher returned by [`from_stream`], [`from_stream_on`], [`from_future`] and
/// [`from_future_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromStream<St> {
    stream: St,
    worker: Worker,
}

impl<St> Publisher for FromStream<St>
where
    St: Stream + Send + 'static,
{
    type Item = St::Item;

    fn subscribe<S: Subscriber<St::Item>>(self, downstream: S) {
        Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let waker = Waker::from(Arc::new(GateWaker::new(Weak::clone(gate))));
            let source = StreamSource { stream: Box::pin(self.stream), waker };
            (source, downstream, OnWorker::new(self.worker, Weak::clone(gate)))
        });
    }
}

opaque_debug!(FromStream<St>);
backpressure!(source FromStream<St>);

struct StreamSource<St> {
    stream: Pin<Box<St>>,
    waker: Waker,
}

impl<St: Stream + Send + 'static> Source for StreamSource<St> {
    type Item = St::Item;
    const IS_WOKEN: bool = true;
    // A poll may take long.
    const CHUNK: u64 = 8;

    fn next(&mut self) -> Step<St::Item> {
        match self.stream.as_mut().poll_next(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(Some(item)) => Step::Item(item),
            Poll::Ready(None) => Step::End(End::Complete),
            Poll::Pending => Step::Pending,
        }
    }
}

/// A stream of one future's output, for [`from_future`].
pub struct Once<Fut>(Option<Pin<Box<Fut>>>);

impl<Fut> Once<Fut> {
    pub(crate) fn new(future: Fut) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<Fut: Future> Stream for Once<Fut> {
    type Item = Fut::Output;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Fut::Output>> {
        let Some(future) = &mut self.0 else { return Poll::Ready(None) };
        let output = std::task::ready!(future.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(Some(output))
    }
}

opaque_debug!(Once<Fut>);
