//! One source after the other, for one downstream.
//!
//! `concat`, `repeat`, `retry` and `on_error_resume` differ in what they do when a
//! source has ended. What they share is here: the downstream is moved from one source's subscriber
//! to the next one's, its demand is carried over by the kernel's `Arbiter`, and ends are handled by
//! a `Serial`, so that a source that ends while it is being subscribed to does not recurse.

use std::{sync::Arc, time::Duration};

use millstream_kernel::{
    Arbiter, End, Handler, Job, Serial, Slot, Task, Upstream, Voice,
    guard::{caught, muted},
};
use reactive_streams::{Error, ErrorKind, Offer, Publisher, Subscriber, Subscription};

use super::downstream::Downstream;
use crate::scheduler::{TimerSlot, Worker, surroundings::Surroundings};

/// Whether a failure is one of those that an operator may make up for. A panic is a mistake in the
/// code, which would go unseen, and asking for nothing is the downstream's own (rule 3.9): these
/// pass.
pub(crate) fn may_be_mended(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::IllegalRequest | ErrorKind::Panicked)
}

/// Decides what follows when a source has ended.
pub(crate) trait Successor<T: 'static>: Sized + Send + 'static {
    /// Hands the downstream to the next source, or ends it.
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>);
}

/// The downstream, between two sources.
pub(crate) struct Handoff<T: 'static, S: Subscriber<T>, N: Successor<T>> {
    downstream: Downstream<S>,
    voice: Voice,
    succession: Arc<Serial<Succession<T, S, N>>>,
    /// What the first source was subscribed to in: the next ones are, too.
    surroundings: Surroundings,
    /// What the source before has delivered.
    n_produced: u64,
    stage: Stage,
}

/// What the downstream has got of the present source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No item.
    Fresh,
    /// An item, which it is looking at. A stream that ends in this stage ends by the downstream's
    /// panic.
    Signaling,
    /// An item at least.
    Served,
}

/// Handles the ends of the sources, one at a time.
pub(crate) struct Succession<T, S, N> {
    successor: N,
    handoffs: std::marker::PhantomData<fn(T, S)>,
}

/// Subscribes `downstream` to `first`, and then to what `successor` chooses.
pub(crate) fn subscribe<P, S, N>(first: P, mut downstream: S, successor: N)
where
    P: Publisher,
    S: Subscriber<P::Item>,
    N: Successor<P::Item>,
    P::Item: 'static,
{
    let mut voice = Arbiter::new();
    let arbiter = Arc::clone(voice.arbiter());
    let subscription = Arc::clone(&arbiter) as Arc<dyn Subscription>;
    let subscribed = caught(|| voice.inside(|| downstream.on_subscribe(subscription)));
    let inside = match subscribed {
        Ok(((), inside)) => inside,
        Err(error) => return downstream.on_error(error),
    };
    if inside.is_canceled {
        return;
    }
    if inside.is_illegal {
        return downstream.on_error(Error::illegal_request());
    }
    if inside.requested > 0 {
        arbiter.request(inside.requested);
    }
    let succession =
        Arc::new(Serial::new(Succession { successor, handoffs: std::marker::PhantomData }));
    let (downstream, surroundings) = (Downstream::new(downstream), Surroundings::current());
    let stage = Stage::Fresh;
    let handoff = Handoff { downstream, voice, succession, surroundings, n_produced: 0, stage };
    handoff.subscribe(first);
}

impl<T: 'static, S: Subscriber<T>, N: Successor<T>> Handoff<T, S, N> {
    /// The downstream gets its items from `publisher` now.
    pub(crate) fn subscribe(mut self, publisher: impl Publisher<Item = T>) {
        self.stage = Stage::Fresh;
        publisher.subscribe(SourceSubscriber {
            handoff: self,
            upstream: Upstream::unset(),
            n_requested: 0,
            n_produced: 0,
        });
    }

    /// The downstream gets its items from `publisher` once `delay` has passed. A cancel drops it at
    /// once.
    pub(crate) fn subscribe_after<P>(self, delay: Duration, worker: &Worker, publisher: P)
    where
        P: Publisher<Item = T> + Send + 'static,
    {
        if delay.is_zero() {
            return self.subscribe(publisher);
        }
        let arbiter = Arc::clone(self.voice.arbiter());
        let wait = Arc::new(Wait { held: Slot::new((self, publisher)), timer: TimerSlot::new() });
        let subscription = Arc::clone(&wait) as Arc<dyn Subscription>;
        arbiter.set(&subscription);
        wait.timer
            .hold(0, worker.schedule_after(delay, Job::new(Arc::clone(&wait) as Arc<dyn Task>)));
    }

    /// How many items the source that has ended delivered.
    pub(crate) fn n_produced(&self) -> u64 {
        self.n_produced
    }

    /// Whether the source that has ended gave an item, were it one that the downstream skipped.
    pub(crate) fn had_items(&self) -> bool {
        self.stage != Stage::Fresh
    }

    /// There are no more sources.
    pub(crate) fn end(self, end: End) {
        end.signal::<T>(self.downstream);
    }
}

