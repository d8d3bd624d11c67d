//! Credits between the stages of a flow: each item comes with one.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::{Credits, state::Want, wait::Waiting};
use crate::{Meter, Outcome, Permit, Reason};

/// An item, and the credit that it holds until it is finished or dropped.
///
/// ```
/// use millstream::{range, scheduler::VirtualTime};
/// use millstream_pressure::{Credits, CreditsConfig, FlowExt as _, Outcome, Policy as _};
///
/// let credits = Credits::new("in_flight", CreditsConfig::fixed(4), &VirtualTime::new())?;
/// let doubled = range(0..100_u64)
///     .credits(&credits)
///     .map_async(16, |n| async move { n.map(|n| n * 2) }) // at most 4 in flight
///     .map(|n| n.finish(Outcome::Success));
/// assert_eq!(doubled.count().wait()?, 100);
/// assert_eq!(credits.snapshot().free, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the credit is given back when this is dropped"]
pub struct Credited<T> {
    /// The item.
    pub item: T,
    /// Its credit.
    pub permit: Permit,
}

impl<T> Credited<T> {
    /// What became of the item, with the same credit.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Credited<U> {
        Credited { item: f(self.item), permit: self.permit }
    }

    /// Gives the credit back, and says how the item was dealt with.
    pub fn finish(self, outcome: Outcome) -> T {
        self.permit.finish(outcome);
        self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Credited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credited").field(&self.item).finish()
    }
}

/// A flow's stay among those who wait for [`Credits`].
#[derive(Default)]
pub struct CreditTurn(Option<Waiting>);

impl fmt::Debug for CreditTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreditTurn").finish_non_exhaustive()
    }
}

impl Meter for Credits {
    type Turn = CreditTurn;
    type Out<T> = Credited<T>;

    fn poll(
        &self,
        turn: &mut CreditTurn,
        wanted: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Reason>> {
        let shared = &self.0;
        let waiting = || Waiting::new(Arc::clone(shared), 1, Want::Reservation);
        ready!(turn.0.get_or_insert_with(waiting).poll(cx));
        // What is free as well, if nobody waits.
        let more = match wanted - 1 {
            0 => 0,
            wanted => shared.change(shared.clock.now(), |state| state.reserve(wanted)),
        };
        Poll::Ready(Ok(1 + more))
    }

    fn refund(&self, n: u64) {
        self.0.change(self.0.clock.now(), |state| state.unreserve(n));
    }

    fn pass<T>(&self, item: T) -> Credited<T> {
        let now = self.0.clock.now();
        let number = self.0.state.lock().arrive(now);
        Credited { item, permit: self.permit(1, number, now) }
    }
}
