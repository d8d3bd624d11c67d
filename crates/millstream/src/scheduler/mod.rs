//! Threads and time: where work runs, and when.
//!
//! A [`Scheduler`] hands out [`Worker`]s; a worker runs tasks one at a time and in order. Only
//! schedulers start threads, sleep or read the clock.
//!
//! | scheduler | where tasks run |
//! |---|---|
//! | [`Immediate`] | at once, on the thread that schedules them |
//! | [`CurrentThread`] | on the thread that calls its `run` methods |
//! | [`Pool`] | on a fixed number of threads; a worker stays on one of them |
//! | [`Tokio`] | on a tokio runtime; a worker is a task of it |
//! | [`VirtualTime`] | when a test says so, by a clock that the test moves |
//!
//! What is scheduled on a scheduler that was shut down ends with an error of kind `Rejected`.

use std::time::Duration;

mod context;
mod current_thread;
pub(crate) mod gate_timer;
mod immediate;
mod long_turns;
pub(crate) mod on_worker;
mod pool;
mod queue;
mod scheduled;
pub(crate) mod spin_wait;
pub(crate) mod surroundings;
#[cfg(feature = "tokio")]
mod tokio;
mod virtual_time;
mod wheel;
mod worker;

pub use context::Context;
pub use current_thread::CurrentThread;
pub use immediate::Immediate;
pub use long_turns::{LongTurn, WatchedTurns, watch_turns};
pub(crate) use on_worker::{GateWaker, OnWorker};
pub use pool::{Pool, shared};
pub(crate) use scheduled::TimerSlot;
pub use scheduled::{Scheduled, Timers};
#[cfg(feature = "tokio")]
pub use tokio::Tokio;
pub use virtual_time::VirtualTime;
pub use worker::{Executor, Scheduler, Worker};

/// The scheduler for futures where none was named: the tokio runtime that surrounds the call, or
/// else the process's [`shared`] pool.
///
/// A runtime surrounds what a flow does wherever it runs: workers that are handed out inside of it
/// take it along, and so do operators that make flows of items, such as `flat_map`, and those that
/// subscribe again, such as `retry`. So what is made by their closures is on the runtime where the
/// flow was subscribed to, also if the thread of a [`Pool`] has the item.
#[must_use]
pub fn ambient() -> Ambient {
    #[cfg(feature = "tokio")]
    if let Some(runtime) = Tokio::try_current() {
        return Ambient(Worker::clone(&runtime.worker()));
    }
    Ambient(shared().worker())
}

/// A worker of the [`ambient`] scheduler of this call, which is started when it is wanted.
pub(crate) fn ambient_later() -> impl FnOnce() -> Worker + Send + 'static {
    #[cfg(feature = "tokio")]
    {
        let surrounding = Tokio::try_current().map(|runtime| runtime.worker());
        move || surrounding.unwrap_or_else(|| shared().worker())
    }
    #[cfg(not(feature = "tokio"))]
    || shared().worker()
}

impl Ambient {
    /// Stands for the scheduler that handed out `worker`.
    pub(crate) fn of(worker: Worker) -> Self {
        Self(worker)
    }
}

/// Scheduler returned by [`ambient`].
#[derive(Clone, Debug)]
pub struct Ambient(Worker);

impl Scheduler for Ambient {
    fn worker(&self) -> Worker {
        self.0.clone()
    }
}

/// Returns a duration of so many nanoseconds, or the longest there is.
pub(crate) fn duration(nanos: u128) -> Duration {
    match u64::try_from(nanos / 1_000_000_000) {
        Ok(seconds) => Duration::new(seconds, (nanos % 1_000_000_000) as u32),
        Err(_) => Duration::MAX,
    }
}
