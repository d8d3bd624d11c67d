//! `gather`: a state, any number of outputs for each item, and more at the end.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, InlineForOne, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{EachAtOnce, Inlet, inlet},
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into any number of others with a state of its own, and what is left of the
    /// state into the last ones.
    ///
    /// `step` is called with each item, and what it returns is iterated over as it is asked for;
    /// `finish` is called once, when the source has ended. The shape of Java's `Gatherer`.
    /// With one output at most for an item, and none at the end, [`filter_map`](Self::filter_map)
    /// costs less; [`scan`](Self::scan) may end the flow.
    ///
    /// # Demand
    ///
    /// The source is asked for one item, when an item is asked for and the outputs of the one
    /// before are used up: nothing but those is ever held.
    /// Behind a source that is slow to answer put a queue before this, such as
    /// [`limit_rate`](Self::limit_rate).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the outputs of the items before and those of
    /// `finish`, which wait until they are asked for.
    /// If a closure or an iterator panics, fails with an error of kind `Panicked`.
    /// A cancel drops the state, and `finish` is not called.
    ///
    /// # Examples
    ///
    /// Runs of the same letter, with their length:
    ///
    /// ```
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let step = |run: &mut Option<(char, u32)>, letter| match run {
    ///     Some((of, n)) if *of == letter => {
    ///         *n += 1;
    ///         None
    ///     }
    ///     _ => run.replace((letter, 1)),
    /// };
    /// check_in_time(
    ///     "aaa--b-cc|",
    ///     |source, _| source.gather(None, step, |run| run).map(|(of, n)| format!("{of}{n}")).flat_map_iter(|text| {
    ///         text.chars().collect::<Vec<_>>()
    ///     }),
    ///     "-----(a3)-(b1)-(c2|)",
    /// );
    /// ```
    #[doc(alias = "stateful_map")]
    #[doc(alias = "stateful_map_concat")]
    #[doc(alias = "flat_scan")]
    pub fn gather<A, I, J, F, G>(self, state: A, step: F, finish: G) -> Flow<Gather<P, A, F, G>>
    where
        A: Send + 'static,
        F: FnMut(&mut A, P::Item) -> I + Send + 'static,
        I: IntoIterator<IntoIter: Send + 'static>,
        G: FnOnce(A) -> J + Send + 'static,
        J: IntoIterator<Item = I::Item, IntoIter: Send + 'static>,
    {
        Flow { source: Gather { source: self.source, state, step, finish } }
    }
}

/// Publisher returned by [`Flow::gather`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Gather<P, A, F, G> {
    source: P,
    state: A,
    step: F,
    finish: G,
}

impl<P, A, I, J, F, G> Publisher for Gather<P, A, F, G>
where
    P: Publisher<Item: Send + 'static>,
    A: Send + 'static,
    F: FnMut(&mut A, P::Item) -> I + Send + 'static,
    I: IntoIterator<IntoIter: Send + 'static>,
    G: FnOnce(A) -> J + Send + 'static,
    J: IntoIterator<Item = I::Item, IntoIter: Send + 'static>,
{
    type Item = I::Item;

    fn subscribe<S: Subscriber<I::Item>>(self, downstream: S) {
        let Self { source, state, step, finish } = self;
        subscribe(source, Closures { state, step, finish }, downstream);
    }
}

// An item that was asked for; its outputs are made as they are asked for.
backpressure!(Gather<P, A, F, G>, Queue, |_this| 1_usize);
opaque_debug!(Gather<P, A, F, G>);

/// What is made of items: where operators on [`subscribe`] differ.
pub(super) trait Gatherer<T>: Send + 'static {
    type Outputs: Iterator + Send + 'static;
    type Last: Iterator<Item = <Self::Outputs as Iterator>::Item> + Send + 'static;

    fn step(&mut self, item: T) -> Self::Outputs;

    /// The source has ended, well or not.
    fn finish(self) -> Self::Last;
}

struct Closures<A, F, G> {
    state: A,
    step: F,
    finish: G,
}

impl<T, A, I, J, F, G> Gatherer<T> for Closures<A, F, G>
where
    A: Send + 'static,
    F: FnMut(&mut A, T) -> I + Send + 'static,
    I: IntoIterator<IntoIter: Send + 'static>,
    G: FnOnce(A) -> J + Send + 'static,
    J: IntoIterator<Item = I::Item, IntoIter: Send + 'static>,
{
    type Outputs = I::IntoIter;
    type Last = J::IntoIter;

    #[inline]
    fn step(&mut self, item: T) -> I::IntoIter {
        (self.step)(&mut self.state, item).into_iter()
    }

    fn finish(self) -> J::IntoIter {
        (self.finish)(self.state).into_iter()
    }
}

/// Gives `downstream` what `gatherer` makes of the items of `publisher`.
pub(super) fn subscribe<P, G, S>(publisher: P, gatherer: G, downstream: S)
where
    P: Publisher<Item: Send + 'static>,
    G: Gatherer<P::Item>,
    S: Subscriber<<G::Outputs as Iterator>::Item>,
{
    let (entrance, inlet) = inlet(1);
    let gatherer = Some(gatherer);
    let source =
        GatherSource { inlet, is_asked: false, gatherer, outputs: None, last: None, end: None };
    let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, InlineForOne));
    publisher.subscribe(entrance.subscriber(EachAtOnce(Arc::clone(&gate))));
}

struct GatherSource<T, G: Gatherer<T>> {
    inlet: Inlet<T>,
    /// Whether the source owes an item.
    is_asked: bool,
    /// `None` once it is finished.
    gatherer: Option<G>,
    /// What is left of the present item.
    outputs: Option<G::Outputs>,
    /// What follows the last item.
    last: Option<G::Last>,
    /// How it ends after that.
    end: Option<End>,
}

impl<T, G: Gatherer<T>> GatherSource<T, G> {
    fn finish(&mut self, end: End) {
        self.end = Some(end);
        self.last = self.gatherer.take().map(G::finish);
    }
}

fn is_surely_empty<I: Iterator>(items: Option<&I>) -> bool {
    items.is_none_or(|items| items.size_hint() == (0, Some(0)))
}

impl<T, G> Source for GatherSource<T, G>
where
    T: Send + 'static,
    G: Gatherer<T>,
{
    type Item = <G::Outputs as Iterator>::Item;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<Self::Item> {
        loop {
            if let Some(outputs) = &mut self.outputs {
                if let Some(item) = outputs.next() {
                    return Step::Item(item);
                }
                self.outputs = None;
            }
            if let Some(last) = &mut self.last {
                return match last.next() {
                    Some(item) => Step::Item(item),
                    None => Step::End(self.end.take().unwrap_or(End::Complete)),
                };
            }
            if !self.is_asked {
                self.is_asked = true;
                self.inlet.request(1);
            }
            match self.inlet.take() {
                Step::Item(item) => {
                    self.is_asked = false;
                    self.outputs = self.gatherer.as_mut().map(|gatherer| gatherer.step(item));
                }
                Step::Pending => return Step::Pending,
                Step::End(end) => self.finish(end),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if !is_surely_empty(self.outputs.as_ref()) {
            return None;
        }
        if self.gatherer.is_some() {
            let end = self.inlet.end()?;
            self.finish(end);
        }
        if is_surely_empty(self.last.as_ref()) { self.end.take() } else { None }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
