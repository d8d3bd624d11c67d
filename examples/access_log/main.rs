//! Turns a web server's access log into one JSON object per minute.
//!
//! Shows a pipeline whose demand reaches from a slow sink through parsing threads to the file: what
//! the sink has not asked for is not read, and memory stays flat however long the log is. Run it with
//! `cargo run --release --example access_log -- --help`.
//!
//! # Threads
//!
//! Reading, aggregating and writing have a thread each, beside those that parse. Parsing is a third
//! of the work, and so is aggregating. On 2 cores, a second parsing thread takes a quarter off the
//! time, and then both cores are busy, so that more threads gain little; on more cores, the thread
//! that aggregates would be the limit. Measured by
//! `perf stat access_log LOG --spike 100 --quiet --threads N > /dev/null`, and by `perf record`, with
//! a log of 10,000 lines.

mod batch;
mod input;
mod meter;
mod minute;
mod record;
mod rejects;
mod table;

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use batch::Batch;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use input::Reader;
use meter::Meter;
use millstream::{Error, Flow, Order, Outcome, defer, from_fn, generate, just, scheduler::Pool};
use minute::{Minutes, Report};
use parking_lot::{Condvar, Mutex};
use rejects::Rejects;

/// Turns a web server's access log (Apache's combined format, plain or gzip) into one JSON object per
/// minute: requests, bytes, status classes and top_paths, which are the paths with the most requests,
/// each with its growth against the minute reported before.
///
/// A request whose status is 1xx counts as a request, and in no class. A path is taken without its
/// query. A line that comes after its minute was reported (see --lateness) makes another object for
/// that minute, so that sums over the output are always right, also for a log that is not in order.
/// A replay starts anew.
///
/// At the end a table on standard error says what passed each stage: what the next stage requested of
/// it, what it delivered, and how much was in flight at most, that is, waiting before the stage or
/// inside it. Lines read are in flight until they are aggregated or rejected; a minute is, from its
/// first line on.
///
/// Memory does not grow with the log, but with the paths of the minutes that wait for late lines.
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
    /// Where to write malformed lines, each after its number and the reason.
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

/// Whether Ctrl-C was pressed. The sink waits on it, so that its delay does not hold back the end.
#[derive(Default)]
struct Interrupt {
    is_raised: Mutex<bool>,
    raised: Condvar,
}

/// The rows of the table.
struct Meters {
    read: Meter,
    parse: Meter,
    lines: Meter,
    rejected: Meter,
    aggregate: Meter,
    write: Meter,
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
    let rejects = arguments.rejects.as_ref().map(create).transpose()?;
    let rejects = Arc::new(Mutex::new(Rejects::new(rejects)));
    let meters = Meters::new();
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
    rejects.lock().close()?;
    if !arguments.quiet {
        drop(writeln!(io::stderr(), "{}", meters.table(start.elapsed())));
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
    meters: &Meters,
    interrupt: &Arc<Interrupt>,
) -> Outcome<()> {
    let Meters { read, parse, lines, rejected, aggregate, write } = meters;
    let threads = usize::from(arguments.threads);
    let parsers = Pool::named("parse", threads);
    let stages = Pool::named("stage", 3);
    let delay = arguments.sink_delay;
    let interrupt = Arc::clone(interrupt);

    let batches = {
        let (read, lines) = (read.clone(), lines.clone());
        generate(reader, move |reader| {
            read.enter(1);
            let batch = reader.next()?;
            lines.enter(batch.as_ref().map_or(0, |batch| batch.n_lines));
            Ok(batch)
        })
        .subscribe_on(&stages)
    };
    let parsed = Flow::from(read.over(batches, Some(parse)))
        .map_async_on(&stages, threads * 2, Order::Source, move |lines| {
            from_fn(move || Batch::parse(lines)).subscribe_on(&parsers).first()
        })
        .flatten_results()
        .filter_map(|batch| batch);
    let reports = {
        let (lines, rejected, rejects) = (lines.clone(), rejected.clone(), Arc::clone(rejects));
        let minutes = Minutes::new(arguments.lateness, arguments.top, aggregate.clone());
        let minutes = Arc::new(Mutex::new(minutes));
        let rest = Arc::clone(&minutes);
        Flow::from(parse.over(parsed, None))
            .map(move |batch| {
                rejects.lock().take(&batch)?;
                rejected.deliver(batch.rejects().len() as u64);
                let reports = minutes.lock().add(&batch);
                lines.deliver(batch.n_lines);
                Ok::<_, Error>(reports)
            })
            .flatten_results()
            .concat(defer(move || just(rest.lock().finish())))
            .flat_map_iter(|reports| reports)
    };
    let written = Flow::from(aggregate.over(reports, Some(write)))
        .publish_on(&stages, 64)
        .map(move |report| write_report(&mut sink, &report, delay, &interrupt))
        .flatten_results();
    Flow::from(write.over(written, None)).for_each(|()| {})
}

impl Meters {
    fn new() -> Self {
        Self {
            read: Meter::new("read", "batches"),
            parse: Meter::new("parse", "batches"),
            lines: Meter::new("lines read", "lines"),
            rejected: Meter::new("lines rejected", "lines"),
            aggregate: Meter::new("aggregate", "minutes"),
            write: Meter::new("write", "minutes"),
        }
    }

    fn table(&self, elapsed: Duration) -> String {
        let Self { read, parse, lines, rejected, aggregate, write } = self;
        table::table(&[read, parse, lines, rejected, aggregate, write], elapsed)
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

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|cause| format!("not a time such as 2ms: {cause}"))?;
    Duration::try_from(duration).map_err(|_| "a time cannot be negative".to_owned())
}
