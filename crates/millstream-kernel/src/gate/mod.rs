//! Demand, running and canceled in one word: who may emit, how much, and who cleans up.
//!
//! A gate owns a [`Source`] and the subscriber it feeds. Whoever calls `request`, `cancel` or
//! `wake` adds to the word; the one who found it not running has acquired the *turn* and becomes
//! the runner, or has the [`Dispatch`] schedule one. The runner moves source and subscriber to its
//! stack, so that a chain of operators over a cheap source compiles to a loop over registers, emits
//! in chunks, and looks at the word once a chunk, or at each item of a source that waits. Calls
//! that come back from the runner's own thread are noted in the [`Reentry`] and cost no atomic
//! read-modify-write. A source that waits stays where it is, because its turns are many and short.
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
//! `word.rs` has the layout of the word, its orderings, and where demand lives. IDLE has the mark
//! NO_DEMAND when the last runner left without demand: then an item is not worth a turn.
//!
//! # Invariants
//!
//! 1. Whoever moves the word from not RUNNING to RUNNING has acquired the turn, and only it, or the
//!    one it passes the turn to, moves the word back or closes it. The turn gives exclusive access
//!    to `link` and `demand`, and to the reentry.
//! 2. `link` is initialized unless the word is CLOSED or a runner has it on its stack.
//! 3. CANCELED and CLOSED are never taken back. Once CLOSED, the link was taken out and source and
//!    subscriber were dropped or ended, once.
//! 4. No request is lost: it begins a turn that takes it along; or it is added to the word by a
//!    read-modify-write that either finds RUNNING, and then the settling compare-exchange of the
//!    runner fails and it looks again, or acquires the turn; or it is noted in the reentry, whose
//!    notes the runner takes before it settles.
//! 5. No wake-up is lost. A waker publishes its work, fences, and then looks at the word; a runner
//!    that found nothing sets PARKING, fences, and then looks for work once more. In the total
//!    order of the fences one comes first: either the waker sees PARKING or IDLE and writes to the
//!    word, or the runner sees the work. A waker that has an item, and not an end, may see
//!    NO_DEMAND instead, and leave: whoever takes that mark away looks for items after a fence of
//!    its own. Where the signals of one upstream are the only wake-ups, a turn that one of them
//!    began needs no last look: whoever could wake it waits on its stack. Others catch up, which
//!    writes to the word whoever is running.
//! 6. A turn that is passed on is marked SCHEDULED first; whoever removes the mark has the turn. So
//!    a task that is run twice, or that was never scheduled, does nothing.

pub mod after_turn;
mod asker;
mod asking;
mod dispatch;
mod link;
pub(crate) mod reentry;
mod running;
mod source;
mod turn;
mod waking;
mod word;

use std::{
    fmt,
    mem::MaybeUninit,
    sync::{Arc, Weak},
};

use reactive_streams::{Error, Subscriber, Subscription};

pub use self::{
    dispatch::{Bells, Dispatch, Inline, InlineForOne, Job, Surround, Task, Wake},
    source::{End, Fed, Source, Step},
};
use self::{
    link::Link,
    reentry::Reentry,
    turn::{Cause, Verdict},
    word::{Next, Quiet, Settle, Word},
};
use crate::{
    guard::{caught, muted},
    sync::{Mutex, UnsafeCell},
};

/// Emits a source's items to a subscriber that asks for them. The file's header has the rest.
pub struct Gate<P, S, D = Inline> {
    word: Word,
    reentry: Reentry,
    /// Demand taken from the word and not yet used.
    demand: UnsafeCell<u64>,
    link: UnsafeCell<MaybeUninit<Link<P, S>>>,
    /// Why ILLEGAL was set, if not by `request(0)`.
    failure: Mutex<Option<Error>>,
    dispatch: D,
}

// SAFETY: by invariant 1 `link` and `demand` are touched by one thread at a time, handed on by the
// word's release and acquire; source and subscriber are `Send`. The reentry is `Sync` by itself.
unsafe impl<P: Send, S: Send, D: Sync> Sync for Gate<P, S, D> {}

