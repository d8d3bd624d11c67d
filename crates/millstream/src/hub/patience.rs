//! Shared: what a thread does before it sleeps for a place.

use crossbeam_utils::Backoff;

use super::TrySendError;

/// Sends `item` by `try_send`, which is asked again for some microseconds while it says `Full`: a place is
/// probably about to be free, and sleeping and being woken costs more. Longer and longer pauses, and then
/// the turn of other threads, as crossbeam's channels do it.
#[inline]
pub(super) fn try_for_a_while<T, R>(
    mut item: T,
    mut try_send: impl FnMut(T) -> Result<R, TrySendError<T>>,
) -> Result<R, TrySendError<T>> {
    let backoff = Backoff::new();
    loop {
        match try_send(item) {
            Err(TrySendError::Full(back)) if !backoff.is_completed() => {
                item = back;
                backoff.snooze();
            }
            result => return result,
        }
    }
}
