//! The part on the disk's worker: writes what comes in, and reads what is asked for.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use millstream::scheduler::Worker;
use millstream_kernel::{Deferred, Dispatch, End, Job, Listener, Source, Step, Task, Wake, spsc};
use parking_lot::Mutex;
use reactive_streams::{Error, Subscriber, Subscription};

use super::{Shared, WINDOW, entrance::Inbound};
use crate::{Codec, SpillError, WhenFull, log::Log};

/// After this time a disk without space is tried again.
const PATIENCE: Duration = Duration::from_millis(100);
/// Items that are acknowledged together.
const BATCH: usize = WINDOW;

pub(super) struct Stage<C: Codec> {
    inbound: spsc::Consumer<Inbound<C::Item>>,
    upstream: Arc<Deferred>,
    log: Arc<Log<C>>,
    shared: Arc<Mutex<Shared>>,
    /// Came in and is not safe.
    held: VecDeque<C::Item>,
    /// Rings, each to be passed on once everything before this sequence was.
    rings: VecDeque<(u64, spsc::Consumer<C::Item>)>,
    end: Option<End>,
    failure: Option<SpillError>,
    gate: Option<Weak<dyn Wake>>,
}

impl<C: Codec> Stage<C> {
    pub(super) fn new(
        inbound: spsc::Consumer<Inbound<C::Item>>,
        upstream: Arc<Deferred>,
        log: Arc<Log<C>>,
        shared: Arc<Mutex<Shared>>,
    ) -> Self {
        Self {
            inbound,
            upstream,
            log,
            shared,
            held: VecDeque::new(),
            rings: VecDeque::new(),
            end: None,
            failure: None,
            gate: None,
        }
    }

    /// Wakes itself when it wants to try again.
    pub(super) fn woken_by(mut self, gate: Weak<impl Wake + 'static>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Writes what came in, as far as there is room.
    fn take_in(&mut self) {
        while self.failure.is_none() && self.end.is_none() {
            let mut ring = None;
            while self.held.len() < WINDOW && ring.is_none() && self.end.is_none() {
                match self.inbound.pop() {
                    spsc::Pop::Item(Inbound::Item(item)) => self.held.push_back(item),
                    spsc::Pop::Item(Inbound::Ring(consumer)) => ring = Some(consumer),
                    spsc::Pop::Empty => break,
                    spsc::Pop::Closed(end) => {
                        self.end = Some(end.unwrap_or_else(super::exit::disconnected));
                    }
                }
            }
            let is_all = self.held.is_empty() && ring.is_none();
            let is_written = self.write();
            if let Some(ring) = ring {
                // Everything before it is written, or else it would not have been sent.
                self.rings.push_back((self.log.next(), ring));
            }
            if is_all || !is_written {
                return;
            }
        }
    }

    /// Makes safe what is held, as far as there is room, and asks for as many items in its place;
    /// whether that was all.
    fn write(&mut self) -> bool {
        while !self.held.is_empty() {
            if self.try_to_write() {
                break;
            }
            let mut shared = self.shared.lock();
            if shared.n_passed == 0 {
                // From now on the exit wakes this.
                shared.is_stuck = true;
                break;
            }
            drop(shared);
            self.acknowledge(1);
        }
        self.held.is_empty()
    }

    /// Writes what is held; `false` if it is worth another try as soon as the cursor has moved.
    fn try_to_write(&mut self) -> bool {
        let n_before = self.held.len();
        let n_dropped = self.log.snapshot().counts.dropped_newest;
        let batch = self.log.append_all(&mut self.held);
        let mut failure = batch.failure;
        if let Some((verdict, _)) = batch.wait {
            // Told by the commit, in any case.
            drop(self.log.commit());
            match pollster::block_on(verdict) {
                Some(Ok(())) => drop(self.held.drain(..batch.n_written as usize)),
                Some(Err((error, safe))) => {
                    let n_safe = safe.saturating_sub(batch.first).min(batch.n_written);
                    drop(self.held.drain(..n_safe as usize));
                    failure = Some(error);
                }
                None => failure = Some(SpillError::Closed),
            }
        }
        let n_dropped = self.log.snapshot().counts.dropped_newest - n_dropped;
        self.shared.lock().on_disk -= n_dropped;
        let n_done = n_before - self.held.len();
        if n_done > 0 {
            self.upstream.request(n_done as u64);
        }
        match failure {
            None => {}
            Some(SpillError::Full) if self.log.config.when_full == WhenFull::Wait => {
                return false;
            }
            Some(SpillError::Io { cause, .. }) if cause.kind() == io::ErrorKind::StorageFull => {
                self.try_again_later();
            }
            Some(error) => {
                self.upstream.cancel();
                self.failure = Some(error);
            }
        }
        true
    }

    fn try_again_later(&self) {
        if let Some(gate) = self.gate.clone() {
            let job = Job::new(Arc::new(Again(gate)));
            self.log.clock.schedule_after(PATIENCE, job).detach();
        }
    }

    /// Acknowledges what the downstream is done with, if that is worth it.
    fn acknowledge(&mut self, at_least: usize) {
        let passed = {
            let mut shared = self.shared.lock();
            if shared.n_passed < at_least { None } else { shared.take_passed() }
        };
        if let Some(sequence) = passed
            && let Err(error) = self.log.acknowledge(sequence.saturating_add(1))
        {
            self.upstream.cancel();
            self.failure.get_or_insert(error);
        }
    }

    /// The next item that was written, or ring.
    fn take_out(&mut self) -> Step<Inbound<C::Item>> {
        let mut half = self.log.receiver.lock();
        let before = half.position();
        if self.rings.front().is_some_and(|(at, _)| *at <= before)
            && let Some((_, ring)) = self.rings.pop_front()
        {
            return Step::Item(Inbound::Ring(ring));
        }
        let read = self.log.read(&mut half);
        let n_passed = half.position() - before;
        drop(half);
        let mut shared = self.shared.lock();
        let n_skipped = n_passed - u64::from(matches!(read, Ok(Some(_))));
        shared.on_disk = shared.on_disk.saturating_sub(n_skipped);
        match read {
            Ok(Some(entry)) => {
                shared.emitted.push_back(entry.sequence);
                Step::Item(Inbound::Item(entry.item))
            }
            Ok(None) => Step::Pending,
            Err(error) => {
                drop(shared);
                self.upstream.cancel();
                Step::End(End::Failed(error.into()))
            }
        }
    }

    /// How it ends, once nothing is left.
    fn conclusion(&mut self) -> Option<End> {
        if self.log.depth() > 0 || !self.rings.is_empty() {
            return None;
        }
        if let Some(error) = self.failure.take() {
            return Some(End::Failed(error.into()));
        }
        if self.held.is_empty() { self.end.take() } else { None }
    }
}

impl<C: Codec> Source for Stage<C> {
    type Item = Inbound<C::Item>;
    const IS_WOKEN: bool = true;
    const CHUNK: u64 = 16;

