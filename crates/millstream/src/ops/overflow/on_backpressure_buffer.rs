//! `on_backpressure_buffer`: a bounded queue for what nobody asked for yet.

use std::sync::{Arc, Weak};

use millstream_kernel::{Backlog, Gate, Inline};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use super::Overflow;
use crate::{
    Flow,
    parts::{inlet::check_bound, shed::shed_queue},
};

/// Drops an item.
pub type Discard<T> = fn(T);

impl<P: Publisher> Flow<P> {
    /// Asks the source for everything, and lets up to `capacity` items wait;
    /// `strategy` says which item goes when there are more.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked without bound. The
    /// downstream gets what it asks for, from a queue of exactly `capacity` items.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait.
    /// With [`Overflow::Fail`], fails with an error of kind `Overflow`, after the items that wait.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::Overflow;
    /// use millstream_testkit::Probe;
    ///
    /// let flow = millstream::range(1..=5).on_backpressure_buffer(2, Overflow::DropOldest);
    /// let probe = Probe::subscribe_to(flow);
    /// probe.request(1); // the source sends all five: one is asked for, and two wait
    /// probe.request(9);
    /// assert_eq!(probe.items(), [1, 4, 5]);
    /// ```
    #[doc(alias = "buffer")]
    #[track_caller]
    pub fn on_backpressure_buffer(
        self,
        capacity: usize,
        strategy: Overflow,
    ) -> Flow<OnBackpressureBuffer<P, Discard<P::Item>>>
    where
        P::Item: 'static,
    {
        self.on_backpressure_buffer_with(capacity, strategy, drop)
    }

    /// [`on_backpressure_buffer`](Self::on_backpressure_buffer), which hands the items that go to
    /// `on_evicted`.
    ///
    /// # Demand
    ///
    /// As [`on_backpressure_buffer`](Self::on_backpressure_buffer).
    ///
    /// # Termination
    ///
    /// As [`on_backpressure_buffer`](Self::on_backpressure_buffer).
    /// Items that wait when the stream is canceled are dropped, not handed over.
    /// If `on_evicted` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use millstream::Overflow;
    /// use millstream_testkit::Probe;
    ///
    /// let (sender, evicted) = mpsc::channel();
    /// let flow = millstream::range(1..=5)
    ///     .on_backpressure_buffer_with(2, Overflow::DropIncoming, move |n| {
    ///     sender.send(n).unwrap();
    /// });
    /// let probe = Probe::subscribe_to(flow);
    /// probe.request(1);
    /// assert_eq!(evicted.try_iter().collect::<Vec<_>>(), [4, 5]);
    /// probe.request(9);
    /// assert_eq!(probe.items(), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn on_backpressure_buffer_with<F>(
        self,
        capacity: usize,
        strategy: Overflow,
        on_evicted: F,
    ) -> Flow<OnBackpressureBuffer<P, F>>
    where
        F: FnMut(P::Item) + Send + 'static,
    {
        check_bound(capacity);
        Flow {
            source: OnBackpressureBuffer { source: self.source, capacity, strategy, on_evicted },
        }
    }
}

/// Publisher returned by [`Flow::on_backpressure_buffer`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnBackpressureBuffer<P, F> {
    source: P,
    capacity: usize,
    strategy: Overflow,
    on_evicted: F,
}

impl<P, F> Publisher for OnBackpressureBuffer<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, capacity, strategy, mut on_evicted } = self;
        let evict = strategy.evicts();
        let (entrance, queue) = shed_queue(capacity);
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (queue, downstream, Inline));
        source.subscribe(entrance.subscriber(
            Arc::clone(&gate),
            move |backlog: &Backlog<P::Item>, item| {
                let was_full = backlog.push(item, evict, &mut on_evicted);
                if was_full && strategy == Overflow::Fail {
                    return Err(overflow(capacity));
                }
                Ok(())
            },
        ));
    }
}

backpressure!(OnBackpressureBuffer<P, F>, Shed, |this| this.capacity);
opaque_debug!(OnBackpressureBuffer<P, F>);

fn overflow(capacity: usize) -> Error {
    let message = format!("more than {capacity} items waited to be asked for");
    Error::new(ErrorKind::Overflow, message)
}
