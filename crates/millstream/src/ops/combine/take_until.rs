//! `take_until`: a flow until another one gives a sign.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        start::Start,
    },
};

impl<P: Publisher> Flow<P> {
    /// Passes items on until `other` gives an item or completes.
    ///
    /// The source is then canceled; items that it gave before are still passed on.
    ///
    /// # Demand
    ///
    /// `other` is asked for one item when this is subscribed to.
    /// The rest starts with the downstream's first request: then the source is asked for 32 items,
    /// and for 24 more whenever as many were passed on. Up to 32 items wait.
    ///
    /// # Termination
    ///
    /// Completes with the source, or with the sign of `other`; fails with the source or with
    /// `other`; each after the items that wait. Whichever goes on is canceled.
    /// A cancel reaches both.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::{check_in_time, source};
    ///
    /// check_in_time(
    ///     "-a-b-c-d-|",
    ///     |letters, clock| letters.take_until(source("----1-|", clock)),
    ///     "-a-b|",
    /// );
    /// ```
    #[doc(alias = "take_until_other")]
    pub fn take_until<Q: Publisher>(self, other: Q) -> Flow<TakeUntil<P, Q>> {
        Flow { source: TakeUntil { source: self.source, other } }
    }
}

/// Publisher returned by [`Flow::take_until`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct TakeUntil<P, Q> {
    source: P,
    other: Q,
}

impl<P, Q> Publisher for TakeUntil<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (first, main) = inlet(PREFETCH);
        let (second, other) = inlet(1);
        let (signal, start) = Start::new();
        let source = TakeUntilSource { start, main, other, sign: None };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        // The other one first: its sign may be there already.
        second.subscribe_to(self.other, Arc::clone(&gate));
        first.subscribe_to(self.source, Arc::clone(&gate));
        signal.give(gate);
    }
}

backpressure!(two TakeUntil<P, Q>, source saturating_add other, Queue, |_this| PREFETCH + 1);
opaque_debug!(TakeUntil<P, Q>);

struct TakeUntilSource<T, U> {
    start: Start,
    main: Inlet<T>,
    other: Inlet<U>,
    /// What follows the items that wait, once the other flow gave its sign.
    sign: Option<End>,
}

impl<T, U> TakeUntilSource<T, U> {
    /// Whether the other flow has given its sign. The source is canceled with the first look at it.
    fn look(&mut self) -> bool {
        if self.sign.is_none() {
            let sign = self.other.take_item().map(|_| End::Complete);
            self.sign = sign.or_else(|| self.other.end());
            if self.sign.is_some() {
                self.main.cancel();
                self.other.cancel();
            }
        }
        self.sign.is_some()
    }
}

impl<T, U> Source for TakeUntilSource<T, U>
where
    T: Send + 'static,
    U: Send + 'static,
{
    type Item = T;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        self.other.start();
        self.look();
    }

    #[inline]
    fn next(&mut self) -> Step<T> {
        if self.look() {
            return match self.main.take_item() {
                Some(item) => Step::Item(item),
                None => self.sign.take().map_or(Step::Pending, Step::End),
            };
        }
        if !self.start.has_come() {
            return Step::Pending;
        }
        let step = self.main.next();
        if let Step::End(_) = &step {
            self.other.cancel();
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        if self.look() {
            return if self.main.is_drained() { self.sign.take() } else { None };
        }
        let end = self.main.end()?;
        self.other.cancel();
        Some(end)
    }

    fn cancel(&mut self) {
        self.main.cancel();
        self.other.cancel();
    }
}
