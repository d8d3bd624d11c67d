//! `read_chunks`: readers that block.

use std::io::{self, Read};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use super::chunk::Chunk;
use crate::{Flow, parts::inlet::check_bound};

/// The bytes of a reader, in chunks of up to `size` bytes, as they are read.
///
/// Reading blocks the thread that asks for chunks; put a [`subscribe_on`](Flow::subscribe_on)
/// behind it where that matters. For lines, see [`lines`](crate::lines).
///
/// # Demand
///
/// A chunk is read, by one read, when it is asked for.
/// What is held is a buffer, which begins with up to 64 KiB and grows to `size` bytes while reads
/// fill it. A cancel from another thread is seen before the next read.
///
/// # Termination
///
/// Completes at the end of the input. Fails with an error of kind `Io` if reading fails; a read
/// that was interrupted is tried again.
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
        Gate::start(Chunks { reader: self.reader, chunk: Chunk::new(self.size) }, downstream);
    }
}

opaque_debug!(ReadChunks<R>);
backpressure!(source ReadChunks<R>);

struct Chunks<R> {
    reader: R,
    chunk: Chunk,
}

impl<R: Read + Send + 'static> Source for Chunks<R> {
    type Item = Vec<u8>;

    // Reading may wait.
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<Vec<u8>> {
        loop {
            match self.reader.read(self.chunk.room()) {
                Ok(0) => return Step::End(End::Complete),
                Ok(n) => return Step::Item(self.chunk.read(n)),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => {
                    let error = Error::with_source(ErrorKind::Io, "", cause).context("reading");
                    return Step::End(End::Failed(error));
                }
            }
        }
    }
}
