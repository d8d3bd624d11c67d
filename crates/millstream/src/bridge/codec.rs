//! `read_bytes`, `read_lines`, `read_frames`, `decode_with`, `write_to`: tokio's readers and
//! writers.

use std::{
    error, io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use reactive_streams::{Error, ErrorKind, Publisher};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::{
    Decoder, Encoder, FramedRead, FramedWrite, LengthDelimitedCodec, LinesCodec,
};

use super::{
    chunk::Chunk,
    failure::error_of_flow,
    forward_into::forward,
    intake::{Intake, run},
};
use crate::{
    FlattenResults, Flow, FromStream, Outcome, from_stream, parts::inlet::check_bound, scheduler,
};

/// The buffer of a decoder before it grows.
const FIRST_READ: usize = 8 << 10;

/// The bytes of a reader, in chunks of up to `size` bytes, as they are read.
///
/// # Demand
///
/// A chunk is read, by one read, when it is asked for.
/// What is held is a buffer, which begins with up to 64 KiB and grows to `size` bytes while reads
/// fill it.
///
/// # Termination
///
/// Completes at the end of the input. Fails with an error of kind `Io` if reading fails.
/// A cancel drops the reader.
///
/// # Panics
///
/// If `size` is 0.
///
/// # Examples
///
/// ```
/// let chunks = millstream::bridge::read_bytes(&b"abcde"[..], 2);
/// assert_eq!(chunks.collect::<Vec<_>>().wait()?, ["ab", "cd", "e"]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn read_bytes<R>(reader: R, size: usize) -> Flow<FlattenResults<FromStream<ByteChunks<R>>>>
where
    R: AsyncRead + Send + 'static,
{
    check_bound(size);
    from_stream(ByteChunks { reader: Box::pin(reader), chunk: Chunk::new(size) }).flatten_results()
}

/// The lines of a reader, without their line ends (`\n` or `\r\n`), each of up to `limit` bytes
/// with its end.
///
/// # Demand
///
/// As [`decode_with`].
///
/// # Termination
///
/// As [`decode_with`]. A line that is not UTF-8 is an error of kind `InvalidData`; a last line
/// needs no end.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// let lines = millstream::bridge::read_lines(&b"a\r\nb"[..], 80);
/// assert_eq!(lines.collect::<Vec<_>>().wait()?, ["a", "b"]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn read_lines<R>(
    reader: R,
    limit: usize,
) -> Flow<FlattenResults<FromStream<Decoded<R, LinesCodec>>>>
where
    R: AsyncRead + Send + 'static,
{
    decode_with(reader, LinesCodec::new(), limit)
}

/// The frames of a reader, each of up to `limit` bytes behind four bytes, the most significant
/// first, that say how many they are.
///
/// # Demand
///
/// As [`decode_with`].
///
/// # Termination
///
/// As [`decode_with`]: a frame that says that it is longer is an error before it is read.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// let frames = millstream::bridge::read_frames(&b"\0\0\0\x02ab\0\0\0\x01c"[..], 80);
/// assert_eq!(frames.collect::<Vec<_>>().wait()?, ["ab", "c"]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn read_frames<R>(
    reader: R,
    limit: usize,
) -> Flow<FlattenResults<FromStream<Decoded<R, LengthDelimitedCodec>>>>
where
    R: AsyncRead + Send + 'static,
{
    let codec = LengthDelimitedCodec::builder().max_frame_length(limit).new_codec();
    check_bound(limit);
    // The four bytes before it do not count.
    decode_with(reader, codec, limit.saturating_add(4))
}

/// What `decoder` makes of the bytes of a reader, none of it out of more than `limit` bytes.
///
/// # Demand
///
/// The reader is read when a frame is asked for and the buffer does not have one.
/// That buffer holds at most `limit` bytes and what one read brings more: 8 KiB, or as much again
/// where it had to grow. A decoder that reserves space for a frame to come has a limit of its own.
///
/// # Termination
///
/// Completes at the end of the input. Fails with an error of kind `Io` if reading fails, and of
/// kind `InvalidData`, with the number of the frame, if a frame is longer than `limit`, if the
/// decoder rejects it, or if the input ends within it. A cancel drops the reader and what was read.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use tokio_util::codec::AnyDelimiterCodec;
///
/// let codec = AnyDelimiterCodec::new(b",".to_vec(), b",".to_vec());
/// let fields = millstream::bridge::decode_with(&b"a,b"[..], codec, 80);
/// assert_eq!(fields.collect::<Vec<_>>().wait()?, ["a", "b"]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn decode_with<R, D>(
    reader: R,
    decoder: D,
    limit: usize,
) -> Flow<FlattenResults<FromStream<Decoded<R, D>>>>
where
    R: AsyncRead + Send + 'static,
    D: Decoder<Item: Send, Error: error::Error + Send + Sync> + Send + 'static,
{
    check_bound(limit);
    let reader = Noted::new(reader);
    let decoder = Limited { decoder, limit };
    let framed = FramedRead::with_capacity(reader, decoder, limit.min(FIRST_READ));
    from_stream(Decoded { framed: Box::pin(framed), n_frames: 0 }).flatten_results()
}

/// The stream in [`read_bytes`].
pub struct ByteChunks<R> {
    reader: Pin<Box<R>>,
    chunk: Chunk,
}

