//! A gate's turn: what a runner does, step by step.
//!
//! The states and the invariants are those of [`Gate`].

use std::{convert::Infallible, hint::spin_loop, ops::ControlFlow};

use reactive_streams::{Error, Offer, Subscriber};

use super::{
    Gate,
    after_turn::{self, Notes},
    link::Link,
    word::{Look, Quiet, units},
};
use crate::{Dispatch, End, Fed, Source};

/// What began a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A wake-up, on this thread.
    Wake,
    /// Something on the worker on which it runs.
    Here,
    Other,
}

/// Why a runner stops.
pub(super) enum Verdict {
    /// Nothing to do: no demand, or no items. Holds what the word should be.
    Settle(Quiet),
    /// There is more to do, but the source has noted something to ask. Holds what the word should
    /// be.
    Ask(Quiet),
    /// Others should run now.
    Yield,
    /// The subscriber withdrew, or has had its last item.
    Canceled,
    /// The source ended.
    Ended(End),
    /// The source goes on, but the stream ends with an error.
    Failed(Error),
}

/// What a step of a turn leads to: another round, or its end.
type Flow = ControlFlow<Verdict>;

/// A turn that runs. Link and demand are handed to its steps, so that they can be in registers.
pub(super) struct Turn<'a, P, S, D> {
    gate: &'a Gate<P, S, D>,
    cause: Cause,
    /// Where the source's requests go, if it is woken.
    asks: Notes,
    quiet: Quiet,
    is_woken: bool,
    is_starved: bool,
    /// Whether the source advanced last, and has to be fed from before it does so again: one that
    /// is woken by each advance would otherwise emit nothing.
    has_advanced: bool,
    n_advances: u64,
    n_chunks: u64,
    /// How many pauses it has waited for since the last item.
    n_waited: u32,
}

