//! Demand, running and cancelled in one word: who may emit, how much, and who cleans up.
//!
//! A gate owns a [`Source`] and the subscriber it feeds. Whoever calls `request`, `cancel` or `wake`
//! adds to the word; the one who found it not running has acquired the *turn* and becomes the runner,
//! or has the [`Dispatch`] schedule one. The runner moves source and subscriber to its stack, so that
//! a chain of operators over a cheap source compiles to a loop over registers, emits in chunks, and
//! looks at the word once a chunk, or at each item of a source that waits. Calls that come back from the runner's own thread are noted in the
//! [`Lane`] and cost no atomic read-modify-write.
//!
//! # States
//!
//! ```text
//!            request, cancel, wake              source pending
//!   ┌──────┐ ────────────────────▶ ┌─────────┐ ───────────────▶ ┌─────────┐
//!   │ IDLE │                       │ RUNNING │ ⟲ more of the    │ PARKING │
//!   └──────┘ ◀──────────────────── └─────────┘   same           └─────────┘
//!     ▲            settle           │   │   ▲    anything new      │   │
//!     │                             │   │   └──────────────────────┘   │
//!     └─────────────────────────────┼───┼──────────────────────────────┘
//!                  settle           │   │ end, cancel, finished, panic
//!                                   │   ▼
//!                                   │ ┌────────┐
//!                                   └▶│ CLOSED │ ⟲ everything
//!                                     └────────┘
//! ```
//!
//! The word: RUNNING, CANCELLED, CLOSED, ILLEGAL, PARKING, WOKEN, SCHEDULED, and 57 bits of demand
//! that was not yet taken by a runner. `2^57 - 1` and above count as unbounded (rule 3.17).
//!
//! # Invariants
//!
//! 1. Whoever moves the word from not RUNNING to RUNNING has acquired the turn, and only it, or the
//!    one it passes the turn to, moves the word back or closes it. The turn gives exclusive access to
//!    `seat` and `demand`, and to the lane.
//! 2. `seat` is initialized unless the word is CLOSED or a runner has it on its stack.
//! 3. CANCELLED and CLOSED are never taken back. Once CLOSED, the seat was taken out and source and
//!    subscriber were dropped or ended, once.
//! 4. No request is lost: it is added to the word by a read-modify-write that either finds RUNNING,
//!    and then the settling compare-exchange of the runner fails and it looks again, or acquires the
//!    turn; or it is noted in the lane, whose notes the runner takes before it settles.
//! 5. No wake-up is lost. A waker publishes its work, fences, and then looks at the word; a runner
//!    that found nothing sets PARKING, fences, and then looks for work once more. In the total order
//!    of the fences one comes first: either the waker sees PARKING or IDLE and writes to the word, or
//!    the runner sees the work.
//! 6. A turn that is passed on is marked SCHEDULED first; whoever removes the mark has the turn. So a
//!    task that is run twice, or that was never scheduled, does nothing.

use std::{
    fmt,
    hint::spin_loop,
    mem::MaybeUninit,
    ops::ControlFlow,
    sync::{Arc, Weak},
};

use reactive_streams::{Error, Offer, Subscriber, Subscription};

use crate::{
    Dispatch, End, Fed, Inline, Source, Task, Wake,
    guard::{caught, muted},
    lane::Lane,
    sync::{AtomicU64, Ordering, UnsafeCell, fence},
};

/// Somebody has the turn.
const RUNNING: u64 = 1 << 63;
/// The subscriber withdrew.
const CANCELLED: u64 = 1 << 62;
/// Source and subscriber are gone.
const CLOSED: u64 = 1 << 61;
/// `request(0)` was called (rule 3.9).
const ILLEGAL: u64 = 1 << 60;
/// The runner found nothing to do and is about to look for the last time.
const PARKING: u64 = 1 << 59;
/// There may be something to do.
const WOKEN: u64 = 1 << 58;
/// The turn waits to be run by somebody else.
const SCHEDULED: u64 = 1 << 57;
/// The bits of demand; all of them set is unbounded.
const DEMAND: u64 = SCHEDULED - 1;

/// Emits a source's items to a subscriber that asks for them. The file's header has the rest.
pub struct Gate<P, S, D = Inline> {
    word: AtomicU64,
    lane: Lane,
    /// Demand taken from the word and not yet used.
    demand: UnsafeCell<u64>,
    seat: UnsafeCell<MaybeUninit<Seat<P, S>>>,
    dispatch: D,
}

struct Seat<P, S> {
    source: P,
    subscriber: S,
}

/// Why a runner stops.
enum Verdict {
    /// Nothing to do: no demand, or no items. Holds what the word should be.
    Settle(u64),
    /// Others should run now.
    Yield,
    /// The subscriber withdrew, or has had its last item.
    Cancelled,
    /// The source ended.
    Ended(End),
    /// The source goes on, but the stream ends with an error.
    Failed(Error),
}

