//! A value that a closure takes and gives back.
//!
//! `fold` moves its value through the user's closure with every item. An `Option` that is taken
//! from and put back would be looked at with every item; here a panic alone pays.
//!
//! # Invariants
//!
//! 1. `value` is initialized unless `is_lost`. It is lost only when a closure panics, or when it
//!    was taken.

use std::{fmt, mem::MaybeUninit};

/// The file's header has the rest.
pub struct Accumulator<A> {
    value: MaybeUninit<A>,
    is_lost: bool,
}

/// Marks the value as lost when the closure panics.
struct Lost<'a>(&'a mut bool);

impl<A> Accumulator<A> {
    /// Holds `value`.
    pub const fn new(value: A) -> Self {
        Self { value: MaybeUninit::new(value), is_lost: false }
    }

    /// Has `f` make the next value of the present one. Does nothing if that was lost.
    #[inline(always)]
    pub fn update(&mut self, f: impl FnOnce(A) -> A) {
        if self.is_lost {
            return;
        }
        // SAFETY: not lost, so by invariant 1 initialized. If `f` panics, `Lost` marks it;
        // otherwise it is written again below, and nothing in between looks at it.
        let value = unsafe { self.value.assume_init_read() };
        let lost = Lost(&mut self.is_lost);
        let value = f(value);
        lost.defuse();
        self.value.write(value);
    }

    /// Takes the value out, unless it was lost.
    pub fn take(&mut self) -> Option<A> {
        if std::mem::replace(&mut self.is_lost, true) {
            return None;
        }
        // SAFETY: it was not lost, so by invariant 1 initialized; it is marked as lost now.
        Some(unsafe { self.value.assume_init_read() })
    }
}

impl Lost<'_> {
    #[inline(always)]
    #[expect(clippy::mem_forget, reason = "a reference, whose drop would mark the panic")]
    fn defuse(self) {
        std::mem::forget(self);
    }
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        *self.0 = true;
    }
}

impl<A> Drop for Accumulator<A> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<A> fmt::Debug for Accumulator<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accumulator").field("is_lost", &self.is_lost).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(millstream_loom)))]
mod tests {
    //! A value that is dropped once, whatever happens.

    use std::{panic::AssertUnwindSafe, panic::catch_unwind, rc::Rc};

    use super::Accumulator;

    #[test]
    fn a_value_is_dropped_once_after_updates() {
        let witness = Rc::new(());

        let mut accumulator = Accumulator::new(Rc::clone(&witness));
        accumulator.update(|value| value);
        drop(accumulator);

        assert_eq!(Rc::strong_count(&witness), 1);
    }

    #[test]
    fn a_value_that_was_lost_in_a_panic_is_gone() {
        let witness = Rc::new(());
        let mut accumulator = Accumulator::new(Rc::clone(&witness));

        let panicked = catch_unwind(AssertUnwindSafe(|| accumulator.update(|_| panic!("no"))));

        assert!(panicked.is_err());
        accumulator.update(|_| unreachable!("there is no value to update"));
        assert!(accumulator.take().is_none());
        drop(accumulator);
        assert_eq!(Rc::strong_count(&witness), 1);
    }
}
