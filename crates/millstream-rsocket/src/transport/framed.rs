//! Frames behind their length, over anything that carries bytes.

use std::{
    collections::VecDeque,
    fmt, io,
    io::IoSlice,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;

use super::{Received, Transport};
use crate::frame::Frame;

/// How much is read at a time.
const READ: usize = 64 * 1024;
/// How much is held to be written, and beyond which there is no room.
const WRITE: usize = 64 * 1024;
/// After a flush so many bytes are written once they are there, and then twice as many each time:
/// the peer begins while the rest is made.
const FIRST_WRITE: usize = 8 * 1024;
/// Data of so many bytes is written from where it is.
const LARGE: usize = 4 * 1024;
/// How many buffers are written at a time.
const SLICES: usize = 32;

/// A transport over a reader and writer, such as a socket of TCP or TLS: each frame follows its
/// length of 24 bits.
///
/// It holds up to 64 KiB and a frame that wait to be written, and reads up to 64 KiB ahead; a frame
/// that is longer is held until its last byte has come.
pub struct Framed<S> {
    stream: S,
    read: BytesMut,
    is_at_end: bool,
    /// What waits to be written, in order: large data on its own, and `tail` behind it.
    chunks: VecDeque<Bytes>,
    tail: BytesMut,
    n_waiting: usize,
    /// When so many bytes wait, they are written.
    next_write: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Framed<S> {
    /// Frames over `stream`.
    #[must_use]
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            is_at_end: false,
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            n_waiting: 0,
            next_write: FIRST_WRITE,
        }
    }

    /// Cuts the next frame off what was read.
    fn cut(&mut self) -> Option<Received> {
        if self.read.len() < 3 {
            return None;
        }
        let len = usize::from(self.read[0]) << 16
            | usize::from(self.read[1]) << 8
            | usize::from(self.read[2]);
        if self.read.len() < 3 + len {
            return None;
        }
        self.read.advance(3);
        let bytes = self.read.split_to(len).freeze();
        Some(Received { frame: Frame::decode(bytes), len })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.n_waiting > 0 {
            let stream = Pin::new(&mut self.stream);
            let n_written = if self.chunks.is_empty() {
                ready!(stream.poll_write(cx, &self.tail))?
            } else if stream.is_write_vectored() {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let chunks = self.chunks.iter().map(|chunk| &chunk[..]);
                let all = chunks.chain([&self.tail[..]]);
                let mut n_slices = 0;
                for (slice, bytes) in slices.iter_mut().zip(all) {
                    *slice = IoSlice::new(bytes);
                    n_slices += 1;
                }
                ready!(stream.poll_write_vectored(cx, &slices[..n_slices]))?
            } else {
                ready!(stream.poll_write(cx, &self.chunks[0]))?
            };
            if n_written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written(n_written);
        }
        Poll::Ready(Ok(()))
    }

    fn written(&mut self, mut n: usize) {
        self.n_waiting -= n;
        while n > 0 {
            let Some(chunk) = self.chunks.front_mut() else {
                self.tail.advance(n);
                return;
            };
            let part = n.min(chunk.len());
            chunk.advance(part);
            n -= part;
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for Framed<S> {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Received>>> {
        loop {
            if let Some(received) = self.cut() {
                return Poll::Ready(Some(Ok(received)));
            }
            if self.is_at_end {
                let is_cut = !self.read.is_empty();
                let error = || Err(io::ErrorKind::UnexpectedEof.into());
                return Poll::Ready(is_cut.then(error));
            }
            // What was announced is not allocated before it comes.
            if self.read.capacity() - self.read.len() < READ / 2 {
                self.read.reserve(READ);
            }
            let n_read = ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.read))?;
            self.is_at_end = n_read == 0;
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.n_waiting < self.next_write {
            return Poll::Ready(Ok(()));
        }
        self.next_write = (self.next_write * 2).min(WRITE);
        let written = self.poll_write(cx);
        if written.is_pending() && self.n_waiting < WRITE { Poll::Ready(Ok(())) } else { written }
    }

    fn send(&mut self, frame: Frame) -> io::Result<()> {
        let (len, large) = frame
            .put(&mut self.tail, LARGE)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.n_waiting += 3 + len;
        if let Some(data) = large {
            self.chunks.push_back(self.tail.split().freeze());
            self.chunks.push_back(data);
        }
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.next_write = FIRST_WRITE;
        ready!(self.poll_write(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for Framed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framed").field("n_waiting", &self.n_waiting).finish_non_exhaustive()
    }
}
