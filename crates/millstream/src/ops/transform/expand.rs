//! `expand`: more items for a downstream that is faster than the source.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{Inlet, inlet},
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into an iterator, whose items are passed on until the next item of the
    /// source is there.
    ///
    /// The first item of each iterator is passed on in any case, and the others when the downstream
    /// asks for more than the source has. `expand(std::iter::repeat)` says the latest item again,
    /// and `expand(Some)` changes nothing. With an endless iterator the downstream must not ask for
    /// everything at once, unless the source works on another thread.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then one item is asked for, and another whenever
    /// the one before was taken. One item waits.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the first item of the iterator of each of its
    /// items; a cancel drops the iterator where it stands.
    /// If `f` or an iterator panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::{Probe, Puppet};
    ///
    /// let (puppet, publisher) = Puppet::new();
    /// let flow = millstream::Flow::from(publisher);
    /// let probe = Probe::subscribe_to(flow.expand(|n| n..));
    /// probe.request(1);
    /// puppet.next(10).unwrap();
    /// probe.request(2);
    /// puppet.next(20).unwrap();
    /// probe.request(2);
    /// assert_eq!(probe.items(), [10, 11, 12, 20, 21]);
    /// ```
    #[doc(alias = "extrapolate")]
    pub fn expand<I, F>(self, f: F) -> Flow<Expand<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(P::Item) -> I + Send + 'static,
        I: IntoIterator<IntoIter: Send + 'static>,
    {
        Flow { source: Expand { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::expand`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Expand<P, F> {
    source: P,
    f: F,
}

impl<P, I, F> Publisher for Expand<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> I + Send + 'static,
    I: IntoIterator<IntoIter: Send + 'static>,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, downstream: S) {
        let (entrance, inlet) = inlet(1);
        let source = ExpandSource { inlet, f: self.f, more: None };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(Expand<P, F>, Queue, |_this| 2_usize);
opaque_debug!(Expand<P, F>);

struct ExpandSource<T, F, I> {
    inlet: Inlet<T>,
    f: F,
    /// What is left of the present item's iterator, after its first item.
    more: Option<I>,
}

impl<T, F, I> Source for ExpandSource<T, F, I::IntoIter>
where
    T: Send + 'static,
    F: FnMut(T) -> I + Send + 'static,
    I: IntoIterator<IntoIter: Send + 'static>,
{
    type Item = I::Item;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<I::Item> {
        loop {
            match self.inlet.next() {
                Step::Item(item) => {
                    self.more = None;
                    let mut items = (self.f)(item).into_iter();
                    // An iterator without items stands for nothing: the next one is looked for.
                    if let Some(first) = items.next() {
                        self.more = Some(items);
                        return Step::Item(first);
                    }
                }
                Step::Pending => {
                    let more = self.more.as_mut().and_then(Iterator::next);
                    return more.map_or(Step::Pending, Step::Item);
                }
                Step::End(end) => return Step::End(end),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
