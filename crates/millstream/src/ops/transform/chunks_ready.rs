//! `chunks_ready`: whatever is there, in groups.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{Inlet, check_capacity, inlet},
};

impl<P: Publisher> Flow<P> {
    /// Collects the items that are there when the downstream has demand, up to `n`, into a vector.
    ///
    /// A fast downstream gets short vectors and a slow one gets long ones; nothing waits for a
    /// vector to be full.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `n` items are asked for, and three quarters
    /// of that again whenever as many were passed on.
    /// Up to `n` items wait in a queue of exactly that capacity.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::{Probe, Puppet};
    ///
    /// let (puppet, publisher) = Puppet::new();
    /// let probe = Probe::subscribe_to(millstream::Flow::from(publisher).chunks_ready(4));
    /// probe.request(1);
    /// (1..=4).for_each(|n| puppet.next(n).unwrap());
    /// probe.request(1);
    /// assert_eq!(probe.items(), [vec![1], vec![2, 3, 4]]);
    /// ```
    #[doc(alias = "ready_chunks")]
    #[track_caller]
    pub fn chunks_ready(self, n: usize) -> Flow<ChunksReady<P>>
    where
        P::Item: Send + 'static,
    {
        check_capacity(n);
        Flow { source: ChunksReady { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::chunks_ready`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ChunksReady<P> {
    source: P,
    n: usize,
}

impl<P> Publisher for ChunksReady<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let (entrance, inlet) = inlet(self.n);
        let source = ChunksReadySource { inlet, n: self.n };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(ChunksReady<P>, Queue, |this| this.n.saturating_mul(2));
opaque_debug!(ChunksReady<P>);

struct ChunksReadySource<T> {
    inlet: Inlet<T>,
    n: usize,
}

impl<T: Send + 'static> Source for ChunksReadySource<T> {
    type Item = Vec<T>;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Vec<T>> {
        self.inlet.start();
        let first = match self.inlet.take() {
            Step::Item(first) => first,
            Step::Pending => return Step::Pending,
            Step::End(end) => return Step::End(end),
        };
        let mut chunk = vec![first];
        while chunk.len() < self.n
            && let Some(item) = self.inlet.take_item()
        {
            chunk.push(item);
        }
        // After the last one was taken, so that a source on this thread does not fill the queue
        // midway.
        self.inlet.release(chunk.len() as u64);
        Step::Item(chunk)
    }

    fn end(&mut self) -> Option<End> {
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
