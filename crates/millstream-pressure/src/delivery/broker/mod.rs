//! `MemoryBroker`: a broker in this process, for tests of what consumes from one.

mod config;
mod flow;
mod state;

use std::{fmt, sync::Arc};

use millstream::{Flow, scheduler::Scheduler};
use millstream_kernel::Wake;
use parking_lot::Mutex;

pub use self::{config::BrokerConfig, flow::FromBroker};
use self::{
    flow::Flows,
    state::{State, Stored},
};
use super::{Acknowledge, DeadLetter, Envelope, Settlement};
use crate::{Clock, InvalidSetting, Settings as _};

/// A broker in this process that redelivers as brokers do: what is not acknowledged within a time
/// is delivered again, and what was delivered too often goes to the dead letters.
///
/// It is for tests: it holds everything in memory, and has no bound.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{BrokerConfig, MemoryBroker};
/// use millstream_testkit::Probe;
///
/// let time = VirtualTime::new();
/// let config = BrokerConfig { visibility: Duration::from_secs(30), ..BrokerConfig::default() };
/// let broker = MemoryBroker::new("orders", config, &time)?;
/// broker.publish("an order");
///
/// // The first consumer takes it and is never heard of again.
/// let first = Probe::subscribe_to(broker.flow());
/// first.request(1);
/// first.cancel();
/// let lost = first.take_items();
///
/// let second = Probe::subscribe_to(broker.flow().map(|delivery| {
///     let attempt = delivery.envelope.attempt;
///     delivery.ack();
///     attempt
/// }));
/// second.request(1);
/// time.advance(Duration::from_secs(30));
/// assert_eq!(second.items(), [2]);
///
/// drop(lost); // too late to say anything
/// assert_eq!((broker.snapshot().acked, broker.snapshot().late), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryBroker<T>(Arc<Shared<T>>);

struct Shared<T> {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State<T>>,
    flows: Flows,
}

/// What a [`MemoryBroker`] holds and has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerSnapshot {
    /// Put in.
    pub published: u64,
    /// Delivered, each as often as it was.
    pub delivered: u64,
    /// Delivered a second time or later.
    pub redelivered: u64,
    /// Acknowledged.
    pub acked: u64,
    /// Gone to the dead letters.
    pub dead: u64,
    /// Settled after their time, or twice: of no effect.
    pub late: u64,
    /// To be delivered now.
    pub ready: usize,
    /// To be delivered after a delay.
    pub delayed: usize,
    /// Delivered, and not settled.
    pub in_flight: usize,
    /// The most that were delivered and not settled at a time.
    pub most_in_flight: usize,
}

impl BrokerSnapshot {
    /// Returns whether everything that was put in is somewhere: acknowledged, dead, or still to be
    /// settled.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        let held = self.ready + self.delayed + self.in_flight;
        self.published == self.acked + self.dead + held as u64
    }
}

impl<T: Clone + Send + 'static> MemoryBroker<T> {
    /// An empty broker, which goes by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    pub fn new(
        name: &str,
        config: BrokerConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        Ok(Self(Arc::new(Shared {
            name: name.into(),
            clock: Clock::of(scheduler),
            state: Mutex::new(State::new(config)),
            flows: Flows::default(),
        })))
    }

    /// Puts a payload in.
    pub fn publish(&self, payload: T) {
        self.publish_with(Envelope::default(), payload);
    }

    /// Puts several in, in their order.
    pub fn publish_all(&self, payloads: impl IntoIterator<Item = T>) {
        payloads.into_iter().for_each(|payload| self.publish(payload));
    }

    /// Puts a payload in, with a key and headers. The broker sets position and attempt.
    pub fn publish_with(&self, envelope: Envelope, payload: T) {
        self.0.state.lock().publish(&self.0.name, Stored { envelope, payload });
        self.0.flows.wake();
    }

    /// Takes no more: flows complete when all was settled.
    pub fn close(&self) {
        self.0.state.lock().is_closed = true;
        self.0.flows.wake();
    }

    /// What is in the broker, as a flow. Several flows share it, as consumers of a group do.
    ///
    /// # Demand
    ///
    /// A delivery is made when it is asked for: never more are unsettled than were asked for.
    ///
    /// # Termination
    ///
    /// Completes when the broker was closed and everything was settled. After a cancel, what was
    /// delivered is still to be settled. Fails with an error of kind `Rejected` if the scheduler
    /// takes no timer.
    ///
    /// # Examples
    ///
    /// See the [broker](Self).
    pub fn flow(&self) -> Flow<FromBroker<T>> {
        FromBroker::new(self.clone()).into()
    }

    /// Takes out the dead letters.
    #[must_use]
    pub fn take_dead_letters(&self) -> Vec<(Envelope, DeadLetter<T>)> {
        std::mem::take(&mut self.0.state.lock().dead_letters)
    }

    /// A consistent reading of what it holds and has done.
    #[must_use]
    pub fn snapshot(&self) -> BrokerSnapshot {
        self.0.state.lock().snapshot()
    }
}

/// Acknowledgement of a delivery by a [`MemoryBroker`].
pub struct BrokerAck<T: Clone + Send + 'static> {
    shared: Arc<Shared<T>>,
    /// Of this delivery alone.
    tag: u64,
}

impl<T: Clone + Send + 'static> Acknowledge for BrokerAck<T> {
    fn settle(self, settlement: Settlement) {
        let now = self.shared.clock.now();
        let acked = self.shared.state.lock().settle(self.tag, settlement, now);
        // The payload is the user's code, which is not dropped under the lock.
        drop(acked);
        self.shared.flows.wake();
    }

    fn extend(&self) {
        let now = self.shared.clock.now();
        self.shared.state.lock().extend(self.tag, now);
    }
}

impl<T> Clone for MemoryBroker<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for MemoryBroker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBroker").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for BrokerAck<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerAck").field("tag", &self.tag).finish_non_exhaustive()
    }
}
