//! `also_to`, `tap_into`: a copy of each item to another flow, which is waited for or not.

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Publisher, Subscriber};

use super::{
    dealing::{self, Deal, Part},
    window::Feed,
};
use crate::{Flow, ops::context::in_this_context, parts::inlet::check_capacity};

impl<P: Publisher> Flow<P> {
    /// Gives a copy of each item to a flow of its own as well, and waits for both.
    ///
    /// `side` is called with that flow when this one is subscribed to, before it is asked for
    /// anything.
    /// It subscribes to the copies, or hands them on, and returns: what blocks there blocks this
    /// flow.
    ///
    /// # Demand
    ///
    /// The source is asked for `capacity` items when the copies or this flow are subscribed to, and
    /// for three quarters of that again whenever as many were passed on.
    /// Up to `capacity` items wait for the downstream, as many for the subscriber of the copies,
    /// and as many before both while one of the two is full: the slower sets the pace.
    /// To drop copies in its place, see [`tap_into`](Self::tap_into).
    ///
    /// # Termination
    ///
    /// Both complete and fail with the source, after their items.
    /// If the copies are canceled or dropped, this flow goes on by itself; if this flow is
    /// canceled, so is the source, and the copies complete after those that wait.
    /// If `side` panics, this flow fails with an error of kind `Panicked`; if a clone does, both
    /// fail with one of kind `Disconnected`.
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let (archive, archived) = mpsc::channel();
    /// let orders = millstream::range(1..=3).also_to(8, move |copies| {
    ///     archive.send(copies.collect::<Vec<_>>()).unwrap();
    /// });
    /// assert_eq!(orders.map(|n| 2 * n).collect::<Vec<_>>().wait()?, [2, 4, 6]);
    /// assert_eq!(archived.recv()?.wait()?, [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "tee")]
    #[track_caller]
    pub fn also_to<F>(self, capacity: usize, side: F) -> Flow<AlsoTo<P, F>>
    where
        P::Item: Clone + Send + 'static,
        F: FnOnce(Flow<Part<P::Item>>),
    {
        check_capacity(capacity);
        Flow { source: AlsoTo { source: self.source, capacity, side, waits: true } }
    }

    /// Gives a copy of each item to a flow of its own as well, if there is a place for it there.
    ///
    /// As [`also_to`](Self::also_to), but a subscriber of the copies that is slow misses some, and
    /// never holds this flow up.
    ///
    /// # Demand
    ///
    /// The source is asked for `capacity` items when the copies or this flow are subscribed to, and
    /// for three quarters of that again whenever as many were passed on.
    /// Up to `capacity` items wait for the downstream, as many before it, and as many copies for
    /// their subscriber. A copy for which there is no place is not made.
    ///
    /// # Termination
    ///
    /// As [`also_to`](Self::also_to).
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// let (monitor, monitored) = mpsc::channel();
    /// let orders = millstream::range(1..=100).tap_into(2, move |copies| {
    ///     // Nobody takes them while the flow runs.
    ///     monitor.send(copies).unwrap();
    /// });
    /// assert_eq!(orders.count().wait()?, 100);
    /// assert_eq!(monitored.recv()?.collect::<Vec<_>>().wait()?, [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "wire_tap")]
    #[track_caller]
    pub fn tap_into<F>(self, capacity: usize, side: F) -> Flow<AlsoTo<P, F>>
    where
        P::Item: Clone + Send + 'static,
        F: FnOnce(Flow<Part<P::Item>>),
    {
        check_capacity(capacity);
        Flow { source: AlsoTo { source: self.source, capacity, side, waits: false } }
    }
}

/// Publisher returned by [`Flow::also_to`] and [`Flow::tap_into`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct AlsoTo<P, F> {
    source: P,
    capacity: usize,
    side: F,
    /// Whether an item waits for a place for its copy.
    waits: bool,
}

impl<P, F> Publisher for AlsoTo<P, F>
where
    P: Publisher<Item: Clone + Send + 'static> + Send + 'static,
    F: FnOnce(Flow<Part<P::Item>>),
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, capacity, side, waits } = self;
        // Not that of who subscribes to the copies.
        let source = in_this_context(source);
        let (main, copies) = dealing::deal(source, capacity, |maker| {
            let ((main, part), (copies, copied)) = (maker.part(), maker.part());
            (Copies { feeds: Some((main, copies)), waits }, (part, copied))
        });
        match caught(|| side(copies)) {
            Ok(()) => main.subscribe(downstream),
            Err(error) => {
                drop(main);
                crate::error(error).subscribe(downstream);
            }
        }
    }
}

backpressure!(AlsoTo<P, F>, Queue, |this| this.capacity.saturating_mul(3));
opaque_debug!(AlsoTo<P, F>);

/// An item to the first part, and a copy to the second.
struct Copies<T> {
    /// `None` after the end.
    feeds: Option<(Feed<T>, Feed<T>)>,
    waits: bool,
}

impl<T: Clone + Send + 'static> Deal<T> for Copies<T> {
    type Place = ();

    fn place(&mut self, _: &T) {}

    fn has_room(&mut self, (): ()) -> bool {
        let waits = self.waits;
        self.feeds
            .as_mut()
            .is_none_or(|(main, copies)| main.has_room() && (!waits || copies.has_room()))
    }

    fn deal(&mut self, (): (), item: T) {
        if let Some((main, copies)) = &mut self.feeds {
            if !copies.is_closed() && copies.has_room() {
                copies.give(item.clone());
            }
            main.give(item);
        }
    }

    fn flush(&mut self) {
        if let Some((main, copies)) = &self.feeds {
            copies.flush();
            main.flush();
        }
    }

    fn is_closed(&self) -> bool {
        self.feeds.as_ref().is_none_or(|(main, _)| main.is_closed())
    }

    fn end(&mut self, end: End) {
        if let Some((main, copies)) = self.feeds.take() {
            copies.end(end.clone());
            main.end(end);
        }
    }
}
