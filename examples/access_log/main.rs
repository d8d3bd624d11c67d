//! Turns a web server's access log into one JSON object per minute.
//!
//! Shows a pipeline whose demand reaches from a slow sink through parsing threads to the file: what
//! the sink has not asked for is not read, and memory stays flat however long the log is. Run it
//! with `cargo run --release --example access_log -- --help`.
//!
//! # Threads
//!
//! Reading, aggregating and writing have a thread each, beside those that parse. Parsing is a third
//! of the work, and so is aggregating. On 2 cores, a second parsing thread takes a quarter off the
//! time, and then both cores are busy, so that more threads gain little; on more cores, the thread
//! that aggregates would be the limit. Measured by
//! `perf stat access_log LOG --spike 100 --quiet --threads N > /dev/null`, and by `perf record`,
//! with a log of 10,000 lines.

mod batch;
mod clock;
mod files;
mod input;
mod meter;
mod minute;
mod output;
mod record;
mod rejects;
mod signals;
mod sink;
mod table;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use batch::Batch;
use clap::Parser;
use files::Files;
use indicatif::{ProgressBar, ProgressStyle};
use input::Reader;
use meter::Meter;
use millstream::{Error, Flow, Order, Outcome, defer, from_fn, generate, just, scheduler::Pool};
use minute::Minutes;
use output::Beside;
use parking_lot::Mutex;
use rejects::Rejects;
use sink::{Interrupt, Sink};

/// Turns a web server's access log (Apache's combined format, plain or gzip) into one JSON object
/// per minute: requests, bytes, status classes and top_paths, which are the paths with the most
/// requests, each with its growth against the minute reported before.
///
/// A request whose status is 1xx counts as a request, and in no class. A path is taken without its
/// query. A line that comes after its minute was reported (see --lateness) makes another object for
/// that minute, so that sums over the output are always right, also for a log that is not in order.
/// Lines whose time is far from that of their neighbors report no minute early, unless eight of
/// them follow each other. A replay starts anew.
///
/// The files of --out and --rejects are written beside their places, and replace former ones when
/// the log is done. A run that fails or is interrupted leaves the former ones, and what it has
/// written as FILE.partial.
///
/// At the end a table on standard error says what passed each stage: what the next stage requested
/// of it, what it delivered, and how much was in flight at most, that is, waiting before the stage
/// or inside it. Lines read are in flight until they are aggregated or rejected; a minute is, from
/// its first line on.
///
/// Memory does not grow with the log, but with the paths of the minutes that wait for late lines.
///
/// Exit codes: 0 done (also when a reader of the output has closed it), 1 failed, 2 wrong
/// arguments, 3 no line of the log is in the combined format, 130 interrupted (press Ctrl-C twice
/// if the output blocks), 143 ended by SIGTERM.
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
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "0ms", value_parser = parse_duration)]
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
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, default_value_t = 300, value_parser = clap::value_parser!(i64).range(0..))]
    lateness: i64,
    /// No progress bar and no table.
    #[arg(long)]
    quiet: bool,
}

