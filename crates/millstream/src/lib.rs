//! Reactive Streams for Rust: operator pipelines with demand from end to end.
//!
//! A [`Flow`] is a publisher with operators. Its consumer says how many items it can take, every
//! operator passes that on, and a source sends no more than was asked for: memory stays bounded
//! because nothing is produced that nobody is ready to receive.
//!
//! ```
//! use millstream::{Flow, range, scheduler::Pool};
//!
//! let workers = Pool::new(2);
//! let total = range(1..=1_000_u64)
//!     .filter(|n| n % 2 == 0)
//!     .map_async(8, |n| async move { n * n }) // at most 8 in flight
//!     .publish_on(&workers).capacity(64) // at most 64 waiting
//!     .take_while(|n| *n < 250_000)
//!     .fold(0, |sum, n| sum + n)
//!     .wait()?;
//! assert_eq!(total, 20_708_500);
//! # Ok::<(), millstream::Error>(())
//! ```
//!
//! # The map
//!
//! - Sources are functions: [`range`], [`from_iter`], [`just`], [`generate`], [`from_stream`],
//!   [`lines`] and others.
//! - Operators are methods of [`Flow`]; each says what it does with demand and how it ends.
//! - Methods that end a flow return an [`Outcome`]: a future, which can also be waited for, and
//!   which cancels when it is dropped.
//! - [`bridge`] connects flows with channels, sinks, readers, writers and services.
//! - [`scheduler`] has the threads; only [`publish_on`](Flow::publish_on),
//!   [`subscribe_on`](Flow::subscribe_on), [`map_async`](Flow::map_async) and sources of futures use
//!   them.
//!
//! # Trade-offs
//!
//! Operators are state machines that are pushed, not futures that are polled: a chain over a
//! synchronous source compiles to a loop, work in flight goes on while the consumer is busy, and
//! crossing a thread costs a queue rather than a task. The price is `Send + 'static` closures, and
//! types that grow with the chain; [`Flow::boxed`] ends that. Where a single task awaits a handful
//! of items, `futures::Stream` is the smaller tool; [`Flow::into_stream`] and [`from_stream`]
//! convert.
//!
//! # Features
//!
//! - `tokio` (on by default): the scheduler that runs on a tokio runtime, and [bridges](bridge) to
//!   tokio's channels.
//! - `codec`: [bridges](bridge) to framed readers and writers.
//! - `json`: values as lines of JSON.
//! - `crossbeam`: [bridges](bridge) to crossbeam's channels.
//! - `tower`: a [bridge] to services.
//! - `tracing`: `Flow::log` and `Flow::instrument`, which write events and enter spans.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[macro_use]
mod macros;
#[macro_use]
mod flow;

pub mod bridge;
pub mod hub;
mod ops;
pub mod parts;
pub mod scheduler;

pub use flow::{Backpressure, BackpressureKind, Bounded, ErrorMode, Flow, Outcome, assert_bounded};
pub use ops::*;
pub use reactive_streams::{
    BoxClonePublisher, BoxPublisher, BoxSubscriber, Demand, Error, ErrorKind, Offer, Processor,
    Publisher, Subscriber, Subscription,
};
pub use scheduler::Context;

#[cfg(doctest)]
mod readme {
    #![doc = include_str!("../../../README.md")]
}

/// The book, whose examples are run.
#[cfg(doctest)]
mod book {
    #[cfg(feature = "tokio")]
    #[doc = include_str!("../../../docs/book/src/bridges.md")]
    mod bridges {}
    #[doc = include_str!("../../../docs/book/src/bugs.md")]
    mod bugs {}
    #[doc = include_str!("../../../docs/book/src/coming.md")]
    mod coming {}
    #[doc = include_str!("../../../docs/book/src/conformance.md")]
    mod conformance {}
    #[doc = include_str!("../../../docs/book/src/context.md")]
    mod context {}
    #[doc = include_str!("../../../docs/book/src/demand.md")]
    mod demand {}
    #[doc = include_str!("../../../docs/book/src/errors.md")]
    mod errors {}
    #[doc = include_str!("../../../docs/book/src/marbles.md")]
    mod marbles {}
    #[doc = include_str!("../../../docs/book/src/operators.md")]
    mod operators {}
    #[doc = include_str!("../../../docs/book/src/own-operator.md")]
    mod own_operator {}
    #[doc = include_str!("../../../docs/book/src/performance.md")]
    mod performance {}
    #[doc = include_str!("../../../docs/book/src/performance-peers.md")]
    mod performance_peers {}
    #[cfg(feature = "tokio")]
    #[doc = include_str!("../../../docs/book/src/shutdown.md")]
    mod shutdown {}
    #[doc = include_str!("../../../docs/book/src/start.md")]
    mod start {}
    #[doc = include_str!("../../../docs/book/src/stuck.md")]
    mod stuck {}
    #[doc = include_str!("../../../docs/book/src/tck.md")]
    mod tck {}
    #[doc = include_str!("../../../docs/book/src/tck-matrix.md")]
    mod tck_matrix {}
    #[doc = include_str!("../../../docs/book/src/testing.md")]
    mod testing {}
    #[doc = include_str!("../../../docs/book/src/threads.md")]
    mod threads {}
}
