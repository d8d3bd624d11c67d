//! `lines`, `byte_lines`, `lines_of`: the lines of a file or of any reader.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::Flow;

/// The longest line that is read: 16 MiB. A longer one ends the flow with an error, so that input
/// without line ends cannot use up the memory.
pub const LINE_LIMIT: usize = 16 << 20;

/// The lines of a reader, as text, without their line ends (`\n` or `\r\n`).
///
/// Reading blocks the thread that asks for lines; put a [`subscribe_on`](Flow::subscribe_on) behind
/// it where that matters.
///
/// # Demand
///
/// A line is read when it is asked for; the reader's own buffer is all that is read ahead. A cancel
/// from another thread is seen before the next line.
///
/// # Termination
///
/// Completes at the end of the input. Fails with an error of kind `Io` if reading fails, and of
/// kind `InvalidData`, with the line's number, if a line is not UTF-8 or is longer than
/// [`LINE_LIMIT`].
///
/// # Examples
///
/// ```
/// let lines = millstream::lines("a\r\nb".as_bytes()).collect::<Vec<_>>().wait()?;
/// assert_eq!(lines, ["a", "b"]);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn lines<R: BufRead + Send + 'static>(reader: R) -> Flow<Lines<R, String>> {
    Flow { source: Lines { reader: Ok(reader), decode: decode_text } }
}

/// The lines of a reader, as bytes, without their line ends: [`lines`] for input that may not be
/// UTF-8.
///
/// # Demand
///
/// As [`lines`].
///
/// # Termination
///
/// As [`lines`], except that any bytes are good.
///
/// # Examples
///
/// ```
/// let lines = millstream::byte_lines(&b"a\xff\nb"[..]).collect::<Vec<_>>().wait()?;
/// assert_eq!(lines, [b"a\xff".to_vec(), b"b".to_vec()]);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn byte_lines<R: BufRead + Send + 'static>(reader: R) -> Flow<Lines<R, Vec<u8>>> {
    Flow { source: Lines { reader: Ok(reader), decode: |_, line| Ok(line) } }
}

/// The lines of a file, as text. The file is opened here and now; it is read when lines are asked
/// for.
///
/// # Demand
///
/// As [`lines`].
///
/// # Termination
///
/// As [`lines`]. A file that cannot be opened fails with an error of kind `Io` that names it.
///
/// # Examples
///
/// ```
/// let error = millstream::lines_of("no/such/file").count().wait().unwrap_err();
/// assert!(error.to_string().contains("no/such/file"));
/// ```
pub fn lines_of(path: impl AsRef<Path>) -> Flow<Lines<BufReader<File>, String>> {
    let path = path.as_ref();
    let reader = match File::open(path) {
        Ok(file) => Ok(BufReader::new(file)),
        Err(cause) => {
            let message = format!("cannot open {}: {cause}", path.display());
            Err(Error::with_source(ErrorKind::Io, message, cause))
        }
    };
    Flow { source: Lines { reader, decode: decode_text } }
}

/// Publisher returned by [`lines`], [`byte_lines`] and [`lines_of`].
#[must_use = "publishers do nothing until subscribed to"]
pub struct Lines<R, T> {
    reader: Result<R, Error>,
    decode: fn(u64, Vec<u8>) -> Result<T, Error>,
}

impl<R, T> Publisher for Lines<R, T>
where
    R: BufRead + Send + 'static,
    T: Send + 'static,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        match self.reader {
            Ok(reader) => {
                let source = LinesSource { reader, decode: self.decode, n_lines: 0 };
                Gate::start(source, downstream);
            }
            Err(error) => crate::error(error).subscribe(downstream),
        }
    }
}

opaque_debug!(Lines<R, T>);
backpressure!(source Lines<R, T>);

struct LinesSource<R, T> {
    reader: R,
    decode: fn(u64, Vec<u8>) -> Result<T, Error>,
    n_lines: u64,
}

impl<R, T> LinesSource<R, T>
where
    R: BufRead,
{
    fn read(&mut self) -> Result<Option<T>, Error> {
        let mut line = Vec::new();
        let limit = LINE_LIMIT as u64 + 1;
        let n_read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|cause| Error::with_source(ErrorKind::Io, "", cause).context("reading"))?;
        if n_read == 0 {
            return Ok(None);
        }
        self.n_lines += 1;
        if n_read as u64 == limit && !line.ends_with(b"\n") {
            let message =
                format!("line {} is longer than {LINE_LIMIT} bytes: is this text?", self.n_lines);
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        if line.ends_with(b"\n") {
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
        }
        (self.decode)(self.n_lines, line).map(Some)
    }
}

impl<R, T> Source for LinesSource<R, T>
where
    R: BufRead + Send + 'static,
    T: Send + 'static,
{
    type Item = T;

    // Reading may wait.
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<T> {
        match self.read() {
            Ok(Some(line)) => Step::Item(line),
            Ok(None) => Step::End(End::Complete),
            Err(error) => Step::End(End::Failed(error)),
        }
    }
}

fn decode_text(n_lines: u64, line: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(line).map_err(|cause| {
        let message = format!("line {n_lines} is not UTF-8: {cause}");
        Error::with_source(ErrorKind::InvalidData, message, cause)
    })
}