impl<'a, P, S, D> Turn<'a, P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    #[inline(always)]
    pub(super) fn new(gate: &'a Gate<P, S, D>, cause: Cause, asks: Notes) -> Self {
        Self {
            gate,
            cause,
            asks,
            quiet: Quiet::RUNNING,
            is_woken: true,
            is_starved: false,
            has_advanced: false,
            n_advances: 0,
            n_chunks: 0,
            n_waited: 0,
        }
    }

    /// Emits until there is no demand or no item. The caller has the turn and is inside the
    /// reentry.
    #[inline(always)]
    pub(super) fn run(mut self, link: &mut Link<P, S>, demand: &mut u64) -> Verdict {
        let ControlFlow::Break(verdict) = self.rounds(link, demand);
        verdict
    }

    /// Each round is a look at what has come, and then one thing: an advance, a chunk, or rest.
    #[inline(always)]
    fn rounds(
        &mut self,
        link: &mut Link<P, S>,
        demand: &mut u64,
    ) -> ControlFlow<Verdict, Infallible> {
        loop {
            self.look(&mut link.source, demand)?;
            if P::IS_WOKEN && self.is_woken && !self.has_advanced {
                self.begin_advance()?;
                if P::HAS_WORK {
                    link.source.advance();
                    // The work may have called back, or taken long.
                    continue;
                }
            }
            self.has_advanced = false;
            let is_idle = *demand == 0 || self.is_starved;
            // Where turns run on the thread that causes them, what is there is given first, so that
            // nothing waits while the source that is asked is busy. On a worker nobody else could
            // give it.
            if (!D::IS_INLINE || !is_idle) && self.has_asks() {
                return ControlFlow::Break(Verdict::Ask(self.quiet));
            }
            if is_idle {
                self.rest(&mut link.source)?;
                continue;
            }
            self.begin_chunk()?;
            self.feed(link, demand)?;
        }
    }

    /// Takes along what others have written to the word, and what this thread has noted.
    #[inline(always)]
    fn look(&mut self, source: &mut P, demand: &mut u64) -> Flow {
        let mut is_illegal = false;
        match self.gate.word.look(self.quiet) {
            Look::Quiet => {}
            Look::Canceled => return ControlFlow::Break(Verdict::Canceled),
            Look::News(news) => {
                self.quiet = Quiet::RUNNING;
                is_illegal = news.is_illegal;
                self.is_woken |= news.is_woken;
                units::add(demand, news.demand);
            }
        }
        // Whoever wakes a source reads the reentry's cache line each time. Where nobody does, a
        // store costs less than a look.
        let notes = if P::IS_WOKEN {
            // SAFETY: the caller has the turn and is inside the reentry (reentry's invariant 1).
            unsafe { self.gate.reentry.take_noted() }
        } else {
            // SAFETY: as above.
            unsafe { self.gate.reentry.take() }
        };
        if notes.canceled {
            return ControlFlow::Break(Verdict::Canceled);
        }
        if is_illegal || notes.illegal {
            return ControlFlow::Break(Verdict::Failed(self.gate.failure()));
        }
        self.is_woken |= notes.woken;
        if P::IS_WOKEN && notes.woken {
            // SAFETY: as above.
            let rung = unsafe { self.gate.reentry.take_rung() };
            if rung != 0 {
                source.rung(rung);
            }
        }
        units::add(demand, notes.requested);
        ControlFlow::Continue(())
    }

    /// What woke the source is dealt with by its next advance.
    #[inline(always)]
    fn begin_advance(&mut self) -> Flow {
        if self.gate.is_over(&mut self.n_advances) {
            return ControlFlow::Break(Verdict::Yield);
        }
        self.n_advances += 1;
        self.has_advanced = true;
        self.is_woken = false;
        self.is_starved = false;
        ControlFlow::Continue(())
    }

    /// There is no demand, or no item.
    #[inline(always)]
    fn rest(&mut self, source: &mut P) -> Flow {
        // A source without other work would have said so when it was asked for an item.
        if (P::HAS_WORK || !self.is_starved)
            && let Some(end) = source.end()
        {
            return ControlFlow::Break(Verdict::Ended(end));
        }
        if P::IS_WOKEN && self.is_woken {
            return ControlFlow::Continue(());
        }
        if P::IS_WOKEN && !self.is_alone() && !self.quiet.is_parking() {
            // Invariant 5: announce, fence, and look once more.
            self.quiet = self.gate.word.park();
            self.is_woken = true;
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(Verdict::Settle(self.quiet))
    }

    /// A runner that waits parks instead, unless it has just had an item.
    #[inline(always)]
    fn begin_chunk(&mut self) -> Flow {
        if self.n_waited == 0 && self.gate.is_over(&mut self.n_chunks) {
            return ControlFlow::Break(Verdict::Yield);
        }
        self.n_chunks += 1;
        ControlFlow::Continue(())
    }

    /// Emits a chunk.
    #[inline(always)]
    fn feed(&mut self, link: &mut Link<P, S>, demand: &mut u64) -> Flow {
        let Link { source, subscriber } = link;
        let (before, limit) = (*demand, (*demand).min(P::CHUNK));
        // Copies, so that the turn can be in registers while the source calls back.
        let (gate, asks) = (self.gate, self.asks);
        let (mut is_finished, mut is_fed) = (false, false);
        let mut offer = |item| {
            // Read where a runner waits, and nowhere else.
            is_fed |= !D::IS_INLINE;
            let offer = subscriber.offer(item);
            is_finished |= offer == Offer::Finished;
            // SAFETY: the caller has the turn and is inside the reentry (reentry's invariant 1).
            let is_urgent = unsafe { gate.reentry.is_urgent() };
            // Where items wait to be worked on, a cancel from elsewhere is obeyed at the next one.
            let is_canceled = P::IS_WOKEN && gate.word.is_canceled();
            let is_over = is_finished || is_urgent || is_canceled || Self::has_noted(asks);
            (offer, if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        let fed = if before == units::UNBOUNDED {
            // It is not used up, and need not be counted.
            source.feed(limit, |item| offer(item).1)
        } else {
            source.feed(limit, |item| {
                let (offer, flow) = offer(item);
                *demand -= u64::from(offer == Offer::Accepted);
                flow
            })
        };
        if !D::IS_INLINE && is_fed {
            self.n_waited = 0;
        }
        match fed {
            Fed::Full | Fed::Broken if is_finished => ControlFlow::Break(Verdict::Canceled),
            Fed::Full | Fed::Broken => {
                if self.has_asks() {
                    return ControlFlow::Continue(());
                }
                // The next item may be far away, as it is for a source that waits in `next`, or the
                // demand is without end.
                if P::CHUNK == 1 {
                    after_turn::flush_before_waiting();
                } else if before == units::UNBOUNDED || before - *demand < limit {
                    after_turn::flush();
                }
                ControlFlow::Continue(())
            }
            Fed::Pending => self.starve(source),
            Fed::End(end) => ControlFlow::Break(Verdict::Ended(end)),
        }
    }

    /// The source has no item at the moment.
    #[inline(always)]
    fn starve(&mut self, source: &mut P) -> Flow {
        let may_wait = !D::IS_INLINE && self.cause != Cause::Here;
        if may_wait
            && !self.has_asks()
            && let n @ 1.. = source.pause(self.n_waited)
            && !self.gate.is_over(&mut self.n_chunks)
        {
            // The next item is probably on its way, and parking costs more than waiting. Each look
            // takes the queue's cache line away from the producer.
            for _ in 0..n {
                spin_loop();
            }
            self.n_waited = self.n_waited.saturating_add(n);
            return ControlFlow::Continue(());
        }
        // Nobody could have made an item meanwhile.
        if self.is_alone() && !P::HAS_WORK && !self.is_woken {
            // SAFETY: the caller has the turn and is inside the reentry (reentry's invariant 1).
            let is_quiet = unsafe { self.gate.reentry.is_quiet() };
            if is_quiet {
                return ControlFlow::Break(Verdict::Settle(self.quiet));
            }
        }
        self.is_starved = true;
        ControlFlow::Continue(())
    }

    /// Returns whether every wake-up comes by what is on this thread's stack.
    #[inline(always)]
    fn is_alone(&self) -> bool {
        D::IS_WOKEN_BY_ONE && self.cause == Cause::Wake
    }

    /// Returns whether the source has noted something to ask.
    #[inline(always)]
    fn has_asks(&self) -> bool {
        Self::has_noted(self.asks)
    }

    #[inline(always)]
    fn has_noted(asks: Notes) -> bool {
        P::IS_WOKEN && !asks.is_empty()
    }
}

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// Returns whether a turn that has done `n` has to let others run. If nobody waits, it begins
    /// to count anew.
    #[inline(always)]
    fn is_over(&self, n: &mut u64) -> bool {
        if *n < D::BUDGET {
            return false;
        }
        if self.dispatch.has_others() {
            return true;
        }
        *n = 0;
        false
    }
}
