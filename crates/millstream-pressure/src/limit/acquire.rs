//! Acquiring: at once, or after waiting in line.

use std::{
    future::{Future as _, poll_fn},
    ops::Deref,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::{Acquired, Permits, Wait};

use super::{ConcurrencyLimit, Handle, State, retry_after};
use crate::{Admit, Class, Grant, Permit, Reason, Rejected, Settle};

impl ConcurrencyLimit {
    /// A permit, if the limit is not reached and nobody waits. Never waits.
    ///
    /// # Errors
    ///
    /// [`Limit`](Reason::Limit), with the time after which it may be worth another attempt, or
    /// [`Shutdown`](Reason::Shutdown).
    pub fn try_acquire(&self) -> Result<Permit, Rejected<()>> {
        self.0.shared.ledger.offer(1);
        match self.0.take_place() {
            Acquired::Granted => Ok(self.0.permit()),
            answer => Err(self.0.refuse(answer)),
        }
    }

    /// A permit, after waiting for [`timeout`](super::LimitConfig::timeout) at most.
    ///
    /// Those who wait are served in order, or the newest first. Dropping the future gives up, and
    /// takes nothing with it.
    ///
    /// # Errors
    ///
    /// [`Timeout`](Reason::Timeout), [`Shutdown`](Reason::Shutdown), or [`Limit`](Reason::Limit)
    /// where as many as the backlog allows wait already.
    pub async fn acquire(&self) -> Result<Permit, Rejected<()>> {
        let timeout = self.0.shared.state.lock().config.timeout;
        self.acquire_within(timeout).await
    }

    /// [`acquire`](Self::acquire), waiting no longer than `time_left`, such as what a request has
    /// left of its deadline; no time at all does not wait, and [`Duration::MAX`] is for ever.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_within(&self, time_left: Duration) -> Result<Permit, Rejected<()>> {
        let shared = &self.0.shared;
        let backlog = shared.state.lock().config.backlog;
        let mut acquiring = Acquiring::new(&self.0, backlog);
        let mut timer = pin!(shared.clock.sleep_until(shared.clock.after(time_left)));
        poll_fn(|cx| match acquiring.poll(cx) {
            Poll::Pending if timer.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Err(acquiring.give_up(Reason::Timeout)))
            }
            answer => answer,
        })
        .await
    }

    /// [`acquire`](Self::acquire), for a thread. Not to be called where the limit's scheduler runs
    /// its timers.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_blocking(&self) -> Result<Permit, Rejected<()>> {
        pollster::block_on(self.acquire())
    }
}

impl Admit for ConcurrencyLimit {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }

    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.acquire().await
    }
}

impl Handle {
    /// What this handle's callers may have, if there are partitions.
    pub(super) fn part(&self) -> Option<&Permits> {
        self.partition.map(|index| &self.shared.parts[index])
    }

    fn take_place(&self) -> Acquired {
        let Some(part) = self.part() else { return self.shared.total.try_acquire(1) };
        let answer = match part.try_acquire(1) {
            Acquired::Granted => match self.shared.total.try_acquire(1) {
                Acquired::Granted => Acquired::Granted,
                answer => {
                    part.release(1);
                    answer
                }
            },
            answer => answer,
        };
        self.note_use(u64::from(answer != Acquired::Granted));
        answer
    }

    /// Remembers what this partition has in progress, and how many more it would have.
    fn note_use(&self, n_more: u64) {
        let (Some(index), Some(part)) = (self.partition, self.part()) else { return };
        let now = self.shared.clock.now();
        let n = part.held() + n_more;
        self.shared.change(|state| state.partitions.want(index, n, now));
    }

    /// What was acquired, as a permit.
    fn permit(self: &Arc<Self>) -> Permit {
        let generation = self.shared.state.lock().generation;
        let grant = Grant { weight: 1, generation, started: self.shared.clock.now() };
        Permit::new(Arc::clone(self) as Arc<dyn Settle>, grant)
    }

    fn refuse(&self, answer: Acquired) -> Rejected<()> {
        let reason = match answer {
            Acquired::Closed => Reason::Shutdown,
            _ => Reason::Limit,
        };
        self.shared.ledger.discard(reason, 1);
        // A refusal is to be cheap: it does not wait for whoever has the lock.
        let state = self.shared.state.try_lock();
        let delay = state.and_then(|mut state: parking_lot::MutexGuard<'_, State>| {
            retry_after(&mut state, 0).filter(|_| reason == Reason::Limit)
        });
        Rejected { item: (), reason, retry_after: delay }
    }
}

/// An attempt that waits: for a place in its partition, if there are any, and then for one in all.
pub(super) struct Acquiring {
    handle: Arc<Handle>,
    part: Option<Wait<OfPart>>,
    total: Wait<OfTotal>,
    /// Whether it has a place in its partition that is no permit's yet.
    has_part: bool,
    /// Whether it was noted that it waits.
    is_noted: bool,
    is_over: bool,
}

struct OfPart(Arc<Handle>, usize);

struct OfTotal(Arc<Handle>);

impl Deref for OfPart {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        &self.0.shared.parts[self.1]
    }
}

impl Deref for OfTotal {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        &self.0.shared.total
    }
}

impl Acquiring {
    /// Waits where no more than `backlog` wait.
    pub(super) fn new(handle: &Arc<Handle>, backlog: usize) -> Self {
        handle.shared.ledger.offer(1);
        let total = Wait::new(OfTotal(Arc::clone(handle)), 1);
        let (part, total) = match handle.partition {
            Some(index) => {
                let part = Wait::new(OfPart(Arc::clone(handle), index), 1).at_most(backlog);
                (Some(part), total)
            }
            None => (None, total.at_most(backlog)),
        };
        let handle = Arc::clone(handle);
        Self { handle, part, total, has_part: false, is_noted: false, is_over: false }
    }

    /// Not to be polled after it was ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Permit, Rejected<()>>> {
        let answer = match self.poll_places(cx) {
            Poll::Ready(answer) => answer,
            Poll::Pending => {
                if !std::mem::replace(&mut self.is_noted, true) {
                    self.handle.note_use(1);
                }
                return Poll::Pending;
            }
        };
        self.is_over = true;
        Poll::Ready(match answer {
            Acquired::Granted => {
                self.has_part = false;
                self.handle.note_use(0);
                Ok(self.handle.permit())
            }
            answer => Err(self.handle.refuse(answer)),
        })
    }

    fn poll_places(&mut self, cx: &mut Context<'_>) -> Poll<Acquired> {
        if let Some(part) = &mut self.part
            && !self.has_part
        {
            match part.poll(cx) {
                Poll::Ready(Acquired::Granted) => self.has_part = true,
                answer => return answer,
            }
        }
        self.total.poll(cx)
    }

    /// Stops waiting.
    pub(super) fn give_up(&mut self, reason: Reason) -> Rejected<()> {
        self.is_over = true;
        self.handle.shared.ledger.discard(reason, 1);
        let delay = retry_after(&mut self.handle.shared.state.lock(), 0);
        Rejected { item: (), reason, retry_after: delay }
    }
}

impl Drop for Acquiring {
    fn drop(&mut self) {
        if !self.is_over {
            self.handle.shared.ledger.discard(Reason::Canceled, 1);
        }
        if self.has_part
            && let Some(part) = self.handle.part()
        {
            part.release(1);
        }
    }
}
