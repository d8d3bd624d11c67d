//! `dead_letter`: what is rejected goes to a sink, and is given back unless that has taken it.

use std::time::Duration;

use millstream::{Flow, Publisher, Subscriber};

use super::{Acknowledge, Acknowledgement, Delivery, Envelope, Settlement};
use crate::Queue;

/// A payload that will never be dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter<T> {
    /// As it came.
    pub payload: T,
    /// Why it was rejected.
    pub reason: String,
}

/// Where dead letters go.
///
/// A letter is a delivery with the acknowledgement of the original: it is acknowledged when the
/// letter is stored, and dropped, so that it is delivered again, where it cannot be. A closure is
/// such a sink, and so is a [`Queue`], from which a letter that it refuses is delivered again when
/// the queue says so.
pub trait DeadLetters<T, A: Acknowledge>: Clone + Send + Sync + 'static {
    /// Takes a letter. Never waits, and may be called from any thread.
    fn put(&self, letter: Delivery<DeadLetter<T>, A>);
}

impl<T, A, F> DeadLetters<T, A> for F
where
    A: Acknowledge,
    F: Fn(Delivery<DeadLetter<T>, A>) + Clone + Send + Sync + 'static,
{
    fn put(&self, letter: Delivery<DeadLetter<T>, A>) {
        self(letter);
    }
}

impl<T, A> DeadLetters<T, A> for Queue<Delivery<DeadLetter<T>, A>>
where
    T: Send + 'static,
    A: Acknowledge,
{
    fn put(&self, letter: Delivery<DeadLetter<T>, A>) {
        if let Err(rejected) = self.try_put(letter) {
            let delay = rejected.retry_after.unwrap_or(Duration::ZERO);
            rejected.into_item().nack(delay);
        }
    }
}

/// Publisher returned by [`FlowExt::dead_letter`](crate::FlowExt::dead_letter) and its like.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct DeadLettered<P, L> {
    source: P,
    letters: L,
    max_attempts: u32,
}

impl<P, L> DeadLettered<P, L> {
    pub(crate) const fn new(source: P, letters: L, max_attempts: u32) -> Self {
        Self { source, letters, max_attempts }
    }
}

impl<P, L, T, A> Publisher for DeadLettered<P, L>
where
    P: Publisher<Item = Delivery<T, A>>,
    L: DeadLetters<T, A>,
    T: Clone + Send + 'static,
    A: Acknowledge,
{
    type Item = Delivery<T, DeadLetterAck<T, A, L>>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, letters, max_attempts } = self;
        let wrap = move |delivery: Delivery<T, A>| {
            let attempt = delivery.envelope.attempt;
            let delivery = delivery.wrap(|payload, envelope, inner| DeadLetterAck {
                payload: payload.clone(),
                envelope: envelope.clone(),
                inner,
                letters: letters.clone(),
            });
            if attempt <= max_attempts {
                return Some(delivery);
            }
            delivery.reject(format!("it was delivered {attempt} times, of at most {max_attempts}"));
            None
        };
        Flow::from(source).filter_map(wrap).subscribe(downstream);
    }
}

/// Acknowledgement of a delivery behind [`FlowExt::dead_letter`](crate::FlowExt::dead_letter).
pub struct DeadLetterAck<T, A: Acknowledge, L> {
    payload: T,
    envelope: Envelope,
    inner: Acknowledgement<A>,
    letters: L,
}

impl<T, A, L> Acknowledge for DeadLetterAck<T, A, L>
where
    T: Send + 'static,
    A: Acknowledge,
    L: DeadLetters<T, A>,
{
    fn settle(self, settlement: Settlement) {
        let Self { payload, envelope, inner, letters } = self;
        match settlement {
            Settlement::Reject { reason } => {
                let letter = DeadLetter { payload, reason };
                letters.put(Delivery::from_parts(letter, envelope, inner));
            }
            other => inner.settle(other),
        }
    }

    fn extend(&self) {
        self.inner.extend();
    }
}

impl<T, A: Acknowledge, L> std::fmt::Debug for DeadLetterAck<T, A, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetterAck").field("envelope", &self.envelope).finish_non_exhaustive()
    }
}

millstream::opaque_debug!(DeadLettered<P, L>);
millstream::backpressure!(DeadLettered<P, L>, PassThrough);