// SAFETY: by invariant 1 `seat` and `demand` are touched by one thread at a time, handed on by the
// word's release and acquire; source and subscriber are `Send`. The lane is `Sync` by itself.
unsafe impl<P: Send, S: Send, D: Sync> Sync for Gate<P, S, D> {}

impl<P, S> Gate<P, S, Inline>
where
    P: Source,
    S: Subscriber<P::Item>,
{
    /// Subscribes `subscriber` to `source`: signals `on_subscribe`, and then emits what was asked for
    /// from within, on this thread.
    pub fn start(source: P, subscriber: S) {
        let gate = Arc::new(Self::new(source, subscriber, Inline));
        gate.open();
    }
}

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// Subscribes a subscriber to a source that is made with a handle to its own gate: `make` gets it
    /// and gives source, subscriber and dispatch back.
    ///
    /// `on_subscribe` is signalled on this thread; the first turn is dispatched after it.
    pub fn start_with(make: impl FnOnce(&Weak<Self>) -> (P, S, D)) -> Arc<Self> {
        let gate = Arc::new_cyclic(|weak| {
            let (source, subscriber, dispatch) = make(weak);
            Self::new(source, subscriber, dispatch)
        });
        gate.open();
        gate
    }

    fn new(source: P, subscriber: S, dispatch: D) -> Self {
        Self {
            // The caller of `open` has the turn (invariant 1).
            word: AtomicU64::new(RUNNING),
            lane: Lane::new(),
            demand: UnsafeCell::new(0),
            seat: UnsafeCell::new(MaybeUninit::new(Seat { source, subscriber })),
            dispatch,
        }
    }

    fn open(self: &Arc<Self>) {
        self.lane.enter();
        let mut seat = self.take_seat();
        let subscription = Arc::clone(self) as Arc<dyn Subscription>;
        match caught(|| seat.subscriber.on_subscribe(subscription)) {
            Ok(()) => {
                self.put_seat(seat);
                self.lane.leave();
                self.pass();
            }
            Err(error) => self.close(seat, Verdict::Failed(error)),
        }
    }

    /// Has the turn run, here or elsewhere. The caller has it.
    fn pass(&self) {
        if D::IS_INLINE {
            return self.turn();
        }
        // Release: hands on what the turn guards, to whoever removes the mark.
        self.word.fetch_or(SCHEDULED, Ordering::Release);
        if let Err(error) = self.dispatch.dispatch() {
            self.abandon(error);
        }
    }

    /// Whether the caller now has the turn that was scheduled (invariant 6).
    fn claim(&self) -> bool {
        // Acquire: pairs with the release in `pass`.
        self.word.fetch_and(!SCHEDULED, Ordering::Acquire) & SCHEDULED != 0
    }

    /// Closes instead of running. The caller has the turn.
    fn end_turn(&self, verdict: Verdict) {
        self.lane.enter();
        let seat = self.take_seat();
        self.close(seat, verdict);
    }

    /// Adds to the word. Whether the caller acquired the turn: `IDLE → RUNNING`.
    #[inline]
    fn raise(&self, demand: u64, flags: u64) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & (CANCELLED | CLOSED) != 0 {
                return false;
            }
            let sum = (word & DEMAND).saturating_add(demand).min(DEMAND);
            let next = (word & !DEMAND) | sum | flags | RUNNING;
            // AcqRel: publishes what the caller did before to the runner's swap, and, if the turn is
            // acquired, sees what the last runner left behind its settling release.
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return word & RUNNING == 0,
                Err(current) => word = current,
            }
        }
    }

    fn take_seat(&self) -> Seat<P, S> {
        self.seat.with(|seat| {
            // SAFETY: the caller has the turn, and has not taken the seat, so by invariants 1 and 2 it
            // is initialized and nobody else looks at it. It is put back or closed.
            unsafe { seat.cast::<Seat<P, S>>().read() }
        })
    }

    fn put_seat(&self, seat: Seat<P, S>) {
        self.seat.with_mut(|place| {
            // SAFETY: the caller has the turn and has taken the seat, so by invariants 1 and 2 nobody
            // else looks at the place, and nothing in it is overwritten.
            unsafe { place.cast::<Seat<P, S>>().write(seat) }
        });
    }

    /// One turn. The caller has it.
    fn turn(&self) {
        self.lane.enter();
        let mut demand = self.demand.with(|demand| {
            // SAFETY: the caller has the turn (invariant 1).
            unsafe { *demand }
        });
        loop {
            let mut saved = None;
            let driven = {
                let seat = self.take_seat();
                let saved = &mut saved;
                let demand = &mut demand;
                caught(move || {
                    let mut rescue = Rescue { seat: Some(seat), saved };
                    self.drive(&mut rescue, demand)
                })
            };
            // `Rescue` saves the seat whether or not there was a panic.
            let Some(seat) = saved else { return };
            let verdict = match driven {
                Ok(verdict) => verdict,
                Err(error) => Verdict::Failed(error),
            };
            let expected = match verdict {
                Verdict::Settle(expected) => expected,
                Verdict::Yield => RUNNING,
                verdict => return self.close(seat, verdict),
            };
            self.put_seat(seat);
            self.demand.with_mut(|place| {
                // SAFETY: the caller has the turn (invariant 1).
                unsafe { *place = demand }
            });
            self.lane.leave();
            if let Verdict::Yield = verdict {
                return self.pass();
            }
            // Release: hands seat, demand and notes on to whoever acquires the turn next. Acquire on
            // failure is left to the swap in `drive`.
            let settled =
                self.word.compare_exchange(expected, 0, Ordering::Release, Ordering::Relaxed);
            if settled.is_ok() {
                return;
            }
            self.lane.enter();
        }
    }

    /// Emits until there is no demand or no item.
    #[inline(always)]
    fn drive(&self, rescue: &mut Rescue<'_, P, S>, demand: &mut u64) -> Verdict {
        let Some(Seat { source, subscriber }) = rescue.seat.as_mut() else {
            return Verdict::Cancelled;
        };
        // What the word is while nothing new has come: RUNNING, and PARKING before the last look.
        let mut quiet = RUNNING;
        let mut is_woken = true;
        let mut is_starved = false;
        let mut chunks = 0;
        let mut n_spins = 0;
        loop {
            let mut is_illegal = false;
            // Relaxed: a look; what is behind the news is acquired by the swap.
            let word = self.word.load(Ordering::Relaxed);
            if word != quiet {
                if word & CANCELLED != 0 {
                    return Verdict::Cancelled;
                }
                // Acquire: pairs with the release in `raise`.
                let news = self.word.swap(RUNNING, Ordering::AcqRel);
                if news & CANCELLED != 0 {
                    return Verdict::Cancelled;
                }
                quiet = RUNNING;
                is_illegal = news & ILLEGAL != 0;
                is_woken |= news & WOKEN != 0;
                add_demand(demand, news & DEMAND);
            }
            // Whoever wakes a source reads the lane's cache line each time. Where nobody does, a store
            // costs less than a look.
            let notes = if P::IS_WOKEN {
                // SAFETY: the caller has the turn and is inside the lane (lane's invariant 1).
                unsafe { self.lane.take_noted() }
            } else {
                // SAFETY: as above.
                unsafe { self.lane.take() }
            };
            if notes.cancelled {
                return Verdict::Cancelled;
            }
            if is_illegal || notes.illegal {
                return Verdict::Failed(Error::illegal_request());
            }
            is_woken |= notes.woken;
            add_demand(demand, notes.requested);
            if P::IS_WOKEN && is_woken {
                is_woken = false;
                is_starved = false;
                source.advance();
                // The work may have called back, or taken long.
                continue;
            }
            if *demand == 0 || is_starved {
                if let Some(end) = source.end() {
                    return Verdict::Ended(end);
                }
                if P::IS_WOKEN && quiet == RUNNING {
                    // Invariant 5: announce, fence, and look once more.
                    self.word.fetch_or(PARKING, Ordering::AcqRel);
                    fence(Ordering::SeqCst);
                    quiet = RUNNING | PARKING;
                    is_woken = true;
                    continue;
                }
                return Verdict::Settle(quiet);
            }
            if chunks == D::BUDGET {
                return Verdict::Yield;
            }
            chunks += u64::from(n_spins == 0);
            let limit = (*demand).min(P::CHUNK);
            let mut is_finished = false;
            let mut offer = |item| {
                let offer = subscriber.offer(item);
                is_finished |= offer == Offer::Finished;
                // SAFETY: the caller has the turn and is inside the lane (lane's invariant 1).
                let is_urgent = unsafe { self.lane.is_urgent() };
                // Where items wait to be worked on, a cancel from elsewhere is obeyed at the next one.
                // Relaxed: a look, repeated at the top of the loop.
                let is_cancelled =
                    P::IS_WOKEN && self.word.load(Ordering::Relaxed) & CANCELLED != 0;
                let is_over = is_finished || is_urgent || is_cancelled;
                (offer, if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            let fed = if *demand == DEMAND {
                // Unbounded demand is not used up, and need not be counted.
                source.feed(limit, |item| offer(item).1)
            } else {
                source.feed(limit, |item| {
                    let (offer, flow) = offer(item);
                    *demand -= u64::from(offer == Offer::Accepted);
                    flow
                })
            };
            match fed {
                Fed::Full | Fed::Broken if is_finished => return Verdict::Cancelled,
                Fed::Full | Fed::Broken => n_spins = 0,
                Fed::Pending if !D::IS_INLINE && n_spins < P::SPINS => {
                    // The next item is probably on its way, and parking costs more than waiting. Each look
                    // takes the queue's cache line away from the producer, so each wait is twice as long
                    // as the one before, and what comes meanwhile is taken at one go.
                    let n = (n_spins + 1).min(P::SPINS - n_spins);
                    for _ in 0..n {
                        spin_loop();
                    }
                    n_spins += n;
                }
                Fed::Pending => is_starved = true,
                Fed::End(end) => return Verdict::Ended(end),
            }
        }
    }

    /// `RUNNING → CLOSED`. The caller has the turn and is inside the lane.
    fn close(&self, seat: Seat<P, S>, verdict: Verdict) {
        // A swap, so that it is ordered with the read-modify-writes of others. Release: whoever drops
        // the gate sees that the seat is gone (invariant 3).
        self.word.swap(RUNNING | CANCELLED | CLOSED, Ordering::AcqRel);
        self.lane.leave();
        let Seat { mut source, subscriber } = seat;
        match verdict {
            Verdict::Ended(End::Complete) => match caught(|| drop(source)) {
                Ok(()) => muted(|| subscriber.on_complete()),
                Err(error) => muted(|| subscriber.on_error(error)),
            },
            Verdict::Ended(End::Failed(error)) => {
                muted(|| drop(source));
                muted(|| subscriber.on_error(error));
            }
            Verdict::Failed(error) => {
                muted(|| source.cancel());
                muted(|| drop(source));
                muted(|| subscriber.on_error(error));
            }
            Verdict::Cancelled | Verdict::Settle(_) | Verdict::Yield => {
                muted(|| source.cancel());
                muted(|| drop(source));
                muted(|| drop(subscriber));
            }
        }
    }
}

/// Adds demand in the word's units: all bits of `DEMAND` set is unbounded, and stays so.
#[inline(always)]
fn add_demand(demand: &mut u64, n: u64) {
    *demand = demand.saturating_add(n).min(DEMAND);
}

/// Keeps the seat through a panic, so that the subscriber can be told.
struct Rescue<'a, P, S> {
    seat: Option<Seat<P, S>>,
    saved: &'a mut Option<Seat<P, S>>,
}

