//! Shared: how long a thread looks again for what another is about to do, before it lets others run.
//!
//! Sleeping and being woken costs more than looking for a while. But the other thread may be waiting for this
//! very processor, and then every look is lost. Which of the two it is changes within milliseconds, as the
//! system moves threads; a thread finds out when it lets others run: that takes longer if one does.

use std::{
    cell::Cell,
    thread::yield_now,
    time::{Duration, Instant},
};

/// For how many pauses of the processor a runner on a worker waits for the next item: about as long as parking
/// and being woken takes.
const N_PAUSES: u32 = 64;

/// For how many if its thread let others run last time: long enough to see whether anybody is sending.
const N_PAUSES_CROWDED: u32 = 16;

/// Longer than a system needs to find that nobody else wants the processor.
const UNHEEDED: Duration = Duration::from_nanos(1_000);

thread_local! {
    /// Whether another thread ran when this one let others run last.
    static IS_CROWDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether whoever this thread waits for probably waits for its processor: then it should let others run at once.
#[inline]
pub(crate) fn is_crowded() -> bool {
    IS_CROWDED.get()
}

/// Lets other threads run, and remembers whether any did.
#[expect(
    clippy::disallowed_methods,
    reason = "measures what the system does, and not the time of a flow"
)]
pub(crate) fn let_others_run() {
    let start = Instant::now();
    yield_now();
    IS_CROWDED.set(start.elapsed() > UNHEEDED);
}

/// How many of these pauses a runner makes before it looks again, having waited for `n_waited`: the more items
/// may come meanwhile, the more.
#[inline]
pub(crate) fn pause(n_waited: u32, capacity: u64) -> u32 {
    let most = if is_crowded() { N_PAUSES_CROWDED } else { N_PAUSES };
    ((capacity / 16).clamp(1, 16) as u32).min(most.saturating_sub(n_waited))
}

#[cfg(test)]
mod tests {
    use super::{IS_CROWDED, is_crowded, let_others_run, pause};

    /// How often a runner looks again, and for how many pauses it waits.
    fn waits(capacity: u64) -> (usize, u32) {
        let mut n_waited = 0;
        let n_looks = std::iter::repeat_with(|| {
            let n = pause(n_waited, capacity);
            n_waited += n;
            n
        });
        (n_looks.take_while(|&n| n > 0).count(), n_waited)
    }

    #[test]
    fn a_runner_waits_for_less_where_others_ran_last() {
        assert_eq!((waits(1), waits(48), waits(1_000)), ((64, 64), (22, 64), (4, 64)));

        IS_CROWDED.set(true);

        assert_eq!((waits(1), waits(48), waits(1_000)), ((16, 16), (6, 16), (1, 16)));
    }

    #[test]
    fn a_thread_that_has_its_processor_for_itself_finds_out() {
        IS_CROWDED.set(true);
        // Others run now and then, whatever the machine does; not each time.
        let is_found = (0..10_000).any(|_| {
            let_others_run();
            !is_crowded()
        });

        assert!(is_found);
    }
}
