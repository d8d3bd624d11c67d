//! `Acknowledge`: how a system is told, and the guard that tells it in any case.

use std::{fmt, time::Duration};

use millstream_kernel::guard::muted;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It was dealt with.
    Ack,
    /// It was not, and is to be delivered again.
    Nack {
        /// After this time, where the system can wait.
        delay: Duration,
    },
    /// It never will be.
    Reject {
        /// Why.
        reason: String,
    },
}

/// How a system is told what became of a delivery.
pub trait Acknowledge: Send + Sized + 'static {
    /// Tells the system. Called once, from any thread, also in a drop: it does not block, and what
    /// it has to send is sent by others.
    fn settle(self, settlement: Settlement);

    /// Tells the system the same of many deliveries, at one go where it can.
    fn settle_all(all: Vec<Self>, settlement: Settlement) {
        for each in all {
            each.settle(settlement.clone());
        }
    }

    /// Work on it goes on: the time in which it is to be settled begins anew. Does nothing in
    /// systems that wait as long as the connection lasts.
    fn extend(&self) {}
}

/// The duty to say what became of a delivery. Its drop is a nack without a delay.
#[must_use = "an acknowledgement that is dropped is a nack"]
pub struct Acknowledgement<A: Acknowledge>(Option<A>);

impl<A: Acknowledge> Acknowledgement<A> {
    /// The duty to settle `acknowledge`.
    pub const fn new(acknowledge: A) -> Self {
        Self(Some(acknowledge))
    }

    /// It was dealt with.
    pub fn ack(self) {
        self.settle(Settlement::Ack);
    }

    /// It was not dealt with, and is to be delivered again after `delay`.
    pub fn nack(self, delay: Duration) {
        self.settle(Settlement::Nack { delay });
    }

    /// It never will be dealt with, for `reason`.
    pub fn reject(self, reason: impl Into<String>) {
        self.settle(Settlement::Reject { reason: reason.into() });
    }

    /// Says what became of it.
    pub fn settle(mut self, settlement: Settlement) {
        if let Some(acknowledge) = self.0.take() {
            acknowledge.settle(settlement);
        }
    }

    /// Says what became of many.
    pub fn settle_all(all: impl IntoIterator<Item = Self>, settlement: Settlement) {
        A::settle_all(all.into_iter().filter_map(|mut each| each.0.take()).collect(), settlement);
    }

    /// Work on it goes on: see [`Acknowledge::extend`].
    pub fn extend(&self) {
        if let Some(acknowledge) = &self.0 {
            acknowledge.extend();
        }
    }
}

impl<A: Acknowledge> Drop for Acknowledgement<A> {
    fn drop(&mut self) {
        if let Some(acknowledge) = self.0.take() {
            // One that panics must not abort a thread that is panicking already.
            muted(|| acknowledge.settle(Settlement::Nack { delay: Duration::ZERO }));
        }
    }
}

impl<A: Acknowledge> fmt::Debug for Acknowledgement<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acknowledgement").finish_non_exhaustive()
    }
}
