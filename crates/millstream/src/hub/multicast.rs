//! `multicast`: from one producer to all who are subscribed.

use millstream_kernel::broadcast::WhenFull;

use super::{Broadcaster, Multicast, broadcaster::Plan};
use crate::{
    Flow,
    parts::{inlet::check_capacity, overflow::Overflow},
};

/// What a hub does about a subscriber that asks for fewer items than are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The slowest subscriber holds back all: nothing is sent while the queue of one of them, of
    /// exactly `capacity` items, is full.
    SlowestGates {
        /// How many items wait for a subscriber at most.
        capacity: usize,
    },
    /// Each subscriber has a queue of exactly `per_subscriber` items, and `overflow` says what
    /// becomes of an item that finds it full: which ones this subscriber misses, or, with
    /// [`Fail`](Overflow::Fail), that it is ended with an error of kind
    /// [`Overflow`](crate::ErrorKind::Overflow) after those that wait. The others do not notice.
    Buffered {
        /// How many items wait for a subscriber at most.
        per_subscriber: usize,
        /// What becomes of an item for a subscriber whose queue is full.
        overflow: Overflow,
    },
}

/// What a hub does with an item while nobody is subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It is not sent: `try_send` gives it back, `send` waits for a subscriber.
    Wait,
    /// It is dropped.
    Drop,
}

impl Policy {
    /// The capacity, and what is done with more.
    #[track_caller]
    pub(super) fn parts(self) -> (usize, WhenFull) {
        let (capacity, when_full) = match self {
            Self::SlowestGates { capacity } => (capacity, WhenFull::Wait),
            Self::Buffered { per_subscriber, overflow: Overflow::Fail } => {
                (per_subscriber, WhenFull::End)
            }
            Self::Buffered { per_subscriber, overflow } => {
                (per_subscriber, WhenFull::Evict(overflow.evicts()))
            }
        };
        check_capacity(capacity);
        (capacity, when_full)
    }
}

/// A producer, and the flow of what it sends, which can be cloned and subscribed to at any time: a
/// subscriber gets the items that are sent after it has come.
///
/// An item is sent to all subscribers at one moment, as a clone to all but one of them.
/// A subscriber that leaves is gone at once, also while the producer waits for it; the hub stays
/// open for others as long as a flow is left to subscribe to.
///
/// # Demand
///
/// What was sent to a subscriber and not asked for waits in a queue of its own, of exactly the
/// capacity that the [`Policy`] names, which also says what happens when that is full.
/// The subscribers are signaled one after the other on the thread that sends, or on those that
/// request.
///
/// # Termination
///
/// All streams complete and fail as the producer says, after the items that wait for them; so do
/// those of who subscribes later. They fail with an error of kind `Disconnected` if the producer is
/// dropped without either. A cancel drops the items that wait for that subscriber.
/// A subscriber that panics ends alone.
///
/// # Panics
///
/// If the policy's capacity is 0.
///
/// # Examples
///
/// ```
/// use millstream::hub::{self, Policy, Unheard};
/// use millstream_testkit::Probe;
///
/// let (mut news, flow) = hub::multicast(Policy::SlowestGates { capacity: 2 }, Unheard::Drop);
/// news.try_send("nobody hears this")?;
/// let early = Probe::subscribe_to(flow.clone());
/// early.request(9);
/// news.try_send("to one")?;
/// let late = Probe::subscribe_to(flow);
/// late.request(9);
/// assert_eq!(news.try_send("to both")?.n_subscribers, 2);
/// news.complete();
///
/// assert_eq!(early.items(), ["to one", "to both"]);
/// assert_eq!(late.items(), ["to both"]);
/// assert!(early.is_completed() && late.is_completed());
/// # Ok::<(), millstream::hub::TrySendError<&str>>(())
/// ```
#[doc(alias = "broadcast")]
#[doc(alias = "subject")]
#[track_caller]
pub fn multicast<T: Clone + Send + 'static>(
    policy: Policy,
    unheard: Unheard,
) -> (Broadcaster<T>, Flow<Multicast<T>>) {
    let (capacity, when_full) = policy.parts();
    Plan { capacity, when_full, unheard, past: None }.open()
}
