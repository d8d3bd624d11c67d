//! `Turn`: waiting for something that comes free, in the order of those who wait.

use std::{
    future::{Future as _, poll_fn},
    ops::Deref,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream_kernel::{Acquired, Permits, Wait};
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
        let mut stay = Stay::in_line(self);
        let mut timeout = pin!(clock.sleep_until(until));
        poll_fn(|cx| match stay.poll(clock, until, &mut look, cx) {
            // Nothing is set for one that waits for ever.
            Poll::Pending if stay.is_in_line() && until != Duration::MAX => timeout
                .as_mut()
                .poll(cx)
                .map(|is_time| Err(if is_time { Reason::Timeout } else { Reason::Shutdown })),
            poll => poll,
        })
        .await
    }
}

/// The stay of one who waits: in line, and then as the first. Its drop leaves, and passes the turn
/// on.
pub(crate) enum Stay<D: Deref<Target = Turn>> {
    InLine(D, Wait<Line<D>>),
    First(First<D>),
}

impl<D: Deref<Target = Turn> + Clone> Stay<D> {
    /// Behind those who wait already.
    pub(crate) fn in_line(turn: D) -> Self {
        Self::InLine(turn.clone(), Wait::new(Line(turn), 1))
    }

    fn is_in_line(&self) -> bool {
        matches!(self, Self::InLine(..))
    }

    /// What `look` has seen, once it is this one's turn. The time of waiting in line is not
    /// limited by `until`. Not to be polled again once it is ready, but dropped.
    pub(crate) fn poll<T>(
        &mut self,
        clock: &Clock,
        until: Duration,
        look: &mut impl FnMut() -> Look<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Reason>> {
        loop {
            match self {
                Self::InLine(turn, wait) => match wait.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Acquired::Granted) => {
                        let turn = turn.clone();
                        *self = Self::First(First { turn, timer: None });
                    }
                    Poll::Ready(_) => return Poll::Ready(Err(Reason::Shutdown)),
                },
                Self::First(first) => return first.poll(clock, until, look, cx),
            }
        }
    }
}

/// Those who wait for their turn.
pub(crate) struct Line<D>(D);

impl<D: Deref<Target = Turn>> Deref for Line<D> {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        &self.0.turn
    }
}

/// The one whose turn it is, which ends with the drop of this.
pub(crate) struct First<D: Deref<Target = Turn>> {
    turn: D,
    timer: Option<(Duration, Sleep)>,
}

impl<D: Deref<Target = Turn>> First<D> {
    fn poll<T>(
        &mut self,
        clock: &Clock,
        until: Duration,
        look: &mut impl FnMut() -> Look<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Reason>> {
        // Before it looks, so that it misses nothing that it is told. Cloned and dropped outside of
        // the lock: wakers are the user's code.
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

impl<D: Deref<Target = Turn>> Drop for First<D> {
    fn drop(&mut self) {
        let before = self.turn.first.lock().take();
        drop(before);
        self.turn.turn.release(1);
    }
}
