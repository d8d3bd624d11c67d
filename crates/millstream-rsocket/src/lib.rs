//! RSocket 1.0: Reactive Streams over a network, with the demand on the wire.
//!
//! ```
//! use millstream_rsocket::{Payload, frame::{Body, Frame}};
//!
//! let frame = Frame::new(1, Body::RequestStream {
//!     initial_n: 2,
//!     follows: false,
//!     payload: Payload::from("orders"),
//! });
//! let bytes = frame.to_bytes();
//! assert_eq!(Frame::decode(bytes)?, frame);
//! # Ok::<(), millstream_rsocket::frame::DecodeError>(())
//! ```
//!
//! # The map
//!
//! - [`frame`] has every frame of the protocol, from bytes and to bytes, and how large payloads are
//!   cut into fragments and put together again.
//! - [`metadata`] has composite metadata, routing, authentication and MIME types.
//! - [`proto`] has one side of a connection without sockets, threads or clocks: frames in, frames
//!   out.
//! - [`Payload`] is what streams carry, and [`ErrorCode`] why they fail.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error_code;
pub mod frame;
pub mod metadata;
mod payload;
pub mod proto;

pub use error_code::ErrorCode;
pub use payload::Payload;
