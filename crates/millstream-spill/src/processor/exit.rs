//! The publisher end: out of memory, or from the disk.

use std::sync::{Arc, Weak};

use millstream_kernel::{Capacity, Deferred, End, Job, Prefetch, Source, Step, Task, Wake, spsc};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind, Subscription};

use super::{Shared, WINDOW, entrance::Inbound};
use crate::{Codec, log::Log};

/// Takes from the ring that is open, and else from the disk.
pub(super) struct Exit<C: Codec> {
    /// `None` while items come from the disk.
    ring: Option<spsc::Consumer<C::Item>>,
    from_disk: spsc::Consumer<Inbound<C::Item>>,
    upstream: Arc<Deferred>,
    /// Of the stage.
    demand: Arc<Deferred>,
    prefetch: Prefetch,
    /// The stage, for when it has no room.
    stage: Weak<dyn Wake>,
    shared: Arc<Mutex<Shared>>,
    log: Arc<Log<C>>,
    /// The next item, and whether it came from the disk.
    next: Option<(C::Item, bool)>,
    /// The item that is being passed on came from the disk.
    is_passing: bool,
    is_started: bool,
}

impl<C: Codec> Exit<C> {
    pub(super) fn new(
        ring: Option<spsc::Consumer<C::Item>>,
        from_disk: spsc::Consumer<Inbound<C::Item>>,
        upstream: Arc<Deferred>,
        demand: Arc<Deferred>,
        stage: Weak<dyn Wake>,
        shared: Arc<Mutex<Shared>>,
        log: Arc<Log<C>>,
    ) -> Self {
        Self {
            ring,
            from_disk,
            upstream,
            demand,
            prefetch: Prefetch::new(Capacity::of(WINDOW)),
            stage,
            shared,
            log,
            next: None,
            is_passing: false,
            is_started: false,
        }
    }

    /// Nobody will take anything.
    pub(super) fn give_up(&self) {
        self.upstream.cancel();
        self.demand.cancel();
    }

    /// Asks the disk for what is there, and the upstream once the downstream has asked.
    fn start(&mut self) {
        if !self.is_started {
            self.is_started = true;
            self.demand.request(self.prefetch.batch());
            self.upstream.request(WINDOW as u64);
        }
    }

    /// The downstream has returned from the item before.
    fn passed(&mut self) {
        if std::mem::take(&mut self.is_passing) {
            let mut shared = self.shared.lock();
            shared.on_disk = shared.on_disk.saturating_sub(1);
            shared.n_passed += 1;
            if std::mem::take(&mut shared.is_stuck)
                && let Some(stage) = self.stage.upgrade()
            {
                drop(shared);
                stage.wake();
            }
        }
    }

    /// Brings the next item into `next`, changing lines; the end if there is none any more.
    fn look(&mut self) -> Option<End> {
        while self.next.is_none() {
            if let Some(ring) = &mut self.ring {
                match ring.pop() {
                    spsc::Pop::Item(item) => self.next = Some((item, false)),
                    spsc::Pop::Empty => return None,
                    spsc::Pop::Closed(None) => self.ring = None,
                    spsc::Pop::Closed(end) => return end,
                }
                continue;
            }
            match self.from_disk.pop() {
                spsc::Pop::Item(Inbound::Item(item)) => {
                    self.next = Some((item, true));
                    if let Some(n) = self.prefetch.consume(1) {
                        self.demand.request(n);
                    }
                }
                spsc::Pop::Item(Inbound::Ring(ring)) => {
                    self.ring = Some(ring);
                    if let Some(n) = self.prefetch.consume(1) {
                        self.demand.request(n);
                    }
                }
                spsc::Pop::Empty => return None,
                spsc::Pop::Closed(end) => return Some(end.unwrap_or_else(disconnected)),
            }
        }
        None
    }
}

impl<C: Codec> Source for Exit<C> {
    type Item = C::Item;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<C::Item> {
        self.passed();
        self.start();
        if let Some(end) = self.look() {
            return Step::End(end);
        }
        match self.next.take() {
            Some((item, is_from_disk)) => {
                self.is_passing = is_from_disk;
                Step::Item(item)
            }
            None => Step::Pending,
        }
    }

    fn end(&mut self) -> Option<End> {
        self.passed();
        self.look()
    }

    fn cancel(&mut self) {
        self.give_up();
    }
}

impl<C: Codec> Drop for Exit<C> {
    fn drop(&mut self) {
        self.demand.cancel();
        let settle = Settle { shared: Arc::clone(&self.shared), log: Arc::clone(&self.log) };
        self.log.clock.schedule(Job::new(Arc::new(settle)));
    }
}

/// Acknowledges what was passed on, and closes the queue, on the disk's worker.
struct Settle<C: Codec> {
    shared: Arc<Mutex<Shared>>,
    log: Arc<Log<C>>,
}

impl<C: Codec> Task for Settle<C> {
    fn run(&self) {
        let passed = self.shared.lock().take_passed();
        if let Some(sequence) = passed {
            // Else it comes again when the queue is opened again.
            drop(self.log.acknowledge(sequence.saturating_add(1)));
        }
        self.log.close();
    }

    fn abandon(&self, _error: Error) {
        self.run();
    }
}

pub(super) fn disconnected() -> End {
    End::Failed(Error::new(
        ErrorKind::Disconnected,
        "the publisher dropped its subscriber without a terminal signal",
    ))
}
