//! `EndToEnd`: how long items take from where they enter to where they are done.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use millstream_pressure::{Clock, Histogram};
use parking_lot::Mutex;

use crate::{Bound, Observe, Reading};

/// How long items take from where they enter to where they are done, through whatever lies between:
/// queues, other threads, other flows. A clone is the same one.
///
/// An item carries the time when it entered, by [`now`](Self::now); whoever is done with it calls
/// [`done`](Self::done). It costs a short lock, and no memory.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_observe::{EndToEnd, Inventory, Observe};
///
/// let time = VirtualTime::new();
/// let inventory = Inventory::new("shop", &time);
/// let orders = EndToEnd::new("orders", &time);
/// inventory.policy(&orders);
///
/// let order = ("one book", orders.now());
/// time.advance(Duration::from_millis(80));
/// orders.done(order.1);
/// assert_eq!(orders.times().quantile(0.99), Some(Duration::from_millis(100)));
/// ```
#[derive(Clone)]
pub struct EndToEnd(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    times: Mutex<Histogram>,
}

impl EndToEnd {
    /// By the clock of `scheduler`.
    pub fn new(name: impl Into<Arc<str>>, scheduler: &impl Scheduler) -> Self {
        let (clock, times) = (Clock::of(scheduler), Mutex::default());
        Self(Arc::new(Shared { name: name.into(), clock, times }))
    }

    /// The time now, for an item that enters.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.clock.now()
    }

    /// An item that has entered then is done. After a clock that was set back it took no time.
    pub fn done(&self, entered: Duration) {
        let time = self.0.clock.since(entered);
        self.0.times.lock().add(time);
    }

    /// How long they took until now.
    #[must_use]
    pub fn times(&self) -> Histogram {
        *self.0.times.lock()
    }
}

impl Observe for EndToEnd {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn reading(&self) -> Reading {
        Reading { bound: Bound::NOTHING, ..Reading::of("end_to_end") }
            .times("end_to_end_seconds", self.times())
    }
}

impl fmt::Debug for EndToEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndToEnd").field("name", &self.0.name).finish_non_exhaustive()
    }
}
