//! `Socket`: a connection, as a flow of bytes and a writer.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use millstream::{
    Error, FlattenResults, Flow, FromStream,
    bridge::{ByteChunks, read_bytes},
};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::failure::failed;

/// A connection: by TCP, by a Unix socket, or by TLS.
pub struct Socket {
    pub(crate) reader: Pin<Box<dyn AsyncRead + Send>>,
    pub(crate) writer: Pin<Box<dyn AsyncWrite + Send>>,
    pub(crate) peer: Arc<str>,
}

/// The publisher of what a [`Socket`] reads.
pub type Incoming = FlattenResults<FromStream<ByteChunks<ReadHalf>>>;

impl Socket {
    /// Connects by TCP to `address`, such as `"example.org:80"`.
    ///
    /// # Errors
    ///
    /// Nobody listens there, of kind `Disconnected`; a name that is not found, of kind `Io`; an
    /// address that is none, of kind `InvalidData`. Each says where.
    pub async fn tcp(address: &str) -> Result<Self, Error> {
        let connecting = TcpStream::connect(address).await;
        let stream =
            connecting.map_err(|cause| failed(&format!("connecting to {address}"), cause))?;
        Ok(Self::of_tcp(stream, address.into()))
    }

    pub(crate) fn of_tcp(stream: TcpStream, peer: Arc<str>) -> Self {
        // What is written is written when there is room: waiting for more would only delay it. One
        // that cannot be told so is only slower.
        stream.set_nodelay(true).ok();
        let (reader, writer) = stream.into_split();
        Self { reader: Box::pin(reader), writer: Box::pin(writer), peer }
    }

    /// Connects to the Unix socket at `path`.
    ///
    /// # Errors
    ///
    /// As [`tcp`](Self::tcp).
    #[cfg(unix)]
    pub async fn unix(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let what = || format!("connecting to {}", path.display());
        let stream = UnixStream::connect(path).await.map_err(|cause| failed(&what(), cause))?;
        Ok(Self::of_unix(stream, path.display().to_string().into()))
    }

    #[cfg(unix)]
    pub(crate) fn of_unix(stream: UnixStream, peer: Arc<str>) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: Box::pin(reader), writer: Box::pin(writer), peer }
    }

    /// Any other reader and writer that make a connection; `peer` says with whom.
    pub fn of(
        reader: impl AsyncRead + Send + 'static,
        writer: impl AsyncWrite + Send + 'static,
        peer: &str,
    ) -> Self {
        Self { reader: Box::pin(reader), writer: Box::pin(writer), peer: peer.into() }
    }

    /// Who is at the other end: an address or a path.
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// What comes, in chunks of up to `size` bytes, and where to write what goes, such as by
    /// [`write_to`](Flow::write_to).
    ///
    /// # Demand
    ///
    /// A chunk is read, by one read, when it is asked for. While nobody asks, nothing is read, so
    /// that the window closes and the peer waits. What is held is a buffer of `size` bytes. The
    /// writer holds nothing: a flow that is written is asked for more when the peer has taken what
    /// was before.
    ///
    /// # Termination
    ///
    /// Completes when the peer ends its side; fails when the connection is lost, with an error of
    /// kind `Disconnected` that names the peer. A cancel closes this direction alone: the writer
    /// goes on. Shutting down the writer ends that direction; dropping it does too, by TCP and Unix
    /// sockets.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    ///
    /// # Examples
    ///
    /// See the [crate](crate).
    #[track_caller]
    pub fn split(self, size: usize) -> (Flow<Incoming>, Outgoing) {
        let Self { reader, writer, peer } = self;
        let reader = ReadHalf { reader, peer: Arc::clone(&peer) };
        (read_bytes(reader, size), Outgoing { writer, peer })
    }
}

/// The reader of a [`Socket`], whose errors name the peer.
pub struct ReadHalf {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    peer: Arc<str>,
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = self.reader.as_mut().poll_read(cx, buffer);
        done.map_err(|cause| {
            io::Error::other(failed(&format!("reading from {}", self.peer), cause))
        })
    }
}

/// The writer of a [`Socket`], returned by [`Socket::split`].
#[must_use = "dropping it ends what goes to the peer"]
pub struct Outgoing {
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    peer: Arc<str>,
}

impl AsyncWrite for Outgoing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(cx)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReadHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHalf").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("peer", &self.peer).finish_non_exhaustive()
    }
}
