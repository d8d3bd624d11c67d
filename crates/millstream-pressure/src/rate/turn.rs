//! The turn of those who wait for a rate, and the operator, which is one of them.

use std::{
    future::Future as _,
    ops::{Deref, RangeInclusive},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::{Acquired, Permits, Taken, Wait};

use super::{RateLimit, Shared};
use crate::{Meter, Reason, Sleep};

impl Shared {
    /// Takes as many cells of `n` as are free now.
    fn take(&self, n: RangeInclusive<u64>, now: Duration) -> Result<u64, Taken> {
        let (least, most) = n.into_inner();
        let mut wanted = most;
        if least < most {
            wanted = self.gcra.free(now).clamp(least, most);
        }
        loop {
            match self.gcra.take(wanted, now) {
                Taken::Granted => return Ok(wanted),
                refused if wanted == least => return Err(refused),
                // Others were faster, or the burst is another.
                _ => wanted = self.gcra.free(now).clamp(least, wanted - 1),
            }
        }
    }
}

/// The one whose turn it is, which ends with the drop of this.
pub(super) struct First<D: Deref<Target = Shared>> {
    shared: D,
    timer: Option<(Duration, Sleep)>,
}

impl<D: Deref<Target = Shared>> First<D> {
    /// The caller has the turn.
    pub(super) fn new(shared: D) -> Self {
        Self { shared, timer: None }
    }

    /// Takes as many cells of `n` as are free, as soon as the least of them are.
    pub(super) fn poll(
        &mut self,
        n: RangeInclusive<u64>,
        until: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Reason>> {
        // Before it looks, so that it misses no other rate.
        let before = self.shared.state.lock().first.replace(cx.waker().clone());
        drop(before);
        loop {
            let at = match self.shared.take(n.clone(), self.shared.clock.now()) {
                Ok(n) => return Poll::Ready(Ok(n)),
                Err(Taken::NotBefore(at)) if at > until => {
                    return Poll::Ready(Err(Reason::Timeout));
                }
                Err(Taken::NotBefore(at)) => at,
                Err(_) => return Poll::Ready(Err(Reason::TooHeavy)),
            };
            let sleep = || (at, self.shared.clock.sleep_until(at));
            let timer = match &mut self.timer {
                Some(timer) if timer.0 == at => timer,
                place => place.insert(sleep()),
            };
            match pin!(&mut timer.1).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) => self.timer = None,
                Poll::Ready(false) => return Poll::Ready(Err(Reason::Shutdown)),
            }
        }
    }
}

impl<D: Deref<Target = Shared>> Drop for First<D> {
    fn drop(&mut self) {
        let before = self.shared.state.lock().first.take();
        drop(before);
        self.shared.turn.release(1);
    }
}

/// A flow's stay among those who wait for a [`RateLimit`].
#[derive(Default)]
pub struct RateTurn(Stay);

#[derive(Default)]
enum Stay {
    #[default]
    Away,
    InLine(Wait<Line>),
    First(First<Arc<Shared>>),
}

/// Those who wait for their turn.
struct Line(Arc<Shared>);

impl Deref for Line {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        &self.0.turn
    }
}

impl std::fmt::Debug for RateTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateTurn").finish_non_exhaustive()
    }
}

impl Meter for RateLimit {
    type Turn = RateTurn;
    type Out<T> = T;

    fn poll(
        &self,
        turn: &mut RateTurn,
        wanted: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Reason>> {
        let shared = &self.0;
        let result = loop {
            match &mut turn.0 {
                Stay::Away => {
                    if shared.turn.available() > 0
                        && let Ok(n) = shared.take(1..=wanted, shared.clock.now())
                    {
                        break Ok(n);
                    }
                    turn.0 = Stay::InLine(Wait::new(Line(Arc::clone(shared)), 1));
                }
                Stay::InLine(wait) => match wait.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Acquired::Granted) => {
                        turn.0 = Stay::First(First::new(Arc::clone(shared)));
                    }
                    Poll::Ready(_) => break Err(Reason::Shutdown),
                },
                Stay::First(first) => match first.poll(1..=wanted, Duration::MAX, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(result) => {
                        // The next in line, before this one asks again.
                        turn.0 = Stay::Away;
                        break result;
                    }
                },
            }
        };
        if let Ok(n) = result {
            shared.ledger.offer(n);
            shared.ledger.deliver(n);
        }
        Poll::Ready(result)
    }

    fn refund(&self, n: u64) {
        Self::refund(self, n);
    }

    #[inline]
    fn pass<T>(&self, item: T) -> T {
        item
    }
}
