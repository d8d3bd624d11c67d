//! What carries frames.
//!
//! | transport | feature | copies of a payload, going out and coming in |
//! |---|---|---|
//! | [`memory::pair`] | | none |
//! | [`tcp`] | | going out none if it has 4 KiB or more and one otherwise, coming in none, besides those between the process and its system |
//! | [`tls`] | `tls` | as TCP, and one each way for the encryption |
//! | [`websocket`] | `websocket` | going out two: into a message, and masked or not into the library's buffer; coming in none, or one where the peer cut the message |
//!
//! A transport of your own implements [`Transport`]; [`Framed`] makes one of any reader and writer
//! that keeps the order of bytes.

mod framed;
pub mod memory;
pub mod tcp;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls;
#[cfg(feature = "websocket")]
#[cfg_attr(docsrs, doc(cfg(feature = "websocket")))]
pub mod websocket;

use std::{
    io,
    task::{Context, Poll},
};

pub use framed::Framed;
use tokio::sync::OwnedSemaphorePermit;

use crate::frame::{DecodeError, Frame};

/// A frame that has come.
#[derive(Debug)]
pub struct Received {
    /// The frame, or why its bytes are none.
    pub frame: Result<Frame, DecodeError>,
    /// How many bytes it had, without the length before it.
    pub len: usize,
}

/// Carries frames to a peer and back, in order, and without losing any before it ends.
pub trait Transport: Send + 'static {
    /// The next frame of the peer, or `None` when no more will come.
    ///
    /// # Errors
    ///
    /// If nothing can be received any more.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Received>>>;

    /// Waits for room for a frame: the transport holds no more than a bounded number of bytes.
    ///
    /// # Errors
    ///
    /// If nothing can be sent any more.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Takes a frame, after [`poll_ready`](Self::poll_ready) has said that there is room.
    ///
    /// # Errors
    ///
    /// If the frame cannot be encoded, or nothing can be sent any more.
    fn send(&mut self, frame: Frame) -> io::Result<()>;

    /// Hands over to the peer what the transport holds.
    ///
    /// # Errors
    ///
    /// If that fails.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Flushes, and says that nothing more will be sent.
    ///
    /// # Errors
    ///
    /// If that fails.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A transport that holds a place at a listener.
pub(crate) struct Placed<T> {
    pub(crate) transport: T,
    pub(crate) _place: OwnedSemaphorePermit,
}

impl<T: Transport> Transport for Placed<T> {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Received>>> {
        self.transport.poll_receive(cx)
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_ready(cx)
    }
    fn send(&mut self, frame: Frame) -> io::Result<()> {
        self.transport.send(frame)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_flush(cx)
    }
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_close(cx)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Received>>> {
        (**self).poll_receive(cx)
    }
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_ready(cx)
    }
    fn send(&mut self, frame: Frame) -> io::Result<()> {
        (**self).send(frame)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_flush(cx)
    }
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_close(cx)
    }
}

/// How long a peer may take for a handshake.
#[cfg(any(feature = "tls", feature = "websocket"))]
async fn within<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, handshake).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "the peer did not end its handshake in 10 s"))
    })
}
