//! `with_context`: something that travels beside each item.

use std::fmt;

use reactive_streams::Publisher;

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Splits each item into one to work on and a context that travels beside it, such as an offset
    /// or an acknowledgement, through operators that keep the order.
    ///
    /// What follows are the methods of [`FlowWithContext`]: they see the item, and put the context
    /// beside whatever comes of it. One that reorders, such as `map_async_unordered`, is not among
    /// them: a consumer that commits an offset has to have seen all before it.
    /// [`into_flow`](FlowWithContext::into_flow) gives the pairs.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source; if `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let records = millstream::from_iter([(40, "a"), (41, ""), (42, "b")]);
    /// let lengths = records
    ///     .with_context(|(offset, text)| (text, offset))
    ///     .filter(|text| !text.is_empty())
    ///     .map_async(4, |text| async move { text.len() })
    ///     .into_flow();
    /// assert_eq!(lengths.collect::<Vec<_>>().wait()?, [(1, 40), (1, 42)]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "as_flow_with_context")]
    pub fn with_context<T, C, F>(
        self,
        f: F,
    ) -> FlowWithContext<impl Publisher<Item = (T, C)> + use<P, T, C, F>>
    where
        F: FnMut(P::Item) -> (T, C) + Send + 'static,
    {
        FlowWithContext { flow: self.map(f) }
    }
}

/// A flow of items with something beside each: see [`Flow::with_context`].
///
/// Its operators keep the order, and the context beside the item. An item that is dropped, by
/// [`filter`](Self::filter) say, is dropped with its context: an acknowledgement whose drop says
/// that the item was not processed says so.
///
/// Each asks and ends as the operator of [`Flow`] that has its name. Their types state nothing
/// about [bounds](crate::Bounded), as after [`boxed`](Flow::boxed).
#[must_use = "flows do nothing until subscribed to"]
pub struct FlowWithContext<P> {
    flow: Flow<P>,
}

impl<P, T, C> FlowWithContext<P>
where
    P: Publisher<Item = (T, C)>,
{
    /// The flow of the pairs.
    pub fn into_flow(self) -> Flow<P> {
        self.flow
    }

    /// [`Flow::map`] of the items.
    pub fn map<U, F>(
        self,
        mut f: F,
    ) -> FlowWithContext<impl Publisher<Item = (U, C)> + use<P, T, C, U, F>>
    where
        F: FnMut(T) -> U + Send + 'static,
    {
        FlowWithContext { flow: self.flow.map(move |(item, context)| (f(item), context)) }
    }

    /// [`Flow::map`] of what is beside the items.
    pub fn map_context<D, F>(
        self,
        mut f: F,
    ) -> FlowWithContext<impl Publisher<Item = (T, D)> + use<P, T, C, D, F>>
    where
        F: FnMut(C) -> D + Send + 'static,
    {
        FlowWithContext { flow: self.flow.map(move |(item, context)| (item, f(context))) }
    }

    /// [`Flow::filter`] by the items.
    pub fn filter<F>(
        self,
        mut predicate: F,
    ) -> FlowWithContext<impl Publisher<Item = (T, C)> + use<P, T, C, F>>
    where
        F: FnMut(&T) -> bool + Send + 'static,
    {
        FlowWithContext { flow: self.flow.filter(move |(item, _)| predicate(item)) }
    }

    /// [`Flow::filter_map`] of the items.
    pub fn filter_map<U, F>(
        self,
        mut f: F,
    ) -> FlowWithContext<impl Publisher<Item = (U, C)> + use<P, T, C, U, F>>
    where
        F: FnMut(T) -> Option<U> + Send + 'static,
    {
        let flow = self.flow.filter_map(move |(item, context)| Some((f(item)?, context)));
        FlowWithContext { flow }
    }

    /// [`Flow::inspect`] of the items and what is beside them.
    pub fn inspect<F>(
        self,
        mut f: F,
    ) -> FlowWithContext<impl Publisher<Item = (T, C)> + use<P, T, C, F>>
    where
        F: FnMut(&T, &C) + Send + 'static,
    {
        FlowWithContext { flow: self.flow.inspect(move |(item, context)| f(item, context)) }
    }

    /// [`Flow::map_async`] of the items, in their order.
    ///
    /// # Panics
    ///
    /// As that.
    #[track_caller]
    pub fn map_async<U, F, Fut>(
        self,
        concurrency: usize,
        mut f: F,
    ) -> FlowWithContext<impl Publisher<Item = (U, C)> + use<P, T, C, U, F, Fut>>
    where
        T: Send + 'static,
        C: Send + 'static,
        U: Send + 'static,
        F: FnMut(T) -> Fut + Send + 'static,
        Fut: Future<Output = U> + Send + 'static,
    {
        let flow = self.flow.map_async(concurrency, move |(item, context)| {
            let future = f(item);
            async move { (future.await, context) }
        });
        FlowWithContext { flow }
    }

    /// [`Flow::buffer`] of the items, with all that is beside them.
    ///
    /// # Panics
    ///
    /// As that.
    #[track_caller]
    pub fn buffer(
        self,
        n: usize,
    ) -> FlowWithContext<impl Publisher<Item = (Vec<T>, Vec<C>)> + use<P, T, C>>
    where
        T: Send + 'static,
        C: Send + 'static,
    {
        FlowWithContext { flow: self.flow.buffer(n).map(|group| group.into_iter().unzip()) }
    }

    /// [`Flow::flat_map_iter`] of the items: each that comes of an item has a clone of what is
    /// beside it. An item of which nothing comes is dropped with its context.
    pub fn flat_map_iter<I, F>(
        self,
        mut f: F,
    ) -> FlowWithContext<impl Publisher<Item = (I::Item, C)> + use<P, T, C, I, F>>
    where
        T: Send + 'static,
        C: Clone + Send + 'static,
        F: FnMut(T) -> I + Send + 'static,
        I: IntoIterator<IntoIter: Send + 'static>,
        I::Item: 'static,
    {
        let flow = self.flow.flat_map_iter(move |(item, context): (T, C)| {
            let items = f(item).into_iter();
            items.map(move |item| (item, context.clone()))
        });
        FlowWithContext { flow }
    }

    /// Passes the pairs through operators that look at none of them, such as
    /// [`publish_on`](Flow::publish_on) or [`throttle`](Flow::throttle). That they keep the order is
    /// up to `stage`.
    pub fn through<Q>(self, stage: impl FnOnce(Flow<P>) -> Flow<Q>) -> FlowWithContext<Q>
    where
        Q: Publisher<Item = (T, C)>,
    {
        FlowWithContext { flow: stage(self.flow) }
    }
}

impl<P> fmt::Debug for FlowWithContext<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowWithContext").finish_non_exhaustive()
    }
}
