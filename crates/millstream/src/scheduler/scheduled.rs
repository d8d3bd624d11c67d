//! `Scheduled`: a job that waits for its time, and can be taken back.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;

/// Where jobs wait for their time. Implemented by schedulers.
pub trait Timers: Send + Sync {
    /// Lets go of the job that was scheduled under `key`, without running it or telling it anything
    /// ([`Job::discard`](millstream_kernel::Job::discard)). Does nothing if its time has come.
    fn take_back(&self, key: u64);
}

/// A job that waits for its time. Dropping this takes the job back, unless it has run.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream::{never, scheduler::VirtualTime};
///
/// let clock = VirtualTime::new();
/// let flow = never::<u8>().timeout(&clock, Duration::from_secs(3_600)).count();
/// assert_eq!(clock.n_timers(), 1);
/// drop(flow);
/// assert_eq!(clock.n_timers(), 0);
/// ```
#[must_use = "dropping this takes the job back: keep it, or `detach` it"]
pub struct Scheduled(Option<(Arc<dyn Timers>, u64)>);

impl Scheduled {
    /// A job that waits among `timers` under `key`.
    pub fn new(timers: Arc<dyn Timers>, key: u64) -> Self {
        Self(Some((timers, key)))
    }

    /// A job that does not wait: it was rejected, or has run.
    pub const fn over() -> Self {
        Self(None)
    }

    /// Takes the job back, unless it has run. The same as dropping this.
    pub fn cancel(self) {
        drop(self);
    }

    /// Leaves the job to its time.
    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        if let Some((timers, key)) = self.0.take() {
            timers.take_back(key);
        }
    }
}

impl fmt::Debug for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduled").field("is_over", &self.0.is_none()).finish()
    }
}

/// A place for the timer of something that may be over before its timer is known.
#[derive(Debug, Default)]
pub(crate) struct TimerSlot(Mutex<Place>);

#[derive(Debug, Default)]
enum Place {
    #[default]
    Empty,
    /// A timer, and which one of those that were set.
    Held(u64, #[expect(dead_code, reason = "held for its drop")] Scheduled),
    Over,
}

impl TimerSlot {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Holds the `number`th timer in place of an earlier one.
    /// Takes it back if a later one is held, or if
    /// [`end`](Self::end) was called.
    pub(crate) fn hold(&self, number: u64, scheduled: Scheduled) {
        let mut place = self.0.lock();
        let is_late = match &*place {
            Place::Empty => false,
            Place::Held(held, _) => *held > number,
            Place::Over => true,
        };
        let mut unwanted = Place::Held(number, scheduled);
        if !is_late {
            std::mem::swap(&mut *place, &mut unwanted);
        }
        drop(place);
        // Not under the lock: a job may hold the last share of something of the user's.
        drop(unwanted);
    }

    /// Takes the timer back, if there is one.
    pub(crate) fn clear(&self) {
        let mut place = self.0.lock();
        let unwanted =
            if let Place::Held(..) = *place { std::mem::take(&mut *place) } else { return };
        drop(place);
        drop(unwanted);
    }

    /// Takes the timer back, and those that come from now on.
    pub(crate) fn end(&self) {
        let unwanted = std::mem::replace(&mut *self.0.lock(), Place::Over);
        drop(unwanted);
    }
}
