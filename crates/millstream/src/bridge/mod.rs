//! Bridges to what moves items otherwise: channels, sinks, readers and writers, iterators,
//! services.
//!
//! Demand crosses each bridge in both directions. Into a flow, an item is taken from the other side
//! when it was asked for, and not before; out of a flow, an item is asked for when the other side
//! has room. What that side buffers is its own affair, and its own bound; what the bridge holds is
//! stated here and is all there is.
//!
//! | from | to | feature | held by the bridge |
//! |---|---|---|---|
//! | [`from_receiver`] | flow | `tokio` | nothing |
//! | flow | [`send_to`](Flow::send_to) | `tokio` | one item, where another sender took the room |
//! | [`from_broadcast`], [`from_broadcast_lossy`] | flow | `tokio` | nothing |
//! | [`from_watch`] | flow | `tokio` | nothing |
//! | [`from_crossbeam`] | flow | `crossbeam` | nothing |
//! | flow | [`send_to_crossbeam`](Flow::send_to_crossbeam) | `crossbeam` | one item, where another sender took the room |
//! | flow | [`forward_into`](Flow::forward_into) | | one item, while the sink gets ready |
//! | [`sink()`] | flow | | its capacity |
//! | [`read_chunks`] | flow | | a buffer of a chunk |
//! | flow | [`write_all_to`](Flow::write_all_to) | | 32 items |
//! | flow | [`into_iter_blocking`](Flow::into_iter_blocking) | | its capacity |
//! | [`read_bytes`] | flow | `codec` | a buffer of a chunk |
//! | [`read_lines`], [`read_frames`], [`decode_with`] | flow | `codec` | a frame's limit, and one read |
//! | flow | [`into_reader`](Flow::into_reader), [`decode`](Flow::decode) | `codec` | one chunk, and a frame's limit |
//! | flow | [`write_to`](Flow::write_to) | `codec` | 8 KiB, and one encoded item |
//! | flow | [`call_service`](Flow::call_service) | `tower` | its concurrency |
//!
//! Streams are converted by [`from_stream`](crate::from_stream) and
//! [`into_stream`](Flow::into_stream), iterators by [`from_iter`](crate::from_iter), lines of a
//! reader that blocks by [`lines`](crate::lines).
//!
//! What can be polled is polled by a task of the bridge's own, on the
//! [ambient](crate::scheduler::ambient) scheduler; a channel that can only be waited for has a thread. A consumer that is busy holds up no sender that it
//! has asked, and a `select!` that drops a future loses no item.
//!
//! An end of the other side that was not asked for, such as a receiver that is dropped, cancels the
//! flow and is an error of kind `Disconnected`.

#[cfg(feature = "tokio")]
mod broadcast;
mod chunk;
#[cfg(feature = "codec")]
mod codec;
#[cfg(feature = "crossbeam")]
mod crossbeam;
mod failure;
mod forward_into;
mod intake;
mod iter;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "tokio")]
mod mpsc;
#[cfg(feature = "tokio")]
mod parked;
mod read;
#[cfg(feature = "codec")]
mod reader;
#[cfg(feature = "tower")]
mod service;
mod sink;
#[cfg(feature = "tokio")]
mod watch;
mod write;

#[cfg(feature = "tokio")]
pub use broadcast::*;
#[cfg(feature = "codec")]
pub use codec::*;
#[cfg(feature = "crossbeam")]
pub use crossbeam::*;
pub use iter::*;
#[cfg(feature = "json")]
pub use json::*;
#[cfg(feature = "tokio")]
pub use mpsc::*;
pub use read::*;
#[cfg(feature = "codec")]
pub use reader::*;
#[cfg(feature = "tower")]
pub use service::*;
pub use sink::*;
#[cfg(feature = "tokio")]
pub use watch::*;

#[cfg(doc)]
use crate::Flow;