impl<R: AsyncRead> Stream for ByteChunks<R> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { reader, chunk } = &mut *self;
        let mut room = ReadBuf::new(chunk.room());
        let read = std::task::ready!(reader.as_mut().poll_read(cx, &mut room));
        let n = room.filled().len();
        Poll::Ready(match read {
            Ok(()) if n == 0 => None,
            Ok(()) => Some(Ok(Bytes::from(chunk.read(n)))),
            Err(cause) => Some(Err(error_of_flow(&cause).unwrap_or_else(|| {
                Error::with_source(ErrorKind::Io, "", cause).context("reading")
            }))),
        })
    }
}

opaque_debug!(ByteChunks<R>);

/// The stream in [`decode_with`] and its like.
pub struct Decoded<R, D> {
    framed: Pin<Box<FramedRead<Noted<R>, Limited<D>>>>,
    n_frames: u64,
}

impl<R, D> Stream for Decoded<R, D>
where
    R: AsyncRead,
    D: Decoder<Error: error::Error + Send + Sync + 'static>,
{
    type Item = Result<D::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.framed.as_mut().poll_next(cx));
        self.n_frames += 1;
        Poll::Ready(next.map(|frame| {
            frame.map_err(|cause| {
                let reader = self.framed.get_ref();
                if let Some(error) = &reader.of_flow {
                    return error.clone();
                }
                if reader.has_failed {
                    return Error::with_source(ErrorKind::Io, "", cause).context("reading");
                }
                let context = format!("frame {}", self.n_frames);
                Error::with_source(ErrorKind::InvalidData, "", cause).context(context)
            })
        }))
    }
}

opaque_debug!(Decoded<R, D>);

/// A reader or writer that remembers that it has failed, because a codec's error may hold either's.
struct Noted<R> {
    inner: Pin<Box<R>>,
    has_failed: bool,
    /// What a flow has failed with that is read.
    of_flow: Option<Error>,
}

impl<R> Noted<R> {
    fn new(inner: R) -> Self {
        Self { inner: Box::pin(inner), has_failed: false, of_flow: None }
    }

    fn note<T>(&mut self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(cause)) = &done {
            self.has_failed = true;
            self.of_flow = error_of_flow(cause);
        }
        done
    }
}

impl<R: AsyncRead> AsyncRead for Noted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = self.inner.as_mut().poll_read(cx, buffer);
        self.note(done)
    }
}

impl<W: AsyncWrite> AsyncWrite for Noted<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = self.inner.as_mut().poll_write(cx, bytes);
        // A writer that takes nothing is an error for its caller.
        self.has_failed |= matches!(done, Poll::Ready(Ok(0)));
        self.note(done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = self.inner.as_mut().poll_flush(cx);
        self.note(done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = self.inner.as_mut().poll_shutdown(cx);
        self.note(done)
    }
}

/// A decoder that takes a limited number of bytes for one frame.
struct Limited<D> {
    decoder: D,
    limit: usize,
}

impl<D: Decoder> Limited<D> {
    /// Fails if a frame took more bytes than the limit, or waits for more of them.
    fn check<T>(
        &self,
        frame: Option<T>,
        n_before: usize,
        n_after: usize,
    ) -> Result<Option<T>, D::Error> {
        let n_used = if frame.is_some() { n_before.saturating_sub(n_after) } else { n_after };
        if n_used > self.limit {
            let message = format!("it is longer than {} bytes", self.limit);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
        }
        Ok(frame)
    }
}

impl<D: Decoder> Decoder for Limited<D> {
    type Item = D::Item;
    type Error = D::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<D::Item>, D::Error> {
        let n_before = bytes.len();
        let frame = self.decoder.decode(bytes)?;
        self.check(frame, n_before, bytes.len())
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<D::Item>, D::Error> {
        let n_before = bytes.len();
        let frame = self.decoder.decode_eof(bytes)?;
        self.check(frame, n_before, bytes.len())
    }
}

impl<P: Publisher> Flow<P> {
    /// Writes the items as `encoder` puts them into bytes, and shuts the writer down after the
    /// last.
    ///
    /// # Demand
    ///
    /// One item at a time, when the buffer has room: what is encoded is written once it is 8 KiB,
    /// or when no item comes. The buffer holds at most 8 KiB and one encoded item.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow has completed, everything was written, and the writer was
    /// shut down. When the flow fails, the outcome is its error, and the writer is dropped with the
    /// items before written to it, not shut down. When the writer fails, the flow is canceled, and
    /// the outcome is an error of kind `Io`; when the encoder rejects an item, of kind
    /// `InvalidData`. Dropping the outcome drops the writer and what is not written.
    ///
    /// # Examples
    ///
    /// ```
    /// use tokio_util::codec::LinesCodec;
    ///
    /// let (writer, reader) = tokio::io::duplex(64);
    /// let written = millstream::from_iter(["a", "b"]).write_to(writer, LinesCodec::new());
    /// let read = millstream::bridge::read_lines(reader, 80).collect::<Vec<_>>();
    /// assert_eq!(read.wait()?, ["a", "b"]);
    /// written.wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn write_to<W, E>(self, writer: W, encoder: E) -> Outcome<()>
    where
        P::Item: Send + 'static,
        W: AsyncWrite + Send + 'static,
        E: Encoder<P::Item, Error: error::Error + Send + Sync> + Send + 'static,
    {
        let sink = FramedWrite::new(Noted::new(writer), encoder);
        let forward = forward(Intake::of(self.source), sink, |sink, cause| {
            if sink.get_ref().has_failed {
                return Error::with_source(ErrorKind::Io, "", cause).context("writing");
            }
            Error::with_source(ErrorKind::InvalidData, "", cause).context("encoding")
        });
        run(&scheduler::ambient(), forward)
    }
}
