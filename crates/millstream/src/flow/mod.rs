//! `Flow`: a publisher that carries the operators.

#[macro_use]
mod backpressure;
mod error_mode;
mod outcome;

pub use backpressure::{Backpressure, BackpressureKind, Bounded, assert_bounded};
pub use error_mode::ErrorMode;
pub use outcome::Outcome;
use reactive_streams::{BoxClonePublisher, BoxPublisher, Error, Publisher, Subscriber};

/// A publisher with operators.
///
/// A flow is a plan: nothing happens until it is subscribed to, by [`subscribe`](Self::subscribe)
/// or by one of the operators that end a flow, such as [`fold`](Self::fold) or
/// [`collect`](Self::collect). Subscribing uses the flow up; a flow whose parts are `Clone` is `Clone`
/// and can be run as often as it is cloned.
///
/// Any publisher becomes a flow with `Flow::from`.
#[derive(Clone, Copy, Debug)]
#[must_use = "flows do nothing until subscribed to"]
pub struct Flow<P> {
    pub(crate) source: P,
}

impl<P: Publisher> Flow<P> {
    /// Connects `subscriber`, which decides how much it gets and when.
    ///
    /// # Demand
    ///
    /// The subscriber's own.
    ///
    /// # Termination
    ///
    /// The subscriber gets one terminal signal, unless it cancels.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let (probe, subscriber) = Probe::new();
    /// millstream::range(1..=9).subscribe(subscriber);
    /// probe.request(2);
    /// assert_eq!(probe.items(), [1, 2]);
    /// ```
    pub fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        self.source.subscribe(subscriber);
    }

    /// Passes this flow through `stage`, which returns the flow that follows: for operators of
    /// other crates, and for a part of a pipeline that several flows have in common.
    ///
    /// A crate that brings many operators puts them into an extension trait; see
    /// [`parts`](crate::parts) for what they are built from.
    ///
    /// # Demand
    ///
    /// As `stage` has it; this adds nothing of its own.
    ///
    /// # Termination
    ///
    /// As `stage` has it.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Flow, Publisher, range};
    ///
    /// fn even_squares<P>(flow: Flow<P>) -> Flow<impl Publisher<Item = u64>>
    /// where
    ///     P: Publisher<Item = u64>,
    /// {
    ///     flow.filter(|n| n % 2 == 0).map(|n| n * n)
    /// }
    ///
    /// let squares = range(1..=6_u64).through(even_squares).collect::<Vec<_>>().wait()?;
    /// assert_eq!(squares, [4, 16, 36]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "compose")]
    #[doc(alias = "transform")]
    #[doc(alias = "via")]
    #[doc(alias = "pipe")]
    pub fn through<Q: Publisher>(self, stage: impl FnOnce(Self) -> Flow<Q>) -> Flow<Q> {
        stage(self)
    }

    /// Returns the publisher without the operators: what an operator of another crate keeps as its
    /// source. [`Flow::from`] is the way back.
    pub fn into_inner(self) -> P {
        self.source
    }

    /// Erases the type, for a field, a return type or a list of different flows.
    ///
    /// Costs one allocation a subscription and a dynamic call a signal.
    pub fn boxed(self) -> Flow<BoxPublisher<P::Item>>
    where
        P: Send + 'static,
        P::Item: 'static,
    {
        Flow { source: BoxPublisher::new(self.source) }
    }

    /// Erases the type and keeps the flow `Clone`.
    pub fn boxed_clone(self) -> Flow<BoxClonePublisher<P::Item>>
    where
        P: Clone + Send + 'static,
        P::Item: 'static,
    {
        Flow { source: BoxClonePublisher::new(self.source) }
    }
}

impl<P: Publisher> From<P> for Flow<P> {
    fn from(source: P) -> Self {
        Self { source }
    }
}

impl<P: Publisher> Publisher for Flow<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        self.source.subscribe(subscriber);
    }

    #[inline]
    fn give_all<F: FnMut(P::Item)>(self, limit: u64, take: F) -> Result<Result<(), Error>, Self> {
        self.source.give_all(limit, take).map_err(|source| Self { source })
    }
}
