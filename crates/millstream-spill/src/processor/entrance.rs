//! The subscriber end: into memory, or to the disk.

use std::{fmt, sync::Arc};

use millstream_kernel::{Capacity, Deferred, End, Listener, Wake, spsc};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind, Subscriber, Subscription};

use super::{Shared, WINDOW};

/// What goes to the disk, and what comes back behind it.
pub(super) enum Inbound<T> {
    Item(T),
    /// From here on the items are in this ring, until it is closed.
    Ring(spsc::Consumer<T>),
}

/// The end of a [`SpillProcessor`](super::SpillProcessor) that receives.
pub struct SpillSubscriber<T> {
    lines: Lines<T>,
    upstream: Arc<Deferred>,
    /// Items for which no others were asked for yet.
    n_due: u64,
    /// Woken for the ring.
    exit: Arc<Listener>,
    /// Woken for the disk.
    stage: Arc<dyn Wake>,
    is_over: bool,
}

/// Where items go.
pub(super) struct Lines<T> {
    /// The capacity of a ring; with 0 there is none.
    pub(super) memory: usize,
    /// `None` while items go to the disk.
    pub(super) ring: Option<spsc::Producer<T>>,
    /// `None` after the end.
    pub(super) to_disk: Option<spsc::Producer<Inbound<T>>>,
    pub(super) shared: Arc<Mutex<Shared>>,
}

impl<T> SpillSubscriber<T> {
    pub(super) fn new(
        lines: Lines<T>,
        upstream: Arc<Deferred>,
        exit: Arc<Listener>,
        stage: Arc<dyn Wake>,
    ) -> Self {
        Self { lines, upstream, n_due: 0, exit, stage, is_over: false }
    }

    fn close(&mut self, end: End) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        // In the line of the last item.
        match (self.lines.ring.take(), self.lines.to_disk.take()) {
            (Some(ring), _) => ring.close(end),
            (None, Some(to_disk)) => to_disk.close(end),
            (None, None) => {}
        }
        if self.upstream.is_set() {
            self.upstream.finish();
        }
        self.exit.wake();
        self.stage.wake();
    }

    fn overflow(&mut self) {
        self.upstream.cancel();
        self.close(End::Failed(Error::new(
            ErrorKind::Overflow,
            "the publisher sent more items than were requested (rule 1.1)",
        )));
    }

    /// Asks for as many items as went into memory; the stage asks for those that it has written.
    fn replenish(&mut self, at_least: u64) {
        if self.n_due >= at_least {
            self.upstream.request(std::mem::take(&mut self.n_due));
        }
    }

    fn keep_in_memory(&mut self, item: T) -> Result<(), T> {
        let Some(ring) = &mut self.lines.ring else { return Err(item) };
        match ring.push(item) {
            Ok(()) => {
                self.exit.wake();
                self.n_due += 1;
                self.replenish(WINDOW as u64 * 3 / 4);
                Ok(())
            }
            Err(full) => {
                // Closed without an end: the exit goes on with the disk.
                self.lines.ring = None;
                if self.n_due > 0 {
                    self.replenish(1);
                }
                Err(full.0)
            }
        }
    }

    fn send_to_disk(&mut self, item: T) {
        let Some(to_disk) = &mut self.lines.to_disk else { return };
        self.lines.shared.lock().on_disk += 1;
        if to_disk.push(Inbound::Item(item)).is_err() {
            return self.overflow();
        }
        self.stage.wake();
    }

    /// Opens a ring again, once nothing is on the disk.
    fn go_back(&mut self) {
        if self.lines.ring.is_some() || self.lines.memory == 0 {
            return;
        }
        if self.lines.shared.lock().on_disk > 0 {
            return;
        }
        let (ring, other_end) = spsc::bounded(Capacity::of(self.lines.memory));
        let Some(to_disk) = &mut self.lines.to_disk else { return };
        // There is a place for it, since none of the items is there.
        if to_disk.push(Inbound::Ring(other_end)).is_ok() {
            self.lines.ring = Some(ring);
            self.stage.wake();
        }
    }
}

impl<T: Send + 'static> Subscriber<T> for SpillSubscriber<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.upstream.set(subscription);
    }

    fn on_next(&mut self, item: T) {
        if self.is_over {
            return;
        }
        self.go_back();
        if let Err(item) = self.keep_in_memory(item) {
            self.send_to_disk(item);
        }
    }

    fn on_error(mut self, error: Error) {
        self.close(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.close(End::Complete);
    }
}

impl<T> Drop for SpillSubscriber<T> {
    fn drop(&mut self) {
        self.close(super::exit::disconnected());
    }
}

impl<T> fmt::Debug for SpillSubscriber<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpillSubscriber").finish_non_exhaustive()
    }
}
