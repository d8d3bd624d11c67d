//! A gate's turn: how it is passed on, run, and left.
//!
//! The states and the invariants are those of [`Gate`].

use reactive_streams::Subscriber;

use super::{
    Gate,
    after_turn::{Ask, Notes},
    link::{Link, Rescue},
    turn::{Cause, Turn, Verdict},
    word::{Quiet, Settle, units},
};
use crate::{Dispatch, Source, Task, guard::caught};

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
        self.word.schedule(cause);
        if let Err(error) = self.dispatch.dispatch() {
            self.abandon(error);
        }
    }

    /// Closes instead of running. The caller has the turn.
    pub(super) fn end_turn(&self, verdict: Verdict) {
        self.reentry.enter();
        self.close(self.take_link(), verdict);
    }

    /// One turn. The caller has it. `n` items were asked for, beyond what the word says, and `rung`
    /// rang on this thread. `notes` are where the source's requests go, if it is woken.
    #[inline(always)]
    pub(super) fn run_turn(&self, n: u64, cause: Cause, rung: u64, notes: Notes) -> Leave {
        self.reentry.enter();
        if P::IS_WOKEN && rung != 0 {
            self.reentry.note_rung(rung);
        }
        let mut demand = self.demand.with(|demand| {
            // SAFETY: the caller has the turn (invariant 1).
            unsafe { *demand }
        });
        units::add(&mut demand, n);
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
                Verdict::Yield => Quiet::RUNNING,
                verdict => {
                    // Those who hear of the end are no part of the turn.
                    if P::IS_WOKEN {
                        notes.close();
                    }
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
                self.word.schedule(cause);
                return Leave::Asking;
            }
            if let Verdict::Yield = verdict {
                self.schedule(cause);
                return Leave::Scheduled;
            }
            if self.word.settle(expected, demand != 0 || is_asking) == Settle::Leave {
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
        notes: Notes,
        closing: &mut Option<Link<P, S>>,
    ) -> Verdict {
        if P::IS_WOKEN && D::IS_INLINE {
            return self.in_link(|link| Turn::new(self, cause, notes).run(link, demand));
        }
        let mut rescue = Rescue { link: Some(self.take_link()), gate: self };
        let verdict = match &mut rescue.link {
            Some(link) => Turn::new(self, cause, notes).run(link, demand),
            None => Verdict::Canceled,
        };
        if !matches!(verdict, Verdict::Settle(_) | Verdict::Ask(_) | Verdict::Yield) {
            *closing = rescue.link.take();
        }
        verdict
    }

    /// `RUNNING → CLOSED`. The caller has the turn and is inside the reentry.
    pub(super) fn close(&self, link: Link<P, S>, verdict: Verdict) {
        self.word.close();
        self.reentry.leave();
        match self.busy_frame() {
            None => link.conclude(verdict),
            // A source that is on this thread's stack has let go before the end is signaled.
            Some(frame) => frame.push(Ask::End(Box::new(link.let_go(verdict)))),
        }
    }
}
