//! `replay`: a hub whose subscribers get what was sent before they came.

use std::time::Duration;

use super::{Broadcaster, Multicast, Policy, Unheard, broadcaster::Plan};
use crate::{
    Flow,
    parts::inlet::check_bound,
    scheduler::{Scheduler, Worker},
};

/// How much of what was sent is kept for who subscribes later.
#[derive(Clone, Debug)]
#[must_use]
pub struct Replay {
    pub(crate) limit: usize,
    /// How old they may be, and by which clock.
    pub(crate) age: Option<(Duration, Worker)>,
}

impl Replay {
    /// The last `n` items.
    pub fn last(n: usize) -> Self {
        Self { limit: n, age: None }
    }

    /// None that is older than `age` by the clock of `scheduler`. Default: of any age.
    pub fn max_age(mut self, age: Duration, scheduler: &impl Scheduler) -> Self {
        self.age = Some((age, scheduler.worker()));
        self
    }
}

/// As [`multicast`](super::multicast()), and a subscriber first gets the last items that were sent
/// before it came, as many as `replay` says.
///
/// # Demand
///
/// As [`multicast`](super::multicast()). The replayed items wait in the subscriber's queue: with
/// [`Overflow::DropOldest`](crate::Overflow::DropOldest) within its capacity, otherwise in addition to
/// it. Items that are too old by now are dropped when the next one is sent.
///
/// # Termination
///
/// As [`multicast`](super::multicast()); who subscribes after the end gets the items that were
/// kept, and then the end.
///
/// # Panics
///
/// If the capacity of the policy, or the number of items that are kept, is 0.
///
/// # Examples
///
/// ```
/// use millstream::hub::{self, Policy, Replay};
///
/// let (mut sender, flow) = hub::replay(Replay::last(2), Policy::SlowestGates { capacity: 8 });
/// for n in 1..=5 {
///     sender.try_send(n)?;
/// }
/// sender.complete();
/// assert_eq!(flow.collect::<Vec<_>>().wait()?, [4, 5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn replay<T: Clone + Send + 'static>(
    replay: Replay,
    policy: Policy,
) -> (Broadcaster<T>, Flow<Multicast<T>>) {
    let (capacity, when_full) = policy.parts();
    check_bound(replay.limit);
    let past = Some((replay.limit, replay.age));
    Plan { capacity, when_full, unheard: Unheard::Drop, past }.open()
}
