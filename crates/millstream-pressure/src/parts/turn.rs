//! `Turn`: waiting for something that comes free, in the order of those who wait.

use std::{
    future::{Future as _, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream_kernel::Permits;
use parking_lot::Mutex;

use crate::{Clock, Reason, Sleep};

/// The turn of those who wait: the first looks, and the others wait for its turn to end.
pub(crate) struct Turn {
    /// One permit.
    turn: Permits,
    /// The task whose turn it is, to be told to look again.
    first: Mutex<Option<Waker>>,
}

/// What the one whose turn it is has seen.
pub(crate) enum Look<T> {
    /// It has what it waits for.
    Ready(T),
    /// Nothing yet: to be looked at again at this moment, [`Duration::MAX`] for when it is told.
    NotBefore(Duration),
}

impl Turn {
    pub(crate) fn new() -> Self {
        Self { turn: Permits::new(1), first: Mutex::new(None) }
    }

    /// Whether somebody waits.
    pub(crate) fn is_taken(&self) -> bool {
        self.turn.available() == 0
    }

    /// Has the one whose turn it is look again. Runs a waker: not to be called under a lock.
    pub(crate) fn tell(&self) {
        let first = self.first.lock().take();
        if let Some(first) = first {
            first.wake();
        }
    }

    /// Waits for the turn, and then until `look` has something, both together until `until`.
    /// Dropping the future passes the turn on.
    ///
    /// [`Timeout`](Reason::Timeout), or [`Shutdown`](Reason::Shutdown) if there is no timer.
    pub(crate) async fn wait<T>(
        &self,
        clock: &Clock,
        until: Duration,
        mut look: impl FnMut() -> Look<T>,
    ) -> Result<T, Reason> {
        let mut turn = self.turn.wait(1);
        let mut timeout = pin!(clock.sleep_until(until));
        let has_turn = poll_fn(|cx| match turn.poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            // Nothing is set for one that waits for ever.
            Poll::Pending if until == Duration::MAX => Poll::Pending,
            Poll::Pending => timeout.as_mut().poll(cx).map(|_| false),
        });
        if !has_turn.await {
            return Err(Reason::Timeout);
        }
        let mut first = First { turn: self, timer: None };
        poll_fn(|cx| first.poll(clock, until, &mut look, cx)).await
    }
}

/// The one whose turn it is, which ends with the drop of this.
struct First<'a> {
    turn: &'a Turn,
    timer: Option<(Duration, Sleep)>,
}

impl First<'_> {
    fn poll<T>(
        &mut self,
        clock: &Clock,
        until: Duration,
        look: &mut impl FnMut() -> Look<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Reason>> {
        // Before it looks, so that it misses nothing that it is told.
        let waker = cx.waker().clone();
        let before = self.turn.first.lock().replace(waker);
        drop(before);
        loop {
            let at = match look() {
                Look::Ready(value) => return Poll::Ready(Ok(value)),
                Look::NotBefore(_) if clock.now() >= until => {
                    return Poll::Ready(Err(Reason::Timeout));
                }
                Look::NotBefore(at) => at.min(until),
            };
            if at == Duration::MAX {
                return Poll::Pending;
            }
            let timer = match &mut self.timer {
                Some(timer) if timer.0 == at => timer,
                place => place.insert((at, clock.sleep_until(at))),
            };
            match Pin::new(&mut timer.1).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) => self.timer = None,
                Poll::Ready(false) => return Poll::Ready(Err(Reason::Shutdown)),
            }
        }
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        let before = self.turn.first.lock().take();
        drop(before);
        self.turn.turn.release(1);
    }
}