impl<T: 'static, S: Subscriber<T>, N: Successor<T>> Handler for Succession<T, S, N> {
    type Message = (End, Handoff<T, S, N>);

    fn handle(&mut self, (end, handoff): Self::Message) {
        if !handoff.voice.arbiter().is_canceled() {
            let surroundings = handoff.surroundings.clone();
            surroundings.within(|| self.successor.next(end, handoff));
        }
    }
}

/// The subscriber of the current source, which has the downstream.
struct SourceSubscriber<T: 'static, S: Subscriber<T>, N: Successor<T>> {
    handoff: Handoff<T, S, N>,
    upstream: Upstream,
    /// Items that the downstream asked for from inside a signal.
    n_requested: u64,
    n_produced: u64,
}

impl<T: 'static, S: Subscriber<T>, N: Successor<T>> SourceSubscriber<T, S, N> {
    fn end(self, end: End) {
        let Self { mut handoff, upstream, n_requested, n_produced } = self;
        handoff.n_produced = n_produced;
        handoff.voice.arbiter().unset(n_requested, n_produced);
        drop(upstream);
        let is_illegal =
            matches!(&end, End::Failed(error) if error.kind() == ErrorKind::IllegalRequest);
        if handoff.stage == Stage::Signaling || is_illegal {
            // The downstream's own panic or illegal request is not the source's failure: nothing
            // follows it (rules 2.13 and 3.9).
            return handoff.end(end);
        }
        let succession = Arc::clone(&handoff.succession);
        succession.send((end, handoff));
    }
}

impl<T: 'static, S: Subscriber<T>, N: Successor<T>> Subscriber<T> for SourceSubscriber<T, S, N> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            self.handoff.voice.arbiter().set(&subscription);
        }
    }

    fn on_next(&mut self, item: T) {
        let offer = self.offer(item);
        self.handoff.downstream.settle(&self.upstream, offer);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let Handoff { downstream, voice, stage, .. } = &mut self.handoff;
        *stage = Stage::Signaling;
        let (offer, inside) = voice.inside(|| downstream.offer(item));
        *stage = Stage::Served;
        if inside.is_canceled {
            return Offer::Finished;
        }
        if offer == Offer::Accepted {
            self.n_produced += 1;
        }
        if inside.is_illegal {
            self.upstream.request(0);
        } else if inside.requested > 0 {
            self.n_requested = self.n_requested.saturating_add(inside.requested);
            self.upstream.request(inside.requested);
        }
        offer
    }

    fn on_error(self, error: Error) {
        self.end(End::Failed(error));
    }

    fn on_complete(self) {
        self.end(End::Complete);
    }
}

/// The downstream, waiting for the next source. It is there until the time has come, or a cancel.
struct Wait<T: 'static, S: Subscriber<T>, N: Successor<T>, P> {
    held: Slot<(Handoff<T, S, N>, P)>,
    timer: TimerSlot,
}

impl<T, S, N, P> Wait<T, S, N, P>
where
    T: 'static,
    S: Subscriber<T>,
    N: Successor<T>,
{
    fn take(&self) -> Option<(Handoff<T, S, N>, P)> {
        self.timer.end();
        let (handoff, publisher) = self.held.take()?;
        // The arbiter holds this wait, which held the arbiter.
        handoff.voice.arbiter().unset(0, 0);
        Some((handoff, publisher))
    }

    fn fail(&self, error: Error) {
        if let Some((handoff, _)) = self.take() {
            muted(|| handoff.end(End::Failed(error)));
        }
    }
}

impl<T, S, N, P> Task for Wait<T, S, N, P>
where
    T: 'static,
    S: Subscriber<T>,
    N: Successor<T>,
    P: Publisher<Item = T> + Send + 'static,
{
    fn run(&self) {
        if let Some((handoff, publisher)) = self.take() {
            let surroundings = handoff.surroundings.clone();
            surroundings.within(|| handoff.subscribe(publisher));
        }
    }

    fn abandon(&self, error: Error) {
        self.fail(error);
    }
}

impl<T, S, N, P> Subscription for Wait<T, S, N, P>
where
    T: 'static,
    S: Subscriber<T>,
    N: Successor<T>,
    P: Send + 'static,
{
    /// The arbiter has counted the request; the next source gets it.
    fn request(&self, n: u64) {
        if n == 0 {
            self.fail(Error::illegal_request());
        }
    }

    fn cancel(&self) {
        self.timer.end();
        muted(|| drop(self.held.take()));
    }
}
