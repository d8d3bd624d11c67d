//! `flat_map_iter`: each item becomes an iterator's items.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, InlineForOne, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
    },
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into an iterator, and passes on the items of one after the other.
    ///
    /// # Demand
    ///
    /// An iterator is advanced only for items that were asked for. The source is asked for 32 items
    /// with the downstream's first request, and then in batches.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last iterator; fails with the source, after the iterators
    /// of the items before. A cancel drops the present iterator where it stands.
    ///
    /// # Examples
    ///
    /// ```
    /// let letters = millstream::from_iter(["ab", "", "c"])
    ///     .flat_map_iter(|word| word.chars())
    ///     .collect::<String>()
    ///     .wait()?;
    /// assert_eq!(letters, "abc");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "map_concat")]
    #[doc(alias = "flat_map_iterable")]
    pub fn flat_map_iter<F, I>(self, f: F) -> Flow<FlatMapIter<P, F>>
    where
        F: FnMut(P::Item) -> I + Send + 'static,
        I: IntoIterator<IntoIter: Send + 'static>,
    {
        Flow { source: FlatMapIter { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::flat_map_iter`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FlatMapIter<P, F> {
    source: P,
    f: F,
}

impl<P, F, I> Publisher for FlatMapIter<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> I + Send + 'static,
    I: IntoIterator<IntoIter: Send + 'static>,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, downstream: S) {
        let (entrance, inlet) = inlet(PREFETCH);
        let source = FlatMapIterSource { inlet, f: self.f, items: None };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, InlineForOne));
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(FlatMapIter<P, F>);
backpressure!(FlatMapIter<P, F>, Queue, |_this| PREFETCH);

struct FlatMapIterSource<T, F, I> {
    inlet: Inlet<T>,
    f: F,
    items: Option<I>,
}

impl<T, F, I> Source for FlatMapIterSource<T, F, I::IntoIter>
where
    T: Send + 'static,
    F: FnMut(T) -> I + Send + 'static,
    I: IntoIterator<IntoIter: Send + 'static>,
{
    type Item = I::Item;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<I::Item> {
        loop {
            if let Some(items) = &mut self.items {
                if let Some(item) = items.next() {
                    return Step::Item(item);
                }
                self.items = None;
            }
            match self.inlet.next() {
                Step::Item(item) => self.items = Some((self.f)(item).into_iter()),
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::End(end),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if self.items.as_ref().is_some_and(|items| items.size_hint() != (0, Some(0))) {
            return None;
        }
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
