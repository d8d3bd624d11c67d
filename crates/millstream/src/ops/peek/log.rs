//! `log`: events for what passes.

use std::{fmt, sync::Arc};

use reactive_streams::{Publisher, Subscriber};
use tracing::{debug, trace};

use crate::{Flow, Listener};

impl<P: Publisher> Flow<P> {
    /// Writes `tracing` events for what passes: an item at level TRACE, all else at level DEBUG.
    ///
    /// Events have the target `millstream::log` and the field `flow`, which is `name`.
    /// Needs the feature `tracing`.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. If an item's `Debug` panics, fails with an error of
    /// kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let n = millstream::range(0..3).log("numbers").count().wait()?;
    /// assert_eq!(n, 3);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn log(self, name: impl Into<Arc<str>>) -> Flow<Log<P>>
    where
        P::Item: fmt::Debug,
    {
        Flow { source: Log { source: self.source, name: name.into() } }
    }
}

/// Publisher returned by [`Flow::log`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Log<P> {
    source: P,
    name: Arc<str>,
}

impl<P> Publisher for Log<P>
where
    P: Publisher<Item: fmt::Debug>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, name } = self;
        let listener = listener(&name);
        let logged = Flow { source }
            .inspect(move |item| trace!(target: "millstream::log", flow = &*name, ?item, "next"))
            .listen(listener);
        logged.subscribe(downstream);
    }
}

backpressure!(Log<P>, PassThrough);
opaque_debug!(Log<P>);

fn listener(name: &Arc<str>) -> Listener {
    let [subscribe, request, cancel, error, complete] = [(); 5].map(|()| Arc::clone(name));
    Listener::new()
        .on_subscribe(move || debug!(target: "millstream::log", flow = &*subscribe, "subscribe"))
        .on_request(move |n| debug!(target: "millstream::log", flow = &*request, n, "request"))
        .on_cancel(move || debug!(target: "millstream::log", flow = &*cancel, "cancel"))
        .on_error(move |e| debug!(target: "millstream::log", flow = &*error, error = %e, "error"))
        .on_complete(move || debug!(target: "millstream::log", flow = &*complete, "complete"))
}
