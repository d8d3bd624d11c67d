//! A gate's timer.
//!
//! Operators that wait for a time have at most one alarm outstanding as long as what they wait for
//! moves later; when it rings, they look at the clock and set the next one. So an item costs a look at
//! the clock, and no timer.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{Alarm, End, Step, Wake};
use reactive_streams::{Error, ErrorKind};

use crate::scheduler::Worker;

pub(crate) struct GateTimer {
    worker: Worker,
    gate: Weak<dyn Wake>,
    /// The last alarm, and when it rings.
    alarm: Option<(Arc<Alarm>, Duration)>,
}

impl GateTimer {
    /// A timer that wakes `gate`, by the clock of `worker`.
    pub(crate) fn new(worker: Worker, gate: Weak<impl Wake + 'static>) -> Self {
        Self::waking(worker, gate)
    }

    /// A timer that wakes a gate whose type is erased.
    pub(crate) fn waking(worker: Worker, gate: Weak<dyn Wake>) -> Self {
        Self { worker, gate, alarm: None }
    }

    pub(crate) fn now(&self) -> Duration {
        self.worker.now()
    }

    /// What a source answers that has nothing before `due`: it is woken then, or before. If the
    /// scheduler stopped or has no clock, the stream fails, and `cancel` lets go of what is above it.
    pub(crate) fn wait_until<T>(&mut self, due: Duration, cancel: impl FnOnce()) -> Step<T> {
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
        if let Some((alarm, rings_at)) = &self.alarm {
            if alarm.is_lost() {
                return false;
            }
            if alarm.is_set() && *rings_at <= due {
                return true;
            }
        }
        let (alarm, job) = Alarm::new(&self.gate);
        let delay = due.saturating_sub(self.worker.now());
        self.worker.schedule_after(delay, job);
        let wakes = !alarm.is_lost();
        self.alarm = Some((alarm, due));
        wakes
    }
}
