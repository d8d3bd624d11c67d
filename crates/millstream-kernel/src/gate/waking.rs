//! A gate that is woken.
//!
//! The states and the invariants are those of [`Gate`].

use reactive_streams::Subscriber;

use super::{Dispatch, Gate, Source, Wake, after_turn, turn::Cause, word::Next};

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// A wake-up by the way that all threads share.
    #[inline]
    fn wake_shared(&self) {
        if D::IS_INLINE && self.word.seize() == Next::Run {
            return self.turn(0, Cause::Wake);
        }
        // Invariant 5: the caller has published its work.
        if self.word.runner_looks() {
            return;
        }
        if self.word.wake() == Next::Run {
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
        if self.word.wake() == Next::Run {
            self.pass();
        }
    }

    #[inline]
    fn wake_for_item(&self) {
        // Invariant 5: the caller has published its work.
        if P::HAS_WORK || !self.word.refuses_items() {
            self.wake();
        }
    }
}
