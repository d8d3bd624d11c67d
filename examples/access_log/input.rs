//! The log's lines, in batches, from a file or standard input, plain or gzip.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use millstream::{Error, ErrorKind, LINE_LIMIT};

/// Lines in a batch: enough to make handing it to another thread cheap.
const BATCH: usize = 256;

/// Bytes in a batch after which no line is added, so that long lines do not fill memory.
const BATCH_BYTES: usize = 1 << 20;

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
        let mut n_bytes = 0;
        while lines.len() < BATCH && n_bytes < BATCH_BYTES {
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
            n_bytes += n;
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

/// Refuses what would lose data: a log that cannot be read again, or one that is also an output.
pub(crate) fn check(path: &Path, n_times: u64, outputs: &[&PathBuf]) -> Result<(), Error> {
    let name = path.display();
    let is_file = path != Path::new("-")
        && fs::metadata(path)
            .map_err(|cause| Error::other(cause).context(format!("cannot open {name}")))?
            .is_file();
    if n_times > 1 && !is_file && !path.is_dir() {
        let message =
            format!("{name} cannot be replayed: write it to a file, or leave --spike out");
        return Err(Error::message(message));
    }
    for output in outputs {
        if is_file && fs::canonicalize(output).ok() == fs::canonicalize(path).ok() {
            let message =
                format!("{name} is the log and would be overwritten: name another output");
            return Err(Error::message(message));
        }
    }
    Ok(())
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
