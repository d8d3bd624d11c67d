//! `forward_into`: a flow into a `Sink` of futures.

use std::{
    error,
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use futures_sink::Sink;
use reactive_streams::{Error, Publisher};

use super::{
    failure::failure,
    intake::{Intake, run},
};
use crate::{Flow, Outcome, scheduler};

impl<P: Publisher> Flow<P> {
    /// Gives the items to a sink, and closes it after the last.
    ///
    /// # Demand
    ///
    /// One item at a time, when the sink is ready for it. While none comes, the sink is flushed, so
    /// that no item stays behind in its buffer; if that makes the sink busy, the one item that
    /// comes meanwhile waits here. What the sink buffers is the sink's own bound.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow has completed and the sink was closed.
    /// When the flow fails, the sink is flushed, dropped without being closed, so that what it
    /// wrote does not look complete, and the outcome is the flow's error.
    /// When the sink fails, the flow is canceled, and the outcome is the sink's error: of kind `Io`
    /// if it is an [`io::Error`](std::io::Error), otherwise as
    /// [`Error::other`] makes it. Dropping the outcome drops the sink as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{StreamExt, channel::mpsc, executor::block_on};
    ///
    /// let (sink, items) = mpsc::channel(1);
    /// let done = millstream::range(0..3).forward_into(sink);
    /// assert_eq!(block_on(items.collect::<Vec<_>>()), [0, 1, 2]);
    /// done.wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn forward_into<Si>(self, sink: Si) -> Outcome<()>
    where
        P::Item: Send + 'static,
        Si: Sink<P::Item, Error: error::Error + Send + Sync + 'static> + Send + 'static,
    {
        run(
            &scheduler::ambient(),
            forward(Intake::of(self.source), sink, |_, cause| failure(cause)),
        )
    }
}

/// Gives the items to the sink, and closes it; `failure` makes an error of what it says.
pub(super) async fn forward<T, Si>(
    mut intake: Intake<T>,
    sink: Si,
    failure: fn(&Si, Si::Error) -> Error,
) -> Result<(), Error>
where
    T: Send + 'static,
    Si: Sink<T>,
{
    let mut sink = pin!(sink);
    loop {
        let is_over = poll_fn(|cx| match intake.poll_end(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(true)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(End::OfFlow(error))),
            Poll::Pending => sink.as_mut().poll_ready(cx).map_err(End::OfSink).map_ok(|()| false),
        });
        let next = match is_over.await {
            Ok(true) => Ok(None),
            Ok(false) => {
                poll_fn(|cx| idle(&mut intake, cx, |cx| sink.as_mut().poll_flush(cx))).await
            }
            Err(end) => Err(end),
        };
        let failed = match next {
            Ok(Some(item)) => {
                // Flushing may have used the readiness up.
                match poll_fn(|cx| sink.as_mut().poll_ready(cx)).await {
                    Ok(()) => sink.as_mut().start_send(item),
                    failed => failed,
                }
            }
            Ok(None) => match poll_fn(|cx| sink.as_mut().poll_close(cx)).await {
                Ok(()) => return Ok(()),
                failed => failed,
            },
            Err(End::OfSink(cause)) => Err(cause),
            Err(End::OfFlow(error)) => {
                // The flow failed first: what the sink says now would hide it.
                drop(poll_fn(|cx| sink.as_mut().poll_flush(cx)).await);
                return Err(error);
            }
        };
        failed.map_err(|cause| failure(&sink, cause))?;
    }
}

enum End<E> {
    OfFlow(Error),
    OfSink(E),
}

/// The next item; flushes while there is none.
fn idle<T: Send + 'static, E>(
    intake: &mut Intake<T>,
    cx: &mut Context<'_>,
    flush: impl FnOnce(&mut Context<'_>) -> Poll<Result<(), E>>,
) -> Poll<Result<Option<T>, End<E>>> {
    match intake.poll_next(cx) {
        Poll::Ready(next) => Poll::Ready(next.map_err(End::OfFlow)),
        Poll::Pending => match flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(End::OfSink(error))),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        },
    }
}