    fn advance(&mut self) {
        self.acknowledge(BATCH);
        self.take_in();
    }

    fn next(&mut self) -> Step<Inbound<C::Item>> {
        self.acknowledge(BATCH);
        match self.take_out() {
            Step::Pending => {
                self.write();
                match self.conclusion() {
                    Some(end) => Step::End(end),
                    None if self.log.depth() > 0 => self.take_out(),
                    None => Step::Pending,
                }
            }
            step => step,
        }
    }

    fn end(&mut self) -> Option<End> {
        self.conclusion()
    }
}

/// Wakes the gate, if it is still there.
struct Again(Weak<dyn Wake>);

impl Task for Again {
    fn run(&self) {
        if let Some(gate) = self.0.upgrade() {
            gate.wake();
        }
    }

    fn abandon(&self, _error: Error) {}
}

/// Puts what comes from the disk into the exit's line.
pub(super) struct Outbound<T> {
    line: Option<spsc::Producer<Inbound<T>>>,
    demand: Arc<Deferred>,
    exit: Arc<Listener>,
}

impl<T> Outbound<T> {
    pub(super) fn new(
        line: spsc::Producer<Inbound<T>>,
        demand: Arc<Deferred>,
        exit: Arc<Listener>,
    ) -> Self {
        Self { line: Some(line), demand, exit }
    }

    fn close(&mut self, end: End) {
        if let Some(line) = self.line.take() {
            line.close(end);
        }
    }
}

impl<T: Send + 'static> Subscriber<Inbound<T>> for Outbound<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.demand.set(subscription);
    }

    fn on_next(&mut self, item: Inbound<T>) {
        if let Some(line) = &mut self.line {
            // As many as were asked for fit.
            drop(line.push(item));
        }
        self.exit.wake();
    }

    fn on_error(mut self, error: Error) {
        self.close(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.close(End::Complete);
    }
}

impl<T> Drop for Outbound<T> {
    fn drop(&mut self) {
        self.line = None;
        self.exit.wake();
    }
}

/// Has the stage's turns run on the disk's worker.
pub(super) struct OnDisk {
    worker: Worker,
    gate: Weak<dyn Task>,
}

impl OnDisk {
    pub(super) fn new(worker: Worker, gate: Weak<impl Task + 'static>) -> Self {
        Self { worker, gate }
    }
}

impl Dispatch for OnDisk {
    fn dispatch(&self) -> Result<(), Error> {
        // A gate that nobody holds any more has nobody to signal.
        if let Some(gate) = self.gate.upgrade() {
            self.worker.schedule(Job::new(gate));
        }
        Ok(())
    }

    fn is_here(&self) -> bool {
        self.worker.is_current()
    }
}
