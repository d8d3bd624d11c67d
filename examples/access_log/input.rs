//! The log's lines, in batches, from a file or standard input, plain or gzip.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{self, Path, PathBuf},
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
    if let [one, other] = outputs
        && are_one_file(one, other)
    {
        let message = format!(
            "--out and --rejects are both {}, and would overwrite each other: name two files",
            one.display()
        );
        return Err(Error::message(message));
    }
    Ok(())
}

/// Whether both are one file, there or to be made; what is no file, such as a device, may be named twice.
fn are_one_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other && one.is_file(),
        (Err(_), Err(_)) => path::absolute(one).ok() == path::absolute(other).ok(),
        _ => false,
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
    let mut reader = BufReader::with_capacity(BATCH_BYTES, progress.wrap_read(raw));
    // The first two bytes of every gzip file.
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
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
