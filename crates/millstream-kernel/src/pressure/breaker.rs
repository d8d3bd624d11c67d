//! The word of a circuit breaker: its state, and in half-open how many probes are out.
//!
//! Whoever is admitted gets the generation of the state that admitted it. A result belongs to the
//! state of its generation; that of an earlier one changes nothing.
//!
//! # States
//!
//! ```text
//!                trip                    admit, when the time has come
//!   ┌────────┐ ────────▶ ┌──────────────┐ ────────▶ ┌───────────────────┐ ⟲ admit: up to n probes
//!   │ CLOSED │           │ OPEN until t │           │ HALF OPEN, issued │ ⟲ give_back: one fewer
//!   └────────┘           └──────────────┘ ◀──────── └───────────────────┘
//!        ▲                                   trip             │
//!        └────────────────────────────────────────────────────┘ close
//!
//!   Every arrow between two boxes begins a generation.
//! ```
//!
//! # Invariants
//!
//! 1. A state is left by a compare-exchange on the whole word, generation included, so that it is
//!    left once, and by one who has seen it.
//! 2. In half-open at most `n` probes are issued and not given back.
//! 3. The time of the opening is written under the lock before the word says OPEN.

use std::time::Duration;

use crate::sync::{AtomicU64, Mutex, Ordering};

const CLOSED: u64 = 0;
const OPEN: u64 = 1;
const HALF_OPEN: u64 = 2;
const STATE: u64 = 3;
/// One issued probe.
const PROBE: u64 = 1 << 2;
const PROBES: u64 = 0xFFFF << 2;
const GENERATION: u32 = 18;

/// The state of a circuit breaker. The file's header has the rest.
#[derive(Debug)]
pub struct BreakerWord {
    word: AtomicU64,
    /// In nanoseconds; `u64::MAX` for ever.
    opens_at: AtomicU64,
    lock: Mutex<()>,
}

/// What a breaker answers to one who wants to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a probe has to come back"]
pub enum Admission {
    /// It is closed; in this generation.
    Closed(u64),
    /// It is half-open, and this is one of its probes; in this generation.
    Probe(u64),
    /// It is open until this moment, [`Duration::MAX`] for ever.
    Open(Duration),
    /// It is half-open, and all probes are out.
    NoProbeLeft,
}

/// A breaker's state and its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreakerState {
    /// Everybody passes.
    Closed,
    /// Nobody passes until this moment.
    Open {
        /// By the clock of those who call; [`Duration::MAX`] for ever.
        until: Duration,
    },
    /// Probes pass.
    HalfOpen {
        /// How many are out or have come back.
        issued: u64,
    },
}

impl BreakerWord {
    /// The most probes in half-open.
    pub const MAX_PROBES: u64 = PROBES / PROBE;

    /// A closed breaker.
    #[must_use]
    pub fn new() -> Self {
        Self { word: AtomicU64::new(CLOSED), opens_at: AtomicU64::new(0), lock: Mutex::new(()) }
    }

    /// Lets one pass, if the state allows it: `OPEN → HALF OPEN` when the time has come, and in
    /// half-open up to `n_probes`.
    #[inline]
    pub fn admit(&self, n_probes: u64, now: Duration) -> Admission {
        let n_probes = n_probes.clamp(1, Self::MAX_PROBES);
        // Acquire: pairs with the release of whoever changed the state.
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let (next, answer) = match word & STATE {
                CLOSED => return Admission::Closed(generation(word)),
                OPEN => {
                    // Relaxed: the word's acquire shows at least the time of this opening
                    // (invariant 3).
                    let until = moment(self.opens_at.load(Ordering::Relaxed));
                    if now < until || until == Duration::MAX {
                        return Admission::Open(until);
                    }
                    let next = successor(word, HALF_OPEN) + PROBE;
                    (next, Admission::Probe(generation(next)))
                }
                _ if issued(word) >= n_probes => return Admission::NoProbeLeft,
                _ => (word + PROBE, Admission::Probe(generation(word))),
            };
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return answer,
                Err(current) => word = current,
            }
        }
    }

    /// A probe of `generation` says nothing: another may be issued in its place.
    pub fn give_back(&self, generation: u64) {
        let mut word = self.word.load(Ordering::Acquire);
        while word & STATE == HALF_OPEN && self::generation(word) == generation && issued(word) > 0
        {
            match self.word.compare_exchange_weak(
                word,
                word - PROBE,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return,
                Err(current) => word = current,
            }
        }
    }

    /// `CLOSED → OPEN`, `HALF OPEN → OPEN` until a moment, [`Duration::MAX`] for ever, by a result
    /// of `generation`. Returns whether it was that result that did it.
    pub fn trip(&self, generation: u64, until: Duration) -> bool {
        let _lock = self.lock.lock();
        let word = self.word.load(Ordering::Acquire);
        if word & STATE == OPEN || self::generation(word) != generation {
            return false;
        }
        // Invariant 3. Nobody reads it before the word says OPEN, and trips have the lock.
        self.opens_at.store(nanos(until), Ordering::Relaxed);
        self.leave(generation, OPEN)
    }

    /// `HALF OPEN → CLOSED`, by a result of `generation`. Returns whether it was that result that
    /// did it.
    pub fn close(&self, generation: u64) -> bool {
        let word = self.word.load(Ordering::Acquire);
        word & STATE == HALF_OPEN && self.leave(generation, CLOSED)
    }

    /// Sets a state by hand, whatever it was: OPEN with a moment, and else CLOSED. Returns the
    /// generation that begins.
    pub fn force(&self, open_until: Option<Duration>) -> u64 {
        let _lock = self.lock.lock();
        if let Some(until) = open_until {
            self.opens_at.store(nanos(until), Ordering::Relaxed);
        }
        let state = if open_until.is_some() { OPEN } else { CLOSED };
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let next = successor(word, state);
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return generation(next),
                Err(current) => word = current,
            }
        }
    }

    /// The state and its generation.
    #[must_use]
    pub fn state(&self) -> (BreakerState, u64) {
        let word = self.word.load(Ordering::Acquire);
        let state = match word & STATE {
            CLOSED => BreakerState::Closed,
            // Relaxed: as in `admit`.
            OPEN => BreakerState::Open { until: moment(self.opens_at.load(Ordering::Relaxed)) },
            _ => BreakerState::HalfOpen { issued: issued(word) },
        };
        (state, generation(word))
    }

    /// Leaves the state of `generation`, whatever probes are out.
    fn leave(&self, generation: u64, state: u64) -> bool {
        let mut word = self.word.load(Ordering::Acquire);
        while self::generation(word) == generation {
            let next = successor(word, state);
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(current) => word = current,
            }
        }
        false
    }
}

impl Default for BreakerWord {
    fn default() -> Self {
        Self::new()
    }
}

/// The first word of the next generation.
fn successor(word: u64, state: u64) -> u64 {
    (generation(word).wrapping_add(1) << GENERATION) | state
}

#[inline]
fn generation(word: u64) -> u64 {
    word >> GENERATION
}

fn issued(word: u64) -> u64 {
    (word & PROBES) / PROBE
}

fn nanos(moment: Duration) -> u64 {
    u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX)
}

fn moment(nanos: u64) -> Duration {
    if nanos == u64::MAX { Duration::MAX } else { Duration::from_nanos(nanos) }
}
