//! The log's lines, in batches, from a file or standard input, plain or gzip.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use millstream::{Error, ErrorKind, LINE_LIMIT};

/// Lines in a batch: enough to make handing it to another thread cheap.
const BATCH: usize = 256;

/// What the reader hands on.
pub(crate) enum Input {
    Lines(Vec<Vec<u8>>),
    /// The log was read to its end, once.
    EndOfLog,
}

/// Reads a log, possibly several times.
pub(crate) struct Reader {
    path: PathBuf,
    n_left: u64,
    progress: ProgressBar,
    lines: Option<Box<dyn BufRead + Send>>,
}

impl Reader {
    /// Reads the file at `path`, or standard input for `-`, `n_times` over.
    pub(crate) fn new(path: PathBuf, n_times: u64, progress: ProgressBar) -> Self {
        Self { path, n_left: n_times, progress, lines: None }
    }

    /// The next batch; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Input>, Error> {
        if self.n_left == 0 {
            return Ok(None);
        }
        let mut reader = match self.lines.take() {
            Some(reader) => reader,
            None => open(&self.path, &self.progress).map_err(|cause| self.error("open", cause))?,
        };
        let mut lines = Vec::with_capacity(BATCH);
        while lines.len() < BATCH {
            let mut line = Vec::new();
            let limit = LINE_LIMIT as u64;
            let n = (&mut reader)
                .take(limit)
                .read_until(b'\n', &mut line)
                .map_err(|cause| self.error("read", cause))?;
            if n == 0 {
                break;
            }
            if n as u64 == limit {
                let cause = io::Error::other("a line is longer than 16 MiB: is this a log?");
                return Err(self.error("read", cause));
            }
            while line.ends_with(b"\n") || line.ends_with(b"\r") {
                line.pop();
            }
            lines.push(line);
        }
        if lines.is_empty() {
            self.n_left -= 1;
            return Ok(Some(Input::EndOfLog));
        }
        self.lines = Some(reader);
        Ok(Some(Input::Lines(lines)))
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
    let mut reader = BufReader::with_capacity(64 << 10, progress.wrap_read(raw));
    // The first two bytes of every gzip file.
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}
