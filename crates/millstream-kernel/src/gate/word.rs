//! A gate's word: who has the turn, what was asked for, and whether the stream goes on.
//!
//! The states and the invariants are those of [`Gate`](super::Gate).
//!
//! # Layout
//!
//! ```text
//! 63 RUNNING      a thread has the turn
//! 62 CANCELED    the subscriber withdrew
//! 61 CLOSED       source and subscriber are gone
//! 60 ILLEGAL      `request(0)` was called (rule 3.9), or the stream has to fail otherwise
//! 59 PARKING      the runner found nothing to do and is about to look for the last time
//! 58 WOKEN        there may be something to do
//! 57 SCHEDULED    the turn waits to be claimed
//! 56 NO_DEMAND    idle, and there was no demand when the last runner left
//! 55 HERE         the turn that is scheduled was caused where it will run
//! 54 .. 0         demand that no runner has taken yet; all bits set is unbounded (rule 3.17)
//! ```
//!
//! # Where demand lives
//!
//! ```text
//!  another thread ──── raise ────▶ the word ───────────── look ──────┐
//!                                                                    ▼
//!  the runner's own ── request ──▶ the reentry's notes ── take ──▶ the runner's local ──▶ items
//!                                                                    ▲  │
//!                                  the gate's cell ◀─────────────────┼──┘ leaving
//!                                         └───────────── entering ───┘
//! ```
//!
//! # Orderings
//!
//! | operation | order | pairs with | for |
//! |---|---|---|---|
//! | [`seize`](Word::seize) | acquire | `settle` | link, demand and notes of the last runner |
//! | [`claim`](Word::claim) | acquire | `schedule` | the same |
//! | `raise` | acquire and release | `settle`, `look` | the same; what its caller did before |
//! | [`schedule`](Word::schedule) | release | `claim` | link, demand and notes of this runner |
//! | [`look`](Word::look) | acquire and release | `raise` | what was done before a request |
//! | [`park`](Word::park) | sequentially consistent | `runner_looks`, `refuses_items` | invariant 5 |
//! | [`settle`](Word::settle) | release | `seize`, `raise` | link, demand and notes of this runner |
//! | [`close`](Word::close) | acquire and release | the gate's drop | that the link is gone |

use super::turn::Cause;
use crate::{
    demand::packed::PackedDemand,
    sync::{AtomicU64, Ordering, fence, last_value},
};

const RUNNING: u64 = 1 << 63;
const CANCELED: u64 = 1 << 62;
const CLOSED: u64 = 1 << 61;
const ILLEGAL: u64 = 1 << 60;
const PARKING: u64 = 1 << 59;
const WOKEN: u64 = 1 << 58;
const SCHEDULED: u64 = 1 << 57;
const NO_DEMAND: u64 = 1 << 56;
const HERE: u64 = 1 << 55;
const DEMAND: PackedDemand = PackedDemand::below(HERE);

/// The word of a gate. The file's header has the rest.
#[derive(Debug)]
pub(super) struct Word(AtomicU64);

/// Who sees to what a caller has written to the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a turn that is acquired and not run blocks the gate for ever"]
pub(super) enum Next {
    /// The caller: it has acquired the turn, and runs it or passes it on.
    Run,
    /// A runner, or nobody, because the stream is over.
    Leave,
}

/// What a runner does after a look at the word.
#[must_use]
pub(super) enum Look {
    /// It goes on: nothing has come.
    Quiet,
    /// It takes these along.
    News(News),
    /// It ends the stream.
    Canceled,
}

/// What others have written to the word while a runner had the turn.
pub(super) struct News {
    /// In the word's units.
    pub(super) demand: u64,
    pub(super) is_illegal: bool,
    pub(super) is_woken: bool,
}

/// What a runner does after it tried to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what came meanwhile is the runner's to do"]
pub(super) enum Settle {
    /// It leaves: others may have the turn already.
    Leave,
    /// It looks again: something came meanwhile.
    LookAgain,
}

/// What the word is while nothing new has come: RUNNING, and PARKING too before the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quiet(u64);

impl Quiet {
    pub(super) const RUNNING: Self = Self(RUNNING);
    const PARKING: Self = Self(RUNNING | PARKING);

    #[inline(always)]
    pub(super) fn is_parking(self) -> bool {
        self == Self::PARKING
    }
}

/// Demand in the word's units, for a runner.
pub(super) mod units {
    /// All bits of demand.
    pub(in super::super) const UNBOUNDED: u64 = super::HERE - 1;

    /// Adds demand. What is unbounded stays so.
    #[inline(always)]
    pub(in super::super) fn add(demand: &mut u64, n: u64) {
        *demand = demand.saturating_add(n).min(UNBOUNDED);
    }
}

impl Word {
    /// The word of a gate whose maker has the turn.
    pub(super) fn running() -> Self {
        Self(AtomicU64::new(RUNNING))
    }

    /// `IDLE → RUNNING`, if the gate is idle.
    #[inline]
    pub(super) fn seize(&self) -> Next {
        // Relaxed: a look, which spares those who find a runner the claim to the cache line.
        let idle = self.0.load(Ordering::Relaxed);
        if idle & !NO_DEMAND != 0 {
            return Next::Leave;
        }
        // Acquire: the header. Nobody else has the turn, so there is nobody to publish to.
        match self.0.compare_exchange(idle, RUNNING, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Next::Run,
            Err(_) => Next::Leave,
        }
    }

