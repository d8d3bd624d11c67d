//! A concurrency limit as an operator: futures whose number, and the demand for their items,
//! follow it.
//!
//! The operator is [`Admit`] and the core's `map_async` after it: the former asks the source and
//! acquires, the latter runs. A *place* is what an item takes up from being asked for to its
//! output being passed on.
//!
//! # Invariants
//!
//! 1. Places are taken when items are asked for, up to the limit, and given back when outputs are
//!    passed on: so no more items are asked for, waiting, running or done than the limit was when
//!    the last one was asked for.
//! 2. An item that was asked for waits for its permit in line, however many wait; it is refused
//!    only when the limit is closed.

use std::{
    future::Future,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use millstream::{
    Backpressure, BackpressureKind, Bounded, Error, ErrorKind, Flow, Order, Publisher, Subscriber,
    parts::{
        GateWaker,
        inlet::{Inlet, inlet},
    },
    scheduler::{Scheduler, Worker},
};
use millstream_kernel::{Acquired, End, Gate, Inline, Permits, Source, Step, Wake};

use super::{ConcurrencyLimit, Handle, acquire::Acquiring};
use crate::{Outcome, Permit, Policy as _, parts::OneWorker};

/// The most futures of a flow, whatever the limit is.
const MOST: u64 = 1 << 14;

/// Publisher returned by [`FlowExt::map_async_limited`](crate::FlowExt::map_async_limited) and its
/// like.
#[must_use = "publishers do nothing until subscribed to"]
pub struct MapAsyncLimited<P, F, C> {
    source: P,
    limit: ConcurrencyLimit,
    worker: Worker,
    f: F,
    outcome_of: Arc<C>,
}

impl ConcurrencyLimit {
    /// The operators of [`FlowExt`](crate::FlowExt).
    pub(crate) fn stage<P, F, Fut, C>(
        &self,
        source: P,
        scheduler: &impl Scheduler,
        outcome_of: C,
        f: F,
    ) -> Flow<MapAsyncLimited<P, F, C>>
    where
        P: Publisher<Item: Send + 'static>,
        F: FnMut(P::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
        C: Fn(&Fut::Output) -> Outcome + Send + Sync + 'static,
    {
        let (limit, worker) = (self.clone(), scheduler.worker());
        MapAsyncLimited { source, limit, worker, f, outcome_of: Arc::new(outcome_of) }.into()
    }

    /// The most items of a flow that are asked for at a time.
    fn capacity(&self) -> usize {
        self.config().algorithm.max().min(MOST) as usize
    }
}

impl<P, F, Fut, C> Publisher for MapAsyncLimited<P, F, C>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Fut + Send + 'static,
    Fut: Future<Output: Send> + Send + 'static,
    C: Fn(&Fut::Output) -> Outcome + Send + Sync + 'static,
{
    type Item = Fut::Output;

    fn subscribe<S: Subscriber<Fut::Output>>(self, downstream: S) {
        let Self { source, limit, worker, mut f, outcome_of } = self;
        let capacity = limit.capacity();
        let run = move |Admitted { item, permit, place }: Admitted<P::Item>| {
            let future = f(item);
            let outcome_of = Arc::clone(&outcome_of);
            async move {
                let output = future.await;
                permit.finish(outcome_of(&output));
                (output, place)
            }
        };
        Flow::from(Admit { source, handle: limit.0, capacity })
            .map_async_on(&OneWorker(worker), capacity, Order::Completion, run)
            .map(|(output, place)| {
                drop(place);
                output
            })
            .subscribe(downstream);
    }
}

impl<P: Backpressure, F, C> Backpressure for MapAsyncLimited<P, F, C> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.source.max_in_flight().saturating_add(self.limit.capacity() as u64)
    }
}

impl<P: Bounded, F, C> Bounded for MapAsyncLimited<P, F, C> {}

millstream::opaque_debug!(MapAsyncLimited<P, F, C>);

/// Asks for items as the limit allows, and passes each on with a permit.
struct Admit<P> {
    source: P,
    handle: Arc<Handle>,
    capacity: usize,
}

/// An item that may be worked on now.
struct Admitted<T> {
    item: T,
    permit: Permit,
    place: Place,
}

/// What an item takes up in its flow.
struct Place {
    places: Arc<Permits>,
    gate: Arc<GateWaker>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.release(1);
        self.gate.wake_by_ref();
    }
}

impl<P: Publisher<Item: Send + 'static>> Publisher for Admit<P> {
    type Item = Admitted<P::Item>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, handle, capacity } = self;
        let (entrance, inlet) = inlet(capacity);
        let shared = Arc::clone(&handle.shared);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let gate = Arc::new(GateWaker::new(Weak::clone(gate)));
            let places = Arc::new(Permits::new(capacity as u64));
            let waker = Waker::from(Arc::clone(&gate));
            let source = AdmitSource { inlet, handle, places, acquiring: None, gate, waker };
            (source, downstream, Inline)
        });
        let weak = Arc::downgrade(&gate);
        shared.watch(weak as Weak<dyn Wake>);
        source.subscribe(entrance.subscriber(gate));
    }
}

struct AdmitSource<T> {
    inlet: Inlet<T>,
    handle: Arc<Handle>,
    /// As many as the flow may ever ask for; those that are held have been asked for.
    places: Arc<Permits>,
    /// For the item at the front.
    acquiring: Option<Acquiring>,
    gate: Arc<GateWaker>,
    waker: Waker,
}

impl<T: Send + 'static> AdmitSource<T> {
    /// Asks for as many items as the limit has places for.
    fn refill(&self) {
        let limit = match self.handle.part() {
            Some(part) => part.limit(),
            None => self.handle.shared.total.limit(),
        };
        let n = limit.min(MOST).saturating_sub(self.places.held());
        if n > 0 && self.places.try_acquire(n) == Acquired::Granted {
            self.inlet.request(n);
        }
    }
}

impl<T: Send + 'static> Source for AdmitSource<T> {
    type Item = Admitted<T>;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<Admitted<T>> {
        self.refill();
        if self.inlet.is_drained() {
            return self.inlet.end().map_or(Step::Pending, Step::End);
        }
        let handle = &self.handle;
        let acquiring = self.acquiring.get_or_insert_with(|| Acquiring::new(handle, usize::MAX));
        let answer = acquiring.poll(&mut Context::from_waker(&self.waker));
        let Poll::Ready(answer) = answer else { return Step::Pending };
        self.acquiring = None;
        let Ok(permit) = answer else {
            self.inlet.cancel();
            let what = "the concurrency limit was closed";
            return Step::End(End::Failed(Error::new(ErrorKind::Rejected, what)));
        };
        let Some(item) = self.inlet.take_item() else { return Step::Pending };
        let place = Place { places: Arc::clone(&self.places), gate: Arc::clone(&self.gate) };
        Step::Item(Admitted { item, permit, place })
    }

    fn end(&mut self) -> Option<End> {
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
