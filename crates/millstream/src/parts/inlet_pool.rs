//! Inlets for many upstreams, one after the other.

use super::inlet::{Entrance, Inlet, inlet};

/// Inlets of one capacity for many upstreams: those that have ended leave their queues to those to
/// come.
pub(crate) struct InletPool<T> {
    capacity: usize,
    /// Boxed because inlets move in and out of the pool.
    spare: Vec<(Entrance<T>, Box<Inlet<T>>)>,
}

/// How many queues are kept at most, so that many upstreams that end do not leave all of theirs.
const SPARE: usize = 256;

impl<T> InletPool<T> {
    /// # Panics
    ///
    /// [`open`](Self::open) does if `capacity` is 0.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, spare: Vec::new() }
    }

    pub(crate) fn open(&mut self) -> (Entrance<T>, Box<Inlet<T>>) {
        self.spare.pop().unwrap_or_else(|| {
            let (entrance, inlet) = inlet(self.capacity);
            (entrance, Box::new(inlet))
        })
    }

    /// The same, asking for its first batch as soon as it is subscribed.
    pub(crate) fn begin(&mut self) -> (Entrance<T>, Box<Inlet<T>>) {
        let (mut entrance, mut inlet) = self.open();
        inlet.start_by(&mut entrance);
        (entrance, inlet)
    }

    /// The upstream of `inlet` has ended.
    pub(crate) fn close(&mut self, mut inlet: Box<Inlet<T>>) {
        if self.spare.len() < SPARE
            && let Some(entrance) = inlet.reopen()
        {
            self.spare.push((entrance, inlet));
        }
    }
}
