//! A bounded queue between an upstream that pushes and an operator that pulls.
//!
//! [`inlet`] makes the two halves: an [`Entrance`], which becomes the upstream's subscriber once it
//! is known whom to wake, and an [`Inlet`], from which the operator takes, usually as part of the
//! `Source` of a gate. The queue holds exactly as many items as were requested, so that a publisher
//! that obeys demand never overflows it. One that does not is canceled, and the stream ends with an
//! error of kind `Overflow` after the items that were in time.
//! A publisher that drops its subscriber without a terminal signal ends the stream with an error of
//! kind `Disconnected`.

use std::{ops::ControlFlow, sync::Arc};

use millstream_kernel::{Capacity, Deferred, End, Fed, Prefetch, Step, Wake, after_turn, spsc};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber, Subscription};

use crate::scheduler::spin_wait::pause;

/// The consumer half. Dropping it does not cancel the upstream: see [`cancel`](Self::cancel).
pub struct Inlet<T> {
    queue: spsc::Consumer<T>,
    upstream: Arc<Deferred>,
    prefetch: Prefetch,
    is_started: bool,
    asking: Asking,
}

/// When an inlet asks its upstream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// After the turn of the gate that takes.
    AfterTurn,
    /// The same, and the turn makes way for it: the upstream is probably elsewhere and goes on
    /// meanwhile.
    Soon,
    /// At once: nobody takes in a turn, or whoever does waits.
    AtOnce,
}

/// Has a gate's turn begin with each item, also on the thread that asks for it, for an operator
/// that has something to do with each of them before the next comes.
pub(crate) struct EachAtOnce<G>(pub(crate) Arc<G>);

impl<G: Wake> Wake for EachAtOnce<G> {
    #[inline]
    fn wake(&self) {
        self.0.wake_at_once();
    }
}

/// The producer half: the upstream's subscriber. It wakes `W` after every signal.
pub struct InletSubscriber<T, W: Wake> {
    /// `None` after an overflow.
    queue: Option<spsc::Producer<T>>,
    upstream: Arc<Deferred>,
    /// What it asks for by itself, when it is subscribed.
    initial: u64,
    taker: W,
}

/// The producer half, before it knows whom to wake.
pub struct Entrance<T> {
    queue: spsc::Producer<T>,
    upstream: Arc<Deferred>,
    /// What its subscriber asks for by itself.
    initial: u64,
}

/// Returns an inlet of exactly `capacity` items, which asks for more when three quarters were
/// taken.
///
/// # Panics
///
/// Unless `capacity` lies in `1..=Capacity::MAX`.
#[track_caller]
pub fn inlet<T>(capacity: usize) -> (Entrance<T>, Inlet<T>) {
    let capacity = Capacity::of(capacity);
    let (producer, consumer) = spsc::bounded(capacity);
    let upstream = Arc::new(Deferred::new());
    let entrance = Entrance { queue: producer, upstream: Arc::clone(&upstream), initial: 0 };
    let prefetch = Prefetch::new(capacity);
    let asking = Asking::AfterTurn;
    (entrance, Inlet { queue: consumer, upstream, prefetch, is_started: false, asking })
}

/// Checks a capacity where the operator is written, so that [`inlet`] does not panic where it is
/// subscribed to.
///
/// # Panics
///
/// Unless `capacity` lies in `1..=Capacity::MAX`.
#[track_caller]
pub fn check_capacity(capacity: usize) {
    let _checked = Capacity::of(capacity);
}

/// Checks a bound of something that grows towards it, so that `usize::MAX` is none.
///
/// # Panics
///
/// If `bound` is 0.
#[track_caller]
pub fn check_bound(bound: usize) {
    check_capacity(bound.min(Capacity::MAX));
}

/// Checks into how many parts a flow is split.
///
/// # Panics
///
/// Unless `n` lies in `1..=65_536`.
#[track_caller]
pub(crate) fn check_parts(n: usize) {
    const MAX: usize = 1 << 16;
    assert!(n > 0, "items for none of 0 flows: use at least 1");
    assert!(n <= MAX, "{n} flows at once are more than is of use: use at most {MAX}");
}

impl<T> Entrance<T> {
    /// Returns the upstream's subscriber, which wakes `taker` after every signal.
    pub fn subscriber<W: Wake>(self, taker: W) -> InletSubscriber<T, W> {
        let Self { queue, upstream, initial } = self;
        InletSubscriber { queue: Some(queue), upstream, initial, taker }
    }

    /// Subscribes to `publisher`, and wakes `taker` after every signal. One that was canceled
    /// before, because the flow ended while others were subscribed to, is dropped.
    pub fn subscribe_to<P, W>(self, publisher: P, taker: W)
    where
        T: Send + 'static,
        P: Publisher<Item = T>,
        W: Wake + 'static,
    {
        if !self.upstream.is_canceled() {
            publisher.subscribe(self.subscriber(taker));
        }
    }
}

impl<T> Inlet<T> {
    /// The next item. The first call asks the upstream for the first batch.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a step, not an option, as in `Source`")]
    pub fn next(&mut self) -> Step<T> {
        self.start();
        match self.take() {
            Step::Item(item) => {
                self.release(1);
                Step::Item(item)
            }
            step => step,
        }
    }

    /// Gives up to `limit` items to `take`, each before the upstream is asked for another in its
    /// place, so that none waits for the source's work.
    #[inline(always)]
    pub fn feed(&mut self, limit: u64, mut take: impl FnMut(T) -> ControlFlow<()>) -> Fed {
        self.start();
        for _ in 0..limit {
            let flow = match self.take() {
                Step::Item(item) => take(item),
                Step::Pending => return Fed::Pending,
                Step::End(end) => return Fed::End(end),
            };
            // Nothing more is wanted by one who has had enough.
            if flow.is_break() {
                return Fed::Broken;
            }
            if self.refill(1) && self.asking == Asking::Soon {
                break;
            }
        }
        Fed::Full
    }

