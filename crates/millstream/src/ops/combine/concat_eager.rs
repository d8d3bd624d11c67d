//! `concat_eager`: several flows at a time, in order.

use reactive_streams::{Publisher, Subscriber};

use crate::{
    ErrorMode, Flow,
    parts::fan_in::{PREFETCH, in_order::InOrder, merging},
};

/// The items of several flows, all of one before those of the next; the flows run at the same time.
///
/// A flow whose turn has not come fills its queue and then waits. For flows that begin when the one
/// before has ended, see [`concat_all`](crate::concat_all).
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many were passed on. Up to 32 items of each flow wait.
///
/// # Termination
///
/// Completes after the last flow; at once if there are none. Fails with a flow when its turn comes,
/// after its items; those after it are canceled, and what waits of them is dropped.
/// [`error_mode`](Flow::error_mode) may delay that until all have ended. A cancel reaches every flow.
///
/// # Examples
///
/// ```
/// use millstream::concat_eager;
/// use millstream_testkit::marbles::{check_in_time, source};
///
/// check_in_time(
///     "-a----b---|",
///     |letters, clock| concat_eager([letters, source("---1-------2-|", clock)]),
///     "-a----b---12-|",
/// );
/// ```
#[doc(alias = "merge_sequential")]
pub fn concat_eager<P: Publisher>(flows: impl IntoIterator<Item = P>) -> Flow<ConcatEager<P>> {
    let mode = ErrorMode::Immediate;
    Flow { source: ConcatEager { flows: flows.into_iter().collect(), mode } }
}

impl<P> Flow<ConcatEager<P>> {
    /// [`concat_eager`] with another policy for failures.
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`concat_eager`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ConcatEager<P> {
    flows: Vec<P>,
    mode: ErrorMode,
}

impl<P> Publisher for ConcatEager<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        merging::subscribe(self.flows, InOrder::new(PREFETCH, self.mode), downstream);
    }
}

backpressure!(list ConcatEager<P>, Queue, |_this| PREFETCH);
opaque_debug!(ConcatEager<P>);
