//! Shared: one flow dealt out to several parts, each of which is a flow for one subscriber.
//!
//! `partition`, `balance` and `unzip` differ in whose an item is, which is up to the [`Deal`].
//! What they share is here: a gate without a downstream takes from the source as long as there is a
//! place for its next item, and is woken when a place is free again.
//! The source is subscribed to with the first of the parts.
//!
//! # Invariants
//!
//! 1. Items reach the parts in the order of the source: one whose part is full holds up those
//!    behind it.
//! 2. A part that was canceled or dropped takes all that comes for it, and keeps nothing.
//! 3. The source is canceled when there is no part left.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock, Weak},
};

use millstream_kernel::{End, Gate, Inline, Slot, Source, Step, Wake};
use reactive_streams::{Error, Publisher, Subscriber, Subscription};

use super::window::{Feed, Inner, inner};
use crate::{
    Backpressure, BackpressureKind, Bounded, Context, Flow,
    parts::inlet::{Inlet, inlet},
    scheduler::surroundings::Surroundings,
};

/// Items that are moved before the gate looks for other news.
const BURST: usize = 64;

/// Says whose an item is.
pub(super) trait Deal<T>: Send + 'static {
    /// Where an item goes.
    type Place: Copy + Send + 'static;

    /// Called once for each item.
    fn place(&mut self, item: &T) -> Self::Place;

    /// Whether it can go there now.
    fn has_room(&mut self, place: Self::Place) -> bool;

    /// Puts it there; there is room.
    fn deal(&mut self, place: Self::Place, item: T);

    /// Tells the parts of what they got.
    fn flush(&mut self);

    /// Whether there is no part left.
    fn is_closed(&self) -> bool;

    /// Ends all parts, after what they have.
    fn end(&mut self, end: End);
}

/// One part of a flow: see [`Flow::partition`], [`Flow::balance`] and [`Flow::unzip`].
///
/// It serves one subscriber, who may come at any time and from any thread, and who is signaled on
/// the thread that requests or on that of the source. Dropped, it is canceled.
#[must_use = "publishers do nothing until subscribed to, and a part that is dropped takes no items"]
pub struct Part<T> {
    inner: Inner<T>,
    capacity: usize,
    start: Arc<Begin>,
}

/// Subscribes to the source, once; set when the parts are there.
type Begin = OnceLock<Slot<Box<dyn FnOnce() + Send>>>;

impl<T: Send + 'static> Publisher for Part<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        self.inner.subscribe(downstream);
        if let Some(begin) = self.start.get().and_then(Slot::take) {
            begin();
        }
    }
}

impl<T> Backpressure for Part<T> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.capacity as u64
    }
}

impl<T> Bounded for Part<T> {}
opaque_debug!(Part<T>);

/// Makes parts.
pub(super) struct Maker {
    capacity: usize,
    gate: Arc<Relay>,
    start: Arc<Begin>,
}

impl Maker {
    /// The end that fills a part, and the part.
    pub(super) fn part<T: Send + 'static>(&self) -> (Feed<T>, Flow<Part<T>>) {
        let Self { capacity, gate, start } = self;
        let (feed, inner) = inner(*capacity, *capacity, Arc::clone(gate) as Arc<dyn Wake>);
        (feed, Flow { source: Part { inner, capacity: *capacity, start: Arc::clone(start) } })
    }
}

/// Deals `publisher` out to the parts that `make` makes, each of which holds `capacity` items.
pub(super) fn deal<P, D, R>(publisher: P, capacity: usize, make: impl FnOnce(&Maker) -> (D, R)) -> R
where
    P: Publisher<Item: Send + 'static> + Send + 'static,
    D: Deal<P::Item>,
{
    let (relay, start) = (Arc::new(Relay(OnceLock::new())), Arc::new(Begin::new()));
    let maker = Maker { capacity, gate: Arc::clone(&relay), start: Arc::clone(&start) };
    let (deal, parts) = make(&maker);
    let (entrance, inlet) = inlet(capacity);
    let gate = Gate::start_with(|gate: &Weak<Gate<_, Nobody, _>>| {
        let gate: Weak<dyn Wake> = Weak::clone(gate) as _;
        (DealSource { inlet, gate, deal, held: None, end: None }, Nobody, Inline)
    });
    let _first = relay.0.set(Arc::clone(&gate) as Arc<dyn Wake>);
    let surroundings = Surroundings::current();
    let begin = move || {
        // That of the first part that is subscribed to, and not of where the parts were made.
        let context = Context::current();
        let subscriber = entrance.subscriber(Arc::clone(&gate));
        surroundings.within(|| context.within(|| publisher.subscribe(subscriber)));
    };
    let _first = start.set(Slot::new(Box::new(begin)));
    parts
}

/// The gate, which is made after the parts. They hold it, because what they are still to get is in
/// it when the source has ended; its end, which the last of them makes it find, lets go of them.
struct Relay(OnceLock<Arc<dyn Wake>>);

impl Wake for Relay {
    fn wake(&self) {
        if let Some(gate) = self.0.get() {
            gate.wake();
        }
    }
}

/// The gate's subscriber: nothing is signaled.
struct Nobody;

impl Subscriber<Infallible> for Nobody {
    fn on_subscribe(&mut self, _: Arc<dyn Subscription>) {}

    fn on_next(&mut self, item: Infallible) {
        match item {}
    }

    fn on_error(self, _: Error) {}

    fn on_complete(self) {}
}

struct DealSource<T, D: Deal<T>> {
    inlet: Inlet<T>,
    gate: Weak<dyn Wake>,
    deal: D,
    /// An item whose part is full, and which that is.
    held: Option<(D::Place, T)>,
    end: Option<End>,
}

impl<T: Send + 'static, D: Deal<T>> DealSource<T, D> {
    /// Moves items as long as there are places.
    fn run(&mut self) {
        let Self { inlet, deal, held, end, .. } = self;
        for _ in 0..BURST {
            if deal.is_closed() {
                inlet.cancel();
                deal.end(End::Complete);
                *end = Some(End::Complete);
                return;
            }
            let (place, item) = match held.take() {
                Some(held) => held,
                None => match inlet.next() {
                    Step::Item(item) => (deal.place(&item), item),
                    Step::Pending => return deal.flush(),
                    Step::End(how) => {
                        deal.end(how.clone());
                        *end = Some(how);
                        return;
                    }
                },
            };
            if !deal.has_room(place) {
                *held = Some((place, item));
                return deal.flush();
            }
            deal.deal(place, item);
        }
        deal.flush();
        // Comes back, and leaves room for others.
        if let Some(gate) = self.gate.upgrade() {
            gate.wake();
        }
    }
}

impl<T: Send + 'static, D: Deal<T>> Source for DealSource<T, D> {
    type Item = Infallible;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        if self.end.is_none() {
            self.run();
        }
    }

    fn next(&mut self) -> Step<Infallible> {
        self.end.take().map_or(Step::Pending, Step::End)
    }

    fn end(&mut self) -> Option<End> {
        self.end.take()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
