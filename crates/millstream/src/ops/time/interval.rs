//! `interval`, `timer`: ticks of a clock.

use std::{sync::Weak, time::Duration};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    scheduler::{Scheduler, Worker, duration, gate_timer::GateTimer},
};

/// What becomes of ticks that nobody asked for at their time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissedTick {
    /// The last of them comes when it is asked for, and the others never; then on schedule.
    #[default]
    Skip,
    /// All of them come as fast as they are asked for; then on schedule.
    Burst,
    /// They come when they are asked for, and the schedule begins anew with each that was late.
    Delay,
}

/// The numbers of a clock's ticks, from 0 on: one a `period`, the first after one period.
///
/// Under [`MissedTick::Skip`] a gap in the numbers says how many ticks were missed.
///
/// # Demand
///
/// A tick waits until it is asked for; `missed` says what becomes of those that come meanwhile.
/// No tick is ever an error for lack of demand.
///
/// # Termination
///
/// Never completes. Fails with an error of kind `Rejected` if the scheduler was shut down or has no
/// clock.
///
/// # Panics
///
/// If `period` is zero.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream::{MissedTick, interval, scheduler::VirtualTime};
/// use millstream_testkit::Probe;
///
/// let clock = VirtualTime::new();
/// let probe = Probe::subscribe_to(interval(&clock, Duration::from_secs(1), MissedTick::Skip));
/// probe.request(2);
/// clock.advance(Duration::from_secs(5)); // only two were asked for
/// probe.request(2);
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(probe.items(), [0, 1, 4, 5]);
/// ```
#[doc(alias = "tick")]
pub fn interval(
    scheduler: &impl Scheduler,
    period: Duration,
    missed: MissedTick,
) -> Flow<Interval> {
    assert!(!period.is_zero(), "a period of zero would tick without end: use at least 1 ns");
    Flow { source: Interval { worker: scheduler.worker(), period, missed } }
}

/// One item, once `delay` has passed since the subscription.
///
/// # Demand
///
/// The item waits until it is asked for.
///
/// # Termination
///
/// Completes right after the item. Fails with an error of kind `Rejected` if the scheduler was shut
/// down or has no clock.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream::{scheduler::VirtualTime, timer};
/// use millstream_testkit::Probe;
///
/// let clock = VirtualTime::new();
/// let probe = Probe::subscribe_to(timer(&clock, Duration::from_secs(3)));
/// probe.request(1);
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(probe.n_items(), 0);
/// clock.advance(Duration::from_secs(1));
/// assert!(probe.is_completed());
/// ```
pub fn timer(scheduler: &impl Scheduler, delay: Duration) -> Flow<Timer> {
    Flow { source: Timer { worker: scheduler.worker(), delay } }
}

/// Publisher returned by [`interval`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Interval {
    worker: Worker,
    period: Duration,
    missed: MissedTick,
}

/// Publisher returned by [`timer`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Timer {
    worker: Worker,
    delay: Duration,
}

backpressure!(source Interval);
backpressure!(source Timer);

impl Publisher for Interval {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, downstream: S) {
        Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let Self { worker, period, missed } = self;
            let timer = GateTimer::new(worker, Weak::clone(gate));
            let due = timer.now().checked_add(period);
            (Ticks { timer, period, missed, due, n: 0 }, downstream, Inline)
        });
    }
}

impl Publisher for Timer {
    type Item = ();

    fn subscribe<S: Subscriber<()>>(self, downstream: S) {
        Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(self.worker, Weak::clone(gate));
            let due = Some(timer.now().saturating_add(self.delay));
            (Once { timer, due }, downstream, Inline)
        });
    }
}

struct Ticks {
    timer: GateTimer,
    period: Duration,
    missed: MissedTick,
    /// When the next tick is due; `None` if that is beyond the end of time.
    due: Option<Duration>,
    /// Its number.
    n: u64,
}

impl Source for Ticks {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<u64> {
        let now = self.timer.now();
        let Some(mut due) = self.due else { return Step::Pending };
        if now < due {
            return self.timer.wait_until(due, || ());
        }
        if self.missed == MissedTick::Skip {
            let n_missed = (now - due).as_nanos() / self.period.as_nanos();
            // No later than now.
            due += duration(n_missed * self.period.as_nanos());
            self.n = self.n.saturating_add(u64::try_from(n_missed).unwrap_or(u64::MAX));
        }
        let tick = self.n;
        self.n = self.n.saturating_add(1);
        let last = if self.missed == MissedTick::Delay { now } else { due };
        self.due = last.checked_add(self.period);
        Step::Item(tick)
    }
}

struct Once {
    timer: GateTimer,
    /// `None` after the item.
    due: Option<Duration>,
}

impl Source for Once {
    type Item = ();
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<()> {
        let Some(due) = self.due else { return Step::End(End::Complete) };
        if self.timer.now() >= due {
            self.due = None;
            return Step::Item(());
        }
        self.timer.wait_until(due, || ())
    }

    fn end(&mut self) -> Option<End> {
        self.due.is_none().then_some(End::Complete)
    }
}
