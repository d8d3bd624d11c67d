//! A gate's timer.
//!
//! Operators that wait for a time have at most one alarm outstanding as long as what they wait for
//! moves later; when it rings, they look at the clock and set the next one.
//! So an item costs a look at the clock, and no timer.
//! An alarm that is still set when the timer is dropped, with the source of its gate, is taken
//! back.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{Alarm, End, Step, Wake};
use reactive_streams::{Error, ErrorKind};

use crate::scheduler::{Scheduled, Worker};

/// Wakes a gate at a time, with at most one alarm outstanding: an item costs a look at the
/// clock, and no timer.
pub struct GateTimer {
    worker: Worker,
    gate: Weak<dyn Wake>,
    /// The last alarm.
    set: Option<SetAlarm>,
}

struct SetAlarm {
    alarm: Arc<Alarm>,
    rings_at: Duration,
    /// Takes it back when the timer is dropped, or needs another one.
    _scheduled: Scheduled,
}

impl GateTimer {
    /// A timer that wakes `gate`, by the clock of `worker`.
    pub fn new(worker: Worker, gate: Weak<impl Wake + 'static>) -> Self {
        Self::waking(worker, gate)
    }

    /// A timer that wakes a gate whose type is erased.
    pub fn waking(worker: Worker, gate: Weak<dyn Wake>) -> Self {
        Self { worker, gate, set: None }
    }

    /// Returns the time by the clock of the worker.
    pub fn now(&self) -> Duration {
        self.worker.now()
    }

    /// Returns what a source answers that has nothing before `due`:
    /// `Pending`, and the gate is woken then or before.
    /// If the scheduler was stopped or has no clock, calls `cancel`, which is to cancel the
    /// upstream, and returns an end with an error of kind `Rejected`.
    pub fn wait_until<T>(&mut self, due: Duration, cancel: impl FnOnce()) -> Step<T> {
        if self.wakes_at(due) {
            return Step::Pending;
        }
        cancel();
        Step::End(End::Failed(Error::new(
            ErrorKind::Rejected,
            "the scheduler takes no timers: it was stopped, or has no clock",
        )))
    }

    /// Sees to it that the gate is woken at `due`, or before. Whether it will be.
    fn wakes_at(&mut self, due: Duration) -> bool {
        if let Some(SetAlarm { alarm, rings_at, .. }) = &self.set {
            if alarm.is_lost() {
                return false;
            }
            if alarm.is_set() && *rings_at <= due {
                return true;
            }
        }
        let (alarm, job) = Alarm::new(&self.gate);
        let delay = due.saturating_sub(self.worker.now());
        let scheduled = self.worker.schedule_after(delay, job);
        let wakes = !alarm.is_lost();
        self.set = Some(SetAlarm { alarm, rings_at: due, _scheduled: scheduled });
        wakes
    }
}

impl fmt::Debug for GateTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateTimer").field("worker", &self.worker).finish_non_exhaustive()
    }
}