    /// Asks for the first batch, once.
    #[inline]
    pub fn start(&mut self) {
        if !self.is_started {
            self.is_started = true;
            self.request(self.prefetch.batch());
        }
    }

    /// Leaves it to `entrance` to ask for the first batch, as soon as it is subscribed.
    pub(crate) fn start_by(&mut self, entrance: &mut Entrance<T>) {
        self.is_started = true;
        entrance.initial = self.prefetch.batch();
    }

    /// The next item, without asking for another in its place.
    #[inline]
    pub fn take(&mut self) -> Step<T> {
        match self.queue.pop() {
            spsc::Pop::Item(item) => Step::Item(item),
            spsc::Pop::Empty => Step::Pending,
            spsc::Pop::Closed(end) => Step::End(end.unwrap_or_else(disconnected)),
        }
    }

    /// The next item, if there is one; leaves an end where it is.
    pub fn take_item(&mut self) -> Option<T> {
        if self.is_drained() {
            return None;
        }
        match self.queue.pop() {
            spsc::Pop::Item(item) => Some(item),
            spsc::Pop::Empty | spsc::Pop::Closed(_) => None,
        }
    }

    /// Returns whether no item waits; there may be an end.
    pub fn is_drained(&mut self) -> bool {
        self.queue.is_drained()
    }

    /// How long the operator may pause, after `n_waited` pauses in vain, before it looks again:
    /// what its `Source::pause` returns.
    #[inline]
    pub fn pause(&self, n_waited: u32) -> u32 {
        pause(n_waited, self.prefetch.batch())
    }

    /// Gives back the places of `n` items that were taken, so that they may be filled again.
    #[inline]
    pub fn release(&mut self, n: u64) {
        let _asked = self.refill(n);
    }

    /// Does the same. Returns whether that asked the upstream.
    #[inline]
    fn refill(&mut self, n: u64) -> bool {
        let refill = self.prefetch.consume(n);
        if let Some(n) = refill {
            self.request(n);
        }
        refill.is_some()
    }

    /// Asks before the turn goes on, for a taker on another thread than the upstream.
    pub(crate) fn ask_soon(mut self) -> Self {
        self.asking = Asking::Soon;
        self
    }

    /// Asks at once, for a taker that is no gate.
    pub(crate) fn ask_at_once(mut self) -> Self {
        self.asking = Asking::AtOnce;
        self
    }

    /// Asks for `n` items more, for a taker that counts what is done with by itself instead of by
    /// [`release`](Self::release).
    pub fn request(&self, n: u64) {
        match self.asking {
            Asking::AfterTurn | Asking::Soon => after_turn::request(&self.upstream, n),
            Asking::AtOnce => self.upstream.request(n),
        }
    }

    /// An entrance for another upstream, once the present one has ended; `None` before.
    pub(super) fn reopen(&mut self) -> Option<Entrance<T>> {
        let queue = self.queue.reopen()?;
        // The one that has ended may still be on its way out, and then it keeps its own.
        match Arc::get_mut(&mut self.upstream) {
            Some(upstream) => *upstream = Deferred::new(),
            None => self.upstream = Arc::new(Deferred::new()),
        }
        self.prefetch.restart();
        self.is_started = false;
        Some(Entrance { queue, upstream: Arc::clone(&self.upstream), initial: 0 })
    }

    /// Returns how the upstream ended, once all items were taken.
    pub fn end(&mut self) -> Option<End> {
        self.queue.take_end().map(|end| end.unwrap_or_else(disconnected))
    }

    /// Cancels the upstream. Items that are in the queue stay there.
    pub fn cancel(&self) {
        self.upstream.cancel();
    }
}

pub(crate) fn overflowed() -> End {
    End::Failed(Error::new(
        ErrorKind::Overflow,
        "the publisher sent more items than were requested (rule 1.1)",
    ))
}

pub(crate) fn disconnected() -> End {
    End::Failed(Error::new(
        ErrorKind::Disconnected,
        "the publisher dropped its subscriber without a terminal signal",
    ))
}

impl<T, W> Subscriber<T> for InletSubscriber<T, W>
where
    T: Send + 'static,
    W: Wake + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.upstream.set(subscription);
        match self.initial_request() {
            0 => {}
            n => self.upstream.request(n),
        }
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        std::mem::take(&mut self.initial)
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let Some(queue) = &mut self.queue else { return };
        if let Err(rejected) = queue.push(item) {
            self.overflow(rejected.0);
        }
        self.taker.wake();
    }

    fn on_error(mut self, error: Error) {
        self.close(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.close(End::Complete);
    }
}

impl<T, W: Wake> InletSubscriber<T, W> {
    #[cold]
    fn overflow(&mut self, item: T) {
        drop(item);
        self.upstream.cancel();
        self.close(overflowed());
    }

    fn close(&mut self, end: End) {
        if let Some(queue) = self.queue.take() {
            queue.close(end);
        }
        // One that was not even subscribed has nobody to concern.
        if self.upstream.is_set() {
            self.upstream.finish();
        }
    }
}

impl<T, W: Wake> Drop for InletSubscriber<T, W> {
    fn drop(&mut self) {
        // Closes the queue, if that was not done before.
        self.queue = None;
        self.taker.wake();
    }
}

opaque_debug!(Inlet<T>);
opaque_debug!(Entrance<T>);

impl<T, W: Wake> std::fmt::Debug for InletSubscriber<T, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InletSubscriber").finish_non_exhaustive()
    }
}