impl<P, S> Drop for Rescue<'_, P, S> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.saved = self.seat.take();
    }
}

impl<P, S, D> Subscription for Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    #[inline]
    fn request(&self, n: u64) {
        if self.lane.request(n) {
            return;
        }
        let flags = if n == 0 { ILLEGAL } else { 0 };
        if self.raise(n.min(DEMAND), flags) {
            self.pass();
        }
    }

    fn cancel(&self) {
        if self.lane.cancel() {
            return;
        }
        // The thread that cancels a stream that is idle, or whose turn has not begun, cleans up, wherever
        // turns run otherwise.
        if self.raise(0, CANCELLED) || (!D::IS_INLINE && self.claim()) {
            self.end_turn(Verdict::Cancelled);
        }
    }
}

impl<P, S, D> Wake for Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    #[inline]
    fn wake(&self) {
        if self.lane.wake() {
            return;
        }
        // Invariant 5: the caller has published its work.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        let word = self.word.load(Ordering::Relaxed);
        if word & (RUNNING | PARKING) == RUNNING {
            // The runner will look for work before it parks.
            return;
        }
        if self.raise(0, WOKEN) {
            self.pass();
        }
    }
}

impl<P, S, D> Task for Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// Runs a turn that was scheduled.
    fn run(&self) {
        if self.claim() {
            self.turn();
        }
    }

    fn abandon(&self, error: Error) {
        if self.claim() {
            self.end_turn(Verdict::Failed(error));
        }
    }
}

impl<P, S, D> Drop for Gate<P, S, D> {
    fn drop(&mut self) {
        // Nobody else is left. A read-modify-write sees the last value even for loom, which does not
        // know that the last drop of an `Arc` comes after the others.
        if self.word.fetch_or(0, Ordering::AcqRel) & CLOSED == 0 {
            // The subscriber let go of its subscription without a cancel, or the turn was lost.
            self.seat.with_mut(|seat| {
                // SAFETY: nobody else has the gate, so nobody has the turn, and by invariant 2 the seat
                // is initialized, because the word is not CLOSED.
                let seat = unsafe { seat.cast::<Seat<P, S>>().read() };
                muted(|| drop(seat));
            });
        }
    }
}

impl<P, S, D> fmt::Debug for Gate<P, S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.load(Ordering::Relaxed);
        f.debug_struct("Gate")
            .field("is_running", &(word & RUNNING != 0))
            .field("is_closed", &(word & CLOSED != 0))
            .finish_non_exhaustive()
    }
}
