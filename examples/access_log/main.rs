//! Turns a web server's access log into one JSON object per minute.
//!
//! Shows a pipeline whose demand reaches from a slow sink through parsing threads to the file: what
//! the sink has not asked for is not read, and memory stays flat however long the log is. Run it with
//! `cargo run --release --example access_log -- --help`.

mod input;
mod meter;
mod minute;
mod record;

use std::{
    fs::{self, File},
    io::{self, BufWriter, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressStyle};
use input::{Input, Reader};
use meter::Meter;
use millstream::{Error, Flow, defer, from_fn, generate, just, scheduler::Pool};
use minute::{Minutes, Report};
use parking_lot::{Condvar, Mutex};
use record::Record;

/// Turns a web server's access log (Apache's combined format, plain or gzip) into one JSON object per
/// minute: requests, bytes, status classes and the paths with the most requests, with their growth
/// against the minute before. A line that comes after its minute was reported makes another object
/// for that minute, so that sums over the output are always right.
///
/// Exit codes: 0 done (also when a reader of the output has closed it), 1 failed, 2 wrong arguments,
/// 130 interrupted.
#[derive(Parser)]
#[command(name = "access_log")]
struct Arguments {
    /// The log, or - for standard input. Default: the sample beside the example.
    log: Option<PathBuf>,
    /// Where to write; standard output if not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to write malformed lines, with the reason before each.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// How long the sink takes for an object, such as 2ms or 1s.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_duration)]
    sink_delay: Duration,
    /// Replays the log so many times over, as fast as it can be read.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    spike: u64,
    /// Threads that parse.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Paths to report a minute.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// Seconds of log time for which a minute waits for late lines.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(i64).range(0..))]
    lateness: i64,
    /// No progress bar and no table.
    #[arg(long)]
    quiet: bool,
}

/// Lines that are not in the combined format.
#[derive(Default)]
struct Rejects {
    n_lines: u64,
    file: Option<BufWriter<File>>,
}

/// Whether Ctrl-C was pressed. The sink waits on it, so that its delay does not hold back the end.
#[derive(Default)]
struct Interrupt {
    is_raised: Mutex<bool>,
    raised: Condvar,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            let is_closed_pipe = error
                .downcast_ref::<io::Error>()
                .is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
            if is_closed_pipe {
                return ExitCode::SUCCESS;
            }
            // A closed standard error leaves nobody to tell.
            drop(writeln!(io::stderr(), "access_log: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the table says how long it took")]
fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let start = Instant::now();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/access_log/sample.log");
    let path = arguments.log.clone().unwrap_or_else(|| sample.into());
    let outputs: Vec<_> = [&arguments.out, &arguments.rejects].into_iter().flatten().collect();
    input::check(&path, arguments.spike, &outputs)?;
    let progress = progress_bar(arguments, &path);
    let reader = Reader::new(path, arguments.spike, progress.clone());
    let sink = open_sink(arguments)?;
    let rejects = Arc::new(Mutex::new(open_rejects(arguments)?));
    let meters = ["read", "parse", "aggregate", "write"].map(Meter::new);
    let interrupt = Arc::new(Interrupt::default());

    let outcome = pipeline(arguments, reader, sink, &rejects, &meters, &interrupt);
    let subscription = outcome.subscription();
    let handle = Arc::clone(&interrupt);
    ctrlc::set_handler(move || {
        *handle.is_raised.lock() = true;
        handle.raised.notify_all();
        subscription.cancel();
    })
    .map_err(Error::other)?;
    let result = outcome.wait();

    progress.finish_and_clear();
    let n_rejects = {
        let mut rejects = rejects.lock();
        if let Some(file) = &mut rejects.file {
            file.flush().map_err(|cause| Error::other(cause).context("writing rejects"))?;
        }
        rejects.n_lines
    };
    if !arguments.quiet {
        let table = table(&meters, n_rejects, start.elapsed());
        drop(writeln!(io::stderr(), "{table}"));
    }
    if *interrupt.is_raised.lock() {
        return Ok(ExitCode::from(130));
    }
    result.map(|()| ExitCode::SUCCESS)
}

/// The whole job: read, parse on several threads, aggregate, write.
fn pipeline(
    arguments: &Arguments,
    reader: Reader,
    mut sink: Box<dyn Write + Send>,
    rejects: &Arc<Mutex<Rejects>>,
    [read, parse, aggregate, write]: &[Meter; 4],
    interrupt: &Arc<Interrupt>,
) -> millstream::Outcome<()> {
    let threads = usize::from(arguments.threads);
    let parsers = Pool::named("parse", threads);
    let stages = Pool::named("stage", 3);
    let minutes = Arc::new(Mutex::new(Minutes::new(arguments.lateness, arguments.top)));
    let delay = arguments.sink_delay;
    let interrupt = Arc::clone(interrupt);

    let batches = generate(reader, Reader::next).subscribe_on(&stages);
    let parsed = Flow::from(read.over(batches))
        .map_async_on(&stages, threads * 2, millstream::Order::Source, {
            let rejects = Arc::clone(rejects);
            move |input| {
                let rejects = Arc::clone(&rejects);
                from_fn(move || parse_batch(input, &rejects)).subscribe_on(&parsers).first()
            }
        })
        .flatten_results()
        .filter_map(|batch| batch)
        .flatten_results();
    let reports = {
        let rest = Arc::clone(&minutes);
        Flow::from(parse.over(parsed))
            .map(move |batch| match batch {
                Some(records) => minutes.lock().add(records),
                None => minutes.lock().finish(),
            })
            .concat(defer(move || just(rest.lock().finish())))
            .flat_map_iter(|reports| reports)
    };
    let lines = Flow::from(aggregate.over(reports)).publish_on(&stages, 64);
    Flow::from(write.over(lines))
        .map(move |report| write_report(&mut sink, &report, delay, &interrupt))
        .flatten_results()
        .for_each(|()| {})
}

/// The records of a batch; `None` at the end of the log.
fn parse_batch(input: Input, rejects: &Mutex<Rejects>) -> Result<Option<Vec<Record>>, Error> {
    let Input::Lines(lines) = input else { return Ok(None) };
    let mut records = Vec::with_capacity(lines.len());
    for line in lines {
        match record::parse(&line) {
            Ok(record) => records.push(record),
            Err(reason) => rejects.lock().reject(reason, &line)?,
        }
    }
    Ok(Some(records))
}

impl Rejects {
    fn reject(&mut self, reason: &str, line: &[u8]) -> Result<(), Error> {
        self.n_lines += 1;
        let Some(file) = &mut self.file else { return Ok(()) };
        write!(file, "{reason}: ")
            .and_then(|()| file.write_all(line))
            .and_then(|()| file.write_all(b"\n"))
            .map_err(|cause| Error::other(cause).context("writing rejects"))
    }
}

fn write_report(
    sink: &mut (dyn Write + Send),
    report: &Report,
    delay: Duration,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let mut is_raised = interrupt.is_raised.lock();
    interrupt.raised.wait_while_for(&mut is_raised, |is_raised| !*is_raised, delay);
    if *is_raised {
        // A cancel alone is seen after the items that the sink was already given.
        return Err(Error::message("interrupted"));
    }
    drop(is_raised);
    let mut line = serde_json::to_vec(report).map_err(Error::other)?;
    line.push(b'\n');
    sink.write_all(&line)
        .and_then(|()| sink.flush())
        .map_err(|cause| Error::other(cause).context("cannot write the output"))
}

fn open_sink(arguments: &Arguments) -> Result<Box<dyn Write + Send>, Error> {
    match &arguments.out {
        None => Ok(Box::new(io::stdout())),
        Some(path) => Ok(Box::new(create(path)?)),
    }
}

fn open_rejects(arguments: &Arguments) -> Result<Rejects, Error> {
    let file = arguments.rejects.as_ref().map(create).transpose()?.map(BufWriter::new);
    Ok(Rejects { n_lines: 0, file })
}

fn create(path: &PathBuf) -> Result<File, Error> {
    File::create(path)
        .map_err(|cause| Error::other(cause).context(format!("cannot create {}", path.display())))
}

/// A bar over the bytes to read, on a terminal.
fn progress_bar(arguments: &Arguments, path: &PathBuf) -> ProgressBar {
    if arguments.quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let n_bytes = fs::metadata(path).map_or(0, |data| data.len()).saturating_mul(arguments.spike);
    let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}";
    ProgressBar::new(n_bytes).with_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

fn table(meters: &[Meter], n_rejects: u64, elapsed: Duration) -> Table {
    let mut table = Table::new();
    table.set_header(["stage", "requested", "delivered", "in flight at most"]);
    for meter in meters {
        let count = meter.count();
        let number = |n: u64| if n == u64::MAX { "unbounded".to_owned() } else { n.to_string() };
        let in_flight = number(count.most_in_flight);
        let row =
            [meter.name.to_owned(), number(count.requested), number(count.delivered), in_flight];
        table.add_row(row);
    }
    table.add_row(["malformed lines", "", &n_rejects.to_string(), ""]);
    table.add_row(["peak memory", "", &peak_memory(), ""]);
    table.add_row(["time", "", &format!("{elapsed:.2?}"), ""]);
    table
}

/// The most memory that the process has had, where the system tells.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or("unknown".to_owned(), |text| text.trim().to_owned())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|cause| format!("not a time such as 2ms: {cause}"))?;
    Duration::try_from(duration).map_err(|_| "a time cannot be negative".to_owned())
}
