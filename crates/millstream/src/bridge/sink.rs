//! `sink`: a `Sink` of futures, and the flow of what is put into it.
//!
//! Items go one way through a queue, and places come back through another, which is full at first.
//! So neither side counts what the other does, and each learns by its queue's end that the other is
//! gone.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;
use millstream_kernel::{Capacity, End, TaskWaker, Wake, spsc};
use reactive_streams::{Error, ErrorKind};

use crate::{FlattenResults, Flow, FromStream, from_stream};

/// A sink, and the flow of what is put into it.
///
/// # Demand
///
/// The sink is ready while fewer than `capacity` items wait; an item that was asked for makes room
/// for another. What waits is held here, and is never more.
///
/// # Termination
///
/// The flow completes when the sink is closed, and fails as [`FlowSink::fail`] says, after the
/// items before; if the sink is dropped without either, with an error of kind `Disconnected`.
/// When the flow is canceled or dropped, the items that wait are dropped, and the sink has an error
/// of kind `Disconnected`; a task that waits for room is woken. Flushing waits for nothing, because
/// what was put in is there for the flow at once; flushing and closing fail if items wait that
/// nobody will take.
///
/// # Panics
///
/// Unless `capacity` lies in `1..=16_777_216`.
///
/// # Examples
///
/// ```
/// use futures::{SinkExt, executor::block_on};
///
/// let (mut sink, flow) = millstream::bridge::sink(2);
/// let sum = flow.fold(0, |sum, n| sum + n);
/// block_on(async {
///     for n in 1..=4 {
///         sink.send(n).await?;
///     }
///     sink.close().await
/// })?;
/// assert_eq!(sum.wait()?, 10);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn sink<T>(capacity: usize) -> (FlowSink<T>, Flow<Pour<T>>)
where
    T: Send + 'static,
{
    let capacity = Capacity::of(capacity);
    let (into, items) = spsc::bounded(capacity);
    let (free, places) = spsc::bounded(capacity);
    let wakers = Arc::new(Wakers::default());
    let sink = FlowSink {
        items: Some(into),
        n_unused: capacity.get(),
        places,
        has_place: false,
        wakers: Arc::clone(&wakers),
    };
    (sink, from_stream(Poured { items, places: Some(free), wakers }).flatten_results())
}

/// Publisher of what is put into a [`FlowSink`].
pub type Pour<T> = FlattenResults<FromStream<Poured<T>>>;

#[derive(Default)]
struct Wakers {
    /// Whoever waits for a place.
    sink: TaskWaker,
    /// Whoever waits for an item.
    flow: TaskWaker,
}

/// Sink returned by [`sink`].
#[must_use = "dropping a sink that is not closed fails its flow"]
pub struct FlowSink<T> {
    /// `None` once it is closed.
    items: Option<spsc::Producer<T>>,
    /// How many places nobody has had yet.
    n_unused: usize,
    /// Those that an item has left.
    places: spsc::Consumer<()>,
    has_place: bool,
    wakers: Arc<Wakers>,
}

impl<T> FlowSink<T> {
    /// Ends the flow with this error, after the items that wait.
    pub fn fail(mut self, error: Error) {
        self.end(End::Failed(error));
    }

    fn end(&mut self, end: End) {
        if let Some(items) = self.items.take() {
            items.close(end);
            self.wakers.flow.wake();
        }
    }

    /// Fails if no item can be put in any more.
    fn check(&self) -> Result<(), Error> {
        match &self.items {
            None => Err(gone("the sink")),
            Some(items) if items.is_abandoned() => Err(gone("the flow of the sink")),
            Some(_) => Ok(()),
        }
    }

    /// Fails if items that were put in will reach nobody.
    fn check_items(&mut self) -> Result<(), Error> {
        let Some(items) = &mut self.items else { return Ok(()) };
        let are_lost = items.is_abandoned() && items.n_queued() > 0;
        if are_lost { Err(gone("the flow of the sink")) } else { Ok(()) }
    }

    fn look(&mut self) -> Poll<Result<(), Error>> {
        match self.places.pop() {
            spsc::Pop::Item(()) => {
                self.has_place = true;
                Poll::Ready(Ok(()))
            }
            spsc::Pop::Empty if self.n_unused > 0 => {
                self.n_unused -= 1;
                self.has_place = true;
                Poll::Ready(Ok(()))
            }
            spsc::Pop::Empty => Poll::Pending,
            spsc::Pop::Closed(_) => Poll::Ready(Err(gone("the flow of the sink"))),
        }
    }
}

impl<T> Sink<T> for FlowSink<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.check()?;
        if self.has_place {
            return Poll::Ready(Ok(()));
        }
        if let Poll::Ready(ready) = self.look() {
            return Poll::Ready(ready);
        }
        self.wakers.sink.register(cx.waker());
        // A place may have come between.
        self.look()
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Error> {
        let has_place = std::mem::take(&mut self.has_place);
        self.check()?;
        let Some(items) = &mut self.items else { return Err(gone("the sink")) };
        if !has_place || items.push(item).is_err() {
            return Err(Error::new(ErrorKind::Overflow, "the sink was not ready for an item"));
        }
        self.wakers.flow.wake();
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(self.check_items())
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let delivered = self.check_items();
        self.end(End::Complete);
        Poll::Ready(delivered)
    }
}

impl<T> Drop for FlowSink<T> {
    fn drop(&mut self) {
        // Ends the queue, if that was not done before.
        self.items = None;
        self.wakers.flow.wake();
    }
}

opaque_debug!(FlowSink<T>);

/// The stream in the flow of a [`sink`].
pub struct Poured<T> {
    items: spsc::Consumer<T>,
    /// `None` when it is dropped.
    places: Option<spsc::Producer<()>>,
    wakers: Arc<Wakers>,
}

impl<T> Poured<T> {
    fn look(&mut self) -> Poll<Option<Result<T, Error>>> {
        match self.items.pop() {
            spsc::Pop::Item(item) => {
                if let Some(places) = &mut self.places {
                    // There are as many places as fit.
                    let _given = places.push(());
                }
                self.wakers.sink.wake();
                Poll::Ready(Some(Ok(item)))
            }
            spsc::Pop::Empty => Poll::Pending,
            spsc::Pop::Closed(Some(End::Complete)) => Poll::Ready(None),
            spsc::Pop::Closed(Some(End::Failed(error))) => Poll::Ready(Some(Err(error))),
            spsc::Pop::Closed(None) => Poll::Ready(Some(Err(gone("the sink of the flow")))),
        }
    }
}

impl<T> Stream for Poured<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(item) = self.look() {
            return Poll::Ready(item);
        }
        self.wakers.flow.register(cx.waker());
        // An item may have come between.
        self.look()
    }
}

impl<T> Drop for Poured<T> {
    fn drop(&mut self) {
        // Before the places end, which has the sink look.
        self.items.abandon();
        self.places = None;
        self.wakers.sink.wake();
    }
}

opaque_debug!(Poured<T>);

fn gone(what: &str) -> Error {
    Error::new(ErrorKind::Disconnected, format!("{what} was dropped or closed"))
}
