//! `from_broadcast`, `from_broadcast_lossy`: a receiver of a broadcast channel of tokio's.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use reactive_streams::{Error, ErrorKind};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

use super::parked::Parked;
use crate::{FlattenResults, Flow, FromStream, from_stream};

/// The items of a broadcast channel, all of them or an error.
///
/// A broadcast channel does not wait for its receivers: one that falls behind by more than the
/// channel's capacity has lost the oldest items. Here that ends the flow;
/// [`from_broadcast_lossy`] goes on.
///
/// # Demand
///
/// An item is received when it is asked for. The bridge holds none; what waits is in the channel,
/// and is overwritten there by a sender that is ahead by the channel's capacity.
///
/// # Termination
///
/// Completes when all senders are dropped and the items before were received.
/// Fails with an error of kind `Overflow` that says how many items were lost, when items were lost;
/// the next one after the gap is not passed on. A cancel drops the receiver.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = tokio::sync::broadcast::channel(2);
/// for n in 0..5 {
///     sender.send(n)?;
/// }
/// let error = millstream::bridge::from_broadcast(receiver).count().wait().unwrap_err();
/// assert_eq!(error.to_string(), "3 items of the broadcast were lost: the receiver was too slow");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_broadcast<T: Clone + Send + 'static>(
    receiver: Receiver<T>,
) -> Flow<FlattenResults<FromStream<Heard<T, OnLag>>>> {
    let fail: OnLag = |n_lost| {
        let message =
            format!("{n_lost} items of the broadcast were lost: the receiver was too slow");
        Err(Error::new(ErrorKind::Overflow, message))
    };
    from_stream(Heard { parked: Parked::new(receiver), on_lag: fail }).flatten_results()
}

/// The items of a broadcast channel that this receiver was in time for.
/// `on_lag` is told, at each gap and before the item after it, how many were lost; it can end the
/// flow by an error.
///
/// # Demand
///
/// As [`from_broadcast`].
///
/// # Termination
///
/// Completes when all senders are dropped and the items before were received. Fails with what
/// `on_lag` returns, and with an error of kind `Panicked` if it panics.
/// A cancel drops the receiver.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = tokio::sync::broadcast::channel(2);
/// for n in 0..5 {
///     sender.send(n)?;
/// }
/// drop(sender);
/// let in_time = millstream::bridge::from_broadcast_lossy(receiver, |n_lost| {
///     println!("{n_lost} lost");
///     Ok(())
/// });
/// assert_eq!(in_time.collect::<Vec<_>>().wait()?, [3, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_broadcast_lossy<T, F>(
    receiver: Receiver<T>,
    on_lag: F,
) -> Flow<FlattenResults<FromStream<Heard<T, F>>>>
where
    T: Clone + Send + 'static,
    F: FnMut(u64) -> Result<(), Error> + Send + 'static,
{
    from_stream(Heard { parked: Parked::new(receiver), on_lag }).flatten_results()
}

/// What [`from_broadcast`] does at a gap: it fails.
pub type OnLag = fn(u64) -> Result<(), Error>;

/// The stream in [`from_broadcast`] and [`from_broadcast_lossy`].
pub struct Heard<T, F> {
    parked: Parked<Receiver<T>, Result<T, RecvError>>,
    on_lag: F,
}

// Nothing in it is pinned.
impl<T, F> Unpin for Heard<T, F> {}

impl<T, F> Stream for Heard<T, F>
where
    T: Clone + Send + 'static,
    F: FnMut(u64) -> Result<(), Error>,
{
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let heard = std::task::ready!(self.parked.poll(cx, now, wait));
            match heard {
                Ok(item) => return Poll::Ready(Some(Ok(item))),
                Err(RecvError::Closed) => return Poll::Ready(None),
                Err(RecvError::Lagged(n_lost)) => {
                    if let Err(error) = (self.on_lag)(n_lost) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
    }
}

fn now<T: Clone>(receiver: &mut Receiver<T>) -> Option<Result<T, RecvError>> {
    match receiver.try_recv() {
        Ok(item) => Some(Ok(item)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Lagged(n_lost)) => Some(Err(RecvError::Lagged(n_lost))),
    }
}

async fn wait<T: Clone>(mut receiver: Receiver<T>) -> (Receiver<T>, Result<T, RecvError>) {
    let heard = receiver.recv().await;
    (receiver, heard)
}

opaque_debug!(Heard<T, F>);
