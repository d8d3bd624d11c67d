//! From memory to the disk and back: a processor that spills.
//!
//! ```text
//!                      ┌───────── memory ─────────┐
//!   upstream ─▶ Entrance                         Exit ─▶ downstream
//!                      └─▶ inbound ─▶ Stage ─▶ outbound ─┘
//!                                 (on the disk's worker)
//! ```
//!
//! Items go through a ring in memory. When it is full, the entrance closes it and sends what comes
//! to the stage, which writes it to the queue and reads it back as the downstream asks. Once
//! everything that went to the disk was passed on, the entrance makes another ring, and sends its
//! other end to the exit behind the last item. So each item is in one line, and the order never
//! depends on who is faster.

mod entrance;
mod exit;
mod stage;

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Weak},
};

use millstream::{Backpressure, BackpressureKind, Bounded, Flow, scheduler::Scheduler};
use millstream_kernel::{Capacity, Deferred, Gate, InlineForOne, Listener, Wake, spsc};
use parking_lot::Mutex;
use reactive_streams::{Processor, Publisher, Subscriber};

pub use self::entrance::SpillSubscriber;
use self::{
    entrance::Lines,
    exit::Exit,
    stage::{OnDisk, Outbound, Stage},
};
use crate::{Codec, Snapshot, Spill, SpillError, log::Log};

/// How many items wait on each side of the disk.
const WINDOW: usize = 64;

impl Spill {
    /// A processor that holds up to `memory` items, and beyond that spills to this queue. With a
    /// `memory` of 0 every item goes through the queue, and is safe before another is asked for in
    /// its place.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request, and then goes on without it: items are asked
    /// for, up to 64 at a time, as long as there is room in memory or below the ceiling of the
    /// queue. Beyond that, [`WhenFull::Wait`](crate::WhenFull) asks for no more until a segment is
    /// free, `Reject` fails the stream, and the others drop.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after all items, those from before the queue was opened
    /// first. Fails with an error of kind `Io` or `InvalidData` if the disk fails or is damaged; a
    /// disk without space only stops the source, and is tried again every 100 ms. A cancel, or the
    /// drop of the publisher end, cancels the source; what is in the queue stays there for the next
    /// time it is opened, and what is in memory is dropped.
    ///
    /// # Threads
    ///
    /// The disk's work is done on a worker of `disk`, which it blocks: give it a pool that serves
    /// nobody else. Items are signaled on the thread that makes them due, which is that worker for
    /// those that come from the disk: where the downstream takes long, put
    /// [`publish_on`](Flow::publish_on) behind.
    ///
    /// # Delivery
    ///
    /// An item from the disk is acknowledged after the downstream has returned from it, in batches:
    /// after a crash up to 128 items come again, and none that was on the disk is lost.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Processor as _, range, scheduler::Pool};
    /// use millstream_spill::{Spill, codec::U64};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let disk = Pool::named("disk", 1);
    /// let (subscriber, flow) = Spill::at(directory.path()).processor(U64, 16, &disk)?.split();
    /// let sum = flow.fold(0, |sum, n| sum + n);
    /// range(0..1000_u64).subscribe(subscriber);
    /// assert_eq!(sum.wait()?, 499_500);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn processor<C: Codec>(
        self,
        codec: C,
        memory: usize,
        disk: &impl Scheduler,
    ) -> Result<SpillProcessor<C>, SpillError> {
        if memory > Capacity::MAX {
            return Err(SpillError::Config("memory is more than 2^24 items"));
        }
        let log = self.open_log(codec, disk)?;
        Ok(SpillProcessor { log, memory })
    }
}

/// Processor returned by [`Spill::processor`].
#[must_use = "a processor does nothing before it is split and its ends are used"]
pub struct SpillProcessor<C: Codec> {
    log: Arc<Log<C>>,
    memory: usize,
}

impl<C: Codec> SpillProcessor<C> {
    /// Reads the queue's state, also when the processor is in use.
    #[must_use]
    pub fn monitor(&self) -> Monitor<C> {
        Monitor(Arc::clone(&self.log))
    }
}

/// Reads the state of a [`SpillProcessor`]'s queue. A clone reads the same one.
pub struct Monitor<C: Codec>(Arc<Log<C>>);

impl<C: Codec> Monitor<C> {
    /// A consistent reading of the queue. What is in memory is not in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
}

impl<C: Codec> Clone for Monitor<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What the lines to and from the disk have in common.
struct Shared {
    /// Items that are on their way to the disk, on it, or on their way from it.
    on_disk: u64,
    /// Sequences of those that were read and not acknowledged, oldest first.
    emitted: VecDeque<u64>,
    /// How many of these the downstream is done with.
    n_passed: usize,
    /// The stage has no room, and may have when more is passed on.
    is_stuck: bool,
}

impl Shared {
    /// The last that the downstream is done with, and forgets up to there.
    fn take_passed(&mut self) -> Option<u64> {
        let n_passed = std::mem::take(&mut self.n_passed);
        self.emitted.drain(..n_passed).next_back()
    }
}

impl<C: Codec> Processor<C::Item> for SpillProcessor<C> {
    type Item = C::Item;
    type Subscriber = SpillSubscriber<C::Item>;
    type Publisher = Flow<SpillPublisher<C>>;

