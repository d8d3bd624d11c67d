//! Bridges to what moves items otherwise: channels, sinks, readers and writers, iterators, services.
//!
//! Demand crosses each bridge in both directions. Into a flow, an item is taken from the other side
//! when it was asked for, and not before; out of a flow, an item is asked for when the other side has
//! room. What that side buffers is its own affair, and its own bound; what the bridge holds is stated
//! here and is all there is.
//!
//! | from | to | feature | held by the bridge |
//! |---|---|---|---|
//! | [`from_receiver`] | flow | `tokio` | nothing |
//! | flow | [`send_to`](Flow::send_to) | `tokio` | one item, where another sender took the room |
//! | [`from_broadcast`], [`from_broadcast_lossy`] | flow | `tokio` | nothing |
//! | [`from_watch`] | flow | `tokio` | nothing |
//! | flow | [`forward_into`](Flow::forward_into) | | one item, while the sink gets ready |
//!
//! Streams are converted by [`from_stream`](crate::from_stream) and
//! [`into_stream`](Flow::into_stream), iterators by [`from_iter`](crate::from_iter).
//!
//! The other side is polled by a task of the bridge's own, on the
//! [ambient](crate::scheduler::ambient) scheduler. A consumer that is busy holds up no sender that it
//! has asked, and a `select!` that drops a future loses no item.
//!
//! An end of the other side that was not asked for, such as a receiver that is dropped, cancels the
//! flow and is an error of kind `Disconnected`.

#[cfg(feature = "tokio")]
mod broadcast;
mod failure;
mod intake;
#[cfg(feature = "tokio")]
mod mpsc;
#[cfg(feature = "tokio")]
mod parked;
mod sink;
#[cfg(feature = "tokio")]
mod watch;

#[cfg(feature = "tokio")]
pub use broadcast::*;
#[cfg(feature = "tokio")]
pub use mpsc::*;
#[cfg(feature = "tokio")]
pub use watch::*;

#[cfg(doc)]
use crate::Flow;
