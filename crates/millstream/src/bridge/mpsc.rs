//! `from_receiver`, `send_to`: a bounded channel of tokio's.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_core::Stream;
use reactive_streams::{Error, ErrorKind, Publisher};
use tokio::sync::mpsc::{Receiver, Sender, error::TrySendError};

use super::intake::{Intake, run};
use crate::{Flow, FromStream, Outcome, from_stream, scheduler};

/// The items of a channel.
///
/// # Demand
///
/// An item is received when it is asked for. The bridge holds none, so that the channel's capacity
/// is all that waits, and senders wait once it is full.
///
/// # Termination
///
/// Completes when all senders are dropped, or the receiver was closed, and the items before were
/// received. A cancel drops the receiver, and with it the items that wait in the channel; senders
/// then get an error.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = tokio::sync::mpsc::channel(2);
/// let sum = millstream::bridge::from_receiver(receiver).fold(0, |sum, n| sum + n);
/// for n in 1..=4 {
///     sender.blocking_send(n)?;
/// }
/// drop(sender);
/// assert_eq!(sum.wait()?, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_receiver<T: Send + 'static>(receiver: Receiver<T>) -> Flow<FromStream<Received<T>>> {
    from_stream(Received(receiver))
}

/// The stream in [`from_receiver`].
#[derive(Debug)]
pub struct Received<T>(Receiver<T>);

impl<T> Stream for Received<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}

impl<P: Publisher> Flow<P> {
    /// Sends the items into a channel, whose receiver decides how fast.
    ///
    /// # Demand
    ///
    /// One item at a time, when the channel has room.
    /// No place is reserved while the item is awaited, so that a slow flow keeps no other sender
    /// out; where another sender takes the place meanwhile, that one item waits here.
    /// A place that is free is not a promise, and the channel's capacity is never exceeded, however
    /// many flows share it.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow has completed and its last item was sent, and the error
    /// when the flow fails. The sender is dropped in either case, which ends the receiver if it was
    /// the last.
    /// If the receiver is dropped or closed, the flow is canceled at once, even while it has
    /// nothing to send, and the outcome is an error of kind `Disconnected`; an item that was on its
    /// way is dropped.
    ///
    /// # Cancel safety
    ///
    /// Nothing that is awaited elsewhere owns an item: what the flow gave is in the channel, or
    /// waits here until there is room, or until the outcome is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    /// let sent = millstream::range(0..3).send_to(sender);
    /// assert_eq!(receiver.blocking_recv(), Some(0));
    /// assert_eq!(receiver.blocking_recv(), Some(1));
    /// assert_eq!(receiver.blocking_recv(), Some(2));
    /// assert_eq!(receiver.blocking_recv(), None);
    /// sent.wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn send_to(self, sender: Sender<P::Item>) -> Outcome<()>
    where
        P::Item: Send + 'static,
    {
        run(&scheduler::ambient(), send(Intake::of(self.source), sender))
    }
}

async fn send<T: Send + 'static>(mut intake: Intake<T>, sender: Sender<T>) -> Result<(), Error> {
    loop {
        if sender.capacity() == 0 || sender.is_closed() {
            let mut room = pin!(sender.reserve());
            let is_over = poll_fn(|cx| match intake.poll_end(cx) {
                Poll::Ready(end) => Poll::Ready(end.map(|()| true)),
                // The permit is given back at once: the item is not there yet.
                Poll::Pending => room.as_mut().poll(cx).map(|room| match room {
                    Ok(_) => Ok(false),
                    Err(_) => Err(gone()),
                }),
            });
            if is_over.await? {
                return Ok(());
            }
        }
        let Some(item) = next(&mut intake, &sender).await? else { return Ok(()) };
        match sender.try_send(item) {
            Ok(()) => {}
            Err(TrySendError::Full(item)) => sender.send(item).await.map_err(|_| gone())?,
            Err(TrySendError::Closed(_)) => return Err(gone()),
        }
    }
}

/// The next item, unless the receiver goes before it comes.
async fn next<T: Send + 'static>(
    intake: &mut Intake<T>,
    sender: &Sender<T>,
) -> Result<Option<T>, Error> {
    let mut closed = pin!(sender.closed());
    poll_fn(|cx| match intake.poll_next(cx) {
        Poll::Ready(next) => Poll::Ready(next),
        Poll::Pending => closed.as_mut().poll(cx).map(|()| Err(gone())),
    })
    .await
}

fn gone() -> Error {
    Error::new(ErrorKind::Disconnected, "the channel's receiver was dropped or closed")
}
