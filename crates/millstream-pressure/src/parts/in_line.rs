//! Waiting for permits until a moment.

use std::{
    future::{Future as _, poll_fn},
    ops::Deref,
    pin::pin,
    task::Poll,
    time::Duration,
};

use millstream_kernel::{Acquired, Permits, Wait};

use super::{Clock, Reason};

/// Waits for a permit until `until`. Dropping the future leaves the line.
///
/// # Errors
///
/// [`Limit`](Reason::Limit) where as many wait as may; [`Timeout`](Reason::Timeout), also at once if
/// the scheduler of `clock` has stopped or has no clock.
pub(crate) async fn granted_until<P: Deref<Target = Permits>>(
    mut wait: Wait<P>,
    clock: &Clock,
    until: Duration,
) -> Result<(), Reason> {
    let mut timer = pin!(clock.sleep_until(until));
    let answer = poll_fn(|cx| match wait.poll(cx) {
        Poll::Pending => timer.as_mut().poll(cx).map(|_| Err(Reason::Timeout)),
        Poll::Ready(Acquired::Granted) => Poll::Ready(Ok(())),
        Poll::Ready(_) => Poll::Ready(Err(Reason::Limit)),
    });
    answer.await
}
