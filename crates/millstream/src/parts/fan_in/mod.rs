//! Many inlets for one gate, which takes from them in turns or in order.
//!
//! An operator opens inlets through [`Inlets`] and takes their items; [`fair`] goes round them,
//! [`in_order`] empties one after the other. [`flattening`] and [`merging`] are sources over either. An
//! inlet rings its [`Bell`], which tells the gate its number.

pub(crate) mod fair;
pub(crate) mod flattening;
pub(crate) mod in_order;
pub(crate) mod merging;

use std::sync::Arc;

use millstream_kernel::{Bells, End, Wake};
use reactive_streams::{Error, Publisher};

use super::inlet::{Entrance, InletSubscriber};

/// Items of one inlet before the next one's turn.
pub(crate) const BURST: u32 = 8;

/// Flows at a time, where the operator is not told otherwise.
pub(crate) const CONCURRENCY: usize = 32;

/// Items that are requested of a flow at a time, unless the operator is told otherwise.
pub(crate) const PREFETCH: usize = 32;

/// Inlets as their gate's source sees them: in turns ([`fair`]) or in order ([`in_order`]).
pub(crate) trait Inlets<T>: Send + 'static {
    /// How many are open.
    fn n_open(&self) -> usize;

    /// How many were closed since the last call.
    fn take_closed(&mut self) -> u64;

    /// Opens one, which asks for nothing before it is [started](Self::start).
    fn open(&mut self) -> (usize, SlotEntrance<T>);

    /// Opens one, which asks for its first batch when it is subscribed.
    fn begin(&mut self) -> (usize, SlotEntrance<T>);

    /// Asks for the first batch of an inlet, if it was not closed before.
    fn start(&mut self, index: usize);

    /// Whether it is time to [look](Self::look): inlets that became ready must not wait for those
    /// in line to be drained.
    fn is_time_to_look(&self) -> bool;

    /// Whether items of a flow that begins now may come before what is left of the open ones.
    fn may_overtake(&self) -> bool;

    /// What the gate's bells are.
    fn bells(&self) -> Bells;

    /// These rang on the gate's own thread.
    fn rung(&mut self, indices: u64);

    /// Puts those that have become ready in line.
    fn look(&mut self);

    /// The next item, if one is in line.
    fn next(&mut self) -> Option<T>;

    /// Closes those whose last item was taken, so that their end is known without demand.
    fn close_ended(&mut self);

    /// How everything ends, if it does: by a failure that is not to wait, or after the last inlet,
    /// if no more of them come. Cancels what is left.
    fn end(&mut self, is_last: bool) -> Option<End>;

    /// Notes a failure; the first one counts.
    fn fail(&mut self, error: Error);

    /// Whether a failure ends everything.
    fn has_failed(&self) -> bool;

    /// Whether a failure keeps others from being opened.
    fn is_closing(&self) -> bool;

    fn cancel(&self);
}

/// Tells the gate that an inlet has something.
pub(crate) struct Bell<G> {
    number: Option<usize>,
    gate: Arc<G>,
}

/// Makes the subscriber of an open slot.
pub(crate) struct SlotEntrance<T> {
    number: Option<usize>,
    entrance: Entrance<T>,
}

impl<G: Wake> Wake for Bell<G> {
    #[inline]
    fn wake(&self) {
        match self.number {
            Some(index) => self.gate.ring(index),
            None => self.gate.wake(),
        }
    }
}

impl<T> SlotEntrance<T> {
    fn new(number: usize, entrance: Entrance<T>) -> Self {
        Self { number: Some(number), entrance }
    }

    /// For inlets that need not say which one it was.
    pub(crate) fn without_number(entrance: Entrance<T>) -> Self {
        Self { number: None, entrance }
    }

    pub(crate) fn subscriber<G: Wake>(self, gate: Arc<G>) -> InletSubscriber<T, Bell<G>> {
        self.entrance.subscriber(Bell { number: self.number, gate })
    }

    /// As [`Entrance::subscribe_to`].
    pub(crate) fn subscribe_to<P, G>(self, publisher: P, gate: Arc<G>)
    where
        T: Send + 'static,
        P: Publisher<Item = T>,
        G: Wake + 'static,
    {
        self.entrance.subscribe_to(publisher, Bell { number: self.number, gate });
    }
}
