//! A gate's link: the source and the subscriber, in their place or on a runner's stack.
//!
//! The invariants are those of [`Gate`].

use std::ops::ControlFlow;

use reactive_streams::{Offer, Subscriber};

use super::{Gate, turn::Verdict, word::units};
use crate::{
    Dispatch, End, Fed, Source,
    guard::{caught, caught_seldom, muted},
};

pub(super) struct Link<P, S> {
    pub(super) source: P,
    pub(super) subscriber: S,
}

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    pub(super) fn take_link(&self) -> Link<P, S> {
        self.link.with(|link| {
            // SAFETY: the caller has the turn, and has not taken the link, so by invariants 1 and 2
            // it is initialized and nobody else looks at it. It is put back or closed.
            unsafe { link.cast::<Link<P, S>>().read() }
        })
    }

    /// Works on the link in its place.
    #[inline(always)]
    pub(super) fn in_link<R>(&self, work: impl FnOnce(&mut Link<P, S>) -> R) -> R {
        self.link.with_mut(|link| {
            // SAFETY: the caller has the turn, and the link is not on its stack, so by invariants 1
            // and 2 it is initialized and nobody else looks at it.
            work(unsafe { &mut *link.cast::<Link<P, S>>() })
        })
    }

    pub(super) fn put_link(&self, link: Link<P, S>) {
        self.link.with_mut(|place| {
            // SAFETY: the caller has the turn and has taken the link, so by invariants 1 and 2
            // nobody else looks at the place, and nothing in it is overwritten.
            unsafe { place.cast::<Link<P, S>>().write(link) }
        });
    }
}

impl<P, S> Link<P, S>
where
    P: Source,
    S: Subscriber<P::Item>,
{
    /// Gives the first of what the subscriber is going to request, if it says so, to one that has
    /// no gate yet: a chunk at most, so that there is a way to cancel. What is left of that demand,
    /// or how the stream ends.
    pub(super) fn feed_ahead(&mut self) -> Result<u64, Verdict> {
        let Self { source, subscriber } = self;
        if P::IS_WOKEN {
            return Ok(0);
        }
        let feed = || {
            let mut demand = 0;
            units::add(&mut demand, subscriber.initial_request());
            if demand == 0 {
                return Ok(0);
            }
            let mut is_finished = false;
            let fed = source.feed(demand.min(P::CHUNK), |item| {
                let offer = subscriber.offer(item);
                is_finished = offer == Offer::Finished;
                demand -= u64::from(offer == Offer::Accepted && demand != units::UNBOUNDED);
                if is_finished { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match fed {
                Fed::End(end) => Err(Verdict::Ended(end)),
                _ if is_finished => Err(Verdict::Canceled),
                _ => source.end().map_or(Ok(demand), |end| Err(Verdict::Ended(end))),
            }
        };
        caught(feed).unwrap_or_else(|error| Err(Verdict::Failed(error)))
    }

    /// Ends the stream.
    pub(super) fn conclude(self, verdict: Verdict) {
        self.let_go(verdict)();
    }

    /// Lets go of the source; what is returned ends the stream.
    #[inline]
    pub(super) fn let_go(self, verdict: Verdict) -> impl FnOnce() + 'static {
        let Self { mut source, subscriber } = self;
        let (has_ended, end) = match verdict {
            Verdict::Ended(end) => (true, Some(end)),
            Verdict::Failed(error) => (false, Some(End::Failed(error))),
            Verdict::Canceled | Verdict::Settle(_) | Verdict::Ask(_) | Verdict::Yield => {
                (false, None)
            }
        };
        if !has_ended {
            muted(|| source.cancel());
        }
        let end = match (end, caught_seldom(|| drop(source))) {
            (Some(End::Complete), Err(error)) => Some(End::Failed(error)),
            (end, _) => end,
        };
        move || {
            muted(|| match end {
                Some(end) => end.signal(subscriber),
                None => drop(subscriber),
            });
        }
    }
}

/// Puts the link back, through a panic too, so that the subscriber can be told.
pub(super) struct Rescue<'a, P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    pub(super) link: Option<Link<P, S>>,
    pub(super) gate: &'a Gate<P, S, D>,
}

impl<P, S, D> Drop for Rescue<'_, P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.gate.put_link(link);
        }
    }
}
