//! Taking cells when it is one's turn, and the operator, which is one of those who wait.

use std::{
    ops::{Deref, RangeInclusive},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use millstream_kernel::Taken;

use super::{RateLimit, Shared};
use crate::{
    Meter, Reason,
    parts::{Look, Stay, Turn},
};

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

    /// Counts `n` cells that a flow took.
    fn count(&self, n: u64) {
        self.ledger.offer(n);
        self.ledger.deliver(n);
    }

    /// What the one whose turn it is sees: as many cells of `n` as are free, as soon as the least
    /// of them are.
    pub(super) fn look(
        &self,
        n: RangeInclusive<u64>,
        until: Duration,
    ) -> Look<Result<u64, Reason>> {
        match self.take(n, self.clock.now()) {
            Ok(n) => Look::Ready(Ok(n)),
            // Certain to be in vain.
            Err(Taken::NotBefore(at)) if at > until => Look::Ready(Err(Reason::Timeout)),
            Err(Taken::NotBefore(at)) => Look::NotBefore(at),
            Err(_) => Look::Ready(Err(Reason::TooHeavy)),
        }
    }
}

/// A flow's stay among those who wait for a [`RateLimit`].
#[derive(Default)]
pub struct RateTurn(Option<Stay<Held>>);

/// The turn of a limit.
#[derive(Clone)]
struct Held(Arc<Shared>);

impl Deref for Held {
    type Target = Turn;

    fn deref(&self) -> &Turn {
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
        if turn.0.is_none()
            && !shared.turn.is_taken()
            && let Ok(n) = shared.take(1..=wanted, shared.clock.now())
        {
            shared.count(n);
            return Poll::Ready(Ok(n));
        }
        let stay = turn.0.get_or_insert_with(|| Stay::in_line(Held(Arc::clone(shared))));
        let mut look = || shared.look(1..=wanted, Duration::MAX);
        let result = ready!(stay.poll(&shared.clock, Duration::MAX, &mut look, cx)).flatten();
        // The next in line, before this one asks again.
        turn.0 = None;
        if let Ok(n) = result {
            shared.count(n);
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
