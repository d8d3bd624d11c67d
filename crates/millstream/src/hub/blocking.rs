//! Shared: what a thread does before it sleeps for a place.

use std::hint::spin_loop;

use super::{SendError, TrySendError};
use crate::scheduler::spin_wait::{is_crowded, let_others_run, n_yields};

/// How often a thread looks again before it lets others run, after 1, 2, 4 and so on pauses of the
/// processor: less than a microsecond in all, and not at all if others ran last time.
/// The thread that makes room may be waiting for this very processor.
const N_SPINS: u32 = 4;

/// How often it lets others run before it sleeps.
const N_YIELDS: u32 = 8;

/// Sends `item` by `try_send`, which is asked again for some microseconds while it says `Full`: a
/// place is probably about to be free, and sleeping and being woken costs more.
/// Longer and longer pauses, and then the turn of other threads, as crossbeam's channels do it; the
/// pauses are fewer.
///
/// # Errors
///
/// Gives the item back if there is still no place, or nobody yet to send to: it is time to sleep.
#[inline]
pub(super) fn try_for_a_while<T, R>(
    item: T,
    try_send: impl FnMut(T) -> Result<R, TrySendError<T>>,
) -> Result<Result<R, SendError<T>>, T> {
    try_and(let_others_run, item, try_send)
}

/// [`try_for_a_while`], where `yields` lets others run and returns whether to do so again.
#[inline]
fn try_and<T, R>(
    yields: impl Fn() -> bool,
    mut item: T,
    mut try_send: impl FnMut(T) -> Result<R, TrySendError<T>>,
) -> Result<Result<R, SendError<T>>, T> {
    let mut n_full = if is_crowded() { N_SPINS } else { 0 };
    // Asked for when it is first full.
    let mut most = None;
    loop {
        match try_send(item) {
            Err(TrySendError::Full(back))
                if n_full < *most.get_or_insert_with(|| N_SPINS + n_yields(N_YIELDS)) =>
            {
                item = back;
                if n_full < N_SPINS {
                    (0..1 << n_full).for_each(|_| spin_loop());
                } else if !yields() {
                    // One more look, and then it is time to sleep.
                    n_full = N_SPINS + N_YIELDS;
                }
                n_full += 1;
            }
            Err(TrySendError::Full(item) | TrySendError::NoSubscriber(item)) => return Err(item),
            Err(TrySendError::Closed(item)) => return Ok(Err(SendError(item))),
            Ok(sent) => return Ok(Ok(sent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SendError, N_SPINS, N_YIELDS, TrySendError, try_and};
    use crate::scheduler::spin_wait;

    /// Tries to send to a queue that stays full, where letting others run is worth it or not. How
    /// often.
    fn n_tries_if(is_worth_it: bool) -> u32 {
        let mut n_tries = 0;
        let yields = || is_worth_it;
        let tried: Result<Result<(), SendError<&str>>, _> = try_and(yields, "item", |item| {
            n_tries += 1;
            Err(TrySendError::Full(item))
        });

        assert!(matches!(tried, Err("item")), "given back");
        n_tries
    }

    #[test]
    fn a_full_queue_is_tried_for_a_while_and_for_less_where_others_ran_last() {
        assert_eq!([true, false].map(n_tries_if), [N_SPINS + N_YIELDS + 1, N_SPINS + 2]);

        spin_wait::crowd();

        assert_eq!([true, false].map(n_tries_if), [N_YIELDS + 1, 2]);

        spin_wait::hog();

        assert_eq!([true, false].map(n_tries_if), [1, 1]);
    }
}
