//! Sockets for [`millstream`]: what is asked for is what is read from the network.
//!
//! - [`Socket`]: a connection by TCP, a Unix socket or, with the feature `tls`, TLS; a flow of
//!   bytes on its way in, and a writer on its way out.
//! - [`Listener`]: connections as a flow, of which as many are accepted as are asked for.
//! - [`FlowExt`], with the features `gzip` and `zstd`: compression as operators.
//!
//! Frames, lines and values in bytes are [`decode`](millstream::Flow::decode) of the core.
//!
//! ```
//! use bytes::Bytes;
//! use millstream_io::{Listener, Socket};
//! use tokio_util::codec::{BytesCodec, LinesCodec};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let listener = Listener::tcp("127.0.0.1:0").await?;
//! let address = listener.address().to_owned();
//! // A server that says each line in upper case: it reads as fast as it is read from.
//! let served = listener.connections().take(1).for_each_async(|socket| async move {
//!     let (bytes, writer) = socket.split(4_096);
//!     let lines = bytes.decode(LinesCodec::new(), 1_024).map(|line| line.to_uppercase());
//!     lines.write_to(writer, LinesCodec::new()).await.ok();
//! });
//!
//! let (answer, writer) = Socket::tcp(&address).await?.split(4_096);
//! let lines = millstream::just(Bytes::from("one\ntwo\n"));
//! lines.write_to(writer, BytesCodec::new()).await?;
//! let answer = answer.decode(LinesCodec::new(), 1_024).collect::<Vec<_>>().await?;
//! assert_eq!(answer, ["ONE", "TWO"]);
//! served.await?;
//! # Ok::<(), millstream::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `tls`: TLS by rustls.
//! - `gzip`, `zstd`: compression.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "gzip", feature = "zstd"))]
mod compress;
mod failure;
mod listener;
mod socket;
#[cfg(feature = "tls")]
mod tls;

#[cfg(any(feature = "gzip", feature = "zstd"))]
pub use self::compress::{FlowExt, Named};
#[cfg(feature = "tls")]
pub use self::tls::{Accepted, Tls};
pub use self::{
    listener::{Connections, Listener},
    socket::{Incoming, Outgoing, Socket},
};

/// The book's page, whose examples are run.
#[cfg(all(doctest, feature = "gzip"))]
#[doc = include_str!("../../../docs/book/src/io.md")]
mod book {}
