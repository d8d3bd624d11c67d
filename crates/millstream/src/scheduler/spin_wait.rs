//! How long a thread looks again for what another is about to do, before it lets others run.
//!
//! Sleeping and being woken costs more than looking for a while.
//! But the other thread may be waiting for this very processor, and then every look is lost.
//! Which of the two it is changes within milliseconds, as the system moves threads; a thread
//! guesses it from how long letting others run took last.

use std::{
    cell::Cell,
    thread::yield_now,
    time::{Duration, Instant},
};

/// For how many pauses of the processor a runner on a worker waits for the next item: about as long
/// as parking and being woken takes.
const N_PAUSES: u32 = 64;

/// For how many if its thread let others run last time: long enough to see whether anybody is
/// sending.
const N_PAUSES_CROWDED: u32 = 16;

/// Longer than letting others run took where nobody else wanted the processor, on the systems
/// measured.
const UNHEEDED: Duration = Duration::from_micros(1);

/// How many times the least that letting others run has taken is not yet long, on systems that need
/// longer.
const N_LEAST: u32 = 2;

/// If letting others run took longer, other programs have the processor, and each time costs their
/// time slice: a thread that sleeps is woken sooner.
const HOGGED: Duration = Duration::from_micros(50);

/// How many times a thread then sleeps at once, before it tries again.
const N_SLEEPS: u32 = 255;

thread_local! {
    /// How many times this thread is still to sleep without letting others run.
    static SLEEPS: Cell<u32> = const { Cell::new(0) };

    /// Whether another thread probably ran when this one let others run last.
    static IS_CROWDED: Cell<bool> = const { Cell::new(false) };

    /// The least time that letting others run has ever taken this thread.
    static LEAST: Cell<Duration> = const { Cell::new(Duration::MAX) };
}

/// Returns whether the peer is probably waiting for this CPU: then this thread should yield at
/// once.
#[inline]
pub(crate) fn is_crowded() -> bool {
    IS_CROWDED.get()
}

/// How often this thread lets others run before it sleeps: `most`, or not at all for a while after
/// other programs had the processor. To be asked once for each wait.
pub(crate) fn n_yields(most: u32) -> u32 {
    let n_sleeps = SLEEPS.get();
    SLEEPS.set(n_sleeps.saturating_sub(1));
    if n_sleeps == 0 { most } else { 0 }
}

/// Lets other threads run, and remembers whether any did. Returns whether to do so again, and not
/// to sleep.
#[expect(
    clippy::disallowed_methods,
    reason = "measures what the system does, and not the time of a flow"
)]
pub(crate) fn let_others_run() -> bool {
    let start = Instant::now();
    yield_now();
    let took = start.elapsed();
    remember(took);
    took <= HOGGED
}

/// Letting others run took so long.
fn remember(took: Duration) {
    let least = LEAST.get().min(took);
    LEAST.set(least);
    IS_CROWDED.set(took > UNHEEDED.max(least * N_LEAST));
    if took > HOGGED {
        SLEEPS.set(N_SLEEPS);
    }
}

/// How many of these pauses a runner makes before it looks again, having waited for `n_waited`: the
/// more items may come meanwhile, the more.
#[inline]
pub(crate) fn pause(n_waited: u32, capacity: u64) -> u32 {
    let most = if is_crowded() { N_PAUSES_CROWDED } else { N_PAUSES };
    ((capacity / 16).clamp(1, 16) as u32).min(most.saturating_sub(n_waited))
}

/// As if this thread had let another run.
#[cfg(test)]
pub(crate) fn crowd() {
    remember(Duration::ZERO);
    remember(Duration::from_micros(20));
}

/// As if it had let another program run.
#[cfg(test)]
pub(crate) fn hog() {
    remember(Duration::from_millis(1));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        LEAST, N_SLEEPS, crowd, hog, is_crowded, let_others_run, n_yields, pause, remember,
    };

    /// How often a runner looks again, and for how many pauses it waits.
    fn waits(capacity: u64) -> (usize, u32) {
        let mut n_waited = 0;
        let pauses = std::iter::repeat_with(|| {
            let n = pause(n_waited, capacity);
            n_waited += n;
            n
        });
        (pauses.take_while(|&n| n > 0).count(), n_waited)
    }

    #[test]
    fn a_runner_waits_for_less_where_others_ran_last() {
        assert_eq!((waits(1), waits(48), waits(1_000)), ((64, 64), (22, 64), (4, 64)));

        crowd();

        assert_eq!((waits(1), waits(48), waits(1_000)), ((16, 16), (6, 16), (1, 16)));
    }

    #[test]
    fn others_ran_if_letting_them_took_long_for_this_system() {
        let is_crowded_after = |nanoseconds| {
            remember(Duration::from_nanos(nanoseconds));
            is_crowded()
        };

        // The first time, nobody knows what is long here.
        assert_eq!([9_000, 3_000, 6_000, 6_001].map(is_crowded_after), [false, false, false, true]);
        assert_eq!([300, 1_000, 1_001].map(is_crowded_after), [false, false, true]);
        assert_eq!([400, 6_001].map(is_crowded_after), [false, true]);
    }

    #[test]
    fn a_thread_that_waited_for_other_programs_sleeps_for_a_while_instead() {
        assert_eq!(n_yields(9), 9);

        hog();

        let n_sleeps = std::iter::repeat_with(|| n_yields(9)).take_while(|n| *n == 0).count();
        assert_eq!(n_sleeps, N_SLEEPS as usize);
        assert_eq!(n_yields(9), 9);
    }

    #[test]
    fn letting_others_run_is_measured() {
        #[expect(clippy::disallowed_methods, reason = "a thread that has measured nothing yet")]
        let other = std::thread::spawn(|| {
            let before = LEAST.get();
            let_others_run();
            (before, LEAST.get())
        });
        let (before, after) = other.join().unwrap();

        assert!(before == Duration::MAX && after < before);
    }
}
