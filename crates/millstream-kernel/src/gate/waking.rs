//! A gate that is woken.
//!
//! The states and the invariants are those of [`Gate`].

use reactive_streams::Subscriber;

use super::{
    Dispatch, Gate, NO_DEMAND, PARKING, RUNNING, Source, WOKEN, Wake, after_turn, turn::Cause,
};
use crate::sync::{Ordering, fence};

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// A wake-up by the way that all threads share.
    #[inline]
    fn wake_shared(&self) {
        if D::IS_INLINE && self.seize() {
            return self.turn(0, Cause::Wake);
        }
        // Invariant 5: the caller has published its work.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        let word = self.word.load(Ordering::Relaxed);
        if word & (RUNNING | PARKING) == RUNNING {
            // The runner will look for work before it parks.
            return;
        }
        if self.raise(0, WOKEN) {
            self.pass();
        }
    }
}

impl<P, S, D> Wake for Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    #[inline]
    fn wake(&self) {
        if self.reentry.wake() {
            return;
        }
        if P::IS_WOKEN && after_turn::put_off(self.address(), 0) {
            return;
        }
        self.wake_shared();
    }

    #[inline]
    fn wake_at_once(&self) {
        if !self.reentry.wake() {
            self.wake_shared();
        }
    }

    #[inline]
    fn ring(&self, index: usize) {
        if self.reentry.ring(index) {
            return;
        }
        if P::IS_WOKEN
            && index < u64::BITS as usize
            && after_turn::put_off(self.address(), 1 << index)
        {
            return;
        }
        self.dispatch.ring(index);
        self.wake();
    }

    fn catch_up(&self) {
        if self.reentry.wake() {
            return;
        }
        // Invariant 5: a runner that is alone does not look again by itself.
        if self.raise(0, WOKEN) {
            self.pass();
        }
    }

    #[inline]
    fn wake_for_item(&self) {
        // Relaxed: ordered by the fence.
        let has_no_demand = || self.word.load(Ordering::Relaxed) & NO_DEMAND != 0;
        if !P::HAS_WORK && has_no_demand() {
            // Invariant 5: the caller has published its work.
            fence(Ordering::SeqCst);
            if has_no_demand() {
                return;
            }
        }
        self.wake();
    }
}