impl<P, S> Gate<P, S, Inline>
where
    P: Source,
    S: Subscriber<P::Item>,
{
    /// Subscribes `subscriber` to `source`: signals `on_subscribe`, and then emits what was asked
    /// for from within, on this thread.
    ///
    /// A subscriber with an [initial request](Subscriber::initial_request) gets a first chunk
    /// before there is a gate, and the end, if that comes with it, instead of one.
    pub fn start(source: P, subscriber: S) {
        let mut link = Link { source, subscriber };
        match link.feed_ahead() {
            Ok(demand) => Arc::new(Self::new(link, demand, Inline)).open(demand),
            Err(verdict) => link.conclude(verdict),
        }
    }
}

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// Subscribes a subscriber to a source that is made with a handle to its own gate: `make` gets
    /// it and gives source, subscriber and dispatch back.
    ///
    /// `on_subscribe` is signaled on this thread; the first turn is dispatched after it.
    pub fn start_with(make: impl FnOnce(&Weak<Self>) -> (P, S, D)) -> Arc<Self> {
        let gate = Arc::new_cyclic(|weak| {
            let (source, subscriber, dispatch) = make(weak);
            Self::new(Link { source, subscriber }, 0, dispatch)
        });
        gate.open(0);
        gate
    }

    fn new(link: Link<P, S>, demand: u64, dispatch: D) -> Self {
        Self {
            // The caller of `open` has the turn (invariant 1).
            word: Word::running(),
            reentry: Reentry::new(),
            demand: UnsafeCell::new(demand),
            link: UnsafeCell::new(MaybeUninit::new(link)),
            failure: Mutex::new(None),
            dispatch,
        }
    }

    /// Begins. `demand` is what the gate was made with.
    fn open(self: &Arc<Self>, demand: u64) {
        self.reentry.enter();
        let subscription = Arc::clone(self) as Arc<dyn Subscription>;
        let signal = || {
            self.in_link(|link| {
                link.subscriber.on_subscribe(subscription);
                // SAFETY: the caller has the turn and is inside the reentry (reentry's invariant
                // 1).
                let is_quiet = unsafe { self.reentry.is_quiet() };
                // Most subscribers inside of a flow wait for somebody else's request: no turn for
                // them.
                let may_rest = demand == 0 && !P::IS_WOKEN && D::IS_INLINE && is_quiet;
                may_rest.then(|| link.source.end())
            })
        };
        match caught(signal) {
            Ok(Some(Some(end))) => self.close(self.take_link(), Verdict::Ended(end)),
            Ok(may_rest) => {
                self.reentry.leave();
                let rests = may_rest.is_some()
                    && self.word.settle(Quiet::RUNNING, demand != 0) == Settle::Leave;
                if !rests {
                    self.pass();
                }
            }
            Err(error) => self.close(self.take_link(), Verdict::Failed(error)),
        }
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
        if self.reentry.request(n) {
            return;
        }
        if D::IS_INLINE && n != 0 && self.word.seize() == Next::Run {
            return self.turn(n, Cause::Other);
        }
        if self.word.request(n) == Next::Run {
            self.pass();
        }
    }

    #[inline]
    fn request_from_within(&self, n: u64) -> bool {
        self.reentry.request(n)
    }

    fn cancel(&self) {
        if self.reentry.cancel() {
            return;
        }
        // The thread that cancels a stream that is idle, or whose turn has not begun, cleans up,
        // wherever turns run otherwise.
        if self.word.cancel() == Next::Run || (!D::IS_INLINE && self.word.claim().is_some()) {
            self.end_turn(Verdict::Canceled);
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
        if let Some(cause) = self.word.claim() {
            self.turn(0, cause);
        }
    }

    fn abandon(&self, error: Error) {
        if self.word.claim().is_some() {
            self.end_turn(Verdict::Failed(error));
        }
    }

    fn stop(&self, error: Error) {
        self.end_with(error);
    }
}

impl<P, S, D> Drop for Gate<P, S, D> {
    fn drop(&mut self) {
        // Nobody else is left.
        if !self.word.is_closed_at_last() {
            // The subscriber let go of its subscription without a cancel, or the turn was lost.
            self.link.with_mut(|link| {
                // SAFETY: nobody else has the gate, so nobody has the turn, and by invariant 2 the
                // link is initialized, because the word is not CLOSED.
                let link = unsafe { link.cast::<Link<P, S>>().read() };
                muted(|| drop(link));
            });
        }
    }
}

impl<P, S, D> fmt::Debug for Gate<P, S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("is_running", &self.word.is_running())
            .field("is_closed", &self.word.is_closed())
            .finish_non_exhaustive()
    }
}