    /// Takes the turn that was scheduled, if it was (invariant 6). Returns what caused it.
    #[inline]
    pub(super) fn claim(&self) -> Option<Cause> {
        // Acquire: the header.
        let word = self.0.fetch_and(!(SCHEDULED | HERE), Ordering::Acquire);
        match word & (SCHEDULED | HERE) {
            SCHEDULED => Some(Cause::Other),
            0 | HERE => None,
            _ => Some(Cause::Here),
        }
    }

    /// Adds `n` to the demand. Nothing is asked for by 0, which is an error (rule 3.9).
    #[inline]
    pub(super) fn request(&self, n: u64) -> Next {
        self.raise(n, if n == 0 { ILLEGAL } else { 0 })
    }

    /// The subscriber withdraws.
    #[inline]
    pub(super) fn cancel(&self) -> Next {
        self.raise(0, CANCELED)
    }

    /// The stream has to fail.
    pub(super) fn fail(&self) -> Next {
        self.raise(0, ILLEGAL)
    }

    /// There may be something to do.
    #[inline]
    pub(super) fn wake(&self) -> Next {
        self.raise(0, WOKEN)
    }

    /// Adds to the word, `IDLE → RUNNING`, unless the stream is over.
    #[inline]
    fn raise(&self, demand: u64, set: u64) -> Next {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & (CANCELED | CLOSED) != 0 {
                return Next::Leave;
            }
            let next = (DEMAND.sum(word, demand) & !NO_DEMAND) | set | RUNNING;
            // AcqRel: the header.
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if word & RUNNING == 0 => return Next::Run,
                Ok(_) => return Next::Leave,
                Err(current) => word = current,
            }
        }
    }

    /// Lets others [claim](Self::claim) the turn, which the caller has.
    #[inline]
    pub(super) fn schedule(&self, cause: Cause) {
        let here = if cause == Cause::Here { HERE } else { 0 };
        // Release: the header.
        self.0.fetch_or(SCHEDULED | here, Ordering::Release);
    }

    /// A runner's look: takes what has come, PARKING included.
    #[inline(always)]
    pub(super) fn look(&self, quiet: Quiet) -> Look {
        // Relaxed: what is behind the news is acquired by the swap.
        let word = self.0.load(Ordering::Relaxed);
        if word == quiet.0 {
            return Look::Quiet;
        }
        if word & CANCELED != 0 {
            return Look::Canceled;
        }
        // AcqRel: the header.
        let news = self.0.swap(RUNNING, Ordering::AcqRel);
        if news & CANCELED != 0 {
            return Look::Canceled;
        }
        Look::News(News {
            demand: news & units::UNBOUNDED,
            is_illegal: news & ILLEGAL != 0,
            is_woken: news & WOKEN != 0,
        })
    }

    /// `RUNNING → PARKING`: announces that the runner looks for the last time (invariant 5).
    #[inline(always)]
    pub(super) fn park(&self) -> Quiet {
        self.0.fetch_or(PARKING, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        Quiet::PARKING
    }

    /// `RUNNING` or `PARKING → IDLE`, if the word still is what it was.
    #[inline(always)]
    pub(super) fn settle(&self, quiet: Quiet, has_demand: bool) -> Settle {
        let idle = if has_demand { 0 } else { NO_DEMAND };
        // Release: the header. Acquire on failure is left to the swap in `look`.
        match self.0.compare_exchange(quiet.0, idle, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Settle::Leave,
            Err(_) => Settle::LookAgain,
        }
    }

    /// `RUNNING → CLOSED`, by the one who has the turn.
    pub(super) fn close(&self) {
        // A swap, so that it is ordered with the read-modify-writes of others. AcqRel: the header.
        self.0.swap(RUNNING | CANCELED | CLOSED, Ordering::AcqRel);
    }

    /// Returns whether a runner will find what the caller has published (invariant 5).
    #[inline]
    pub(super) fn runner_looks(&self) -> bool {
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        self.0.load(Ordering::Relaxed) & (RUNNING | PARKING) == RUNNING
    }

    /// Returns whether the gate is idle for lack of demand, so that whoever brings some finds what
    /// the caller has published (invariant 5).
    #[inline]
    pub(super) fn refuses_items(&self) -> bool {
        // Relaxed: ordered by the fence.
        let has_no_demand = || self.0.load(Ordering::Relaxed) & NO_DEMAND != 0;
        has_no_demand() && {
            fence(Ordering::SeqCst);
            has_no_demand()
        }
    }

    /// Returns whether the subscriber is known to have withdrawn.
    #[inline(always)]
    pub(super) fn is_canceled(&self) -> bool {
        // Relaxed: a hint; a runner that ends the stream looks again.
        self.0.load(Ordering::Relaxed) & CANCELED != 0
    }

    /// Returns whether the stream is known to be over.
    pub(super) fn is_closed(&self) -> bool {
        // Relaxed: a hint; what is begun in vain is canceled.
        self.0.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Returns whether a thread has the turn, for people.
    pub(super) fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed) & RUNNING != 0
    }

    /// The same as [`is_closed`](Self::is_closed), for the last one that has the gate.
    pub(super) fn is_closed_at_last(&mut self) -> bool {
        last_value(&mut self.0) & CLOSED != 0
    }
}
