//! The lines of a file, of one that grows, and of the standard input.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    thread,
    time::Duration,
};

use millstream::{
    Error, ErrorKind, Flow, Handled, LINE_LIMIT, MissedTick, Publisher, byte_lines, interval,
    scheduler::Worker,
};
use millstream_pressure::{Queue, QueueConfig};

use super::Stream;
use crate::{OnError, assemble::Runner, record::Record, status::Faults};

/// How often a file is looked at that has nothing new.
const LOOK: Duration = Duration::from_millis(100);

/// The most lines and bytes that are taken from it at a time.
const AT_ONCE: usize = 4_096;
const BYTES_AT_ONCE: usize = 1 << 20;

/// How many lines of the standard input are read ahead.
const AHEAD: usize = 256;

/// Makes texts of lines.
pub(super) struct Texts {
    /// Where they come from.
    pub(super) name: String,
    pub(super) on_error: OnError,
    pub(super) faults: Faults,
    pub(super) clock: Worker,
}

impl Texts {
    /// A flow of records of a flow of lines, or of what else `unit` says.
    pub(super) fn of<P>(self, unit: &'static str, lines: Flow<P>) -> Stream
    where
        P: Publisher<Item = Vec<u8>> + Send + 'static,
    {
        let Self { name, on_error, faults, clock } = self;
        let context = name.clone();
        let mut number = 0_u64;
        let texts = lines.map_err(move |error| error.context(&context)).handle(move |line| {
            number += 1;
            match (String::from_utf8(line), on_error) {
                (Ok(text), _) => Handled::Pass(Record::new(text.into(), clock.now())),
                (Err(_), OnError::Skip) => {
                    faults.note(format!("{name}: {unit} {number} is not UTF-8"));
                    Handled::Skip
                }
                (Err(_), OnError::Fail) => Handled::Fail(Error::new(
                    ErrorKind::InvalidData,
                    format!("{name}: {unit} {number} is not UTF-8; `on_error: skip` leaves it out"),
                )),
            }
        });
        texts.boxed()
    }
}

/// The lines of a file, to its end.
pub(super) fn of_file(opened: File, texts: Texts, pool: &Runner) -> Stream {
    let lines = byte_lines(BufReader::with_capacity(1 << 16, opened));
    texts.of("line", lines).subscribe_on(pool).boxed()
}

/// The lines of a file and what is added to it.
pub(super) fn follow(path: PathBuf, opened: File, texts: Texts, pool: &Runner) -> Stream {
    let mut tail = Tail::new(path, opened);
    let lines = interval(pool, LOOK, MissedTick::Skip)
        .flat_map_iter(move |_| tail.new_lines())
        .flatten_results();
    texts.of("line", lines)
}

/// The lines of the standard input.
///
/// A thread of its own reads them, and may wait there for ever: nothing can end a read. The flow
/// ends all the same.
pub(super) fn of_stdin(texts: Texts, pool: &Runner) -> Result<Stream, Error> {
    let ahead = QueueConfig {
        capacity: AHEAD,
        // As good as none: the pipeline decides how long it takes.
        timeout: Duration::from_secs(1 << 32),
        ..QueueConfig::default()
    };
    let queue = Queue::new("stdin", ahead, pool).map_err(Error::other)?;
    let feed = queue.clone();
    let read = move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let line = match read_line(&mut input, &mut line) {
                Ok(false) if line.is_empty() => break,
                Ok(_) => {
                    trim(&mut line);
                    Ok(line)
                }
                Err(cause) => Err(Error::with_source(ErrorKind::Io, "", cause)),
            };
            let is_last = line.is_err();
            if feed.put_blocking(line).is_err() || is_last {
                break;
            }
        }
        feed.close();
    };
    let thread = thread::Builder::new().name("stdin".to_owned()).spawn(read);
    thread.map_err(|cause| Error::with_source(ErrorKind::Io, "cannot start a thread", cause))?;
    let lines = queue.flow().flatten_results().do_finally(move |_| {
        queue.close();
    });
    Ok(texts.of("line", lines).subscribe_on(pool).boxed())
}

