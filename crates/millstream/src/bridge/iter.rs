//! `into_iter_blocking`: a flow as an iterator.

use std::{future::poll_fn, iter::FusedIterator, pin::Pin};

use futures_core::Stream;
use reactive_streams::{Error, Publisher};

use crate::{Flow, IntoStream};

impl<P: Publisher> Flow<P> {
    /// Subscribes, and gives the items as an iterator of `Result`s, which blocks until the next is
    /// there.
    ///
    /// Not for async code, whose thread it would block, and not for a thread that the flow needs in
    /// order to go on; there, use [`into_stream`](Self::into_stream).
    ///
    /// # Demand
    ///
    /// Starts with the first `next`: then `capacity` items are asked for, and three quarters of
    /// that again whenever as many were taken. Up to `capacity` items wait in a queue of that
    /// capacity.
    ///
    /// # Termination
    ///
    /// The iterator ends when the flow completes, and stays ended; a failure is its last item.
    /// Dropping it cancels the flow and drops the items that wait.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut sum = 0;
    /// for n in millstream::range(1..=4).into_iter_blocking(2) {
    ///     sum += n?;
    /// }
    /// assert_eq!(sum, 10);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "to_iterable")]
    #[track_caller]
    pub fn into_iter_blocking(self, capacity: usize) -> IntoIterBlocking<P::Item>
    where
        P::Item: Send + 'static,
    {
        IntoIterBlocking(self.into_stream(capacity))
    }
}

/// Iterator returned by [`Flow::into_iter_blocking`].
#[must_use = "iterators do nothing unless advanced, and dropping this one cancels its flow"]
pub struct IntoIterBlocking<T>(IntoStream<T>);

impl<T> Iterator for IntoIterBlocking<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        pollster::block_on(poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> FusedIterator for IntoIterBlocking<T> {}

opaque_debug!(IntoIterBlocking<T>);