/// The exit code where no line of the log is in the combined format.
const NO_LOG: u8 = 3;

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
            say(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the table says how long it took")]
fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let start = Instant::now();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/access_log/sample.log");
    let path = arguments.log.clone().unwrap_or_else(|| sample.into());
    let (out, rejects) = (arguments.out.as_deref(), arguments.rejects.as_deref());
    files::check(&Files { log: &path, out, rejects }, arguments.spike)?;
    let pools = Pools::start(usize::from(arguments.threads))?;
    let interrupt = Arc::new(Interrupt::default());
    signals::catch(Arc::clone(&interrupt))
        .map_err(|cause| Error::other(cause).context("cannot wait for signals"))?;
    let (output, out): (Box<dyn Write + Send>, _) = match out {
        None => (Box::new(output::stdout()?), None),
        Some(path) => {
            let (file, beside) = output::create(path)?;
            (Box::new(file), beside)
        }
    };
    let sink = Sink::new(output, arguments.sink_delay, Arc::clone(&interrupt));
    let (rejects, rejected) = rejects.map(output::create).transpose()?.unzip();
    let rejects = Arc::new(Mutex::new(Rejects::new(rejects)));
    let progress = progress_bar(arguments, &path);
    let reader = Reader::new(path, arguments.spike, progress.clone());
    let meters = Meters::new();

    let outcome = pipeline(arguments, &pools, reader, sink, &rejects, &meters);
    interrupt.cancels(outcome.subscription());
    let result = outcome.wait();

    progress.finish_and_clear();
    let result = result.and(rejects.lock().close());
    if !arguments.quiet {
        say_plainly(&meters.table(start.elapsed()));
    }
    let n_written = meters.write.count().delivered;
    let outputs = [out, rejected.flatten()];
    match result {
        Err(error) if !is_closed_pipe(&error) || interrupt.exit_code().is_some() => {
            keep(outputs);
            let Some(code) = interrupt.exit_code() else { return Err(error) };
            say(&format!("interrupted after {n_written} objects"));
            Ok(ExitCode::from(code))
        }
        result => {
            let [out, rejected] = outputs;
            rejected.map_or(Ok(()), Beside::finish)?;
            let n_lines = meters.lines.count().delivered;
            if n_lines > 0 && n_lines == meters.rejected.count().delivered {
                let hint = "is this a log? --rejects FILE says what is wrong with each";
                say(&format!("none of the {n_lines} lines is in the combined format: {hint}"));
                return Ok(ExitCode::from(NO_LOG));
            }
            out.map_or(Ok(()), Beside::finish)?;
            if result.is_err() && !arguments.quiet {
                say(&format!("the output was closed by its reader after {n_written} objects"));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Keeps what an unfinished run has written, and says where.
fn keep(outputs: [Option<Beside>; 2]) {
    for path in outputs.into_iter().flatten().filter_map(Beside::keep_partial) {
        say(&format!("what was written until then is {}", path.display()));
    }
}

/// The threads of the job.
struct Pools {
    parsers: Pool,
    n_parsers: usize,
    stages: Pool,
}

impl Pools {
    fn start(n_parsers: usize) -> Result<Self, Error> {
        let parsers = Pool::try_named("parse", n_parsers)?;
        Ok(Self { parsers, n_parsers, stages: Pool::try_named("stage", 3)? })
    }
}

/// The whole job: read, parse on several threads, aggregate, write.
fn pipeline(
    arguments: &Arguments,
    pools: &Pools,
    reader: Reader,
    mut sink: Sink,
    rejects: &Arc<Mutex<Rejects>>,
    meters: &Meters,
) -> Outcome<()> {
    let Meters { read, parse, lines, rejected, aggregate, write } = meters;
    let Pools { parsers, n_parsers, stages } = pools;
    let parsers = parsers.clone();

    let batches = {
        let (read, lines) = (read.clone(), lines.clone());
        generate(reader, move |reader| {
            read.enter(1);
            let batch = reader.next()?;
            lines.enter(batch.as_ref().map_or(0, |batch| batch.n_lines));
            Ok(batch)
        })
        .subscribe_on(stages)
    };
    let parsed = Flow::from(read.over(batches, Some(parse)))
        .map_async_on(stages, n_parsers * 2, Order::Source, move |lines| {
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
        .publish_on(stages)
        .capacity(64)
        .map(move |report| sink.write(&report))
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

/// A bar over the bytes to read, on a terminal that does not show the output too.
fn progress_bar(arguments: &Arguments, path: &Path) -> ProgressBar {
    let is_shown = arguments.out.is_some() || !io::stdout().is_terminal();
    if arguments.quiet || !is_shown || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let n_bytes = fs::metadata(path).map_or(0, |data| data.len()).saturating_mul(arguments.spike);
    let (bar, style) = if n_bytes > 0 {
        (ProgressBar::new(n_bytes), "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")
    } else {
        (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec}")
    };
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    // Also while the sink is slow and nothing is read. It starts a thread, and panics if it cannot.
    if thread::Builder::new().spawn(|| ()).is_ok_and(|probe| probe.join().is_ok()) {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar.with_style(style)
}

/// Whether the reader of the output has seen enough.
fn is_closed_pipe(error: &Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn say(message: &dyn std::fmt::Display) {
    say_plainly(&format!("access_log: {message}"));
}

/// A closed standard error leaves nobody to tell.
fn say_plainly(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|cause| format!("not a time such as 2ms: {cause}"))?;
    Duration::try_from(duration).map_err(|_| "a time cannot be negative".to_owned())
}
