//! `from_iter`, `just`, `empty`: the items of an iterator.

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::Flow;

/// The items of an iterator.
///
/// # Demand
///
/// The iterator is advanced only for items that were asked for.
/// A cancel from another thread is seen within 64 items.
///
/// # Termination
///
/// Completes when the iterator does: right after the last item if its `size_hint` says so, and
/// otherwise when the next item is asked for. If the iterator panics, fails with an error of kind
/// `Panicked`.
///
/// # Examples
///
/// ```
/// let words = millstream::from_iter(["a", "b"]).collect::<Vec<_>>().wait()?;
/// assert_eq!(words, ["a", "b"]);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn from_iter<I>(items: I) -> Flow<FromIter<I::IntoIter>>
where
    I: IntoIterator<IntoIter: Send + 'static>,
{
    Flow { source: FromIter { items: items.into_iter() } }
}

/// One item.
///
/// # Demand
///
/// The item waits until it is asked for.
///
/// # Termination
///
/// Completes right after the item.
///
/// # Examples
///
/// ```
/// assert_eq!(millstream::just("a").first().wait()?, Some("a"));
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn just<T: Send + 'static>(item: T) -> Flow<FromIter<std::iter::Once<T>>> {
    from_iter(std::iter::once(item))
}

/// No items.
///
/// # Demand
///
/// None is needed.
///
/// # Termination
///
/// Completes as soon as it is subscribed to.
///
/// # Examples
///
/// ```
/// assert_eq!(millstream::empty::<u8>().count().wait()?, 0);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn empty<T: Send + 'static>() -> Flow<FromIter<std::iter::Empty<T>>> {
    from_iter(std::iter::empty())
}

/// Publisher returned by [`from_iter`], [`just`] and [`empty`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromIter<I> {
    items: I,
}

impl<I> Publisher for FromIter<I>
where
    I: Iterator + Send + 'static,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, downstream: S) {
        Gate::start(self, downstream);
    }

    #[inline]
    fn give_all<F: FnMut(I::Item)>(self, limit: u64, take: F) -> Result<Result<(), Error>, Self> {
        match self.items.size_hint().1 {
            Some(most) if most as u64 <= limit => {
                self.items.for_each(take);
                Ok(Ok(()))
            }
            _ => Err(self),
        }
    }
}

opaque_debug!(FromIter<I>);
backpressure!(source FromIter<I>);

impl<I: Iterator + Send + 'static> Source for FromIter<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Step<I::Item> {
        match self.items.next() {
            Some(item) => Step::Item(item),
            None => Step::End(End::Complete),
        }
    }

    #[inline]
    fn end(&mut self) -> Option<End> {
        (self.items.size_hint() == (0, Some(0))).then_some(End::Complete)
    }
}
