//! Connections that are given up when the other side does not read.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::Router;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::watch,
    time::{Sleep, sleep},
};

/// How long a browser may read nothing while something is there for it.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Listener(TcpListener);

/// A connection whose writes fail when none of a frame was taken for as long as [`PATIENCE`].
pub(super) struct Connection {
    stream: TcpStream,
    /// Since a write has been waiting.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Listener {
    pub(super) async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        (Connection { stream, waiting: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address()
    }
}

/// Serves until it is told to stop; streams of frames end by the same word.
pub(super) async fn serve(listener: Listener, routes: Router, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        let _stopped = stopped.wait_for(|is_stopped| *is_stopped).await;
    };
    // It fails on no connection, only where the listener does, which tries again.
    let _ended = axum::serve(listener, routes).with_graceful_shutdown(stop).await;
}

impl Connection {
    /// Times a write that waits.
    fn timed<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = write(Pin::new(&mut self.stream), cx) {
            self.waiting = None;
            return Poll::Ready(result);
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.timed(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.timed(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timed(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timed(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::serve::Listener as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        time::{Instant, sleep},
    };

    use super::{Listener, PATIENCE};

    // The clock jumps ahead whenever nothing else is left to do.
    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_given_up() {
        let mut listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let _stuck = TcpStream::connect(listener.address().unwrap()).await.unwrap();
        let (mut connection, _) = listener.accept().await;

        let start = Instant::now();
        let error = loop {
            if let Err(error) = connection.write_all(&[0; 1 << 16]).await {
                break error;
            }
        };

        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= PATIENCE);
    }

    // What a socket's buffers hold is let go in large steps: a reader has to take several mebibytes
    // before the system says that there is room.
    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_not() {
        const ALL: usize = 1 << 26;
        let mut listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let mut slow = TcpStream::connect(listener.address().unwrap()).await.unwrap();
        let (mut connection, _) = listener.accept().await;

        let write = async {
            connection.write_all(&vec![0; ALL]).await.unwrap();
            connection.shutdown().await.unwrap();
        };
        let read = async {
            let (mut n_read, mut buffer) = (0, vec![0; 1 << 20]);
            loop {
                sleep(PATIENCE / 16).await;
                match slow.read(&mut buffer).await.unwrap() {
                    0 => return n_read,
                    n => n_read += n,
                }
            }
        };

        let start = Instant::now();
        let ((), n_read) = tokio::join!(write, read);
        assert!(start.elapsed() > 2 * PATIENCE);
        assert_eq!(n_read, ALL);
    }
}
