//! `read_chunks`, `write_all_to`: readers and writers that block.

use std::{
    io::{self, Read, Write},
    ops::ControlFlow,
};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use super::failure::failure;
use crate::{
    Flow, Outcome,
    parts::{inlet::check_bound, terminal},
};

/// The bytes of a reader, in chunks of up to `size` bytes, as they are read.
///
/// Reading blocks the thread that asks for chunks; put a [`subscribe_on`](Flow::subscribe_on) behind it
/// where that matters. For lines, see [`lines`](crate::lines).
///
/// # Demand
///
/// A chunk is read, by one read, when it is asked for. What is held is a buffer of `size` bytes. A
/// cancel from another thread is seen before the next read.
///
/// # Termination
///
/// Completes at the end of the input. Fails with an error of kind `Io` if reading fails; a read that
/// was interrupted is tried again.
///
/// # Panics
///
/// If `size` is 0.
///
/// # Examples
///
/// ```
/// let chunks = millstream::bridge::read_chunks(&b"abcde"[..], 2);
/// assert_eq!(chunks.collect::<Vec<_>>().wait()?, [&b"ab"[..], b"cd", b"e"]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn read_chunks<R: Read + Send + 'static>(reader: R, size: usize) -> Flow<ReadChunks<R>> {
    check_bound(size);
    ReadChunks { reader, size }.into()
}

/// Publisher returned by [`read_chunks`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ReadChunks<R> {
    reader: R,
    size: usize,
}

impl<R: Read + Send + 'static> Publisher for ReadChunks<R> {
    type Item = Vec<u8>;

    fn subscribe<S: Subscriber<Vec<u8>>>(self, downstream: S) {
        Gate::start(Chunks { reader: self.reader, buffer: vec![0; self.size] }, downstream);
    }
}

opaque_debug!(ReadChunks<R>);
backpressure!(source ReadChunks<R>);

struct Chunks<R> {
    reader: R,
    buffer: Vec<u8>,
}

impl<R: Read + Send + 'static> Source for Chunks<R> {
    type Item = Vec<u8>;

    // Reading may wait.
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<Vec<u8>> {
        loop {
            match self.reader.read(&mut self.buffer) {
                Ok(0) => return Step::End(End::Complete),
                Ok(n) => return Step::Item(self.buffer[..n].to_vec()),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => {
                    let error = Error::with_source(ErrorKind::Io, "", cause).context("reading");
                    return Step::End(End::Failed(error));
                }
            }
        }
    }
}

impl<P: Publisher> Flow<P> {
    /// Writes the bytes of each item, and gives the writer back.
    ///
    /// Writing blocks the thread that the items come on; put a [`publish_on`](Self::publish_on) before
    /// it where that matters.
    ///
    /// # Demand
    ///
    /// Unbounded: the writer holds the flow up while it writes, so that a synchronous source keeps its
    /// pace. Nothing is held here.
    ///
    /// # Termination
    ///
    /// The outcome is the writer when the flow has completed and everything was flushed. When the flow
    /// fails, the outcome is its error, and the writer is dropped with the items before written to it.
    /// When writing or flushing fails, the flow is canceled, and the outcome is an error of kind `Io`.
    ///
    /// # Examples
    ///
    /// ```
    /// let written = millstream::from_iter(["a", "b"]).write_all_to(Vec::new()).wait()?;
    /// assert_eq!(written, b"ab");
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn write_all_to<W>(self, writer: W) -> Outcome<W>
    where
        P::Item: AsRef<[u8]>,
        W: Write + Send + 'static,
    {
        terminal::run(
            self.source,
            (Some(writer), None),
            |(writer, failed), item| {
                let Some(open) = writer else { return ControlFlow::Break(()) };
                match open.write_all(item.as_ref()) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(cause) => {
                        *failed = Some(failure(cause).context("writing"));
                        ControlFlow::Break(())
                    }
                }
            },
            |(writer, failed)| match (failed.take(), writer.take()) {
                (None, Some(mut writer)) => match writer.flush() {
                    Ok(()) => Ok(writer),
                    Err(cause) => Err(failure(cause).context("flushing")),
                },
                (Some(error), _) => Err(error),
                (None, None) => Err(Error::message("the writer was given back before")),
            },
        )
    }
}
