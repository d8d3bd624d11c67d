//! RSocket 1.0: Reactive Streams over a network, with the demand on the wire.
//!
//! ```
//! use millstream::{Flow, range};
//! use millstream_rsocket::{Answers, Client, Payload, Responder, Server};
//!
//! /// Counts, for as long as somebody asks.
//! struct Counter;
//!
//! impl Responder for Counter {
//!     fn request_stream(&self, _request: Payload) -> Answers {
//!         range(0..u64::MAX).map(|n| Payload::from(n.to_string())).boxed()
//!     }
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let listener = Server::new(Counter).listen_tcp("127.0.0.1:0").await?;
//! let requester = Client::new().connect_tcp(listener.address()).await?;
//!
//! // `take` requests three items, and that is what the server is asked for.
//! let items = requester.request_stream("count").take(3).collect::<Vec<_>>().await?;
//! assert_eq!(items, ["0", "1", "2"].map(Payload::from));
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//!
//! - [`Client`] connects and gives a [`Requester`], whose methods give flows; [`Server`] accepts
//!   clients and answers by a [`Responder`]. Either side of a connection can do both.
//! - [`Guard`] puts a policy in front of either, and [`Balancer`] sends requests over several
//!   connections that it keeps up.
//! - [`Payload`] is what streams carry, [`ErrorCode`] and [`RSocketError`] why they fail.
//! - [`metadata`] has composite metadata, routing, authentication and MIME types.
//! - [`transport`] is what carries frames: TCP, memory, or one of your own.
//! - [`proto`] has one side of a connection without sockets, threads or clocks: frames in, frames
//!   out. [`frame`] has every frame of the protocol, from bytes and to bytes.
//!
//! # Demand and room
//!
//! What a subscriber requests is granted to the peer in REQUEST_N frames, and nothing else is. What
//! a peer grants is requested of a publisher as far as the connection has room: 32 KiB of items at
//! a time for each stream, at most 256 and at least one, and nothing while 128 KiB wait to be
//! written. So a peer that grants without bound and does not read holds up the publisher, and a
//! peer that sends what nobody asked for is cut off.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod balancer;
mod client;
mod driver;
mod error;
mod error_code;
pub mod frame;
mod guard;
mod inbound;
mod link;
mod map;
pub mod metadata;
mod outbound;
mod payload;
pub mod proto;
mod requester;
mod responder;
mod server;
pub mod transport;
mod watch;

pub use balancer::{Balanced, BalancedChannel, Balancer};
pub use client::Client;
pub use error::RSocketError;
pub use error_code::ErrorCode;
pub use guard::{Guard, Guarded};
pub use inbound::Inbound;
pub use payload::Payload;
pub use requester::{Channel, Exchange, Requester};
pub use responder::{Answers, Done, Refuse, Responder};
pub use server::{Listener, Server};

/// The book's page, whose examples are run.
#[cfg(doctest)]
mod book {
    #![doc = include_str!("../../../docs/book/src/rsocket.md")]
}
