//! `Clock`: the clock of a scheduler, and waiting by it.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use millstream::scheduler::{Scheduled, Scheduler, Worker};
use millstream_kernel::{Alarm, TaskWaker, Wake};

/// What a timer is set to at most, so that no scheduler has to add up times that overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The clock that a policy goes by: that of a scheduler, live or virtual.
///
/// A moment is the time since one that the scheduler chose. A clock that is set back makes time
/// stand still until it catches up: nothing here subtracts below 0.
#[derive(Clone, Debug)]
pub struct Clock(Worker);

impl Clock {
    /// The clock of `scheduler`.
    pub fn of(scheduler: &impl Scheduler) -> Self {
        Self(scheduler.worker())
    }

    /// The present moment.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.now()
    }

    /// The time that has passed since `moment`, and none if that is in the future.
    #[inline]
    #[must_use]
    pub fn since(&self, moment: Duration) -> Duration {
        self.now().saturating_sub(moment)
    }

    /// The moment that is `delay` away, or the last one there is.
    #[inline]
    #[must_use]
    pub fn after(&self, delay: Duration) -> Duration {
        self.now().saturating_add(delay)
    }

    /// Waits until `moment`. Sets no timer before it is polled.
    pub fn sleep_until(&self, moment: Duration) -> Sleep {
        Sleep { clock: self.clone(), until: moment, alarm: None }
    }

    /// The worker whose clock this is, for timers of one's own.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.0
    }
}

/// Future returned by [`Clock::sleep_until`]: `true` when the moment has come, `false` when the
/// scheduler has stopped or has no clock, so that it never will.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    clock: Clock,
    until: Duration,
    /// The last alarm, whom it wakes, and what takes it back.
    alarm: Option<(Arc<Alarm>, Arc<TaskWaker>, Scheduled)>,
}

impl Future for Sleep {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            let left = self.until.saturating_sub(self.clock.now());
            if left.is_zero() {
                return Poll::Ready(true);
            }
            let task = match &self.alarm {
                Some((_, task, _)) => Arc::clone(task),
                None => Arc::new(TaskWaker::new()),
            };
            task.register(cx.waker());
            match &self.alarm {
                Some((alarm, ..)) if alarm.is_lost() => return Poll::Ready(false),
                Some((alarm, ..)) if alarm.is_set() => return Poll::Pending,
                // Not set yet, or rung too early: at the longest time, or by a coarse clock.
                _ => {
                    let target: Weak<dyn Wake> = Arc::downgrade(&task) as Weak<dyn Wake>;
                    let (alarm, job) = Alarm::new(&target);
                    let scheduled = self.clock.0.schedule_after(left.min(LONGEST), job);
                    self.alarm = Some((alarm, task, scheduled));
                }
            }
        }
    }
}
