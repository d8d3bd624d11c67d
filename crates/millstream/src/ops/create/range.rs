//! `range`: the numbers of a range.

use std::ops::{Bound, ControlFlow, RangeBounds};

use millstream_kernel::{End, Fed, Gate, Source, Step};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::Flow;

/// The numbers of a range.
///
/// # Demand
///
/// Numbers are made as they are asked for. A cancel from another thread is seen within 64 numbers.
///
/// # Termination
///
/// Completes right after the last number. A range without an end has the type's greatest number as
/// its last.
///
/// # Examples
///
/// ```
/// let sum = millstream::range(0..5).fold(0, |sum, n| sum + n).wait()?;
/// assert_eq!(sum, 10);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn range<T: Number>(numbers: impl RangeBounds<T>) -> Flow<Range<T>> {
    let (first, is_past_end) = match numbers.start_bound() {
        Bound::Included(first) => (*first, false),
        Bound::Excluded(before) => (before.successor(), *before == T::GREATEST),
        Bound::Unbounded => (T::LEAST, false),
    };
    let n_left = match numbers.end_bound() {
        _ if is_past_end => 0,
        Bound::Included(last) => first.count_to(*last),
        Bound::Excluded(end) if *end <= first => 0,
        Bound::Excluded(end) => first.count_to(*end) - 1,
        Bound::Unbounded => first.count_to(T::GREATEST),
    };
    Flow { source: Range { next: first, n_left } }
}

/// Publisher returned by [`range`].
#[derive(Clone, Copy, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Range<T> {
    next: T,
    /// One less than there are for the range of all `u64`s, whose last number nobody waits for.
    n_left: u64,
}

impl<T: Number> Publisher for Range<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        Gate::start(self, downstream);
    }

    #[inline]
    fn give_all<F: FnMut(T)>(self, limit: u64, mut take: F) -> Result<Result<(), Error>, Self> {
        if self.n_left > limit {
            return Err(self);
        }
        let mut item = self.next;
        for _ in 0..self.n_left {
            take(item);
            item = item.successor();
        }
        Ok(Ok(()))
    }
}

backpressure!(source Range<T>);

/// Numbers in a round of the loop, which the compiler unrolls if what is done with a number is
/// little: a sum of them is taken in two thirds of the time of a plain loop.
const UNROLLED: u64 = 4;

impl<T: Number> Source for Range<T> {
    type Item = T;

    fn next(&mut self) -> Step<T> {
        if self.n_left == 0 {
            return Step::End(End::Complete);
        }
        let item = self.next;
        self.n_left -= 1;
        self.next = item.successor();
        Step::Item(item)
    }

    #[inline(always)]
    fn feed(&mut self, limit: u64, mut take: impl FnMut(T) -> ControlFlow<()>) -> Fed {
        // One counter in the loop, in place of one for the limit and one for the range.
        let n = limit.min(self.n_left);
        let mut give = |range: &mut Self| {
            let item = range.next;
            range.next = item.successor();
            take(item).is_break()
        };
        let n_unrolled = n - n % UNROLLED;
        for i in (0..n_unrolled).step_by(UNROLLED as usize) {
            for j in 0..UNROLLED {
                if give(self) {
                    self.n_left -= i + j + 1;
                    return Fed::Broken;
                }
            }
        }
        for i in n_unrolled..n {
            if give(self) {
                self.n_left -= i + 1;
                return Fed::Broken;
            }
        }
        self.n_left -= n;
        if n < limit { Fed::End(End::Complete) } else { Fed::Full }
    }

    fn end(&mut self) -> Option<End> {
        (self.n_left == 0).then_some(End::Complete)
    }
}

/// Integers of up to 64 bits. Implemented for all of them, and for no other type.
pub trait Number: Copy + Ord + Send + sealed::Sealed + 'static {
    /// The least number of the type.
    const LEAST: Self;
    /// The greatest number of the type.
    const GREATEST: Self;

    /// The number after this one; after the greatest comes the least.
    #[must_use]
    fn successor(self) -> Self;

    /// How many numbers there are from this one to `last`, both included; saturates.
    #[must_use]
    fn count_to(self, last: Self) -> u64;
}

mod sealed {
    /// Only this file implements `Number`.
    pub trait Sealed {}
}

/// Implements `Number` for integers.
macro_rules! numbers {
    ($($integer:ty),+) => {$(
        impl sealed::Sealed for $integer {}
        impl Number for $integer {
            const LEAST: Self = Self::MIN;
            const GREATEST: Self = Self::MAX;

            #[inline(always)]
            fn successor(self) -> Self {
                self.wrapping_add(1)
            }

            fn count_to(self, last: Self) -> u64 {
                let n = last as i128 - self as i128 + 1;
                u64::try_from(n.max(0)).unwrap_or(u64::MAX)
            }
        }
    )+};
}

numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
