//! Waiting for credits, in order, and no longer than until one that is lost has expired.

use std::{
    future::Future as _,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::{Shared, state::Want};
use crate::Sleep;

/// One who takes credits, and waits for them where it has to. Its drop leaves the line.
pub(super) struct Waiting {
    shared: Arc<Shared>,
    weight: u64,
    want: Want,
    entry: Option<usize>,
    /// For the oldest lease: nobody else looks whether it has expired.
    timer: Option<Sleep>,
    /// The scheduler has no clock or has stopped: nothing expires, and what is given back counts.
    is_timeless: bool,
}

impl Waiting {
    pub(super) fn new(shared: Arc<Shared>, weight: u64, want: Want) -> Self {
        Self { shared, weight, want, entry: None, timer: None, is_timeless: false }
    }

    /// Waits until it is served: for a lease, with that lease's number. After that, it waits for
    /// the next.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(u64, Duration)> {
        loop {
            let now = self.shared.clock.now();
            let mut waker = Some(cx.waker().clone());
            let (weight, want, entry) = (self.weight, self.want, &mut self.entry);
            let (answer, left) = self.shared.change(now, |state| {
                if let Some(index) = *entry {
                    let Some(number) = state.stay(index, &mut waker) else {
                        return (Err(state.next_expiry(now)), None);
                    };
                    *entry = None;
                    return (Ok(number), state.leave(index));
                }
                if !state.covers(weight) {
                    *entry = Some(state.enter(waker.take(), weight, want));
                    return (Err(state.next_expiry(now)), None);
                }
                let number = match want {
                    Want::Lease => state.lease(weight, now),
                    Want::Reservation => state.reserve(weight),
                };
                (Ok(number), None)
            });
            // The user's code: after the lock.
            drop((waker, left));
            match answer {
                Ok(number) => return Poll::Ready((number, now)),
                Err(at) if self.rings(at, cx) => {}
                Err(_) => return Poll::Pending,
            }
        }
    }

    /// Returns whether the time has come; if not, the task is woken then, or before.
    fn rings(&mut self, at: Duration, cx: &mut Context<'_>) -> bool {
        if self.is_timeless || at == Duration::MAX {
            return false;
        }
        // Leases are in order: a timer that was set before is early enough, so that there is one in
        // each time-out and not one for each item.
        let timer = self.timer.get_or_insert_with(|| self.shared.clock.sleep_until(at));
        match pin!(timer).poll(cx) {
            Poll::Pending => false,
            Poll::Ready(is_on_time) => {
                self.timer = None;
                self.is_timeless = !is_on_time;
                is_on_time
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(index) = self.entry.take() else { return };
        let now = self.shared.clock.now();
        let left = self.shared.change(now, |state| state.give_up(index, self.weight));
        drop(left);
    }
}
