//! A gate's turn: the runner's loop, and how it ends.
//!
//! The states and the invariants are those of [`Gate`].

use std::{hint::spin_loop, ops::ControlFlow};

use reactive_streams::{Error, Offer, Subscriber};

use super::{
    CANCELLED, CLOSED, DEMAND, Gate, HERE, ILLEGAL, NO_DEMAND, PARKING, RUNNING, SCHEDULED, WOKEN,
    after_turn::{self, Ask, Notes},
    link::{Link, Rescue},
};
use crate::{
    Dispatch, End, Fed, Source, Task,
    guard::caught,
    sync::{Ordering, fence},
};

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
    Settle(u64),
    /// There is more to do, but the source has noted something to ask. Holds what the word should
    /// be.
    Ask(u64),
    /// Others should run now.
    Yield,
    /// The subscriber withdrew, or has had its last item.
    Cancelled,
    /// The source ended.
    Ended(End),
    /// The source goes on, but the stream ends with an error.
    Failed(Error),
}

/// How a turn was left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// There is nothing to do.
    Settled,
    /// There is more to do, and nobody who does it: what the turn has noted comes first.
    Asking,
    /// The turn waits to be run.
    Scheduled,
    /// The stream is over.
    Closed,
}

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// Has the turn run, here or elsewhere. The caller has it.
    pub(super) fn pass(&self) {
        if D::IS_INLINE {
            return self.turn(0, Cause::Other);
        }
        self.schedule(if self.dispatch.is_here() { Cause::Here } else { Cause::Other });
    }

    pub(super) fn schedule(&self, cause: Cause) {
        self.mark_scheduled(cause);
        if let Err(error) = self.dispatch.dispatch() {
            self.abandon(error);
        }
    }

    /// Lets others [claim](Self::claim) the turn.
    fn mark_scheduled(&self, cause: Cause) {
        let here = if cause == Cause::Here { HERE } else { 0 };
        // Release: hands on what the turn guards, to whoever removes the mark.
        self.word.fetch_or(SCHEDULED | here, Ordering::Release);
    }

    /// Closes instead of running. The caller has the turn.
    pub(super) fn end_turn(&self, verdict: Verdict) {
        self.reentry.enter();
        self.close(self.take_link(), verdict);
    }

    /// One turn. The caller has it. `n` items were asked for, beyond what the word says, and `rung`
    /// rang on this thread. `notes` are where the source's requests go, if it is woken.
    #[inline(always)]
    pub(super) fn run_turn(&self, n: u64, cause: Cause, rung: u64, notes: Option<Notes>) -> Leave {
        self.reentry.enter();
        if P::IS_WOKEN && rung != 0 {
            self.reentry.note_rung(rung);
        }
        let mut demand = self.demand.with(|demand| {
            // SAFETY: the caller has the turn (invariant 1).
            unsafe { *demand }
        });
        add_demand(&mut demand, n);
        loop {
            let mut closing = None;
            let run = || {
                // A copy, which nobody else looks at and which can be in a register.
                let mut own_demand = demand;
                let verdict = self.drive_link(&mut own_demand, cause, notes, &mut closing);
                demand = own_demand;
                verdict
            };
            let verdict = match caught(run) {
                Ok(verdict) => verdict,
                Err(error) => Verdict::Failed(error),
            };
            let expected = match verdict {
                Verdict::Settle(expected) | Verdict::Ask(expected) => expected,
                Verdict::Yield => RUNNING,
                verdict => {
                    // Those who hear of the end are no part of the turn.
                    notes.inspect(|notes| notes.close());
                    self.close(closing.unwrap_or_else(|| self.take_link()), verdict);
                    return Leave::Closed;
                }
            };
            self.demand.with_mut(|place| {
                // SAFETY: the caller has the turn (invariant 1).
                unsafe { *place = demand }
            });
            self.reentry.leave();
            let is_asking = matches!(verdict, Verdict::Ask(_));
            if is_asking && !D::IS_INLINE {
                // The others need not have the turn run elsewhere: this thread comes back.
                self.mark_scheduled(cause);
                return Leave::Asking;
            }
            if let Verdict::Yield = verdict {
                self.schedule(cause);
                return Leave::Scheduled;
            }
            let idle = if demand == 0 && !is_asking { NO_DEMAND } else { 0 };
            // Release: hands link, demand and notes on to whoever acquires the turn next. Acquire
            // on failure is left to the swap in `drive`.
            let settled =
                self.word.compare_exchange(expected, idle, Ordering::Release, Ordering::Relaxed);
            if settled.is_ok() {
                return if is_asking { Leave::Asking } else { Leave::Settled };
            }
            self.reentry.enter();
        }
    }

    /// Drives the link: on the stack, where a cheap source loops over registers; in its place,
    /// where turns are many and short. Moves a link that is on the stack and about to be closed to
    /// `closing`.
    #[inline(always)]
    fn drive_link(
        &self,
        demand: &mut u64,
        cause: Cause,
        notes: Option<Notes>,
        closing: &mut Option<Link<P, S>>,
    ) -> Verdict {
        if P::IS_WOKEN && D::IS_INLINE {
            return self.in_link(|link| self.drive(link, demand, cause, notes));
        }
        let mut rescue = Rescue { link: Some(self.take_link()), gate: self };
        let verdict = match &mut rescue.link {
            Some(link) => self.drive(link, demand, cause, notes),
            None => Verdict::Cancelled,
        };
        if !matches!(verdict, Verdict::Settle(_) | Verdict::Ask(_) | Verdict::Yield) {
            *closing = rescue.link.take();
        }
        verdict
    }

    /// Emits until there is no demand or no item.
    #[inline(always)]
    fn drive(
        &self,
        link: &mut Link<P, S>,
        demand: &mut u64,
        cause: Cause,
        asks: Option<Notes>,
    ) -> Verdict {
        // Whether the source has noted something to ask.
        let has_asks = || P::IS_WOKEN && asks.is_some_and(|asks| !asks.is_empty());
        let is_alone = D::IS_WOKEN_BY_ONE && cause == Cause::Wake;
        let may_wait = !D::IS_INLINE && cause != Cause::Here;
        let Link { source, subscriber } = link;
        // What the word is while nothing new has come: RUNNING, and PARKING before the last look.
        let mut quiet = RUNNING;
        let mut is_woken = true;
        let mut is_starved = false;
        // Whether the source advanced last, and has to be fed from before it does so again: one
        // that is woken by each advance would else give nothing.
        let mut has_advanced = false;
        let mut n_advances = 0;
        let mut chunks = 0;
        let mut n_waited = 0;
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
            // Whoever wakes a source reads the reentry's cache line each time. Where nobody does, a
            // store costs less than a look.
            let notes = if P::IS_WOKEN {
                // SAFETY: the caller has the turn and is inside the reentry (reentry's invariant
                // 1).
                unsafe { self.reentry.take_noted() }
            } else {
                // SAFETY: as above.
                unsafe { self.reentry.take() }
            };
            if notes.cancelled {
                return Verdict::Cancelled;
            }
            if is_illegal || notes.illegal {
                return Verdict::Failed(self.failure());
            }
            is_woken |= notes.woken;
            if P::IS_WOKEN && notes.woken {
                // SAFETY: as above.
                let rung = unsafe { self.reentry.take_rung() };
                if rung != 0 {
                    source.rung(rung);
                }
            }
            add_demand(demand, notes.requested);
            if P::IS_WOKEN && is_woken && !has_advanced {
                if self.is_over(&mut n_advances) {
                    return Verdict::Yield;
                }
                n_advances += 1;
                has_advanced = true;
                is_woken = false;
                is_starved = false;
                if P::HAS_WORK {
                    source.advance();
                    // The work may have called back, or taken long.
                    continue;
                }
            }
            has_advanced = false;
            let is_idle = *demand == 0 || is_starved;
            // Where turns run on the thread that causes them, what is there is given first, so that
            // nothing waits while the source that is asked is busy. On a worker nobody else could
            // give it.
            if (!D::IS_INLINE || !is_idle) && has_asks() {
                return Verdict::Ask(quiet);
            }
            if is_idle {
                // A source without other work would have said so when it was asked for an item.
                if (P::HAS_WORK || !is_starved)
                    && let Some(end) = source.end()
                {
                    return Verdict::Ended(end);
                }
                if P::IS_WOKEN && is_woken {
                    continue;
                }
                if P::IS_WOKEN && !is_alone && quiet == RUNNING {
                    // Invariant 5: announce, fence, and look once more.
                    self.word.fetch_or(PARKING, Ordering::AcqRel);
                    fence(Ordering::SeqCst);
                    quiet = RUNNING | PARKING;
                    is_woken = true;
                    continue;
                }
                return Verdict::Settle(quiet);
            }
            // A runner that waits parks instead, unless it has just had an item.
            if n_waited == 0 && self.is_over(&mut chunks) {
                return Verdict::Yield;
            }
            chunks += 1;
            let limit = (*demand).min(P::CHUNK);
            let mut is_finished = false;
            let mut is_fed = false;
            let mut offer = |item| {
                // Read where a runner waits, and nowhere else.
                is_fed |= !D::IS_INLINE;
                let offer = subscriber.offer(item);
                is_finished |= offer == Offer::Finished;
                // SAFETY: the caller has the turn and is inside the reentry (reentry's invariant
                // 1).
                let is_urgent = unsafe { self.reentry.is_urgent() };
                // Where items wait to be worked on, a cancel from elsewhere is obeyed at the next
                // one. Relaxed: a look, repeated at the top of the loop.
                let is_cancelled =
                    P::IS_WOKEN && self.word.load(Ordering::Relaxed) & CANCELLED != 0;
                let is_over = is_finished || is_urgent || is_cancelled || has_asks();
                (offer, if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            };
            let before = *demand;
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
            if !D::IS_INLINE && is_fed {
                n_waited = 0;
            }
            match fed {
                Fed::Full | Fed::Broken if is_finished => return Verdict::Cancelled,
                Fed::Full | Fed::Broken => {
                    // The next item may be far away, as it is for a source that waits in `next`, or
                    // the demand is without end.
                    let is_long = P::CHUNK == 1 || before == DEMAND || before - *demand < limit;
                    if is_long && !has_asks() {
                        after_turn::flush();
                    }
                }
                Fed::Pending
                    if may_wait
                        && !has_asks()
                        && let n @ 1.. = source.pause(n_waited)
                        && !self.is_over(&mut chunks) =>
                {
                    // The next item is probably on its way, and parking costs more than waiting.
                    // Each look takes the queue's cache line away from the producer.
                    for _ in 0..n {
                        spin_loop();
                    }
                    n_waited = n_waited.saturating_add(n);
                }
                Fed::Pending => {
                    // Nobody could have made an item meanwhile. SAFETY: as above.
                    if is_alone && !P::HAS_WORK && !is_woken && unsafe { self.reentry.is_quiet() } {
                        return Verdict::Settle(quiet);
                    }
                    is_starved = true;
                }
                Fed::End(end) => return Verdict::Ended(end),
            }
        }
    }

    /// Whether a turn that has done `n` has to let others run. If nobody waits, it begins to count
    /// anew.
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

    /// `RUNNING → CLOSED`. The caller has the turn and is inside the reentry.
    pub(super) fn close(&self, link: Link<P, S>, verdict: Verdict) {
        // A swap, so that it is ordered with the read-modify-writes of others. Release: whoever
        // drops the gate sees that the link is gone (invariant 3).
        self.word.swap(RUNNING | CANCELLED | CLOSED, Ordering::AcqRel);
        self.reentry.leave();
        match self.busy_frame() {
            None => link.conclude(verdict),
            // A source that is on this thread's stack has let go before the end is signaled.
            Some(frame) => frame.push(Ask::End(Box::new(link.let_go(verdict)))),
        }
    }
}

/// Adds demand in the word's units: all bits of `DEMAND` set is unbounded, and stays so.
#[inline(always)]
pub(super) fn add_demand(demand: &mut u64, n: u64) {
    *demand = demand.saturating_add(n).min(DEMAND);
}
