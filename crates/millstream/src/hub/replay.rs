//! `replay` and `latest`: hubs whose subscribers get what was sent before they came.

use std::time::Duration;

use millstream_kernel::broadcast::WhenFull;

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
/// [`Overflow::DropOldest`](super::Overflow::DropOldest) within its capacity, otherwise in addition to
/// it. Items that are too old by now are dropped when the next one is sent.
///
/// # Termination
///
/// As [`multicast`](super::multicast()); who subscribes after the end gets the items that were kept, and
/// then the end.
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

/// A value that changes, and the flow of its changes: a subscriber gets the present value when it
/// comes, and then the newest one whenever it asks.
///
/// The value is what was sent last; [`try_send`](Broadcaster::try_send) never finds the hub full.
///
/// # Demand
///
/// One value waits for a subscriber; a newer one takes its place.
///
/// # Termination
///
/// Completes and fails as the producer says, after the last value; who subscribes later gets the last
/// value, and then the end. Fails with an error of kind `Disconnected` if the producer is dropped
/// without either.
///
/// # Examples
///
/// ```
/// use millstream::hub;
/// use millstream_testkit::Probe;
///
/// let (mut level, flow) = hub::latest("low");
/// let probe = Probe::subscribe_to(flow);
/// probe.request(1);
/// level.try_send("middle")?;
/// level.try_send("high")?;
/// probe.request(1);
/// assert_eq!(probe.items(), ["low", "high"]);
/// # Ok::<(), millstream::hub::TrySendError<&str>>(())
/// ```
#[doc(alias = "watch")]
#[doc(alias = "behavior")]
#[doc(alias = "state_flow")]
pub fn latest<T: Clone + Send + 'static>(initial: T) -> (Broadcaster<T>, Flow<Multicast<T>>) {
    let plan = Plan {
        capacity: 1,
        when_full: WhenFull::DropOldest,
        unheard: Unheard::Drop,
        past: Some((1, None)),
    };
    let (mut broadcaster, flow) = plan.open();
    // Nobody is subscribed, so that it is kept, and goes nowhere.
    let _kept = broadcaster.try_send(initial);
    (broadcaster, flow)
}
