//! `intersperse`: something between every two items.

use std::{iter, option};

use reactive_streams::{Publisher, Subscriber};

use super::gather::{self, Gatherer};
use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Puts a clone of `separator` between every two items.
    ///
    /// For something at the beginning and at the end there are [`start_with`](Self::start_with) and
    /// [`concat`](Self::concat).
    ///
    /// # Demand
    ///
    /// Counts items and separators. The source is asked for one item at a time, while something is
    /// asked for, as by [`gather`](Self::gather). A separator comes with the item after it, and not
    /// before.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// check_in_time("-a--b--c--|", |source, _| source.intersperse(','), "-a--(,b)--(,c)--|");
    /// ```
    pub fn intersperse(self, separator: P::Item) -> Flow<Intersperse<P, P::Item>>
    where
        P::Item: Clone + Send + 'static,
    {
        Flow { source: Intersperse { source: self.source, separator } }
    }
}

/// Publisher returned by [`Flow::intersperse`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Intersperse<P, T> {
    source: P,
    separator: T,
}

impl<P, T> Publisher for Intersperse<P, T>
where
    P: Publisher<Item = T>,
    T: Clone + Send + 'static,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let separated = Separated { separator: self.separator, is_first: true };
        gather::subscribe(self.source, separated, downstream);
    }
}

backpressure!(Intersperse<P, T>, Queue, |_this| 2_usize);
opaque_debug!(Intersperse<P, T>);

struct Separated<T> {
    separator: T,
    is_first: bool,
}

impl<T: Clone + Send + 'static> Gatherer<T> for Separated<T> {
    type Outputs = iter::Chain<option::IntoIter<T>, option::IntoIter<T>>;
    type Last = iter::Empty<T>;

    fn step(&mut self, item: T) -> Self::Outputs {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let separator = (!is_first).then(|| self.separator.clone());
        separator.into_iter().chain(Some(item))
    }

    fn finish(self) -> iter::Empty<T> {
        iter::empty()
    }
}
