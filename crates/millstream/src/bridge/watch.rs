//! `from_watch`: the latest value of a watch channel of tokio's.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use tokio::sync::watch::{Receiver, error::RecvError};

use super::parked::Parked;
use crate::{Flow, FromStream, from_stream};

/// The present value of a watch channel, and then the latest one whenever it has changed.
///
/// # Demand
///
/// A value is read when it is asked for, and is then the latest; values that were replaced before
/// are not seen. The bridge holds none.
///
/// # Termination
///
/// Completes when all senders are dropped and the last value was passed on. A cancel drops the
/// receiver. A value is cloned while the channel is locked for reading; if that panics, fails with
/// an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = tokio::sync::watch::channel(1);
/// sender.send(2)?;
/// sender.send(3)?;
/// drop(sender);
/// let seen = millstream::bridge::from_watch(receiver).collect::<Vec<_>>().wait()?;
/// assert_eq!(seen, [3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_watch<T>(mut receiver: Receiver<T>) -> Flow<FromStream<Watched<T>>>
where
    T: Clone + Send + Sync + 'static,
{
    // The present value is news for the flow.
    receiver.mark_changed();
    from_stream(Watched(Parked::new(receiver)))
}

/// The stream in [`from_watch`].
pub struct Watched<T>(Parked<Receiver<T>, Result<T, RecvError>>);

impl<T: Clone + Send + Sync + 'static> Stream for Watched<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll(cx, now, wait).map(Result::ok)
    }
}

fn now<T: Clone>(receiver: &mut Receiver<T>) -> Option<Result<T, RecvError>> {
    let changed = pin!(receiver.changed()).poll(&mut Context::from_waker(Waker::noop()));
    match changed {
        Poll::Ready(Ok(())) => Some(Ok(receiver.borrow_and_update().clone())),
        Poll::Ready(Err(closed)) => Some(Err(closed)),
        Poll::Pending => None,
    }
}

async fn wait<T: Clone>(mut receiver: Receiver<T>) -> (Receiver<T>, Result<T, RecvError>) {
    let value = match receiver.changed().await {
        Ok(()) => Ok(receiver.borrow_and_update().clone()),
        Err(closed) => Err(closed),
    };
    (receiver, value)
}

opaque_debug!(Watched<T>);
