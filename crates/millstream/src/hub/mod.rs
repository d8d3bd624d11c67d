//! Hubs: flows whose items come from outside, from a producer that somebody holds.
//!
//! | hub | producers | subscribers |
//! |---|---|---|
//! | [`unicast`] | one | one, which gets what was sent before it came as well |
//! | [`merge`] | any number | one |
//! | [`partition`] | one | one for each part |
//! | [`multicast`] | one | any number, each gets all that is sent after it came |
//! | [`replay`] | one | any number, each gets the last items that were sent before it came as well |
//! | [`latest`] | one | any number, each gets the newest value whenever it asks; the producer reads and updates it in place |
//!
//! [`processor`] and [`multicast_processor`] are hubs whose producer is a subscriber, for a source that
//! is not there yet. To share a source that is, see [`Flow::share`](crate::Flow::share).
//!
//! A hub has two ends. The end that sends learns what became of each item: an item that was not
//! taken comes back with the error; `send` and `reserve` wait for a place instead.
//! The other end is a [`Flow`](crate::Flow). Queues hold exactly as many items as was said, however
//! many producers there are.
//!
//! The subscriber of a hub is signaled on the threads that send; to have it on another, see
//! [`Flow::signal_on`](crate::Flow::signal_on) and [`Flow::publish_on`](crate::Flow::publish_on).
//!
//! Ends may be dropped at any time. When the subscriber has canceled, or the flow was dropped, the
//! sending end is closed: `try_send` gives items back, waiting producers are woken, and items that
//! were queued are dropped. When the sending end is dropped without `complete` or `fail`, the
//! stream fails with an error of kind [`Disconnected`](crate::ErrorKind::Disconnected), after the
//! items that were sent: a producer that panicked, or whose task was aborted, does not look like
//! one that was done.

mod blocking;
mod broadcaster;
mod error;
mod latest;
mod merge;
mod multicast;
mod multicast_processor;
mod partition;
mod processor;
mod replay;
mod signal_on;
mod unicast;

pub use broadcaster::{Broadcaster, Multicast, Sent};
pub use error::{Closed, SendError, TrySendError};
pub use latest::{Latest, latest};
pub use merge::{Merge, Sender, SenderPermit, merge};
pub use multicast::{Policy, Unheard, multicast};
pub use multicast_processor::{
    MulticastProcessor, MulticastPublisher, MulticastSubscriber, multicast_processor,
};
pub use partition::{Partitioner, partition};
pub use processor::{QueueProcessor, QueuePublisher, QueueSubscriber, processor};
pub use replay::{Replay, replay};
pub use signal_on::{Queued, SignalOn};
pub(crate) use unicast::Places;
pub use unicast::{Permit, Producer, Unicast, unicast};
