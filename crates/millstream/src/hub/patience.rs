//! Shared: what a thread does before it sleeps for a place.

use crossbeam_utils::Backoff;

use super::{SendError, TrySendError};

/// Sends `item` by `try_send`, which is asked again for some microseconds while it says `Full`: a place is
/// probably about to be free, and sleeping and being woken costs more. Longer and longer pauses, and then
/// the turn of other threads, as crossbeam's channels do it.
///
/// # Errors
///
/// Gives the item back if there is still no place, or nobody yet to send to: it is time to sleep.
#[inline]
pub(super) fn try_for_a_while<T, R>(
    mut item: T,
    mut try_send: impl FnMut(T) -> Result<R, TrySendError<T>>,
) -> Result<Result<R, SendError<T>>, T> {
    let backoff = Backoff::new();
    loop {
        match try_send(item) {
            Err(TrySendError::Full(back)) if !backoff.is_completed() => {
                item = back;
                backoff.snooze();
            }
            Err(TrySendError::Full(item) | TrySendError::NoSubscriber(item)) => return Err(item),
            Err(TrySendError::Closed(item)) => return Ok(Err(SendError(item))),
            Ok(sent) => return Ok(Ok(sent)),
        }
    }
}
