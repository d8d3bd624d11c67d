//! `into_reader`, `decode`: the bytes of a flow as a reader, and what is in them.

use std::{
    error, io,
    pin::Pin,
    task::{Context, Poll},
};

use reactive_streams::Publisher;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio_util::codec::Decoder;

use super::codec::{Decoded, decode_with};
use crate::{FlattenResults, Flow, FromStream, parts::intake::Intake};

impl<P: Publisher> Flow<P> {
    /// The bytes of the items as a reader of tokio. Chunks without bytes are passed over.
    ///
    /// # Demand
    ///
    /// A chunk is asked for when the reader is polled and the one before is used up; the flow is
    /// subscribed to by the first poll. What is held is one chunk.
    ///
    /// # Termination
    ///
    /// The reader ends when the flow completes, and fails when the flow fails, with its
    /// [`Error`](reactive_streams::Error) in the [`io::Error`]. Dropping the reader cancels the flow.
    ///
    /// # Examples
    ///
    /// ```
    /// use tokio::io::AsyncReadExt as _;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let mut text = String::new();
    /// millstream::from_iter(["a", "", "bc"]).into_reader().read_to_string(&mut text).await?;
    /// assert_eq!(text, "abc");
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_reader(self) -> FlowReader<P> {
        FlowReader { state: State::Before(self.source), chunk: None, n_used: 0 }
    }

    /// What `decoder` makes of the bytes of the items, none of it out of more than `limit` bytes,
    /// and wherever the chunks begin and end.
    ///
    /// # Demand
    ///
    /// A chunk is asked for when a frame is asked for and the bytes before do not have one. What is
    /// held is one chunk, and a buffer of at most `limit` bytes and what one chunk brings more.
    ///
    /// # Termination
    ///
    /// As [`decode_with`](crate::bridge::decode_with): completes with the source, fails with its
    /// error, and fails with an error of kind `InvalidData` if a frame is longer than `limit`, if
    /// the decoder rejects it, or if the source completes within it; the source is canceled then.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use tokio_util::codec::LinesCodec;
    ///
    /// let lines = millstream::from_iter(["fir", "st\nsec", "ond\n"])
    ///     .decode(LinesCodec::new(), 80);
    /// assert_eq!(lines.collect::<Vec<_>>().wait()?, ["first", "second"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    pub fn decode<D>(self, decoder: D, limit: usize) -> Flow<Decoding<P, D>>
    where
        P: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
        D: Decoder<Item: Send, Error: error::Error + Send + Sync> + Send + 'static,
    {
        decode_with(self.into_reader(), decoder, limit)
    }
}

/// Publisher returned by [`Flow::decode`].
pub type Decoding<P, D> = FlattenResults<FromStream<Decoded<FlowReader<P>, D>>>;

/// Reader returned by [`Flow::into_reader`].
#[must_use = "readers do nothing unless polled"]
pub struct FlowReader<P: Publisher> {
    state: State<P>,
    chunk: Option<P::Item>,
    /// How much of the chunk was read.
    n_used: usize,
}

enum State<P: Publisher> {
    Before(P),
    Reading(Intake<P::Item>),
    Ended,
}

// Nothing in it is pinned.
impl<P: Publisher> Unpin for FlowReader<P> {}

impl<P: Publisher<Item: AsRef<[u8]> + Send + 'static>> FlowReader<P> {
    /// Has a chunk with bytes left, unless the flow has ended.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.chunk.as_ref().is_some_and(|chunk| chunk.as_ref().len() > self.n_used) {
                return Poll::Ready(Ok(()));
            }
            (self.chunk, self.n_used) = (None, 0);
            let State::Reading(intake) = &mut self.state else {
                match std::mem::replace(&mut self.state, State::Ended) {
                    State::Before(source) => self.state = State::Reading(Intake::of(source)),
                    State::Reading(_) | State::Ended => return Poll::Ready(Ok(())),
                }
                continue;
            };
            match std::task::ready!(intake.poll_next(cx)) {
                Ok(Some(chunk)) => self.chunk = Some(chunk),
                Ok(None) => self.state = State::Ended,
                Err(error) => {
                    self.state = State::Ended;
                    return Poll::Ready(Err(io::Error::other(error)));
                }
            }
        }
    }

    fn left(&self) -> &[u8] {
        self.chunk.as_ref().map_or(&[], |chunk| &chunk.as_ref()[self.n_used..])
    }
}

impl<P: Publisher<Item: AsRef<[u8]> + Send + 'static>> AsyncRead for FlowReader<P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_chunk(cx))?;
        let left = self.left();
        let n = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..n]);
        self.n_used += n;
        Poll::Ready(Ok(()))
    }
}

impl<P: Publisher<Item: AsRef<[u8]> + Send + 'static>> AsyncBufRead for FlowReader<P> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = self.get_mut();
        std::task::ready!(reader.poll_chunk(cx))?;
        Poll::Ready(Ok(reader.left()))
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.n_used += n;
    }
}

impl<P: Publisher> std::fmt::Debug for FlowReader<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowReader").finish_non_exhaustive()
    }
}