/// Reads on to the end of a line, or of the input. Returns whether the line has an end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let room = (LINE_LIMIT + 1).saturating_sub(line.len()) as u64;
    input.take(room).read_until(b'\n', line)?;
    if line.len() > LINE_LIMIT {
        let why = format!("a line is longer than {LINE_LIMIT} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(line.last() == Some(&b'\n'))
}

/// Takes the line end away.
fn trim(line: &mut Vec<u8>) {
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
}

/// For how many looks the old file is read after another one has taken its place: whoever writes it
/// may need a while to notice.
const LINGER: u32 = 50;

/// A file that grows, also when another one takes its place.
struct Tail {
    path: PathBuf,
    current: Growing,
    /// The one before, and for how many looks more it is read.
    old: Option<(Growing, u32)>,
}

/// A file whose last line may not be whole yet.
struct Growing {
    reader: BufReader<File>,
    /// The beginning of a line whose end is not there yet.
    partial: Vec<u8>,
}

impl Growing {
    fn new(file: File) -> Self {
        Self { reader: BufReader::new(file), partial: Vec::new() }
    }

    /// The next whole line.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let is_whole = read_line(&mut self.reader, &mut self.partial)?;
        Ok(is_whole.then(|| self.take_partial()))
    }

    /// What there is of a line.
    fn take_partial(&mut self) -> Vec<u8> {
        let mut line = std::mem::take(&mut self.partial);
        trim(&mut line);
        line
    }
}

impl Tail {
    fn new(path: PathBuf, file: File) -> Self {
        Self { path, current: Growing::new(file), old: None }
    }

    /// Whole lines that are there and were not read: as many as do not take much memory.
    fn new_lines(&mut self) -> Vec<Result<Vec<u8>, Error>> {
        let mut found = Vec::new();
        if let Err(cause) = self.find(&mut found) {
            found.push(Err(Error::with_source(ErrorKind::Io, "", cause)));
        }
        found
    }

    fn find(&mut self, found: &mut Vec<Result<Vec<u8>, Error>>) -> io::Result<()> {
        if let Some((old, looks)) = &mut self.old {
            if !take_lines(old, found)? {
                return Ok(());
            }
            *looks = looks.saturating_sub(1);
            if *looks == 0 {
                let rest = old.take_partial();
                if !rest.is_empty() {
                    found.push(Ok(rest));
                }
                self.old = None;
            }
        }
        if take_lines(&mut self.current, found)? {
            self.renew()?;
        }
        Ok(())
    }

    /// Goes to the beginning of a file that was cut, or to another one that has taken the place of
    /// this one.
    fn renew(&mut self) -> io::Result<()> {
        let open = self.current.reader.get_ref().metadata()?;
        let position = self.current.reader.stream_position()?;
        match fs::metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) != (open.dev(), open.ino()) => {
                // Two rotations within the time to linger: the first one is over.
                if self.old.is_none() {
                    let next = Growing::new(File::open(&self.path)?);
                    self.old = Some((std::mem::replace(&mut self.current, next), LINGER));
                }
            }
            Ok(there) if there.len() < position => {
                self.current.reader.seek(SeekFrom::Start(0))?;
                self.current.partial.clear();
            }
            Ok(_) => {}
            // It is about to be made anew.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Takes the whole lines of a file, up to a mebibyte or so. Returns whether there are no more.
fn take_lines(file: &mut Growing, found: &mut Vec<Result<Vec<u8>, Error>>) -> io::Result<bool> {
    let mut n_bytes = 0;
    while n_bytes < BYTES_AT_ONCE && found.len() < AT_ONCE {
        let Some(line) = file.next_line()? else { return Ok(true) };
        n_bytes += line.len();
        found.push(Ok(line));
    }
    Ok(false)
}
