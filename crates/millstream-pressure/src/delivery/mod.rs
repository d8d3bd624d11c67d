//! `Delivery`: an item of a system that wants to know what became of it.
//!
//! A broker keeps what it has sent until it is told that it may forget it. A [`Delivery`] carries
//! that duty with the item: through operators that turn, filter, batch or work on it, to where it
//! is acknowledged. Whatever drops it on the way, a cancel, a panic, a flow that fails, gives it
//! back, so that nothing is lost.

mod acknowledge;
mod batch;
mod broker;
mod dead_letter;
mod dedup;
mod envelope;
mod fetch;
mod filter;
mod for_each;
mod map_async;
mod prefix;

use std::{fmt, time::Duration};

pub(crate) use self::for_each::for_each_acked;
pub use self::{
    acknowledge::{Acknowledge, Acknowledgement, Settlement},
    batch::{BatchAck, BatchAcked},
    broker::{BrokerAck, BrokerConfig, BrokerSnapshot, FromBroker, MemoryBroker},
    dead_letter::{DeadLetter, DeadLetterAck, DeadLettered, DeadLetters},
    dedup::{Begun, Dedup, DedupAck, DedupConfig, DedupSnapshot, DedupStore, MemoryDedup},
    envelope::{Envelope, Headers, Position},
    fetch::{Fetch, fetch_into},
    filter::FilterAcked,
    map_async::{MapAsyncAcked, Unprocessed},
    prefix::Prefix,
};

/// An item, what its system says about it, and its acknowledgement.
///
/// It ends in one of four ways: [`ack`](Self::ack), [`nack`](Self::nack),
/// [`reject`](Self::reject), or a drop, which is a nack without a delay.
///
/// ```
/// use std::time::Duration;
/// use millstream_pressure::{Acknowledge, Delivery, Settlement};
///
/// /// Says what became of it.
/// struct Say(std::sync::mpsc::Sender<Settlement>);
///
/// impl Acknowledge for Say {
///     fn settle(self, settlement: Settlement) {
///         self.0.send(settlement).ok();
///     }
/// }
///
/// let (sender, settlements) = std::sync::mpsc::channel();
/// let delivery = || Delivery::new("17", Say(sender.clone()));
///
/// match delivery().try_map(|text| text.parse::<u32>()) {
///     Ok(number) => number.ack(),
///     Err(error) => error.nack(Duration::ZERO),
/// }
/// delivery().reject("no order");
/// drop(delivery());
///
/// let ends = [
///     Settlement::Ack,
///     Settlement::Reject { reason: "no order".into() },
///     Settlement::Nack { delay: Duration::ZERO },
/// ];
/// assert_eq!(settlements.try_iter().collect::<Vec<_>>(), ends);
/// ```
#[must_use = "a delivery that is dropped is delivered again"]
pub struct Delivery<T, A: Acknowledge> {
    /// The item.
    pub payload: T,
    /// What its system says about it.
    pub envelope: Envelope,
    acknowledgement: Acknowledgement<A>,
}

impl<T, A: Acknowledge> Delivery<T, A> {
    /// A delivery of `payload`, about which nothing else is known.
    pub fn new(payload: T, acknowledge: A) -> Self {
        Self::from_parts(payload, Envelope::default(), Acknowledgement::new(acknowledge))
    }

    /// Puts a delivery together.
    pub const fn from_parts(
        payload: T,
        envelope: Envelope,
        acknowledgement: Acknowledgement<A>,
    ) -> Self {
        Self { payload, envelope, acknowledgement }
    }

    /// Takes it apart. The acknowledgement still has to be settled, and its drop is a nack.
    pub fn into_parts(self) -> (T, Envelope, Acknowledgement<A>) {
        (self.payload, self.envelope, self.acknowledgement)
    }

    /// It was dealt with: its system may forget it.
    pub fn ack(self) {
        self.acknowledgement.ack();
    }

    /// It was not dealt with: it is delivered again after `delay`.
    pub fn nack(self, delay: Duration) {
        self.acknowledgement.nack(delay);
    }

    /// It will never be dealt with: it goes to the dead letters, for `reason`.
    pub fn reject(self, reason: impl Into<String>) {
        self.acknowledgement.reject(reason);
    }

    /// Work on it goes on: its system waits for its acknowledgement as long again as at first,
    /// where it has such a thing.
    pub fn extend(&self) {
        self.acknowledgement.extend();
    }

    /// Turns the payload into another. If `f` panics, the delivery is given back.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Delivery<U, A> {
        let (payload, envelope, acknowledgement) = self.into_parts();
        Delivery::from_parts(f(payload), envelope, acknowledgement)
    }

    /// Turns the payload into another, or into an error.
    ///
    /// # Errors
    ///
    /// That of `f`, as a delivery: to be rejected, or dropped to be delivered again.
    pub fn try_map<U, E>(
        self,
        f: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Delivery<U, A>, Delivery<E, A>> {
        let (payload, envelope, acknowledgement) = self.into_parts();
        match f(payload) {
            Ok(payload) => Ok(Delivery::from_parts(payload, envelope, acknowledgement)),
            Err(error) => Err(Delivery::from_parts(error, envelope, acknowledgement)),
        }
    }

    /// Puts another acknowledgement around the present one, as operators do that have something to
    /// do with the end of a delivery.
    pub fn wrap<B: Acknowledge>(
        self,
        wrap: impl FnOnce(&T, &Envelope, Acknowledgement<A>) -> B,
    ) -> Delivery<T, B> {
        let (payload, envelope, acknowledgement) = self.into_parts();
        let wrapped = Acknowledgement::new(wrap(&payload, &envelope, acknowledgement));
        Delivery::from_parts(payload, envelope, wrapped)
    }
}

impl<T: fmt::Debug, A: Acknowledge> fmt::Debug for Delivery<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("payload", &self.payload)
            .field("envelope", &self.envelope)
            .finish_non_exhaustive()
    }
}
