//! The log's lines, in batches, from a file or standard input, plain or gzip.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use millstream::{Error, ErrorKind, LINE_LIMIT};

/// Bytes that are read at a time: enough lines to make handing them to another thread cheap.
const BATCH_BYTES: usize = 64 << 10;

/// Whole lines of the log.
pub(crate) struct Lines {
    pub(crate) text: Vec<u8>,
    /// The number of the first one, from 1.
    pub(crate) first_number: u64,
    pub(crate) n_lines: u64,
    /// Whether the log, or its replay, begins with them.
    pub(crate) is_first: bool,
}

/// Reads a log, possibly several times.
pub(crate) struct Reader {
    path: PathBuf,
    n_left: u64,
    progress: ProgressBar,
    log: Option<Box<dyn BufRead + Send>>,
    /// Lines that were read since the log was opened.
    n_lines: u64,
}

impl Reader {
    /// Reads the file at `path`, or standard input for `-`, `n_times` over.
    pub(crate) fn new(path: PathBuf, n_times: u64, progress: ProgressBar) -> Self {
        Self { path, n_left: n_times, progress, log: None, n_lines: 0 }
    }

    /// The next lines: as many as there are at once, so that a pipe that is slow does not hold them
    /// back. `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Lines>, Error> {
        while self.n_left > 0 {
            let mut log = match self.log.take() {
                Some(log) => log,
                None => {
                    self.n_lines = 0;
                    open(&self.path, &self.progress).map_err(|cause| self.error("open", cause))?
                }
            };
            let text = read_lines(&mut log).map_err(|cause| self.error("read", cause))?;
            if text.is_empty() {
                self.n_left -= 1;
                continue;
            }
            self.log = Some(log);
            let n_ends = text.iter().filter(|byte| **byte == b'\n').count() as u64;
            let n_lines = n_ends + u64::from(!text.ends_with(b"\n"));
            let first_number = self.n_lines + 1;
            self.n_lines += n_lines;
            return Ok(Some(Lines { text, first_number, n_lines, is_first: first_number == 1 }));
        }
        Ok(None)
    }

    fn error(&self, verb: &str, cause: io::Error) -> Error {
        let message = format!("cannot {verb} {}: {cause}", self.path.display());
        Error::with_source(ErrorKind::Io, message, cause)
    }
}

fn open(path: &Path, progress: &ProgressBar) -> io::Result<Box<dyn BufRead + Send>> {
    let raw: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        if path.is_dir() {
            return Err(io::Error::other("it is a directory; name a file in it"));
        }
        Box::new(File::open(path)?)
    };
    text_of(progress.wrap_read(raw))
}

/// The first bytes of every gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The text that is read from `raw`, which may be gzip.
fn text_of(mut raw: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut head = Vec::new();
    // A pipe may give one byte at first.
    raw.by_ref().take(GZIP.len() as u64).read_to_end(&mut head)?;
    let is_gzip = head == GZIP;
    let reader = BufReader::with_capacity(BATCH_BYTES, io::Cursor::new(head).chain(raw));
    if is_gzip {
        return Ok(Box::new(BufReader::with_capacity(BATCH_BYTES, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

/// The lines that end in what is read next; empty at the end of the log.
fn read_lines(log: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let chunk = match log.fill_buf() {
            Ok(chunk) => chunk,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause),
        };
        let end = chunk.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        let n = end.unwrap_or(chunk.len());
        text.extend_from_slice(&chunk[..n]);
        log.consume(n);
        if end.is_some() || n == 0 {
            return Ok(text);
        }
        if text.len() >= LINE_LIMIT {
            return Err(io::Error::other("a line is longer than 16 MiB: is this a log?"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};

    use flate2::{Compression, write::GzEncoder};

    use super::text_of;

    /// Gives a byte at a time.
    struct Drip(io::Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len().min(1);
            self.0.read(&mut buffer[..n])
        }
    }

    fn read(raw: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let drip = Drip(io::Cursor::new(raw.to_owned()));
        text_of(drip).unwrap().read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn gzip_that_comes_a_byte_at_a_time_is_gzip() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"a line\n").unwrap();

        assert_eq!(read(&encoder.finish().unwrap()), b"a line\n");
    }

    #[test]
    fn text_that_comes_a_byte_at_a_time_is_whole() {
        for text in [&b""[..], b"a", b"\x1f", b"\x1f a line\n"] {
            assert_eq!(read(text), text);
        }
    }
}