    fn split(self) -> (Self::Subscriber, Self::Publisher) {
        let Self { log, memory } = self;
        let worker = log.clock.clone();
        let recovered = log.recovered.items;
        let shared = Arc::new(Mutex::new(Shared {
            on_disk: recovered,
            emitted: VecDeque::new(),
            n_passed: 0,
            is_stuck: false,
        }));
        let upstream = Arc::new(Deferred::new());
        let demand = Arc::new(Deferred::new());
        let listener = Arc::new(Listener::new());
        // One place more, for a ring on its way.
        let (to_disk, inbound) = spsc::bounded(Capacity::of(WINDOW + 1));
        let (outbound, from_disk) = spsc::bounded(Capacity::of(WINDOW + 1));
        // What is on the disk already comes first.
        let (ring, memory_end) = match memory {
            0 => (None, None),
            _ if recovered > 0 => (None, None),
            _ => Some(spsc::bounded(Capacity::of(memory))).unzip(),
        };
        let outbound = Outbound::new(outbound, Arc::clone(&demand), Arc::clone(&listener));
        let stage =
            Stage::new(inbound, Arc::clone(&upstream), Arc::clone(&log), Arc::clone(&shared));
        let gate = Gate::start_with(|gate: &Weak<Gate<_, _, _>>| {
            let dispatch = OnDisk::new(worker.clone(), Weak::clone(gate));
            (stage.woken_by(Weak::clone(gate)), outbound, dispatch)
        });
        let on_room = Arc::downgrade(&gate) as Weak<dyn Wake>;
        let lines = Lines { memory, ring, to_disk: Some(to_disk), shared: Arc::clone(&shared) };
        let subscriber = SpillSubscriber::new(
            lines,
            Arc::clone(&upstream),
            Arc::clone(&listener),
            gate as Arc<dyn Wake>,
        );
        let exit = Exit::new(memory_end, from_disk, upstream, demand, on_room, shared, log);
        (subscriber, Flow::from(SpillPublisher { exit: Some(exit), listener, memory }))
    }
}

/// The end of a [`SpillProcessor`] that sends.
#[must_use = "publishers do nothing until subscribed to, and dropping this one cancels its source"]
pub struct SpillPublisher<C: Codec> {
    /// `None` once subscribed to.
    exit: Option<Exit<C>>,
    listener: Arc<Listener>,
    memory: usize,
}

impl<C: Codec> Publisher for SpillPublisher<C> {
    type Item = C::Item;

    fn subscribe<S: Subscriber<C::Item>>(mut self, downstream: S) {
        let Some(exit) = self.exit.take() else { return };
        self.listener.set(Gate::start_with(|_| (exit, downstream, InlineForOne)));
    }
}

impl<C: Codec> Drop for SpillPublisher<C> {
    fn drop(&mut self) {
        if let Some(exit) = &self.exit {
            exit.give_up();
        }
    }
}

impl<C: Codec> Backpressure for SpillPublisher<C> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        (self.memory + 2 * (WINDOW + 1)) as u64
    }
}

impl<C: Codec> Bounded for SpillPublisher<C> {}

/// Operators of this crate, for flows: `use millstream_spill::FlowExt as _`.
pub trait FlowExt: Sized {
    /// The flow's publisher.
    type Publisher: Publisher;

    /// Passes the items through memory and, when that is full, the disk.
    ///
    /// [`Spill::processor`] says more, and what is done on which thread.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request, and then goes on without it: items are asked
    /// for, up to 64 at a time, while there is room in memory or below the ceiling of the queue.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after all items. Fails with an error of kind `Io` or
    /// `InvalidData` if the disk fails or is damaged. A cancel leaves on the disk what was there.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{range, scheduler::Pool};
    /// use millstream_spill::{FlowExt as _, Spill, codec::U64};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let disk = Pool::named("disk", 1);
    /// let processor = Spill::at(directory.path()).processor(U64, 16, &disk)?;
    /// let last = range(0..1000_u64).spill(processor).publish_on(&Pool::new(1)).last();
    /// assert_eq!(last.wait()?, Some(999));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn spill<C>(self, processor: SpillProcessor<C>) -> Flow<Spilled<Self::Publisher, C>>
    where
        C: Codec<Item = <Self::Publisher as Publisher>::Item>;
}

impl<P: Publisher<Item: Send + 'static>> FlowExt for Flow<P> {
    type Publisher = Self;

    fn spill<C: Codec<Item = P::Item>>(
        self,
        processor: SpillProcessor<C>,
    ) -> Flow<Spilled<Self, C>> {
        Flow::from(Spilled { source: self, processor })
    }
}

/// Publisher returned by [`FlowExt::spill`].
#[must_use = "publishers do nothing until subscribed to"]
pub struct Spilled<P, C: Codec> {
    source: P,
    processor: SpillProcessor<C>,
}

impl<P, C> Publisher for Spilled<P, C>
where
    P: Publisher<Item: Send + 'static>,
    C: Codec<Item = P::Item>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (subscriber, publisher) = self.processor.split();
        publisher.subscribe(downstream);
        self.source.subscribe(subscriber);
    }
}

impl<P: Backpressure, C: Codec> Backpressure for Spilled<P, C> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        let held = (self.processor.memory + 2 * (WINDOW + 1)) as u64;
        self.source.max_in_flight().saturating_add(held)
    }
}

impl<P: Bounded, C: Codec> Bounded for Spilled<P, C> {}

impl<C: Codec> fmt::Debug for SpillProcessor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpillProcessor").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl<C: Codec> fmt::Debug for Monitor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

impl<C: Codec> fmt::Debug for SpillPublisher<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpillPublisher").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl<P, C: Codec> fmt::Debug for Spilled<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spilled").finish_non_exhaustive()
    }
}
