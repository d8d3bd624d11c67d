//! The streaming core of millstream: the parts in which threads meet.
//!
//! Operators contain no atomics, no locks and no `unsafe`; they are put together from the parts of
//! this crate, each of which settles one question once:
//!
//! | part | what it settles |
//! |---|---|
//! | [`Gate`] | which thread emits, how much, and which cleans up, in one word |
//! | [`Serial`] | exclusive turns over a value: handle a message, or leave it to the one inside |
//! | [`Upstream`] | the subscription of an operator that passes it on (rule 2.5) |
//! | [`after_turn`] | what a gate asks of others when its turn is over |
//! | [`Deferred`] | a subscription that arrives later than requests and cancels for it |
//! | [`Arbiter`], [`Voice`] | a subscription that is replaced midway, and its outstanding demand |
//! | [`Cap`] | an upper bound for the demand that passes |
//! | [`Allowance`] | demand that is counted and not passed on |
//! | [`Pending`] | demand collected by many threads and taken by one |
//! | [`Prefetch`] | batches from upstream, replenished after a share was consumed |
//! | [`spsc`], [`mpsc`] | queues: bounded with exact capacity, and growing |
//! | [`Capacity`] | how many items a queue holds: from 1 to what memory has room for |
//! | [`Backlog`] | a bounded queue whose producer may evict |
//! | [`Alarm`] | a wake-up that a scheduler owes |
//! | [`ReadySet`] | which of many tasks were woken |
//! | [`Accumulator`] | a value that a closure takes and gives back |
//! | [`Slot`] | a value that is taken once |
//! | [`Recorder`] | the last signals that passed a place, with their times |
//! | [`Gauge`], [`Gauges`] | what passes a place of a flow, counted there and read from anywhere |
//! | [`TaskWaker`] | the task that polls |
//! | [`Sharing`] | one connection for many subscribers: which one connects, and which disconnects |
//! | [`broadcast`] | from one producer to many subscribers that come and go |
//! | [`Semaphore`], [`BatchRelease`] | permits that bound a queue, and tasks that wait for one |
//! | [`SubscriberSlot`] | one of many subscribers of a driver: its demand, cancel and arrival |
//! | [`Listener`] | a consumer to wake, which may arrive after the first wake-ups |
//! | [`Ledger`] | what became of every item: offered, delivered, dropped by reason |
//! | [`Permits`], [`Wait`] | permits whose number may change, and tasks that wait in order |
//! | [`Waiters`], [`Served`] | a line of tasks, under its owner's lock |
//! | [`Gcra`] | a rate that can change, in one word |
//! | [`BreakerWord`] | a circuit breaker's state, its generation and its probes |
//! | [`oneshot`] | one value from one thread to another, awaited or waited for |
//! | [`guard`] | panics in user code |
//!
//! Each file begins with its states, drawn, and its invariants, numbered; every `unsafe` operation
//! cites one of them. The loom models in `tests/loom` name the mutations that they were seen to
//! fail under.

mod accumulator;
mod capacity;
mod demand;
mod gate;
mod gauge;
pub mod guard;
mod many;
mod pressure;
mod queue;
mod recorder;
mod serial;
mod slot;
#[doc(hidden)]
pub mod sync;
mod wake;

pub use accumulator::Accumulator;
pub use capacity::{Capacity, InvalidCapacity};
pub use demand::{Allowance, Arbiter, Cap, Deferred, Inside, Pending, Prefetch, Upstream, Voice};
pub use gate::{
    Bells, Dispatch, End, Fed, Gate, Inline, InlineForOne, Job, Source, Step, Surround, Task, Wake,
    after_turn,
};
pub use gauge::{Gauge, Gauges, Passed, Reading};
pub use many::{
    Acquire, AcquireError, BatchRelease, Changes, Closed, Entered, Left, Permit, Semaphore,
    Sharing, SubscriberSlot, TryAcquireError, broadcast,
};
pub use pressure::{
    Acquired, Admission, BreakerState, BreakerWord, Gcra, Ledger, LedgerReading, Permits, Served,
    Taken, Wait, Waiters,
};
pub use queue::{Backlog, Evict, mpsc, spsc};
pub use recorder::{CoarseTime, Record, Recorded, Recorder, RecorderClock};
pub use serial::{Handler, Serial};
pub use slot::Slot;
pub use wake::{Alarm, Listener, ReadySet, TaskWaker, oneshot};
